//! Messages that come twice, in the wrong order, or make no sense.

use cierre_tests::{Client, Company, JUAN, LUIS, OLGA, PEDRO, WORK_ENDS_WITHIN, Xml, within};
use serde_json::{Value, json};

use super::{FILES, JOBS, alone, bodies, pending};

#[tokio::test]
async fn a_trabajo_that_is_told_of_twice_is_done_once() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    let facturas = pending(&company, 40).await;
    let luis = company.person(LUIS).await;
    let twice = async || {
        let order = Company::order("aprobar", &facturas);
        let id = luis.start_work("/facturas/decisiones", order).await;
        company.resend_work(&id).await;
        company.resend_work(&id).await;
        id
    };
    let id = company.stack.while_waiting(JOBS, twice).await;
    let work = luis.work_end(&id).await;
    assert_eq!(
        json!([work["aplicados"], work["no_aplicados"]]),
        json!([40, 0]),
        "{work}"
    );
    company.payables_queues_are_empty().await;
    let before = (luis.work(&id).await, luis.results(&id).await);
    company.resend_work(&id).await;
    company.payables_queues_are_empty().await;
    assert_eq!((luis.work(&id).await, luis.results(&id).await), before);
    for factura in &facturas {
        assert_eq!(factura.events_of("factura_aprobada").await.len(), 1);
    }
    assert_eq!(company.verify_chain("trabajo", &id).await, 1);
}

#[tokio::test]
async fn what_a_trabajo_finds_is_judged_when_its_turn_comes() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    let facturas = pending(&company, 3).await;
    let luis = company.person(LUIS).await;
    let meanwhile = async || {
        let order = Company::order("aprobar", &facturas);
        let id = luis.start_work("/facturas/decisiones", order).await;
        assert_eq!(luis.work(&id).await["estado"], "EN_COLA");
        let retry = format!("/facturas/trabajos/{id}/reintentar");
        luis.post(&retry, json!({}))
            .await
            .refused(409, "trabajo_no_reintentable");
        facturas[0].rechazar(JUAN).await.expect(200);
        facturas[1].eliminar(PEDRO).await.expect(204);
        id
    };
    let id = company.stack.while_waiting(JOBS, meanwhile).await;
    luis.work_end(&id).await;
    let items = luis.results(&id).await;
    let said: Vec<Value> = items
        .iter()
        .map(|item| json!([item["resultado"], item["code"]]))
        .collect();
    assert_eq!(
        said,
        [
            json!(["no_aplicado", "ya_decidida"]),
            json!(["no_aplicado", "no_encontrada"]),
            json!(["aplicado", null]),
        ]
    );
    company.payables_agree().await;
}

async fn everything(company: &Company) -> (Vec<Value>, Vec<Value>, usize) {
    let olga: Client = company.person(OLGA).await;
    (
        olga.list("/facturas").await,
        olga.list("/facturas/rechazos-ingreso").await,
        olga.list("/activity").await.len(),
    )
}

/// What the bucket says of these objects under one key, in the order in which they were put; nobody has heard it.
async fn notices(company: &Company, key: &str, objects: &[Xml]) -> Vec<Value> {
    for object in objects {
        company.stack.drop_at(key, object.bytes()).await;
    }
    let mut notices = Vec::new();
    while notices.len() < objects.len() {
        notices.extend(company.take_messages("PAYABLES_FILES_QUEUE_URL").await);
    }
    notices.sort_by_key(|notice| notice["Records"][0]["s3"]["object"]["sequencer"].to_string());
    notices
}

#[tokio::test]
async fn an_event_that_comes_twice_or_after_its_key_was_overwritten_has_no_effect() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    company.payables_queues_are_empty().await;
    let key = company.xml_key("february");
    let tried = async || {
        let objects = [Xml::numbered("ORD-1"), Xml::numbered("ORD-2")];
        let told = notices(&company, &key, &objects).await;
        let [older, newer] = told.try_into().expect("two notices");
        company.hand_xml(std::slice::from_ref(&newer)).await;
        company.factura_numbered("ORD-2").await;
        let before = everything(&company).await;
        company.hand_xml(std::slice::from_ref(&older)).await;
        company
            .hand_xml(&[newer.clone(), newer.clone(), older.clone()])
            .await;
        assert_eq!(
            everything(&company).await,
            before,
            "the older one came too late"
        );
        // In their order each counts, once.
        let other = company.xml_key("march");
        let objects = [Xml::numbered("ORD-3"), Xml::numbered("ORD-4")];
        let told = notices(&company, &other, &objects).await;
        company.hand_xml(&told).await;
        company.factura_numbered("ORD-4").await;
        let before = everything(&company).await;
        company.hand_xml(&told).await;
        assert_eq!(everything(&company).await, before);
    };
    company.stack.while_waiting(FILES, tried).await;
    company.payables_agree().await;
}

#[tokio::test]
async fn a_message_without_sense_and_a_key_outside_the_pattern_are_parked_and_block_nothing() {
    let company = Company::of_payables().await;
    let _alone = alone().await;
    let parked = company.messages("PAYABLES_PARKED_QUEUE_URL").await;
    let poison = [
        ("PAYABLES_FILES_QUEUE_URL", "not even JSON".to_owned()),
        (
            "PAYABLES_FILES_QUEUE_URL",
            json!({ "hello": 1 }).to_string(),
        ),
        ("PAYABLES_JOBS_QUEUE_URL", "{".to_owned()),
        (
            "PAYABLES_JOBS_QUEUE_URL",
            json!({ "companyId": company.id, "trabajoId": "nonsense" }).to_string(),
        ),
    ];
    for (queue, body) in &poison {
        company.send_to(queue, body).await;
    }
    let misplaced = [
        format!("facturas/{}/a/b.xml", company.id),
        format!("facturas/{}/a.pdf", company.id),
    ];
    for key in &misplaced {
        company.stack.drop_at(key, b"where to?").await;
    }
    let pedro = company.person(PEDRO).await;
    pedro
        .outcomes("/facturas/lote", json!({ "facturas": bodies(5) }))
        .await;
    company
        .taken(Xml::numbered("PARK-1").bytes(), "PARK-1")
        .await;
    let expected = parked + (poison.len() + misplaced.len()) as u64;
    within(WORK_ENDS_WITHIN, "they are parked", || async {
        (company.messages("PAYABLES_PARKED_QUEUE_URL").await == expected).then_some(())
    })
    .await;
    assert!(pedro.list("/facturas/rechazos-ingreso").await.is_empty());
    company.payables_queues_are_empty().await;
}
