//! What a factura's state allows: one match over every state and command.

use super::super::refusal::{Decidida, FacturaRefusal};
use super::Factura;
use crate::rules::sincronizacion::Estado;

cierre_kernel::words! {
    /// Where a factura stands, as far as commands tell states apart.
    pub enum Situacion {
        /// Nobody decided, and nobody answers for it.
        SinResponsable = "sin_responsable",
        /// Nobody decided.
        Pendiente = "pendiente",
        /// Some of the required approvals are given.
        EnRevision = "en_revision",
        /// People approved it.
        Aprobada = "aprobada",
        /// It was approved by rule.
        AprobadaAuto = "aprobada_auto",
        /// Somebody rejected it.
        Rechazada = "rechazada",
        /// It is gone.
        Eliminada = "eliminada",
    }

    /// What may happen to a factura after its intake. Assigning asks for nothing but a responsable: see [`Factura::asignar`].
    pub enum Comando {
        /// Somebody approves.
        Aprobar = "aprobar",
        /// Somebody rejects.
        Rechazar = "rechazar",
        /// Another round begins.
        Reabrir = "reabrir",
        /// It is deleted.
        Eliminar = "eliminar",
    }
}

/// Where an allowed command leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sigue {
    /// `aprobada` with the last required approval, else `en_revision`.
    Cuenta,
    /// `rechazada`.
    Rechazada,
    /// `pendiente`, one round on.
    Ronda,
    /// A tombstone.
    Lapida,
}

/// Why a command does not follow from a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impedido {
    /// There is none any more.
    NoEncontrada,
    /// Nobody answers for it.
    SinResponsable,
    /// It is decided.
    YaDecidida,
    /// It is not decided.
    NoDecidida,
    /// It has approvals.
    TieneAprobaciones,
}

/// What a command does in a state.
///
/// # Errors
/// The [`Impedido`] of the contract's table.
pub const fn allowed(situacion: Situacion, comando: Comando) -> Result<Sigue, Impedido> {
    use Comando::{Aprobar, Eliminar, Reabrir, Rechazar};
    use Situacion::{
        Aprobada, AprobadaAuto, Eliminada, EnRevision, Pendiente, Rechazada, SinResponsable,
    };
    match (situacion, comando) {
        (SinResponsable, Aprobar | Rechazar) => Err(Impedido::SinResponsable),
        (Pendiente | EnRevision, Aprobar) => Ok(Sigue::Cuenta),
        (Pendiente | EnRevision, Rechazar) => Ok(Sigue::Rechazada),
        (SinResponsable | Pendiente | EnRevision, Reabrir) => Err(Impedido::NoDecidida),
        (SinResponsable | Pendiente, Eliminar) => Ok(Sigue::Lapida),
        (EnRevision, Eliminar) => Err(Impedido::TieneAprobaciones),
        (Aprobada | AprobadaAuto | Rechazada, Aprobar | Rechazar | Eliminar) => {
            Err(Impedido::YaDecidida)
        }
        (Aprobada | AprobadaAuto | Rechazada, Reabrir) => Ok(Sigue::Ronda),
        (Eliminada, Aprobar | Rechazar | Reabrir | Eliminar) => Err(Impedido::NoEncontrada),
    }
}

impl Factura {
    /// Where it stands, as far as commands tell states apart.
    #[must_use]
    pub const fn situacion(&self) -> Situacion {
        if self.eliminada {
            return Situacion::Eliminada;
        }
        match self.estado() {
            Estado::Pendiente if self.responsable.is_none() => Situacion::SinResponsable,
            Estado::Pendiente => Situacion::Pendiente,
            Estado::EnRevision => Situacion::EnRevision,
            Estado::Aprobada => Situacion::Aprobada,
            Estado::AprobadaAuto => Situacion::AprobadaAuto,
            Estado::Rechazada => Situacion::Rechazada,
        }
    }

    /// What a command does to it.
    ///
    /// # Errors
    /// [`FacturaRefusal`], of the contract's table.
    pub fn allowed(&self, comando: Comando) -> Result<Sigue, FacturaRefusal> {
        allowed(self.situacion(), comando).map_err(|impedido| match impedido {
            Impedido::NoEncontrada => FacturaRefusal::NoEncontrada,
            Impedido::SinResponsable => FacturaRefusal::SinResponsable,
            Impedido::YaDecidida => FacturaRefusal::YaDecidida(Decidida {
                estado: self.estado(),
                accion_por: self.sincronizado.accion_por_shown(),
                fecha_accion: self.sincronizado.fecha_accion(),
            }),
            Impedido::NoDecidida => FacturaRefusal::NoDecidida,
            Impedido::TieneAprobaciones => FacturaRefusal::TieneAprobaciones,
        })
    }
}
