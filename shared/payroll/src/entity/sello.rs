//! Seals of a closing.

use cierre_kernel::actor::Actor;
use cierre_kernel::id::CierreId;
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A seal. It never changes; a closing that is reopened gets another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sello {
    /// The closing.
    pub cierre_id: CierreId,
    /// From 1.
    pub numero: u32,
    /// SHA-256 of the canonical manifest.
    pub sello: String,
    /// What was sealed.
    pub manifiesto: Value,
    /// Who sealed it.
    pub creado_por: Actor,
    /// When.
    pub creado_en: Instant,
}
