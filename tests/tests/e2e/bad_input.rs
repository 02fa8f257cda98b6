//! Bad input, row by row as the contract lists it: what is wrong is named with its code and its place, and nothing happens.

use cierre_tests::{Client, Company};
use serde_json::{Value, json};

/// A request body and what must be said about it: places and codes.
type Row = (Value, &'static [(&'static str, &'static str)]);

/// Posts each body and compares what is said.
async fn refused(client: &Client, path: &str, rows: Vec<Row>) {
    for (body, expected) in rows {
        let answer = client.post(path, body.clone()).await;
        assert_eq!(answer.status, 422, "{path} {body}: {}", answer.text);
        let errors = answer.body["errors"].as_array().unwrap();
        let said: Vec<(&str, &str)> = errors
            .iter()
            .map(|error| (text(error, "pointer"), text(error, "code")))
            .collect();
        assert_eq!(said, expected, "{path} {body}");
        assert!(errors.iter().all(|error| !text(error, "detail").is_empty()));
    }
}

fn text<'a>(error: &'a Value, member: &str) -> &'a str {
    error[member].as_str().unwrap()
}

/// A body with some members replaced; null takes a member away.
fn with(body: Value, changes: Value) -> Value {
    let mut body = body;
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => {
                body.as_object_mut().unwrap().remove(name);
            }
            Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => body[name] = value.clone(),
        }
    }
    body
}

#[tokio::test]
async fn services_and_customers() {
    let company = Company::new().await;
    company.customers(1).await;
    let billing = company.billing().await;
    let service = |changes| {
        let service = json!({ "serviceDate": "2024-01-05", "customerId": 1, "amount": "10.00" });
        with(service, changes)
    };
    let amount = |amount: &str| service(json!({ "amount": amount }));
    let rows: Vec<Row> = vec![
        (
            service(json!({ "colour": "red", "amount": null, "customerId": "1" })),
            &[
                ("/customerId", "invalid_type"),
                ("/amount", "required"),
                ("/colour", "unknown_field"),
            ],
        ),
        (
            service(json!({ "serviceDate": "2024-02-30" })),
            &[("/serviceDate", "invalid_date")],
        ),
        (
            service(json!({ "serviceDate": "31/01/2024" })),
            &[("/serviceDate", "invalid_date")],
        ),
        (amount("0.00"), &[("/amount", "out_of_range")]),
        (amount("-1"), &[("/amount", "out_of_range")]),
        (amount("100000000.00"), &[("/amount", "out_of_range")]),
        (amount("1.005"), &[("/amount", "invalid_amount")]),
        (
            service(json!({ "customerId": 0 })),
            &[("/customerId", "out_of_range")],
        ),
        (
            service(json!({ "customerId": 1.5 })),
            &[("/customerId", "invalid_type")],
        ),
    ];
    refused(&billing, "/services", rows).await;
    let customer = |tax_id: &str| json!({ "customerId": 9, "name": "Nine", "taxId": tax_id, "ivaCondition": "EXENTO" });
    let mut rows: Vec<Row> = ["30-00000000-8", "99-00000000-1", "30-00000000", "nonsense"]
        .into_iter()
        .map(|tax_id| -> Row { (customer(tax_id), &[("/taxId", "invalid_tax_id")]) })
        .collect();
    // No digit makes this one valid.
    rows.extend((0..=9).map(|digit| -> Row {
        let tax_id = format!("30-00000004-{digit}");
        (customer(&tax_id), &[("/taxId", "invalid_tax_id")])
    }));
    refused(&billing, "/customers", rows).await;
    assert!(billing.list("/services").await.is_empty());
    assert_eq!(billing.list("/customers").await.len(), 1);
}

#[tokio::test]
async fn lists_of_ids() {
    let company = Company::new().await;
    let billing = company.billing().await;
    let id = |n: u32| format!("svc_{n:026}");
    let ids = |ids: Vec<String>| json!({ "serviceIds": ids });
    let rows: Vec<Row> = vec![
        (ids(vec![]), &[("/serviceIds", "required")]),
        (
            ids((0..1001).map(id).collect()),
            &[("/serviceIds", "too_many_items")],
        ),
        (
            ids(vec![id(1), id(2), id(1)]),
            &[("/serviceIds/2", "duplicate_items")],
        ),
        (
            ids(vec![id(1), "svc_1".into()]),
            &[("/serviceIds/1", "invalid_id")],
        ),
        (
            ids(vec![format!("pen_{:026}", 1)]),
            &[("/serviceIds/0", "invalid_id")],
        ),
    ];
    refused(&billing, "/services/send-to-billing", rows).await;
}

