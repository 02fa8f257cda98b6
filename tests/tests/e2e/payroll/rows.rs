//! The table of payroll's events as the contract has it.

use std::collections::BTreeSet;

/// Kinds of files but the two mandatory ones.
pub(crate) const OTHERS: [&str; 5] = [
    "finiquitos",
    "ausentismos",
    "incidencias_externas",
    "ingresos",
    "novedades",
];
const KINDS: [&str; 7] = [
    "libro_remuneraciones",
    "movimientos_mes",
    "finiquitos",
    "ausentismos",
    "incidencias_externas",
    "ingresos",
    "novedades",
];

/// Rows without a kind of file: type, action, resource type, who, details.
const EVENTS: [(&str, &str, &str, &str, &[&str]); 25] = [
    (
        "create",
        "cliente_creado",
        "cliente",
        "payroll",
        &["campos"],
    ),
    (
        "update",
        "datos_modificados",
        "cliente",
        "payroll",
        &["campos"],
    ),
    (
        "create",
        "cierre_creado",
        "cierre_nomina",
        "payroll",
        &["anio", "mes", "periodo"],
    ),
    (
        "upload",
        "archivo_subido",
        "libro_remuneraciones",
        "sistema",
        &["archivo_nombre", "archivo_size", "origen"],
    ),
    (
        "upload",
        "archivo_validado",
        "libro_remuneraciones",
        "sistema",
        &["archivo_nombre", "archivo_size", "hash"],
    ),
    (
        "error",
        "validacion_fallida",
        "finiquitos",
        "payroll",
        &["archivo_nombre", "errores_total", "reglas"],
    ),
    (
        "error",
        "validacion_fallida",
        "ingresos",
        "sistema",
        &["clave", "motivo"],
    ),
    (
        "delete",
        "archivo_eliminado",
        "libro_remuneraciones",
        "sistema",
        &["archivo_nombre", "estado_anterior", "motivo"],
    ),
    (
        "process",
        "clasificacion_completada",
        "novedades",
        "sistema",
        &[
            "columnas_creacion",
            "columnas_movimiento",
            "headers_clasificados",
        ],
    ),
    (
        "process",
        "consolidacion_completada",
        "novedades",
        "sistema",
        &["empleados_actualizados", "empleados_creados"],
    ),
    (
        "create",
        "empleado_creado",
        "novedades",
        "sistema",
        &["archivo_id", "cantidad"],
    ),
    (
        "generate",
        "discrepancias_generadas",
        "discrepancias",
        "payroll",
        &["tipos", "total_discrepancias"],
    ),
    (
        "resolve",
        "discrepancia_corregida",
        "discrepancias",
        "payroll",
        &["justificacion", "modo", "regla", "tipo"],
    ),
    (
        "resolve",
        "discrepancia_corregida",
        "discrepancias",
        "supervisor",
        &["justificacion", "modo", "regla", "tipo"],
    ),
    (
        "resolve",
        "discrepancia_corregida",
        "discrepancias",
        "sistema",
        &["cantidad", "modo"],
    ),
    (
        "generate",
        "incidencias_generadas",
        "incidencias",
        "sistema",
        &[
            "conceptos_afectados",
            "empleados_afectados",
            "monto_total_diferencias",
            "total_incidencias",
        ],
    ),
    (
        "resolve",
        "incidencia_resuelta",
        "incidencias",
        "payroll",
        &["incidencia_tipo", "justificacion", "resolucion"],
    ),
    (
        "resolve",
        "incidencia_resuelta",
        "incidencias",
        "supervisor",
        &[
            "comentario",
            "decision",
            "incidencia_tipo",
            "justificacion",
            "resolucion",
        ],
    ),
    (
        "finalize",
        "cierre_finalizado",
        "cierre_nomina",
        "payroll",
        &[
            "estado_final",
            "incidencias_pendientes",
            "numero",
            "periodo",
            "sello",
            "total_empleados",
            "total_registros",
        ],
    ),
    (
        "update",
        "estado_actualizado",
        "cierre_nomina",
        "payroll",
        &["estado_anterior", "estado_nuevo", "motivo"],
    ),
    (
        "update",
        "estado_actualizado",
        "cierre_nomina",
        "supervisor",
        &["estado_anterior", "estado_nuevo", "motivo"],
    ),
    (
        "update",
        "estado_actualizado",
        "cierre_nomina",
        "sistema",
        &["estado_anterior", "estado_nuevo", "motivo"],
    ),
    (
        "delete",
        "cierre_eliminado",
        "cierre_nomina",
        "payroll",
        &["archivos", "estado_anterior", "motivo", "periodo"],
    ),
    (
        "view",
        "reporte_visto",
        "cierre_nomina",
        "payroll",
        &["reporte"],
    ),
    (
        "view",
        "timeline_consultado",
        "cierre_nomina",
        "payroll",
        &["filtros"],
    ),
];

