//! Every CSV that we write but the book: UTF-8 with a mark, `;`, and no cell that a spreadsheet takes for a formula.

use std::borrow::Cow;
use std::io::{self, Write};

/// Tells spreadsheets that the file is UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A cell as it is written: one that begins with `=`, `+`, `-`, `@`, a tab or a carriage return gets a leading `'`.
///
/// A spreadsheet would run the others as formulas, with whatever a stranger wrote into a cell of an uploaded file.
pub fn safe(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// Writes rows of safe cells; holds one row at a time.
pub struct SafeCsv<W: Write> {
    out: csv::Writer<W>,
}

impl<W: Write> SafeCsv<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// That of the writer.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(MARK)?;
        let out = csv::WriterBuilder::new()
            .delimiter(b';')
            .terminator(csv::Terminator::CRLF)
            .flexible(true)
            .from_writer(out);
        Ok(Self { out })
    }

    /// Writes a row. Cells are quoted where they must be.
    ///
    /// # Errors
    /// That of the writer.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) -> io::Result<()> {
        for cell in cells {
            self.out.write_field(safe(cell.as_ref()).as_bytes())?;
        }
        self.out.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// That of the writer.
    pub fn finish(self) -> io::Result<W> {
        self.out
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("=1+1", "'=1+1")]
    #[case("+56 9", "'+56 9")]
    #[case("-500", "'-500")]
    #[case("@SUM(A1)", "'@SUM(A1)")]
    #[case("\tx", "'\tx")]
    #[case("\rx", "'\rx")]
    #[case(" =1", " =1")]
    #[case("a=1", "a=1")]
    #[case("", "")]
    fn formulas_become_text(#[case] cell: &str, #[case] written: &str) {
        assert_eq!(safe(cell), written);
    }

    #[test]
    fn a_file_begins_with_the_mark_and_ends_its_lines_as_spreadsheets_do() {
        let mut file = SafeCsv::new(Vec::new()).unwrap();
        file.row(["fila", "motivo"]).unwrap();
        file.row(["2", "=1;\"x\""]).unwrap();
        let bytes = file.finish().unwrap();
        let wanted = "\u{feff}fila;motivo\r\n2;\"'=1;\"\"x\"\"\"\r\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
    }

    proptest! {
        #[test]
        fn no_cell_that_is_read_back_begins_as_a_formula(
            rows in prop::collection::vec(prop::collection::vec("[=+@\\-\\t\\ra;\"\\n]{1,5}", 1..4), 1..5),
        ) {
            let mut file = SafeCsv::new(Vec::new()).unwrap();
            for row in &rows {
                file.row(row).unwrap();
            }
            let bytes = file.finish().unwrap();
            let mut reader = csv::ReaderBuilder::new()
                .delimiter(b';')
                .has_headers(false)
                .flexible(true)
                .from_reader(&bytes[MARK.len()..]);
            let back: Vec<Vec<String>> = reader
                .records()
                .map(|record| record.unwrap().iter().map(str::to_owned).collect())
                .collect();
            let wanted: Vec<Vec<String>> = rows
                .iter()
                .map(|row| row.iter().map(|cell| safe(cell).into_owned()).collect())
                .collect();
            prop_assert_eq!(&back, &wanted);
            for cell in back.iter().flatten() {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
            }
        }
    }
}
