use cierre_kernel::decision::Decision;
use cierre_kernel::time::parse_date;
use rstest::rstest;

use super::super::archivo::EstadoArchivo;
use super::super::cierre::*;
use super::super::dossier::Arrival;
use super::super::fixtures::*;
use super::super::refusal::CierreRefusal;
use super::super::trabajo::{EstadoTrabajo, TipoTrabajo};
use crate::kind::Kind;
use crate::period::Period;

fn states() -> Vec<&'static str> {
    EstadoCierre::ALL.iter().map(|one| one.as_str()).collect()
}

fn commands() -> Vec<&'static str> {
    Command::ALL.iter().map(|one| one.as_str()).collect()
}

/// Section 3.1, with the columns for reopening and deleting that its text adds.
const TABLE: &str = "
| state | file_change | generar_discrepancias | corregir | generar_incidencias | decidir | finalizar | reabrir | eliminar |
| pendiente, cargando_archivos | settle | files_incomplete | results_stale | discrepancies_pending | results_stale | close_blocked | not_finalized | gone |
| archivos_completos, reabierto | settle | check | results_stale | discrepancies_pending | results_stale | close_blocked | not_finalized | gone |
| con_discrepancias | settle | check | check | discrepancies_open | results_stale | close_blocked | not_finalized | gone |
| verificado_sin_discrepancias | settle | check | same | incidences | results_stale | close_blocked | not_finalized | gone |
| con_incidencias | settle | check or same | same | incidences | incidences or same | seal | not_finalized | gone |
| incidencias_resueltas | settle | check or same | same | incidences | incidence_state | seal | not_finalized | gone |
| finalizado | cierre_finalized | cierre_finalized | cierre_finalized | cierre_finalized | cierre_finalized | cierre_finalized | reopened | cierre_finalized |
| eliminado | cierre_deleted | cierre_deleted | cierre_deleted | cierre_deleted | cierre_deleted | cierre_deleted | cierre_deleted | cierre_deleted |
";

#[test]
fn every_cell_of_the_table_of_closings_is_as_in_the_contract() {
    let cells = cells(TABLE, &states(), &commands());
    assert_eq!(cells.len(), EstadoCierre::ALL.len() * Command::ALL.len());
    for (estado, command, expected) in cells {
        let found = allowed(
            estado.parse::<EstadoCierre>().unwrap(),
            command.parse::<Command>().unwrap(),
        );
        let found = match found {
            Err(refusal) => refusal.code().as_str(),
            Ok(Next::Settle) => "settle",
            Ok(Next::Check) => "check",
            Ok(Next::CheckOrSame) => "check or same",
            Ok(Next::Same) => "same",
            Ok(Next::Incidences) => "incidences",
            Ok(Next::IncidencesOrSame) => "incidences or same",
            Ok(Next::Seal) => "seal",
            Ok(Next::Reopened) => "reopened",
            Ok(Next::Gone) => "gone",
        };
        assert_eq!(found, expected, "{estado}, {command}");
    }
}

/// What a job found: nothing open, something that does not stop the closing, something that does.
const FOUND: [&str; 3] = ["clean", "minor", "major"];

/// Where the jobs lead; `-` where the table refuses them.
const GENERATED: &str = "
| state | clean | minor | major |
| archivos_completos, reabierto, con_discrepancias, verificado_sin_discrepancias | verificado_sin_discrepancias | verificado_sin_discrepancias | con_discrepancias |
| con_incidencias | con_incidencias | con_incidencias | con_discrepancias |
| incidencias_resueltas | incidencias_resueltas | incidencias_resueltas | con_discrepancias |
| pendiente, cargando_archivos, finalizado, eliminado | - | - | - |
";

const REVIEWED: &str = "
| state | clean | minor | major |
| verificado_sin_discrepancias, con_incidencias, incidencias_resueltas | incidencias_resueltas | con_incidencias | con_incidencias |
| pendiente, cargando_archivos, archivos_completos, reabierto, con_discrepancias, finalizado, eliminado | - | - | - |
";

