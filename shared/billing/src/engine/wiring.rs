//! The engine with the function's own tables and queues.

use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::queue::Queue;
use cierre_platform::{Failure, activity, company, idempotency};

use super::Engine;
use crate::table;

/// Environment variable with the address of the job queue.
pub const JOBS_QUEUE: &str = "BILLING_JOBS_QUEUE_URL";
/// Environment variable with the address of the queue for parts of stage 4.
pub const CHUNKS_QUEUE: &str = "BILLING_CHUNKS_QUEUE_URL";
/// Environment variable with the address of the queue that the dead letters of both go to.
pub const DEAD_LETTERS: &str = "BILLING_JOBS_DLQ_URL";
/// Environment variable with the address of the queue that nobody consumes: what waits there waits for people.
pub const PARKED: &str = "BILLING_PARKED_QUEUE_URL";

impl Engine {
    /// Takes tables and queues from the environment.
    ///
    /// # Errors
    /// When a queue's variable is not set.
    pub fn from_env(aws: &Aws) -> Result<Self, Failure> {
        let tables = [
            table::BILLING,
            activity::TABLE,
            idempotency::TABLE,
            company::TABLE,
        ];
        Ok(Self {
            db: Db::from_env(aws.dynamodb(), &tables),
            jobs: Queue::from_env(aws.sqs(), JOBS_QUEUE)?,
            chunks: Queue::from_env(aws.sqs(), CHUNKS_QUEUE)?,
        })
    }
}
