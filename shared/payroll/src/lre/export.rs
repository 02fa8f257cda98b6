//! The book as the authority takes it: windows-1252, `;`, CRLF, no quotes.

use std::io::{self, Write};

use encoding_rs::WINDOWS_1252;

use super::columns::columns;
use super::{BookRow, Code, decimal_text};
use crate::period::Period;
use crate::registro::{Registro, Value};
use crate::rut::Rut;

/// Why a book cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A text would break the file: there are no quotes to put it in, or the encoding does not have its characters, or a spreadsheet would
    /// take it for a formula.
    #[error("row {row}: the text of column {code} cannot be exported")]
    NotExportable {
        /// The row as it was read.
        row: u32,
        /// The column.
        code: Code,
    },
    /// The bytes could not be written.
    #[error("the bytes could not be written")]
    Io(#[source] io::Error),
}

/// The name that the authority wants: the employer's RUT without its digit, and the month.
pub fn file_name(employer: Rut, period: Period) -> String {
    format!(
        "{}_{:04}{:02}.csv",
        employer.number(),
        period.year(),
        period.month()
    )
}

/// Writes a book row by row; holds one row at a time.
pub struct Exporter<W> {
    out: W,
    line: String,
}

impl<W: Write> Exporter<W> {
    /// Begins a book with its header row.
    ///
    /// # Errors
    /// [`ExportError::Io`].
    pub fn new(out: W) -> Result<Self, ExportError> {
        let mut exporter = Self {
            out,
            line: String::new(),
        };
        for column in columns() {
            exporter.line.push_str(column.header);
            exporter.line.push(';');
        }
        exporter.end_line()?;
        Ok(exporter)
    }

    /// Writes a row.
    ///
    /// # Errors
    /// [`ExportError`]. Nothing of the row is written when one of its cells cannot be.
    pub fn row(&mut self, row: &Registro) -> Result<(), ExportError> {
        self.line.clear();
        let cells = BookRow::new(row);
        for column in columns() {
            if column.code == Code::RUT {
                self.line.push_str(&row.rut.to_string());
            } else if let Some(value) = cells.value(column.code) {
                let text = cell(value).ok_or(ExportError::NotExportable {
                    row: row.row,
                    code: column.code,
                })?;
                self.line.push_str(&text);
            }
            self.line.push(';');
        }
        self.end_line()
    }

    /// Ends the book.
    ///
    /// # Errors
    /// [`ExportError::Io`].
    pub fn finish(mut self) -> Result<W, ExportError> {
        self.out.flush().map_err(ExportError::Io)?;
        Ok(self.out)
    }

    fn end_line(&mut self) -> Result<(), ExportError> {
        // Every cell was followed by a separator; the last one is none.
        self.line.pop();
        self.line.push_str("\r\n");
        let (bytes, _, _) = WINDOWS_1252.encode(&self.line);
        self.out.write_all(&bytes).map_err(ExportError::Io)
    }
}

/// A cell, or none when it would break the file.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Amount(pesos) => Some(pesos.to_string()),
        Value::Hundredths(hundredths) => Some(decimal_text(*hundredths, ',')),
        Value::Date(day) => Some(format!(
            "{:02}/{:02}/{:04}",
            day.day(),
            day.month(),
            day.year()
        )),
        Value::Rut(rut) => Some(rut.to_string()),
        // A quotation mark at the beginning would open a quoted cell for whoever reads the file, us included.
        Value::Text(text) => {
            (is_exportable(text) && !text.starts_with('"')).then(|| text.to_string())
        }
    }
}

/// Whether a text can stand in the book: no formula, no separator, no line break, only characters of windows-1252.
pub fn is_exportable(text: &str) -> bool {
    !text.starts_with(['=', '+', '-', '@'])
        && !text.contains([';', '\r', '\n'])
        && text.chars().all(is_windows_1252)
}

fn is_windows_1252(c: char) -> bool {
    // The encoder maps the five undefined bytes to control characters, as browsers do; no reader of the book would take them.
    if matches!(c, '\u{81}' | '\u{8d}' | '\u{8f}' | '\u{90}' | '\u{9d}') {
        return false;
    }
    let mut buffer = [0; 4];
    let (_, _, unmappable) = WINDOWS_1252.encode(c.encode_utf8(&mut buffer));
    !unmappable
}

