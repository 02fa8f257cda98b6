//! Figures that follow a table's stream, each change counted once.
//!
//! A stream delivers records at least once. Every source of records (a partition key, a chain of events) has a checkpoint that says which of
//! its records were counted, and the checkpoint moves in the transaction that moves the figures. A record that its checkpoint covers is
//! skipped, so a batch that is delivered again, whole or in part, counts nothing twice.
//!
//! ```text
//! t0  batch r1..r9 arrives; r1..r6 are committed with their checkpoints; the function dies
//! t1  the stream delivers r1..r9 again
//! t2  the checkpoints cover r1..r6: these are skipped, r7..r9 are counted
//! ```
//!
//! What a checkpoint can rely on depends on the table ([`Mark`]). Records of one partition key arrive in order as long as they stay in one
//! shard of the stream, and a table with a local index never spreads a partition key over two shards. Without a local index DynamoDB may do
//! so; then the shards are read side by side, and a record may arrive after one that was written later. There the sources must number their
//! records themselves, and the checkpoint remembers exactly which numbers it has seen.

mod marks;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::db::{CommitError, Condition, Db, Item, Key, Table, Tx};
use crate::error::Failure;

use marks::Seen;

/// Distinct items of one transaction, checkpoints included; below DynamoDB's 100 so that derived figures still fit.
const ITEMS_PER_COMMIT: usize = 90;
/// Tries against other shards that move the same figures.
const TRIES: u32 = 10;
/// The attribute that guards a row against lost updates.
const REVISION: &str = "revision";

/// A figure moves by this much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// The row.
    pub key: Key,
    /// The column of the row.
    pub column: &'static str,
    /// By how much; may be negative.
    pub by: i64,
}

/// The columns of one row; those that are zero are left out.
pub type Row = BTreeMap<String, i64>;

/// What rows are called: for rows whose figures belong to something that their key cannot hold. Every change of such a row brings its label.
pub type Labels = BTreeMap<Key, String>;

/// The attribute with a row's label.
pub const LABEL: &str = "label";

/// What tells one record of a source from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The sequence number that the stream gave the record. For sources whose records arrive in order: partition keys of a table with a local
    /// index.
    Stream(String),
    /// The record's place in its source, which numbers its records 1, 2, 3 … without gaps. For sources whose records may arrive in any order:
    /// chains of events.
    Place(u64),
}

/// One stream record, already turned into what it means.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What the record belongs to: the partition key of the item that changed. All records of a source carry the same kind of mark.
    pub source: String,
    /// Which of the source's records it is.
    pub mark: Mark,
    /// What it moves; may be nothing.
    pub deltas: Vec<Delta>,
}

#[derive(Serialize, Deserialize)]
struct Checkpoint {
    seen: Seen,
}

/// Figures that depend on a row as a whole rather than on one record: given a row before and after, what else moves. The keys that it
/// names must be among those that the records themselves move.
pub type Derive = fn(&Key, &Row, &Row) -> Vec<Delta>;

/// Counts the records. Rows whose columns all return to zero are removed.
///
/// # Errors
/// When DynamoDB does not answer or other shards win every time; the stream then delivers the batch again.
pub async fn apply(
    db: &Db,
    table: Table,
    records: &[Recorded],
    derive: Derive,
) -> Result<(), Failure> {
    apply_labelled(db, table, records, derive, &Labels::new()).await
}

/// As [`apply`]; the rows named in `labels` carry their label as [`LABEL`] beside their figures.
///
/// # Errors
/// As [`apply`].
pub async fn apply_labelled(
    db: &Db,
    table: Table,
    records: &[Recorded],
    derive: Derive,
    labels: &Labels,
) -> Result<(), Failure> {
    let mut rest = records;
    while !rest.is_empty() {
        let taken = fitting(table, rest);
        let (now, later) = rest.split_at(taken);
        commit(db, table, now, derive, labels).await?;
        rest = later;
    }
    Ok(())
}

/// How many records, from the front, fit into one transaction: at least one.
fn fitting(table: Table, records: &[Recorded]) -> usize {
    let mut keys = BTreeSet::new();
    for (index, record) in records
        .iter()
        .enumerate()
        .filter(|(_, record)| !record.deltas.is_empty())
    {
        keys.insert(checkpoint_key(table, &record.source));
        keys.extend(record.deltas.iter().map(|delta| delta.key.clone()));
        if keys.len() > ITEMS_PER_COMMIT && index > 0 {
            return index;
        }
    }
    records.len()
}

async fn commit(
    db: &Db,
    table: Table,
    records: &[Recorded],
    derive: Derive,
    labels: &Labels,
) -> Result<(), Failure> {
    for _ in 0..TRIES {
        let Some(tx) = prepare(db, table, records, derive, labels).await? else {
            return Ok(());
        };
        match db.commit(&tx).await {
            Ok(()) => return Ok(()),
            // Another shard moved one of the rows in between: read them again.
            Err(CommitError::Refused(_) | CommitError::Contended) => {}
            Err(CommitError::Failed(failure)) => return Err(failure),
        }
    }
    Err(Failure::message(
        "figures were moved by others at every try",
    ))
}

