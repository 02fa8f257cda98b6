//! The rounds of approval of a factura: one row per round, never overwritten by a later one.

use std::fmt;

use cierre_kernel::id::FacturaId;
use cierre_kernel::time::{Date, Instant};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::persona::Persona;
use crate::rules::comparacion::Comparacion;

/// Rounds that a factura may have.
pub const MAX_ROUNDS: u32 = 50;

/// Where a round stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EstadoWorkflow {
    /// Nobody decided yet.
    Recibida,
    /// Some of the required approvals are given.
    EnRevision,
    /// People approved it.
    AprobadaManual,
    /// It was approved by rule.
    AprobadaAuto,
    /// Somebody rejected it.
    Rechazada,
    /// What an imported row said that is none of these.
    Otro(String),
}

impl EstadoWorkflow {
    /// The word in storage and in answers.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Recibida => "recibida",
            Self::EnRevision => "en_revision",
            Self::AprobadaManual => "aprobada_manual",
            Self::AprobadaAuto => "aprobada_auto",
            Self::Rechazada => "rechazada",
            Self::Otro(word) => word,
        }
    }
}

impl From<String> for EstadoWorkflow {
    fn from(word: String) -> Self {
        let known = [
            Self::Recibida,
            Self::EnRevision,
            Self::AprobadaManual,
            Self::AprobadaAuto,
            Self::Rechazada,
        ];
        known
            .into_iter()
            .find(|estado| estado.as_str() == word)
            .unwrap_or(Self::Otro(word))
    }
}

impl fmt::Display for EstadoWorkflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for EstadoWorkflow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EstadoWorkflow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

cierre_kernel::words! {
    /// What a decision does.
    pub enum Accion {
        /// Approves.
        Aprobar = "aprobar",
        /// Rejects, which ends the round.
        Rechazar = "rechazar",
        /// Approves by rule.
        AprobarAuto = "aprobar_auto",
    }

    /// By which right somebody decides.
    pub enum Calidad {
        /// As the one who answers for the factura.
        Responsable = "responsable",
        /// By the role.
        Supervisor = "supervisor",
        /// By the role.
        Admin = "admin",
        /// In place of the responsable.
        Delegado = "delegado",
        /// By rule.
        Sistema = "sistema",
    }
}

/// A decision in a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What it does.
    pub accion: Accion,
    /// Who decided.
    pub por: Persona,
    /// By which right.
    pub calidad: Calidad,
    /// The responsable, of a decision in their place.
    pub a_nombre_de: Option<Persona>,
    /// When.
    pub fecha: Instant,
    /// What was said with it.
    pub comentario: Option<String>,
    /// It passed in spite of segregation of duties, because the policy lets it.
    pub sod_excepcion: bool,
}

impl Decision {
    /// Whoever stands behind it: the author, and the one represented.
    pub fn people(&self) -> impl Iterator<Item = &Persona> {
        std::iter::once(&self.por).chain(&self.a_nombre_de)
    }
}

/// What the policy said when a round began. Later versions do not touch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instantanea {
    /// The policy's version.
    pub version: u64,
    /// Approvals that the round needs.
    pub aprobaciones_requeridas: u32,
    /// Whether the registrar may decide.
    pub permitir_autoaprobacion: bool,
}

/// The days on which people were told that a round waits; once each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Avisos {
    /// Of the reminder.
    pub recordatorio: Option<Date>,
    /// Of the escalation.
    pub escalamiento: Option<Date>,
}