#[cfg(test)]
mod tests {
    use cierre_kernel::canonical::sha256_hex;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::lre::testing::{GOLDEN, employee, golden, read_book, rut, set, set_text};
    use crate::registro::Field;

    fn export(rows: &[Registro]) -> Result<Vec<u8>, ExportError> {
        let mut exporter = Exporter::new(Vec::new())?;
        for row in rows {
            exporter.row(row)?;
        }
        exporter.finish()
    }

    #[test]
    fn the_golden_book_is_the_contract_s_to_the_byte() {
        let bytes = export(&golden()).unwrap();
        assert_eq!(bytes.len(), 6169);
        assert_eq!(
            sha256_hex(&bytes),
            "6488ec0aed14a3c20da8eaee9d3eeea2e36c2e2999056c4a5622638792a34a7c"
        );
        let text = WINDOWS_1252.decode(&bytes).0.replace("\r\n", "\n");
        assert_eq!(text, GOLDEN.replace("\r\n", "\n"));
    }

    #[test]
    fn the_name_has_no_check_digit() {
        let period = Period::parse("2025-10").unwrap();
        assert_eq!(file_name(rut("76086428-5"), period), "76086428_202510.csv");
    }

    #[rstest]
    #[case("=1+1")]
    #[case("@x")]
    #[case("+1")]
    #[case("-1")]
    #[case("a;b")]
    #[case("a\nb")]
    #[case("a\rb")]
    #[case("\u{394}")]
    #[case("a\u{81}")]
    #[case("\"quoted")]
    fn a_text_that_would_break_the_file_is_refused(#[case] text: &str) {
        let mut row = employee("12345678-5", 7);
        set_text(&mut row, "1154", text);
        let error = export(&[row]).unwrap_err();
        assert!(
            matches!(error, ExportError::NotExportable { row: 7, code } if code == Code::TRABAJO_PESADO)
        );
    }

    #[rstest]
    #[case("Operador de grúa – turno “B” €")]
    #[case("a = b")]
    fn ordinary_texts_are_exportable(#[case] text: &str) {
        assert!(is_exportable(text));
    }

    #[test]
    fn one_bad_row_leaves_the_others_whole() {
        let mut exporter = Exporter::new(Vec::new()).unwrap();
        let mut bad = employee("12345678-5", 2);
        set_text(&mut bad, "1154", "a;b");
        assert!(exporter.row(&bad).is_err());
        exporter.row(&employee("12345678-5", 3)).unwrap();
        let bytes = exporter.finish().unwrap();
        let text = WINDOWS_1252.decode(&bytes).0.into_owned();
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| line.split(';').count() == 147));
    }

    fn sorted(mut row: Registro) -> Registro {
        row.values.sort_by_key(|(field, _)| *field);
        row
    }

    proptest! {
        #[test]
        fn what_is_exported_reads_back_the_same(
            amounts in prop::collection::btree_map(40_usize..147, 0..=999_999_999_999_i64, 0..40),
            days in 0_i64..=3100,
            place in "[A-Za-zÑñáéíóú][A-Za-z0-9Ññáéíóú .]{0,30}[a-z]",
        ) {
            let mut row = employee("30686957-4", 2);
            for (at, amount) in amounts {
                set(&mut row, Field::Lre(columns()[at].code), Some(Value::Amount(amount)));
            }
            set(&mut row, Field::Lre(Code::DIAS_TRABAJADOS), Some(Value::Hundredths(days)));
            set_text(&mut row, "1154", &place);
            let bytes = export(std::slice::from_ref(&row)).unwrap();
            let text = WINDOWS_1252.decode(&bytes).0.into_owned();
            let back = read_book(&text);
            prop_assert_eq!(back.len(), 1);
            prop_assert_eq!(export(&back).unwrap(), bytes);
            prop_assert_eq!(sorted(back[0].clone()), sorted(row));
        }
    }
}
