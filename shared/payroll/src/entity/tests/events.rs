use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::id::{DiscrepanciaId, IncidenciaId};
use serde_json::{Value, json};
use ulid::Ulid;

use super::super::archivo::{EstadoArchivo, Origen, RowsBySheet};
use super::super::cierre::EstadoCierre;
use super::super::drop::Motivo;
use super::super::events::*;
use super::super::fixtures::*;
use super::super::incidencia::{Decision, Resolucion};
use crate::amount::Pesos;
use crate::kind::Kind;
use crate::lre::testing::code;
use crate::rules::discrepancies::{Regla, TipoDiscrepancia};
use crate::rules::incidencias::TipoIncidencia;

const ARC: &str = "arc_00000000000000000000000005";
const CIE: &str = "cie_00000000000000000000000002";
const CLI: &str = "cli_00000000000000000000000001";
const DIS: &str = "dis_00000000000000000000000006";
const INC: &str = "inc_00000000000000000000000007";

fn file_of(tipo: Kind) -> FileRef {
    FileRef {
        id: archivo_id(5),
        tipo,
        nombre: "a.xlsx".into(),
    }
}

fn sheets() -> RowsBySheet {
    RowsBySheet(BTreeMap::from([
        ("altas_bajas".into(), 2),
        ("vacaciones".into(), 1),
    ]))
}

fn validated(tipo: Kind, replaces: bool) -> PayrollEvent {
    PayrollEvent::ArchivoValidado {
        file: file_of(tipo),
        tamano: 10,
        hash: "ab".into(),
        registros: 3,
        replaces,
    }
}

fn deleted(tipo: Kind) -> PayrollEvent {
    PayrollEvent::ArchivoEliminado {
        file: file_of(tipo),
        estado_anterior: EstadoArchivo::Procesado,
        motivo: "resubida".into(),
        registros: sheets(),
    }
}

