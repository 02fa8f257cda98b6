//! Values that several entities hold, each with its one form on the wire.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Characters of a reason: why a closing is deleted or reopened.
pub const REASON: RangeInclusive<usize> = 10..=500;
/// Characters of a justification or a comment.
pub const JUSTIFICATION: RangeInclusive<usize> = 10..=1000;

/// The text without blanks around it, if it then has so many characters.
pub fn sized(text: &str, characters: &RangeInclusive<usize>) -> Option<String> {
    let text = text.trim();
    characters
        .contains(&text.chars().count())
        .then(|| text.to_owned())
}

/// A text that is no such number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNumber {
    /// It is no whole number of at most 12 digits.
    #[error("is not a whole number of at most 12 digits")]
    Pesos,
    /// It is no number with at most two decimals.
    #[error("is not a number with at most two decimals")]
    Percent,
}

/// Chilean pesos, whole and of at most 12 digits; on the wire a string.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Pesos(pub i64);

/// Digits of an amount at most.
const PESOS_DIGITS: usize = 12;

impl Pesos {
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

/// RUTs as their normal text.
pub(super) mod rut_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::rut::Rut;

    pub(in super::super) fn serialize<S: Serializer>(
        rut: &Rut,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(rut)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Rut, D::Error> {
        Rut::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Declares an enumeration whose variants have one word each, on the wire and in storage.
macro_rules! words {
    (
        $(#[$doc:meta])*
        $name:ident {
            $($(#[$variant_doc:meta])* $variant:ident $word:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The one of this word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0", Some(0))]
    #[case("-250", Some(-250))]
    #[case("999999999999", Some(999_999_999_999))]
    #[case("1000000000000", None)]
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
    fn a_text_is_counted_in_characters_and_without_blanks_around_it() {
        assert_eq!(
            sized("  ñandú ñandú \n", &REASON).as_deref(),
            Some("ñandú ñandú")
        );
        assert_eq!(sized("  ñandúñand  ", &REASON), None);
        assert_eq!(sized(&"a".repeat(501), &REASON), None);
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
