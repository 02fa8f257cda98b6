//! A table's stream: what changed, one item at a time.
//!
//! A stream delivers at least once. Whoever follows one counts by [`crate::counters`], which skips what was counted before, so a function
//! that follows a stream simply fails as a whole when anything fails: the batch comes again, halved, and costs only the reading of what is
//! done already. It never answers which record failed, because that would say twice, and less reliably, what the checkpoints know.

use aws_lambda_events::event::dynamodb::{Event, EventRecord};

use crate::db::{self, Item, text};
use crate::{Failure, telemetry};

/// One change of one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Partition key of the item.
    pub pk: String,
    /// Sort key of the item.
    pub sk: String,
    /// The stream's number of this change.
    pub sequence: String,
    /// The item before; none when it is new.
    pub old: Option<Item>,
    /// The item after; none when it is gone.
    pub new: Option<Item>,
}

impl Change {
    /// A change from its two images; none when neither carries a key.
    pub fn of(old: Option<Item>, new: Option<Item>, sequence: impl Into<String>) -> Option<Self> {
        let item = new.as_ref().or(old.as_ref())?;
        let (pk, sk) = (text(item, "pk")?.to_owned(), text(item, "sk")?.to_owned());
        Some(Self {
            pk,
            sk,
            sequence: sequence.into(),
            old,
            new,
        })
    }
}

/// The changes that Lambda delivers, in order. A record without images or number tells nothing; it is logged and left out, because a record
/// that nobody can read would otherwise stop all that follow it.
pub fn changes(event: Event) -> Vec<Change> {
    event.records.into_iter().filter_map(change).collect()
}

/// Hands the changes of one delivery to `follow`, and says what that took.
///
/// # Errors
/// When `follow` fails; the delivery then comes again, and what was counted by then is skipped.
pub async fn consume(
    event: Event,
    follow: impl AsyncFnOnce(&[Change]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let changes = changes(event);
    let before = db::consumed();
    let followed = follow(&changes).await;
    let consumed = db::consumed().since(before);
    telemetry::warmed_up();
    if let Err(failure) = &followed {
        let error = failure.chain();
        tracing::error!(
            error,
            "following changes failed, the delivery will come again"
        );
    }
    tracing::info!(
        changes = changes.len(),
        dynamodb_requests = consumed.requests,
        write_units_tenths = consumed.write_tenths,
        read_units_tenths = consumed.read_tenths,
        "changes followed"
    );
    followed
}

fn change(record: EventRecord) -> Option<Change> {
    let EventRecord {
        change, event_id, ..
    } = record;
    let (old, new) = (image(change.old_image), image(change.new_image));
    let read = change
        .sequence_number
        .and_then(|sequence| Change::of(old, new, sequence));
    if read.is_none() {
        tracing::error!(
            event_id,
            "a stream record cannot be understood and is left out"
        );
    }
    read
}

fn image(image: serde_dynamo::Item) -> Option<Item> {
    let image: Item = image.into();
    (!image.is_empty()).then_some(image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(records: serde_json::Value) -> Event {
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    fn record(change: serde_json::Value) -> serde_json::Value {
        json!({ "awsRegion": "us-east-1", "eventID": "e-1", "eventName": "MODIFY", "dynamodb": change })
    }

    #[test]
    fn a_record_becomes_a_change_with_both_images() {
        let change = json!({
            "Keys": { "pk": { "S": "demo#svc#1" }, "sk": { "S": "01" } },
            "OldImage": { "pk": { "S": "demo#svc#1" }, "sk": { "S": "01" }, "amount": { "N": "150000" } },
            "NewImage": { "pk": { "S": "demo#svc#1" }, "sk": { "S": "01" }, "amount": { "N": "85000" } },
            "SequenceNumber": "111",
            "SizeBytes": 59,
        });
        let changes = changes(event(json!([record(change)])));
        let [change] = changes.as_slice() else {
            panic!("one change expected, not {changes:?}")
        };
        assert_eq!(
            (
                change.pk.as_str(),
                change.sk.as_str(),
                change.sequence.as_str()
            ),
            ("demo#svc#1", "01", "111")
        );
        let amount = |item: &Option<Item>| crate::db::number(item.as_ref().unwrap(), "amount");
        assert_eq!(
            (amount(&change.old), amount(&change.new)),
            (Some(150_000), Some(85_000))
        );
    }

    #[test]
    fn an_absent_image_is_none() {
        let change = json!({
            "NewImage": { "pk": { "S": "demo" }, "sk": { "S": "counts" } },
            "SequenceNumber": "1",
            "SizeBytes": 1,
        });
        let changes = changes(event(json!([record(change)])));
        assert!(changes[0].old.is_none() && changes[0].new.is_some());
    }

    #[test]
    fn a_record_that_tells_nothing_does_not_stop_the_others() {
        let empty = record(json!({ "SequenceNumber": "1", "SizeBytes": 1 }));
        let good = record(
            json!({ "OldImage": { "pk": { "S": "a" }, "sk": { "S": "b" } }, "SequenceNumber": "2", "SizeBytes": 1 }),
        );
        let changes = changes(event(json!([empty, good])));
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].sequence, "2");
    }
}
