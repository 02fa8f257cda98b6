//! Facturas as they are shown.

use serde::Serialize;
use utoipa::ToSchema;

use crate::entity::factura::{Expediente, FacturaAnswer};
use crate::persona::Persona;

/// A factura with its current round.
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
pub(super) struct FacturaView(FacturaAnswer);

impl FacturaView {
    pub(super) fn of(expediente: &Expediente) -> Self {
        Self(expediente.into())
    }

    /// The same, for somebody who would decide in the place of `persona`, or of nobody.
    pub(super) fn in_place_of(mut self, persona: Option<&Persona>) -> Self {
        self.0.a_nombre_de = persona.map(|one| one.nombre.clone());
        self.0.a_nombre_de_id = persona.and_then(|one| one.id.clone());
        self
    }
}
