//! Long work: many facturas at once, facturas of before, one decision on many; what a dry run says and what the run does.

use cierre_tests::{
    ANA, ASEO, AUTOMATIZACION, Company, Factura, JUAN, LUIS, LUZ, MARIA, MOTIVO, NORA, OLGA, PEDRO,
    accion_por_of, automatica, body_of, eventually,
};
use serde_json::{Value, json};

const LOTE: &str = "/facturas/lote";
const HISTORICO: &str = "/facturas/historico";
const DECISIONES: &str = "/facturas/decisiones";

fn issued(numero: &str, fecha: &str, total: &str) -> Value {
    let mut body = body_of(ASEO, numero, total);
    body["fecha_emision"] = json!(fecha);
    body["fecha_vencimiento"] = Value::Null;
    body
}

/// What became of items: result, state, code.
fn said(items: &[Value]) -> Vec<Value> {
    items
        .iter()
        .map(|item| json!([item["resultado"], item["estado"], item["code"]]))
        .collect()
}

/// The same as a dry run says it.
fn foretold(items: &[Value]) -> Vec<Value> {
    let word = |item: &Value| match item["resultado"].as_str() {
        Some("aplicaria") => "aplicado",
        Some("no_aplicaria") => "no_aplicado",
        other => panic!("{other:?} is no result of a dry run"),
    };
    items
        .iter()
        .map(|item| json!([word(item), item["estado"], item["code"]]))
        .collect()
}

/// A request of everything that can become of an item, in a company that approves by rule.
async fn everything() -> (Company, Vec<Value>) {
    let company = Company::of_payables().await;
    let reference = company
        .register(issued("R-0", "2026-01-05", "1000000.00"))
        .await;
    reference.aprobar(JUAN).await.expect(200);
    company.set_policy(automatica(|_| {})).await;
    let mut wrong = issued("L-5", "2026-02-05", "0.00");
    wrong["nit"] = json!("860069804-3");
    let items = vec![
        issued("L-1", "2026-02-05", "1000000.00"),
        issued("l 1", "2026-02-05", "1000000.00"),
        issued("L-2", "2026-02-06", "1000000.00"),
        issued("R 0", "2026-02-05", "1.00"),
        wrong,
        body_of(LUZ, "L-6", "1.00"),
    ];
    (company, items)
}

