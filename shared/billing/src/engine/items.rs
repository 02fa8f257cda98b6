//! What a batch leaves in the table while it runs, beside the batch itself.
//!
//! Ids are packed: a pending takes 16 bytes instead of 30, and a block of them one write unit per 64.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::id::{BatchId, PendingId};
use cierre_kernel::time::{Date, Instant};
use cierre_platform::Failure;
use cierre_platform::db::{Item, Key, number, text};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::entity::{FailedPending, Receiver};
use crate::error::BatchRefusal;
use crate::table::{self, RunBlock};

/// Pendings of one claim transaction: DynamoDB's 100 actions less the run and the block that records the outcome.
pub(super) const CLAIM_BLOCK: usize = 98;
/// Documents of one chunk item, and of one materialising transaction: each document is one action.
pub const DOCUMENT_CHUNK: usize = 100;
/// Ids of one stored block of a request or a selection.
pub(crate) const ID_BLOCK: usize = 2000;
/// Chunk items that one queue message covers in stage 4: 500 documents, a few seconds of work.
pub(super) const CHUNKS_PER_MESSAGE: u32 = 5;

/// Where a run stands. The order is the order of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Stage 0: a selection waits to be resolved into ids.
    Resolve,
    /// Stage 1: pendings are claimed block by block.
    Claim,
    /// Stage 2: the frozen set becomes document chunks.
    Stage,
    /// Stage 3: everything is ready for the one transaction.
    Commit,
    /// Stage 4: pendings become invoices.
    Materialise,
    /// The batch is refused; claims are given back before it reads `ERROR`.
    Release,
    /// Nothing is left to do.
    Over,
}

/// The moving part of a batch: whose turn it is and how far the work is. Kept apart from the batch, because it changes with every block.
///
/// `epoch` is a fencing token: taking the turn raises it, and every write of stages 0 to 3 demands the epoch that its worker took. A worker
/// that slept through its lease wakes up with an old epoch and can change nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// 0 for the first job of the batch, one more with each retry.
    pub run: u32,
    /// The fencing token.
    pub epoch: u64,
    /// Until when the present worker may be trusted to be alive, in ms.
    pub lease_until: i64,
    /// An attempt is open: a worker is at it, or died at it.
    pub working: bool,
    /// The open attempt was handed over to the next delivery on purpose.
    pub handed_over: bool,
    /// Where the run stands.
    pub phase: Phase,
    /// The shard of open services that a selection is being looked for in; the number of shards when all were read.
    #[serde(default)]
    pub shard: u8,
    /// The last entry of that shard that was looked at; empty before the first.
    #[serde(default)]
    pub after: String,
    /// Pendings that the selection came to so far.
    #[serde(default)]
    pub selected: u32,
    /// Chunks of documents staged.
    pub staged: u32,
    /// Claim blocks whose pendings the batch holds; counts up in stage 1 and down in a release.
    pub claims: u32,
    /// Blocks of ids to claim.
    pub blocks: u32,
    /// Pendings looked at in stage 1.
    pub judged: u32,
    /// Of them, valid ones: claimed by this batch.
    pub valid: u32,
    /// Why the batch is being released, as `code` and sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<(String, String)>,
    /// The place in the book's queue; none for a batch that runs inline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Last progress in ms, as the sweeper sees it (refreshed once a minute at most).
    pub progress_at: i64,
    /// The sweeper's index: present while the run is unfinished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_pk: Option<String>,
    /// See `list_pk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_sort: Option<String>,
}

impl Run {
    /// A run that nobody has touched yet.
    pub fn new(
        run: u32,
        epoch: u64,
        phase: Phase,
        blocks: u32,
        ticket: Option<String>,
        now: Instant,
    ) -> Self {
        Self {
            run,
            epoch,
            lease_until: 0,
            working: false,
            handed_over: false,
            phase,
            shard: 0,
            after: String::new(),
            selected: 0,
            staged: 0,
            claims: 0,
            blocks,
            judged: 0,
            valid: 0,
            refusal: None,
            ticket,
            progress_at: now.as_millis(),
            list_pk: Some(table::JOBS_LIST.to_owned()),
            list_sort: Some(table::millis_sort(now)),
        }
    }

    /// The run from the moment on in which its batch is refused: every delivery from here on releases, none goes on.
    pub(super) fn refused(&self, refusal: &BatchRefusal) -> Self {
        let reason = (refusal.code().as_str().to_owned(), refusal.to_string());
        Self {
            phase: Phase::Release,
            refusal: Some(reason),
            ..self.clone()
        }
    }

