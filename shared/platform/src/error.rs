//! The two ways a use case ends without success: it was refused, or it failed.

use std::fmt;

use cierre_kernel::problem::Problem;

/// Shorthand for results of use cases.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refusal is an answer for the caller; a failure is a fault of ours and reaches the caller as `internal` only.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command or query was understood and turned down.
    #[error("refused: {}", .0.code)]
    Refused(Box<Problem>),
    /// Something broke on our side; the chain goes to the log, never to the caller.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

/// A technical fault: what we were doing, and what went wrong underneath.
///
/// `Display` shows the sentence only; walk [`std::error::Error::source`] for the chain, as [`Failure::chain`] does for the log.
#[derive(Debug)]
pub struct Failure {
    doing: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    /// A failure with a cause underneath.
    pub fn new(
        doing: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            doing: doing.into(),
            source: Some(source.into()),
        }
    }

    /// A failure without a cause underneath: a stored value that must not exist, an impossible answer.
    pub fn message(doing: impl Into<String>) -> Self {
        Self {
            doing: doing.into(),
            source: None,
        }
    }

    /// The sentence and every cause below it, joined by `: `, for one log line.
    pub fn chain(&self) -> String {
        let mut text = self.doing.clone();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

/// Adds "what we were doing" to any error and makes it a [`Failure`].
pub trait Doing<T> {
    /// Names the action that failed, in the present continuous: "reading the batch".
    ///
    /// # Errors
    /// The original error, wrapped.
    fn doing(self, what: &str) -> std::result::Result<T, Failure>;
}

impl<T, E: Into<Box<dyn std::error::Error + Send + Sync>>> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: &str) -> std::result::Result<T, Failure> {
        self.map_err(|cause| Failure::new(what, cause))
    }
}
