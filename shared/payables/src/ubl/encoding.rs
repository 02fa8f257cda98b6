//! Bytes as text: UTF-8 or ISO-8859-1, as the document declares.

use std::borrow::Cow;

use cierre_kernel::codes;

use super::walk::Position;
use super::{Fallo, Lugar};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What a document may be written in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Latin1,
}

fn refused(detail: &str) -> Fallo {
    Fallo::of(codes::CODIFICACION_NO_ADMITIDA, detail)
}

/// The text of a document.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Fallo> {
    let (marked, bytes) = match bytes.strip_prefix(BOM) {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    // Markup is ASCII: a zero at the beginning, or the mark of UTF-16, is an encoding of wider units.
    let wide = bytes.iter().take(4).any(|byte| *byte == 0)
        || bytes.starts_with(b"\xfe\xff")
        || bytes.starts_with(b"\xff\xfe");
    if wide {
        return Err(refused("The file is neither UTF-8 nor ISO-8859-1"));
    }
    match check_label(bytes)? {
        Some(Encoding::Latin1) if marked => {
            Err(refused("The file begins as UTF-8 and declares ISO-8859-1"))
        }
        Some(Encoding::Latin1) => Ok(bytes.iter().copied().map(char::from).collect()),
        Some(Encoding::Utf8) | None => {
            std::str::from_utf8(bytes)
                .map(Cow::Borrowed)
                .map_err(|error| {
                    let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                    let valid = String::from_utf8_lossy(valid);
                    let position = Position::of(&valid, valid.len());
                    refused("The file is not UTF-8, and declares nothing else").at(Lugar {
                        linea: Some(position.line),
                        columna: Some(position.column),
                        ruta: None,
                    })
                })
        }
    }
}

/// The encoding that a document declares.
pub(super) fn check_label(bytes: &[u8]) -> Result<Option<Encoding>, Fallo> {
    let Some(label) = label(bytes) else {
        return Ok(None);
    };
    if label.eq_ignore_ascii_case("utf-8") || label.eq_ignore_ascii_case("us-ascii") {
        Ok(Some(Encoding::Utf8))
    } else if label.eq_ignore_ascii_case("iso-8859-1") {
        Ok(Some(Encoding::Latin1))
    } else {
        let lugar = Lugar {
            linea: Some(1),
            columna: Some(1),
            ruta: None,
        };
        let fallo = refused("The file declares an encoding other than UTF-8 and ISO-8859-1");
        Err(fallo.at(lugar).showing(&label))
    }
}

/// The label in `<?xml … encoding="…"?>`. What is wrong with the declaration otherwise is told when it is read.
fn label(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..bytes.len().min(512))?;
    let head: String = head.iter().copied().map(char::from).collect();
    let (declaration, _) = head.strip_prefix("<?xml")?.split_once("?>")?;
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (label, _) = rest.get(1..)?.split_once(quote)?;
    Some(label.to_owned())
}
