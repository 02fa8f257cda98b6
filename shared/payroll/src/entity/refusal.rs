//! Why payroll refuses: typed, each with its code, and turned into a problem in one place.

use cierre_kernel::codes::{self, Code};
use cierre_kernel::problem::{FieldError, Problem};

use super::cierre::Blocked;

/// Everything that is wrong with the fields of a request; a 422 that lists them all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("some fields are not valid")]
pub struct Invalid(pub Vec<FieldError>);

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::validation(invalid.0)
    }
}

/// Why a closing's state refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CierreRefusal {
    /// Required files are missing, or some file is not processed.
    #[error("Every file has to be processed, the libro and movimientos_mes among them.")]
    FilesIncomplete,
    /// The files changed since the results were generated.
    #[error("The results are missing or out of date. Generate them again.")]
    ResultsStale,
    /// Incidences need discrepancies first.
    #[error("Generate the discrepancies first.")]
    DiscrepanciesPending,
    /// Incidences need every blocking discrepancy settled.
    #[error("Blocking discrepancies are open. Upload corrected files or have them justified.")]
    DiscrepanciesOpen,
    /// No incidence is open.
    #[error("No incidence of this closing waits for a decision.")]
    IncidenceState,
    /// Something stands in the way of the end.
    #[error("The closing cannot be finalised in this state.")]
    CloseBlocked,
    /// It is sealed.
    #[error("The closing is finalised. A supervisor can reopen it.")]
    Finalized,
    /// It is gone.
    #[error("The closing is deleted.")]
    Deleted,
    /// Only a finalised closing is reopened.
    #[error("Only a finalised closing can be reopened.")]
    NotFinalized,
    /// The reason is missing, too short or too long.
    #[error("must have 10 to 500 characters")]
    ReasonRequired,
    /// Files changed while a job ran: its outcome is not written.
    #[error("The files changed while the job ran. Nothing was written; generate again.")]
    InputsChanged,
}

impl CierreRefusal {
    /// The code.
    pub const fn code(self) -> Code {
        match self {
            Self::FilesIncomplete => codes::FILES_INCOMPLETE,
            Self::ResultsStale => codes::RESULTS_STALE,
            Self::DiscrepanciesPending => codes::DISCREPANCIES_PENDING,
            Self::DiscrepanciesOpen => codes::DISCREPANCIES_OPEN,
            Self::IncidenceState => codes::INCIDENCE_STATE,
            Self::CloseBlocked => codes::CLOSE_BLOCKED,
            Self::Finalized => codes::CIERRE_FINALIZED,
            Self::Deleted => codes::CIERRE_DELETED,
            Self::NotFinalized => codes::NOT_FINALIZED,
            Self::ReasonRequired => codes::REASON_REQUIRED,
            Self::InputsChanged => codes::INPUTS_CHANGED,
        }
    }
}

impl From<CierreRefusal> for Problem {
    fn from(refusal: CierreRefusal) -> Self {
        match refusal {
            CierreRefusal::ReasonRequired => {
                Self::field("/motivo", refusal.code(), refusal.to_string())
            }
            CierreRefusal::FilesIncomplete
            | CierreRefusal::ResultsStale
            | CierreRefusal::DiscrepanciesPending
            | CierreRefusal::DiscrepanciesOpen
            | CierreRefusal::IncidenceState
            | CierreRefusal::CloseBlocked
            | CierreRefusal::Finalized
            | CierreRefusal::Deleted
            | CierreRefusal::NotFinalized
            | CierreRefusal::InputsChanged => Self::new(refusal.code()).detail(refusal.to_string()),
        }
    }
}

