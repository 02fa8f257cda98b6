use cierre_kernel::money::{Currency, Money};
use cierre_kernel::problem::Problem;
use rstest::rstest;
use serde_json::{Value, json};

use super::super::fixtures::*;
use super::super::politica::*;

fn money(text: &str) -> Money {
    let (currency, amount) = text.split_once(' ').unwrap();
    Money::parse(amount, currency.parse().unwrap()).unwrap()
}

#[rstest]
#[case("COP 5000000.00", 1)]
#[case("COP 5000000.01", 2)]
#[case("COP 50000000.01", 3)]
#[case("USD 10.00", 3)]
fn a_total_needs_the_approvals_of_its_band(#[case] total: &str, #[case] required: u32) {
    assert_eq!(politica().required(money(total)), required);
    assert_eq!(Politica::default().required(money(total)), 1);
}

#[test]
fn the_default_is_the_contracts() {
    assert_eq!(
        json!(Politica::default()),
        json!({
            "version": 0, "bandas": {},
            "automatica": { "activa": false, "tolerancia_pct": "5", "historial_minimo": 1, "total_maximo": {}, "dias_minimos": 20, "origenes": ["xml"] },
            "permitir_autoaprobacion": false, "nit_empresa": null,
            "recordatorio": { "dias_habiles": 3, "escalar_dias_habiles": 5 }, "festivos_extra": [],
        })
    );
}

#[test]
fn a_policy_is_read_back_as_it_was_and_every_change_is_a_version() {
    let before = politica();
    let stored = json!(before);
    assert_eq!(
        serde_json::from_value::<Politica>(stored.clone()).unwrap(),
        before
    );
    let mut expected = politica_json();
    expected["version"] = json!(3);
    // Origins are a set.
    expected["automatica"]["origenes"] = json!(["json", "xml"]);
    assert_eq!(stored, expected);
    let next = before
        .replace(
            &politica_nueva(|body| body["permitir_autoaprobacion"] = json!(true)),
            &stamp(ADMIN, 1),
        )
        .unwrap();
    assert_eq!(
        (next.state.version, next.state.permitir_autoaprobacion),
        (4, true)
    );
}

#[rstest]
#[case("/bandas/COP/0/hasta", json!("60000000.00"), "/bandas/COP", "bandas_invalidas")]
#[case("/bandas/COP/0/hasta", json!("50000000.00"), "/bandas/COP", "bandas_invalidas")]
#[case("/bandas/COP/2/hasta", json!("70000000.00"), "/bandas/COP", "bandas_invalidas")]
#[case("/bandas/COP/0/hasta", json!(null), "/bandas/COP", "bandas_invalidas")]
#[case("/bandas/COP", json!([]), "/bandas/COP", "bandas_invalidas")]
#[case("/bandas/COP/0/hasta", json!("0"), "/bandas/COP/0/hasta", "out_of_range")]
#[case("/bandas/COP/0/hasta", json!("x"), "/bandas/COP/0/hasta", "invalid_amount")]
#[case("/bandas/COP/0/aprobaciones", json!(0), "/bandas/COP/0/aprobaciones", "out_of_range")]
#[case("/bandas/COP/0/aprobaciones", json!(6), "/bandas/COP/0/aprobaciones", "out_of_range")]
#[case("/bandas", json!({ "MXN": [{ "hasta": null, "aprobaciones": 1 }] }), "/bandas/MXN", "valor_no_admitido")]
#[case("/automatica/tolerancia_pct", json!("100.01"), "/automatica/tolerancia_pct", "out_of_range")]
#[case("/automatica/tolerancia_pct", json!("0.001"), "/automatica/tolerancia_pct", "out_of_range")]
#[case("/automatica/tolerancia_pct", json!("-1"), "/automatica/tolerancia_pct", "out_of_range")]
#[case("/automatica/historial_minimo", json!(0), "/automatica/historial_minimo", "out_of_range")]
#[case("/automatica/historial_minimo", json!(13), "/automatica/historial_minimo", "out_of_range")]
#[case("/automatica/dias_minimos", json!(367), "/automatica/dias_minimos", "out_of_range")]
#[case("/automatica/total_maximo", json!({ "COP": "-1.00" }), "/automatica/total_maximo/COP", "out_of_range")]
#[case("/automatica/origenes", json!(["historico"]), "/automatica/origenes/0", "valor_no_admitido")]
#[case("/nit_empresa", json!("860069804-3"), "/nit_empresa", "nit_digito_invalido")]
#[case("/recordatorio", json!({ "dias_habiles": 5, "escalar_dias_habiles": 5 }), "/recordatorio", "out_of_range")]
#[case("/recordatorio", json!({ "dias_habiles": 5, "escalar_dias_habiles": 61 }), "/recordatorio", "out_of_range")]
#[case("/festivos_extra", json!(["2026-02-30"]), "/festivos_extra/0", "invalid_date")]
#[case("/festivos_extra", json!(vec!["2026-02-03"; 101]), "/festivos_extra", "too_many_items")]
fn a_wrong_policy_is_told_at_its_place(
    #[case] at: &str,
    #[case] value: Value,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let nueva = politica_nueva(|body| *body.pointer_mut(at).unwrap() = value);
    let problem = Problem::from(Politica::judge(1, &nueva).unwrap_err());
    let found: Vec<_> = problem
        .errors
        .iter()
        .map(|error| (error.pointer.as_str(), error.code.as_str()))
        .collect();
    assert_eq!((problem.status, found), (422, vec![(pointer, code)]));
}

#[test]
fn a_band_without_limit_holds_everything() {
    let most = Money::from_minor(99_999_999_999_999, Currency::Cop);
    assert_eq!(politica().snapshot(most).aprobaciones_requeridas, 3);
}
