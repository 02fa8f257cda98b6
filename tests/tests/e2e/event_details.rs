//! Every kind of event of billing, with the details that the contract names and no others.

use std::collections::BTreeSet;

use cierre_tests::{Client, Company, batch_of, eventually, service};
use serde_json::{Value, json};

/// Action, type, resource type, details. A batch of ids; of a selection its own row.
const EVENTS: [(&str, &str, &str, &[&str]); 29] = [
    (
        "customer_created",
        "create",
        "customer",
        &["ivaCondition", "name", "taxId"],
    ),
    ("customer_updated", "update", "customer", &["changes"]),
    ("customer_deactivated", "delete", "customer", &[]),
    (
        "service_created",
        "create",
        "service",
        &["amount", "customerId", "serviceDate"],
    ),
    ("service_updated", "update", "service", &["changes"]),
    (
        "service_deleted",
        "delete",
        "service",
        &["amount", "customerId", "serviceDate"],
    ),
    (
        "service_sent_to_billing",
        "process",
        "service",
        &["pendingId"],
    ),
    ("service_reopened", "update", "service", &["pendingId"]),
    (
        "pending_created",
        "create",
        "billing_pending",
        &["amount", "customerId", "serviceId"],
    ),
    (
        "pending_cancelled",
        "delete",
        "billing_pending",
        &["amount", "customerId", "serviceId"],
    ),
    (
        "batch_created",
        "create",
        "billing_batch",
        &[
            "issueDate",
            "jobId",
            "onInvalid",
            "receiptBook",
            "requestedCount",
        ],
    ),
    (
        "batch_created",
        "create",
        "billing_batch",
        &[
            "issueDate",
            "jobId",
            "onInvalid",
            "receiptBook",
            "selection",
        ],
    ),
    ("batch_retried", "update", "billing_batch", &["jobId"]),
    (
        "batch_started",
        "process",
        "billing_batch",
        &["attempt", "jobId"],
    ),
    (
        "batch_processed",
        "process",
        "billing_batch",
        &[
            "failedCount",
            "firstNumber",
            "invoiceCount",
            "jobId",
            "lastNumber",
            "totalAmount",
        ],
    ),
    (
        "batch_materialized",
        "process",
        "billing_batch",
        &["count", "seconds"],
    ),
    (
        "batch_failed",
        "error",
        "billing_batch",
        &["errorCode", "errorMessage", "failedCount", "jobId"],
    ),
    (
        "credit_note_issued",
        "generate",
        "invoice",
        &[
            "amount",
            "creditNoteId",
            "invoiceNumber",
            "openAmount",
            "reason",
        ],
    ),
    (
        "credit_note_created",
        "create",
        "credit_note",
        &["amount", "originInvoiceId"],
    ),
    (
        "sync_created",
        "create",
        "erp_sync",
        &["digest", "invoiceCount", "totalAmount"],
    ),
    ("sync_sent", "process", "erp_sync", &["chunks"]),
    ("sync_confirmed", "finalize", "erp_sync", &["digest"]),
    ("sync_cancelled", "update", "erp_sync", &["reason"]),
    (
        "sync_failed",
        "error",
        "erp_sync",
        &["compensation", "errorCode"],
    ),
    (
        "book_verified",
        "view",
        "receipt_book",
        &["from", "to", "valid"],
    ),
    ("document_viewed", "view", "invoice", &["format"]),
    ("validation_failed", "error", "billing_batch", &["codes"]),
    ("validation_failed", "error", "erp_sync", &["codes"]),
    (
        "settings_updated",
        "update",
        "company_settings",
        &["changed"],
    ),
];

async fn erp_accepts(admin: &Client, rate: u32) {
    let mut settings = Company::billing_settings("RESPONSABLE_INSCRIPTO");
    settings["simulation"]["erpSuccessRate"] = json!(rate);
    admin.put("/company/settings/billing", settings).await.ok();
}

/// Sends a document to the ERP and waits for the end.
async fn sync(billing: &Client, invoice: &Value, status: &str) -> String {
    let body = json!({ "invoiceIds": [invoice["id"]] });
    let sync = billing.post("/erp-sync/invoices", body).await.expect(202);
    let path = format!("/erp-sync/{}", sync["id"].as_str().unwrap());
    eventually(&format!("the sync is {status}"), || async {
        (billing.get(&path).await.ok()["status"] == status).then_some(())
    })
    .await;
    sync["id"].as_str().unwrap().to_owned()
}

