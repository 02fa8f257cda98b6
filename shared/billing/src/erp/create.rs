//! Previews of syncs, and syncs made of the same documents.

use cierre_kernel::id::{BatchId, SyncId};
use cierre_kernel::problem::{FieldError, Problem};
use cierre_platform::db::{Condition, MAX_ACTIONS, Tx};
use cierre_platform::idempotency::{self, Answer, CommandKey};
use cierre_platform::{Context, Failure, Result};

use super::Syncs;
use super::documents::{Gathered, batch_numbers, of_batch};
use super::item::{REFUSED_BLOCK, RefusedBlock, SyncMessage, Work, parts, put_sync};
use super::views::{preview_view, sync_view};
use crate::command::{self, Planned, chain, stamp};
use crate::entity::{ErpSync, NewSync, SyncSource};
use crate::error::SyncRefusal;
use crate::ids::DocumentId;
use crate::table;

/// What a sync is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Documents by their ids.
    Documents(Vec<DocumentId>),
    /// Every invoice of a batch.
    Batch(BatchId),
}

/// What a sync would hold; nothing is stored and nothing is sent.
///
/// # Errors
/// For a batch 404, 409 `batch_not_processed`, `batch_materializing`; or a fault.
pub(super) async fn preview(syncs: &Syncs, context: &Context, wanted: &Wanted) -> Result<Answer> {
    let gathered = gather(syncs, context, wanted).await?;
    Ok(Answer::ok(&preview_view(&gathered))?)
}

/// Makes a sync and has it sent.
///
/// The parts and the refused documents are written first, under the id of a sync that nobody knows yet; the sync itself, its event and the
/// idempotency record follow in one transaction. A crash in between leaves items that no sync names.
///
/// # Errors
/// 409 with every document's reason when none is left, `digest_mismatch`; for a batch as [`preview`]; or a fault.
pub(super) async fn create(
    syncs: &Syncs,
    context: &Context,
    wanted: &Wanted,
    expected: Option<&str>,
    id: SyncId,
    key: Option<&CommandKey>,
) -> Result<Answer> {
    // Before anything is judged: what the first run took would now be in progress.
    if let Some(key) = key {
        let record = syncs.db.get_item(&key.record()).await?;
        if let Some(answer) = idempotency::replay(record.as_ref(), key, context.now)? {
            return Ok(answer.replayed());
        }
    }
    let gathered = gather(syncs, context, wanted).await?;
    let new = new_sync(id, wanted, &gathered)?;
    let change = ErpSync::created(new, expected, &stamp(context)).map_err(Problem::from)?;
    store_parts(syncs, context, id, &gathered).await?;
    let answer = command::run(&syncs.db, context, key, &[], |_| {
        let (mut sync, events) = (change.state.clone(), change.events.clone());
        let mut tx = Tx::new();
        for event in events {
            chain(&mut tx, context, event, Some(&mut sync.head))?;
        }
        put_sync(&mut tx, &context.company, &sync, Condition::absent())?;
        tx.put(
            table::sync_work(&context.company, id),
            &Work::new(0, context.now),
            Condition::absent(),
        )?;
        let location = format!("/erp-sync/{id}");
        Ok(Planned {
            tx,
            answer: Answer::accepted(location, &sync_view(&sync))?,
        })
    })
    .await?;
    if !answer.is_replayed() {
        let message = SyncMessage {
            company_id: context.company.clone(),
            sync_id: id,
            correlation_id: context.correlation_id.clone(),
        };
        syncs.queue.send(&message).await?;
    }
    Ok(answer)
}

async fn gather(syncs: &Syncs, context: &Context, wanted: &Wanted) -> Result<Gathered> {
    let (db, company) = (&syncs.db, &context.company);
    match wanted {
        Wanted::Documents(ids) => Gathered::of(db, company, ids).await,
        Wanted::Batch(batch) => {
            let numbers = batch_numbers(db, company, *batch).await?;
            let ids = of_batch(db, company, &numbers).await?;
            Gathered::of(db, company, &ids).await
        }
    }
}

fn new_sync(id: SyncId, wanted: &Wanted, gathered: &Gathered) -> Result<NewSync> {
    let Some(digest) = gathered.digest() else {
        let errors = gathered.refused.iter().enumerate();
        let errors = errors.map(|(place, (_, refusal))| {
            let pointer = match wanted {
                Wanted::Documents(_) => format!("/invoiceIds/{place}"),
                Wanted::Batch(_) => "/batchId".to_owned(),
            };
            FieldError::new(pointer, refusal.code(), refusal.to_string())
        });
        // A batch's documents all have one of a few reasons; a thousand of them say no more than a hundred.
        let errors = errors.take(crate::rules::MAX_SHOWN_FAILURES * 10).collect();
        return Err(SyncRefusal::nothing_left(errors).into());
    };
    let source = match wanted {
        Wanted::Documents(ids) => SyncSource::Documents(ids.clone()),
        Wanted::Batch(batch) => SyncSource::Batch(*batch),
    };
    Ok(NewSync {
        id,
        source,
        invoice_count: gathered.totals.count,
        total_amount: gathered.totals.amount,
        digest,
        refused_count: u32::try_from(gathered.refused.len()).unwrap_or(u32::MAX),
        refused: gathered.refused_documents().collect(),
    })
}

async fn store_parts(
    syncs: &Syncs,
    context: &Context,
    id: SyncId,
    gathered: &Gathered,
) -> Result<(), Failure> {
    let company = &context.company;
    for group in parts(company, id, &gathered.ids).chunks(MAX_ACTIONS) {
        let mut tx = Tx::new();
        for (key, item) in group {
            tx.put_item(key.clone(), item.clone(), Condition::always());
        }
        syncs.db.commit(&tx).await?;
    }
    let refused: Vec<_> = gathered.refused_documents().collect();
    let blocks = (0..).zip(refused.chunks(REFUSED_BLOCK));
    let blocks = blocks.map(|(number, refused)| {
        let block = RefusedBlock {
            refused: refused.to_vec(),
        };
        (table::sync_refused(company, id, number), block)
    });
    syncs.db.put_all(blocks).await
}
