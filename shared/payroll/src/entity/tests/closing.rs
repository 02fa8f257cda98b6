use cierre_kernel::id::IncidenciaId;
use cierre_kernel::problem::Problem;
use serde_json::json;
use ulid::Ulid;

use super::super::archivo::{Archivo, EstadoArchivo};
use super::super::cierre::*;
use super::super::fixtures::*;
use super::super::incidencia::Incidencia;
use super::super::refusal::{CierreRefusal, CloseRefusal};
use super::super::trabajo::TipoTrabajo;
use crate::kind::Kind;
use crate::rules::discrepancies::Severidad;
use crate::rules::incidencias::Prioridad;
use crate::rules::merge::{EstadoDiscrepancia, EstadoIncidencia};

fn facts(files: &[Archivo]) -> CloseFacts<'_> {
    CloseFacts {
        files,
        discrepancias: &[],
        incidencias: &[],
    }
}

fn draft() -> SealDraft {
    SealDraft {
        sello: "cd".repeat(32),
        manifiesto: json!({ "numero": 1 }),
    }
}

fn codes(refusal: CloseRefusal) -> Vec<&'static str> {
    match refusal {
        CloseRefusal::State(state) => vec![state.code().as_str()],
        CloseRefusal::Blocked(blocked) => {
            assert_eq!(blocked.total, blocked.reasons.len() as u64);
            blocked
                .reasons
                .iter()
                .map(|reason| reason.code.as_str())
                .collect()
        }
    }
}

#[test]
fn every_state_refuses_for_its_own_reasons_or_is_sealed() {
    let required = required();
    for estado in EstadoCierre::ALL {
        let cierre = in_state(estado);
        let files = match estado {
            EstadoCierre::Pendiente | EstadoCierre::Eliminado => &[][..],
            EstadoCierre::CargandoArchivos => &required[..1],
            EstadoCierre::ArchivosCompletos
            | EstadoCierre::ConDiscrepancias
            | EstadoCierre::VerificadoSinDiscrepancias
            | EstadoCierre::ConIncidencias
            | EstadoCierre::IncidenciasResueltas
            | EstadoCierre::Finalizado
            | EstadoCierre::Reabierto => &required,
        };
        let blocking = [discrepancia(
            Severidad::Bloqueante,
            EstadoDiscrepancia::Abierta,
        )];
        let facts = CloseFacts {
            discrepancias: if estado == EstadoCierre::ConDiscrepancias {
                &blocking
            } else {
                &[]
            },
            ..facts(files)
        };
        let (missing, stale, unseen) = (
            "required_file_missing",
            "discrepancies_not_generated",
            "incidences_not_generated",
        );
        let expected: &[&str] = match estado {
            EstadoCierre::Pendiente => &[missing, missing, stale, unseen],
            EstadoCierre::CargandoArchivos => &[missing, stale, unseen],
            EstadoCierre::ArchivosCompletos | EstadoCierre::Reabierto => &[stale, unseen],
            EstadoCierre::ConDiscrepancias => &["discrepancy_blocking", unseen],
            EstadoCierre::VerificadoSinDiscrepancias => &[unseen],
            EstadoCierre::ConIncidencias | EstadoCierre::IncidenciasResueltas => &[],
            EstadoCierre::Finalizado => &["cierre_finalized"],
            EstadoCierre::Eliminado => &["cierre_deleted"],
        };
        match cierre.finalise(&facts, draft(), &stamp_of(JUAN, 40)) {
            Ok(change) => {
                assert_eq!(expected.len(), 0, "{estado}");
                let (sealed, sello) = change.state;
                assert_eq!(
                    (sealed.estado, sealed.sellos, sello.numero),
                    (EstadoCierre::Finalizado, 1, 1)
                );
                assert_eq!(told(&change.events), [(JUAN, "cierre_finalizado")]);
            }
            Err(refusal) => assert_eq!(codes(refusal), expected, "{estado}"),
        }
    }
}

