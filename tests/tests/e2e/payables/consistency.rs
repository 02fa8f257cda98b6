//! Facturas that no longer say what their rounds say: found, listed, repaired once.

use cierre_tests::{
    ANA, AUTOMATIZACION, Company, Factura, JUAN, LUIS, OLGA, PEDRO, accion_por_of, automatica,
    body_of, corrupt, edit, eventually,
};
use serde_json::{Value, json};

const CHECK: &str = "/facturas/consistencia";
const REPAIR: &str = "/facturas/consistencia/reparar";

/// Runs the check; answers its report, every page of it.
async fn report(company: &Company) -> (Value, Vec<Value>) {
    let ana = company.person(ANA).await;
    ana.run_work(CHECK, json!({})).await;
    let olga = company.person(OLGA).await;
    let mut found = Vec::new();
    let mut go_on = String::new();
    loop {
        let page = olga
            .get(&format!("{CHECK}?limit=100{go_on}"))
            .await
            .expect(200);
        found.extend(page["divergentes"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(cursor) => go_on = format!("&cursor={cursor}"),
            None => return (page, found),
        }
    }
}

async fn repair(company: &Company, dry_run: bool) -> Value {
    let body = if dry_run {
        json!({ "dry_run": true })
    } else {
        json!({})
    };
    let work = company.person(ANA).await.run_work(REPAIR, body).await;
    work["aplicados"].clone()
}

/// Facturas in several states, all in order.
async fn several() -> (Company, Vec<Factura>) {
    let company = Company::of_payables().await;
    let mut all = Vec::new();
    for nth in 0..4 {
        all.push(company.pending(&format!("C-{nth}")).await);
    }
    all[1].aprobar(JUAN).await.expect(200);
    all[2].rechazar(LUIS).await.expect(200);
    all[3].rechazar(LUIS).await.expect(200);
    all[3].reabrir(LUIS).await.expect(200);
    (company, all)
}

#[tokio::test]
async fn after_any_commands_nothing_diverges_and_a_repair_has_nothing_to_do() {
    let (company, all) = several().await;
    let (page, found) = report(&company).await;
    assert_eq!(
        json!([page["revisadas"], page["total_divergentes"], found]),
        json!([all.len(), 0, []]),
        "{page}"
    );
    assert!(page["fecha"].is_string());
    let before = company.person(OLGA).await.list("/facturas").await;
    assert_eq!(repair(&company, false).await, 0);
    assert_eq!(company.person(OLGA).await.list("/facturas").await, before);
    company.payables_agree().await;
}

#[tokio::test]
async fn what_diverges_is_listed_by_field_and_repaired_exactly_once() {
    let (company, all) = several().await;
    let approved = &all[1];
    let right = approved.now().await;
    corrupt(approved, "Un Extraño").await;
    let (page, found) = report(&company).await;
    assert_eq!(
        json!([page["total_divergentes"], page["revisadas"]]),
        json!([1, all.len()])
    );
    assert_eq!(
        json!([
            found[0]["factura_id"],
            found[0]["numero"],
            found[0]["campo"]
        ]),
        json!([approved.id, "C-1", "accion_por"])
    );
    assert!(
        found[0]["valor_factura"].to_string().contains("Un Extraño"),
        "{found:?}"
    );
    assert!(
        found[0]["valor_workflow"].to_string().contains(JUAN.name),
        "{found:?}"
    );

    assert_eq!(
        repair(&company, true).await,
        1,
        "a dry run says what a repair would do"
    );
    assert_eq!(
        approved.now().await["accion_por"],
        "Un Extraño",
        "and does nothing"
    );
    assert_eq!(repair(&company, false).await, 1);
    assert_eq!(repair(&company, false).await, 0);
    assert_eq!(repair(&company, true).await, 0);

    let now = approved.now().await;
    for field in [
        "estado",
        "accion_por",
        "accion_por_id",
        "aprobado_por",
        "fecha_accion",
        "workflow",
    ] {
        assert_eq!(now[field], right[field], "{field}");
    }
    let told = approved.events_of("accion_por_reparada").await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        json!([told[0]["event_type"], told[0]["user"]]),
        json!(["update", company.username(ANA.word)])
    );
    let details = &told[0]["details"];
    assert!(
        details["antes"]["accion_por"]
            .to_string()
            .contains("Un Extraño"),
        "{details}"
    );
    assert!(
        details["despues"]["accion_por"]
            .to_string()
            .contains(JUAN.name),
        "{details}"
    );
    let (page, _) = report(&company).await;
    assert_eq!(page["total_divergentes"], 0);
    let olga = company.person(OLGA).await;
    eventually("it is found by the right name again", || async {
        let found = accion_por_of(&olga, JUAN.name).await;
        (found == [approved.id.as_str()]).then_some(())
    })
    .await;
    company.payables_agree().await;
}

