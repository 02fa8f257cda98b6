//! What a row of movimientos_mes tells.

use crate::registro::{Field, Registro, Value};

/// The three things that its sheets tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Movimiento {
    /// A hire.
    Alta,
    /// A leaver.
    Baja,
    /// An absence.
    Ausencia,
    /// Holidays.
    Vacacion,
}

impl Movimiento {
    /// Told by the cells and not by the sheet: every row in force has the mandatory ones, and sheets are named as people like.
    pub(super) fn of(row: &Registro) -> Self {
        match row.value(Field::Named("tipo")) {
            Some(Value::Text(word)) if word.as_ref() == "ALTA" => Self::Alta,
            Some(Value::Text(word)) if word.as_ref() == "BAJA" => Self::Baja,
            Some(
                Value::Text(_)
                | Value::Amount(_)
                | Value::Hundredths(_)
                | Value::Date(_)
                | Value::Rut(_),
            ) => Self::Ausencia,
            None => Self::Vacacion,
        }
    }
}
