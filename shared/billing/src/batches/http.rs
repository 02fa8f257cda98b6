//! Routes of batches.

use axum::extract::{FromRef, State};
use cierre_kernel::codes::{self, Code};
use cierre_kernel::id::{BatchId, PendingId};
use cierre_kernel::time::Date;
use cierre_platform::http::{
    Answer, Body, Caller, Cursors, Fields, PageParameters, Query, Routes, Rule, Segment, allow,
    date, date_within, id, integer, list as list_of, object, one_of,
};
use cierre_platform::route;
use cierre_platform::{Error, Result, random};
use serde_json::json;

use super::create::{NewBatch, Pendings, create, create_inline, retry};
use super::read::{FailurePosition, Filter, failed_pendings, find, list, requested_ids};
use super::views::{BatchView, FailedPendingView, batch_view, job_info};
use crate::entity::{BatchStatus, OnInvalid, Selection};
use crate::rejections::{Rejected, record_rejection};
use crate::roles::{READ, WRITE};
use crate::rules::{FIRST_DATE, MAX_BATCH_IDS, MAX_SYNC_IDS, ReceiptBook};
use crate::state::Billing;

/// Customers of one selection.
const MAX_CUSTOMERS: usize = 1_000;
/// Refusals of an accepted batch that the caller cannot mend by changing a field.
const STATE_REFUSALS: &[Code] = &[
    codes::FISCAL_PROFILE_MISSING,
    codes::ISSUE_DATE_BEFORE_LAST,
    codes::BOOK_EXHAUSTED,
];
const FIELD_REFUSALS: &[Code] = &[
    codes::RECEIPT_BOOK_ALIAS,
    codes::BOOK_LETTER_NOT_ALLOWED,
    codes::ISSUE_DATE_IN_FUTURE,
    codes::INVALID_RECEIPT_BOOK,
    codes::IDS_OR_SELECTION,
];

/// The routes with their documentation.
pub fn router<S, R>() -> R
where
    R: Routes<S>,
    S: Clone + Send + Sync + 'static,
    Billing: FromRef<S>,
    Cursors: FromRef<S>,
{
    R::default()
        .route(
            allow(WRITE)
                .refuses(STATE_REFUSALS)
                .invalid(FIELD_REFUSALS)
                .on(route!(post_batch)),
        )
        .route(
            allow(WRITE)
                .refuses(STATE_REFUSALS)
                .invalid(INLINE_REFUSALS)
                .on(route!(post_batch_sync)),
        )
        .route(allow(READ).on(route!(get_batches)))
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_batch)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_status)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_failed_pendings)),
        )
        .route(
            allow(WRITE)
                .refuses(&[codes::NOT_FOUND, codes::BATCH_NOT_RETRYABLE])
                .on(route!(post_retry)),
        )
}

const INLINE_REFUSALS: &[Code] = &[
    codes::RECEIPT_BOOK_ALIAS,
    codes::BOOK_LETTER_NOT_ALLOWED,
    codes::ISSUE_DATE_IN_FUTURE,
    codes::INVALID_RECEIPT_BOOK,
    codes::IDS_OR_SELECTION,
    codes::TOO_MANY_FOR_SYNC,
    codes::ASYNC_ONLY,
];

/// Accept a batch
///
/// Queues a batch of pendings, named by id or chosen by a selection. Numbers are given when it commits, never before.
#[utoipa::path(post, path = "/billing-batches", tag = "Batches",
    request_body(content = Object, example = json!({"issueDate": "2024-01-31", "receiptBook": "A-0001", "onInvalid": "skip",
        "selection": {"customerIds": [1, 2], "serviceDateFrom": "2024-01-01", "serviceDateTo": "2024-01-31"}})),
    responses((status = 202, description = "Queued; poll the Location", body = Object, example = json!({
        "batch": {"id": "bat_01JD8XKQ5V0000000000000001", "status": "PENDING_PROCESSING"},
        "queueInfo": {"jobId": "batch-bat_01JD8XKQ5V0000000000000001", "status": "queued",
            "message": "Batch bat_01JD8XKQ5V0000000000000001 has been queued for processing"}}))))]
