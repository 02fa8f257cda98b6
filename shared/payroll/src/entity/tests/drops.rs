use cierre_kernel::company::CompanyId;
use proptest::prelude::*;
use rstest::rstest;

use super::super::archivo::*;
use super::super::cierre::EstadoCierre;
use super::super::dossier::Arrival;
use super::super::drop::*;
use super::super::events::Chain;
use super::super::fixtures::*;
use crate::kind::Kind;

const CIE: &str = "cie_00000000000000000000000002";
const ARC: &str = "arc_00000000000000000000000005";

fn read(key: &str) -> &'static str {
    match address(&key.replace("CIE", CIE).replace("ARC", ARC)) {
        Address::Nobody => "nobody",
        Address::Invalid(_) => "invalid",
        Address::NoSuchCierre(..) => "no such cierre",
        Address::Place(
            _,
            Place {
                archivo: Some(_), ..
            },
        ) => "announced",
        Address::Place(_, Place { archivo: None, .. }) => "dropped",
    }
}

#[rstest]
#[case("payroll/acme/CIE/ingresos/ARC/a.csv", "announced")]
#[case("payroll/acme/CIE/ingresos/a.csv", "dropped")]
#[case("payroll/acme/CIE/ingresos/a b+c.txt", "dropped")]
#[case("payroll/acme/CIE/ingresos/ARC", "dropped")]
#[case("payroll/acme/CIE/ingresos/x/a.csv", "invalid")]
#[case("payroll/acme/CIE/ingresos/ARC/x/a.csv", "invalid")]
#[case("payroll/acme/CIE/a.csv", "invalid")]
#[case("payroll/acme/a.csv", "invalid")]
#[case("payroll/acme", "invalid")]
#[case("payroll/acme/", "invalid")]
#[case("payroll/acme/CIE/nada/a.csv", "invalid")]
#[case("payroll/acme/CIE/libro_rem/a.csv", "invalid")]
#[case("payroll/acme/CIE/ingresos/", "invalid")]
#[case("payroll/acme/CIE/ingresos/ARC/", "invalid")]
#[case("payroll/acme//ingresos/a.csv", "no such cierre")]
#[case("payroll/acme/cie_x/ingresos/a.csv", "no such cierre")]
#[case("payroll/acme/cie_x/nada/a.csv", "invalid")]
#[case("payroll/Acme/CIE/ingresos/a.csv", "nobody")]
#[case("payroll//CIE/ingresos/a.csv", "nobody")]
#[case("payroll", "nobody")]
#[case("payroll/", "nobody")]
#[case("other/acme/CIE/ingresos/a.csv", "nobody")]
#[case("", "nobody")]
fn keys_name_a_place_or_what_they_lack(#[case] key: &str, #[case] expected: &str) {
    assert_eq!(read(key), expected);
}

#[test]
fn the_key_of_an_upload_is_read_back() {
    let key = upload_key(
        &company(),
        cierre_id(),
        Kind::Novedades,
        archivo_id(5),
        "ñ a+b.csv",
    );
    assert_eq!(
        address(&key),
        Address::Place(
            company(),
            Place {
                cierre: cierre_id(),
                tipo: Kind::Novedades,
                archivo: Some(archivo_id(5)),
                nombre: "ñ a+b.csv".into(),
            }
        )
    );
}

/// Where an object goes, why, and in whose chain it is told.
fn aside(landing: Landing) -> (String, Option<Motivo>, Option<Chain>) {
    let Landing::Quarantined(found) = landing else {
        panic!("not put aside: {landing:?}")
    };
    let record = found.record.as_ref();
    if let (Some(record), Some(entry)) = (record, &found.entry) {
        assert_eq!(entry.event.details()["motivo"], record.motivo.as_str());
        assert!(entry.id().is_some(), "told once");
    }
    let chain = found.entry.as_ref().map(|entry| entry.chain());
    (
        found.destino.clone(),
        record.map(|record| record.motivo),
        chain,
    )
}

