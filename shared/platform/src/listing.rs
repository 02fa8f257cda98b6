//! Pages of lists whose order stands in a keys-only index.
//!
//! An index gives keys in order; the items behind them are read from the table, strongly, so a list never shows a state that a read by id
//! would deny. What a filter leaves out costs a look all the same, so one request looks at a bounded number of keys and then answers what it
//! has, with a cursor behind the last key that it looked at: a sparse filter gives short pages, never a slow one.
//!
//! Two things make the merge exact. Several partitions (the shards of the services) are merged by their sort keys. And where the order of the
//! rows is finer than the order of the index, keys are taken in *groups*: all keys that share the first characters of their sort keys are
//! looked at together and then put in order.

use std::collections::VecDeque;
use std::future::Future;

use cierre_kernel::page::Limit;
use futures::future::try_join_all;

use crate::Failure;
use crate::db::{Db, Item, Key, Query, QueryPage, Table, text};

/// Sorts after every ULID and every digit: the end of a range of sort keys that share a prefix.
pub const AFTER_ALL: &str = "~";
/// Keys that one request looks at, except that a group is never cut.
const KEYS_PER_REQUEST: usize = 500;
/// Keys looked at together once the first look was not enough.
const KEYS_PER_LOOK: usize = 100;
/// Sorts before every sort key.
const BEFORE_ALL: &str = " ";

/// What a list reads from: the database, or partitions in memory in tests.
pub trait Shelf: Sync {
    /// How a partition is named.
    type Partition: Clone + Send + Sync;

    /// One page of keys between two sort keys, both included.
    fn keys(
        &self,
        partition: &Self::Partition,
        range: (&str, &str),
        limit: u32,
        start: Option<Item>,
    ) -> impl Future<Output = Result<QueryPage, Failure>> + Send;

    /// The items of these keys, none where there is none.
    fn items(
        &self,
        keys: Vec<Key>,
    ) -> impl Future<Output = Result<Vec<Option<Item>>, Failure>> + Send;
}

impl Shelf for Db {
    type Partition = Query;

    async fn keys(
        &self,
        partition: &Query,
        (low, high): (&str, &str),
        limit: u32,
        start: Option<Item>,
    ) -> Result<QueryPage, Failure> {
        let query = partition.clone().between(low, high).limit(limit);
        let query = match start {
            Some(start) => query.start_after(start),
            None => query,
        };
        self.query(&query).await
    }

    async fn items(&self, keys: Vec<Key>) -> Result<Vec<Option<Item>>, Failure> {
        let loaded = self.load(keys.clone()).await?;
        Ok(keys.iter().map(|key| loaded.item(key).cloned()).collect())
    }
}

/// A key as an index lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its sort key in the index.
    pub sort: String,
    /// The item behind it.
    pub key: Key,
}

/// Where a list comes from and how it is ordered.
#[derive(Clone, Debug)]
pub struct Order<P = Query> {
    /// The table whose index it is.
    pub table: Table,
    /// The partitions to merge, each without a range.
    pub partitions: Vec<P>,
    /// The sort attribute of the index.
    pub sort: &'static str,
    /// How many characters of the sort key the rows share with the index's order; what is finer is put in order here.
    pub group: usize,
    /// The first sort key of the list, if it does not begin at the beginning.
    pub low: Option<String>,
    /// The last sort key of the list.
    pub high: Option<String>,
}

/// A page of rows and the position behind which the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows<T> {
    /// The rows, in the list's order.
    pub rows: Vec<T>,
    /// The position of the last one; none at the end of the list.
    pub next: Option<String>,
}

/// One page of a list.
///
/// `read` turns an item into its row and the row's position in the list, or into nothing when the list leaves it out. A row whose position does
/// not belong to the group of its key has moved since the index was read; it stands elsewhere by now and is left out here.
///
/// # Errors
/// When DynamoDB does not answer, or `read` fails.
pub async fn page<S, T, R>(
    shelf: &S,
    order: &Order<S::Partition>,
    limit: Limit,
    after: Option<&str>,
    read: R,
) -> Result<Rows<T>, Failure>
where
    S: Shelf,
    R: Fn(&Listed, Item) -> Result<Option<(String, T)>, Failure>,
{
    let limit = limit.get() as usize;
    // The row after the page tells whether there is a next page; the one before it may be read again.
    let mut look = limit + 2;
    let mut merge = Merge::new(shelf, order, look, after);
    let mut rows: Vec<T> = Vec::with_capacity(limit);
    let mut last = String::new();
    let mut looked_at = 0;
    loop {
        let keys = merge.take(look).await?;
        looked_at += keys.len();
        for (position, row) in placed(shelf, &keys, order.group, &read).await? {
            if after.is_some_and(|after| position.as_str() <= after) {
                continue;
            }
            if rows.len() == limit {
                let next = Some(last);
                return Ok(Rows { rows, next });
            }
            rows.push(row);
            last = position;
        }
        let end = keys.last().filter(|_| !merge.is_over());
        let Some(end) = end else {
            return Ok(Rows { rows, next: None });
        };
        if looked_at >= KEYS_PER_REQUEST {
            let next = Some(format!("{}{AFTER_ALL}", group_of(&end.sort, order.group)));
            return Ok(Rows { rows, next });
        }
        look = KEYS_PER_LOOK;
    }
}