/// The contract's table: event, type and action, resource, details.
fn table() -> Vec<(
    PayrollEvent,
    &'static str,
    &'static str,
    &'static str,
    Value,
)> {
    use Kind::*;
    let dis = DiscrepanciaId::new(Ulid(6));
    let inc = IncidenciaId::new(Ulid(7));
    let cierre = cierre_id();
    let kinds = json!({
        "rut_duplicado": 0, "sueldo_cero": 0, "formato_invalido": 0, "identidad_lre": 2, "empleado_solo_libro": 0,
        "empleado_solo_novedades": 0, "diff_concepto_monto": 1, "ingreso_no_reportado": 0,
        "finiquito_no_reportado": 0, "ausencia_no_reportada": 0,
    });
    let mut rows = vec![
        (
            PayrollEvent::CierreCreado {
                cierre,
                periodo: period(),
            },
            "create/cierre_creado",
            "cierre_nomina",
            CIE,
            json!({ "periodo": "2025-10", "mes": 10, "anio": 2025 }),
        ),
        (
            validated(LibroRemuneraciones, false),
            "upload/archivo_validado",
            "libro_remuneraciones",
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "archivo_size": 10, "hash": "ab" }),
        ),
        (
            validated(Novedades, false),
            "upload/archivo_validado",
            "novedades",
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "archivo_size": 10, "hash": "ab" }),
        ),
        (
            validated(MovimientosMes, false),
            "upload/archivo_validado",
            "movimientos_mes",
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "accion_db": "creado", "hash": "ab" }),
        ),
        (
            validated(MovimientosMes, true),
            "upload/archivo_validado",
            "movimientos_mes",
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "accion_db": "actualizado", "hash": "ab" }),
        ),
        (
            validated(Ingresos, false),
            "upload/archivo_validado",
            "ingresos",
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "registros_procesados": 3, "hash": "ab" }),
        ),
        (
            PayrollEvent::Cuarentena {
                tipo: None,
                clave: "k".into(),
                motivo: Motivo::ClaveInvalida,
            },
            "error/validacion_fallida",
            "cierre_nomina",
            "",
            json!({ "clave": "k", "motivo": "clave_invalida" }),
        ),
        (
            PayrollEvent::Cuarentena {
                tipo: Some(Ingresos),
                clave: "k".into(),
                motivo: Motivo::ArchivoEliminado,
            },
            "error/validacion_fallida",
            "ingresos",
            "",
            json!({ "clave": "k", "motivo": "archivo_eliminado" }),
        ),
        (
            PayrollEvent::ClasificacionCompletada {
                archivo: archivo_id(5),
                headers_clasificados: 4,
                creacion: vec!["rut".into()],
                movimiento: vec!["2101".into()],
            },
            "process/clasificacion_completada",
            "novedades",
            ARC,
            json!({ "headers_clasificados": 4, "columnas_creacion": ["rut"], "columnas_movimiento": ["2101"] }),
        ),
        (
            PayrollEvent::ConsolidacionCompletada {
                archivo: archivo_id(5),
                actualizados: 8,
                creados: 2,
            },
            "process/consolidacion_completada",
            "novedades",
            ARC,
            json!({ "empleados_actualizados": 8, "empleados_creados": 2 }),
        ),
        (
            PayrollEvent::EmpleadoCreado {
                archivo: archivo_id(5),
                cantidad: 2,
            },
            "create/empleado_creado",
            "novedades",
            ARC,
            json!({ "archivo_id": ARC, "cantidad": 2 }),
        ),
        (
            deleted(LibroRemuneraciones),
            "delete/archivo_eliminado",
            "libro_remuneraciones",
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "estado_anterior": "procesado", "motivo": "resubida" }),
        ),
        (
            deleted(MovimientosMes),
            "delete/archivo_eliminado",
            "movimientos_mes",
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "movimientos_eliminados": { "altas_bajas": 2, "ausentismos": 0, "vacaciones": 1 }, "estado_anterior": "procesado", "motivo": "resubida" }),
        ),
        (
            deleted(Finiquitos),
            "delete/archivo_eliminado",
            "finiquitos",
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "registros_eliminados": 3, "estado_anterior": "procesado", "motivo": "resubida" }),
        ),
        (
            deleted(Novedades),
            "delete/archivo_eliminado",
            "novedades",
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "registros_eliminados": 3, "estado_anterior": "procesado", "motivo": "resubida" }),
        ),
        (
            deleted(Ausentismos),
            "delete/archivo_eliminado",
            "ausentismos",
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "tipo_documento": "ausentismos", "estado_anterior": "procesado", "motivo": "resubida" }),
        ),
        (
            deleted(IncidenciasExternas),
            "delete/archivo_eliminado",
            "incidencias_externas",
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "tipo_documento": "incidencias_externas", "estado_anterior": "procesado", "motivo": "resubida" }),
        ),
        (
            deleted(Ingresos),
            "delete/archivo_eliminado",
            "ingresos",
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "registros_procesados": 3, "estado_anterior": "procesado", "motivo": "resubida" }),
        ),
        (
            PayrollEvent::DiscrepanciasGeneradas {
                tipos: BTreeMap::from([
                    (TipoDiscrepancia::IdentidadLre, 2),
                    (TipoDiscrepancia::DiffConceptoMonto, 1),
                ]),
            },
            "generate/discrepancias_generadas",
            "discrepancias",
            "",
            json!({ "total_discrepancias": 3, "tipos": kinds }),
        ),
        (
            PayrollEvent::DiscrepanciaJustificada {
                id: dis,
                tipo: TipoDiscrepancia::IdentidadLre,
                regla: Regla::Total(code("5201")),
                justificacion: WHY.into(),
            },
            "resolve/discrepancia_corregida",
            "discrepancias",
            DIS,
            json!({ "tipo": "identidad_lre", "regla": "5201", "modo": "justificada", "justificacion": WHY }),
        ),
        (
            PayrollEvent::DiscrepanciasCorregidas { cantidad: 4 },
            "resolve/discrepancia_corregida",
            "discrepancias",
            "",
            json!({ "modo": "resubida", "cantidad": 4 }),
        ),
        (
            PayrollEvent::IncidenciasGeneradas {
                total: 2,
                empleados: 1,
                conceptos: [code("2101")].into(),
                monto_total: Pesos(180_000),
            },
            "generate/incidencias_generadas",
            "incidencias",
            "",
            json!({ "total_incidencias": 2, "empleados_afectados": 1, "conceptos_afectados": ["2101"], "monto_total_diferencias": "180000" }),
        ),
        (
            PayrollEvent::IncidenciaResuelta {
                id: inc,
                tipo: TipoIncidencia::ConceptoNuevo,
                resolucion: Resolucion::Correcta,
                justificacion: WHY.into(),
            },
            "resolve/incidencia_resuelta",
            "incidencias",
            INC,
            json!({ "incidencia_tipo": "concepto_nuevo", "resolucion": "correcta", "justificacion": WHY }),
        ),
        (
            PayrollEvent::IncidenciaDecidida {
                id: inc,
                tipo: TipoIncidencia::ConceptoNuevo,
                resolucion: Some(Resolucion::Otra),
                justificacion: Some(WHY.into()),
                decision: Decision::Aprobada,
                comentario: None,
            },
            "resolve/incidencia_resuelta",
            "incidencias",
            INC,
            json!({ "incidencia_tipo": "concepto_nuevo", "resolucion": "otra", "justificacion": WHY, "decision": "aprobada", "comentario": null }),
        ),
        (
            PayrollEvent::CierreFinalizado {
                cierre,
                periodo: period(),
                empleados: 3,
                registros: 6,
                incidencias_pendientes: 1,
                sello: "cd".into(),
                numero: 2,
            },
            "finalize/cierre_finalizado",
            "cierre_nomina",
            CIE,
            json!({ "periodo": "2025-10", "total_empleados": 3, "total_registros": 6, "incidencias_pendientes": 1, "estado_final": "finalizado", "sello": "cd", "numero": 2 }),
        ),
        (
            PayrollEvent::CierreActualizado {
                cierre,
                anterior: EstadoCierre::Pendiente,
                nuevo: EstadoCierre::CargandoArchivos,
                motivo: "archivo_subido".into(),
            },
            "update/estado_actualizado",
            "cierre_nomina",
            CIE,
            json!({ "estado_anterior": "pendiente", "estado_nuevo": "cargando_archivos", "motivo": "archivo_subido" }),
        ),
        (
            PayrollEvent::CierreEliminado {
                cierre,
                periodo: period(),
                estado_anterior: EstadoCierre::Pendiente,
                motivo: WHY.into(),
                archivos: 0,
            },
            "delete/cierre_eliminado",
            "cierre_nomina",
            CIE,
            json!({ "periodo": "2025-10", "estado_anterior": "pendiente", "motivo": WHY, "archivos": 0 }),
        ),
        (
            PayrollEvent::ClienteCreado {
                cliente: cliente_id(),
                campos: vec!["rut".into()],
            },
            "create/cliente_creado",
            "cliente",
            CLI,
            json!({ "campos": ["rut"] }),
        ),
        (
            PayrollEvent::ClienteModificado {
                cliente: cliente_id(),
                campos: vec!["nombre".into()],
            },
            "update/datos_modificados",
            "cliente",
            CLI,
            json!({ "campos": ["nombre"] }),
        ),
        (
            PayrollEvent::LibroVisto { cierre },
            "view/reporte_visto",
            "cierre_nomina",
            CIE,
            json!({ "reporte": "libro" }),
        ),
        (
            PayrollEvent::TimelineConsultado {
                cierre,
                filtros: BTreeMap::from([("user".into(), "ana".into())]),
            },
            "view/timeline_consultado",
            "cierre_nomina",
            CIE,
            json!({ "filtros": { "user": "ana" } }),
        ),
    ];
    for tipo in [Finiquitos, Ausentismos, IncidenciasExternas] {
        rows.push((
            validated(tipo, false),
            "upload/archivo_validado",
            tipo.as_str(),
            ARC,
            json!({ "archivo_nombre": "a.xlsx", "tipo_documento": tipo, "hash": "ab" }),
        ));
    }
    for tipo in Kind::ALL {
        let file = || file_of(tipo);
        rows.extend([
            (PayrollEvent::UploadIniciado { file: file(), tamano: 10 }, "upload/upload_iniciado", tipo.as_str(), ARC,
                json!({ "archivo_nombre": "a.xlsx", "archivo_size": 10 })),
            (PayrollEvent::ArchivoSubido { file: file(), tamano: 10, origen: Origen::S3 }, "upload/archivo_subido", tipo.as_str(), ARC,
                json!({ "archivo_nombre": "a.xlsx", "archivo_size": 10, "origen": "s3" })),
            (PayrollEvent::ValidacionFallida { file: file(), errores_total: 3, reglas: BTreeMap::from([("rut_dv".into(), 3)]) }, "error/validacion_fallida", tipo.as_str(), ARC,
                json!({ "archivo_nombre": "a.xlsx", "errores_total": 3, "reglas": { "rut_dv": 3 } })),
            (PayrollEvent::ProcesamientoIniciado { file: file() }, "process/procesamiento_iniciado", tipo.as_str(), ARC,
                json!({ "archivo_nombre": "a.xlsx" })),
            (PayrollEvent::ProcesamientoCompletado { file: file(), headers_detectados: 9, registros: 3, millis: 2000 }, "process/procesamiento_completado", tipo.as_str(), ARC,
                json!({ "headers_detectados": 9, "registros_procesados": 3, "duracion_segundos": 2 })),
            (PayrollEvent::ProcesamientoError { file: file(), mensaje: "m".into(), intentos: 3 }, "error/procesamiento_error", tipo.as_str(), ARC,
                json!({ "archivo_nombre": "a.xlsx", "mensaje": "m", "intentos": 3 })),
            (PayrollEvent::ArchivoActualizado { file: file(), anterior: EstadoArchivo::Error, nuevo: EstadoArchivo::Recibido, motivo: "reprocesar".into() },
                "update/estado_actualizado", tipo.as_str(), ARC,
                json!({ "estado_anterior": "error", "estado_nuevo": "recibido", "motivo": "reprocesar" })),
            (PayrollEvent::ErroresVistos { file: file() }, "view/reporte_visto", tipo.as_str(), ARC, json!({ "reporte": "errores" })),
        ]);
    }
    rows
}

