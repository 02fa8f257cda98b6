//! Pages of one partition of the table.

use cierre_kernel::page::Limit;
use cierre_platform::Failure;
use cierre_platform::db::{Db, Query, text};
use serde::de::DeserializeOwned;

use crate::repo::read_doc;
use crate::table;

/// Items that one request looks at; a filter that few pass gives a short page, never a slow one.
const LOOKED_AT: usize = 500;

/// A partition, or the part of it whose sort keys begin so.
pub(super) struct Shelf {
    pub(super) partition: String,
    pub(super) prefix: &'static str,
    /// The first sort key; where it is none, that of the prefix.
    pub(super) first: Option<String>,
    /// The last first.
    pub(super) descending: bool,
}

impl Shelf {
    fn query(&self, after: Option<&str>) -> Query {
        let query = Query::partition(table::PAYROLL, &self.partition);
        // Nothing that is kept sorts behind it.
        let end = format!("{}~", self.prefix);
        let begin = match &self.first {
            Some(first) => first.as_str(),
            None if self.prefix.is_empty() => " ",
            None => self.prefix,
        };
        // Both ends included: the last one shown is met again, and left out.
        let query = match (after, self.descending) {
            (None, _) => query.between(begin, end),
            (Some(after), false) => query.between(after, end),
            (Some(after), true) => query.between(begin, after),
        };
        if self.descending {
            query.descending()
        } else {
            query
        }
    }
}

/// A page of what is wanted, and the sort key of the last one looked at unless the list ends there.
pub(super) async fn page<T: DeserializeOwned>(
    db: &Db,
    shelf: &Shelf,
    limit: Limit,
    after: Option<String>,
    wanted: impl Fn(&T) -> bool,
) -> Result<(Vec<T>, Option<String>), Failure> {
    let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let mut query = shelf.query(after.as_deref()).limit(100);
    let (mut found, mut last, mut looked_at) = (Vec::new(), None, 0);
    loop {
        let page = db.query(&query).await?;
        for item in page.items {
            let place = text(&item, "sk");
            if place == after.as_deref() {
                continue;
            }
            let one: T = read_doc(&item)?;
            if wanted(&one) {
                if found.len() == limit {
                    return Ok((found, last));
                }
                found.push(one);
            }
            looked_at += 1;
            last = place.map(str::to_owned);
        }
        match page.last {
            None => return Ok((found, None)),
            Some(_) if looked_at >= LOOKED_AT => return Ok((found, last)),
            Some(position) => query = query.start_after(position),
        }
    }
}

/// A page of a list that is in memory: the items behind a position, and the position of the next page.
pub(super) fn of_list<T: Clone>(
    all: &[T],
    limit: Limit,
    start: Option<usize>,
) -> (Vec<T>, Option<usize>) {
    let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let start = start.unwrap_or(0);
    let items: Vec<T> = all.iter().skip(start).take(limit).cloned().collect();
    let end = start.saturating_add(items.len());
    (items, (end < all.len()).then_some(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pages_of_a_list_are_the_list(all in prop::collection::vec(any::<u8>(), 0..60), limit in 1_u32..9) {
            let mut seen = Vec::new();
            let mut start = None;
            loop {
                let (items, next) = of_list(&all, Limit::new(limit).unwrap(), start);
                seen.extend(items);
                match next {
                    Some(next) => start = Some(next),
                    None => break,
                }
            }
            prop_assert_eq!(seen, all);
        }
    }
}
