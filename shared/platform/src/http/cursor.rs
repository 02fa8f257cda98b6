//! Cursors: where a list goes on. Opaque, signed, and good only for the company and the query that made them.
//!
//! A cursor is `base64url(tag ‖ position)`. The tag is HMAC-SHA256 over the scope and the position, so a cursor that was altered, that
//! belongs to another company, or that is sent with other filters does not verify. The position is readable to whoever decodes it; it holds
//! the sort position of an item that the caller has just been shown and nothing else.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::problem::Problem;
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use super::fields::Paging;
use crate::db::Item;
use crate::error::{Doing, Failure, Result};

/// The environment variable with the signing key.
pub const KEY_VARIABLE: &str = "CURSOR_KEY";
/// Shorter keys are refused at start: a guessable key is none.
const LEAST_KEY_BYTES: usize = 32;
/// 128 bits of the tag travel; that is far beyond guessing and keeps addresses short.
const TAG_BYTES: usize = 16;

/// What a cursor is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorScope {
    text: String,
}

impl CursorScope {
    /// Binds to a company, a path and the filters of the query (all parameters but `limit` and `cursor`), in any order.
    pub fn new<'a>(
        company: &CompanyId,
        path: &str,
        filters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let filters: BTreeMap<&str, &str> = filters.into_iter().collect();
        // JSON marks where each part ends, so no two scopes can run together into one text.
        Self {
            text: serde_json::json!([company.as_str(), path, filters]).to_string(),
        }
    }
}

/// Makes and reads cursors.
#[derive(Clone)]
pub struct Cursors {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cursors")
    }
}

impl Cursors {
    /// With a signing key of at least 32 bytes.
    ///
    /// # Errors
    /// When the key is shorter.
    pub fn new(key: &[u8]) -> Result<Self, Failure> {
        if key.len() < LEAST_KEY_BYTES {
            return Err(Failure::message(format!(
                "{KEY_VARIABLE} has fewer than {LEAST_KEY_BYTES} bytes"
            )));
        }
        Ok(Self {
            mac: Hmac::new_from_slice(key).doing("preparing the signing of cursors")?,
        })
    }

    /// With the key of the environment.
    ///
    /// # Errors
    /// When there is none or it is too short.
    pub fn from_env() -> Result<Self, Failure> {
        let key = std::env::var(KEY_VARIABLE).doing("reading the signing key of cursors")?;
        Self::new(key.as_bytes())
    }

    fn tag(&self, scope: &CursorScope, position: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        // The length in front keeps scope and position apart.
        mac.update(&(scope.text.len() as u64).to_be_bytes());
        mac.update(scope.text.as_bytes());
        mac.update(position);
        mac
    }

    /// Signs a position.
    ///
    /// # Errors
    /// When the position cannot be written as JSON.
    pub fn encode(
        &self,
        scope: &CursorScope,
        position: &impl Serialize,
    ) -> Result<String, Failure> {
        let position = serde_json::to_vec(position).doing("writing a cursor")?;
        let tag = self.tag(scope, &position).finalize().into_bytes();
        let signed: Vec<u8> = tag
            .iter()
            .take(TAG_BYTES)
            .chain(&position)
            .copied()
            .collect();
        Ok(URL_SAFE_NO_PAD.encode(signed))
    }

    /// Verifies and reads a cursor.
    ///
    /// # Errors
    /// 400 `bad_cursor` for anything that [`Cursors::encode`] did not make for this scope.
    pub fn decode<T: DeserializeOwned>(&self, scope: &CursorScope, cursor: &str) -> Result<T> {
        let bad = || Problem::new(codes::BAD_CURSOR);
        let signed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
        let (tag, position) = signed.split_at_checked(TAG_BYTES).ok_or_else(bad)?;
        self.tag(scope, position)
            .verify_truncated_left(tag)
            .map_err(|_| bad())?;
        Ok(serde_json::from_slice(position).map_err(|_| bad())?)
    }

    /// Where the list that is asked for begins; none at its beginning.
    ///
    /// # Errors
    /// As [`Cursors::decode`].
    pub fn start<T: DeserializeOwned>(
        &self,
        scope: &CursorScope,
        paging: &Paging,
    ) -> Result<Option<T>> {
        let cursor = paging.cursor.as_deref();
        cursor.map(|cursor| self.decode(scope, cursor)).transpose()
    }

    /// Signs where the next page begins; none stays none.
    ///
    /// # Errors
    /// As [`Cursors::encode`].
    pub fn next<T: Serialize>(
        &self,
        scope: &CursorScope,
        position: Option<T>,
    ) -> Result<Option<String>, Failure> {
        position
            .map(|position| self.encode(scope, &position))
            .transpose()
    }

    /// Signs the last key of a DynamoDB page, whose attributes are all text; none stays none.
    ///
    /// # Errors
    /// When a key attribute is not text.
    pub fn encode_key(
        &self,
        scope: &CursorScope,
        last: Option<&Item>,
    ) -> Result<Option<String>, Failure> {
        let Some(last) = last else { return Ok(None) };
        let texts = last.iter().map(|(name, value)| {
            value
                .as_s()
                .map(|text| (name, text))
                .map_err(|_| Failure::message(format!("the key attribute {name} is not text")))
        });
        let position: BTreeMap<&String, &String> = texts.collect::<Result<_, _>>()?;
        self.encode(scope, &position).map(Some)
    }