#[rstest]
#[case::discrepancias(TipoTrabajo::GenerarDiscrepancias, GENERATED)]
#[case::incidencias(TipoTrabajo::GenerarIncidencias, REVIEWED)]
fn a_job_leads_where_the_table_says_when_it_ends(#[case] tipo: TipoTrabajo, #[case] table: &str) {
    for (estado, found, expected) in cells(table, &states(), &FOUND) {
        let cierre = in_state(estado.parse::<EstadoCierre>().unwrap());
        let asked = cierre.request(tipo, trabajo_id(9), &stamp_of(JUAN, 30));
        let Ok(asked) = asked else {
            assert_eq!(expected, "-", "{estado}, {found}");
            continue;
        };
        let Requested::New(asked) = asked else {
            panic!("{estado} has no running job")
        };
        let (asked, trabajo) = *asked;
        assert_eq!(asked.estado, cierre.estado, "asking changes no state");
        let (open, bad) = match found {
            "clean" => (0, 0),
            "minor" => (2, 0),
            _ => (2, 1),
        };
        let ended = match tipo {
            TipoTrabajo::GenerarDiscrepancias => {
                let found = found_discrepancias(open, bad);
                asked.discrepancias_generated(&trabajo, found, &worker(31))
            }
            TipoTrabajo::GenerarIncidencias => {
                let found = found_incidencias(open, bad);
                asked.incidencias_generated(&trabajo, found, &worker(31))
            }
        };
        let change = done(ended.unwrap());
        let (after, trabajo) = change.state;
        assert_eq!(after.estado.as_str(), expected, "{estado}, {found}");
        assert_eq!(trabajo.estado, EstadoTrabajo::Completado);
        assert_eq!(after.running(tipo), None);
        let moved = change
            .events
            .iter()
            .any(|entry| entry.event.action() == "estado_actualizado");
        assert_eq!(moved, after.estado != cierre.estado, "{estado}, {found}");
    }
}

#[test]
fn entering_con_discrepancias_makes_incidences_stale_and_nothing_else_does() {
    let cierre = in_state(EstadoCierre::ConIncidencias);
    for (blocking, current) in [(0, true), (1, false)] {
        let Requested::New(asked) = cierre
            .request(
                TipoTrabajo::GenerarDiscrepancias,
                trabajo_id(9),
                &stamp_of(JUAN, 30),
            )
            .unwrap()
        else {
            panic!("a job runs")
        };
        let (asked, trabajo) = *asked;
        let found = found_discrepancias(1, blocking);
        let after = done(
            asked
                .discrepancias_generated(&trabajo, found, &worker(31))
                .unwrap(),
        );
        let results = after.state.0.resultados;
        assert!(results.discrepancias.vigente);
        assert_eq!(results.incidencias.vigente, current);
    }
}

#[test]
fn a_second_request_gets_the_job_that_runs() {
    let cierre = in_state(EstadoCierre::ArchivosCompletos);
    let tipo = TipoTrabajo::GenerarDiscrepancias;
    let Ok(Requested::New(asked)) = cierre.request(tipo, trabajo_id(1), &stamp_of(JUAN, 30)) else {
        panic!("refused")
    };
    let again = asked.0.request(tipo, trabajo_id(2), &stamp_of(MARIA, 31));
    assert_eq!(again, Ok(Requested::Running(trabajo_id(1))));
}

