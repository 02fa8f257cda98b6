use cierre_kernel::id::ArchivoId;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::lre::testing::{code, employee, golden, rut, set_amount, set_text};
use crate::registro::Registro;
use crate::rules::sums::Sums;

fn archivo(tipo: Kind, bytes: &[u8]) -> ArchivoSellado {
    ArchivoSellado {
        tipo,
        archivo_id: format!("arc_0000000000000000000000000{}", tipo as u8)
            .parse::<ArchivoId>()
            .unwrap(),
        nombre: format!("{tipo}.csv"),
        sha256: sha256_hex(bytes),
        bytes: bytes.len() as u64,
        filas: 3,
    }
}

fn resultado(rows: &[Registro]) -> Resumido {
    let mut resultado = Resultado::default();
    for row in rows {
        resultado.row(row);
    }
    resultado.finish()
}

fn manifiesto(archivos: Vec<ArchivoSellado>, rows: &[Registro]) -> Manifiesto {
    let Resumido {
        resultado_sha256,
        totales,
    } = resultado(rows);
    Manifiesto {
        version: VERSION,
        cierre_id: "cie_00000000000000000000000001".parse().unwrap(),
        cliente_id: "cli_00000000000000000000000001".parse().unwrap(),
        periodo: Period::parse("2025-10").unwrap(),
        numero: 1,
        archivos,
        totales,
        discrepancias: BTreeMap::from([(
            TipoDiscrepancia::IdentidadLre,
            BTreeMap::from([(EstadoDiscrepancia::Corregida, 2)]),
        )]),
        incidencias: BTreeMap::from([(
            Prioridad::Media,
            BTreeMap::from([(EstadoIncidencia::AprobadaSupervisor, 1)]),
        )]),
        configuracion: serde_json::json!({"tolerancia_pesos": "1", "umbral_variacion": "30.00"}),
        base_comparacion: None,
        resultado_sha256,
        cadena_cabeza: "0".repeat(64),
    }
}

#[test]
fn a_manifest_has_the_contract_s_members() {
    let sealed = manifiesto(vec![archivo(Kind::LibroRemuneraciones, b"x")], &golden())
        .seal()
        .unwrap();
    let text = canonical_json(&sealed.manifiesto).unwrap();
    let head = r#"{"archivos":[{"archivo_id":"arc_00000000000000000000000000","bytes":1,"filas":3,"nombre":"libro_remuneraciones.csv","sha256":""#;
    assert!(text.starts_with(head), "{text}");
    let mut members: Vec<_> = sealed.manifiesto.as_object().unwrap().keys().collect();
    members.sort();
    let wanted = [
        "archivos",
        "base_comparacion",
        "cadena_cabeza",
        "cierre_id",
        "cliente_id",
        "configuracion",
        "discrepancias",
        "incidencias",
        "numero",
        "periodo",
        "resultado_sha256",
        "totales",
        "version",
    ];
    assert_eq!(members, wanted);
    let totals = serde_json::json!({
        "empleados": 3, "registros": 3, "5201": "7048977", "5301": "551886", "5410": "75373", "5501": "6497091",
    });
    assert_eq!(sealed.manifiesto["totales"], totals);
    assert_eq!(
        sealed.manifiesto["discrepancias"]["identidad_lre"]["corregida"],
        2
    );
    assert_eq!(
        sealed.manifiesto["incidencias"]["media"]["aprobada_supervisor"],
        1
    );
    assert_eq!(sealed.sello, sha256_hex(text.as_bytes()));
    assert_eq!(seal_of(&sealed.manifiesto).unwrap(), sealed.sello);
}

#[test]
fn a_stored_manifest_reads_back_and_seals_alike() {
    let sealed = manifiesto(vec![archivo(Kind::Novedades, b"x")], &golden())
        .seal()
        .unwrap();
    let back: Manifiesto = serde_json::from_value(sealed.manifiesto.clone()).unwrap();
    assert_eq!(back.seal().unwrap(), sealed);
}

#[test]
fn the_result_is_pinned() {
    // Sealed books must verify for ever: whoever changes this digest breaks every seal there is.
    assert_eq!(
        resultado(&golden()).resultado_sha256,
        "a2f57cafe128ca68cbba63790d27225a0c26ce7ecaed75a8799c5f4ddb4cce65"
    );
}

#[rstest]
#[case::amount(|rows: &mut Vec<Registro>| set_amount(&mut rows[0], "2101", 600_001))]
#[case::text(|rows: &mut Vec<Registro>| set_text(&mut rows[0], "1154", "x"))]
#[case::rut(|rows: &mut Vec<Registro>| rows[0].rut = rut("11111111-1"))]
#[case::row(|rows: &mut Vec<Registro>| rows[0].row = 9)]
#[case::sheet(|rows: &mut Vec<Registro>| rows[0].sheet = "X".into())]
#[case::order(|rows: &mut Vec<Registro>| rows.swap(0, 1))]
#[case::missing(|rows: &mut Vec<Registro>| rows.truncate(2))]
#[case::others(|rows: &mut Vec<Registro>| rows[0].others.push(("a".into(), "b".into())))]
fn the_result_changes_with_every_part_of_a_row(#[case] change: fn(&mut Vec<Registro>)) {
    let mut rows = golden();
    change(&mut rows);
    assert_ne!(
        resultado(&rows).resultado_sha256,
        resultado(&golden()).resultado_sha256
    );
}

#[test]
fn the_result_does_not_depend_on_the_order_of_columns() {
    let mut rows = golden();
    for row in &mut rows {
        row.values.reverse();
    }
    assert_eq!(resultado(&rows), resultado(&golden()));
}