async fn post_batch(State(billing): State<Billing>, caller: Caller, body: Body) -> Result<Answer> {
    let outcome = async {
        let new = body.decode(|fields| read_batch(fields, false))?;
        let id = BatchId::new(random::ulid(caller.context.now)?);
        create(
            &billing,
            &caller.context,
            &new,
            id,
            caller.command(&body).as_ref(),
        )
        .await
    };
    recorded(&billing, &caller, outcome.await).await
}

/// Invoice at once
///
/// Runs all stages of a batch of at most 100 pendings before answering; what cannot be finished in time goes on in the queue (202).
#[utoipa::path(post, path = "/billing-batches/sync", tag = "Batches",
    request_body(content = Object, example = json!({"issueDate": "2024-01-31", "receiptBook": "A-0001",
        "pendingIds": ["pen_00000000000000000000000001"]})),
    responses((status = 201, description = "Processed and materialised", body = Object), (status = 202, description = "Handed over to the queue", body = Object)))]
async fn post_batch_sync(
    State(billing): State<Billing>,
    caller: Caller,
    body: Body,
) -> Result<Answer> {
    let outcome = async {
        let new = body.decode(|fields| read_batch(fields, true))?;
        let id = BatchId::new(random::ulid(caller.context.now)?);
        create_inline(
            &billing,
            &caller.context,
            &new,
            id,
            caller.command(&body).as_ref(),
        )
        .await
    };
    recorded(&billing, &caller, outcome.await).await
}

/// A refusal for the fields of a batch request is an event of its own.
async fn recorded(billing: &Billing, caller: &Caller, outcome: Result<Answer>) -> Result<Answer> {
    if let Err(Error::Refused(problem)) = &outcome
        && problem.status == codes::VALIDATION_FAILED.status()
        && !problem.errors.is_empty()
    {
        record_rejection(
            &billing.engine.db,
            &caller.context,
            Rejected::Batch,
            problem,
        )
        .await?;
    }
    outcome
}

/// List batches
///
/// Newest first.
#[utoipa::path(get, path = "/billing-batches", tag = "Batches",
    params(PageParameters, ("status" = Option<String>, Query), ("receiptBook" = Option<String>, Query),
        ("issueDateFrom" = Option<String>, Query), ("issueDateTo" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = Object)))]
async fn get_batches(
    State(billing): State<Billing>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let (filter, paging) = query.decode(|fields| {
        let status = fields.optional("status", one_of(STATUSES));
        let book = fields.optional("receiptBook", book());
        let from = fields.optional("issueDateFrom", date());
        let to = fields.optional("issueDateTo", date());
        fields.in_order("issueDateFrom", &from, "issueDateTo", &to)?;
        let paging = fields.paging();
        let filter = Filter {
            status: status?,
            receipt_book: book?.map(ReceiptBook::key),
            issue_date_from: from?,
            issue_date_to: to?,
        };
        Some((filter, paging?))
    })?;
    let scope = caller.cursor_scope(&query);
    let from = cursors.start::<String>(&scope, &paging)?;
    let (page, next) = list(
        &billing,
        &caller.context,
        &filter,
        from,
        paging.limit.get() as usize,
    )
    .await?;
    let items: Vec<BatchView> = page
        .iter()
        .map(|found| batch_view(&found.batch, Some((&found.run, &found.run_item))))
        .collect();
    let next = cursors.next(&scope, next)?;
    Ok(Answer::page(&items, next)?)
}

/// One batch
///
/// With the ids it was asked for.
#[utoipa::path(get, path = "/billing-batches/{id}", tag = "Batches", params(("id" = String, Path)),
    responses((status = 200, description = "The batch", body = BatchView)))]
async fn get_batch(
    State(billing): State<Billing>,
    caller: Caller,
    Segment(id): Segment<BatchId>,
) -> Result<Answer> {
    let found = find(&billing, &caller.context, id).await?;
    let ids = requested_ids(&billing, &caller.context, &found).await?;
    let view = batch_view(&found.batch, Some((&found.run, &found.run_item))).with_ids(ids);
    Ok(Answer::ok(&view)?.versioned(found.batch.version))
}

