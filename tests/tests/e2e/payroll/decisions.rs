//! Who explains what changed, who approves it, and what stands in the way of the end.

use cierre_tests::{Company, Libro, WORDS, names};
use serde_json::{Value, json};

use super::months::{CASES, hire, id, of, of_case, resolution, step, two_months};

#[tokio::test]
async fn what_is_critical_is_approved_by_somebody_else_before_the_end() {
    let company = Company::of_payroll().await;
    let [_, second] = two_months(&company).await;
    second.generate("incidencias").await;
    let found = second.list("/incidencias").await;
    let (analyst, supervisor, admin) = (
        company.analyst().await,
        company.supervisor().await,
        company.admin().await,
    );

    let refused = second
        .post("/finalizar", json!({}))
        .await
        .refused(409, "close_blocked");
    assert_eq!(refused["detail"], "4 things block this cierre");
    let reasons = refused["errors"].as_array().unwrap();
    assert_eq!(names(reasons, "code"), ["incidence_critical"; 4]);
    let critical = of(&found, &of_case(4));
    let reason = reasons
        .iter()
        .find(|reason| reason["pointer"] == format!("/incidencias/{}", id(critical)))
        .unwrap();
    assert_eq!(
        reason["detail"],
        format!("critica, pendiente, {}, 2101", of_case(4))
    );

    // Each wrong request is refused and leaves no step.
    let invalid = |resolucion: &str, justificacion: &str| json!({ "resolucion": resolucion, "justificacion": justificacion });
    for (body, code) in [
        (
            invalid("correcta", "  too short  "),
            "justification_required",
        ),
        (
            invalid("correcta", &"x".repeat(1001)),
            "justification_required",
        ),
        (
            invalid("correcta", &"x".repeat(10_000)),
            "justification_required",
        ),
        (
            json!({ "resolucion": "correcta" }),
            "justification_required",
        ),
        (invalid("perfecta", WORDS), "resolution_invalid"),
        (json!({ "justificacion": WORDS }), "resolution_invalid"),
    ] {
        second
            .post(&step(critical, "resolver"), body)
            .await
            .refused(422, code);
    }
    second
        .post(&step(critical, "aprobar"), json!({}))
        .await
        .refused(403, "wrong_role");
    let early = supervisor
        .post(&second.path(&step(critical, "aprobar")), json!({}))
        .await;
    early.refused(409, "incidence_state");
    supervisor
        .post(&second.path(&step(critical, "resolver")), resolution())
        .await
        .refused(403, "wrong_role");

    let resolved = second
        .post(&step(critical, "resolver"), resolution())
        .await
        .expect(200);
    assert_eq!(
        json!([
            resolved["estado"],
            resolved["resolucion"],
            resolved["justificacion"],
            resolved["analista"],
            resolved["supervisor"]
        ]),
        json!([
            "resuelta_analista",
            "correcta",
            WORDS,
            company.username("payroll"),
            null
        ])
    );
    analyst
        .post(&second.path(&step(critical, "resolver")), resolution())
        .await
        .refused(409, "incidence_state");
    for body in [
        json!({}),
        json!({ "comentario": "corto" }),
        json!({ "comentario": "x".repeat(1001) }),
    ] {
        supervisor
            .post(&second.path(&step(critical, "rechazar")), body)
            .await
            .refused(422, "comment_required");
    }
    let rejected = supervisor
        .post(
            &second.path(&step(critical, "rechazar")),
            json!({ "comentario": WORDS }),
        )
        .await
        .expect(200);
    assert_eq!(
        (&rejected["estado"], &rejected["supervisor"]),
        (
            &json!("rechazada_supervisor"),
            &json!(company.username("supervisor"))
        )
    );
    let twice = supervisor
        .post(&second.path(&step(critical, "aprobar")), json!({}))
        .await;
    twice.refused(409, "incidence_state");

    // An administrator may do either, but not both.
    admin
        .post(&second.path(&step(critical, "resolver")), resolution())
        .await
        .expect(200);
    for action in ["aprobar", "rechazar"] {
        let own = admin
            .post(
                &second.path(&step(critical, action)),
                json!({ "comentario": WORDS }),
            )
            .await;
        own.refused(403, "four_eyes_required");
    }
    let approved = supervisor
        .post(
            &second.path(&step(critical, "aprobar")),
            json!({ "comentario": WORDS }),
        )
        .await
        .expect(200);
    let steps = approved["historial"].as_array().unwrap();
    assert_eq!(
        names(steps, "estado"),
        [
            "pendiente",
            "resuelta_analista",
            "rechazada_supervisor",
            "resuelta_analista",
            "aprobada_supervisor"
        ]
    );
    for action in ["resolver", "aprobar", "rechazar"] {
        let body = if action == "resolver" {
            resolution()
        } else {
            json!({ "comentario": WORDS })
        };
        admin
            .post(&second.path(&step(critical, action)), body)
            .await
            .refused(409, "incidence_state");
    }
    let told = second.events_of("incidencia_resuelta").await;
    assert_eq!(told.len(), 4);
    assert_eq!(
        (&told[0]["resource_id"], &told[0]["details"]),
        (
            &critical["id"],
            &json!({ "incidencia_tipo": "variacion_concepto", "resolucion": "correcta", "justificacion": WORDS })
        )
    );
    assert_eq!(
        (
            &told[1]["details"]["decision"],
            &told[1]["details"]["comentario"]
        ),
        (&json!("rechazada"), &json!(WORDS))
    );
    assert_eq!(
        (&told[3]["details"]["decision"], &told[3]["user"]),
        (&json!("aprobada"), &json!(company.username("supervisor")))
    );
    let cierre = second.now().await;
    assert_eq!(
        (
            &cierre["counts"]["incidencias_pendientes"],
            &cierre["counts"]["incidencias_criticas"]
        ),
        (&json!(12), &json!(3))
    );
}

