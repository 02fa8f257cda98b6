//! The table of states, every cell of it over HTTP.

use cierre_tests::{
    ANA, ASEO, Company, Factura, JUAN, LUIS, LUZ, MARIA, PEDRO, SARA, Who, after, automatica,
    body_of, politica, today,
};
use rstest::rstest;
use serde_json::{Value, json};

/// Two approvals above COP 5,000,000.00.
fn two_above_five_million() -> Value {
    politica(|policy| {
        policy["bandas"]["COP"] = json!([
            { "hasta": "5000000.00", "aprobaciones": 1 },
            { "hasta": null, "aprobaciones": 2 },
        ]);
    })
}

/// A factura in this situation, in a company of its own.
async fn factura_in(situation: &str) -> Factura {
    let company = Company::of_payables().await;
    company.set_policy(two_above_five_million()).await;
    match situation {
        "sin_responsable" => company.register(body_of(LUZ, "S-1", "4000000.00")).await,
        "pendiente" => company.pending("S-1").await,
        "en_revision" => {
            let large = company.register(body_of(ASEO, "S-1", "6000000.00")).await;
            large.aprobar(JUAN).await.expect(200);
            large
        }
        "aprobada" => {
            let small = company.pending("S-1").await;
            small.aprobar(JUAN).await.expect(200);
            small
        }
        "aprobada_auto" => {
            let mut first = body_of(ASEO, "S-0", "1000000.00");
            first["fecha_emision"] = json!("2026-01-05");
            company
                .register(first)
                .await
                .aprobar(JUAN)
                .await
                .expect(200);
            company.set_policy(automatica(|_| {})).await;
            company.register(body_of(ASEO, "S-1", "1000000.00")).await
        }
        "rechazada" => {
            let small = company.pending("S-1").await;
            small.rechazar(JUAN).await.expect(200);
            small
        }
        other => panic!("no situation {other}"),
    }
}

async fn command(factura: &Factura, who: Who, command: &str) -> (u16, Value) {
    let reply = match command {
        "aprobar" => factura.aprobar(who).await,
        "rechazar" => factura.rechazar(who).await,
        "reabrir" => factura.reabrir(who).await,
        "eliminar" => factura.eliminar(who).await,
        other => panic!("no command {other}"),
    };
    (reply.status, reply.body)
}

#[rstest]
#[case("sin_responsable", "aprobar", "sin_responsable")]
#[case("sin_responsable", "rechazar", "sin_responsable")]
#[case("sin_responsable", "reabrir", "no_decidida")]
#[case("pendiente", "reabrir", "no_decidida")]
#[case("en_revision", "reabrir", "no_decidida")]
#[case("en_revision", "eliminar", "tiene_aprobaciones")]
#[case("aprobada", "aprobar", "ya_decidida")]
#[case("aprobada", "rechazar", "ya_decidida")]
#[case("aprobada", "eliminar", "ya_decidida")]
#[case("aprobada_auto", "aprobar", "ya_decidida")]
#[case("aprobada_auto", "rechazar", "ya_decidida")]
#[case("aprobada_auto", "eliminar", "ya_decidida")]
#[case("rechazada", "aprobar", "ya_decidida")]
#[case("rechazada", "rechazar", "ya_decidida")]
#[case("rechazada", "eliminar", "ya_decidida")]
#[tokio::test]
async fn a_state_refuses_what_the_table_refuses_and_nothing_changes(
    #[case] situation: &str,
    #[case] wanted: &str,
    #[case] code: &str,
) {
    let factura = factura_in(situation).await;
    let (before, events) = (factura.now().await, factura.events().await);
    let (status, answer) = command(&factura, ANA, wanted).await;
    assert_eq!((status, &answer["code"]), (409, &json!(code)), "{answer}");
    if code == "ya_decidida" {
        // Whoever comes too late is told who came first.
        for field in ["estado", "accion_por", "fecha_accion"] {
            assert_eq!(answer[field], before[field], "{answer}");
        }
    }
    assert_eq!(factura.now().await, before);
    assert_eq!(factura.events().await, events);
}

