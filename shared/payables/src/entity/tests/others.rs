use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{CargaId, RechazoIngresoId};
use cierre_kernel::problem::Problem;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;
use ulid::Ulid;

use super::super::asignacion::{Asignacion, Encargo};
use super::super::carga::*;
use super::super::delegacion::*;
use super::super::fixtures::*;
use super::super::refusal::Invalid;
use super::super::trabajo::*;
use crate::persona::Usuario;
use crate::rules::sincronizacion::Estado;
use crate::ubl::{Fallo, MAX_BYTES};

fn delegation(de: &str, a: &str, desde: &str, hasta: &str) -> DelegacionNueva {
    DelegacionNueva {
        de: user(de),
        a: user(a),
        desde: desde.into(),
        hasta: hasta.into(),
        motivo: WHY.into(),
    }
}

fn give(nueva: DelegacionNueva, others: &[Tramo], by: &str) -> Result<Delegacion, String> {
    Delegacion::create(
        delegacion_id(1),
        nueva,
        others,
        roles_of(by),
        hoy(),
        &stamp(by, 1),
    )
    .map(|change| change.state)
    .map_err(|refusal| {
        let problem = Problem::from(refusal);
        format!("{} {}", problem.status, problem.code)
    })
}

#[rstest]
#[case(JUAN, JUAN, "2026-02-05", "2026-02-06", "422 usuario_no_valido")]
#[case(JUAN, MARIA, "2026-02-01", "2026-02-04", "422 fecha_invalida")]
#[case(JUAN, MARIA, "2026-02-07", "2026-02-06", "422 fecha_invalida")]
#[case(JUAN, MARIA, "2026-02-05", "2027-02-06", "422 out_of_range")]
#[case(JUAN, MARIA, "hoy", "2026-02-06", "422 invalid_date")]
#[case(MARIA, LUIS, "2026-02-05", "2026-02-06", "403 wrong_role")]
fn a_delegation_that_is_wrong_is_refused(
    #[case] de: &str,
    #[case] a: &str,
    #[case] desde: &str,
    #[case] hasta: &str,
    #[case] code: &str,
) {
    assert_eq!(
        give(delegation(de, a, desde, hasta), &[], JUAN),
        Err(code.to_owned())
    );
}

#[test]
fn a_delegation_lasts_a_year_and_does_not_overlap_another_one() {
    let year = give(
        delegation(JUAN, MARIA, "2026-02-05", "2027-02-05"),
        &[],
        JUAN,
    )
    .unwrap();
    let first = give(
        delegation(JUAN, MARIA, "2026-02-05", "2026-02-10"),
        &[],
        JUAN,
    )
    .unwrap();
    let others = &[first.tramo()];
    assert_eq!(
        give(
            delegation(JUAN, LUIS, "2026-02-10", "2026-02-12"),
            others,
            JUAN
        ),
        Err("409 delegacion_solapada".into())
    );
    assert!(
        give(
            delegation(JUAN, LUIS, "2026-02-11", "2026-02-12"),
            others,
            JUAN
        )
        .is_ok()
    );
    let days = Tramo {
        desde: day("2026-02-01"),
        hasta: day("2026-02-01"),
    };
    assert_eq!(
        give(
            delegation(JUAN, LUIS, "2026-02-11", "2026-02-12"),
            &[days; 1000],
            JUAN
        ),
        Err("422 too_many_items".into())
    );
    assert_eq!(year.tramo().to_string(), "2026-02-05/2027-02-05");
    assert_eq!("2026-02-05/2027-02-05".parse(), Ok(year.tramo()));
    assert_eq!("2026-02-05".parse::<Tramo>(), Err(NotATramo));
    // The longest one that is given on 2027-02-01 begins on that day; a day more is kept, for a company may change its time zone.
    assert!(!days.is_out_of_reach(day("2027-02-02")));
    assert!(days.is_out_of_reach(day("2027-02-03")));
}

