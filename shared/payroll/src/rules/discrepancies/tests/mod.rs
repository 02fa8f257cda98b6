mod properties;

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::id::{ArchivoId, CierreId};
use cierre_kernel::words::UnknownWord;
use rstest::rstest;

use super::{Comparison, Control, DiscrepanciaHallada, Regla, TipoDiscrepancia};
use crate::kind::Kind;
use crate::lre::BookRow;
use crate::lre::columns::columns;
use crate::lre::identities::{expected, identities};
use crate::lre::testing::{clear, code, employee, golden, named, rut, set, set_amount, set_text};
use crate::registro::{Field, Registro, Value};
use crate::rules::place::{Layout, Source};

const TABLE: &str = include_str!("../../../../data/payroll_discrepancies.csv");
const SETTLED: &str = "30686957-4";
const HIRED: &str = "12345678-5";

/// The files of a closing.
#[derive(Clone, Debug, Default)]
struct Files(BTreeMap<Kind, Vec<Registro>>);

impl Files {
    /// The book alone.
    fn book() -> Self {
        Self(BTreeMap::from([(Kind::LibroRemuneraciones, golden())]))
    }

    /// All of them, in agreement.
    fn all() -> Self {
        let mut files = Self::book();
        let mut novedades: Vec<_> = golden()
            .iter()
            .map(|row| named(&row.rut.to_string(), row.row, &[]))
            .collect();
        set_amount(&mut novedades[0], "2101", 600_000);
        set_amount(&mut novedades[0], "2301", 66_000);
        let days = Field::Lre(code("1115"));
        set(&mut novedades[2], days, Some(Value::Hundredths(1500)));
        files.0.insert(Kind::Novedades, novedades);
        let absence = [
            ("tipo", "LICENCIA_MEDICA"),
            ("fecha_inicio", "2025-10-06"),
            ("fecha_fin", "2025-10-08"),
        ];
        files.0.insert(
            Kind::MovimientosMes,
            vec![
                named(HIRED, 2, &[("tipo", "ALTA"), ("fecha", "2025-10-01")]),
                named(SETTLED, 3, &[("tipo", "BAJA"), ("fecha", "2025-10-15")]),
                named(HIRED, 2, &absence),
                named(
                    HIRED,
                    2,
                    &[("fecha_inicio", "2025-10-20"), ("fecha_fin", "2025-10-21")],
                ),
            ],
        );
        files.0.insert(Kind::Ingresos, vec![named(HIRED, 2, &[])]);
        files
            .0
            .insert(Kind::Finiquitos, vec![named(SETTLED, 2, &[])]);
        files
            .0
            .insert(Kind::Ausentismos, vec![named(HIRED, 2, &absence)]);
        files
    }

    fn rows(&mut self, kind: Kind) -> &mut Vec<Registro> {
        self.0.get_mut(&kind).unwrap()
    }

    fn row(&mut self, at: usize) -> &mut Registro {
        &mut self.rows(Kind::LibroRemuneraciones)[at]
    }
}

fn archivo(kind: Kind) -> ArchivoId {
    format!("arc_0000000000000000000000000{}", kind as u8)
        .parse()
        .unwrap()
}

fn cierre(last: u8) -> CierreId {
    format!("cie_0000000000000000000000000{last}")
        .parse()
        .unwrap()
}

/// The book's columns in its own order, as letters; every other column is `A`.
fn layout(kind: Kind) -> Layout {
    let names = ["rut", "tipo", "fecha_inicio", "fecha_fin"];
    let other = names
        .into_iter()
        .map(|name| ("".into(), Field::Named(name), "A".into()));
    match kind {
        Kind::LibroRemuneraciones => columns()
            .iter()
            .zip(0_u8..)
            .map(|(column, at)| {
                let last = char::from(b'A' + at % 26);
                let letters = match at / 26 {
                    0 => last.to_string(),
                    more => format!("{}{last}", char::from(b'A' + more - 1)),
                };
                ("LRE".into(), Field::Lre(column.code), letters.into())
            })
            .collect(),
        Kind::MovimientosMes
        | Kind::Finiquitos
        | Kind::Ausentismos
        | Kind::IncidenciasExternas
        | Kind::Ingresos
        | Kind::Novedades => other.collect(),
    }
}

