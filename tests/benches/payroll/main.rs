//! What a book of ten thousand employees costs: read alone and beside readers of other languages, on its way from the bucket into force, and
//! compared with itself and with the month before. Written to `docs/costs.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a measurement: it may stop, and its figures are nobody's money"
)]

mod book;
#[path = "../costs/cost.rs"]
mod cost;
mod force;
#[path = "../costs/log.rs"]
mod log;
mod process;
mod readers;
mod reading;
mod results;
#[path = "../starts/tools.rs"]
mod tools;

use std::time::Duration;

use cierre_tests::{Company, GOLDEN_CLIENT, GOLDEN_MONTH, put_section};

use crate::book::Book;
use crate::reading::Files;

/// Employees of the book.
const EMPLOYEES: u32 = 10_000;
/// The kind of the book.
const BOOK: &str = "libro_remuneraciones";
/// The emulator writes a function's lines when the function has answered.
const LINES_WITHIN: Duration = Duration::from_secs(60);
/// The folder of the repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let book = Book::ordinary();
    let files = Files::write(&book);
    put_section("Payroll: reading a book", &reading::measure(&files));

    let company = Company::of_payroll().await;
    let client = company.cliente(GOLDEN_CLIENT).await;
    let october = company.closing_of(&client, GOLDEN_MONTH).await;
    let mut table = force::Table::new();
    for (name, bytes) in [("libro.csv", &files.csv), ("libro.xlsx", &files.xlsx)] {
        table.measure(&october, name, bytes).await;
    }
    put_section("Payroll: from the bucket into force", &table.text());
    let november = company.closing_of(&client, "2025-11").await;
    let results = results::measure(&october, &november).await;
    put_section("Payroll: discrepancies and incidences", &results);
    table.within_the_limits();
}

/// So many, as a number to calculate with.
fn employees() -> f64 {
    f64::from(EMPLOYEES)
}
