use cierre_kernel::id::{ArchivoId, CierreId};
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::lre::testing::{code, employee, named, rut, set, set_amount};
use crate::rules::merge::{EstadoIncidencia, Known, Merge};

const PERSON: &str = "12345678-5";

fn cierre() -> CierreId {
    "cie_00000000000000000000000001".parse().unwrap()
}

fn archivo() -> ArchivoId {
    "arc_00000000000000000000000001".parse().unwrap()
}

/// A row with nothing but these amounts.
fn row(text: &str, at: u32, amounts: &[(&str, i64)]) -> Registro {
    let mut row = employee(text, at);
    row.values.clear();
    for (code, pesos) in amounts {
        set_amount(&mut row, code, *pesos);
    }
    row
}

fn sums(rows: &[Registro]) -> Sums {
    let mut sums = Sums::new(compared);
    rows.iter().for_each(|row| sums.add(row));
    sums
}

fn found(before: &[Registro], now: &[Registro]) -> Vec<IncidenciaHallada> {
    explained(before, now, &Explanations::default())
}

fn explained(
    before: &[Registro],
    now: &[Registro],
    explanations: &Explanations,
) -> Vec<IncidenciaHallada> {
    let thresholds = Umbrales::default();
    compare(
        cierre(),
        &sums(before),
        &sums(now),
        &thresholds,
        explanations,
    )
    .collect()
}

fn shown(variacion: Option<Percent>) -> Option<String> {
    variacion.map(|percent| percent.to_string())
}

fn change(before: i64, now: i64) -> Vec<IncidenciaHallada> {
    found(
        &[row(PERSON, 2, &[("2101", before)])],
        &[row(PERSON, 2, &[("2101", now)])],
    )
}

#[rstest]
#[case(600_000, 780_000, Some("30.00"), "variacion_concepto", "media")]
#[case(50_000, 65_000, Some("30.00"), "variacion_concepto", "baja")]
#[case(10_000, 20_000, Some("100.00"), "variacion_concepto", "alta")]
#[case(1_000_000, 400_000, Some("-60.00"), "variacion_concepto", "critica")]
#[case(0, 85_000, None, "concepto_nuevo", "media")]
#[case(85_000, 0, Some("-100.00"), "variacion_concepto", "alta")]
#[case(0, 1, None, "concepto_nuevo", "baja")]
#[case(0, 200_000, None, "concepto_nuevo", "alta")]
#[case(0, 500_000, None, "concepto_nuevo", "critica")]
#[case(10_000, 15_000, Some("50.00"), "variacion_concepto", "media")]
#[case(-10_000, 10_000, Some("200.00"), "variacion_concepto", "alta")]
fn changes_are_found_as_the_contract_s_table_has_them(
    #[case] before: i64,
    #[case] now: i64,
    #[case] variation: Option<&str>,
    #[case] tipo: &str,
    #[case] priority: &str,
) {
    let found = change(before, now);
    assert_eq!(found.len(), 1);
    assert_eq!(shown(found[0].variacion).as_deref(), variation);
    assert_eq!(found[0].tipo.as_str(), tipo);
    assert_eq!(found[0].prioridad.as_str(), priority);
    assert_eq!(found[0].diferencia, Pesos::saturating(before.abs_diff(now)));
}

#[rstest]
#[case(600_000, 779_999)]
#[case(600_000, 600_000)]
#[case(600_000, 420_001)]
#[case(0, 0)]
fn smaller_changes_are_none(#[case] before: i64, #[case] now: i64) {
    assert_eq!(change(before, now), []);
}

#[rstest]
#[case(3, 4, "33.33")]
#[case(3, 5, "66.67")]
#[case(3, 1, "-66.67")]
#[case(800, 1_041, "30.13")]
#[case(20_000, 26_001, "30.01")]
#[case(1, 999_999_999_999, "99999999999800.00")]
fn a_variation_is_shown_half_away_from_zero(
    #[case] before: i64,
    #[case] now: i64,
    #[case] expected: &str,
) {
    assert_eq!(shown(variation(before, now)).as_deref(), Some(expected));
}

#[test]
fn a_change_is_shown_as_the_contract_shows_it() {
    let found = change(600_000, 780_000);
    let mut json = serde_json::to_value(&found[0]).unwrap();
    assert_eq!(json["id"], found[0].id.to_string());
    assert!(json["id"].as_str().unwrap().starts_with("inc_"));
    json.as_object_mut().unwrap().remove("id");
    json.as_object_mut().unwrap().remove("huella");
    let wanted = serde_json::json!({
        "tipo": "variacion_concepto", "rut": "12345678-5", "codigo": "2101", "anterior": "600000", "actual": "780000",
        "diferencia": "180000", "variacion": "30.00", "prioridad": "media", "respaldo": null,
    });
    assert_eq!(json, wanted);
}

