//! ERP syncs: what is sent, who may settle it, and what happens when the ERP does not want it.

use cierre_kernel::canonical::{canonical_json, sha256_hex};
use cierre_tests::{Client, Company, Listening, SECRET, batch_of, eventually, service};
use futures::future::join_all;
use serde_json::{Value, json};

/// A company with three invoices in book A-0001, in the order of their numbers. The simulated ERP accepts this share.
async fn three_invoices(success_rate: u32) -> (Company, Client, Vec<Value>) {
    let company = Company::new().await;
    let mut settings = Company::billing_settings("RESPONSABLE_INSCRIPTO");
    settings["simulation"]["erpSuccessRate"] = json!(success_rate);
    let admin = company.admin().await;
    admin.put("/company/settings/billing", settings).await.ok();
    company.customers(1).await;
    let billing = company.billing().await;
    let services = [
        service(5, 1, 150_000),
        service(10, 1, 230_050),
        service(15, 1, 85_000),
    ];
    let pendings = company.pendings(&services).await;
    let batch = billing.run_batch(batch_of("A-0001", &pendings)).await;
    let path = format!("/invoices/by-batch/{}", batch["id"].as_str().unwrap());
    (company, billing.clone(), billing.list(&path).await)
}

fn ids(invoices: &[Value]) -> Value {
    invoices
        .iter()
        .map(|invoice| invoice["id"].clone())
        .collect()
}

async fn sync_of(client: &Client, invoices: &[Value]) -> Value {
    let body = json!({ "invoiceIds": ids(invoices) });
    client.post("/erp-sync/invoices", body).await.expect(202)
}

fn path_of(sync: &Value) -> String {
    format!("/erp-sync/{}", sync["id"].as_str().unwrap())
}

/// Waits until the sync's member has this value.
async fn reaches(client: &Client, sync: &Value, member: &str, value: &str) -> Value {
    let path = path_of(sync);
    eventually(&format!("the sync's {member} is {value}"), || async {
        let now = client.get(&path).await.ok();
        (now[member] == value).then_some(now)
    })
    .await
}

