//! Activity events: written in the transaction of the change that they report, chained per resource, never changed.
//!
//! The table's partition key is the resource, its sort key the event's place in the resource's chain; three indexes (company, user,
//! correlation id, newest first by time) serve the queries. The head of the chain stands in the resource's own item, so a deleted tail is
//! seen too.

mod counts;
mod heads;
mod http;
mod queries;
mod topics;
mod verify;

use cierre_kernel::event::{ChainHead, Event, EventType, NewEvent};
use cierre_kernel::id::EventId;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::db::{Condition, Item, Key, Table, Tx};
use crate::error::{Doing, Failure};
use crate::random;

pub use counts::{follow as count, read as counts};
pub use heads::CompanyHeads;
pub use http::{Activity, document, router};
pub use queries::{EventPage, Filter, page};
pub use topics::topic;
pub use verify::{ChainHeads, HeadPlace, Verified, verify};

/// The activity table.
pub const TABLE: Table = Table::new("ACTIVITY_TABLE");
/// All events of a company by time.
pub const BY_COMPANY: &str = "ByCompany";
/// All events of a user by time.
pub const BY_USER: &str = "ByUser";
/// All events under one correlation id by time.
pub const BY_CORRELATION: &str = "ByCorrelation";
/// The partition attribute of [`BY_COMPANY`]: the company.
const COMPANY: &str = "companyPk";
/// The partition attribute of [`BY_USER`]: company and username.
const USER: &str = "userPk";
/// The partition attribute of [`BY_CORRELATION`]: company and correlation id.
const CORRELATION: &str = "correlationPk";
/// The sort attribute that the three indexes share: `<timestamp>#<event id>#<event type>`.
pub const TIME_SORT: &str = "timeSort";

/// Attributes that carry the index keys, beside the event's own.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "companyPk")]
    company_pk: String,
    #[serde(rename = "userPk")]
    user_pk: String,
    #[serde(rename = "correlationPk")]
    correlation_pk: String,
    #[serde(rename = "timeSort")]
    time_sort: String,
    /// What it is called where others are told of it; the functions that tell them are called for these events only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// The event as JSON text: what was hashed must come back byte for byte, and DynamoDB normalises numbers.
    event: String,
}

impl Stored {
    fn of(event: &Event) -> Result<Self, Failure> {
        let company = &event.company_id;
        Ok(Self {
            company_pk: company.as_str().to_owned(),
            user_pk: format!("{company}#{}", event.user),
            correlation_pk: format!("{company}#{}", event.correlation_id),
            time_sort: format!("{}#{}#{}", event.timestamp, event.id, event.event_type),
            topic: topic(event).map(str::to_owned),
            event: serde_json::to_string(event).doing("writing an event")?,
        })
    }
}

/// Where an event of a resource stands.
pub fn key(company: &str, resource_type: &str, resource_id: &str, sequence: u64) -> Key {
    Key::new(
        TABLE,
        partition(company, resource_type, resource_id),
        place(sequence),
    )
}

/// The sort key of an event: its place in the chain.
fn place(sequence: u64) -> String {
    format!("{sequence:010}")
}

/// The partition that holds a resource's chain.
pub fn partition(company: &str, resource_type: &str, resource_id: &str) -> String {
    format!("{company}#{resource_type}#{resource_id}")
}

/// Adds an event to the transaction and answers the chain's new head, which the caller writes into the resource's own item in the same
/// transaction. Two writers of one chain collide on the resource's item and on the event's key, so no two events take one place.
///
/// # Errors
/// When there is no randomness for the event's id, or the event cannot be written as JSON.
pub fn append(
    tx: &mut Tx,
    context: &Context,
    new: NewEvent,
    head: &ChainHead,
) -> Result<ChainHead, Failure> {
    let id = EventId::new(random::ulid(context.now)?);
    let (event, head) = Event::chained(
        new,
        id,
        context.now,
        &context.company,
        &context.actor,
        &context.correlation_id,
        &context.ip,
        &context.user_agent,
        head,
    );
    tx.put(
        key(
            context.company.as_str(),
            &event.resource_type,
            &event.resource_id,
            event.sequence,
        ),
        &Stored::of(&event)?,
        Condition::absent(),
    )?;
    Ok(head)
}

/// Reads an event out of its item.
///
/// # Errors
/// When the item does not hold an event.
pub fn read(item: &Item) -> Result<Event, Failure> {
    let text = crate::db::text(item, "event")
        .ok_or_else(|| Failure::message("an activity item holds no event"))?;
    serde_json::from_str(text).doing("reading an event")
}

/// The type of a stored event, out of its sort attribute; none when the item is no event.
fn event_type(item: &Item) -> Option<EventType> {
    let (_, word) = crate::db::text(item, TIME_SORT)?.rsplit_once('#')?;
    word.parse().ok()
}

#[cfg(test)]
mod tests;
