//! Services become pendings, pendings a batch, the batch invoices.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use cierre_tests::{Company, NewService, batch_of, eventually, service};
use futures::future::join_all;
use serde_json::{Value, json};

/// A company with three RI customers.
async fn company() -> Company {
    let company = Company::new().await;
    company.customers(3).await;
    company
}

/// So many services over three customers and a month.
fn services(count: u32) -> Vec<NewService> {
    (0..count)
        .map(|n| service(1 + n % 28, 1 + n % 3, 100 + i64::from(n) * 37))
        .collect()
}

#[tokio::test]
async fn three_services_become_three_numbered_invoices() {
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company
        .pendings(&[
            service(5, 1, 150_000),
            service(10, 1, 230_050),
            service(15, 1, 85_000),
        ])
        .await;
    let batch = billing.run_batch(batch_of("A-0001", &pendings)).await;
    assert_eq!(batch["status"], "PROCESSED", "{batch}");
    assert_eq!(
        (
            &batch["totalAmount"],
            &batch["firstNumber"],
            &batch["lastNumber"]
        ),
        (&json!("4650.50"), &json!(1), &json!(3))
    );
    let invoices = billing
        .list(&format!(
            "/invoices/by-batch/{}",
            batch["id"].as_str().unwrap()
        ))
        .await;
    let shown: Vec<(&str, &str, &str, &str)> = invoices
        .iter()
        .map(|i| {
            (
                i["invoiceNumber"].as_str().unwrap(),
                i["amount"].as_str().unwrap(),
                i["netAmount"].as_str().unwrap(),
                i["cae"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("A-0001-00000001", "1500.00", "1239.67", "10000100000001"),
            ("A-0001-00000002", "2300.50", "1901.24", "10000100000002"),
            ("A-0001-00000003", "850.00", "702.48", "10000100000003"),
        ]
    );
    assert_eq!(invoices[0]["caeDueDate"], "2024-02-10");
    let by_number = billing
        .get("/invoices/number/A-0001-00000002")
        .await
        .expect(200);
    let by_id = billing
        .get(&format!(
            "/invoices/{}",
            invoices[1]["id"].as_str().unwrap()
        ))
        .await
        .expect(200);
    assert_eq!(by_number, by_id);
    assert_eq!(
        by_id["qrUrl"].as_str().unwrap().split("?p=").next(),
        Some("https://www.afip.gob.ar/fe/qr/")
    );
    company.audit().await;
}

#[tokio::test]
async fn a_selection_takes_what_is_available_and_lists_what_does_not_fit_the_letter() {
    let company = company().await;
    let billing = company.billing().await;
    let exempt = json!({ "customerId": 9, "name": "Exento", "taxId": "30-00000005-8", "ivaCondition": "EXENTO" });
    billing.post("/customers", exempt).await.expect(201);
    company
        .pendings(&[
            service(3, 9, 60_000),
            service(4, 1, 10_000),
            service(5, 2, 20_000),
        ])
        .await;
    let on_a = billing
        .run_batch(json!({ "issueDate": "2024-01-31", "receiptBook": "A-0001", "selection": {} }))
        .await;
    assert_eq!(
        (&on_a["invoiceCount"], &on_a["failedCount"]),
        (&json!(2), &json!(1)),
        "{on_a}"
    );
    assert_eq!(on_a["failedPendings"][0]["code"], "wrong_invoice_type");
    assert_eq!(
        on_a["failedPendings"][0]["reason"],
        "Customer 9 (EXENTO) cannot receive invoice type A"
    );
    let on_b = billing.run_batch(json!({ "issueDate": "2024-01-31", "receiptBook": "B-0001", "selection": { "customerIds": [9] } })).await;
    assert_eq!(
        (&on_b["invoiceCount"], &on_b["totalAmount"]),
        (&json!(1), &json!("600.00")),
        "{on_b}"
    );
    company.audit().await;
}

#[tokio::test]
async fn a_batch_that_tolerates_nothing_ends_in_error_and_holds_nothing() {
    let company = company().await;
    let billing = company.billing().await;
    let mut ids = company.pendings(&services(150)).await;
    ids.push("pen_01JD0000000000000000000001".to_owned());
    let mut body = batch_of("A-0001", &ids);
    body["onInvalid"] = json!("fail");
    let batch = billing.run_batch(body).await;
    assert_eq!(
        (&batch["status"], &batch["errorCode"]),
        (&json!("ERROR"), &json!("invalid_pendings")),
        "{batch}"
    );
    assert_eq!(batch["failedPendings"][0]["code"], "pending_not_found");
    assert_eq!(billing.list("/billing-pendings/available").await.len(), 150);
    company.audit().await;
}

#[tokio::test]
async fn a_batch_of_nothing_valid_says_so_and_a_retry_judges_afresh() {
    let company = company().await;
    let billing = company.billing().await;
    let body = json!({ "issueDate": "2024-01-31", "receiptBook": "A-0001", "selection": {} });
    let pendings = company.pendings(&[service(3, 1, 60_000)]).await;
    billing
        .patch("/customers/1", json!({ "ivaCondition": "EXENTO" }))
        .await
        .expect(200);
    let batch = billing.run_batch(body).await;
    assert_eq!(
        (&batch["status"], &batch["errorCode"]),
        (&json!("ERROR"), &json!("nothing_to_invoice")),
        "{batch}"
    );
    let id = batch["id"].as_str().unwrap();
    billing
        .patch(
            "/customers/1",
            json!({ "ivaCondition": "RESPONSABLE_INSCRIPTO" }),
        )
        .await
        .expect(200);
    // A pending that is younger than the batch is not part of the selection, in a retry neither.
    let late = company.pendings(&[service(4, 1, 70_000)]).await;
    let retried = billing
        .post(&format!("/billing-batches/{id}/retry"), json!({}))
        .await
        .expect(202);
    assert_eq!(retried["jobId"], format!("batch-{id}-retry-1"));
    let batch = billing.batch_end(id).await;
    assert_eq!(
        (&batch["status"], &batch["invoiceCount"]),
        (&json!("PROCESSED"), &json!(1)),
        "{batch}"
    );
    assert_eq!(
        billing
            .get(&format!("/billing-pendings/{}", pendings[0]))
            .await
            .ok()["status"],
        "INVOICED"
    );
    assert_eq!(
        billing
            .get(&format!("/billing-pendings/{}", late[0]))
            .await
            .ok()["status"],
        "PENDING"
    );
    billing
        .post(&format!("/billing-batches/{id}/retry"), json!({}))
        .await
        .refused(409, "batch_not_retryable");
    company.audit().await;
}

#[tokio::test]
async fn a_batch_at_once_is_materialised_when_it_answers() {
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company.pendings(&services(40)).await;
    let answer = billing
        .post_as(
            "once",
            "/billing-batches/sync",
            batch_of("A-0001", &pendings),
        )
        .await;
    let batch = answer.expect(201)["batch"].clone();
    assert_eq!(
        (
            &batch["status"],
            &batch["materialized"],
            &batch["invoiceCount"]
        ),
        (&json!("PROCESSED"), &json!(true), &json!(40))
    );
    let again = billing
        .post_as(
            "once",
            "/billing-batches/sync",
            batch_of("A-0001", &pendings),
        )
        .await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (201, "true")
    );
    assert_eq!(again.body["batch"]["id"], batch["id"]);
    let refused = billing
        .post("/billing-batches/sync", batch_of("A-0001", &pendings))
        .await
        .refused(409, "nothing_to_invoice");
    assert!(refused["batchId"].as_str().unwrap().starts_with("bat_"));
    company.audit().await;
}

#[tokio::test]
async fn the_same_key_makes_one_batch_and_another_body_is_refused() {
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company.pendings(&services(3)).await;
    let body = batch_of("A-0001", &pendings);
    let first = billing
        .post_as("k", "/billing-batches", body.clone())
        .await
        .expect(202);
    let second = billing.post_as("k", "/billing-batches", body.clone()).await;
    assert_eq!(
        (second.header("idempotency-replayed"), &second.body),
        ("true", &first)
    );
    billing
        .post_as("k", "/billing-batches", batch_of("A-0002", &pendings))
        .await
        .refused(422, "idempotency_key_reused");
    billing
        .batch_end(first["batch"]["id"].as_str().unwrap())
        .await;
    let audit = company.audit().await;
    assert_eq!(audit.batches.len(), 1);
}

#[tokio::test]
async fn dates_and_spellings_of_a_book_are_kept() {
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company.pendings(&services(4)).await;
    assert_eq!(
        billing.run_batch(batch_of("A-0001", &pendings[..2])).await["status"],
        "PROCESSED"
    );
    billing
        .post("/billing-batches", batch_of("A-00001", &pendings[2..]))
        .await
        .invalid(&[("/receiptBook", "receipt_book_alias")]);
    let mut early = batch_of("A-0001", &pendings[2..]);
    early["issueDate"] = json!("2024-01-30");
    billing
        .post("/billing-batches", early)
        .await
        .refused(409, "issue_date_before_last");
    let mut future = batch_of("A-0001", &pendings[2..]);
    future["issueDate"] = json!("2999-01-01");
    future["receiptBook"] = json!("C-0001");
    let refused = billing.post("/billing-batches", future).await;
    refused.invalid(&[
        ("/issueDate", "issue_date_in_future"),
        ("/receiptBook", "book_letter_not_allowed"),
    ]);
    let next = billing
        .get("/billing-batches/next-invoice-number/A-0001")
        .await
        .expect(200);
    assert_eq!(
        (&next["nextNumber"], &next["nextInvoiceNumber"]),
        (&json!(3), &json!("A-0001-00000003"))
    );
    let events = billing.list("/activity?event_type=error").await;
    assert!(
        events
            .iter()
            .any(|event| event["action"] == "validation_failed"),
        "{events:?}"
    );
    company.audit().await;
}

#[tokio::test]
async fn the_cuit_of_a_company_is_fixed_from_its_first_number_on() {
    let company = company().await;
    let admin = company.admin().await;
    let mut settings = company.settings();
    settings["tax_id"] = json!("33-69345023-9");
    admin.put("/company/settings", settings.clone()).await.ok();
    admin
        .put("/company/settings", company.settings())
        .await
        .ok();
    let pendings = company.pendings(&services(2)).await;
    company
        .billing()
        .await
        .run_batch(batch_of("A-0001", &pendings))
        .await;
    admin
        .put("/company/settings", settings)
        .await
        .refused(409, "fiscal_identity_locked");
    company.verify_chain("company_settings", &company.id).await;
}

#[tokio::test]
async fn a_company_without_fiscal_profile_cannot_invoice() {
    let company = Company::bare().await;
    let body = batch_of("A-0001", &["pen_00000000000000000000000001".to_owned()]);
    company
        .billing()
        .await
        .post("/billing-batches", body)
        .await
        .refused(409, "fiscal_profile_missing");
}

#[tokio::test]
async fn batches_of_one_book_run_in_the_order_accepted() {
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company.pendings(&services(300)).await;
    let mut ids = Vec::new();
    for some in pendings.chunks(60) {
        ids.push(billing.start_batch(batch_of("A-0001", some)).await);
    }
    let ends = join_all(ids.iter().map(|id| billing.batch_end(id))).await;
    let firsts: Vec<Value> = ends
        .iter()
        .map(|batch| batch["firstNumber"].clone())
        .collect();
    assert_eq!(
        firsts,
        [json!(1), json!(61), json!(121), json!(181), json!(241)]
    );
    company.audit().await;
}

#[tokio::test]
async fn twenty_batches_at_once_over_the_same_pendings_invoice_each_exactly_once() {
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company.pendings(&services(400)).await;
    // Every batch asks for half of all pendings; any two overlap.
    let requests = (0..20).map(|n| {
        let book = if n % 2 == 0 { "A-0001" } else { "A-0002" };
        let some: Vec<String> = (0..200)
            .map(|i| pendings[(n * 20 + i) % 400].clone())
            .collect();
        billing.start_batch(batch_of(book, &some))
    });
    let ids = join_all(requests).await;
    let ends = join_all(ids.iter().map(|id| billing.batch_end(id))).await;
    for batch in &ends {
        let nothing_left = batch["errorCode"] == "nothing_to_invoice";
        assert!(batch["status"] == "PROCESSED" || nothing_left, "{batch}");
    }
    let audit = company.audit().await;
    assert_eq!(audit.invoices.len(), 400);
}

#[tokio::test]
async fn every_message_twice_changes_nothing() {
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company.pendings(&services(700)).await;
    let id = billing.start_batch(batch_of("A-0001", &pendings)).await;
    let job = format!("batch-{id}");
    company.resend_job(&id, &job).await;
    let before = billing.batch_end(&id).await;
    for part in 0..3 {
        company.resend_part(&id, part).await;
    }
    company.resend_job(&id, &job).await;
    company.resend_job(&id, "batch-of-another-time").await;
    eventually("the queues are empty", || async {
        company.queues_are_empty().await.then_some(())
    })
    .await;
    let after = billing.batch_status(&id).await;
    assert_eq!(after["batch"], before);
    company.audit().await;
}

#[tokio::test]
async fn rubbish_goes_to_the_dead_letters_and_blocks_nothing() {
    let company = company().await;
    let billing = company.billing().await;
    company
        .send_to("BILLING_JOBS_QUEUE_URL", "this is no job")
        .await;
    company
        .send_to("BILLING_CHUNKS_QUEUE_URL", "{\"chunk\": []}")
        .await;
    let pendings = company.pendings(&services(5)).await;
    assert_eq!(
        billing.run_batch(batch_of("A-0001", &pendings)).await["status"],
        "PROCESSED"
    );
    eventually("both are parked", || async {
        (company.parked().await >= 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_was_invoiced_cannot_be_cancelled_or_changed() {
    let company = company().await;
    let billing = company.billing().await;
    let services = company.services(&[service(5, 1, 150_000)]).await;
    let pendings = company.send(&services).await;
    billing.run_batch(batch_of("A-0001", &pendings)).await;
    billing
        .delete(&format!("/billing-pendings/{}", pendings[0]))
        .await
        .refused(409, "pending_not_pending");
    billing
        .patch(
            &format!("/services/{}", services[0]),
            json!({ "amount": "1.00" }),
        )
        .await
        .refused(409, "service_locked");
    let answer = billing
        .post(
            "/services/send-to-billing",
            json!({ "serviceIds": services }),
        )
        .await
        .expect(200);
    assert_eq!(answer["failed"][0]["code"], "already_invoiced");
}
