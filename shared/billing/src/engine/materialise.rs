//! Stage 4: pendings become invoices, in place. Every step says the same whoever takes it, however often and however late.
//!
//! A document's content is fixed since stage 2 and its number since stage 3, so this stage needs no turn: several workers take parts of one
//! batch, and a repeated part finds its pendings invoiced already. A pending, its service and its invoice are one item, so CAE, states and
//! number change in one write, and nobody ever sees half of it.

use std::collections::BTreeMap;

use cierre_kernel::company::CompanyId;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::BatchId;
use cierre_platform::db::{Changes, CommitError, Condition, Db, Item, Tx, number_set, read_item};
use cierre_platform::error::Doing;
use cierre_platform::{Context, Failure, clock};
use futures::future::try_join_all;

use super::items::{
    BatchKeys, CHUNKS_PER_MESSAGE, DOCUMENT_CHUNK, DocumentChunk, Posting, Run, document_chunks,
};
use super::turn::write_batch;
use crate::authority::{Authority, Voucher, settle};
use crate::entity::{Batch, BatchStatus, Draft, Grant, Invoice, Service};
use crate::rules::InvoiceNumber;
use crate::service_item::put_service;
use crate::table;

/// Which attribute of the run lists the finished parts.
const DONE: &str = "done";

/// What there was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Materialised {
    /// This part is finished; others may not be.
    Part,
    /// The whole batch is finished.
    Batch,
    /// There is no committed batch of this id.
    NothingThere,
}

/// One committed batch in the hands of a stage 4 worker.
pub(super) struct Materialiser<'a, A> {
    pub(super) db: &'a Db,
    pub(super) authority: &'a A,
    pub(super) context: &'a Context,
    pub(super) batch: &'a Batch,
    pub(super) run: &'a Run,
    pub(super) keys: BatchKeys,
}

