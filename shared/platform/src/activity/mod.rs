//! Activity events: written in the transaction of the change that they report, chained per resource, never changed.
//!
//! The table's partition key is the chain, its sort key the event's place in it; three indexes (company, user, correlation id, by time)
//! serve the queries. The head of the chain stands in the resource's own item, so a deleted tail is seen too.
//!
//! A chain is that of one resource, or of something larger that a resource is a part of: all events of a payroll closing, those of its files
//! among them, are one chain. Such events carry two attributes more, for two sparse indexes: [`CHRONOLOGY`] has the chain in the order of
//! time, and [`BY_RESOURCE`] has the events of each part.

mod counts;
mod heads;
mod http;
mod queries;
mod topics;
mod verify;

use cierre_kernel::actor::Actor;
use cierre_kernel::event::{ChainHead, Circumstances, Event, EventType, NewEvent, Scope};
use cierre_kernel::id::EventId;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::db::{Condition, Item, Key, Table, Tx};
use crate::error::{Doing, Failure};
use crate::random;

pub use counts::{follow as count, read as counts};
pub use heads::CompanyHeads;
pub use http::{Activity, ActivityEvent, ActivityPage, document, router};
pub use queries::{EventPage, Filter, Order, Source, page, search};
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
/// The events of a larger chain in the order of time, read strongly.
pub const CHRONOLOGY: &str = "Chronology";
/// The events of a resource that stands in a larger chain, by time.
pub const BY_RESOURCE: &str = "ByResource";
/// The partition attribute of [`BY_COMPANY`]: the company.
const COMPANY: &str = "companyPk";
/// The partition attribute of [`BY_USER`]: company and username.
const USER: &str = "userPk";
/// The partition attribute of [`BY_CORRELATION`]: company and correlation id.
const CORRELATION: &str = "correlationPk";
/// The sort attribute of [`CHRONOLOGY`]; the same text as [`TIME_SORT`].
const CHRONOLOGY_SORT: &str = "chronology";
/// The partition attribute of [`BY_RESOURCE`]: company, kind and id of the resource.
const RESOURCE: &str = "resourcePk";
/// The sort attribute that the global indexes share: `<timestamp>#<event id>#<event type>`.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chronology: Option<String>,
    #[serde(
        rename = "resourcePk",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    resource_pk: Option<String>,
    /// What it is called where others are told of it; the functions that tell them are called for these events only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// The event as JSON text: what was hashed must come back byte for byte, and DynamoDB normalises numbers.
    event: String,
}

impl Stored {
    fn of(event: &Event, (chain_type, chain_id): (&str, &str)) -> Result<Self, Failure> {
        let company = &event.company_id;
        let time_sort = format!("{}#{}#{}", event.timestamp, event.id, event.event_type);
        let is_part =
            (event.resource_type.as_str(), event.resource_id.as_str()) != (chain_type, chain_id);
        let is_named = is_part && !event.resource_id.is_empty();
        Ok(Self {
            chronology: event.cierre_id.map(|_| time_sort.clone()),
            resource_pk: is_named
                .then(|| partition(company.as_str(), &event.resource_type, &event.resource_id)),
            company_pk: company.as_str().to_owned(),
            user_pk: format!("{company}#{}", event.user),
            correlation_pk: format!("{company}#{}", event.correlation_id),
            time_sort,
            topic: topic(event).map(str::to_owned),
            event: serde_json::to_string(event).doing("writing an event")?,
        })
    }
}

/// Where an event of a chain stands.
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

/// The partition that holds the chain of a resource.
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
    let chain = (new.resource_type, new.resource_id.clone());
    let entry = ChainEntry {
        chain,
        by: context.actor.clone(),
        scope: Scope::default(),
        id: None,
        event: new,
    };
    append_entry(tx, context, entry, head)
}

/// An event of a chain that need not be its resource's own, by somebody who need not be the command's caller: a worker reports what an uploader
/// did.
#[derive(Clone, Debug)]
pub struct ChainEntry {
    /// What happened.
    pub event: NewEvent,
    /// Kind and id of the resource whose chain it is.
    pub chain: (&'static str, String),
    /// Who did it.
    pub by: Actor,
    /// To whom it belongs. What belongs to a closing stands in that closing's chain.
    pub scope: Scope,
    /// Its id, where a repeat has to make the same one.
    pub id: Option<EventId>,
}

/// As [`append`], for an event that says itself where it stands and who did it.
///
/// # Errors
/// As [`append`].
pub fn append_entry(
    tx: &mut Tx,
    context: &Context,
    entry: ChainEntry,
    head: &ChainHead,
) -> Result<ChainHead, Failure> {
    let id = match entry.id {
        Some(id) => id,
        None => EventId::new(random::ulid(context.now)?),
    };
    // Where a caller came from says nothing about somebody else.
    let is_caller = entry.by == context.actor;
    let circumstances = Circumstances {
        id,
        at: context.now,
        company: &context.company,
        actor: &entry.by,
        correlation_id: &context.correlation_id,
        ip: if is_caller { &context.ip } else { "" },
        user_agent: if is_caller { &context.user_agent } else { "" },
        scope: entry.scope,
    };
    let (event, head) = Event::chained(entry.event, circumstances, head);
    let (chain_type, chain_id) = (entry.chain.0, entry.chain.1.as_str());
    tx.put(
        key(
            context.company.as_str(),
            chain_type,
            chain_id,
            event.sequence,
        ),
        &Stored::of(&event, (chain_type, chain_id))?,
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