    /// Parts of stage 4: queue messages, not chunk items.
    pub fn parts(&self) -> u32 {
        document_chunks(self.valid).div_ceil(CHUNKS_PER_MESSAGE)
    }
}

/// Chunk items that so many documents fill.
pub fn document_chunks(documents: u32) -> u32 {
    documents.div_ceil(DOCUMENT_CHUNK as u32)
}

/// Ids in the order in which they will be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PackedIds(pub Vec<PendingId>);

impl PackedIds {
    /// The stored item.
    pub(crate) fn to_item(&self) -> Item {
        let bytes: Vec<u8> = self.0.iter().flat_map(|id| id.ulid().to_bytes()).collect();
        Item::from([("ids".to_owned(), AttributeValue::B(Blob::new(bytes)))])
    }

    /// Reads the stored item.
    ///
    /// # Errors
    /// When it holds no ids.
    pub(crate) fn from_item(item: &Item) -> Result<Self, Failure> {
        Ok(Self(unpack(item, "ids")?))
    }
}

fn unpack(item: &Item, attribute: &str) -> Result<Vec<PendingId>, Failure> {
    let blob = item.get(attribute).and_then(|value| value.as_b().ok());
    let bytes = blob
        .ok_or_else(|| Failure::message(format!("a block holds no {attribute}")))?
        .as_ref();
    Ok(bytes
        .chunks_exact(16)
        .filter_map(|id| id.try_into().ok())
        .map(|id| PendingId::new(Ulid::from_bytes(id)))
        .collect())
}

/// A claimed pending, with what ordering and summing need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claimed {
    /// The pending.
    pub id: PendingId,
    /// Its date; the first part of the order within the batch.
    pub service_date: Date,
    /// Its customer.
    pub customer_id: u32,
    /// Its amount in minor units.
    pub amount: i64,
}

/// The outcome of one claim transaction, written by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClaimBlock {
    /// Held by the batch from this transaction on.
    pub claimed: Vec<Claimed>,
    /// Not held.
    pub failed: Vec<FailedPending>,
}

impl ClaimBlock {
    /// The stored item: ids packed, the rest in parallel lists.
    ///
    /// # Errors
    /// When a failure cannot be written as JSON.
    pub(crate) fn to_item(&self) -> Result<Item, Failure> {
        let ids = PackedIds(self.claimed.iter().map(|c| c.id).collect());
        let mut item = ids.to_item();
        let list = |values: Vec<AttributeValue>| AttributeValue::L(values);
        item.insert(
            "dates".into(),
            list(
                self.claimed
                    .iter()
                    .map(|c| AttributeValue::S(c.service_date.to_string()))
                    .collect(),
            ),
        );
        item.insert(
            "customers".into(),
            list(
                self.claimed
                    .iter()
                    .map(|c| AttributeValue::N(c.customer_id.to_string()))
                    .collect(),
            ),
        );
        item.insert(
            "amounts".into(),
            list(
                self.claimed
                    .iter()
                    .map(|c| AttributeValue::N(c.amount.to_string()))
                    .collect(),
            ),
        );
        if !self.failed.is_empty() {
            let failed = serde_json::to_string(&self.failed)
                .map_err(|e| Failure::new("writing failed pendings", e))?;
            item.insert("failed".into(), AttributeValue::S(failed));
        }
        Ok(item)
    }

    /// Reads the stored item.
    ///
    /// # Errors
    /// When its lists do not belong together.
    pub(crate) fn from_item(item: &Item) -> Result<Self, Failure> {
        let broken = || Failure::message("a claim block is inconsistent");
        let ids = PackedIds::from_item(item)?.0;
        let dates = list(item, "dates").ok_or_else(broken)?;
        let customers = numbers(item, "customers").ok_or_else(broken)?;
        let amounts = numbers(item, "amounts").ok_or_else(broken)?;
        if dates.len() != ids.len() || customers.len() != ids.len() || amounts.len() != ids.len() {
            return Err(broken());
        }
        let mut claimed = Vec::with_capacity(ids.len());
        for (((id, date), customer), amount) in
            ids.into_iter().zip(dates).zip(customers).zip(amounts)
        {
            let date = date
                .as_s()
                .ok()
                .and_then(|d| cierre_kernel::time::parse_date(d).ok())
                .ok_or_else(broken)?;
            let customer_id = u32::try_from(customer).map_err(|_| broken())?;
            claimed.push(Claimed {
                id,
                service_date: date,
                customer_id,
                amount,
            });
        }
        let failed = match text(item, "failed") {
            Some(failed) => serde_json::from_str(failed)
                .map_err(|e| Failure::new("reading failed pendings", e))?,
            None => Vec::new(),
        };
        Ok(Self { claimed, failed })
    }
}

