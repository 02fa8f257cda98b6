//! Why billing refuses: typed, each with its code and sentence, and turned into a problem in one place.

use cierre_kernel::codes::{self, Code};
use cierre_kernel::id::BatchId;
use cierre_kernel::money::Money;
use cierre_kernel::problem::{FieldError, Problem};
use cierre_kernel::time::Date;

use crate::entity::{
    BatchStatus, CANCEL_REASON, IssuerCondition, IvaCondition, Letter, MAX_CREDIT_NOTES,
    PendingStatus, ReceiptBook, ServiceStatus,
};
use crate::rules::{MAX_ATTEMPTS, MAX_SELECTED};

/// Why a command to a customer is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CustomerRefusal {
    /// The id is taken.
    #[error("customer {customer_id} already exists")]
    Exists {
        /// The id.
        customer_id: u32,
    },
    /// It is inactive already.
    #[error("customer {customer_id} is not active")]
    Inactive {
        /// The id.
        customer_id: u32,
    },
    /// The condition requires a CUIT.
    #[error("a customer with condition {condition} needs a CUIT")]
    InvalidTaxId {
        /// The condition.
        condition: IvaCondition,
    },
}

impl CustomerRefusal {
    /// The code.
    pub const fn code(self) -> Code {
        match self {
            Self::Exists { .. } => codes::CUSTOMER_EXISTS,
            Self::Inactive { .. } => codes::CUSTOMER_INACTIVE,
            Self::InvalidTaxId { .. } => codes::INVALID_TAX_ID,
        }
    }
}

impl From<CustomerRefusal> for Problem {
    fn from(refusal: CustomerRefusal) -> Self {
        match refusal {
            CustomerRefusal::Exists { .. } | CustomerRefusal::Inactive { .. } => {
                Self::new(refusal.code()).detail(refusal.to_string())
            }
            CustomerRefusal::InvalidTaxId { .. } => {
                Self::field("/taxId", refusal.code(), refusal.to_string())
            }
        }
    }
}

/// Why a command to a service is refused. In a bulk command it is the failure of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceRefusal {
    /// There is none, or it was deleted.
    #[error("Service not found")]
    NotFound,
    /// It was sent, so it no longer changes.
    #[error("the service can no longer change (current status: {status})")]
    Locked {
        /// Its status.
        status: ServiceStatus,
    },
    /// It has a pending.
    #[error("Service is not in CREATED status (current: SENT_TO_BILL)")]
    AlreadySent,
    /// It has an invoice.
    #[error("Service is not in CREATED status (current: INVOICED)")]
    AlreadyInvoiced,
    /// Every pending's id that its own leaves room for is used up.
    #[error("the service was sent and taken back too often; enter it anew")]
    TooManySends,
    /// Its id leaves no room for pendings' ids.
    #[error("the id leaves no room for pendings")]
    UnusableId,
    /// There is no such customer.
    #[error("customer {customer_id} does not exist")]
    UnknownCustomer {
        /// The customer.
        customer_id: u32,
    },
    /// The customer gets no new services.
    #[error("customer {customer_id} is not active")]
    CustomerInactive {
        /// The customer.
        customer_id: u32,
    },
}

impl ServiceRefusal {
    /// The code.
    pub const fn code(self) -> Code {
        match self {
            Self::NotFound => codes::SERVICE_NOT_FOUND,
            Self::Locked { .. } | Self::TooManySends => codes::SERVICE_LOCKED,
            Self::AlreadySent => codes::ALREADY_SENT,
            Self::AlreadyInvoiced => codes::ALREADY_INVOICED,
            Self::UnusableId => codes::INVALID_ID,
            Self::UnknownCustomer { .. } => codes::UNKNOWN_CUSTOMER,
            Self::CustomerInactive { .. } => codes::CUSTOMER_INACTIVE,
        }
    }

    /// The sentence.
    pub fn reason(self) -> String {
        self.to_string()
    }
}

impl From<ServiceRefusal> for Problem {
    fn from(refusal: ServiceRefusal) -> Self {
        match refusal {
            // As a whole request it is a matter of the address, whatever the word for an item in a list.
            ServiceRefusal::NotFound => Self::new(codes::NOT_FOUND),
            ServiceRefusal::Locked { .. }
            | ServiceRefusal::AlreadySent
            | ServiceRefusal::AlreadyInvoiced
            | ServiceRefusal::TooManySends => Self::new(refusal.code()).detail(refusal.to_string()),
            ServiceRefusal::UnusableId => Self::field("/id", refusal.code(), refusal.to_string()),
            ServiceRefusal::UnknownCustomer { .. } | ServiceRefusal::CustomerInactive { .. } => {
                Self::field("/customerId", refusal.code(), refusal.to_string())
            }
        }
    }
}