/// The transaction that counts what is not counted yet; `None` when everything is.
async fn prepare(
    db: &Db,
    table: Table,
    records: &[Recorded],
    derive: Derive,
    labels: &Labels,
) -> Result<Option<Tx>, Failure> {
    let moving = || records.iter().filter(|record| !record.deltas.is_empty());
    let sources = moving().map(|record| checkpoint_key(table, &record.source));
    let rows = moving().flat_map(|record| record.deltas.iter().map(|delta| delta.key.clone()));
    let keys: BTreeSet<Key> = sources.chain(rows).collect();
    let loaded = db.load(keys).await?;

    let seen = |key: &Key| Ok(loaded.read::<Checkpoint>(key)?.map(|known| known.seen));
    let row = |key: &Key| loaded.item(key).map_or_else(Row::new, read_row);
    let Some(plan) = Plan::of(table, records, seen, row, derive)? else {
        return Ok(None);
    };
    let revision = plan.revision();
    let mut tx = Tx::new();
    for (key, (stored, seen)) in plan.checkpoints {
        let unmoved = match stored {
            Some(stored) => Condition::default().eq("seen", stored.as_str()),
            None => Condition::absent(),
        };
        tx.put(key, &Checkpoint { seen }, unmoved)?;
    }
    for (key, row) in plan.rows {
        let stored = loaded
            .item(&key)
            .and_then(|item| crate::db::text(item, REVISION));
        let label = labels.get(&key).map(String::as_str);
        write_row(&mut tx, key, &row, label, stored, &revision);
    }
    Ok(Some(tx))
}

/// What some records come to, given what was there before. Pure.
#[derive(Debug)]
struct Plan {
    /// What was seen before, and what will have been seen.
    checkpoints: BTreeMap<Key, (Option<Seen>, Seen)>,
    /// The rows that move, as they will be.
    rows: BTreeMap<Key, Row>,
}

impl Plan {
    /// `None` when every record was counted before, or moves nothing: such a record has no checkpoint, because skipping it again costs
    /// nothing.
    fn of(
        table: Table,
        records: &[Recorded],
        seen_before: impl Fn(&Key) -> Result<Option<Seen>, Failure>,
        row_before: impl Fn(&Key) -> Row,
        derive: Derive,
    ) -> Result<Option<Self>, Failure> {
        let mut checkpoints: BTreeMap<Key, (Option<Seen>, Seen)> = BTreeMap::new();
        let mut deltas = Vec::new();
        for record in records.iter().filter(|record| !record.deltas.is_empty()) {
            let key = checkpoint_key(table, &record.source);
            let seen = match checkpoints.get(&key) {
                Some((_, seen)) => Some(seen.clone()),
                None => seen_before(&key)?,
            };
            let Some(with_this) = Seen::with(seen.as_ref(), &record.mark)? else {
                continue;
            };
            checkpoints
                .entry(key)
                .and_modify(|(_, seen)| seen.clone_from(&with_this))
                .or_insert((seen, with_this));
            deltas.extend(&record.deltas);
        }
        if deltas.is_empty() {
            return Ok(None);
        }
        let before: BTreeMap<Key, Row> = deltas
            .iter()
            .map(|delta| (delta.key.clone(), row_before(&delta.key)))
            .collect();
        let rows = moved(&before, &deltas, derive);
        Ok(Some(Self { checkpoints, rows }))
    }

    /// A text that no other transaction ever has: a checkpoint reaches each of its states once. A number would start again with a row that
    /// was removed and came back, and a row must not be taken for another one that bears the same number.
    fn revision(&self) -> String {
        self.checkpoints
            .first_key_value()
            .map(|(key, (_, seen))| format!("{} {}", key.sk, seen.as_str()))
            .unwrap_or_default()
    }
}

/// The rows after the deltas and what derives from them.
fn moved(before: &BTreeMap<Key, Row>, deltas: &[&Delta], derive: Derive) -> BTreeMap<Key, Row> {
    let mut after = before.clone();
    let add = |after: &mut BTreeMap<Key, Row>, delta: &Delta| {
        let row = after.entry(delta.key.clone()).or_default();
        let column = row.entry(delta.column.to_owned()).or_default();
        *column = column.saturating_add(delta.by);
    };
    deltas.iter().for_each(|delta| add(&mut after, delta));
    let derived: Vec<Delta> = before
        .iter()
        .flat_map(|(key, row)| derive(key, row, after.get(key).unwrap_or(row)))
        .collect();
    derived.iter().for_each(|delta| add(&mut after, delta));
    for row in after.values_mut() {
        row.retain(|_, value| *value != 0);
    }
    after
}

/// The same figures in memory: what a stream comes to, whatever was delivered twice. To prove that figures hold, and to count afresh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InMemory {
    seen: BTreeMap<Key, Seen>,
    rows: BTreeMap<Key, Row>,
}

