//! The end of a closing, and what stands in its way.

use std::fmt;

use cierre_kernel::codes::{self, Code};
use cierre_kernel::problem::FieldError;
use serde_json::Value;

use super::super::archivo::{Archivo, EstadoArchivo};
use super::super::discrepancia::Discrepancia;
use super::super::events::PayrollEvent;
use super::super::incidencia::Incidencia;
use super::super::refusal::{CierreRefusal, CloseRefusal};
use super::super::sello::Sello;
use super::super::trabajo::TipoTrabajo;
use super::super::{Change, Stamp};
use super::{Cierre, Command, EstadoCierre, Next, REQUIRED, allowed};
use crate::rules::discrepancies::Severidad;
use crate::rules::incidencias::Prioridad;
use crate::rules::merge::EstadoDiscrepancia;

/// Reasons that a refusal lists at most.
pub const MAX_REASONS: usize = 100;

/// One thing that stands in the way of the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Where it is.
    pub pointer: String,
    /// What kind of thing.
    pub code: Code,
    /// For people.
    pub detail: String,
}

impl From<Reason> for FieldError {
    fn from(reason: Reason) -> Self {
        Self::new(reason.pointer, reason.code, reason.detail)
    }
}

/// Everything that stands in the way of the end: the first reasons, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The first [`MAX_REASONS`], in the contract's order.
    pub reasons: Vec<Reason>,
    /// All of them.
    pub total: u64,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.total {
            1 => f.write_str("1 thing blocks this cierre"),
            total => write!(f, "{total} things block this cierre"),
        }
    }
}

impl std::error::Error for Blocked {}

/// What the end of a closing is judged by, beside the closing itself.
#[derive(Clone, Copy, Debug)]
pub struct CloseFacts<'a> {
    /// Its files, at least the live ones.
    pub files: &'a [Archivo],
    /// Its open blocking discrepancies in the order of their ids; the first hundred suffice, the closing counts them all.
    pub discrepancias: &'a [Discrepancia],
    /// Its open critical incidences in the order of their ids; likewise.
    pub incidencias: &'a [Incidencia],
}

/// A seal's content, made by the rules of seals.
#[derive(Clone, Debug, PartialEq)]
pub struct SealDraft {
    /// SHA-256 of the canonical manifest.
    pub sello: String,
    /// What was sealed.
    pub manifiesto: Value,
}

impl Cierre {
    /// The number of the next seal.
    pub const fn next_seal(&self) -> u32 {
        self.sellos + 1
    }

    /// What stands in the way of the end; nothing when the closing can be finalised.
    ///
    /// # Errors
    /// [`CloseRefusal`]: the closing is finalised or deleted, or these things stand in the way.
    pub fn closable(&self, facts: &CloseFacts<'_>) -> Result<(), CloseRefusal> {
        match allowed(self.estado, Command::Finalise) {
            Ok(
                Next::Settle
                | Next::Check
                | Next::CheckOrSame
                | Next::Same
                | Next::Incidences
                | Next::IncidencesOrSame
                | Next::Seal
                | Next::Reopened
                | Next::Gone,
            ) => {
                let blocked = self.blocked(facts);
                if blocked.total > 0 {
                    return Err(blocked.into());
                }
                Ok(())
            }
            Err(CierreRefusal::CloseBlocked) => Err(self.blocked(facts).into()),
            Err(
                refusal @ (CierreRefusal::FilesIncomplete
                | CierreRefusal::ResultsStale
                | CierreRefusal::DiscrepanciesPending
                | CierreRefusal::DiscrepanciesOpen
                | CierreRefusal::IncidenceState
                | CierreRefusal::Finalized
                | CierreRefusal::Deleted
                | CierreRefusal::NotFinalized
                | CierreRefusal::ReasonRequired
                | CierreRefusal::InputsChanged),
            ) => Err(refusal.into()),
        }
    }

    /// Seals it.
    ///
    /// # Errors
    /// [`CloseRefusal`], as [`Cierre::closable`].
    pub fn finalise(
        &self,
        facts: &CloseFacts<'_>,
        draft: SealDraft,
        stamp: &Stamp,
    ) -> Result<Change<(Self, Sello)>, CloseRefusal> {
        self.closable(facts)?;
        let mut next = self.touched();
        next.estado = EstadoCierre::Finalizado;
        next.sellos = self.next_seal();
        let sello = Sello {
            cierre_id: self.id,
            numero: next.sellos,
            sello: draft.sello,
            manifiesto: draft.manifiesto,
            creado_por: stamp.by.clone(),
            creado_en: stamp.at,
        };
        let finalised = PayrollEvent::CierreFinalizado {
            cierre: self.id,
            periodo: self.periodo,
            empleados: self.counts.empleados,
            registros: self.counts.registros,
            incidencias_pendientes: self.counts.incidencias_pendientes,
            sello: sello.sello.clone(),
            numero: sello.numero,
        };
        let finalised = self.entry(&stamp.by, finalised);
        Ok(Change::new((next, sello), vec![finalised]))
    }