#[test]
fn everything_in_the_way_is_listed_in_the_order_of_the_contract() {
    let files = [
        file(Kind::LibroRemuneraciones, 11, EstadoArchivo::Procesado, 1),
        file(Kind::Novedades, 15, EstadoArchivo::Error, 2),
        file(Kind::Ingresos, 14, EstadoArchivo::Validando, 2),
        file(Kind::Finiquitos, 13, EstadoArchivo::ConErrores, 2),
        file(Kind::Ausentismos, 16, EstadoArchivo::Esperando, 2),
    ];
    let mut cierre = settled(&files);
    cierre.trabajos.discrepancias = Some(trabajo_id(1));
    cierre.counts.discrepancias_bloqueantes = 1;
    cierre.counts.incidencias_criticas = 1;
    let blocking = [discrepancia(
        Severidad::Bloqueante,
        EstadoDiscrepancia::Abierta,
    )];
    let critical = [incidencia(Prioridad::Critica, EstadoIncidencia::Pendiente)];
    let facts = CloseFacts {
        files: &files,
        discrepancias: &blocking,
        incidencias: &critical,
    };
    let refusal = cierre.closable(&facts).unwrap_err();
    let problem = Problem::from(refusal);
    assert_eq!(
        (problem.status, problem.code.as_str()),
        (409, "close_blocked")
    );
    assert_eq!(problem.detail, "9 things block this cierre");
    let listed: Vec<_> = problem
        .errors
        .iter()
        .map(|error| {
            (
                error.pointer.as_str(),
                error.code.as_str(),
                error.detail.as_str(),
            )
        })
        .collect();
    assert_eq!(
        listed,
        [
            (
                "/archivos/movimientos_mes",
                "required_file_missing",
                "movimientos_mes is not processed"
            ),
            (
                "/archivos/arc_0000000000000000000000000E",
                "file_in_process",
                "ingresos, validando, datos.xlsx"
            ),
            (
                "/archivos/arc_0000000000000000000000000D",
                "file_with_errors",
                "finiquitos, con_errores, datos.xlsx"
            ),
            (
                "/archivos/arc_0000000000000000000000000F",
                "file_with_errors",
                "novedades, error, datos.xlsx"
            ),
            (
                "/trabajos/tra_00000000000000000000000001",
                "job_running",
                "generar_discrepancias is running"
            ),
            (
                "/resultados/discrepancias",
                "discrepancies_not_generated",
                "the discrepancies are missing or out of date"
            ),
            (
                "/discrepancias/dis_0000000000000000000000000Z",
                "discrepancy_blocking",
                "bloqueante, abierta, 12345678-5, 5201"
            ),
            (
                "/resultados/incidencias",
                "incidences_not_generated",
                "the incidences are missing or out of date"
            ),
            (
                "/incidencias/inc_00000000000000000000000019",
                "incidence_critical",
                "critica, pendiente, 12345678-5, 2101"
            ),
        ]
    );
}

#[test]
fn a_hundred_reasons_are_listed_and_all_are_counted() {
    let files = required();
    let mut cierre = in_state(EstadoCierre::ConIncidencias);
    cierre.counts.incidencias_pendientes = 250;
    cierre.counts.incidencias_criticas = 250;
    let critical: Vec<Incidencia> = (1..=100)
        .map(|n| {
            let mut one = incidencia(Prioridad::Critica, EstadoIncidencia::RechazadaSupervisor);
            one.found.id = IncidenciaId::new(Ulid(n));
            one
        })
        .collect();
    let facts = CloseFacts {
        incidencias: &critical,
        ..facts(&files)
    };
    let Err(CloseRefusal::Blocked(blocked)) = cierre.closable(&facts) else {
        panic!("not blocked")
    };
    assert_eq!((blocked.reasons.len(), blocked.total), (100, 250));
    assert_eq!(blocked.to_string(), "250 things block this cierre");
}

#[test]
fn open_incidences_that_are_not_critical_do_not_stop_the_closing() {
    let files = required();
    let cierre = in_state(EstadoCierre::ConIncidencias);
    let minor = [incidencia(Prioridad::Alta, EstadoIncidencia::Pendiente)];
    let facts = CloseFacts {
        incidencias: &minor,
        ..facts(&files)
    };
    let change = cierre
        .finalise(&facts, draft(), &stamp_of(JUAN, 40))
        .unwrap();
    let details = change.events[0].event.details();
    assert_eq!(
        (&details["incidencias_pendientes"], &details["estado_final"]),
        (&json!(1), &json!("finalizado"))
    );
}

#[test]
fn a_running_job_stops_the_closing() {
    let files = required();
    let cierre = in_state(EstadoCierre::IncidenciasResueltas);
    let Ok(Requested::New(asked)) = cierre.request(
        TipoTrabajo::GenerarIncidencias,
        trabajo_id(5),
        &stamp_of(JUAN, 1),
    ) else {
        panic!("refused")
    };
    let refusal = asked.0.closable(&facts(&files)).unwrap_err();
    assert_eq!(codes(refusal), ["job_running"]);
}

#[test]
fn a_reopened_closing_gets_another_seal() {
    let files = required();
    let reopened = in_state(EstadoCierre::Reabierto);
    assert_eq!(reopened.next_seal(), 2);
    assert!(
        reopened
            .finalise(&facts(&files), draft(), &stamp_of(JUAN, 1))
            .is_err()
    );
    let sealed = in_state(EstadoCierre::Finalizado);
    let refused = sealed.closable(&facts(&files));
    assert_eq!(refused, Err(CloseRefusal::State(CierreRefusal::Finalized)));
}