/// What an invoice keeps of its customer for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Customer number.
    pub id: u32,
    /// Name, CUIT and condition at the time.
    pub receiver: Receiver,
}

/// Up to [`DOCUMENT_CHUNK`] documents without numbers: index `first + position` in the batch.
///
/// Durable from stage 2 on, visible from the commit on: a document's number is the batch's first number plus its index. What does not stand
/// here stands in the pending itself, which nobody may change while the batch holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentChunk {
    /// Index of the first document.
    pub first: u32,
    /// The pendings, in document order.
    pub pendings: Vec<PendingId>,
    /// Amounts in minor units, in document order.
    pub amounts: Vec<i64>,
    /// For each document the position of its customer in `customers`.
    pub customer_of: Vec<u32>,
    /// The customers of this chunk, each once.
    pub customers: Vec<Snapshot>,
    /// Service date of the first document: chunks are searched by (date, pending id).
    pub first_date: Date,
}

impl DocumentChunk {
    /// The stored item.
    ///
    /// # Errors
    /// When the snapshots cannot be written.
    pub(crate) fn to_item(&self) -> Result<Item, Failure> {
        let mut item = PackedIds(self.pendings.clone()).to_item();
        let numbers = |values: Vec<String>| {
            AttributeValue::L(values.into_iter().map(AttributeValue::N).collect())
        };
        item.insert("first".into(), AttributeValue::N(self.first.to_string()));
        item.insert(
            "firstDate".into(),
            AttributeValue::S(self.first_date.to_string()),
        );
        item.insert(
            "amounts".into(),
            numbers(self.amounts.iter().map(i64::to_string).collect()),
        );
        item.insert(
            "customerOf".into(),
            numbers(self.customer_of.iter().map(u32::to_string).collect()),
        );
        let customers = serde_json::to_string(&self.customers)
            .map_err(|e| Failure::new("writing snapshots", e))?;
        item.insert("customers".into(), AttributeValue::S(customers));
        Ok(item)
    }

    /// Reads the stored item.
    ///
    /// # Errors
    /// When its lists do not belong together.
    pub(crate) fn from_item(item: &Item) -> Result<Self, Failure> {
        let broken = || Failure::message("a document chunk is inconsistent");
        let pendings = PackedIds::from_item(item)?.0;
        let amounts = numbers(item, "amounts").ok_or_else(broken)?;
        let customer_of = numbers(item, "customerOf").ok_or_else(broken)?;
        let customer_of: Vec<u32> = customer_of
            .into_iter()
            .filter_map(|n| u32::try_from(n).ok())
            .collect();
        let customers: Vec<Snapshot> =
            serde_json::from_str(text(item, "customers").ok_or_else(broken)?)
                .map_err(|e| Failure::new("reading snapshots", e))?;
        let first = number(item, "first")
            .and_then(|n| u32::try_from(n).ok())
            .ok_or_else(broken)?;
        let first_date = text(item, "firstDate")
            .and_then(|d| cierre_kernel::time::parse_date(d).ok())
            .ok_or_else(broken)?;
        let known = customer_of
            .iter()
            .all(|position| (*position as usize) < customers.len());
        if amounts.len() != pendings.len() || customer_of.len() != pendings.len() || !known {
            return Err(broken());
        }
        Ok(Self {
            first,
            pendings,
            amounts,
            customer_of,
            customers,
            first_date,
        })
    }

    /// The customer of the document at `position`.
    pub(crate) fn customer(&self, position: usize) -> Option<&Snapshot> {
        self.customers
            .get(*self.customer_of.get(position)? as usize)
    }
}

fn list<'a>(item: &'a Item, attribute: &str) -> Option<&'a Vec<AttributeValue>> {
    item.get(attribute).and_then(|value| value.as_l().ok())
}

fn numbers(item: &Item, attribute: &str) -> Option<Vec<i64>> {
    list(item, attribute)?
        .iter()
        .map(|value| value.as_n().ok().and_then(|n| n.parse().ok()))
        .collect()
}

/// A place in a book's queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ticket {
    /// Whose turn it is when this ticket is the first.
    pub batch_id: BatchId,
    /// Its job.
    pub job_id: String,
    /// The correlation id to wake it under.
    pub correlation_id: CorrelationId,
}

