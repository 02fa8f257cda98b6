use std::collections::BTreeMap;

use cierre_kernel::decision::Decision;
use rstest::rstest;

use super::super::cliente::*;
use super::super::fixtures::*;
use super::super::refusal::Invalid;
use crate::amount::{Percent, Pesos};
use crate::lre::testing::code;

fn new() -> NewCliente {
    NewCliente {
        rut: "76.086.428-5".into(),
        nombre: " Minera Demo SpA ".into(),
        ..NewCliente::default()
    }
}

fn created(new: NewCliente) -> Result<Cliente, Invalid> {
    Cliente::create(cliente_id(), new, &stamp_of(JUAN, 0)).map(|change| change.state)
}

#[test]
fn a_client_is_as_strict_as_usual_unless_told_otherwise() {
    let change = Cliente::create(cliente_id(), new(), &stamp_of(JUAN, 0)).unwrap();
    let cliente = change.state;
    assert_eq!(
        (cliente.rut.to_string().as_str(), cliente.nombre.as_str()),
        ("76086428-5", "Minera Demo SpA")
    );
    assert_eq!(
        serde_json::to_value(&cliente.configuracion).unwrap(),
        serde_json::json!({
            "tolerancia_pesos": "1", "umbral_variacion": "30.00", "umbrales": {},
            "montos_prioridad": ["500000", "200000", "50000"],
        })
    );
    assert_eq!(told(&change.events), [(JUAN, "cliente_creado")]);
    let mut cliente = cliente;
    let umbrales = &mut cliente.configuracion.incidencias.umbrales;
    umbrales.insert(code("2101"), Percent(500));
    let stored = serde_json::to_string(&cliente).unwrap();
    assert_eq!(serde_json::from_str::<Cliente>(&stored).unwrap(), cliente);
}

fn with(configuracion: ConfiguracionPatch) -> NewCliente {
    NewCliente {
        configuracion,
        ..new()
    }
}

fn tolerance(pesos: i64) -> NewCliente {
    with(ConfiguracionPatch {
        tolerancia_pesos: Some(Pesos(pesos)),
        ..ConfiguracionPatch::default()
    })
}

fn threshold(hundredths: i64) -> NewCliente {
    with(ConfiguracionPatch {
        umbral_variacion: Some(Percent(hundredths)),
        ..ConfiguracionPatch::default()
    })
}

fn thresholds(code: &str, hundredths: i64) -> NewCliente {
    with(ConfiguracionPatch {
        umbrales: Some(BTreeMap::from([(code.to_owned(), Percent(hundredths))])),
        ..ConfiguracionPatch::default()
    })
}

fn amounts(a: i64, b: i64, c: i64) -> NewCliente {
    with(ConfiguracionPatch {
        montos_prioridad: Some([Pesos(a), Pesos(b), Pesos(c)]),
        ..ConfiguracionPatch::default()
    })
}

#[rstest]
#[case::check_character(NewCliente { rut: "17317684-2".into(), ..new() }, "/rut rut_invalid")]
#[case::no_rut(NewCliente { rut: "x".into(), ..new() }, "/rut rut_invalid")]
#[case::no_name(NewCliente { nombre: "  ".into(), ..new() }, "/nombre required")]
#[case::long_name(NewCliente { nombre: "x".repeat(121), ..new() }, "/nombre out_of_range")]
#[case::tolerance_0(tolerance(0), "")]
#[case::tolerance_1000(tolerance(1000), "")]
#[case::tolerance_1001(tolerance(1001), "/configuracion/tolerancia_pesos out_of_range")]
#[case::tolerance_below_0(tolerance(-1), "/configuracion/tolerancia_pesos out_of_range")]
#[case::threshold_1(threshold(100), "")]
#[case::threshold_1000(threshold(100_000), "")]
#[case::threshold_below_1(threshold(99), "/configuracion/umbral_variacion out_of_range")]
#[case::threshold_above_1000(threshold(100_001), "/configuracion/umbral_variacion out_of_range")]
#[case::a_code(thresholds("2101", 500), "")]
#[case::an_unknown_code(thresholds("9999", 500), "/configuracion/umbrales/9999 unknown_field")]
#[case::a_code_of_a_total(thresholds("5201", 500), "/configuracion/umbrales/5201 unknown_field")]
#[case::a_codes_threshold(thresholds("2101", 1), "/configuracion/umbrales/2101 out_of_range")]
#[case::long_amount(
    amounts(1_000_000_000_000, 2, 1),
    "/configuracion/montos_prioridad out_of_range"
)]
#[case::falling(amounts(3, 2, 1), "")]
#[case::not_strictly(amounts(3, 3, 1), "/configuracion/montos_prioridad out_of_range")]
#[case::rising(amounts(1, 2, 3), "/configuracion/montos_prioridad out_of_range")]
#[case::zero(amounts(2, 1, 0), "/configuracion/montos_prioridad out_of_range")]
fn the_limits_hold(#[case] new: NewCliente, #[case] expected: &str) {
    let wrong = created(new).err().map(|Invalid(errors)| {
        let shown = errors
            .iter()
            .map(|one| format!("{} {}", one.pointer, one.code));
        shown.collect::<Vec<_>>().join(", ")
    });
    assert_eq!(wrong.unwrap_or_default(), expected);
}

#[test]
fn a_patch_names_what_it_changed_and_keeps_the_rest() {
    let cliente = created(new()).unwrap();
    let patch = ClientePatch {
        nombre: Some("Minera Demo SpA".into()),
        configuracion: ConfiguracionPatch {
            umbral_variacion: Some(Percent(5000)),
            ..ConfiguracionPatch::default()
        },
    };
    let change = done(cliente.update(patch.clone(), &stamp_of(MARIA, 1)).unwrap());
    assert_eq!(told(&change.events), [(MARIA, "datos_modificados")]);
    let campos = &change.events[0].event.details()["campos"];
    assert_eq!(
        campos,
        &serde_json::json!(["configuracion.umbral_variacion"])
    );
    assert_eq!(change.state.version, 2);
    assert_eq!(change.state.configuracion.tolerancia_pesos, Pesos(1));
    let again = change.state.update(patch, &stamp_of(MARIA, 2)).unwrap();
    assert!(matches!(again, Decision::Replayed(_)));
    assert_eq!(
        change.state.configuracion.incidencias.of(code("2101")),
        Percent(5000)
    );
}

#[test]
fn a_patch_is_judged_as_a_whole() {
    let cliente = created(new()).unwrap();
    let patch = ClientePatch {
        nombre: Some(String::new()),
        configuracion: ConfiguracionPatch {
            tolerancia_pesos: Some(Pesos(5000)),
            ..ConfiguracionPatch::default()
        },
    };
    let Err(Invalid(errors)) = cliente.update(patch, &stamp_of(MARIA, 1)) else {
        panic!("taken")
    };
    assert_eq!(errors.len(), 2);
}
