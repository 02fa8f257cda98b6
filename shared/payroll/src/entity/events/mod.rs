//! Every activity event of payroll. No other one can be built: [`PayrollEvent`] has one variant per kind, and [`ROWS`] lists them.

mod entry;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::event::EventType;
use cierre_kernel::id::{ArchivoId, CierreId, ClienteId, DiscrepanciaId, IncidenciaId};
use serde_json::{Map, Value, json};

use super::archivo::{EstadoArchivo, Origen, RowsBySheet};
use super::cierre::EstadoCierre;
use super::drop::Motivo;
use super::incidencia::{Decision, Resolucion};
use crate::amount::Pesos;
use crate::kind::Kind;
use crate::lre::Code;
use crate::period::Period;
use crate::rules::discrepancies::{Regla, TipoDiscrepancia};
use crate::rules::incidencias::TipoIncidencia;

pub use entry::*;
pub use rows::*;

cierre_kernel::words! {
    /// What somebody downloaded.
    pub enum Reporte {
        /// The findings of a file as CSV.
        Errores = "errores",
        /// The payroll book for the authority.
        Libro = "libro",
    }
}

/// The file that an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef {
    /// Its id.
    pub id: ArchivoId,
    /// Its kind, which is the resource type.
    pub tipo: Kind,
    /// Its name.
    pub nombre: String,
}

/// What happened. Each variant is a row of [`ROWS`], or the rows that differ by the kind of file only.
#[derive(Clone, Debug, PartialEq)]
// The fields are the members of the details; the contract says what they hold.
#[allow(missing_docs)]
pub enum PayrollEvent {
    /// A closing began.
    CierreCreado { cierre: CierreId, periodo: Period },
    /// Somebody asked for an upload's address.
    UploadIniciado { file: FileRef, tamano: u64 },
    /// A file's object arrived.
    ArchivoSubido {
        file: FileRef,
        tamano: u64,
        origen: Origen,
    },
    /// A file has no error. `replaces`: another file of the kind was in force.
    ArchivoValidado {
        file: FileRef,
        tamano: u64,
        hash: String,
        registros: u64,
        replaces: bool,
    },
    /// A file has errors.
    ValidacionFallida {
        file: FileRef,
        errores_total: u64,
        reglas: BTreeMap<String, u64>,
    },
    /// An object was put aside.
    Cuarentena {
        tipo: Option<Kind>,
        clave: String,
        motivo: Motivo,
    },
    /// A file's rows begin to be written.
    ProcesamientoIniciado { file: FileRef },
    /// A file is in force.
    ProcesamientoCompletado {
        file: FileRef,
        headers_detectados: u64,
        registros: u64,
        millis: u64,
    },
    /// The columns of novedades were classified.
    ClasificacionCompletada {
        archivo: ArchivoId,
        headers_clasificados: u64,
        creacion: Vec<String>,
        movimiento: Vec<String>,
    },
    /// The employees of novedades were merged into the closing's.
    ConsolidacionCompletada {
        archivo: ArchivoId,
        actualizados: u64,
        creados: u64,
    },
    /// Novedades brought employees that were not known.
    EmpleadoCreado { archivo: ArchivoId, cantidad: u64 },
    /// A file could not be processed.
    ProcesamientoError {
        file: FileRef,
        mensaje: String,
        intentos: u32,
    },
    /// A file was deleted, or replaced by a newer one.
    ArchivoEliminado {
        file: FileRef,
        estado_anterior: EstadoArchivo,
        motivo: String,
        registros: RowsBySheet,
    },
    /// Discrepancies were generated; `tipos` counts those that stand, by kind.
    DiscrepanciasGeneradas {
        tipos: BTreeMap<TipoDiscrepancia, u64>,
    },
    /// Somebody justified a discrepancy.
    DiscrepanciaJustificada {
        id: DiscrepanciaId,
        tipo: TipoDiscrepancia,
        regla: Regla,
        justificacion: String,
    },
    /// So many discrepancies are gone with the files that held them.
    DiscrepanciasCorregidas { cantidad: u64 },
    /// Incidences were generated.
    IncidenciasGeneradas {
        total: u64,
        empleados: u64,
        conceptos: BTreeSet<Code>,
        monto_total: Pesos,
    },
    /// An analyst explained an incidence.
    IncidenciaResuelta {
        id: IncidenciaId,
        tipo: TipoIncidencia,
        resolucion: Resolucion,
        justificacion: String,
    },
    /// A supervisor approved or rejected the explanation.
    IncidenciaDecidida {
        id: IncidenciaId,
        tipo: TipoIncidencia,
        resolucion: Option<Resolucion>,
        justificacion: Option<String>,
        decision: Decision,
        comentario: Option<String>,
    },
    /// A closing was sealed.
    CierreFinalizado {
        cierre: CierreId,
        periodo: Period,
        empleados: u64,
        registros: u64,
        incidencias_pendientes: u64,
        sello: String,
        numero: u32,
    },
    /// A closing's state changed.
    CierreActualizado {
        cierre: CierreId,
        anterior: EstadoCierre,
        nuevo: EstadoCierre,
        motivo: String,
    },
    /// A file is processed once more.
    ArchivoActualizado {
        file: FileRef,
        anterior: EstadoArchivo,
        nuevo: EstadoArchivo,
        motivo: String,
    },
    /// A closing was deleted.
    CierreEliminado {
        cierre: CierreId,
        periodo: Period,
        estado_anterior: EstadoCierre,
        motivo: String,
        archivos: u64,
    },
    /// A client was entered.
    ClienteCreado {
        cliente: ClienteId,
        campos: Vec<String>,
    },
    /// A client changed.
    ClienteModificado {
        cliente: ClienteId,
        campos: Vec<String>,
    },
    /// The findings of a file were downloaded.
    ErroresVistos { file: FileRef },
    /// The book was downloaded.
    LibroVisto { cierre: CierreId },
    /// The timeline was read.
    TimelineConsultado {
        cierre: CierreId,
        filtros: BTreeMap<String, String>,
    },
}

