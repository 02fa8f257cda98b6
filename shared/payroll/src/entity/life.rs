//! The life that discrepancies and incidences have in common.

use cierre_kernel::actor::Actor;
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use crate::rules::merge::{Seen, State};

/// A step in the life of a discrepancy or an incidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paso<E> {
    /// The state into which it led.
    pub estado: E,
    /// When.
    pub timestamp: Instant,
    /// By whom.
    pub user: String,
    /// Why, of a justification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justificacion: Option<String>,
    /// What a supervisor said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comentario: Option<String>,
}

impl<E> Paso<E> {
    /// A step without words.
    pub fn new(estado: E, timestamp: Instant, by: &Actor) -> Self {
        Self {
            estado,
            timestamp,
            user: by.user.clone(),
            justificacion: None,
            comentario: None,
        }
    }
}

/// Where a discrepancy or an incidence stands, and how it came there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life<E> {
    /// Its state.
    pub estado: E,
    /// Its steps, the first one first.
    pub historial: Vec<Paso<E>>,
    /// Counts the changes, from 1.
    pub version: u64,
}

impl<E: State> Life<E> {
    /// It is found for the first time.
    pub(super) fn begun(now: Instant) -> Self {
        Self {
            estado: E::NEW,
            historial: vec![Paso::new(E::NEW, now, &Actor::system())],
            version: 1,
        }
    }

    /// One step on.
    pub(super) fn stepped(&self, paso: Paso<E>) -> Self {
        let mut next = self.clone();
        next.estado = paso.estado;
        next.historial.push(paso);
        next.version += 1;
        next
    }

    /// A regeneration met it so, and says whether anything found changed. None when there is nothing to write. The same state is no step.
    pub(super) fn met(&self, seen: Seen, changed: bool, now: Instant) -> Option<Self> {
        let estado = self.estado.after(seen);
        if estado != self.estado {
            return Some(self.stepped(Paso::new(estado, now, &Actor::system())));
        }
        changed.then(|| Self {
            version: self.version + 1,
            ..self.clone()
        })
    }
}
