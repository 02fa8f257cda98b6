//! Long work: batches, imports, bulk decisions, checks and repairs.

use cierre_kernel::codes::{self, Code};
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::decision::Decision;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::{FacturaId, TrabajoFacturasId};
use cierre_kernel::problem::{FieldError, Problem};
use cierre_kernel::role::Roles;
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use super::events::{Entry, PayablesEvent};
use super::{Change, Stamp, applied, replayed};
use crate::persona::Usuario;
use crate::rules::sincronizacion::Estado;

/// Attempts that a job has.
pub const MAX_ATTEMPTS: u32 = 3;

cierre_kernel::words! {
    /// What a job does.
    pub enum TipoTrabajo {
        /// Registers many facturas.
        Lote = "lote",
        /// Takes over facturas of before.
        Historico = "historico",
        /// Takes one decision on many facturas.
        Decisiones = "decisiones",
        /// Gives a supplier's unassigned facturas their responsable.
        AplicarAsignacion = "aplicar_asignacion",
        /// Compares every factura with its round.
        Consistencia = "consistencia",
        /// Repairs those that differ.
        Reparacion = "reparacion",
        /// Reminds and escalates.
        Recordatorios = "recordatorios",
    }

    /// The state of a job.
    pub enum EstadoTrabajo {
        /// It waits for a worker.
        EnCola = "EN_COLA",
        /// A worker is at it.
        EnProceso = "EN_PROCESO",
        /// Every item has its outcome.
        Completado = "COMPLETADO",
        /// Some item has none and gets none unless it is retried.
        Error = "ERROR",
    }

    /// What happens to a job.
    pub enum Paso {
        /// A worker takes it up, also from one that was lost.
        Tomar = "take",
        /// Every item has its outcome.
        Terminar = "finish",
        /// The last attempt failed.
        Fallar = "fail",
        /// Somebody wants another three attempts.
        Reintentar = "reintentar",
    }

    /// What became of an item.
    pub enum ResultadoItem {
        /// It was done.
        Aplicado = "aplicado",
        /// It was refused.
        NoAplicado = "no_aplicado",
        /// It would be done.
        Aplicaria = "aplicaria",
        /// It would be refused.
        NoAplicaria = "no_aplicaria",
    }
}

impl EstadoTrabajo {
    /// Whether nothing more happens to it unless somebody wants it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        match self {
            Self::EnCola | Self::EnProceso => false,
            Self::Completado | Self::Error => true,
        }
    }
}

/// Where a step leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sigue {
    /// Into this state.
    Estado(EstadoTrabajo),
    /// Nowhere: it is at its end.
    Nada,
}

/// Why a step does not follow from a job's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrabajoRefusal {
    /// Only a job in `ERROR` is retried.
    #[error("Only a trabajo in ERROR can be retried")]
    NoReintentable,
    /// Nobody has taken it up.
    #[error("The step does not follow from the trabajo's state")]
    FueraDeLugar,
    /// Some item has no outcome yet.
    #[error("Some items have no outcome yet")]
    Incompleto,
}

impl TrabajoRefusal {
    /// The code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::NoReintentable => codes::TRABAJO_NO_REINTENTABLE,
            Self::FueraDeLugar | Self::Incompleto => codes::CONCURRENT_CHANGE,
        }
    }
}

impl From<TrabajoRefusal> for Problem {
    fn from(refusal: TrabajoRefusal) -> Self {
        Self::new(refusal.code()).detail(refusal.to_string())
    }
}

/// What a step does in a state.
///
/// # Errors
/// [`TrabajoRefusal`], by the contract's table.
pub const fn allowed(estado: EstadoTrabajo, paso: Paso) -> Result<Sigue, TrabajoRefusal> {
    use EstadoTrabajo::{Completado, EnCola, EnProceso, Error};
    use Paso::{Fallar, Reintentar, Terminar, Tomar};
    match (estado, paso) {
        (EnCola | EnProceso, Tomar) => Ok(Sigue::Estado(EnProceso)),
        (EnCola, Terminar) => Err(TrabajoRefusal::FueraDeLugar),
        (EnProceso, Terminar) => Ok(Sigue::Estado(Completado)),
        (EnCola | EnProceso, Fallar) => Ok(Sigue::Estado(Error)),
        (EnCola | EnProceso | Completado, Reintentar) => Err(TrabajoRefusal::NoReintentable),
        (Error, Reintentar) => Ok(Sigue::Estado(EnCola)),
        (Completado | Error, Tomar | Terminar | Fallar) => Ok(Sigue::Nada),
    }
}

