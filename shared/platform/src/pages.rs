//! Pages of lists whose order stands in the table itself, or in memory. For those of a keys-only index see [`crate::listing`].

use cierre_kernel::page::Limit;

use crate::Failure;
use crate::db::{Db, Item, Query, Table, text};

/// Items that one request looks at; a filter that few pass gives a short page, never a slow one.
const LOOKED_AT: usize = 500;

/// A partition, or the part of it whose sort keys begin so.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// The table.
    pub table: Table,
    /// The partition.
    pub partition: String,
    /// What the sort keys begin with.
    pub prefix: &'static str,
    /// The first sort key; where it is none, that of the prefix.
    pub first: Option<String>,
    /// The last sort key; likewise.
    pub last: Option<String>,
    /// The last first.
    pub descending: bool,
}

impl Shelf {
    /// What begins so, from its beginning to its end.
    pub fn of(table: Table, partition: String, prefix: &'static str) -> Self {
        Self {
            table,
            partition,
            prefix,
            first: None,
            last: None,
            descending: false,
        }
    }

    fn query(&self, after: Option<&str>) -> Query {
        let query = Query::partition(self.table, &self.partition);
        // Nothing that is kept sorts behind it.
        let of_prefix = || format!("{}~", self.prefix);
        let end = self.last.clone().unwrap_or_else(of_prefix);
        let end = end.as_str();
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

/// A page of what `read` takes out of the items, and the sort key of the last one looked at unless the list ends there.
///
/// # Errors
/// When DynamoDB does not answer, or `read` fails.
pub async fn page<T>(
    db: &Db,
    shelf: &Shelf,
    limit: Limit,
    after: Option<String>,
    read: impl Fn(&Item) -> Result<Option<T>, Failure>,
) -> Result<(Vec<T>, Option<String>), Failure> {
    let ends = shelf.first.as_ref().zip(shelf.last.as_ref());
    // Nothing lies in a range that ends before it begins, and DynamoDB refuses to look there.
    if ends.is_some_and(|(first, last)| first > last) {
        return Ok((Vec::new(), None));
    }
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
            if let Some(one) = read(&item)? {
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
pub fn of_list<T: Clone>(all: &[T], limit: Limit, start: Option<usize>) -> (Vec<T>, Option<usize>) {
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
