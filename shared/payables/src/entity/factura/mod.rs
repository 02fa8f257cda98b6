//! A supplier's invoice and its rounds of approval.

mod answer;
mod decide;
mod ingreso;
mod nueva;
mod table;

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::FacturaId;
use cierre_kernel::time::{Date, Instant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::workflow::Workflow;
use crate::cifra::Cifra;
use crate::importe::Importe;
use crate::nit::Nit;
use crate::persona::{Persona, Usuario};
use crate::rules::clave::Clave;
use crate::rules::comparacion::Antecedente;
use crate::rules::concepto::Grupo;
use crate::rules::sincronizacion::{Estado, Sincronizado};

pub use answer::*;
pub use decide::*;
pub use ingreso::*;
pub use nueva::*;
pub use table::*;

cierre_kernel::words! {
    /// How a factura came.
    pub enum Origen {
        /// One request.
        Json = "json",
        /// A request with many.
        Lote = "lote",
        /// An electronic invoice.
        Xml = "xml",
        /// The books of before, with their decisions.
        Historico = "historico",
    }
}

/// A line of a factura; information only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FacturaItem)]
pub struct Item {
    /// What for.
    pub descripcion: String,
    /// How many.
    #[schema(value_type = Option<String>)]
    pub cantidad: Option<Cifra>,
    /// At what price.
    #[schema(value_type = Option<String>)]
    pub valor_unitario: Option<Cifra>,
    /// What it comes to.
    #[schema(value_type = Option<String>)]
    pub total: Option<Cifra>,
}

/// What a factura says. It never changes, so that a decision always refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Datos {
    /// The supplier's number for it.
    pub numero: String,
    /// The supplier.
    pub nit: Nit,
    /// The supplier's name.
    pub proveedor: String,
    /// When it was issued.
    pub fecha_emision: Date,
    /// When it is due.
    pub fecha_vencimiento: Option<Date>,
    /// What it amounts to.
    pub importe: Importe,
    /// What it is for.
    pub concepto: String,
    /// Its first lines.
    pub items: Vec<Item>,
    /// Lines beyond those.
    pub items_omitidos: u32,
    /// The code that identifies an electronic invoice.
    pub cufe: Option<String>,
}

impl Datos {
    /// The group of facturas that it is compared with.
    #[must_use]
    pub fn grupo(&self) -> Grupo {
        Grupo::of(self.nit, &self.concepto)
    }

    /// Its duplicate key. A number without letter or digit, which is never stored, has none.
    #[must_use]
    pub fn clave(&self) -> Option<Clave> {
        Clave::of(self.nit, &self.numero)
    }
}

/// How long people took to decide, over all rounds of a factura.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiempos {
    /// Rounds that people ended.
    pub rondas: u32,
    /// From the beginning of each to its end, in all.
    pub milisegundos: i64,
}

/// A factura.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factura {
    /// Its id.
    pub id: FacturaId,
    /// What it says.
    pub datos: Datos,
    /// How it came.
    pub origen: Origen,
    /// Who registered it.
    pub registrada_por: Persona,
    /// When.
    pub fecha_registro: Instant,
    responsable: Option<Usuario>,
    sincronizado: Sincronizado,
    /// The current round.
    pub ronda: u32,
    /// How long people took.
    pub tiempos: Tiempos,
    /// It is gone; its events stay.
    pub eliminada: bool,
    /// The command that registered it.
    pub correlation_id: CorrelationId,
    /// Counts the changes, from 1. Views and denials move the head alone.
    pub version: u64,
    /// Its chain of events.
    pub head: ChainHead,
}

impl Factura {
    /// Who answers for it. Once set, nothing changes it.
    #[must_use]
    pub const fn responsable(&self) -> Option<&Usuario> {
        self.responsable.as_ref()
    }

    /// What it says about its round.
    #[must_use]
    pub const fn sincronizado(&self) -> &Sincronizado {
        &self.sincronizado
    }

    /// Where it stands.
    #[must_use]
    pub const fn estado(&self) -> Estado {
        self.sincronizado.estado()
    }

    /// As others of its group see it.
    #[must_use]
    pub const fn antecedente(&self) -> Antecedente {
        Antecedente {
            id: self.id,
            estado: self.estado(),
            fecha_emision: self.datos.fecha_emision,
            importe: self.datos.importe,
        }
    }

    /// The same, saying what its round says. None when it says so already.
    #[must_use]
    pub(crate) fn synchronised(&self, workflow: &Workflow) -> Option<Self> {
        let sincronizado = Sincronizado::of(workflow);
        (sincronizado != self.sincronizado).then(|| Self {
            sincronizado,
            ..self.touched()
        })
    }

    /// The same, one version on.
    fn touched(&self) -> Self {
        Self {
            version: self.version + 1,
            ..self.clone()
        }
    }
}

/// A factura and its current round: what a decision looks at, and what one transaction writes.
///
/// A decision that begins another round answers the new one; the row of the former stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expediente {
    /// The factura.
    pub factura: Factura,
    /// Its current round.
    pub workflow: Workflow,
}
