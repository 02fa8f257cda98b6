//! Jobs of a batch and their attempts.

use std::fmt;

use cierre_kernel::id::BatchId;
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use super::stored::{millis, some_millis};
use crate::rules::job_id;

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    /// In the queue.
    Waiting,
    /// A worker is at it.
    Active,
    /// In the queue again after a failed attempt.
    Delayed,
    /// The batch is committed.
    Completed,
    /// The batch is in error.
    Failed,
}

impl JobStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Active,
        Self::Delayed,
        Self::Completed,
        Self::Failed,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Delayed => "delayed",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Whether the job is at its end.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Waiting | Self::Active | Self::Delayed => false,
            Self::Completed | Self::Failed => true,
        }
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It has not ended.
    Active,
    /// The batch was committed.
    Completed,
    /// A fault, or the batch was refused.
    Failed,
    /// The worker died without a word.
    Lost,
}

impl Outcome {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
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
