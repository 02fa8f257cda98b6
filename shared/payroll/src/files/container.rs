//! What kind of file the bytes are, before anything reads them as one.

use std::io::{Read, Seek};

use super::finding::Rule;
use super::report::Format;
use super::survey::Surveyed;
use super::{Reading, Stop, csv};
use crate::kind::Kind;

/// Reads a file by what its name promises and its bytes keep.
pub(super) fn read<R: Read + Seek>(
    reading: &mut Reading<'_>,
    surveyed: &Surveyed,
    input: R,
) -> Result<(), Stop> {
    let name = reading.request.name.to_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "csv" | "txt" => {
            if reading.request.kind == Kind::MovimientosMes {
                let reason = "movimientos_mes is a workbook of three sheets";
                return Err(Stop::refused(Rule::FormatoNoSoportado, reason));
            }
            reading.format = Some(Format::Csv);
            csv::read(reading, surveyed, input)
        }
        _ => Err(Stop::refused(
            Rule::FormatoNoSoportado,
            "a file of this extension is not read",
        )),
    }
}
