//! The contract's book in every spelling gives the same rows.

use encoding_rs::WINDOWS_1252;

use super::super::*;
use super::Read;
use crate::registro::{Field, Value};

const GOLDEN: &str = include_str!("../../../data/lre_golden.csv");

/// The book with its header line in another spelling.
pub(crate) fn golden(header: impl Fn(&str) -> String) -> String {
    let (first, rest) = GOLDEN.split_once('\n').unwrap();
    format!("{}\n{rest}", header(first))
}

pub(crate) fn spellings() -> [String; 3] {
    [
        GOLDEN.to_owned(),
        golden(|line| line.replace('(', " (")),
        golden(|line| super::super::header::normalise(line).to_uppercase()),
    ]
}

#[test]
fn the_golden_book_reads_alike_in_nine_spellings() {
    let mut first: Option<Vec<Registro>> = None;
    for text in spellings() {
        let (ansi, _, replaced) = WINDOWS_1252.encode(&text);
        assert!(!replaced);
        let marked = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
        let files = [
            ("utf-8", text.as_bytes()),
            ("utf-8-sig", marked.as_slice()),
            ("windows-1252", ansi.as_ref()),
        ];
        for (encoding, bytes) in files {
            let Read { report, rows } =
                Read::of(Kind::LibroRemuneraciones, "76086428_202510.csv", bytes);
            assert_eq!(report.findings, [], "{encoding}");
            // The header in ASCII alone leaves nothing that tells the two apart.
            if !text.is_ascii() {
                assert_eq!(report.encoding.unwrap().as_str(), encoding);
            }
            assert_eq!((report.rows, report.headers), (3, 147));
            assert_eq!(report.columns.len(), 147);
            let rows = rows.clone();
            assert_eq!(first.get_or_insert_with(|| rows.clone()), &rows);
        }
    }
    let rows = first.unwrap();
    let code = |number: &str| Field::Lre(crate::lre::Code::parse(number).unwrap());
    let row = &rows[2];
    assert_eq!((row.row, row.rut.to_string()), (4, "30686957-4".to_owned()));
    assert_eq!(row.value(code("5201")), Some(&Value::Amount(5_380_000)));
    assert_eq!(row.value(code("1104")), Some(&Value::Text("18".into())));
    assert_eq!(row.value(code("1115")), Some(&Value::Hundredths(1500)));
    let day = jiff::civil::date(2025, 10, 15);
    assert_eq!(row.value(code("1103")), Some(&Value::Date(day)));
    assert_eq!(rows[0].value(code("1103")), None);
}

#[test]
fn the_golden_book_as_a_workbook_gives_the_same_rows() {
    let from_csv = Read::of(Kind::LibroRemuneraciones, "a.csv", GOLDEN.as_bytes());
    for as_numbers in [false, true] {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet().set_name("Libro").unwrap();
        for (row, line) in (0..).zip(GOLDEN.lines()) {
            for (column, cell) in (0..).zip(line.split(';')) {
                match cell.parse::<u32>() {
                    Ok(number) if as_numbers => sheet.write(row, column, number).unwrap(),
                    Ok(_) | Err(_) => sheet.write(row, column, cell).unwrap(),
                };
            }
        }
        let bytes = book.save_to_buffer().unwrap();
        let from_book = Read::of(Kind::LibroRemuneraciones, "a.xlsx", &bytes);
        assert_eq!(from_book.shown(), [""; 0]);
        assert_eq!(from_book.report.format, Some(Format::Xlsx));
        let rows = from_book.rows.into_iter().map(|row| Registro {
            sheet: "".into(),
            ..row
        });
        assert_eq!(rows.collect::<Vec<_>>(), from_csv.rows);
    }
}

#[test]
fn days_of_a_workbook_are_read_in_both_calendars() {
    use super::books::{FINIQUITOS, sheet};
    for (flag, serial) in [("0", "45945"), ("1", "44483")] {
        let book = sheet("Hoja1", &[FINIQUITOS, &["12345678-5", serial, "4"]]);
        let property = format!("<workbookPr date1904=\"{flag}\"/>");
        let book = book.edit("xl/workbook.xml", "<workbookPr/>", &property);
        let read = Read::of(Kind::Finiquitos, "a.xlsx", &book.bytes());
        let day = read.rows[0].value(Field::Named("fecha_termino"));
        assert_eq!(day, Some(&Value::Date(jiff::civil::date(2025, 10, 15))));
    }
}
