//! The routes of payroll.

mod archivos;
mod cierres;
mod clientes;
mod close;
mod downloads;
mod findings;
mod jobs;
mod quarantine;
mod reviews;
mod rows;
mod timeline;
mod views;

use std::ops::RangeInclusive;

use axum::extract::FromRef;
use cierre_platform::Failure;
use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::http::{BODY_LIMIT_BYTES, Cursors, Described, Routes};
use cierre_platform::queue::Queue;
use serde_json::json;
use utoipa::openapi::OpenApi;

use crate::entity::events::ROWS;
use crate::worker::{FILES_QUEUE, JOBS_QUEUE, Payroll};

/// Characters of a reason, a justification or a comment that are read: all that a body holds. How many there have to be is the entity's matter,
/// and it has its own word for what has too many.
const ANY_LENGTH: RangeInclusive<usize> = 0..=BODY_LIMIT_BYTES;

/// Where every route of payroll begins.
pub const PREFIX: &str = "/api/nomina";

/// What the routes work with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api {
    /// Table and objects.
    pub payroll: Payroll,
    /// Files to be processed once more.
    pub files: Queue,
    /// Jobs.
    pub jobs: Queue,
    /// Signs and reads cursors.
    pub cursors: Cursors,
}

impl Api {
    /// Takes everything from the environment.
    ///
    /// # Errors
    /// When a variable is missing.
    pub fn from_env(aws: &Aws) -> Result<Self, Failure> {
        Ok(Self {
            payroll: Payroll::from_env(aws)?,
            files: Queue::from_env(aws.sqs(), FILES_QUEUE)?,
            jobs: Queue::from_env(aws.sqs(), JOBS_QUEUE)?,
            cursors: Cursors::from_env()?,
        })
    }
}

impl FromRef<Api> for Db {
    fn from_ref(api: &Api) -> Self {
        api.payroll.db.clone()
    }
}

impl FromRef<Api> for Payroll {
    fn from_ref(api: &Api) -> Self {
        api.payroll.clone()
    }
}

impl FromRef<Api> for Cursors {
    fn from_ref(api: &Api) -> Self {
        api.cursors.clone()
    }
}

/// Every route with its documentation.
pub fn router<R: Routes<Api>>() -> R {
    R::default()
        .merge(clientes::router())
        .merge(cierres::router())
        .merge(archivos::router())
        .merge(rows::router())
        .merge(findings::router())
        .merge(reviews::router())
        .merge(close::router())
        .merge(timeline::router())
        .merge(quarantine::router())
        .merge(jobs::router())
}

/// Every activity event of payroll: its type and action, the kinds of resources on which it occurs, and the members of its details, all of them,
/// always. For the API's document.
pub fn events() -> serde_json::Value {
    ROWS.iter()
        .map(|row| {
            json!({
                "event_type": row.event_type,
                "action": row.action,
                "resource_types": row.resources,
                "details": row.details,
            })
        })
        .collect()
}

/// The documentation of every route.
pub fn document() -> OpenApi {
    router::<Described>().into_openapi()
}
