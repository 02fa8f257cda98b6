use cierre_kernel::decision::Decision;
use rstest::rstest;

use super::super::archivo::*;
use super::super::cierre::{Cierre, EstadoCierre};
use super::super::dossier::*;
use super::super::fixtures::*;
use super::super::refusal::{ArchivoRefusal, CierreRefusal, Invalid};
use super::super::{Change, Decided};
use crate::kind::Kind;

/// Section 3.2; its last column in two, for a newer file that has arrived and for one that is processed.
const TABLE: &str = "
| state | object arrives | worker | `error` findings | attempts exhausted | DELETE | reprocesar | newer file arrived | newer file processed |
| esperando | recibido | – | – | – | eliminado | file_not_received | same | same |
| recibido | same | validando | – | error | eliminado | file_in_process | same | reemplazado |
| validando | same | procesando | con_errores | error | eliminado | file_in_process | same | reemplazado |
| procesando | same | procesado | – | error | eliminado | file_in_process | same | reemplazado |
| procesado | same | same | – | same | eliminado | file_processed | same | reemplazado |
| con_errores | same | same | – | same | eliminado | file_has_errors | reemplazado | reemplazado |
| error | same | same | – | same | eliminado | recibido | reemplazado | reemplazado |
| expirado | recibido | – | – | – | file_not_live | file_not_live | same | same |
| reemplazado, eliminado | quarantine | discarded | – | same | file_not_live | file_not_live | same | same |
";

#[test]
fn every_cell_of_the_table_of_files_is_as_in_the_contract() {
    let states: Vec<_> = EstadoArchivo::ALL.iter().map(|one| one.as_str()).collect();
    let steps: Vec<_> = Step::ALL.iter().map(|one| one.as_str()).collect();
    let cells = cells(TABLE, &states, &steps);
    assert_eq!(cells.len(), EstadoArchivo::ALL.len() * Step::ALL.len());
    for (estado, step, expected) in cells {
        let estado_of = estado.parse::<EstadoArchivo>().unwrap();
        let found = match effect(estado_of, step.parse::<Step>().unwrap()) {
            Effect::To(to) => to.as_str(),
            Effect::Same => "same",
            Effect::Quarantine => "quarantine",
            Effect::Discard => "discarded",
            Effect::Refused(refusal) => refusal.code().as_str(),
            Effect::Never => "–",
        };
        assert_eq!(found, expected, "{estado}, {step}");
    }
}

/// Where a worker's step leads from each state: the next state, `again` for a replay, or why it stops.
const WORK: &str = "
| state | begin | validated | rejected | switched | exhausted | overwritten |
| esperando, expirado | out of place | out of place | out of place | out of place | out of place | again |
| recibido | validando | out of place | out of place | out of place | error | reemplazado |
| validando | again | procesando | con_errores | out of place | error | reemplazado |
| procesando | again | again | out of place | procesado | error | reemplazado |
| procesado | again | again | again | again | again | again |
| con_errores | again | again | again | again | again | again |
| error | again | again | again | again | again | again |
| reemplazado, eliminado | not live | not live | not live | not live | again | again |
";

#[test]
fn a_step_of_a_worker_is_done_once_and_in_its_place() {
    let states: Vec<_> = EstadoArchivo::ALL.iter().map(|one| one.as_str()).collect();
    let columns = [
        "begin",
        "validated",
        "rejected",
        "switched",
        "exhausted",
        "overwritten",
    ];
    for (estado, step, expected) in cells(WORK, &states, &columns) {
        let kind = Kind::LibroRemuneraciones;
        let files = [file(kind, 5, estado.parse::<EstadoArchivo>().unwrap(), 1)];
        let (cierre, id) = (settled(&files), files[0].id);
        let dossier = dossier(&cierre, &files);
        let decided = match step {
            "begin" => {
                let begun = files[0].begin(at(20));
                begun.map(|decision| decision.map(|change| change.map(|file| one(&cierre, file))))
            }
            "validated" => dossier.validated(id, &clean(), &worker(20)),
            "rejected" => dossier.validated(id, &faulty(), &worker(20)),
            "switched" => dossier.switched(id, &processing(), &worker(20)),
            "exhausted" => dossier.exhausted(id, "Reprocess it.", 3, &worker(20)),
            _ => dossier.overwritten(id, &worker(20)),
        };
        let found = match decided {
            Ok(Decision::Applied(change)) => change.state.file(id).unwrap().estado.as_str(),
            Ok(Decision::Replayed(change)) => {
                assert_eq!(change.events, []);
                "again"
            }
            Err(ArchivoRefusal::NotLive) => "not live",
            Err(ArchivoRefusal::OutOfPlace) => "out of place",
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, expected, "{estado}, {step}");
    }
}

