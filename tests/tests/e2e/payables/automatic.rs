//! Approval by rule: the contract's vectors, every reason against it, and that it explains itself.

use cierre_tests::{
    ASEO, AUTOMATIZACION, Company, Factura, JUAN, LUIS, LUZ, SISTEMA_AUTO, automatica, body_of,
};
use rstest::rstest;
use serde_json::{Value, json};

fn issued(numero: &str, fecha: &str, total: &str) -> Value {
    let mut body = body_of(ASEO, numero, total);
    body["fecha_emision"] = json!(fecha);
    body["fecha_vencimiento"] = Value::Null;
    body
}

/// A company whose policy approves by rule, with COP 1,000,000.00 of 2026-01-05 approved by people.
async fn with_reference() -> (Company, Factura) {
    let company = Company::of_payables().await;
    let reference = company
        .register(issued("R-0", "2026-01-05", "1000000.00"))
        .await;
    reference.aprobar(JUAN).await.expect(200);
    company.set_policy(automatica(|_| {})).await;
    (company, reference)
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
#[case("1000000.00", "2026-01-20", Some("demasiado_pronto"), "0.00", "0.00")]
#[case("1000000.00", "2026-01-24", Some("demasiado_pronto"), "0.00", "0.00")]
#[case("1000000.00", "2026-01-25", None, "0.00", "0.00")]
#[tokio::test]
async fn a_factura_is_compared_with_the_latest_that_people_approved(
    #[case] total: &str,
    #[case] fecha: &str,
    #[case] motivo: Option<&str>,
    #[case] diferencia: &str,
    #[case] pct: &str,
) {
    let (company, reference) = with_reference().await;
    let factura = company.register(issued("R-1", fecha, total)).await;
    let now = factura.now().await;
    let estado = if motivo.is_none() {
        "aprobada_auto"
    } else {
        "pendiente"
    };
    assert_eq!(now["estado"], estado, "{now:#}");
    let resultado = estado;
    assert_eq!(
        now["workflow"]["comparacion"],
        json!({
            "resultado": resultado,
            "motivo_no_auto": motivo,
            "factura_anterior_id": reference.id,
            "total_anterior": "1000000.00",
            "diferencia": diferencia,
            "diferencia_pct": pct,
            "tolerancia_pct": "5",
            "politica_version": 1,
        })
    );
    company.payables_agree().await;
}

#[tokio::test]
async fn what_the_rule_approves_bears_its_names_and_its_event() {
    let (company, _) = with_reference().await;
    let factura = company
        .register(issued("R-1", "2026-02-05", "1000000.00"))
        .await;
    let now = factura.now().await;
    assert_eq!(
        json!([
            now["accion_por"],
            now["accion_por_id"],
            now["aprobado_por"],
            now["workflow"]["aprobada_por"],
            now["responsable"],
            now["fecha_accion"] == now["fecha_aprobacion"],
            now["version"],
        ]),
        json!([
            AUTOMATIZACION,
            "sistema",
            SISTEMA_AUTO,
            SISTEMA_AUTO,
            JUAN.name,
            true,
            1
        ])
    );
    let events = factura.events().await;
    let told: Vec<Value> = events
        .iter()
        .map(|event| json!([event["action"], event["user"]]))
        .collect();
    assert_eq!(
        json!(told),
        json!([
            ["factura_registrada", company.username("pedro")],
            ["factura_aprobada_auto", "sistema"]
        ])
    );
    assert_eq!(
        events[1]["details"]["comparacion"],
        now["workflow"]["comparacion"]
    );
    assert_eq!(events[0]["correlation_id"], events[1]["correlation_id"]);
    // A person's second look begins another round, without comparison.
    factura.reabrir(LUIS).await.expect(200);
    let now = factura.aprobar(JUAN).await.expect(200);
    assert_eq!(
        json!([now["estado"], now["workflow"]["comparacion"]]),
        json!(["aprobada", null])
    );
    company.payables_agree().await;
}

#[rstest]
#[case::switched_off("auto_desactivada", |p: &mut Value| p["automatica"]["activa"] = json!(false))]
#[case::another_way("origen_no_permitido", |p: &mut Value| p["automatica"]["origenes"] = json!(["xml"]))]
#[case::several_approvals("requiere_varias_aprobaciones", |p: &mut Value| p["bandas"]["COP"] = json!([{ "hasta": null, "aprobaciones": 2 }]))]
#[case::above_the_limit("supera_total_maximo", |p: &mut Value| p["automatica"]["total_maximo"] = json!({ "COP": "999999.99" }))]
#[case::no_limit_in_the_currency("supera_total_maximo", |p: &mut Value| p["automatica"]["total_maximo"] = json!({ "USD": "999999.99" }))]
#[case::too_little_history("sin_historial", |p: &mut Value| p["automatica"]["historial_minimo"] = json!(2))]
#[case::too_soon("demasiado_pronto", |p: &mut Value| p["automatica"]["dias_minimos"] = json!(366))]
#[tokio::test]
async fn a_policy_says_what_is_not_approved_by_rule(
    #[case] motivo: &str,
    #[case] change: fn(&mut Value),
) {
    let (company, _) = with_reference().await;
    company.set_policy(automatica(change)).await;
    let factura = company
        .register(issued("R-1", "2026-02-05", "1000000.00"))
        .await;
    let now = factura.now().await;
    assert_eq!(
        json!([
            now["estado"],
            now["accion_por"],
            now["workflow"]["comparacion"]["motivo_no_auto"]
        ]),
        json!(["pendiente", null, motivo])
    );
}

#[tokio::test]
async fn reasons_are_found_in_the_order_of_the_contract() {
    let (company, _) = with_reference().await;
    let motive = async |body: Value| {
        let now = company.register(body).await.now().await;
        now["workflow"]["comparacion"]["motivo_no_auto"].clone()
    };
    // Nobody answers, and there is no history.
    assert_eq!(motive(body_of(LUZ, "L-1", "1.00")).await, "sin_responsable");
    // Too far from the reference and in another currency: the currency is the reason.
    let limits =
        automatica(|policy| policy["automatica"]["total_maximo"]["USD"] = json!("3000000.00"));
    company.set_policy(limits).await;
    let mut dollars = issued("R-1", "2026-02-05", "1000000.00");
    dollars["moneda"] = json!("USD");
    assert_eq!(motive(dollars).await, "moneda_distinta");
    // Near in time to that one, which waits undecided.
    assert_eq!(
        motive(issued("R-2", "2026-02-20", "9.00")).await,
        "demasiado_pronto"
    );
    let other = json!({ "concepto": "Vidrios" });
    let mut unknown = issued("R-3", "2026-02-05", "1000000.00");
    unknown["concepto"] = other["concepto"].clone();
    assert_eq!(motive(unknown).await, "sin_historial");
}

#[tokio::test]
async fn a_rejected_neighbour_does_not_make_it_too_soon() {
    let (company, _) = with_reference().await;
    let far = company
        .register(issued("R-1", "2026-02-04", "2000000.00"))
        .await;
    assert_eq!(far.estado().await, "pendiente");
    far.rechazar(JUAN).await.expect(200);
    let next = company
        .register(issued("R-2", "2026-02-05", "1000000.00"))
        .await;
    assert_eq!(next.estado().await, "aprobada_auto");
}

#[tokio::test]
async fn five_percent_a_month_cannot_creep() {
    let (company, reference) = with_reference().await;
    let first = company
        .register(issued("R-1", "2026-02-05", "1050000.00"))
        .await;
    assert_eq!(first.estado().await, "aprobada_auto");
    // Compared with what people approved, not with the automatic one.
    let second = company
        .register(issued("R-2", "2026-03-05", "1102500.00"))
        .await;
    let now = second.now().await;
    assert_eq!(
        json!([
            now["estado"],
            now["workflow"]["comparacion"]["motivo_no_auto"],
            now["workflow"]["comparacion"]["factura_anterior_id"],
        ]),
        json!(["pendiente", "fuera_de_tolerancia", reference.id])
    );
}

#[rstest]
#[case("Aseo ENERO 2026", "aseo, febrero 2026", true)]
#[case("Aseo oficinas", "ASEO OFICINAS 02", true)]
#[case("Energía eléctrica", "energia electrica", true)]
#[case("Aseo", "Aseo 24h", false)]
#[case("Enero 2026", "Febrero 2026", false)]
#[tokio::test]
async fn concepts_are_the_same_without_months_numbers_case_and_accents(
    #[case] before: &str,
    #[case] after: &str,
    #[case] same: bool,
) {
    let company = Company::of_payables().await;
    let with = |numero: &str, fecha: &str, concepto: &str| {
        let mut body = issued(numero, fecha, "1000000.00");
        body["concepto"] = json!(concepto);
        body
    };
    let reference = company.register(with("R-0", "2026-01-05", before)).await;
    reference.aprobar(JUAN).await.expect(200);
    company.set_policy(automatica(|_| {})).await;
    let now = company
        .register(with("R-1", "2026-02-05", after))
        .await
        .now()
        .await;
    let expected = if same { "aprobada_auto" } else { "pendiente" };
    assert_eq!(now["estado"], expected, "{now:#}");
}

#[tokio::test]
async fn what_was_decided_again_counts_as_it_stands_now() {
    let (company, reference) = with_reference().await;
    reference.reabrir(LUIS).await.expect(200);
    reference.rechazar(LUIS).await.expect(200);
    let next = company
        .register(issued("R-1", "2026-02-05", "1000000.00"))
        .await;
    let now = next.now().await;
    assert_eq!(
        now["workflow"]["comparacion"]["motivo_no_auto"],
        "sin_historial"
    );
}
