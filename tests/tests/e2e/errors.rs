//! One form of errors, whatever goes wrong.

use cierre_tests::{Company, Stack};
use reqwest::Method;
use serde_json::json;

fn customer(id: u32) -> serde_json::Value {
    json!({ "customerId": id, "name": "One", "taxId": "30-00000001-5", "ivaCondition": "RESPONSABLE_INSCRIPTO" })
}

#[tokio::test]
async fn an_unknown_route_is_not_found() {
    let company = Company::bare().await;
    assert_eq!(company.admin().await.get("/spaceships").await.status, 404);
    assert_eq!(company.admin().await.delete("/profile").await.status, 404);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let company = Company::bare().await;
    let billing = company.billing().await;
    let send = |content_type: &str, body: &'static str| {
        billing
            .send(Method::POST, "/customers")
            .header("content-type", content_type)
            .body(body)
    };
    send("application/json", "{")
        .now()
        .await
        .refused(400, "not_json");
    send("application/json", "")
        .now()
        .await
        .refused(400, "not_json");
    send("text/plain", "{}")
        .now()
        .await
        .refused(415, "unsupported_media_type");
    send("application/json", "[]")
        .now()
        .await
        .invalid(&[("", "invalid_type")]);
    let charset = send("application/json; charset=utf-8", "{}").now().await;
    assert_eq!(charset.status, 422, "{}", charset.text);
}

#[tokio::test]
async fn a_body_over_a_mebibyte_is_refused() {
    let company = Company::bare().await;
    let billing = company.billing().await;
    let send = |length: usize| {
        let body = format!("\"{}\"", "x".repeat(length - 2));
        billing
            .send(Method::POST, "/customers")
            .header("content-type", "application/json")
            .body(body)
            .now()
    };
    send(1024 * 1024 + 1).await.refused(413, "too_large");
    assert_eq!(send(1024 * 1024).await.status, 422);
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let company = Company::bare().await;
    let body = json!({ "customerId": 0, "taxId": "30-00000000-8", "ivaCondition": 5, "email": "nowhere", "colour": "blue" });
    company
        .billing()
        .await
        .post("/customers", body)
        .await
        .invalid(&[
            ("/customerId", "out_of_range"),
            ("/name", "required"),
            ("/taxId", "invalid_tax_id"),
            ("/ivaCondition", "invalid_type"),
            ("/email", "invalid_format"),
            ("/colour", "unknown_field"),
        ]);
}

#[tokio::test]
async fn a_correlation_id_is_taken_over_or_made_up() {
    let stack = Stack::connect().await;
    let login = |id: &str| {
        let request = stack
            .anonymous()
            .send(Method::POST, "/auth/login")
            .json(&json!({}));
        request.header("x-correlation-id", id).now()
    };
    assert_eq!(
        login("my-own.id_1").await.header("x-correlation-id"),
        "my-own.id_1"
    );
    for unusable in ["with blanks", &"x".repeat(65), "sem;colon"] {
        let reply = login(unusable).await;
        let made_up = reply.header("x-correlation-id");
        assert!(
            made_up != unusable && !made_up.is_empty() && made_up.len() <= 64,
            "{made_up}"
        );
        assert_eq!(reply.body["correlationId"], made_up);
    }
}

#[tokio::test]
async fn a_malformed_id_in_a_path_is_not_found() {
    let company = Company::bare().await;
    let billing = company.billing().await;
    for path in [
        "/services/svc_1",
        "/services/pen_01JD0000000000000000000001",
        "/services/svc_01jd0000000000000000000001",
        "/billing-pendings/nonsense",
        "/billing-batches/bat_",
        "/invoices/1",
        "/invoices/number/A-1",
        "/customers/0",
        "/customers/01",
        "/customers/one",
    ] {
        billing.get(path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_repeat_under_the_same_key_answers_the_same() {
    let company = Company::bare().await;
    let billing = company.billing().await;
    let first = billing.post_as("key-1", "/customers", customer(1)).await;
    assert_eq!(first.header("idempotency-replayed"), "");
    let location = first.header("location").to_owned();
    let first = first.expect(201);
    let again = billing.post_as("key-1", "/customers", customer(1)).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("location"), location);
    assert_eq!(again.expect(201), first);

    billing
        .post_as("key-1", "/customers", customer(2))
        .await
        .refused(422, "idempotency_key_reused");
    billing
        .post_as("key-2", "/customers", customer(1))
        .await
        .refused(409, "customer_exists");
    // A key belongs to a user, a method and a path.
    company
        .admin()
        .await
        .post_as("key-1", "/customers", customer(2))
        .await
        .expect(201);
    assert_eq!(
        company.verify_chain("customer", "1").await,
        1,
        "one command, one event"
    );
}

#[tokio::test]
async fn a_refusal_is_not_kept_under_its_key() {
    let company = Company::bare().await;
    let billing = company.billing().await;
    billing
        .post_as("key", "/customers", json!({}))
        .await
        .invalid(&[
            ("/customerId", "required"),
            ("/name", "required"),
            ("/ivaCondition", "required"),
        ]);
    billing
        .post_as("key", "/customers", customer(1))
        .await
        .expect(201);
}

#[tokio::test]
async fn simultaneous_repeats_apply_once() {
    let company = Company::bare().await;
    let billing = company.billing().await;
    let sent = (0..8).map(|_| billing.post_as("together", "/customers", customer(1)));
    let answers = futures::future::join_all(sent).await;
    let (created, waiting): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert!(!created.is_empty());
    for answer in waiting {
        answer.refused(409, "request_in_progress");
    }
    for answer in &created {
        assert_eq!(answer.body, created[0].body);
    }
    assert_eq!(
        company.verify_chain("customer", "1").await,
        1,
        "applied once"
    );
}

#[tokio::test]
async fn a_malformed_key_is_refused() {
    let company = Company::bare().await;
    let billing = company.billing().await;
    for key in ["", "with blank", &"x".repeat(256)] {
        let request = billing
            .send(Method::POST, "/customers")
            .header("idempotency-key", key);
        let reply = request.json(&customer(1)).now().await;
        reply.refused(400, "invalid_header");
    }
    billing
        .post_as(&"x".repeat(255), "/customers", customer(1))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_change_for_another_version_is_refused() {
    let company = Company::bare().await;
    let billing = company.billing().await;
    let created = billing.post("/customers", customer(1)).await;
    assert_eq!(created.header("etag"), "\"1\"");
    let rename = |version: &'static str, name: &'static str| {
        billing
            .send(Method::PATCH, "/customers/1")
            .header("if-match", version)
            .json(&json!({ "name": name }))
            .now()
    };
    assert_eq!(rename("\"1\"", "Two").await.header("etag"), "\"2\"");
    rename("\"1\"", "Three")
        .await
        .refused(412, "version_mismatch");
    rename("one", "Three").await.refused(400, "invalid_header");
    assert_eq!(billing.get("/customers/1").await.expect(200)["name"], "Two");
}

#[tokio::test]
async fn answers_are_not_for_caches() {
    let company = Company::bare().await;
    let reply = company.admin().await.get("/profile").await;
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
}
