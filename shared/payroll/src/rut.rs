//! The Chilean tax number: seven or eight digits and a check character.
//!
//! The check character is modulo 11: digits from the right times 2, 3, 4, 5, 6, 7 and again; 11 less the sum's remainder; 11 reads `0` and 10
//! reads `K`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a text is no RUT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotARut {
    /// There is nothing.
    #[error("is empty")]
    Empty,
    /// It has not the form.
    #[error("is not seven or eight digits and a check character")]
    Form,
}

/// A RUT in its normal form, such as `12345678-5`. Its check character may be wrong: a book may hold such a RUT, and says so as a discrepancy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rut {
    number: u32,
    check: u8,
}

impl Rut {
    /// Reads a RUT as people write it: with or without dots, blanks, leading zeros and hyphen, `k` in either case.
    ///
    /// # Errors
    /// [`NotARut`]. A wrong check character is none: see [`Rut::is_valid`].
    pub fn parse(text: &str) -> Result<Self, NotARut> {
        let bare: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '\u{a0}' && *c != '.')
            .collect();
        if bare.is_empty() {
            return Err(NotARut::Empty);
        }
        let bare = bare.to_ascii_uppercase();
        let (digits, check) = match bare.split_once('-') {
            Some((digits, check)) => (digits, check),
            None => bare
                .char_indices()
                .next_back()
                .map(|(last, _)| bare.split_at(last))
                .ok_or(NotARut::Form)?,
        };
        let digits = digits.trim_start_matches('0');
        let &[check] = check.as_bytes() else {
            return Err(NotARut::Form);
        };
        let formed = matches!(digits.len(), 7 | 8)
            && digits.bytes().all(|b| b.is_ascii_digit())
            && (check.is_ascii_digit() || check == b'K');
        if !formed {
            return Err(NotARut::Form);
        }
        let number = digits.parse().map_err(|_| NotARut::Form)?;
        Ok(Self { number, check })
    }

    /// Whether the check character is the right one.
    pub fn is_valid(self) -> bool {
        check_of(self.number) == self.check
    }

    /// The digits without the check character.
    pub const fn number(self) -> u32 {
        self.number
    }
}

fn check_of(mut number: u32) -> u8 {
    let mut sum = 0;
    for weight in (2..=7).cycle() {
        if number == 0 {
            break;
        }
        sum += number % 10 * weight;
        number /= 10;
    }
    match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    }
}

impl fmt::Display for Rut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.number, char::from(self.check))
    }
}

impl Serialize for Rut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rut {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("17317684-8")]
    #[case("11111111-1")]
    #[case("12345678-5")]
    #[case("76086428-5")]
    #[case("18208947-8")]
    #[case("30686957-4")]
    #[case("10000013-K")]
    #[case("10000004-0")]
    fn valid_ones_are_read_and_shown_alike(#[case] text: &str) {
        let rut = Rut::parse(text).unwrap();
        assert!(rut.is_valid());
        assert_eq!(rut.to_string(), text);
        let json = serde_json::json!(rut);
        assert_eq!(json, text);
        assert_eq!(serde_json::from_value::<Rut>(json).unwrap(), rut);
    }

    #[rstest]
    #[case(" 012.345.678-5 ", "12345678-5")]
    #[case("123456785", "12345678-5")]
    #[case("10000013-k", "10000013-K")]
    #[case("10000013k", "10000013-K")]
    fn every_spelling_has_one_form(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Rut::parse(text).unwrap().to_string(), expected);
    }

    #[test]
    fn a_wrong_check_character_is_read_and_told() {
        assert!(!Rut::parse("17317684-2").unwrap().is_valid());
    }

    #[rstest]
    #[case("", NotARut::Empty)]
    #[case(" \u{a0}", NotARut::Empty)]
    #[case("1234-3", NotARut::Form)]
    #[case("A2345678-5", NotARut::Form)]
    #[case("123456789-2", NotARut::Form)]
    #[case("12345678-", NotARut::Form)]
    #[case("12345678-5-5", NotARut::Form)]
    #[case("12345678-ñ", NotARut::Form)]
    #[case("ñ", NotARut::Form)]
    fn what_is_no_rut_is_refused(#[case] text: &str, #[case] expected: NotARut) {
        assert_eq!(Rut::parse(text).unwrap_err(), expected);
        assert!(serde_json::from_value::<Rut>(text.into()).is_err());
    }
}