#[test]
fn files_that_change_while_a_job_runs_fail_it_and_nothing_is_written() {
    let files = required();
    let cierre = settled(&files);
    let tipo = TipoTrabajo::GenerarDiscrepancias;
    let Ok(Requested::New(asked)) = cierre.request(tipo, trabajo_id(1), &stamp_of(JUAN, 30)) else {
        panic!("refused")
    };
    let (cierre, trabajo) = *asked;
    let drop = object(&drop_key(Kind::Finiquitos), 40);
    let arrival =
        dossier(&cierre, &files).arrive(&place(Kind::Finiquitos, None), &drop, &worker(40));
    let Arrival::Received(_, change) = arrival else {
        panic!("{arrival:?}")
    };
    let cierre = change.state.cierre;
    assert_eq!(cierre.estado, EstadoCierre::CargandoArchivos);
    let ended = cierre.discrepancias_generated(&trabajo, found_discrepancias(0, 0), &worker(41));
    assert_eq!(ended, Err(CierreRefusal::InputsChanged));

    let refusal = CierreRefusal::InputsChanged;
    let failure = (refusal.code(), &*refusal.to_string());
    let (after, failed) = done(cierre.job_failed(&trabajo, failure, &worker(42))).state;
    assert_eq!(
        (failed.estado, failed.codigo),
        (EstadoTrabajo::Error, Some(refusal.code()))
    );
    assert_eq!((after.estado, after.running(tipo)), (cierre.estado, None));
    assert_eq!(after.resultados, cierre.resultados);
    assert!(
        after
            .job_failed(&failed, failure, &worker(43))
            .is_replayed()
    );
}

#[test]
fn another_file_in_force_of_the_same_kind_fails_the_job_too() {
    let cierre = in_state(EstadoCierre::ArchivosCompletos);
    let tipo = TipoTrabajo::GenerarDiscrepancias;
    let Ok(Requested::New(asked)) = cierre.request(tipo, trabajo_id(1), &stamp_of(JUAN, 30)) else {
        panic!("refused")
    };
    let (mut cierre, trabajo) = *asked;
    cierre
        .archivos
        .insert(Kind::LibroRemuneraciones, archivo_id(99));
    let ended = cierre.discrepancias_generated(&trabajo, found_discrepancias(0, 0), &worker(41));
    assert_eq!(ended, Err(CierreRefusal::InputsChanged));
}

#[test]
fn a_job_that_ends_twice_has_one_effect() {
    let cierre = in_state(EstadoCierre::ArchivosCompletos);
    let tipo = TipoTrabajo::GenerarDiscrepancias;
    let Ok(Requested::New(asked)) = cierre.request(tipo, trabajo_id(1), &stamp_of(JUAN, 30)) else {
        panic!("refused")
    };
    let (cierre, trabajo) = *asked;
    let found = || found_discrepancias(1, 1);
    let first = done(
        cierre
            .discrepancias_generated(&trabajo, found(), &worker(31))
            .unwrap(),
    );
    let (cierre, trabajo) = first.state;
    let again = cierre
        .discrepancias_generated(&trabajo, found(), &worker(32))
        .unwrap();
    assert!(matches!(again, Decision::Replayed(change) if change.events.is_empty()));
}

