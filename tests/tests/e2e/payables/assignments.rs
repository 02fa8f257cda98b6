//! Who answers for a supplier's facturas: future ones by the assignment, waiting ones on request, and never a second time.

use cierre_tests::{
    ANA, ASEO, Company, JUAN, LUIS, LUZ, MARIA, NITS, NORA, OLGA, PEDRO, VERA, body_of,
};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn an_assignment_touches_future_facturas_only() {
    let company = Company::of_payables().await;
    let before = company.register(body_of(LUZ, "A-1", "1.00")).await;
    let pedro = company.person(PEDRO).await;
    let path = format!("/asignaciones/{LUZ}");
    let body = json!({ "responsable": company.named(MARIA).await, "nombre_proveedor": "Luz SA" });
    let made = pedro.put(&path, body.clone()).await.expect(201);
    assert_eq!(
        json!([
            made["nit"],
            made["responsable"],
            made["responsable_usuario"],
            made["nombre_proveedor"]
        ]),
        json!([LUZ, MARIA.name, company.username(MARIA.word), "Luz SA"])
    );
    // The supplier's name comes from it where the request has none.
    let mut unnamed = body_of(LUZ, "A-2", "1.00");
    unnamed.as_object_mut().unwrap().remove("proveedor");
    let between = company.register(unnamed).await;
    let now = between.now().await;
    assert_eq!(
        json!([now["responsable"], now["proveedor"]]),
        json!([MARIA.name, "Luz SA"])
    );
    let changed =
        json!({ "responsable": company.named(JUAN).await, "nombre_proveedor": "Luz SAS" });
    pedro.put(&path, changed).await.expect(200);
    let after = company.register(body_of(LUZ, "A-3", "1.00")).await;
    pedro.delete(&path).await.expect(204);
    pedro.delete(&path).await.refused(404, "not_found");
    pedro.get(&path).await.refused(404, "not_found");
    let last = company.register(body_of(LUZ, "A-4", "1.00")).await;
    let answers = [
        (&before, None),
        (&between, Some(MARIA)),
        (&after, Some(JUAN)),
        (&last, None),
    ];
    for (factura, who) in answers {
        assert_eq!(
            factura.now().await["responsable"].as_str(),
            who.map(|who| who.name)
        );
    }
    assert_eq!(company.verify_chain("asignacion", LUZ).await, 3);
    // Set again, it goes on with its chain.
    pedro.put(&path, body).await.expect(201);
    assert_eq!(company.verify_chain("asignacion", LUZ).await, 4);
    company.payables_agree().await;
}

#[tokio::test]
async fn the_waiting_facturas_of_a_supplier_get_their_responsable_on_request() {
    let company = Company::of_payables().await;
    let mut waiting = Vec::new();
    for nth in 0..5 {
        waiting.push(
            company
                .register(body_of(LUZ, &format!("W-{nth}"), "1.00"))
                .await,
        );
    }
    let other = company.register(body_of(NITS[2], "W-9", "1.00")).await;
    let taken = company.register(body_of(LUZ, "W-8", "1.00")).await;
    taken.asignar(LUIS, NORA).await.expect(200);
    let gone = company.register(body_of(LUZ, "W-7", "1.00")).await;
    gone.eliminar(PEDRO).await.expect(204);
    let luis = company.person(LUIS).await;
    let body = json!({
        "responsable": company.named(MARIA).await,
        "nombre_proveedor": "Luz SA",
        "aplicar_a_sin_asignar": true,
    });
    let made = luis
        .put(&format!("/asignaciones/{LUZ}"), body)
        .await
        .expect(201);
    let work = luis.work_end(made["trabajo_id"].as_str().unwrap()).await;
    assert_eq!(
        json!([
            work["tipo"],
            work["estado"],
            work["aplicados"],
            work["no_aplicados"]
        ]),
        json!(["aplicar_asignacion", "COMPLETADO", 5, 0]),
        "{work}"
    );
    for factura in &waiting {
        let now = factura.now().await;
        assert_eq!(
            json!([now["responsable"], now["estado"]]),
            json!([MARIA.name, "pendiente"])
        );
        let told = factura.events_of("responsable_asignado").await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["user"], company.username(LUIS.word));
    }
    assert_eq!(taken.now().await["responsable"], NORA.name);
    assert!(other.now().await["responsable"].is_null());
    company.payables_agree().await;
}

