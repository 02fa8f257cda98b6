//! The routes of payables.

mod asignaciones;
mod bandeja;
mod cargas;
mod delegaciones;
mod facturas;
mod lista;
mod nueva;
mod politica;
mod tablero;
mod trabajos;
mod views;

use std::ops::RangeInclusive;

use axum::extract::FromRef;
use cierre_platform::Failure;
use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::http::{BODY_LIMIT_BYTES, Cursors, Described, Routes};
use cierre_platform::identity::UserPool;
use cierre_platform::queue::Queue;
use serde_json::json;
use utoipa::openapi::OpenApi;

use crate::entity::events::ROWS;
use crate::worker::{JOBS_QUEUE, Payables};

/// Characters of a text that are read: all that a body holds. How many there may be is the entity's matter, and it has its own words for too few
/// and too many.
const ANY_LENGTH: RangeInclusive<usize> = 0..=BODY_LIMIT_BYTES;
/// Characters of a username at most, as the pool has it.
const USUARIO: usize = 128;

/// What the routes work with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api {
    /// Table and objects.
    pub payables: Payables,
    /// Jobs.
    pub jobs: Queue,
    /// Signs and reads cursors.
    pub cursors: Cursors,
    /// Whom requests name.
    pub pool: UserPool,
}

impl Api {
    /// Takes everything from the environment.
    ///
    /// # Errors
    /// When a variable is missing.
    pub fn from_env(aws: &Aws) -> Result<Self, Failure> {
        Ok(Self {
            payables: Payables::from_env(aws)?,
            jobs: Queue::from_env(aws.sqs(), JOBS_QUEUE)?,
            cursors: Cursors::from_env()?,
            pool: UserPool::from_env(aws.cognito())?,
        })
    }
}

impl FromRef<Api> for Db {
    fn from_ref(api: &Api) -> Self {
        api.payables.db.clone()
    }
}

impl FromRef<Api> for Payables {
    fn from_ref(api: &Api) -> Self {
        api.payables.clone()
    }
}

impl FromRef<Api> for Cursors {
    fn from_ref(api: &Api) -> Self {
        api.cursors.clone()
    }
}

impl FromRef<Api> for UserPool {
    fn from_ref(api: &Api) -> Self {
        api.pool.clone()
    }
}

/// Every route with its documentation.
pub fn router<R: Routes<Api>>() -> R {
    R::default()
        .merge(facturas::router())
        .merge(lista::router())
        .merge(bandeja::router())
        .merge(tablero::router())
        .merge(trabajos::router())
        .merge(cargas::router())
        .merge(asignaciones::router())
        .merge(delegaciones::router())
        .merge(politica::router())
}

/// Every activity event of payables: its type and action, the kind of resource on which it occurs, and the members of its details, all of them,
/// always. For the API's document.
pub fn events() -> serde_json::Value {
    ROWS.iter()
        .map(|row| {
            json!({
                "event_type": row.event_type,
                "action": row.action,
                "resource_types": [row.resource],
                "details": row.details,
            })
        })
        .collect()
}

/// The documentation of every route.
pub fn document() -> OpenApi {
    router::<Described>().into_openapi()
}
