//! Routes of customers.

use axum::extract::{FromRef, State};
use cierre_kernel::codes;
use cierre_platform::Result;
use cierre_platform::db::Db;
use cierre_platform::http::{
    Answer, Body, Caller, Cursors, IfMatch, PageParameters, Query, Routes, Segment, allow, boolean,
};
use cierre_platform::route;

use super::CustomerNumber;
use super::fields::{read_changes, read_new};
use super::views::{CustomerChangesBody, CustomerPage, CustomerView, NewCustomerBody, view};
use super::{repo, service};
use crate::roles::{READ, WRITE};

/// The routes with their documentation.
pub fn router<S, R>() -> R
where
    R: Routes<S>,
    S: Clone + Send + Sync + 'static,
    Db: FromRef<S>,
    Cursors: FromRef<S>,
{
    R::default()
        .route(
            allow(WRITE)
                .refuses(&[codes::CUSTOMER_EXISTS, codes::CONCURRENT_CHANGE])
                .invalid(&[codes::INVALID_TAX_ID, codes::INVALID_FORMAT])
                .on(route!(post_customer)),
        )
        .route(allow(READ).on(route!(get_customers)))
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_customer)),
        )
        .route(
            allow(WRITE)
                .refuses(&[codes::NOT_FOUND, codes::CONCURRENT_CHANGE])
                .invalid(&[codes::INVALID_TAX_ID, codes::INVALID_FORMAT])
                .versioned()
                .on(route!(patch_customer)),
        )
        .route(
            allow(WRITE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::CUSTOMER_INACTIVE,
                    codes::CONCURRENT_CHANGE,
                ])
                .versioned()
                .on(route!(delete_customer)),
        )
}

/// Make a customer
///
/// The caller chooses the id; it is never used again, not even after the customer was deactivated.
#[utoipa::path(post, path = "/customers", tag = "Customers", request_body = NewCustomerBody,
    responses((status = 201, description = "The customer", body = CustomerView)))]
async fn post_customer(State(db): State<Db>, caller: Caller, body: Body) -> Result<Answer> {
    let new = body.decode(read_new)?;
    service::create(&db, &caller.context, new, caller.command(&body).as_ref()).await
}

/// List customers
///
/// In order of their ids.
#[utoipa::path(get, path = "/customers", tag = "Customers",
    params(PageParameters, ("active" = Option<bool>, Query, description = "Only active or only inactive ones")),
    responses((status = 200, description = "A page", body = CustomerPage)))]
async fn get_customers(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let (active, paging) = query.decode(|fields| {
        let active = fields.optional("active", boolean());
        let paging = fields.paging();
        Some((active?, paging?))
    })?;
    let scope = caller.cursor_scope(&query);
    let after = cursors.start(&scope, &paging)?;
    let company = &caller.context.company;
    let (customers, next) = repo::list(&db, company, active, paging.limit, after).await?;
    let customers: Vec<CustomerView> = customers.iter().map(view).collect();
    let next = cursors.next(&scope, next)?;
    Ok(Answer::page(&customers, next)?)
}

/// One customer
#[utoipa::path(get, path = "/customers/{customerId}", tag = "Customers", params(("customerId" = u32, Path)),
    responses((status = 200, description = "The customer", body = CustomerView)))]
async fn get_customer(
    State(db): State<Db>,
    caller: Caller,
    Segment(CustomerNumber(id)): Segment<CustomerNumber>,
) -> Result<Answer> {
    let customer = service::find(&db, &caller.context, id).await?;
    Ok(Answer::ok(&view(&customer))?.versioned(customer.version))
}

/// Change a customer
///
/// Documents keep the name, the tax number and the condition that stood when they were issued.
#[utoipa::path(patch, path = "/customers/{customerId}", tag = "Customers", params(("customerId" = u32, Path)),
    request_body = CustomerChangesBody, responses((status = 200, description = "The customer", body = CustomerView)))]
async fn patch_customer(
    State(db): State<Db>,
    caller: Caller,
    Segment(CustomerNumber(id)): Segment<CustomerNumber>,
    if_match: IfMatch,
    body: Body,
) -> Result<Answer> {
    let patch = body.decode(read_changes)?;
    service::update(&db, &caller.context, id, patch, &if_match).await
}

/// Deactivate a customer
///
/// It gets no new services; what exists is still sent and invoiced. `PATCH` with `active: true` takes it back.
#[utoipa::path(delete, path = "/customers/{customerId}", tag = "Customers", params(("customerId" = u32, Path)),
    responses((status = 204, description = "Deactivated")))]
async fn delete_customer(
    State(db): State<Db>,
    caller: Caller,
    Segment(CustomerNumber(id)): Segment<CustomerNumber>,
    if_match: IfMatch,
) -> Result<Answer> {
    service::deactivate(&db, &caller.context, id, &if_match).await
}