fn run_in(
    cierre: CierreId,
    order: &[Kind],
    files: &Files,
) -> (Vec<DiscrepanciaHallada>, BTreeSet<TipoDiscrepancia>) {
    let sources = files.0.keys().map(|kind| {
        let source = Source {
            archivo_id: archivo(*kind),
            layout: layout(*kind),
        };
        (*kind, source)
    });
    let mut comparison = Comparison::new(cierre, 1, sources.collect());
    for kind in order {
        for row in files.0.get(kind).into_iter().flatten() {
            match kind {
                Kind::LibroRemuneraciones | Kind::IncidenciasExternas => {}
                Kind::MovimientosMes => comparison.movimiento(row),
                Kind::Finiquitos => comparison.finiquito(row),
                Kind::Ausentismos => comparison.ausentismo(row),
                Kind::Ingresos => comparison.ingreso(row),
                Kind::Novedades => comparison.novedad(row),
            }
        }
    }
    let mut book = comparison.into_book();
    let mut found = Vec::new();
    for row in files
        .0
        .get(&Kind::LibroRemuneraciones)
        .into_iter()
        .flatten()
    {
        book.row(row, &mut found);
    }
    let not_evaluated = book.finish(&mut found);
    (found, not_evaluated)
}

fn run(files: &Files) -> Vec<DiscrepanciaHallada> {
    run_in(cierre(1), &Kind::ALL, files).0
}

fn rules(found: &[DiscrepanciaHallada]) -> Vec<String> {
    found.iter().map(|one| one.regla.to_string()).collect()
}

#[test]
fn golden_rows_and_files_in_agreement_give_nothing() {
    assert_eq!(run(&Files::book()), []);
    let (found, not_evaluated) = run_in(cierre(1), &Kind::ALL, &Files::all());
    assert_eq!(found, []);
    assert!(not_evaluated.is_empty());
}

#[rstest]
#[case("5201", 1_055_816, &[])]
#[case("5201", 1_055_817, &["5201"])]
#[case("2101", 600_100, &["5210", "5201", "5501"])]
#[case("3188", 150_000, &["5301", "5501", "5302"])]
fn row_two_with_another_amount(
    #[case] column: &str,
    #[case] amount: i64,
    #[case] expected: &[&str],
) {
    let mut files = Files::book();
    set_amount(files.row(0), column, amount);
    assert_eq!(rules(&run(&files)), expected);
}

#[test]
fn a_wrong_total_is_shown_as_the_contract_shows_it() {
    let mut files = Files::book();
    set_amount(files.row(0), "5201", 1_055_817);
    let found = run(&files);
    let mut json = serde_json::to_value(&found[0]).unwrap();
    assert_eq!(json["id"], found[0].id.to_string());
    assert_eq!(json["huella"].as_str().unwrap().len(), 64);
    json.as_object_mut().unwrap().remove("id");
    json.as_object_mut().unwrap().remove("huella");
    let wanted = serde_json::json!({
        "tipo": "identidad_lre", "regla": "5201", "severidad": "bloqueante", "rut": "12345678-5",
        "ubicaciones": [{"archivo_id": archivo(Kind::LibroRemuneraciones), "hoja": "LRE", "fila": 2, "columna": "EC", "valor": "1055817"}],
        "esperado": "1055815", "encontrado": "1055817", "diferencia": "2", "falta_en": null,
        "sugerencia": "5201 must be the sum of 2xxx",
    });
    assert_eq!(json, wanted);
}

