//! `accion_por`: who made the last change of state, in every place the same, and never what a request says.

use cierre_tests::{
    ANA, ASEO, Company, Factura, JUAN, LUIS, LUZ, MARIA, MOTIVO, OLGA, PEDRO, SARA, accion_por_of,
    automatica, body_of, politica, synchronised, within,
};
use reqwest::Method;
use serde_json::{Value, json};

/// Indexes and counters follow within five seconds.
const FOLLOWS: std::time::Duration = std::time::Duration::from_secs(5);

/// Waits until every place names this person as the last one who acted on the only factura.
async fn everywhere(factura: &Factura, nombre: &str, estado: &str) {
    let olga = factura.company.person(OLGA).await;
    let now = factura.now().await;
    assert_eq!(
        json!([now["accion_por"], now["estado"]]),
        json!([nombre, estado])
    );
    for (field, value) in synchronised(&now["workflow"]).as_object().unwrap() {
        assert_eq!(now[field], *value, "{field}");
    }
    let (rounds, events) = factura.historial().await;
    assert_eq!(rounds.last(), Some(&now["workflow"]));
    let told = events
        .iter()
        .rev()
        .find(|event| event["details"]["accion_por"].is_string());
    if let Some(told) = told.filter(|_| estado != "pendiente") {
        assert_eq!(told["details"]["accion_por"], nombre);
    }
    let board = json!([{ "nombre": nombre, "estado": estado }]);
    within(
        FOLLOWS,
        &format!("list, filter and dashboard say {nombre}"),
        || async {
            let listed = olga.list("/facturas").await;
            let of_state = olga.list(&format!("/facturas?estado={estado}")).await;
            let rows = olga.list("/facturas/dashboard/acciones").await;
            let mut counted = Vec::new();
            for row in &rows {
                for (estado, figure) in row["por_estado"].as_object().unwrap() {
                    if figure["cantidad"] != 0 {
                        counted.push(json!({ "nombre": row["accion_por"], "estado": estado }));
                    }
                }
            }
            (listed[0]["accion_por"] == nombre
                && of_state.len() == 1
                && accion_por_of(&olga, nombre).await == [factura.id.as_str()]
                && json!(counted) == board)
                .then_some(())
        },
    )
    .await;
}

#[tokio::test]
async fn after_every_change_of_state_every_place_names_who_made_it_within_five_seconds() {
    let company = Company::of_payables().await;
    company
        .set_policy(politica(|policy| {
            policy["bandas"]["COP"] = json!([{ "hasta": null, "aprobaciones": 2 }]);
        }))
        .await;
    company.delegate(JUAN, MARIA).await;
    let factura = company.pending("E-1").await;
    factura.aprobar(LUIS).await.expect(200);
    everywhere(&factura, LUIS.name, "en_revision").await;
    factura.aprobar(MARIA).await.expect(200);
    everywhere(&factura, MARIA.name, "aprobada").await;
    assert_eq!(factura.now().await["a_nombre_de"], JUAN.name);
    factura.reabrir(SARA).await.expect(200);
    everywhere(&factura, SARA.name, "pendiente").await;
    assert!(factura.now().await["a_nombre_de"].is_null());
    factura.rechazar(JUAN).await.expect(200);
    everywhere(&factura, JUAN.name, "rechazada").await;
    assert_eq!(factura.now().await["motivo_rechazo"], MOTIVO);
    company.payables_agree().await;
}

#[tokio::test]
async fn whoever_acts_need_not_be_who_answers() {
    let company = Company::of_payables().await;
    let factura = company.pending("E-2").await;
    factura.aprobar(LUIS).await.expect(200);
    let now = factura.now().await;
    assert_eq!(
        json!([now["responsable"], now["accion_por"], now["aprobado_por"]]),
        json!([JUAN.name, LUIS.name, LUIS.name])
    );
    company.payables_agree().await;
}

/// Every field that follows from the round, and the others that intake alone sets.
const FORBIDDEN: [&str; 24] = [
    "accion_por",
    "accion_por_id",
    "fecha_accion",
    "a_nombre_de",
    "a_nombre_de_id",
    "estado",
    "responsable_id",
    "responsable_usuario",
    "aprobado_por",
    "aprobado_por_id",
    "fecha_aprobacion",
    "rechazado_por",
    "rechazado_por_id",
    "fecha_rechazo",
    "motivo_rechazo",
    "workflow",
    "registrada_por",
    "registrada_por_id",
    "fecha_registro",
    "origen",
    "cufe",
    "version",
    "id",
    "items_omitidos",
];

