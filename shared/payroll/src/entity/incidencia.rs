//! Incidences: what changed against the last finalised month.

use cierre_kernel::actor::Actor;
use cierre_kernel::id::{ArchivoId, CierreId, IncidenciaId};
use serde::{Deserialize, Serialize};

use super::Caller;
use super::discrepancia::{Again, Paso, SUPERVISORS, WRITERS};
use super::events::PayrollEvent;
use super::refusal::ReviewRefusal;
use super::values::{JUSTIFICATION, Percent, Pesos, rut_text, sized, words};
use crate::rut::Rut;

words! {
    /// The kinds of incidences.
    TipoIncidencia {
        /// An amount changed by more than the threshold.
        VariacionConcepto "variacion_concepto",
        /// An amount where there was none.
        ConceptoNuevo "concepto_nuevo",
        /// An employee whom the last month did not know.
        EmpleadoNuevo "empleado_nuevo",
        /// An employee whom this month does not know.
        EmpleadoAusente "empleado_ausente",
    }
}

words! {
    /// How much it matters.
    Prioridad {
        /// It stops the closing until it is approved.
        Critica "critica",
        /// Much.
        Alta "alta",
        /// Some.
        Media "media",
        /// Little.
        Baja "baja",
    }
}

words! {
    /// The state of an incidence.
    EstadoIncidencia {
        /// Nobody has explained it.
        Pendiente "pendiente",
        /// An analyst explained it.
        ResueltaAnalista "resuelta_analista",
        /// A supervisor accepted the explanation.
        AprobadaSupervisor "aprobada_supervisor",
        /// A supervisor did not.
        RechazadaSupervisor "rechazada_supervisor",
        /// It is no longer found.
        Obsoleta "obsoleta",
    }
}

words! {
    /// How an analyst explains it.
    Resolucion {
        /// It is right as it is.
        Correcta "correcta",
        /// It is put right next month.
        RegularizaProximoMes "regulariza_proximo_mes",
        /// As the justification says.
        Otra "otra",
    }
}

words! {
    /// What a supervisor says.
    Decision {
        /// Yes.
        Aprobada "aprobada",
        /// No.
        Rechazada "rechazada",
    }
}

words! {
    /// What people do with it.
    Accion {
        /// Explain it.
        Resolver "resolver",
        /// Accept the explanation.
        Aprobar "aprobar",
        /// Send it back.
        Rechazar "rechazar",
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

    /// The state after a new generation.
    #[must_use]
    pub const fn after(self, again: Again) -> Self {
        match (self, again) {
            (
                Self::Pendiente
                | Self::ResueltaAnalista
                | Self::RechazadaSupervisor
                | Self::AprobadaSupervisor,
                Again::Same,
            ) => self,
            (
                Self::Pendiente
                | Self::ResueltaAnalista
                | Self::RechazadaSupervisor
                | Self::AprobadaSupervisor,
                Again::Other,
            )
            | (Self::Obsoleta, Again::Same | Again::Other) => Self::Pendiente,
            (
                Self::Pendiente
                | Self::ResueltaAnalista
                | Self::RechazadaSupervisor
                | Self::AprobadaSupervisor
                | Self::Obsoleta,
                Again::Gone,
            ) => Self::Obsoleta,
        }
    }
}

/// The row of incidencias_externas that announced it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Respaldo {
    /// The file.
    pub archivo_id: ArchivoId,
    /// The row.
    pub fila: u32,
    /// What it says.
    pub glosa: String,
}

/// An incidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incidencia {
    /// Its id, the same whenever it is found.
    pub id: IncidenciaId,
    /// The closing.
    pub cierre_id: CierreId,
    /// What kind it is.
    pub tipo: TipoIncidencia,
    /// Whose it is.
    #[serde(with = "rut_text")]
    pub rut: Rut,
    /// The code of the book; none when it is about the employee as such.
    pub codigo: Option<String>,
    /// The amount before.
    pub anterior: Option<Pesos>,
    /// The amount now.
    pub actual: Option<Pesos>,
    /// By how much they differ, without sign.
    pub diferencia: Pesos,
    /// By how much in percent of before; none where there was nothing.
    pub variacion: Option<Percent>,
    /// How much it matters.
    pub prioridad: Prioridad,
    /// Where it stands.
    pub estado: EstadoIncidencia,
    /// How it was explained.
    pub resolucion: Option<Resolucion>,
    /// In words.
    pub justificacion: Option<String>,
    /// Who explained it.
    pub analista: Option<Actor>,
    /// Who decided on the explanation.
    pub supervisor: Option<Actor>,
    /// The row that announced it.
    pub respaldo: Option<Respaldo>,
    /// Digest of the compared values.
    pub huella: String,
    /// Its steps.
    pub historial: Vec<Paso<EstadoIncidencia>>,
    /// Counts the changes, from 1.
    pub version: u64,
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
        let estado = self.estado.acted(accion)?;
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
        let resolucion = Resolucion::parse(resolucion).ok_or(ReviewRefusal::ResolutionInvalid)?;
        let justificacion =
            sized(justificacion, &JUSTIFICATION).ok_or(ReviewRefusal::JustificationRequired)?;
        let mut next = self.stepped(estado, caller, None);
        next.resolucion = Some(resolucion);
        next.justificacion = Some(justificacion.clone());
        next.analista = Some(caller.stamp.by.clone());
        next.supervisor = None;
        let event = PayrollEvent::IncidenciaResuelta {
            id: self.id,
            tipo: self.tipo,
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
        next.supervisor = Some(by.clone());
        let event = PayrollEvent::IncidenciaDecidida {
            id: self.id,
            tipo: self.tipo,
            resolucion: self.resolucion,
            justificacion: self.justificacion.clone(),
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
        let mut next = self.clone();
        next.estado = estado;
        next.version += 1;
        next.historial.push(Paso {
            comentario,
            ..Paso::new(estado, caller.stamp.at, &*caller.stamp.by.user)
        });
        next
    }
}