/// The rows of these keys with their positions, in order.
async fn placed<S, T, R>(
    shelf: &S,
    keys: &[Listed],
    group: usize,
    read: &R,
) -> Result<Vec<(String, T)>, Failure>
where
    S: Shelf,
    R: Fn(&Listed, Item) -> Result<Option<(String, T)>, Failure>,
{
    let items = shelf
        .items(keys.iter().map(|listed| listed.key.clone()).collect())
        .await?;
    let mut rows = Vec::with_capacity(keys.len());
    for (listed, item) in keys.iter().zip(items) {
        let Some(item) = item else { continue };
        let row = read(listed, item)?;
        rows.extend(
            row.filter(|(position, _)| group_of(position, group) == group_of(&listed.sort, group)),
        );
    }
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(rows)
}

/// The part of a sort key that names its group. Sort keys are ASCII, so a character is a byte.
fn group_of(sort: &str, group: usize) -> &str {
    sort.get(..group).unwrap_or(sort)
}

/// One partition's keys, fetched as they are needed.
struct Strand<P> {
    partition: P,
    keys: VecDeque<Listed>,
    /// Where the next page begins; the outer none at the end of the partition.
    start: Option<Option<Item>>,
    limit: usize,
}

/// The keys of all partitions, merged by their sort keys.
struct Merge<'a, S: Shelf> {
    shelf: &'a S,
    table: Table,
    sort: &'static str,
    group: usize,
    low: String,
    high: String,
    strands: Vec<Strand<S::Partition>>,
}

impl<'a, S: Shelf> Merge<'a, S> {
    fn new(shelf: &'a S, order: &Order<S::Partition>, look: usize, after: Option<&str>) -> Self {
        // The group of the last row is looked at again, for rows of it may stand behind that row. Behind a whole group there are none.
        let resume = after.map(|after| {
            if after.ends_with(AFTER_ALL) {
                after
            } else {
                group_of(after, order.group)
            }
        });
        let low = resume.into_iter().chain(order.low.as_deref()).max();
        let low = low.unwrap_or(BEFORE_ALL).to_owned();
        let high = order.high.as_deref().unwrap_or(AFTER_ALL).to_owned();
        // Nothing lies in a range that ends before it begins, and DynamoDB refuses to look there.
        let start = (low <= high).then_some(None);
        // Some more than the fair share of each partition, so that an even spread needs no second round.
        let limit = match order.partitions.len() {
            0 | 1 => look,
            parts => look.div_ceil(parts) * 2,
        };
        let strands = order.partitions.iter().map(|partition| Strand {
            partition: partition.clone(),
            keys: VecDeque::new(),
            start: start.clone(),
            limit,
        });
        Self {
            shelf,
            table: order.table,
            sort: order.sort,
            group: order.group,
            low,
            high,
            strands: strands.collect(),
        }
    }

    /// At least so many keys, up to the end of a group; fewer only at the end of the list.
    async fn take(&mut self, least: usize) -> Result<Vec<Listed>, Failure> {
        let mut taken: Vec<Listed> = Vec::with_capacity(least);
        loop {
            self.fill().await?;
            let group = self.group;
            let Some(strand) = self.first() else {
                return Ok(taken);
            };
            let enough = taken.len() >= least
                && taken
                    .last()
                    .zip(strand.keys.front())
                    .is_some_and(|(last, next)| {
                        group_of(&last.sort, group) != group_of(&next.sort, group)
                    });
            if enough {
                return Ok(taken);
            }
            taken.extend(strand.keys.pop_front());
        }
    }

    /// The strand whose next key is the next of all.
    fn first(&mut self) -> Option<&mut Strand<S::Partition>> {
        let waiting = self
            .strands
            .iter_mut()
            .filter(|strand| !strand.keys.is_empty());
        waiting.min_by(|one, other| {
            let sort = |strand: &Strand<S::Partition>| {
                strand.keys.front().map(|listed| listed.sort.clone())
            };
            sort(one).cmp(&sort(other))
        })
    }

    /// Fetches a page for every strand that has run dry, all at once.
    async fn fill(&mut self) -> Result<(), Failure> {
        let (shelf, index) = (self.shelf, (self.table, self.sort));
        let range = (self.low.as_str(), self.high.as_str());
        let dry = self
            .strands
            .iter_mut()
            .filter(|strand| strand.keys.is_empty() && strand.start.is_some());
        try_join_all(dry.map(|strand| strand.fetch(shelf, index, range))).await?;
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.strands
            .iter()
            .all(|strand| strand.keys.is_empty() && strand.start.is_none())
    }
}

impl<P: Clone + Send + Sync> Strand<P> {
    async fn fetch<S: Shelf<Partition = P>>(
        &mut self,
        shelf: &S,
        (table, sort): (Table, &'static str),
        range: (&str, &str),
    ) -> Result<(), Failure> {
        while self.keys.is_empty()
            && let Some(start) = self.start.take()
        {
            let limit = u32::try_from(self.limit).unwrap_or(u32::MAX);
            let page = shelf.keys(&self.partition, range, limit, start).await?;
            for item in &page.items {
                let (Some(sort), Some(key)) = (text(item, sort), Key::of(table, item)) else {
                    return Err(Failure::message("an index holds a key without its parts"));
                };
                let sort = sort.to_owned();
                self.keys.push_back(Listed { sort, key });
            }
            self.start = page.last.map(Some);
            // The first page was a guess at what is needed; whoever comes back needs more.
            self.limit = (self.limit * 4).clamp(1, KEYS_PER_LOOK);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
