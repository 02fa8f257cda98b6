//! Summary, statistics and job figures follow what happens, and count nothing twice.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use cierre_tests::{Company, batch_of, eventually, service};
use serde_json::{Map, Value, json};

/// Asks the path until the answer shows what is expected under a member.
async fn follows(company: &Company, path: &str, member: &str, expected: &Value) {
    let billing = company.billing().await;
    let last = std::cell::RefCell::new(Value::Null);
    let shown = async || {
        let answer = billing.get(path).await.ok();
        let shown = answer.pointer(member).cloned().unwrap_or_default();
        let same = shown == *expected;
        *last.borrow_mut() = shown;
        same.then_some(())
    };
    eventually(&format!("{path} shows {expected}"), shown).await;
}

const SUMMARY: &str = "/billing-pendings/summary";

#[tokio::test]
async fn the_summary_follows_pendings_through_their_life() {
    let company = Company::new().await;
    company.customers(2).await;
    let billing = company.billing().await;
    let totals = |customers: u32, count: u32, amount: &str| json!({ "customers": customers, "count": count, "amount": amount });
    follows(&company, SUMMARY, "/totals", &totals(0, 0, "0.00")).await;
    let sent = [
        service(5, 1, 150_000),
        service(6, 1, 50_050),
        service(7, 2, 1),
    ];
    let pendings = company.pendings(&sent).await;
    follows(&company, SUMMARY, "/totals", &totals(2, 3, "2000.51")).await;
    let rows = json!([
        { "customerId": 1, "name": "Customer 1", "count": 2, "amount": "2000.50" },
        { "customerId": 2, "name": "Customer 2", "count": 1, "amount": "0.01" },
    ]);
    follows(&company, SUMMARY, "/byCustomer/items", &rows).await;
    // A customer's last pending takes the customer out of the count and out of the list.
    billing
        .delete(&format!("/billing-pendings/{}", pendings[2]))
        .await
        .expect(200);
    follows(&company, SUMMARY, "/totals", &totals(1, 2, "2000.50")).await;
    follows(&company, SUMMARY, "/byCustomer/items", &json!([rows[0]])).await;
    // What is invoiced does not wait any more.
    let batch = billing.run_batch(batch_of("A-0001", &pendings[..1])).await;
    assert_eq!(batch["invoiceCount"], 1);
    follows(&company, SUMMARY, "/totals", &totals(1, 1, "500.50")).await;
}

#[tokio::test]
async fn statistics_add_up_in_every_grouping() {
    let company = Company::new().await;
    company.customers(2).await;
    let billing = company.billing().await;
    let pendings = company
        .pendings(&[
            service(5, 1, 150_000),
            service(6, 2, 230_050),
            service(7, 2, 85_000),
        ])
        .await;
    billing.run_batch(batch_of("A-0001", &pendings[..2])).await;
    billing.run_batch(batch_of("A-0002", &pendings[2..])).await;
    let row = |key: &str, invoices: u32, amount: &str, net: &str, iva: &str| json!({ "key": key, "invoices": invoices, "amount": amount, "net": net, "iva": iva, "creditNotes": 0, "creditedAmount": "0.00" });
    let mut total = row("total", 3, "4650.50", "3843.39", "807.11");
    total["average"] = json!("1550.17");
    let path = "/invoices/statistics";
    follows(&company, path, "/totals", &total).await;
    let one = row("1", 1, "1500.00", "1239.67", "260.33");
    let two = row("2", 2, "3150.50", "2603.72", "546.78");
    follows(&company, path, "/byCustomer/items", &json!([one, two])).await;
    let first = row("A-0001", 2, "3800.50", "3140.91", "659.59");
    let second = row("A-0002", 1, "850.00", "702.48", "147.52");
    follows(&company, path, "/byBook/items", &json!([first, second])).await;
    let month = row("2024-01", 3, "4650.50", "3843.39", "807.11");
    follows(&company, path, "/byMonth/items", &json!([month])).await;
}

#[tokio::test]
async fn a_retried_job_stays_failed_and_the_new_one_counts_besides() {
    let company = Company::new().await;
    company.customers(1).await;
    let billing = company.billing().await;
    let unknown = ["pen_01JD0000000000000000000001".to_owned()];
    let batch = billing.run_batch(batch_of("A-0001", &unknown)).await;
    assert_eq!(batch["errorCode"], "nothing_to_invoice");
    let stats = |failed: u32| {
        json!({
            "waiting": 0, "active": 0, "delayed": 0, "completed": 0, "failed": failed, "last24h": { "completed": 0, "failed": failed },
        })
    };
    let path = "/billing-batches/queue/stats";
    follows(&company, path, "", &stats(1)).await;
    let id = batch["id"].as_str().unwrap();
    billing
        .post(&format!("/billing-batches/{id}/retry"), json!({}))
        .await
        .expect(202);
    assert_eq!(billing.batch_end(id).await["status"], "ERROR");
    follows(&company, path, "", &stats(2)).await;
}