#[test]
fn a_delegation_stands_where_the_day_puts_it_and_is_not_handed_on() {
    let one = give(
        delegation(JUAN, MARIA, "2026-02-06", "2026-02-08"),
        &[],
        JUAN,
    )
    .unwrap();
    let states: Vec<_> = ["2026-02-05", "2026-02-06", "2026-02-08", "2026-02-09"]
        .iter()
        .map(|on| one.estado(day(on)).as_str())
        .collect();
    assert_eq!(states, ["programada", "vigente", "vigente", "vencida"]);
    let next = give(
        delegation(MARIA, LUIS, "2026-02-06", "2026-02-08"),
        &[],
        MARIA,
    )
    .unwrap();
    let all = [one.clone(), next];
    assert!(is_delegate(
        &all,
        &user(JUAN),
        &user(MARIA),
        day("2026-02-07")
    ));
    assert!(!is_delegate(
        &all,
        &user(JUAN),
        &user(LUIS),
        day("2026-02-07")
    ));
    assert!(!is_delegate(
        &all,
        &user(JUAN),
        &user(MARIA),
        day("2026-02-09")
    ));
    assert!(
        one.revoke(roles_of(MARIA), day("2026-02-07"), &stamp(MARIA, 2))
            .is_err(),
        "somebody else's"
    );
    let revoked = one
        .revoke(roles_of(JUAN), day("2026-02-07"), &stamp(JUAN, 2))
        .unwrap()
        .state;
    assert!(
        !is_delegate(
            std::slice::from_ref(&revoked),
            &user(JUAN),
            &user(MARIA),
            day("2026-02-07")
        ),
        "at once"
    );
    assert_eq!(
        revoked
            .revoke(roles_of(JUAN), day("2026-02-07"), &stamp(JUAN, 3))
            .unwrap_err()
            .code()
            .as_str(),
        "delegacion_terminada"
    );
    assert_eq!(
        one.revoke(roles_of(JUAN), day("2026-02-09"), &stamp(JUAN, 3))
            .unwrap_err()
            .code()
            .as_str(),
        "delegacion_terminada"
    );
}

#[test]
fn an_assignment_is_set_replaced_and_taken_away() {
    let first = done(Asignacion::put(
        None,
        nit(),
        encargo(JUAN),
        &stamp(ADMIN, 1),
    ));
    assert_eq!(actions(&first.events), ["asignacion_creada"]);
    assert!(
        Asignacion::put(Some(&first.state), nit(), encargo(JUAN), &stamp(ADMIN, 2)).is_replayed()
    );
    let second = done(Asignacion::put(
        Some(&first.state),
        nit(),
        encargo(MARIA),
        &stamp(ADMIN, 2),
    ));
    assert_eq!(
        (actions(&second.events), second.state.version),
        (vec!["asignacion_modificada"], 2)
    );
    let gone = second.state.delete(&stamp(ADMIN, 3)).unwrap();
    assert_eq!(gone.state.encargo(), None);
    assert_eq!(gone.state.delete(&stamp(ADMIN, 4)), None);
    let again = done(Asignacion::put(
        Some(&gone.state),
        nit(),
        encargo(MARIA),
        &stamp(ADMIN, 5),
    ));
    assert_eq!(
        (actions(&again.events), again.state.version),
        (vec!["asignacion_creada"], 4)
    );
    assert!(
        Encargo::judge(Ok(user(JUAN)), " ").is_err()
            && Encargo::judge(Ok(user(JUAN)), &"a".repeat(201)).is_err()
    );
}

fn upload() -> Carga {
    Carga::create(
        CargaId::new(Ulid(3)),
        &company(),
        "factura enero.xml",
        10,
        &stamp(PEDRO, 0),
    )
    .unwrap()
}