#[tokio::test]
async fn batches() {
    let company = Company::new().await;
    let billing = company.billing().await;
    let id = |n: u32| format!("pen_{n:026}");
    let batch = |changes| {
        let batch =
            json!({ "issueDate": "2024-01-31", "receiptBook": "A-0001", "pendingIds": [id(1)] });
        with(batch, changes)
    };
    let mut rows: Vec<Row> = ["a-0001", "D-0001", "A-001", "A-0000", "A-0001-NC"]
        .into_iter()
        .map(|book| -> Row {
            let body = batch(json!({ "receiptBook": book }));
            (body, &[("/receiptBook", "invalid_receipt_book")])
        })
        .collect();
    let listed: Vec<Row> = vec![
        (
            batch(json!({ "pendingIds": [] })),
            &[("/pendingIds", "required")],
        ),
        (
            batch(json!({ "pendingIds": (0..10_001).map(id).collect::<Vec<_>>() })),
            &[("/pendingIds", "too_many_items")],
        ),
        (
            batch(json!({ "pendingIds": [id(1), id(2), id(3), "pen_x"] })),
            &[("/pendingIds/3", "invalid_id")],
        ),
        (
            batch(json!({ "pendingIds": [id(1), id(2), id(3), id(2)] })),
            &[("/pendingIds/3", "duplicate_items")],
        ),
        (
            batch(json!({ "selection": {} })),
            &[("", "ids_or_selection")],
        ),
        (
            batch(json!({ "pendingIds": null })),
            &[("", "ids_or_selection")],
        ),
        (
            batch(
                json!({ "pendingIds": null, "selection": { "serviceDateFrom": "2024-02-01", "serviceDateTo": "2024-01-01" } }),
            ),
            &[("/selection/serviceDateFrom", "invalid_range")],
        ),
        (
            batch(json!({ "issueDate": "2024-02-30" })),
            &[("/issueDate", "invalid_date")],
        ),
    ];
    rows.extend(listed);
    refused(&billing, "/billing-batches", rows).await;
    assert!(billing.list("/billing-batches").await.is_empty());
}

#[tokio::test]
async fn an_unknown_pending_is_accepted_and_listed() {
    let (company, other) = (Company::new().await, Company::new().await);
    company.customers(1).await;
    other.customers(1).await;
    let one = cierre_tests::service(5, 1, 1_000);
    let own = company.pendings(std::slice::from_ref(&one)).await;
    let foreign = other.pendings(&[one]).await;
    let unknown = format!("pen_{:026}", 7);
    let asked = [own[0].clone(), foreign[0].clone(), unknown];
    let billing = company.billing().await;
    let batch = billing
        .run_batch(cierre_tests::batch_of("A-0001", &asked))
        .await;
    assert_eq!(
        (
            &batch["status"],
            &batch["invoiceCount"],
            &batch["failedCount"]
        ),
        (&json!("PROCESSED"), &json!(1), &json!(2))
    );
    let failed = batch["failedPendings"].as_array().unwrap();
    for (failed, id) in failed.iter().zip(&asked[1..]) {
        let expected =
            json!({ "id": id, "code": "pending_not_found", "reason": "Pending not found" });
        assert_eq!(*failed, expected);
    }
}

#[tokio::test]
async fn ranges_of_lists() {
    let company = Company::new().await;
    let billing = company.billing().await;
    for (query, place) in [
        (
            "/services?serviceDateFrom=2024-02-01&serviceDateTo=2024-01-01",
            "/serviceDateFrom",
        ),
        (
            "/billing-pendings?serviceDateFrom=2024-02-01&serviceDateTo=2024-01-01",
            "/serviceDateFrom",
        ),
        (
            "/billing-pendings/available?serviceDateFrom=2024-02-01&serviceDateTo=2024-01-01",
            "/serviceDateFrom",
        ),
        (
            "/invoices?issueDateFrom=2024-02-01&issueDateTo=2024-01-01",
            "/issueDateFrom",
        ),
        ("/invoices?amountMin=2.00&amountMax=1.00", "/amountMin"),
    ] {
        let answer = billing.get(query).await;
        answer.invalid(&[(place, "invalid_range")]);
    }
}