impl PayrollEvent {
    /// Its row.
    pub const fn row(&self) -> &'static Row {
        match self {
            Self::CierreCreado { .. } => &CIERRE_CREADO,
            Self::UploadIniciado { .. } => &UPLOAD_INICIADO,
            Self::ArchivoSubido { .. } => &ARCHIVO_SUBIDO,
            Self::ArchivoValidado { file, .. } => match file.tipo {
                Kind::LibroRemuneraciones | Kind::Novedades => &VALIDADO_TAMANO,
                Kind::MovimientosMes => &VALIDADO_MOVIMIENTOS,
                Kind::Finiquitos | Kind::Ausentismos | Kind::IncidenciasExternas => {
                    &VALIDADO_DOCUMENTO
                }
                Kind::Ingresos => &VALIDADO_INGRESOS,
            },
            Self::ValidacionFallida { .. } => &VALIDACION_FALLIDA,
            Self::Cuarentena { .. } => &CUARENTENA,
            Self::ProcesamientoIniciado { .. } => &PROCESAMIENTO_INICIADO,
            Self::ProcesamientoCompletado { .. } => &PROCESAMIENTO_COMPLETADO,
            Self::ClasificacionCompletada { .. } => &CLASIFICACION_COMPLETADA,
            Self::ConsolidacionCompletada { .. } => &CONSOLIDACION_COMPLETADA,
            Self::EmpleadoCreado { .. } => &EMPLEADO_CREADO,
            Self::ProcesamientoError { .. } => &PROCESAMIENTO_ERROR,
            Self::ArchivoEliminado { file, .. } => match file.tipo {
                Kind::LibroRemuneraciones => &ELIMINADO_LIBRO,
                Kind::MovimientosMes => &ELIMINADO_MOVIMIENTOS,
                Kind::Finiquitos | Kind::Novedades => &ELIMINADO_REGISTROS,
                Kind::Ausentismos | Kind::IncidenciasExternas => &ELIMINADO_DOCUMENTO,
                Kind::Ingresos => &ELIMINADO_INGRESOS,
            },
            Self::DiscrepanciasGeneradas { .. } => &DISCREPANCIAS_GENERADAS,
            Self::DiscrepanciaJustificada { .. } => &DISCREPANCIA_JUSTIFICADA,
            Self::DiscrepanciasCorregidas { .. } => &DISCREPANCIAS_CORREGIDAS,
            Self::IncidenciasGeneradas { .. } => &INCIDENCIAS_GENERADAS,
            Self::IncidenciaResuelta { .. } => &INCIDENCIA_RESUELTA,
            Self::IncidenciaDecidida { .. } => &INCIDENCIA_DECIDIDA,
            Self::CierreFinalizado { .. } => &CIERRE_FINALIZADO,
            Self::CierreActualizado { .. } | Self::ArchivoActualizado { .. } => &ESTADO_ACTUALIZADO,
            Self::CierreEliminado { .. } => &CIERRE_ELIMINADO,
            Self::ClienteCreado { .. } => &CLIENTE_CREADO,
            Self::ClienteModificado { .. } => &DATOS_MODIFICADOS,
            Self::ErroresVistos { .. } | Self::LibroVisto { .. } => &REPORTE_VISTO,
            Self::TimelineConsultado { .. } => &TIMELINE_CONSULTADO,
        }
    }

    /// Kind of change.
    pub const fn event_type(&self) -> EventType {
        self.row().event_type
    }

    /// The change in a word.
    pub const fn action(&self) -> &'static str {
        self.row().action
    }

    /// Kind of resource and which one; the latter is empty for sets and for what is in quarantine.
    fn resource(&self) -> (&'static str, String) {
        match self {
            Self::UploadIniciado { file, .. }
            | Self::ArchivoSubido { file, .. }
            | Self::ArchivoValidado { file, .. }
            | Self::ValidacionFallida { file, .. }
            | Self::ProcesamientoIniciado { file }
            | Self::ProcesamientoCompletado { file, .. }
            | Self::ProcesamientoError { file, .. }
            | Self::ArchivoEliminado { file, .. }
            | Self::ArchivoActualizado { file, .. }
            | Self::ErroresVistos { file } => (file.tipo.as_str(), file.id.to_string()),
            Self::ClasificacionCompletada { archivo, .. }
            | Self::ConsolidacionCompletada { archivo, .. }
            | Self::EmpleadoCreado { archivo, .. } => {
                (Kind::Novedades.as_str(), archivo.to_string())
            }
            Self::CierreCreado { cierre, .. }
            | Self::CierreFinalizado { cierre, .. }
            | Self::CierreActualizado { cierre, .. }
            | Self::CierreEliminado { cierre, .. }
            | Self::LibroVisto { cierre }
            | Self::TimelineConsultado { cierre, .. } => (CIERRE, cierre.to_string()),
            Self::Cuarentena { tipo, .. } => (tipo.map_or(CIERRE, Kind::as_str), String::new()),
            Self::DiscrepanciasGeneradas { .. } | Self::DiscrepanciasCorregidas { .. } => {
                (DISCREPANCIAS, String::new())
            }
            Self::DiscrepanciaJustificada { id, .. } => (DISCREPANCIAS, id.to_string()),
            Self::IncidenciasGeneradas { .. } => (INCIDENCIAS, String::new()),
            Self::IncidenciaResuelta { id, .. } | Self::IncidenciaDecidida { id, .. } => {
                (INCIDENCIAS, id.to_string())
            }
            Self::ClienteCreado { cliente, .. } | Self::ClienteModificado { cliente, .. } => {
                (CLIENTE, cliente.to_string())
            }
        }
    }

    /// Kind of resource.
    pub fn resource_type(&self) -> &'static str {
        self.resource().0
    }

    /// Which resource; empty for sets and for what is in quarantine.
    pub fn resource_id(&self) -> String {
        self.resource().1
    }

    /// The details, with exactly the members that the row names.
    pub fn details(&self) -> Map<String, Value> {
        // Every value that some row of this variant shows; the row picks its own.
        let mut members = match self.members() {
            Value::Object(members) => members,
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)) => Map::from_iter([("valor".to_owned(), other)]),
        };
        members.retain(|name, _| self.row().details.contains(&name.as_str()));
        members
    }

    fn members(&self) -> Value {
        match self {
            Self::CierreCreado { periodo, .. } => json!({
                "periodo": periodo, "mes": periodo.month(), "anio": periodo.year(),
            }),
            Self::UploadIniciado { file, tamano } => json!({
                "archivo_nombre": file.nombre, "archivo_size": tamano,
            }),
            Self::ArchivoSubido {
                file,
                tamano,
                origen,
            } => json!({
                "archivo_nombre": file.nombre, "archivo_size": tamano, "origen": origen,
            }),
            Self::ArchivoValidado {
                file,
                tamano,
                hash,
                registros,
                replaces,
            } => json!({
                "archivo_nombre": file.nombre,
                "archivo_size": tamano,
                "accion_db": if *replaces { "actualizado" } else { "creado" },
                "tipo_documento": file.tipo,
                "registros_procesados": registros,
                "hash": hash,
            }),
            Self::ValidacionFallida {
                file,
                errores_total,
                reglas,
            } => json!({
                "archivo_nombre": file.nombre, "errores_total": errores_total, "reglas": reglas,
            }),
            Self::Cuarentena { clave, motivo, .. } => json!({ "clave": clave, "motivo": motivo }),
            Self::ProcesamientoIniciado { file } => json!({ "archivo_nombre": file.nombre }),
            Self::ProcesamientoCompletado {
                headers_detectados,
                registros,
                millis,
                ..
            } => json!({
                "headers_detectados": headers_detectados,
                "registros_procesados": registros,
                "duracion_segundos": seconds(*millis),
            }),
            Self::ClasificacionCompletada {
                headers_clasificados,
                creacion,
                movimiento,
                ..
            } => json!({
                "headers_clasificados": headers_clasificados,
                "columnas_creacion": creacion,
                "columnas_movimiento": movimiento,
            }),
            Self::ConsolidacionCompletada {
                actualizados,
                creados,
                ..
            } => json!({
                "empleados_actualizados": actualizados, "empleados_creados": creados,
            }),
            Self::EmpleadoCreado { archivo, cantidad } => json!({
                "archivo_id": archivo, "cantidad": cantidad,
            }),
            Self::ProcesamientoError {
                file,
                mensaje,
                intentos,
            } => json!({
                "archivo_nombre": file.nombre, "mensaje": mensaje, "intentos": intentos,
            }),
            Self::ArchivoEliminado {
                file,
                estado_anterior,
                motivo,
                registros,
            } => json!({
                "archivo_nombre": file.nombre,
                "movimientos_eliminados": registros.movements(),
                "registros_eliminados": registros.total(),
                "registros_procesados": registros.total(),
                "tipo_documento": file.tipo,
                "estado_anterior": estado_anterior,
                "motivo": motivo,
            }),
            Self::DiscrepanciasGeneradas { tipos } => json!({
                "total_discrepancias": tipos.values().sum::<u64>(), "tipos": every_kind(tipos),
            }),
            Self::DiscrepanciaJustificada {
                tipo,
                regla,
                justificacion,
                ..
            } => json!({
                "tipo": tipo, "regla": regla, "modo": "justificada", "justificacion": justificacion,
            }),
            Self::DiscrepanciasCorregidas { cantidad } => json!({
                "modo": "resubida", "cantidad": cantidad,
            }),
            Self::IncidenciasGeneradas {
                total,
                empleados,
                conceptos,
                monto_total,
            } => json!({
                "total_incidencias": total,
                "empleados_afectados": empleados,
                "conceptos_afectados": conceptos,
                "monto_total_diferencias": monto_total,
            }),
            Self::IncidenciaResuelta {
                tipo,
                resolucion,
                justificacion,
                ..
            } => json!({
                "incidencia_tipo": tipo, "resolucion": resolucion, "justificacion": justificacion,
            }),
            Self::IncidenciaDecidida {
                tipo,
                resolucion,
                justificacion,
                decision,
                comentario,
                ..
            } => json!({
                "incidencia_tipo": tipo,
                "resolucion": resolucion,
                "justificacion": justificacion,
                "decision": decision,
                "comentario": comentario,
            }),
            Self::CierreFinalizado {
                periodo,
                empleados,
                registros,
                incidencias_pendientes,
                sello,
                numero,
                ..
            } => json!({
                "periodo": periodo,
                "total_empleados": empleados,
                "total_registros": registros,
                "incidencias_pendientes": incidencias_pendientes,
                "estado_final": EstadoCierre::Finalizado,
                "sello": sello,
                "numero": numero,
            }),
            Self::CierreActualizado {
                anterior,
                nuevo,
                motivo,
                ..
            } => json!({
                "estado_anterior": anterior, "estado_nuevo": nuevo, "motivo": motivo,
            }),
            Self::ArchivoActualizado {
                anterior,
                nuevo,
                motivo,
                ..
            } => json!({
                "estado_anterior": anterior, "estado_nuevo": nuevo, "motivo": motivo,
            }),
            Self::CierreEliminado {
                periodo,
                estado_anterior,
                motivo,
                archivos,
                ..
            } => json!({
                "periodo": periodo,
                "estado_anterior": estado_anterior,
                "motivo": motivo,
                "archivos": archivos,
            }),
            Self::ClienteCreado { campos, .. } | Self::ClienteModificado { campos, .. } => {
                json!({ "campos": campos })
            }
            Self::ErroresVistos { .. } => json!({ "reporte": Reporte::Errores }),
            Self::LibroVisto { .. } => json!({ "reporte": Reporte::Libro }),
            Self::TimelineConsultado { filtros, .. } => json!({ "filtros": filtros }),
        }
    }
}

/// Every kind of discrepancy with its count, zeros included.
fn every_kind(counted: &BTreeMap<TipoDiscrepancia, u64>) -> BTreeMap<TipoDiscrepancia, u64> {
    TipoDiscrepancia::ALL
        .iter()
        .map(|tipo| (*tipo, counted.get(tipo).copied().unwrap_or_default()))
        .collect()
}

/// A duration as a number of seconds with its milliseconds, exact: no binary floating point takes part.
fn seconds(millis: u64) -> Value {
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    serde_json::from_str(text).unwrap_or(Value::Null)
}