/// An attribute as a stream shows it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind that is not converted fails the test"
)]
fn streamed(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(value) => json!({ "BOOL": value }),
        AttributeValue::M(map) => json!({ "M": streamed_item(map) }),
        other => panic!("no item of these tests has {other:?}"),
    }
}

fn streamed_item(item: &HashMap<String, AttributeValue>) -> Value {
    Value::Object(
        item.iter()
            .map(|(name, value)| (name.clone(), streamed(value)))
            .collect::<Map<_, _>>(),
    )
}

/// The stream's record of a new item.
fn inserted(item: &HashMap<String, AttributeValue>, sequence: &str) -> Value {
    let keys = json!({ "pk": streamed(&item["pk"]), "sk": streamed(&item["sk"]) });
    let change = json!({
        "Keys": keys,
        "NewImage": streamed_item(item),
        "SequenceNumber": sequence,
        "SizeBytes": 1000,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    });
    json!({ "Records": [{ "eventID": "again", "eventName": "INSERT", "awsRegion": "us-east-1", "dynamodb": change }] })
}

async fn item(
    company: &Company,
    table: &str,
    pk: &str,
    sk: &str,
) -> HashMap<String, AttributeValue> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let get = company
        .stack
        .dynamodb()
        .get_item()
        .table_name(company.stack.output(table));
    let get = get
        .key("pk", text(pk))
        .key("sk", text(sk))
        .consistent_read(true);
    get.send().await.unwrap().item.unwrap()
}

#[tokio::test]
async fn a_change_that_comes_again_is_not_counted_again() {
    let company = Company::new().await;
    company.customers(1).await;
    let services = company.services(&[service(5, 1, 150_000)]).await;
    company.send(&services).await;
    let count = |count: u32| json!(count);
    follows(&company, SUMMARY, "/totals/count", &count(1)).await;
    let ulid = services[0].strip_prefix("svc_").unwrap();
    let shard = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
        .find(ulid.chars().last().unwrap())
        .unwrap()
        % 8;
    let sent = item(
        &company,
        "BILLING_TABLE",
        &format!("{}#svc#{shard}", company.id),
        ulid,
    )
    .await;
    for _ in 0..3 {
        company
            .stack
            .invoke("count-billing", &inserted(&sent, "1"))
            .await;
    }
    let summary = company.billing().await.get(SUMMARY).await.ok();
    assert_eq!(
        summary["totals"]["count"], 1,
        "an old record counts nothing"
    );
    // The same record with a number that was not seen yet does count: the three before were skipped for their number and nothing else.
    company
        .stack
        .invoke("count-billing", &inserted(&sent, &"9".repeat(40)))
        .await;
    let summary = company.billing().await.get(SUMMARY).await.ok();
    assert_eq!(summary["totals"]["count"], 2);
}

#[tokio::test]
async fn an_event_that_comes_again_is_not_counted_again() {
    let company = Company::bare().await;
    let admin = company.admin().await;
    admin
        .put("/company/settings", company.settings())
        .await
        .expect(200);
    let total = async || {
        admin.get("/activity/counts").await.ok()["total"]
            .as_u64()
            .unwrap()
    };
    eventually("the event is counted", async || {
        (total().await == 1).then_some(())
    })
    .await;
    let partition = format!("{0}#company_settings#{0}", company.id);
    let mut event = item(&company, "ACTIVITY_TABLE", &partition, "0000000001").await;
    // Another shard may hold the later part of a chain, so the order of delivery says nothing: not even a higher number makes it new.
    for sequence in ["1", &"9".repeat(40)] {
        company
            .stack
            .invoke("count-activity", &inserted(&event, sequence))
            .await;
    }
    assert_eq!(total().await, 1);
    // An event further on counts at once, and the one between them when it comes.
    for (place, expected) in [("0000000003", 2), ("0000000002", 3), ("0000000003", 3)] {
        event.insert("sk".to_owned(), AttributeValue::S(place.to_owned()));
        company
            .stack
            .invoke("count-activity", &inserted(&event, "5"))
            .await;
        assert_eq!(total().await, expected, "{place}");
    }
}
