//! A row of the book, its cells at their places.

use super::columns::{COLUMNS, position};
use super::{Code, decimal_text};
use crate::registro::{Field, Registro, Value};

/// A view of a row by column. A row keeps its cells in the order of the file; rules ask for dozens of them by code.
pub struct BookRow<'a> {
    row: &'a Registro,
    cells: [Option<&'a Value>; COLUMNS],
}

impl<'a> BookRow<'a> {
    /// Looks at a row.
    pub fn new(row: &'a Registro) -> Self {
        let mut cells = [None; COLUMNS];
        for (field, value) in &row.values {
            let place = match field {
                Field::Lre(code) => position(code.number()),
                Field::Named(_) => None,
            };
            if let Some(cell) = place.and_then(|at| cells.get_mut(at)) {
                *cell = Some(value);
            }
        }
        Self { row, cells }
    }

    /// The row itself.
    pub const fn row(&self) -> &'a Registro {
        self.row
    }

    /// The value of a column, if the cell is not empty. The RUT is the row's own, see [`Registro::rut`].
    pub fn value(&self, code: Code) -> Option<&'a Value> {
        position(code.number())
            .and_then(|at| self.cells.get(at).copied())
            .flatten()
    }

    /// Whether a cell holds anything.
    pub fn is_present(&self, code: Code) -> bool {
        code == Code::RUT || self.value(code).is_some()
    }

    /// An amount; 0 for an empty cell.
    pub fn amount(&self, code: Code) -> i64 {
        self.value(code).and_then(amount).unwrap_or(0)
    }

    /// A number in hundredths, whether it was read as a whole one or as a decimal; none for an empty cell.
    pub fn hundredths(&self, code: Code) -> Option<i64> {
        self.value(code).and_then(hundredths)
    }

    /// The cell as text on the wire; empty for an empty cell.
    pub fn text(&self, code: Code) -> String {
        if code == Code::RUT {
            return self.row.rut.to_string();
        }
        self.value(code).map(wire_text).unwrap_or_default()
    }
}

/// An amount in pesos.
pub(crate) fn amount(value: &Value) -> Option<i64> {
    match value {
        Value::Amount(pesos) => Some(*pesos),
        Value::Hundredths(_) | Value::Date(_) | Value::Rut(_) | Value::Text(_) => None,
    }
}

/// A number in hundredths.
pub(crate) fn hundredths(value: &Value) -> Option<i64> {
    match value {
        Value::Amount(whole) => whole.checked_mul(100),
        Value::Hundredths(hundredths) => Some(*hundredths),
        Value::Date(_) | Value::Rut(_) | Value::Text(_) => None,
    }
}

/// A value as text on the wire: decimals with a point, days as `YYYY-MM-DD`.
pub fn wire_text(value: &Value) -> String {
    match value {
        Value::Amount(pesos) => pesos.to_string(),
        Value::Hundredths(hundredths) => decimal_text(*hundredths, '.'),
        Value::Date(day) => day.to_string(),
        Value::Rut(rut) => rut.to_string(),
        Value::Text(text) => text.to_string(),
    }
}
