//! Entities as they are shown.

use std::collections::BTreeMap;

use cierre_kernel::actor::Actor;
use cierre_kernel::id::{ArchivoId, CierreId, ClienteId, DiscrepanciaId, IncidenciaId, TrabajoId};
use cierre_kernel::time::Instant;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::entity::archivo::{Archivo, EstadoArchivo};
use crate::entity::cierre::{Cierre, EstadoCierre};
use crate::entity::cliente::Cliente;
use crate::entity::discrepancia::Discrepancia;
use crate::entity::incidencia::Incidencia;
use crate::entity::sello::Sello;
use crate::entity::trabajo::Trabajo;
use crate::kind::Kind;
use crate::registro::Registro;

/// A client.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClienteView {
    #[schema(value_type = String, example = "cli_01JD0000000000000000000000")]
    id: ClienteId,
    /// RUT, normalised.
    #[schema(example = "76086428-5")]
    rut: String,
    nombre: String,
    /// How strictly its months are compared: `tolerancia_pesos`, `umbral_variacion`, `umbrales`, `montos_prioridad`.
    #[schema(value_type = Object)]
    configuracion: Value,
    /// Username.
    creado_por: String,
    #[schema(value_type = String, format = DateTime)]
    creado_en: Instant,
    /// Counts the changes, from 1; also the `ETag`.
    version: u64,
}

impl ClienteView {
    pub(super) fn of(cliente: &Cliente) -> Self {
        Self {
            id: cliente.id,
            rut: cliente.rut.to_string(),
            nombre: cliente.nombre.clone(),
            configuracion: json(&cliente.configuracion),
            creado_por: cliente.creado_por.user.clone(),
            creado_en: cliente.creado_en,
            version: cliente.version,
        }
    }
}

/// A closing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CierreView {
    #[schema(value_type = String, example = "cie_01JD0000000000000000000000")]
    id: CierreId,
    #[schema(value_type = String)]
    cliente_id: ClienteId,
    #[schema(example = "2025-10")]
    periodo: String,
    #[schema(value_type = String, example = "archivos_completos")]
    estado: EstadoCierre,
    /// The files in force, by kind.
    #[schema(value_type = Object)]
    archivos: BTreeMap<Kind, ArchivoId>,
    /// Discrepancies and incidences as a whole: `vigente`, `generado_en`, and what was not evaluated or what was compared with.
    #[schema(value_type = Object)]
    resultados: Value,
    /// What it counts.
    #[schema(value_type = Object)]
    counts: Value,
    /// How often it was sealed.
    sellos: u32,
    /// Username.
    creado_por: String,
    #[schema(value_type = String, format = DateTime)]
    creado_en: Instant,
    /// Counts the changes, from 1; also the `ETag`.
    version: u64,
}

impl CierreView {
    pub(super) fn of(cierre: &Cierre) -> Self {
        Self {
            id: cierre.id,
            cliente_id: cierre.cliente_id,
            periodo: cierre.periodo.to_string(),
            estado: cierre.estado,
            archivos: cierre.archivos.clone(),
            resultados: json(&cierre.resultados),
            counts: json(&cierre.counts),
            sellos: cierre.sellos,
            creado_por: cierre.creado_por.user.clone(),
            creado_en: cierre.creado_en,
            version: cierre.version,
        }
    }
}

/// A file of a closing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ArchivoView {
    #[schema(value_type = String, example = "arc_01JD0000000000000000000000")]
    id: ArchivoId,
    #[schema(value_type = String)]
    cierre_id: CierreId,
    #[schema(value_type = String, example = "libro_remuneraciones")]
    tipo: Kind,
    nombre: String,
    /// `api` or `s3`.
    #[schema(example = "api")]
    origen: &'static str,
    #[schema(value_type = String, example = "procesado")]
    estado: EstadoArchivo,
    /// In force: what is shown and compared is this file's.
    vigente: bool,
    /// Bytes.
    tamano: u64,
    /// SHA-256 of the bytes that were read.
    hash: Option<String>,
    /// `xlsx` or `csv`.
    formato: Option<&'static str>,
    /// `utf-8`, `utf-8-sig` or `windows-1252`; null for workbooks.
    codificacion: Option<String>,
    /// Data rows.
    filas: u64,
    errores_total: u64,
    advertencias_total: u64,
    /// What to do about it, in `error`.
    mensaje: Option<String>,
    /// Username; `sistema` for what was dropped into the bucket.
    subido_por: String,
    #[schema(value_type = String, format = DateTime)]
    subido_en: Instant,
    /// Counts the changes, from 1; also the `ETag`.
    version: u64,
}

