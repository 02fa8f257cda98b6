//! What a worker does to a file. Every step may be repeated: what was done before is a replay without events.

use std::collections::BTreeMap;

use cierre_kernel::actor::Actor;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::ArchivoId;

use super::super::archivo::{Archivo, Effect, EstadoArchivo, RowsBySheet, Step};
use super::super::events::PayrollEvent;
use super::super::refusal::ArchivoRefusal;
use super::super::{Change, Decided, Stamp, applied, replayed};
use super::{Dossier, Moved, Moves, REPLACED};
use crate::kind::Kind;

/// What was read of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// SHA-256 of the bytes.
    pub hash: String,
    /// How its text is encoded; none for a workbook.
    pub codificacion: Option<String>,
    /// Data rows by sheet.
    pub filas: RowsBySheet,
    /// Findings that are errors, by rule.
    pub errores: BTreeMap<String, u64>,
    /// Findings that are warnings.
    pub advertencias_total: u64,
}

/// What novedades brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consolidation {
    /// Headers that resolve to something.
    pub headers_clasificados: u64,
    /// Columns that describe employees.
    pub columnas_creacion: Vec<String>,
    /// Columns that hold the month's figures.
    pub columnas_movimiento: Vec<String>,
    /// Employees that were known.
    pub actualizados: u64,
    /// Employees that were not.
    pub creados: u64,
}

/// What the writing of a file's rows came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Processing {
    /// Headers that were found.
    pub headers_detectados: u64,
    /// The employees that the files then in force show.
    pub headcount: u64,
    /// Of novedades alone.
    pub novedades: Option<Consolidation>,
}

/// Where a step finds a file.
enum Place<'a> {
    /// Where it has to be; it goes into this state.
    Next(&'a Archivo, EstadoArchivo),
    /// Past the step.
    Done,
}

impl<'a> Dossier<'a> {
    /// The file was read. Without errors it goes on to be processed; with errors it stays out, and nothing of it is ingested.
    ///
    /// # Errors
    /// [`ArchivoRefusal`]. [`ArchivoRefusal::NotLive`] and a closing that is gone mean that the work is to be discarded.
    pub fn validated(
        &self,
        id: ArchivoId,
        reading: &Reading,
        stamp: &Stamp,
    ) -> Decided<Moved, ArchivoRefusal> {
        let errores_total: u64 = reading.errores.values().sum();
        let goal = match errores_total {
            0 => EstadoArchivo::Procesando,
            1.. => EstadoArchivo::ConErrores,
        };
        let step = match errores_total {
            0 => Step::Work,
            1.. => Step::ErrorFindings,
        };
        let Place::Next(file, estado) = self.place(id, goal, step, stamp)? else {
            return Ok(replayed(self.unmoved()));
        };
        let next = Archivo {
            hash: Some(reading.hash.clone()),
            codificacion: reading.codificacion.clone(),
            filas: reading.filas.clone(),
            errores_total,
            advertencias_total: reading.advertencias_total,
            procesando_desde: (errores_total == 0).then_some(stamp.at),
            ..file.in_state(estado)
        };
        let mut moves = Moves::new(*self);
        let uploader = &file.subido_por;
        if errores_total > 0 {
            let failed = PayrollEvent::ValidacionFallida {
                file: file.into(),
                errores_total,
                reglas: reading.errores.clone(),
            };
            moves.record_once(uploader, file.round(), failed);
            moves.put(next);
            return Ok(applied_moves(moves, uploader, "validacion_fallida", None));
        }
        let valid = PayrollEvent::ArchivoValidado {
            file: file.into(),
            tamano: file.tamano,
            hash: reading.hash.clone(),
            registros: reading.filas.total(),
            replaces: self.cierre.archivos.contains_key(&file.tipo),
        };
        moves.record_once(uploader, file.round(), valid);
        let started = PayrollEvent::ProcesamientoIniciado { file: file.into() };
        moves.record_once(&Actor::system(), file.round(), started);
        moves.put(next);
        Ok(applied_moves(moves, uploader, "archivo_validado", None))
    }

    /// Puts the file in force and replaces the older ones, in one write.
    ///
    /// # Errors
    /// [`ArchivoRefusal`], as [`Dossier::validated`].
    pub fn switched(
        &self,
        id: ArchivoId,
        processing: &Processing,
        stamp: &Stamp,
    ) -> Decided<Moved, ArchivoRefusal> {
        let goal = EstadoArchivo::Procesado;
        let Place::Next(file, estado) = self.place(id, goal, Step::Work, stamp)? else {
            return Ok(replayed(self.unmoved()));
        };
        let system = Actor::system();
        let since = file.procesando_desde.unwrap_or(stamp.at);
        let mut moves = Moves::new(*self);
        let completed = PayrollEvent::ProcesamientoCompletado {
            file: file.into(),
            headers_detectados: processing.headers_detectados,
            registros: file.filas.total(),
            millis: u64::try_from(stamp.at.millis_since(since)).unwrap_or_default(),
        };
        moves.record_once(&system, file.round(), completed);
        match (file.tipo, &processing.novedades) {
            (Kind::Novedades, Some(brought)) => {
                for event in consolidated(id, brought) {
                    moves.record_once(&system, file.round(), event);
                }
            }
            (Kind::Novedades, None)
            | (
                Kind::LibroRemuneraciones
                | Kind::MovimientosMes
                | Kind::Finiquitos
                | Kind::Ausentismos
                | Kind::IncidenciasExternas
                | Kind::Ingresos,
                _,
            ) => {}
        }
        moves.put(file.in_state(estado));
        let headcount = Some(processing.headcount);
        Ok(applied_moves(
            moves,
            &system,
            "archivo_procesado",
            headcount,
        ))
    }

