//! Results: the jobs that generate them, and the people's decisions about them.

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::decision::Decision;
use cierre_kernel::id::TrabajoId;
use serde_json::json;

use super::super::archivo::Archivo;
use super::super::discrepancia::{Correccion, Discrepancia};
use super::super::events::{Entry, PayrollEvent};
use super::super::incidencia::{Incidencia, Veredicto};
use super::super::refusal::{CierreRefusal, ReviewRefusal};
use super::super::trabajo::{TipoTrabajo, Trabajo};
use super::super::{Caller, Change, Decided, Stamp, applied, replayed};
use super::{
    Cierre, Command, DiscrepanciasResult, IncidenciasResult, Next, allowed, check, review,
};
use crate::amount::Pesos;
use crate::lre::Code;
use crate::rules::discrepancies::{Severidad, TipoDiscrepancia};
use crate::rules::incidencias::Prioridad;
use crate::rules::sello::BaseComparacion;
use cierre_kernel::actor::Actor;

/// What asking for a generation came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Requested {
    /// A job to be queued. No event reports it.
    New(Box<(Cierre, Trabajo)>),
    /// The job that runs already.
    Running(TrabajoId),
}

/// Discrepancies as a job found and merged them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundDiscrepancias {
    /// Those that stand, by kind: `abierta` or `justificada`.
    pub tipos: BTreeMap<TipoDiscrepancia, u64>,
    /// Those that are `abierta`.
    pub abiertas: u64,
    /// Of these, the blocking ones.
    pub bloqueantes: u64,
    /// Those that became `corregida`.
    pub corregidas: u64,
    /// Kinds that had not the files they need.
    pub no_evaluadas: BTreeSet<TipoDiscrepancia>,
}

/// Incidences as a job found and merged them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundIncidencias {
    /// Those that stand: not `obsoleta`.
    pub total: u64,
    /// Employees that have one.
    pub empleados: u64,
    /// Codes that have one.
    pub conceptos: BTreeSet<Code>,
    /// The sum of their differences.
    pub monto_total: Pesos,
    /// Neither approved nor obsolete.
    pub abiertas: u64,
    /// Of these, the critical ones.
    pub criticas: u64,
    /// What they are measured against.
    pub base_comparacion: Option<BaseComparacion>,
}

impl Cierre {
    /// Asks for discrepancies or incidences. A second request while the first runs gets the first one's job.
    ///
    /// # Errors
    /// [`CierreRefusal`], as the state has it.
    pub fn request(
        &self,
        tipo: TipoTrabajo,
        id: TrabajoId,
        stamp: &Stamp,
    ) -> Result<Requested, CierreRefusal> {
        allowed(self.estado, tipo.command())?;
        if let Some(running) = self.running(tipo) {
            return Ok(Requested::Running(running));
        }
        let mut next = self.touched();
        *next.slot(tipo) = Some(id);
        let trabajo = Trabajo::queued(id, tipo, self, stamp);
        Ok(Requested::New(Box::new((next, trabajo))))
    }

    /// The job of this kind that runs.
    pub const fn running(&self, tipo: TipoTrabajo) -> Option<TrabajoId> {
        match tipo {
            TipoTrabajo::GenerarDiscrepancias => self.trabajos.discrepancias,
            TipoTrabajo::GenerarIncidencias => self.trabajos.incidencias,
        }
    }

    const fn slot(&mut self, tipo: TipoTrabajo) -> &mut Option<TrabajoId> {
        match tipo {
            TipoTrabajo::GenerarDiscrepancias => &mut self.trabajos.discrepancias,
            TipoTrabajo::GenerarIncidencias => &mut self.trabajos.incidencias,
        }
    }

