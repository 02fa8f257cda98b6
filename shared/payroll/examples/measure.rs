//! How fast a book is read, and in how much memory: `make <rows> <file>` writes one, `read <kind> <file>` reads one.
//!
//! Under `/usr/bin/time -v` the peak is that of reading alone, because the file is read from disk and its rows are dropped at once.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Instant;

use cierre_payroll::files::{Request, Survey, read};
use cierre_payroll::lre::columns::{ColumnType, columns};
use cierre_payroll::period::Period;
use cierre_payroll::rut::Rut;
use rust_xlsxwriter::Workbook;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["make", rows, file] => make(rows.parse()?, file),
        ["read", kind, file] => measure(kind, file),
        _ => Err("make <rows> <file>, or read <kind> <file>".into()),
    }
}

fn make(rows: u32, file: &str) -> Result<(), Box<dyn Error>> {
    if file.ends_with(".csv") {
        let mut out = BufWriter::new(File::create(file)?);
        let headers: Vec<&str> = columns().iter().map(|column| column.header).collect();
        writeln!(out, "{}", headers.join(";"))?;
        for row in 0..rows {
            let cells: Vec<String> = (0..columns().len()).map(|at| cell(row, at)).collect();
            writeln!(out, "{}", cells.join(";"))?;
        }
        return Ok(out.flush()?);
    }
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (at, column) in (0..).zip(columns()) {
        sheet.write(0, at, column.header)?;
    }
    for row in 0..rows {
        for (at, column) in (0..).zip(columns()) {
            let text = cell(row, usize::from(at));
            match column.kind {
                ColumnType::Amount | ColumnType::Integer | ColumnType::List => {
                    sheet.write(row + 1, at, text.parse::<u32>()?)?;
                }
                ColumnType::Rut | ColumnType::Date | ColumnType::Decimal | ColumnType::Text(_) => {
                    sheet.write(row + 1, at, text)?;
                }
            }
        }
    }
    Ok(book.save(file)?)
}

/// A cell that reads as its column's type; every one is filled.
fn cell(row: u32, at: usize) -> String {
    let mixed = row.wrapping_mul(2_654_435_761).rotate_left(13) ^ (at as u32 * 40_503);
    match columns().get(at).map(|column| column.kind) {
        Some(ColumnType::Rut) => rut(10_000_000 + row),
        Some(ColumnType::Date) => "01/03/2015".to_owned(),
        Some(ColumnType::List) => "1".to_owned(),
        Some(ColumnType::Integer) => (mixed % 31).to_string(),
        Some(ColumnType::Decimal) => format!("{},5", mixed % 30),
        Some(ColumnType::Text(_)) => format!("puesto {}", mixed % 50),
        Some(ColumnType::Amount) | None => (mixed % 2_000_000).to_string(),
    }
}

fn rut(number: u32) -> String {
    "0123456789K"
        .chars()
        .map(|check| format!("{number}-{check}"))
        .find(|text| Rut::parse(text).is_ok_and(Rut::is_valid))
        .unwrap_or_default()
}

fn measure(kind: &str, file: &str) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let surveyed = Survey::of(File::open(file)?)?;
    let looked = started.elapsed();
    let request = Request {
        kind: kind.parse()?,
        period: Period::parse("2025-10")?,
        name: file,
        declared_size: None,
        declared_sha256: None,
        known: &|_| true,
    };
    let mut cells = 0;
    let report = read(request, &surveyed, File::open(file)?, &mut |row| {
        cells += row.values.len();
    })?;
    let took = started.elapsed();
    println!(
        "{} rows, {cells} cells, {} errors, {} bytes: {} ms, {} of them for the hash",
        report.rows,
        report.totals.errors,
        surveyed.size,
        took.as_millis(),
        looked.as_millis(),
    );
    for finding in report.listed().iter().take(5) {
        println!("{:?} {} {}", finding.row, finding.rule, finding.reason);
    }
    Ok(())
}
