//! Every activity event of payables. No other one can be built: [`PayablesEvent`] has one variant per kind, and [`ROWS`] lists them.

mod entry;
mod rows;

use std::collections::BTreeMap;

use cierre_kernel::codes::Code;
use cierre_kernel::id::{FacturaId, TrabajoFacturasId};
use serde_json::{Map, Value, json};

use super::asignacion::Encargo;
use super::delegacion::Delegacion;
use super::factura::{Factura, Origen};
use super::politica::Politica;
use super::trabajo::TipoTrabajo;
use super::workflow::{Accion, Calidad, Workflow};
use crate::importe::Importe;
use crate::nit::Nit;
use crate::rules::comparacion::Comparacion;
use crate::rules::sincronizacion::Estado;

pub use entry::*;
pub use rows::*;

/// The resource id of the policy: a company has one.
pub const LA_POLITICA: &str = "politica";

/// What a decision adds to what the factura and its round say after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolucion {
    /// Where the factura stood.
    pub estado_anterior: Estado,
    /// By which right it was decided.
    pub calidad: Calidad,
    /// Why, of a rejection.
    pub motivo: Option<String>,
    /// What automatic approval came to.
    pub comparacion: Option<Comparacion>,
    /// It passed in spite of segregation of duties.
    pub sod_excepcion: bool,
}

impl Resolucion {
    /// The event of a decision that led to this factura and this round.
    #[must_use]
    pub fn event(self, factura: &Factura, workflow: &Workflow) -> PayablesEvent {
        let fields = factura.sincronizado();
        PayablesEvent::FacturaResuelta(Box::new(Resuelta {
            factura: factura.id,
            estado_nuevo: fields.estado(),
            accion_por: fields.accion_por().map(|one| one.nombre.clone()),
            responsable: factura.responsable().map(|one| one.nombre.clone()),
            a_nombre_de: fields.a_nombre_de().map(|one| one.nombre.clone()),
            ronda: workflow.ronda,
            aprobaciones: workflow.progress(),
            politica_version: workflow.politica.version,
            resolucion: self,
        }))
    }
}

/// A decision, as its event tells it.
#[derive(Clone, Debug, PartialEq)]
// The fields are the members of the details; the contract says what they hold.
#[allow(missing_docs)]
pub struct Resuelta {
    pub factura: FacturaId,
    pub estado_nuevo: Estado,
    pub accion_por: Option<String>,
    pub responsable: Option<String>,
    pub a_nombre_de: Option<String>,
    pub ronda: u32,
    pub aprobaciones: String,
    pub politica_version: u64,
    pub resolucion: Resolucion,
}

/// What happened. Each variant is a row of [`ROWS`], or the rows that differ by what is told.
#[derive(Clone, Debug, PartialEq)]
// The fields are the members of the details; the contract says what they hold.
#[allow(missing_docs)]
pub enum PayablesEvent {
    /// A factura came.
    FacturaRegistrada {
        factura: FacturaId,
        numero: String,
        nit: Nit,
        importe: Importe,
        responsable: Option<String>,
        origen: Origen,
    },
    /// Somebody, or the rule, decided.
    FacturaResuelta(Box<Resuelta>),
    /// Another round began.
    FacturaReabierta {
        factura: FacturaId,
        estado_anterior: Estado,
        ronda: u32,
        motivo: String,
    },
    /// Somebody answers for it from now on.
    ResponsableAsignado {
        factura: FacturaId,
        responsable: String,
    },
    /// A factura was deleted.
    FacturaEliminada {
        factura: FacturaId,
        numero: String,
        nit: Nit,
        total: Importe,
    },
    /// Somebody was denied a decision.
    DecisionDenegada {
        factura: FacturaId,
        accion: Accion,
        code: Code,
    },
    /// People were told that a round waits; `escalado` of the second time.
    Aviso {
        factura: FacturaId,
        escalado: bool,
        dias_habiles: u32,
        ronda: u32,
        destinatarios: Vec<String>,
    },
    /// The fields that follow from the round were written anew.
    AccionPorReparada {
        factura: FacturaId,
        antes: BTreeMap<&'static str, Value>,
        despues: BTreeMap<&'static str, Value>,
    },
    /// Somebody read the history.
    HistorialConsultado { factura: FacturaId },
    /// An electronic invoice arrived. `recurso`: its upload, or its key where nobody announced it.
    XmlRecibido {
        recurso: String,
        clave: String,
        tamano: u64,
    },
    /// An electronic invoice became no factura.
    IngresoRechazado {
        recurso: String,
        code: Code,
        linea: Option<u32>,
        columna: Option<u32>,
        ruta_xml: Option<String>,
    },
    /// An assignment came, changed or went.
    Asignacion {
        nit: Nit,
        antes: Option<Encargo>,
        despues: Option<Encargo>,
    },
    /// A delegation was given or taken back.
    Delegacion {
        delegacion: Box<Delegacion>,
        revocada: bool,
    },
    /// The policy has another version.
    PoliticaModificada {
        version: u64,
        antes: Box<Politica>,
        despues: Box<Politica>,
    },
    /// A job ended.
    TrabajoTerminado {
        trabajo: TrabajoFacturasId,
        tipo: TipoTrabajo,
        total: u64,
        aplicados: u64,
        no_aplicados: u64,
        dry_run: bool,
        error: bool,
    },
}