#[tokio::test]
async fn many_are_decided_at_once_and_each_on_its_own() {
    let company = Company::of_payroll().await;
    let [_, second] = two_months(&company).await;
    second.generate("incidencias").await;
    let found = second.list("/incidencias").await;
    let ids: Vec<&str> = found.iter().map(id).collect();
    let (supervisor, admin) = (company.supervisor().await, company.admin().await);
    let lote = "/incidencias/lote";
    second
        .post(lote, json!({ "accion": "aprobar", "ids": ids }))
        .await
        .refused(403, "wrong_role");
    let body_of = |ids: &[&str]| json!({ "accion": "resolver", "ids": ids, "resolucion": "otra", "justificacion": WORDS });
    supervisor
        .post(&second.path(lote), body_of(&ids))
        .await
        .refused(403, "wrong_role");
    second
        .post(lote, body_of(&[]))
        .await
        .invalid(&[("/ids", "required")]);
    let too_many: Vec<String> = (0..101).map(|n| format!("inc_{n:026}")).collect();
    let too_many: Vec<&str> = too_many.iter().map(String::as_str).collect();
    second
        .post(lote, body_of(&too_many))
        .await
        .invalid(&[("/ids", "too_many_items")]);
    second
        .post(
            lote,
            json!({ "accion": "resolver", "ids": ids, "resolucion": "otra" }),
        )
        .await
        .refused(422, "justification_required");
    supervisor
        .post(
            &second.path(lote),
            json!({ "accion": "rechazar", "ids": ids }),
        )
        .await
        .refused(422, "comment_required");

    let mut unheard_of = body_of(&ids);
    unheard_of["accion"] = json!("olvidar");
    second
        .post(lote, unheard_of)
        .await
        .invalid(&[("/accion", "out_of_range")]);

    // One by the administrator, and one that does not exist: the others are resolved all the same.
    admin
        .post(&second.path(&step(&found[0], "resolver")), resolution())
        .await
        .expect(200);
    let unknown = "inc_00000000000000000000000000";
    let mut asked = ids.clone();
    asked.push(unknown);
    let outcomes = second.post(lote, body_of(&asked)).await.expect(200);
    let outcomes = outcomes["items"].as_array().unwrap().clone();
    assert_eq!(names(&outcomes, "id"), asked);
    for (outcome, asked) in outcomes.iter().zip(&asked) {
        let expected = match *asked {
            first if first == ids[0] => {
                json!({ "id": first, "status": 409, "code": "incidence_state" })
            }
            other if other == unknown => json!({ "id": other, "status": 404, "code": "not_found" }),
            other => json!({ "id": other, "status": 200 }),
        };
        assert_eq!(*outcome, expected);
    }
    // The administrator cannot approve the own one.
    let approve = json!({ "accion": "aprobar", "ids": ids });
    let outcomes = admin
        .post(&second.path(lote), approve.clone())
        .await
        .expect(200);
    let own = json!({ "id": ids[0], "status": 403, "code": "four_eyes_required" });
    assert_eq!(outcomes["items"][0], own);
    assert_eq!(second.estado().await, "con_incidencias");
    let cierre = second.now().await;
    assert_eq!(cierre["counts"]["incidencias_pendientes"], 1);
    let outcomes = supervisor
        .post(&second.path(lote), approve)
        .await
        .expect(200);
    assert_eq!(outcomes["items"][0], json!({ "id": ids[0], "status": 200 }));
    assert_eq!(
        outcomes["items"][1],
        json!({ "id": ids[1], "status": 409, "code": "incidence_state" })
    );
    assert_eq!(second.estado().await, "incidencias_resueltas");

    let seal = second.finalise().await;
    let manifest = &seal["manifiesto"];
    assert_eq!(
        manifest["incidencias"],
        json!({
            "critica": { "aprobada_supervisor": 4 }, "alta": { "aprobada_supervisor": 2 },
            "media": { "aprobada_supervisor": 3 }, "baja": { "aprobada_supervisor": 4 },
        })
    );
    let finalised = &second.events_of("cierre_finalizado").await[0];
    assert_eq!(finalised["details"]["incidencias_pendientes"], 0);
    second.verify().await;
    supervisor
        .post(
            &second.path(lote),
            json!({ "accion": "aprobar", "ids": ids }),
        )
        .await
        .refused(409, "cierre_finalized");
}