/// How far a batch is
#[utoipa::path(get, path = "/billing-batches/{id}/status", tag = "Batches", params(("id" = String, Path)),
    responses((status = 200, description = "The batch and its latest job", body = Object)))]
async fn get_status(
    State(billing): State<Billing>,
    caller: Caller,
    Segment(id): Segment<BatchId>,
) -> Result<Answer> {
    let found = find(&billing, &caller.context, id).await?;
    let batch = batch_view(&found.batch, Some((&found.run, &found.run_item)));
    Ok(
        Answer::ok(&json!({ "batch": batch, "jobInfo": job_info(&found.batch, &found.run) }))?
            .versioned(found.batch.version),
    )
}

/// What a batch did not invoice
#[utoipa::path(get, path = "/billing-batches/{id}/failed-pendings", tag = "Batches", params(("id" = String, Path), PageParameters),
    responses((status = 200, description = "A page", body = Object)))]
async fn get_failed_pendings(
    State(billing): State<Billing>,
    State(cursors): State<Cursors>,
    caller: Caller,
    Segment(id): Segment<BatchId>,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let from = cursors.start::<FailurePosition>(&scope, &paging)?;
    let found = find(&billing, &caller.context, id).await?;
    let limit = paging.limit.get() as usize;
    let (page, next) = failed_pendings(
        &billing,
        &caller.context,
        &found,
        from.unwrap_or_default(),
        limit,
    )
    .await?;
    let items: Vec<FailedPendingView> = page.iter().map(FailedPendingView::from).collect();
    let next = cursors.next(&scope, next)?;
    Ok(Answer::page(&items, next)?)
}

/// Try a failed batch again
#[utoipa::path(post, path = "/billing-batches/{id}/retry", tag = "Batches", params(("id" = String, Path)),
    responses((status = 202, description = "Queued", body = Object, example = json!({
        "message": "Batch bat_01JD8XKQ5V0000000000000001 queued for retry", "jobId": "batch-bat_01JD8XKQ5V0000000000000001-retry-1"}))))]
async fn post_retry(
    State(billing): State<Billing>,
    caller: Caller,
    Segment(id): Segment<BatchId>,
    body: Body,
) -> Result<Answer> {
    body.expect_empty()?;
    retry(
        &billing,
        &caller.context,
        id,
        caller.command(&body).as_ref(),
    )
    .await
}

const STATUSES: &[(&str, BatchStatus)] = &[
    ("PENDING_PROCESSING", BatchStatus::PendingProcessing),
    ("IN_PROCESS", BatchStatus::InProcess),
    ("PROCESSED", BatchStatus::Processed),
    ("ERROR", BatchStatus::Error),
];

/// A receipt book, spelt with four or five digits.
fn book() -> impl Rule<Output = ReceiptBook> {
    cierre_platform::http::parsed(
        codes::INVALID_RECEIPT_BOOK,
        "must be a receipt book such as A-0001",
        |text: &str| ReceiptBook::parse(text).ok(),
    )
}

fn read_batch(fields: &mut Fields<'_>, inline: bool) -> Option<NewBatch> {
    let issue_date = fields.required("issueDate", date_within(FIRST_DATE..=Date::MAX));
    let receipt_book = fields.required("receiptBook", book());
    let on_invalid = fields.optional_or(
        "onInvalid",
        one_of(&[("skip", OnInvalid::Skip), ("fail", OnInvalid::Fail)]),
        OnInvalid::Skip,
    );
    let pendings = read_pendings(fields, inline);
    Some(NewBatch {
        issue_date: issue_date?,
        receipt_book: receipt_book?,
        on_invalid: on_invalid?,
        pendings: pendings?,
    })
}

