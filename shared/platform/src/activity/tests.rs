//! Events as they are stored, for the tests of this module and those below it.

use cierre_kernel::actor::Actor;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::event::{ChainHead, Circumstances, Event, EventType, NewEvent, Scope};
use cierre_kernel::id::EventId;
use cierre_kernel::time::Instant;
use serde_json::{Map, json};
use ulid::Ulid;

use super::*;

pub(super) fn company() -> CompanyId {
    CompanyId::parse("demo").unwrap()
}

fn new_event(kind: EventType) -> NewEvent {
    let details = Map::from_iter([("amount".to_owned(), json!("1500.00"))]);
    NewEvent {
        event_type: kind,
        action: "thing_changed",
        resource_type: "thing",
        resource_id: "1".into(),
        details,
    }
}

fn chained(
    n: u64,
    user: &str,
    correlation: &str,
    kind: EventType,
    head: &ChainHead,
) -> (Event, ChainHead) {
    Event::chained(
        new_event(kind),
        Circumstances {
            id: EventId::new(Ulid(u128::from(n))),
            at: Instant::from_millis(i64::try_from(n).unwrap()),
            company: &company(),
            actor: &Actor {
                user_id: "sub".into(),
                user: user.into(),
            },
            correlation_id: &CorrelationId::parse(correlation).unwrap(),
            ip: "",
            user_agent: "",
            scope: Scope::default(),
        },
        head,
    )
}

/// The item of the `n`th event of the thing 1.
pub(super) fn stored(n: u64, user: &str, correlation: &str, kind: EventType) -> Item {
    let head = ChainHead {
        length: n - 1,
        hash: String::new(),
    };
    let (event, _) = chained(n, user, correlation, kind, &head);
    let mut item: Item =
        serde_dynamo::to_item(Stored::of(&event, ("thing", "1")).unwrap()).unwrap();
    item.extend(key("demo", "thing", "1", n).attributes());
    item
}

/// The first events of the thing 1 with their head.
pub(super) fn chain(length: u8) -> (Vec<Event>, ChainHead) {
    let mut head = ChainHead::default();
    let events = (1..=u64::from(length)).map(|n| {
        let (event, next) = chained(n, "ana", "c-1", EventType::Update, &head);
        head = next;
        event
    });
    (events.collect(), head)
}

#[test]
fn a_stored_event_comes_back_as_it_was() {
    let item = stored(1, "ana", "c-1", EventType::Create);
    let event = read(&item).unwrap();
    assert_eq!(event.hash, event.digest());
    assert_eq!((event.user.as_str(), event.sequence), ("ana", 1));
}

#[test]
fn the_sort_attribute_names_the_type() {
    for kind in EventType::ALL {
        assert_eq!(event_type(&stored(1, "ana", "c-1", kind)), Some(kind));
    }
    assert_eq!(event_type(&Item::new()), None);
}

#[test]
fn places_sort_as_they_count() {
    assert!(place(9) < place(10) && place(999_999_999) < place(1_000_000_000));
}
