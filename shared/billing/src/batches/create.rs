//! Accepting a batch: by ids or by a selection, to the queue or at once; and accepting it again after an error.

use std::time::Duration;

use cierre_kernel::codes;
use cierre_kernel::cuit::Cuit;
use cierre_kernel::id::{BatchId, PendingId};
use cierre_kernel::problem::Problem;
use cierre_kernel::time::Date;
use cierre_platform::company::{self, CompanySettings};
use cierre_platform::db::{Condition, Loaded, Tx};
use cierre_platform::idempotency::{self, Answer, Begun, CommandKey};
use cierre_platform::{Context, Error, Failure, Result};
use serde_json::{Value, json};

use super::put_batch;
use super::views::batch_view;
use crate::command::{self, Planned, chain, stamp};
use crate::engine::{
    Advance, BatchKeys, Deadline, ID_BLOCK, JobMessage, PackedIds, Phase, Run, job_message,
    ticket_of,
};
use crate::entity::{
    Batch, BatchStatus, Book, Change, Issuer, OnInvalid, Order, ReceiptBook, Selection, Wanted,
};
use crate::error::BatchRefusal;
use crate::rules::job_id;
use crate::settings::BillingSettings;
use crate::state::Billing;
use crate::table;

/// Time that a batch at once may take of its caller's request; API Gateway gives up after 30 s.
const INLINE: Duration = Duration::from_secs(20);

/// A batch as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBatch {
    /// Date of all its invoices.
    pub issue_date: Date,
    /// Book that gives the numbers.
    pub receipt_book: ReceiptBook,
    /// What an invalid pending does.
    pub on_invalid: OnInvalid,
    /// The pendings, by id or by a selection.
    pub pendings: Pendings,
}

/// Which pendings a batch is asked to invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pendings {
    /// These.
    Ids(Vec<PendingId>),
    /// Whatever matches when the job resolves it.
    Selection(Selection),
}

impl NewBatch {
    fn order(&self, issuer: Issuer) -> Order {
        let wanted = match &self.pendings {
            Pendings::Ids(ids) => Wanted::Ids(ids.len() as u32),
            Pendings::Selection(selection) => Wanted::Selection(selection.clone()),
        };
        Order {
            issue_date: self.issue_date,
            receipt_book: self.receipt_book,
            on_invalid: self.on_invalid,
            wanted,
            issuer,
        }
    }
}

/// Accepts a batch and queues it.
///
/// # Errors
/// The refusals of the route; or a fault.
pub async fn create(
    billing: &Billing,
    context: &Context,
    new: &NewBatch,
    id: BatchId,
    key: Option<&CommandKey>,
) -> Result<Answer> {
    let answer = accept(billing, context, new, id, key, Lane::Queue).await?;
    if !answer.is_replayed() {
        // A crash before this line loses only the message; the sweeper queues jobs that make no progress.
        billing.engine.jobs.send(&message(context, id, 0)).await?;
    }
    Ok(answer)
}

/// Accepts a batch and runs all of its stages before answering. What it cannot finish in time goes on in the queue.
///
/// # Errors
/// The refusals of the route; 409 with the batch's error code when it ends in `ERROR`; or a fault.
pub async fn create_inline(
    billing: &Billing,
    context: &Context,
    new: &NewBatch,
    id: BatchId,
    key: Option<&CommandKey>,
) -> Result<Answer> {
    let id = match key {
        None => id,
        Some(key) => match idempotency::begin(&billing.engine.db, key, context.now).await? {
            Begun::Replayed(answer) => return Ok(answer.replayed()),
            // A repeat after a crash finds the batch that the first run made.
            Begun::Run(started) => BatchId::new(crate::ids::derived(started, &key.seed(), 0)),
        },
    };
    let outcome = run_inline(billing, context, new, id).await;
    match (key, &outcome) {
        (Some(key), Ok(answer)) => {
            idempotency::finish(&billing.engine.db, key, answer, context.now).await?
        }
        (Some(key), Err(Error::Refused(problem))) if !problem.extra.contains_key("batchId") => {
            idempotency::abandon(&billing.engine.db, key).await?;
        }
        (_, _) => {}
    }
    outcome
}

