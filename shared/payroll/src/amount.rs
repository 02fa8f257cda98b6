//! Amounts and percentages, each with its one form on the wire.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that is no such number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNumber {
    /// It is no whole number of at most 18 digits.
    #[error("is not a whole number of at most 18 digits")]
    Pesos,
    /// It is no number with at most two decimals.
    #[error("is not a number with at most two decimals")]
    Percent,
}

/// Chilean pesos, whole and of at most 18 digits; on the wire a string.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Pesos(pub i64);

/// Digits of an amount at most. A cell has twelve, and a sum over the rows of the largest book, or a difference of two such sums, has eighteen.
const PESOS_DIGITS: usize = 18;

impl Pesos {
    /// The largest amount of a cell or a setting.
    pub const MAX_CELL: Self = Self(999_999_999_999);
    /// The largest amount.
    pub const MAX: Self = Self(999_999_999_999_999_999);

    /// So many pesos; [`Pesos::MAX`] when that is more.
    pub fn saturating(pesos: impl TryInto<i64>) -> Self {
        pesos
            .try_into()
            .map_or(Self::MAX, |pesos| Self(pesos).min(Self::MAX))
    }

    /// Reads an amount as the wire writes it.
    ///
    /// # Errors
    /// [`InvalidNumber::Pesos`].
    pub fn parse(text: &str) -> Result<Self, InvalidNumber> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let formed = (1..=PESOS_DIGITS).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit());
        formed
            .then(|| text.parse().ok())
            .flatten()
            .map(Self)
            .ok_or(InvalidNumber::Pesos)
    }
}

impl fmt::Display for Pesos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Pesos {
    type Error = InvalidNumber;

    fn try_from(text: String) -> Result<Self, InvalidNumber> {
        Self::parse(&text)
    }
}

impl From<Pesos> for String {
    fn from(pesos: Pesos) -> Self {
        pesos.to_string()
    }
}

/// A percentage with exactly two decimals, held in hundredths; on the wire a string such as `"-60.00"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Percent(pub i64);

/// Digits before the point at most: an amount that grew from one peso has thirteen.
const PERCENT_DIGITS: usize = 15;

impl Percent {
    /// The largest percentage.
    pub const MAX: Self = Self(99_999_999_999_999_999);

    /// So many hundredths of a percent; [`Percent::MAX`] when that is more.
    pub fn saturating(hundredths: impl TryInto<i64>) -> Self {
        hundredths
            .try_into()
            .map_or(Self::MAX, |hundredths| Self(hundredths).min(Self::MAX))
    }

    /// Reads a percentage of at most two decimals.
    ///
    /// # Errors
    /// [`InvalidNumber::Percent`].
    pub fn parse(text: &str) -> Result<Self, InvalidNumber> {
        let (sign, bare) = match text.strip_prefix('-') {
            Some(bare) => (-1, bare),
            None => (1, text),
        };
        let (whole, decimals) = bare.split_once('.').unwrap_or((bare, "00"));
        let formed = (1..=PERCENT_DIGITS).contains(&whole.len())
            && (1..=2).contains(&decimals.len())
            && whole
                .bytes()
                .chain(decimals.bytes())
                .all(|b| b.is_ascii_digit());
        formed
            .then(|| format!("{whole}{decimals:0<2}").parse::<i64>().ok())
            .flatten()
            .map(|hundredths| Self(sign * hundredths))
            .ok_or(InvalidNumber::Percent)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let hundredths = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

impl TryFrom<String> for Percent {
    type Error = InvalidNumber;

    fn try_from(text: String) -> Result<Self, InvalidNumber> {
        Self::parse(&text)
    }
}

impl From<Percent> for String {
    fn from(percent: Percent) -> Self {
        percent.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0", Some(0))]
    #[case("-250", Some(-250))]
    #[case("999999999999999999", Some(999_999_999_999_999_999))]
    #[case("1000000000000000000", None)]
    #[case("", None)]
    #[case("-", None)]
    #[case("+1", None)]
    #[case("1.0", None)]
    #[case("1 ", None)]
    fn amounts_are_whole(#[case] text: &str, #[case] expected: Option<i64>) {
        assert_eq!(Pesos::parse(text).ok().map(|pesos| pesos.0), expected);
    }

    #[rstest]
    #[case("30", Some("30.00"))]
    #[case("30.5", Some("30.50"))]
    #[case("0.05", Some("0.05"))]
    #[case("-60.00", Some("-60.00"))]
    #[case("-0.50", Some("-0.50"))]
    #[case("30.", None)]
    #[case(".5", None)]
    #[case("30.001", None)]
    #[case("30,00", None)]
    #[case("1e3", None)]
    #[case("", None)]
    fn percentages_have_two_decimals(#[case] text: &str, #[case] expected: Option<&str>) {
        let read = Percent::parse(text).ok().map(|percent| percent.to_string());
        assert_eq!(read.as_deref(), expected);
    }

    #[test]
    fn the_largest_numbers_are_read_back() {
        for pesos in [Pesos::MAX_CELL, Pesos::MAX, Pesos::saturating(u128::MAX)] {
            assert_eq!(Pesos::parse(&pesos.to_string()), Ok(pesos));
        }
        assert_eq!(Pesos::saturating(i64::MAX), Pesos::MAX);
        for percent in [Percent::MAX, Percent::saturating(u128::MAX)] {
            assert_eq!(Percent::parse(&percent.to_string()), Ok(percent));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(pesos in -999_999_999_999_i64..=999_999_999_999, percent in any::<i32>()) {
            let (pesos, percent) = (Pesos(pesos), Percent(i64::from(percent)));
            prop_assert_eq!(Pesos::parse(&pesos.to_string()), Ok(pesos));
            prop_assert_eq!(Percent::parse(&percent.to_string()), Ok(percent));
        }
    }
}