#[rstest]
#[case("pendiente", "aprobar", "aprobada", "factura_aprobada")]
#[case("pendiente", "rechazar", "rechazada", "factura_rechazada")]
#[case("en_revision", "aprobar", "aprobada", "factura_aprobada")]
#[case("en_revision", "rechazar", "rechazada", "factura_rechazada")]
#[case("aprobada", "reabrir", "pendiente", "factura_reabierta")]
#[case("aprobada_auto", "reabrir", "pendiente", "factura_reabierta")]
#[case("rechazada", "reabrir", "pendiente", "factura_reabierta")]
#[tokio::test]
async fn a_command_leads_where_the_table_says_with_one_event(
    #[case] situation: &str,
    #[case] wanted: &str,
    #[case] estado: &str,
    #[case] action: &str,
) {
    let factura = factura_in(situation).await;
    let (before, events) = (factura.now().await, factura.events().await.len());
    let (status, answer) = command(&factura, LUIS, wanted).await;
    assert_eq!(
        (status, &answer["estado"]),
        (200, &json!(estado)),
        "{answer}"
    );
    assert_eq!(answer["accion_por"], LUIS.name);
    assert_eq!(
        answer["version"].as_u64(),
        before["version"].as_u64().map(|version| version + 1)
    );
    let round = before["workflow"]["ronda"].as_u64().unwrap();
    let expected = if wanted == "reabrir" {
        round + 1
    } else {
        round
    };
    assert_eq!(answer["workflow"]["ronda"], expected);
    assert_eq!(factura.now().await, answer);
    let after = factura.events().await;
    assert_eq!(after.len(), events + 1);
    assert_eq!(after.last().unwrap()["action"], action);
    factura.company.payables_agree().await;
}

#[rstest]
#[case("sin_responsable")]
#[case("pendiente")]
#[tokio::test]
async fn a_deleted_factura_is_gone_everywhere_and_its_number_is_free(#[case] situation: &str) {
    let factura = factura_in(situation).await;
    let company = factura.company.clone();
    let before = factura.now().await;
    factura.eliminar(PEDRO).await.expect(204);
    let (pedro, ana) = (company.person(PEDRO).await, company.person(ANA).await);
    pedro.get(&factura.path("")).await.refused(404, "not_found");
    pedro
        .get(&factura.path("/historial"))
        .await
        .refused(404, "not_found");
    for command in ["aprobar", "rechazar", "reabrir", "asignar"] {
        let body = match command {
            "aprobar" => json!({}),
            "asignar" => json!({ "responsable": company.named(JUAN).await }),
            _ => json!({ "motivo": "Ya no existe" }),
        };
        ana.post(&factura.path(&format!("/{command}")), body)
            .await
            .refused(404, "not_found");
    }
    pedro
        .delete(&factura.path(""))
        .await
        .refused(404, "not_found");
    // Its events stay, and the chain with them.
    let last = factura.events().await.pop().unwrap();
    assert_eq!(
        json!([last["action"], last["event_type"], last["details"]]),
        json!(["factura_eliminada", "delete", {
            "numero": before["numero"], "nit": before["nit"], "total": before["total"],
        }])
    );
    factura.verify().await;
    let numero = before["numero"].as_str().unwrap();
    let again = company
        .register(body_of(
            before["nit"].as_str().unwrap(),
            numero,
            "4000000.00",
        ))
        .await;
    assert_ne!(again.id, factura.id);
    let listed = company.payables_agree().await;
    assert!(listed.iter().all(|one| one["id"] != factura.id.as_str()));
}

#[tokio::test]
async fn a_reopened_factura_can_be_deleted_and_registered_again() {
    let factura = factura_in("aprobada").await;
    factura.reabrir(LUIS).await.expect(200);
    factura.eliminar(PEDRO).await.expect(204);
    factura.company.pending("S-1").await;
    factura.company.payables_agree().await;
}

#[tokio::test]
async fn a_rejection_ends_the_round_also_by_someone_who_approved_in_it() {
    let factura = factura_in("en_revision").await;
    let rejected = factura.rechazar(JUAN).await.expect(200);
    assert_eq!(
        json!([
            rejected["estado"],
            rejected["accion_por"],
            rejected["workflow"]["decisiones"].as_array().unwrap().len()
        ]),
        json!(["rechazada", JUAN.name, 2])
    );
    factura.company.payables_agree().await;
}

