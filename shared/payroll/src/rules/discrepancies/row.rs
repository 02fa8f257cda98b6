//! The rules that look at one row of the book and nothing else.

use super::{Control, Regla};
use crate::lre::codes::is_known;
use crate::lre::columns::{Column, ColumnType, columns};
use crate::lre::export::is_exportable;
use crate::lre::identities::{Expected, expected};
use crate::lre::{BookRow, Code, amount};
use crate::registro::Value;
use crate::rut::Rut;

/// The rate of the severance fund is at least 4.11 %.
const LEAST_RATE: i64 = 411;
/// A month has at most 31 days.
const MOST_DAYS: i64 = 3100;
/// Health insurance that takes no voluntary contribution: the public one.
const FONASA: &str = "102";

/// What a rule found in a row.
pub(super) struct RowFinding {
    pub(super) regla: Regla,
    /// The column it is filed under.
    pub(super) code: Code,
    /// The cells that it looked at.
    pub(super) cells: Vec<Code>,
    pub(super) esperado: Option<String>,
    pub(super) encontrado: Option<String>,
    pub(super) diferencia: Option<String>,
    pub(super) sugerencia: String,
}

impl RowFinding {
    /// A finding in the cells alone; the first is what it is filed under.
    fn new(
        regla: impl Into<Regla>,
        code: Code,
        others: &[Code],
        sugerencia: impl Into<String>,
    ) -> Self {
        let mut cells = vec![code];
        cells.extend(others);
        Self {
            regla: regla.into(),
            code,
            cells,
            esperado: None,
            encontrado: None,
            diferencia: None,
            sugerencia: sugerencia.into(),
        }
    }
}

/// Every finding of a row, column by column and then rule by rule.
pub(super) fn check(row: &BookRow<'_>, tolerance: u32) -> Vec<RowFinding> {
    let mut found = Vec::new();
    for column in columns() {
        check_cell(row, column, &mut found);
    }
    found.extend(no_salary(row));
    found.extend(end_and_cause(row));
    found.extend(unemployment_insurance(row));
    found.extend(severance_rate(row));
    found.extend(voluntary_health(row));
    found.extend(voluntary_saving(row));
    let totals = expected(row);
    found.extend(wrong_totals(row, &totals, tolerance));
    found.extend(nothing_left(&totals));
    found
}

fn check_cell(row: &BookRow<'_>, column: &Column, found: &mut Vec<RowFinding>) {
    let code = column.code;
    if code == Code::RUT {
        found.extend(check_digit(row.row().rut, code));
        return;
    }
    let mut find =
        |regla, sugerencia: String| found.push(RowFinding::new(regla, code, &[], sugerencia));
    let Some(value) = row.value(code) else {
        if column.mandatory {
            find(
                Control::ObligatoriaVacia,
                format!("{code} is mandatory, fill it in"),
            );
        }
        return;
    };
    match column.kind {
        ColumnType::Rut => found.extend(as_rut(value).and_then(|rut| check_digit(rut, code))),
        ColumnType::List => {
            if !is_known(code, &row.text(code)) {
                find(
                    Control::CodigoDesconocido,
                    format!("{code} must be a value of its list"),
                );
            }
        }
        ColumnType::Text(most) => {
            let text = row.text(code);
            if text.chars().count() > most {
                find(
                    Control::TextoLargo,
                    format!("{code} takes {most} characters at most"),
                );
            }
            if !is_exportable(&text) {
                find(
                    Control::TextoNoExportable,
                    format!(
                        "{code} must not begin with = + - @ nor hold a semicolon, a line break or a character outside windows-1252"
                    ),
                );
            }
        }
        ColumnType::Amount => {
            if amount(value).is_some_and(|pesos| pesos < 0) {
                find(
                    Control::MontoNegativo,
                    format!("{code} must not be below 0"),
                );
            }
        }
        ColumnType::Integer | ColumnType::Decimal => {
            let counts_days = [
                Code::DIAS_TRABAJADOS,
                Code::DIAS_LICENCIA,
                Code::DIAS_VACACIONES,
            ]
            .contains(&code);
            let days = row.hundredths(code);
            if counts_days && days.is_some_and(|days| !(0..=MOST_DAYS).contains(&days)) {
                find(
                    Control::DiasFueraDeRango,
                    format!("{code} must lie between 0 and 31"),
                );
            }
        }
        ColumnType::Date => {}
    }
}

fn as_rut(value: &Value) -> Option<Rut> {
    match value {
        Value::Rut(rut) => Some(*rut),
        Value::Amount(_) | Value::Hundredths(_) | Value::Date(_) | Value::Text(_) => None,
    }
}

fn check_digit(rut: Rut, code: Code) -> Option<RowFinding> {
    if rut.is_valid() {
        return None;
    }
    // One of the eleven is right for every number.
    let right = "0123456789K"
        .chars()
        .filter_map(|check| Rut::parse(&format!("{}-{check}", rut.number())).ok())
        .find(|rut| rut.is_valid());
    let mut finding = RowFinding::new(
        Control::RutDv,
        code,
        &[],
        format!("the check digit of {code} is wrong: check the number"),
    );
    finding.esperado = right.map(|rut| rut.to_string());
    finding.encontrado = Some(rut.to_string());
    Some(finding)
}

