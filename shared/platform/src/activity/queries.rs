//! The history of a company, read page by page. Every request is one query over one partition of the table or of one index.
//!
//! | asked for | read from | order |
//! | --- | --- | --- |
//! | a resource | the table, strongly | the chain's: oldest first |
//! | a correlation id | `ByCorrelation` | oldest first: the way of one command reads as a story |
//! | a user | `ByUser` | newest first |
//! | none of these | `ByCompany` | newest first |
//!
//! Several of them together are read from the first one in this table, which is the narrowest; the rest, and the type of event, are looked
//! up in the key attributes of what was read. A request examines a bounded number of events, so a filter that rarely matches gives short
//! or empty pages with a cursor, never a long wait.

use aws_sdk_dynamodb::types::AttributeValue;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::event::{Event, EventType};
use cierre_kernel::page::Limit;

use super::{BY_COMPANY, BY_CORRELATION, BY_USER, COMPANY, CORRELATION, TABLE, TIME_SORT, USER};
use crate::db::{Db, Item, Query, text};
use crate::error::Failure;

/// Events that one request examines at most.
const EXAMINED: usize = 500;
/// Events of one query while a filter is at work.
const SIFTED_AT_ONCE: u32 = 100;
/// The attributes that say where a query goes on.
const POSITION: [&str; 6] = ["pk", "sk", COMPANY, USER, CORRELATION, TIME_SORT];

/// Which events are wanted. What is absent does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Type and id of a resource.
    pub resource: Option<(String, String)>,
    /// A username; `sistema` for the system.
    pub user: Option<String>,
    /// The id that follows a command.
    pub correlation_id: Option<CorrelationId>,
    /// A kind of change.
    pub event_type: Option<EventType>,
}

impl Filter {
    /// The query that answers it.
    fn query(&self, company: &CompanyId) -> Query {
        if let Some((resource_type, resource_id)) = &self.resource {
            return Query::partition(
                TABLE,
                super::partition(company.as_str(), resource_type, resource_id),
            );
        }
        if let Some(id) = &self.correlation_id {
            let partition = format!("{company}#{id}");
            return Query::index(TABLE, BY_CORRELATION, CORRELATION, partition, TIME_SORT);
        }
        if let Some(user) = &self.user {
            let partition = format!("{company}#{user}");
            return Query::index(TABLE, BY_USER, USER, partition, TIME_SORT).descending();
        }
        Query::index(TABLE, BY_COMPANY, COMPANY, company.as_str(), TIME_SORT).descending()
    }

    /// The attributes by which the next query finds its place: those of the key that it reads along.
    fn position(&self, item: &Item) -> Item {
        let along = if self.resource.is_some() {
            None
        } else if self.correlation_id.is_some() {
            Some(CORRELATION)
        } else if self.user.is_some() {
            Some(USER)
        } else {
            Some(COMPANY)
        };
        let wanted = |name: &str| {
            matches!(name, "pk" | "sk")
                || along == Some(name)
                || (along.is_some() && name == TIME_SORT)
        };
        POSITION
            .into_iter()
            .filter(|name| wanted(name))
            .filter_map(|name| {
                Some((
                    name.to_owned(),
                    AttributeValue::S(text(item, name)?.to_owned()),
                ))
            })
            .collect()
    }

    /// Whether everything that the query reads is wanted.
    fn is_exact(&self) -> bool {
        let narrowing = [
            self.resource.is_some(),
            self.correlation_id.is_some(),
            self.user.is_some(),
        ];
        self.event_type.is_none() && narrowing.into_iter().filter(|given| *given).count() <= 1
    }

    /// Whether an event is wanted; decided by its key attributes, without reading its text.
    fn accepts(&self, company: &CompanyId, item: &Item) -> bool {
        let is = |attribute: &str, word: &str| {
            text(item, attribute)
                .and_then(|value| value.strip_prefix(company.as_str()))
                .and_then(|value| value.strip_prefix('#'))
                == Some(word)
        };
        self.user.as_deref().is_none_or(|user| is(USER, user))
            && self
                .correlation_id
                .as_ref()
                .is_none_or(|id| is(CORRELATION, id.as_str()))
            && self
                .event_type
                .is_none_or(|wanted| super::event_type(item) == Some(wanted))
    }
}

/// One page of events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventPage {
    /// The events, in the order of their source.
    pub events: Vec<Event>,
    /// Where the next page goes on; none at the end.
    pub next: Option<Item>,
}

/// Reads a page. `start` is the position that the page before ended with.
///
/// # Errors
/// When DynamoDB does not answer, or a stored event cannot be read.
pub async fn page(
    db: &Db,
    company: &CompanyId,
    filter: &Filter,
    limit: Limit,
    start: Option<Item>,
) -> Result<EventPage, Failure> {
    let mut sieve = Sieve::new(company, filter, limit, start);
    loop {
        let mut query = filter.query(company).limit(sieve.next_request());
        if let Some(position) = sieve.position.clone() {
            query = query.start_after(position);
        }
        let read = db.query(&query).await?;
        for item in read.items {
            if sieve.offer(&item)? == Sifted::Full {
                return Ok(sieve.page());
            }
        }
        if read.last.is_none() {
            sieve.position = None;
            return Ok(sieve.page());
        }
        if sieve.examined >= EXAMINED {
            return Ok(sieve.page());
        }
    }
}

