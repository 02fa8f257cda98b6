//! A row of a file as it was understood.

use std::borrow::Cow;

use jiff::civil::Date;

use crate::lre::Code;
use crate::rut::Rut;

/// Whose value stands in a cell: a column of the book, or a column that a kind of file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// A column of the book (LRE).
    Lre(Code),
    /// A column of another kind, by its name in `payroll_file_columns.csv`.
    Named(&'static str),
}

impl Field {
    /// The name on the wire: the code or the column's name.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Lre(code) => Cow::Owned(code.to_string()),
            Self::Named(name) => Cow::Borrowed(name),
        }
    }
}

/// What stands in a cell. An empty cell has no value at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Chilean pesos, whole; of at most 12 digits.
    Amount(i64),
    /// A number with at most two decimals, in hundredths.
    Hundredths(i64),
    /// A day.
    Date(Date),
    /// A RUT.
    Rut(Rut),
    /// A text, a code of a list, or a word of a list in its normal form.
    Text(Box<str>),
}

/// A data row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registro {
    /// The sheet's name; empty for CSV.
    pub sheet: std::sync::Arc<str>,
    /// The 1-based row of the sheet; for CSV the record's number.
    pub row: u32,
    /// Whose row it is.
    pub rut: Rut,
    /// The values by field, in the order of the file's columns; empty cells are left out.
    pub values: Vec<(Field, Value)>,
    /// Cells of columns that could not be classified, by their header.
    pub others: Vec<(std::sync::Arc<str>, Box<str>)>,
}

impl Registro {
    /// The value of a field, if the cell is not empty.
    pub fn value(&self, field: Field) -> Option<&Value> {
        self.values
            .iter()
            .find(|(known, _)| *known == field)
            .map(|(_, value)| value)
    }

    /// The amount of a column of the book; 0 for an empty cell.
    pub fn amount(&self, code: Code) -> i64 {
        match self.value(Field::Lre(code)) {
            Some(Value::Amount(amount)) => *amount,
            Some(Value::Hundredths(_) | Value::Date(_) | Value::Rut(_) | Value::Text(_)) | None => {
                0
            }
        }
    }
}
