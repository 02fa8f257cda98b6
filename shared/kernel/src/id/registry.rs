//! Every kind of id, in one place, so that no two kinds share a prefix.

use super::{Id, Kind};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $prefix:literal $alias:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub enum $kind {}

            impl Kind for $kind {
                const PREFIX: &'static str = $prefix;
            }

            #[doc = concat!("Id with the prefix `", $prefix, "`.")]
            pub type $alias = Id<$kind>;
        )+

        /// The prefixes in use.
        pub const PREFIXES: &[&str] = &[$($prefix),+];
    };
}

kinds! {
    /// A logistics service to be invoiced.
    Service "svc" ServiceId;
    /// A service waiting to be invoiced.
    Pending "pen" PendingId;
    /// A set of pendings invoiced together.
    Batch "bat" BatchId;
    /// An invoice.
    Invoice "inv" InvoiceId;
    /// A credit note.
    CreditNote "crn" CreditNoteId;
    /// A hand-over to the ERP.
    Sync "syn" SyncId;
    /// A client whose payrolls are closed.
    Cliente "cli" ClienteId;
    /// The closing of one client and month.
    Cierre "cie" CierreId;
    /// A file of a closing.
    Archivo "arc" ArchivoId;
    /// What two files say differently, or a book against itself.
    Discrepancia "dis" DiscrepanciaId;
    /// What changed against the last finalised month.
    Incidencia "inc" IncidenciaId;
    /// A job of payroll.
    Trabajo "tra" TrabajoId;
    /// A supplier's invoice.
    Factura "fac" FacturaId;
    /// Somebody stands in for somebody else.
    Delegacion "dlg" DelegacionId;
    /// A job of payables.
    TrabajoFacturas "trb" TrabajoFacturasId;
    /// An upload of an electronic invoice.
    Carga "car" CargaId;
    /// Why a dropped object became no factura.
    RechazoIngreso "rin" RechazoIngresoId;
    /// An activity event.
    Event "evt" EventId;
}

#[cfg(test)]
mod tests {
    use super::PREFIXES;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_kinds_share_a_prefix() {
        assert_eq!(
            PREFIXES.iter().collect::<BTreeSet<_>>().len(),
            PREFIXES.len()
        );
    }

    #[test]
    fn prefixes_are_three_lower_case_letters() {
        for prefix in PREFIXES {
            assert!(prefix.len() == 3 && prefix.bytes().all(|b| b.is_ascii_lowercase()));
        }
    }
}