/// Breaks exactly one rule of the table; none when the rule is not known here.
fn broken(tipo: &str, regla: &str) -> Option<Files> {
    let across = tipo.parse::<TipoDiscrepancia>().ok()?.needs().len() > 1;
    let mut files = if across { Files::all() } else { Files::book() };
    match regla {
        "rut_duplicado" => {
            let copy = employee(HIRED, 9);
            files.rows(Kind::LibroRemuneraciones).push(copy);
        }
        "sueldo_cero" => {
            set_amount(files.row(0), "2101", 0);
            set_amount(files.row(0), "2102", 673_888);
        }
        "rut_dv" => files.row(1).rut = rut("17317684-2"),
        "obligatoria_vacia" => clear(files.row(0), "1105"),
        "monto_negativo" => set_amount(files.row(0), "3163", -1),
        "texto_largo" => set_text(files.row(0), "1154", &"ñ".repeat(41)),
        "texto_no_exportable" => set_text(files.row(0), "1154", "=1+1"),
        "termino_causal" => clear(files.row(2), "1104"),
        "dias_fuera_de_rango" => {
            let days = Field::Lre(code("1116"));
            set(files.row(0), days, Some(Value::Hundredths(3150)));
        }
        "codigo_desconocido" => set_text(files.row(0), "1141", "32"),
        "afc_incoherente" => set_text(files.row(0), "1151", "0"),
        "tasa_indemnizacion" => set_text(files.row(0), "1131", "1"),
        "salud_voluntaria" => set_text(files.row(0), "1143", "102"),
        "apv_incoherente" => set_text(files.row(0), "1155", "1"),
        "liquido_negativo" => {
            set_amount(files.row(0), "3188", 2_000_000);
            let totals = expected(&BookRow::new(files.row(0)));
            for (identity, total) in totals.iter() {
                set_amount(files.row(0), &identity.code.to_string(), total);
            }
        }
        "empleado_solo_libro" => {
            files.rows(Kind::Novedades).remove(1);
        }
        "empleado_solo_novedades" => files
            .rows(Kind::Novedades)
            .push(named("11111111-1", 8, &[])),
        "diff_concepto_monto" => set_amount(&mut files.rows(Kind::Novedades)[0], "2101", 600_002),
        "ingreso_no_reportado" => files.rows(Kind::Ingresos).clear(),
        "finiquito_no_reportado" => files.rows(Kind::Finiquitos).clear(),
        "ausencia_no_reportada" => files.rows(Kind::Ausentismos).clear(),
        _ => return None,
    }
    Some(files)
}

#[test]
fn every_row_of_the_table_finds_its_discrepancy_and_no_other() {
    for line in TABLE.lines().skip(1) {
        let cells: Vec<_> = line.split(';').collect();
        let &[tipo, regla, severidad, needs, _] = cells.as_slice() else {
            panic!("{line}");
        };
        let kinds: Vec<_> = needs
            .split(' ')
            .map(|need| match need {
                "libro" => Kind::LibroRemuneraciones,
                other => other.parse::<Kind>().unwrap(),
            })
            .collect();
        assert_eq!(
            tipo.parse::<TipoDiscrepancia>().unwrap().needs(),
            kinds,
            "{line}"
        );
        if regla == "(code of the total)" {
            continue;
        }
        let files = broken(tipo, regla).unwrap_or_else(|| panic!("no test of {tipo} {regla}"));
        let found = run(&files);
        assert_eq!(rules(&found), [regla], "{line}");
        assert_eq!(regla.parse(), Ok(found[0].regla));
        assert_eq!(found[0].tipo.as_str(), tipo);
        assert_eq!(found[0].severidad.as_str(), severidad);
        assert!(!found[0].ubicaciones.is_empty() && !found[0].sugerencia.is_empty());
    }
}

#[test]
fn every_identity_of_its_table_finds_its_total_and_no_other() {
    let table = include_str!("../../../../data/lre_identities.csv");
    for line in table.lines().skip(1) {
        let cells: Vec<_> = line.split(';').collect();
        let (total, severity) = (cells[0], cells[2]);
        for (difference, wanted) in [
            (2, vec![total.to_owned()]),
            (-2, vec![total.to_owned()]),
            (1, vec![]),
        ] {
            let mut files = Files::book();
            // A total of 0 becomes negative, which is another finding.
            let amount = files.row(2).amount(code(total)) + difference;
            set_amount(files.row(2), total, amount);
            let mut found = run(&files);
            found.retain(|one| one.regla != Control::MontoNegativo.into());
            assert_eq!(rules(&found), wanted, "{line}");
            assert!(found.iter().all(|one| one.severidad.as_str() == severity
                && one.tipo == TipoDiscrepancia::IdentidadLre));
        }
    }
    assert_eq!(identities().len(), table.lines().count() - 1);
}

