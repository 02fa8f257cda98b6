//! Workbooks and CSVs made by hand, so that they can be wrong in every way.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::lre::columns::columns;

/// A CSV of these rows.
pub(crate) fn csv(rows: &[&[&str]]) -> Vec<u8> {
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&cells.join(";"));
        text.push_str("\r\n");
    }
    text.into_bytes()
}

fn quoted(cell: &str) -> String {
    if cell.contains([';', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// The book as a CSV: all its columns, a RUT and these cells.
pub(crate) fn libro(rows: &[&[(&str, &str)]]) -> Vec<u8> {
    let headers: Vec<&str> = columns().iter().map(|column| column.header).collect();
    let mut lines: Vec<Vec<&str>> = vec![headers];
    for row in rows {
        let line = columns().iter().map(|column| {
            let code = column.code.to_string();
            row.iter()
                .find(|(wanted, _)| *wanted == code)
                .map_or("", |(_, cell)| *cell)
        });
        lines.push(line.collect());
    }
    let lines: Vec<&[&str]> = lines.iter().map(Vec::as_slice).collect();
    csv(&lines)
}

/// A workbook's parts, by name.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    pub(crate) parts: Vec<(String, Vec<u8>)>,
    pub(crate) method: CompressionMethod,
}

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const DOCUMENT: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";

impl Book {
    /// A workbook of these sheets, each the XML of its rows.
    pub(crate) fn of(sheets: &[(&str, &str)]) -> Self {
        let mut names = String::new();
        let mut links = String::new();
        let mut parts = Vec::new();
        for (at, (name, rows)) in sheets.iter().enumerate() {
            let at = at + 1;
            let _ = write!(
                names,
                r#"<sheet name="{name}" sheetId="{at}" r:id="rId{at}"/>"#
            );
            let _ = write!(
                links,
                r#"<Relationship Id="rId{at}" Type="{DOCUMENT}/worksheet" Target="worksheets/sheet{at}.xml"/>"#
            );
            let xml = format!(
                r#"<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>"#
            );
            parts.push((format!("xl/worksheets/sheet{at}.xml"), xml));
        }
        parts.extend([
            (
                "xl/workbook.xml".to_owned(),
                format!(r#"<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}"><workbookPr/><sheets>{names}</sheets></workbook>"#),
            ),
            (
                "xl/_rels/workbook.xml.rels".to_owned(),
                format!(r#"<Relationships xmlns="{PACKAGE}/relationships">{links}<Relationship Id="rIdS" Type="{DOCUMENT}/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>"#),
            ),
            (
                "xl/sharedStrings.xml".to_owned(),
                format!(r#"<sst xmlns="{MAIN}"><si><t>shared</t></si><si><r><t xml:space="preserve">ri</t></r><r><t>ch &amp; m</t></r><rPh><t>no</t></rPh></si></sst>"#),
            ),
            ("xl/styles.xml".to_owned(), format!(r#"<styleSheet xmlns="{MAIN}"/>"#)),
            ("xl/theme/theme1.xml".to_owned(), "<theme/>".to_owned()),
            ("docProps/core.xml".to_owned(), "<core/>".to_owned()),
            (
                "_rels/.rels".to_owned(),
                format!(r#"<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#),
            ),
            (
                "[Content_Types].xml".to_owned(),
                format!(r#"<Types xmlns="{PACKAGE}/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#),
            ),
        ]);
        Self {
            parts: parts
                .into_iter()
                .map(|(name, xml)| (name, xml.into_bytes()))
                .collect(),
            method: CompressionMethod::Deflated,
        }
    }

    /// A part's bytes.
    pub(crate) fn part(&mut self, name: &str) -> &mut Vec<u8> {
        let at = self.parts.iter().position(|(known, _)| known == name);
        let at = at.unwrap_or_else(|| {
            self.parts.push((name.to_owned(), Vec::new()));
            self.parts.len() - 1
        });
        &mut self.parts[at].1
    }

    /// Changes the text of a part.
    pub(crate) fn edit(mut self, name: &str, from: &str, to: &str) -> Self {
        let part = self.part(name);
        let text = String::from_utf8(part.clone()).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        *part = text.replace(from, to).into_bytes();
        self
    }

    /// Replaces or adds a part.
    pub(crate) fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        *self.part(name) = bytes.into();
        self
    }

    /// Takes a part away.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.parts.retain(|(known, _)| known != name);
        self
    }

    /// Without compression, where the size must not give the file away.
    pub(crate) fn stored(mut self) -> Self {
        self.method = CompressionMethod::Stored;
        self
    }

    /// The file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let options = SimpleFileOptions::default().compression_method(self.method);
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in &self.parts {
            zip.start_file(name.as_str(), options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }
}

/// A cell's XML by its look: a number, a formula `=f|value`, an error `#REF!`, else a text. `None` is no cell.
pub(crate) fn cell(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    if let Some((formula, value)) = escaped.strip_prefix('=').and_then(|f| f.split_once('|')) {
        return format!("<c><f>{formula}</f><v>{value}</v></c>");
    }
    if text.starts_with('#') {
        return format!(r#"<c t="e"><v>{escaped}</v></c>"#);
    }
    if text.is_empty() {
        return "<c/>".to_owned();
    }
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return format!("<c><v>{text}</v></c>");
    }
    format!(r#"<c t="inlineStr"><is><t>{escaped}</t></is></c>"#)
}

/// The XML of rows.
pub(crate) fn rows(rows: &[&[&str]]) -> String {
    rows.iter()
        .map(|row| {
            let cells: String = row.iter().map(|text| cell(text)).collect();
            format!("<row>{cells}</row>")
        })
        .collect()
}

/// A workbook of one sheet.
pub(crate) fn sheet(name: &str, cells: &[&[&str]]) -> Book {
    Book::of(&[(name, &rows(cells))])
}

pub(crate) const FINIQUITOS: &[&str] = &[
    "rut",
    "fecha_termino",
    "causal_termino",
    "total_finiquito",
    "observacion",
];

/// A row of finiquitos without a fault.
pub(crate) const FINIQUITO: &[&str] = &["12345678-5", "15/10/2025", "4", "1000", "ok"];

/// The smallest workbook of finiquitos without a fault.
pub(crate) fn finiquitos() -> Book {
    sheet("Hoja1", &[FINIQUITOS, FINIQUITO])
}