/// Who gave a command that is applied later, with what they might do then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandante {
    /// Who.
    pub usuario: Usuario,
    /// Their roles at acceptance.
    pub roles: Roles,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trabajo {
    /// Its id.
    pub id: TrabajoFacturasId,
    /// What it does.
    pub tipo: TipoTrabajo,
    /// Where it stands.
    pub estado: EstadoTrabajo,
    /// Items; of a job over all facturas, those found so far.
    pub total: u64,
    /// Items with an outcome.
    pub procesados: u64,
    /// Of these, those done.
    pub aplicados: u64,
    /// Of these, those refused.
    pub no_aplicados: u64,
    /// It only says what it would do.
    pub dry_run: bool,
    /// Attempts begun since it was queued.
    pub intentos: u32,
    /// Why it failed and what to do.
    pub error: Option<String>,
    /// Who asked for it.
    pub creado_por: Mandante,
    /// When.
    pub creado_en: Instant,
    /// When it ended.
    pub terminado_en: Option<Instant>,
    /// The command that asked for it.
    pub correlation_id: CorrelationId,
    /// Counts the changes, from 1.
    pub version: u64,
    /// Its chain of events.
    pub head: ChainHead,
}

/// The outcome of an item. It is written once, marked by (trabajo, indice); a repetition finds it and leaves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The place of the item in the request, from 0.
    pub indice: u32,
    /// The factura, where there is one.
    pub factura_id: Option<FacturaId>,
    /// What became of it.
    pub resultado: ResultadoItem,
    /// Where the factura stands then, of what was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estado: Option<Estado>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Fields that are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ItemError>,
}

/// A wrong field of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemError {
    /// JSON pointer into the item.
    pub pointer: String,
    /// Why.
    pub code: Code,
    /// Why, for people.
    pub detail: String,
}

impl From<FieldError> for ItemError {
    fn from(error: FieldError) -> Self {
        Self {
            pointer: error.pointer,
            code: error.code,
            detail: error.detail,
        }
    }
}

impl Outcome {
    /// An item that was done, or would be.
    #[must_use]
    pub const fn applied(
        indice: u32,
        factura_id: Option<FacturaId>,
        estado: Estado,
        dry_run: bool,
    ) -> Self {
        Self {
            indice,
            factura_id,
            resultado: if dry_run {
                ResultadoItem::Aplicaria
            } else {
                ResultadoItem::Aplicado
            },
            estado: Some(estado),
            code: None,
            detail: None,
            errors: Vec::new(),
        }
    }

    /// An item that was refused, or would be.
    #[must_use]
    pub fn refused(
        indice: u32,
        factura_id: Option<FacturaId>,
        code: Code,
        problem: Problem,
        dry_run: bool,
    ) -> Self {
        Self {
            indice,
            factura_id,
            resultado: if dry_run {
                ResultadoItem::NoAplicaria
            } else {
                ResultadoItem::NoAplicado
            },
            estado: None,
            code: Some(code),
            detail: Some(problem.detail),
            errors: problem.errors.into_iter().map(Into::into).collect(),
        }
    }

    const fn is_applied(&self) -> bool {
        match self.resultado {
            ResultadoItem::Aplicado | ResultadoItem::Aplicaria => true,
            ResultadoItem::NoAplicado | ResultadoItem::NoAplicaria => false,
        }
    }
}

impl Trabajo {
    /// A job that waits for its first attempt.
    #[must_use]
    pub fn queued(
        id: TrabajoFacturasId,
        tipo: TipoTrabajo,
        total: u64,
        dry_run: bool,
        roles: Roles,
        stamp: &Stamp,
    ) -> Self {
        Self {
            id,
            tipo,
            estado: EstadoTrabajo::EnCola,
            total,
            procesados: 0,
            aplicados: 0,
            no_aplicados: 0,
            dry_run,
            intentos: 0,
            error: None,
            creado_por: Mandante {
                usuario: stamp.by.clone(),
                roles,
            },
            creado_en: stamp.at,
            terminado_en: None,
            correlation_id: stamp.correlation_id.clone(),
            version: 1,
            head: ChainHead::default(),
        }
    }