impl InMemory {
    /// Counts the records, as [`apply`] does in the table.
    ///
    /// # Errors
    /// When one source's records carry marks of different kinds.
    pub fn apply(
        &mut self,
        table: Table,
        records: &[Recorded],
        derive: Derive,
    ) -> Result<(), Failure> {
        let seen = |key: &Key| Ok(self.seen.get(key).cloned());
        let row = |key: &Key| self.rows.get(key).cloned().unwrap_or_default();
        let Some(plan) = Plan::of(table, records, seen, row, derive)? else {
            return Ok(());
        };
        for (key, (_, seen)) in plan.checkpoints {
            self.seen.insert(key, seen);
        }
        self.rows.extend(plan.rows);
        self.rows.retain(|_, row| !row.is_empty());
        Ok(())
    }

    /// The rows with figures other than zero.
    pub fn rows(&self) -> &BTreeMap<Key, Row> {
        &self.rows
    }
}

fn write_row(
    tx: &mut Tx,
    key: Key,
    row: &Row,
    label: Option<&str>,
    stored: Option<&str>,
    revision: &str,
) {
    let unmoved = match stored {
        Some(stored) => Condition::default().eq(REVISION, stored),
        None => Condition::absent(),
    };
    if row.is_empty() {
        if stored.is_some() {
            tx.delete(key, unmoved);
        }
        return;
    }
    let mut item: Item = row
        .iter()
        .map(|(column, value)| (column.clone(), AttributeValue::N(value.to_string())))
        .collect();
    let texts = [(REVISION, Some(revision)), (LABEL, label)];
    item.extend(
        texts.into_iter().filter_map(|(name, text)| {
            Some((name.to_owned(), AttributeValue::S(text?.to_owned())))
        }),
    );
    tx.put_item(key, item, unmoved);
}

/// The columns are the numbers among the attributes.
fn read_row(item: &Item) -> Row {
    item.iter()
        .filter_map(|(name, value)| Some((name.clone(), value.as_n().ok()?.parse().ok()?)))
        .collect()
}

/// The checkpoint of a partition key stands beside the figures, under the same company.
fn checkpoint_key(table: Table, source: &str) -> Key {
    let company = source.split('#').next().unwrap_or(source);
    Key::new(table, format!("{company}#feed"), source)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = Table::new("T");

    fn record(source: &str, sequence: u32, rows: &[u32]) -> Recorded {
        let deltas = rows.iter().map(|row| Delta {
            key: Key::new(TABLE, "demo#stat", row.to_string()),
            column: "n",
            by: 1,
        });
        Recorded {
            source: source.to_owned(),
            mark: Mark::Stream(sequence.to_string()),
            deltas: deltas.collect(),
        }
    }

    #[test]
    fn records_are_cut_where_a_transaction_would_be_too_large() {
        let records: Vec<Recorded> = (0..200).map(|n| record("demo#svc#1", n, &[n])).collect();
        assert_eq!(fitting(TABLE, &records), ITEMS_PER_COMMIT - 1);
        assert_eq!(fitting(TABLE, &records[..10]), 10);
    }

    #[test]
    fn one_record_is_always_taken() {
        let rows: Vec<u32> = (0..95).collect();
        assert_eq!(fitting(TABLE, &[record("demo#svc#1", 1, &rows)]), 1);
    }

    #[test]
    fn derived_figures_see_the_row_before_and_after() {
        let customer = Key::new(TABLE, "demo#pending", "c1");
        let total = Key::new(TABLE, "demo#pending", "total");
        let before = BTreeMap::from([(customer.clone(), Row::new()), (total.clone(), Row::new())]);
        let deltas = [
            Delta {
                key: customer,
                column: "count",
                by: 2,
            },
            Delta {
                key: total.clone(),
                column: "count",
                by: 2,
            },
        ];
        let derive: Derive = |key, before, after| {
            let positive = |row: &Row| i64::from(row.get("count").is_some_and(|n| *n > 0));
            if key.sk == "total" {
                return Vec::new();
            }
            vec![Delta {
                key: Key {
                    sk: "total".to_owned(),
                    ..key.clone()
                },
                column: "customers",
                by: positive(after) - positive(before),
            }]
        };
        let after = moved(&before, &deltas.each_ref(), derive);
        assert_eq!(
            after[&total],
            Row::from([("count".to_owned(), 2), ("customers".to_owned(), 1)])
        );
    }

    #[test]
    fn a_row_that_returns_to_zero_is_gone() {
        let moving = |sequence: u32, by| Recorded {
            deltas: vec![Delta {
                key: Key::new(TABLE, "demo#stat", "row"),
                column: "n",
                by,
            }],
            ..record("demo#svc#1", sequence, &[])
        };
        let mut figures = InMemory::default();
        figures
            .apply(TABLE, &[moving(1, 5), moving(2, 2)], |_, _, _| Vec::new())
            .unwrap();
        assert_eq!(figures.rows().len(), 1);
        figures
            .apply(TABLE, &[moving(2, 2), moving(3, -7)], |_, _, _| Vec::new())
            .unwrap();
        assert!(figures.rows().is_empty());
    }
}
