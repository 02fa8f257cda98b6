//! Who answers for a supplier's facturas. A change touches future facturas only.

use std::ops::RangeInclusive;

use cierre_kernel::codes;
use cierre_kernel::decision::Decision;
use cierre_kernel::event::ChainHead;
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use super::events::{Entry, PayablesEvent};
use super::refusal::Invalid;
use super::{Change, Stamp, applied, replayed};
use crate::nit::Nit;
use crate::persona::Usuario;
use crate::texto::sized;

const NOMBRE: RangeInclusive<usize> = 1..=200;

/// What an assignment says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encargo {
    /// Who answers.
    pub responsable: Usuario,
    /// What the supplier is called.
    pub nombre_proveedor: String,
}

/// The assignment of a NIT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asignacion {
    /// The supplier.
    pub nit: Nit,
    /// Who answers.
    pub responsable: Usuario,
    /// What the supplier is called.
    pub nombre_proveedor: String,
    /// False of one that is gone; its events stay, and the next one of the NIT goes on with its chain.
    pub vigente: bool,
    /// When it was last set.
    pub modificada_en: Instant,
    /// Counts the changes, from 1.
    pub version: u64,
    /// Its chain of events.
    pub head: ChainHead,
}

impl Encargo {
    /// Reads an assignment. `responsable` is the user who was looked up, or why they may not be named: [`crate::usuarios::nombrado`].
    ///
    /// # Errors
    /// [`Invalid`] with every wrong field.
    pub fn judge(
        responsable: Result<Usuario, Invalid>,
        nombre_proveedor: &str,
    ) -> Result<Self, Invalid> {
        let code = if nombre_proveedor.trim().is_empty() {
            codes::REQUIRED
        } else {
            codes::OUT_OF_RANGE
        };
        let nombre_proveedor = sized(nombre_proveedor, &NOMBRE).ok_or_else(|| {
            Invalid::field("/nombre_proveedor", code, "must have 1 to 200 characters")
        });
        match (responsable, nombre_proveedor) {
            (Ok(responsable), Ok(nombre_proveedor)) => Ok(Self {
                responsable,
                nombre_proveedor,
            }),
            (responsable, nombre_proveedor) => {
                let wrong = [responsable.err(), nombre_proveedor.err()];
                let errors = wrong.into_iter().flatten().flat_map(|invalid| invalid.0);
                Err(Invalid(errors.collect()))
            }
        }
    }
}

impl Asignacion {
    /// What it says, unless it is gone.
    #[must_use]
    pub fn encargo(&self) -> Option<Encargo> {
        self.vigente.then(|| Encargo {
            responsable: self.responsable.clone(),
            nombre_proveedor: self.nombre_proveedor.clone(),
        })
    }

    /// Sets the assignment of a NIT. One that says the same already is a replay.
    pub fn put(
        before: Option<&Self>,
        nit: Nit,
        encargo: Encargo,
        stamp: &Stamp,
    ) -> Decision<Change<Self>> {
        let antes = before.and_then(Self::encargo);
        if let Some(before) = before
            && antes.as_ref() == Some(&encargo)
        {
            return replayed(before.clone());
        }
        let next = Self {
            nit,
            responsable: encargo.responsable.clone(),
            nombre_proveedor: encargo.nombre_proveedor.clone(),
            vigente: true,
            modificada_en: stamp.at,
            version: before.map_or(1, |before| before.version + 1),
            head: before.map_or_else(ChainHead::default, |before| before.head.clone()),
        };
        let event = PayablesEvent::Asignacion {
            nit,
            antes,
            despues: Some(encargo),
        };
        applied(next, vec![Entry::of(stamp, event)])
    }

    /// Takes it away. None where it is gone already.
    #[must_use]
    pub fn delete(&self, stamp: &Stamp) -> Option<Change<Self>> {
        let antes = self.encargo()?;
        let next = Self {
            vigente: false,
            modificada_en: stamp.at,
            version: self.version + 1,
            ..self.clone()
        };
        let event = PayablesEvent::Asignacion {
            nit: self.nit,
            antes: Some(antes),
            despues: None,
        };
        Some(Change::new(next, vec![Entry::of(stamp, event)]))
    }
}