#[test]
fn every_event_is_as_the_contract_has_it() {
    let mut met = BTreeSet::new();
    for (event, what, resource_type, resource_id, details) in table() {
        let kind = format!("{}/{}", event.event_type(), event.action());
        assert_eq!(kind, what);
        assert_eq!(
            (event.resource_type(), event.resource_id().as_str()),
            (resource_type, resource_id),
            "{what}"
        );
        assert_eq!(Value::Object(event.details()), details, "{what}");
        let keys: BTreeSet<_> = event.details().keys().cloned().collect();
        let listed: BTreeSet<_> = event
            .row()
            .details
            .iter()
            .map(|key| (*key).to_owned())
            .collect();
        assert_eq!(keys, listed, "{what}");
        assert!(
            event.row().resources.contains(&resource_type),
            "{what} on {resource_type}"
        );
        met.insert((
            ROWS.iter().position(|row| row == event.row()).unwrap(),
            resource_type,
        ));
    }
    let every: BTreeSet<_> = ROWS
        .iter()
        .enumerate()
        .flat_map(|(at, row)| row.resources.iter().map(move |resource| (at, *resource)))
        .collect();
    let untried: Vec<_> = every
        .difference(&met)
        .map(|(at, resource)| (ROWS[*at].action, resource))
        .collect();
    // An object in quarantine is of any kind; two of them stand for all.
    let untried: Vec<_> = untried
        .into_iter()
        .filter(|(action, _)| *action != "validacion_fallida")
        .collect();
    assert_eq!(untried, []);
}