fn no_salary(row: &BookRow<'_>) -> Option<RowFinding> {
    let worked = row
        .hundredths(Code::DIAS_TRABAJADOS)
        .is_some_and(|days| days > 0);
    let earned = row.amount(Code::SUELDO) != 0 || row.amount(Code::SUELDO_EMPRESARIAL) != 0;
    (worked && !earned).then(|| {
        RowFinding::new(
            Control::SueldoCero,
            Code::SUELDO,
            &[Code::DIAS_TRABAJADOS, Code::SUELDO_EMPRESARIAL],
            "days were worked: 2101 or 2161 must hold a salary",
        )
    })
}

fn end_and_cause(row: &BookRow<'_>) -> Option<RowFinding> {
    (row.is_present(Code::FECHA_TERMINO) != row.is_present(Code::CAUSAL)).then(|| {
        RowFinding::new(
            Control::TerminoCausal,
            Code::FECHA_TERMINO,
            &[Code::CAUSAL],
            "1103 and 1104 go together: fill in both or neither",
        )
    })
}

fn unemployment_insurance(row: &BookRow<'_>) -> Option<RowFinding> {
    let paid = paid(row, Code::AFC_TRABAJADOR, Code::AFC_EMPLEADOR);
    let worked = row
        .hundredths(Code::DIAS_TRABAJADOS)
        .is_some_and(|days| days > 0);
    let (insured, not_insured) = flag(row, Code::AFC);
    ((insured && worked && paid == 0) || (not_insured && paid > 0)).then(|| {
        RowFinding::new(
            Control::AfcIncoherente,
            Code::AFC,
            &[
                Code::DIAS_TRABAJADOS,
                Code::AFC_TRABAJADOR,
                Code::AFC_EMPLEADOR,
            ],
            "1151 must be 1 exactly when 3151 or 4151 is paid",
        )
    })
}

fn severance_rate(row: &BookRow<'_>) -> Option<RowFinding> {
    let (funded, _) = flag(row, Code::INDEMNIZACION);
    let low = row
        .hundredths(Code::TASA_INDEMNIZACION)
        .is_none_or(|rate| rate < LEAST_RATE);
    (funded && low).then(|| {
        RowFinding::new(
            Control::TasaIndemnizacion,
            Code::TASA_INDEMNIZACION,
            &[Code::INDEMNIZACION],
            "with 1131 = 1, 1132 must be at least 4.11",
        )
    })
}

fn voluntary_health(row: &BookRow<'_>) -> Option<RowFinding> {
    (row.amount(Code::SALUD_VOLUNTARIA) > 0 && row.text(Code::SALUD) == FONASA).then(|| {
        RowFinding::new(
            Control::SaludVoluntaria,
            Code::SALUD_VOLUNTARIA,
            &[Code::SALUD],
            "FONASA (1143 = 102) takes no voluntary contribution: check 3144",
        )
    })
}

fn voluntary_saving(row: &BookRow<'_>) -> Option<RowFinding> {
    let paid = paid(row, Code::APVI_A, Code::APVI_B);
    let (saves, saves_not) = flag(row, Code::APVI);
    ((saves && paid == 0) || (saves_not && paid > 0)).then(|| {
        RowFinding::new(
            Control::ApvIncoherente,
            Code::APVI,
            &[Code::APVI_A, Code::APVI_B],
            "1155 must be 1 exactly when 3155 or 3156 is paid",
        )
    })
}

fn paid(row: &BookRow<'_>, one: Code, other: Code) -> i64 {
    row.amount(one).saturating_add(row.amount(other))
}

/// Whether a column says yes, and whether it says no. An empty cell says neither.
fn flag(row: &BookRow<'_>, code: Code) -> (bool, bool) {
    let text = row.text(code);
    (text == "1", text == "0")
}

fn wrong_totals(row: &BookRow<'_>, totals: &Expected, tolerance: u32) -> Vec<RowFinding> {
    let wrong = totals.iter().filter_map(|(identity, expected)| {
        let reported = row.amount(identity.code);
        if reported.abs_diff(expected) <= u64::from(tolerance) {
            return None;
        }
        let mut finding = RowFinding::new(
            Regla::Total(identity.code),
            identity.code,
            &[],
            identity.suggestion.clone(),
        );
        finding.esperado = Some(expected.to_string());
        finding.encontrado = Some(reported.to_string());
        finding.diferencia = Some(reported.saturating_sub(expected).to_string());
        Some(finding)
    });
    wrong.collect()
}

fn nothing_left(totals: &Expected) -> Option<RowFinding> {
    let earned = totals.of(Code::TOTAL_HABERES)?;
    let deducted = totals.of(Code::TOTAL_DESCUENTOS)?;
    (earned < deducted).then(|| {
        let mut finding = RowFinding::new(
            Control::LiquidoNegativo,
            Code::TOTAL_LIQUIDO,
            &[Code::TOTAL_HABERES, Code::TOTAL_DESCUENTOS],
            "the deductions exceed the earnings: check 3xxx",
        );
        finding.diferencia = Some(earned.saturating_sub(deducted).to_string());
        finding
    })
}
