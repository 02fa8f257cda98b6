//! The seal of a finalised closing: what it consisted of, and a digest over that.

mod differences;
mod resultado;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use cierre_kernel::canonical::{NotCanonical, canonical_json, sha256_hex};
use cierre_kernel::id::{ArchivoId, CierreId, ClienteId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::discrepancies::TipoDiscrepancia;
use super::incidencias::Prioridad;
use super::merge::{EstadoDiscrepancia, EstadoIncidencia};
use crate::kind::Kind;
use crate::period::Period;

pub use differences::{
    CambioArchivo, CambioCodigo, CambioEmpleado, changed_codes, changed_employees, changed_files,
    only_in,
};
pub use resultado::{Resultado, Resumido, compared};

/// The form of the manifest that this code writes.
pub const VERSION: u32 = 1;

/// A file in force when a closing was finalised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivoSellado {
    /// Its kind.
    pub tipo: Kind,
    /// The file.
    pub archivo_id: ArchivoId,
    /// Its name.
    pub nombre: String,
    /// Digest of its bytes.
    pub sha256: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many data rows it has.
    pub filas: u64,
}

/// What the book came to. Amounts are texts, as everywhere on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totales {
    /// Employees of the book.
    pub empleados: u64,
    /// Rows of the book.
    pub registros: u64,
    /// Earnings, as reported.
    #[serde(rename = "5201")]
    pub haberes: String,
    /// Deductions, as reported.
    #[serde(rename = "5301")]
    pub descuentos: String,
    /// Contributions of the employer, as reported.
    #[serde(rename = "5410")]
    pub aportes: String,
    /// What was paid out, as reported.
    #[serde(rename = "5501")]
    pub liquido: String,
}

/// The finalised closing that a closing was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseComparacion {
    /// The closing.
    pub cierre_id: CierreId,
    /// Its month.
    pub periodo: Period,
    /// The number of its seal, whose book was compared.
    pub sello: u32,
}

/// Everything that a seal vouches for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifiesto {
    /// [`VERSION`].
    pub version: u32,
    /// The closing.
    pub cierre_id: CierreId,
    /// Its client.
    pub cliente_id: ClienteId,
    /// Its month.
    pub periodo: Period,
    /// Which seal of the closing it is, from 1.
    pub numero: u32,
    /// The files in force. Sealing puts them in the order of the kinds.
    pub archivos: Vec<ArchivoSellado>,
    /// What the book came to.
    pub totales: Totales,
    /// How many discrepancies of each kind are in each state.
    pub discrepancias: BTreeMap<TipoDiscrepancia, BTreeMap<EstadoDiscrepancia, u64>>,
    /// How many incidences of each priority are in each state.
    pub incidencias: BTreeMap<Prioridad, BTreeMap<EstadoIncidencia, u64>>,
    /// The client's configuration as it was.
    pub configuracion: Value,
    /// What it was compared with.
    pub base_comparacion: Option<BaseComparacion>,
    /// See [`Resultado`].
    pub resultado_sha256: String,
    /// Hash of the event before the closing's last one.
    pub cadena_cabeza: String,
}

/// A sealed manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Sellado {
    /// SHA-256 of the manifest's canonical JSON.
    pub sello: String,
    /// The manifest, as it is shown and as it was digested.
    pub manifiesto: Value,
}

/// A manifest that cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It has no JSON.
    #[error("the manifest has no JSON form")]
    Json(#[source] serde_json::Error),
    /// It has no canonical JSON.
    #[error("the manifest has no canonical form")]
    Canonical(#[source] NotCanonical),
}

impl Manifiesto {
    /// Seals it.
    ///
    /// # Errors
    /// [`SealError`], only when the configuration holds a number beyond the range of a double.
    pub fn seal(mut self) -> Result<Sellado, SealError> {
        // Whoever lists the files lists them in any order: the same files are the same seal.
        self.archivos
            .sort_by(|a, b| (a.tipo, &a.archivo_id).cmp(&(b.tipo, &b.archivo_id)));
        let manifiesto = serde_json::to_value(&self).map_err(SealError::Json)?;
        Ok(Sellado {
            sello: seal_of(&manifiesto).map_err(SealError::Canonical)?,
            manifiesto,
        })
    }
}

/// The seal that belongs to a manifest as it is stored: with it a seal is verified.
///
/// # Errors
/// [`NotCanonical`].
pub fn seal_of(manifiesto: &Value) -> Result<String, NotCanonical> {
    canonical_json(manifiesto).map(|text| sha256_hex(text.as_bytes()))
}
