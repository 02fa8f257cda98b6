//! The list of facturas by every filter, what others than readers see of it, and the inbox.

use cierre_tests::{
    ANA, ASEO, Client, Company, Factura, JUAN, LUIS, LUZ, MARIA, NORA, OLGA, PEDRO, VERA, body_of,
    eventually, names, politica,
};
use serde_json::{Value, json};

/// Facturas of several suppliers, days, states and responsables.
async fn some() -> (Company, Vec<Value>) {
    let company = Company::of_payables().await;
    company
        .set_policy(politica(|policy| {
            policy["bandas"]["COP"] = json!([
                { "hasta": "5000000.00", "aprobaciones": 1 },
                { "hasta": null, "aprobaciones": 2 },
            ]);
        }))
        .await;
    let on = |nit: &str, numero: &str, fecha: &str, total: &str| {
        let mut body = body_of(nit, numero, total);
        body["fecha_emision"] = json!(fecha);
        body
    };
    company
        .register(on(ASEO, "L-1", "2026-02-01", "1.00"))
        .await;
    let approved = company
        .register(on(ASEO, "L-2", "2026-02-03", "2.00"))
        .await;
    let rejected = company
        .register(on(ASEO, "L-3", "2026-02-03", "3.00"))
        .await;
    let partial = company
        .register(on(ASEO, "L-4", "2026-01-10", "9000000.00"))
        .await;
    company.register(on(LUZ, "L-5", "2026-02-02", "5.00")).await;
    let assigned = company.register(on(LUZ, "L-6", "2026-01-31", "6.00")).await;
    assigned.asignar(LUIS, MARIA).await.expect(200);
    approved.aprobar(JUAN).await.expect(200);
    rejected.rechazar(LUIS).await.expect(200);
    partial.aprobar(LUIS).await.expect(200);
    let olga = company.person(OLGA).await;
    let all = eventually("all are listed as they stand", || async {
        let all = olga.list("/facturas").await;
        let decided = all
            .iter()
            .filter(|one| !one["accion_por"].is_null())
            .count();
        (all.len() == 6 && decided == 3).then_some(all)
    })
    .await;
    (company, all)
}

fn numbers(facturas: &[Value]) -> Vec<&str> {
    names(facturas, "numero")
}

#[tokio::test]
async fn the_newest_issued_come_first_then_the_newest_registered() {
    let (company, all) = some().await;
    assert_eq!(numbers(&all), ["L-3", "L-2", "L-5", "L-1", "L-6", "L-4"]);
    let olga = company.person(OLGA).await;
    for size in 1..=3 {
        assert_eq!(olga.list_by("/facturas", size).await, all);
    }
}

/// A filter, and whether a factura fits.
type Filter = (String, Box<dyn Fn(&Value) -> bool>);

fn filters(company: &Company) -> Vec<Filter> {
    let is = |field: &'static str, value: String| -> Box<dyn Fn(&Value) -> bool> {
        Box::new(move |one: &Value| one[field] == value.as_str())
    };
    let (juan, maria) = (company.username(JUAN.word), company.username(MARIA.word));
    vec![
        (
            "estado=pendiente".to_owned(),
            is("estado", "pendiente".to_owned()),
        ),
        (
            "estado=en_revision".to_owned(),
            is("estado", "en_revision".to_owned()),
        ),
        (
            "estado=aprobada_auto".to_owned(),
            is("estado", "aprobada_auto".to_owned()),
        ),
        (
            format!("responsable={juan}"),
            is("responsable_usuario", juan),
        ),
        (
            format!("responsable={maria}"),
            is("responsable_usuario", maria),
        ),
        (
            "accion_por=Luis%20Rey".to_owned(),
            is("accion_por", LUIS.name.to_owned()),
        ),
        ("accion_por=Luis".to_owned(), Box::new(|_| false)),
        (format!("nit={LUZ}"), is("nit", LUZ.to_owned())),
        (
            "desde=2026-02-01".to_owned(),
            Box::new(|one| one["fecha_emision"].as_str() >= Some("2026-02-01")),
        ),
        (
            "hasta=2026-02-02".to_owned(),
            Box::new(|one| one["fecha_emision"].as_str() <= Some("2026-02-02")),
        ),
        (
            "sin_asignar=true".to_owned(),
            Box::new(|one| one["responsable"].is_null()),
        ),
    ]
}

