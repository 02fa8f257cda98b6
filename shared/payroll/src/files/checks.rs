//! Rules that look at several cells of a row, or at several rows.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::civil::Date;

use super::Request;
use super::finding::Rule;
use super::tables::{CellType, Table};
use crate::kind::Kind;
use crate::registro::{Field, Value};
use crate::rut::Rut;

/// What a row with content is known by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Key {
    rut: u32,
    word: u16,
    from: Date,
    to: Date,
}

/// A fault in a row.
#[derive(Debug)]
pub(super) struct Fault {
    /// Of which column; none for one of the whole row.
    pub(super) column: Option<&'static str>,
    /// The rule.
    pub(super) rule: Rule,
    /// In plain words.
    pub(super) reason: Cow<'static, str>,
}

/// The rows seen so far in a sheet.
#[derive(Debug, Default)]
pub(super) struct Checks {
    seen: HashMap<Key, u32>,
}

/// The values of a row.
#[derive(Clone, Copy)]
struct Cells<'a> {
    values: &'a [(Field, Value)],
    filled: &'a dyn Fn(&'static str) -> bool,
}

impl Cells<'_> {
    fn value(&self, name: &'static str) -> Option<&Value> {
        self.values
            .iter()
            .find(|(field, _)| *field == Field::Named(name))
            .map(|(_, value)| value)
    }

    fn date(&self, name: &'static str) -> Option<Date> {
        match self.value(name)? {
            Value::Date(date) => Some(*date),
            Value::Amount(_) | Value::Hundredths(_) | Value::Rut(_) | Value::Text(_) => None,
        }
    }

    fn hundredths(&self, name: &'static str) -> Option<i64> {
        match self.value(name)? {
            Value::Hundredths(number) => Some(*number),
            Value::Amount(_) | Value::Date(_) | Value::Rut(_) | Value::Text(_) => None,
        }
    }

    fn text(&self, name: &'static str) -> Option<&str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            Value::Amount(_) | Value::Hundredths(_) | Value::Date(_) | Value::Rut(_) => None,
        }
    }
}