#[test]
fn a_duplicate_is_one_discrepancy_with_every_row() {
    let mut files = Files::book();
    for row in [8, 9] {
        let copy = employee(HIRED, row);
        files.rows(Kind::LibroRemuneraciones).push(copy);
    }
    let found = run(&files);
    assert_eq!(rules(&found), ["rut_duplicado"]);
    let rows: Vec<_> = found[0].ubicaciones.iter().map(|cell| cell.fila).collect();
    assert_eq!(rows, [2, 8, 9]);
    assert_eq!(found[0].ubicaciones[0].columna.as_deref(), Some("A"));
}

#[test]
fn two_rows_of_a_rut_have_findings_of_their_own() {
    let mut files = Files::book();
    let mut copy = employee(HIRED, 8);
    clear(&mut copy, "1105");
    files.rows(Kind::LibroRemuneraciones).push(copy);
    clear(files.row(0), "1105");
    let found = run(&files);
    assert_eq!(
        rules(&found),
        ["obligatoria_vacia", "obligatoria_vacia", "rut_duplicado"]
    );
    assert_ne!(found[0].id, found[1].id);
}

#[test]
fn a_wrong_check_digit_names_the_right_one_and_unions_count_too() {
    let mut files = Files::book();
    files.row(1).rut = rut("17317684-2");
    let found = run(&files);
    assert_eq!(found[0].esperado.as_deref(), Some("17317684-8"));
    assert_eq!(found[0].encontrado.as_deref(), Some("17317684-2"));

    let mut files = Files::book();
    let union = Field::Lre(code("1180"));
    set(files.row(0), union, Some(Value::Rut(rut("17317684-2"))));
    let found = run(&files);
    assert_eq!(rules(&found), ["rut_dv"]);
    assert_eq!(found[0].ubicaciones[0].columna.as_deref(), Some("AE"));
}

#[test]
fn amounts_of_several_rows_are_summed_before_they_are_compared() {
    let mut files = Files::all();
    let mut second = employee(HIRED, 9);
    clear(&mut second, "2301");
    files.rows(Kind::LibroRemuneraciones).push(second);
    set_amount(&mut files.rows(Kind::Novedades)[0], "2101", 1_200_000);
    let found = run(&files);
    let diffs: Vec<_> = found
        .iter()
        .filter(|one| one.tipo == TipoDiscrepancia::DiffConceptoMonto)
        .collect();
    assert!(diffs.is_empty(), "{diffs:?}");
    set_amount(&mut files.rows(Kind::Novedades)[0], "2301", 66_010);
    let found = run(&files);
    let diff = found
        .iter()
        .find(|one| one.tipo == TipoDiscrepancia::DiffConceptoMonto)
        .unwrap();
    let cells: Vec<_> = diff
        .ubicaciones
        .iter()
        .map(|cell| (cell.fila, cell.valor.as_str()))
        .collect();
    assert_eq!(cells, [(2, "66010"), (2, "66000"), (9, "")]);
    assert_eq!(diff.diferencia.as_deref(), Some("-10"));
}

#[rstest]
#[case("2101", Value::Amount(600_001), false)]
#[case("2101", Value::Amount(600_002), true)]
#[case("2101", Value::Amount(0), true)]
#[case("2102", Value::Amount(73_888), false)]
#[case("2103", Value::Amount(1), false)]
#[case("2103", Value::Amount(2), true)]
#[case("1115", Value::Hundredths(3000), false)]
#[case("1115", Value::Hundredths(2999), true)]
#[case("1117", Value::Hundredths(1), true)]
fn a_client_s_figure_is_compared_with_the_book_s(
    #[case] column: &str,
    #[case] value: Value,
    #[case] differs: bool,
) {
    let column = code(column);
    let mut files = Files::all();
    set(
        &mut files.rows(Kind::Novedades)[0],
        Field::Lre(column),
        Some(value),
    );
    let wanted: &[&str] = if differs {
        &["diff_concepto_monto"]
    } else {
        &[]
    };
    assert_eq!(rules(&run(&files)), wanted);
}

#[test]
fn a_rut_in_one_file_only_is_not_compared_amount_by_amount() {
    let mut files = Files::all();
    let mut stranger = named("11111111-1", 8, &[]);
    set_amount(&mut stranger, "2101", 1);
    files.rows(Kind::Novedades).push(stranger);
    assert_eq!(rules(&run(&files)), ["empleado_solo_novedades"]);
}

