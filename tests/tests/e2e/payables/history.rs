//! The history of a factura: every round, every event, oldest first; reading it is told.

use cierre_tests::{Company, JUAN, LUIS, MARIA, OLGA, PEDRO, names};
use serde_json::{Value, json};

#[tokio::test]
async fn the_history_tells_every_event_in_order_page_by_page() {
    let company = Company::of_payables().await;
    let factura = company.pending("H-1").await;
    factura.rechazar(JUAN).await.expect(200);
    factura.reabrir(LUIS).await.expect(200);
    factura.aprobar(JUAN).await.expect(200);
    let olga = company.person(OLGA).await;
    let by_one = olga.list_by(&factura.path("/historial"), 1).await;
    let told: Vec<&str> = names(&by_one, "action")
        .into_iter()
        .filter(|action| *action != "historial_consultado")
        .collect();
    assert_eq!(
        told,
        [
            "factura_registrada",
            "factura_rechazada",
            "factura_reabierta",
            "factura_aprobada"
        ]
    );
    let times = names(&by_one, "timestamp");
    assert!(times.is_sorted(), "{times:?}");
    // The same events as those of the activity.
    let events = factura.events().await;
    let without_views = |events: &[Value]| {
        let events = events.iter().filter(|event| event["event_type"] != "view");
        events.cloned().collect::<Vec<_>>()
    };
    assert_eq!(without_views(&by_one), without_views(&events));
}

#[tokio::test]
async fn reading_the_history_is_told_and_moves_no_version() {
    let company = Company::of_payables().await;
    let factura = company.pending("H-2").await;
    let before = factura.now().await;
    let juan = company.person(JUAN).await;
    juan.get(&factura.path("/historial")).await.expect(200);
    assert_eq!(factura.now().await, before);
    let views = factura.events_of("historial_consultado").await;
    assert_eq!(views.len(), 1);
    assert_eq!(
        json!([
            views[0]["event_type"],
            views[0]["user"],
            views[0]["details"]
        ]),
        json!(["view", company.username(JUAN.word), {}])
    );
    // A factura that was read can still be decided as if it had not been.
    factura.aprobar(JUAN).await.expect(200);
    assert_eq!(factura.verify().await, 3);
}

#[tokio::test]
async fn an_event_names_whoever_did_it_and_the_command_that_it_belongs_to() {
    let company = Company::of_payables().await;
    company.delegate(JUAN, MARIA).await;
    let factura = company.pending("H-3").await;
    let maria = company.person(MARIA).await;
    let approve = maria
        .send(reqwest::Method::POST, &factura.path("/aprobar"))
        .header("x-correlation-id", "approval-of-h-3")
        .header("user-agent", "a telephone")
        .json(&json!({ "comentario": "  Conforme  " }));
    let reply = approve.now().await;
    assert_eq!(reply.header("x-correlation-id"), "approval-of-h-3");
    let now = reply.expect(200);
    assert_eq!(now["workflow"]["decisiones"][0]["comentario"], "Conforme");
    let event = factura.events_of("factura_aprobada").await.pop().unwrap();
    assert_eq!(
        json!([
            event["user"],
            event["user_id"],
            event["resource_type"],
            event["resource_id"],
            event["company_id"],
            event["correlation_id"],
            event["user_agent"],
            event["timestamp"]
        ]),
        json!([
            company.username(MARIA.word),
            now["accion_por_id"],
            "factura",
            factura.id,
            company.id,
            "approval-of-h-3",
            "a telephone",
            now["fecha_accion"]
        ])
    );
    let whole = company
        .person(OLGA)
        .await
        .list("/activity?correlation_id=approval-of-h-3")
        .await;
    assert!(
        whole.iter().any(|one| one["id"] == event["id"]),
        "{whole:#?}"
    );
}

#[tokio::test]
async fn the_same_key_answers_the_same_and_decides_once() {
    let company = Company::of_payables().await;
    let factura = company.pending("H-4").await;
    let juan = company.person(JUAN).await;
    let path = factura.path("/aprobar");
    let first = juan.post_as("once", &path, json!({})).await;
    let tag = first.header("etag").to_owned();
    let first = first.expect(200);
    let again = juan.post_as("once", &path, json!({})).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.expect(200), first);
    assert_eq!(tag, format!("\"{}\"", first["version"]));
    let other = json!({ "comentario": "otra" });
    juan.post_as("once", &path, other)
        .await
        .refused(422, "idempotency_key_reused");
    juan.post(&path, json!({}))
        .await
        .refused(409, "ya_decidida");
    assert_eq!(factura.events_of("factura_aprobada").await.len(), 1);
    // Registered under one key: one factura.
    let pedro = company.person(PEDRO).await;
    let body = cierre_tests::body_of(cierre_tests::ASEO, "H-5", "1.00");
    let made = pedro
        .post_as("register", "/facturas", body.clone())
        .await
        .expect(201);
    let again = pedro.post_as("register", "/facturas", body.clone()).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.expect(201), made);
    let duplicate = pedro
        .post("/facturas", body)
        .await
        .refused(409, "factura_duplicada");
    assert_eq!(duplicate["factura_id"], made["id"]);
}

#[tokio::test]
async fn a_decision_needs_no_body() {
    let company = Company::of_payables().await;
    let factura = company.pending("H-6").await;
    let juan = company.person(JUAN).await;
    let bare = juan
        .send(reqwest::Method::POST, &factura.path("/aprobar"))
        .now()
        .await;
    assert_eq!(bare.expect(200)["estado"], "aprobada");
}

#[tokio::test]
async fn a_deletion_honours_the_version_that_it_was_made_for() {
    let company = Company::of_payables().await;
    let factura = company
        .register(cierre_tests::body_of(cierre_tests::LUZ, "H-7", "1.00"))
        .await;
    let pedro = company.person(PEDRO).await;
    let tag = pedro.get(&factura.path("")).await.header("etag").to_owned();
    factura.asignar(PEDRO, JUAN).await.expect(200);
    let delete = async |tag: &str| {
        let delete = pedro.send(reqwest::Method::DELETE, &factura.path(""));
        delete.header("if-match", tag).now().await
    };
    delete(&tag).await.refused(412, "version_mismatch");
    let tag = pedro.get(&factura.path("")).await.header("etag").to_owned();
    delete(&tag).await.expect(204);
}
