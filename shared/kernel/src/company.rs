//! The tenant. Every entity, event, object key and queue message belongs to exactly one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::InvalidId;

const MAX_LENGTH: usize = 40;

/// Identifies a company: `^[a-z0-9][a-z0-9-]{0,39}$`.
///
/// The narrow alphabet lets the id stand inside storage keys, where `#` separates parts, without
/// escaping.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CompanyId(String);

impl CompanyId {
    /// Reads a company id.
    ///
    /// # Errors
    /// [`InvalidId`] when the text has another form.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let well_formed = text.len() <= MAX_LENGTH
            && !text.is_empty()
            && !text.starts_with('-')
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId)
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CompanyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CompanyId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for CompanyId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<CompanyId> for String {
    fn from(id: CompanyId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::letters("demo", true)]
    #[case::digit_first("1-demo", true)]
    #[case::one("a", true)]
    #[case::forty("a234567890123456789012345678901234567890", true)]
    #[case::forty_one("a2345678901234567890123456789012345678901", false)]
    #[case::empty("", false)]
    #[case::hyphen_first("-demo", false)]
    #[case::upper("Demo", false)]
    #[case::separator("de#mo", false)]
    #[case::accent("dé", false)]
    fn accepts_only_lower_case_words(#[case] text: &str, #[case] accepted: bool) {
        assert_eq!(CompanyId::parse(text).is_ok(), accepted);
    }

    #[test]
    fn is_a_plain_string_in_json_and_checked_on_the_way_in() {
        let id = CompanyId::parse("demo").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"demo\"");
        assert!(serde_json::from_str::<CompanyId>("\"De mo\"").is_err());
    }
}
