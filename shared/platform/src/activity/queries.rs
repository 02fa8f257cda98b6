//! The history of a company, read page by page. Every request is one query over one partition of the table or of one index.
//!
//! | asked for | read from | order |
//! | --- | --- | --- |
//! | a resource | the table, strongly; `ByResource` for what stands in a larger chain | the chain's: oldest first |
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

use super::{
    BY_COMPANY, BY_CORRELATION, BY_RESOURCE, BY_USER, CHRONOLOGY, CHRONOLOGY_SORT, COMPANY,
    CORRELATION, RESOURCE, TABLE, TIME_SORT, USER,
};
use crate::db::{Db, Item, Query, text};
use crate::error::Failure;

/// Events that one request examines at most.
const EXAMINED: usize = 500;
/// Events of one query while a filter is at work.
const SIFTED_AT_ONCE: u32 = 100;

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

/// In which direction of time events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The oldest first.
    Ascending,
    /// The newest first.
    Descending,
}

/// One partition of the table or of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A resource's own chain: kind and id.
    Chain(String, String),
    /// The events of a resource that stands in a larger chain: kind and id.
    Part(String, String),
    /// A larger chain in the order of time: kind and id of what the chain is named after.
    Chronology(&'static str, String, Order),
    /// What one command came to.
    Correlation(CorrelationId),
    /// What a user did, newest first.
    User(String),
    /// What happened in the company, newest first.
    Company,
}

impl Source {
    fn query(&self, company: &CompanyId) -> Query {
        let of = |kind: &str, id: &str| super::partition(company.as_str(), kind, id);
        match self {
            Self::Chain(kind, id) => Query::partition(TABLE, of(kind, id)),
            Self::Part(kind, id) => {
                Query::index(TABLE, BY_RESOURCE, RESOURCE, of(kind, id), TIME_SORT)
            }
            Self::Chronology(kind, id, order) => {
                let query = Query::local_index(TABLE, CHRONOLOGY, of(kind, id), CHRONOLOGY_SORT);
                match order {
                    Order::Ascending => query,
                    Order::Descending => query.descending(),
                }
            }
            Self::Correlation(id) => {
                let partition = format!("{company}#{id}");
                Query::index(TABLE, BY_CORRELATION, CORRELATION, partition, TIME_SORT)
            }
            Self::User(user) => {
                let partition = format!("{company}#{user}");
                Query::index(TABLE, BY_USER, USER, partition, TIME_SORT).descending()
            }
            Self::Company => {
                Query::index(TABLE, BY_COMPANY, COMPANY, company.as_str(), TIME_SORT).descending()
            }
        }
    }

    /// The attributes by which the next query finds its place: those of the key that it reads along.
    const fn along(&self) -> &'static [&'static str] {
        match self {
            Self::Chain(..) => &["pk", "sk"],
            Self::Part(..) => &["pk", "sk", RESOURCE, TIME_SORT],
            Self::Chronology(..) => &["pk", "sk", CHRONOLOGY_SORT],
            Self::Correlation(_) => &["pk", "sk", CORRELATION, TIME_SORT],
            Self::User(_) => &["pk", "sk", USER, TIME_SORT],
            Self::Company => &["pk", "sk", COMPANY, TIME_SORT],
        }
    }

    fn position(&self, item: &Item) -> Item {
        let names = self.along().iter();
        names
            .filter_map(|name| {
                let value = AttributeValue::S(text(item, name)?.to_owned());
                Some(((*name).to_owned(), value))
            })
            .collect()
    }
}

