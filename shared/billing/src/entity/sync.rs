//! ERP syncs: documents handed over to the ERP, part by part, confirmed or taken back as a whole.

mod failure;
mod moves;
#[cfg(test)]
mod tests;

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::{BatchId, SyncId};
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use super::job::Outcome;
use super::stored::{millis, some_millis};
use crate::ids::DocumentId;
use crate::rules::MAX_ATTEMPTS;

pub use failure::{DocumentRefusal, SyncFailure, judge_document};

/// The kind of resource, as events name it.
pub const ERP_SYNC: &str = "erp_sync";
/// The fewest and the most characters of a reason for cancelling.
pub const CANCEL_REASON: std::ops::RangeInclusive<usize> = 3..=500;

cierre_kernel::words! {
    /// The state of a sync.
    pub enum SyncStatus {
        /// Its documents are fixed; its parts are on their way.
        Pending = "PENDING",
        /// The ERP has accepted every part.
        Sent = "SENT",
        /// A person has compared the digests.
        Confirmed = "CONFIRMED",
        /// Refused, failed or cancelled: its documents may go into another sync.
        Failed = "FAILED",
    }
}

cierre_kernel::words! {
    /// Whether the ERP is to be told to take back what it received.
    #[derive(Default)]
    pub enum Compensation {
        /// It received nothing, or it keeps what it received.
        #[default]
        NotNeeded = "NOT_NEEDED",
        /// It is told again and again until it accepts.
        Pending = "PENDING",
        /// It has accepted.
        Done = "DONE",
    }
}

/// What a sync was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncSource {
    /// Every invoice of a batch.
    Batch(BatchId),
    /// These documents.
    Documents(Vec<DocumentId>),
}

/// A document that was asked for and does not go into the sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedDocument {
    /// As it was asked for.
    pub id: DocumentId,
    /// Why, for programs.
    pub code: String,
    /// Why, for people.
    pub reason: String,
}

impl RefusedDocument {
    /// The refusal of this document.
    pub fn new(id: DocumentId, refusal: DocumentRefusal) -> Self {
        Self {
            id,
            code: refusal.code().as_str().to_owned(),
            reason: refusal.to_string(),
        }
    }
}

/// One attempt at one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncAttempt {
    /// The part, from 0.
    pub chunk: u32,
    /// 1, 2, 3 within the part.
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
    /// Whether the ERP may have accepted the part although we do not know it. Not shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_doubt: bool,
}

impl SyncAttempt {
    const fn begun(chunk: u32, attempt: u32, now: Instant) -> Self {
        Self {
            chunk,
            attempt,
            started_at: now,
            ended_at: None,
            outcome: Outcome::Active,
            error_code: None,
            error_message: None,
            in_doubt: false,
        }
    }

    const fn is_open(&self) -> bool {
        self.ended_at.is_none()
    }

    /// Whether it used up one of the part's attempts.
    const fn is_used_up(&self) -> bool {
        match self.outcome {
            Outcome::Active | Outcome::Completed => false,
            Outcome::Failed | Outcome::Lost => true,
        }
    }
}

/// Why an attempt at a part failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptError {
    /// For programs.
    pub code: cierre_kernel::codes::Code,
    /// For people, one sentence.
    pub message: String,
    /// Whether the ERP may have accepted the part all the same: its answer was lost, or it broke down over it.
    pub in_doubt: bool,
}

/// A sync to be made; the documents that go into it are known and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSync {
    /// Its id.
    pub id: SyncId,
    /// What was asked for.
    pub source: SyncSource,
    /// Documents that go into it.
    pub invoice_count: u32,
    /// Total of their amounts in minor units.
    pub total_amount: i64,
    /// Over all of them ([`crate::rules::ErpDigest`]).
    pub digest: String,
    /// Documents that were asked for and do not go into it.
    pub refused_count: u32,
    /// The first of those.
    pub refused: Vec<RefusedDocument>,
}

/// A hand-over of documents to the ERP. Documents and digest are fixed when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErpSync {
    /// Its id.
    pub id: SyncId,
    /// Where it stands.
    pub status: SyncStatus,
    /// Documents, at least one.
    pub invoice_count: u32,
    /// Total of their amounts in minor units.
    pub total_amount: i64,
    /// Over all of them: 64 lower-case hexadecimal digits.
    pub digest: String,
    /// The batch, when one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<BatchId>,
    /// The documents as they were asked for by their ids, where they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_ids: Option<Vec<DocumentId>>,
    /// Documents that were asked for and are not in it.
    pub refused_count: u32,
    /// The first of those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedDocument>,
    /// Parts that it is sent in, at least one.
    pub chunks: u32,
    /// Parts that the ERP has accepted: those from 0 up to here. The next one to be sent has this number.
    pub sent_chunks: u32,
    /// Every attempt at every part; at most [`MAX_ATTEMPTS`] for each, so the list ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<SyncAttempt>,
    /// Why it is `FAILED`, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Why it is `FAILED`, and what to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Whether the ERP is to take back what it received.
    pub compensation: Compensation,
    /// When it was made.
    #[serde(with = "millis")]
    pub created_at: Instant,
    /// By whom.
    pub created_by: String,
    /// When it last changed.
    #[serde(with = "millis")]
    pub updated_at: Instant,
    /// Counts the changes, from 1.
    pub version: u64,
    /// The command that made it.
    pub correlation_id: CorrelationId,
    /// Its chain of events.
    #[serde(default)]
    pub head: ChainHead,
}

impl ErpSync {
    /// Attempts at the next part that failed or were lost.
    pub fn attempts_made(&self) -> u32 {
        let used = self.of_next_part().filter(|attempt| attempt.is_used_up());
        u32::try_from(used.count()).unwrap_or(MAX_ATTEMPTS)
    }

    /// Whether the last attempt that the next part has was used up: the sync is then to be failed ([`ErpSync::failed`]).
    pub fn is_out_of_attempts(&self) -> bool {
        self.attempts_made() >= MAX_ATTEMPTS
    }

    /// The attempt that is under way: the part and which of its attempts it is.
    pub fn open_attempt(&self) -> Option<&SyncAttempt> {
        self.attempts.last().filter(|attempt| attempt.is_open())
    }

    fn of_next_part(&self) -> impl Iterator<Item = &SyncAttempt> {
        let next = self.sent_chunks;
        self.attempts
            .iter()
            .rev()
            .take_while(move |attempt| attempt.chunk == next)
    }
}
