//! Money: a decimal amount with its currency. Binary floating point never touches it.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::codes::{self, Code};

/// Digits allowed before the decimal point of an amount that comes from outside.
const MAX_INTEGER_DIGITS: usize = 12;
/// Longer texts are no amounts; the bound keeps the reading of hostile input cheap.
const MAX_TEXT: usize = 64;

/// The currencies the system knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Argentine peso.
    Ars,
    /// Colombian peso.
    Cop,
    /// United States dollar.
    Usd,
    /// Euro.
    Eur,
    /// Chilean peso, which has no cents.
    Clp,
}

/// A text that is not the code of a known currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a known currency")]
pub struct UnknownCurrency;

impl Currency {
    /// Every currency.
    pub const ALL: [Self; 5] = [Self::Ars, Self::Cop, Self::Usd, Self::Eur, Self::Clp];

    /// Number of decimals.
    #[must_use]
    pub const fn scale(self) -> u32 {
        match self {
            Self::Ars | Self::Cop | Self::Usd | Self::Eur => 2,
            Self::Clp => 0,
        }
    }

    /// The ISO 4217 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ars => "ARS",
            Self::Cop => "COP",
            Self::Usd => "USD",
            Self::Eur => "EUR",
            Self::Clp => "CLP",
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|currency| currency.code() == text)
            .ok_or(UnknownCurrency)
    }
}

/// Why something is no amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal number.
    #[error("not an amount")]
    InvalidAmount,
    /// More decimals than the currency has.
    #[error("more decimals than the currency has")]
    TooPrecise,
    /// More digits than an amount may have.
    #[error("the amount has too many digits")]
    OutOfRange,
    /// Two amounts of different currencies.
    #[error("amounts of different currencies cannot be combined")]
    CurrencyMismatch,
}

impl MoneyError {
    /// The code under which a caller learns of it.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::InvalidAmount | Self::TooPrecise => codes::INVALID_AMOUNT,
            Self::OutOfRange => codes::OUT_OF_RANGE,
            Self::CurrencyMismatch => codes::INTERNAL,
        }
    }
}

/// An amount of money, always exact at the scale of its currency.
///
/// In JSON it is a string with all decimals (`"1500.00"`); in storage an integer of minor units
/// ([`Money::minor`]). There is no reader from JSON without a currency: see [`Money::from_json`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// The amount of so many minor units (cents, where the currency has them).
    #[must_use]
    pub fn from_minor(minor: i64, currency: Currency) -> Self {
        Self {
            amount: Decimal::new(minor, currency.scale()),
            currency,
        }
    }

    /// Nothing.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// The amount in minor units.
    #[must_use]
    pub fn minor(self) -> i64 {
        // Every constructor goes through an i64 of minor units at this very scale, so the
        // conversion cannot lose anything; the bound only keeps the function total.
        i64::try_from(self.amount.mantissa()).unwrap_or(i64::MAX)
    }

    /// The amount as a decimal number.
    #[must_use]
    pub const fn amount(self) -> Decimal {
        self.amount
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Reads a plain decimal text such as `1500.00`.
    ///
    /// Fewer decimals than the currency has are understood; an exponent, a plus sign, blanks and
    /// superfluous leading zeros are not.
    ///
    /// # Errors
    /// [`MoneyError::InvalidAmount`] when it is no decimal number, [`MoneyError::TooPrecise`] when
    /// it has more decimals than the currency (even zeros), [`MoneyError::OutOfRange`] when more
    /// than twelve digits stand before the point.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let parts = Parts::read(text)?;
        if parts.exponent.is_some() {
            return Err(MoneyError::InvalidAmount);
        }
        if parts.fraction.len() > currency.scale() as usize {
            return Err(MoneyError::TooPrecise);
        }
        parts.exact(currency)
    }

    /// Reads a JSON string as [`Money::parse`] does, or a JSON number when it is exact at the
    /// currency's scale. The number's own digits are read, never a float.
    ///
    /// # Errors
    /// As [`Money::parse`]; any other JSON type is [`MoneyError::InvalidAmount`].
    pub fn from_json(value: &Value, currency: Currency) -> Result<Self, MoneyError> {
        match value {
            Value::String(text) => Self::parse(text, currency),
            Value::Number(number) => Parts::read(&number.to_string())?.exact(currency),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                Err(MoneyError::InvalidAmount)
            }
        }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], or [`MoneyError::OutOfRange`] beyond what storage holds.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference.
    ///
    /// # Errors
    /// As [`Money::checked_add`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    fn combine(
        self,
        other: Self,
        operation: impl FnOnce(i64, i64) -> Option<i64>,
    ) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        operation(self.minor(), other.minor())
            .map(|minor| Self::from_minor(minor, self.currency))
            .ok_or(MoneyError::OutOfRange)
    }

    /// Below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.minor() < 0
    }

    /// Exactly zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.minor() == 0
    }

    /// Above zero.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.minor() > 0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.amount)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.amount)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The pieces of a decimal number's text.
struct Parts<'a> {
    negative: bool,
    integer: &'a str,
    fraction: &'a str,
    exponent: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Takes a text apart by the grammar of JSON numbers.
    fn read(text: &'a str) -> Result<Self, MoneyError> {
        if text.len() > MAX_TEXT {
            return Err(MoneyError::OutOfRange);
        }
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (rest, None),
        };
        let (integer, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return Err(MoneyError::InvalidAmount),
            Some((integer, fraction)) => (integer, fraction),
            None => (mantissa, ""),
        };
        let digits_only = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = integer.len() > 1 && integer.starts_with('0');
        if integer.is_empty() || leading_zero || !digits_only(integer) || !digits_only(fraction) {
            return Err(MoneyError::InvalidAmount);
        }
        Ok(Self {
            negative,
            integer,
            fraction,
            exponent,
        })
    }

    /// The amount, provided that the value fits the currency exactly.
    fn exact(&self, currency: Currency) -> Result<Money, MoneyError> {
        let digits = format!("{}{}", self.integer, self.fraction);
        let significant = digits.trim_start_matches('0');
        if significant.is_empty() {
            return Ok(Money::zero(currency));
        }
        let mantissa = significant.trim_end_matches('0');
        let dropped = significant.len() - mantissa.len();
        // value = mantissa · 10^power, the mantissa having no zero at either end
        let power = i64::from(self.exponent_value()?) - length(self.fraction) + length_of(dropped);
        let scale = i64::from(currency.scale());
        if length(mantissa) + power > length_of(MAX_INTEGER_DIGITS) {
            return Err(MoneyError::OutOfRange);
        }
        let zeros = usize::try_from(power + scale).map_err(|_| MoneyError::TooPrecise)?;
        let minor: i64 = format!("{mantissa}{}", "0".repeat(zeros))
            .parse()
            .map_err(|_| MoneyError::OutOfRange)?;
        Ok(Money::from_minor(
            if self.negative { -minor } else { minor },
            currency,
        ))
    }

    fn exponent_value(&self) -> Result<i32, MoneyError> {
        self.exponent.map_or(Ok(0), |text| {
            text.parse().map_err(|_| {
                let digits = text.trim_start_matches(['+', '-']);
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    MoneyError::InvalidAmount
                } else if text.starts_with('-') {
                    MoneyError::TooPrecise
                } else {
                    MoneyError::OutOfRange
                }
            })
        })
    }
}

fn length(text: &str) -> i64 {
    length_of(text.len())
}

fn length_of(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "money_tests.rs"]
mod tests;
