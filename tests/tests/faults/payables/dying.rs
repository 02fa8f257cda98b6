//! Workers that are killed in the middle of their work.

use std::time::Duration;

use cierre_tests::{ANA, Company, LUIS, OLGA, PEDRO, Signal, Xml, corrupt};
use serde_json::{Value, json};

use super::{FILES, JOBS, MANY, all_applied, alone, bodies, kill, pending, until};

/// A trabajo that has some items behind it and some before it.
fn half_way(work: &Value) -> bool {
    let (done, total) = (work["procesados"].as_u64(), work["total"].as_u64());
    done > Some(0) && done < total
}

/// Kills the worker of a trabajo so many times, each time when it has done something more.
async fn killed_over(company: &Company, id: &str, deaths: usize) {
    let olga = company.person(OLGA).await;
    let mut behind = 0;
    for death in 1..=deaths {
        let begun = |work: &Value| {
            assert_ne!(
                work["estado"], "COMPLETADO",
                "the job was faster than this test: {work}"
            );
            let attempt = work["intentos"].as_u64() >= Some(death as u64);
            attempt && half_way(work) && work["procesados"].as_u64() >= Some(behind)
        };
        let work = until("a worker has the job", || olga.work(id), begun).await;
        behind = work["procesados"].as_u64().unwrap();
        kill(company, JOBS);
    }
}

#[tokio::test]
async fn a_decision_on_many_whose_worker_dies_goes_on_and_items_keep_their_outcome() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    let facturas = pending(&company, MANY).await;
    let luis = company.person(LUIS).await;
    let id = luis
        .start_work("/facturas/decisiones", Company::order("aprobar", &facturas))
        .await;
    killed_over(&company, &id, 1).await;
    let work = luis.work_end(&id).await;
    assert_eq!(
        json!([
            work["estado"],
            work["total"],
            work["aplicados"],
            work["no_aplicados"]
        ]),
        json!(["COMPLETADO", MANY, MANY, 0]),
        "what was decided before the death is not decided again"
    );
    all_applied(&company, &luis.results(&id).await, "factura_aprobada").await;
    company.payables_queues_are_empty().await;
}

#[tokio::test]
async fn a_lote_whose_worker_dies_goes_on_and_registers_each_item_once() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    let pedro = company.person(PEDRO).await;
    let id = pedro
        .start_work("/facturas/lote", json!({ "facturas": bodies(MANY) }))
        .await;
    killed_over(&company, &id, 1).await;
    let work = pedro.work_end(&id).await;
    assert_eq!(
        json!([work["estado"], work["aplicados"], work["no_aplicados"]]),
        json!(["COMPLETADO", MANY, 0]),
        "what was registered before the death is no duplicate"
    );
    all_applied(&company, &pedro.results(&id).await, "factura_registrada").await;
    assert_eq!(pedro.list("/facturas").await.len(), MANY);
    company.payables_queues_are_empty().await;
}

#[tokio::test]
async fn a_trabajo_whose_worker_dies_three_times_is_in_error_and_is_retried_where_it_stopped() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    let facturas = pending(&company, MANY).await;
    let luis = company.person(LUIS).await;
    let order = Company::order("rechazar", &facturas);
    let id = luis.start_work("/facturas/decisiones", order).await;
    killed_over(&company, &id, 3).await;
    let work = luis.work_end(&id).await;
    assert_eq!(work["estado"], "ERROR", "{work}");
    let done = work["aplicados"].as_u64().unwrap();
    assert!(done < MANY as u64, "{work}");
    let before = luis.results(&id).await;
    assert_eq!(before.len() as u64, done);
    let path = format!("/activity?resource_type=trabajo&resource_id={id}");
    let ana = company.person(ANA).await;
    let told = ana.list(&path).await;
    assert_eq!(
        json!([told[0]["action"], told[0]["event_type"], told[0]["details"]]),
        json!(["trabajo_error", "error", {
            "tipo": "decisiones", "total": MANY, "aplicados": done, "no_aplicados": 0, "dry_run": false,
        }])
    );
    // Neither a stranger nor a reader retries it, but whoever asked for it or the admin.
    let retry = format!("/facturas/trabajos/{id}/reintentar");
    company
        .person(OLGA)
        .await
        .post(&retry, json!({}))
        .await
        .refused(403, "wrong_role");
    let again = ana.post(&retry, json!({})).await.expect(202);
    assert_eq!(
        json!([again["id"], again["estado"]]),
        json!([id, "EN_COLA"])
    );
    let work = luis.work_end(&id).await;
    assert_eq!(
        json!([work["estado"], work["aplicados"], work["error"]]),
        json!(["COMPLETADO", MANY, null])
    );
    let after = luis.results(&id).await;
    assert_eq!(after[..before.len()], before, "outcomes of before stay");
    all_applied(&company, &after, "factura_rechazada").await;
    assert_eq!(company.verify_chain("trabajo", &id).await, 2);
    company.payables_queues_are_empty().await;
}

