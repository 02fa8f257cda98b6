//! The one list of payroll's activity events. What the API document says about them is made from it.

use cierre_kernel::event::EventType;

use crate::kind::Kind;

/// The resource type of a closing; all events of a closing are verified under it.
pub const CIERRE: &str = "cierre_nomina";
/// The resource type of discrepancies.
pub const DISCREPANCIAS: &str = "discrepancias";
/// The resource type of incidences.
pub const INCIDENCIAS: &str = "incidencias";
/// The resource type of clients.
pub const CLIENTE: &str = "cliente";

const LIBRO: &str = Kind::LibroRemuneraciones.as_str();
const MOVIMIENTOS: &str = Kind::MovimientosMes.as_str();
const FINIQUITOS: &str = Kind::Finiquitos.as_str();
const AUSENTISMOS: &str = Kind::Ausentismos.as_str();
const EXTERNAS: &str = Kind::IncidenciasExternas.as_str();
const INGRESOS: &str = Kind::Ingresos.as_str();
const NOVEDADES: &str = Kind::Novedades.as_str();

const ANY_FILE: &[&str] = &[
    LIBRO,
    MOVIMIENTOS,
    FINIQUITOS,
    AUSENTISMOS,
    EXTERNAS,
    INGRESOS,
    NOVEDADES,
];
const ANY_FILE_OR_CIERRE: &[&str] = &[
    LIBRO,
    MOVIMIENTOS,
    FINIQUITOS,
    AUSENTISMOS,
    EXTERNAS,
    INGRESOS,
    NOVEDADES,
    CIERRE,
];

/// One kind of event: what it is called, on which resources it occurs, and the members that its details have, all of them, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The row of the contract's table; none for those without a number.
    pub number: Option<u8>,
    /// Kind of change.
    pub event_type: EventType,
    /// The change in a word.
    pub action: &'static str,
    /// The resource types on which it occurs.
    pub resources: &'static [&'static str],
    /// The members of its details.
    pub details: &'static [&'static str],
}

macro_rules! rows {
    ($($name:ident $number:expr, $event_type:ident $action:literal, $resources:expr, [$($detail:literal)*];)+) => {
        $(
            pub(super) const $name: Row = Row {
                number: $number,
                event_type: EventType::$event_type,
                action: $action,
                resources: $resources,
                details: &[$($detail),*],
            };
        )+

        /// Every row.
        pub const ROWS: &[Row] = &[$($name),+];
    };
}

