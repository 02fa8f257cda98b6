//! The one list of the activity events of payables. What the API document says about them is made from it.

use cierre_kernel::event::EventType;

/// The resource type of facturas.
pub const FACTURA: &str = "factura";
/// The resource type of electronic invoices that arrive.
pub const CARGA: &str = "carga_factura";
/// The resource type of assignments.
pub const ASIGNACION: &str = "asignacion";
/// The resource type of delegations.
pub const DELEGACION: &str = "delegacion";
/// The resource type of the policy.
pub const POLITICA: &str = "politica";
/// The resource type of jobs.
pub const TRABAJO: &str = "trabajo";

/// One kind of event: what it is called, on which resource it occurs, and the members that its details have, all of them, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Kind of change.
    pub event_type: EventType,
    /// The change in a word.
    pub action: &'static str,
    /// Kind of resource.
    pub resource: &'static str,
    /// The members of its details.
    pub details: &'static [&'static str],
}

/// The members of the details of every decision.
const DECISION: &[&str] = &[
    "estado_anterior",
    "estado_nuevo",
    "accion_por",
    "responsable",
    "calidad",
    "a_nombre_de",
    "ronda",
    "aprobaciones",
    "politica_version",
    "motivo",
    "comparacion",
    "sod_excepcion",
];
const AVISO: &[&str] = &["dias_habiles", "ronda", "destinatarios"];
const CAMBIO: &[&str] = &["nit", "antes", "despues"];
const SUPLENCIA: &[&str] = &["de", "a", "desde", "hasta", "motivo"];
const CUENTAS: &[&str] = &["tipo", "total", "aplicados", "no_aplicados", "dry_run"];

macro_rules! rows {
    ($($name:ident $event_type:ident $action:literal, $resource:ident, $details:expr;)+) => {
        $(
            pub(super) const $name: Row = Row {
                event_type: EventType::$event_type,
                action: $action,
                resource: $resource,
                details: $details,
            };
        )+

        /// Every row.
        pub const ROWS: &[Row] = &[$($name),+];
    };
}

rows! {
    REGISTRADA Create "factura_registrada", FACTURA, &["numero", "nit", "moneda", "total", "responsable", "origen"];
    APROBADA_PARCIAL Resolve "factura_aprobada_parcial", FACTURA, DECISION;
    APROBADA Resolve "factura_aprobada", FACTURA, DECISION;
    APROBADA_AUTO Resolve "factura_aprobada_auto", FACTURA, DECISION;
    RECHAZADA Resolve "factura_rechazada", FACTURA, DECISION;
    REABIERTA Update "factura_reabierta", FACTURA, &["estado_anterior", "ronda", "motivo"];
    RESPONSABLE_ASIGNADO Update "responsable_asignado", FACTURA, &["responsable"];
    ELIMINADA Delete "factura_eliminada", FACTURA, &["numero", "nit", "total"];
    DENEGADA Error "decision_denegada", FACTURA, &["accion", "code"];
    RECORDATORIO Generate "recordatorio_generado", FACTURA, AVISO;
    ESCALAMIENTO Generate "escalamiento_generado", FACTURA, AVISO;
    REPARADA Update "accion_por_reparada", FACTURA, &["antes", "despues"];
    HISTORIAL View "historial_consultado", FACTURA, &[];

    XML_RECIBIDO Upload "xml_recibido", CARGA, &["clave", "tamano"];
    INGRESO_RECHAZADO Error "ingreso_rechazado", CARGA, &["code", "linea", "columna", "ruta_xml"];

    ASIGNACION_CREADA Create "asignacion_creada", ASIGNACION, CAMBIO;
    ASIGNACION_MODIFICADA Update "asignacion_modificada", ASIGNACION, CAMBIO;
    ASIGNACION_ELIMINADA Delete "asignacion_eliminada", ASIGNACION, CAMBIO;
    DELEGACION_CREADA Create "delegacion_creada", DELEGACION, SUPLENCIA;
    DELEGACION_REVOCADA Delete "delegacion_revocada", DELEGACION, SUPLENCIA;
    POLITICA_MODIFICADA Update "politica_modificada", POLITICA, &["version", "antes", "despues"];
    TRABAJO_COMPLETADO Process "trabajo_completado", TRABAJO, CUENTAS;
    TRABAJO_ERROR Error "trabajo_error", TRABAJO, CUENTAS;
}
