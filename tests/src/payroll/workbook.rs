//! Workbooks, and workbooks whose parts were changed by hand.

use std::io::{Cursor, Read as _, Write as _};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// A sheet's name and its rows, the header first.
pub type Sheet<'a> = (&'a str, Vec<Vec<&'a str>>);

/// A workbook of texts: the same texts are the same bytes.
pub fn workbook(sheets: &[Sheet<'_>]) -> Vec<u8> {
    let mut book = Workbook::new();
    let made = ExcelDateTime::from_ymd(2025, 11, 3).unwrap();
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    for (name, rows) in sheets {
        let sheet = book.add_worksheet().set_name(*name).unwrap();
        for (row, cells) in (0..).zip(rows) {
            for (column, cell) in (0..).zip(cells) {
                sheet.write(row, column, *cell).unwrap();
            }
        }
    }
    book.save_to_buffer().unwrap()
}

/// movimientos_mes with these hires and leavers: RUT, `ALTA` or `BAJA`, date, cause.
pub fn movimientos(altas_bajas: &[[&str; 4]]) -> Vec<u8> {
    movimientos_with(altas_bajas, &[], &[])
}

/// movimientos_mes with these hires and leavers, absences (RUT, kind, from, to, days) and holidays (RUT, from, to, days).
pub fn movimientos_with<'a>(
    altas_bajas: &[[&'a str; 4]],
    ausentismos: &[[&'a str; 5]],
    vacaciones: &[[&'a str; 4]],
) -> Vec<u8> {
    let absences = ["rut", "tipo", "fecha_inicio", "fecha_fin", "dias"];
    workbook(&[
        (
            "altas_bajas",
            under(["rut", "tipo", "fecha", "causal_termino"], altas_bajas),
        ),
        ("ausentismos", under(absences, ausentismos)),
        (
            "vacaciones",
            under(
                ["rut", "fecha_inicio", "fecha_fin", "dias_habiles"],
                vacaciones,
            ),
        ),
    ])
}

fn under<'a, const N: usize>(header: [&'a str; N], rows: &[[&'a str; N]]) -> Vec<Vec<&'a str>> {
    std::iter::once(&header)
        .chain(rows)
        .map(|row| row.to_vec())
        .collect()
}

/// The workbook with its parts passed through a function, and further parts.
pub fn repacked(
    book: &[u8],
    edit: impl Fn(&str, Vec<u8>) -> Vec<u8>,
    further: &[(&str, Vec<u8>)],
) -> Vec<u8> {
    let mut read = ZipArchive::new(Cursor::new(book)).unwrap();
    let mut written = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for at in 0..read.len() {
        let mut entry = read.by_index(at).unwrap();
        let name = entry.name().to_owned();
        let mut part = Vec::new();
        entry.read_to_end(&mut part).unwrap();
        written.start_file(&name, options).unwrap();
        written.write_all(&edit(&name, part)).unwrap();
    }
    for (name, part) in further {
        written.start_file(*name, options).unwrap();
        written.write_all(part).unwrap();
    }
    written.finish().unwrap().into_inner()
}
