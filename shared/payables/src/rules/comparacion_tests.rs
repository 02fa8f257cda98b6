use cierre_kernel::money::{Currency, Money};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::entity::fixtures::*;

fn cop(text: &str) -> Money {
    Money::parse(text, Currency::Cop).unwrap()
}

fn one(n: u128, estado: Estado, fecha: &str, total: Money) -> Antecedente {
    Antecedente {
        id: factura_id(n),
        estado,
        fecha_emision: day(fecha),
        importe: Importe(total),
    }
}

fn reference() -> Vec<Antecedente> {
    vec![one(1, Estado::Aprobada, "2026-01-05", cop("1000000.00"))]
}

fn judged(total: Money, fecha: &str, grupo: &[Antecedente], politica: &Politica) -> Comparacion {
    evaluar(
        &Llegada {
            origen: Origen::Json,
            con_responsable: true,
            fecha_emision: day(fecha),
            total,
            grupo,
        },
        politica,
    )
}

#[rstest]
#[case("1050000.00", "2026-02-05", None, "50000.00", "5.00")]
#[case("950000.00", "2026-02-05", None, "-50000.00", "-5.00")]
#[case(
    "1050000.01",
    "2026-02-05",
    Some("fuera_de_tolerancia"),
    "50000.01",
    "5.00"
)]
#[case(
    "949999.99",
    "2026-02-05",
    Some("fuera_de_tolerancia"),
    "-50000.01",
    "-5.00"
)]
#[case("1000000.00", "2026-01-20", Some("demasiado_pronto"), "0.00", "0.00")]
#[case("1000000.00", "2026-01-25", None, "0.00", "0.00")]
#[case("1000000.00", "2026-01-24", Some("demasiado_pronto"), "0.00", "0.00")]
#[case("1000050.00", "2026-02-05", None, "50.00", "0.01")]
#[case("1000049.99", "2026-02-05", None, "49.99", "0.00")]
fn the_vectors_of_the_contract(
    #[case] total: &str,
    #[case] fecha: &str,
    #[case] why: Option<&str>,
    #[case] difference: &str,
    #[case] percent: &str,
) {
    let found = judged(cop(total), fecha, &reference(), &politica());
    assert_eq!(found.motivo_no_auto.map(MotivoNoAuto::as_str), why);
    assert_eq!(
        found.resultado,
        if why.is_none() {
            Resultado::AprobadaAuto
        } else {
            Resultado::Pendiente
        }
    );
    assert_eq!(found.diferencia.unwrap().to_string(), difference);
    assert_eq!(found.diferencia_pct.unwrap().to_string(), percent);
    assert_eq!(json!(found)["tolerancia_pct"], "5");
}

/// Everything is wrong; each check that is mended shows the next one.
#[test]
fn the_first_failing_check_is_the_reason() {
    let mut body = politica_nueva(|body| {
        body["automatica"]["activa"] = json!(false);
        body["automatica"]["origenes"] = json!(["xml"]);
        body["automatica"]["total_maximo"] = json!({});
        body["bandas"]["COP"][0]["hasta"] = json!("10.00");
        body["automatica"]["historial_minimo"] = json!(2);
    });
    let mut llegada = Llegada {
        origen: Origen::Json,
        con_responsable: false,
        fecha_emision: day("2026-01-10"),
        total: cop("2000000.00"),
        grupo: &[],
    };
    let near = [
        one(
            1,
            Estado::Aprobada,
            "2025-01-05",
            Money::from_minor(5, Currency::Usd),
        ),
        one(2, Estado::Pendiente, "2026-01-09", cop("1.00")),
    ];
    let far = [one(
        1,
        Estado::Aprobada,
        "2025-01-05",
        Money::from_minor(5, Currency::Usd),
    )];
    let same = [one(1, Estado::Aprobada, "2025-01-05", cop("1.00"))];
    let mut reasons = Vec::new();
    for step in 0..9 {
        match step {
            1 => body.automatica.activa = true,
            2 => body.automatica.origenes = vec!["json".into()],
            3 => llegada.con_responsable = true,
            4 => body.bandas.clear(),
            5 => {
                body.automatica
                    .total_maximo
                    .insert("COP".into(), "2000000.00".into());
            }
            6 => {
                body.automatica.historial_minimo = 1;
                llegada.grupo = &near;
            }
            7 => llegada.grupo = &far,
            8 => llegada.grupo = &same,
            _ => {}
        }
        let politica = Politica::judge(1, &body).unwrap();
        reasons.push(evaluar(&llegada, &politica).motivo_no_auto.unwrap());
    }
    assert_eq!(reasons, MotivoNoAuto::ALL);
}