#[test]
fn an_upload_is_found_by_the_key_of_its_object() {
    let carga = upload();
    let place = read_key(&carga.clave).unwrap();
    assert_eq!((place.company, place.carga), (company(), Some(carga.id)));
    let dropped = read_key("facturas/demo/FE 1.xml").unwrap();
    assert_eq!(
        (dropped.company, dropped.carga),
        (CompanyId::parse("demo").unwrap(), None)
    );
    for key in [
        "facturas/demo/.xml",
        "facturas/demo/a/b.xml",
        "facturas/De mo/a.xml",
        "facturas/demo/a.pdf",
        "x/demo/a.xml",
        "facturas/a.xml",
    ] {
        assert_eq!(read_key(key), None, "{key}");
    }
}

#[test]
fn an_upload_lapses_after_an_hour_and_a_later_object_still_counts() {
    let carga = upload();
    assert_eq!(
        carga.estado_at(at(EXPIRY_SECONDS - 1)),
        EstadoCarga::Esperando
    );
    assert_eq!(carga.estado_at(at(EXPIRY_SECONDS)), EstadoCarga::Vencida);
    let settled = carga.settled(Desenlace::Factura(factura_id(1)));
    assert_eq!(
        (settled.estado_at(at(EXPIRY_SECONDS)), settled.factura_id),
        (EstadoCarga::Procesada, Some(factura_id(1)))
    );
    let size = |bytes| {
        Carga::create(carga.id, &company(), "a.xml", bytes, &stamp(PEDRO, 0))
            .map_err(|invalid| Problem::from(invalid).code.as_str())
    };
    assert_eq!(size(MAX_BYTES + 1).unwrap_err(), "archivo_demasiado_grande");
    assert!(size(MAX_BYTES).is_ok() && size(0).is_err());
    let Err(Invalid(wrong)) = Carga::create(carga.id, &company(), " ", 0, &stamp(PEDRO, 0)) else {
        panic!("taken")
    };
    assert_eq!(wrong.len(), 2, "every wrong field is listed");
}

#[test]
fn a_repeated_or_late_event_of_a_key_has_no_effect() {
    let seen = Visto::after(None, "0A1", "aa", Desenlace::Factura(factura_id(1)));
    assert_eq!(judge_event(None, "1", "aa"), Evento::Nuevo);
    assert_eq!(judge_event(Some(&seen), "0A1", "aa"), Evento::Repetido);
    assert_eq!(judge_event(Some(&seen), "FFF", "aa"), Evento::Repetido);
    assert_eq!(judge_event(Some(&seen), "9F", "bb"), Evento::Atrasado);
    assert_eq!(judge_event(Some(&seen), "a1", "bb"), Evento::Atrasado);
    assert_eq!(judge_event(Some(&seen), "0a2", "bb"), Evento::Nuevo);
    assert_eq!(judge_event(Some(&seen), "100", "bb"), Evento::Nuevo);
    assert!(is_past("0A1", "a1") && is_past("A0", "A1") && !is_past("A2", "A1"));
    assert!(is_past("", "A1") && !is_past("A1", "") && !is_past("", ""));
}

#[test]
fn a_rejected_object_keeps_what_was_wrong_where() {
    let id = RechazoIngresoId::new(Ulid(4));
    let lost = Rechazo::lost(id, "facturas/demo/a.xml", None, at(0));
    assert_eq!(
        (lost.code, lost.sha256),
        (codes::PROCESAMIENTO_FALLIDO, None)
    );
    assert!(lost.detail.ends_with("Drop the file again"));
    let same = Rechazo::duplicate(id, "k", None, Some("aa"), factura_id(1), at(0));
    assert_eq!(
        (same.code, same.factura_id),
        (codes::FACTURA_DUPLICADA, Some(factura_id(1)))
    );
    let event = same.entry(&Usuario::sistema());
    assert_eq!(
        (event.event.resource_id().as_str(), event.by.user.as_str()),
        ("k", "sistema")
    );
    let large = Rechazo::new(id, "k", None, None, &Fallo::too_large(), at(0));
    let read: Rechazo = serde_json::from_value(json!(large)).unwrap();
    assert_eq!(read, large);
}