#[test]
fn a_code_may_have_a_threshold_of_its_own() {
    let thresholds = Umbrales {
        umbrales: BTreeMap::from([(code("2101"), Percent(500))]),
        ..Umbrales::default()
    };
    let before = sums(&[row(PERSON, 2, &[("2101", 1_000), ("2102", 1_000)])]);
    let now = sums(&[row(PERSON, 2, &[("2101", 1_050), ("2102", 1_050)])]);
    let nothing = Explanations::default();
    let found: Vec<_> = compare(cierre(), &before, &now, &thresholds, &nothing).collect();
    let codes: Vec<_> = found.iter().filter_map(|one| one.codigo).collect();
    assert_eq!(codes, [code("2101")]);
}

#[test]
fn only_earnings_deductions_and_contributions_are_compared() {
    let before = row(PERSON, 2, &[("3188", 100), ("4151", 100), ("5201", 100)]);
    let now = row(PERSON, 2, &[("3188", 200), ("4151", 200), ("5201", 200)]);
    let found = found(&[before], &[now]);
    let codes: Vec<_> = found.iter().filter_map(|one| one.codigo).collect();
    assert_eq!(codes, [code("3188"), code("4151")]);
}

#[test]
fn rows_of_a_rut_are_summed() {
    let before = row(PERSON, 2, &[("2101", 100)]);
    let now = [
        row(PERSON, 2, &[("2101", 60)]),
        row(PERSON, 3, &[("2101", 50)]),
    ];
    assert_eq!(found(&[before], &now), []);
}

#[test]
fn an_employee_of_one_book_is_one_incidence() {
    let person = row(PERSON, 2, &[("2101", 600_000), ("5201", 700_000)]);
    let people = std::slice::from_ref(&person);
    let new = found(&[], people);
    assert_eq!(new.len(), 1);
    assert_eq!(new[0].tipo, TipoIncidencia::EmpleadoNuevo);
    assert_eq!(
        (new[0].anterior, new[0].actual, new[0].diferencia),
        (None, Some(Pesos(700_000)), Pesos(700_000))
    );
    assert_eq!((new[0].codigo, new[0].variacion), (None, None));
    assert_eq!(new[0].prioridad, Prioridad::Critica);
    let absent = found(people, &[]);
    assert_eq!(absent.len(), 1);
    assert_eq!(absent[0].tipo, TipoIncidencia::EmpleadoAusente);
    assert_eq!(
        (absent[0].anterior, absent[0].actual),
        (Some(Pesos(700_000)), None)
    );
    assert_ne!(new[0].id, absent[0].id);
}

#[rstest]
#[case("ALTA", Prioridad::Baja, Prioridad::Critica)]
#[case("BAJA", Prioridad::Critica, Prioridad::Baja)]
#[case("ingresos", Prioridad::Baja, Prioridad::Critica)]
#[case("finiquitos", Prioridad::Critica, Prioridad::Baja)]
#[case("LICENCIA_MEDICA", Prioridad::Critica, Prioridad::Critica)]
fn another_file_may_explain_who_came_and_who_left(
    #[case] by: &str,
    #[case] new: Prioridad,
    #[case] absent: Prioridad,
) {
    let mut explanations = Explanations::default();
    match by {
        "ingresos" => explanations.ingreso(&named(PERSON, 2, &[])),
        "finiquitos" => explanations.finiquito(&named(PERSON, 2, &[])),
        word => explanations.movimiento(&named(PERSON, 2, &[("tipo", word)])),
    }
    let people = [row(PERSON, 2, &[("5201", 700_000)])];
    assert_eq!(explained(&[], &people, &explanations)[0].prioridad, new);
    assert_eq!(explained(&people, &[], &explanations)[0].prioridad, absent);
}

#[test]
fn an_announced_change_points_to_the_announcement() {
    let mut explanations = Explanations::default();
    let cells = [("concepto", "2101"), ("glosa", "Ascenso")];
    explanations.externa(archivo(), &named(PERSON, 5, &cells));
    explanations.externa(archivo(), &named("11111111-1", 6, &cells));
    let before = [row(PERSON, 2, &[("2101", 100), ("2102", 100)])];
    let now = [row(PERSON, 2, &[("2101", 200), ("2102", 200)])];
    let found = explained(&before, &now, &explanations);
    let wanted = Respaldo {
        archivo_id: archivo(),
        fila: 5,
        glosa: "Ascenso".to_owned(),
    };
    assert_eq!(found[0].respaldo, Some(wanted));
    assert_eq!(found[1].respaldo, None);
    let without = explained(&before, &now, &Explanations::default());
    assert_eq!(found[0].huella, without[0].huella);
}