    /// The job that generates discrepancies is done. Said again, it is a replay.
    ///
    /// # Errors
    /// [`CierreRefusal::InputsChanged`] when files changed while it ran; the job then fails ([`Cierre::job_failed`]) and nothing is written.
    pub fn discrepancias_generated(
        &self,
        trabajo: &Trabajo,
        found: FoundDiscrepancias,
        stamp: &Stamp,
    ) -> Decided<(Self, Trabajo), CierreRefusal> {
        let Some((mut next, goal)) = self.ending(trabajo)? else {
            return Ok(replayed((self.clone(), trabajo.clone())));
        };
        let caller = &trabajo.iniciado_por;
        next.resultados.discrepancias = DiscrepanciasResult {
            vigente: true,
            generado_en: Some(stamp.at),
            no_evaluadas: found.no_evaluadas,
        };
        next.counts.discrepancias_abiertas = found.abiertas;
        next.counts.discrepancias_bloqueantes = found.bloqueantes;
        let total: u64 = found.tipos.values().sum();
        let tipos = found.tipos;
        let mut events = vec![self.entry(caller, PayrollEvent::DiscrepanciasGeneradas { tipos })];
        if found.corregidas > 0 {
            let cantidad = found.corregidas;
            let corrected = PayrollEvent::DiscrepanciasCorregidas { cantidad };
            events.push(self.entry(&Actor::system(), corrected));
        }
        events.extend(next.follow(goal, caller, "discrepancias_generadas"));
        let resultado = json!({
            "total_discrepancias": total,
            "discrepancias_abiertas": found.abiertas,
            "discrepancias_bloqueantes": found.bloqueantes,
        });
        let trabajo = trabajo.completed(total, resultado, stamp.at);
        Ok(applied((next, trabajo), events))
    }

    /// The job that generates incidences is done. Said again, it is a replay.
    ///
    /// # Errors
    /// [`CierreRefusal::InputsChanged`], as with discrepancies.
    pub fn incidencias_generated(
        &self,
        trabajo: &Trabajo,
        found: FoundIncidencias,
        stamp: &Stamp,
    ) -> Decided<(Self, Trabajo), CierreRefusal> {
        let Some((mut next, goal)) = self.ending(trabajo)? else {
            return Ok(replayed((self.clone(), trabajo.clone())));
        };
        next.resultados.incidencias = IncidenciasResult {
            vigente: true,
            generado_en: Some(stamp.at),
            base_comparacion: found.base_comparacion,
        };
        next.counts.incidencias_pendientes = found.abiertas;
        next.counts.incidencias_criticas = found.criticas;
        let generated = PayrollEvent::IncidenciasGeneradas {
            total: found.total,
            empleados: found.empleados,
            conceptos: found.conceptos,
            monto_total: found.monto_total,
        };
        let mut events = vec![self.entry(&Actor::system(), generated)];
        events.extend(next.follow(goal, &trabajo.iniciado_por, "incidencias_generadas"));
        let resultado = json!({
            "total_incidencias": found.total,
            "incidencias_pendientes": found.abiertas,
            "incidencias_criticas": found.criticas,
        });
        let trabajo = trabajo.completed(found.total, resultado, stamp.at);
        Ok(applied((next, trabajo), events))
    }

    /// The closing as a job may change it at its end; none when the job is over.
    fn ending(&self, trabajo: &Trabajo) -> Result<Option<(Self, Next)>, CierreRefusal> {
        if trabajo.estado.is_over() {
            return Ok(None);
        }
        let goal = match allowed(self.estado, trabajo.tipo.command()) {
            Ok(goal) => goal,
            Err(gone @ (CierreRefusal::Deleted | CierreRefusal::Finalized)) => return Err(gone),
            // The state allowed it when the job began: only a change of files has led away from there.
            Err(
                CierreRefusal::FilesIncomplete
                | CierreRefusal::ResultsStale
                | CierreRefusal::DiscrepanciesPending
                | CierreRefusal::DiscrepanciesOpen
                | CierreRefusal::IncidenceState
                | CierreRefusal::CloseBlocked
                | CierreRefusal::NotFinalized
                | CierreRefusal::ReasonRequired
                | CierreRefusal::InputsChanged,
            ) => return Err(CierreRefusal::InputsChanged),
        };
        if self.running(trabajo.tipo) != Some(trabajo.id) || self.inputs() != trabajo.entradas {
            return Err(CierreRefusal::InputsChanged);
        }
        let mut next = self.touched();
        *next.slot(trabajo.tipo) = None;
        Ok(Some((next, goal)))
    }