fn job(total: u64) -> Trabajo {
    Trabajo::queued(
        trabajo_id(1),
        TipoTrabajo::Decisiones,
        total,
        false,
        roles_of(PEDRO),
        &stamp(PEDRO, 0),
    )
}

#[test]
fn a_job_ends_when_every_item_has_its_outcome() {
    assert_eq!(
        job(1).recorded(&[], 0).unwrap_err(),
        TrabajoRefusal::FueraDeLugar
    );
    let taken = done(job(2).taken().unwrap()).state;
    assert_eq!(
        taken.finished(at(1)).unwrap_err(),
        TrabajoRefusal::Incompleto
    );
    let ok = Outcome::applied(0, None, Estado::Aprobada, false);
    let refused = Outcome::refused(
        1,
        None,
        codes::NO_ENCONTRADA,
        Problem::new(codes::NOT_FOUND),
        false,
    );
    let recorded = taken.recorded(&[ok, refused], 0).unwrap();
    assert_eq!(
        (
            recorded.procesados,
            recorded.aplicados,
            recorded.no_aplicados
        ),
        (2, 1, 1)
    );
    let ended = done(recorded.finished(at(2)).unwrap());
    assert_eq!(
        (ended.state.estado, actions(&ended.events)),
        (EstadoTrabajo::Completado, vec!["trabajo_completado"])
    );
    assert!(
        ended.state.taken().unwrap().is_replayed()
            && ended.state.failed(at(3)).unwrap().is_replayed()
    );
    let growing = taken.recorded(&[], 40).unwrap();
    assert_eq!(
        growing.total, 40,
        "a job over all facturas finds them as it goes"
    );
}

#[test]
fn a_failed_job_is_retried_for_what_is_unfinished() {
    let taken = done(job(2).taken().unwrap()).state;
    let half = taken
        .recorded(&[Outcome::applied(0, None, Estado::Aprobada, false)], 0)
        .unwrap();
    let failed = done(half.failed(at(1)).unwrap());
    assert_eq!(actions(&failed.events), ["trabajo_error"]);
    assert_eq!(half.retried().unwrap_err(), TrabajoRefusal::NoReintentable);
    let again = done(failed.state.retried().unwrap()).state;
    assert_eq!(
        (again.estado, again.procesados, again.error, again.intentos),
        (EstadoTrabajo::EnCola, 1, None, 0)
    );
    let read: Trabajo = serde_json::from_value(json!(failed.state)).unwrap();
    assert_eq!(read, failed.state);
}

proptest! {
    /// Whatever happens to it, a job's counts add up, and it ends complete or in error.
    #[test]
    fn a_jobs_counts_add_up(steps in prop::collection::vec(0..5_u8, 0..40)) {
        let mut job = job(5);
        for step in steps {
            let next = match step {
                0 => job.taken().map(|decision| decision.into_inner().state),
                1 if job.procesados < job.total => {
                    let indice = u32::try_from(job.procesados).unwrap();
                    let outcome = if indice % 2 == 0 {
                        Outcome::applied(indice, None, Estado::Aprobada, false)
                    } else {
                        Outcome::refused(indice, None, codes::YA_DECIDIDA, Problem::new(codes::YA_DECIDIDA), false)
                    };
                    job.recorded(&[outcome], 0)
                }
                2 => job.failed(at(1)).map(|decision| decision.into_inner().state),
                3 => job.retried().map(|decision| decision.into_inner().state),
                _ => job.finished(at(1)).map(|decision| decision.into_inner().state),
            };
            job = next.unwrap_or(job);
            prop_assert_eq!(job.procesados, job.aplicados + job.no_aplicados);
            prop_assert!(job.procesados <= job.total);
            if job.estado == EstadoTrabajo::Completado {
                prop_assert_eq!(job.procesados, job.total);
            }
            prop_assert_eq!(job.terminado_en.is_some(), matches!(job.estado, EstadoTrabajo::Completado | EstadoTrabajo::Error));
        }
    }
}