/// What `archivo_validado` and `archivo_eliminado` of a kind say.
fn of_kind(kind: &str) -> [&'static [&'static str]; 2] {
    match kind {
        "libro_remuneraciones" => [
            &["archivo_nombre", "archivo_size", "hash"],
            &["archivo_nombre", "estado_anterior", "motivo"],
        ],
        "novedades" => [
            &["archivo_nombre", "archivo_size", "hash"],
            &[
                "archivo_nombre",
                "estado_anterior",
                "motivo",
                "registros_eliminados",
            ],
        ],
        "movimientos_mes" => [
            &["accion_db", "archivo_nombre", "hash"],
            &[
                "archivo_nombre",
                "estado_anterior",
                "motivo",
                "movimientos_eliminados",
            ],
        ],
        "finiquitos" => [
            &["archivo_nombre", "hash", "tipo_documento"],
            &[
                "archivo_nombre",
                "estado_anterior",
                "motivo",
                "registros_eliminados",
            ],
        ],
        "ausentismos" | "incidencias_externas" => [
            &["archivo_nombre", "hash", "tipo_documento"],
            &[
                "archivo_nombre",
                "estado_anterior",
                "motivo",
                "tipo_documento",
            ],
        ],
        "ingresos" => [
            &["archivo_nombre", "hash", "registros_procesados"],
            &[
                "archivo_nombre",
                "estado_anterior",
                "motivo",
                "registros_procesados",
            ],
        ],
        other => panic!("{other} is no kind"),
    }
}

/// A kind of event in one line.
pub(crate) fn written(
    event_type: &str,
    action: &str,
    resource: &str,
    user: &str,
    details: &[&str],
) -> String {
    format!("{event_type} {action} {resource} {user} {details:?}")
}

/// Every kind of event.
pub(crate) fn expected() -> BTreeSet<String> {
    let mut rows: BTreeSet<String> = EVENTS
        .iter()
        .map(|(event_type, action, resource, user, details)| {
            written(event_type, action, resource, user, details)
        })
        .collect();
    for kind in KINDS {
        let [valid, deleted] = of_kind(kind);
        rows.extend([
            written(
                "upload",
                "upload_iniciado",
                kind,
                "payroll",
                &["archivo_nombre", "archivo_size"],
            ),
            written(
                "upload",
                "archivo_subido",
                kind,
                "payroll",
                &["archivo_nombre", "archivo_size", "origen"],
            ),
            written("upload", "archivo_validado", kind, "payroll", valid),
            written(
                "process",
                "procesamiento_iniciado",
                kind,
                "sistema",
                &["archivo_nombre"],
            ),
            written(
                "process",
                "procesamiento_completado",
                kind,
                "sistema",
                &[
                    "duracion_segundos",
                    "headers_detectados",
                    "registros_procesados",
                ],
            ),
            written("delete", "archivo_eliminado", kind, "payroll", deleted),
        ]);
    }
    // A file with errors, and one whose findings were downloaded.
    rows.insert(written(
        "view",
        "reporte_visto",
        "finiquitos",
        "payroll",
        &["reporte"],
    ));
    rows
}