impl Checks {
    /// What is wrong with a row beyond its cells.
    pub(super) fn row(
        &mut self,
        request: &Request<'_>,
        table: &'static Table,
        row: u32,
        rut: Option<Rut>,
        values: &[(Field, Value)],
        filled: &dyn Fn(&'static str) -> bool,
    ) -> Vec<Fault> {
        let cells = Cells { values, filled };
        let mut faults = Vec::new();
        match (table.kind, table.sheet) {
            (Kind::MovimientosMes, "altas_bajas") => {
                if cells.text("tipo") == Some("BAJA") && !(cells.filled)("causal_termino") {
                    let reason = "a BAJA needs it";
                    faults.push(fault("causal_termino", Rule::ObligatoriaVacia, reason));
                }
                within_period(request, cells, "fecha", &mut faults);
            }
            (Kind::MovimientosMes, "vacaciones") => {
                if let Some(days) = calendar_days(cells, &mut faults) {
                    let taken = cells.hundredths("dias_habiles");
                    if taken.is_some_and(|taken| taken <= 0 || taken > days * 100) {
                        faults.push(days_fault(format!("must lie over 0 and up to {days}")));
                    }
                }
            }
            (Kind::MovimientosMes | Kind::Ausentismos, _) => {
                if let Some(days) = calendar_days(cells, &mut faults) {
                    let told = cells.hundredths("dias");
                    if told.is_some_and(|told| told != days * 100) {
                        faults.push(days_fault(format!("the dates are {days} days")));
                    }
                }
            }
            (Kind::Finiquitos, _) => within_period(request, cells, "fecha_termino", &mut faults),
            (Kind::Ingresos, _) => within_period(request, cells, "fecha_ingreso", &mut faults),
            (Kind::Novedades, _) => creation(request, rut, cells, &mut faults),
            (Kind::IncidenciasExternas | Kind::LibroRemuneraciones, _) => {}
        }
        if let Some(key) = rut.and_then(|rut| key(table, rut, cells)) {
            match self.seen.get(&key) {
                Some(first) => faults.push(Fault {
                    column: None,
                    rule: Rule::FilaRepetida,
                    reason: format!("repeats row {first}").into(),
                }),
                None => {
                    self.seen.insert(key, row);
                }
            }
        }
        faults
    }
}

fn fault(column: &'static str, rule: Rule, reason: impl Into<Cow<'static, str>>) -> Fault {
    Fault {
        column: Some(column),
        rule,
        reason: reason.into(),
    }
}

fn days_fault(reason: String) -> Fault {
    Fault {
        column: None,
        rule: Rule::DiasNoCuadran,
        reason: reason.into(),
    }
}

fn within_period(
    request: &Request<'_>,
    cells: Cells<'_>,
    name: &'static str,
    faults: &mut Vec<Fault>,
) {
    if cells
        .date(name)
        .is_some_and(|date| !request.period.holds(date))
    {
        let reason = format!("is not in {}", request.period);
        faults.push(fault(name, Rule::FechaFueraDePeriodo, reason));
    }
}

/// How many calendar days lie between the dates of a row, both included.
fn calendar_days(cells: Cells<'_>, faults: &mut Vec<Fault>) -> Option<i64> {
    let (from, to) = (cells.date("fecha_inicio")?, cells.date("fecha_fin")?);
    if to < from {
        faults.push(Fault {
            column: None,
            rule: Rule::FechaOrden,
            reason: "fecha_fin lies before fecha_inicio".into(),
        });
        return None;
    }
    from.until(to)
        .ok()
        .map(|span| i64::from(span.get_days()) + 1)
}

/// An employee new to the closing needs a name and a first day.
fn creation(request: &Request<'_>, rut: Option<Rut>, cells: Cells<'_>, faults: &mut Vec<Fault>) {
    if rut.is_none_or(|rut| (request.known)(rut)) {
        return;
    }
    let lacking: Vec<&str> = ["nombres", "apellido_paterno", "fecha_ingreso"]
        .into_iter()
        .filter(|name| !(cells.filled)(name))
        .collect();
    if !lacking.is_empty() {
        faults.push(Fault {
            column: None,
            rule: Rule::CreacionIncompleta,
            reason: format!("creates an employee without {}", lacking.join(", ")).into(),
        });
    }
}

/// What must be unique; none while a part of it is missing.
fn key(table: &'static Table, rut: Rut, cells: Cells<'_>) -> Option<Key> {
    let mut key = Key {
        rut: rut.number(),
        ..Key::default()
    };
    match (table.kind, table.sheet) {
        (Kind::MovimientosMes, "altas_bajas") => {
            key.word = word(table, cells, "tipo")?;
            key.from = cells.date("fecha")?;
        }
        (Kind::MovimientosMes, "vacaciones") => key.from = cells.date("fecha_inicio")?,
        (Kind::MovimientosMes | Kind::Ausentismos, _) => {
            key.word = word(table, cells, "tipo")?;
            key.from = cells.date("fecha_inicio")?;
            key.to = cells.date("fecha_fin")?;
        }
        (Kind::IncidenciasExternas, _) => key.word = cells.text("concepto")?.parse().ok()?,
        (Kind::Finiquitos | Kind::Ingresos | Kind::Novedades | Kind::LibroRemuneraciones, _) => {}
    }
    Some(key)
}

/// Which word of a column's list a cell holds.
fn word(table: &'static Table, cells: Cells<'_>, name: &'static str) -> Option<u16> {
    let text = cells.text(name)?;
    match &table.column(name)?.cell {
        CellType::Words(words) => {
            let at = words.iter().position(|word| *word == text)?;
            u16::try_from(at).ok()
        }
        CellType::Rut
        | CellType::Text(_)
        | CellType::Date
        | CellType::Amount { .. }
        | CellType::Decimal
        | CellType::Integer
        | CellType::Code
        | CellType::Codes(_)
        | CellType::Concept => None,
    }
}
