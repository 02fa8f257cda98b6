//! Activity events: the immutable record that a command was applied.
//!
//! The events of one resource form a chain. Each carries the hash of the one before it, and the
//! head (length and last hash) stands in the resource's own item, so that an edited, moved,
//! missing or cut-off event is found by walking the chain.

mod verify;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::actor::Actor;
use crate::canonical::{canonical_json, sha256_hex};
use crate::company::CompanyId;
use crate::correlation::CorrelationId;
use crate::id::{CierreId, ClienteId, EventId};
use crate::time::Instant;

pub use verify::{Broken, ChainVerdict, ChainWalk, FirstBroken, verify_chain};

crate::words! {
    /// What kind of change an event reports.
    pub enum EventType {
        /// Something new exists.
        Create = "create",
        /// A file arrived.
        Upload = "upload",
        /// Work moved forward.
        Process = "process",
        /// Something was taken away or set aside.
        Delete = "delete",
        /// Something changed.
        Update = "update",
        /// A document was produced.
        Generate = "generate",
        /// An open question was settled.
        Resolve = "resolve",
        /// Something was closed.
        Finalize = "finalize",
        /// Something failed.
        Error = "error",
        /// Somebody looked at something that is worth recording.
        View = "view",
    }
}

/// How long a resource's chain is and how it ends.
///
/// In storage it is one string, `<length>:<hash>`, so that it stands in the resource's own item as
/// one attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChainHead {
    /// Number of events.
    pub length: u64,
    /// Hash of the last one; empty while there is none.
    pub hash: String,
}

/// A text that is no chain head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a chain head of the form <length>:<hash>")]
pub struct InvalidChainHead;

impl ChainHead {
    /// Whether the chain has no event yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl std::fmt::Display for ChainHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.length, self.hash)
    }
}

impl std::str::FromStr for ChainHead {
    type Err = InvalidChainHead;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (length, hash) = text.split_once(':').ok_or(InvalidChainHead)?;
        Ok(Self {
            length: length.parse().map_err(|_| InvalidChainHead)?,
            hash: hash.to_owned(),
        })
    }
}

impl TryFrom<String> for ChainHead {
    type Error = InvalidChainHead;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ChainHead> for String {
    fn from(head: ChainHead) -> Self {
        head.to_string()
    }
}

/// What a decision wants recorded; the command adds who, when and where.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Kind of change.
    pub event_type: EventType,
    /// The change in a word, such as `service_created`.
    pub action: &'static str,
    /// Kind of resource.
    pub resource_type: &'static str,
    /// Which one.
    pub resource_id: String,
    /// What the change was about.
    pub details: Map<String, Value>,
}

/// To whom an event belongs beside its resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The closing of a payroll.
    pub cierre_id: Option<CierreId>,
    /// The client of that closing.
    pub cliente_id: Option<ClienteId>,
}

/// Who, when and where: what a command adds to a [`NewEvent`].
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The event's id.
    pub id: EventId,
    /// When.
    pub at: Instant,
    /// Whose.
    pub company: &'a CompanyId,
    /// By whom.
    pub actor: &'a Actor,
    /// Under which command.
    pub correlation_id: &'a CorrelationId,
    /// From which address; empty when unknown.
    pub ip: &'a str,
    /// With which program; empty when unknown.
    pub user_agent: &'a str,
    /// To whom it belongs.
    pub scope: Scope,
}

/// An activity event as stored and as answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// When.
    pub timestamp: Instant,
    /// Whose.
    pub company_id: CompanyId,
    /// The username.
    pub user: String,
    /// The user's stable id.
    pub user_id: String,
    /// Kind of change.
    pub event_type: EventType,
    /// The change in a word.
    pub action: String,
    /// Kind of resource.
    pub resource_type: String,
    /// Which one.
    pub resource_id: String,
    /// The closing that it belongs to, in payroll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cierre_id: Option<CierreId>,
    /// The client that it belongs to, in payroll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cliente_id: Option<ClienteId>,
    /// What the change was about.
    pub details: Map<String, Value>,
    /// The caller's address; empty when unknown.
    pub ip: String,
    /// The caller's program; empty when unknown.
    pub user_agent: String,
    /// The command it belongs to.
    pub correlation_id: CorrelationId,
    /// Place in the chain, from 1.
    pub sequence: u64,
    /// Hash of the event before it; empty for the first.
    pub prev_hash: String,
    /// Hash of this event.
    pub hash: String,
}