fn one(cierre: &Cierre, file: Archivo) -> Moved {
    Moved {
        cierre: cierre.clone(),
        files: vec![file],
    }
}

#[rstest]
#[case::finalised(EstadoCierre::Finalizado, CierreRefusal::Finalized)]
#[case::deleted(EstadoCierre::Eliminado, CierreRefusal::Deleted)]
fn a_closing_at_its_end_takes_no_file_change(
    #[case] estado: EstadoCierre,
    #[case] expected: CierreRefusal,
) {
    let cierre = in_state(estado);
    for estado in EstadoArchivo::ALL {
        let files = [file(Kind::Ingresos, 5, estado, 1)];
        let (dossier, id) = (dossier(&cierre, &files), files[0].id);
        let stamp = stamp_of(JUAN, 20);
        let by_hand = [
            dossier.remove(id, None, None, &stamp),
            dossier.reprocess(id, &stamp),
        ];
        for refused in by_hand {
            assert_eq!(refused, Err(ArchivoRefusal::Cierre(expected)));
        }
        let by_worker: [Decided<Moved, ArchivoRefusal>; 4] = [
            dossier.validated(id, &clean(), &worker(20)),
            dossier.validated(id, &faulty(), &worker(20)),
            dossier.switched(id, &processing(), &worker(20)),
            dossier.exhausted(id, "Reprocess it.", 3, &worker(20)),
        ];
        for refused in by_worker {
            assert_eq!(refused, Err(ArchivoRefusal::Cierre(expected)));
        }
    }
    let announced = dossier(&cierre, &[]).announce(
        archivo_id(5),
        upload(Kind::Ingresos, "a.csv"),
        &stamp_of(JUAN, 20),
    );
    assert_eq!(announced, Err(expected));
}

#[test]
fn an_unknown_file_is_not_found() {
    let cierre = begun();
    let refused = dossier(&cierre, &[]).remove(archivo_id(1), None, None, &stamp_of(JUAN, 1));
    assert_eq!(refused, Err(ArchivoRefusal::NotFound));
}

#[test]
fn an_announced_upload_changes_nothing_of_the_closing() {
    let cierre = begun();
    let change = dossier(&cierre, &[])
        .announce(
            archivo_id(1),
            upload(Kind::Novedades, "n.csv"),
            &stamp_of(JUAN, 1),
        )
        .unwrap();
    assert_eq!(told(&change.events), [(JUAN, "upload_iniciado")]);
    let expected = Cierre {
        version: 2,
        ..cierre
    };
    assert_eq!(change.state.cierre, expected);
    let file = &change.state.files[0];
    assert_eq!(
        (file.estado, file.expira_en),
        (EstadoArchivo::Esperando, Some(at(901)))
    );
}

#[test]
fn an_address_that_was_not_used_in_time_has_expired() {
    let waiting = file(Kind::Novedades, 1, EstadoArchivo::Esperando, 1);
    assert_eq!(waiting.estado_at(at(899)), EstadoArchivo::Esperando);
    assert_eq!(waiting.estado_at(at(900)), EstadoArchivo::Expirado);
    assert!(waiting.expire(at(899)).unwrap().is_replayed());
    let expired = done(waiting.expire(at(900)).unwrap());
    assert_eq!(
        (expired.state.estado, expired.events.len()),
        (EstadoArchivo::Expirado, 0)
    );
    assert!(expired.state.expire(at(901)).unwrap().is_replayed());
    let files = [waiting];
    let cierre = settled(&files);
    let refused = dossier(&cierre, &files).remove(files[0].id, None, None, &stamp_of(JUAN, 900));
    assert_eq!(refused, Err(ArchivoRefusal::NotLive));
}

