//! What everything about syncs works with.

use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::queue::Queue;
use cierre_platform::{Failure, activity, company, idempotency};

use super::Guard;
use crate::table;

/// Environment variable with the address of the queue of syncs.
pub const SYNCS_QUEUE: &str = "ERP_SYNCS_QUEUE_URL";

/// The tables and the queue of syncs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Syncs {
    /// The tables.
    pub db: Db,
    /// "See to this sync."
    pub queue: Queue,
    /// Which addresses an ERP may have.
    pub guard: Guard,
}

impl Syncs {
    /// Takes everything from the environment.
    ///
    /// # Errors
    /// When the queue's variable is not set.
    pub fn from_env(aws: &Aws) -> Result<Self, Failure> {
        let tables = [
            table::BILLING,
            activity::TABLE,
            idempotency::TABLE,
            company::TABLE,
        ];
        Ok(Self {
            db: Db::from_env(aws.dynamodb(), &tables),
            queue: Queue::from_env(aws.sqs(), SYNCS_QUEUE)?,
            guard: Guard::from_env(),
        })
    }
}
