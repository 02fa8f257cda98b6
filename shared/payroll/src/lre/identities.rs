//! What the book's totals must be.
//!
//! The expressions stand in `lre_identities.csv` and are read once into [`Identity`]. What a total should be is computed from the columns of
//! detail only, never from another total as it was reported: so one wrong total is one finding and not one for every total above it.

use std::sync::LazyLock;

use super::columns::columns;
use super::{BookRow, Code};

const TABLE: &str = include_str!("../../data/lre_identities.csv");

/// A total and what it must be.
#[derive(Debug)]
pub struct Identity {
    /// The total's column.
    pub code: Code,
    /// Whether a wrong total blocks the closing; else it is a warning.
    pub blocking: bool,
    /// What must be so, in words: `5201 must be the sum of 2xxx`.
    pub suggestion: String,
    terms: Vec<Term>,
    /// The authority takes no negative amount: what would fall below 0 is 0.
    at_least_zero: bool,
}

#[derive(Debug)]
struct Term {
    negative: bool,
    operand: Operand,
}

#[derive(Debug)]
enum Operand {
    /// Columns of detail.
    Details(Vec<Code>),
    /// What an earlier identity came to, by its place in the table.
    Expected(usize),
}

/// What every total of a row must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected(Vec<i64>);

/// Every identity, in the order of the table.
pub fn identities() -> &'static [Identity] {
    &IDENTITIES
}

/// Computes the totals of a row from its details.
pub fn expected(row: &BookRow<'_>) -> Expected {
    let mut totals = Vec::with_capacity(identities().len());
    for identity in identities() {
        // Amounts have at most 12 digits and a row at most 147 of them: no sum comes near the end of the range.
        let total = identity.terms.iter().fold(0_i64, |total, term| {
            let value = match &term.operand {
                Operand::Details(codes) => codes
                    .iter()
                    .fold(0, |sum: i64, code| sum.saturating_add(row.amount(*code))),
                Operand::Expected(at) => totals.get(*at).copied().unwrap_or(0),
            };
            if term.negative {
                total.saturating_sub(value)
            } else {
                total.saturating_add(value)
            }
        });
        totals.push(if identity.at_least_zero {
            total.max(0)
        } else {
            total
        });
    }
    Expected(totals)
}

impl Expected {
    /// What a total must be; none for a column that is no total.
    pub fn of(&self, code: Code) -> Option<i64> {
        let at = identities()
            .iter()
            .position(|identity| identity.code == code)?;
        self.0.get(at).copied()
    }

    /// Every identity with what its total must be.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Identity, i64)> {
        identities().iter().zip(self.0.iter().copied())
    }
}

// A line that does not read is left out rather than a panic at start; a test holds the table to what was read of it.
static IDENTITIES: LazyLock<Vec<Identity>> = LazyLock::new(|| {
    let mut known: Vec<Identity> = Vec::new();
    for line in TABLE.lines().skip(1) {
        if let Some(identity) = read(line, &known) {
            known.push(identity);
        }
    }
    known
});

fn read(line: &str, known: &[Identity]) -> Option<Identity> {
    let mut cells = line.split(';');
    let code = Code::parse(cells.next()?)?;
    let expression = cells.next()?;
    let blocking = cells.next()? == "bloqueante";
    let bare = expression
        .strip_prefix("max(0,")
        .and_then(|rest| rest.strip_suffix(')'));
    let words = words_of(bare.unwrap_or(expression));
    let terms: Option<Vec<_>> = words
        .iter()
        .map(|(negative, word)| {
            Some(Term {
                negative: *negative,
                operand: operand(word, known)?,
            })
        })
        .collect();
    let at_least_zero = bare.is_some();
    Some(Identity {
        code,
        blocking,
        suggestion: suggestion(code, &words, at_least_zero),
        terms: terms?,
        at_least_zero,
    })
}

/// The signed words of an expression; the first needs no sign.
fn words_of(expression: &str) -> Vec<(bool, String)> {
    let mut words = Vec::new();
    let mut negative = false;
    for token in expression
        .replace('+', " + ")
        .replace('-', " - ")
        .split_whitespace()
    {
        match token {
            "+" => negative = false,
            "-" => negative = true,
            word => words.push((negative, word.to_owned())),
        }
    }
    words
}

fn operand(word: &str, known: &[Identity]) -> Option<Operand> {
    if let Some(total) = word.strip_suffix("expected") {
        let code = Code::parse(total)?;
        let at = known.iter().position(|identity| identity.code == code)?;
        return Some(Operand::Expected(at));
    }
    let Some(prefix) = word.strip_suffix('*') else {
        return Some(Operand::Details(vec![Code::parse(word)?]));
    };
    let codes = with_prefix(prefix);
    (!codes.is_empty()).then_some(Operand::Details(codes))
}

fn with_prefix(prefix: &str) -> Vec<Code> {
    columns()
        .iter()
        .map(|column| column.code)
        .filter(|code| code.to_string().starts_with(prefix))
        .collect()
}

/// What must be so, in words.
fn suggestion(code: Code, words: &[(bool, String)], at_least_zero: bool) -> String {
    let named = |sign: bool| {
        let chosen = words.iter().filter(|(negative, _)| *negative == sign);
        chosen.map(|(_, word)| word.as_str()).collect::<Vec<_>>()
    };
    let (plus, minus) = (whole_class(&named(false)), named(true));
    let sum = match plus.as_slice() {
        [one] if Code::parse(&shown(one)).is_some() => shown(one),
        _ => format!("the sum of {}", listed(&plus)),
    };
    let less = if minus.is_empty() {
        String::new()
    } else {
        format!(" less {}", listed(&minus))
    };
    let floor = if at_least_zero { ", never below 0" } else { "" };
    format!("{code} must be {sum}{less}{floor}")
}

