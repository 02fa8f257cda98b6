//! Walking a chain of events.

use serde::{Deserialize, Serialize};

use super::{ChainHead, Event};
use crate::id::EventId;

/// What is wrong at the first broken place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Broken {
    /// Another sequence number was expected: an event is missing, moved or repeated.
    Sequence,
    /// It does not follow the event before it.
    PrevHash,
    /// Its content is not what was hashed.
    Hash,
    /// It stands after the end that the head knows.
    BeyondHead,
    /// The chain ends before the head's length.
    MissingTail,
    /// The chain ends as long as the head says, but with another event.
    HeadHash,
}

/// The first place at which a chain does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstBroken {
    /// Sequence number at which the break was noticed.
    pub sequence: u64,
    /// The event found there; none when the end of the chain is what does not hold.
    pub id: Option<EventId>,
    /// What is wrong.
    pub reason: Broken,
}

/// The outcome of walking a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainVerdict {
    /// Nothing is broken.
    pub valid: bool,
    /// Events seen, up to and including the first broken one.
    pub events: u64,
    /// The first broken place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_broken: Option<FirstBroken>,
}

/// A walk along a resource's chain, event by event, so that a long chain never has to be in memory as a whole.
///
/// Every event is judged by the one before it; only [`ChainWalk::against`] compares what was reached with the head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainWalk {
    reached: ChainHead,
    broken: Option<FirstBroken>,
}

impl ChainWalk {
    /// A walk that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event. After the first break, further events change nothing.
    pub fn step(&mut self, event: &Event) {
        if self.broken.is_some() {
            return;
        }
        let sequence = self.reached.length + 1;
        match break_at(event, &self.reached) {
            Some(reason) => {
                self.broken = Some(FirstBroken {
                    sequence,
                    id: Some(event.id),
                    reason,
                });
            }
            None => {
                self.reached = ChainHead {
                    length: sequence,
                    hash: event.hash.clone(),
                };
            }
        }
    }

    /// The end of the unbroken part.
    #[must_use]
    pub const fn reached(&self) -> &ChainHead {
        &self.reached
    }

    /// Whether an event did not follow the one before it.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// The verdict, given the head that stands in the resource's own item.
    #[must_use]
    pub fn against(&self, head: &ChainHead) -> ChainVerdict {
        let length = self.reached.length;
        let missing = |sequence, reason| FirstBroken {
            sequence,
            id: None,
            reason,
        };
        let first_broken = match &self.broken {
            Some(broken) => Some(*broken),
            None if length < head.length => Some(missing(length + 1, Broken::MissingTail)),
            None if length > head.length => Some(missing(head.length + 1, Broken::BeyondHead)),
            None if self.reached.hash != head.hash => Some(missing(length, Broken::HeadHash)),
            None => None,
        };
        let events = match &self.broken {
            Some(broken) => broken.sequence,
            None => length,
        };
        ChainVerdict {
            valid: first_broken.is_none(),
            events,
            first_broken,
        }
    }
}

/// Walks a resource's events in order of sequence and compares their end with the head.
#[must_use]
pub fn verify_chain<'a>(events: impl Iterator<Item = &'a Event>, head: &ChainHead) -> ChainVerdict {
    let mut walk = ChainWalk::new();
    events.for_each(|event| walk.step(event));
    walk.against(head)
}

