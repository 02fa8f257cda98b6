//! Routes of pendings.

use axum::extract::{FromRef, State};
use cierre_kernel::codes;
use cierre_kernel::id::PendingId;
use cierre_platform::Result;
use cierre_platform::db::Db;
use cierre_platform::http::{
    Answer, Caller, Cursors, Fields, IfMatch, PageParameters, Paging, Query, Routes, Segment,
    allow, date, one_of,
};
use cierre_platform::route;

use super::repo::{Filter, Wanted, list};
use super::service;
use super::summary::{SummaryView, summary};
use super::views::{PendingPage, PendingView, view};
use crate::customers::customer_id;
use crate::entity::PendingStatus;
use crate::roles::{READ, WRITE};

/// The routes with their documentation.
pub fn router<S, R>() -> R
where
    R: Routes<S>,
    S: Clone + Send + Sync + 'static,
    Db: FromRef<S>,
    Cursors: FromRef<S>,
{
    let listing = allow(READ).invalid(&[codes::INVALID_DATE, codes::INVALID_RANGE]);
    R::default()
        .route(listing.on(route!(get_pendings)))
        .route(listing.on(route!(get_available)))
        .route(allow(READ).on(route!(get_summary)))
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_pending)),
        )
        .route(
            allow(WRITE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::PENDING_CLAIMED,
                    codes::PENDING_NOT_PENDING,
                    codes::CONCURRENT_CHANGE,
                ])
                .versioned()
                .on(route!(delete_pending)),
        )
}

/// List pendings
///
/// By date, then id.
#[utoipa::path(get, path = "/billing-pendings", tag = "Pendings",
    params(PageParameters, ("status" = Option<String>, Query, description = "`PENDING`, `INVOICED` or `CANCELLED`"), ("customerId" = Option<u32>, Query),
        ("serviceDateFrom" = Option<String>, Query), ("serviceDateTo" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = PendingPage)))]
async fn get_pendings(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let asked = query.decode(|fields| {
        let status = PendingStatus::ALL.map(|status| (status.as_str(), status));
        let status = fields.optional("status", one_of(&status));
        let asked = read_filter(fields);
        let wanted = status?.map_or(Wanted::Any, Wanted::Status);
        let (filter, paging) = asked?;
        Some((Filter { wanted, ..filter }, paging))
    });
    page(&db, &cursors, &caller, &query, asked).await
}

/// List available pendings
///
/// What a batch can claim: `PENDING`, and held by no other batch. By date, then id.
#[utoipa::path(get, path = "/billing-pendings/available", tag = "Pendings",
    params(PageParameters, ("customerId" = Option<u32>, Query), ("serviceDateFrom" = Option<String>, Query), ("serviceDateTo" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = PendingPage)))]
async fn get_available(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let asked = query.decode(|fields| {
        let (filter, paging) = read_filter(fields)?;
        Some((
            Filter {
                wanted: Wanted::Available,
                ..filter
            },
            paging,
        ))
    });
    page(&db, &cursors, &caller, &query, asked).await
}

fn read_filter(fields: &mut Fields<'_>) -> Option<(Filter, Paging)> {
    let customer_id = fields.optional("customerId", customer_id());
    let from = fields.optional("serviceDateFrom", date());
    let to = fields.optional("serviceDateTo", date());
    let in_order = fields.in_order("serviceDateFrom", &from, "serviceDateTo", &to);
    let paging = fields.paging();
    in_order?;
    let filter = Filter {
        customer_id: customer_id?,
        from: from?,
        to: to?,
        ..Filter::default()
    };
    Some((filter, paging?))
}

async fn page(
    db: &Db,
    cursors: &Cursors,
    caller: &Caller,
    query: &Query,
    asked: Result<(Filter, Paging)>,
) -> Result<Answer> {
    let (filter, paging) = asked?;
    let scope = caller.cursor_scope(query);
    let after: Option<String> = cursors.start(&scope, &paging)?;
    let (pendings, next) =
        list(db, &caller.context, &filter, paging.limit, after.as_deref()).await?;
    let pendings: Vec<PendingView> = pendings.iter().map(view).collect();
    let next = cursors.next(&scope, next)?;
    Ok(Answer::page(&pendings, next)?)
}

/// What waits for an invoice
///
/// Count and sum of the pendings in `PENDING`, in total and by customer. The figures follow within seconds.
#[utoipa::path(get, path = "/billing-pendings/summary", tag = "Pendings", params(PageParameters),
    responses((status = 200, description = "The figures; limit and cursor are of `byCustomer`", body = SummaryView)))]
async fn get_summary(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let after = cursors.start(&scope, &paging)?;
    let (mut view, next) = summary(&db, &caller.context, paging.limit, after).await?;
    view.by_customer.next = cursors.next(&scope, next)?;
    Ok(Answer::ok(&view)?)
}

/// One pending
#[utoipa::path(get, path = "/billing-pendings/{id}", tag = "Pendings", params(("id" = String, Path)),
    responses((status = 200, description = "The pending", body = PendingView)))]
async fn get_pending(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<PendingId>,
) -> Result<Answer> {
    let pending = service::find(&db, &caller.context, id).await?;
    Ok(Answer::ok(&view(&pending))?.versioned(pending.version))
}

/// Cancel a pending
///
/// Takes the service back out of billing: it can be changed, removed, or sent again under a new pending. The cancelled one stays to be read.
#[utoipa::path(delete, path = "/billing-pendings/{id}", tag = "Pendings", params(("id" = String, Path)),
    responses((status = 200, description = "The pending, cancelled", body = PendingView)))]
async fn delete_pending(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<PendingId>,
    if_match: IfMatch,
) -> Result<Answer> {
    service::cancel(&db, &caller.context, id, &if_match).await
}
