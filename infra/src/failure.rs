//! What went wrong and what to do next: every failure of this tool says both.

use std::fmt;

/// A failure of one step, told to a person.
#[derive(Debug, thiserror::Error)]
pub(crate) struct Failure {
    what: String,
    next: String,
}

impl Failure {
    /// `what` happened, as a sentence; `next` is what the reader can do about it.
    pub(crate) fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            next: next.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n\nWhat to do: {}", self.what, self.next)
    }
}

/// The result of a step.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Puts a failed call into words.
pub(crate) trait OrFail<T> {
    /// The error becomes part of the sentence `what`.
    fn or_fail(self, what: impl fmt::Display, next: &str) -> Result<T>;
}

impl<T, E: std::error::Error> OrFail<T> for std::result::Result<T, E> {
    fn or_fail(self, what: impl fmt::Display, next: &str) -> Result<T> {
        self.map_err(|error| {
            let mut text = format!("{what}: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                text.push_str(&format!(": {inner}"));
                cause = inner.source();
            }
            Failure::new(text, next)
        })
    }
}
