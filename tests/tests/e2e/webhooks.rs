//! Webhooks: who is told of a finished batch, how often, and what happens when nobody listens.

use cierre_tests::{Client, Company, Listening, SECRET, batch_of, eventually, service};
use serde_json::{Value, json};

/// The company is to be told of its batches here.
async fn told_at(company: &Company, url: &str) {
    let mut settings = Company::billing_settings("RESPONSABLE_INSCRIPTO");
    settings["webhook"] = json!({ "url": url, "secret": SECRET });
    let admin = company.admin().await;
    let answer = admin.put("/company/settings/billing", settings).await.ok();
    assert_eq!(answer["webhook"], json!({ "url": url, "hasSecret": true }));
}

/// A company that has a pending and is told of its batches here.
async fn with_a_pending(receiver: &Listening) -> (Company, Client, Vec<String>) {
    let company = Company::new().await;
    told_at(&company, &receiver.url).await;
    company.customers(1).await;
    let billing = company.billing().await;
    let pendings = company.pendings(&[service(5, 1, 150_000)]).await;
    (company, billing, pendings)
}

/// Waits until so many messages came.
async fn messages(receiver: &Listening, count: usize) -> Vec<(String, Value)> {
    eventually(&format!("{count} messages came"), || async {
        let messages = receiver.messages();
        (messages.len() >= count).then_some(messages)
    })
    .await
}

/// The batch's event with this action.
async fn event_of(company: &Company, batch: &Value, action: &str) -> Value {
    let id = batch["id"].as_str().unwrap();
    let path = format!("/activity?resource_type=billing_batch&resource_id={id}");
    let admin = company.admin().await;
    let events = admin.list(&path).await;
    let found = events.into_iter().find(|event| event["action"] == action);
    found.unwrap()
}

#[tokio::test]
async fn a_processed_batch_is_told_signed_and_under_its_events_id() {
    let receiver = Listening::start(|_, _| 204).await;
    let (company, billing, pendings) = with_a_pending(&receiver).await;
    let batch = billing.run_batch(batch_of("A-0001", &pendings)).await;
    let (id, body) = messages(&receiver, 1).await.remove(0);
    let event = event_of(&company, &batch, "batch_processed").await;
    assert_eq!(json!(id), event["id"]);
    assert_eq!(
        (&body["type"], &body["timestamp"]),
        (&json!("billing.batch.processed"), &event["timestamp"])
    );
    let data = &body["data"];
    assert_eq!(
        (
            &data["resource_type"],
            &data["resource_id"],
            &data["company_id"],
            &data["correlation_id"],
            &data["invoiceCount"],
            &data["totalAmount"],
        ),
        (
            &json!("billing_batch"),
            &batch["id"],
            &json!(company.id),
            &batch["correlationId"],
            &json!(1),
            &json!("1500.00"),
        )
    );
}

#[tokio::test]
async fn a_failed_batch_is_told_with_its_code() {
    let receiver = Listening::start(|_, _| 200).await;
    let (_company, billing, pendings) = with_a_pending(&receiver).await;
    billing.run_batch(batch_of("A-0001", &pendings)).await;
    let id = billing.start_batch(batch_of("A-0001", &pendings)).await;
    billing.batch_end(&id).await;
    let told = messages(&receiver, 2).await;
    let failed = told
        .iter()
        .find(|(_, body)| body["data"]["resource_id"] == id);
    let (_, body) = failed.unwrap();
    assert_eq!(
        (&body["type"], &body["data"]["errorCode"]),
        (&json!("billing.batch.failed"), &json!("nothing_to_invoice"))
    );
}

#[tokio::test]
async fn what_fails_for_now_is_told_again_under_the_same_id() {
    let receiver = Listening::start(|_, before| if before < 2 { 503 } else { 204 }).await;
    let (_company, billing, pendings) = with_a_pending(&receiver).await;
    billing.run_batch(batch_of("A-0001", &pendings)).await;
    let told = messages(&receiver, 3).await;
    assert!(told.iter().all(|message| *message == told[0]), "{told:?}");
}

#[tokio::test]
async fn what_is_refused_for_good_becomes_a_dead_letter_at_once() {
    let receiver = Listening::start(|_, _| 410).await;
    let (company, billing, pendings) = with_a_pending(&receiver).await;
    let batch = billing.run_batch(batch_of("A-0001", &pendings)).await;
    let (sqs, dead) = (
        company.stack.sqs(),
        company.stack.output("WEBHOOKS_DLQ_URL"),
    );
    let letter = eventually("the dead letter is there", || async {
        let receive = sqs.receive_message().queue_url(&dead);
        let receive = receive.max_number_of_messages(10).visibility_timeout(0);
        let messages = receive.send().await.unwrap().messages.unwrap_or_default();
        let bodies = messages.iter().filter_map(|message| message.body());
        let mut letters = bodies.map(|body| serde_json::from_str::<Value>(body).unwrap());
        letters.find(|letter| letter["companyId"] == company.id)
    })
    .await;
    assert_eq!(letter["resourceId"], batch["id"]);
    assert_eq!(receiver.messages().len(), 1, "refused once and tried again");
}

#[tokio::test]
async fn a_change_that_the_stream_shows_twice_is_told_under_one_id() {
    let receiver = Listening::start(|_, _| 204).await;
    let (company, billing, pendings) = with_a_pending(&receiver).await;
    let batch = billing.run_batch(batch_of("A-0001", &pendings)).await;
    messages(&receiver, 1).await;
    let event = event_of(&company, &batch, "batch_processed").await;
    let text = |value: String| json!({ "S": value });
    let image = json!({
        "pk": text(format!("{}#billing_batch#{}", company.id, batch["id"].as_str().unwrap())),
        "sk": text(format!("{:010}", event["sequence"].as_u64().unwrap())),
        "topic": text("billing.batch.processed".into()),
        "event": text(event.to_string()),
    });
    let record = json!({
        "eventID": "again",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": { "NewImage": image, "SequenceNumber": "1", "SizeBytes": 1 },
    });
    let again = json!({ "Records": [record] });
    company.stack.invoke("send-webhooks", &again).await;
    let told = messages(&receiver, 2).await;
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn a_webhook_leads_to_the_public_network_and_needs_a_secret_once() {
    let company = Company::new().await;
    let admin = company.admin().await;
    let put = |webhook: Value| {
        let mut settings = Company::billing_settings("RESPONSABLE_INSCRIPTO");
        settings["webhook"] = webhook;
        admin.put("/company/settings/billing", settings)
    };
    for url in [
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/hook",
        "https://[fd00::1]/hook",
        "https://[::ffff:192.168.0.1]/hook",
        "http://hooks.example.com/hook",
        "https://user:password@hooks.example.com/hook",
    ] {
        let refused = put(json!({ "url": url, "secret": SECRET })).await;
        let refused = refused.refused(422, "invalid_format");
        assert_eq!(refused["errors"][0]["pointer"], "/webhook/url", "{url}");
    }
    let refused = put(json!({ "url": "https://hooks.example.com/a" })).await;
    let refused = refused.refused(422, "required");
    assert_eq!(refused["errors"][0]["pointer"], "/webhook/secret");
    put(json!({ "url": "https://hooks.example.com/a", "secret": SECRET }))
        .await
        .ok();
    let moved = put(json!({ "url": "https://hooks.example.com/b" }))
        .await
        .ok();
    assert_eq!(moved["webhook"]["hasSecret"], true);
}
