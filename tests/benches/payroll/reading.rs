//! Reading alone: no stack, no network, one process for each reader.

use std::fmt::Write as _;
use std::fs;

use crate::book::Book;
use crate::process::Run;
use crate::tools::{python_named, version};
use crate::{EMPLOYEES, readers};

/// The book in both forms, in memory and on the disk.
pub(crate) struct Files {
    pub(crate) csv: Vec<u8>,
    pub(crate) xlsx: Vec<u8>,
    columns: usize,
}

const CSV: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/book.csv");
const XLSX: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/book.xlsx");

impl Files {
    /// Writes a book down.
    pub(crate) fn write(book: &Book) -> Self {
        let (csv, xlsx) = (book.csv(), book.xlsx());
        fs::write(CSV, &csv).unwrap();
        fs::write(XLSX, &xlsx).unwrap();
        Self {
            csv,
            xlsx,
            columns: book.columns(),
        }
    }
}

/// Measures all readers and answers the table.
pub(crate) fn measure(files: &Files) -> String {
    let rows = usize::try_from(EMPLOYEES).unwrap();
    let columns = files.columns;
    let cells = rows * columns;
    let mut text = format!(
        "A coherent book of {EMPLOYEES} employees and {columns} columns, read by a process of its own from its start to its end: the fastest of three \
         runs, with the greatest peak.\nOurs is the parser of `receive-payroll-files`, built as for AWS. It hashes the file, checks every cell, header \
         and RUT, and gives each row away at once;\nthe others ({}) read the cells and do nothing more, polars all of them as text and on all \
         processors. The ratios are ours to theirs: below 1, ours takes less.\n\n\
         | file | MB | reader | s | user CPU, s | peak memory, MiB | ns per cell | ratio of time | ratio of CPU | ratio of memory |\n\
         | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        version(&python_named()),
    );
    let kinds = [
        // polars does not count the header, openpyxl does.
        (CSV, "CSV", &files.csv, "with_polars", cells),
        (XLSX, "XLSX", &files.xlsx, "with_openpyxl", cells + columns),
    ];
    for (file, kind, bytes, other, read) in kinds {
        let size = bytes.len() as f64 / 1e6;
        let head = format!("| {kind} | {size:.1}");
        let ours = readers::ours(file);
        let figures = cells_of(&ours, cells);
        writeln!(text, "{head} | ours | {figures} | | | |").unwrap();
        match readers::theirs(other, file, read) {
            Ok((theirs, version)) => {
                let figures = cells_of(&theirs, cells);
                let ratios = ratios(&ours, &theirs);
                writeln!(text, "{head} | {version} | {figures} | {ratios} |").unwrap();
            }
            Err(why) => {
                writeln!(text, "{head} | not measured: {why} | | | | | | | |").unwrap();
            }
        }
    }
    text
}

fn cells_of(run: &Run, cells: usize) -> String {
    format!(
        "{:.2} | {:.2} | {:.0} | {:.0}",
        run.wall,
        run.user,
        run.peak_kib / 1024.0,
        run.wall * 1e9 / cells as f64
    )
}

/// The same cells were read, so per cell they are the same.
fn ratios(ours: &Run, theirs: &Run) -> String {
    format!(
        "{:.2} | {:.2} | {:.2}",
        ours.wall / theirs.wall,
        ours.user / theirs.user,
        ours.peak_kib / theirs.peak_kib
    )
}
