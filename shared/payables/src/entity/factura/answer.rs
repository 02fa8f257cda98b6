//! A factura as answers show it: names with their ids beside them.

use cierre_kernel::id::FacturaId;
use cierre_kernel::money::{Currency, Money};
use cierre_kernel::time::{Date, Instant};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::workflow::{Decision, Workflow};
use super::{Expediente, Factura, Item, Origen};
use crate::nit::Nit;
use crate::persona::Persona;
use crate::rules::comparacion::Comparacion;
use crate::rules::sincronizacion::Estado;

/// A factura, in the fields of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs)]
pub struct FacturaAnswer {
    #[schema(value_type = String, example = "fac_01JD0000000000000000000000")]
    pub id: FacturaId,
    pub numero: String,
    #[schema(value_type = String, example = "900373923-8")]
    pub nit: Nit,
    pub proveedor: String,
    #[schema(value_type = String, format = Date)]
    pub fecha_emision: Date,
    #[schema(value_type = Option<String>, format = Date)]
    pub fecha_vencimiento: Option<Date>,
    #[schema(value_type = String, example = "COP")]
    pub moneda: Currency,
    #[schema(value_type = String, example = "8500000.00")]
    pub total: Money,
    pub concepto: String,
    pub items: Vec<Item>,
    #[serde(skip_serializing_if = "is_zero")]
    pub items_omitidos: u32,
    #[schema(value_type = String, example = "json")]
    pub origen: Origen,
    pub cufe: Option<String>,
    pub registrada_por: String,
    pub registrada_por_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub fecha_registro: Instant,
    pub responsable: Option<String>,
    pub responsable_usuario: Option<String>,
    pub responsable_id: Option<String>,
    #[schema(value_type = String, example = "en_revision")]
    pub estado: Estado,
    pub accion_por: Option<String>,
    pub accion_por_id: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fecha_accion: Option<Instant>,
    pub a_nombre_de: Option<String>,
    pub a_nombre_de_id: Option<String>,
    pub aprobado_por: Option<String>,
    pub aprobado_por_id: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fecha_aprobacion: Option<Instant>,
    pub rechazado_por: Option<String>,
    pub rechazado_por_id: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fecha_rechazo: Option<Instant>,
    pub motivo_rechazo: Option<String>,
    pub workflow: WorkflowAnswer,
    pub version: u64,
}

/// A round, in the fields of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs)]
pub struct WorkflowAnswer {
    pub ronda: u32,
    #[schema(value_type = String, format = DateTime)]
    pub inicio: Instant,
    pub estado: String,
    pub politica_version: u64,
    pub aprobaciones_requeridas: u32,
    pub decisiones: Vec<DecisionAnswer>,
    pub aprobada: bool,
    pub aprobada_por: Option<String>,
    pub aprobada_por_id: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fecha_aprobacion: Option<Instant>,
    pub rechazada: bool,
    pub rechazada_por: Option<String>,
    pub rechazada_por_id: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fecha_rechazo: Option<Instant>,
    pub detalle_rechazo: Option<String>,
    pub reabierta_por: Option<String>,
    pub reabierta_por_id: Option<String>,
    pub motivo_reapertura: Option<String>,
    pub comparacion: Option<Comparacion>,
}

/// A decision, in the fields of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs)]
pub struct DecisionAnswer {
    pub accion: &'static str,
    pub por: String,
    pub por_id: Option<String>,
    pub calidad: &'static str,
    pub a_nombre_de: Option<String>,
    pub a_nombre_de_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub fecha: Instant,
    pub comentario: Option<String>,
    pub sod_excepcion: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands the field over by reference"
)]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn split(persona: Option<&Persona>) -> (Option<String>, Option<String>) {
    persona.map_or((None, None), |one| {
        (Some(one.nombre.clone()), one.id.clone())
    })
}