    fn blocked(&self, facts: &CloseFacts<'_>) -> Blocked {
        let mut reasons = self.file_reasons(facts.files);
        reasons.extend(self.running_reasons());
        if !self.resultados.discrepancias.vigente {
            reasons.push(Reason {
                pointer: "/resultados/discrepancias".to_owned(),
                code: codes::DISCREPANCIES_NOT_GENERATED,
                detail: "the discrepancies are missing or out of date".to_owned(),
            });
        }
        let blocking = facts
            .discrepancias
            .iter()
            .filter(|one| one.life.estado == EstadoDiscrepancia::Abierta)
            .filter(|one| one.found.severidad == Severidad::Bloqueante);
        let mut unlisted = extend(
            &mut reasons,
            blocking.map(blocking_reason),
            self.counts.discrepancias_bloqueantes,
        );
        if !self.resultados.incidencias.vigente {
            reasons.push(Reason {
                pointer: "/resultados/incidencias".to_owned(),
                code: codes::INCIDENCES_NOT_GENERATED,
                detail: "the incidences are missing or out of date".to_owned(),
            });
        }
        let critical = facts
            .incidencias
            .iter()
            .filter(|one| one.life.estado.is_open() && one.found.prioridad == Prioridad::Critica);
        unlisted += extend(
            &mut reasons,
            critical.map(critical_reason),
            self.counts.incidencias_criticas,
        );
        let listed = u64::try_from(reasons.len()).unwrap_or(u64::MAX);
        reasons.truncate(MAX_REASONS);
        Blocked {
            reasons,
            total: listed.saturating_add(unlisted),
        }
    }

    fn file_reasons(&self, files: &[Archivo]) -> Vec<Reason> {
        let missing = REQUIRED
            .iter()
            .filter(|kind| !self.archivos.contains_key(kind))
            .map(|kind| Reason {
                pointer: format!("/archivos/{kind}"),
                code: codes::REQUIRED_FILE_MISSING,
                detail: format!("{kind} is not processed"),
            });
        let mut live: Vec<&Archivo> = files.iter().filter(|file| file.estado.is_live()).collect();
        live.sort_by_key(|file| (file.tipo, file.id));
        let of = |wanted: &'static [EstadoArchivo], code: Code| {
            live.iter()
                .filter(|file| wanted.contains(&file.estado))
                .map(|file| Reason {
                    pointer: format!("/archivos/{}", file.id),
                    code,
                    detail: format!("{}, {}, {}", file.tipo, file.estado, file.nombre),
                })
                .collect::<Vec<_>>()
        };
        missing
            .chain(of(EstadoArchivo::IN_PROCESS, codes::FILE_IN_PROCESS))
            .chain(of(EstadoArchivo::FAILED, codes::FILE_WITH_ERRORS))
            .collect()
    }

    fn running_reasons(&self) -> Vec<Reason> {
        TipoTrabajo::ALL
            .iter()
            .filter_map(|tipo| Some((tipo, self.running(*tipo)?)))
            .map(|(tipo, id)| Reason {
                pointer: format!("/trabajos/{id}"),
                code: codes::JOB_RUNNING,
                detail: format!("{tipo} is running"),
            })
            .collect()
    }
}

/// Adds these reasons; how many of the counted ones are not among them.
fn extend(reasons: &mut Vec<Reason>, listed: impl Iterator<Item = Reason>, counted: u64) -> u64 {
    let before = reasons.len();
    reasons.extend(listed);
    let listed = u64::try_from(reasons.len() - before).unwrap_or(u64::MAX);
    counted.saturating_sub(listed)
}

fn blocking_reason(one: &Discrepancia) -> Reason {
    let found = &one.found;
    Reason {
        pointer: format!("/discrepancias/{}", found.id),
        code: codes::DISCREPANCY_BLOCKING,
        detail: format!(
            "{}, {}, {}, {}",
            found.severidad, one.life.estado, found.rut, found.regla
        ),
    }
}

fn critical_reason(one: &Incidencia) -> Reason {
    let found = &one.found;
    let what = found
        .codigo
        .map_or_else(|| found.tipo.to_string(), |code| code.to_string());
    Reason {
        pointer: format!("/incidencias/{}", found.id),
        code: codes::INCIDENCE_CRITICAL,
        detail: format!(
            "{}, {}, {}, {what}",
            found.prioridad, one.life.estado, found.rut
        ),
    }
}