/// Why a command to a pending is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PendingRefusal {
    /// There is none.
    #[error("Pending not found")]
    NotFound,
    /// It is invoiced or cancelled.
    #[error("Pending is not in PENDING status (current: {status})")]
    NotPending {
        /// Its status.
        status: PendingStatus,
    },
    /// A batch holds it.
    #[error("Pending is claimed by batch {batch}")]
    Claimed {
        /// The holder.
        batch: BatchId,
    },
    /// The batch that wants to invoice it does not hold it.
    #[error("Pending is not claimed by batch {batch}")]
    NotClaimed {
        /// The batch.
        batch: BatchId,
    },
}

impl PendingRefusal {
    /// The code.
    pub const fn code(self) -> Code {
        match self {
            Self::NotFound => codes::PENDING_NOT_FOUND,
            Self::NotPending { .. } => codes::PENDING_NOT_PENDING,
            Self::Claimed { .. } => codes::PENDING_CLAIMED,
            Self::NotClaimed { .. } => codes::CONCURRENT_CHANGE,
        }
    }
}

impl From<PendingRefusal> for Problem {
    fn from(refusal: PendingRefusal) -> Self {
        match refusal {
            PendingRefusal::NotFound => Self::new(codes::NOT_FOUND),
            PendingRefusal::NotPending { .. }
            | PendingRefusal::Claimed { .. }
            | PendingRefusal::NotClaimed { .. } => {
                Self::new(refusal.code()).detail(refusal.to_string())
            }
        }
    }
}

/// Why a credit note is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreditRefusal {
    /// There is no such invoice.
    #[error("Invoice not found")]
    NotFound,
    /// A credit note is not credited.
    #[error("A credit note cannot be credited.")]
    NotCreditable,
    /// All of it was credited before.
    #[error("The invoice is credited in full.")]
    Credited,
    /// More than is left.
    #[error("at most {open} of the invoice can still be credited")]
    AboveOpen {
        /// What is left.
        open: Money,
    },
    /// Its item has no room for more.
    #[error("The invoice has {MAX_CREDIT_NOTES} credit notes. Credit the rest with the last one.")]
    TooMany,
    /// Its batch has not given every invoice its CAE yet.
    #[error("The invoice's batch is being materialised. Try again when it reads materialized.")]
    BatchMaterializing,
    /// The sequence has no number left.
    #[error("The receipt book's sequence of credit notes has no number left.")]
    BookExhausted,
}

impl CreditRefusal {
    /// The code.
    pub const fn code(self) -> Code {
        match self {
            Self::NotFound => codes::NOT_FOUND,
            Self::NotCreditable => codes::NOT_CREDITABLE,
            Self::Credited => codes::INVOICE_CREDITED,
            Self::AboveOpen { .. } => codes::AMOUNT_ABOVE_OPEN,
            Self::TooMany => codes::TOO_MANY_CREDIT_NOTES,
            Self::BatchMaterializing => codes::BATCH_MATERIALIZING,
            Self::BookExhausted => codes::BOOK_EXHAUSTED,
        }
    }
}

impl From<CreditRefusal> for Problem {
    fn from(refusal: CreditRefusal) -> Self {
        match refusal {
            CreditRefusal::NotFound => Self::new(codes::NOT_FOUND),
            CreditRefusal::AboveOpen { .. } => {
                Self::field("/amount", refusal.code(), refusal.to_string())
            }
            CreditRefusal::NotCreditable
            | CreditRefusal::Credited
            | CreditRefusal::TooMany
            | CreditRefusal::BatchMaterializing
            | CreditRefusal::BookExhausted => Self::new(refusal.code()).detail(refusal.to_string()),
        }
    }
}