fn break_at(event: &Event, reached: &ChainHead) -> Option<Broken> {
    if event.sequence != reached.length + 1 {
        Some(Broken::Sequence)
    } else if event.prev_hash != reached.hash {
        Some(Broken::PrevHash)
    } else if event.hash.is_empty() || event.hash != event.digest() {
        Some(Broken::Hash)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use crate::company::CompanyId;
    use crate::correlation::CorrelationId;
    use crate::event::{Circumstances, EventType, NewEvent, Scope};
    use crate::time::Instant;
    use proptest::prelude::*;
    use serde_json::json;
    use ulid::Ulid;

    fn chain(length: u8) -> (Vec<Event>, ChainHead) {
        let mut head = ChainHead::default();
        let events = (0..length)
            .map(|n| {
                let mut details = serde_json::Map::new();
                details.insert("n".into(), json!(n));
                let (event, next) = Event::chained(
                    NewEvent {
                        event_type: EventType::Update,
                        action: "changed",
                        resource_type: "thing",
                        resource_id: "1".into(),
                        details,
                    },
                    Circumstances {
                        id: EventId::new(Ulid(n.into())),
                        at: Instant::from_millis(i64::from(n)),
                        company: &CompanyId::parse("demo").unwrap(),
                        actor: &Actor::system(),
                        correlation_id: &CorrelationId::parse("c").unwrap(),
                        ip: "10.0.0.1",
                        user_agent: "curl",
                        scope: Scope::default(),
                    },
                    &head,
                );
                head = next;
                event
            })
            .collect();
        (events, head)
    }

    fn reason(events: &[Event], head: &ChainHead) -> Option<(u64, Broken)> {
        let verdict = verify_chain(events.iter(), head);
        assert_eq!(verdict.valid, verdict.first_broken.is_none());
        verdict.first_broken.map(|b| (b.sequence, b.reason))
    }

    #[test]
    fn a_resource_without_events_is_valid() {
        assert_eq!(reason(&[], &ChainHead::default()), None);
    }

    #[test]
    fn a_deleted_tail_is_seen() {
        let (mut events, head) = chain(3);
        events.pop();
        assert_eq!(reason(&events, &head), Some((3, Broken::MissingTail)));
    }

    #[test]
    fn an_event_after_the_head_is_seen() {
        let (events, head) = chain(3);
        let (_, earlier) = chain(2);
        assert_eq!(reason(&events, &earlier), Some((3, Broken::BeyondHead)));
        assert_eq!(reason(&events, &head), None);
    }

    #[test]
    fn a_rewritten_last_event_is_seen_by_the_head() {
        let (mut events, head) = chain(3);
        events[2].user = "someone else".into();
        events[2].hash = events[2].digest();
        assert_eq!(reason(&events, &head), Some((3, Broken::HeadHash)));
    }

    #[test]
    fn details_without_canonical_form_never_pass() {
        let (mut events, _) = chain(1);
        events[0]
            .details
            .insert("n".into(), serde_json::from_str("1e400").unwrap());
        events[0].hash = events[0].digest();
        let head = ChainHead {
            length: 1,
            hash: events[0].hash.clone(),
        };
        assert_eq!(reason(&events, &head), Some((1, Broken::Hash)));
    }

    proptest! {
        #[test]
        fn an_untouched_chain_is_valid(length in 0u8..12) {
            let (events, head) = chain(length);
            prop_assert_eq!(reason(&events, &head), None);
        }

        #[test]
        fn an_edit_is_found_at_its_place(length in 1u8..10, place: prop::sample::Index, field in 0..6) {
            let (mut events, head) = chain(length);
            let at = place.index(events.len());
            let event = &mut events[at];
            match field {
                0 => event.user.push('x'),
                1 => event.timestamp = event.timestamp.plus_seconds(1),
                2 => event.action.push('x'),
                3 => { event.details.insert("extra".into(), json!(null)); }
                4 => event.ip.clear(),
                _ => event.event_type = EventType::Delete,
            }
            prop_assert_eq!(reason(&events, &head), Some((at as u64 + 1, Broken::Hash)));
        }

        #[test]
        fn a_missing_event_is_found(length in 1u8..10, place: prop::sample::Index) {
            let (mut events, head) = chain(length);
            let at = place.index(events.len());
            events.remove(at);
            prop_assert_eq!(reason(&events, &head).map(|b| b.0), Some(at as u64 + 1));
        }

        #[test]
        fn two_exchanged_events_are_found(length in 2u8..10, a: prop::sample::Index, b: prop::sample::Index) {
            let (mut events, head) = chain(length);
            let (a, b) = (a.index(events.len()), b.index(events.len()));
            prop_assume!(a != b);
            events.swap(a, b);
            prop_assert_eq!(reason(&events, &head).map(|f| f.0), Some(a.min(b) as u64 + 1));
        }

        #[test]
        fn a_stored_event_reads_back_as_it_was(length in 1u8..4) {
            let (events, head) = chain(length);
            let text = serde_json::to_string(&events).unwrap();
            let read: Vec<Event> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, &events);
            prop_assert_eq!(reason(&read, &head), None);
        }
    }
}
