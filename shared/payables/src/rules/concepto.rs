//! What makes two facturas of a supplier comparable.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::nit::Nit;
use crate::texto::folded;

/// Month names, folded; the ninth has two spellings.
const MONTHS: [&str; 13] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "setiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

/// A supplier and a concept without what changes from month to month: the facturas that are compared with each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Grupo {
    nit: Nit,
    concepto: String,
}

impl Grupo {
    /// The group of a concept.
    #[must_use]
    pub fn of(nit: Nit, concepto: &str) -> Self {
        let folded_text = folded(concepto);
        let words: Vec<&str> = folded_text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let lasting: Vec<&str> = words
            .iter()
            .copied()
            .filter(|word| !word.chars().all(char::is_numeric) && !MONTHS.contains(word))
            .collect();
        let kept = if lasting.is_empty() { words } else { lasting };
        Self {
            nit,
            concepto: kept.join(" "),
        }
    }
}

impl fmt::Display for Grupo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.nit, self.concepto)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn group(concepto: &str) -> String {
        Grupo::of(Nit::parse("860069804-2").unwrap(), concepto).to_string()
    }

    #[rstest]
    #[case("Aseo ENERO 2026", "aseo")]
    #[case("aseo, febrero 2026", "aseo")]
    #[case("Aseo 24h", "aseo 24h")]
    #[case("Energía eléctrica / MARZO", "energia electrica")]
    #[case("Enero 2026", "enero 2026")]
    #[case("2026", "2026")]
    #[case("***", "")]
    fn what_changes_from_month_to_month_is_dropped(#[case] concepto: &str, #[case] expected: &str) {
        assert_eq!(group(concepto), format!("860069804-2#{expected}"));
    }
}
