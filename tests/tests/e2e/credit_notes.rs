//! Credit notes: their numbers, their invoices, and who sees what.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use cierre_tests::{Client, Company, batch_of, eventually, service};
use futures::future::join_all;
use serde_json::{Value, json};

/// A company with three invoices of 100.00 in book A-0001, in the order of their numbers.
async fn three_invoices() -> (Company, Client, Vec<Value>) {
    let company = Company::new().await;
    company.customers(1).await;
    let billing = company.billing().await;
    let services = [5, 6, 7].map(|day| service(day, 1, 10_000));
    let pendings = company.pendings(&services).await;
    let batch = billing.run_batch(batch_of("A-0001", &pendings)).await;
    let path = format!("/invoices/by-batch/{}", batch["id"].as_str().unwrap());
    let invoices = billing.list(&path).await;
    assert_eq!(invoices.len(), 3);
    (company, billing, invoices)
}

fn path_of(document: &Value, rest: &str) -> String {
    format!("/invoices/{}{rest}", document["id"].as_str().unwrap())
}

async fn credit(client: &Client, invoice: &Value, amount: &str) -> Value {
    let body = json!({ "reason": "Servicio no prestado", "amount": amount });
    client
        .post(&path_of(invoice, "/credit-note"), body)
        .await
        .expect(201)
}

#[tokio::test]
async fn an_invoice_is_credited_to_the_cent() {
    let (company, billing, invoices) = three_invoices().await;
    let invoice = &invoices[0];
    let splits = [
        ("33.33", "27.55", "5.78", "PARTIALLY_CREDITED", "66.67"),
        ("33.33", "27.54", "5.79", "PARTIALLY_CREDITED", "33.34"),
        ("33.34", "27.55", "5.79", "CREDITED", "0.00"),
    ];
    for (n, (amount, net, iva, status, open)) in splits.into_iter().enumerate() {
        let note = credit(&billing, invoice, amount).await;
        let number = format!("A-0001-NC-{:08}", n + 1);
        assert_eq!(
            (
                &note["documentType"],
                &note["invoiceNumber"],
                &note["receiptBook"]
            ),
            (&json!("CREDIT_NOTE"), &json!(number), &json!("A-0001"))
        );
        assert_eq!(
            (&note["netAmount"], &note["ivaAmount"], &note["status"]),
            (&json!(net), &json!(iva), &json!("ISSUED"))
        );
        assert_eq!(note["cae"], format!("400001{:08}", n + 1));
        assert_eq!(note["originInvoiceId"], invoice["id"]);
        assert_eq!(note["originInvoiceNumber"], invoice["invoiceNumber"]);
        for of_origin in [
            "serviceDate",
            "serviceId",
            "pendingId",
            "batchId",
            "customer",
            "issuer",
        ] {
            assert_eq!(note[of_origin], invoice[of_origin], "{of_origin}");
        }
        let now = billing.get(&path_of(invoice, "")).await.ok();
        assert_eq!(
            (&now["status"], &now["openAmount"]),
            (&json!(status), &json!(open))
        );
        let by_number = billing
            .get(&format!("/invoices/number/{number}"))
            .await
            .ok();
        assert_eq!(by_number, note);
        assert_eq!(billing.get(&path_of(&note, "")).await.ok(), note);
        company
            .verify_chain("credit_note", note["id"].as_str().unwrap())
            .await;
    }
    let again = json!({ "reason": "Otra vez" });
    billing
        .post(&path_of(invoice, "/credit-note"), again)
        .await
        .refused(409, "invoice_credited");
    let service = invoice["serviceId"].as_str().unwrap();
    let service = billing.get(&format!("/services/{service}")).await.ok();
    assert_eq!(service["status"], "INVOICED");
    company
        .verify_chain("invoice", invoice["id"].as_str().unwrap())
        .await;
    company.audit().await;
}

#[tokio::test]
async fn what_cannot_be_credited_is_refused() {
    let (_company, billing, invoices) = three_invoices().await;
    let path = path_of(&invoices[0], "/credit-note");
    let reason = "Servicio no prestado";
    billing
        .post(&path, json!({ "reason": reason, "amount": "100.01" }))
        .await
        .invalid(&[("/amount", "amount_above_open")]);
    billing
        .post(
            &path,
            json!({ "reason": "no", "amount": "0.00", "colour": 1 }),
        )
        .await
        .invalid(&[
            ("/amount", "out_of_range"),
            ("/colour", "unknown_field"),
            ("/reason", "out_of_range"),
        ]);
    billing
        .post(&path, json!({ "amount": "1.005" }))
        .await
        .invalid(&[("/amount", "invalid_amount"), ("/reason", "required")]);
    let note = credit(&billing, &invoices[0], "1.00").await;
    billing
        .post(&path_of(&note, "/credit-note"), json!({ "reason": reason }))
        .await
        .refused(409, "not_creditable");
    for unknown in [
        "inv_01JD0000000000000000000001",
        "crn_01JD0000000000000000000001",
        "x",
    ] {
        billing
            .post(
                &format!("/invoices/{unknown}/credit-note"),
                json!({ "reason": reason }),
            )
            .await
            .refused(404, "not_found");
    }
    let next = billing
        .get("/billing-batches/next-invoice-number/A-0001-NC")
        .await
        .ok();
    assert_eq!(next["nextInvoiceNumber"], "A-0001-NC-00000002");
}

