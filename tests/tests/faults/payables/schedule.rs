//! What begins by itself: the daily check and the daily reminders, and what made no progress. The schedule looks at every company, so these tests
//! run alone.

use std::time::Duration;

use cierre_tests::{
    Company, Factura, JUAN, LUIS, LUZ, MARIA, OLGA, PEDRO, WORK_ENDS_WITHIN, after, body_of,
    corrupt, within,
};
use serde_json::{Value, json};

use super::{JOBS, alone, pending};

/// Runs the schedule at this time.
async fn run_at(company: &Company, time: &str) {
    let event = company.stack.schedule_event(time);
    company.stack.invoke("schedule-payables", &event).await;
}

/// The events of the company's daily jobs of this kind that have ended.
async fn ended(company: &Company, tipo: &str) -> Vec<Value> {
    let events = company
        .person(OLGA)
        .await
        .list("/activity?event_type=process")
        .await;
    events
        .into_iter()
        .filter(|event| event["details"]["tipo"] == tipo && event["user"] == "sistema")
        .collect()
}

/// Waits until so many daily jobs of this kind have ended.
async fn have_ended(company: &Company, tipo: &str, count: usize) {
    within(
        WORK_ENDS_WITHIN,
        &format!("{count} of {tipo} have ended"),
        || async {
            let found = ended(company, tipo).await.len();
            assert!(found <= count, "{found} of {tipo}");
            (found == count).then_some(())
        },
    )
    .await;
}

#[tokio::test]
async fn the_check_begins_at_six_and_the_reminders_at_eight_once_a_day() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    let factura = company.pending("S-1").await;
    // A day on which nobody has run it yet: Bogotá is five hours behind.
    let day = after(40);
    run_at(&company, &format!("{day}T10:59:00Z")).await;
    company.payables_queues_are_empty().await;
    let (checks, reminders) = (
        ended(&company, "consistencia").await.len(),
        ended(&company, "recordatorios").await.len(),
    );
    corrupt(&factura, "Un Extraño").await;
    run_at(&company, &format!("{day}T11:00:00Z")).await;
    have_ended(&company, "consistencia", checks + 1).await;
    assert_eq!(ended(&company, "recordatorios").await.len(), reminders);
    let report = company
        .person(OLGA)
        .await
        .get("/facturas/consistencia")
        .await
        .expect(200);
    assert_eq!(
        json!([
            report["total_divergentes"],
            report["divergentes"][0]["factura_id"]
        ]),
        json!([1, factura.id])
    );
    run_at(&company, &format!("{day}T13:00:00Z")).await;
    have_ended(&company, "recordatorios", reminders + 1).await;
    run_at(&company, &format!("{day}T13:15:00Z")).await;
    run_at(&company, &format!("{day}T23:45:00Z")).await;
    company.payables_queues_are_empty().await;
    assert_eq!(ended(&company, "consistencia").await.len(), checks + 1);
    assert_eq!(ended(&company, "recordatorios").await.len(), reminders + 1);
}

/// What a factura's reminders and escalations say.
async fn told(factura: &Factura) -> Vec<Value> {
    let events = factura.events().await;
    events
        .iter()
        .filter(|event| event["event_type"] == "generate")
        .map(|event| {
            assert_eq!(event["user"], "sistema");
            json!([event["action"], event["details"]["destinatarios"]])
        })
        .collect()
}

#[tokio::test]
async fn a_round_is_reminded_of_after_three_business_days_and_escalated_after_five_once_each() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    let (pedro, luis) = (company.person(PEDRO).await, company.person(LUIS).await);
    // From 1 April 2026 the third business day is the 8th, and the fifth the 10th.
    let at = "2026-04-01T15:00:00.000Z";
    let register = async |nit: &str, numero: &str| {
        let body = body_of(nit, numero, "1.00");
        let made = company
            .at(at, &pedro, "POST", "/facturas", body)
            .await
            .expect(201);
        company.factura(made["id"].as_str().unwrap())
    };
    let waiting = register(cierre_tests::ASEO, "S-2").await;
    let unassigned = register(LUZ, "S-3").await;
    let decided = register(cierre_tests::ASEO, "S-4").await;
    decided.aprobar(JUAN).await.expect(200);
    let term = json!({
        "de": company.named(JUAN).await, "a": company.named(MARIA).await,
        "desde": "2026-04-08", "hasta": "2026-04-09", "motivo": "Vacaciones",
    });
    let made = company.at(at, &luis, "POST", "/delegaciones", term).await;
    made.expect(201);
    let reminder = |whom: Value| json!(["recordatorio_generado", whom]);
    let to_both = [company.username(JUAN.word), company.username(MARIA.word)];
    let escalation = json!(["escalamiento_generado", ["rol:supervisor"]]);
    let mut ran = ended(&company, "recordatorios").await.len();
    for (day, of_waiting, of_unassigned) in [
        ("2026-04-07", vec![], vec![]),
        (
            "2026-04-08",
            vec![reminder(json!(to_both))],
            vec![reminder(json!(["rol:payables"]))],
        ),
        (
            "2026-04-09",
            vec![reminder(json!(to_both))],
            vec![reminder(json!(["rol:payables"]))],
        ),
        (
            "2026-04-10",
            vec![reminder(json!(to_both)), escalation.clone()],
            vec![reminder(json!(["rol:payables"])), escalation.clone()],
        ),
        (
            "2026-04-13",
            vec![reminder(json!(to_both)), escalation.clone()],
            vec![reminder(json!(["rol:payables"])), escalation.clone()],
        ),
    ] {
        run_at(&company, &format!("{day}T13:00:00Z")).await;
        ran += 1;
        have_ended(&company, "recordatorios", ran).await;
        assert_eq!(told(&waiting).await, of_waiting, "{day}");
        assert_eq!(told(&unassigned).await, of_unassigned, "{day}");
        assert!(told(&decided).await.is_empty(), "{day}");
    }
    waiting.verify().await;
}

#[tokio::test]
async fn a_trabajo_whose_message_got_lost_is_swept() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    let facturas = pending(&company, 3).await;
    company.payables_queues_are_empty().await;
    let luis = company.person(LUIS).await;
    let lost = async || {
        let order = Company::order("aprobar", &facturas);
        let id = luis.start_work("/facturas/decisiones", order).await;
        assert_eq!(
            company.take_messages("PAYABLES_JOBS_QUEUE_URL").await.len(),
            1
        );
        id
    };
    let id = company.stack.while_waiting(JOBS, lost).await;
    assert_eq!(luis.work(&id).await["estado"], "EN_COLA");
    let later = company.stack.clock_after(Duration::from_secs(60 * 60));
    run_at(&company, &later).await;
    let work = luis.work_end(&id).await;
    assert_eq!(
        json!([work["estado"], work["aplicados"]]),
        json!(["COMPLETADO", 3])
    );
}