impl ArchivoView {
    pub(super) fn of(file: &Archivo, now: Instant) -> Self {
        Self {
            id: file.id,
            cierre_id: file.cierre_id,
            tipo: file.tipo,
            nombre: file.nombre.clone(),
            origen: file.origen.as_str(),
            estado: file.estado_at(now),
            vigente: file.vigente(),
            tamano: file.tamano,
            hash: file.hash.clone(),
            formato: file.formato.map(|formato| formato.as_str()),
            codificacion: file.codificacion.clone(),
            filas: file.filas.total(),
            errores_total: file.errores_total,
            advertencias_total: file.advertencias_total,
            mensaje: file.mensaje.clone(),
            subido_por: file.subido_por.user.clone(),
            subido_en: file.subido_en,
            version: file.version,
        }
    }
}

/// A row of a file in force.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegistroView {
    #[schema(value_type = String)]
    archivo_id: ArchivoId,
    #[schema(value_type = String, example = "libro_remuneraciones")]
    tipo: Kind,
    /// Empty for CSV.
    hoja: String,
    fila: u32,
    #[schema(example = "12345678-5")]
    rut: String,
    /// The cells by code or column, as text; empty ones are left out.
    #[schema(value_type = Object)]
    valores: BTreeMap<String, String>,
    /// Cells of columns that could not be classified, by their header.
    #[schema(value_type = Object)]
    otros: BTreeMap<String, String>,
}

impl RegistroView {
    pub(super) fn of(tipo: Kind, archivo_id: ArchivoId, row: &Registro) -> Self {
        let values = row.values.iter();
        let mut otros: BTreeMap<String, String> = BTreeMap::new();
        for (header, text) in &row.others {
            // Two columns of one header are two cells.
            let mut name = header.to_string();
            let mut nth = 2;
            while otros.contains_key(&name) {
                name = format!("{header} ({nth})");
                nth += 1;
            }
            otros.insert(name, text.to_string());
        }
        Self {
            archivo_id,
            tipo,
            hoja: row.sheet.to_string(),
            fila: row.row,
            rut: row.rut.to_string(),
            valores: values
                .map(|(field, value)| (field.name().into_owned(), crate::lre::wire_text(value)))
                .collect(),
            otros,
        }
    }
}

/// A discrepancy.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DiscrepanciaView {
    #[schema(value_type = String, example = "dis_7Z3K0000000000000000000000")]
    id: DiscrepanciaId,
    #[schema(example = "identidad_lre")]
    tipo: String,
    #[schema(example = "5201")]
    regla: String,
    /// `bloqueante` or `advertencia`.
    #[schema(example = "bloqueante")]
    severidad: String,
    #[schema(example = "12345678-5")]
    rut: String,
    /// `abierta`, `justificada` or `corregida`.
    #[schema(example = "abierta")]
    estado: String,
    /// The cells that disagree.
    #[schema(value_type = Vec<Object>)]
    ubicaciones: Value,
    esperado: Option<String>,
    encontrado: Option<String>,
    /// Found less expected.
    diferencia: Option<String>,
    /// The kind of file that lacks it.
    #[schema(value_type = Option<String>)]
    falta_en: Option<Kind>,
    /// What to do.
    sugerencia: String,
    /// Digest of the compared values.
    huella: String,
    /// Its steps, the first one first.
    #[schema(value_type = Vec<Object>)]
    historial: Value,
    /// Counts the changes, from 1; also the `ETag`.
    version: u64,
}

impl DiscrepanciaView {
    pub(super) fn of(one: &Discrepancia) -> Self {
        let found = &one.found;
        Self {
            id: found.id,
            tipo: found.tipo.to_string(),
            regla: found.regla.to_string(),
            severidad: found.severidad.to_string(),
            rut: found.rut.to_string(),
            estado: one.life.estado.to_string(),
            ubicaciones: json(&found.ubicaciones),
            esperado: found.esperado.clone(),
            encontrado: found.encontrado.clone(),
            diferencia: found.diferencia.clone(),
            falta_en: found.falta_en,
            sugerencia: found.sugerencia.clone(),
            huella: found.huella.clone(),
            historial: json(&one.life.historial),
            version: one.life.version,
        }
    }
}

/// An incidence.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IncidenciaView {
    #[schema(value_type = String, example = "inc_9A2B0000000000000000000000")]
    id: IncidenciaId,
    #[schema(example = "variacion_concepto")]
    tipo: String,
    #[schema(example = "12345678-5")]
    rut: String,
    /// Null when the whole employee is new or absent.
    #[schema(example = "2101")]
    codigo: Option<String>,
    #[schema(example = "600000")]
    anterior: Option<String>,
    #[schema(example = "780000")]
    actual: Option<String>,
    /// Without sign.
    #[schema(example = "180000")]
    diferencia: String,
    /// In percent, signed.
    #[schema(example = "30.00")]
    variacion: Option<String>,
    /// `critica`, `alta`, `media` or `baja`.
    #[schema(example = "media")]
    prioridad: String,
    #[schema(example = "pendiente")]
    estado: String,
    resolucion: Option<&'static str>,
    justificacion: Option<String>,
    /// Username.
    analista: Option<String>,
    /// Username.
    supervisor: Option<String>,
    /// The row of incidencias_externas in which the client announced it.
    #[schema(value_type = Option<Object>)]
    respaldo: Value,
    /// Digest of the compared amounts.
    huella: String,
    /// Its steps, the first one first.
    #[schema(value_type = Vec<Object>)]
    historial: Value,
    /// Counts the changes, from 1; also the `ETag`.
    version: u64,
}