#[tokio::test]
async fn no_body_sets_a_field_that_follows_from_the_round_and_nothing_is_written() {
    let company = Company::of_payables().await;
    let factura = company.pending("F-1").await;
    let decided = company.pending("F-2").await;
    decided.rechazar(JUAN).await.expect(200);
    let before = (factura.now().await, decided.now().await);
    let (pedro, ana) = (company.person(PEDRO).await, company.person(ANA).await);
    let juan = company.named(JUAN).await;
    let commands = [
        (factura.path("/aprobar"), json!({})),
        (factura.path("/rechazar"), json!({ "motivo": MOTIVO })),
        (factura.path("/asignar"), json!({ "responsable": juan })),
        (decided.path("/reabrir"), json!({ "motivo": MOTIVO })),
    ];
    for field in FORBIDDEN {
        let place = format!("/{field}");
        let expected = [(place.as_str(), "unknown_field")];
        let mut body = body_of(ASEO, "F-3", "1.00");
        body[field] = json!("Juan Perez");
        pedro.post("/facturas", body).await.invalid(&expected);
        for (path, body) in &commands {
            let mut body = body.clone();
            body[field] = json!("Juan Perez");
            ana.post(path, body).await.invalid(&expected);
        }
        for (path, body) in [
            ("/facturas/consistencia", json!({})),
            ("/facturas/consistencia/reparar", json!({})),
            ("/facturas/recordatorios", json!({})),
            (
                "/facturas/cargas",
                json!({ "nombre_archivo": "a.xml", "tamano": 1 }),
            ),
        ] {
            let mut body = body;
            body[field] = json!("Juan Perez");
            ana.post(path, body).await.invalid(&expected);
        }
    }
    // `responsable` belongs to `asignar` alone.
    let mut body = body_of(ASEO, "F-3", "1.00");
    body["responsable"] = json!(juan);
    pedro
        .post("/facturas", body)
        .await
        .invalid(&[("/responsable", "unknown_field")]);
    let responsable = json!({ "responsable": juan });
    ana.post(&factura.path("/aprobar"), responsable)
        .await
        .invalid(&[("/responsable", "unknown_field")]);
    assert_eq!((factura.now().await, decided.now().await), before);
    assert_eq!(pedro.list("/facturas").await.len(), 2);
}

#[tokio::test]
async fn a_factura_cannot_be_changed_by_patch_or_put() {
    let company = Company::of_payables().await;
    let factura = company.pending("F-4").await;
    let ana = company.person(ANA).await;
    for method in [Method::PATCH, Method::PUT] {
        let body = json!({ "accion_por": "Ana Ruiz" });
        let reply = ana.send(method, &factura.path("")).json(&body).now().await;
        assert!([404, 405].contains(&reply.status), "{}", reply.text);
    }
}

#[tokio::test]
async fn what_is_decided_is_decided_by_somebody_in_every_answer() {
    let company = Company::of_payables().await;
    let mut first = body_of(ASEO, "G-0", "1000.00");
    first["fecha_emision"] = json!("2026-01-05");
    company
        .register(first)
        .await
        .aprobar(JUAN)
        .await
        .expect(200);
    company.set_policy(automatica(|_| {})).await;
    let automatic = company.register(body_of(ASEO, "G-1", "1000.00")).await;
    let rejected = company.register(body_of(LUZ, "G-2", "1.00")).await;
    rejected.asignar(ANA, JUAN).await.expect(200);
    rejected.rechazar(LUIS).await.expect(200);
    let olga = company.person(OLGA).await;
    let mut answers: Vec<Value> = olga.list("/facturas").await;
    for estado in ["aprobada", "aprobada_auto", "rechazada"] {
        let listed = olga.list(&format!("/facturas?estado={estado}")).await;
        assert_eq!(listed.len(), 1, "{estado}");
        answers.extend(listed);
    }
    answers.push(automatic.now().await);
    for one in answers {
        assert!(one["accion_por"].is_string(), "{one:#}");
        assert!(one["fecha_accion"].is_string(), "{one:#}");
    }
}
