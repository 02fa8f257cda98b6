//! How many events of each type a company has: one row of counters, kept by the function that follows the table's stream.

use std::collections::BTreeMap;

use cierre_kernel::company::CompanyId;
use cierre_kernel::event::EventType;

use super::{COMPANY, TABLE};
use crate::counters::{self, Delta, Mark, Recorded};
use crate::db::{Db, Key, number, text};
use crate::error::Failure;
use crate::stream::Change;

/// The sort key of the row.
const ROW: &str = "counts";

fn row(company: &str) -> Key {
    Key::new(TABLE, company, ROW)
}

/// The counts of a company; types without events count zero.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn read(db: &Db, company: &CompanyId) -> Result<BTreeMap<EventType, u64>, Failure> {
    let item = db
        .get_item(&row(company.as_str()))
        .await?
        .unwrap_or_default();
    let count = |kind: EventType| number(&item, kind.as_str()).and_then(|n| u64::try_from(n).ok());
    Ok(EventType::ALL
        .into_iter()
        .map(|kind| (kind, count(kind).unwrap_or_default()))
        .collect())
}

/// Counts the events among these changes.
///
/// # Errors
/// When DynamoDB does not answer; the stream then delivers the changes again.
pub async fn follow(db: &Db, changes: &[Change]) -> Result<(), Failure> {
    let records: Vec<Recorded> = changes.iter().filter_map(recorded).collect();
    counters::apply(db, TABLE, &records, |_, _, _| Vec::new()).await
}

/// What a change counts: a new event counts one, everything else in the table (the counters themselves) nothing.
fn recorded(change: &Change) -> Option<Recorded> {
    let (None, Some(event)) = (&change.old, &change.new) else {
        return None;
    };
    let kind = super::event_type(event)?;
    let company = text(event, COMPANY)?;
    let place = change.sk.parse().ok()?;
    Some(Recorded {
        source: change.pk.clone(),
        // The event's own place in its chain: this table has no local index, so DynamoDB may spread one chain over several shards, and
        // only a mark that needs no order is safe then.
        mark: Mark::Place(place),
        deltas: vec![Delta {
            key: row(company),
            column: kind.as_str(),
            by: 1,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::tests::stored;

    fn inserted(n: u64, kind: EventType) -> Change {
        Change::of(None, Some(stored(n, "ana", "c-1", kind)), "1").unwrap()
    }

    #[test]
    fn a_new_event_counts_one_under_its_type() {
        let record = recorded(&inserted(7, EventType::Upload)).unwrap();
        assert_eq!(record.source, "demo#thing#1");
        assert_eq!(record.mark, Mark::Place(7));
        assert_eq!(
            record.deltas,
            [Delta {
                key: row("demo"),
                column: "upload",
                by: 1
            }]
        );
    }

    #[test]
    fn counters_and_checkpoints_count_nothing() {
        let counter = row("demo").attributes();
        let checkpoint = Key::new(TABLE, "demo#feed", "demo#thing#1").attributes();
        for item in [counter, checkpoint] {
            assert!(recorded(&Change::of(None, Some(item), "1").unwrap()).is_none());
        }
    }

    #[test]
    fn an_event_that_was_there_before_counts_nothing() {
        let event = stored(1, "ana", "c-1", EventType::View);
        let again = Change::of(Some(event.clone()), Some(event.clone()), "2").unwrap();
        let gone = Change::of(Some(event), None, "3").unwrap();
        assert!(recorded(&again).is_none() && recorded(&gone).is_none());
    }
}