rows! {
    CIERRE_CREADO Some(1), Create "cierre_creado", &[CIERRE], ["periodo" "mes" "anio"];

    UPLOAD_INICIADO Some(2), Upload "upload_iniciado", ANY_FILE, ["archivo_nombre" "archivo_size"];
    ARCHIVO_SUBIDO Some(2), Upload "archivo_subido", ANY_FILE, ["archivo_nombre" "archivo_size" "origen"];
    VALIDADO_TAMANO Some(2), Upload "archivo_validado", &[LIBRO, NOVEDADES], ["archivo_nombre" "archivo_size" "hash"];
    VALIDADO_MOVIMIENTOS Some(5), Upload "archivo_validado", &[MOVIMIENTOS], ["archivo_nombre" "accion_db" "hash"];
    VALIDADO_DOCUMENTO Some(7), Upload "archivo_validado", &[FINIQUITOS, AUSENTISMOS, EXTERNAS], ["archivo_nombre" "tipo_documento" "hash"];
    VALIDADO_INGRESOS Some(10), Upload "archivo_validado", &[INGRESOS], ["archivo_nombre" "registros_procesados" "hash"];
    VALIDACION_FALLIDA Some(2), Error "validacion_fallida", ANY_FILE, ["archivo_nombre" "errores_total" "reglas"];
    CUARENTENA Some(2), Error "validacion_fallida", ANY_FILE_OR_CIERRE, ["clave" "motivo"];

    PROCESAMIENTO_INICIADO Some(3), Process "procesamiento_iniciado", ANY_FILE, ["archivo_nombre"];
    PROCESAMIENTO_COMPLETADO Some(3), Process "procesamiento_completado", ANY_FILE, ["headers_detectados" "registros_procesados" "duracion_segundos"];
    CLASIFICACION_COMPLETADA Some(11), Process "clasificacion_completada", &[NOVEDADES], ["headers_clasificados" "columnas_creacion" "columnas_movimiento"];
    CONSOLIDACION_COMPLETADA Some(11), Process "consolidacion_completada", &[NOVEDADES], ["empleados_actualizados" "empleados_creados"];
    EMPLEADO_CREADO Some(11), Create "empleado_creado", &[NOVEDADES], ["archivo_id" "cantidad"];
    PROCESAMIENTO_ERROR None, Error "procesamiento_error", ANY_FILE, ["archivo_nombre" "mensaje" "intentos"];

    ELIMINADO_LIBRO Some(4), Delete "archivo_eliminado", &[LIBRO], ["archivo_nombre" "estado_anterior" "motivo"];
    ELIMINADO_MOVIMIENTOS Some(6), Delete "archivo_eliminado", &[MOVIMIENTOS], ["archivo_nombre" "movimientos_eliminados" "estado_anterior" "motivo"];
    ELIMINADO_REGISTROS Some(8), Delete "archivo_eliminado", &[FINIQUITOS, NOVEDADES], ["archivo_nombre" "registros_eliminados" "estado_anterior" "motivo"];
    ELIMINADO_DOCUMENTO Some(9), Delete "archivo_eliminado", &[AUSENTISMOS, EXTERNAS], ["archivo_nombre" "tipo_documento" "estado_anterior" "motivo"];
    ELIMINADO_INGRESOS Some(10), Delete "archivo_eliminado", &[INGRESOS], ["archivo_nombre" "registros_procesados" "estado_anterior" "motivo"];

    DISCREPANCIAS_GENERADAS Some(12), Generate "discrepancias_generadas", &[DISCREPANCIAS], ["total_discrepancias" "tipos"];
    DISCREPANCIA_JUSTIFICADA Some(12), Resolve "discrepancia_corregida", &[DISCREPANCIAS], ["tipo" "regla" "modo" "justificacion"];
    DISCREPANCIAS_CORREGIDAS Some(12), Resolve "discrepancia_corregida", &[DISCREPANCIAS], ["modo" "cantidad"];
    INCIDENCIAS_GENERADAS Some(13), Generate "incidencias_generadas", &[INCIDENCIAS], ["total_incidencias" "empleados_afectados" "conceptos_afectados" "monto_total_diferencias"];
    INCIDENCIA_RESUELTA Some(14), Resolve "incidencia_resuelta", &[INCIDENCIAS], ["incidencia_tipo" "resolucion" "justificacion"];
    INCIDENCIA_DECIDIDA Some(14), Resolve "incidencia_resuelta", &[INCIDENCIAS], ["incidencia_tipo" "resolucion" "justificacion" "decision" "comentario"];

    CIERRE_FINALIZADO Some(15), Finalize "cierre_finalizado", &[CIERRE], ["periodo" "total_empleados" "total_registros" "incidencias_pendientes" "estado_final" "sello" "numero"];
    ESTADO_ACTUALIZADO None, Update "estado_actualizado", ANY_FILE_OR_CIERRE, ["estado_anterior" "estado_nuevo" "motivo"];
    CIERRE_ELIMINADO None, Delete "cierre_eliminado", &[CIERRE], ["periodo" "estado_anterior" "motivo" "archivos"];

    CLIENTE_CREADO None, Create "cliente_creado", &[CLIENTE], ["campos"];
    DATOS_MODIFICADOS None, Update "datos_modificados", &[CLIENTE], ["campos"];

    REPORTE_VISTO None, View "reporte_visto", ANY_FILE_OR_CIERRE, ["reporte"];
    TIMELINE_CONSULTADO None, View "timeline_consultado", &[CIERRE], ["filtros"];
}
