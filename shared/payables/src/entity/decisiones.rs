//! One decision on many facturas.

use std::collections::BTreeSet;

use cierre_kernel::codes;
use cierre_kernel::id::FacturaId;
use cierre_kernel::problem::{FieldError, Problem};

use super::factura::Voto;
use super::refusal::{FacturaRefusal, Invalid};
use super::trabajo::Outcome;
use super::workflow::Accion;

/// Items of one request at most.
pub const MAX_ITEMS: usize = 500;

/// A request of so many items is neither empty nor too large.
///
/// # Errors
/// [`Invalid`] with `cantidad_invalida`.
pub fn judge_count(pointer: &str, count: usize) -> Result<(), Invalid> {
    if (1..=MAX_ITEMS).contains(&count) {
        Ok(())
    } else {
        let detail = "must be 1 to 500 items";
        Err(Invalid::field(pointer, codes::CANTIDAD_INVALIDA, detail))
    }
}

/// One decision on many facturas, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orden {
    /// What is decided.
    pub voto: Voto,
    /// On which facturas, in the order of the request. None stands for a text that is no id, which names no factura.
    pub ids: Vec<Option<FacturaId>>,
}

impl Orden {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Invalid`] with everything that is wrong.
    pub fn judge(accion: &str, ids: &[String], motivo: Option<&str>) -> Result<Self, Invalid> {
        let mut errors = Vec::new();
        let voto = match accion.parse() {
            Ok(Accion::Aprobar) => Voto::aprobar(None).map(Some),
            Ok(Accion::Rechazar) => Voto::rechazar(motivo.unwrap_or_default(), None).map(Some),
            Ok(Accion::AprobarAuto) | Err(_) => {
                let detail = "is not one of aprobar, rechazar";
                let code = codes::VALOR_NO_ADMITIDO;
                Err(Invalid::field("/accion", code, detail))
            }
        };
        let voto = voto.unwrap_or_else(|Invalid(wrong)| {
            errors.extend(wrong);
            None
        });
        if let Err(Invalid(wrong)) = judge_count("/ids", ids.len()) {
            errors.extend(wrong);
        } else {
            let mut seen = BTreeSet::new();
            for (index, id) in ids.iter().enumerate() {
                if !seen.insert(id.as_str()) {
                    let pointer = format!("/ids/{index}");
                    let detail = "is repeated";
                    errors.push(FieldError::new(pointer, codes::ID_REPETIDO, detail));
                }
            }
        }
        match voto {
            Some(voto) if errors.is_empty() => Ok(Self {
                voto,
                ids: ids.iter().map(|id| id.parse().ok()).collect(),
            }),
            Some(_) | None => Err(Invalid(errors)),
        }
    }
}

/// The outcome of an item that a factura's state or the rules of intake refuse.
#[must_use]
pub fn refused(
    indice: u32,
    id: Option<FacturaId>,
    refusal: FacturaRefusal,
    dry_run: bool,
) -> Outcome {
    let code = refusal.code();
    Outcome::refused(indice, id, code, Problem::from(refusal), dry_run)
}
