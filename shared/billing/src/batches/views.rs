//! Batches as they are shown.

use cierre_kernel::id::{BatchId, PendingId};
use cierre_kernel::money::{Currency, Money};
use cierre_platform::db::Item;
use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::{Phase, Run, document_chunks, materialised_count};
use crate::entity::{Attempt, Batch, BatchStatus, FailedPending, JobStatus, Selection};
use crate::rules::{claim_progress, stage_progress};

/// A batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchView {
    #[schema(value_type = String, example = "bat_01JD8XKQ5V0000000000000001")]
    id: BatchId,
    #[schema(value_type = String, example = "PROCESSED")]
    status: BatchStatus,
    #[schema(value_type = String, format = Date)]
    issue_date: String,
    #[schema(example = "A-0001")]
    receipt_book: String,
    #[schema(example = "skip")]
    on_invalid: &'static str,
    /// Only for a batch that was made by a selection.
    #[schema(value_type = Option<Object>)]
    selection: Option<SelectionView>,
    /// Only shown by `GET /billing-batches/{id}`, and only for a batch that was made by ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pending_ids: Option<Vec<PendingId>>,
    /// Null until a selection is resolved.
    requested_count: Option<u32>,
    invoice_count: u32,
    failed_count: u32,
    #[schema(example = "4650.50")]
    total_amount: String,
    /// The first 100; all of them at `/failed-pendings`.
    failed_pendings: Vec<FailedPendingView>,
    first_number: Option<u32>,
    last_number: Option<u32>,
    materialized: bool,
    materialized_count: u32,
    error_code: Option<String>,
    /// What to do next.
    error_message: Option<String>,
    processing_started_at: Option<String>,
    processing_completed_at: Option<String>,
    attempts: Vec<AttemptView>,
    created_at: String,
    created_by: String,
    updated_at: String,
    version: u64,
    correlation_id: String,
}

/// Which pendings a batch takes.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SelectionView {
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_ids: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_date_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_date_to: Option<String>,
}

/// A pending that a batch does not invoice.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct FailedPendingView {
    #[schema(value_type = String)]
    id: PendingId,
    #[schema(example = "pending_claimed")]
    code: String,
    reason: String,
}

/// One attempt of a job.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AttemptView {
    job_id: String,
    attempt: u32,
    started_at: String,
    ended_at: Option<String>,
    outcome: &'static str,
    error_code: Option<String>,
    error_message: Option<String>,
}

/// The latest job of a batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobInfo {
    job_id: String,
    /// `waiting`, `active`, `delayed`, `completed` or `failed`.
    status: &'static str,
    /// 0 to 100.
    progress: u8,
    /// Failed attempts.
    attempts_made: u32,
}

impl From<&FailedPending> for FailedPendingView {
    fn from(failed: &FailedPending) -> Self {
        Self {
            id: failed.id,
            code: failed.code.clone(),
            reason: failed.reason.clone(),
        }
    }
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            job_id: attempt.job_id.clone(),
            attempt: attempt.attempt,
            started_at: attempt.started_at.to_string(),
            ended_at: attempt.ended_at.map(|at| at.to_string()),
            outcome: attempt.outcome.as_str(),
            error_code: attempt.error_code.clone(),
            error_message: attempt.error_message.clone(),
        }
    }
}

impl From<&Selection> for SelectionView {
    fn from(selection: &Selection) -> Self {
        Self {
            customer_ids: selection.customer_ids.clone(),
            service_date_from: selection.service_date_from.map(|date| date.to_string()),
            service_date_to: selection.service_date_to.map(|date| date.to_string()),
        }
    }
}

/// Shows a batch. `run` adds how far stage 4 is; without it an unfinished stage 4 shows as not begun.
pub fn batch_view(batch: &Batch, run: Option<(&Run, &Item)>) -> BatchView {
    let materialized_count = match run {
        _ if batch.materialized => batch.invoice_count,
        Some((run, item)) if batch.status == BatchStatus::Processed => {
            materialised_count(run, item)
        }
        Some(_) | None => 0,
    };
    BatchView {
        id: batch.id,
        status: batch.status,
        issue_date: batch.issue_date.to_string(),
        receipt_book: batch.receipt_book.to_string(),
        on_invalid: batch.on_invalid.as_str(),
        selection: batch.selection.as_ref().map(SelectionView::from),
        pending_ids: None,
        requested_count: batch.requested_count,
        invoice_count: batch.invoice_count,
        failed_count: batch.failed_count,
        total_amount: Money::from_minor(batch.total_amount, Currency::Ars).to_string(),
        failed_pendings: batch
            .failed_pendings
            .iter()
            .map(FailedPendingView::from)
            .collect(),
        first_number: batch.first_number,
        last_number: batch.last_number,
        materialized: batch.materialized,
        materialized_count,
        error_code: batch.error_code.clone(),
        error_message: batch.error_message.clone(),
        processing_started_at: batch.processing_started_at.map(|at| at.to_string()),
        processing_completed_at: batch.processing_completed_at.map(|at| at.to_string()),
        attempts: batch.attempts.iter().map(AttemptView::from).collect(),
        created_at: batch.created_at.to_string(),
        created_by: batch.created_by.clone(),
        updated_at: batch.updated_at.to_string(),
        version: batch.version,
        correlation_id: batch.correlation_id.to_string(),
    }
}

impl BatchView {
    /// Adds the ids that the batch was asked for.
    #[must_use]
    pub fn with_ids(self, ids: Option<Vec<PendingId>>) -> Self {
        Self {
            pending_ids: ids,
            ..self
        }
    }
}

/// The latest job of a batch, with its progress as the run stands.
pub fn job_info(batch: &Batch, run: &Run) -> JobInfo {
    JobInfo {
        job_id: batch.job.id.clone(),
        status: batch.job.status.as_str(),
        progress: job_progress(batch, run),
        attempts_made: batch.job.attempts_made,
    }
}

/// 0 to 100 by the chapter's formula. It never falls within a job: an error keeps what was reached before the claims were given back.
fn job_progress(batch: &Batch, run: &Run) -> u8 {
    let requested = batch.requested_count.unwrap_or_default();
    let claimed = claim_progress(run.judged, requested);
    let staged = (run.staged * crate::engine::DOCUMENT_CHUNK as u32).min(run.valid);
    let staging = stage_progress(staged, run.valid);
    match (batch.job.status, run.phase) {
        (JobStatus::Completed, _) => 100,
        (_, Phase::Resolve) => 0,
        (_, Phase::Claim) => claimed,
        (_, Phase::Stage | Phase::Commit) => staging,
        (_, Phase::Materialise) => 100,
        (_, Phase::Release | Phase::Over) if run.staged > 0 && document_chunks(run.valid) > 0 => {
            staging
        }
        (_, Phase::Release | Phase::Over) => claimed,
    }
}