/// Several ranges that make up a whole class are that class: 21*, 22*, 23* and 24* are all there is of 2*.
fn whole_class<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let class = words.first().and_then(|word| word.get(..1));
    let prefixes: Option<Vec<_>> = words.iter().map(|word| word.strip_suffix('*')).collect();
    if let (Some(class), Some(prefixes), true) = (class, prefixes, words.len() > 1) {
        let covered: usize = prefixes
            .iter()
            .map(|prefix| with_prefix(prefix).len())
            .sum();
        if prefixes.iter().all(|prefix| prefix.starts_with(class))
            && covered == with_prefix(class).len()
        {
            return vec![class];
        }
    }
    words.to_vec()
}

/// `21*` reads `21xx`, `5201expected` reads `5201`.
fn shown(word: &str) -> String {
    match word.strip_suffix("expected") {
        Some(total) => total.to_owned(),
        None => {
            let prefix = word.trim_end_matches('*');
            format!("{prefix:x<4}")
        }
    }
}

fn listed(words: &[&str]) -> String {
    let shown: Vec<_> = words.iter().map(|word| shown(word)).collect();
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::lre::testing::{code, golden, set_amount};

    #[test]
    fn every_line_of_the_table_is_an_identity() {
        let codes: Vec<_> = identities()
            .iter()
            .map(|identity| identity.code.to_string())
            .collect();
        let lines: Vec<_> = TABLE
            .lines()
            .skip(1)
            .filter_map(|line| line.split(';').next())
            .collect();
        assert_eq!(codes, lines);
    }

    #[test]
    fn totals_are_never_made_of_reported_totals() {
        let details = identities()
            .iter()
            .flat_map(|identity| &identity.terms)
            .filter_map(|term| match &term.operand {
                Operand::Details(codes) => Some(codes),
                Operand::Expected(_) => None,
            });
        assert!(details.flatten().all(|code| code.class() < 5));
    }

    #[rstest]
    #[case("5210", "5210 must be the sum of 21xx")]
    #[case("5201", "5201 must be the sum of 2xxx")]
    #[case("5301", "5301 must be the sum of 31xx less 3164")]
    #[case("5501", "5501 must be 5201 less 5301, never below 0")]
    #[case("5361", "5361 must be the sum of 3161 and 3165")]
    #[case("5362", "5362 must be 3162")]
    #[case("5302", "5302 must be 5301 less 5361, 5362 and 5341")]
    fn an_identity_can_be_said(#[case] total: &str, #[case] words: &str) {
        let identity = identities().iter().find(|i| i.code == code(total)).unwrap();
        assert_eq!(identity.suggestion, words);
    }

    #[rstest]
    #[case(2, [860_815, 195_000, 0, 1_055_815, 181_813, 2_988, 0, 47_700, 232_501, 32_797, 823_314])]
    #[case(3, [547_006, 66_156, 0, 613_162, 100_485, 0, 0, 21_200, 121_685, 20_841, 491_477])]
    #[case(4, [450_000, 4_680_000, 250_000, 5_380_000, 84_200, 1_500, 12_000, 100_000, 197_700, 21_735, 5_182_300])]
    fn golden_rows_add_up(#[case] row: u32, #[case] totals: [i64; 11]) {
        let rows = golden();
        let row = rows.iter().find(|known| known.row == row).unwrap();
        let expected = expected(&BookRow::new(row));
        let codes = [
            "5210", "5230", "5240", "5201", "5341", "5361", "5362", "5302", "5301", "5410", "5501",
        ];
        for (total, value) in codes.into_iter().zip(totals) {
            assert_eq!(expected.of(code(total)), Some(value), "{total}");
            assert_eq!(row.amount(code(total)), value, "{total} as reported");
        }
        for (identity, value) in expected.iter() {
            assert_eq!(row.amount(identity.code), value, "{}", identity.code);
        }
    }

    #[test]
    fn an_advance_changes_three_totals() {
        let mut row = golden().swap_remove(0);
        set_amount(&mut row, "3188", 150_000);
        let expected = expected(&BookRow::new(&row));
        assert_eq!(expected.of(code("5301")), Some(382_501));
        assert_eq!(expected.of(code("5302")), Some(197_700));
        assert_eq!(expected.of(code("5501")), Some(673_314));
    }

    #[test]
    fn a_tax_of_other_months_is_information_only() {
        let mut row = golden().swap_remove(0);
        let before = expected(&BookRow::new(&row));
        set_amount(&mut row, "3164", 5_000);
        assert_eq!(expected(&BookRow::new(&row)), before);
    }

    #[test]
    fn what_is_paid_out_is_never_negative() {
        let mut row = golden().swap_remove(0);
        set_amount(&mut row, "3188", 9_000_000);
        let expected = expected(&BookRow::new(&row));
        assert_eq!(expected.of(Code::TOTAL_LIQUIDO), Some(0));
        assert!(expected.of(Code::TOTAL_DESCUENTOS) > expected.of(Code::TOTAL_HABERES));
    }
}
