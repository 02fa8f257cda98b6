//! S: what a factura says about its round. Nothing else writes these fields.

use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::entity::workflow::{EstadoWorkflow, Workflow};
use crate::persona::{AUTOMATIZACION, Persona};

cierre_kernel::words! {
    /// Where a factura stands.
    pub enum Estado {
        /// Nobody decided in this round.
        Pendiente = "pendiente",
        /// Some of the required approvals are given.
        EnRevision = "en_revision",
        /// People approved it.
        Aprobada = "aprobada",
        /// It was approved by rule.
        AprobadaAuto = "aprobada_auto",
        /// Somebody rejected it.
        Rechazada = "rechazada",
    }
}

impl Estado {
    /// Whether the round is at its end.
    #[must_use]
    pub const fn is_decided(self) -> bool {
        match self {
            Self::Pendiente | Self::EnRevision => false,
            Self::Aprobada | Self::AprobadaAuto | Self::Rechazada => true,
        }
    }
}

/// The fields of a factura that follow from its round.
///
/// They are private and made by [`Sincronizado::of`] alone, so that no command can write them past the round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sincronizado {
    estado: Estado,
    accion_por: Option<Persona>,
    fecha_accion: Option<Instant>,
    a_nombre_de: Option<Persona>,
    aprobado_por: Option<Persona>,
    fecha_aprobacion: Option<Instant>,
    rechazado_por: Option<Persona>,
    fecha_rechazo: Option<Instant>,
    motivo_rechazo: Option<String>,
}

impl Sincronizado {
    const fn empty(estado: Estado) -> Self {
        Self {
            estado,
            accion_por: None,
            fecha_accion: None,
            a_nombre_de: None,
            aprobado_por: None,
            fecha_aprobacion: None,
            rechazado_por: None,
            fecha_rechazo: None,
            motivo_rechazo: None,
        }
    }

    /// S(workflow → factura).
    #[must_use]
    pub fn of(workflow: &Workflow) -> Self {
        let last = workflow.decisiones.last();
        let represented = || last.and_then(|last| last.a_nombre_de.clone());
        match workflow.estado {
            EstadoWorkflow::Recibida => Self {
                accion_por: workflow.reabierta_por.clone(),
                fecha_accion: workflow.reabierta_por.as_ref().map(|_| workflow.inicio),
                ..Self::empty(Estado::Pendiente)
            },
            EstadoWorkflow::EnRevision => Self {
                accion_por: last.map(|last| last.por.clone()),
                fecha_accion: last.map(|last| last.fecha),
                a_nombre_de: represented(),
                ..Self::empty(Estado::EnRevision)
            },
            EstadoWorkflow::AprobadaManual => Self {
                accion_por: workflow.aprobada_por.clone(),
                fecha_accion: workflow.fecha_aprobacion,
                a_nombre_de: represented(),
                aprobado_por: workflow.aprobada_por.clone(),
                fecha_aprobacion: workflow.fecha_aprobacion,
                ..Self::empty(Estado::Aprobada)
            },
            EstadoWorkflow::AprobadaAuto => Self {
                accion_por: Some(Persona::sistema(AUTOMATIZACION)),
                fecha_accion: workflow.fecha_aprobacion,
                aprobado_por: workflow.aprobada_por.clone(),
                fecha_aprobacion: workflow.fecha_aprobacion,
                ..Self::empty(Estado::AprobadaAuto)
            },
            EstadoWorkflow::Rechazada => Self {
                accion_por: workflow.rechazada_por.clone(),
                fecha_accion: workflow.fecha_rechazo,
                a_nombre_de: represented(),
                rechazado_por: workflow.rechazada_por.clone(),
                fecha_rechazo: workflow.fecha_rechazo,
                motivo_rechazo: workflow.detalle_rechazo.clone(),
                ..Self::empty(Estado::Rechazada)
            },
            EstadoWorkflow::Otro(_) => Self::empty(Estado::Pendiente),
        }
    }

    /// What an imported round brings: S, but an automatic approval of which nobody knows the author stays without one, as it was.
    /// The consistency check finds it and a repair fills it.
    #[must_use]
    pub(crate) fn imported(workflow: &Workflow) -> Self {
        let mut fields = Self::of(workflow);
        if fields.estado == Estado::AprobadaAuto && workflow.aprobada_por.is_none() {
            fields.accion_por = None;
        }
        fields
    }

    /// Where the factura stands.
    #[must_use]
    pub const fn estado(&self) -> Estado {
        self.estado
    }

    /// Who made the last change of state, as stored.
    #[must_use]
    pub const fn accion_por(&self) -> Option<&Persona> {
        self.accion_por.as_ref()
    }

    /// Who made the last change of state, as answers show it: an imported automatic approval without an author reads as the system's.
    #[must_use]
    pub fn accion_por_shown(&self) -> Option<Persona> {
        match (self.estado, &self.accion_por) {
            (Estado::AprobadaAuto, None) => Some(Persona::sistema(AUTOMATIZACION)),
            (
                Estado::Pendiente
                | Estado::EnRevision
                | Estado::Aprobada
                | Estado::AprobadaAuto
                | Estado::Rechazada,
                stored,
            ) => stored.clone(),
        }
    }

    /// When that was.
    #[must_use]
    pub const fn fecha_accion(&self) -> Option<Instant> {
        self.fecha_accion
    }

    /// In whose place that was.
    #[must_use]
    pub const fn a_nombre_de(&self) -> Option<&Persona> {
        self.a_nombre_de.as_ref()
    }

    /// The last required approver.
    #[must_use]
    pub const fn aprobado_por(&self) -> Option<&Persona> {
        self.aprobado_por.as_ref()
    }

    /// When it was approved.
    #[must_use]
    pub const fn fecha_aprobacion(&self) -> Option<Instant> {
        self.fecha_aprobacion
    }

    /// Who rejected it.
    #[must_use]
    pub const fn rechazado_por(&self) -> Option<&Persona> {
        self.rechazado_por.as_ref()
    }

    /// When it was rejected.
    #[must_use]
    pub const fn fecha_rechazo(&self) -> Option<Instant> {
        self.fecha_rechazo
    }

    /// Why it was rejected.
    #[must_use]
    pub fn motivo_rechazo(&self) -> Option<&str> {
        self.motivo_rechazo.as_deref()
    }

    /// Every field by its name, as answers show it but as it is stored.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, Value); 13] {
        let name = |persona: &Option<Persona>| json!(persona.as_ref().map(|one| &one.nombre));
        let id =
            |persona: &Option<Persona>| json!(persona.as_ref().and_then(|one| one.id.as_ref()));
        [
            ("estado", json!(self.estado)),
            ("accion_por", name(&self.accion_por)),
            ("accion_por_id", id(&self.accion_por)),
            ("fecha_accion", json!(self.fecha_accion)),
            ("a_nombre_de", name(&self.a_nombre_de)),
            ("a_nombre_de_id", id(&self.a_nombre_de)),
            ("aprobado_por", name(&self.aprobado_por)),
            ("aprobado_por_id", id(&self.aprobado_por)),
            ("fecha_aprobacion", json!(self.fecha_aprobacion)),
            ("rechazado_por", name(&self.rechazado_por)),
            ("rechazado_por_id", id(&self.rechazado_por)),
            ("fecha_rechazo", json!(self.fecha_rechazo)),
            ("motivo_rechazo", json!(self.motivo_rechazo)),
        ]
    }
}