/// A round of approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    /// The factura.
    pub factura_id: FacturaId,
    /// From 1.
    pub ronda: u32,
    /// When it began.
    pub inicio: Instant,
    /// Where it stands.
    pub estado: EstadoWorkflow,
    /// What the policy said then.
    pub politica: Instantanea,
    /// What was decided, the first one first.
    pub decisiones: Vec<Decision>,
    /// Whether it ended approved.
    pub aprobada: bool,
    /// The last required approver.
    pub aprobada_por: Option<Persona>,
    /// When it was approved.
    pub fecha_aprobacion: Option<Instant>,
    /// Whether it ended rejected.
    pub rechazada: bool,
    /// Who rejected it.
    pub rechazada_por: Option<Persona>,
    /// When it was rejected.
    pub fecha_rechazo: Option<Instant>,
    /// Why it was rejected.
    pub detalle_rechazo: Option<String>,
    /// Who began it, of rounds after the first.
    pub reabierta_por: Option<Persona>,
    /// Why it began, of rounds after the first.
    pub motivo_reapertura: Option<String>,
    /// What automatic approval came to, in the first round.
    pub comparacion: Option<Comparacion>,
    /// When people were told that it waits.
    #[serde(default)]
    pub avisos: Avisos,
}

impl Workflow {
    /// A round in which nobody decided yet.
    #[must_use]
    pub const fn begun(
        factura_id: FacturaId,
        ronda: u32,
        inicio: Instant,
        politica: Instantanea,
    ) -> Self {
        Self {
            factura_id,
            ronda,
            inicio,
            estado: EstadoWorkflow::Recibida,
            politica,
            decisiones: Vec::new(),
            aprobada: false,
            aprobada_por: None,
            fecha_aprobacion: None,
            rechazada: false,
            rechazada_por: None,
            fecha_rechazo: None,
            detalle_rechazo: None,
            reabierta_por: None,
            motivo_reapertura: None,
            comparacion: None,
            avisos: Avisos {
                recordatorio: None,
                escalamiento: None,
            },
        }
    }

    /// Whether a decision is still to come.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self.estado {
            EstadoWorkflow::Recibida | EstadoWorkflow::EnRevision | EstadoWorkflow::Otro(_) => true,
            EstadoWorkflow::AprobadaManual
            | EstadoWorkflow::AprobadaAuto
            | EstadoWorkflow::Rechazada => false,
        }
    }

    /// The approvals of the round.
    pub fn approvals(&self) -> impl Iterator<Item = &Decision> {
        self.decisiones.iter().filter(|one| match one.accion {
            Accion::Aprobar | Accion::AprobarAuto => true,
            Accion::Rechazar => false,
        })
    }

    /// How many approvals it has of those that it needs, such as `1/2`.
    #[must_use]
    pub fn progress(&self) -> String {
        let given = self.approvals().count();
        format!("{given}/{}", self.politica.aprobaciones_requeridas)
    }

    /// Takes an approval. The last required one ends the round.
    pub(crate) fn approve(&mut self, decision: Decision) {
        let (por, fecha) = (decision.por.clone(), decision.fecha);
        self.decisiones.push(decision);
        let given = u32::try_from(self.approvals().count()).unwrap_or(u32::MAX);
        if given < self.politica.aprobaciones_requeridas {
            self.estado = EstadoWorkflow::EnRevision;
        } else {
            self.end_approved(EstadoWorkflow::AprobadaManual, por, fecha);
        }
    }

    /// Takes the approval by rule.
    pub(crate) fn approve_automatically(&mut self, por: Persona, fecha: Instant) {
        self.decisiones.push(Decision {
            accion: Accion::AprobarAuto,
            por: por.clone(),
            calidad: Calidad::Sistema,
            a_nombre_de: None,
            fecha,
            comentario: None,
            sod_excepcion: false,
        });
        self.end_approved(EstadoWorkflow::AprobadaAuto, por, fecha);
    }

    /// Takes the rejection, which ends the round.
    pub(crate) fn reject(&mut self, decision: Decision, motivo: String) {
        self.estado = EstadoWorkflow::Rechazada;
        self.rechazada = true;
        self.rechazada_por = Some(decision.por.clone());
        self.fecha_rechazo = Some(decision.fecha);
        self.detalle_rechazo = Some(motivo);
        self.decisiones.push(decision);
    }

    fn end_approved(&mut self, estado: EstadoWorkflow, por: Persona, fecha: Instant) {
        self.estado = estado;
        self.aprobada = true;
        self.aprobada_por = Some(por);
        self.fecha_aprobacion = Some(fecha);
    }
}