#[tokio::test]
async fn a_sync_is_previewed_sent_and_confirmed() {
    let (company, billing, invoices) = three_invoices(100).await;
    let wanted = json!({ "invoiceIds": ids(&invoices) });
    let preview = billing
        .post("/erp-sync/preview", wanted.clone())
        .await
        .expect(200);
    assert_eq!(
        (
            &preview["count"],
            &preview["totalAmount"],
            &preview["totalDebit"],
            &preview["totalCredit"]
        ),
        (
            &json!(3),
            &json!("4650.50"),
            &json!("4650.50"),
            &json!("4650.50")
        )
    );
    let entries = &preview["invoices"][0]["accountingEntries"];
    assert_eq!(
        (
            &entries[0]["debit"],
            &entries[1]["credit"],
            &entries[2]["credit"]
        ),
        (&json!("1500.00"), &json!("1239.67"), &json!("260.33"))
    );
    let mut body = wanted.clone();
    body["digest"] = preview["digest"].clone();
    let sync = billing.post("/erp-sync/invoices", body).await.expect(202);
    assert_eq!(
        (&sync["status"], &sync["digest"], &sync["invoiceCount"]),
        (&json!("PENDING"), &preview["digest"], &json!(3))
    );
    let sent = reaches(&billing, &sync, "status", "SENT").await;
    assert_eq!(
        (&sent["chunks"], &sent["sentChunks"], &sent["compensation"]),
        (&json!(1), &json!(1), &json!("NOT_NEEDED"))
    );
    let held = billing
        .get(&format!(
            "/invoices/{}",
            invoices[0]["id"].as_str().unwrap()
        ))
        .await
        .ok();
    assert_eq!(
        held["erpSync"],
        json!({ "syncId": sync["id"], "status": "SENT" })
    );
    // What is in a sync is refused to others, and the preview says so.
    let again = billing
        .post("/erp-sync/preview", wanted.clone())
        .await
        .expect(200);
    assert_eq!(
        (&again["count"], &again["digest"], &again["refusedCount"]),
        (&json!(0), &Value::Null, &json!(3))
    );
    assert_eq!(again["refused"][0]["code"], "sync_in_progress");
    let refused = billing
        .post("/erp-sync/invoices", wanted.clone())
        .await
        .refused(409, "sync_in_progress");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 3);
    let supervisor = company.user("supervisor").await;
    let confirm = format!("/erp-sync/confirm/{}", sync["id"].as_str().unwrap());
    supervisor
        .post(&confirm, json!({ "digest": "0".repeat(64) }))
        .await
        .refused(409, "digest_mismatch");
    let confirmed = supervisor
        .post(&confirm, json!({ "digest": sync["digest"] }))
        .await
        .expect(200);
    assert_eq!(confirmed["status"], "CONFIRMED");
    supervisor
        .post(&confirm, json!({ "digest": sync["digest"] }))
        .await
        .refused(409, "sync_confirmed");
    let cancel = format!("/erp-sync/cancel/{}", sync["id"].as_str().unwrap());
    supervisor
        .post(&cancel, json!({ "reason": "Duplicado" }))
        .await
        .refused(409, "sync_confirmed");
    billing
        .post("/erp-sync/invoices", wanted)
        .await
        .refused(409, "already_synced");
    company
        .verify_chain("erp_sync", sync["id"].as_str().unwrap())
        .await;
    assert_eq!(
        billing
            .list("/erp-sync/history?status=CONFIRMED")
            .await
            .len(),
        1
    );
    assert!(
        billing
            .list("/erp-sync/history?status=FAILED")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_cancelled_sync_frees_its_documents_and_is_taken_back() {
    let (_company, billing, invoices) = three_invoices(100).await;
    let sync = sync_of(&billing, &invoices).await;
    let sent = reaches(&billing, &sync, "status", "SENT").await;
    let cancel = format!("/erp-sync/cancel/{}", sync["id"].as_str().unwrap());
    billing
        .post(&cancel, json!({ "reason": "no" }))
        .await
        .invalid(&[("/reason", "out_of_range")]);
    let cancelled = billing
        .post(&cancel, json!({ "reason": "Período equivocado" }))
        .await
        .expect(200);
    assert_eq!(
        (
            &cancelled["status"],
            &cancelled["errorCode"],
            &cancelled["compensation"]
        ),
        (&json!("FAILED"), &json!("cancelled"), &json!("PENDING"))
    );
    reaches(&billing, &sync, "compensation", "DONE").await;
    let freed = billing
        .get(&format!(
            "/invoices/{}",
            invoices[0]["id"].as_str().unwrap()
        ))
        .await
        .ok();
    assert_eq!(freed["erpSync"], Value::Null);
    let again = sync_of(&billing, &invoices).await;
    assert_eq!(again["digest"], sent["digest"]);
    reaches(&billing, &again, "status", "SENT").await;
}

#[tokio::test]
async fn an_erp_that_accepts_nothing_fails_the_sync_after_three_attempts() {
    let (company, billing, invoices) = three_invoices(0).await;
    let sync = sync_of(&billing, &invoices).await;
    let failed = reaches(&billing, &sync, "status", "FAILED").await;
    assert_eq!(
        (
            &failed["errorCode"],
            &failed["compensation"],
            &failed["sentChunks"]
        ),
        (&json!("erp_refused"), &json!("NOT_NEEDED"), &json!(0))
    );
    assert_eq!(failed["attempts"].as_array().unwrap().len(), 3);
    company
        .verify_chain("erp_sync", sync["id"].as_str().unwrap())
        .await;
    // The settings are mended; the documents are free.
    company
        .admin()
        .await
        .put(
            "/company/settings/billing",
            Company::billing_settings("RESPONSABLE_INSCRIPTO"),
        )
        .await
        .ok();
    let again = sync_of(&billing, &invoices).await;
    reaches(&billing, &again, "status", "SENT").await;
}

#[tokio::test]
async fn a_document_is_in_one_sync_whoever_asks_at_the_same_time() {
    let (_company, billing, invoices) = three_invoices(100).await;
    let body = json!({ "invoiceIds": ids(&invoices) });
    let asked = join_all((0..6).map(|_| billing.post("/erp-sync/invoices", body.clone()))).await;
    let accepted: Vec<Value> = asked
        .into_iter()
        .filter(|reply| reply.status == 202)
        .map(|reply| reply.body)
        .collect();
    assert!(!accepted.is_empty());
    let mut sent = 0;
    for sync in &accepted {
        let path = path_of(sync);
        let end = eventually("the sync is at its end", || async {
            let now = billing.get(&path).await.ok();
            (now["status"] != "PENDING").then_some(now)
        })
        .await;
        match end["status"].as_str().unwrap() {
            "SENT" => sent += 1,
            _ => assert_eq!(
                (&end["errorCode"], &end["compensation"]),
                (&json!("set_changed"), &json!("NOT_NEEDED")),
                "{end}"
            ),
        }
    }
    assert!(sent <= 1, "a document went into {sent} syncs");
}

#[tokio::test]
async fn a_batch_is_sent_with_its_credit_notes_apart() {
    let (_company, billing, invoices) = three_invoices(100).await;
    let batch = invoices[0]["batchId"].clone();
    let id = invoices[0]["id"].as_str().unwrap();
    let note = billing
        .post(
            &format!("/invoices/{id}/credit-note"),
            json!({ "reason": "Servicio no prestado", "amount": "500.00" }),
        )
        .await
        .expect(201);
    let sync = billing
        .post("/erp-sync/batch", json!({ "batchId": batch }))
        .await
        .expect(202);
    assert_eq!(
        (&sync["invoiceCount"], &sync["batchId"]),
        (&json!(3), &batch)
    );
    reaches(&billing, &sync, "status", "SENT").await;
    let of_note = billing
        .post("/erp-sync/preview", json!({ "invoiceIds": [note["id"]] }))
        .await
        .expect(200);
    let document = &of_note["invoices"][0];
    assert_eq!(
        (&document["documentType"], &document["originInvoiceNumber"]),
        (&json!("CREDIT_NOTE"), &json!("A-0001-00000001"))
    );
    // Debit and credit are swapped.
    assert_eq!(document["accountingEntries"][0]["credit"], "500.00");
    let mixed = json!({ "invoiceIds": [note["id"], id, "inv_01JD0000000000000000000001"] });
    let preview = billing.post("/erp-sync/preview", mixed).await.expect(200);
    assert_eq!(
        (&preview["count"], &preview["refusedCount"]),
        (&json!(1), &json!(2))
    );
    let codes: Vec<&str> = preview["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refused| refused["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["sync_in_progress", "invoice_not_found"]);
}

#[tokio::test]
async fn wrong_requests_are_refused_and_recorded() {
    let (company, billing, invoices) = three_invoices(100).await;
    let id = &invoices[0]["id"];
    for (body, errors) in [
        (json!({}), [("/invoiceIds", "ids_or_batch")]),
        (
            json!({ "invoiceIds": [id], "batchId": invoices[0]["batchId"] }),
            [("/invoiceIds", "ids_or_batch")],
        ),
        (json!({ "invoiceIds": [] }), [("/invoiceIds", "required")]),
        (
            json!({ "invoiceIds": [id, id] }),
            [("/invoiceIds/1", "duplicate_items")],
        ),
        (
            json!({ "invoiceIds": [id, "pen_1"] }),
            [("/invoiceIds/1", "invalid_id")],
        ),
        (
            json!({ "invoiceIds": [id], "colour": 1 }),
            [("/colour", "unknown_field")],
        ),
    ] {
        billing
            .post("/erp-sync/preview", body)
            .await
            .invalid(&errors);
    }
    billing
        .post(
            "/erp-sync/batch",
            json!({ "batchId": "bat_01JD0000000000000000000001" }),
        )
        .await
        .refused(404, "not_found");
    let unknown = json!({ "invoiceIds": ["inv_01JD0000000000000000000001"] });
    billing
        .post("/erp-sync/invoices", unknown)
        .await
        .refused(409, "invoice_not_found");
    let other_digest = json!({ "invoiceIds": [id], "digest": "0".repeat(64) });
    billing
        .post("/erp-sync/invoices", other_digest)
        .await
        .refused(409, "digest_mismatch");
    billing
        .get("/erp-sync/syn_01JD0000000000000000000001")
        .await
        .refused(404, "not_found");
    assert_eq!(company.verify_chain("erp_sync", "rejected").await, 6);
}

#[tokio::test]
async fn a_repeat_under_the_same_key_makes_one_sync() {
    let (_company, billing, invoices) = three_invoices(100).await;
    let body = json!({ "invoiceIds": ids(&invoices) });
    let first = billing
        .post_as("k", "/erp-sync/invoices", body.clone())
        .await;
    let sync = first.expect(202);
    reaches(&billing, &sync, "status", "SENT").await;
    let again = billing.post_as("k", "/erp-sync/invoices", body).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.expect(202), sync);
    assert_eq!(billing.list("/erp-sync/history").await.len(), 1);
}