#[test]
fn a_row_s_form_is_canonical_json() {
    let mut rows = golden();
    rows[0].others = vec![
        ("Ñ \"x\"".into(), "a\u{1}\t\\/\u{7f}".into()),
        ("\u{fb33}".into(), "\u{1f600}".into()),
        ("A".into(), "line\r\nbreak".into()),
    ];
    set_text(&mut rows[0], "1154", "Operador \"grúa\"\u{8}");
    for row in rows {
        let text = resultado::canonical_row(&row);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(canonical_json(&value).unwrap(), text);
        assert_eq!(
            value["valores"].as_object().unwrap().len(),
            row.values.len()
        );
    }
}

fn sums(rows: &[Registro]) -> Sums {
    let mut sums = Sums::new(compared);
    rows.iter().for_each(|row| sums.add(row));
    sums
}

#[test]
fn two_seals_are_told_apart() {
    let before = [
        archivo(Kind::LibroRemuneraciones, b"1"),
        archivo(Kind::Ingresos, b"2"),
    ];
    let mut same_bytes = archivo(Kind::Ingresos, b"2");
    same_bytes.nombre = "otra vez.csv".to_owned();
    let now = [
        archivo(Kind::LibroRemuneraciones, b"3"),
        same_bytes,
        archivo(Kind::Novedades, b"4"),
    ];
    let files = changed_files(&before, &now);
    let kinds: Vec<_> = files.iter().map(|change| change.tipo).collect();
    assert_eq!(kinds, [Kind::LibroRemuneraciones, Kind::Novedades]);
    assert_eq!(files[1].antes, None);

    let mut changed = employee("12345678-5", 2);
    set_amount(&mut changed, "2101", 700_000);
    let former = sums(&golden());
    let rows = [changed, golden().swap_remove(1), employee("11111111-1", 5)];
    let latter = sums(&rows);
    let added: Vec<_> = only_in(&latter, &former).collect();
    let removed: Vec<_> = only_in(&former, &latter).collect();
    assert_eq!(
        (added, removed),
        (vec![rut("11111111-1")], vec![rut("30686957-4")])
    );
    let people: Vec<_> = changed_employees(&former, &latter).collect();
    assert_eq!(people.len(), 3);
    let one = people.iter().find(|one| one.rut == rut("12345678-5"));
    let json = serde_json::to_value(one).unwrap();
    let wanted = serde_json::json!({
        "rut": "12345678-5",
        "codigos": [{"codigo": "2101", "antes": "600000", "ahora": "700000", "diferencia": "100000"}],
    });
    assert_eq!(json, wanted);
    let salary = changed_codes(&former, &latter)
        .into_iter()
        .find(|change| change.codigo == code("2101"));
    assert_eq!(
        salary.map(|change| (change.antes, change.ahora)),
        Some((1_315_000, 1_565_000))
    );
}

const RUTS: [&str; 4] = ["17317684-8", "11111111-1", "12345678-5", "10000013-K"];

fn book() -> impl Strategy<Value = Vec<Registro>> {
    let amounts = prop::collection::vec(
        (prop::sample::select(&["2101", "3141", "5501"]), 0_i64..99),
        0..3,
    );
    prop::collection::vec((prop::sample::select(&RUTS), amounts), 0..5).prop_map(|people| {
        let rows = (2_u32..).zip(people);
        rows.map(|(at, (text, amounts))| {
            let mut row = employee(text, at);
            for (column, pesos) in amounts {
                set_amount(&mut row, column, pesos);
            }
            row
        })
        .collect()
    })
}

proptest! {
    #[test]
    fn the_seal_changes_with_any_byte_of_any_file(
        bytes in prop::collection::vec(any::<u8>(), 1..50),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
        kind in prop::sample::select(&Kind::ALL),
    ) {
        let seal = |bytes: &[u8]| {
            let files = Kind::ALL.into_iter().map(|known| archivo(known, if known == kind { bytes } else { b"x" }));
            manifiesto(files.collect(), &[]).seal().unwrap().sello
        };
        let mut other = bytes.clone();
        other[at.index(bytes.len())] ^= flip;
        prop_assert_ne!(seal(&bytes), seal(&other));
    }

    #[test]
    fn the_seal_does_not_depend_on_the_order_of_files(order in Just(Kind::ALL).prop_shuffle()) {
        let seal = |kinds: [Kind; 7]| {
            let files = kinds.map(|kind| archivo(kind, b"x")).to_vec();
            manifiesto(files, &[]).seal().unwrap()
        };
        prop_assert_eq!(seal(order), seal(Kind::ALL));
    }

    #[test]
    fn differences_of_employees_add_up_to_those_of_columns(before in book(), now in book()) {
        let (before, now) = (sums(&before), sums(&now));
        let mut sums: BTreeMap<_, i64> = BTreeMap::new();
        for change in changed_employees(&before, &now).flat_map(|one| one.codigos) {
            *sums.entry(change.codigo).or_default() += change.diferencia;
        }
        sums.retain(|_, sum| *sum != 0);
        let columns: BTreeMap<_, _> = changed_codes(&before, &now)
            .into_iter()
            .map(|change| (change.codigo, change.diferencia))
            .collect();
        prop_assert_eq!(sums, columns);
    }

    #[test]
    fn a_book_differs_from_itself_in_nothing(book in book()) {
        let sums = sums(&book);
        prop_assert_eq!(changed_employees(&sums, &sums).count(), 0);
        prop_assert!(changed_codes(&sums, &sums).is_empty());
    }
}
