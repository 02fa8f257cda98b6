//! Decimal numbers that are no money of their own: differences, percentages, quantities.

use std::fmt;

use cierre_kernel::money::Money;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Digits before the point that a number may have at most.
const MAX_INTEGER_DIGITS: usize = 18;
/// Decimals that any number here may have at most.
pub const MAX_DECIMALS: usize = 6;

/// A text that is no plain decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a plain decimal number of at most 18 digits before the point and {MAX_DECIMALS} after it"
)]
pub struct NotACifra;

/// An exact decimal number, with the decimals that it was written with; a string in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cifra(Decimal);

impl Cifra {
    /// Reads digits with an optional sign and point, such as `-2.50`.
    ///
    /// # Errors
    /// [`NotACifra`] for any other form, also with more decimals than [`MAX_DECIMALS`].
    pub fn parse(text: &str) -> Result<Self, NotACifra> {
        let (integer, fraction) = parts(text).ok_or(NotACifra)?;
        if fraction.len() > MAX_DECIMALS || integer.len() > MAX_INTEGER_DIGITS {
            return Err(NotACifra);
        }
        text.parse().map(Self).map_err(|_| NotACifra)
    }

    /// The same, without the decimals that are too many.
    ///
    /// # Errors
    /// [`NotACifra`] when it is no plain decimal number.
    pub fn parse_cut(text: &str) -> Result<Self, NotACifra> {
        let (_, fraction) = parts(text).ok_or(NotACifra)?;
        let excess = fraction.len().saturating_sub(MAX_DECIMALS);
        Self::parse(text.get(..text.len() - excess).ok_or(NotACifra)?)
    }

    /// So many hundredths.
    #[must_use]
    pub fn hundredths(hundredths: i64) -> Self {
        Self(Decimal::new(hundredths, 2))
    }

    /// The number without zeros at its end.
    #[must_use]
    pub fn shortest(self) -> Self {
        Self(self.0.normalize())
    }

    /// The number in hundredths, if it is exact in them.
    #[must_use]
    pub fn as_hundredths(self) -> Option<i64> {
        let scaled = self.0.checked_mul(Decimal::ONE_HUNDRED)?.normalize();
        (scaled.scale() == 0).then(|| i64::try_from(scaled.mantissa()).ok())?
    }
}

/// Digits before and after the point.
fn parts(text: &str) -> Option<(&str, &str)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (integer, fraction) = match unsigned.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (unsigned, ""),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    (!integer.is_empty() && digits(integer) && digits(fraction)).then_some((integer, fraction))
}

impl From<Money> for Cifra {
    fn from(money: Money) -> Self {
        Self(money.amount())
    }
}

impl fmt::Display for Cifra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Cifra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cifra {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use cierre_kernel::money::Currency;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("5", Some(500))]
    #[case("5.00", Some(500))]
    #[case("-0.25", Some(-25))]
    #[case("0.001", None)]
    fn a_number_keeps_its_decimals(#[case] text: &str, #[case] hundredths: Option<i64>) {
        let cifra = Cifra::parse(text).unwrap();
        assert_eq!(
            (cifra.to_string().as_str(), cifra.as_hundredths()),
            (text, hundredths)
        );
        let json = serde_json::json!(cifra);
        assert_eq!(serde_json::from_value::<Cifra>(json).unwrap(), cifra);
    }

    #[rstest]
    #[case("")]
    #[case("-")]
    #[case("1.")]
    #[case(".5")]
    #[case("1e3")]
    #[case("+1")]
    #[case("1,5")]
    #[case("1.2345678")]
    #[case("1234567890123456789")]
    fn other_texts_are_refused(#[case] text: &str) {
        assert_eq!(Cifra::parse(text), Err(NotACifra));
    }

    #[test]
    fn decimals_that_are_too_many_are_cut() {
        assert_eq!(
            Cifra::parse_cut("1.23456789").unwrap().to_string(),
            "1.234567"
        );
        assert_eq!(Cifra::parse_cut("7").unwrap().to_string(), "7");
        assert_eq!(Cifra::parse_cut("x"), Err(NotACifra));
        assert_eq!(Cifra::hundredths(1050).shortest().to_string(), "10.5");
        let money = Money::from_minor(5, Currency::Cop);
        assert_eq!(Cifra::from(money).to_string(), "0.05");
    }
}