#[tokio::test]
async fn a_responsable_stays_whatever_happens_to_assignments_delegations_and_users() {
    let company = Company::of_payables().await;
    let factura = company
        .register_as(VERA, body_of(ASEO, "I-1", "1.00"))
        .await;
    let before = factura.now().await;
    let same = async || {
        let now = factura.now().await;
        for field in ["responsable", "responsable_id", "responsable_usuario"] {
            assert_eq!(now[field], before[field], "{field}");
        }
    };
    company.assign(ASEO, MARIA).await;
    same().await;
    company.delegate(JUAN, NORA).await;
    same().await;
    let ana = company.person(ANA).await;
    let body = json!({ "responsable": company.named(MARIA).await, "nombre_proveedor": "Otro", "aplicar_a_sin_asignar": true });
    let put = ana.put(&format!("/asignaciones/{ASEO}"), body).await.ok();
    ana.work_end(put["trabajo_id"].as_str().unwrap()).await;
    same().await;
    ana.delete(&format!("/asignaciones/{ASEO}"))
        .await
        .expect(204);
    same().await;
    factura.aprobar(NORA).await.expect(200);
    same().await;
    factura.reabrir(LUIS).await.expect(200);
    same().await;
    let disable = company.stack.cognito().admin_disable_user();
    disable
        .user_pool_id(company.stack.output("USER_POOL_ID"))
        .username(company.username(JUAN.word))
        .send()
        .await
        .unwrap();
    factura.rechazar(LUIS).await.expect(200);
    same().await;
    ana.run_work("/facturas/consistencia/reparar", json!({}))
        .await;
    same().await;
    company.payables_agree().await;
}

#[tokio::test]
async fn assignments_are_listed_and_guarded_by_their_version() {
    let company = Company::of_payables().await;
    for nit in NITS {
        company.assign(nit, JUAN).await;
    }
    let olga = company.person(OLGA).await;
    let listed = olga.list_by("/asignaciones", 2).await;
    let mut nits: Vec<&str> = listed
        .iter()
        .map(|one| one["nit"].as_str().unwrap())
        .collect();
    nits.sort_unstable();
    let mut known = NITS.to_vec();
    known.sort_unstable();
    assert_eq!(nits, known);
    let path = format!("/asignaciones/{ASEO}");
    let tag = olga.get(&path).await.header("etag").to_owned();
    let pedro = company.person(PEDRO).await;
    let put = async |name: &str| {
        let body = json!({ "responsable": company.username(JUAN.word), "nombre_proveedor": name });
        let put = pedro.send(Method::PUT, &path).header("if-match", &tag);
        put.json(&body).now().await
    };
    put("Uno").await.expect(200);
    put("Dos").await.refused(412, "version_mismatch");
    assert_eq!(olga.get(&path).await.expect(200)["nombre_proveedor"], "Uno");
    pedro
        .send(Method::DELETE, &path)
        .header("if-match", &tag)
        .now()
        .await
        .refused(412, "version_mismatch");
    // Dots in the path are left out, as in a factura.
    let dotted = olga.get("/asignaciones/900.373.923-8").await;
    assert_eq!(dotted.expect(200)["nit"], ASEO);
}

#[tokio::test]
async fn what_is_wrong_with_an_assignment_is_named() {
    let company = Company::of_payables().await;
    let pedro = company.person(PEDRO).await;
    let juan = company.named(JUAN).await;
    let rows: [(Value, &str, &str); 4] = [
        (
            json!({ "responsable": juan, "nombre_proveedor": " " }),
            "/nombre_proveedor",
            "required",
        ),
        (
            json!({ "responsable": juan, "nombre_proveedor": "x".repeat(201) }),
            "/nombre_proveedor",
            "out_of_range",
        ),
        (
            json!({ "nombre_proveedor": "x" }),
            "/responsable",
            "required",
        ),
        (
            json!({ "responsable": juan, "nombre_proveedor": "x", "accion_por": "x" }),
            "/accion_por",
            "unknown_field",
        ),
    ];
    for (body, place, code) in rows {
        pedro
            .put(&format!("/asignaciones/{LUZ}"), body)
            .await
            .invalid(&[(place, code)]);
    }
    let body = json!({ "responsable": juan, "nombre_proveedor": "x" });
    for (nit, code) in [
        ("860069804-3", "nit_digito_invalido"),
        ("860069804", "nit_formato"),
    ] {
        let reply = pedro
            .put(&format!("/asignaciones/{nit}"), body.clone())
            .await;
        assert_eq!(
            (reply.status, &reply.body["code"]),
            (422, &json!(code)),
            "{}",
            reply.text
        );
    }
    pedro
        .get(&format!("/asignaciones/{LUZ}"))
        .await
        .refused(404, "not_found");
}
