//! The book: one employee's month for everybody.

use cierre_tests::{Libro, rut};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use crate::EMPLOYEES;

/// A header, and what stands behind every RUT.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    header: String,
    rest: String,
}

impl Book {
    /// The first employee of the contract's book, who has no discrepancy.
    pub(crate) fn ordinary() -> Self {
        Self::of(|_| {})
    }

    /// The same with the sueldo 30 % higher and all totals right: an incidence for everybody, and no discrepancy.
    pub(crate) fn raised() -> Self {
        Self::of(|book| {
            book.set(2, "2101", "780000").balance(2);
        })
    }

    /// The raised one with two pesos too many in a total: a discrepancy for everybody.
    pub(crate) fn wrong() -> Self {
        Self::of(|book| {
            book.set(2, "2101", "780000").balance(2);
            let total = book.get(2, "5201").parse::<u32>().unwrap() + 2;
            book.set(2, "5201", &total.to_string());
        })
    }

    fn of(edit: impl FnOnce(&mut Libro)) -> Self {
        let mut one = Libro::of(&[rut(10_000_000)]);
        edit(&mut one);
        let text = one.text();
        let (header, row) = text.split_once('\n').unwrap();
        let (_, rest) = row.trim_end().split_once(';').unwrap();
        Self {
            header: header.to_owned(),
            rest: rest.to_owned(),
        }
    }

    /// Columns.
    pub(crate) fn columns(&self) -> usize {
        self.header.split(';').count()
    }

    /// As a CSV in UTF-8.
    pub(crate) fn csv(&self) -> Vec<u8> {
        let mut text = format!("{}\n", self.header);
        for rut in ruts() {
            text.push_str(&format!("{rut};{}\n", self.rest));
        }
        text.into_bytes()
    }

    /// As a workbook, with numbers and dates as such.
    pub(crate) fn xlsx(&self) -> Vec<u8> {
        let mut book = Workbook::new();
        let day = Format::new().set_num_format("dd/mm/yyyy");
        let sheet = book.add_worksheet();
        for (column, header) in (0..).zip(self.header.split(';')) {
            sheet.write(0, column, header).unwrap();
        }
        for (row, rut) in (1..).zip(ruts()) {
            sheet.write(row, 0, rut).unwrap();
            for (column, cell) in (1..).zip(self.rest.split(';')) {
                if cell.is_empty() {
                    continue;
                }
                match (date(cell), cell.parse::<u32>()) {
                    (Some(date), _) => sheet.write_with_format(row, column, &date, &day),
                    (None, Ok(number)) => sheet.write(row, column, number),
                    (None, Err(_)) => sheet.write(row, column, cell),
                }
                .unwrap();
            }
        }
        book.save_to_buffer().unwrap()
    }
}

fn ruts() -> impl Iterator<Item = String> {
    (0..EMPLOYEES).map(|n| rut(10_000_000 + n))
}

/// `01/03/2015`.
fn date(cell: &str) -> Option<ExcelDateTime> {
    let mut parts = cell.split('/');
    let mut part = || parts.next()?.parse::<u16>().ok();
    let (day, month, year) = (part()?, part()?, part()?);
    let (day, month) = (u8::try_from(day).ok()?, u8::try_from(month).ok()?);
    ExcelDateTime::from_ymd(year, month, day).ok()
}
