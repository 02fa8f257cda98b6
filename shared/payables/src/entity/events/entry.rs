//! An event with whoever stands behind it.

use cierre_kernel::actor::Actor;
use cierre_kernel::event::NewEvent;

use super::PayablesEvent;
use crate::entity::Stamp;

/// An event to be recorded. It stands in the chain of its resource.
///
/// Who stands behind it is part of it: one intake may report what the registrar did and what the system did.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What happened.
    pub event: PayablesEvent,
    /// Who did it.
    pub by: Actor,
}

impl Entry {
    /// An event.
    #[must_use]
    pub fn new(by: &Actor, event: PayablesEvent) -> Self {
        Self {
            event,
            by: by.clone(),
        }
    }

    /// An event of whoever gave the command.
    #[must_use]
    pub fn of(stamp: &Stamp, event: PayablesEvent) -> Self {
        Self::new(&stamp.by.actor(), event)
    }

    /// What is recorded, for the chain; [`Entry::by`] goes beside it.
    #[must_use]
    pub fn recorded(&self) -> NewEvent {
        let row = self.event.row();
        NewEvent {
            event_type: row.event_type,
            action: row.action,
            resource_type: row.resource,
            resource_id: self.event.resource_id(),
            details: self.event.details(),
        }
    }
}
