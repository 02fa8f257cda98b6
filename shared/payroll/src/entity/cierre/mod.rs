//! The closing of one client and month.

mod close;
mod generate;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::actor::Actor;
use cierre_kernel::canonical::sha256_hex;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::{ArchivoId, CierreId, ClienteId, TrabajoId};
use cierre_kernel::time::{Date, Instant};
use serde::{Deserialize, Serialize};

use super::archivo::{Archivo, EstadoArchivo};
use super::events::{Entry, PayrollEvent, Scope};
use super::refusal::CierreRefusal;
use super::values::{REASON, sized};
use super::{Change, Stamp};
use crate::kind::Kind;
use crate::period::Period;
use crate::rules::discrepancies::TipoDiscrepancia;
use crate::rules::sello::BaseComparacion;

pub use close::*;
pub use generate::*;
pub use table::*;

/// The files without which nothing is compared.
pub const REQUIRED: [Kind; 2] = [Kind::LibroRemuneraciones, Kind::MovimientosMes];

/// The discrepancies of a closing, as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscrepanciasResult {
    /// They were generated from the files as they stand.
    pub vigente: bool,
    /// When they were last generated.
    pub generado_en: Option<Instant>,
    /// Kinds that had not the files they need.
    pub no_evaluadas: BTreeSet<TipoDiscrepancia>,
}

/// The incidences of a closing, as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidenciasResult {
    /// They were generated from the files as they stand.
    pub vigente: bool,
    /// When they were last generated.
    pub generado_en: Option<Instant>,
    /// What they are measured against; none for a client's first month.
    pub base_comparacion: Option<BaseComparacion>,
}

/// Both results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resultados {
    /// Discrepancies.
    pub discrepancias: DiscrepanciasResult,
    /// Incidences.
    pub incidencias: IncidenciasResult,
}

/// What a closing counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Live files.
    pub archivos: u64,
    /// Employees, seen through the files in force.
    pub empleados: u64,
    /// Rows of the files in force.
    pub registros: u64,
    /// Discrepancies that are `abierta`.
    pub discrepancias_abiertas: u64,
    /// Of these, the blocking ones.
    pub discrepancias_bloqueantes: u64,
    /// Open incidences: neither approved nor obsolete.
    pub incidencias_pendientes: u64,
    /// Of these, the critical ones.
    pub incidencias_criticas: u64,
}

/// The jobs that run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The one that generates discrepancies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discrepancias: Option<TrabajoId>,
    /// The one that generates incidences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incidencias: Option<TrabajoId>,
}

/// A closing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cierre {
    /// Its id.
    pub id: CierreId,
    /// Whose payroll it closes.
    pub cliente_id: ClienteId,
    /// The month.
    pub periodo: Period,
    /// Where it stands.
    pub estado: EstadoCierre,
    /// The files in force.
    pub archivos: BTreeMap<Kind, ArchivoId>,
    /// What was generated from them.
    pub resultados: Resultados,
    /// What it counts.
    pub counts: Counts,
    /// How often it was sealed.
    pub sellos: u32,
    /// The jobs that run.
    #[serde(default)]
    pub trabajos: Running,
    /// Who began it.
    pub creado_por: Actor,
    /// When.
    pub creado_en: Instant,
    /// The command that began it.
    pub correlation_id: CorrelationId,
    /// Counts the changes, from 1. Views and failed validations move the head alone.
    pub version: u64,
    /// The chain of all its events.
    pub head: ChainHead,
}

/// Whether a month may be closed on this day: up to the next one.
pub fn may_close(periodo: Period, today: Date) -> bool {
    periodo <= Period::of(today).next()
}

/// The state that the files make.
pub fn settle<'a>(files: impl IntoIterator<Item = &'a Archivo>) -> EstadoCierre {
    let mut live = 0_usize;
    let mut processed = Vec::new();
    for file in files.into_iter().filter(|file| file.estado.is_live()) {
        live += 1;
        if file.estado == EstadoArchivo::Procesado {
            processed.push(file.tipo);
        }
    }
    let complete = processed.len() == live && REQUIRED.iter().all(|kind| processed.contains(kind));
    match (live, complete) {
        (0, _) => EstadoCierre::Pendiente,
        (_, true) => EstadoCierre::ArchivosCompletos,
        (_, false) => EstadoCierre::CargandoArchivos,
    }
}

/// The state that the open blocking discrepancies make.
pub const fn check(open_blocking: u64) -> EstadoCierre {
    if open_blocking > 0 {
        EstadoCierre::ConDiscrepancias
    } else {
        EstadoCierre::VerificadoSinDiscrepancias
    }
}