#[rstest]
#[case::no_company("payroll/Acme/x", true, None, None)]
#[case::no_clients("payroll/acme/CIE/ingresos/a.csv", false, None, None)]
#[case::no_place(
    "payroll/acme/CIE/a.csv",
    true,
    Some(Motivo::ClaveInvalida),
    Some(Chain::Company)
)]
#[case::no_cierre(
    "payroll/acme/cie_x/ingresos/a.csv",
    true,
    Some(Motivo::CierreDesconocido),
    Some(Chain::Company)
)]
#[case::not_theirs(
    "payroll/acme/CIE/ingresos/a.csv",
    true,
    Some(Motivo::CierreDesconocido),
    Some(Chain::Company)
)]
fn what_has_no_closing_is_put_aside(
    #[case] key: &str,
    #[case] owns_clients: bool,
    #[case] motivo: Option<Motivo>,
    #[case] chain: Option<Chain>,
) {
    let key = key.replace("CIE", CIE);
    let landing = land(&object(&key, 1), owns_clients, None, &worker(2));
    let folder = if motivo.is_some() { "acme" } else { "_unknown" };
    assert_eq!(
        aside(landing),
        (format!("quarantine/{folder}/{key}"), motivo, chain)
    );
}

#[rstest]
#[case(EstadoCierre::Finalizado, Motivo::CierreFinalizado)]
#[case(EstadoCierre::Eliminado, Motivo::CierreEliminado)]
fn a_closing_at_its_end_takes_no_object_and_tells_of_it(
    #[case] estado: EstadoCierre,
    #[case] motivo: Motivo,
) {
    let cierre = in_state(estado);
    let key = drop_key(Kind::Ingresos);
    let landing = land(
        &object(&key, 90),
        true,
        Some(&dossier(&cierre, &[])),
        &worker(91),
    );
    let chain = Chain::Cierre(cierre.id);
    assert_eq!(
        aside(landing),
        (format!("quarantine/acme/{key}"), Some(motivo), Some(chain))
    );
}

#[test]
fn a_duplicate_of_a_file_in_force_is_one_also_after_the_end() {
    for estado in EstadoCierre::ALL {
        let cierre = in_state(estado);
        for state in EstadoArchivo::ALL {
            let files = [file(Kind::Ingresos, 5, state, 7)];
            if files[0].objeto.is_none() {
                continue;
            }
            let again = object(&api_key(Kind::Ingresos, files[0].id), 7);
            let landing = land(&again, true, Some(&dossier(&cierre, &files)), &worker(91));
            assert_eq!(landing, Landing::Seen, "{estado}, {state}");
        }
    }
}

/// What an object does at the key of an announced upload, by the state of its file: first the one that is due, then another version.
#[test]
fn an_announced_file_takes_one_object_and_other_versions_are_other_files() {
    let kind = Kind::Ingresos;
    for estado in EstadoArchivo::ALL {
        let files = [file(kind, 5, estado, 7)];
        let id = files[0].id;
        let cierre = settled(&files);
        let object = object(&api_key(kind, id), 800);
        let arrival =
            dossier(&cierre, &files).arrive(&place(kind, Some(id)), &object, &worker(801));
        let expected = match estado {
            EstadoArchivo::Esperando | EstadoArchivo::Expirado => Ok(id),
            EstadoArchivo::Recibido
            | EstadoArchivo::Validando
            | EstadoArchivo::Procesando
            | EstadoArchivo::Procesado
            | EstadoArchivo::ConErrores
            | EstadoArchivo::Error
            | EstadoArchivo::Reemplazado => Ok(object.archivo_id()),
            EstadoArchivo::Eliminado => Err(Motivo::ArchivoEliminado),
        };
        match arrival {
            Arrival::Received(found, change) => {
                assert_eq!(Ok(found), expected, "{estado}");
                let file = change.state.file(found).unwrap();
                assert_eq!(file.estado, EstadoArchivo::Recibido);
                assert_eq!(told(&change.events)[0], (JUAN, "archivo_subido"));
            }
            Arrival::Refused(motivo, by) => {
                assert_eq!(
                    (Err(motivo), by.user.as_str()),
                    (expected, JUAN),
                    "{estado}"
                );
            }
            Arrival::Seen => panic!("{estado}"),
        }
    }
}

#[test]
fn an_address_that_nobody_was_given_is_no_place() {
    let files = [file(Kind::Ingresos, 5, EstadoArchivo::Esperando, 7)];
    let cierre = begun();
    for place in [
        place(Kind::Ingresos, Some(archivo_id(6))),
        place(Kind::Novedades, Some(archivo_id(5))),
    ] {
        let arrival = dossier(&cierre, &files).arrive(&place, &object("k", 9), &worker(10));
        assert!(
            matches!(arrival, Arrival::Refused(Motivo::ClaveInvalida, _)),
            "{arrival:?}"
        );
    }
}