#[tokio::test]
async fn filters_pick_what_fits_and_are_combined_with_and() {
    let (company, all) = some().await;
    let olga = company.person(OLGA).await;
    let filters = filters(&company);
    let check = async |query: &str, expected: Vec<&Value>| {
        let found = olga.list_by(&format!("/facturas?{query}"), 2).await;
        let expected: Vec<Value> = expected.into_iter().cloned().collect();
        assert_eq!(numbers(&found), numbers(&expected), "{query}");
    };
    for (query, fits) in &filters {
        check(query, all.iter().filter(|one| fits(one)).collect()).await;
    }
    let name = |query: &str| query.split('=').next().unwrap().to_owned();
    for (nth, (one, fits_one)) in filters.iter().enumerate() {
        for (other, fits_other) in &filters[nth + 1..] {
            if name(one) != name(other) {
                let both = all
                    .iter()
                    .filter(|it| fits_one(it) && fits_other(it))
                    .collect();
                check(&format!("{one}&{other}"), both).await;
            }
        }
    }
}

#[tokio::test]
async fn a_bad_filter_is_refused_and_a_cursor_belongs_to_its_query() {
    let (company, _) = some().await;
    let olga = company.person(OLGA).await;
    for (query, place, code) in [
        ("estado=abierta", "/estado", "valor_no_admitido"),
        ("nit=860069804-3", "/nit", "nit_digito_invalido"),
        ("nit=860069804", "/nit", "nit_formato"),
        ("desde=2026-02-30", "/desde", "invalid_date"),
        ("hasta=ayer", "/hasta", "invalid_date"),
        (
            "desde=2026-02-02&hasta=2026-02-01",
            "/desde",
            "invalid_range",
        ),
    ] {
        olga.get(&format!("/facturas?{query}"))
            .await
            .invalid(&[(place, code)]);
    }
    assert_eq!(olga.get("/facturas?colour=red").await.status, 422);
    assert_eq!(olga.get("/facturas?sin_asignar=quizas").await.status, 422);
    let page = olga.get("/facturas?limit=1").await.expect(200);
    let cursor = page["next"].as_str().unwrap();
    let elsewhere = format!("/facturas?estado=pendiente&limit=1&cursor={cursor}");
    olga.get(&elsewhere).await.refused(400, "bad_cursor");
}

async fn seen(client: &Client, query: &str) -> Vec<String> {
    let listed = client.list(&format!("/facturas{query}")).await;
    let mut seen: Vec<String> = numbers(&listed).into_iter().map(str::to_owned).collect();
    seen.sort();
    seen
}

#[tokio::test]
async fn others_than_readers_see_what_is_theirs_or_delegated_to_them_today() {
    let (company, all) = some().await;
    let (juan, maria, nora) = (
        company.person(JUAN).await,
        company.person(MARIA).await,
        company.person(NORA).await,
    );
    let of_juan = ["L-1", "L-2", "L-3", "L-4"];
    assert_eq!(seen(&juan, "").await, of_juan);
    assert_eq!(seen(&maria, "").await, ["L-6"]);
    assert!(seen(&nora, "").await.is_empty());
    assert_eq!(seen(&juan, "?estado=aprobada").await, ["L-2"]);
    // A filter never widens what one sees.
    let others = format!("?responsable={}", company.username(MARIA.word));
    assert!(seen(&juan, &others).await.is_empty());
    assert!(seen(&juan, "?sin_asignar=true").await.is_empty());
    assert!(seen(&juan, &format!("?nit={LUZ}")).await.is_empty());
    let id_of = |numero: &str| {
        let one = all.iter().find(|one| one["numero"] == numero).unwrap();
        company.factura(one["id"].as_str().unwrap())
    };
    let (own, foreign) = (id_of("L-1"), id_of("L-5"));
    for rest in ["", "/historial"] {
        juan.get(&own.path(rest)).await.expect(200);
        for stranger in [&maria, &nora] {
            assert_eq!(stranger.get(&own.path(rest)).await.status, 403);
        }
        assert_eq!(juan.get(&foreign.path(rest)).await.status, 403);
    }
    // What is delegated is seen, in order with what is one's own, and page by page alike.
    let made = company.delegate(JUAN, MARIA).await;
    let both = maria.list_by("/facturas", 2).await;
    assert_eq!(numbers(&both), ["L-3", "L-2", "L-1", "L-6", "L-4"]);
    maria.get(&own.path("")).await.expect(200);
    company
        .person(LUIS)
        .await
        .delete(&format!("/delegaciones/{}", made["id"].as_str().unwrap()))
        .await
        .expect(204);
    assert_eq!(seen(&maria, "").await, ["L-6"]);
    assert_eq!(maria.get(&own.path("")).await.status, 403);
}

