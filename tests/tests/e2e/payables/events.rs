//! Every kind of event of payables, with the details that the contract names and no others. Those of a lost job and of an escalation, which take
//! deaths and days, are looked at where these are tried.

use std::collections::BTreeSet;

use cierre_tests::{
    ANA, ASEO, Company, JUAN, LUIS, LUZ, MARIA, NORA, OLGA, PEDRO, Xml, automatica, body_of,
    corrupt, eventually, keys,
};
use serde_json::{Value, json};

/// The members of the details of every decision.
const DECISION: &[&str] = &[
    "a_nombre_de",
    "accion_por",
    "aprobaciones",
    "calidad",
    "comparacion",
    "estado_anterior",
    "estado_nuevo",
    "motivo",
    "politica_version",
    "responsable",
    "ronda",
    "sod_excepcion",
];
const AVISO: &[&str] = &["destinatarios", "dias_habiles", "ronda"];
const CAMBIO: &[&str] = &["antes", "despues", "nit"];
const SUPLENCIA: &[&str] = &["a", "de", "desde", "hasta", "motivo"];
const CUENTAS: &[&str] = &["aplicados", "dry_run", "no_aplicados", "tipo", "total"];

/// Action, type, resource type, details.
const EVENTS: [(&str, &str, &str, &[&str]); 21] = [
    (
        "factura_registrada",
        "create",
        "factura",
        &["moneda", "nit", "numero", "origen", "responsable", "total"],
    ),
    ("factura_aprobada_parcial", "resolve", "factura", DECISION),
    ("factura_aprobada", "resolve", "factura", DECISION),
    ("factura_aprobada_auto", "resolve", "factura", DECISION),
    ("factura_rechazada", "resolve", "factura", DECISION),
    (
        "factura_reabierta",
        "update",
        "factura",
        &["estado_anterior", "motivo", "ronda"],
    ),
    (
        "responsable_asignado",
        "update",
        "factura",
        &["responsable"],
    ),
    (
        "factura_eliminada",
        "delete",
        "factura",
        &["nit", "numero", "total"],
    ),
    ("decision_denegada", "error", "factura", &["accion", "code"]),
    ("recordatorio_generado", "generate", "factura", AVISO),
    (
        "accion_por_reparada",
        "update",
        "factura",
        &["antes", "despues"],
    ),
    ("historial_consultado", "view", "factura", &[]),
    (
        "xml_recibido",
        "upload",
        "carga_factura",
        &["clave", "tamano"],
    ),
    (
        "ingreso_rechazado",
        "error",
        "carga_factura",
        &["code", "columna", "linea", "ruta_xml"],
    ),
    ("asignacion_creada", "create", "asignacion", CAMBIO),
    ("asignacion_modificada", "update", "asignacion", CAMBIO),
    ("asignacion_eliminada", "delete", "asignacion", CAMBIO),
    ("delegacion_creada", "create", "delegacion", SUPLENCIA),
    ("delegacion_revocada", "delete", "delegacion", SUPLENCIA),
    (
        "politica_modificada",
        "update",
        "politica",
        &["antes", "despues", "version"],
    ),
    ("trabajo_completado", "process", "trabajo", CUENTAS),
];

/// Does everything that leaves an event.
async fn live(company: &Company) {
    let (ana, luis) = (company.person(ANA).await, company.person(LUIS).await);
    let mut first = body_of(ASEO, "E-0", "1000.00");
    first["fecha_emision"] = json!("2026-01-05");
    let first = company.register(first).await;
    first.aprobar(NORA).await.expect(403);
    first.aprobar(JUAN).await.expect(200);
    company.set_policy(automatica(|policy| {
        policy["bandas"]["COP"] = json!([{ "hasta": "5000.00", "aprobaciones": 1 }, { "hasta": null, "aprobaciones": 2 }]);
        policy["recordatorio"] = json!({ "dias_habiles": 0, "escalar_dias_habiles": 60 });
    })).await;
    let automatic = company.register(body_of(ASEO, "E-1", "1000.00")).await;
    assert_eq!(automatic.estado().await, "aprobada_auto");
    let large = company.register(body_of(ASEO, "E-2", "9000.00")).await;
    large.aprobar(LUIS).await.expect(200);
    large.rechazar(JUAN).await.expect(200);
    large.reabrir(LUIS).await.expect(200);
    corrupt(&large, "Un Extraño").await;
    ana.run_work("/facturas/consistencia/reparar", json!({}))
        .await;
    let waiting = company.register(body_of(LUZ, "E-3", "1.00")).await;
    waiting.asignar(PEDRO, MARIA).await.expect(200);
    waiting.historial().await;
    ana.run_work("/facturas/recordatorios", json!({})).await;
    waiting.eliminar(PEDRO).await.expect(204);
    company.taken(Xml::numbered("E-4").bytes(), "E-4").await;
    company.refused_xml(b"<html/>").await;
    company.assign(LUZ, JUAN).await;
    company.assign(LUZ, MARIA).await;
    ana.delete(&format!("/asignaciones/{LUZ}"))
        .await
        .expect(204);
    let delegation = company.delegate(JUAN, MARIA).await;
    let path = format!("/delegaciones/{}", delegation["id"].as_str().unwrap());
    luis.delete(&path).await.expect(204);
}

