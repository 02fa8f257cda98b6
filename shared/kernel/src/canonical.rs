//! Canonical JSON (RFC 8785) and the digests taken of it.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// A value that has no canonical form: it holds a number beyond the range of a double.
#[derive(Debug, thiserror::Error)]
#[error("the value has no canonical JSON form")]
pub struct NotCanonical(#[source] serde_json::Error);

/// The one text of a JSON value: members sorted, no blanks, numbers as ECMAScript prints them.
///
/// # Errors
/// [`NotCanonical`] when a number lies beyond the range of a double.
pub fn canonical_json(value: &Value) -> Result<String, NotCanonical> {
    serde_json_canonicalizer::to_string(value).map_err(NotCanonical)
}

/// SHA-256 as 64 lower-case hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        r#"{ "b" : 1.50, "a" : [ true, null ] }"#,
        r#"{"a":[true,null],"b":1.5}"#
    )]
    #[case(r#""\u00e9\u001f\/""#, "\"é\\u001f/\"")]
    #[case("1E30", "1e+30")]
    #[case("-0", "0")]
    // UTF-16 order: a supplementary character sorts before U+FB33.
    #[case("{\"\u{fb33}\":2,\"\u{1f600}\":1}", "{\"\u{1f600}\":1,\"\u{fb33}\":2}")]
    fn canonical_form(#[case] json: &str, #[case] canonical: &str) {
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(canonical_json(&value).unwrap(), canonical);
    }

    #[test]
    fn a_number_no_double_can_hold_has_no_canonical_form() {
        let value: Value = serde_json::from_str("1e400").unwrap();
        assert!(canonical_json(&value).is_err());
    }

    #[test]
    fn digest_of_nothing() {
        assert_eq!(
            sha256_hex(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    proptest! {
        #[test]
        fn canonical_text_is_a_fixed_point(entries in prop::collection::btree_map(".*", any::<i32>(), 0..8)) {
            let text = canonical_json(&serde_json::json!(entries)).unwrap();
            let value: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(canonical_json(&value).unwrap(), text);
        }
    }
}
