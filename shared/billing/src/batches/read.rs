//! Reading batches: one, its progress, its failures, the list.

use cierre_kernel::codes;
use cierre_kernel::id::{BatchId, PendingId};
use cierre_kernel::problem::Problem;
use cierre_kernel::time::Date;
use cierre_platform::db::{Item, Key, Query, read_item, text};
use cierre_platform::{Context, Failure, Result};
use serde::{Deserialize, Serialize};

use crate::engine::{BatchKeys, ClaimBlock, PackedIds, Run};
use crate::entity::{Batch, BatchStatus, FailedPending};
use crate::state::Billing;
use crate::table;

/// Batches that one request looks at before it answers a page that its filters left short.
const EXAMINED: usize = 400;

/// A batch with its run.
pub struct Found {
    /// The batch.
    pub batch: Batch,
    /// How far it is.
    pub run: Run,
    /// The run's item, with the finished parts of stage 4.
    pub run_item: Item,
}

/// Reads a batch and its run strongly.
///
/// # Errors
/// 404; or a fault.
pub async fn find(billing: &Billing, context: &Context, id: BatchId) -> Result<Found> {
    let keys = BatchKeys::new(context.company.clone(), id, 0);
    let loaded = billing.engine.db.load([keys.batch(), keys.run()]).await?;
    let (Some(batch), Some(run_item)) = (
        loaded.read::<Batch>(&keys.batch())?,
        loaded.item(&keys.run()),
    ) else {
        return Err(Problem::new(codes::NOT_FOUND).into());
    };
    Ok(Found {
        batch,
        run: read_item(run_item.clone())?,
        run_item: run_item.clone(),
    })
}

/// The ids that a batch was asked for; none for a selection.
///
/// # Errors
/// When DynamoDB does not answer.
pub(super) async fn requested_ids(
    billing: &Billing,
    context: &Context,
    found: &Found,
) -> Result<Option<Vec<PendingId>>, Failure> {
    if found.batch.selection.is_some() {
        return Ok(None);
    }
    let keys = BatchKeys::new(context.company.clone(), found.batch.id, 0);
    let query =
        Query::partition(table::BILLING, keys.partition()).prefix(table::REQUESTED_IDS_PREFIX);
    let mut ids = Vec::new();
    for item in billing.engine.db.query_all(query).await? {
        ids.extend(PackedIds::from_item(&item)?.0);
    }
    Ok(Some(ids))
}

/// Where a list of failed pendings goes on: block and position within it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct FailurePosition {
    block: u32,
    position: usize,
}

/// A page of the failed pendings of a batch's present run, in the order in which they were judged.
///
/// # Errors
/// When DynamoDB does not answer.
pub(super) async fn failed_pendings(
    billing: &Billing,
    context: &Context,
    found: &Found,
    from: FailurePosition,
    limit: usize,
) -> Result<(Vec<FailedPending>, Option<FailurePosition>), Failure> {
    let keys = BatchKeys::new(context.company.clone(), found.batch.id, found.run.run);
    let mut page = Vec::new();
    let mut at = from;
    let mut query = Query::partition(table::BILLING, keys.partition()).between(
        keys.claim(from.block).sk,
        format!("{}{}", keys.claims_prefix(), table::AFTER_ALL),
    );
    loop {
        let blocks = billing.engine.db.query(&query).await?;
        for item in &blocks.items {
            for failed in ClaimBlock::from_item(item)?
                .failed
                .into_iter()
                .skip(at.position)
            {
                if page.len() == limit {
                    return Ok((page, Some(at)));
                }
                page.push(failed);
                at.position += 1;
            }
            at = FailurePosition {
                block: at.block + 1,
                position: 0,
            };
        }
        match blocks.last {
            Some(last) => query = query.start_after(last),
            None => return Ok((page, None)),
        }
    }
}

/// What a list of batches is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// State.
    pub status: Option<BatchStatus>,
    /// Book, normalised.
    pub receipt_book: Option<String>,
    /// First issue date.
    pub issue_date_from: Option<Date>,
    /// Last issue date.
    pub issue_date_to: Option<Date>,
}

impl Filter {
    fn admits(&self, batch: &Batch) -> bool {
        self.status.is_none_or(|status| status == batch.status)
            && self
                .receipt_book
                .as_ref()
                .is_none_or(|book| *book == batch.receipt_book.key())
            && self
                .issue_date_from
                .is_none_or(|from| batch.issue_date >= from)
            && self.issue_date_to.is_none_or(|to| batch.issue_date <= to)
    }
}

/// A page of batches, newest first, and the sort key to go on from.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn list(
    billing: &Billing,
    context: &Context,
    filter: &Filter,
    from: Option<String>,
    limit: usize,
) -> Result<(Vec<Found>, Option<String>), Failure> {
    let mut page = Vec::new();
    let mut position = from;
    let mut examined = 0;
    while examined < EXAMINED {
        let base = Query::index(
            table::BILLING,
            table::LIST_INDEX,
            table::LIST_PK,
            table::batches_list(&context.company),
            table::LIST_SORT,
        )
        .descending()
        .limit(u32::try_from(limit).unwrap_or(u32::MAX));
        let query = match &position {
            Some(position) => base.before(position),
            None => base,
        };
        let keys = billing.engine.db.query(&query).await?;
        let found = load(billing, &keys.items).await?;
        for (sort, found) in found {
            if page.len() == limit {
                return Ok((page, position));
            }
            examined += 1;
            position = Some(sort);
            if filter.admits(&found.batch) {
                page.push(found);
            }
        }
        if keys.last.is_none() {
            return Ok((page, None));
        }
    }
    Ok((page, position))
}

async fn load(billing: &Billing, entries: &[Item]) -> Result<Vec<(String, Found)>, Failure> {
    let mut keys = Vec::with_capacity(2 * entries.len());
    for entry in entries {
        keys.extend(sibling(entry, "batch"));
        keys.extend(sibling(entry, "run"));
    }
    let loaded = billing.engine.db.load(keys).await?;
    let mut found = Vec::with_capacity(entries.len());
    for entry in entries {
        let (Some(batch), Some(run), Some(sort)) = (
            sibling(entry, "batch"),
            sibling(entry, "run"),
            text(entry, table::LIST_SORT),
        ) else {
            continue;
        };
        if let (Some(batch), Some(run_item)) = (loaded.read::<Batch>(&batch)?, loaded.item(&run)) {
            found.push((
                sort.to_owned(),
                Found {
                    batch,
                    run: read_item(run_item.clone())?,
                    run_item: run_item.clone(),
                },
            ));
        }
    }
    Ok(found)
}

/// An item of the same batch as an index entry.
fn sibling(entry: &Item, sk: &str) -> Option<Key> {
    Some(Key::new(table::BILLING, text(entry, "pk")?, sk))
}