/// Why a closing is not finalised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseRefusal {
    /// Its state has no end ahead.
    #[error(transparent)]
    State(#[from] CierreRefusal),
    /// These things stand in the way.
    #[error(transparent)]
    Blocked(#[from] Blocked),
}

impl From<CloseRefusal> for Problem {
    fn from(refusal: CloseRefusal) -> Self {
        match refusal {
            CloseRefusal::State(state) => state.into(),
            CloseRefusal::Blocked(blocked) => {
                let detail = blocked.to_string();
                let listed = blocked.reasons.into_iter().map(FieldError::from);
                Self::new(codes::CLOSE_BLOCKED)
                    .detail(detail)
                    .errors(listed.collect())
            }
        }
    }
}

/// Why a command to a file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchivoRefusal {
    /// Its closing refuses.
    #[error(transparent)]
    Cierre(#[from] CierreRefusal),
    /// There is no such file in the closing.
    #[error("The closing has no such file.")]
    NotFound,
    /// Its object has not arrived.
    #[error("The file has not arrived yet.")]
    NotReceived,
    /// A worker has it, or will.
    #[error("The file is in process.")]
    InProcess,
    /// It is in force.
    #[error("The file is processed.")]
    Processed,
    /// Its content is wrong and stays so.
    #[error("The file has errors. Correct it and upload it again.")]
    HasErrors,
    /// It is expired, replaced or deleted. For a worker: what it has done is to be discarded.
    #[error("The file is expired, replaced or deleted.")]
    NotLive,
    /// The step does not follow from the state; another worker is ahead.
    #[error("The step does not follow from the file's state.")]
    OutOfPlace,
}

impl ArchivoRefusal {
    /// The code.
    pub const fn code(self) -> Code {
        match self {
            Self::Cierre(refusal) => refusal.code(),
            Self::NotFound => codes::NOT_FOUND,
            Self::NotReceived => codes::FILE_NOT_RECEIVED,
            Self::InProcess => codes::FILE_IN_PROCESS,
            Self::Processed => codes::FILE_PROCESSED,
            Self::HasErrors => codes::FILE_HAS_ERRORS,
            Self::NotLive => codes::FILE_NOT_LIVE,
            Self::OutOfPlace => codes::CONCURRENT_CHANGE,
        }
    }
}

impl From<ArchivoRefusal> for Problem {
    fn from(refusal: ArchivoRefusal) -> Self {
        match refusal {
            ArchivoRefusal::Cierre(cierre) => cierre.into(),
            // Nothing tells an unknown file from another company's.
            ArchivoRefusal::NotFound => Self::new(codes::NOT_FOUND),
            ArchivoRefusal::NotReceived
            | ArchivoRefusal::InProcess
            | ArchivoRefusal::Processed
            | ArchivoRefusal::HasErrors
            | ArchivoRefusal::NotLive
            | ArchivoRefusal::OutOfPlace => Self::new(refusal.code()).detail(refusal.to_string()),
        }
    }
}

/// Why a decision about a discrepancy or an incidence is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewRefusal {
    /// The closing refuses.
    #[error(transparent)]
    Cierre(#[from] CierreRefusal),
    /// The discrepancy is justified or corrected.
    #[error("The discrepancy is not open.")]
    DiscrepancyClosed,
    /// The incidence waits for another step, or for none.
    #[error("The incidence's state does not allow this.")]
    IncidenceState,
    /// The role does not allow this.
    #[error("The role does not allow this.")]
    WrongRole,
    /// The caller has a part in what is to be decided.
    #[error("Somebody else has to do this.")]
    FourEyes,
    /// The justification is missing, too short or too long.
    #[error("must have 10 to 1000 characters")]
    JustificationRequired,
    /// The resolution is not one of those offered.
    #[error("is not one of correcta, regulariza_proximo_mes, otra")]
    ResolutionInvalid,
    /// The comment is missing, too short or too long.
    #[error("must have 10 to 1000 characters")]
    CommentRequired,
}

impl ReviewRefusal {
    /// The code.
    pub const fn code(self) -> Code {
        match self {
            Self::Cierre(refusal) => refusal.code(),
            Self::DiscrepancyClosed => codes::DISCREPANCY_CLOSED,
            Self::IncidenceState => codes::INCIDENCE_STATE,
            Self::WrongRole => codes::WRONG_ROLE,
            Self::FourEyes => codes::FOUR_EYES_REQUIRED,
            Self::JustificationRequired => codes::JUSTIFICATION_REQUIRED,
            Self::ResolutionInvalid => codes::RESOLUTION_INVALID,
            Self::CommentRequired => codes::COMMENT_REQUIRED,
        }
    }

    const fn pointer(self) -> Option<&'static str> {
        match self {
            Self::JustificationRequired => Some("/justificacion"),
            Self::ResolutionInvalid => Some("/resolucion"),
            Self::CommentRequired => Some("/comentario"),
            Self::Cierre(_)
            | Self::DiscrepancyClosed
            | Self::IncidenceState
            | Self::WrongRole
            | Self::FourEyes => None,
        }
    }
}

impl From<ReviewRefusal> for Problem {
    fn from(refusal: ReviewRefusal) -> Self {
        match refusal.pointer() {
            Some(pointer) => Self::field(pointer, refusal.code(), refusal.to_string()),
            None => Self::new(refusal.code()).detail(refusal.to_string()),
        }
    }
}