#[tokio::test]
async fn a_repeat_under_the_same_key_issues_nothing_more() {
    let (_company, billing, invoices) = three_invoices().await;
    let path = path_of(&invoices[0], "/credit-note");
    let body = json!({ "reason": "Servicio no prestado", "amount": "10.00" });
    let repeats = (0..8).map(|_| billing.post_as("one-key", &path, body.clone()));
    let answers = join_all(repeats).await;
    let ids: BTreeSet<String> = answers
        .into_iter()
        .map(|answer| answer.expect(201)["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "one key, one note");
    let replayed = billing.post_as("one-key", &path, body.clone()).await;
    assert_eq!(replayed.header("idempotency-replayed"), "true");
    assert_eq!(replayed.expect(201)["caeStatus"], "GRANTED");
    let other = json!({ "reason": "Servicio no prestado", "amount": "11.00" });
    billing
        .post_as("one-key", &path, other)
        .await
        .refused(422, "idempotency_key_reused");
    let notes = billing.list(&path_of(&invoices[0], "/credit-notes")).await;
    assert_eq!(notes.len(), 1);
}

#[tokio::test]
async fn simultaneous_credits_leave_no_gap_and_credit_no_cent_twice() {
    let (company, billing, invoices) = three_invoices().await;
    // Each invoice is asked for fifteen times 10.00, of which ten fit.
    let requests = (0..45).map(|n| {
        let path = path_of(&invoices[n % 3], "/credit-note");
        let billing = billing.clone();
        async move {
            let body = json!({ "reason": "Servicio no prestado", "amount": "10.00" });
            loop {
                let reply = billing.post(&path, body.clone()).await;
                // Many commands at one counter: the loser is told, and asks again.
                if reply.body["code"] != "concurrent_change" {
                    return reply.status;
                }
            }
        }
    });
    let statuses = join_all(requests).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 30);
    for invoice in &invoices {
        let now = billing.get(&path_of(invoice, "")).await.ok();
        assert_eq!(now["status"], "CREDITED");
        let notes = billing.list_by(&path_of(invoice, "/credit-notes"), 4).await;
        assert_eq!(notes.len(), 10);
    }
    let proof = billing.get("/receipt-books/A-0001-NC/verify").await.ok();
    assert_eq!(
        (&proof["valid"], &proof["count"], &proof["totalAmount"]),
        (&json!(true), &json!(30), &json!("300.00")),
        "{proof}"
    );
    assert_eq!((&proof["first"], &proof["last"]), (&json!(1), &json!(30)));
    company.audit().await;
}

#[tokio::test]
async fn lists_and_figures_show_credit_notes_where_they_are_asked_for() {
    let (_company, billing, invoices) = three_invoices().await;
    let note = credit(&billing, &invoices[1], "40.00").await;
    let full = path_of(&invoices[2], "/credit-note");
    billing
        .post(&full, json!({ "reason": "Todo" }))
        .await
        .expect(201);
    let numbers = async |query: &str| -> Vec<String> {
        let list = billing.list_by(&format!("/invoices{query}"), 2).await;
        let number = |document: &Value| document["invoiceNumber"].as_str().unwrap().to_owned();
        list.iter().map(number).collect()
    };
    let (n1, n2) = ("A-0001-NC-00000001", "A-0001-NC-00000002");
    eventually("both notes are listed", || async {
        (numbers("?documentType=CREDIT_NOTE").await == [n2, n1]).then_some(())
    })
    .await;
    let of_invoices = ["A-0001-00000003", "A-0001-00000002", "A-0001-00000001"];
    assert_eq!(numbers("?").await, of_invoices);
    // Credit notes are younger than the invoices of January 2024.
    let all = [&[n2, n1][..], &of_invoices[..]].concat();
    assert_eq!(numbers("?documentType=ALL").await, all);
    assert_eq!(numbers("/by-customer/1?documentType=ALL").await, all);
    assert_eq!(
        numbers("?documentType=CREDIT_NOTE&amountMin=50.00").await,
        [n2]
    );
    let batch = invoices[0]["batchId"].as_str().unwrap();
    assert_eq!(
        numbers(&format!("?documentType=ALL&batchId={batch}")).await,
        all
    );
    assert_eq!(numbers("?status=CREDITED").await, ["A-0001-00000003"]);
    let day = note["issueDate"].as_str().unwrap();
    assert_eq!(
        numbers(&format!("?documentType=ALL&issueDateFrom={day}")).await,
        [n2, n1]
    );
    eventually("the statistics count them", || async {
        let totals = billing.get("/invoices/statistics").await.ok()["totals"].clone();
        let shown = (
            &totals["invoices"],
            &totals["creditNotes"],
            &totals["creditedAmount"],
        );
        (shown == (&json!(3), &json!(2), &json!("140.00"))).then_some(())
    })
    .await;
    let books = billing.list("/billing-batches/receipt-books").await;
    assert_eq!(
        books[0]["creditNotes"],
        json!({ "lastNumber": 2, "lastIssueDate": day })
    );
}

#[tokio::test]
async fn before_its_batch_is_materialised_an_invoice_is_not_credited() {
    let (company, billing, invoices) = three_invoices().await;
    let batch = invoices[0]["batchId"].as_str().unwrap();
    let table = company.stack.output("BILLING_TABLE");
    // As the batch stands between its commit and the end of stage 4.
    let mark = async |done: bool| {
        company
            .stack
            .dynamodb()
            .update_item()
            .table_name(&table)
            .key(
                "pk",
                AttributeValue::S(format!("{}#batch#{batch}", company.id)),
            )
            .key("sk", AttributeValue::S("batch".to_owned()))
            .update_expression("SET #m = :done")
            .expression_attribute_names("#m", "materialized")
            .expression_attribute_values(":done", AttributeValue::Bool(done))
            .send()
            .await
            .unwrap();
    };
    mark(false).await;
    let body = json!({ "reason": "Servicio no prestado" });
    let path = path_of(&invoices[0], "/credit-note");
    billing
        .post(&path, body.clone())
        .await
        .refused(409, "batch_materializing");
    mark(true).await;
    billing.post(&path, body).await.expect(201);
}

#[tokio::test]
async fn a_note_whose_authority_did_not_answer_is_asked_for_again() {
    let (company, billing, invoices) = three_invoices().await;
    let note = credit(&billing, &invoices[0], "40.00").await;
    let table = company.stack.output("BILLING_TABLE");
    let key = |part: &str, value: String| (part.to_owned(), AttributeValue::S(value));
    let item = [
        key("pk", format!("{}#note#A-00001", company.id)),
        key("sk", "00000001".to_owned()),
    ];
    // As a crash between the commit and the authority's answer leaves it.
    company
        .stack
        .dynamodb()
        .update_item()
        .table_name(&table)
        .set_key(Some(item.into()))
        .update_expression(
            "REMOVE #g, customerPk SET listPk = :jobs, listSort = :when, version = :one",
        )
        .expression_attribute_names("#g", "grant")
        .expression_attribute_values(":jobs", AttributeValue::S("~jobs".to_owned()))
        .expression_attribute_values(":when", AttributeValue::S("0000000000001".to_owned()))
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .send()
        .await
        .unwrap();
    let waiting = billing.get(&path_of(&note, "")).await.ok();
    assert_eq!(
        (&waiting["caeStatus"], &waiting["cae"], &waiting["qrUrl"]),
        (&json!("PENDING"), &Value::Null, &Value::Null)
    );
    let proof = billing.get("/receipt-books/A-0001-NC/verify").await.ok();
    assert_eq!(
        (&proof["valid"], &proof["withoutCae"]),
        (&json!(true), &json!(1))
    );
    let later = company
        .stack
        .clock_after(std::time::Duration::from_secs(360));
    company
        .stack
        .invoke("sweep-billing-jobs", &company.stack.schedule_event(&later))
        .await;
    let settled = billing.get(&path_of(&note, "")).await.ok();
    assert_eq!(
        (&settled["caeStatus"], &settled["cae"]),
        (&json!("GRANTED"), &note["cae"])
    );
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking_up() {
    let (company, billing, invoices) = three_invoices().await;
    let mut settings = Company::billing_settings("RESPONSABLE_INSCRIPTO");
    settings["simulation"]["caeLostAnswerRate"] = json!(100);
    company
        .admin()
        .await
        .put("/company/settings/billing", settings)
        .await
        .ok();
    let note = credit(&billing, &invoices[0], "40.00").await;
    assert_eq!(
        (&note["caeStatus"], &note["cae"]),
        (&json!("GRANTED"), &json!("40000100000001"))
    );
}

#[tokio::test]
async fn another_company_sees_no_credit_note() {
    let (company, billing, invoices) = three_invoices().await;
    let note = credit(&billing, &invoices[0], "40.00").await;
    let other = Company::on(company.stack.clone());
    other.set_up().await;
    let stranger = other.admin().await;
    for path in [
        path_of(&note, ""),
        path_of(&invoices[0], "/credit-notes"),
        path_of(&note, "/credit-notes"),
        "/invoices/number/A-0001-NC-00000001".to_owned(),
        "/receipt-books/A-0001-NC/verify".to_owned(),
    ] {
        stranger.get(&path).await.refused(404, "not_found");
    }
    for document in [&invoices[0], &note] {
        stranger
            .post(
                &path_of(document, "/credit-note"),
                json!({ "reason": "Mine" }),
            )
            .await
            .refused(404, "not_found");
    }
}
