//! How a sync fails, and why a document does not go into one.

use cierre_kernel::codes::{self, Code};
use cierre_kernel::id::SyncId;

use super::SyncStatus;
use crate::rules::MAX_ATTEMPTS;

/// Why a sync ends in `FAILED` before everything was sent. The sentence becomes its `errorMessage`, so it says what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyncFailure {
    /// The ERP refused a part for good, or did not accept it on any attempt.
    #[error(
        "The ERP did not accept part {} of {chunks}: {reason}. Settle it with the ERP, then send the documents again.",
        .chunk + 1
    )]
    ErpRefused {
        /// The part, from 0.
        chunk: u32,
        /// Parts in all.
        chunks: u32,
        /// What the ERP answered, without a full stop.
        reason: String,
    },
    /// The ERP's address or secret cannot be used.
    #[error(
        "The ERP cannot be reached: {reason}. Correct the settings, then send the documents again."
    )]
    Unreachable {
        /// What is wrong, without a full stop.
        reason: String,
    },
    /// A document went into another sync, or changed, before this one held it.
    #[error(
        "The documents changed before they were sent. Nothing was sent; look at the preview and send again."
    )]
    SetChanged,
    /// Every attempt failed on our side.
    #[error(
        "Sending failed {MAX_ATTEMPTS} times for technical reasons. Send the documents again later."
    )]
    ProcessingFailed,
    /// Every worker died.
    #[error(
        "Sending was interrupted {MAX_ATTEMPTS} times. Send the documents again, or fewer at once."
    )]
    WorkerLost,
}

impl SyncFailure {
    /// The code.
    pub const fn code(&self) -> Code {
        match self {
            Self::ErpRefused { .. } | Self::Unreachable { .. } => codes::ERP_REFUSED,
            Self::SetChanged => codes::SET_CHANGED,
            Self::ProcessingFailed => codes::PROCESSING_FAILED,
            Self::WorkerLost => codes::WORKER_LOST,
        }
    }
}

/// Why one document does not go into a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentRefusal {
    /// There is no such document in the company.
    #[error("Invoice not found")]
    NotFound,
    /// A confirmed sync holds it.
    #[error("Invoice was synced by {sync}")]
    AlreadySynced {
        /// The sync.
        sync: SyncId,
    },
    /// A sync that is not at its end holds it.
    #[error("Invoice is in sync {sync}")]
    InProgress {
        /// The sync.
        sync: SyncId,
    },
    /// It has no CAE yet.
    #[error("Invoice has no CAE yet")]
    CaePending,
}

impl DocumentRefusal {
    /// The code.
    pub const fn code(self) -> Code {
        match self {
            Self::NotFound => codes::INVOICE_NOT_FOUND,
            Self::AlreadySynced { .. } => codes::ALREADY_SYNCED,
            Self::InProgress { .. } => codes::SYNC_IN_PROGRESS,
            Self::CaePending => codes::CAE_PENDING,
        }
    }
}

/// Whether a document may go into a sync. `holder` is the latest sync that holds it, with its state; `by` is the sync that asks, where it
/// exists already, for what it holds itself is free to it.
///
/// # Errors
/// The reason why not.
pub fn judge_document(
    granted: bool,
    holder: Option<(SyncId, SyncStatus)>,
    by: Option<SyncId>,
) -> Result<(), DocumentRefusal> {
    match holder {
        Some((sync, _)) if Some(sync) == by => {}
        Some((sync, SyncStatus::Confirmed)) => return Err(DocumentRefusal::AlreadySynced { sync }),
        Some((sync, SyncStatus::Pending | SyncStatus::Sent)) => {
            return Err(DocumentRefusal::InProgress { sync });
        }
        Some((_, SyncStatus::Failed)) | None => {}
    }
    match granted {
        true => Ok(()),
        false => Err(DocumentRefusal::CaePending),
    }
}
