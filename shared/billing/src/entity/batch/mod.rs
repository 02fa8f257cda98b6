//! Batches: pendings invoiced together, all of the valid ones or none.

mod moves;
mod order;

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::{BatchId, PendingId};
use cierre_kernel::time::{Date, Instant};
use serde::{Deserialize, Serialize};

use super::invoice::Issuer;
use super::job::{Attempt, Job};
use super::stored::{millis, some_millis};
use crate::rules::{ItemFailure, ReceiptBook};

pub use crate::rules::MAX_ATTEMPTS;
pub use order::{Order, Wanted};

cierre_kernel::words! {
    /// The state of a batch.
    pub enum BatchStatus {
        /// Accepted; its job waits.
        PendingProcessing = "PENDING_PROCESSING",
        /// A worker began.
        InProcess = "IN_PROCESS",
        /// Committed: its invoices exist.
        Processed = "PROCESSED",
        /// Refused: it holds nothing and gave no number.
        Error = "ERROR",
    }
}

cierre_kernel::words! {
    /// What an invalid pending does to its batch.
    #[derive(Default)]
    pub enum OnInvalid {
        /// It is listed, and the others are invoiced.
        #[default]
        Skip = "skip",
        /// It refuses the batch.
        Fail = "fail",
    }
}

/// Which pendings a batch takes, when it names none; a field that is absent admits everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// Of these customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_ids: Option<Vec<u32>>,
    /// From this service date on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_date_from: Option<Date>,
    /// Up to this service date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_date_to: Option<Date>,
}

impl Selection {
    /// Whether a pending of this customer and date matches.
    pub fn admits(&self, customer_id: u32, service_date: Date) -> bool {
        self.customer_ids
            .as_ref()
            .is_none_or(|ids| ids.contains(&customer_id))
            && self
                .service_date_from
                .is_none_or(|from| from <= service_date)
            && self.service_date_to.is_none_or(|to| service_date <= to)
    }
}

/// A pending that a batch does not invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedPending {
    /// As it was asked for.
    pub id: PendingId,
    /// Why, for programs.
    pub code: String,
    /// Why, for people.
    pub reason: String,
}

impl FailedPending {
    /// The failure of this pending.
    pub fn new(id: PendingId, failure: ItemFailure) -> Self {
        Self {
            id,
            code: failure.code().as_str().to_owned(),
            reason: failure.reason(),
        }
    }
}

/// A batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// Date of all its invoices.
    pub issue_date: Date,
    /// The book that gives the numbers.
    pub receipt_book: ReceiptBook,
    /// The selection; none for a batch of ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
    /// What an invalid pending does.
    pub on_invalid: OnInvalid,
    /// The company as the invoices remember it.
    pub issuer: Issuer,
    /// Where it stands.
    pub status: BatchStatus,
    /// How many pendings are asked for; none until a selection is resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_count: Option<u32>,
    /// Invoices; 0 until the commit.
    pub invoice_count: u32,
    /// Pendings that are not invoiced.
    pub failed_count: u32,
    /// Total of the staged documents in minor units.
    pub total_amount: i64,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_pendings: Vec<FailedPending>,
    /// None until the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_number: Option<u32>,
    /// None until the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_number: Option<u32>,
    /// Whether every invoice has its CAE and every list entry.
    pub materialized: bool,
    /// Why it is in `ERROR`, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Why it is in `ERROR`, and what to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// When the present job first had a worker.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "some_millis")]
    pub processing_started_at: Option<Instant>,
    /// When it was committed or refused.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "some_millis")]
    pub processing_completed_at: Option<Instant>,
    /// How often it was retried.
    pub run: u32,
    /// The latest job.
    pub job: Job,
    /// The attempts of all its jobs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// When it was accepted; a selection takes no pending that is younger, in a retry neither.
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
