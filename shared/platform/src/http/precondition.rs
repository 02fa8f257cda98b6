//! Versions over HTTP: an entity's version travels as `ETag`, and `If-Match` names the version that a change was made for.

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use cierre_kernel::codes;
use cierre_kernel::problem::Problem;

use crate::error::{Error, Result};

/// The `ETag` of a version.
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// What `If-Match` demands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IfMatch {
    /// No such header: any state is fine.
    #[default]
    Unconditional,
    /// `*`: the entity must exist.
    Existing,
    /// One of these versions. A tag that no version of ours can have is dropped, so the list may be empty and match nothing.
    OneOf(Vec<u64>),
}

impl IfMatch {
    /// Compares with the current version; none when the entity does not exist.
    ///
    /// # Errors
    /// 412 `version_mismatch`.
    pub fn check(&self, current: Option<u64>) -> Result<()> {
        let holds = match (self, current) {
            (Self::Unconditional, _) | (Self::Existing, Some(_)) => true,
            (Self::OneOf(versions), Some(current)) => versions.contains(&current),
            (Self::Existing | Self::OneOf(_), None) => false,
        };
        if holds {
            Ok(())
        } else {
            Err(Problem::new(codes::VERSION_MISMATCH).into())
        }
    }

    /// Reads the header's value; none when the text is not a list of entity tags.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "*" {
            return Some(Self::Existing);
        }
        let mut versions = Vec::new();
        for tag in text.split(',').map(str::trim) {
            let (weak, quoted) = tag
                .strip_prefix("W/")
                .map_or((false, tag), |rest| (true, rest));
            let opaque = quoted.strip_prefix('"')?.strip_suffix('"')?;
            if opaque.contains('"') {
                return None;
            }
            // If-Match compares strongly: a weak tag is well formed and never equal.
            if !weak && !opaque.starts_with('+') {
                versions.extend(opaque.parse::<u64>());
            }
        }
        Some(Self::OneOf(versions))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let malformed = || {
            Problem::new(codes::INVALID_HEADER)
                .detail("If-Match must be * or a list of entity tags such as \"3\"")
        };
        let mut demanded: Option<Self> = None;
        for value in parts.headers.get_all(IF_MATCH) {
            let read = value
                .to_str()
                .ok()
                .and_then(Self::parse)
                .ok_or_else(malformed)?;
            demanded = Some(match (demanded, read) {
                (None, read) => read,
                (Some(Self::OneOf(mut known)), Self::OneOf(more)) => {
                    known.extend(more);
                    Self::OneOf(known)
                }
                (Some(_), _) => return Err(malformed().into()),
            });
        }
        Ok(demanded.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tags_as_this_api_writes_them() {
        assert_eq!(IfMatch::parse(&etag(3)), Some(IfMatch::OneOf(vec![3])));
        assert_eq!(
            IfMatch::parse("\"1\", \"2\""),
            Some(IfMatch::OneOf(vec![1, 2]))
        );
        assert_eq!(IfMatch::parse("*"), Some(IfMatch::Existing));
    }

    #[test]
    fn a_weak_or_foreign_tag_matches_no_version() {
        for text in [
            "W/\"3\"",
            "\"abc\"",
            "\"+3\"",
            "\"\"",
            "\"99999999999999999999999\"",
        ] {
            assert_eq!(IfMatch::parse(text), Some(IfMatch::OneOf(vec![])), "{text}");
        }
    }

    #[test]
    fn text_that_is_no_tag_is_malformed() {
        for text in ["3", "\"3", "3\"", "\"1\" \"2\"", "", ",", "*, \"1\""] {
            assert_eq!(IfMatch::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_demanded_version_passes() {
        assert!(IfMatch::Unconditional.check(None).is_ok());
        assert!(IfMatch::Existing.check(Some(9)).is_ok());
        assert!(IfMatch::Existing.check(None).is_err());
        assert!(IfMatch::OneOf(vec![1, 3]).check(Some(3)).is_ok());
        let error = IfMatch::OneOf(vec![1, 3]).check(Some(2)).unwrap_err();
        assert!(
            matches!(error, Error::Refused(problem) if problem.code == codes::VERSION_MISMATCH)
        );
        assert!(IfMatch::OneOf(vec![1]).check(None).is_err());
    }
}
