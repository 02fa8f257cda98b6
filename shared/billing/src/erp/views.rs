//! Previews and syncs as they are shown.

use cierre_kernel::id::{BatchId, SyncId};
use cierre_kernel::money::Money;
use cierre_kernel::time::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use super::documents::Gathered;
use crate::entity::{Compensation, ErpSync, Outcome, RefusedDocument, SyncStatus};
use crate::ids::DocumentId;
use crate::rules::{ErpDocument, MAX_SHOWN_FAILURES, pesos};

/// What a sync would hold.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PreviewView<'a> {
    #[schema(example = 1)]
    count: u32,
    #[schema(value_type = String, example = "1500.00")]
    total_amount: Money,
    #[schema(value_type = String, example = "1500.00")]
    total_debit: Money,
    #[schema(value_type = String, example = "1500.00")]
    total_credit: Money,
    refused_count: usize,
    /// The first hundred.
    #[schema(value_type = Vec<RefusedView>)]
    refused: Vec<RefusedDocument>,
    /// Null without documents.
    digest: Option<String>,
    /// The first hundred by number, as the ERP will see them.
    #[schema(value_type = Vec<Object>)]
    invoices: &'a [ErpDocument],
}

/// A document that does not go into a sync.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only describes how `RefusedDocument` is written")]
pub(super) struct RefusedView {
    id: String,
    #[schema(example = "already_synced")]
    code: String,
    reason: String,
}

pub(super) fn preview_view(gathered: &Gathered) -> PreviewView<'_> {
    PreviewView {
        count: gathered.totals.count,
        total_amount: pesos(gathered.totals.amount),
        total_debit: pesos(gathered.totals.debit),
        total_credit: pesos(gathered.totals.credit),
        refused_count: gathered.refused.len(),
        refused: gathered
            .refused_documents()
            .take(MAX_SHOWN_FAILURES)
            .collect(),
        digest: gathered.digest(),
        invoices: &gathered.first,
    }
}

/// A sync.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncView<'a> {
    #[schema(value_type = String, example = "syn_00000000000000000000000005")]
    id: SyncId,
    /// `PENDING`, `SENT`, `CONFIRMED` or `FAILED`.
    #[schema(value_type = String, example = "SENT")]
    status: SyncStatus,
    invoice_count: u32,
    #[schema(value_type = String, example = "1500.00")]
    total_amount: Money,
    digest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    batch_id: Option<BatchId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    invoice_ids: Option<&'a [DocumentId]>,
    /// The first hundred.
    #[schema(value_type = Vec<RefusedView>)]
    refused: &'a [RefusedDocument],
    refused_count: u32,
    chunks: u32,
    sent_chunks: u32,
    attempts: Vec<SyncAttemptView<'a>>,
    error_code: Option<&'a str>,
    error_message: Option<&'a str>,
    /// `NOT_NEEDED`, `PENDING` or `DONE`.
    #[schema(value_type = String, example = "NOT_NEEDED")]
    compensation: Compensation,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    created_by: &'a str,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    version: u64,
    correlation_id: String,
}

/// An attempt at a part.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SyncAttemptView<'a> {
    chunk: u32,
    attempt: u32,
    #[schema(value_type = String, format = DateTime)]
    started_at: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Instant>,
    #[schema(value_type = String, example = "completed")]
    outcome: Outcome,
    error_code: Option<&'a str>,
    error_message: Option<&'a str>,
}

pub(super) fn sync_view(sync: &ErpSync) -> SyncView<'_> {
    let attempts = sync.attempts.iter().map(|attempt| SyncAttemptView {
        chunk: attempt.chunk,
        attempt: attempt.attempt,
        started_at: attempt.started_at,
        ended_at: attempt.ended_at,
        outcome: attempt.outcome,
        error_code: attempt.error_code.as_deref(),
        error_message: attempt.error_message.as_deref(),
    });
    SyncView {
        id: sync.id,
        status: sync.status,
        invoice_count: sync.invoice_count,
        total_amount: pesos(sync.total_amount),
        digest: &sync.digest,
        batch_id: sync.batch_id,
        invoice_ids: sync.invoice_ids.as_deref(),
        refused: &sync.refused,
        refused_count: sync.refused_count,
        chunks: sync.chunks,
        sent_chunks: sync.sent_chunks,
        attempts: attempts.collect(),
        error_code: sync.error_code.as_deref(),
        error_message: sync.error_message.as_deref(),
        compensation: sync.compensation,
        created_at: sync.created_at,
        created_by: &sync.created_by,
        updated_at: sync.updated_at,
        version: sync.version,
        correlation_id: sync.correlation_id.to_string(),
    }
}
