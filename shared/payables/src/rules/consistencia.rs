//! Whether a factura says what its round says, and the repair of one that does not.

use std::collections::BTreeMap;

use cierre_kernel::id::FacturaId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sincronizacion::Sincronizado;
use crate::entity::events::{Entry, PayablesEvent};
use crate::entity::factura::Factura;
use crate::entity::workflow::Workflow;
use crate::entity::{Change, Stamp};

/// Differences that the report of a run lists on a page at most.
pub const LISTED: usize = 100;
/// What stands for a field where there is no round.
pub const WORKFLOW_AUSENTE: &str = "workflow_ausente";

/// A field that does not say what the round says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergencia {
    /// The factura.
    pub factura_id: FacturaId,
    /// Its number.
    pub numero: String,
    /// The field, or [`WORKFLOW_AUSENTE`].
    pub campo: String,
    /// What the factura says.
    pub valor_factura: Value,
    /// What the round says.
    pub valor_workflow: Value,
}

/// Every field in which a factura differs from S of its current round. A deleted one differs from nothing.
#[must_use]
pub fn divergencias(factura: &Factura, workflow: Option<&Workflow>) -> Vec<Divergencia> {
    if factura.eliminada {
        return Vec::new();
    }
    let found = |campo: &str, valor_factura, valor_workflow| Divergencia {
        factura_id: factura.id,
        numero: factura.datos.numero.clone(),
        campo: campo.to_owned(),
        valor_factura,
        valor_workflow,
    };
    let Some(workflow) = workflow else {
        return vec![found(WORKFLOW_AUSENTE, Value::Null, Value::Null)];
    };
    differing(factura.sincronizado(), &Sincronizado::of(workflow))
        .map(|(campo, stored, derived)| found(campo, stored, derived))
        .collect()
}

fn differing(
    stored: &Sincronizado,
    derived: &Sincronizado,
) -> impl Iterator<Item = (&'static str, Value, Value)> {
    stored
        .fields()
        .into_iter()
        .zip(derived.fields())
        .filter(|((_, stored), (_, derived))| stored != derived)
        .map(|((campo, stored), (_, derived))| (campo, stored, derived))
}

/// Writes the fields of a factura anew from its round. None where there is nothing to write: a second repair does nothing, and a factura without
/// round is left alone.
#[must_use]
pub fn reparar(
    factura: &Factura,
    workflow: Option<&Workflow>,
    stamp: &Stamp,
) -> Option<Change<Factura>> {
    let workflow = workflow.filter(|_| !factura.eliminada)?;
    let next = factura.synchronised(workflow)?;
    let (mut antes, mut despues) = (BTreeMap::new(), BTreeMap::new());
    for (campo, stored, derived) in differing(factura.sincronizado(), next.sincronizado()) {
        antes.insert(campo, stored);
        despues.insert(campo, derived);
    }
    let event = PayablesEvent::AccionPorReparada {
        factura: factura.id,
        antes,
        despues,
    };
    Some(Change::new(next, vec![Entry::of(stamp, event)]))
}
