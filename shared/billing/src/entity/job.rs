//! Jobs of a batch and their attempts.

use cierre_kernel::id::BatchId;
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use super::stored::{millis, some_millis};
use crate::rules::job_id;

cierre_kernel::words! {
    /// The state of a job.
    pub enum JobStatus {
        /// In the queue.
        Waiting = "waiting",
        /// A worker is at it.
        Active = "active",
        /// In the queue again after a failed attempt.
        Delayed = "delayed",
        /// The batch is committed.
        Completed = "completed",
        /// The batch is in error.
        Failed = "failed",
    }
}

impl JobStatus {
    /// Whether the job is at its end.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Waiting | Self::Active | Self::Delayed => false,
            Self::Completed | Self::Failed => true,
        }
    }
}

/// The latest job of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// `batch-{id}`, after a retry `batch-{id}-retry-{n}`.
    pub id: String,
    /// Where it stands.
    pub status: JobStatus,
    /// Failed attempts.
    pub attempts_made: u32,
}

impl Job {
    /// A job that waits for its first attempt.
    pub fn waiting(batch: BatchId, run: u32) -> Self {
        Self {
            id: job_id(batch, run),
            status: JobStatus::Waiting,
            attempts_made: 0,
        }
    }
}

cierre_kernel::words! {
    /// How an attempt ended.
    pub enum Outcome {
        /// It has not ended.
        Active = "active",
        /// The batch was committed.
        Completed = "completed",
        /// A fault, or the batch was refused.
        Failed = "failed",
        /// The worker died without a word.
        Lost = "lost",
    }
}

/// One attempt at a job. Attempts of earlier jobs of the batch are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The job.
    pub job_id: String,
    /// 1, 2, 3 within the job.
    pub attempt: u32,
    /// When it began.
    #[serde(with = "millis")]
    pub started_at: Instant,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "some_millis")]
    pub ended_at: Option<Instant>,
    /// How.
    pub outcome: Outcome,
    /// Why it failed, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Why it failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

impl Attempt {
    /// An attempt that begins.
    pub const fn begun(job_id: String, attempt: u32, now: Instant) -> Self {
        Self {
            job_id,
            attempt,
            started_at: now,
            ended_at: None,
            outcome: Outcome::Active,
            error_code: None,
            error_message: None,
        }
    }

    /// Ends it, unless it has ended.
    pub(super) fn end(&mut self, outcome: Outcome, error: Option<(&str, &str)>, now: Instant) {
        if self.ended_at.is_none() {
            self.ended_at = Some(now);
            self.outcome = outcome;
            self.error_code = error.map(|(code, _)| code.to_owned());
            self.error_message = error.map(|(_, message)| message.to_owned());
        }
    }
}
