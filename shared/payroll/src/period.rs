//! A month that is closed.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A text that is no month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a month as YYYY-MM from 2000-01 on")]
pub struct InvalidPeriod;

/// A month, `YYYY-MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    year: i16,
    month: i8,
}

impl Period {
    /// Reads `YYYY-MM`, not before 2000-01. How far ahead a month may lie is decided where a closing is created.
    ///
    /// # Errors
    /// [`InvalidPeriod`].
    pub fn parse(text: &str) -> Result<Self, InvalidPeriod> {
        let form = text.len() == 7
            && text.bytes().enumerate().all(|(at, b)| {
                if at == 4 {
                    b == b'-'
                } else {
                    b.is_ascii_digit()
                }
            });
        if !form {
            return Err(InvalidPeriod);
        }
        let (year, month) = text.split_once('-').ok_or(InvalidPeriod)?;
        let year: i16 = year.parse().map_err(|_| InvalidPeriod)?;
        let month: i8 = month.parse().map_err(|_| InvalidPeriod)?;
        if year < 2000 || !(1..=12).contains(&month) {
            return Err(InvalidPeriod);
        }
        Ok(Self { year, month })
    }

    /// The month of a day.
    pub fn of(date: Date) -> Self {
        Self {
            year: date.year(),
            month: date.month(),
        }
    }

    /// The year.
    pub const fn year(self) -> i16 {
        self.year
    }

    /// The month, from 1.
    pub const fn month(self) -> i8 {
        self.month
    }

    /// The month after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.month {
            12 => Self {
                year: self.year + 1,
                month: 1,
            },
            month => Self {
                year: self.year,
                month: month + 1,
            },
        }
    }

    /// Whether a day lies in this month.
    pub fn holds(self, date: Date) -> bool {
        Self::of(date) == self
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl TryFrom<String> for Period {
    type Error = InvalidPeriod;

    fn try_from(text: String) -> Result<Self, InvalidPeriod> {
        Self::parse(&text)
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2025-10", Some(("2025-10", "2025-11")))]
    #[case("2025-12", Some(("2025-12", "2026-01")))]
    #[case("2000-01", Some(("2000-01", "2000-02")))]
    #[case("1999-12", None)]
    #[case("2025-13", None)]
    #[case("2025-00", None)]
    #[case("2025-1", None)]
    #[case("2025/10", None)]
    #[case("+025-10", None)]
    #[case("", None)]
    fn months_are_read_strictly(#[case] text: &str, #[case] expected: Option<(&str, &str)>) {
        let read = Period::parse(text).ok();
        let shown = read.map(|period| (period.to_string(), period.next().to_string()));
        let expected = expected.map(|(this, next)| (this.to_owned(), next.to_owned()));
        assert_eq!(shown, expected);
    }
}