impl Filter {
    /// The narrowest partition that holds what is wanted.
    fn source(&self) -> Source {
        if let Some((kind, id)) = &self.resource {
            return Source::Chain(kind.clone(), id.clone());
        }
        if let Some(id) = &self.correlation_id {
            return Source::Correlation(id.clone());
        }
        if let Some(user) = &self.user {
            return Source::User(user.clone());
        }
        Source::Company
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
    let wanted = |item: &Item| Ok(filter.accepts(company, item));
    let wanted: Wanted<'_> = if filter.is_exact() {
        Wanted::All
    } else {
        Wanted::Only(&wanted)
    };
    let part = filter.resource.clone();
    let part = part.map(|(kind, id)| Source::Part(kind, id));
    if let Some(part) = &part
        && start.as_ref().is_some_and(|at| at.contains_key(RESOURCE))
    {
        return sift(db, company, part, wanted, limit, start).await;
    }
    let begins = start.is_none();
    let found = sift(db, company, &filter.source(), wanted, limit, start).await?;
    // A resource has a chain of its own, or it stands in a larger one.
    match part {
        Some(part) if begins && found.events.is_empty() && found.next.is_none() => {
            sift(db, company, &part, wanted, limit, None).await
        }
        Some(_) | None => Ok(found),
    }
}

/// Reads a page of the events of a source that are wanted.
///
/// # Errors
/// As [`page`].
pub async fn search(
    db: &Db,
    company: &CompanyId,
    source: &Source,
    wanted: Option<&(dyn Fn(&Event) -> bool + Sync)>,
    limit: Limit,
    start: Option<Item>,
) -> Result<EventPage, Failure> {
    let Some(wanted) = wanted else {
        return sift(db, company, source, Wanted::All, limit, start).await;
    };
    let of_item = |item: &Item| Ok(wanted(&super::read(item)?));
    sift(db, company, source, Wanted::Only(&of_item), limit, start).await
}

/// Which events of a source are wanted.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    All,
    Only(&'a (dyn Fn(&Item) -> Result<bool, Failure> + Sync)),
}

async fn sift(
    db: &Db,
    company: &CompanyId,
    source: &Source,
    wanted: Wanted<'_>,
    limit: Limit,
    start: Option<Item>,
) -> Result<EventPage, Failure> {
    let mut sieve = Sieve::new(source, wanted, limit, start);
    loop {
        let mut query = source.query(company).limit(sieve.next_request());
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
struct Sieve<'s> {
    source: &'s Source,
    wanted: Wanted<'s>,
    limit: usize,
    events: Vec<Event>,
    examined: usize,
    position: Option<Item>,
}

impl<'s> Sieve<'s> {
    fn new(source: &'s Source, wanted: Wanted<'s>, limit: Limit, start: Option<Item>) -> Self {
        let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        Self {
            source,
            wanted,
            limit,
            events: Vec::new(),
            examined: 0,
            position: start,
        }
    }

    /// One more than the page holds tells whether there is a next page.
    fn next_request(&self) -> u32 {
        match self.wanted {
            Wanted::All => {
                u32::try_from(self.limit - self.events.len() + 1).unwrap_or(SIFTED_AT_ONCE)
            }
            Wanted::Only(_) => SIFTED_AT_ONCE,
        }
    }

    fn offer(&mut self, item: &Item) -> Result<Sifted, Failure> {
        let wanted = match self.wanted {
            Wanted::All => true,
            Wanted::Only(wanted) => wanted(item)?,
        };
        if wanted {
            if self.events.len() == self.limit {
                return Ok(Sifted::Full);
            }
            self.events.push(super::read(item)?);
        }
        self.examined += 1;
        self.position = Some(self.source.position(item));
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
        assert_eq!(names(&resource.source().position(&item)), ["pk", "sk"]);
        let by_id = Filter {
            correlation_id: CorrelationId::parse("c-1").ok(),
            ..filter()
        };
        assert_eq!(
            names(&by_id.source().position(&item)),
            ["correlationPk", "pk", "sk", "timeSort"]
        );
        let by_user = Filter {
            user: Some("ana".into()),
            ..filter()
        };
        assert_eq!(
            names(&by_user.source().position(&item)),
            ["pk", "sk", "timeSort", "userPk"]
        );
        assert_eq!(
            names(&filter().source().position(&item)),
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
            let source = filter.source();
            let accepted = |item: &Item| Ok(filter.accepts(&company, item));
            let mut shown = Vec::new();
            let mut start = None;
            loop {
                let mut sieve = Sieve::new(&source, Wanted::Only(&accepted), Limit::new(limit).unwrap(), start.clone());
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
