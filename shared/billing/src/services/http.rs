//! Routes of services.

use axum::extract::{FromRef, State};
use cierre_kernel::codes;
use cierre_kernel::id::{Service as ServiceKind, ServiceId};
use cierre_platform::db::Db;
use cierre_platform::http::{
    Answer, At, Body, Caller, Cursors, IfMatch, PageParameters, Query, Routes, Rule, Segment,
    allow, date, id, list as list_of, one_of,
};
use cierre_platform::route;
use cierre_platform::{Result, random};
use serde_json::Value;

use super::fields::{Changes, Draft};
use super::repo::{Filter, list};
use super::views::{
    BulkBody, BulkOutcome, NewServiceBody, SendBody, SendOutcome, ServiceChangesBody, ServicePage,
    ServiceView, view,
};
use super::{MAX_ITEMS, create_many, send_to_billing, service};
use crate::customers::customer_id;
use crate::entity::ServiceStatus;
use crate::ids;
use crate::roles::{READ, WRITE};

/// The routes with their documentation.
pub fn router<S, R>() -> R
where
    R: Routes<S>,
    S: Clone + Send + Sync + 'static,
    Db: FromRef<S>,
    Cursors: FromRef<S>,
{
    let by_fields = allow(WRITE).invalid(&[
        codes::INVALID_DATE,
        codes::INVALID_AMOUNT,
        codes::UNKNOWN_CUSTOMER,
        codes::CUSTOMER_INACTIVE,
    ]);
    R::default()
        .route(by_fields.on(route!(post_service)))
        .route(
            allow(WRITE)
                .invalid(&[codes::TOO_MANY_ITEMS])
                .on(route!(post_bulk)),
        )
        .route(
            allow(READ)
                .invalid(&[codes::INVALID_DATE, codes::INVALID_RANGE])
                .on(route!(get_services)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_service)),
        )
        .route(
            by_fields
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::SERVICE_LOCKED,
                    codes::CONCURRENT_CHANGE,
                ])
                .versioned()
                .on(route!(patch_service)),
        )
        .route(
            allow(WRITE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::SERVICE_LOCKED,
                    codes::CONCURRENT_CHANGE,
                ])
                .versioned()
                .on(route!(delete_service)),
        )
        .route(
            allow(WRITE)
                .invalid(&[
                    codes::INVALID_ID,
                    codes::DUPLICATE_ITEMS,
                    codes::TOO_MANY_ITEMS,
                ])
                .on(route!(post_send)),
        )
}

/// Enter a service
#[utoipa::path(post, path = "/services", tag = "Services", request_body = NewServiceBody,
    responses((status = 201, description = "The service", body = ServiceView)))]
async fn post_service(State(db): State<Db>, caller: Caller, body: Body) -> Result<Answer> {
    let id = ids::service_id(random::ulid(caller.context.now)?);
    let command = caller.command(&body);
    let draft = Draft::of_body(&body)?;
    service::create(&db, &caller.context, id, draft, command.as_ref()).await
}

/// Enter services in bulk
///
/// Each service is entered on its own: a wrong one is named with its place and reason, the others are entered all the same. A repeat under the
/// same `Idempotency-Key` enters what a run that was cut off did not reach.
#[utoipa::path(post, path = "/services/bulk", tag = "Services", request_body = BulkBody,
    responses((status = 200, description = "What became of each", body = BulkOutcome)))]
async fn post_bulk(State(db): State<Db>, caller: Caller, body: Body) -> Result<Answer> {
    let items =
        body.decode(|fields| fields.required("services", list_of(AsSent, 1..=MAX_ITEMS)))?;
    let drafts: Vec<Draft> = items
        .iter()
        .map(Draft::of_value)
        .collect::<Result<_, _>>()?;
    create_many(
        &db,
        &caller.context,
        &drafts,
        caller.command(&body).as_ref(),
    )
    .await
}

/// Any value, judged later and on its own.
struct AsSent;

impl Rule for AsSent {
    type Output = Value;

    fn read(&self, value: &Value, _: &mut At<'_>) -> Option<Value> {
        Some(value.clone())
    }
}

/// List services
///
/// By date, then id.
#[utoipa::path(get, path = "/services", tag = "Services",
    params(PageParameters, ("customerId" = Option<u32>, Query), ("status" = Option<String>, Query, description = "`CREATED`, `SENT_TO_BILL` or `INVOICED`"),
        ("serviceDateFrom" = Option<String>, Query), ("serviceDateTo" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = ServicePage)))]
async fn get_services(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let (filter, paging) = query.decode(|fields| {
        let customer_id = fields.optional("customerId", customer_id());
        let status = ServiceStatus::ALL.map(|status| (status.as_str(), status));
        let status = fields.optional("status", one_of(&status));
        let from = fields.optional("serviceDateFrom", date());
        let to = fields.optional("serviceDateTo", date());
        let in_order = fields.in_order("serviceDateFrom", &from, "serviceDateTo", &to);
        let paging = fields.paging();
        in_order?;
        let filter = Filter {
            customer_id: customer_id?,
            status: status?,
            from: from?,
            to: to?,
        };
        Some((filter, paging?))
    })?;
    let scope = caller.cursor_scope(&query);
    let after: Option<String> = cursors.start(&scope, &paging)?;
    let (services, next) = list(
        &db,
        &caller.context,
        &filter,
        paging.limit,
        after.as_deref(),
    )
    .await?;
    let services: Vec<ServiceView> = services.iter().filter_map(view).collect();
    let next = cursors.next(&scope, next)?;
    Ok(Answer::page(&services, next)?)
}

/// One service
#[utoipa::path(get, path = "/services/{id}", tag = "Services", params(("id" = String, Path)),
    responses((status = 200, description = "The service", body = ServiceView)))]
async fn get_service(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<ServiceId>,
) -> Result<Answer> {
    service::find(&db, &caller.context, id).await
}

/// Change a service
///
/// Only until it is sent to billing.
#[utoipa::path(patch, path = "/services/{id}", tag = "Services", params(("id" = String, Path)),
    request_body = ServiceChangesBody, responses((status = 200, description = "The service", body = ServiceView)))]
async fn patch_service(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<ServiceId>,
    if_match: IfMatch,
    body: Body,
) -> Result<Answer> {
    service::update(
        &db,
        &caller.context,
        id,
        Changes::of_body(&body)?,
        &if_match,
    )
    .await
}

/// Remove a service
///
/// Only until it is sent to billing. Its events stay.
#[utoipa::path(delete, path = "/services/{id}", tag = "Services", params(("id" = String, Path)),
    responses((status = 204, description = "Removed")))]
async fn delete_service(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<ServiceId>,
    if_match: IfMatch,
) -> Result<Answer> {
    service::delete(&db, &caller.context, id, &if_match).await
}

/// Send services to billing
///
/// Makes a pending of each service, which a batch then invoices. Each service is sent on its own: one that cannot be sent is named with its
/// reason, the others are sent all the same. A repeat under the same `Idempotency-Key` sends what a run that was cut off did not reach.
#[utoipa::path(post, path = "/services/send-to-billing", tag = "Services", request_body = SendBody,
    responses((status = 200, description = "What became of each", body = SendOutcome)))]
async fn post_send(State(db): State<Db>, caller: Caller, body: Body) -> Result<Answer> {
    let services = body.decode(|fields| {
        let ids = list_of(id::<ServiceKind>(), 1..=MAX_ITEMS).distinct();
        fields.required("serviceIds", ids)
    })?;
    send_to_billing(
        &db,
        &caller.context,
        &services,
        caller.command(&body).as_ref(),
    )
    .await
}