/// A file's way, with who did what.
#[test]
fn a_file_that_is_right_tells_its_way() {
    let kind = Kind::MovimientosMes;
    let files = [file(kind, 5, EstadoArchivo::Validando, 1)];
    let cierre = settled(&files);
    let id = files[0].id;
    let valid = done(
        dossier(&cierre, &files)
            .validated(id, &clean(), &worker(20))
            .unwrap(),
    );
    assert_eq!(
        told(&valid.events),
        [
            (JUAN, "archivo_validado"),
            ("sistema", "procesamiento_iniciado")
        ]
    );
    assert_eq!(valid.state.cierre.estado, cierre.estado);
    let file = valid.state.file(id).unwrap();
    assert_eq!(
        (file.hash.as_deref(), file.advertencias_total),
        (Some(&*"ab".repeat(32)), 1)
    );

    let switched = dossier(&valid.state.cierre, &valid.state.files);
    let stamp = worker(23);
    let switched = done(switched.switched(id, &processing(), &stamp).unwrap());
    assert_eq!(
        told(&switched.events),
        [("sistema", "procesamiento_completado")]
    );
    assert_eq!(
        switched.events[0].event.details()["duracion_segundos"].to_string(),
        "3"
    );
    let cierre = &switched.state.cierre;
    assert_eq!(cierre.archivos.get(&kind), Some(&id));
    assert_eq!(
        (
            cierre.counts.archivos,
            cierre.counts.registros,
            cierre.counts.empleados
        ),
        (1, 3, 3)
    );
}

#[test]
fn a_file_that_is_wrong_stays_out() {
    let files = [file(Kind::Ingresos, 5, EstadoArchivo::Validando, 1)];
    let cierre = settled(&files);
    let wrong = done(
        dossier(&cierre, &files)
            .validated(files[0].id, &faulty(), &worker(20))
            .unwrap(),
    );
    assert_eq!(told(&wrong.events), [(JUAN, "validacion_fallida")]);
    assert!(wrong.state.cierre.archivos.is_empty());
    assert_eq!(wrong.state.files[0].errores_total, 3);
}

#[test]
fn novedades_tell_what_they_brought() {
    let files = [file(Kind::Novedades, 5, EstadoArchivo::Procesando, 1)];
    let cierre = settled(&files);
    for (created, expected) in [(2, 4), (0, 3)] {
        let processing = Processing {
            novedades: Some(Consolidation {
                creados: created,
                ..Consolidation::default()
            }),
            ..processing()
        };
        let change = done(
            dossier(&cierre, &files)
                .switched(files[0].id, &processing, &worker(20))
                .unwrap(),
        );
        let actions: Vec<_> = told(&change.events)
            .into_iter()
            .map(|(_, action)| action)
            .collect();
        let all = [
            "procesamiento_completado",
            "clasificacion_completada",
            "consolidacion_completada",
            "empleado_creado",
        ];
        assert_eq!(actions, all[..expected]);
        let ids: Vec<_> = change
            .events
            .iter()
            .map(|entry| entry.id().unwrap())
            .collect();
        assert!(ids.is_sorted(), "their ids sort as they happened");
    }
}

#[test]
fn a_file_in_force_that_is_deleted_leaves_its_place_empty() {
    let files = required();
    let cierre = in_state(EstadoCierre::ConIncidencias);
    let change = dossier(&cierre, &files)
        .remove(files[0].id, None, Some(0), &stamp_of(MARIA, 20))
        .unwrap();
    let after = change.state.cierre;
    assert_eq!(after.estado, EstadoCierre::CargandoArchivos);
    assert_eq!(after.archivos.len(), 1);
    assert_eq!(
        (
            after.counts.archivos,
            after.counts.registros,
            after.counts.empleados
        ),
        (1, 3, 0)
    );
    assert!(!after.resultados.discrepancias.vigente && !after.resultados.incidencias.vigente);
    assert_eq!(
        told(&change.events),
        [(MARIA, "archivo_eliminado"), (MARIA, "estado_actualizado")]
    );
    assert_eq!(
        change.events[0].event.details()["motivo"],
        "eliminado_por_usuario"
    );
}

#[test]
fn a_file_that_never_was_in_force_takes_no_rows_with_it() {
    for (estado, expected) in [
        (EstadoArchivo::Procesado, 3),
        (EstadoArchivo::ConErrores, 0),
        (EstadoArchivo::Procesando, 0),
    ] {
        let files = [file(Kind::Finiquitos, 5, estado, 1)];
        let cierre = settled(&files);
        let change = dossier(&cierre, &files)
            .remove(files[0].id, Some("duplicado"), None, &stamp_of(JUAN, 20))
            .unwrap();
        let details = change.events[0].event.details();
        assert_eq!(
            (&details["registros_eliminados"], &details["motivo"]),
            (&expected.into(), &"duplicado".into())
        );
    }
}

