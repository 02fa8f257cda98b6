//! What is asked of an upload before it begins.

use std::ops::RangeInclusive;

use cierre_kernel::codes::{self, Code};
use cierre_kernel::problem::FieldError;

use super::super::refusal::Invalid;
use crate::kind::Kind;

/// Bytes of a file at most: 50 MiB.
pub const MAX_BYTES: u64 = 52_428_800;
/// Characters of a file's name.
pub const NAME: RangeInclusive<usize> = 1..=200;
/// How long an upload's address holds.
pub const UPLOAD_SECONDS: i64 = 15 * 60;

cierre_kernel::words! {
    /// How a file is read.
    pub enum Formato {
        /// A workbook.
        Xlsx = "xlsx",
        /// Separated values.
        Csv = "csv",
    }
}

impl Formato {
    /// What a file's name says about it; none when it says nothing that is read.
    pub fn of(nombre: &str) -> Option<Self> {
        let (_, extension) = nombre.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "xlsx" => Some(Self::Xlsx),
            "csv" | "txt" => Some(Self::Csv),
            _ => None,
        }
    }

    /// Whether files of a kind may have this format.
    pub const fn suits(self, tipo: Kind) -> bool {
        match (tipo, self) {
            (Kind::MovimientosMes, Self::Csv) => false,
            (Kind::MovimientosMes, Self::Xlsx)
            | (
                Kind::LibroRemuneraciones
                | Kind::Finiquitos
                | Kind::Ausentismos
                | Kind::IncidenciasExternas
                | Kind::Ingresos
                | Kind::Novedades,
                Self::Csv | Self::Xlsx,
            ) => true,
        }
    }

    /// The media type that an upload declares.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv",
        }
    }
}

/// What somebody says about a file before uploading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUpload {
    /// What it holds.
    pub tipo: Kind,
    /// Its name.
    pub nombre: String,
    /// Its format, which the name says.
    pub formato: Formato,
    /// Its bytes.
    pub tamano: u64,
    /// SHA-256 of its bytes in lower-case hexadecimal digits, if declared.
    pub sha256: Option<String>,
}

impl NewUpload {
    /// Judges what was said, every field of it.
    ///
    /// # Errors
    /// [`Invalid`] with every wrong field.
    pub fn judge(
        tipo: &str,
        nombre: &str,
        tamano: u64,
        sha256: Option<&str>,
    ) -> Result<Self, Invalid> {
        let tipo = tipo.parse().map_err(|_| {
            let kinds = Kind::ALL.map(Kind::as_str).join(", ");
            wrong(
                "/tipo",
                codes::KIND_UNKNOWN,
                &format!("is not one of {kinds}"),
            )
        });
        let formato = judge_name(nombre, tipo.as_ref().ok().copied());
        let tamano = match tamano {
            0 => Err(wrong("/tamano", codes::FILE_EMPTY, "must be at least 1")),
            1..=MAX_BYTES => Ok(tamano),
            _ => Err(wrong(
                "/tamano",
                codes::FILE_TOO_LARGE,
                &format!("must be at most {MAX_BYTES}"),
            )),
        };
        let sha256 = sha256.map(judge_digest).transpose();
        match (tipo, formato, tamano, sha256) {
            (Ok(tipo), Ok(formato), Ok(tamano), Ok(sha256)) => Ok(Self {
                tipo,
                nombre: nombre.to_owned(),
                formato,
                tamano,
                sha256,
            }),
            (tipo, formato, tamano, sha256) => {
                let errors = [tipo.err(), formato.err(), tamano.err(), sha256.err()];
                Err(Invalid(errors.into_iter().flatten().collect()))
            }
        }
    }
}

fn wrong(pointer: &str, code: Code, detail: &str) -> FieldError {
    FieldError::new(pointer, code, detail)
}

fn judge_name(nombre: &str, tipo: Option<Kind>) -> Result<Formato, FieldError> {
    let formed = NAME.contains(&nombre.chars().count())
        && !nombre
            .chars()
            .any(|c| matches!(c, '/' | '\\') || c.is_control());
    if !formed {
        let detail = "must have 1 to 200 characters, no slash, backslash or control character";
        return Err(wrong("/nombre", codes::BAD_FILE_NAME, detail));
    }
    let formato = Formato::of(nombre).ok_or("must end in .xlsx, .csv or .txt");
    let formato = formato.and_then(|formato| match tipo {
        Some(tipo) if !formato.suits(tipo) => Err("must end in .xlsx for this kind"),
        Some(_) | None => Ok(formato),
    });
    formato.map_err(|detail| wrong("/nombre", codes::FORMAT_NOT_SUPPORTED, detail))
}

fn judge_digest(text: &str) -> Result<String, FieldError> {
    let digest = text.to_ascii_lowercase();
    let formed = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
    formed.then_some(digest).ok_or_else(|| {
        wrong(
            "/sha256",
            codes::INVALID_FORMAT,
            "must be 64 hexadecimal digits",
        )
    })
}
