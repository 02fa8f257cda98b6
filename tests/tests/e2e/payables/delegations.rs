//! Standing in for somebody: from when to when, for whom, and how far it goes.

use cierre_tests::{
    ASEO, Company, JUAN, LUIS, LUZ, MARIA, NORA, OLGA, PEDRO, SARA, VERA, after, body_of, today,
};
use futures::future::join_all;
use serde_json::{Value, json};

/// A delegation of [`JUAN`] to [`MARIA`], changed.
async fn body(company: &Company, change: Value) -> Value {
    let mut body = json!({
        "de": company.named(JUAN).await,
        "a": company.named(MARIA).await,
        "desde": today(),
        "hasta": after(7),
        "motivo": "Vacaciones",
    });
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_delegate_decides_from_the_first_day_to_the_last_and_until_it_is_revoked() {
    let company = Company::of_payables().await;
    let (juan, maria) = (company.person(JUAN).await, company.person(MARIA).await);
    let term = body(&company, json!({ "desde": after(1), "hasta": after(2) })).await;
    juan.post("/delegaciones", term).await.expect(201);
    // The company's days begin at 05:00 UTC.
    let tries = [
        (format!("{}T04:59:59.000Z", after(1)), 403),
        (format!("{}T05:00:00.000Z", after(1)), 200),
        (format!("{}T04:59:59.000Z", after(3)), 200),
        (format!("{}T05:00:00.000Z", after(3)), 403),
    ];
    for (nth, (time, status)) in tries.into_iter().enumerate() {
        let factura = company.pending(&format!("V-{nth}")).await;
        let decided = company
            .at(&time, &maria, "POST", &factura.path("/aprobar"), json!({}))
            .await;
        assert_eq!(decided.status, status, "{time}: {}", decided.text);
        if status == 200 {
            assert_eq!(decided.body["a_nombre_de"], JUAN.name);
        }
    }
    let made = company.delegate(PEDRO, NORA).await;
    company.assign(LUZ, PEDRO).await;
    let luz = async |numero: &str| {
        company
            .register_as(VERA, body_of(LUZ, numero, "1.00"))
            .await
    };
    luz("V-8").await.aprobar(NORA).await.expect(200);
    let factura = luz("V-9").await;
    let luis = company.person(LUIS).await;
    let revoke = format!("/delegaciones/{}", made["id"].as_str().unwrap());
    luis.delete(&revoke).await.expect(204);
    factura
        .aprobar(NORA)
        .await
        .refused(403, "no_autorizado_para_decidir");
}

#[tokio::test]
async fn a_delegation_goes_no_further_and_passes_on_no_role() {
    let company = Company::of_payables().await;
    company.delegate(JUAN, MARIA).await;
    company.delegate(MARIA, NORA).await;
    company.delegate(LUIS, PEDRO).await;
    let factura = company
        .register_as(VERA, body_of(ASEO, "T-1", "1.00"))
        .await;
    factura
        .aprobar(NORA)
        .await
        .refused(403, "no_autorizado_para_decidir");
    factura
        .aprobar(PEDRO)
        .await
        .refused(403, "no_autorizado_para_decidir");
    factura.aprobar(MARIA).await.expect(200);
}

#[tokio::test]
async fn two_delegations_of_the_same_person_never_overlap() {
    let company = Company::of_payables().await;
    let juan = company.person(JUAN).await;
    let term = async |desde: i64, hasta: i64, a: &str| {
        body(
            &company,
            json!({ "desde": after(desde), "hasta": after(hasta), "a": a }),
        )
        .await
    };
    let (maria, nora) = (company.named(MARIA).await, company.named(NORA).await);
    let first = juan
        .post("/delegaciones", term(10, 20, &maria).await)
        .await
        .expect(201);
    for (desde, hasta) in [(10, 20), (5, 10), (20, 25), (12, 13), (5, 25)] {
        let overlapping = juan
            .post("/delegaciones", term(desde, hasta, &nora).await)
            .await;
        overlapping.refused(409, "delegacion_solapada");
    }
    juan.post("/delegaciones", term(21, 25, &nora).await)
        .await
        .expect(201);
    juan.post("/delegaciones", term(5, 9, &nora).await)
        .await
        .expect(201);
    // Revoked, it takes no place.
    juan.delete(&format!("/delegaciones/{}", first["id"].as_str().unwrap()))
        .await
        .expect(204);
    juan.post("/delegaciones", term(10, 20, &nora).await)
        .await
        .expect(201);
}

#[tokio::test]
async fn of_two_overlapping_ones_given_at_once_one_stands() {
    let company = Company::of_payables().await;
    let juan = company.person(JUAN).await;
    let maria = company.named(MARIA).await;
    for round in 0..50 {
        let (first, last) = (after(1 + 3 * round), after(2 + 3 * round));
        let term = body(
            &company,
            json!({ "desde": first, "hasta": last, "a": maria }),
        )
        .await;
        let replies = join_all((0..4).map(|_| juan.post("/delegaciones", term.clone()))).await;
        let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409], "round {round}");
    }
    assert_eq!(juan.list("/delegaciones").await.len(), 50);
}

