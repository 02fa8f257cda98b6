//! Incidences: what changed against the last finalised month.

use cierre_kernel::actor::Actor;
use cierre_kernel::id::CierreId;
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use super::Caller;
use super::discrepancia::{SUPERVISORS, WRITERS};
use super::events::PayrollEvent;
use super::life::{Life, Paso};
use super::refusal::ReviewRefusal;
use super::values::{JUSTIFICATION, sized};
use crate::rules::incidencias::IncidenciaHallada;
use crate::rules::merge::{EstadoIncidencia, Seen, State};

cierre_kernel::words! {
    /// How an analyst explains it.
    pub enum Resolucion {
        /// It is right as it is.
        Correcta = "correcta",
        /// It is put right next month.
        RegularizaProximoMes = "regulariza_proximo_mes",
        /// As the justification says.
        Otra = "otra",
    }
}

cierre_kernel::words! {
    /// What a supervisor says.
    pub enum Decision {
        /// Yes.
        Aprobada = "aprobada",
        /// No.
        Rechazada = "rechazada",
    }
}

cierre_kernel::words! {
    /// What people do with it.
    pub enum Accion {
        /// Explain it.
        Resolver = "resolver",
        /// Accept the explanation.
        Aprobar = "aprobar",
        /// Send it back.
        Rechazar = "rechazar",
    }
}

impl EstadoIncidencia {
    /// Whether somebody still has to do something.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Pendiente | Self::ResueltaAnalista | Self::RechazadaSupervisor => true,
            Self::AprobadaSupervisor | Self::Obsoleta => false,
        }
    }

    /// The state after what people did.
    ///
    /// # Errors
    /// [`ReviewRefusal::IncidenceState`].
    pub const fn acted(self, accion: Accion) -> Result<Self, ReviewRefusal> {
        match (self, accion) {
            (Self::Pendiente | Self::RechazadaSupervisor, Accion::Resolver) => {
                Ok(Self::ResueltaAnalista)
            }
            (Self::ResueltaAnalista, Accion::Aprobar) => Ok(Self::AprobadaSupervisor),
            (Self::ResueltaAnalista, Accion::Rechazar) => Ok(Self::RechazadaSupervisor),
            (
                Self::ResueltaAnalista | Self::AprobadaSupervisor | Self::Obsoleta,
                Accion::Resolver,
            )
            | (
                Self::Pendiente
                | Self::RechazadaSupervisor
                | Self::AprobadaSupervisor
                | Self::Obsoleta,
                Accion::Aprobar | Accion::Rechazar,
            ) => Err(ReviewRefusal::IncidenceState),
        }
    }
}

/// An incidence: what was found, where it stands, and what was said about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incidencia {
    /// The closing.
    pub cierre_id: CierreId,
    /// What was found.
    #[serde(flatten)]
    pub found: IncidenciaHallada,
    /// Where it stands.
    #[serde(flatten)]
    pub life: Life<EstadoIncidencia>,
    /// What was said about it.
    #[serde(flatten)]
    pub explicacion: Explicacion,
}

/// How an incidence was explained, and who said so. The values that it was found with are explained: with other ones nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explicacion {
    /// How it was explained.
    pub resolucion: Option<Resolucion>,
    /// In words.
    pub justificacion: Option<String>,
    /// Who explained it.
    pub analista: Option<Actor>,
    /// Who decided on the explanation.
    pub supervisor: Option<Actor>,
}

/// What somebody says about an incidence.
#[derive(Clone, Copy, Debug)]
pub enum Veredicto<'a> {
    /// An analyst explains it.
    Resolver {
        /// How, a word of [`Resolucion`].
        resolucion: &'a str,
        /// In words.
        justificacion: &'a str,
    },
    /// A supervisor accepts the explanation.
    Aprobar {
        /// With these words, if any.
        comentario: Option<&'a str>,
    },
    /// A supervisor sends it back.
    Rechazar {
        /// With these words.
        comentario: Option<&'a str>,
    },
}

impl Veredicto<'_> {
    /// What kind of thing is done.
    pub const fn accion(&self) -> Accion {
        match self {
            Self::Resolver { .. } => Accion::Resolver,
            Self::Aprobar { .. } => Accion::Aprobar,
            Self::Rechazar { .. } => Accion::Rechazar,
        }
    }
}

impl Incidencia {
    /// Found for the first time.
    pub fn new(found: IncidenciaHallada, cierre_id: CierreId, now: Instant) -> Self {
        Self {
            cierre_id,
            found,
            life: Life::begun(now),
            explicacion: Explicacion::default(),
        }
    }

