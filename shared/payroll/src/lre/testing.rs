//! A tiny reader for tests: the book as rows, without the rules of files.

use cierre_kernel::time::Date;

use super::Code;
use super::columns::{ColumnType, columns};
use crate::registro::{Field, Registro, Value};
use crate::rut::Rut;

pub(crate) const GOLDEN: &str = include_str!("../../data/lre_golden.csv");

pub(crate) fn code(text: &str) -> Code {
    Code::parse(text).unwrap_or_else(|| panic!("{text} is no code"))
}

pub(crate) fn rut(text: &str) -> Rut {
    Rut::parse(text).unwrap()
}

/// Rows 2, 3 and 4 of `lre_golden.csv`.
pub(crate) fn golden() -> Vec<Registro> {
    read_book(GOLDEN)
}

pub(crate) fn read_book(text: &str) -> Vec<Registro> {
    let lines = text.lines().zip(1..).skip(1);
    lines.map(|(line, row)| read_row(line, row)).collect()
}

fn read_row(line: &str, row: u32) -> Registro {
    let cells = columns().iter().zip(line.split(';'));
    let values: Vec<_> = cells
        .filter(|(_, cell)| !cell.is_empty())
        .map(|(column, cell)| (Field::Lre(column.code), value(column.kind, cell)))
        .collect();
    Registro {
        sheet: "LRE".into(),
        row,
        rut: rut(line.split(';').next().unwrap()),
        values,
        others: Vec::new(),
    }
}

fn value(kind: ColumnType, cell: &str) -> Value {
    match kind {
        ColumnType::Rut => Value::Rut(rut(cell)),
        ColumnType::Date => {
            let parts: Vec<i16> = cell.split('/').map(|part| part.parse().unwrap()).collect();
            let (day, month) = (
                i8::try_from(parts[0]).unwrap(),
                i8::try_from(parts[1]).unwrap(),
            );
            Value::Date(Date::new(parts[2], month, day).unwrap())
        }
        ColumnType::List | ColumnType::Text(_) => Value::Text(cell.into()),
        ColumnType::Integer | ColumnType::Decimal => Value::Hundredths(decimal(cell)),
        ColumnType::Amount => Value::Amount(cell.parse().unwrap()),
    }
}

fn decimal(cell: &str) -> i64 {
    let (whole, rest) = cell.split_once(',').unwrap_or((cell, ""));
    let hundredths: i64 = format!("{rest:0<2}").parse().unwrap();
    let value = whole.trim_start_matches('-').parse::<i64>().unwrap() * 100 + hundredths;
    if cell.starts_with('-') { -value } else { value }
}

/// Puts a value into a cell, or empties it.
pub(crate) fn set(row: &mut Registro, field: Field, value: Option<Value>) {
    row.values.retain(|(known, _)| *known != field);
    row.values.extend(value.map(|value| (field, value)));
}

pub(crate) fn set_amount(row: &mut Registro, text: &str, amount: i64) {
    set(row, Field::Lre(code(text)), Some(Value::Amount(amount)));
}

pub(crate) fn set_text(row: &mut Registro, text: &str, cell: &str) {
    set(row, Field::Lre(code(text)), Some(Value::Text(cell.into())));
}

pub(crate) fn clear(row: &mut Registro, text: &str) {
    set(row, Field::Lre(code(text)), None);
}

/// A copy of the golden row of an employee with an ordinary month, for another RUT.
pub(crate) fn employee(text: &str, row: u32) -> Registro {
    let mut copy = golden().swap_remove(0);
    copy.row = row;
    copy.rut = rut(text);
    let own = Value::Rut(copy.rut);
    set(&mut copy, Field::Lre(Code::RUT), Some(own));
    copy
}

/// A row of another kind of file.
pub(crate) fn named(text: &str, row: u32, cells: &[(&'static str, &str)]) -> Registro {
    let mut values = vec![(Field::Named("rut"), Value::Rut(rut(text)))];
    values.extend(cells.iter().map(|(name, cell)| {
        let day = cierre_kernel::time::parse_date(cell).map(Value::Date);
        (
            Field::Named(name),
            day.unwrap_or_else(|_| Value::Text((*cell).into())),
        )
    }));
    Registro {
        sheet: "".into(),
        row,
        rut: rut(text),
        values,
        others: Vec::new(),
    }
}