/// The company hands its documents to this ERP.
async fn serves(erp: &Listening, company: &Company) {
    let mut settings = Company::billing_settings("RESPONSABLE_INSCRIPTO");
    settings["erp"] = json!({ "connector": "http", "url": erp.url, "secret": SECRET });
    let admin = company.admin().await;
    let answer = admin.put("/company/settings/billing", settings).await.ok();
    assert_eq!(answer["erp"]["hasSecret"], true);
    assert!(
        !answer.to_string().contains("MfKQ"),
        "the secret is read back"
    );
}

#[tokio::test]
async fn what_the_erp_receives_hashes_to_the_confirmed_digest() {
    let (company, billing, invoices) = three_invoices(100).await;
    let erp = Listening::start(|_, _| 204).await;
    serves(&erp, &company).await;
    let sync = sync_of(&billing, &invoices).await;
    let sent = reaches(&billing, &sync, "status", "SENT").await;
    let id = sync["id"].as_str().unwrap();
    let confirm = format!("/erp-sync/confirm/{id}");
    let body = json!({ "digest": sent["digest"] });
    billing.post(&confirm, body).await.expect(200);
    let messages = eventually("the confirmation arrives", || async {
        let messages = erp.messages();
        (messages.len() >= 2).then_some(messages)
    })
    .await;
    let (chunk, confirmation) = (&messages[0], &messages[1]);
    assert_eq!(
        (chunk.0.as_str(), confirmation.0.as_str()),
        (format!("{id}-0").as_str(), format!("{id}-confirm").as_str())
    );
    assert_eq!(confirmation.1["digest"], sent["digest"]);
    let documents = chunk.1["invoices"].as_array().unwrap();
    let canonical: Vec<String> = documents
        .iter()
        .map(|document| canonical_json(document).unwrap())
        .collect();
    let digest = sha256_hex(canonical.join("\n").as_bytes());
    assert_eq!(json!(digest), sent["digest"]);
}

