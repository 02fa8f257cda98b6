//! Electronic invoices in UBL 2.1: bytes in, a factura to be registered or one located failure out.
//!
//! Nothing is fetched and nothing is expanded: a document type is refused where it begins, entities are the five of XML, depth and size have
//! limits, and an embedded document is opened one level deep.

mod encoding;
mod invoice;
mod walk;

#[cfg(test)]
mod tests;

use cierre_kernel::codes::{self, Code};

use crate::texto::cut;

pub use invoice::*;

/// Bytes of a file at most, 5 MiB.
pub const MAX_BYTES: u64 = 5 * 1024 * 1024;
/// Characters of a value that a failure repeats.
const VALOR: usize = 100;

/// Where something stands in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lugar {
    /// Line, from 1.
    pub linea: Option<u32>,
    /// Character in the line, from 1.
    pub columna: Option<u32>,
    /// The elements down to it, in the usual prefixes.
    pub ruta: Option<String>,
}

/// Why a document is no factura: the first thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Fallo {
    /// Why.
    pub code: Code,
    /// Why, for people.
    pub detail: String,
    /// Where.
    pub lugar: Option<Box<Lugar>>,
    /// What stands there, its first 100 characters.
    pub valor: Option<String>,
}

impl Fallo {
    /// A failure of the document as a whole.
    #[must_use]
    pub fn of(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            lugar: None,
            valor: None,
        }
    }

    /// A file that is not even read.
    #[must_use]
    pub fn too_large() -> Self {
        Self::of(
            codes::ARCHIVO_DEMASIADO_GRANDE,
            "The file has more than 5 MiB",
        )
    }

    fn at(mut self, lugar: Lugar) -> Self {
        self.lugar = Some(Box::new(lugar));
        self
    }

    fn showing(mut self, valor: &str) -> Self {
        self.valor = Some(cut(valor, VALOR).to_owned());
        self
    }
}

/// Reads an electronic invoice, alone or in an `AttachedDocument`.
///
/// # Errors
/// [`Fallo`].
pub fn leer(bytes: &[u8]) -> Result<Lectura, Fallo> {
    if u64::try_from(bytes.len()).map_or(true, |size| size > MAX_BYTES) {
        return Err(Fallo::too_large());
    }
    let text = encoding::decode(bytes)?;
    match invoice::read(&text, &walk::Origin::default())? {
        Documento::Factura(lectura) => Ok(*lectura),
        Documento::Adjunto(adjunto) => {
            let inner = adjunto
                .content
                .trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
            encoding::check_label(inner.as_bytes()).map_err(|fallo| adjunto.place(fallo))?;
            match invoice::read(inner, &adjunto.origin(inner))? {
                Documento::Factura(lectura) => Ok(*lectura),
                Documento::Adjunto(_) => Err(adjunto.place(Fallo::of(
                    codes::TIPO_DOCUMENTO_NO_ADMITIDO,
                    "The attached document holds another one instead of an Invoice",
                ))),
            }
        }
    }
}
