//! What a decision answers.

use std::collections::BTreeMap;

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::decision::Decision;
use cierre_kernel::event::{EventType, NewEvent};
use cierre_kernel::time::Instant;
use serde_json::{Map, Value, json};

/// Kinds of resources, as events name them.
pub mod resource {
    /// A customer.
    pub const CUSTOMER: &str = "customer";
    /// A service.
    pub const SERVICE: &str = "service";
    /// A pending.
    pub const PENDING: &str = "billing_pending";
    /// A batch.
    pub const BATCH: &str = "billing_batch";
    /// An invoice.
    pub const INVOICE: &str = "invoice";
    /// A credit note.
    pub const CREDIT_NOTE: &str = "credit_note";
    /// A receipt book.
    pub const BOOK: &str = "receipt_book";
}

/// When a command runs, who gave it, and under which correlation id: what every new entity remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The command's time.
    pub at: Instant,
    /// The username.
    pub by: String,
    /// The command's correlation id.
    pub correlation_id: CorrelationId,
}

/// The next state of an entity and what is to be recorded with it, in one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<T> {
    /// The state.
    pub state: T,
    /// The events, in the order in which they are chained.
    pub events: Vec<NewEvent>,
}

impl<T> Change<T> {
    /// A change with its events.
    pub const fn new(state: T, events: Vec<NewEvent>) -> Self {
        Self { state, events }
    }

    /// A change that no event reports.
    pub const fn silent(state: T) -> Self {
        Self {
            state,
            events: Vec::new(),
        }
    }

    /// The same with another state.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Change<U> {
        Change {
            state: change(self.state),
            events: self.events,
        }
    }
}

/// Applied or replayed with the next state, or refused.
pub type Decided<T, R> = Result<Decision<Change<T>>, R>;

pub(super) const fn applied<T>(state: T, events: Vec<NewEvent>) -> Decision<Change<T>> {
    Decision::Applied(Change::new(state, events))
}

pub(super) const fn replayed<T>(state: T) -> Decision<Change<T>> {
    Decision::Replayed(Change::silent(state))
}

/// Details of an event.
pub(super) fn details<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

pub(super) fn event(
    event_type: EventType,
    action: &'static str,
    resource_type: &'static str,
    resource_id: impl ToString,
    details: Map<String, Value>,
) -> NewEvent {
    NewEvent {
        event_type,
        action,
        resource_type,
        resource_id: resource_id.to_string(),
        details,
    }
}

/// The fields that a change touches, each with its old and new value.
#[derive(Debug, Default)]
pub(super) struct Differences(BTreeMap<&'static str, Value>);

impl Differences {
    /// Puts a new value, where one is given and is another one, in the place of the old.
    pub(super) fn set<T: PartialEq + serde::Serialize>(
        &mut self,
        name: &'static str,
        field: &mut T,
        new: Option<T>,
    ) {
        if let Some(new) = new
            && new != *field
        {
            self.0.insert(name, json!({ "old": field, "new": new }));
            *field = new;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `{changes: {field: {old, new}}}`.
    pub(super) fn into_details(self) -> Map<String, Value> {
        details([("changes", json!(self.0))])
    }
}