    /// A worker takes it up, also from one that was lost. At its end it is a replay.
    ///
    /// # Errors
    /// None in any state; the type is that of the table.
    pub fn taken(&self) -> Result<Decision<Change<Self>>, TrabajoRefusal> {
        self.stepped(Paso::Tomar, |next| {
            next.intentos += 1;
            None
        })
    }

    /// Items got their outcomes, in the same transaction in which these are written. `found` is how many items are known by now.
    ///
    /// # Errors
    /// [`TrabajoRefusal::FueraDeLugar`] unless a worker is at it.
    pub fn recorded(&self, outcomes: &[Outcome], found: u64) -> Result<Self, TrabajoRefusal> {
        match self.estado {
            EstadoTrabajo::EnProceso => {}
            EstadoTrabajo::EnCola | EstadoTrabajo::Completado | EstadoTrabajo::Error => {
                return Err(TrabajoRefusal::FueraDeLugar);
            }
        }
        let mut next = self.touched();
        for outcome in outcomes {
            next.procesados += 1;
            if outcome.is_applied() {
                next.aplicados += 1;
            } else {
                next.no_aplicados += 1;
            }
        }
        next.total = next.total.max(found).max(next.procesados);
        Ok(next)
    }

    /// Every item has its outcome. At its end it is a replay.
    ///
    /// # Errors
    /// [`TrabajoRefusal`]: nobody has taken it up, or some item has no outcome.
    pub fn finished(&self, now: Instant) -> Result<Decision<Change<Self>>, TrabajoRefusal> {
        if self.estado == EstadoTrabajo::EnProceso && self.procesados != self.total {
            return Err(TrabajoRefusal::Incompleto);
        }
        self.stepped(Paso::Terminar, |next| {
            next.terminado_en = Some(now);
            Some(false)
        })
    }

    /// The last attempt failed, or its worker was lost for the last time. At its end it is a replay.
    ///
    /// # Errors
    /// None in any state; the type is that of the table.
    pub fn failed(&self, now: Instant) -> Result<Decision<Change<Self>>, TrabajoRefusal> {
        self.stepped(Paso::Fallar, |next| {
            next.terminado_en = Some(now);
            let detail =
                "Processing failed repeatedly. Retry it: items with an outcome keep theirs";
            next.error = Some(detail.to_owned());
            Some(true)
        })
    }

    /// Gives it another three attempts at the items that have no outcome.
    ///
    /// # Errors
    /// [`TrabajoRefusal::NoReintentable`] unless it is in `ERROR`.
    pub fn retried(&self) -> Result<Decision<Change<Self>>, TrabajoRefusal> {
        self.stepped(Paso::Reintentar, |next| {
            next.intentos = 0;
            next.error = None;
            next.terminado_en = None;
            None
        })
    }

    /// Takes a step of the table; `change` says whether an event reports it, and whether as an error.
    fn stepped(
        &self,
        paso: Paso,
        change: impl FnOnce(&mut Self) -> Option<bool>,
    ) -> Result<Decision<Change<Self>>, TrabajoRefusal> {
        match allowed(self.estado, paso)? {
            Sigue::Nada => Ok(replayed(self.clone())),
            Sigue::Estado(estado) => {
                let mut next = self.touched();
                next.estado = estado;
                let told = change(&mut next);
                let events = told.map(|error| next.entry(error)).into_iter().collect();
                Ok(applied(next, events))
            }
        }
    }

    fn entry(&self, error: bool) -> Entry {
        let event = PayablesEvent::TrabajoTerminado {
            trabajo: self.id,
            tipo: self.tipo,
            total: self.total,
            aplicados: self.aplicados,
            no_aplicados: self.no_aplicados,
            dry_run: self.dry_run,
            error,
        };
        Entry::new(&self.creado_por.usuario.actor(), event)
    }

    fn touched(&self) -> Self {
        Self {
            version: self.version + 1,
            ..self.clone()
        }
    }
}
