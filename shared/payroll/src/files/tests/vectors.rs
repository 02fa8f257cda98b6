//! Every row of the contract's table of cells, read from files.

use super::Read;
use super::books::{Book, FINIQUITOS, csv, libro, rows};
use crate::kind::Kind;
use crate::lre::Code;
use crate::registro::{Field, Value};

const VECTORS: &str = include_str!("../../../data/payroll_cell_vectors.csv");

/// What a cell was read as: the value, `empty`, or the rule that it breaks.
fn outcome(read: &Read, field: Field) -> String {
    let errors = read
        .report
        .findings
        .iter()
        .find(|f| f.level == super::Level::Error);
    if let Some(finding) = errors {
        return finding.rule.to_string();
    }
    match read.rows[0].value(field) {
        None => "empty".to_owned(),
        Some(Value::Amount(amount)) => amount.to_string(),
        Some(Value::Hundredths(number)) => {
            let text = format!("{}.{:02}", number / 100, number % 100);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Some(Value::Date(date)) => date.to_string(),
        Some(Value::Rut(rut)) => rut.to_string(),
        Some(Value::Text(text)) => text.to_string(),
    }
}

/// A file whose second row has this cell in this column.
fn file(
    format: &str,
    headers: &[&str],
    filled: &[&str],
    at: usize,
    input: &str,
) -> (String, Vec<u8>) {
    if format == "csv" {
        let mut row = filled.to_vec();
        row[at] = input;
        return ("a.csv".to_owned(), csv(&[headers, &row]));
    }
    let cells: String = filled
        .iter()
        .enumerate()
        .map(|(column, text)| {
            if column != at {
                super::books::cell(text)
            } else if format.starts_with("xlsx number") {
                format!("<c><v>{input}</v></c>")
            } else {
                format!(r#"<c t="str"><v>{input}</v></c>"#)
            }
        })
        .collect();
    let book = Book::of(&[("Hoja1", &format!("{}<row>{cells}</row>", rows(&[headers])))]);
    let book = if format.contains("1904") {
        book.edit(
            "xl/workbook.xml",
            "<workbookPr/>",
            r#"<workbookPr date1904="1"/>"#,
        )
    } else {
        book
    };
    ("a.xlsx".to_owned(), book.bytes())
}

fn named(
    kind: Kind,
    format: &str,
    headers: &[&str],
    filled: &[&str],
    name: &'static str,
    input: &str,
) -> String {
    let at = headers.iter().position(|header| *header == name).unwrap();
    let (file_name, bytes) = file(format, headers, filled, at, input);
    outcome(&Read::of(kind, &file_name, &bytes), Field::Named(name))
}

fn in_libro(code: &str, input: &str) -> String {
    let bytes = libro(&[&[("1101", "12345678-5"), (code, input)]]);
    let read = Read::of(Kind::LibroRemuneraciones, "a.csv", &bytes);
    outcome(&read, Field::Lre(Code::parse(code).unwrap()))
}

fn finiquito(format: &str, name: &'static str, input: &str) -> String {
    let filled = ["12345678-5", "15/10/2025", "4", "1000", "ok"];
    named(Kind::Finiquitos, format, FINIQUITOS, &filled, name, input)
}

fn incidencia(format: &str, name: &'static str, input: &str) -> String {
    let headers = ["rut", "concepto", "monto", "cantidad", "glosa"];
    let filled = ["12345678-5", "2101", "", "", "porque"];
    named(
        Kind::IncidenciasExternas,
        format,
        &headers,
        &filled,
        name,
        input,
    )
}

#[test]
fn every_cell_of_the_contract_reads_as_it_says() {
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(b';')
        .flexible(true)
        .from_reader(VECTORS.as_bytes());
    let mut tried = 0;
    for record in reader.records() {
        let record = record.unwrap();
        let (kind, format, input, result) = (&record[0], &record[1], &record[2], &record[3]);
        let shown = format!("{kind} {format} {input:?}");
        match kind {
            "rut" => assert_eq!(finiquito(format, "rut", input), result, "{shown}"),
            "fecha" => assert_eq!(finiquito(format, "fecha_termino", input), result, "{shown}"),
            "decimal" => assert_eq!(incidencia(format, "cantidad", input), result, "{shown}"),
            "entero" => assert_eq!(in_libro("1117", input), result, "{shown}"),
            "monto" => {
                let (signed, unsigned) = match result.split_once(' ') {
                    Some((number, _)) => (number, "monto_invalido"),
                    None => (result, result),
                };
                assert_eq!(
                    finiquito(format, "total_finiquito", input),
                    unsigned,
                    "{shown}"
                );
                assert_eq!(incidencia(format, "monto", input), signed, "{shown}");
                if format == "csv" {
                    assert_eq!(in_libro("2101", input), signed, "{shown}");
                }
            }
            other => panic!("{other}"),
        }
        tried += 1;
    }
    assert_eq!(tried, VECTORS.lines().count() - 1);
}

#[test]
fn other_spellings_of_amounts() {
    for (input, result) in [
        ("600000.00", "600000"),
        ("600,000", "monto_invalido"),
        ("$-1.500", "-1500"),
        ("-$ 1.500", "-1500"),
        ("--5", "monto_invalido"),
        ("$", "monto_invalido"),
        ("1\u{a0}055\u{a0}815", "1055815"),
        ("1.055 815", "monto_invalido"),
        (".055", "monto_invalido"),
        ("1.055.", "monto_invalido"),
        ("000000000000001", "1"),
        ("٣", "monto_invalido"),
        ("-0", "0"),
    ] {
        assert_eq!(in_libro("2101", input), result, "{input}");
    }
}