    /// A job ends without a result; the closing may have another one then. A job that is over is a replay.
    ///
    /// # Errors
    /// None.
    pub fn job_failed(
        &self,
        trabajo: &Trabajo,
        failure: (cierre_kernel::codes::Code, &str),
        stamp: &Stamp,
    ) -> Decision<Change<(Self, Trabajo)>> {
        if trabajo.estado.is_over() {
            return replayed((self.clone(), trabajo.clone()));
        }
        let mut next = self.clone();
        if self.running(trabajo.tipo) == Some(trabajo.id) {
            next = self.touched();
            *next.slot(trabajo.tipo) = None;
        }
        let (code, mensaje) = failure;
        applied((next, trabajo.failed(code, mensaje, stamp.at)), Vec::new())
    }

    /// Somebody justifies a discrepancy. `files` holds those that it locates.
    ///
    /// # Errors
    /// [`ReviewRefusal`].
    pub fn correct(
        &self,
        discrepancia: &Discrepancia,
        correccion: &Correccion<'_>,
        files: &[Archivo],
        caller: &Caller,
    ) -> Result<Change<(Self, Discrepancia)>, ReviewRefusal> {
        let goal = allowed(self.estado, Command::CorrectDiscrepancy)?;
        let (corrected, justificacion) = discrepancia.justified(correccion, files, caller)?;
        let mut next = self.touched();
        let counts = &mut next.counts;
        counts.discrepancias_abiertas = counts.discrepancias_abiertas.saturating_sub(1);
        match corrected.found.severidad {
            Severidad::Bloqueante => {
                counts.discrepancias_bloqueantes =
                    counts.discrepancias_bloqueantes.saturating_sub(1);
            }
            Severidad::Advertencia => {}
        }
        let by = &caller.stamp.by;
        let reported = PayrollEvent::DiscrepanciaJustificada {
            id: corrected.found.id,
            tipo: corrected.found.tipo,
            regla: corrected.found.regla,
            justificacion,
        };
        let mut events = vec![self.entry(by, reported)];
        events.extend(next.follow(goal, by, "discrepancia_corregida"));
        Ok(Change::new((next, corrected), events))
    }

    /// Somebody explains an incidence, approves or rejects the explanation.
    ///
    /// # Errors
    /// [`ReviewRefusal`].
    pub fn decide(
        &self,
        incidencia: &Incidencia,
        veredicto: &Veredicto<'_>,
        caller: &Caller,
    ) -> Result<Change<(Self, Incidencia)>, ReviewRefusal> {
        let goal = allowed(self.estado, Command::DecideIncidence)?;
        let (decided, event) = incidencia.decided(veredicto, caller)?;
        let mut next = self.touched();
        if incidencia.life.estado.is_open() && !decided.life.estado.is_open() {
            let counts = &mut next.counts;
            counts.incidencias_pendientes = counts.incidencias_pendientes.saturating_sub(1);
            match decided.found.prioridad {
                Prioridad::Critica => {
                    counts.incidencias_criticas = counts.incidencias_criticas.saturating_sub(1);
                }
                Prioridad::Alta | Prioridad::Media | Prioridad::Baja => {}
            }
        }
        let by = &caller.stamp.by;
        let mut events = vec![self.entry(by, event)];
        events.extend(next.follow(goal, by, "incidencia_resuelta"));
        Ok(Change::new((next, decided), events))
    }

    /// Goes where the results lead.
    fn follow(&mut self, goal: Next, cause: &Actor, motivo: &str) -> Option<Entry> {
        let checked = check(self.counts.discrepancias_bloqueantes);
        let estado = match goal {
            Next::Check => checked,
            Next::CheckOrSame if checked == super::EstadoCierre::ConDiscrepancias => checked,
            Next::Incidences | Next::IncidencesOrSame => review(self.counts.incidencias_pendientes),
            Next::CheckOrSame
            | Next::Same
            | Next::Settle
            | Next::Seal
            | Next::Reopened
            | Next::Gone => self.estado,
        };
        self.enter(estado, cause, motivo)
    }
}
