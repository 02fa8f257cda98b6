//! What happens without anybody waiting: jobs run, electronic invoices are received, what was lost is found again, what is due each day begins.

mod jobs;
mod lost;
mod message;
mod receive;
mod schedule;

use std::time::Duration;

use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::objects::Objects;
use cierre_platform::{Failure, activity, company, idempotency};

pub use message::{Incoming, JobMessage, LostMessage};
pub use schedule::{Scheduled, enrol, run as schedule};

use crate::table;

/// Environment variable with the name of the bucket.
pub const BUCKET: &str = "PAYABLES_BUCKET";
/// Environment variable with the address of the queue of files.
pub const FILES_QUEUE: &str = "PAYABLES_FILES_QUEUE_URL";
/// Environment variable with the address of the queue of jobs.
pub const JOBS_QUEUE: &str = "PAYABLES_JOBS_QUEUE_URL";
/// Environment variable with the address of the queue that the dead letters of both go to.
pub const DEAD_LETTERS: &str = "PAYABLES_DLQ_URL";
/// Environment variable with the address of the queue that nobody consumes: what waits there waits for people.
pub const PARKED: &str = "PAYABLES_PARKED_QUEUE_URL";

/// The wait before the next attempt: 2, 4, 8 seconds.
pub fn wait_after(attempt: u32) -> Duration {
    Duration::from_secs(1 << attempt.clamp(1, 3))
}

/// The table and the objects of payables. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Payables {
    /// Tables.
    pub db: Db,
    /// Objects.
    pub objects: Objects,
}

impl Payables {
    /// Takes table and bucket from the environment.
    ///
    /// # Errors
    /// When the bucket's variable is not set.
    pub fn from_env(aws: &Aws) -> Result<Self, Failure> {
        let tables = [
            table::PAYABLES,
            activity::TABLE,
            idempotency::TABLE,
            company::TABLE,
        ];
        Ok(Self {
            db: Db::from_env(aws.dynamodb(), &tables),
            objects: Objects::from_env(aws, BUCKET)?,
        })
    }
}