impl From<&Decision> for DecisionAnswer {
    fn from(decision: &Decision) -> Self {
        let (a_nombre_de, a_nombre_de_id) = split(decision.a_nombre_de.as_ref());
        Self {
            accion: decision.accion.as_str(),
            por: decision.por.nombre.clone(),
            por_id: decision.por.id.clone(),
            calidad: decision.calidad.as_str(),
            a_nombre_de,
            a_nombre_de_id,
            fecha: decision.fecha,
            comentario: decision.comentario.clone(),
            sod_excepcion: decision.sod_excepcion,
        }
    }
}

impl From<&Workflow> for WorkflowAnswer {
    fn from(workflow: &Workflow) -> Self {
        let (aprobada_por, aprobada_por_id) = split(workflow.aprobada_por.as_ref());
        let (rechazada_por, rechazada_por_id) = split(workflow.rechazada_por.as_ref());
        let (reabierta_por, reabierta_por_id) = split(workflow.reabierta_por.as_ref());
        Self {
            ronda: workflow.ronda,
            inicio: workflow.inicio,
            estado: workflow.estado.to_string(),
            politica_version: workflow.politica.version,
            aprobaciones_requeridas: workflow.politica.aprobaciones_requeridas,
            decisiones: workflow.decisiones.iter().map(Into::into).collect(),
            aprobada: workflow.aprobada,
            aprobada_por,
            aprobada_por_id,
            fecha_aprobacion: workflow.fecha_aprobacion,
            rechazada: workflow.rechazada,
            rechazada_por,
            rechazada_por_id,
            fecha_rechazo: workflow.fecha_rechazo,
            detalle_rechazo: workflow.detalle_rechazo.clone(),
            reabierta_por,
            reabierta_por_id,
            motivo_reapertura: workflow.motivo_reapertura.clone(),
            comparacion: workflow.comparacion.clone(),
        }
    }
}

impl From<&Expediente> for FacturaAnswer {
    fn from(expediente: &Expediente) -> Self {
        let Expediente { factura, workflow } = expediente;
        let Factura {
            datos,
            sincronizado,
            responsable,
            ..
        } = factura;
        let shown = sincronizado.accion_por_shown();
        let (accion_por, accion_por_id) = split(shown.as_ref());
        let (a_nombre_de, a_nombre_de_id) = split(sincronizado.a_nombre_de());
        let (aprobado_por, aprobado_por_id) = split(sincronizado.aprobado_por());
        let (rechazado_por, rechazado_por_id) = split(sincronizado.rechazado_por());
        let responsable = responsable.as_ref();
        Self {
            id: factura.id,
            numero: datos.numero.clone(),
            nit: datos.nit,
            proveedor: datos.proveedor.clone(),
            fecha_emision: datos.fecha_emision,
            fecha_vencimiento: datos.fecha_vencimiento,
            moneda: datos.importe.moneda(),
            total: datos.importe.0,
            concepto: datos.concepto.clone(),
            items: datos.items.clone(),
            items_omitidos: datos.items_omitidos,
            origen: factura.origen,
            cufe: datos.cufe.clone(),
            registrada_por: factura.registrada_por.nombre.clone(),
            registrada_por_id: factura.registrada_por.id.clone(),
            fecha_registro: factura.fecha_registro,
            responsable: responsable.map(|one| one.nombre.clone()),
            responsable_usuario: responsable.map(|one| one.usuario.clone()),
            responsable_id: responsable.map(|one| one.id.clone()),
            estado: sincronizado.estado(),
            accion_por,
            accion_por_id,
            fecha_accion: sincronizado.fecha_accion(),
            a_nombre_de,
            a_nombre_de_id,
            aprobado_por,
            aprobado_por_id,
            fecha_aprobacion: sincronizado.fecha_aprobacion(),
            rechazado_por,
            rechazado_por_id,
            fecha_rechazo: sincronizado.fecha_rechazo(),
            motivo_rechazo: sincronizado.motivo_rechazo().map(str::to_owned),
            workflow: workflow.into(),
            version: factura.version,
        }
    }
}