/// Why a batch is refused: when it is asked for, while it is processed, or when it is asked for again. While it is processed the sentence
/// becomes its `errorMessage`, so it says what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchRefusal {
    /// The company has no valid CUIT or no billing settings.
    #[error(
        "The company needs a valid CUIT in its settings and billing settings before it can invoice."
    )]
    FiscalProfileMissing,
    /// The company's fiscal identity is another one than when the batch was accepted.
    #[error(
        "The company's fiscal data changed after the batch was accepted. Retry the batch to invoice with the present data."
    )]
    FiscalIdentityChanged,
    /// The issue date lies ahead.
    #[error("The issue date must not lie after today, {today}.")]
    IssueDateInFuture {
        /// Today, in the company's time zone.
        today: Date,
    },
    /// Dates would fall as numbers rise.
    #[error(
        "The receipt book's last issue date is {last}. Issue a new batch with that date or a later one."
    )]
    IssueDateBeforeLast {
        /// The book's last date.
        last: Date,
    },
    /// The point of sale is in use under another spelling.
    #[error("The point of sale is in use as {in_use}. Issue a new batch with that receipt book.")]
    ReceiptBookAlias {
        /// The spelling that stays.
        in_use: ReceiptBook,
    },
    /// The invoice type is not the issuer's.
    #[error(
        "An issuer with condition {condition} cannot use invoice type {letter}. Use a receipt book of another type."
    )]
    BookLetterNotAllowed {
        /// The issuer's condition.
        condition: IssuerCondition,
        /// The book's invoice type.
        letter: Letter,
    },
    /// The numbers do not suffice.
    #[error(
        "The receipt book has too few numbers left. Issue a new batch with another point of sale."
    )]
    BookExhausted,
    /// Some pendings are invalid, and the batch tolerates none.
    #[error(
        "{failed} pendings cannot be invoiced. Correct them or leave them out, then retry, or use onInvalid = skip."
    )]
    InvalidPendings {
        /// How many.
        failed: u32,
    },
    /// No pending is valid.
    #[error("No pending can be invoiced. The failed pendings say why; correct them and retry.")]
    NothingToInvoice,
    /// The selection matches too much.
    #[error(
        "The selection matches more than {MAX_SELECTED} pendings. Issue several batches with narrower selections."
    )]
    SelectionTooLarge,
    /// One attempt failed; more are left, or this was the last.
    #[error("The attempt failed for a technical reason.")]
    AttemptFailed,
    /// Every attempt failed.
    #[error(
        "Processing failed {MAX_ATTEMPTS} times for technical reasons. Nothing was invoiced; retry the batch later."
    )]
    ProcessingFailed,
    /// Every worker died.
    #[error(
        "Processing was interrupted {MAX_ATTEMPTS} times. Nothing was invoiced; retry the batch, or split it into smaller ones."
    )]
    WorkerLost,
    /// Only a batch in error can be retried.
    #[error("Cannot retry batch in status '{status}'")]
    NotRetryable {
        /// Its status.
        status: BatchStatus,
    },
    /// Only a batch in process goes on to the commit.
    #[error("the batch is not in process (current status: {status})")]
    NotInProcess {
        /// Its status.
        status: BatchStatus,
    },
    /// Only a committed batch can be materialised.
    #[error("the batch is not committed (current status: {status})")]
    NotProcessed {
        /// Its status.
        status: BatchStatus,
    },
    /// Valid and failed pendings do not add up to the requested ones.
    #[error("the batch's counts do not add up")]
    SetChanged,
}

impl BatchRefusal {
    /// The code.
    pub const fn code(self) -> Code {
        match self {
            Self::FiscalProfileMissing => codes::FISCAL_PROFILE_MISSING,
            Self::FiscalIdentityChanged => codes::FISCAL_IDENTITY_CHANGED,
            Self::IssueDateInFuture { .. } => codes::ISSUE_DATE_IN_FUTURE,
            Self::IssueDateBeforeLast { .. } => codes::ISSUE_DATE_BEFORE_LAST,
            Self::ReceiptBookAlias { .. } => codes::RECEIPT_BOOK_ALIAS,
            Self::BookLetterNotAllowed { .. } => codes::BOOK_LETTER_NOT_ALLOWED,
            Self::BookExhausted => codes::BOOK_EXHAUSTED,
            Self::InvalidPendings { .. } => codes::INVALID_PENDINGS,
            Self::NothingToInvoice => codes::NOTHING_TO_INVOICE,
            Self::SelectionTooLarge => codes::SELECTION_TOO_LARGE,
            Self::AttemptFailed | Self::ProcessingFailed => codes::PROCESSING_FAILED,
            Self::WorkerLost => codes::WORKER_LOST,
            Self::NotRetryable { .. } => codes::BATCH_NOT_RETRYABLE,
            Self::NotInProcess { .. } | Self::NotProcessed { .. } | Self::SetChanged => {
                codes::CONCURRENT_CHANGE
            }
        }
    }