/// Does everything that leaves an event.
async fn live(company: &Company) {
    let (admin, billing) = (company.admin().await, company.billing().await);
    let supervisor = company.user("supervisor").await;
    company.customers(2).await;
    billing
        .patch("/customers/2", json!({ "name": "Other" }))
        .await
        .ok();
    billing.delete("/customers/2").await.expect(204);
    let services: Vec<_> = (1..=4).map(|day| service(day, 1, 1_000)).collect();
    let services = company.services(&services).await;
    let last = format!("/services/{}", services[3]);
    billing
        .patch(&last, json!({ "amount": "11.00" }))
        .await
        .ok();
    billing.delete(&last).await.expect(204);
    let pendings = company.send(&services[..3]).await;
    let cancelled = format!("/billing-pendings/{}", pendings[2]);
    billing.delete(&cancelled).await.ok();
    let batch = billing.run_batch(batch_of("A-0001", &pendings[..2])).await;
    let failed = billing
        .start_batch(batch_of("A-0001", &pendings[..2]))
        .await;
    billing.batch_end(&failed).await;
    let retry = format!("/billing-batches/{failed}/retry");
    billing.post(&retry, json!({})).await.expect(202);
    let all = json!({ "issueDate": "2024-01-31", "receiptBook": "A-0001", "selection": {} });
    let all = billing.start_batch(all).await;
    billing.batch_end(&all).await;
    billing
        .post("/billing-batches", json!({}))
        .await
        .expect(422);
    billing
        .post("/erp-sync/invoices", json!({}))
        .await
        .expect(422);
    let path = format!("/invoices/by-batch/{}", batch["id"].as_str().unwrap());
    let invoices = billing.list(&path).await;
    let first = format!("/invoices/{}", invoices[0]["id"].as_str().unwrap());
    billing.get(&format!("{first}/document")).await.expect(200);
    let credit = json!({ "reason": "Returned", "amount": "1.00" });
    billing
        .post(&format!("{first}/credit-note"), credit)
        .await
        .expect(201);
    billing.get("/receipt-books/A-0001/verify").await.ok();
    erp_accepts(&admin, 0).await;
    sync(&billing, &invoices[0], "FAILED").await;
    erp_accepts(&admin, 100).await;
    let sent = sync(&billing, &invoices[0], "SENT").await;
    let cancel = json!({ "reason": "Wrong month" });
    supervisor
        .post(&format!("/erp-sync/cancel/{sent}"), cancel)
        .await
        .ok();
    let sent = sync(&billing, &invoices[1], "SENT").await;
    let digest = billing.get(&format!("/erp-sync/{sent}")).await.ok();
    let digest = json!({ "digest": digest["digest"] });
    supervisor
        .post(&format!("/erp-sync/confirm/{sent}"), digest)
        .await
        .ok();
    let mut settings = company.settings();
    settings["name"] = json!("Another name");
    admin.put("/company/settings", settings).await.ok();
}

/// What the company's events say: action, type, resource type and the names of the details.
async fn found(admin: &Client) -> BTreeSet<String> {
    let row = |event: &Value| {
        let details: Vec<&String> = event["details"].as_object().unwrap().keys().collect();
        let word = |member: &str| event[member].as_str().unwrap();
        let (action, kind) = (word("action"), word("event_type"));
        format!("{action} {kind} {} {details:?}", word("resource_type"))
    };
    admin.list("/activity").await.iter().map(row).collect()
}

#[tokio::test]
async fn events_say_exactly_what_the_contract_names() {
    let company = Company::new().await;
    live(&company).await;
    let expected: BTreeSet<String> = EVENTS
        .map(|(action, kind, resource, details)| format!("{action} {kind} {resource} {details:?}"))
        .into();
    let admin = company.admin().await;
    // As many as are named, or as there are in the end: then the comparison says which.
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let found = eventually("the events are listed", || async {
        let found = found(&admin).await;
        let enough = found.len() >= expected.len();
        (enough || std::time::Instant::now() > patience).then_some(found)
    })
    .await;
    assert_eq!(found, expected);
}
