//! Routes of ERP syncs.

use axum::extract::{FromRef, State};
use cierre_kernel::codes::{self, Code};
use cierre_kernel::id::{Batch, SyncId};
use cierre_platform::http::{
    Answer, Body, Caller, Cursors, Fields, PageParameters, Query, Routes, Rule, Segment, allow, id,
    list as list_of, one_of, parsed, text,
};
use cierre_platform::route;
use cierre_platform::{Error, Result, random};
use serde::Deserialize;
use utoipa::ToSchema;

use super::create::{Wanted, create, preview};
use super::moves::{cancel, confirm};
use super::read::{RefusedPosition, find, history, refused};
use super::views::{PreviewView, RefusedView, SyncView, sync_view};
use crate::entity::{CANCEL_REASON, SyncStatus};
use crate::ids::DocumentId;
use crate::rejections::{Rejected, record_rejection};
use crate::roles::{READ, SETTLE, WRITE};
use crate::state::Billing;

/// Documents of one request.
const MAX_DOCUMENTS: usize = 1_000;

/// What can be wrong with the documents that are asked for.
const DOCUMENTS: &[Code] = &[
    codes::INVALID_ID,
    codes::DUPLICATE_ITEMS,
    codes::TOO_MANY_ITEMS,
    codes::IDS_OR_BATCH,
];
/// Why a batch has nothing to preview.
const NOT_YET: &[Code] = &[
    codes::NOT_FOUND,
    codes::BATCH_NOT_PROCESSED,
    codes::BATCH_MATERIALIZING,
];
/// Why nothing is sent.
const NOT_SENT: &[Code] = &[
    codes::NOT_FOUND,
    codes::BATCH_NOT_PROCESSED,
    codes::BATCH_MATERIALIZING,
    codes::NOTHING_TO_SYNC,
    codes::DIGEST_MISMATCH,
    codes::ALREADY_SYNCED,
    codes::SYNC_IN_PROGRESS,
    codes::CAE_PENDING,
    codes::INVOICE_NOT_FOUND,
];
/// Why a sync is not settled.
const NOT_SETTLED: &[Code] = &[
    codes::NOT_FOUND,
    codes::SYNC_NOT_SENT,
    codes::SYNC_CONFIRMED,
    codes::SYNC_FAILED,
    codes::DIGEST_MISMATCH,
    codes::CONCURRENT_CHANGE,
];

/// The routes with their documentation.
pub fn router<S, R>() -> R
where
    R: Routes<S>,
    S: Clone + Send + Sync + 'static,
    Cursors: FromRef<S>,
    Billing: FromRef<S>,
{
    R::default()
        .route(
            allow(READ)
                .refuses(NOT_YET)
                .invalid(DOCUMENTS)
                .on(route!(post_preview)),
        )
        .route(
            allow(WRITE)
                .refuses(NOT_SENT)
                .invalid(DOCUMENTS)
                .on(route!(post_erp_invoices)),
        )
        .route(
            allow(WRITE)
                .refuses(NOT_SENT)
                .invalid(&[codes::INVALID_ID])
                .on(route!(post_erp_batch)),
        )
        .route(allow(READ).on(route!(get_history)))
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_sync)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_refused)),
        )
        .route(allow(SETTLE).refuses(NOT_SETTLED).on(route!(post_confirm)))
        .route(allow(SETTLE).refuses(NOT_SETTLED).on(route!(post_cancel)))
}

/// Which documents a preview is about: exactly one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only describes what `read_wanted` reads")]
struct PreviewBody {
    #[schema(min_items = 1, max_items = 1000)]
    invoice_ids: Option<Vec<String>>,
    batch_id: Option<String>,
}

/// Documents to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only describes what `post_erp_invoices` reads")]
struct InvoicesBody {
    #[schema(min_items = 1, max_items = 1000)]
    invoice_ids: Vec<String>,
    /// The digest of the preview; when the documents have another one by now, nothing is sent.
    digest: Option<String>,
}

/// A batch to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only describes what `post_erp_batch` reads")]
struct BatchBody {
    batch_id: String,
    /// The digest of the preview; when the documents have another one by now, nothing is sent.
    digest: Option<String>,
}

/// The digest that a person compared with the ERP's.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "only describes what `post_confirm` reads")]
struct ConfirmBody {
    digest: String,
}

