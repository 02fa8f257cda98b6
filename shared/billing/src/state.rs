//! What every handler of the domain works with.

use axum::extract::FromRef;
use cierre_platform::Failure;
use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::http::Cursors;

use crate::engine::Engine;
use crate::erp::Syncs;

/// The tables and queues of billing, and the signing of its cursors. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Billing {
    /// Tables and queues.
    pub engine: Engine,
    /// ERP syncs.
    pub syncs: Syncs,
    /// Signs and reads cursors.
    pub cursors: Cursors,
}

impl Billing {
    /// Takes everything from the environment.
    ///
    /// # Errors
    /// When a variable is missing.
    pub fn from_env(aws: &Aws) -> Result<Self, Failure> {
        Ok(Self {
            engine: Engine::from_env(aws)?,
            syncs: Syncs::from_env(aws)?,
            cursors: Cursors::from_env()?,
        })
    }
}

impl FromRef<Billing> for Db {
    fn from_ref(billing: &Billing) -> Self {
        billing.engine.db.clone()
    }
}

impl FromRef<Billing> for Cursors {
    fn from_ref(billing: &Billing) -> Self {
        billing.cursors.clone()
    }
}