impl<A: Authority> Materialiser<'_, A> {
    /// Materialises one part and, if it was the last one missing, closes the batch.
    pub(super) async fn part(&self, part: u32) -> Result<Materialised, Failure> {
        let total = document_chunks(self.run.valid);
        let first = part * CHUNKS_PER_MESSAGE;
        let last = total.min(first + CHUNKS_PER_MESSAGE);
        let keys: Vec<_> = (first..last)
            .map(|chunk| self.keys.documents(chunk))
            .collect();
        let loaded = self.db.load(keys.clone()).await?;
        for key in &keys {
            let item = loaded
                .item(key)
                .ok_or_else(|| Failure::message("a chunk of a committed batch is missing"))?;
            self.chunk(&DocumentChunk::from_item(item)?).await?;
        }
        let changes = Changes::new().add(DONE, number_set([part]));
        let present = Condition::present();
        let run = self.db.change(&self.keys.run(), &changes, &present).await?;
        let run = run.ok_or_else(|| Failure::message("a committed batch has no run"))?;
        if finished_parts(&run).len() < self.run.parts() as usize {
            return Ok(Materialised::Part);
        }
        self.close().await
    }

    async fn chunk(&self, chunk: &DocumentChunk) -> Result<(), Failure> {
        let grants =
            try_join_all((0..chunk.pendings.len()).map(|position| self.grant(chunk, position)))
                .await?;
        self.post(chunk).await?;
        let mut left: Vec<usize> = (0..chunk.pendings.len()).collect();
        while !left.is_empty() {
            left = self.invoice(chunk, &grants, left).await?;
        }
        Ok(())
    }

    fn number(&self, chunk: &DocumentChunk, position: usize) -> Result<InvoiceNumber, Failure> {
        let first = self
            .batch
            .first_number
            .ok_or_else(|| Failure::message("a committed batch has no first number"))?;
        InvoiceNumber::invoice(
            self.batch.receipt_book,
            first + chunk.first + position as u32,
        )
        .doing("numbering a document")
    }

    async fn grant(&self, chunk: &DocumentChunk, position: usize) -> Result<Grant, Failure> {
        let amount = chunk.amounts.get(position).copied().unwrap_or_default();
        let receiver = chunk
            .customer(position)
            .and_then(|customer| customer.receiver.tax_id);
        let voucher = Voucher {
            number: self.number(chunk, position)?,
            issue_date: self.batch.issue_date,
            amount,
            receiver,
        };
        settle(self.authority, &voucher).await
    }

    /// Writes which customer got which numbers. Before the invoices, so that none is ever missing from its customer's list; readers check
    /// each invoice, so an entry may be early.
    async fn post(&self, chunk: &DocumentChunk) -> Result<(), Failure> {
        let mut postings: BTreeMap<u32, Posting> = BTreeMap::new();
        for (position, pending) in chunk.pendings.iter().enumerate() {
            let customer = chunk
                .customer(position)
                .ok_or_else(|| Failure::message("a document has no customer"))?;
            let posting = postings.entry(customer.id).or_insert_with(|| Posting {
                batch_id: self.batch.id,
                numbers: Vec::new(),
                pendings: Vec::new(),
            });
            posting.numbers.push(self.number(chunk, position)?.number());
            posting.pendings.push(*pending);
        }
        let spelling = self.batch.receipt_book.to_string();
        let rows = postings.into_iter().filter_map(|(customer, posting)| {
            let last = *posting.numbers.last()?;
            Some((
                table::customer_posting(
                    &self.context.company,
                    customer,
                    self.batch.issue_date,
                    &spelling,
                    last,
                ),
                posting,
            ))
        });
        self.db.put_all(rows).await
    }

    /// Invoices the documents at these positions in one transaction; answers those that moved in between and have to be looked at again.
    async fn invoice(
        &self,
        chunk: &DocumentChunk,
        grants: &[Grant],
        positions: Vec<usize>,
    ) -> Result<Vec<usize>, Failure> {
        let company = &self.context.company;
        let pending = |position: &usize| chunk.pendings.get(*position).copied();
        let loaded = self
            .db
            .load(
                positions
                    .iter()
                    .filter_map(pending)
                    .map(|id| table::service_of_pending(company, id)),
            )
            .await?;
        let mut tx = Tx::new();
        let mut written = Vec::with_capacity(positions.len());
        for position in positions {
            let inconsistent = || Failure::message("a document chunk is inconsistent");
            let pending = pending(&position).ok_or_else(inconsistent)?;
            let (grant, customer) = grants
                .get(position)
                .zip(chunk.customer(position))
                .ok_or_else(inconsistent)?;
            let service: Option<Service> =
                loaded.read(&table::service_of_pending(company, pending))?;
            let service = service.ok_or_else(|| {
                Failure::message(format!("{pending} of a committed batch is missing"))
            })?;
            let draft = Draft {
                service: &service,
                pending_id: pending,
                batch: self.batch,
                number: self.number(chunk, position)?,
                customer: &customer.receiver,
                grant: Some(*grant),
            };
            // The invoice exists since the commit; the item changes now.
            let now = clock::now();
            let issued_at = self.batch.processing_completed_at.unwrap_or(now);
            match service.materialise(Invoice::issue(draft, issued_at), now) {
                Ok(Decision::Applied(change)) => {
                    put_service(
                        &mut tx,
                        company,
                        &change.state,
                        Condition::version(service.version),
                    )?;
                    written.push(position);
                }
                Ok(Decision::Replayed(_)) => {}
                Err(refusal) => {
                    return Err(Failure::new(
                        format!("{pending} is neither held nor invoiced by its batch"),
                        refusal,
                    ));
                }
            }
        }
        if tx.is_empty() {
            return Ok(Vec::new());
        }
        match self.db.commit(&tx).await {
            Ok(()) => Ok(Vec::new()),
            // Something moved since it was read, most likely by another worker with the same part; nothing was written.
            Err(CommitError::Refused(_)) => Ok(written),
            Err(error @ (CommitError::Contended | CommitError::Failed(_))) => Err(error.into()),
        }
    }

    /// Marks the batch as materialised. Whoever comes second finds it done.
    async fn close(&self) -> Result<Materialised, Failure> {
        let now = clock::now();
        let change = self
            .batch
            .materialised(now)
            .doing("closing a batch")?
            .into_inner();
        let context = Context {
            now,
            ..self.context.clone()
        };
        let mut tx = Tx::new();
        write_batch(&mut tx, &context, self.batch, change)?;
        let over = Changes::new()
            .set("phase", "over")
            .remove("listPk")
            .remove("listSort");
        tx.update(self.keys.run(), over, Condition::present());
        match self.db.commit(&tx).await {
            Ok(()) => Ok(Materialised::Batch),
            Err(CommitError::Refused(_)) => {
                let now: Option<Batch> = self.db.get(&self.keys.batch()).await?;
                if now.is_some_and(|batch| batch.materialized) {
                    return Ok(Materialised::Batch);
                }
                Err(Failure::message("a batch moved while it was being closed"))
            }
            Err(error @ (CommitError::Contended | CommitError::Failed(_))) => Err(error.into()),
        }
    }
}

/// The parts of stage 4 that are finished.
pub(super) fn finished_parts(run: &Item) -> Vec<u32> {
    let parts = run.get(DONE).and_then(|value| value.as_ns().ok());
    parts
        .map(|parts| parts.iter().filter_map(|part| part.parse().ok()).collect())
        .unwrap_or_default()
}

/// How many documents the finished parts hold.
pub fn materialised_count(run: &Run, item: &Item) -> u32 {
    let per_part = CHUNKS_PER_MESSAGE * DOCUMENT_CHUNK as u32;
    finished_parts(item)
        .into_iter()
        .map(|part| run.valid.saturating_sub(part * per_part).min(per_part))
        .sum()
}

/// Loads what a stage 4 worker needs; `None` when the batch is unknown or not committed.
pub(super) async fn load(
    db: &Db,
    company: &CompanyId,
    batch: BatchId,
) -> Result<Option<(Batch, Run, Item)>, Failure> {
    let keys = BatchKeys::new(company.clone(), batch, 0);
    let loaded = db.load([keys.batch(), keys.run()]).await?;
    let (Some(batch), Some(item)) = (
        loaded.read::<Batch>(&keys.batch())?,
        loaded.item(&keys.run()),
    ) else {
        return Ok(None);
    };
    let committed = batch.status == BatchStatus::Processed;
    let run: Run = read_item(item.clone())?;
    Ok(committed.then(|| (batch, run, item.clone())))
}
