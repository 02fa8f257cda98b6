//! What everything about syncs works with.

use aws_config::SdkConfig;
use cierre_platform::db::Db;
use cierre_platform::queue::Queue;
use cierre_platform::{Failure, activity, aws, company, idempotency};

use super::Guard;
use crate::table;

/// Environment variable with the address of the queue of syncs.
pub const SYNCS_QUEUE: &str = "ERP_SYNCS_QUEUE_URL";
/// Environment variable that lets the HTTP connector reach this machine, for tests: `true` or anything else.
pub const ALLOW_LOOPBACK: &str = "ERP_ALLOW_LOOPBACK";

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
    pub fn from_env(config: &SdkConfig) -> Result<Self, Failure> {
        let tables = [
            table::BILLING,
            activity::TABLE,
            idempotency::TABLE,
            company::TABLE,
        ];
        let allowed = std::env::var(ALLOW_LOOPBACK).is_ok_and(|value| value == "true");
        Ok(Self {
            db: Db::from_env(aws::dynamodb(config), &tables),
            queue: Queue::from_env(aws_sdk_sqs::Client::new(config), SYNCS_QUEUE)?,
            guard: Guard::new(allowed),
        })
    }
}