    /// Found again. None when nothing about it changes. One that is pending by this has no explanation.
    #[must_use]
    pub fn found_again(&self, found: IncidenciaHallada, now: Instant) -> Option<Self> {
        let seen = Seen::again(&self.found.huella, &found.huella);
        let life = self.life.met(seen, found != self.found, now)?;
        let explicacion = if life.estado == EstadoIncidencia::NEW && life.estado != self.life.estado
        {
            Explicacion::default()
        } else {
            self.explicacion.clone()
        };
        Some(Self {
            cierre_id: self.cierre_id,
            found,
            life,
            explicacion,
        })
    }

    /// No longer found. None when it is obsolete already.
    #[must_use]
    pub fn missing(&self, now: Instant) -> Option<Self> {
        let life = self.life.met(Seen::Missing, false, now)?;
        Some(Self {
            life,
            ..self.clone()
        })
    }

    /// Does what somebody says; the counting of it is [`super::cierre::Cierre::decide`]'s.
    ///
    /// # Errors
    /// [`ReviewRefusal`].
    pub(super) fn decided(
        &self,
        veredicto: &Veredicto<'_>,
        caller: &Caller,
    ) -> Result<(Self, PayrollEvent), ReviewRefusal> {
        let accion = veredicto.accion();
        let estado = self.life.estado.acted(accion)?;
        match *veredicto {
            Veredicto::Resolver {
                resolucion,
                justificacion,
            } => self.resolved(estado, resolucion, justificacion, caller),
            Veredicto::Aprobar { comentario } => {
                let comentario = comentario.filter(|text| !text.trim().is_empty());
                self.judged(estado, Decision::Aprobada, comentario, caller)
            }
            Veredicto::Rechazar { comentario } => {
                let comentario = Some(comentario.unwrap_or_default());
                self.judged(estado, Decision::Rechazada, comentario, caller)
            }
        }
    }

    fn resolved(
        &self,
        estado: EstadoIncidencia,
        resolucion: &str,
        justificacion: &str,
        caller: &Caller,
    ) -> Result<(Self, PayrollEvent), ReviewRefusal> {
        if !caller.roles.any(WRITERS) {
            return Err(ReviewRefusal::WrongRole);
        }
        let resolucion = resolucion
            .parse()
            .map_err(|_| ReviewRefusal::ResolutionInvalid)?;
        let justificacion =
            sized(justificacion, &JUSTIFICATION).ok_or(ReviewRefusal::JustificationRequired)?;
        let mut next = self.stepped(estado, caller, None);
        next.explicacion = Explicacion {
            resolucion: Some(resolucion),
            justificacion: Some(justificacion.clone()),
            analista: Some(caller.stamp.by.clone()),
            supervisor: None,
        };
        let event = PayrollEvent::IncidenciaResuelta {
            id: self.found.id,
            tipo: self.found.tipo,
            resolucion,
            justificacion,
        };
        Ok((next, event))
    }

    fn judged(
        &self,
        estado: EstadoIncidencia,
        decision: Decision,
        comentario: Option<&str>,
        caller: &Caller,
    ) -> Result<(Self, PayrollEvent), ReviewRefusal> {
        if !caller.roles.any(SUPERVISORS) {
            return Err(ReviewRefusal::WrongRole);
        }
        let by = &caller.stamp.by;
        let own = self
            .explicacion
            .analista
            .as_ref()
            .is_none_or(|analyst| analyst.user_id == by.user_id);
        if own {
            return Err(ReviewRefusal::FourEyes);
        }
        let comentario = comentario
            .map(|text| sized(text, &JUSTIFICATION).ok_or(ReviewRefusal::CommentRequired))
            .transpose()?;
        let mut next = self.stepped(estado, caller, comentario.clone());
        next.explicacion.supervisor = Some(by.clone());
        let event = PayrollEvent::IncidenciaDecidida {
            id: self.found.id,
            tipo: self.found.tipo,
            resolucion: self.explicacion.resolucion,
            justificacion: self.explicacion.justificacion.clone(),
            decision,
            comentario,
        };
        Ok((next, event))
    }

    fn stepped(
        &self,
        estado: EstadoIncidencia,
        caller: &Caller,
        comentario: Option<String>,
    ) -> Self {
        let life = self.life.stepped(Paso {
            comentario,
            ..Paso::new(estado, caller.stamp.at, &caller.stamp.by)
        });
        Self {
            life,
            ..self.clone()
        }
    }
}