async fn run_inline(
    billing: &Billing,
    context: &Context,
    new: &NewBatch,
    id: BatchId,
) -> Result<Answer> {
    let keys = BatchKeys::new(context.company.clone(), id, 0);
    if billing.engine.db.get_item(&keys.batch()).await?.is_none() {
        accept(billing, context, new, id, None, Lane::Inline).await?;
    }
    let loaded = billing.engine.db.load([keys.batch(), keys.run()]).await?;
    let (batch, run) = batch_and_run(&loaded, &keys)?;
    if matches!(
        batch.status,
        BatchStatus::PendingProcessing | BatchStatus::InProcess
    ) {
        let advanced = billing
            .engine
            .advance_inline(context, batch, run, Deadline::after(INLINE))
            .await;
        if !matches!(advanced, Ok(Advance::Finished)) {
            let batch = reload(billing, &keys).await?;
            billing
                .engine
                .jobs
                .send(&job_message(context, &batch))
                .await?;
        }
    }
    let batch = reload(billing, &keys).await?;
    match batch.status {
        BatchStatus::Error => Err(ended_in_error(&batch).into()),
        BatchStatus::Processed if batch.materialized => Ok(Answer::created(
            location(id),
            &json!({ "batch": batch_view(&batch, None) }),
        )?),
        BatchStatus::Processed | BatchStatus::PendingProcessing | BatchStatus::InProcess => {
            Ok(queued(&batch)?)
        }
    }
}

/// Accepts a batch that ended in `ERROR` once more: everything is judged afresh, a selection keeps its moment.
///
/// # Errors
/// 404; 409 `batch_not_retryable`; or a fault.
pub async fn retry(
    billing: &Billing,
    context: &Context,
    id: BatchId,
    key: Option<&CommandKey>,
) -> Result<Answer> {
    let keys = BatchKeys::new(context.company.clone(), id, 0);
    let wanted = [
        keys.batch(),
        keys.run(),
        company::settings_key(&context.company),
        table::billing_settings(&context.company),
    ];
    let answer = command::run(&billing.engine.db, context, key, &wanted, |loaded| {
        let batch: Batch = loaded
            .read(&keys.batch())?
            .ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
        let run: Run = loaded
            .read(&keys.run())?
            .ok_or_else(|| Failure::message("a batch has no run"))?;
        plan_retry(context, loaded, &keys, &batch, &run)
    })
    .await?;
    if !answer.is_replayed() {
        let found = reload(billing, &keys).await?;
        billing
            .engine
            .jobs
            .send(&message(context, id, found.run))
            .await?;
    }
    Ok(answer)
}