#[tokio::test]
async fn an_erp_that_refuses_fails_the_sync_at_once_and_receives_nothing_more() {
    let (company, billing, invoices) = three_invoices(100).await;
    let erp = Listening::start(|_, _| 422).await;
    serves(&erp, &company).await;
    let sync = sync_of(&billing, &invoices).await;
    let failed = reaches(&billing, &sync, "status", "FAILED").await;
    assert_eq!(
        (&failed["errorCode"], &failed["compensation"]),
        (&json!("erp_refused"), &json!("NOT_NEEDED"))
    );
    assert_eq!(erp.messages().len(), 1);
}

#[tokio::test]
async fn an_erp_that_breaks_down_is_tried_three_times_and_told_to_take_back() {
    let (company, billing, invoices) = three_invoices(100).await;
    // It never answers a part, and takes back at the second call.
    let erp = Listening::start(|message, before| match message["type"].as_str().unwrap() {
        "erp.sync.cancel" if before >= 4 => 200,
        _ => 500,
    })
    .await;
    serves(&erp, &company).await;
    let sync = sync_of(&billing, &invoices).await;
    let failed = reaches(&billing, &sync, "status", "FAILED").await;
    assert_eq!(failed["attempts"].as_array().unwrap().len(), 3);
    reaches(&billing, &sync, "compensation", "DONE").await;
    let ids: Vec<String> = erp.messages().into_iter().map(|(id, _)| id).collect();
    let id = sync["id"].as_str().unwrap();
    let (part, cancel) = (format!("{id}-0"), format!("{id}-cancel"));
    assert_eq!(
        ids,
        [&part, &part, &part, &cancel, &cancel].map(String::clone)
    );
}

#[tokio::test]
async fn an_erp_at_a_private_address_is_never_called() {
    let (company, billing, invoices) = three_invoices(100).await;
    for url in [
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[fe80::1]/",
    ] {
        let mut settings = Company::billing_settings("RESPONSABLE_INSCRIPTO");
        settings["erp"] = json!({ "connector": "http", "url": url, "secret": SECRET });
        let reply = company
            .admin()
            .await
            .put("/company/settings/billing", settings)
            .await;
        reply.invalid(&[("/erp/url", "invalid_format")]);
    }
    // A name that is public where it is entered, and is not where it is called.
    let mut settings = Company::billing_settings("RESPONSABLE_INSCRIPTO");
    settings["erp"] =
        json!({ "connector": "http", "url": "https://no-such-host.invalid/", "secret": SECRET });
    let admin = company.admin().await;
    admin.put("/company/settings/billing", settings).await.ok();
    let sync = sync_of(&billing, &invoices).await;
    let failed = reaches(&billing, &sync, "status", "FAILED").await;
    assert_eq!(failed["compensation"], "NOT_NEEDED", "{failed}");
}

#[tokio::test]
async fn the_printable_document_is_a_page_of_its_own_and_leaves_an_event() {
    let (company, billing, invoices) = three_invoices(100).await;
    let id = invoices[1]["id"].as_str().unwrap();
    let path = format!("/invoices/{id}/document");
    let page = billing.get(&path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    for shown in [
        "A-0001-00000002",
        "10000100000002",
        "2.300,50",
        "CAE SIMULADO – SIN VALIDEZ FISCAL",
        "<svg",
    ] {
        assert!(page.text.contains(shown), "{shown} is not on the page");
    }
    billing
        .get(&format!("{path}?format=pdf"))
        .await
        .invalid(&[("/format", "unsupported_format")]);
    let events = billing
        .list(&format!("/activity?resource_type=invoice&resource_id={id}"))
        .await;
    assert_eq!(events[0]["action"], "document_viewed");
    company.verify_chain("invoice", id).await;
}