#[tokio::test]
async fn a_repair_whose_worker_dies_repairs_each_factura_once() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    let facturas = pending(&company, MANY).await;
    for factura in &facturas {
        corrupt(factura, "Un Extraño").await;
    }
    let ana = company.person(ANA).await;
    let id = ana
        .start_work("/facturas/consistencia/reparar", json!({}))
        .await;
    let worked = |work: &Value| work["procesados"].as_u64() > Some(0);
    until("some are repaired", || ana.work(&id), worked).await;
    kill(&company, JOBS);
    let work = ana.work_end(&id).await;
    assert_eq!(
        json!([work["estado"], work["aplicados"]]),
        json!(["COMPLETADO", MANY]),
        "{work}"
    );
    for factura in facturas.iter().step_by(MANY / 10) {
        assert_eq!(factura.events_of("accion_por_reparada").await.len(), 1);
    }
    company.payables_queues_are_empty().await;
}

/// More than the start of a worker takes, and less than the reading of what is [`slow`].
const READING: Duration = Duration::from_millis(80);

/// An invoice that takes a worker a while: as many elements as five mebibytes hold.
fn slow(numero: &str) -> Xml {
    let notes = "<cbc:Note/>".repeat(440_000);
    Xml::numbered(numero).with("</Invoice>", &format!("{notes}</Invoice>"))
}

#[tokio::test]
async fn an_object_whose_worker_dies_three_times_is_refused_and_can_be_dropped_again() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    company.payables_queues_are_empty().await;
    let invoice = slow("LOST-1");
    let key = company.xml_key("lost");
    // A worker that has lived is busy already; the next ones are not.
    company.stack.signal(FILES, Signal::Kill);
    company.stack.drop_at(&key, invoice.bytes()).await;
    for _ in 0..3 {
        let reads = async || json!(company.stack.busy(FILES) > READING);
        until("a worker reads the object", reads, |reads| *reads == true).await;
        kill(&company, FILES);
    }
    let refused = company.rejection_of(&key).await;
    assert_eq!(
        json!([refused["code"], refused["sha256"], refused["factura_id"]]),
        json!(["procesamiento_fallido", null, null])
    );
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("Drop the file again"), "{refused}");
    let olga = company.person(OLGA).await;
    assert!(olga.list("/facturas").await.is_empty());
    company.stack.drop_at(&key, invoice.bytes()).await;
    let factura = company.factura_numbered("LOST-1").await;
    assert_eq!(factura.now().await["origen"], "xml");
    assert_eq!(company.rejections_of(&key).await.len(), 1);
    company.payables_queues_are_empty().await;
}

#[tokio::test]
async fn a_dead_letter_that_comes_twice_refuses_its_object_once() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    company.payables_queues_are_empty().await;
    let key = company.xml_key("dead");
    let dropped = async || {
        company
            .stack
            .drop_at(&key, Xml::numbered("DEAD-1").bytes())
            .await;
        company.take_messages("PAYABLES_FILES_QUEUE_URL").await
    };
    let notices = company.stack.while_waiting(FILES, dropped).await;
    for notice in notices.iter().chain(&notices) {
        company
            .send_to("PAYABLES_DLQ_URL", &notice.to_string())
            .await;
    }
    let refused = company.rejection_of(&key).await;
    assert_eq!(refused["code"], "procesamiento_fallido");
    company.payables_queues_are_empty().await;
    assert_eq!(company.rejections_of(&key).await, [refused]);
    // One that was finished after all is no loss.
    company
        .stack
        .drop_at(&key, Xml::numbered("DEAD-2").bytes())
        .await;
    company.factura_numbered("DEAD-2").await;
    company.payables_queues_are_empty().await;
    company
        .send_to("PAYABLES_DLQ_URL", &notices[0].to_string())
        .await;
    company.payables_queues_are_empty().await;
    assert_eq!(company.rejections_of(&key).await.len(), 1);
}

#[tokio::test]
async fn an_object_whose_worker_is_killed_is_taken_by_another() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    company.payables_queues_are_empty().await;
    let key = company.xml_key("killed");
    company.stack.signal(FILES, Signal::Kill);
    company.stack.drop_at(&key, slow("KILL-1").bytes()).await;
    let reads = async || json!(company.stack.busy(FILES) > READING);
    until("a worker reads the object", reads, |reads| *reads == true).await;
    kill(&company, FILES);
    let factura = company.factura_numbered("KILL-1").await;
    assert_eq!(factura.verify().await, 1, "it was registered once");
    let olga = company.person(OLGA).await;
    assert!(olga.list("/facturas/rechazos-ingreso").await.is_empty());
    let told = olga.list("/activity?event_type=upload").await;
    assert_eq!(told.len(), 1, "its arrival is told once");
    company.payables_queues_are_empty().await;
}