impl IncidenciaView {
    pub(super) fn of(one: &Incidencia) -> Self {
        let (found, said) = (&one.found, &one.explicacion);
        let user = |actor: &Option<Actor>| actor.as_ref().map(|actor| actor.user.clone());
        Self {
            id: found.id,
            tipo: found.tipo.to_string(),
            rut: found.rut.to_string(),
            codigo: found.codigo.map(|code| code.to_string()),
            anterior: found.anterior.map(|pesos| pesos.to_string()),
            actual: found.actual.map(|pesos| pesos.to_string()),
            diferencia: found.diferencia.to_string(),
            variacion: found.variacion.map(|percent| percent.to_string()),
            prioridad: found.prioridad.to_string(),
            estado: one.life.estado.to_string(),
            resolucion: said.resolucion.map(|word| word.as_str()),
            justificacion: said.justificacion.clone(),
            analista: user(&said.analista),
            supervisor: user(&said.supervisor),
            respaldo: json(&found.respaldo),
            huella: found.huella.clone(),
            historial: json(&one.life.historial),
            version: one.life.version,
        }
    }
}

/// A seal.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SelloView {
    #[schema(value_type = String)]
    cierre_id: CierreId,
    /// From 1.
    numero: u32,
    /// SHA-256 of the manifest's canonical JSON (RFC 8785).
    sello: String,
    /// What was sealed.
    #[schema(value_type = Object)]
    manifiesto: Value,
    /// Username.
    creado_por: String,
    #[schema(value_type = String, format = DateTime)]
    creado_en: Instant,
}

impl SelloView {
    pub(super) fn of(sello: &Sello) -> Self {
        Self {
            cierre_id: sello.cierre_id,
            numero: sello.numero,
            sello: sello.sello.clone(),
            manifiesto: sello.manifiesto.clone(),
            creado_por: sello.creado_por.user.clone(),
            creado_en: sello.creado_en,
        }
    }
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TrabajoView {
    #[schema(value_type = String, example = "tra_01JD0000000000000000000000")]
    id: TrabajoId,
    #[schema(value_type = String)]
    cierre_id: CierreId,
    /// `generar_discrepancias` or `generar_incidencias`.
    #[schema(example = "generar_discrepancias")]
    tipo: &'static str,
    /// `en_cola`, `en_proceso`, `completado` or `error`.
    #[schema(example = "completado")]
    estado: &'static str,
    total: u64,
    hechos: u64,
    aplicados: u64,
    no_aplicados: u64,
    /// In percent.
    #[schema(maximum = 100)]
    progreso: u8,
    /// Its attempts, with their errors.
    #[schema(value_type = Vec<Object>)]
    intentos: Value,
    /// What it came to.
    #[schema(value_type = Option<Object>)]
    resultado: Option<Value>,
    /// Why it failed, for programs.
    codigo: Option<&'static str>,
    /// Why it failed and what to do.
    mensaje: Option<String>,
    /// Username.
    iniciado_por: String,
    #[schema(value_type = String, format = DateTime)]
    creado_en: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    inicio: Option<Instant>,
    #[schema(value_type = Option<String>, format = DateTime)]
    fin: Option<Instant>,
    version: u64,
}

impl TrabajoView {
    pub(super) fn of(job: &Trabajo) -> Self {
        Self {
            id: job.id,
            cierre_id: job.cierre_id,
            tipo: job.tipo.as_str(),
            estado: job.estado.as_str(),
            total: job.total,
            hechos: job.hechos,
            aplicados: job.aplicados,
            no_aplicados: job.no_aplicados,
            progreso: job.progreso,
            intentos: json(&job.intentos),
            resultado: job.resultado.clone(),
            codigo: job.codigo.map(|code| code.as_str()),
            mensaje: job.mensaje.clone(),
            iniciado_por: job.iniciado_por.user.clone(),
            creado_en: job.creado_en,
            inicio: job.inicio,
            fin: job.fin,
            version: job.version,
        }
    }
}

/// What a job was asked to do, and where it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TrabajoAccepted {
    #[schema(value_type = String, example = "tra_01JD0000000000000000000000")]
    pub(super) trabajo_id: TrabajoId,
    #[schema(example = "en_cola")]
    pub(super) estado: &'static str,
}

/// A file to be downloaded.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Descarga {
    /// Where it is; good for five minutes, without a token.
    pub(super) url: String,
    /// A name to keep it under.
    pub(super) nombre: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    #[schema(value_type = String, format = DateTime)]
    pub(super) expires_at: Instant,
}

/// An answer that holds a file to be downloaded.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DescargaView {
    pub(super) descarga: Descarga,
}

/// What has a JSON form in storage has one here.
pub(super) fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