/// The numbers that one commit took from a book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Range {
    /// The batch that took them.
    pub batch_id: BatchId,
    /// The batch's run whose chunks became documents.
    pub run: u32,
    /// First number.
    pub first: u32,
    /// Last number.
    pub last: u32,
    /// Their date.
    pub issue_date: Date,
    /// The book as it is spelt.
    pub receipt_book: String,
    /// Sum in minor units.
    pub total: i64,
    /// Index over all documents of a company, newest first.
    pub list_pk: String,
    /// See `list_pk`.
    pub list_sort: String,
}

/// One customer's documents within one chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Posting {
    /// The batch.
    pub batch_id: BatchId,
    /// Their numbers, rising.
    pub numbers: Vec<u32>,
    /// The pendings behind them, in the same order.
    pub pendings: Vec<PendingId>,
}

/// Keys of one run of a batch.
#[derive(Clone, Debug)]
pub(crate) struct BatchKeys {
    company: CompanyId,
    batch: BatchId,
    run: u32,
}

impl BatchKeys {
    pub(crate) fn new(company: CompanyId, batch: BatchId, run: u32) -> Self {
        Self {
            company,
            batch,
            run,
        }
    }

    pub(crate) fn partition(&self) -> String {
        table::batch_partition(&self.company, self.batch)
    }

    pub(crate) fn batch(&self) -> Key {
        table::batch(&self.company, self.batch)
    }

    pub(crate) fn run(&self) -> Key {
        table::batch_run(&self.company, self.batch)
    }

    pub(crate) fn ids(&self, block: u32) -> Key {
        table::requested_ids(&self.company, self.batch, block)
    }

    pub(crate) fn selection(&self, block: u32) -> Key {
        table::run_block(
            &self.company,
            self.batch,
            self.run,
            RunBlock::Selection,
            block,
        )
    }

    pub(crate) fn claim(&self, block: u32) -> Key {
        table::run_block(&self.company, self.batch, self.run, RunBlock::Claim, block)
    }

    pub(crate) fn claims_prefix(&self) -> String {
        RunBlock::Claim.prefix(self.run)
    }

    pub(crate) fn documents(&self, chunk: u32) -> Key {
        table::run_block(
            &self.company,
            self.batch,
            self.run,
            RunBlock::Documents,
            chunk,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date() -> impl Strategy<Value = Date> {
        (2000_i16..2030, 1_i8..13, 1_i8..29).prop_map(|(y, m, d)| {
            cierre_kernel::time::parse_date(&format!("{y:04}-{m:02}-{d:02}")).unwrap()
        })
    }

    fn claimed() -> impl Strategy<Value = Claimed> {
        (
            any::<u128>(),
            date(),
            1_u32..i32::MAX as u32,
            1_i64..9_999_999_999,
        )
            .prop_map(|(id, service_date, customer_id, amount)| Claimed {
                id: PendingId::new(Ulid(id >> 1)),
                service_date,
                customer_id,
                amount,
            })
    }

    proptest! {
        #[test]
        fn a_claim_block_comes_back_as_it_was_stored(claimed in prop::collection::vec(claimed(), 0..CLAIM_BLOCK)) {
            let failed = claimed.iter().take(2).map(|c| FailedPending { id: c.id, code: "pending_claimed".into(), reason: "r".into() }).collect();
            let block = ClaimBlock { claimed, failed };
            prop_assert_eq!(ClaimBlock::from_item(&block.to_item().unwrap()).unwrap(), block);
        }

        #[test]
        fn a_full_claim_block_costs_at_most_five_units_in_storage_terms(claimed in prop::collection::vec(claimed(), CLAIM_BLOCK)) {
            let item = ClaimBlock { claimed, failed: Vec::new() }.to_item().unwrap();
            prop_assert!(cierre_platform::db::item_bytes(&item) <= 5 * 1024);
        }
    }

    #[test]
    fn parts_cover_every_document() {
        for valid in [1, 99, 100, 101, 499, 500, 501, 100_000] {
            let run = Run {
                valid,
                ..Run::new(0, 0, Phase::Materialise, 1, None, Instant::from_millis(0))
            };
            assert!(run.parts() * CHUNKS_PER_MESSAGE * DOCUMENT_CHUNK as u32 >= valid);
            assert!((run.parts() - 1) * CHUNKS_PER_MESSAGE * (DOCUMENT_CHUNK as u32) < valid);
        }
    }
}
