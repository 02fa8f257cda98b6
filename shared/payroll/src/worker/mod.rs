//! What happens without anybody waiting: files are received, read and put into force; jobs generate results; what was lost is found again.

mod comparing;
mod jobs;
mod lost;
mod message;
mod process;
mod quarantine;
mod reading;
mod receive;
mod sweep;

use std::time::Duration;

use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::objects::{Objects, UPLOADS_BUCKET};
use cierre_platform::{Failure, activity, company, idempotency};

pub(crate) use comparing::sums;
pub use message::{FileMessage, Incoming, JobMessage, LostMessage};
pub use sweep::{Queues, sweep};

use crate::table;

/// Environment variable with the address of the queue of files.
pub const FILES_QUEUE: &str = "PAYROLL_FILES_QUEUE_URL";
/// Environment variable with the address of the queue of jobs.
pub const JOBS_QUEUE: &str = "PAYROLL_JOBS_QUEUE_URL";
/// Environment variable with the address of the queue that the dead letters of both go to.
pub const DEAD_LETTERS: &str = "PAYROLL_DLQ_URL";
/// Environment variable with the address of the queue that nobody consumes: what waits there waits for people.
pub const PARKED: &str = "PAYROLL_PARKED_QUEUE_URL";

/// Attempts that a message has; the queue's own limit is the same.
pub const MAX_ATTEMPTS: u32 = 3;
/// How often a decision about a closing is made anew after losing against another one.
pub(crate) const TRIES: u32 = 12;

/// The wait before the next attempt: 2, 4, 8 seconds.
pub fn wait_after(attempt: u32) -> Duration {
    Duration::from_secs(1 << attempt.clamp(1, 3))
}

/// The table and the objects of payroll. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Payroll {
    /// Tables.
    pub db: Db,
    /// Objects.
    pub objects: Objects,
}

impl Payroll {
    /// Takes table and bucket from the environment.
    ///
    /// # Errors
    /// When the bucket's variable is not set.
    pub fn from_env(aws: &Aws) -> Result<Self, Failure> {
        let tables = [
            table::PAYROLL,
            activity::TABLE,
            idempotency::TABLE,
            company::TABLE,
        ];
        Ok(Self {
            db: Db::from_env(aws.dynamodb(), &tables),
            objects: Objects::from_env(aws, UPLOADS_BUCKET)?,
        })
    }
}
