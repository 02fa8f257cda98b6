//! The 147 columns, in the book's order.

use std::sync::LazyLock;

use super::Code;

/// How many columns the book has.
pub const COLUMNS: usize = 147;

const TABLE: &str = include_str!("../../data/lre_columns.csv");

/// What may stand in a column's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnType {
    /// A RUT.
    Rut,
    /// A day.
    Date,
    /// A value of a list, see [`super::codes`].
    List,
    /// A whole number.
    Integer,
    /// A number with at most two decimals.
    Decimal,
    /// Free text of at most so many characters.
    Text(usize),
    /// Pesos.
    Amount,
}

impl ColumnType {
    /// The type that the table's word stands for.
    fn parse(word: &str) -> Option<Self> {
        match word {
            "rut" => Some(Self::Rut),
            "date" => Some(Self::Date),
            "int" => Some(Self::Integer),
            "amount CLP int>=0" => Some(Self::Amount),
            "0/1" | "0-3" | "A/B/C/D/S" => Some(Self::List),
            other => {
                if let Some(most) = other.strip_prefix("text<=") {
                    most.parse().ok().map(Self::Text)
                } else if other.starts_with("decimal") {
                    Some(Self::Decimal)
                } else {
                    other.starts_with("enum").then_some(Self::List)
                }
            }
        }
    }
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its code.
    pub code: Code,
    /// Its header, exactly as the authority wants it.
    pub header: &'static str,
    /// What its cells hold.
    pub kind: ColumnType,
    /// Whether a cell may not be empty.
    pub mandatory: bool,
}

/// Every column, in the book's order.
pub fn columns() -> &'static [Column] {
    &BOOK
}

/// The column of a code.
pub fn column(code: Code) -> Option<&'static Column> {
    position(code.number()).and_then(|at| BOOK.get(at))
}

/// Where a code's column stands, from 0; none for a number that is no code.
pub(super) fn position(number: u16) -> Option<usize> {
    POSITIONS
        .get(usize::from(number))
        .copied()
        .flatten()
        .map(usize::from)
}

// A line that does not read is left out rather than a panic at start; a test holds the table to 147 columns.
static BOOK: LazyLock<Vec<Column>> =
    LazyLock::new(|| TABLE.lines().skip(1).filter_map(read).collect());

/// By number. Every cell of every row asks for its place, so this is an array and not a search.
static POSITIONS: LazyLock<Vec<Option<u8>>> = LazyLock::new(|| {
    let size = BOOK
        .iter()
        .map(|column| usize::from(column.code.number()) + 1);
    let mut positions = vec![None; size.max().unwrap_or(0)];
    for (at, column) in BOOK.iter().enumerate() {
        if let Some(place) = positions.get_mut(usize::from(column.code.number())) {
            *place = u8::try_from(at).ok();
        }
    }
    positions
});

fn read(line: &'static str) -> Option<Column> {
    let mut cells = line.split(';').skip(1);
    let (code, header) = (cells.next()?, cells.next()?);
    let (kind, mandatory) = (cells.nth(1)?, cells.next()?);
    Some(Column {
        code: Code(code.parse().ok()?),
        header,
        kind: ColumnType::parse(kind)?,
        mandatory: mandatory == "Y",
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_book_has_its_columns_in_order_each_once() {
        assert_eq!(columns().len(), COLUMNS);
        assert_eq!(TABLE.lines().count(), COLUMNS + 1);
        let codes: BTreeSet<_> = columns().iter().map(|column| column.code).collect();
        assert_eq!(codes.len(), COLUMNS);
        for (at, known) in columns().iter().enumerate() {
            assert_eq!(position(known.code.number()), Some(at));
            assert_eq!(column(known.code), Some(known));
            assert_eq!(Code::parse(&known.code.to_string()), Some(known.code));
            assert!(
                known
                    .header
                    .trim_end()
                    .ends_with(&format!("({})", known.code))
            );
        }
    }

    #[test]
    fn thirty_eight_columns_are_mandatory_as_the_authority_says() {
        assert_eq!(columns().iter().filter(|c| c.mandatory).count(), 38);
    }

    #[test]
    fn types_follow_the_classes() {
        for known in columns() {
            assert_eq!(
                known.kind == ColumnType::Amount,
                known.code.class() >= 2,
                "{}",
                known.code
            );
        }
        let kind = |number: &str| Code::parse(number).and_then(column).map(|c| c.kind);
        assert_eq!(kind("1101"), Some(ColumnType::Rut));
        assert_eq!(kind("1102"), Some(ColumnType::Date));
        assert_eq!(kind("1104"), Some(ColumnType::List));
        assert_eq!(kind("1114"), Some(ColumnType::List));
        assert_eq!(kind("1117"), Some(ColumnType::Integer));
        assert_eq!(kind("1132"), Some(ColumnType::Decimal));
        assert_eq!(kind("1154"), Some(ColumnType::Text(40)));
    }
}