impl PayablesEvent {
    /// Its row.
    #[must_use]
    pub fn row(&self) -> &'static Row {
        match self {
            Self::FacturaRegistrada { .. } => &REGISTRADA,
            Self::FacturaResuelta(resuelta) => match resuelta.estado_nuevo {
                // No decision leaves a factura where nobody decided.
                Estado::EnRevision | Estado::Pendiente => &APROBADA_PARCIAL,
                Estado::Aprobada => &APROBADA,
                Estado::AprobadaAuto => &APROBADA_AUTO,
                Estado::Rechazada => &RECHAZADA,
            },
            Self::FacturaReabierta { .. } => &REABIERTA,
            Self::ResponsableAsignado { .. } => &RESPONSABLE_ASIGNADO,
            Self::FacturaEliminada { .. } => &ELIMINADA,
            Self::DecisionDenegada { .. } => &DENEGADA,
            Self::Aviso { escalado, .. } => {
                if *escalado {
                    &ESCALAMIENTO
                } else {
                    &RECORDATORIO
                }
            }
            Self::AccionPorReparada { .. } => &REPARADA,
            Self::HistorialConsultado { .. } => &HISTORIAL,
            Self::XmlRecibido { .. } => &XML_RECIBIDO,
            Self::IngresoRechazado { .. } => &INGRESO_RECHAZADO,
            Self::Asignacion { antes, despues, .. } => match (antes, despues) {
                (None, Some(_) | None) => &ASIGNACION_CREADA,
                (Some(_), Some(_)) => &ASIGNACION_MODIFICADA,
                (Some(_), None) => &ASIGNACION_ELIMINADA,
            },
            Self::Delegacion { revocada, .. } => {
                if *revocada {
                    &DELEGACION_REVOCADA
                } else {
                    &DELEGACION_CREADA
                }
            }
            Self::PoliticaModificada { .. } => &POLITICA_MODIFICADA,
            Self::TrabajoTerminado { error, .. } => {
                if *error {
                    &TRABAJO_ERROR
                } else {
                    &TRABAJO_COMPLETADO
                }
            }
        }
    }

    /// The change in a word.
    #[must_use]
    pub fn action(&self) -> &'static str {
        self.row().action
    }

    /// Which resource.
    #[must_use]
    pub fn resource_id(&self) -> String {
        match self {
            Self::FacturaRegistrada { factura, .. }
            | Self::FacturaReabierta { factura, .. }
            | Self::ResponsableAsignado { factura, .. }
            | Self::FacturaEliminada { factura, .. }
            | Self::DecisionDenegada { factura, .. }
            | Self::Aviso { factura, .. }
            | Self::AccionPorReparada { factura, .. }
            | Self::HistorialConsultado { factura } => factura.to_string(),
            Self::FacturaResuelta(resuelta) => resuelta.factura.to_string(),
            Self::XmlRecibido { recurso, .. } | Self::IngresoRechazado { recurso, .. } => {
                recurso.clone()
            }
            Self::Asignacion { nit, .. } => nit.to_string(),
            Self::Delegacion { delegacion, .. } => delegacion.id.to_string(),
            Self::PoliticaModificada { .. } => LA_POLITICA.to_owned(),
            Self::TrabajoTerminado { trabajo, .. } => trabajo.to_string(),
        }
    }

    /// The details, with exactly the members that the row names.
    #[must_use]
    pub fn details(&self) -> Map<String, Value> {
        match self.members() {
            Value::Object(members) => members,
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)) => Map::from_iter([("valor".to_owned(), other)]),
        }
    }

    fn members(&self) -> Value {
        match self {
            Self::FacturaRegistrada {
                numero,
                nit,
                importe,
                responsable,
                origen,
                ..
            } => json!({
                "numero": numero,
                "nit": nit,
                "moneda": importe.moneda(),
                "total": importe.0,
                "responsable": responsable,
                "origen": origen,
            }),
            Self::FacturaResuelta(resuelta) => decision(resuelta),
            Self::FacturaReabierta {
                estado_anterior,
                ronda,
                motivo,
                ..
            } => json!({ "estado_anterior": estado_anterior, "ronda": ronda, "motivo": motivo }),
            Self::ResponsableAsignado { responsable, .. } => json!({ "responsable": responsable }),
            Self::FacturaEliminada {
                numero, nit, total, ..
            } => json!({ "numero": numero, "nit": nit, "total": total.0 }),
            Self::DecisionDenegada { accion, code, .. } => {
                json!({ "accion": accion, "code": code })
            }
            Self::Aviso {
                dias_habiles,
                ronda,
                destinatarios,
                ..
            } => json!({
                "dias_habiles": dias_habiles,
                "ronda": ronda,
                "destinatarios": destinatarios,
            }),
            Self::AccionPorReparada { antes, despues, .. } => {
                json!({ "antes": antes, "despues": despues })
            }
            Self::HistorialConsultado { .. } => json!({}),
            Self::XmlRecibido { clave, tamano, .. } => json!({ "clave": clave, "tamano": tamano }),
            Self::IngresoRechazado {
                code,
                linea,
                columna,
                ruta_xml,
                ..
            } => json!({
                "code": code,
                "linea": linea,
                "columna": columna,
                "ruta_xml": ruta_xml,
            }),
            Self::Asignacion {
                nit,
                antes,
                despues,
            } => json!({ "nit": nit, "antes": shown(antes), "despues": shown(despues) }),
            Self::Delegacion { delegacion, .. } => json!({
                "de": delegacion.de.usuario,
                "a": delegacion.a.usuario,
                "desde": delegacion.desde,
                "hasta": delegacion.hasta,
                "motivo": delegacion.motivo,
            }),
            Self::PoliticaModificada {
                version,
                antes,
                despues,
            } => json!({ "version": version, "antes": antes, "despues": despues }),
            Self::TrabajoTerminado {
                tipo,
                total,
                aplicados,
                no_aplicados,
                dry_run,
                ..
            } => json!({
                "tipo": tipo,
                "total": total,
                "aplicados": aplicados,
                "no_aplicados": no_aplicados,
                "dry_run": dry_run,
            }),
        }
    }
}

fn decision(resuelta: &Resuelta) -> Value {
    let Resolucion {
        estado_anterior,
        calidad,
        motivo,
        comparacion,
        sod_excepcion,
    } = &resuelta.resolucion;
    json!({
        "estado_anterior": estado_anterior,
        "estado_nuevo": resuelta.estado_nuevo,
        "accion_por": resuelta.accion_por,
        "responsable": resuelta.responsable,
        "calidad": calidad,
        "a_nombre_de": resuelta.a_nombre_de,
        "ronda": resuelta.ronda,
        "aprobaciones": resuelta.aprobaciones,
        "politica_version": resuelta.politica_version,
        "motivo": motivo,
        "comparacion": comparacion,
        "sod_excepcion": sod_excepcion,
    })
}

/// An assignment as its events show it.
fn shown(encargo: &Option<Encargo>) -> Value {
    encargo.as_ref().map_or(Value::Null, |encargo| {
        json!({
            "responsable": encargo.responsable.nombre,
            "responsable_usuario": encargo.responsable.usuario,
            "nombre_proveedor": encargo.nombre_proveedor,
        })
    })
}
