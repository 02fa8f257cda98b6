//! Discrepancies: what two files say differently, or a book against itself.

use cierre_kernel::id::CierreId;
use cierre_kernel::role::{Role, Roles};
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use super::Caller;
use super::archivo::Archivo;
use super::life::{Life, Paso};
use super::refusal::ReviewRefusal;
use super::values::{JUSTIFICATION, sized};
use crate::rules::discrepancies::{DiscrepanciaHallada, Severidad};
use crate::rules::merge::{EstadoDiscrepancia, Seen};

/// Those who write payroll.
pub const WRITERS: Roles = Roles::of(&[Role::Payroll, Role::Admin]);
/// The second pair of eyes.
pub const SUPERVISORS: Roles = Roles::of(&[Role::Supervisor, Role::Admin]);

impl EstadoDiscrepancia {
    /// The state after a justification.
    ///
    /// # Errors
    /// [`ReviewRefusal::DiscrepancyClosed`] unless it is open.
    pub const fn corrected(self) -> Result<Self, ReviewRefusal> {
        match self {
            Self::Abierta => Ok(Self::Justificada),
            Self::Justificada | Self::Corregida => Err(ReviewRefusal::DiscrepancyClosed),
        }
    }
}

/// A discrepancy: what was found, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discrepancia {
    /// The closing.
    pub cierre_id: CierreId,
    /// What was found.
    #[serde(flatten)]
    pub found: DiscrepanciaHallada,
    /// Where it stands.
    #[serde(flatten)]
    pub life: Life<EstadoDiscrepancia>,
}

/// A justification.
#[derive(Clone, Copy, Debug)]
pub struct Correccion<'a> {
    /// Why it may stay.
    pub justificacion: &'a str,
}

impl Discrepancia {
    /// Found for the first time.
    pub fn new(found: DiscrepanciaHallada, cierre_id: CierreId, now: Instant) -> Self {
        Self {
            cierre_id,
            found,
            life: Life::begun(now),
        }
    }

    /// Found again. None when nothing about it changes.
    #[must_use]
    pub fn found_again(&self, found: DiscrepanciaHallada, now: Instant) -> Option<Self> {
        let seen = Seen::again(&self.found.huella, &found.huella);
        let life = self.life.met(seen, found != self.found, now)?;
        Some(Self {
            found,
            life,
            ..self.clone()
        })
    }

    /// No longer found. None when it is corrected already.
    #[must_use]
    pub fn missing(&self, now: Instant) -> Option<Self> {
        let life = self.life.met(Seen::Missing, false, now)?;
        Some(Self {
            life,
            ..self.clone()
        })
    }

    /// Justifies it; the reporting of it is [`super::cierre::Cierre::correct`]'s. Answers the justification without blanks around it.
    ///
    /// # Errors
    /// [`ReviewRefusal`]. A blocking one takes a supervisor who uploaded none of the located files; one whose uploader is not known counts
    /// as the caller's.
    pub(super) fn justified(
        &self,
        correccion: &Correccion<'_>,
        files: &[Archivo],
        caller: &Caller,
    ) -> Result<(Self, String), ReviewRefusal> {
        let estado = self.life.estado.corrected()?;
        let (roles, own) = match self.found.severidad {
            Severidad::Advertencia => (WRITERS, false),
            Severidad::Bloqueante => (SUPERVISORS, self.uploaded_by(caller, files)),
        };
        if !caller.roles.any(roles) {
            return Err(ReviewRefusal::WrongRole);
        }
        if own {
            return Err(ReviewRefusal::FourEyes);
        }
        let justificacion = sized(correccion.justificacion, &JUSTIFICATION)
            .ok_or(ReviewRefusal::JustificationRequired)?;
        let life = self.life.stepped(Paso {
            justificacion: Some(justificacion.clone()),
            ..Paso::new(estado, caller.stamp.at, &caller.stamp.by)
        });
        let next = Self {
            life,
            ..self.clone()
        };
        Ok((next, justificacion))
    }

    fn uploaded_by(&self, caller: &Caller, files: &[Archivo]) -> bool {
        let uploader = |id| files.iter().find(|file| file.id == id);
        self.found.ubicaciones.iter().any(|place| {
            uploader(place.archivo_id)
                .is_none_or(|file| file.subido_por.user_id == caller.stamp.by.user_id)
        })
    }
}