    /// Verifies a cursor that [`Cursors::encode_key`] made and gives the key back to go on after; none stays none.
    ///
    /// # Errors
    /// 400 `bad_cursor`, as [`Cursors::decode`].
    pub fn decode_key(&self, scope: &CursorScope, cursor: Option<&str>) -> Result<Option<Item>> {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let position: BTreeMap<String, String> = self.decode(scope, cursor)?;
        Ok(Some(
            position
                .into_iter()
                .map(|(name, text)| (name, AttributeValue::S(text)))
                .collect(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use proptest::prelude::*;

    fn cursors() -> Cursors {
        Cursors::new(&[7; 32]).unwrap()
    }

    fn scope(company: &str, path: &str, filters: &[(&str, &str)]) -> CursorScope {
        CursorScope::new(
            &CompanyId::parse(company).unwrap(),
            path,
            filters.iter().copied(),
        )
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(Cursors::new(&[7; 31]).is_err());
    }

    #[test]
    fn a_cursor_of_another_company_path_or_filter_is_bad() {
        let made_for = scope("demo", "/services", &[("status", "CREATED")]);
        let cursor = cursors().encode(&made_for, &42).unwrap();
        assert_eq!(cursors().decode::<u32>(&made_for, &cursor).unwrap(), 42);
        for other in [
            scope("other", "/services", &[("status", "CREATED")]),
            scope("demo", "/invoices", &[("status", "CREATED")]),
            scope("demo", "/services", &[("status", "INVOICED")]),
            scope("demo", "/services", &[]),
        ] {
            let error = cursors().decode::<u32>(&other, &cursor).unwrap_err();
            assert!(matches!(error, Error::Refused(problem) if problem.code == codes::BAD_CURSOR));
        }
    }

    #[test]
    fn the_order_of_the_filters_does_not_matter() {
        let one = scope("demo", "/x", &[("a", "1"), ("b", "2")]);
        let two = scope("demo", "/x", &[("b", "2"), ("a", "1")]);
        assert_eq!(one, two);
    }

    #[test]
    fn a_cursor_of_another_key_is_bad() {
        let scope = scope("demo", "/x", &[]);
        let foreign = Cursors::new(&[8; 32]).unwrap().encode(&scope, &1).unwrap();
        assert!(cursors().decode::<u32>(&scope, &foreign).is_err());
    }

    #[test]
    fn every_turned_bit_and_every_cut_makes_it_bad() {
        let scope = scope("demo", "/services", &[("status", "CREATED")]);
        let position = ["demo#svc", "2024-01-05#01JD0000000000000000000001"];
        let cursor = cursors().encode(&scope, &position).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        let is_bad = |bytes: &[u8]| {
            let altered = URL_SAFE_NO_PAD.encode(bytes);
            cursors().decode::<Vec<String>>(&scope, &altered).is_err()
        };
        assert!(!is_bad(&bytes));
        for bit in 0..bytes.len() * 8 {
            let mut turned = bytes.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            assert!(is_bad(&turned), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert!(
                is_bad(&bytes[..cut]) && is_bad(&bytes[cut + 1..]),
                "cut at {cut}"
            );
        }
    }

    /// As after a deployment that changed what a list sorts by.
    #[test]
    fn a_cursor_whose_position_has_another_form_is_bad() {
        let scope = scope("demo", "/services", &[]);
        let earlier = cursors().encode(&scope, &("2024-01-05", 7)).unwrap();
        assert!(cursors().decode::<String>(&scope, &earlier).is_err());
        assert!(cursors().decode_key(&scope, Some(&earlier)).is_err());
    }

    #[test]
    fn a_key_comes_back_as_it_was() {
        let scope = scope("demo", "/x", &[]);
        let key = Item::from([
            ("pk".to_owned(), AttributeValue::S("demo#svc".into())),
            ("sk".to_owned(), AttributeValue::S("é".into())),
        ]);
        let cursor = cursors().encode_key(&scope, Some(&key)).unwrap().unwrap();
        assert_eq!(
            cursors().decode_key(&scope, Some(&cursor)).unwrap(),
            Some(key)
        );
        assert_eq!(cursors().decode_key(&scope, None).unwrap(), None);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(position in prop::collection::btree_map(".*", ".*", 0..5)) {
            let scope = scope("demo", "/x", &[]);
            let cursor = cursors().encode(&scope, &position).unwrap();
            prop_assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(cursors().decode::<BTreeMap<String, String>>(&scope, &cursor).unwrap(), position);
        }

        #[test]
        fn any_altered_character_makes_it_bad(at in 0_usize..60, to in "[A-Za-z0-9_-]") {
            let scope = scope("demo", "/x", &[]);
            let cursor = cursors().encode(&scope, &"a position of some length to alter").unwrap();
            let at = at % cursor.len();
            let mut altered = cursor.clone();
            altered.replace_range(at..=at, &to);
            prop_assume!(altered != cursor);
            prop_assert!(cursors().decode::<String>(&scope, &altered).is_err());
        }

        #[test]
        fn any_other_text_is_bad(text in ".*") {
            prop_assert!(cursors().decode::<serde_json::Value>(&scope("demo", "/x", &[]), &text).is_err());
        }
    }
}
