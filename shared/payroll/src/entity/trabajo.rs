//! Jobs of payroll.

use cierre_kernel::actor::Actor;
use cierre_kernel::codes::{self, Code};
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::{CierreId, TrabajoId};
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cierre::{Cierre, Command};
use super::{Change, Stamp, applied, replayed};

/// Attempts that a job has.
pub const MAX_ATTEMPTS: u32 = 3;

cierre_kernel::words! {
    /// What a job does.
    pub enum TipoTrabajo {
        /// Generates discrepancies.
        GenerarDiscrepancias = "generar_discrepancias",
        /// Generates incidences.
        GenerarIncidencias = "generar_incidencias",
    }
}

impl TipoTrabajo {
    /// What it is to the closing.
    pub const fn command(self) -> Command {
        match self {
            Self::GenerarDiscrepancias => Command::GenerateDiscrepancies,
            Self::GenerarIncidencias => Command::GenerateIncidences,
        }
    }
}

cierre_kernel::words! {
    /// The state of a job.
    pub enum EstadoTrabajo {
        /// It waits for a worker.
        EnCola = "en_cola",
        /// A worker is at it.
        EnProceso = "en_proceso",
        /// It has a result.
        Completado = "completado",
        /// It has none and gets none.
        Error = "error",
    }
}

impl EstadoTrabajo {
    /// Whether the job is at its end.
    pub const fn is_over(self) -> bool {
        match self {
            Self::EnCola | Self::EnProceso => false,
            Self::Completado | Self::Error => true,
        }
    }
}

/// An attempt at a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intento {
    /// From 1.
    pub intento: u32,
    /// When it began.
    pub inicio: Instant,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fin: Option<Instant>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Code>,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trabajo {
    /// Its id.
    pub id: TrabajoId,
    /// The closing.
    pub cierre_id: CierreId,
    /// What it does.
    pub tipo: TipoTrabajo,
    /// Where it stands.
    pub estado: EstadoTrabajo,
    /// Digest of the files that it reads: [`Cierre::inputs`].
    pub entradas: String,
    /// What it is to deal with.
    pub total: u64,
    /// What it has dealt with.
    pub hechos: u64,
    /// Of these, what it wrote.
    pub aplicados: u64,
    /// Of these, what it did not write.
    pub no_aplicados: u64,
    /// In percent, 0 to 100.
    pub progreso: u8,
    /// Its attempts.
    pub intentos: Vec<Intento>,
    /// What it came to.
    pub resultado: Option<Value>,
    /// Why it failed, for programs.
    pub codigo: Option<Code>,
    /// Why it failed and what to do.
    pub mensaje: Option<String>,
    /// Who asked for it.
    pub iniciado_por: Actor,
    /// When.
    pub creado_en: Instant,
    /// When its first attempt began.
    pub inicio: Option<Instant>,
    /// When it ended.
    pub fin: Option<Instant>,
    /// The command that asked for it.
    pub correlation_id: CorrelationId,
    /// Counts the changes, from 1.
    pub version: u64,
}

impl Trabajo {
    /// A job that waits for its first attempt.
    pub fn queued(id: TrabajoId, tipo: TipoTrabajo, cierre: &Cierre, stamp: &Stamp) -> Self {
        Self {
            id,
            cierre_id: cierre.id,
            tipo,
            estado: EstadoTrabajo::EnCola,
            entradas: cierre.inputs(),
            total: 0,
            hechos: 0,
            aplicados: 0,
            no_aplicados: 0,
            progreso: 0,
            intentos: Vec::new(),
            resultado: None,
            codigo: None,
            mensaje: None,
            iniciado_por: stamp.by.clone(),
            creado_en: stamp.at,
            inicio: None,
            fin: None,
            correlation_id: stamp.correlation_id.clone(),
            version: 1,
        }
    }

    /// Whether the last attempt was used up.
    pub fn is_out_of_attempts(&self) -> bool {
        let ended = self.intentos.iter().filter(|one| one.fin.is_some()).count();
        u32::try_from(ended).is_ok_and(|ended| ended >= MAX_ATTEMPTS)
    }

    /// A worker takes it up. An attempt that is still open lost its worker. At its end, and out of attempts, it is a replay.
    pub fn begun(&self, now: Instant) -> Decision<Change<Self>> {
        if self.estado.is_over() || self.is_out_of_attempts() {
            return replayed(self.clone());
        }
        let mut next = self.touched();
        next.end_attempt(Some(codes::WORKER_LOST), now);
        if next.is_out_of_attempts() {
            next.estado = EstadoTrabajo::EnCola;
            return applied(next, Vec::new());
        }
        next.estado = EstadoTrabajo::EnProceso;
        next.inicio = self.inicio.or(Some(now));
        let intento = u32::try_from(next.intentos.len()).unwrap_or(u32::MAX);
        next.intentos.push(Intento {
            intento: intento.saturating_add(1),
            inicio: now,
            fin: None,
            error: None,
        });
        applied(next, Vec::new())
    }

    /// The attempt failed; the job waits for the next one, if there is one. At its end it is a replay.
    pub fn attempt_failed(&self, code: Code, now: Instant) -> Decision<Change<Self>> {
        match self.estado {
            EstadoTrabajo::EnProceso => {
                let mut next = self.touched();
                next.end_attempt(Some(code), now);
                next.estado = EstadoTrabajo::EnCola;
                applied(next, Vec::new())
            }
            EstadoTrabajo::EnCola | EstadoTrabajo::Completado | EstadoTrabajo::Error => {
                replayed(self.clone())
            }
        }
    }

    /// How far it is. At its end it is a replay.
    pub fn advanced(&self, done: u64, total: u64) -> Decision<Change<Self>> {
        if self.estado.is_over() {
            return replayed(self.clone());
        }
        let mut next = self.touched();
        next.hechos = done.min(total);
        next.total = total;
        // A hundred is said at the end alone.
        let percent = next.hechos.saturating_mul(100) / total.max(1);
        next.progreso = u8::try_from(percent).unwrap_or(99).min(99);
        applied(next, Vec::new())
    }

    /// The job with its result, written with what it generated: [`Cierre::discrepancias_generated`], [`Cierre::incidencias_generated`].
    pub(super) fn completed(&self, count: u64, resultado: Value, now: Instant) -> Self {
        let mut next = self.ended(EstadoTrabajo::Completado, None, now);
        next.progreso = 100;
        next.total = count;
        next.hechos = count;
        next.aplicados = count;
        next.resultado = Some(resultado);
        next
    }

    /// The job without a result, written with the closing that may have another one: [`Cierre::job_failed`].
    pub(super) fn failed(&self, code: Code, mensaje: &str, now: Instant) -> Self {
        let mut next = self.ended(EstadoTrabajo::Error, Some(code), now);
        next.no_aplicados = next.total;
        next.codigo = Some(code);
        next.mensaje = Some(mensaje.to_owned());
        next
    }

    fn ended(&self, estado: EstadoTrabajo, error: Option<Code>, now: Instant) -> Self {
        let mut next = self.touched();
        next.end_attempt(error, now);
        next.estado = estado;
        next.fin = Some(now);
        next
    }

    fn end_attempt(&mut self, error: Option<Code>, now: Instant) {
        if let Some(open) = self.intentos.last_mut().filter(|last| last.fin.is_none()) {
            open.fin = Some(now);
            open.error = error;
        }
    }

    fn touched(&self) -> Self {
        Self {
            version: self.version + 1,
            ..self.clone()
        }
    }
}