#[rstest]
#[case::none(&[], EstadoCierre::Pendiente)]
#[case::waiting(&[(Kind::LibroRemuneraciones, EstadoArchivo::Esperando)], EstadoCierre::Pendiente)]
#[case::gone(&[(Kind::LibroRemuneraciones, EstadoArchivo::Eliminado), (Kind::Novedades, EstadoArchivo::Reemplazado)], EstadoCierre::Pendiente)]
#[case::one_required(&[(Kind::LibroRemuneraciones, EstadoArchivo::Procesado)], EstadoCierre::CargandoArchivos)]
#[case::both(&[(Kind::LibroRemuneraciones, EstadoArchivo::Procesado), (Kind::MovimientosMes, EstadoArchivo::Procesado)], EstadoCierre::ArchivosCompletos)]
#[case::one_in_process(&[(Kind::LibroRemuneraciones, EstadoArchivo::Procesado), (Kind::MovimientosMes, EstadoArchivo::Procesado), (Kind::Ingresos, EstadoArchivo::Validando)], EstadoCierre::CargandoArchivos)]
#[case::one_wrong(&[(Kind::LibroRemuneraciones, EstadoArchivo::Procesado), (Kind::MovimientosMes, EstadoArchivo::Procesado), (Kind::LibroRemuneraciones, EstadoArchivo::ConErrores)], EstadoCierre::CargandoArchivos)]
#[case::one_failed(&[(Kind::LibroRemuneraciones, EstadoArchivo::Procesado), (Kind::MovimientosMes, EstadoArchivo::Error)], EstadoCierre::CargandoArchivos)]
#[case::others_alone(&[(Kind::Novedades, EstadoArchivo::Procesado)], EstadoCierre::CargandoArchivos)]
#[case::one_waiting(&[(Kind::LibroRemuneraciones, EstadoArchivo::Procesado), (Kind::MovimientosMes, EstadoArchivo::Procesado), (Kind::Ingresos, EstadoArchivo::Esperando)], EstadoCierre::ArchivosCompletos)]
fn the_files_make_the_state(
    #[case] files: &[(Kind, EstadoArchivo)],
    #[case] expected: EstadoCierre,
) {
    let numbered = files.iter().zip(1..);
    let files: Vec<_> = numbered
        .map(|((tipo, estado), n)| file(*tipo, n, *estado, 1))
        .collect();
    assert_eq!(settle(&files), expected);
}

#[rstest]
#[case("2025-09", true)]
#[case("2025-10", true)]
#[case("2025-11", true)]
#[case("2025-12", false)]
#[case("2000-01", true)]
fn months_up_to_the_next_one_are_closed(#[case] month: &str, #[case] expected: bool) {
    let today = parse_date("2025-10-31").unwrap();
    assert_eq!(may_close(Period::parse(month).unwrap(), today), expected);
}

#[test]
fn a_new_closing_says_its_month() {
    let change = Cierre::create(cierre_id(), cliente_id(), period(), &stamp_of(JUAN, 0));
    assert_eq!(change.state.estado, EstadoCierre::Pendiente);
    assert_eq!(told(&change.events), [(JUAN, "cierre_creado")]);
    let details = serde_json::to_string(&change.events[0].event.details()).unwrap();
    assert_eq!(details, r#"{"anio":2025,"mes":10,"periodo":"2025-10"}"#);
}

#[test]
fn reopening_and_deleting_take_a_reason() {
    let sealed = in_state(EstadoCierre::Finalizado);
    let open = in_state(EstadoCierre::ConIncidencias);
    for short in ["", "corto", "          ", &"x".repeat(501)] {
        let refused = Err(CierreRefusal::ReasonRequired);
        assert_eq!(
            sealed.reopen(short, &stamp_of(MARIA, 1)).map(|_| ()),
            refused
        );
        assert_eq!(open.delete(short, &stamp_of(JUAN, 1)).map(|_| ()), refused);
    }
    let reopened = sealed.reopen(WHY, &stamp_of(MARIA, 1)).unwrap();
    assert!(!reopened.state.resultados.discrepancias.vigente);
    assert!(!reopened.state.resultados.incidencias.vigente);
    assert_eq!(told(&reopened.events), [(MARIA, "estado_actualizado")]);
    assert_eq!(reopened.events[0].event.details()["motivo"], WHY);
    let deleted = open.delete(WHY, &stamp_of(JUAN, 1)).unwrap();
    assert_eq!(told(&deleted.events), [(JUAN, "cierre_eliminado")]);
    assert_eq!(deleted.events[0].event.details()["archivos"], 2);
}

#[test]
fn a_closing_is_stored_as_it_is() {
    for estado in EstadoCierre::ALL {
        let cierre = in_state(estado);
        let stored = serde_json::to_string(&cierre).unwrap();
        assert_eq!(serde_json::from_str::<Cierre>(&stored).unwrap(), cierre);
    }
}
