//! `GET` and `PUT /company/settings/billing`.

use axum::extract::{FromRef, State};
use cierre_kernel::codes;
use cierre_kernel::role::{Role, Roles};
use cierre_platform::Result;
use cierre_platform::db::Db;
use cierre_platform::http::{Answer, Body, Caller, IfMatch, Routes, allow};
use cierre_platform::route;

use super::fields::read_settings;
use super::service;
use super::views::{BillingSettingsBody, BillingSettingsView, view};
use crate::roles::READ;
use crate::state::Billing;

/// Who the company is to the tax authority only an administrator decides.
const ADMINISTER: Roles = Roles::of(&[Role::Admin]);

/// The routes with their documentation.
pub fn router<S, R>() -> R
where
    R: Routes<S>,
    S: Clone + Send + Sync + 'static,
    Db: FromRef<S>,
    Billing: FromRef<S>,
{
    R::default()
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_billing_settings)),
        )
        .route(
            allow(ADMINISTER)
                .refuses(&[codes::CONCURRENT_CHANGE])
                .invalid(&[codes::INVALID_AMOUNT, codes::INVALID_FORMAT])
                .versioned()
                .on(route!(put_billing_settings)),
        )
}

/// Billing settings
#[utoipa::path(get, path = "/company/settings/billing", tag = "Company",
    responses((status = 200, description = "The settings", body = BillingSettingsView)))]
async fn get_billing_settings(State(db): State<Db>, caller: Caller) -> Result<Answer> {
    let settings = service::find(&db, &caller.context).await?;
    Ok(Answer::ok(&view(&settings))?.versioned(settings.version))
}

/// Replace the billing settings
///
/// With the company's name and CUIT they make the issuer of its documents; without them no batch is accepted.
#[utoipa::path(put, path = "/company/settings/billing", tag = "Company", request_body = BillingSettingsBody,
    responses((status = 200, description = "The settings", body = BillingSettingsView)))]
async fn put_billing_settings(
    State(billing): State<Billing>,
    caller: Caller,
    if_match: IfMatch,
    body: Body,
) -> Result<Answer> {
    let guard = billing.syncs.guard;
    let draft = body.decode(|fields| read_settings(fields, guard))?;
    service::put(&billing.engine.db, &caller.context, draft, &if_match).await
}