#[tokio::test]
async fn people_see_their_own_and_readers_all() {
    let company = Company::of_payables().await;
    let juan_maria = company.delegate(JUAN, MARIA).await;
    let sara_nora = company.delegate(SARA, NORA).await;
    let ids = async |who, query: &str| {
        let listed = company
            .person(who)
            .await
            .list(&format!("/delegaciones{query}"))
            .await;
        let mut ids: Vec<String> = listed
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    };
    let mut all = [&juan_maria, &sara_nora]
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .to_vec();
    all.sort();
    for reader in [PEDRO, LUIS, OLGA] {
        assert_eq!(ids(reader, "").await, all, "{}", reader.name);
    }
    for own in [JUAN, MARIA] {
        assert_eq!(
            ids(own, "").await,
            [juan_maria["id"].as_str().unwrap()],
            "{}",
            own.name
        );
    }
    let de = format!("?de={}", company.username(SARA.word));
    let a = format!("?a={}", company.username(MARIA.word));
    assert_eq!(ids(OLGA, &de).await, [sara_nora["id"].as_str().unwrap()]);
    assert_eq!(ids(OLGA, &a).await, [juan_maria["id"].as_str().unwrap()]);
    assert_eq!(ids(OLGA, "?vigentes=true").await, all);
    let revoke = format!("/delegaciones/{}", juan_maria["id"].as_str().unwrap());
    company.person(JUAN).await.delete(&revoke).await.expect(204);
    assert_eq!(
        ids(OLGA, "?vigentes=true").await,
        [sara_nora["id"].as_str().unwrap()]
    );
    assert_eq!(ids(OLGA, "").await, all);
}

#[tokio::test]
async fn only_a_supervisor_or_an_admin_acts_for_somebody_else() {
    let company = Company::of_payables().await;
    let nora = company.person(NORA).await;
    let for_another = body(&company, json!({})).await;
    for who in [NORA, PEDRO, MARIA] {
        let reply = company
            .person(who)
            .await
            .post("/delegaciones", for_another.clone())
            .await;
        assert_eq!(reply.status, 403, "{}", reply.text);
    }
    let made = company.delegate(JUAN, MARIA).await;
    let path = format!("/delegaciones/{}", made["id"].as_str().unwrap());
    for who in [NORA, PEDRO, MARIA] {
        let reply = company.person(who).await.delete(&path).await;
        assert_eq!(reply.status, 403, "{}", reply.text);
    }
    // Without `de`, it is one's own.
    let own = json!({ "a": company.named(MARIA).await, "desde": today(), "hasta": today(), "motivo": "Cita" });
    let made = nora.post("/delegaciones", own).await.expect(201);
    assert_eq!(made["estado"], "vigente");
    let listed = nora
        .list(&format!("/delegaciones?de={}", company.username(NORA.word)))
        .await;
    assert_eq!(listed.len(), 1);
    company.person(JUAN).await.delete(&path).await.expect(204);
}

#[tokio::test]
async fn what_is_wrong_with_a_delegation_is_named() {
    let company = Company::of_payables().await;
    let luis = company.person(LUIS).await;
    let (juan, olga) = (company.named(JUAN).await, company.named(OLGA).await);
    let rows = [
        (json!({ "a": juan }), "/a", "usuario_no_valido"),
        (json!({ "a": olga }), "/a", "usuario_no_valido"),
        (json!({ "de": olga }), "/de", "usuario_no_valido"),
        (json!({ "a": "nobody-at-all" }), "/a", "usuario_no_valido"),
        (
            json!({ "desde": after(-9), "hasta": after(-1) }),
            "/hasta",
            "fecha_invalida",
        ),
        (
            json!({ "desde": after(3), "hasta": after(2) }),
            "/hasta",
            "fecha_invalida",
        ),
        (json!({ "hasta": after(366) }), "/hasta", "out_of_range"),
        (json!({ "desde": "2026-02-30" }), "/desde", "invalid_date"),
        (json!({ "motivo": " x " }), "/motivo", "motivo_requerido"),
        (json!({ "accion_por": "x" }), "/accion_por", "unknown_field"),
    ];
    for (change, place, code) in rows {
        let wrong = body(&company, change).await;
        luis.post("/delegaciones", wrong)
            .await
            .invalid(&[(place, code)]);
    }
    assert!(luis.list("/delegaciones").await.is_empty());
    let longest = body(&company, json!({ "hasta": after(365) })).await;
    luis.post("/delegaciones", longest).await.expect(201);
}
