//! One company never sees, changes or even notices what another one has.

use cierre_tests::{Company, service};
use serde_json::json;

/// Two companies on one stack; the first one has a customer, a service and a pending.
async fn neighbours() -> (Company, Company, String, String) {
    let one = Company::new().await;
    let other = Company::on(one.stack.clone());
    other.set_up().await;
    one.customers(1).await;
    let services = one.services(&[service(5, 1, 150_000)]).await;
    let pendings = one.send(&services).await;
    (one, other, services[0].clone(), pendings[0].clone())
}

#[tokio::test]
async fn what_another_company_has_is_not_there() {
    let (_one, other, service, pending) = neighbours().await;
    let stranger = other.admin().await;
    for path in [
        "/customers/1".to_owned(),
        format!("/services/{service}"),
        format!("/billing-pendings/{pending}"),
        format!("/activity/verify?resource_type=service&resource_id={service}"),
    ] {
        stranger.get(&path).await.refused(404, "not_found");
    }
    stranger
        .patch(&format!("/services/{service}"), json!({ "amount": "1.00" }))
        .await
        .refused(404, "not_found");
    stranger
        .patch("/customers/1", json!({ "name": "Mine" }))
        .await
        .refused(404, "not_found");
    stranger
        .delete(&format!("/services/{service}"))
        .await
        .refused(404, "not_found");
    stranger
        .delete(&format!("/billing-pendings/{pending}"))
        .await
        .refused(404, "not_found");
    let sent = stranger
        .post(
            "/services/send-to-billing",
            json!({ "serviceIds": [service] }),
        )
        .await
        .expect(200);
    assert_eq!(sent["failed"][0]["code"], "service_not_found");
}

#[tokio::test]
async fn lists_hold_the_own_companys_things_only() {
    let (_one, other, service, _) = neighbours().await;
    let stranger = other.admin().await;
    for path in [
        "/customers",
        "/services",
        "/billing-pendings",
        "/billing-pendings/available",
        "/billing-batches",
        "/invoices",
    ] {
        assert_eq!(
            stranger.list(path).await,
            Vec::<serde_json::Value>::new(),
            "{path}"
        );
    }
    let of_service = format!("/activity?resource_type=service&resource_id={service}");
    assert!(stranger.list(&of_service).await.is_empty());
    for event in stranger.list("/activity").await {
        assert_eq!(event["company_id"], other.id);
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_company_and_its_query_only() {
    let (one, other, ..) = neighbours().await;
    let page = one.admin().await.get("/activity?limit=1").await.ok();
    let cursor = page["next"].as_str().unwrap();
    one.admin()
        .await
        .get(&format!("/activity?limit=1&cursor={cursor}"))
        .await
        .expect(200);
    one.admin()
        .await
        .get(&format!("/activity?limit=50&cursor={cursor}"))
        .await
        .expect(200);
    other
        .admin()
        .await
        .get(&format!("/activity?cursor={cursor}"))
        .await
        .refused(400, "bad_cursor");
    one.admin()
        .await
        .get(&format!("/activity?event_type=create&cursor={cursor}"))
        .await
        .refused(400, "bad_cursor");
    one.admin()
        .await
        .get(&format!("/services?cursor={cursor}"))
        .await
        .refused(400, "bad_cursor");
    one.admin()
        .await
        .get(&format!("/activity?cursor={cursor}A"))
        .await
        .refused(400, "bad_cursor");
}

#[tokio::test]
async fn the_same_ids_live_side_by_side() {
    let (one, other, ..) = neighbours().await;
    other.customers(1).await;
    let names = [&one, &other]
        .map(async |company: &Company| company.admin().await.get("/customers/1").await.ok());
    for answer in names {
        assert_eq!(answer.await["name"], "Customer 1");
    }
    other
        .admin()
        .await
        .patch("/customers/1", json!({ "name": "Renamed" }))
        .await
        .expect(200);
    assert_eq!(
        one.admin().await.get("/customers/1").await.ok()["name"],
        "Customer 1"
    );
}
