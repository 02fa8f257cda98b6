//! How many approvals a factura needs, by whom, and what happens to a round when the policy changes under it.

use cierre_tests::{ANA, ASEO, Company, JUAN, LUIS, MARIA, SARA, body_of, politica};
use serde_json::{Value, json};

/// The contract's bands.
fn bands() -> Value {
    politica(|policy| {
        policy["bandas"]["COP"] = json!([
            { "hasta": "5000000.00", "aprobaciones": 1 },
            { "hasta": "50000000.00", "aprobaciones": 2 },
            { "hasta": null, "aprobaciones": 3 },
        ]);
    })
}

#[tokio::test]
async fn the_band_of_the_total_says_how_many_approvals_are_needed() {
    let company = Company::of_payables().await;
    let needed = async |numero: &str, moneda: &str, total: &str| {
        let mut body = body_of(ASEO, numero, total);
        body["moneda"] = json!(moneda);
        company.register(body).await.now().await["workflow"]["aprobaciones_requeridas"].clone()
    };
    assert_eq!(
        needed("B-0", "COP", "999999999999.00").await,
        1,
        "no bands at all"
    );
    company.set_policy(bands()).await;
    let vectors = [
        ("COP", "5000000.00", 1),
        ("COP", "5000000.01", 2),
        ("COP", "50000000.00", 2),
        ("COP", "50000000.01", 3),
        ("USD", "10.00", 3),
        ("CLP", "10", 3),
    ];
    for (nth, (moneda, total, expected)) in vectors.into_iter().enumerate() {
        let numero = format!("B-{}", nth + 1);
        assert_eq!(
            needed(&numero, moneda, total).await,
            expected,
            "{moneda} {total}"
        );
    }
}

#[tokio::test]
async fn a_factura_is_approved_by_the_last_of_the_approvals_that_it_needs() {
    let company = Company::of_payables().await;
    company.set_policy(bands()).await;
    let factura = company.register(body_of(ASEO, "A-1", "60000000.00")).await;
    for (nth, who) in [SARA, JUAN, LUIS].into_iter().enumerate() {
        let now = factura.aprobar(who).await.expect(200);
        let last = nth == 2;
        let estado = if last { "aprobada" } else { "en_revision" };
        let aprobado_por = last.then_some(who.name);
        assert_eq!(
            json!([
                now["estado"],
                now["accion_por"],
                now["aprobado_por"],
                now["workflow"]["aprobada"]
            ]),
            json!([estado, who.name, aprobado_por, last])
        );
    }
    let told = factura.events().await;
    let progress: Vec<Value> = told
        .iter()
        .filter(|event| event["event_type"] == "resolve")
        .map(|event| json!([event["action"], event["details"]["aprobaciones"]]))
        .collect();
    assert_eq!(
        json!(progress),
        json!([
            ["factura_aprobada_parcial", "1/3"],
            ["factura_aprobada_parcial", "2/3"],
            ["factura_aprobada", "3/3"],
        ])
    );
    company.payables_agree().await;
}

#[tokio::test]
async fn nobody_counts_twice_in_a_round_be_it_in_person_or_represented() {
    let company = Company::of_payables().await;
    company.set_policy(bands()).await;
    company.delegate(JUAN, MARIA).await;
    let large = async |numero: &str| company.register(body_of(ASEO, numero, "60000000.00")).await;

    let first = large("T-1").await;
    first.aprobar(JUAN).await.expect(200);
    first.aprobar(JUAN).await.refused(409, "ya_aprobo");
    first.aprobar(MARIA).await.refused(409, "ya_aprobo");

    let second = large("T-2").await;
    second.aprobar(MARIA).await.expect(200);
    second.aprobar(JUAN).await.refused(409, "ya_aprobo");
    second.aprobar(MARIA).await.refused(409, "ya_aprobo");
    second.aprobar(LUIS).await.expect(200);
    let approved = second.aprobar(SARA).await.expect(200);
    assert_eq!(approved["estado"], "aprobada");

    // Another round counts anew.
    second.reabrir(LUIS).await.expect(200);
    let again = second.aprobar(JUAN).await.expect(200);
    assert_eq!(again["workflow"]["decisiones"].as_array().unwrap().len(), 1);
    company.payables_agree().await;
}

#[tokio::test]
async fn a_policy_never_changes_a_round_that_has_begun() {
    let company = Company::of_payables().await;
    let strict = company.set_policy(bands()).await;
    let factura = company
        .register_as(ANA, body_of(ASEO, "P-1", "6000000.00"))
        .await;
    factura.aprobar(JUAN).await.expect(200);
    let one = politica(|policy| policy["permitir_autoaprobacion"] = json!(true));
    let lax = company.set_policy(one).await;
    // Two approvals still, and no approval of one's own.
    let now = factura.now().await;
    assert_eq!(
        json!([
            now["workflow"]["politica_version"],
            now["workflow"]["aprobaciones_requeridas"],
            now["estado"]
        ]),
        json!([strict["version"], 2, "en_revision"])
    );
    factura.aprobar(ANA).await.refused(403, "sod_violation");
    factura.aprobar(LUIS).await.expect(200);
    // The next round begins under the policy of then.
    let reopened = factura.reabrir(LUIS).await.expect(200);
    assert_eq!(
        json!([
            reopened["workflow"]["politica_version"],
            reopened["workflow"]["aprobaciones_requeridas"]
        ]),
        json!([lax["version"], 1])
    );
    let approved = factura.aprobar(ANA).await.expect(200);
    assert_eq!(
        json!([
            approved["estado"],
            approved["workflow"]["decisiones"][0]["sod_excepcion"]
        ]),
        json!(["aprobada", true])
    );
    company.payables_agree().await;
}

#[tokio::test]
async fn a_closed_round_stays_as_it_was() {
    let company = Company::of_payables().await;
    let factura = company.pending("R-1").await;
    factura.rechazar(JUAN).await.expect(200);
    let (closed, _) = factura.historial().await;
    factura.reabrir(LUIS).await.expect(200);
    factura.aprobar(SARA).await.expect(200);
    let (second, _) = factura.historial().await;
    factura.reabrir(LUIS).await.expect(200);
    let (third, _) = factura.historial().await;
    assert_eq!((closed.len(), second.len(), third.len()), (1, 2, 3));
    assert_eq!((&third[0], &third[1]), (&closed[0], &second[1]));
    assert_eq!(
        json!([
            third[2]["estado"],
            third[2]["reabierta_por"],
            third[2]["motivo_reapertura"]
        ]),
        json!(["recibida", LUIS.name, cierre_tests::MOTIVO])
    );
    assert!(third[0]["reabierta_por"].is_null() && third[0]["comparacion"].is_object());
    company.payables_agree().await;
}
