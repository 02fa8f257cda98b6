//! One id that follows a command through API, queue, worker, event and log line.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::id::InvalidId;

const MAX_LENGTH: usize = 64;

/// A correlation id: 1 to 64 characters of `[A-Za-z0-9._-]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CorrelationId(String);

impl CorrelationId {
    /// Reads a caller's id.
    ///
    /// # Errors
    /// [`InvalidId`] when it is empty, too long or holds another character.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let well_formed = (1..=MAX_LENGTH).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId)
        }
    }

    /// Makes one up from a fresh ULID.
    #[must_use]
    pub fn from_ulid(ulid: Ulid) -> Self {
        Self(ulid.to_string())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CorrelationId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for CorrelationId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<CorrelationId> for String {
    fn from(id: CorrelationId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::empty("")]
    #[case::space("a b")]
    #[case::line_break("a\n")]
    #[case::accent("é")]
    fn refuses_what_could_break_a_header_or_a_log_line(#[case] text: &str) {
        assert_eq!(CorrelationId::parse(text), Err(InvalidId));
    }

    #[test]
    fn refuses_sixty_five_characters() {
        assert!(CorrelationId::parse(&"a".repeat(64)).is_ok());
        assert!(CorrelationId::parse(&"a".repeat(65)).is_err());
    }

    proptest! {
        #[test]
        fn takes_over_a_well_formed_id_unchanged(text in "[A-Za-z0-9._-]{1,64}") {
            let id = CorrelationId::parse(&text).unwrap();
            prop_assert_eq!(id.as_str(), text);
        }

        #[test]
        fn a_made_up_id_is_well_formed(bits: u128) {
            let id = CorrelationId::from_ulid(Ulid(bits));
            prop_assert_eq!(CorrelationId::parse(id.as_str()), Ok(id));
        }
    }
}