/// The state that the open incidences make.
pub const fn review(open: u64) -> EstadoCierre {
    if open > 0 {
        EstadoCierre::ConIncidencias
    } else {
        EstadoCierre::IncidenciasResueltas
    }
}

impl Cierre {
    /// Begins a closing. That the client exists and has no other live one of this month is for the caller, in the same transaction.
    pub fn create(
        id: CierreId,
        cliente_id: ClienteId,
        periodo: Period,
        stamp: &Stamp,
    ) -> Change<Self> {
        let cierre = Self {
            id,
            cliente_id,
            periodo,
            estado: EstadoCierre::Pendiente,
            archivos: BTreeMap::new(),
            resultados: Resultados::default(),
            counts: Counts::default(),
            sellos: 0,
            trabajos: Running::default(),
            creado_por: stamp.by.clone(),
            creado_en: stamp.at,
            correlation_id: stamp.correlation_id.clone(),
            version: 1,
            head: ChainHead::default(),
        };
        let created = PayrollEvent::CierreCreado {
            cierre: id,
            periodo,
        };
        let created = cierre.entry(&stamp.by, created);
        Change::new(cierre, vec![created])
    }

    /// Deletes it. Its objects and events stay; work under way finds it gone and is discarded.
    ///
    /// # Errors
    /// [`CierreRefusal`]: it is finalised or deleted, or the reason is too short or too long.
    pub fn delete(&self, motivo: &str, stamp: &Stamp) -> Result<Change<Self>, CierreRefusal> {
        allowed(self.estado, Command::Delete)?;
        let motivo = sized(motivo, &REASON).ok_or(CierreRefusal::ReasonRequired)?;
        let mut next = self.touched();
        next.estado = EstadoCierre::Eliminado;
        let deleted = PayrollEvent::CierreEliminado {
            cierre: self.id,
            periodo: self.periodo,
            estado_anterior: self.estado,
            motivo,
            archivos: self.counts.archivos,
        };
        let deleted = self.entry(&stamp.by, deleted);
        Ok(Change::new(next, vec![deleted]))
    }

    /// Unseals it, for a stated reason. Both results have to be generated again.
    ///
    /// # Errors
    /// [`CierreRefusal`]: it is not finalised, or the reason is too short or too long.
    pub fn reopen(&self, motivo: &str, stamp: &Stamp) -> Result<Change<Self>, CierreRefusal> {
        allowed(self.estado, Command::Reopen)?;
        let motivo = sized(motivo, &REASON).ok_or(CierreRefusal::ReasonRequired)?;
        let mut next = self.touched();
        next.mark_stale();
        let moved = next.enter(EstadoCierre::Reabierto, &stamp.by, &motivo);
        Ok(Change::new(next, moved.into_iter().collect()))
    }

    /// Digest of the files in force: what a job compares before it writes what it computed from them.
    pub fn inputs(&self) -> String {
        let files: Vec<String> = self
            .archivos
            .iter()
            .map(|(kind, id)| format!("{kind}={id}"))
            .collect();
        sha256_hex(files.join("\n").as_bytes())
    }

    /// Whether files may arrive, end or go.
    ///
    /// # Errors
    /// [`CierreRefusal::Finalized`] and [`CierreRefusal::Deleted`].
    pub const fn takes_files(&self) -> Result<(), CierreRefusal> {
        match allowed(self.estado, Command::FileChange) {
            Ok(_) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    /// An event of this closing.
    pub fn entry(&self, by: &Actor, event: PayrollEvent) -> Entry {
        Entry::new(Scope::of(self), by, event)
    }

    /// The same, one version on.
    pub(super) fn touched(&self) -> Self {
        Self {
            version: self.version + 1,
            ..self.clone()
        }
    }

    pub(super) const fn mark_stale(&mut self) {
        self.resultados.discrepancias.vigente = false;
        self.resultados.incidencias.vigente = false;
    }

    /// Goes into a state; the event that says so, unless it is the same one.
    pub(super) fn enter(
        &mut self,
        estado: EstadoCierre,
        cause: &Actor,
        motivo: &str,
    ) -> Option<Entry> {
        let anterior = self.estado;
        self.estado = estado;
        if estado == EstadoCierre::ConDiscrepancias {
            self.resultados.incidencias.vigente = false;
        }
        (anterior != estado).then(|| {
            self.entry(
                cause,
                PayrollEvent::CierreActualizado {
                    cierre: self.id,
                    anterior,
                    nuevo: estado,
                    motivo: motivo.to_owned(),
                },
            )
        })
    }
}