    /// The last attempt failed. `mensaje` says what to do.
    ///
    /// # Errors
    /// [`ArchivoRefusal`], as [`Dossier::validated`].
    pub fn exhausted(
        &self,
        id: ArchivoId,
        mensaje: &str,
        intentos: u32,
        stamp: &Stamp,
    ) -> Decided<Moved, ArchivoRefusal> {
        let goal = EstadoArchivo::Error;
        let step = Step::AttemptsExhausted;
        let Place::Next(file, estado) = self.place(id, goal, step, stamp)? else {
            return Ok(replayed(self.unmoved()));
        };
        let system = Actor::system();
        let mut moves = Moves::new(*self);
        let failed = PayrollEvent::ProcesamientoError {
            file: file.into(),
            mensaje: mensaje.to_owned(),
            intentos,
        };
        moves.record_once(&system, file.round(), failed);
        moves.put(Archivo {
            mensaje: Some(mensaje.to_owned()),
            ..file.in_state(estado)
        });
        Ok(applied_moves(moves, &system, "procesamiento_error", None))
    }

    /// The object was overwritten before it was read: what it was is gone, and its successor is a file of its own.
    ///
    /// # Errors
    /// [`ArchivoRefusal`], as [`Dossier::validated`].
    pub fn overwritten(&self, id: ArchivoId, stamp: &Stamp) -> Decided<Moved, ArchivoRefusal> {
        self.cierre.takes_files()?;
        let file = self.known(id)?;
        if !file.estado_at(stamp.at).is_in_process() {
            return Ok(replayed(self.unmoved()));
        }
        let mut moves = Moves::new(*self);
        let uploader = &file.subido_por;
        moves.end_life(file, EstadoArchivo::Reemplazado, uploader, REPLACED);
        Ok(applied_moves(moves, uploader, "archivo_reemplazado", None))
    }

    fn place(
        &self,
        id: ArchivoId,
        goal: EstadoArchivo,
        step: Step,
        stamp: &Stamp,
    ) -> Result<Place<'a>, ArchivoRefusal> {
        self.cierre.takes_files()?;
        let file = self.known(id)?;
        // A repeated step finds its own outcome before it finds that it would be out of place.
        if file.estado == goal {
            return Ok(Place::Done);
        }
        match file.effect(step, stamp.at) {
            Effect::To(estado) if estado == goal => return Ok(Place::Next(file, estado)),
            Effect::Same => return Ok(Place::Done),
            Effect::To(_)
            | Effect::Quarantine
            | Effect::Discard
            | Effect::Refused(_)
            | Effect::Never => {}
        }
        // Somebody was faster: the work is done, or is to be thrown away, whatever it found.
        match file.effect(Step::Work, stamp.at) {
            Effect::Same => Ok(Place::Done),
            Effect::Discard => Err(ArchivoRefusal::NotLive),
            Effect::To(_) | Effect::Quarantine | Effect::Refused(_) | Effect::Never => {
                Err(ArchivoRefusal::OutOfPlace)
            }
        }
    }

    fn unmoved(&self) -> Moved {
        Moved {
            cierre: self.cierre.clone(),
            files: Vec::new(),
        }
    }
}

fn applied_moves(
    moves: Moves<'_>,
    cause: &Actor,
    motivo: &str,
    headcount: Option<u64>,
) -> Decision<Change<Moved>> {
    let Change { state, events } = moves.finish(cause, motivo, headcount);
    applied(state, events)
}

fn consolidated(archivo: ArchivoId, brought: &Consolidation) -> Vec<PayrollEvent> {
    let mut events = vec![
        PayrollEvent::ClasificacionCompletada {
            archivo,
            headers_clasificados: brought.headers_clasificados,
            creacion: brought.columnas_creacion.clone(),
            movimiento: brought.columnas_movimiento.clone(),
        },
        PayrollEvent::ConsolidacionCompletada {
            archivo,
            actualizados: brought.actualizados,
            creados: brought.creados,
        },
    ];
    if brought.creados > 0 {
        let cantidad = brought.creados;
        events.push(PayrollEvent::EmpleadoCreado { archivo, cantidad });
    }
    events
}
