//! An event with those it belongs to and whoever stands behind it.

use std::collections::BTreeMap;

use cierre_kernel::actor::Actor;
use cierre_kernel::canonical::sha256_hex;
use cierre_kernel::event::NewEvent;
use cierre_kernel::id::{CierreId, ClienteId, EventId};
use cierre_kernel::time::Instant;
use ulid::Ulid;

use super::{FileRef, PayrollEvent, ROWS};
use crate::entity::Stamp;
use crate::entity::archivo::Archivo;
use crate::entity::cierre::Cierre;

/// The chain in which an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chain {
    /// A closing's: the head is the one of its item.
    Cierre(CierreId),
    /// A client's.
    Cliente(ClienteId),
    /// The company's, for what arrived and belongs to no closing.
    Company,
}

/// To whom an event belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The client; none for what belongs to no closing.
    pub cliente: Option<ClienteId>,
    /// The closing.
    pub cierre: Option<CierreId>,
}

impl Scope {
    /// A closing and its client.
    pub const fn of(cierre: &Cierre) -> Self {
        Self {
            cliente: Some(cierre.cliente_id),
            cierre: Some(cierre.id),
        }
    }

    /// A client as such.
    pub const fn client(cliente: ClienteId) -> Self {
        Self {
            cliente: Some(cliente),
            cierre: None,
        }
    }
}

/// An event to be recorded.
///
/// Who stands behind it is part of it: one step of a worker may report what the uploader did and what the system did.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What happened.
    pub event: PayrollEvent,
    /// Who did it.
    pub by: Actor,
    /// To whom it belongs.
    pub scope: Scope,
    /// What makes it unique, where it may occur only once. See [`Entry::id`].
    pub once: Option<String>,
}

impl Entry {
    /// An event.
    pub fn new(scope: Scope, by: &Actor, event: PayrollEvent) -> Self {
        Self {
            event,
            by: by.clone(),
            scope,
            once: None,
        }
    }

    /// An event that occurs once for this.
    #[must_use]
    pub fn once(self, key: impl Into<String>) -> Self {
        Self {
            once: Some(key.into()),
            ..self
        }
    }

    /// The id of an event that may occur only once: the same whenever the step that reports it is repeated, so that a condition on its
    /// absence recognises the replay. None for every other event, which takes a fresh one.
    ///
    /// Such ids sort before fresh ones and among themselves by row, so that the events of one file that share a millisecond are read in the
    /// order in which they happened.
    pub fn id(&self) -> Option<EventId> {
        let key = self.once.as_deref()?;
        let row = self.event.row();
        let rank = ROWS.iter().position(|known| known == row);
        let rank = rank
            .and_then(|rank| u128::try_from(rank).ok())
            .unwrap_or_default();
        let Ulid(bits) = ulid_of(&[row.action, key]);
        Some(EventId::new(Ulid(rank << 112 | bits >> 16)))
    }

    /// The chain in which it stands.
    pub const fn chain(&self) -> Chain {
        match (self.scope.cierre, self.scope.cliente) {
            (Some(cierre), _) => Chain::Cierre(cierre),
            (None, Some(cliente)) => Chain::Cliente(cliente),
            (None, None) => Chain::Company,
        }
    }

    /// What is recorded, for the chain; [`Entry::by`], [`Entry::scope`] and [`Entry::id`] go beside it.
    pub fn recorded(&self) -> NewEvent {
        NewEvent {
            event_type: self.event.event_type(),
            action: self.event.action(),
            resource_type: self.event.resource_type(),
            resource_id: self.event.resource_id(),
            details: self.event.details(),
        }
    }
}

/// Bits made of these words, the same for ever.
pub(crate) fn ulid_of(words: &[&str]) -> Ulid {
    // Each with its length, so that no two lists of words read alike.
    let text: String = words
        .iter()
        .map(|word| format!("{}:{word}", word.len()))
        .collect();
    let digest = sha256_hex(text.as_bytes());
    let bits = digest.get(..32).unwrap_or_default();
    Ulid(u128::from_str_radix(bits, 16).unwrap_or_default())
}

/// Hour of an instant in UTC.
fn hour(at: Instant) -> String {
    at.to_string().chars().take("2025-10-17T10".len()).collect()
}

impl Cierre {
    /// Somebody read the timeline: told once for each user and hour (UTC), with the filters of the first time.
    pub fn timeline_read(&self, filtros: BTreeMap<String, String>, stamp: &Stamp) -> Entry {
        let event = PayrollEvent::TimelineConsultado {
            cierre: self.id,
            filtros,
        };
        let key = format!("{}/{}/{}", self.id, stamp.by.user_id, hour(stamp.at));
        self.entry(&stamp.by, event).once(key)
    }

    /// Somebody downloaded the book.
    pub fn libro_read(&self, stamp: &Stamp) -> Entry {
        self.entry(&stamp.by, PayrollEvent::LibroVisto { cierre: self.id })
    }

    /// Somebody downloaded the findings of a file.
    pub fn errores_read(&self, file: &Archivo, stamp: &Stamp) -> Entry {
        self.entry(&stamp.by, PayrollEvent::ErroresVistos { file: file.into() })
    }
}

impl From<&Archivo> for FileRef {
    fn from(archivo: &Archivo) -> Self {
        Self {
            id: archivo.id,
            tipo: archivo.tipo,
            nombre: archivo.nombre.clone(),
        }
    }
}