#[tokio::test]
async fn what_is_not_critical_does_not_stand_in_the_way() {
    let company = Company::of_payroll().await;
    let [_, second] = two_months(&company).await;
    second.generate("incidencias").await;
    let critical = second.list("/incidencias?prioridad=critica").await;
    for one in &critical {
        second
            .post(&step(one, "resolver"), resolution())
            .await
            .expect(200);
        let approve = second.path(&step(one, "aprobar"));
        company
            .supervisor()
            .await
            .post(&approve, json!({}))
            .await
            .expect(200);
    }
    assert_eq!(second.estado().await, "con_incidencias");
    second.finalise().await;
    let finalised = &second.events_of("cierre_finalizado").await[0];
    assert_eq!(finalised["details"]["incidencias_pendientes"], 9);
}

#[tokio::test]
async fn other_files_make_decisions_stale_and_other_amounts_undo_them() {
    let company = Company::of_payroll().await;
    let [_, second] = two_months(&company).await;
    second.generate("incidencias").await;
    let found = second.list("/incidencias").await;
    let ids: Vec<&str> = found.iter().map(id).collect();
    let resolve =
        json!({ "accion": "resolver", "ids": ids, "resolucion": "otra", "justificacion": WORDS });
    second.post("/incidencias/lote", resolve).await.expect(200);
    let cells: Vec<&str> = CASES.iter().map(|case| case.2).collect();
    // The same book but for one amount, and the client announces another change.
    let mut ruts: Vec<String> = (0..CASES.len()).map(of_case).collect();
    ruts.extend([hire(true), hire(false)]);
    let mut other = Libro::of(&ruts);
    for (row, (case, cell)) in (2..).zip(CASES.iter().zip(&cells)) {
        other.set(row, case.0, cell).balance(row);
    }
    other.set(3, "2101", "790000").balance(3);
    second
        .take("libro_remuneraciones", "libro.csv", &other.bytes())
        .await;
    let announced = format!(
        "rut;concepto;glosa\r\n{};2103;Comisión de ventas\r\n",
        of_case(3)
    );
    let file = second
        .take("incidencias_externas", "externas.csv", announced.as_bytes())
        .await;
    assert_eq!(second.estado().await, "archivos_completos");
    let one = of(&found, &of_case(3));
    second
        .post(&step(one, "resolver"), resolution())
        .await
        .refused(409, "results_stale");
    second.generate("discrepancias").await;
    second
        .post(&step(one, "resolver"), resolution())
        .await
        .refused(409, "results_stale");
    second.generate("incidencias").await;
    let now = second.list("/incidencias").await;
    assert_eq!(now.len(), found.len());
    for one in &now {
        let changed = one["rut"] == of_case(1);
        let estado = if changed {
            "pendiente"
        } else {
            "resuelta_analista"
        };
        assert_eq!(one["estado"], estado, "{one}");
    }
    assert_eq!(of(&now, &of_case(1))["analista"], Value::Null);
    let respaldo = json!({ "archivo_id": file, "fila": 2, "glosa": "Comisión de ventas" });
    assert_eq!(of(&now, &of_case(3))["respaldo"], respaldo);
}