#[tokio::test]
async fn somebody_answers_for_a_factura_once_and_for_all() {
    let factura = factura_in("sin_responsable").await;
    let assigned = factura.asignar(PEDRO, MARIA).await.expect(200);
    assert_eq!(
        json!([
            assigned["estado"],
            assigned["responsable"],
            assigned["responsable_usuario"],
            assigned["accion_por"]
        ]),
        json!([
            "pendiente",
            MARIA.name,
            factura.company.username(MARIA.word),
            null
        ])
    );
    for who in [PEDRO, LUIS, ANA] {
        factura
            .asignar(who, JUAN)
            .await
            .refused(409, "responsable_ya_asignado");
        factura
            .asignar(who, MARIA)
            .await
            .refused(409, "responsable_ya_asignado");
    }
    assert_eq!(factura.now().await, assigned);
    assert_eq!(factura.events_of("responsable_asignado").await.len(), 1);
    factura.aprobar(MARIA).await.expect(200);
    // Decided or not: what counts is whether somebody answers.
    factura
        .asignar(LUIS, JUAN)
        .await
        .refused(409, "responsable_ya_asignado");
    factura.company.payables_agree().await;
}

#[tokio::test]
async fn a_factura_has_fifty_rounds_at_most() {
    let factura = factura_in("pendiente").await;
    for round in 1..=50 {
        assert_eq!(factura.now().await["workflow"]["ronda"], round);
        factura.rechazar(LUIS).await.expect(200);
        if round < 50 {
            factura.reabrir(SARA).await.expect(200);
        }
    }
    factura.reabrir(SARA).await.refused(409, "limite_de_rondas");
    let (rounds, _) = factura.historial().await;
    assert_eq!(rounds.len(), 50);
    factura.company.payables_agree().await;
}

#[tokio::test]
async fn a_delegation_is_revoked_once_and_while_it_has_not_ended() {
    let company = Company::of_payables().await;
    let luis = company.person(LUIS).await;
    let body = |desde: &str, hasta: &str| {
        json!({
            "de": company.username(JUAN.word),
            "a": company.username(MARIA.word),
            "desde": desde,
            "hasta": hasta,
            "motivo": "Vacaciones",
        })
    };
    company.named(MARIA).await;
    let terms = [
        (today(), after(3), "vigente"),
        (after(10), after(20), "programada"),
    ];
    for (desde, hasta, estado) in terms {
        let made = luis
            .post("/delegaciones", body(&desde, &hasta))
            .await
            .expect(201);
        assert_eq!(made["estado"], estado, "{made}");
        let path = format!("/delegaciones/{}", made["id"].as_str().unwrap());
        luis.delete(&path).await.expect(204);
        luis.delete(&path)
            .await
            .refused(409, "delegacion_terminada");
        let listed = luis.list("/delegaciones").await;
        let found = listed.iter().find(|one| one["id"] == made["id"]).unwrap();
        assert_eq!(found["estado"], "revocada");
    }
    // One that ended, seen from a day after its end.
    let made = luis
        .post("/delegaciones", body(&today(), &today()))
        .await
        .expect(201);
    let path = format!("/delegaciones/{}", made["id"].as_str().unwrap());
    let later = format!("{}T12:00:00.000Z", after(2));
    let late = company
        .at(&later, &luis, "DELETE", &path, Value::Null)
        .await;
    late.refused(409, "delegacion_terminada");
    let listed = company
        .at(&later, &luis, "GET", "/delegaciones", Value::Null)
        .await
        .expect(200);
    let items = listed["items"].as_array().unwrap();
    let found = items.iter().find(|one| one["id"] == made["id"]).unwrap();
    assert_eq!(found["estado"], "vencida");
}

#[tokio::test]
async fn only_a_trabajo_in_error_is_retried() {
    let company = Company::of_payables().await;
    let pedro = company.person(PEDRO).await;
    let body = json!({ "facturas": [body_of(ASEO, "T-1", "1.00")] });
    let work = pedro.run_work("/facturas/lote", body).await;
    let path = format!(
        "/facturas/trabajos/{}/reintentar",
        work["id"].as_str().unwrap()
    );
    pedro
        .post(&path, json!({}))
        .await
        .refused(409, "trabajo_no_reintentable");
    assert_eq!(pedro.work(work["id"].as_str().unwrap()).await, work);
}
