//! What the files of a closing say differently, or the book against itself.
//!
//! [`Comparison`] takes the rows of the smaller files, then [`BookComparison`] the book's, one by one: a book may have 200,000 rows, and none is
//! kept. What is kept, and at what cost, stands there.

mod compare;
mod row;
#[cfg(test)]
mod tests;
mod words;

use cierre_kernel::id::{CierreId, DiscrepanciaId};
use serde::{Deserialize, Serialize};

use super::digest::Parts;
use super::place::{Ubicacion, shown};
use crate::kind::Kind;
use crate::rut::Rut;

pub use compare::{BookComparison, Comparison};
pub use words::{Control, Regla, Severidad, TipoDiscrepancia};

/// A discrepancy as it was found. Its state is no part of it: see [`super::merge`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscrepanciaHallada {
    /// The same whenever the same thing is found again.
    pub id: DiscrepanciaId,
    /// What kind it is.
    pub tipo: TipoDiscrepancia,
    /// Which rule found it.
    pub regla: Regla,
    /// Whether it blocks the closing.
    pub severidad: Severidad,
    /// Whose it is.
    pub rut: Rut,
    /// The cells that disagree.
    pub ubicaciones: Vec<Ubicacion>,
    /// What should stand there, where the rule knows.
    pub esperado: Option<String>,
    /// What stands there instead.
    pub encontrado: Option<String>,
    /// Found less expected, signed.
    pub diferencia: Option<String>,
    /// The kind of file that lacks it.
    pub falta_en: Option<Kind>,
    /// What to do.
    pub sugerencia: String,
    /// Digest of the compared values: a justification holds for these only.
    pub huella: String,
}

/// A discrepancy before it has its id.
struct Found {
    regla: Regla,
    rut: Rut,
    /// What tells discrepancies of one rule and row apart: the column's code, or the kind that lacks the row; else empty.
    slot: String,
    /// Which of the RUT's rows, from 0.
    ordinal: usize,
    /// The cells with their whole values.
    ubicaciones: Vec<Ubicacion>,
    esperado: Option<String>,
    encontrado: Option<String>,
    diferencia: Option<String>,
    falta_en: Option<Kind>,
    sugerencia: String,
}

impl Found {
    /// The id is made of what stays when values change; the huella of the values and of nothing else, so that a file uploaded again with its
    /// rows elsewhere keeps what was justified.
    fn into_discrepancia(self, cierre: CierreId) -> DiscrepanciaHallada {
        let tipo = self.regla.tipo();
        let id = Parts::default()
            .and(cierre)
            .and(tipo)
            .and(self.regla)
            .and(self.rut)
            .and(&self.slot)
            .and(self.ordinal)
            .id();
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let values = Parts::default()
            .and(text(&self.esperado))
            .and(text(&self.encontrado))
            .and(text(&self.diferencia))
            .and(self.falta_en.map_or("", Kind::as_str));
        let values = self
            .ubicaciones
            .iter()
            .fold(values, |values, cell| values.and(&cell.valor));
        let mut ubicaciones = self.ubicaciones;
        for cell in &mut ubicaciones {
            cell.valor = shown(&cell.valor);
        }
        DiscrepanciaHallada {
            id,
            tipo,
            regla: self.regla,
            severidad: self.regla.severidad(),
            rut: self.rut,
            ubicaciones,
            esperado: self.esperado,
            encontrado: self.encontrado,
            diferencia: self.diferencia,
            falta_en: self.falta_en,
            sugerencia: self.sugerencia,
            huella: values.hex(),
        }
    }
}
