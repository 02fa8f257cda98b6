//! What the events of decisions say.

use std::collections::BTreeMap;

pub use cierre_kernel::change::{Change, Decided, Stamp};
pub(super) use cierre_kernel::change::{applied, replayed};
use cierre_kernel::event::{EventType, NewEvent};
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