#[test]
fn no_two_rows_are_alike_and_none_writes_libro_rem() {
    for (at, row) in ROWS.iter().enumerate() {
        assert!(!ROWS[..at].contains(row), "{}", row.action);
        assert!(!row.resources.contains(&"libro_rem"));
    }
}

#[test]
fn a_duration_is_exact_seconds() {
    for (millis, expected) in [(0, "0"), (5, "0.005"), (1500, "1.5"), (90_000, "90")] {
        let event = PayrollEvent::ProcesamientoCompletado {
            file: file_of(Kind::Ingresos),
            headers_detectados: 1,
            registros: 1,
            millis,
        };
        assert_eq!(event.details()["duracion_segundos"].to_string(), expected);
    }
}

#[test]
fn an_event_knows_its_chain_and_its_id() {
    let cierre = begun();
    let event = PayrollEvent::LibroVisto { cierre: cierre.id };
    let entry = cierre.entry(&actor(JUAN), event.clone());
    assert_eq!(
        (entry.chain(), entry.id()),
        (Chain::Cierre(cierre.id), None)
    );
    assert_eq!(entry.scope.cliente, Some(cierre.cliente_id));
    let once = entry.clone().once("a").id();
    assert_eq!(once, entry.clone().once("a").id());
    assert_ne!(once, entry.clone().once("b").id());
    let client = Entry::new(Scope::client(cliente_id()), &actor(JUAN), event.clone());
    assert_eq!(client.chain(), Chain::Cliente(cliente_id()));
    let nobody = Entry::new(Scope::default(), &actor(JUAN), event);
    assert_eq!(nobody.chain(), Chain::Company);
    let recorded = entry.recorded();
    assert_eq!(
        (recorded.action, recorded.resource_id.as_str()),
        ("reporte_visto", CIE)
    );
}

#[test]
fn a_timeline_that_is_read_is_told_once_an_hour_and_a_download_each_time() {
    let cierre = begun();
    let read = |user: &str, second: i64| {
        cierre
            .timeline_read(BTreeMap::new(), &stamp_of(user, second))
            .id()
    };
    // The hour is the clock's, not the one since the last time: at(0) lies 53 minutes and 20 seconds into one.
    assert_eq!(read(JUAN, 0), read(JUAN, 399));
    assert_ne!(read(JUAN, 0), read(JUAN, 400));
    assert_ne!(read(JUAN, 0), read(MARIA, 0));
    let file = file(Kind::Ingresos, 5, EstadoArchivo::ConErrores, 1);
    let downloads = [
        cierre.libro_read(&stamp_of(JUAN, 1)),
        cierre.errores_read(&file, &stamp_of(JUAN, 1)),
    ];
    for download in downloads {
        assert_eq!(
            (download.event.action(), download.id()),
            ("reporte_visto", None)
        );
    }
}