fn row(action: &str, kind: &str, resource: &str, details: &[&str]) -> String {
    format!("{action} {kind} {resource} {details:?}")
}

#[tokio::test]
async fn events_say_exactly_what_the_contract_names() {
    let company = Company::of_payables().await;
    live(&company).await;
    let mut expected: BTreeSet<String> = EVENTS
        .map(|(action, kind, resource, details)| row(action, kind, resource, details))
        .into();
    expected.insert(row(
        "settings_updated",
        "update",
        "company_settings",
        &["changed"],
    ));
    let olga = company.person(OLGA).await;
    let listed = async || {
        let events = olga.list("/activity").await;
        let said = |event: &Value| {
            let word = |member: &str| event[member].as_str().unwrap().to_owned();
            row(
                &word("action"),
                &word("event_type"),
                &word("resource_type"),
                &keys(&event["details"]),
            )
        };
        events.iter().map(said).collect::<BTreeSet<String>>()
    };
    // As many as are named: then the comparison says which.
    let found = eventually("the events are listed", || async {
        let found = listed().await;
        (found.len() >= expected.len()).then_some(found)
    })
    .await;
    assert_eq!(found, expected);
}

#[tokio::test]
async fn every_resource_has_a_chain_that_holds() {
    let company = Company::of_payables().await;
    live(&company).await;
    let admin = company.person(ANA).await;
    let mut resources = BTreeSet::new();
    for event in admin.list("/activity").await {
        let word = |member: &str| event[member].as_str().unwrap().to_owned();
        resources.insert((word("resource_type"), word("resource_id")));
    }
    let kinds: BTreeSet<&str> = resources.iter().map(|(kind, _)| &**kind).collect();
    let known: BTreeSet<&str> = EVENTS.iter().map(|(_, _, resource, _)| *resource).collect();
    assert!(kinds.is_superset(&known), "{kinds:?}");
    for (kind, id) in resources.iter().filter(|(kind, _)| known.contains(&**kind)) {
        let id: String = id.replace('/', "%2F");
        let path = format!("/activity/verify?resource_type={kind}&resource_id={id}");
        let verified = admin.get(&path).await.expect(200);
        assert_eq!(verified["valid"], true, "{kind} {id}: {verified}");
        let events = admin
            .list(&format!("/activity?resource_type={kind}&resource_id={id}"))
            .await;
        assert_eq!(
            verified["events"].as_u64(),
            Some(events.len() as u64),
            "{kind} {id}"
        );
    }
}

#[tokio::test]
async fn a_decision_says_who_for_whom_by_which_right_and_how_far_the_round_is() {
    let company = Company::of_payables().await;
    let policy = company
        .set_policy(cierre_tests::politica(|policy| {
            policy["bandas"]["COP"] = json!([{ "hasta": null, "aprobaciones": 2 }]);
        }))
        .await;
    company.delegate(JUAN, MARIA).await;
    let factura = company.pending("D-1").await;
    factura.aprobar(MARIA).await.expect(200);
    factura.rechazar(LUIS).await.expect(200);
    let partial = factura
        .events_of("factura_aprobada_parcial")
        .await
        .remove(0);
    assert_eq!(
        partial["details"],
        json!({
            "estado_anterior": "pendiente", "estado_nuevo": "en_revision", "accion_por": MARIA.name,
            "responsable": JUAN.name, "calidad": "delegado", "a_nombre_de": JUAN.name, "ronda": 1,
            "aprobaciones": "1/2", "politica_version": policy["version"], "motivo": null,
            "comparacion": null, "sod_excepcion": false,
        })
    );
    let rejected = factura.events_of("factura_rechazada").await.remove(0);
    assert_eq!(
        rejected["details"],
        json!({
            "estado_anterior": "en_revision", "estado_nuevo": "rechazada", "accion_por": LUIS.name,
            "responsable": JUAN.name, "calidad": "supervisor", "a_nombre_de": null, "ronda": 1,
            "aprobaciones": "1/2", "politica_version": policy["version"], "motivo": cierre_tests::MOTIVO,
            "comparacion": null, "sod_excepcion": false,
        })
    );
    let registered = factura.events_of("factura_registrada").await.remove(0);
    assert_eq!(
        json!([registered["user"], registered["details"]]),
        json!([company.username(PEDRO.word), {
            "numero": "D-1", "nit": ASEO, "moneda": "COP", "total": "4000000.00",
            "responsable": JUAN.name, "origen": "json",
        }])
    );
}
