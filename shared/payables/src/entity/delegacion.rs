//! Somebody stands in for somebody else for some days. It passes on the right of a responsable, never that of a role, and not further.

use std::fmt;
use std::str::FromStr;

use cierre_kernel::codes;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::DelegacionId;
use cierre_kernel::problem::FieldError;
use cierre_kernel::role::{Role, Roles};
use cierre_kernel::time::{Date, Instant, parse_date};
use jiff::Unit;
use serde::{Deserialize, Serialize};

use super::events::{Entry, PayablesEvent};
use super::refusal::{DelegacionRefusal, Invalid};
use super::{Change, Stamp};
use crate::persona::Usuario;
use crate::texto::{MOTIVO, sized};

/// Days that a delegation may last, both ends included.
pub const MAX_DAYS: i32 = 366;
/// Delegations of a user that may be planned, or not long over, at once: what says where they are is one item.
const MAX_OTHERS: usize = 1000;
/// Who may act for somebody else.
pub const FOR_OTHERS: Roles = Roles::of(&[Role::Supervisor, Role::Admin]);

cierre_kernel::words! {
    /// Where a delegation stands.
    pub enum EstadoDelegacion {
        /// It begins later.
        Programada = "programada",
        /// It is in force.
        Vigente = "vigente",
        /// It has ended.
        Vencida = "vencida",
        /// Somebody took it back.
        Revocada = "revocada",
    }
}

/// A delegation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegacion {
    /// Its id.
    pub id: DelegacionId,
    /// Whose right it passes on.
    pub de: Usuario,
    /// To whom.
    pub a: Usuario,
    /// The first day.
    pub desde: Date,
    /// The last day.
    pub hasta: Date,
    /// Why.
    pub motivo: String,
    /// When it was taken back.
    pub revocada_en: Option<Instant>,
    /// Who gave it.
    pub creada_por: Usuario,
    /// When.
    pub creada_en: Instant,
    /// Counts the changes, from 1.
    pub version: u64,
    /// Its chain of events.
    pub head: ChainHead,
}

/// The days of an unrevoked delegation, both included; as text `2026-02-05/2026-02-09`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tramo {
    /// The first.
    pub desde: Date,
    /// The last.
    pub hasta: Date,
}

/// A text that is no [`Tramo`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not two days of the form <first>/<last>")]
pub struct NotATramo;

impl Tramo {
    /// Whether no delegation that is given on the day, or later, can reach back to it: with a day to spare, for a company may change its time zone.
    #[must_use]
    pub fn is_out_of_reach(&self, hoy: Date) -> bool {
        hoy.since((Unit::Day, self.hasta))
            .is_ok_and(|span| span.get_days() > MAX_DAYS)
    }
}

impl fmt::Display for Tramo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.desde, self.hasta)
    }
}

impl FromStr for Tramo {
    type Err = NotATramo;

    fn from_str(text: &str) -> Result<Self, NotATramo> {
        let (desde, hasta) = text.split_once('/').ok_or(NotATramo)?;
        Ok(Self {
            desde: parse_date(desde).map_err(|_| NotATramo)?,
            hasta: parse_date(hasta).map_err(|_| NotATramo)?,
        })
    }
}

/// A delegation to be given, its users looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegacionNueva {
    /// Whose right it passes on.
    pub de: Usuario,
    /// To whom.
    pub a: Usuario,
    /// The first day as written.
    pub desde: String,
    /// The last day as written.
    pub hasta: String,
    /// Why.
    pub motivo: String,
}

/// What a revocation does in a state.
///
/// # Errors
/// [`DelegacionRefusal::Terminada`], by the contract's table.
pub const fn revocable(estado: EstadoDelegacion) -> Result<(), DelegacionRefusal> {
    match estado {
        EstadoDelegacion::Programada | EstadoDelegacion::Vigente => Ok(()),
        EstadoDelegacion::Vencida | EstadoDelegacion::Revocada => Err(DelegacionRefusal::Terminada),
    }
}

impl Delegacion {
    /// Gives a delegation. `others` are the days of the same user's others that may be in its way: unrevoked, and not [`Tramo::is_out_of_reach`].
    /// That no other comes in between is for the caller, in the same transaction.
    ///
    /// # Errors
    /// [`DelegacionRefusal`].
    pub fn create(
        id: DelegacionId,
        nueva: DelegacionNueva,
        others: &[Tramo],
        roles: Roles,
        hoy: Date,
        stamp: &Stamp,
    ) -> Result<Change<Self>, DelegacionRefusal> {
        let (desde, hasta, motivo) = nueva.judge(hoy)?;
        may_act_for(&nueva.de, roles, stamp)?;
        let overlaps = |one: &Tramo| one.desde <= hasta && desde <= one.hasta;
        if others.iter().any(overlaps) {
            return Err(DelegacionRefusal::Solapada);
        }
        if others.len() >= MAX_OTHERS {
            let detail = "has 1000 delegations planned already";
            return Err(Invalid::field("/de", codes::TOO_MANY_ITEMS, detail).into());
        }
        let delegacion = Self {
            id,
            de: nueva.de,
            a: nueva.a,
            desde,
            hasta,
            motivo,
            revocada_en: None,
            creada_por: stamp.by.clone(),
            creada_en: stamp.at,
            version: 1,
            head: ChainHead::default(),
        };
        let created = delegacion.entry(stamp, false);
        Ok(Change::new(delegacion, vec![created]))
    }

