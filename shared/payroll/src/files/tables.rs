//! The columns of every kind but the book, from `payroll_file_columns.csv`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::header::normalise;
use crate::kind::Kind;
use crate::lre::Code;
use crate::lre::columns::{Column, ColumnType};

/// How a cell of a column reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CellType {
    /// A RUT.
    Rut,
    /// A text, of at most so many characters.
    Text(Option<usize>),
    /// A day.
    Date,
    /// Pesos.
    Amount {
        /// Whether it may be negative.
        signed: bool,
    },
    /// A number of at most two decimals.
    Decimal,
    /// A whole number.
    Integer,
    /// A code of the book, whatever its list says: that is a discrepancy's matter.
    Code,
    /// One of these words.
    Words(Vec<&'static str>),
    /// A code of this column's list.
    Codes(Code),
    /// The code of an earning, a deduction or a contribution.
    Concept,
}

/// How cells of the book read.
pub(super) fn book_type(column: &Column) -> &'static CellType {
    match column.kind {
        ColumnType::Rut => &CellType::Rut,
        ColumnType::Date => &CellType::Date,
        ColumnType::List => &CellType::Code,
        ColumnType::Integer => &CellType::Integer,
        ColumnType::Decimal => &CellType::Decimal,
        ColumnType::Text(_) => &CellType::Text(None),
        // A negative amount is read: it is a discrepancy.
        ColumnType::Amount => &CellType::Amount { signed: true },
    }
}

/// A column that a kind names.
#[derive(Debug)]
pub(super) struct Spec {
    /// Its name on the wire.
    pub(super) name: &'static str,
    /// What its header may say, normalised; the name first.
    pub(super) titles: Vec<String>,
    /// How its cells read.
    pub(super) cell: CellType,
    /// Whether it must be there and filled.
    pub(super) mandatory: bool,
}

/// The columns of a kind, or of one of its sheets.
#[derive(Debug)]
pub(super) struct Table {
    /// Whose columns.
    pub(super) kind: Kind,
    /// Of which sheet; empty for kinds of one sheet.
    pub(super) sheet: &'static str,
    /// The columns.
    pub(super) columns: Vec<Spec>,
}

impl Table {
    /// The column of a header that is normalised.
    pub(super) fn column(&self, title: &str) -> Option<&Spec> {
        self.columns
            .iter()
            .find(|spec| spec.titles.iter().any(|known| known == title))
    }

    /// Whether a sheet of this name is the one: `_` and ` y ` read as a blank.
    pub(super) fn is_sheet(&self, name: &str) -> bool {
        let name = normalise(name).replace('_', " ");
        let own = self.sheet.replace('_', " ");
        name == own || (self.sheet == "altas_bajas" && name == "altas y bajas")
    }
}

/// A column's name, if some kind has such a column.
pub(crate) fn column_name(text: &str) -> Option<&'static str> {
    NAMES.get(text).copied()
}

static NAMES: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    let columns = TABLES.iter().flat_map(|table| &table.columns);
    columns.map(|spec| (spec.name, spec.name)).collect()
});

/// The name that the contract gives to a sheet; empty for kinds of one sheet.
pub(crate) fn sheet_name(kind: Kind, sheet: &str) -> &'static str {
    let mut tables = tables(kind).filter(|table| !table.sheet.is_empty());
    tables
        .find(|table| table.is_sheet(sheet))
        .map_or("", |table| table.sheet)
}

/// The tables of a kind; none for the book.
pub(super) fn tables(kind: Kind) -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(move |table| table.kind == kind)
}

const CSV: &str = include_str!("../../data/payroll_file_columns.csv");

// A line that does not read is left out rather than a panic at start; a test holds the tables to the file.
static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let mut tables: Vec<Table> = Vec::new();
    for line in CSV.lines().skip(1) {
        let Some((kind, sheet, spec)) = read(line, &tables) else {
            continue;
        };
        match tables.last_mut() {
            Some(last) if last.kind == kind && last.sheet == sheet => last.columns.push(spec),
            Some(_) | None => tables.push(Table {
                kind,
                sheet,
                columns: vec![spec],
            }),
        }
    }
    tables
});

fn read(line: &'static str, before: &[Table]) -> Option<(Kind, &'static str, Spec)> {
    let mut cells = line.splitn(7, ';');
    let kind: Kind = cells.next()?.parse().ok()?;
    let sheet = cells.next()?;
    let name = cells.next()?;
    let synonyms = cells.next()?;
    let cell = cell_type(name, cells.next()?, before)?;
    let titles = std::iter::once(name)
        .chain(synonyms.split('|').filter(|synonym| !synonym.is_empty()))
        .map(|title| normalise(title).replace('_', " "))
        .collect();
    let mandatory = cells.next()? == "Y";
    let spec = Spec {
        name,
        titles,
        cell,
        mandatory,
    };
    Some((kind, sheet, spec))
}

fn cell_type(name: &str, text: &'static str, before: &[Table]) -> Option<CellType> {
    let mut words = text.split(' ');
    match (words.next()?, words.next()) {
        // Movement columns of novedades are the book's, see `header`.
        _ if name.starts_with('(') => None,
        ("rut", None) => Some(CellType::Rut),
        ("fecha", None) => Some(CellType::Date),
        ("decimal", None) => Some(CellType::Decimal),
        ("monto", None) => Some(CellType::Amount { signed: false }),
        ("monto", Some("con")) => Some(CellType::Amount { signed: true }),
        ("texto", Some(limit)) => Some(CellType::Text(Some(limit.parse().ok()?))),
        ("lre_codes", Some(code)) => Some(CellType::Codes(Code::parse(code)?)),
        ("code", Some("of")) => Some(CellType::Concept),
        ("as", Some(_)) => before
            .iter()
            .find(|table| table.sheet == "ausentismos")
            .and_then(|table| table.column(name))
            .map(|spec| spec.cell.clone()),
        (_, Some(_)) => Some(CellType::Words(text.split(' ').collect())),
        (_, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_is_a_column() {
        let columns: usize = TABLES.iter().map(|table| table.columns.len()).sum();
        // The last line is the book's movement columns.
        assert_eq!(columns + 1, CSV.lines().skip(1).count());
        for kind in Kind::ALL {
            let count = match kind {
                Kind::LibroRemuneraciones => 0,
                Kind::MovimientosMes => 3,
                Kind::Finiquitos
                | Kind::Ausentismos
                | Kind::IncidenciasExternas
                | Kind::Ingresos
                | Kind::Novedades => 1,
            };
            assert_eq!(tables(kind).count(), count, "{kind}");
        }
    }

    #[test]
    fn the_same_as_another_sheet_is_copied_from_it() {
        let words = |kind, sheet| {
            let table = tables(kind).find(|table| table.sheet == sheet);
            table
                .and_then(|table| table.column("tipo"))
                .map(|spec| spec.cell.clone())
        };
        let copied = words(Kind::Ausentismos, "");
        assert!(matches!(&copied, Some(CellType::Words(words)) if words.len() == 7));
        assert_eq!(copied, words(Kind::MovimientosMes, "ausentismos"));
    }
}