#[rstest]
#[case("ingreso_no_reportado", Kind::Ingresos)]
#[case("finiquito_no_reportado", Kind::Finiquitos)]
#[case("ausencia_no_reportada", Kind::Ausentismos)]
fn either_side_may_lack_it(#[case] regla: &str, #[case] kind: Kind) {
    let mut files = Files::all();
    files.rows(kind).clear();
    let found = run(&files);
    assert_eq!(rules(&found), [regla]);
    assert_eq!(found[0].falta_en, Some(kind));
    assert_eq!(
        found[0].ubicaciones[0].archivo_id,
        archivo(Kind::MovimientosMes)
    );

    let mut files = Files::all();
    let tipo = regla.parse::<TipoDiscrepancia>().unwrap();
    files.rows(Kind::MovimientosMes).clear();
    let found = run(&files);
    let one = found.iter().find(|one| one.tipo == tipo).unwrap();
    assert_eq!(one.falta_en, Some(Kind::MovimientosMes));
    assert_eq!(one.ubicaciones[0].archivo_id, archivo(kind));
}

#[test]
fn absences_of_other_days_are_two_discrepancies() {
    let mut files = Files::all();
    let day = cierre_kernel::time::parse_date("2025-10-09").unwrap();
    set(
        &mut files.rows(Kind::Ausentismos)[0],
        Field::Named("fecha_fin"),
        Some(Value::Date(day)),
    );
    let found = run(&files);
    assert_eq!(rules(&found), ["ausencia_no_reportada"; 2]);
    assert_ne!(found[0].id, found[1].id);
    assert_ne!(found[0].falta_en, found[1].falta_en);
}

#[test]
fn what_needs_a_file_that_is_not_in_force_is_not_evaluated() {
    let all = Files::all();
    for kind in Kind::ALL {
        let mut files = all.clone();
        files.0.remove(&kind);
        let (_, not_evaluated) = run_in(cierre(1), &Kind::ALL, &files);
        let wanted: BTreeSet<_> = TipoDiscrepancia::ALL
            .into_iter()
            .filter(|tipo| tipo.needs().contains(&kind))
            .collect();
        assert_eq!(not_evaluated, wanted, "{kind}");
    }
    let (found, not_evaluated) = run_in(cierre(1), &Kind::ALL, &Files::default());
    assert!(found.is_empty());
    assert_eq!(not_evaluated.len(), TipoDiscrepancia::ALL.len());
}

#[test]
fn an_employee_whom_only_one_file_knows_is_told_from_a_file_not_in_force() {
    let mut files = Files::all();
    files.0.remove(&Kind::Novedades);
    assert_eq!(run(&files), []);
}

#[test]
fn ids_belong_to_the_closing_and_the_huella_does_not() {
    let files = broken("identidad_lre", "liquido_negativo").unwrap();
    let (one, _) = run_in(cierre(1), &Kind::ALL, &files);
    let (other, _) = run_in(cierre(2), &Kind::ALL, &files);
    assert_ne!(one[0].id, other[0].id);
    assert_eq!(one[0].huella, other[0].huella);
}

#[test]
fn other_values_keep_the_id_and_change_the_huella_other_rows_change_neither() {
    let with = |total| {
        let mut files = Files::book();
        set_amount(files.row(0), "5201", total);
        files
    };
    let (first, second) = (run(&with(1_055_817)), run(&with(1_055_820)));
    assert_eq!(first[0].id, second[0].id);
    assert_ne!(first[0].huella, second[0].huella);
    let mut moved = with(1_055_817);
    moved.row(0).row = 77;
    let moved = run(&moved);
    assert_eq!(
        (moved[0].id, &moved[0].huella),
        (first[0].id, &first[0].huella)
    );
}

#[test]
fn long_values_are_shown_shortened() {
    let mut files = Files::book();
    set_text(files.row(0), "1154", &"x".repeat(500));
    let found = run(&files);
    assert_eq!(found[0].ubicaciones[0].valor.len(), 80);
}

#[test]
fn rules_have_words() {
    let total: Regla = serde_json::from_str("\"5201\"").unwrap();
    assert_eq!(total, Regla::Total(code("5201")));
    for word in ["2101", "9999", "", "rut"] {
        assert_eq!(word.parse::<Regla>(), Err(UnknownWord), "{word}");
    }
}
