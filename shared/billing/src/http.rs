//! The routes of billing, put together from its parts.

use axum::extract::FromRef;
use cierre_platform::db::Db;
use cierre_platform::http::{Cursors, Described, Routes};

use crate::state::Billing;
use crate::{batches, books, credit_notes, customers, erp, invoices, pendings, services, settings};

/// Every route of the domain with its documentation, for any state that holds tables, queues and the signing of cursors.
pub fn router<S, R>() -> R
where
    R: Routes<S>,
    S: Clone + Send + Sync + 'static,
    Db: FromRef<S>,
    Cursors: FromRef<S>,
    Billing: FromRef<S>,
{
    R::default()
        .merge(customers::http::router())
        .merge(services::http::router())
        .merge(pendings::http::router())
        .merge(batches::http::router())
        .merge(books::http::router())
        .merge(invoices::http::router())
        .merge(credit_notes::http::router())
        .merge(erp::routes::router())
        .merge(settings::http::router())
}

/// The documentation of every route of the domain.
pub fn document() -> utoipa::openapi::OpenApi {
    router::<Billing, Described>().into_openapi()
}
