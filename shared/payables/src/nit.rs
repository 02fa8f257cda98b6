//! NIT, the Colombian tax number: five to fifteen digits and a check digit.
//!
//! The check digit: the digits from the right times 3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71; the sum's remainder by 11, or 11
//! less it where it is above 1.

use std::fmt;

use cierre_kernel::codes::{self, Code};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const WEIGHTS: [u64; 15] = [3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71];
const MIN_DIGITS: usize = 5;

/// Why a text is no NIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotANit {
    /// It has not the form.
    #[error("must be 5 to 15 digits without leading zero, a hyphen and the check digit")]
    Form,
    /// The check digit is another one.
    #[error("has the wrong check digit")]
    Check,
}

impl NotANit {
    /// The code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Form => codes::NIT_FORMATO,
            Self::Check => codes::NIT_DIGITO_INVALIDO,
        }
    }
}

/// A NIT with its right check digit, such as `860069804-2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nit(u64);

impl Nit {
    /// Reads a NIT with its check digit; dots between the digits are left out.
    ///
    /// # Errors
    /// [`NotANit`].
    pub fn parse(text: &str) -> Result<Self, NotANit> {
        let (number, check) = text.trim().split_once('-').ok_or(NotANit::Form)?;
        Self::with_check(number, Some(check))
    }

    /// Reads the digits and the check digit that electronic invoices write apart; an absent one is computed.
    ///
    /// # Errors
    /// [`NotANit`].
    pub fn with_check(number: &str, check: Option<&str>) -> Result<Self, NotANit> {
        let digits: String = number.trim().chars().filter(|c| *c != '.').collect();
        let formed = (MIN_DIGITS..=WEIGHTS.len()).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit());
        if !formed {
            return Err(NotANit::Form);
        }
        let nit = Self(digits.parse().map_err(|_| NotANit::Form)?);
        match check.map(|check| check.trim().as_bytes()) {
            None => Ok(nit),
            Some([digit]) if digit.is_ascii_digit() => {
                if u64::from(digit - b'0') == nit.check() {
                    Ok(nit)
                } else {
                    Err(NotANit::Check)
                }
            }
            Some(_) => Err(NotANit::Form),
        }
    }

    /// The digits without the check digit.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    fn check(self) -> u64 {
        let mut rest = self.0;
        let mut sum = 0;
        for weight in WEIGHTS {
            sum += rest % 10 * weight;
            rest /= 10;
        }
        match sum % 11 {
            small @ (0 | 1) => small,
            remainder => 11 - remainder,
        }
    }
}

impl fmt::Display for Nit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.check())
    }
}

impl Serialize for Nit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Nit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("860069804-2")]
    #[case("900373923-8")]
    #[case("890321567-0")]
    #[case("900123456-8")]
    #[case("800197268-4")]
    fn valid_ones_are_read_and_shown_alike(#[case] text: &str) {
        let nit = Nit::parse(text).unwrap();
        assert_eq!(nit.to_string(), text);
        let json = serde_json::json!(nit);
        assert_eq!(serde_json::from_value::<Nit>(json).unwrap(), nit);
        let (number, check) = text.split_once('-').unwrap();
        assert_eq!(Nit::with_check(number, None), Ok(nit));
        assert_eq!(Nit::with_check(number, Some(check)), Ok(nit));
    }

    #[rstest]
    #[case("860069804-3", codes::NIT_DIGITO_INVALIDO)]
    #[case("860069804", codes::NIT_FORMATO)]
    #[case("8600698042", codes::NIT_FORMATO)]
    #[case("860069804-", codes::NIT_FORMATO)]
    #[case("860069804-22", codes::NIT_FORMATO)]
    #[case("860069804-K", codes::NIT_FORMATO)]
    #[case("060069804-2", codes::NIT_FORMATO)]
    #[case("1234-1", codes::NIT_FORMATO)]
    #[case("1234567890123456-1", codes::NIT_FORMATO)]
    #[case("86006980A-2", codes::NIT_FORMATO)]
    #[case("", codes::NIT_FORMATO)]
    fn what_is_no_nit_is_refused(#[case] text: &str, #[case] code: Code) {
        assert_eq!(Nit::parse(text).unwrap_err().code(), code);
        assert!(serde_json::from_value::<Nit>(text.into()).is_err());
    }

    #[test]
    fn dots_are_left_out() {
        let nit = Nit::parse(" 860.069.804-2 ").unwrap();
        assert_eq!(
            (nit.to_string().as_str(), nit.number()),
            ("860069804-2", 860_069_804)
        );
    }

    proptest! {
        #[test]
        fn exactly_one_check_digit_is_right(number in 10_000_u64..999_999_999_999_999) {
            let right = (0..10).filter(|digit| Nit::parse(&format!("{number}-{digit}")).is_ok()).count();
            prop_assert_eq!(right, 1);
        }
    }
}
