//! Bodies and answers of the routes of jobs.

use cierre_kernel::codes::Code;
use cierre_kernel::id::{FacturaId, TrabajoFacturasId};
use cierre_kernel::time::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::nueva::FacturaBody;
use crate::entity::trabajo::{ItemError, Outcome, Trabajo};
use crate::rules::consistencia::Divergencia;

/// Facturas to be registered.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
pub(super) struct FacturaLoteBody {
    #[schema(min_items = 1, max_items = 500)]
    facturas: Vec<FacturaBody>,
    /// Only says what would be done.
    dry_run: Option<bool>,
}

/// How a factura of before was decided.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
pub(super) struct HistoricoWorkflowBody {
    /// `recibida`, `aprobada_manual`, `aprobada_auto` or `rechazada`; any other word reads as undecided.
    estado: String,
    aprobada_por: Option<String>,
    #[schema(format = DateTime)]
    fecha_aprobacion: Option<String>,
    rechazada_por: Option<String>,
    #[schema(format = DateTime)]
    fecha_rechazo: Option<String>,
    detalle_rechazo: Option<String>,
}

/// A factura of before.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
pub(super) struct FacturaHistoricaBody {
    #[schema(inline)]
    #[serde(flatten)]
    factura: FacturaBody,
    workflow: HistoricoWorkflowBody,
}

/// Facturas to be taken over with their decisions.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
pub(super) struct HistoricoBody {
    #[schema(min_items = 1, max_items = 500)]
    facturas: Vec<FacturaHistoricaBody>,
}

/// One decision on many facturas.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "accion": "aprobar", "ids": ["fac_01JD0000000000000000000000"], "dry_run": true }))]
pub(super) struct DecisionesBody {
    /// `aprobar` or `rechazar`.
    accion: String,
    /// Different ones.
    #[schema(min_items = 1, max_items = 500)]
    ids: Vec<String>,
    /// To reject: 3 to 1000 characters.
    motivo: Option<String>,
    /// Only says what would be done.
    dry_run: Option<bool>,
}

/// Whether a repair is only to say what it would do.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
pub(super) struct RepararBody {
    /// Only says what would be done.
    dry_run: Option<bool>,
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TrabajoFacturasView {
    #[schema(value_type = String, example = "trb_01JD0000000000000000000000")]
    id: TrabajoFacturasId,
    /// `lote`, `historico`, `decisiones`, `aplicar_asignacion`, `consistencia`, `reparacion` or `recordatorios`.
    #[schema(example = "decisiones")]
    tipo: &'static str,
    /// `EN_COLA`, `EN_PROCESO`, `COMPLETADO` or `ERROR`.
    #[schema(example = "EN_PROCESO")]
    estado: &'static str,
    /// Items. A job over all facturas finds them as it goes: those that it compares, repairs, assigns or reminds of.
    total: u64,
    /// Items with an outcome.
    procesados: u64,
    aplicados: u64,
    no_aplicados: u64,
    /// Whole percents of the items that are known.
    #[schema(maximum = 100)]
    progreso: u64,
    dry_run: bool,
    /// Attempts begun since it was queued.
    intentos: u32,
    /// Whose rights it has, as they were at acceptance.
    creado_por: String,
    creado_por_id: String,
    #[schema(value_type = String, format = DateTime)]
    creado_en: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    terminado_en: Option<Instant>,
    /// Why it failed and what to do.
    error: Option<String>,
    /// Counts the changes, from 1; also the `ETag`.
    version: u64,
}

impl TrabajoFacturasView {
    pub(super) fn of(trabajo: &Trabajo) -> Self {
        let who = &trabajo.creado_por.usuario;
        let (done, total) = (trabajo.procesados, trabajo.total);
        Self {
            id: trabajo.id,
            tipo: trabajo.tipo.as_str(),
            estado: trabajo.estado.as_str(),
            total,
            procesados: done,
            aplicados: trabajo.aplicados,
            no_aplicados: trabajo.no_aplicados,
            // One without items is at its end with its first look at them.
            progreso: (done * 100)
                .checked_div(total)
                .unwrap_or(if trabajo.estado.is_over() { 100 } else { 0 }),
            dry_run: trabajo.dry_run,
            intentos: trabajo.intentos,
            creado_por: who.nombre.clone(),
            creado_por_id: who.id.clone(),
            creado_en: trabajo.creado_en,
            terminado_en: trabajo.terminado_en,
            error: trabajo.error.clone(),
            version: trabajo.version,
        }
    }
}

/// A wrong field of an item.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemErrorView {
    /// JSON pointer into the item.
    #[schema(example = "/nit")]
    pointer: String,
    #[schema(value_type = String, example = "nit_digito_invalido")]
    code: Code,
    detail: String,
}

impl From<ItemError> for ItemErrorView {
    fn from(error: ItemError) -> Self {
        Self {
            pointer: error.pointer,
            code: error.code,
            detail: error.detail,
        }
    }
}

/// What became of an item.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResultadoView {
    /// Its place in the request, from 0; of a job over all facturas the place in which it was found.
    indice: u32,
    #[schema(value_type = Option<String>)]
    factura_id: Option<FacturaId>,
    /// `aplicado`, `no_aplicado`; of a dry run `aplicaria`, `no_aplicaria`.
    #[schema(example = "aplicado")]
    resultado: &'static str,
    /// Where the factura stands then, of what was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "aprobada")]
    estado: Option<&'static str>,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    code: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ItemErrorView>,
}

impl From<Outcome> for ResultadoView {
    fn from(outcome: Outcome) -> Self {
        Self {
            indice: outcome.indice,
            factura_id: outcome.factura_id,
            resultado: outcome.resultado.as_str(),
            estado: outcome.estado.map(|estado| estado.as_str()),
            code: outcome.code,
            detail: outcome.detail,
            errors: outcome.errors.into_iter().map(Into::into).collect(),
        }
    }
}

/// A page of outcomes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResultadoPage {
    pub(super) items: Vec<ResultadoView>,
    /// Cursor of the next page, null at the end.
    pub(super) next: Option<String>,
}

/// A field of a factura that does not say what the round says.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DivergenciaView {
    #[schema(value_type = String)]
    factura_id: FacturaId,
    numero: String,
    /// The field, or `workflow_ausente`.
    #[schema(example = "accion_por")]
    campo: String,
    valor_factura: serde_json::Value,
    valor_workflow: serde_json::Value,
}

impl From<Divergencia> for DivergenciaView {
    fn from(one: Divergencia) -> Self {
        Self {
            factura_id: one.factura_id,
            numero: one.numero,
            campo: one.campo,
            valor_factura: one.valor_factura,
            valor_workflow: one.valor_workflow,
        }
    }
}

/// What the last check of all facturas found.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct ConsistenciaView {
    /// When it ended; null before the first one.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) fecha: Option<Instant>,
    /// Facturas that it compared.
    pub(super) revisadas: u64,
    /// Of these, those that differ from their rounds, in one field or several.
    pub(super) total_divergentes: u64,
    /// Every field that differs.
    pub(super) divergentes: Vec<DivergenciaView>,
    /// Cursor of the next page, null at the end.
    pub(super) next: Option<String>,
}
