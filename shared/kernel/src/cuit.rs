//! CUIT, the Argentine tax number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const WEIGHTS: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
const PREFIXES: [&str; 9] = ["20", "23", "24", "25", "26", "27", "30", "33", "34"];

/// A text that is no CUIT: wrong form, prefix or check digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid CUIT")]
pub struct InvalidCuit;

/// A tax number with a known prefix and a correct check digit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cuit(u64);

impl Cuit {
    /// Reads eleven digits; hyphens may stand after the second and before the last.
    ///
    /// # Errors
    /// [`InvalidCuit`] for any other form, an unknown prefix or a wrong check digit.
    pub fn parse(text: &str) -> Result<Self, InvalidCuit> {
        let digits = without_hyphens(text).ok_or(InvalidCuit)?;
        let known_prefix = PREFIXES.iter().any(|prefix| digits.starts_with(prefix));
        let (body, check) = digits.split_at_checked(10).ok_or(InvalidCuit)?;
        let expected = check_digit(body).ok_or(InvalidCuit)?;
        if known_prefix && check.parse() == Ok(expected) {
            digits.parse().map(Self).map_err(|_| InvalidCuit)
        } else {
            Err(InvalidCuit)
        }
    }

    /// The eleven digits as a number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// The check digit of ten digits; `None` where the rule has none.
fn check_digit(body: &str) -> Option<u32> {
    let mut sum = 0;
    for (digit, weight) in body.chars().zip(WEIGHTS) {
        sum += digit.to_digit(10)? * weight;
    }
    match 11 - sum % 11 {
        11 => Some(0),
        10 => None,
        digit => Some(digit),
    }
}

fn without_hyphens(text: &str) -> Option<String> {
    let digits: String = match text.as_bytes() {
        [_, _, b'-', .., b'-', _] if text.len() == 13 => text.replace('-', ""),
        _ => text.to_owned(),
    };
    (digits.len() == 11 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

impl fmt::Display for Cuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The smallest prefix is 20, so there are always eleven digits.
        write!(f, "{}", self.0)
    }
}

/// Shows only the prefix: a tax number does not belong in a log.
impl fmt::Debug for Cuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cuit({}…)", self.0 / 1_000_000_000)
    }
}

impl FromStr for Cuit {
    type Err = InvalidCuit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Cuit {
    type Error = InvalidCuit;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Cuit> for String {
    fn from(cuit: Cuit) -> Self {
        cuit.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("20-11111111-2", "20111111112")]
    #[case("30-00000000-7", "30000000007")]
    #[case("33-69345023-9", "33693450239")]
    #[case("20-00000000-1", "20000000001")]
    #[case("30-00000001-5", "30000000015")]
    #[case("27-22222223-6", "27222222236")]
    #[case("30-00000005-8", "30000000058")]
    #[case("30000000023", "30000000023")]
    fn valid(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(Cuit::parse(text).map(|c| c.to_string()), Ok(shown.into()));
    }

    #[rstest]
    #[case::check_digit("30-00000000-8")]
    #[case::prefix("21-11111111-0")]
    #[case::short("30-0000000-7")]
    #[case::long("30-000000000-7")]
    #[case::hyphens_elsewhere("300-0000000-7")]
    #[case::one_hyphen("30-000000007")]
    #[case::blank("30 00000000 7")]
    #[case::letters("30-0000000A-7")]
    #[case::other_digits("٣٠٠٠٠٠٠٠٠٠٧")]
    #[case::empty("")]
    fn invalid(#[case] text: &str) {
        assert_eq!(Cuit::parse(text), Err(InvalidCuit));
    }

    #[test]
    fn a_body_without_check_digit_is_invalid_with_any_digit() {
        for digit in 0..10 {
            assert_eq!(
                Cuit::parse(&format!("30-00000004-{digit}")),
                Err(InvalidCuit)
            );
        }
    }

    #[test]
    fn the_tax_number_stays_out_of_debug_output() {
        let shown = format!("{:?}", Cuit::parse("20-11111111-2").unwrap());
        assert!(!shown.contains("1111"), "{shown}");
    }

    proptest! {
        #[test]
        fn at_most_one_check_digit_is_right(prefix in prop::sample::select(&PREFIXES), body in 0u32..100_000_000) {
            let valid = (0..10)
                .filter(|digit| Cuit::parse(&format!("{prefix}{body:08}{digit}")).is_ok())
                .count();
            prop_assert!(valid <= 1);
        }

        #[test]
        fn hyphens_make_no_difference(prefix in prop::sample::select(&PREFIXES), body in 0u32..100_000_000, digit in 0..10) {
            prop_assert_eq!(
                Cuit::parse(&format!("{prefix}-{body:08}-{digit}")),
                Cuit::parse(&format!("{prefix}{body:08}{digit}"))
            );
        }

        #[test]
        fn no_text_makes_the_reader_fall_over(text in "\\PC{0,16}") {
            let _ = Cuit::parse(&text);
        }
    }
}