#[test]
fn only_what_a_closing_itself_refuses_stands_on_its_timeline() {
    let deleted = [file(Kind::Ingresos, 5, EstadoArchivo::Eliminado, 7)];
    let cierre = begun();
    for (archivo, motivo, chain) in [
        (5, Motivo::ArchivoEliminado, Chain::Cierre(cierre.id)),
        (6, Motivo::ClaveInvalida, Chain::Company),
    ] {
        let key = api_key(Kind::Ingresos, archivo_id(archivo));
        let landing = land(
            &object(&key, 9),
            true,
            Some(&dossier(&cierre, &deleted)),
            &worker(10),
        );
        assert_eq!(
            aside(landing),
            (format!("quarantine/acme/{key}"), Some(motivo), Some(chain))
        );
    }
}

#[test]
fn a_dropped_file_is_the_systems() {
    let cierre = begun();
    let key = drop_key(Kind::MovimientosMes);
    let landing = land(
        &object(&key, 9),
        true,
        Some(&dossier(&cierre, &[])),
        &worker(10),
    );
    let Landing::Received(id, change) = landing else {
        panic!("{landing:?}")
    };
    let file = change.state.file(id).unwrap();
    assert_eq!(
        (file.origen, file.formato, file.nombre.as_str()),
        (Origen::S3, Some(Formato::Xlsx), "datos.xlsx")
    );
    assert_eq!(
        told(&change.events),
        [
            ("sistema", "archivo_subido"),
            ("sistema", "estado_actualizado")
        ]
    );
    assert_eq!(change.events[0].event.details()["origen"], "s3");
    assert_eq!(change.state.cierre.estado, EstadoCierre::CargandoArchivos);
}

#[test]
fn an_older_file_than_the_one_in_force_changes_nothing_of_the_closing() {
    let files = required();
    let cierre = in_state(EstadoCierre::ConIncidencias);
    let late = object(&drop_key(Kind::LibroRemuneraciones), 0);
    let arrival = dossier(&cierre, &files).arrive(
        &place(Kind::LibroRemuneraciones, None),
        &late,
        &worker(60),
    );
    let Arrival::Received(id, change) = arrival else {
        panic!("{arrival:?}")
    };
    assert_eq!(
        change.state.file(id).unwrap().estado,
        EstadoArchivo::Reemplazado
    );
    assert_eq!(
        told(&change.events),
        [("sistema", "archivo_subido"), (JUAN, "archivo_eliminado")]
    );
    let after = change.state.cierre;
    assert_eq!(
        (after.estado, &after.resultados),
        (cierre.estado, &cierre.resultados)
    );
    assert_eq!(after.archivos, cierre.archivos);
}

#[test]
fn what_tells_two_events_apart() {
    let one = object("k", 9);
    let others = [
        ObjectEvent {
            bucket: "b".into(),
            ..one.clone()
        },
        ObjectEvent {
            clave: "l".into(),
            ..one.clone()
        },
        ObjectEvent {
            version_id: Some("w".into()),
            ..one.clone()
        },
        ObjectEvent {
            sequencer: "1".into(),
            ..one.clone()
        },
        ObjectEvent {
            version_id: None,
            ..one.clone()
        },
    ];
    for other in &others {
        assert_ne!(one.identity(), other.identity());
        assert_ne!(one.archivo_id(), other.archivo_id());
    }
    let tag = ObjectEvent {
        etag: "other".into(),
        ..others[4].clone()
    };
    assert_ne!(tag.identity(), others[4].identity());
    // A version stands for its bytes, and a later look at the bucket is no part of the event.
    let looked_at_later = ObjectEvent {
        etag: "x".into(),
        modificado_en: at(99),
        tamano: 1,
        ..one.clone()
    };
    assert_eq!(looked_at_later.identity(), one.identity());
    assert_eq!(looked_at_later.archivo_id(), one.archivo_id());
}

proptest! {
    #[test]
    fn any_key_is_read_and_put_somewhere(key in "(payroll/)?(acme|A|)(/[a-z_0-9 ñ/]{0,30})?") {
        let company = CompanyId::parse("acme").unwrap();
        let landing = land(&object(&key, 1), true, None, &worker(2));
        let Landing::Quarantined(found) = landing else {
            return Err(TestCaseError::fail("no closing to land in"));
        };
        let known = found.company == Some(company);
        let folder = if known { "acme" } else { "_unknown" };
        prop_assert_eq!(&found.destino, &format!("quarantine/{folder}/{key}"));
    }
}