fn read_pendings(fields: &mut Fields<'_>, inline: bool) -> Option<Pendings> {
    let (ids_given, selection_given) =
        (fields.is_given("pendingIds"), fields.is_given("selection"));
    let ids = fields.optional(
        "pendingIds",
        list_of(id::<cierre_kernel::id::Pending>(), 1..=MAX_BATCH_IDS).distinct(),
    );
    let selection = fields.optional("selection", object(read_selection));
    match (ids_given, selection_given) {
        (true, true) | (false, false) => fields.refuse_whole(
            codes::IDS_OR_SELECTION,
            "give either pendingIds or a selection",
        ),
        (false, true) if inline => fields.refuse(
            "selection",
            codes::ASYNC_ONLY,
            "a batch at once takes pendingIds only",
        ),
        (false, true) => selection?.map(Pendings::Selection),
        (true, false) => {
            let ids: Vec<PendingId> = ids??;
            if inline && ids.len() > MAX_SYNC_IDS {
                return fields.refuse(
                    "pendingIds",
                    codes::TOO_MANY_FOR_SYNC,
                    format!("at most {MAX_SYNC_IDS} pendings at once"),
                );
            }
            Some(Pendings::Ids(ids))
        }
    }
}

fn read_selection(fields: &mut Fields<'_>) -> Option<Selection> {
    let customer = integer(1..=i64::from(i32::MAX)).try_map(|id| u32::try_from(id).ok());
    let customer_ids = fields.optional(
        "customerIds",
        list_of(customer, 1..=MAX_CUSTOMERS).distinct(),
    );
    let from = fields.optional("serviceDateFrom", date());
    let to = fields.optional("serviceDateTo", date());
    fields.in_order("serviceDateFrom", &from, "serviceDateTo", &to)?;
    Some(Selection {
        customer_ids: customer_ids?,
        service_date_from: from?,
        service_date_to: to?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn codes_of(body: Value, inline: bool) -> Vec<(String, &'static str)> {
        let Err(Error::Refused(problem)) =
            cierre_platform::http::decode(&body, |fields| read_batch(fields, inline))
        else {
            return Vec::new();
        };
        problem
            .errors
            .iter()
            .map(|error| (error.pointer.clone(), error.code.as_str()))
            .collect()
    }

    fn batch(extra: Value) -> Value {
        let mut body = json!({ "issueDate": "2024-01-31", "receiptBook": "A-0001" });
        if let (Value::Object(body), Value::Object(extra)) = (&mut body, extra) {
            body.extend(extra);
        }
        body
    }

    #[test]
    fn ids_and_selection_exclude_each_other_and_one_is_needed() {
        let id = "pen_00000000000000000000000001";
        assert_eq!(
            codes_of(batch(json!({})), false),
            [(String::new(), "ids_or_selection")]
        );
        assert_eq!(
            codes_of(batch(json!({ "pendingIds": [id], "selection": {} })), false),
            [(String::new(), "ids_or_selection")]
        );
        assert!(codes_of(batch(json!({ "pendingIds": [id] })), false).is_empty());
        assert!(codes_of(batch(json!({ "selection": {} })), false).is_empty());
    }

    #[test]
    fn a_wrong_id_is_named_by_its_place() {
        let ids = json!({ "pendingIds": ["pen_00000000000000000000000001", "pen_x"] });
        assert_eq!(
            codes_of(batch(ids), false),
            [("/pendingIds/1".to_owned(), "invalid_id")]
        );
    }

    #[test]
    fn at_once_takes_a_hundred_ids_and_no_selection() {
        let ids: Vec<String> = (0..101).map(|n| format!("pen_{n:026}")).collect();
        assert_eq!(
            codes_of(batch(json!({ "pendingIds": ids })), true),
            [("/pendingIds".to_owned(), "too_many_for_sync")]
        );
        assert_eq!(
            codes_of(batch(json!({ "selection": {} })), true),
            [("/selection".to_owned(), "async_only")]
        );
    }

    #[test]
    fn books_are_letters_a_b_c_and_four_or_five_digits() {
        for wrong in ["a-0001", "D-0001", "A-001", "A-0000", "A-0001-NC"] {
            let body = json!({ "issueDate": "2024-01-31", "receiptBook": wrong, "selection": {} });
            assert_eq!(
                codes_of(body, false),
                [("/receiptBook".to_owned(), "invalid_receipt_book")],
                "{wrong}"
            );
        }
    }
}