#[test]
fn a_file_in_error_is_processed_once_more_as_another_round() {
    let files = [Archivo {
        mensaje: Some("Reprocess it.".into()),
        ..file(Kind::Ingresos, 5, EstadoArchivo::Error, 1)
    }];
    let cierre = settled(&files);
    let change = dossier(&cierre, &files)
        .reprocess(files[0].id, &stamp_of(MARIA, 20))
        .unwrap();
    let again = &change.state.files[0];
    assert_eq!(
        (again.estado, again.ronda, &again.mensaje),
        (EstadoArchivo::Recibido, 2, &None)
    );
    assert_eq!(told(&change.events), [(MARIA, "estado_actualizado")]);
    assert_eq!(change.state.cierre.estado, cierre.estado);
}

#[test]
fn what_replaces_a_file_is_told_in_its_uploaders_name() {
    let old = file(Kind::LibroRemuneraciones, 11, EstadoArchivo::Procesado, 1);
    let newer = Archivo {
        subido_por: actor(MARIA),
        ..file(Kind::LibroRemuneraciones, 12, EstadoArchivo::Procesando, 2)
    };
    let (id, files) = (newer.id, [old, newer]);
    let cierre = settled(&files);
    let change = done(
        dossier(&cierre, &files)
            .switched(id, &processing(), &worker(20))
            .unwrap(),
    );
    assert_eq!(
        told(&change.events),
        [
            ("sistema", "procesamiento_completado"),
            (MARIA, "archivo_eliminado")
        ]
    );
    let details = change.events[1].event.details();
    assert_eq!(
        (&details["motivo"], &details["estado_anterior"]),
        (&"resubida".into(), &"procesado".into())
    );
    assert_eq!(change.state.cierre.archivos[&Kind::LibroRemuneraciones], id);
}

#[rstest]
#[case("libro_remuneraciones", "nomina.xlsx", 1, None)]
#[case("libro_remuneraciones", "NOMINA.XLSX", 52_428_800, None)]
#[case("finiquitos", "a.txt", 1, None)]
#[case("movimientos_mes", "a.csv", 1, Some("format_not_supported"))]
#[case("novedades", "nomina.xls", 1, Some("format_not_supported"))]
#[case("novedades", "nomina.xlsm", 1, Some("format_not_supported"))]
#[case("novedades", "nomina", 1, Some("format_not_supported"))]
#[case("novedades", "../x.csv", 1, Some("bad_file_name"))]
#[case("novedades", "a\\x.csv", 1, Some("bad_file_name"))]
#[case("novedades", "a\u{0}.csv", 1, Some("bad_file_name"))]
#[case("novedades", "", 1, Some("bad_file_name"))]
#[case("nada", "a.csv", 1, Some("kind_unknown"))]
#[case("novedades", "a.csv", 52_428_801, Some("file_too_large"))]
#[case("novedades", "a.csv", 0, Some("file_empty"))]
fn uploads_are_judged_before_they_begin(
    #[case] tipo: &str,
    #[case] nombre: &str,
    #[case] tamano: u64,
    #[case] expected: Option<&str>,
) {
    let refused = NewUpload::judge(tipo, nombre, tamano, None).err();
    let codes = refused.map(|Invalid(errors)| {
        errors
            .iter()
            .map(|one| one.code.as_str())
            .collect::<Vec<_>>()
    });
    assert_eq!(codes, expected.map(|code| vec![code]));
}

#[test]
fn every_wrong_field_of_an_upload_is_listed() {
    let Invalid(errors) = NewUpload::judge("nada", "x", 0, Some("z")).unwrap_err();
    let pointers: Vec<_> = errors.iter().map(|one| one.pointer.as_str()).collect();
    assert_eq!(pointers, ["/tipo", "/nombre", "/tamano", "/sha256"]);
    let long = NewUpload::judge("ingresos", &format!("{}.csv", "ñ".repeat(196)), 1, None);
    assert!(long.is_ok());
    let digest = NewUpload::judge("ingresos", "a.csv", 1, Some(&"AB".repeat(32))).unwrap();
    assert_eq!(digest.sha256, Some("ab".repeat(32)));
}

#[test]
fn a_file_is_stored_as_it_is() {
    for estado in EstadoArchivo::ALL {
        let file = file(Kind::MovimientosMes, 1, estado, 1);
        let stored = serde_json::to_string(&file).unwrap();
        assert_eq!(serde_json::from_str::<Archivo>(&stored).unwrap(), file);
    }
    let change: Change<u8> = Change::silent(1);
    assert!(change.events.is_empty());
}
