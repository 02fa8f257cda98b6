//! What kind of file the bytes are, before anything reads them as one.

use std::io::{BufReader, Read, Seek};

use super::finding::Rule;
use super::report::Format;
use super::survey::Surveyed;
use super::{Reading, Stop, csv, workbook};
use crate::kind::Kind;

/// How every compound file begins: old documents, and new ones under a password.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
const ZIP: &[u8] = b"PK\x03\x04";
/// How files begin that are not text, whatever they are called.
const NOT_TEXT: [&[u8]; 9] = [
    ZIP,
    b"PK\x05\x06",
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!",
];

/// Reads a file by what its name promises and its bytes keep.
pub(super) fn read<R: Read + Seek>(
    reading: &mut Reading<'_>,
    surveyed: &Surveyed,
    mut input: R,
) -> Result<(), Stop> {
    let refused = |reason: &'static str| Err(Stop::refused(Rule::FormatoNoSoportado, reason));
    let name = reading.request.name.to_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let head = surveyed.head.as_slice();
    match extension {
        "xlsx" | "csv" | "txt" => {}
        "xls" | "xlsm" | "xlsb" | "ods" => return refused("a workbook of this kind is not read"),
        _ => return refused("a file of this extension is not read"),
    }
    if head.starts_with(COMPOUND) {
        return Err(compound(&mut input));
    }
    if extension == "xlsx" {
        if !head.starts_with(ZIP) {
            return refused("is not a workbook");
        }
        reading.format = Some(Format::Xlsx);
        return workbook::read(reading, surveyed, input);
    }
    if reading.request.kind == Kind::MovimientosMes {
        return refused("movimientos_mes is a workbook of three sheets");
    }
    if NOT_TEXT.iter().any(|begin| head.starts_with(begin)) {
        return refused("is no text");
    }
    reading.format = Some(Format::Csv);
    csv::read(reading, surveyed, input)
}

/// A compound file is a workbook under a password if it has a stream of that name, else an old document.
fn compound<R: Read + Seek>(input: &mut R) -> Stop {
    let encrypted = match holds_encrypted_package(input) {
        Ok(encrypted) => encrypted,
        Err(error) => return Stop::Io(error),
    };
    if encrypted {
        Stop::refused(
            Rule::ArchivoCifrado,
            "the workbook is protected by a password",
        )
    } else {
        Stop::refused(
            Rule::FormatoNoSoportado,
            "is an old document (.xls and the like)",
        )
    }
}

fn holds_encrypted_package<R: Read + Seek>(input: &mut R) -> std::io::Result<bool> {
    let name: Vec<u8> = "EncryptedPackage"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    input.rewind()?;
    // Names stand in entries of 128 bytes each, in sectors of 512 or 4096 bytes.
    let mut entry = [0; 128];
    let mut input = BufReader::with_capacity(64 * 1024, input);
    loop {
        match input.read_exact(&mut entry) {
            Ok(()) if entry.starts_with(&name) => return Ok(true),
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}
