//! Two months of a client: the first one sealed, the second one with every kind of change against it.

use cierre_tests::{Closing, Company, GOLDEN_CLIENT, Libro, WORDS, movimientos, rut};
use serde_json::{Value, json};

/// Rows of the contract's table and around it: code, amount before and after, and what comes of it: kind, change in percent, priority.
pub(crate) type Case = (
    &'static str,
    &'static str,
    &'static str,
    Option<(&'static str, Option<&'static str>, &'static str)>,
);

pub(crate) const CASES: [Case; 10] = [
    ("2101", "600000", "779999", None),
    (
        "2101",
        "600000",
        "780000",
        Some(("variacion_concepto", Some("30.00"), "media")),
    ),
    (
        "2103",
        "50000",
        "65000",
        Some(("variacion_concepto", Some("30.00"), "baja")),
    ),
    (
        "2103",
        "10000",
        "20000",
        Some(("variacion_concepto", Some("100.00"), "alta")),
    ),
    (
        "2101",
        "1000000",
        "400000",
        Some(("variacion_concepto", Some("-60.00"), "critica")),
    ),
    ("2110", "", "85000", Some(("concepto_nuevo", None, "media"))),
    // At the amounts that make priorities, and just below them.
    (
        "2101",
        "600000",
        "1100000",
        Some(("variacion_concepto", Some("83.33"), "critica")),
    ),
    (
        "2101",
        "600000",
        "1099999",
        Some(("variacion_concepto", Some("83.33"), "alta")),
    ),
    (
        "2103",
        "150000",
        "199999",
        Some(("variacion_concepto", Some("33.33"), "baja")),
    ),
    (
        "2103",
        "90000",
        "135000",
        Some(("variacion_concepto", Some("50.00"), "media")),
    ),
];

/// The RUT of a case.
pub(crate) fn of_case(nth: usize) -> String {
    rut(11_000_000 + u32::try_from(nth).unwrap())
}

pub(crate) fn leaver(explained: bool) -> String {
    rut(if explained { 12_000_001 } else { 12_000_002 })
}

pub(crate) fn hire(explained: bool) -> String {
    rut(if explained { 13_000_001 } else { 13_000_002 })
}

fn book(others: [String; 2], cell: impl Fn(&Case) -> &'static str) -> Vec<u8> {
    let mut ruts: Vec<String> = (0..CASES.len()).map(of_case).collect();
    ruts.extend(others);
    let mut book = Libro::of(&ruts);
    for (row, case) in (2..).zip(&CASES) {
        book.set(row, case.0, cell(case)).balance(row);
    }
    book.bytes()
}

/// The month before, finalised, and the next one with every incidence.
pub(crate) async fn two_months(company: &Company) -> [Closing; 2] {
    let cliente = company.cliente(GOLDEN_CLIENT).await;
    let first = company.closing_of(&cliente, "2025-10").await;
    first
        .fill(&book([leaver(true), leaver(false)], |case| case.1))
        .await;
    first.finish().await;
    let second = company.closing_of(&cliente, "2025-11").await;
    let libro = book([hire(true), hire(false)], |case| case.2);
    second
        .take("libro_remuneraciones", "libro.csv", &libro)
        .await;
    let (came, left) = (hire(true), leaver(true));
    let moved = movimientos(&[
        [&*came, "ALTA", "03/11/2025", ""],
        [&*left, "BAJA", "28/11/2025", "4"],
    ]);
    second
        .take("movimientos_mes", "movimientos.xlsx", &moved)
        .await;
    second.generate("discrepancias").await;
    [first, second]
}

pub(crate) fn of<'a>(found: &'a [Value], rut: &str) -> &'a Value {
    let mut of_rut = found.iter().filter(|one| one["rut"] == rut);
    let one = of_rut.next().unwrap_or_else(|| panic!("nothing of {rut}"));
    assert!(of_rut.next().is_none(), "two of {rut}");
    one
}

pub(crate) fn id(one: &Value) -> &str {
    one["id"].as_str().unwrap()
}

pub(crate) fn step(one: &Value, action: &str) -> String {
    format!("/incidencias/{}/{action}", id(one))
}

pub(crate) fn resolution() -> Value {
    json!({ "resolucion": "correcta", "justificacion": WORDS })
}