#[test]
fn what_the_checks_did_not_come_to_is_not_shown() {
    let off = Politica::default();
    let found = judged(cop("1000000.00"), "2026-02-05", &reference(), &off);
    assert_eq!(
        (found.motivo_no_auto, found.factura_anterior_id),
        (Some(MotivoNoAuto::AutoDesactivada), None)
    );
    let other = [one(
        1,
        Estado::Aprobada,
        "2026-01-05",
        Money::from_minor(500, Currency::Usd),
    )];
    let found = judged(cop("1000000.00"), "2026-02-05", &other, &politica());
    assert_eq!(found.motivo_no_auto, Some(MotivoNoAuto::MonedaDistinta));
    assert_eq!(
        (
            found.total_anterior.unwrap().to_string().as_str(),
            found.diferencia
        ),
        ("5.00", None)
    );
}

#[test]
fn automatic_approvals_never_serve_so_the_tolerance_cannot_creep() {
    let mut grupo = reference();
    grupo.push(one(
        2,
        Estado::AprobadaAuto,
        "2026-02-05",
        cop("1050000.00"),
    ));
    let found = judged(cop("1102500.00"), "2026-03-05", &grupo, &politica());
    assert_eq!(
        (found.motivo_no_auto, found.factura_anterior_id),
        (Some(MotivoNoAuto::FueraDeTolerancia), Some(factura_id(1)))
    );
    let only_auto = [one(
        2,
        Estado::AprobadaAuto,
        "2026-01-05",
        cop("1000000.00"),
    )];
    assert_eq!(
        judged(cop("1000000.00"), "2026-03-05", &only_auto, &politica()).motivo_no_auto,
        Some(MotivoNoAuto::SinHistorial)
    );
}

#[test]
fn the_reference_is_the_latest_and_rejected_ones_do_not_stand_near() {
    let grupo = [
        one(3, Estado::Aprobada, "2026-01-05", cop("3.00")),
        one(9, Estado::Aprobada, "2026-01-05", cop("1000000.00")),
        one(5, Estado::Aprobada, "2025-12-05", cop("5.00")),
        one(8, Estado::Rechazada, "2026-02-04", cop("8.00")),
    ];
    let found = judged(cop("1000000.00"), "2026-02-05", &grupo, &politica());
    assert_eq!(
        (found.resultado, found.factura_anterior_id),
        (Resultado::AprobadaAuto, Some(factura_id(9)))
    );
    let later = [
        one(1, Estado::Aprobada, "2025-01-05", cop("1000000.00")),
        one(2, Estado::Pendiente, "2026-02-10", cop("1.00")),
    ];
    assert_eq!(
        judged(cop("1000000.00"), "2026-02-05", &later, &politica()).motivo_no_auto,
        Some(MotivoNoAuto::DemasiadoPronto),
        "after as well as before"
    );
}

proptest! {
    /// The exact test decides, never the rounded figure that is shown.
    #[test]
    fn the_tolerance_is_exact(total in 1_i64..300_000_000, anterior in 1_i64..300_000_000, tolerance in 0_i64..=10_000) {
        let (total_, anterior_) = (Money::from_minor(total, Currency::Cop), Money::from_minor(anterior, Currency::Cop));
        let within = within_tolerance(total_, anterior_, Cifra::hundredths(tolerance));
        let exact = i128::from(total.abs_diff(anterior)) * 10_000 <= i128::from(anterior) * i128::from(tolerance);
        prop_assert_eq!(within, exact);
        let shown = shown_percent(total_, anterior_).unwrap().as_hundredths().unwrap();
        // Half-up: what is shown lies at most half a hundredth from what is.
        let off = (i128::from(total) - i128::from(anterior)) * 10_000 - i128::from(shown) * i128::from(anterior);
        prop_assert!(off.abs() * 2 <= i128::from(anterior));
    }
}