#[tokio::test]
async fn a_lote_gives_every_item_its_outcome_as_its_dry_run_foretold() {
    let (company, items) = everything().await;
    let pedro = company.person(PEDRO).await;
    let before = pedro.list("/facturas").await;
    let dry = pedro
        .outcomes(LOTE, json!({ "facturas": items, "dry_run": true }))
        .await;
    assert_eq!(
        pedro.list("/facturas").await,
        before,
        "a dry run registers nothing"
    );
    let real = pedro.outcomes(LOTE, json!({ "facturas": items })).await;
    assert_eq!(
        said(&real),
        [
            json!(["aplicado", "aprobada_auto", null]),
            json!(["no_aplicado", null, "factura_duplicada"]),
            json!(["aplicado", "pendiente", null]),
            json!(["no_aplicado", null, "factura_duplicada"]),
            json!(["no_aplicado", null, "validation_failed"]),
            json!(["aplicado", "pendiente", null]),
        ]
    );
    assert_eq!(foretold(&dry), said(&real));
    assert_eq!(dry[4]["errors"], real[4]["errors"]);
    let places: Vec<&str> = real[4]["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["/nit", "/total"]);
    assert_eq!(
        real[1]["factura_id"], real[0]["factura_id"],
        "the one that it duplicates"
    );
    let registered = company.factura(real[5]["factura_id"].as_str().unwrap());
    let now = registered.now().await;
    assert_eq!(
        json!([now["origen"], now["registrada_por"]]),
        json!(["lote", PEDRO.name])
    );
    company.payables_agree().await;
}

#[tokio::test]
async fn a_trabajo_tells_of_itself_and_its_items_to_whom_it_concerns() {
    let (company, items) = everything().await;
    let pedro = company.person(PEDRO).await;
    let work = pedro.run_work(LOTE, json!({ "facturas": items })).await;
    assert_eq!(
        json!([
            work["tipo"],
            work["total"],
            work["aplicados"],
            work["no_aplicados"],
            work["dry_run"],
            work["error"]
        ]),
        json!(["lote", 6, 3, 3, false, null])
    );
    assert!(
        work["creado_por"].is_string() && work["creado_en"].is_string(),
        "{work}"
    );
    let path = format!("/facturas/trabajos/{}", work["id"].as_str().unwrap());
    let results = format!("{path}/resultados");
    let refused = pedro
        .list(&format!("{results}?resultado=no_aplicado"))
        .await;
    assert_eq!(refused.len(), 3);
    assert!(
        refused
            .iter()
            .all(|item| item["resultado"] == "no_aplicado")
    );
    assert_eq!(
        pedro.list_by(&results, 1).await,
        pedro.results(work["id"].as_str().unwrap()).await
    );
    let wrong = pedro.get(&format!("{results}?resultado=quizas")).await;
    wrong.invalid(&[("/resultado", "valor_no_admitido")]);
    for reader in [LUIS, OLGA, ANA] {
        assert_eq!(
            company.person(reader).await.get(&path).await.expect(200),
            work
        );
    }
    let nora = company.person(NORA).await;
    for path in [&path, &results] {
        assert_eq!(nora.get(path).await.status, 403);
    }
    nora.post(&format!("{path}/reintentar"), json!({}))
        .await
        .expect(403);
    let events = company
        .person(ANA)
        .await
        .list(&format!(
            "/activity?resource_type=trabajo&resource_id={}",
            work["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        json!([events[0]["action"], events[0]["user"], events[0]["details"]]),
        json!(["trabajo_completado", company.username(PEDRO.word), {
            "tipo": "lote", "total": 6, "aplicados": 3, "no_aplicados": 3, "dry_run": false,
        }])
    );
}

#[tokio::test]
async fn one_idempotency_key_starts_one_trabajo() {
    let company = Company::of_payables().await;
    let pedro = company.person(PEDRO).await;
    let body = json!({ "facturas": [body_of(ASEO, "K-1", "1.00")] });
    let first = pedro.post_as("bulk", LOTE, body.clone()).await.expect(202);
    let again = pedro.post_as("bulk", LOTE, body).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.expect(202), first);
    let work = pedro.work_end(first["id"].as_str().unwrap()).await;
    assert_eq!(work["aplicados"], 1);
    let other = json!({ "facturas": [body_of(ASEO, "K-2", "1.00")] });
    pedro
        .post_as("bulk", LOTE, other)
        .await
        .refused(422, "idempotency_key_reused");
}

/// A factura of before with this decision.
fn imported(numero: &str, workflow: Value) -> Value {
    let mut body = body_of(ASEO, numero, "1000.00");
    body["workflow"] = workflow;
    body
}

#[tokio::test]
async fn facturas_of_before_come_with_their_decision() {
    let company = Company::of_payables().await;
    let ana = company.person(ANA).await;
    let at = "2025-06-01T12:00:00.000Z";
    let rows = [
        imported(
            "H-1",
            json!({ "estado": "aprobada_manual", "aprobada_por": "Carlos Ruiz", "fecha_aprobacion": at }),
        ),
        imported(
            "H-2",
            json!({ "estado": "rechazada", "rechazada_por": "Ana Díaz", "fecha_rechazo": at, "detalle_rechazo": "Repetida" }),
        ),
        imported("H-3", json!({ "estado": "recibida" })),
        imported("H-4", json!({ "estado": "archivada en 2019" })),
        imported("H-5", json!({ "estado": "aprobada_auto" })),
        imported(
            "H-6",
            json!({ "estado": "aprobada_manual", "fecha_aprobacion": at }),
        ),
        imported(
            "H-7",
            json!({ "estado": "aprobada_manual", "aprobada_por": "Carlos Ruiz" }),
        ),
        imported(
            "H-8",
            json!({ "estado": "rechazada", "rechazada_por": " ", "fecha_rechazo": at }),
        ),
        imported("H-9", json!({ "estado": "en_revision" })),
        imported("h 1", json!({ "estado": "recibida" })),
    ];
    let items = ana.outcomes(HISTORICO, json!({ "facturas": rows })).await;
    assert_eq!(
        said(&items),
        [
            json!(["aplicado", "aprobada", null]),
            json!(["aplicado", "rechazada", null]),
            json!(["aplicado", "pendiente", null]),
            json!(["aplicado", "pendiente", null]),
            json!(["aplicado", "aprobada_auto", null]),
            json!(["no_aplicado", null, "historico_incompleto"]),
            json!(["no_aplicado", null, "historico_incompleto"]),
            json!(["no_aplicado", null, "historico_incompleto"]),
            json!(["no_aplicado", null, "historico_incompleto"]),
            json!(["no_aplicado", null, "factura_duplicada"]),
        ]
    );
    let now = async |nth: usize| {
        company
            .factura(items[nth]["factura_id"].as_str().unwrap())
            .now()
            .await
    };
    let first = now(0).await;
    assert_eq!(
        json!([
            first["origen"],
            first["accion_por"],
            first["accion_por_id"],
            first["aprobado_por"],
            first["fecha_accion"],
            first["registrada_por"]
        ]),
        json!([
            "historico",
            "Carlos Ruiz",
            null,
            "Carlos Ruiz",
            at,
            ANA.name
        ])
    );
    let second = now(1).await;
    assert_eq!(
        json!([
            second["accion_por"],
            second["motivo_rechazo"],
            second["fecha_rechazo"]
        ]),
        json!(["Ana Díaz", "Repetida", at])
    );
    let unknown = now(3).await;
    assert_eq!(
        json!([
            unknown["estado"],
            unknown["accion_por"],
            unknown["workflow"]["estado"]
        ]),
        json!(["pendiente", null, "archivada en 2019"])
    );

    // The one case in which an answer says more than is stored: until it is repaired, nothing finds it by name.
    let automatic = company.factura(items[4]["factura_id"].as_str().unwrap());
    assert_eq!(automatic.now().await["accion_por"], AUTOMATIZACION);
    assert!(accion_por_of(&ana, AUTOMATIZACION).await.is_empty());
    ana.run_work("/facturas/consistencia", json!({})).await;
    let report = ana.get("/facturas/consistencia").await.expect(200);
    assert_eq!(report["total_divergentes"], 1, "{report}");
    assert_eq!(
        json!([
            report["divergentes"][0]["factura_id"],
            report["divergentes"][0]["campo"],
            report["divergentes"][0]["valor_factura"]
        ]),
        json!([automatic.id, "accion_por", null])
    );
    let repaired = ana
        .run_work("/facturas/consistencia/reparar", json!({}))
        .await;
    assert_eq!(repaired["aplicados"], 1, "{repaired}");
    eventually("it is found by its name", || async {
        (accion_por_of(&ana, AUTOMATIZACION).await == [automatic.id.as_str()]).then_some(())
    })
    .await;
    // What was imported undecided is decided here, and what was decided is reopened here.
    let open = company.factura(items[3]["factura_id"].as_str().unwrap());
    open.aprobar(JUAN).await.expect(200);
    let closed = company.factura(items[0]["factura_id"].as_str().unwrap());
    closed.reabrir(LUIS).await.expect(200);
    closed.rechazar(JUAN).await.expect(200);
    company.payables_agree().await;
}

#[tokio::test]
async fn nothing_imported_is_approved_by_rule_and_what_people_approved_serves_as_reference() {
    let company = Company::of_payables().await;
    let ana = company.person(ANA).await;
    company.set_policy(automatica(|_| {})).await;
    let mut old = imported(
        "H-1",
        json!({ "estado": "aprobada_manual", "aprobada_por": "Carlos Ruiz", "fecha_aprobacion": "2026-01-06T12:00:00.000Z" }),
    );
    old["fecha_emision"] = json!("2026-01-05");
    let mut waiting = imported("H-2", json!({ "estado": "recibida" }));
    waiting["fecha_emision"] = json!("2025-06-05");
    let items = ana
        .outcomes(HISTORICO, json!({ "facturas": [old, waiting] }))
        .await;
    assert_eq!(
        json!([items[0]["estado"], items[1]["estado"]]),
        json!(["aprobada", "pendiente"])
    );
    let next = company.register(body_of(ASEO, "N-1", "1000.00")).await;
    assert_eq!(next.estado().await, "aprobada_auto");
}

/// Facturas in every situation, and one of another company, with what becomes of each when [`LUIS`] approves it.
async fn in_every_situation(company: &Company) -> (Vec<String>, Vec<Value>) {
    let other = Company::on(company.stack.clone());
    other.set_up_payables().await;
    let foreign = other.pending("F-1").await;
    let pending = company.pending("D-1").await;
    let unassigned = company.register(body_of(LUZ, "D-2", "1.00")).await;
    let approved = company.pending("D-3").await;
    approved.aprobar(JUAN).await.expect(200);
    let gone = company.pending("D-4").await;
    gone.eliminar(PEDRO).await.expect(204);
    let ids =
        [&pending, &unassigned, &approved, &gone, &foreign].map(|one: &Factura| one.id.clone());
    let mut ids = ids.to_vec();
    ids.push("fac_01JD0000000000000000000001".to_owned());
    ids.push("no id at all".to_owned());
    let expected = vec![
        json!(["aplicado", "aprobada", null]),
        json!(["no_aplicado", null, "sin_responsable"]),
        json!(["no_aplicado", null, "ya_decidida"]),
        json!(["no_aplicado", null, "no_encontrada"]),
        json!(["no_aplicado", null, "no_encontrada"]),
        json!(["no_aplicado", null, "no_encontrada"]),
        json!(["no_aplicado", null, "no_encontrada"]),
    ];
    (ids, expected)
}

#[tokio::test]
async fn a_decision_on_many_is_taken_on_each_as_its_dry_run_foretold() {
    let company = Company::of_payables().await;
    let (ids, expected) = in_every_situation(&company).await;
    let luis = company.person(LUIS).await;
    let pending = company.factura(&ids[0]);
    let before = (pending.now().await, pending.events().await);
    let dry = luis
        .outcomes(
            DECISIONES,
            json!({ "accion": "aprobar", "ids": ids, "dry_run": true }),
        )
        .await;
    assert_eq!((pending.now().await, pending.events().await), before);
    let real = luis
        .outcomes(DECISIONES, json!({ "accion": "aprobar", "ids": ids }))
        .await;
    assert_eq!(said(&real), expected);
    assert_eq!(foretold(&dry), expected);
    let now = pending.now().await;
    assert_eq!(
        json!([
            now["accion_por"],
            now["workflow"]["decisiones"][0]["calidad"]
        ]),
        json!([LUIS.name, "supervisor"])
    );
    company.payables_agree().await;
}

#[tokio::test]
async fn rights_are_judged_item_by_item() {
    let company = Company::of_payables().await;
    company.delegate(JUAN, MARIA).await;
    let own = company.pending("R-1").await;
    company.assign(LUZ, NORA).await;
    let foreign = company.register(body_of(LUZ, "R-2", "1.00")).await;
    let registered = company.register_as(ANA, body_of(ASEO, "R-3", "1.00")).await;
    for (who, expected) in [
        (
            OLGA,
            [
                "no_autorizado_para_decidir",
                "no_autorizado_para_decidir",
                "no_autorizado_para_decidir",
            ],
        ),
        (
            PEDRO,
            [
                "no_autorizado_para_decidir",
                "no_autorizado_para_decidir",
                "no_autorizado_para_decidir",
            ],
        ),
        (ANA, ["", "", "sod_violation"]),
        (MARIA, ["ya_decidida", "no_autorizado_para_decidir", ""]),
    ] {
        let client = company.person(who).await;
        let order = Company::order(
            "rechazar",
            &[own.clone(), foreign.clone(), registered.clone()],
        );
        let items = client.outcomes(DECISIONES, order).await;
        let codes: Vec<&str> = items
            .iter()
            .map(|item| item["code"].as_str().unwrap_or_default())
            .collect();
        assert_eq!(codes, expected, "{}", who.name);
    }
    let now = registered.now().await;
    assert_eq!(
        json!([now["accion_por"], now["a_nombre_de"], now["motivo_rechazo"]]),
        json!([MARIA.name, JUAN.name, MOTIVO])
    );
    // A denial within a trabajo is told as any other.
    assert_eq!(foreign.events_of("decision_denegada").await.len(), 3);
    company.payables_agree().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_of_many_is_named_and_nothing_starts() {
    let company = Company::of_payables().await;
    let (pedro, ana, luis) = (
        company.person(PEDRO).await,
        company.person(ANA).await,
        company.person(LUIS).await,
    );
    let many: Vec<Value> = (0..501)
        .map(|n| body_of(ASEO, &format!("M-{n}"), "1.00"))
        .collect();
    let id = |n: u32| format!("fac_{n:026}");
    let ids: Vec<String> = (0..501).map(id).collect();
    let empty = [("/facturas", "cantidad_invalida")];
    pedro
        .post(LOTE, json!({ "facturas": [] }))
        .await
        .invalid(&empty);
    pedro
        .post(LOTE, json!({ "facturas": many }))
        .await
        .invalid(&empty);
    ana.post(HISTORICO, json!({ "facturas": [] }))
        .await
        .invalid(&empty);
    let accion_por = json!({ "facturas": [body_of(ASEO, "M-1", "1.00")], "accion_por": "x" });
    pedro
        .post(LOTE, accion_por)
        .await
        .invalid(&[("/accion_por", "unknown_field")]);
    let rows = [
        (
            json!({ "accion": "aprobar", "ids": [] }),
            vec![("/ids", "cantidad_invalida")],
        ),
        (
            json!({ "accion": "aprobar", "ids": ids }),
            vec![("/ids", "cantidad_invalida")],
        ),
        (
            json!({ "accion": "aprobar", "ids": [id(1), id(2), id(1)] }),
            vec![("/ids/2", "id_repetido")],
        ),
        (
            json!({ "accion": "aprobar_auto", "ids": [id(1)] }),
            vec![("/accion", "valor_no_admitido")],
        ),
        (
            json!({ "accion": "reabrir", "ids": [id(1)] }),
            vec![("/accion", "valor_no_admitido")],
        ),
        (
            json!({ "accion": "rechazar", "ids": [id(1)] }),
            vec![("/motivo", "motivo_requerido")],
        ),
        (
            json!({ "accion": "rechazar", "ids": [id(1)], "motivo": " x " }),
            vec![("/motivo", "motivo_requerido")],
        ),
        (
            json!({ "accion": "aprobar", "ids": [id(1)], "accion_por": "x" }),
            vec![("/accion_por", "unknown_field")],
        ),
    ];
    for (body, expected) in rows {
        luis.post(DECISIONES, body).await.invalid(&expected);
    }
    assert!(ana.list("/facturas").await.is_empty());
    assert!(
        ana.list("/activity")
            .await
            .iter()
            .all(|event| event["resource_type"] != "trabajo")
    );
}

#[tokio::test]
async fn fields_of_an_item_that_no_request_can_set_refuse_that_item() {
    let company = Company::of_payables().await;
    let pedro = company.person(PEDRO).await;
    for field in ["accion_por", "estado", "responsable"] {
        let mut forged = body_of(ASEO, "F-1", "1.00");
        forged[field] = json!("aprobada");
        let reply = pedro.post(LOTE, json!({ "facturas": [forged] })).await;
        assert_eq!(reply.status, 422, "{}", reply.text);
        let place = reply.body["errors"][0]["pointer"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(place, format!("/facturas/0/{field}"));
    }
    assert!(pedro.list("/facturas").await.is_empty());
}

#[tokio::test]
async fn five_hundred_items_are_done_in_order() {
    let company = Company::of_payables().await;
    let pedro = company.person(PEDRO).await;
    let bodies: Vec<Value> = (0..500)
        .map(|n| body_of(ASEO, &format!("Q-{n}"), &format!("{}.00", n + 1)))
        .collect();
    let items = pedro.outcomes(LOTE, json!({ "facturas": bodies })).await;
    let facturas: Vec<Factura> = items
        .iter()
        .map(|item| company.factura(item["factura_id"].as_str().unwrap()))
        .collect();
    let ids: Vec<&str> = facturas.iter().map(|one| &*one.id).collect();
    assert!(
        ids.is_sorted_by(|one, next| one < next),
        "ids follow the order of the request"
    );
    let luis = company.person(LUIS).await;
    let decided = luis
        .outcomes(DECISIONES, Company::order("aprobar", &facturas))
        .await;
    assert!(decided.iter().all(|item| item["resultado"] == "aplicado"));
    let stamps = async |nth: usize| {
        facturas[nth].now().await["fecha_accion"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(stamps(0).await <= stamps(499).await);
    eventually("the dashboard counts five hundred", || async {
        let board = luis.get("/facturas/dashboard").await.expect(200);
        (board["por_estado"]["aprobada"]
            == json!({ "cantidad": 500, "totales": { "COP": "125250.00" } }))
        .then_some(())
    })
    .await;
}