#[test]
fn what_is_no_longer_found_is_obsolete_and_other_amounts_are_pending_again() {
    let first = change(600_000, 780_000);
    let known = |huella: &str| {
        let known = Known {
            estado: EstadoIncidencia::AprobadaSupervisor,
            huella: huella.to_owned(),
        };
        Merge::new([(first[0].id, known)])
    };
    let other = change(600_000, 790_000);
    assert_eq!(other[0].id, first[0].id);
    let step = known(&first[0].huella).found(&other[0].id, &other[0].huella);
    assert_eq!(step.after, EstadoIncidencia::Pendiente);
    let missing: Vec<_> = known(&first[0].huella).missing().collect();
    assert_eq!(missing[0].1.after, EstadoIncidencia::Obsoleta);
}

#[test]
fn a_generation_is_summed_up() {
    let before = [
        row(PERSON, 2, &[("2101", 100), ("3188", 100)]),
        row("11111111-1", 3, &[("5201", 70)]),
    ];
    let now = [row(PERSON, 2, &[("2101", 200), ("3188", 10)])];
    let mut resumen = Resumen::default();
    found(&before, &now).iter().for_each(|one| resumen.add(one));
    let wanted = Resumen {
        total: 3,
        empleados: BTreeSet::from([rut(PERSON), rut("11111111-1")]),
        conceptos: BTreeSet::from([code("2101"), code("3188")]),
        monto: 100 + 90 + 70,
    };
    assert_eq!(resumen, wanted);
}

const RUTS: [&str; 4] = ["17317684-8", "11111111-1", "12345678-5", "10000013-K"];
const CODES: [&str; 5] = ["2101", "2301", "3141", "4151", "5201"];

fn book() -> impl Strategy<Value = Vec<Registro>> {
    let amount = (prop::sample::select(&CODES), 0_i64..1_000);
    let person = (
        prop::sample::select(&RUTS),
        prop::collection::vec(amount, 0..4),
    );
    prop::collection::vec(person, 0..6).prop_map(|people| {
        let rows = (2_u32..).zip(people);
        rows.map(|(at, (text, amounts))| row(text, at, &amounts))
            .collect()
    })
}

fn by_id(found: Vec<IncidenciaHallada>) -> BTreeMap<IncidenciaId, IncidenciaHallada> {
    let count = found.len();
    let map: BTreeMap<_, _> = found.into_iter().map(|one| (one.id, one)).collect();
    assert_eq!(map.len(), count, "every id is given once");
    map
}

proptest! {
    #[test]
    fn the_order_of_rows_is_no_matter(
        before in book(),
        (now, shuffled) in book().prop_flat_map(|book| (Just(book.clone()), Just(book).prop_shuffle())),
    ) {
        prop_assert_eq!(by_id(found(&before, &now)), by_id(found(&before, &shuffled)));
    }

    #[test]
    fn regenerating_unchanged_books_changes_nothing(before in book(), now in book()) {
        let first = found(&before, &now);
        let known = first.iter().map(|one| {
            let known = Known { estado: EstadoIncidencia::AprobadaSupervisor, huella: one.huella.clone() };
            (one.id, known)
        });
        let mut merge = Merge::new(known);
        let second = found(&before, &now);
        prop_assert_eq!(&first, &second);
        for one in &second {
            prop_assert!(merge.found(&one.id, &one.huella).is_same());
        }
        prop_assert_eq!(merge.missing().count(), 0);
    }

    #[test]
    fn the_same_book_gives_nothing(book in book()) {
        prop_assert_eq!(found(&book, &book), []);
    }

    #[test]
    fn the_order_of_cells_is_no_matter(before in book(), now in book()) {
        let mut turned = now.clone();
        for row in &mut turned {
            row.values.reverse();
        }
        prop_assert_eq!(found(&before, &now), found(&before, &turned));
    }

    #[test]
    fn thresholds_are_exact(before in 1_i64..1_000_000, percent in 100_i64..100_000) {
        // The least amount that reaches the threshold, by integers of another shape.
        let least = (before * percent + 9_999) / 10_000;
        let now = before + least;
        prop_assert!(reaches(before, now, Percent(percent)));
        prop_assert!(!reaches(before, now - 1, Percent(percent)));
    }
}

#[test]
fn an_empty_announcement_is_none() {
    let mut explanations = Explanations::default();
    let mut empty = named(PERSON, 5, &[("concepto", "9999"), ("glosa", "x")]);
    explanations.externa(archivo(), &empty);
    set(&mut empty, Field::Named("concepto"), None);
    explanations.externa(archivo(), &empty);
    assert!(explanations.announced.is_empty());
}