/// Why a sync is cancelled.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "only describes what `post_cancel` reads")]
struct CancelBody {
    #[schema(min_length = 3, max_length = 500)]
    reason: String,
}

/// A page of syncs.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only describes what `Answer::page` writes")]
struct SyncPage {
    items: Vec<SyncView<'static>>,
    next: Option<String>,
}

/// A page of refused documents.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only describes what `Answer::page` writes")]
struct RefusedPage {
    items: Vec<RefusedView>,
    next: Option<String>,
}

fn documents() -> impl Rule<Output = Vec<DocumentId>> {
    let id = parsed(
        codes::INVALID_ID,
        "must be the id of an invoice or a credit note",
        |text: &str| text.parse::<DocumentId>().ok(),
    );
    list_of(id, 1..=MAX_DOCUMENTS).distinct()
}

fn digest() -> impl Rule<Output = String> {
    let is_digest = |text: &str| {
        text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    parsed(
        codes::INVALID_FORMAT,
        "must be 64 lower-case hexadecimal digits",
        move |text: &str| is_digest(text).then(|| text.to_owned()),
    )
}

fn read_wanted(fields: &mut Fields<'_>) -> Option<Wanted> {
    let ids = fields.optional("invoiceIds", documents());
    let batch = fields.optional("batchId", id::<Batch>());
    match (ids?, batch?) {
        (Some(ids), None) => Some(Wanted::Documents(ids)),
        (None, Some(batch)) => Some(Wanted::Batch(batch)),
        (Some(_), Some(_)) | (None, None) => fields.refuse(
            "invoiceIds",
            codes::IDS_OR_BATCH,
            "give exactly one of invoiceIds and batchId",
        ),
    }
}

/// Preview a sync
///
/// What would be sent: counts, sums, digest, and the first hundred documents with their accounting entries. Nothing is stored or sent.
#[utoipa::path(post, path = "/erp-sync/preview", tag = "ERP sync", request_body = PreviewBody,
    responses((status = 200, description = "The preview", body = PreviewView<'static>)))]
async fn post_preview(
    State(billing): State<Billing>,
    caller: Caller,
    body: Body,
) -> Result<Answer> {
    let outcome = async {
        let wanted = body.decode(read_wanted)?;
        preview(&billing.syncs, &caller.context, &wanted).await
    };
    recorded(&billing, &caller, outcome.await).await
}

/// Send documents to the ERP
///
/// Documents that cannot be sent are listed in `refused`, the rest goes on. What is sent and its digest are fixed now.
#[utoipa::path(post, path = "/erp-sync/invoices", tag = "ERP sync", request_body = InvoicesBody,
    responses((status = 202, description = "The sync", body = SyncView<'static>)))]
async fn post_erp_invoices(
    State(billing): State<Billing>,
    caller: Caller,
    body: Body,
) -> Result<Answer> {
    let read = body.decode(|fields| {
        let ids = fields.required("invoiceIds", documents());
        let digest = fields.optional("digest", digest());
        Some((Wanted::Documents(ids?), digest?))
    });
    make(&billing, &caller, &body, read).await
}

/// Send a batch to the ERP
///
/// All of its invoices that can be sent; see the route for documents.
#[utoipa::path(post, path = "/erp-sync/batch", tag = "ERP sync", request_body = BatchBody,
    responses((status = 202, description = "The sync", body = SyncView<'static>)))]
async fn post_erp_batch(
    State(billing): State<Billing>,
    caller: Caller,
    body: Body,
) -> Result<Answer> {
    let read = body.decode(|fields| {
        let batch = fields.required("batchId", id::<Batch>());
        let digest = fields.optional("digest", digest());
        Some((Wanted::Batch(batch?), digest?))
    });
    make(&billing, &caller, &body, read).await
}

async fn make(
    billing: &Billing,
    caller: &Caller,
    body: &Body,
    read: Result<(Wanted, Option<String>)>,
) -> Result<Answer> {
    let outcome = async {
        let (wanted, digest) = read?;
        let id = SyncId::new(random::ulid(caller.context.now)?);
        create(
            &billing.syncs,
            &caller.context,
            &wanted,
            digest.as_deref(),
            id,
            caller.command(body).as_ref(),
        )
        .await
    };
    recorded(billing, caller, outcome.await).await
}

/// A refusal for the fields of a request is an event of its own.
async fn recorded(billing: &Billing, caller: &Caller, outcome: Result<Answer>) -> Result<Answer> {
    if let Err(Error::Refused(problem)) = &outcome
        && problem.status == codes::VALIDATION_FAILED.status()
        && !problem.errors.is_empty()
    {
        record_rejection(&billing.syncs.db, &caller.context, Rejected::Sync, problem).await?;
    }
    outcome
}

/// List syncs
///
/// Newest first.
#[utoipa::path(get, path = "/erp-sync/history", tag = "ERP sync", params(PageParameters, ("status" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = SyncPage)))]
async fn get_history(
    State(billing): State<Billing>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let (status, paging) = query.decode(|fields| {
        let words = SyncStatus::ALL.map(|status| (status.as_str(), status));
        let status = fields.optional("status", one_of(&words));
        let paging = fields.paging();
        Some((status?, paging?))
    })?;
    let scope = caller.cursor_scope(&query);
    let from = cursors.start::<String>(&scope, &paging)?;
    let (company, limit) = (&caller.context.company, paging.limit.get() as usize);
    let (syncs, next) = history(&billing.syncs.db, company, status, from, limit).await?;
    let views: Vec<SyncView<'_>> = syncs.iter().map(sync_view).collect();
    let next = cursors.next(&scope, next)?;
    Ok(Answer::page(&views, next)?)
}

/// One sync
#[utoipa::path(get, path = "/erp-sync/{syncId}", tag = "ERP sync", params(("syncId" = String, Path)),
    responses((status = 200, description = "The sync", body = SyncView<'static>)))]
async fn get_sync(
    State(billing): State<Billing>,
    caller: Caller,
    Segment(id): Segment<SyncId>,
) -> Result<Answer> {
    let sync = find(&billing.syncs.db, &caller.context.company, id).await?;
    Ok(Answer::ok(&sync_view(&sync))?.versioned(sync.version))
}

/// The documents that a sync does not take
#[utoipa::path(get, path = "/erp-sync/{syncId}/refused", tag = "ERP sync", params(("syncId" = String, Path), PageParameters),
    responses((status = 200, description = "A page", body = RefusedPage)))]
async fn get_refused(
    State(billing): State<Billing>,
    State(cursors): State<Cursors>,
    caller: Caller,
    Segment(id): Segment<SyncId>,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let from = cursors
        .start::<RefusedPosition>(&scope, &paging)?
        .unwrap_or_default();
    let (db, company) = (&billing.syncs.db, &caller.context.company);
    find(db, company, id).await?;
    let (page, next) = refused(db, company, id, from, paging.limit.get() as usize).await?;
    let next = cursors.next(&scope, next)?;
    Ok(Answer::page(&page, next)?)
}

/// Confirm a sync
///
/// With the digest that the ERP shows. The ERP is told; the state does not wait for its answer.
#[utoipa::path(post, path = "/erp-sync/confirm/{syncId}", tag = "ERP sync", params(("syncId" = String, Path)), request_body = ConfirmBody,
    responses((status = 200, description = "The sync", body = SyncView<'static>)))]
async fn post_confirm(
    State(billing): State<Billing>,
    caller: Caller,
    Segment(id): Segment<SyncId>,
    body: Body,
) -> Result<Answer> {
    let digest = body.decode(|fields| fields.required("digest", digest()))?;
    let command = caller.command(&body);
    confirm(
        &billing.syncs,
        &caller.context,
        id,
        &digest,
        command.as_ref(),
    )
    .await
}

/// Cancel a sync
///
/// One that was sent and is not confirmed. The ERP is told to take its documents back, until it accepts.
#[utoipa::path(post, path = "/erp-sync/cancel/{syncId}", tag = "ERP sync", params(("syncId" = String, Path)), request_body = CancelBody,
    responses((status = 200, description = "The sync", body = SyncView<'static>)))]
async fn post_cancel(
    State(billing): State<Billing>,
    caller: Caller,
    Segment(id): Segment<SyncId>,
    body: Body,
) -> Result<Answer> {
    let reason = body.decode(|fields| fields.required("reason", text(CANCEL_REASON)))?;
    let command = caller.command(&body);
    cancel(
        &billing.syncs,
        &caller.context,
        id,
        &reason,
        command.as_ref(),
    )
    .await
}