    /// The field of a new batch that it is about.
    const fn pointer(self) -> Option<&'static str> {
        match self {
            Self::IssueDateInFuture { .. } => Some("/issueDate"),
            Self::ReceiptBookAlias { .. } | Self::BookLetterNotAllowed { .. } => {
                Some("/receiptBook")
            }
            Self::FiscalProfileMissing
            | Self::FiscalIdentityChanged
            | Self::IssueDateBeforeLast { .. }
            | Self::BookExhausted
            | Self::InvalidPendings { .. }
            | Self::NothingToInvoice
            | Self::SelectionTooLarge
            | Self::AttemptFailed
            | Self::ProcessingFailed
            | Self::WorkerLost
            | Self::NotRetryable { .. }
            | Self::NotInProcess { .. }
            | Self::NotProcessed { .. }
            | Self::SetChanged => None,
        }
    }

    /// The problem that all of these together are: wrong fields first, each listed, else the first conflict.
    pub fn problem(refusals: &[Self]) -> Problem {
        let fields: Vec<FieldError> = refusals
            .iter()
            .filter_map(|refusal| {
                Some(FieldError::new(
                    refusal.pointer()?,
                    refusal.code(),
                    refusal.to_string(),
                ))
            })
            .collect();
        match (fields.is_empty(), refusals.first()) {
            (true, Some(first)) => Problem::new(first.code()).detail(first.to_string()),
            (false, _) | (true, None) => Problem::validation(fields),
        }
    }
}

impl From<BatchRefusal> for Problem {
    fn from(refusal: BatchRefusal) -> Self {
        BatchRefusal::problem(&[refusal])
    }
}

/// Why a command to an ERP sync is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyncRefusal {
    /// No document is left that could be sent.
    #[error("No document can be sent.")]
    NothingToSync,
    /// The documents are not those that the caller has in mind.
    #[error("The documents have another digest.")]
    DigestMismatch,
    /// Only what was sent can be confirmed or cancelled.
    #[error("The sync is not sent yet.")]
    NotSent,
    /// It is confirmed and stays so.
    #[error("The sync is confirmed.")]
    Confirmed,
    /// It failed or was cancelled and stays so.
    #[error("The sync failed or was cancelled.")]
    Failed,
    /// The reason is too short or too long.
    #[error("must have {} to {} characters", CANCEL_REASON.start(), CANCEL_REASON.end())]
    ReasonLength,
    /// A part is said to be accepted while an earlier one is not.
    #[error("part {chunk} is not the next one")]
    OutOfOrder {
        /// The part, from 0.
        chunk: u32,
    },
    /// The ERP has nothing to take back.
    #[error("the sync has nothing that could be taken back")]
    NothingToCompensate,
}

impl SyncRefusal {
    /// The code.
    pub const fn code(self) -> Code {
        match self {
            Self::NothingToSync => codes::NOTHING_TO_SYNC,
            Self::DigestMismatch => codes::DIGEST_MISMATCH,
            Self::NotSent => codes::SYNC_NOT_SENT,
            Self::Confirmed => codes::SYNC_CONFIRMED,
            Self::Failed => codes::SYNC_FAILED,
            Self::ReasonLength => codes::OUT_OF_RANGE,
            Self::OutOfOrder { .. } | Self::NothingToCompensate => codes::CONCURRENT_CHANGE,
        }
    }

    /// The problem that none of these documents can be sent: 409, each with its reason, under the code that they share or else
    /// `nothing_to_sync`.
    pub fn nothing_left(errors: Vec<FieldError>) -> Problem {
        let shared = errors
            .first()
            .map(|first| first.code)
            .filter(|code| errors.iter().all(|error| error.code == *code));
        let code = shared.unwrap_or(codes::NOTHING_TO_SYNC);
        Problem::new(code)
            .status(codes::NOTHING_TO_SYNC.status())
            .detail(Self::NothingToSync.to_string())
            .errors(errors)
    }
}

impl From<SyncRefusal> for Problem {
    fn from(refusal: SyncRefusal) -> Self {
        match refusal {
            SyncRefusal::ReasonLength => {
                Self::field("/reason", refusal.code(), refusal.to_string())
            }
            SyncRefusal::NothingToSync
            | SyncRefusal::DigestMismatch
            | SyncRefusal::NotSent
            | SyncRefusal::Confirmed
            | SyncRefusal::Failed
            | SyncRefusal::OutOfOrder { .. }
            | SyncRefusal::NothingToCompensate => {
                Self::new(refusal.code()).detail(refusal.to_string())
            }
        }
    }
}
