//! People are told that a round waits: once each, those whom it concerns.

use cierre_tests::{ANA, ASEO, Company, Factura, JUAN, LUIS, LUZ, MARIA, body_of, politica};
use serde_json::{Value, json};

const RUN: &str = "/facturas/recordatorios";

/// A company in which a round is reminded of on its first day.
async fn at_once() -> Company {
    let company = Company::of_payables().await;
    company
        .set_policy(politica(|policy| {
            policy["recordatorio"] = json!({ "dias_habiles": 0, "escalar_dias_habiles": 60 });
        }))
        .await;
    company
}

async fn run(company: &Company) -> Value {
    let work = company.person(ANA).await.run_work(RUN, json!({})).await;
    assert_eq!(work["tipo"], "recordatorios");
    work["aplicados"].clone()
}

/// Whom the reminders of a factura told, one list per reminder.
async fn told(factura: &Factura) -> Vec<Value> {
    let events = factura.events_of("recordatorio_generado").await;
    events
        .iter()
        .map(|event| {
            assert_eq!(
                json!([
                    event["event_type"],
                    event["user"],
                    event["details"]["dias_habiles"]
                ]),
                json!(["generate", "sistema", 0])
            );
            json!([event["details"]["ronda"], event["details"]["destinatarios"]])
        })
        .collect()
}

#[tokio::test]
async fn a_round_that_waits_is_reminded_of_once() {
    let company = at_once().await;
    let delegated = company.pending("R-1").await;
    let unassigned = company.register(body_of(LUZ, "R-2", "1.00")).await;
    let decided = company.register(body_of(ASEO, "R-3", "1.00")).await;
    decided.rechazar(JUAN).await.expect(200);
    company.delegate(JUAN, MARIA).await;
    let before = delegated.now().await;
    assert_eq!(run(&company).await, 2);
    assert_eq!(run(&company).await, 0, "a second run tells nobody again");
    let (juan, maria) = (company.username(JUAN.word), company.username(MARIA.word));
    assert_eq!(told(&delegated).await, [json!([1, [juan, maria]])]);
    assert_eq!(told(&unassigned).await, [json!([1, ["rol:payables"]])]);
    assert!(told(&decided).await.is_empty());
    assert!(
        delegated
            .events_of("escalamiento_generado")
            .await
            .is_empty()
    );
    // What somebody does is judged as before.
    let now = delegated.now().await;
    for field in ["estado", "accion_por", "responsable"] {
        assert_eq!(now[field], before[field]);
    }
    delegated.aprobar(MARIA).await.expect(200);
    // Another round is reminded of anew.
    delegated.reabrir(LUIS).await.expect(200);
    assert_eq!(run(&company).await, 1);
    assert_eq!(
        told(&delegated).await,
        [json!([1, [juan, maria]]), json!([2, [juan, maria]])]
    );
    company.payables_agree().await;
}

#[tokio::test]
async fn nobody_is_reminded_before_the_days_have_passed() {
    let company = Company::of_payables().await;
    let factura = company.pending("R-4").await;
    assert_eq!(run(&company).await, 0);
    assert!(told(&factura).await.is_empty());
}