#[tokio::test]
async fn every_field_that_follows_from_the_round_is_checked() {
    let (company, all) = several().await;
    let rejected = &all[2];
    let right = rejected.now().await;
    edit(rejected, |doc| {
        let fields = doc.pointer_mut("/factura/sincronizado").unwrap();
        fields["estado"] = json!("pendiente");
        for field in [
            "accion_por",
            "fecha_accion",
            "rechazado_por",
            "fecha_rechazo",
            "motivo_rechazo",
        ] {
            fields[field] = Value::Null;
        }
    })
    .await;
    let (page, found) = report(&company).await;
    let mut fields: Vec<&str> = found
        .iter()
        .map(|one| one["campo"].as_str().unwrap())
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "accion_por",
            "accion_por_id",
            "estado",
            "fecha_accion",
            "fecha_rechazo",
            "motivo_rechazo",
            "rechazado_por",
            "rechazado_por_id",
        ]
    );
    assert!(
        found
            .iter()
            .all(|one| one["factura_id"] == rejected.id.as_str())
    );
    assert_eq!(
        page["total_divergentes"], 1,
        "one factura, however many of its fields"
    );
    assert_eq!(repair(&company, false).await, 1);
    let now = rejected.now().await;
    for field in [
        "estado",
        "accion_por",
        "rechazado_por",
        "fecha_rechazo",
        "motivo_rechazo",
    ] {
        assert_eq!(now[field], right[field], "{field}");
    }
    company.payables_agree().await;
}

#[tokio::test]
async fn a_factura_without_its_round_is_listed_and_left_alone() {
    let (company, all) = several().await;
    let stack = &company.stack;
    let (pk, sk) = (all[1].pk(), Factura::round_sk(1));
    let round = stack.payables_item(&pk, &sk).await;
    assert!(!round.is_empty(), "no round at {pk} {sk}");
    stack.drop_payables_item(&pk, &sk).await;
    let (page, found) = report(&company).await;
    assert_eq!(page["total_divergentes"], 1, "{page}");
    assert_eq!(
        json!([found[0]["factura_id"], found[0]["campo"]]),
        json!([all[1].id, "workflow_ausente"])
    );
    assert_eq!(repair(&company, false).await, 0);
    let (page, _) = report(&company).await;
    assert_eq!(page["total_divergentes"], 1);
    stack.put_payables_item(round).await;
    let (page, _) = report(&company).await;
    assert_eq!(page["total_divergentes"], 0);
}

#[tokio::test]
async fn a_report_is_told_page_by_page() {
    let company = Company::of_payables().await;
    let pedro = company.person(PEDRO).await;
    let bodies: Vec<Value> = (0..130)
        .map(|n| body_of(cierre_tests::ASEO, &format!("P-{n}"), "1.00"))
        .collect();
    let items = pedro
        .outcomes("/facturas/lote", json!({ "facturas": bodies }))
        .await;
    let mut ids: Vec<&str> = items
        .iter()
        .map(|item| item["factura_id"].as_str().unwrap())
        .collect();
    for id in &ids {
        corrupt(&company.factura(id), "Un Extraño").await;
    }
    let (page, found) = report(&company).await;
    assert_eq!(page["total_divergentes"], 130);
    let olga = company.person(OLGA).await;
    let first = olga.get(&format!("{CHECK}?limit=100")).await.expect(200);
    assert_eq!(first["divergentes"].as_array().unwrap().len(), 100);
    let mut listed: Vec<&str> = found
        .iter()
        .map(|one| one["factura_id"].as_str().unwrap())
        .collect();
    listed.sort_unstable();
    ids.sort_unstable();
    assert_eq!(listed, ids);
    assert_eq!(repair(&company, false).await, 130);
    let (page, _) = report(&company).await;
    assert_eq!(page["total_divergentes"], 0);
}

#[tokio::test]
async fn a_repaired_automatic_one_keeps_its_names() {
    let company = Company::of_payables().await;
    let mut first = body_of(cierre_tests::ASEO, "A-0", "1000.00");
    first["fecha_emision"] = json!("2026-01-05");
    company
        .register(first)
        .await
        .aprobar(JUAN)
        .await
        .expect(200);
    company.set_policy(automatica(|_| {})).await;
    let automatic = company
        .register(body_of(cierre_tests::ASEO, "A-1", "1000.00"))
        .await;
    corrupt(&automatic, JUAN.name).await;
    assert_eq!(repair(&company, false).await, 1);
    let now = automatic.now().await;
    assert_eq!(
        json!([now["estado"], now["accion_por"]]),
        json!(["aprobada_auto", AUTOMATIZACION])
    );
    company.payables_agree().await;
}
