//! The electronic payroll book (Libro de Remuneraciones Electrónico) of the Dirección del Trabajo: its 147 columns, its codes, its
//! identities, its export.

pub mod codes;
pub mod columns;
pub mod export;
pub mod identities;
mod row;
#[cfg(test)]
pub(crate) mod testing;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use row::{BookRow, wire_text};
pub(crate) use row::{amount, hundredths};

/// A column's code, such as 2101. Every value is one of the book's 147.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

/// Names the codes that rules speak of, and lists them, so that a test finds one that the book does not have.
macro_rules! named {
    ($($(#[$doc:meta])* $name:ident $number:literal;)+) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self($number);)+

            #[cfg(test)]
            const NAMED: &'static [Self] = &[$(Self::$name),+];
        }
    };
}

named! {
    /// The employee's RUT.
    RUT 1101;
    /// When the contract began.
    FECHA_INICIO 1102;
    /// When the contract ended.
    FECHA_TERMINO 1103;
    /// Why the contract ended.
    CAUSAL 1104;
    /// Days worked in the month.
    DIAS_TRABAJADOS 1115;
    /// Days of sick leave in the month.
    DIAS_LICENCIA 1116;
    /// Days of holidays in the month.
    DIAS_VACACIONES 1117;
    /// Whether there is a severance fund for every event.
    INDEMNIZACION 1131;
    /// The rate of that fund.
    TASA_INDEMNIZACION 1132;
    /// Pension fund.
    AFP 1141;
    /// Health insurance.
    SALUD 1143;
    /// Whether the employee has unemployment insurance.
    AFC 1151;
    /// Post of heavy work, the only free text of the book.
    TRABAJO_PESADO 1154;
    /// Whether there is individual voluntary saving.
    APVI 1155;
    /// Base salary.
    SUELDO 2101;
    /// Salary of an owner.
    SUELDO_EMPRESARIAL 2161;
    /// Voluntary contribution to health insurance.
    SALUD_VOLUNTARIA 3144;
    /// The employee's contribution to unemployment insurance.
    AFC_TRABAJADOR 3151;
    /// Individual voluntary saving, mode A.
    APVI_A 3155;
    /// Individual voluntary saving, mode B.
    APVI_B 3156;
    /// The employer's contribution to unemployment insurance.
    AFC_EMPLEADOR 4151;
    /// Total of earnings.
    TOTAL_HABERES 5201;
    /// Total of deductions.
    TOTAL_DESCUENTOS 5301;
    /// Total of the employer's contributions.
    TOTAL_APORTES 5410;
    /// What is paid out.
    TOTAL_LIQUIDO 5501;
}

impl Code {
    /// Reads a code of the book: exactly four digits. Any other number is none.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        let number = if digits {
            text.parse().ok()?
        } else {
            return None;
        };
        columns::position(number).map(|_| Self(number))
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Its thousands: 1 attributes, 2 earnings, 3 deductions, 4 contributions of the employer, 5 totals.
    pub const fn class(self) -> u16 {
        self.0 / 1000
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("no code of the book"))
    }
}

/// A number of hundredths as people write it, without trailing zeros: 2950 is `29,5` with a comma, 3000 is `30`.
pub(crate) fn decimal_text(hundredths: i64, mark: char) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, rest) = (
        hundredths.unsigned_abs() / 100,
        hundredths.unsigned_abs() % 100,
    );
    match (rest / 10, rest % 10) {
        (0, 0) => format!("{sign}{whole}"),
        (tenths, 0) => format!("{sign}{whole}{mark}{tenths}"),
        (tenths, last) => format!("{sign}{whole}{mark}{tenths}{last}"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn every_named_code_is_in_the_book() {
        for code in Code::NAMED {
            assert_eq!(Code::parse(&code.to_string()), Some(*code));
        }
    }

    #[rstest]
    #[case("")]
    #[case("1")]
    #[case("9999")]
    #[case("2020")]
    #[case("02101")]
    #[case("+210")]
    #[case(" 2101")]
    #[case("٢١٠١")]
    fn other_texts_are_no_codes(#[case] text: &str) {
        assert_eq!(Code::parse(text), None);
    }

    #[rstest]
    #[case(2950, "29,5")]
    #[case(3000, "30")]
    #[case(411, "4,11")]
    #[case(405, "4,05")]
    #[case(0, "0")]
    #[case(-50, "-0,5")]
    fn decimals_lose_their_trailing_zeros(#[case] hundredths: i64, #[case] text: &str) {
        assert_eq!(decimal_text(hundredths, ','), text);
    }
}