/// What stands in somebody's inbox: numbers, rights and whom they stand in for.
async fn inbox(client: &Client) -> Vec<Value> {
    let items = client.list_by("/facturas/bandeja", 2).await;
    items
        .iter()
        .map(|item| json!([item["numero"], item["calidad"], item["a_nombre_de"]]))
        .collect()
}

#[tokio::test]
async fn the_inbox_holds_what_waits_for_oneself_oldest_first() {
    let company = Company::of_payables().await;
    company.set_policy(politica(|policy| {
        policy["bandas"]["COP"] = json!([{ "hasta": "5.00", "aprobaciones": 1 }, { "hasta": null, "aprobaciones": 2 }]);
    })).await;
    let register = async |numero: &str, total: &str| {
        company
            .register_as(VERA, body_of(ASEO, numero, total))
            .await
    };
    let one: Factura = register("I-1", "1.00").await;
    let two = register("I-2", "9.00").await;
    register("I-3", "3.00").await;
    company.delegate(JUAN, MARIA).await;
    company.delegate(PEDRO, JUAN).await;
    company.assign(LUZ, PEDRO).await;
    company.register_as(VERA, body_of(LUZ, "I-4", "1.00")).await;
    let (juan, maria) = (company.person(JUAN).await, company.person(MARIA).await);
    let responsable = |numero: &str| json!([numero, "responsable", null]);
    let for_juan = |numero: &str| json!([numero, "delegado", JUAN.name]);
    let for_pedro = |numero: &str| json!([numero, "delegado", PEDRO.name]);
    assert_eq!(
        inbox(&juan).await,
        [
            responsable("I-1"),
            responsable("I-2"),
            responsable("I-3"),
            for_pedro("I-4")
        ]
    );
    assert_eq!(
        inbox(&maria).await,
        [for_juan("I-1"), for_juan("I-2"), for_juan("I-3")]
    );
    one.rechazar(JUAN).await.expect(200);
    two.aprobar(MARIA).await.expect(200);
    // Decided, or approved by either of the two: nothing is left for them to do.
    let left = [responsable("I-3"), for_pedro("I-4")];
    eventually("the inbox follows", || async {
        (inbox(&juan).await == left).then_some(())
    })
    .await;
    assert_eq!(inbox(&maria).await, [for_juan("I-3")]);
    // Roles bring nothing into the inbox, and neither does what one registered.
    for who in [LUIS, ANA, NORA, OLGA] {
        assert!(
            inbox(&company.person(who).await).await.is_empty(),
            "{}",
            who.name
        );
    }
    company.assign(LUZ, VERA).await;
    company.register_as(VERA, body_of(LUZ, "I-5", "1.00")).await;
    assert!(inbox(&company.person(VERA).await).await.is_empty());
    one.reabrir(LUIS).await.expect(200);
    let back = [responsable("I-1"), responsable("I-3"), for_pedro("I-4")];
    eventually("it is back", || async {
        (inbox(&juan).await == back).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_the_inbox_offers_can_be_decided() {
    let (company, _) = some().await;
    company.delegate(MARIA, JUAN).await;
    let juan = company.person(JUAN).await;
    let offered = juan.list("/facturas/bandeja").await;
    assert!(!offered.is_empty());
    for one in offered {
        let factura = company.factura(one["id"].as_str().unwrap());
        factura.aprobar(JUAN).await.expect(200);
    }
    eventually("the inbox is empty", || async {
        juan.list("/facturas/bandeja")
            .await
            .is_empty()
            .then_some(())
    })
    .await;
    company.payables_agree().await;
}