    /// The days that it takes.
    #[must_use]
    pub const fn tramo(&self) -> Tramo {
        Tramo {
            desde: self.desde,
            hasta: self.hasta,
        }
    }

    /// Where it stands on a day.
    #[must_use]
    pub fn estado(&self, hoy: Date) -> EstadoDelegacion {
        if self.revocada_en.is_some() {
            EstadoDelegacion::Revocada
        } else if hoy < self.desde {
            EstadoDelegacion::Programada
        } else if hoy <= self.hasta {
            EstadoDelegacion::Vigente
        } else {
            EstadoDelegacion::Vencida
        }
    }

    /// Takes it back, at once.
    ///
    /// # Errors
    /// [`DelegacionRefusal`]: it is somebody else's, or over.
    pub fn revoke(
        &self,
        roles: Roles,
        hoy: Date,
        stamp: &Stamp,
    ) -> Result<Change<Self>, DelegacionRefusal> {
        may_act_for(&self.de, roles, stamp)?;
        revocable(self.estado(hoy))?;
        let next = Self {
            revocada_en: Some(stamp.at),
            version: self.version + 1,
            ..self.clone()
        };
        let revoked = next.entry(stamp, true);
        Ok(Change::new(next, vec![revoked]))
    }

    fn entry(&self, stamp: &Stamp, revocada: bool) -> Entry {
        let event = PayablesEvent::Delegacion {
            delegacion: Box::new(self.clone()),
            revocada,
        };
        Entry::of(stamp, event)
    }
}

/// Whether one of these passes on the right of `responsable` to `user` on the day.
#[must_use]
pub fn is_delegate(all: &[Delegacion], responsable: &Usuario, user: &Usuario, hoy: Date) -> bool {
    delegates(all, responsable, hoy).any(|one| one.id == user.id)
}

/// Those who stand in for a responsable on the day; at most one, since no two may overlap.
pub fn delegates<'a>(
    all: &'a [Delegacion],
    responsable: &Usuario,
    hoy: Date,
) -> impl Iterator<Item = &'a Usuario> {
    all.iter()
        .filter(move |one| {
            one.de.id == responsable.id && one.estado(hoy) == EstadoDelegacion::Vigente
        })
        .map(|one| &one.a)
}

fn may_act_for(de: &Usuario, roles: Roles, stamp: &Stamp) -> Result<(), DelegacionRefusal> {
    if de.id == stamp.by.id || roles.any(FOR_OTHERS) {
        Ok(())
    } else {
        Err(DelegacionRefusal::DeOtro)
    }
}

impl DelegacionNueva {
    fn judge(&self, hoy: Date) -> Result<(Date, Date, String), Invalid> {
        let mut errors = Vec::new();
        let mut wrong = |pointer: &str, code, detail: &str| {
            errors.push(FieldError::new(pointer, code, detail));
        };
        if self.de.id == self.a.id {
            wrong(
                "/a",
                codes::USUARIO_NO_VALIDO,
                "must be somebody else than de",
            );
        }
        let mut date = |pointer: &str, text: &str| {
            parse_date(text)
                .map_err(|error| wrong(pointer, codes::INVALID_DATE, &error.to_string()))
                .ok()
        };
        let (desde, hasta) = (date("/desde", &self.desde), date("/hasta", &self.hasta));
        if let (Some(desde), Some(hasta)) = (desde, hasta) {
            let days = desde
                .until((Unit::Day, hasta))
                .map_or(0, |span| span.get_days());
            if hasta < desde {
                wrong("/hasta", codes::FECHA_INVALIDA, "must not lie before desde");
            } else if hasta < hoy {
                wrong("/hasta", codes::FECHA_INVALIDA, "must not lie in the past");
            } else if days >= MAX_DAYS {
                wrong(
                    "/hasta",
                    codes::OUT_OF_RANGE,
                    "must lie at most 366 days from desde",
                );
            }
        }
        let motivo = sized(&self.motivo, &MOTIVO);
        if motivo.is_none() {
            let detail = "must have 3 to 1000 characters";
            wrong("/motivo", codes::MOTIVO_REQUERIDO, detail);
        }
        match (desde, hasta, motivo, errors.is_empty()) {
            (Some(desde), Some(hasta), Some(motivo), true) => Ok((desde, hasta, motivo)),
            (Some(_) | None, Some(_) | None, Some(_) | None, true | false) => Err(Invalid(errors)),
        }
    }
}