/// What became of an event that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sifted {
    /// It was taken or it is not wanted.
    Examined,
    /// It is wanted, but the page is full: the next page begins with it.
    Full,
}

/// Collects wanted events up to the limit, and remembers the last one that it has examined.
struct Sieve<'f> {
    company: &'f CompanyId,
    filter: &'f Filter,
    limit: usize,
    events: Vec<Event>,
    examined: usize,
    position: Option<Item>,
}

impl<'f> Sieve<'f> {
    fn new(company: &'f CompanyId, filter: &'f Filter, limit: Limit, start: Option<Item>) -> Self {
        let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        Self {
            company,
            filter,
            limit,
            events: Vec::new(),
            examined: 0,
            position: start,
        }
    }

    /// One more than the page holds tells whether there is a next page.
    fn next_request(&self) -> u32 {
        if self.filter.is_exact() {
            u32::try_from(self.limit - self.events.len() + 1).unwrap_or(SIFTED_AT_ONCE)
        } else {
            SIFTED_AT_ONCE
        }
    }

    fn offer(&mut self, item: &Item) -> Result<Sifted, Failure> {
        if self.filter.accepts(self.company, item) {
            if self.events.len() == self.limit {
                return Ok(Sifted::Full);
            }
            self.events.push(super::read(item)?);
        }
        self.examined += 1;
        self.position = Some(self.filter.position(item));
        Ok(Sifted::Examined)
    }

    fn page(self) -> EventPage {
        EventPage {
            events: self.events,
            next: self.position,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::tests::{company, stored};
    use proptest::prelude::*;

    fn filter() -> Filter {
        Filter::default()
    }

    fn names(item: &Item) -> Vec<&str> {
        let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_position_holds_exactly_the_key_that_the_query_reads_along() {
        let item = stored(1, "ana", "c-1", EventType::Create);
        let resource = Filter {
            resource: Some(("thing".into(), "1".into())),
            ..filter()
        };
        assert_eq!(names(&resource.position(&item)), ["pk", "sk"]);
        let by_id = Filter {
            correlation_id: CorrelationId::parse("c-1").ok(),
            ..filter()
        };
        assert_eq!(
            names(&by_id.position(&item)),
            ["correlationPk", "pk", "sk", "timeSort"]
        );
        let by_user = Filter {
            user: Some("ana".into()),
            ..filter()
        };
        assert_eq!(
            names(&by_user.position(&item)),
            ["pk", "sk", "timeSort", "userPk"]
        );
        assert_eq!(
            names(&filter().position(&item)),
            ["companyPk", "pk", "sk", "timeSort"]
        );
    }

    #[test]
    fn the_narrowest_source_is_read_and_the_rest_is_sifted() {
        let all = Filter {
            resource: Some(("thing".into(), "1".into())),
            user: Some("ana".into()),
            correlation_id: CorrelationId::parse("c-1").ok(),
            event_type: Some(EventType::Create),
        };
        assert!(!all.is_exact());
        let accepted =
            |user: &str, id: &str, kind| all.accepts(&company(), &stored(1, user, id, kind));
        assert!(accepted("ana", "c-1", EventType::Create));
        assert!(!accepted("ana2", "c-1", EventType::Create));
        assert!(!accepted("ana", "c-12", EventType::Create));
        assert!(!accepted("ana", "c-1", EventType::Update));
    }

    #[test]
    fn one_source_alone_needs_no_sieve() {
        for exact in [
            filter(),
            Filter {
                user: Some("ana".into()),
                ..filter()
            },
            Filter {
                resource: Some(("thing".into(), "1".into())),
                ..filter()
            },
        ] {
            assert!(exact.is_exact(), "{exact:?}");
        }
        assert!(
            !Filter {
                event_type: Some(EventType::View),
                ..filter()
            }
            .is_exact()
        );
    }

    proptest! {
        /// Page after page, every wanted event is shown once and in order, whatever the limit.
        #[test]
        fn pages_show_every_wanted_event_once(wanted in prop::collection::vec(any::<bool>(), 0..60), limit in 1_u32..8) {
            let items: Vec<Item> = wanted.iter().zip(1..).map(|(wanted, n)| {
                stored(n, "ana", "c-1", if *wanted { EventType::Create } else { EventType::Update })
            }).collect();
            let filter = Filter { event_type: Some(EventType::Create), ..filter() };
            let company = company();
            let mut shown = Vec::new();
            let mut start = None;
            loop {
                let mut sieve = Sieve::new(&company, &filter, Limit::new(limit).unwrap(), start.clone());
                let after = |item: &&Item| start.as_ref().is_none_or(|start| text(item, "sk") > text(start, "sk"));
                let mut full = false;
                for item in items.iter().filter(after) {
                    if sieve.offer(item).unwrap() == Sifted::Full {
                        full = true;
                        break;
                    }
                }
                let page = sieve.page();
                prop_assert!(page.events.len() <= limit as usize);
                shown.extend(page.events.iter().map(|event| event.sequence));
                if !full {
                    break;
                }
                prop_assert_eq!(page.events.len(), limit as usize);
                start = page.next;
            }
            let expected: Vec<u64> = wanted.iter().zip(1..).filter(|(wanted, _)| **wanted).map(|(_, n)| n).collect();
            prop_assert_eq!(shown, expected);
        }
    }
}