fn plan_retry(
    context: &Context,
    loaded: &Loaded,
    keys: &BatchKeys,
    batch: &Batch,
    run: &Run,
) -> Result<Planned> {
    let retried = batch
        .retried(issuer(loaded, context)?, context.now)
        .map_err(Problem::from)?;
    let Change {
        state: mut next,
        events,
    } = retried.into_inner();
    let mut tx = Tx::new();
    for event in events {
        chain(&mut tx, context, event, Some(&mut next.head))?;
    }
    put_batch(
        &mut tx,
        &context.company,
        &next,
        Condition::version(batch.version),
    )?;
    let ticket = table::book_ticket(
        &context.company,
        &next.receipt_book.key(),
        context.now,
        next.id,
        next.run,
    );
    let (phase, blocks) = match next.selection {
        Some(_) => (Phase::Resolve, 0),
        None => (Phase::Claim, run.blocks),
    };
    // The epoch goes on from where it was: a worker of the old run that still sleeps is fenced off.
    let fresh = Run::new(
        next.run,
        run.epoch + 1,
        phase,
        blocks,
        Some(ticket.sk.clone()),
        context.now,
    );
    tx.put(
        keys.run(),
        &fresh,
        Condition::default().eq("epoch", run.epoch),
    )?;
    tx.put(ticket, &ticket_of(context, &next), Condition::absent())?;
    let body =
        json!({ "message": format!("Batch {} queued for retry", next.id), "jobId": next.job.id });
    Ok(Planned {
        tx,
        answer: Answer::accepted(location(next.id), &body)?,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    Queue,
    Inline,
}

/// One read, one transaction: the batch, its run, its ids, its place in the queue, its event, the idempotency record.
async fn accept(
    billing: &Billing,
    context: &Context,
    new: &NewBatch,
    id: BatchId,
    key: Option<&CommandKey>,
    lane: Lane,
) -> Result<Answer> {
    let book = table::book(&context.company, &new.receipt_book.key());
    let wanted = [
        company::settings_key(&context.company),
        table::billing_settings(&context.company),
        book.clone(),
    ];
    command::run(&billing.engine.db, context, key, &wanted, |loaded| {
        let order = new.order(issuer(loaded, context)?);
        let book: Option<Book> = loaded.read(&book)?;
        order
            .check(command::today(loaded, context)?, book.as_ref())
            .map_err(|refusals| BatchRefusal::problem(&refusals))?;
        plan_acceptance(context, new, id, order, lane)
    })
    .await
}

fn plan_acceptance(
    context: &Context,
    new: &NewBatch,
    id: BatchId,
    order: Order,
    lane: Lane,
) -> Result<Planned> {
    let ids: &[PendingId] = match &new.pendings {
        Pendings::Ids(ids) => ids,
        Pendings::Selection(_) => &[],
    };
    let blocks: Vec<PackedIds> = ids
        .chunks(ID_BLOCK)
        .map(|ids| PackedIds(ids.to_vec()))
        .collect();
    let Change {
        state: mut batch,
        events,
    } = Batch::accepted(id, order, &stamp(context));
    let keys = BatchKeys::new(context.company.clone(), id, 0);
    let mut tx = Tx::new();
    for event in events {
        chain(&mut tx, context, event, Some(&mut batch.head))?;
    }
    put_batch(&mut tx, &context.company, &batch, Condition::absent())?;
    let phase = if batch.selection.is_some() {
        Phase::Resolve
    } else {
        Phase::Claim
    };
    let ticket = table::book_ticket(
        &context.company,
        &batch.receipt_book.key(),
        context.now,
        id,
        0,
    );
    let place = (lane == Lane::Queue).then(|| ticket.sk.clone());
    tx.put(
        keys.run(),
        &Run::new(0, 0, phase, blocks.len() as u32, place, context.now),
        Condition::absent(),
    )?;
    for (number, block) in blocks.iter().enumerate() {
        tx.put_item(
            keys.ids(number as u32),
            block.to_item(),
            Condition::always(),
        );
    }
    if lane == Lane::Queue {
        tx.put(ticket, &ticket_of(context, &batch), Condition::absent())?;
    }
    Ok(Planned {
        tx,
        answer: queued(&batch)?,
    })
}

/// The company as its invoices will remember it.
fn issuer(loaded: &Loaded, context: &Context) -> Result<Issuer> {
    let company: Option<CompanySettings> = loaded.read(&company::settings_key(&context.company))?;
    let billing: Option<BillingSettings> =
        loaded.read(&table::billing_settings(&context.company))?;
    let issuer = company.zip(billing).and_then(|(company, billing)| {
        let tax_id = Cuit::parse(company.settings.tax_id.as_deref()?).ok()?;
        Some(Issuer {
            name: company.settings.name,
            tax_id,
            iva_condition: billing.iva_condition,
        })
    });
    issuer.ok_or_else(|| Problem::from(BatchRefusal::FiscalProfileMissing).into())
}

fn batch_and_run(loaded: &Loaded, keys: &BatchKeys) -> Result<(Batch, Run), Failure> {
    let batch = loaded.read(&keys.batch())?;
    let run = loaded.read(&keys.run())?;
    batch
        .zip(run)
        .ok_or_else(|| Failure::message("an accepted batch is missing"))
}

async fn reload(billing: &Billing, keys: &BatchKeys) -> Result<Batch, Failure> {
    billing
        .engine
        .db
        .get(&keys.batch())
        .await?
        .ok_or_else(|| Failure::message("an accepted batch is missing"))
}

fn queued(batch: &Batch) -> Result<Answer, Failure> {
    let id = batch.id;
    let info = json!({
        "jobId": batch.job.id,
        "status": "queued",
        "message": format!("Batch {id} has been queued for processing"),
    });
    Answer::accepted(
        location(id),
        &json!({ "batch": batch_view(batch, None), "queueInfo": info }),
    )
}

fn ended_in_error(batch: &Batch) -> Problem {
    let code = batch
        .error_code
        .as_deref()
        .and_then(codes::Code::find)
        .unwrap_or(codes::PROCESSING_FAILED);
    let mut problem = Problem::new(code).detail(batch.error_message.clone().unwrap_or_default());
    problem.status = 409;
    problem
        .extra
        .insert("batchId".to_owned(), Value::String(batch.id.to_string()));
    problem
}

fn location(id: BatchId) -> String {
    format!("/billing-batches/{id}/status")
}

fn message(context: &Context, id: BatchId, run: u32) -> JobMessage {
    let (company_id, correlation_id) = (context.company.clone(), context.correlation_id.clone());
    JobMessage {
        company_id,
        batch_id: id,
        job_id: job_id(id, run),
        correlation_id,
    }
}