impl Event {
    /// Appends an event to a chain and answers it with the new head.
    #[must_use]
    pub fn chained(
        new: NewEvent,
        circumstances: Circumstances<'_>,
        head: &ChainHead,
    ) -> (Self, ChainHead) {
        let Circumstances {
            id,
            at,
            company,
            actor,
            correlation_id,
            ip,
            user_agent,
            scope,
        } = circumstances;
        let mut event = Self {
            id,
            timestamp: at,
            company_id: company.clone(),
            user: actor.user.clone(),
            user_id: actor.user_id.clone(),
            event_type: new.event_type,
            action: new.action.to_owned(),
            resource_type: new.resource_type.to_owned(),
            resource_id: new.resource_id,
            cierre_id: scope.cierre_id,
            cliente_id: scope.cliente_id,
            details: new.details,
            ip: ip.to_owned(),
            user_agent: user_agent.to_owned(),
            correlation_id: correlation_id.clone(),
            sequence: head.length.saturating_add(1),
            prev_hash: head.hash.clone(),
            hash: String::new(),
        };
        event.hash = event.digest();
        let head = ChainHead {
            length: event.sequence,
            hash: event.hash.clone(),
        };
        (event, head)
    }

    /// The hash that the event should carry: SHA-256 over its canonical JSON without `hash`.
    ///
    /// Details that have no canonical form (a number beyond a double) give an empty digest, which
    /// no check accepts: such an event shows up as broken instead of passing unprotected.
    #[must_use]
    pub fn digest(&self) -> String {
        let Ok(Value::Object(mut members)) = serde_json::to_value(self) else {
            return String::new();
        };
        members.remove("hash");
        canonical_json(&Value::Object(members))
            .map(|text| sha256_hex(text.as_bytes()))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_its_word() {
        for kind in EventType::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        assert!("Create".parse::<EventType>().is_err());
    }

    #[test]
    fn a_head_is_one_string_in_storage() {
        let head = ChainHead {
            length: 12,
            hash: "ab".into(),
        };
        assert_eq!(serde_json::to_string(&head).unwrap(), "\"12:ab\"");
        assert_eq!("12:ab".parse(), Ok(head));
        assert_eq!("0:".parse(), Ok(ChainHead::default()));
        for text in ["", "12", ":ab", "x:ab"] {
            assert_eq!(text.parse::<ChainHead>(), Err(InvalidChainHead));
        }
    }

    #[test]
    fn the_hash_covers_the_canonical_form_so_it_stays_the_same_for_ever() {
        let new = NewEvent {
            event_type: EventType::Create,
            action: "customer_created",
            resource_type: "customer",
            resource_id: "1".into(),
            details: serde_json::from_str(r#"{"name":"Ñandú","taxId":null}"#).unwrap(),
        };
        let (event, head) = Event::chained(
            new,
            Circumstances {
                id: "evt_00000000000000000000000001".parse().unwrap(),
                at: Instant::from_millis(1_706_702_400_000),
                company: &CompanyId::parse("demo").unwrap(),
                actor: &Actor::system(),
                correlation_id: &CorrelationId::parse("c-1").unwrap(),
                ip: "",
                user_agent: "",
                scope: Scope::default(),
            },
            &ChainHead::default(),
        );
        let hashed = concat!(
            r#"{"action":"customer_created","company_id":"demo","correlation_id":"c-1","#,
            r#""details":{"name":"Ñandú","taxId":null},"event_type":"create","#,
            r#""id":"evt_00000000000000000000000001","ip":"","prev_hash":"","resource_id":"1","#,
            r#""resource_type":"customer","sequence":1,"timestamp":"2024-01-31T12:00:00.000Z","#,
            r#""user":"sistema","user_agent":"","user_id":"sistema"}"#,
        );
        assert_eq!(event.hash, sha256_hex(hashed.as_bytes()));
        assert_eq!(
            head,
            ChainHead {
                length: 1,
                hash: event.hash.clone()
            }
        );
        assert_eq!(event.prev_hash, "");
    }
}
