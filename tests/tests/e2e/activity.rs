//! Events: what they say, how they are found, and that nobody can rewrite them unnoticed.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use cierre_tests::{Company, eventually, service};
use reqwest::Method;
use serde_json::{Value, json};

/// A company with a customer and services that were sent; answers the services' ids.
async fn busy() -> (Company, Vec<String>) {
    let company = Company::new().await;
    company.customers(1).await;
    let services = company
        .services(&[service(5, 1, 150_000), service(6, 1, 230_050)])
        .await;
    company.send(&services).await;
    (company, services)
}

fn words<'a>(events: &'a [Value], member: &str) -> Vec<&'a str> {
    events
        .iter()
        .map(|event| event[member].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_command_is_recorded_with_who_when_and_where() {
    let (company, services) = busy().await;
    let billing = company.billing().await;
    let path = format!(
        "/activity?resource_type=service&resource_id={}",
        services[0]
    );
    let events = billing.list(&path).await;
    assert_eq!(
        words(&events, "action"),
        ["service_created", "service_sent_to_billing"]
    );
    assert_eq!(words(&events, "event_type"), ["create", "process"]);
    let created = &events[0];
    assert_eq!(created["company_id"], company.id);
    assert_eq!(created["user"], company.username("billing"));
    assert_eq!(
        created["user_id"],
        billing.get("/profile").await.ok()["sub"]
    );
    assert!(!created["ip"].as_str().unwrap().is_empty());
    assert_eq!(
        created["details"],
        json!({ "serviceDate": "2024-01-05", "customerId": 1, "amount": "1500.00" })
    );
    assert_eq!(
        (&created["sequence"], &created["prev_hash"]),
        (&json!(1), &json!(""))
    );
    assert_eq!(events[1]["prev_hash"], created["hash"]);
}

#[tokio::test]
async fn a_correlation_id_shows_a_commands_whole_way() {
    let (company, services) = busy().await;
    let billing = company.billing().await;
    let pendings = billing.list("/billing-pendings").await;
    let id = format!("story-{}", company.id);
    let cancel = billing.send(
        Method::DELETE,
        &format!("/billing-pendings/{}", pendings[0]["id"].as_str().unwrap()),
    );
    let reply = cancel.header("x-correlation-id", &id).now().await;
    assert_eq!(reply.header("x-correlation-id"), id);
    reply.expect(200);
    let events = eventually("the events under the id", async || {
        let events = billing
            .list(&format!("/activity?correlation_id={id}"))
            .await;
        (events.len() == 2).then_some(events)
    })
    .await;
    let mut actions = words(&events, "action");
    actions.sort_unstable();
    assert_eq!(actions, ["pending_cancelled", "service_reopened"]);
    let reopened: Vec<&Value> = events
        .iter()
        .filter(|event| event["resource_type"] == "service")
        .collect();
    assert!(
        services
            .iter()
            .any(|service| reopened[0]["resource_id"] == **service)
    );
}

#[tokio::test]
async fn users_and_the_company_are_listed_newest_first_and_filters_combine() {
    let (company, services) = busy().await;
    let admin = company.admin().await;
    // Two settings by the administrator, a customer, two services created and sent with their pendings by billing.
    let all = eventually("all events", async || {
        let events = admin.list("/activity").await;
        (events.len() == 9).then_some(events)
    })
    .await;
    let times = words(&all, "timestamp");
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    for limit in [1, 2, 4] {
        assert_eq!(
            admin.list_by("/activity", limit).await,
            all,
            "pages of {limit}"
        );
    }
    let of = async |filter: &str| admin.list_by(&format!("/activity?{filter}"), 3).await;
    let by_admin = format!("user={}", company.username("admin"));
    let by_billing = format!("user={}", company.username("billing"));
    assert_eq!(
        words(&of(&by_admin).await, "action"),
        ["settings_updated"; 2]
    );
    assert_eq!(of(&by_billing).await.len(), 7);
    assert_eq!(of("event_type=update").await.len(), 2);
    assert_eq!(of("event_type=view").await, Vec::<Value>::new());
    assert_eq!(
        of(&format!("{by_billing}&event_type=process")).await.len(),
        2
    );
    let resource = format!("resource_type=service&resource_id={}", services[1]);
    assert_eq!(
        words(
            &of(&format!("{resource}&event_type=process")).await,
            "action"
        ),
        ["service_sent_to_billing"]
    );
    assert_eq!(
        of(&format!("{resource}&{by_admin}")).await,
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn counts_follow_the_events() {
    let (company, _) = busy().await;
    let admin = company.admin().await;
    let counts = eventually("nine events are counted", async || {
        let counts = admin.get("/activity/counts").await.ok();
        (counts["total"] == 9).then_some(counts)
    })
    .await;
    let mut by_type: BTreeMap<String, u64> = BTreeMap::new();
    for event in admin.list("/activity").await {
        *by_type
            .entry(event["event_type"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    let counted = counts["counts"].as_object().unwrap();
    assert_eq!(counted.len(), 10, "every type is there");
    for (kind, count) in counted {
        assert_eq!(
            count.as_u64().unwrap(),
            by_type.get(kind).copied().unwrap_or_default(),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn whole_chains_verify() {
    let (company, services) = busy().await;
    for service in &services {
        assert_eq!(company.verify_chain("service", service).await, 2);
    }
    for pending in company.billing().await.list("/billing-pendings").await {
        let id = pending["id"].as_str().unwrap();
        assert_eq!(company.verify_chain("billing_pending", id).await, 1);
        // A cancelled pending moves to an item of its own and takes its chain along.
        company
            .billing()
            .await
            .delete(&format!("/billing-pendings/{id}"))
            .await
            .expect(200);
        assert_eq!(company.verify_chain("billing_pending", id).await, 2);
    }
    for service in &services {
        assert_eq!(company.verify_chain("service", service).await, 3);
    }
    assert_eq!(company.verify_chain("customer", "1").await, 1);
    assert_eq!(
        company.verify_chain("company_settings", &company.id).await,
        1
    );
    assert_eq!(
        company
            .verify_chain("company_settings", &format!("{}/billing", company.id))
            .await,
        1
    );
}

#[tokio::test]
async fn a_deleted_service_keeps_its_events() {
    let company = Company::new().await;
    company.customers(1).await;
    let services = company.services(&[service(5, 1, 150_000)]).await;
    let billing = company.billing().await;
    billing
        .delete(&format!("/services/{}", services[0]))
        .await
        .expect(204);
    billing
        .get(&format!("/services/{}", services[0]))
        .await
        .refused(404, "not_found");
    assert_eq!(company.verify_chain("service", &services[0]).await, 2);
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_verified() {
    let company = Company::bare().await;
    let admin = company.admin().await;
    for resource in [
        "resource_type=service&resource_id=svc_01JD0000000000000000000001",
        "resource_type=service&resource_id=nonsense",
        "resource_type=billing_pending&resource_id=pen_01JD0000000000000000000001",
        "resource_type=billing_batch&resource_id=bat_01JD0000000000000000000001",
        "resource_type=receipt_book&resource_id=A-0001",
        "resource_type=customer&resource_id=1",
        "resource_type=spaceship&resource_id=1",
    ] {
        admin
            .get(&format!("/activity/verify?{resource}"))
            .await
            .refused(404, "not_found");
    }
    let nothing = admin.get("/activity/verify").await;
    nothing.invalid(&[("/resource_type", "required"), ("/resource_id", "required")]);
}

/// Somebody with the keys to the database.
struct Intruder<'a> {
    company: &'a Company,
    partition: String,
}

impl Intruder<'_> {
    fn key(&self, sequence: u64) -> [(String, AttributeValue); 2] {
        let text = |text: String| AttributeValue::S(text);
        [
            ("pk".to_owned(), text(self.partition.clone())),
            ("sk".to_owned(), text(format!("{sequence:010}"))),
        ]
    }

    async fn read(&self, sequence: u64) -> std::collections::HashMap<String, AttributeValue> {
        let get = self
            .company
            .stack
            .dynamodb()
            .get_item()
            .table_name(self.company.stack.output("ACTIVITY_TABLE"));
        get.set_key(Some(self.key(sequence).into()))
            .send()
            .await
            .unwrap()
            .item
            .unwrap()
    }

    async fn write(
        &self,
        sequence: u64,
        mut item: std::collections::HashMap<String, AttributeValue>,
        from: &str,
        to: &str,
    ) {
        let text = item["event"].as_s().unwrap().replace(from, to);
        assert_ne!(
            &text,
            item["event"].as_s().unwrap(),
            "the event does not say {from}"
        );
        item.insert("event".to_owned(), AttributeValue::S(text));
        item.extend(self.key(sequence));
        let put = self
            .company
            .stack
            .dynamodb()
            .put_item()
            .table_name(self.company.stack.output("ACTIVITY_TABLE"));
        put.set_item(Some(item)).send().await.unwrap();
    }

    async fn delete(&self, sequence: u64) {
        let delete = self
            .company
            .stack
            .dynamodb()
            .delete_item()
            .table_name(self.company.stack.output("ACTIVITY_TABLE"));
        delete
            .set_key(Some(self.key(sequence).into()))
            .send()
            .await
            .unwrap();
    }
}

/// A service with three events, and an intruder at its chain.
async fn verdict(tamper: impl AsyncFn(&Intruder<'_>)) -> Value {
    let (company, services) = busy().await;
    let pendings = company.billing().await.list("/billing-pendings").await;
    let pending = pendings
        .iter()
        .find(|pending| pending["serviceId"] == *services[0])
        .unwrap();
    let cancel = format!("/billing-pendings/{}", pending["id"].as_str().unwrap());
    company.billing().await.delete(&cancel).await.expect(200);
    let intruder = Intruder {
        partition: format!("{}#service#{}", company.id, services[0]),
        company: &company,
    };
    tamper(&intruder).await;
    let path = format!(
        "/activity/verify?resource_type=service&resource_id={}",
        services[0]
    );
    let verdict = company.admin().await.get(&path).await.expect(200);
    assert_eq!(verdict["valid"], false, "{verdict}");
    assert_eq!(verdict["head"]["length"], 3);
    verdict["firstBroken"].clone()
}

#[tokio::test]
async fn an_altered_event_is_found() {
    let broken = verdict(async |intruder| {
        let event = intruder.read(2).await;
        intruder
            .write(
                2,
                event,
                "service_sent_to_billing",
                "service_sent_elsewhere",
            )
            .await;
    })
    .await;
    assert_eq!(
        (&broken["sequence"], &broken["reason"]),
        (&json!(2), &json!("hash"))
    );
    assert!(broken["id"].as_str().unwrap().starts_with("evt_"));
}

#[tokio::test]
async fn a_missing_event_is_found() {
    let broken = verdict(async |intruder| intruder.delete(2).await).await;
    assert_eq!(
        (&broken["sequence"], &broken["reason"]),
        (&json!(2), &json!("sequence"))
    );
}

#[tokio::test]
async fn a_cut_off_tail_is_found() {
    let broken = verdict(async |intruder| intruder.delete(3).await).await;
    assert_eq!(
        (&broken["sequence"], &broken["reason"], &broken["id"]),
        (&json!(3), &json!("missing_tail"), &json!(null))
    );
}

#[tokio::test]
async fn a_chain_that_was_wiped_is_found() {
    let broken = verdict(async |intruder| {
        for sequence in 1..=3 {
            intruder.delete(sequence).await;
        }
    })
    .await;
    assert_eq!(
        (&broken["sequence"], &broken["reason"]),
        (&json!(1), &json!("missing_tail"))
    );
}

#[tokio::test]
async fn a_chain_verifies_while_it_grows() {
    let company = Company::new().await;
    company.customers(1).await;
    let billing = company.billing().await;
    let writes = async {
        for n in 0..12 {
            billing
                .patch("/customers/1", json!({ "name": format!("Name {n}") }))
                .await
                .expect(200);
        }
    };
    let reads = async {
        for _ in 0..12 {
            company.verify_chain("customer", "1").await;
        }
    };
    futures::join!(writes, reads);
    assert_eq!(company.verify_chain("customer", "1").await, 13);
}

#[tokio::test]
async fn wrong_filters_are_refused() {
    let company = Company::bare().await;
    let admin = company.admin().await;
    admin
        .get("/activity?resource_type=service")
        .await
        .invalid(&[("/resource_id", "required")]);
    admin
        .get("/activity?event_type=look")
        .await
        .invalid(&[("/event_type", "out_of_range")]);
    admin
        .get("/activity?limit=0")
        .await
        .invalid(&[("/limit", "out_of_range")]);
    admin
        .get("/activity?limit=101&kind=x")
        .await
        .invalid(&[("/limit", "out_of_range"), ("/kind", "unknown_field")]);
    admin
        .get("/activity?cursor=nonsense")
        .await
        .refused(400, "bad_cursor");
}
