//! What each state of a closing refuses, and with which word.

use cierre_tests::{Client, Closing, Company, GOLDEN, GOLDEN_CLIENT, Libro, WORDS, names};
use reqwest::Method;
use serde_json::{Value, json};

/// Tries commands; each must be refused so.
async fn refused(client: &Client, closing: &Closing, commands: &[(&str, Value, &str)]) {
    for (rest, body, code) in commands {
        let (method, rest) = rest.split_once(' ').unwrap();
        let request = client.send(method.parse::<Method>().unwrap(), &closing.path(rest));
        let request = if body.is_null() {
            request
        } else {
            request.json(body)
        };
        let reply = request.now().await;
        assert_eq!(
            (reply.status, reply.body["code"].as_str()),
            (409, Some(*code)),
            "{method} {rest}: {}",
            reply.text
        );
        reply.refused(409, code);
    }
}

/// What stands in the way of the end, in order.
async fn blocked_by(closing: &Closing, reasons: &[&str]) {
    let refused = closing
        .post("/finalizar", json!({}))
        .await
        .refused(409, "close_blocked");
    let errors = refused["errors"].as_array().unwrap();
    assert_eq!(names(errors, "code"), reasons, "{refused}");
    let count = reasons.len();
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{count} ")),
        "{refused}"
    );
}

fn correct(one: &Value) -> String {
    format!(
        "POST /discrepancias/{}/corregir",
        one["id"].as_str().unwrap()
    )
}

const UNKNOWN_INCIDENCE: &str = "inc_01JD0000000000000000000001";

#[tokio::test]
async fn a_closing_refuses_what_its_state_does_not_allow() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let admin = company.admin().await;
    let reopen = json!({ "motivo": WORDS });
    let words = json!({ "justificacion": WORDS });
    let incomplete = [
        ("POST /discrepancias", json!({}), "files_incomplete"),
        ("POST /incidencias", json!({}), "discrepancies_pending"),
        ("POST /reabrir", reopen.clone(), "not_finalized"),
    ];
    // pendiente
    refused(&admin, &closing, &incomplete).await;
    blocked_by(
        &closing,
        &[
            "required_file_missing",
            "required_file_missing",
            "discrepancies_not_generated",
            "incidences_not_generated",
        ],
    )
    .await;
    admin
        .get(&closing.path("/libro?formato=csv"))
        .await
        .refused(409, "libro_missing");

    // cargando_archivos
    let mut wrong = Libro::golden();
    wrong.set(2, "5201", "1055817");
    closing
        .take("libro_remuneraciones", "libro.csv", &wrong.bytes())
        .await;
    assert_eq!(closing.estado().await, "cargando_archivos");
    refused(&admin, &closing, &incomplete).await;
    blocked_by(
        &closing,
        &[
            "required_file_missing",
            "discrepancies_not_generated",
            "incidences_not_generated",
        ],
    )
    .await;
    admin
        .get(&closing.path("/libro?formato=csv"))
        .await
        .refused(409, "libro_not_exportable");

    // archivos_completos
    closing
        .take(
            "movimientos_mes",
            "movimientos.xlsx",
            &cierre_tests::movimientos(&[]),
        )
        .await;
    assert_eq!(closing.estado().await, "archivos_completos");
    let complete = [
        ("POST /incidencias", json!({}), "discrepancies_pending"),
        ("POST /reabrir", reopen.clone(), "not_finalized"),
    ];
    refused(&admin, &closing, &complete).await;
    blocked_by(
        &closing,
        &["discrepancies_not_generated", "incidences_not_generated"],
    )
    .await;

    // con_discrepancias
    closing.generate("discrepancias").await;
    assert_eq!(closing.estado().await, "con_discrepancias");
    let with_discrepancies = [
        ("POST /incidencias", json!({}), "discrepancies_open"),
        ("POST /reabrir", reopen.clone(), "not_finalized"),
    ];
    refused(&admin, &closing, &with_discrepancies).await;
    blocked_by(
        &closing,
        &["discrepancy_blocking", "incidences_not_generated"],
    )
    .await;
    let [one] = closing.list("/discrepancias").await.try_into().unwrap();

    // archivos_completos once more, with results that are out of date; a failed file on top of it
    closing
        .take("libro_remuneraciones", "libro.csv", GOLDEN)
        .await;
    let corrects = correct(&one);
    refused(
        &admin,
        &closing,
        &[(&corrects, words.clone(), "results_stale")],
    )
    .await;
    let failed = closing
        .upload(
            "finiquitos",
            "finiquitos.csv",
            b"rut;fecha_termino;causal\r\n17317684-2;31/10/2025;4\r\n",
        )
        .await;
    assert_eq!(
        (&failed["estado"], closing.estado().await.as_str()),
        (&json!("con_errores"), "cargando_archivos")
    );
    // Nobody said yet that the discrepancy is gone.
    blocked_by(
        &closing,
        &[
            "file_with_errors",
            "discrepancies_not_generated",
            "discrepancy_blocking",
            "incidences_not_generated",
        ],
    )
    .await;
    let failed = closing.file_path(failed["id"].as_str().unwrap(), "");
    admin.delete(&failed).await.expect(204);
    assert_eq!(closing.estado().await, "archivos_completos");

    // verificado_sin_discrepancias
    closing.generate("discrepancias").await;
    let corrected = [
        (&*corrects, words.clone(), "discrepancy_closed"),
        ("POST /reabrir", reopen.clone(), "not_finalized"),
    ];
    refused(&admin, &closing, &corrected).await;
    blocked_by(&closing, &["incidences_not_generated"]).await;

    // incidencias_resueltas
    closing.generate("incidencias").await;
    assert_eq!(closing.estado().await, "incidencias_resueltas");
    refused(&admin, &closing, &corrected).await;
    // Generating once more keeps the state.
    closing.generate("discrepancias").await;
    assert_eq!(closing.estado().await, "incidencias_resueltas");
}

/// Everything that a closed closing refuses, with the word of its state.
fn everything(
    archivo: &str,
    code: &'static str,
    discrepancy: &str,
) -> Vec<(String, Value, &'static str)> {
    let words = json!({ "justificacion": WORDS });
    vec![
        (
            "POST /archivos".to_owned(),
            json!({ "tipo": "ingresos", "nombre": "a.csv", "tamano": 1 }),
            code,
        ),
        (format!("DELETE /archivos/{archivo}"), Value::Null, code),
        (
            format!("POST /archivos/{archivo}/reprocesar"),
            json!({}),
            code,
        ),
        ("POST /discrepancias".to_owned(), json!({}), code),
        (
            format!("POST /discrepancias/{discrepancy}/corregir"),
            words,
            code,
        ),
        ("POST /incidencias".to_owned(), json!({}), code),
        ("POST /finalizar".to_owned(), json!({}), code),
        (
            format!("DELETE ?motivo={}", "porque%20ya%20no%20sirve"),
            Value::Null,
            code,
        ),
    ]
}

async fn refuses_everything(
    closing: &Closing,
    archivo: &str,
    code: &'static str,
    discrepancy: &str,
) {
    let admin = closing.company.admin().await;
    let commands = everything(archivo, code, discrepancy);
    let commands: Vec<(&str, Value, &str)> = commands
        .iter()
        .map(|(command, body, code)| (command.as_str(), body.clone(), *code))
        .collect();
    let events = closing.events().await.len();
    let before = closing.now().await;
    refused(&admin, closing, &commands).await;
    assert_eq!(closing.now().await, before);
    assert_eq!(closing.events().await.len(), events);
}

#[tokio::test]
async fn a_finalised_closing_refuses_everything_but_to_be_reopened() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    // A warning, so that there is a discrepancy.
    let mut book = Libro::golden();
    book.set(3, "5410", "20900");
    let [libro, _] = closing.fill(&book.bytes()).await;
    closing.finish().await;
    let [one] = closing.list("/discrepancias").await.try_into().unwrap();
    refuses_everything(
        &closing,
        &libro,
        "cierre_finalized",
        one["id"].as_str().unwrap(),
    )
    .await;

    closing.reopen().await;
    let admin = company.admin().await;
    let reopened = [
        ("POST /incidencias", json!({}), "discrepancies_pending"),
        ("POST /reabrir", json!({ "motivo": WORDS }), "not_finalized"),
    ];
    refused(&admin, &closing, &reopened).await;
    let corrects = correct(&one);
    refused(
        &admin,
        &closing,
        &[(
            &corrects,
            json!({ "justificacion": WORDS }),
            "results_stale",
        )],
    )
    .await;
    blocked_by(
        &closing,
        &["discrepancies_not_generated", "incidences_not_generated"],
    )
    .await;
    // Both results again over the same files, and it can be sealed again.
    closing.finish().await;
    assert_eq!(closing.now().await["sellos"], 2);
}

#[tokio::test]
async fn a_deleted_closing_is_still_told_of_and_its_month_is_free() {
    let company = Company::of_payroll().await;
    let cliente = company.cliente(GOLDEN_CLIENT).await;
    let closing = company.closing_of(&cliente, "2025-10").await;
    let mut book = Libro::golden();
    book.set(3, "5410", "20900");
    let [libro, _] = closing.fill(&book.bytes()).await;
    closing.generate("discrepancias").await;
    let [one] = closing.list("/discrepancias").await.try_into().unwrap();
    let analyst = company.analyst().await;
    for motivo in ["", "?motivo=corto", &format!("?motivo={}", "x".repeat(501))] {
        let refused = analyst.delete(&closing.path(motivo)).await;
        refused.invalid(&[("/motivo", "reason_required")]);
    }
    let before = closing.events().await;
    analyst
        .delete(&closing.path("?motivo=Se%20cre%C3%B3%20por%20error"))
        .await
        .expect(204);
    let gone = closing.now().await;
    assert_eq!(gone["estado"], "eliminado");
    let events = closing.events().await;
    assert_eq!(events[..before.len()], before, "deleting changed an event");
    let told = &events[before.len()];
    assert_eq!(
        json!([
            told["event_type"],
            told["action"],
            told["user"],
            told["details"]
        ]),
        json!([
            "delete", "cierre_eliminado", company.username("payroll"),
            { "periodo": "2025-10", "estado_anterior": "verificado_sin_discrepancias", "motivo": "Se creó por error", "archivos": 2 }
        ])
    );
    refuses_everything(
        &closing,
        &libro,
        "cierre_deleted",
        one["id"].as_str().unwrap(),
    )
    .await;
    let admin = company.admin().await;
    let reopen = json!({ "motivo": WORDS });
    refused(
        &admin,
        &closing,
        &[("POST /reabrir", reopen, "cierre_deleted")],
    )
    .await;

    // Its timeline, its errors and its chain still answer.
    let auditor = company.auditor().await;
    let page = closing.timeline_as(&auditor, "?limit=100").await;
    assert_eq!(page["eventos"].as_array().unwrap().len(), events.len());
    assert!(auditor.list(&closing.path("/errores")).await.is_empty());
    closing.verify().await;
    // The month is free, and the deleted one is only shown when it is asked for.
    let next = company.closing_of(&cliente, "2025-10").await;
    let listed = async |query: &str| {
        let found = analyst
            .list(&format!("/api/nomina/cierres?periodo=2025-10{query}"))
            .await;
        let mut ids: Vec<String> = names(&found, "id").into_iter().map(str::to_owned).collect();
        ids.sort();
        ids
    };
    assert_eq!(listed("").await, std::slice::from_ref(&next.id));
    assert_eq!(
        listed("&incluir_eliminados=true").await,
        [closing.id.clone(), next.id.clone()]
    );
    assert_eq!(
        listed("&estado=eliminado").await,
        std::slice::from_ref(&closing.id)
    );
}

#[tokio::test]
async fn what_never_existed_is_not_found_whatever_the_state() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let admin = company.admin().await;
    let words = json!({ "justificacion": WORDS, "resolucion": "otra" });
    let just = json!({ "justificacion": WORDS });
    let comment = json!({ "comentario": WORDS });
    let unknown = Closing {
        id: "cie_01JD0000000000000000000001".to_owned(),
        ..closing.clone()
    };
    for rest in [
        "/discrepancias",
        "/incidencias",
        "/finalizar",
        "/archivos/arc_01JD0000000000000000000001/reprocesar",
    ] {
        admin
            .post(&unknown.path(rest), json!({}))
            .await
            .refused(404, "not_found");
    }
    admin
        .post(&unknown.path("/reabrir"), json!({ "motivo": WORDS }))
        .await
        .refused(404, "not_found");
    admin
        .delete(&unknown.path("?motivo=porque%20ya%20no%20sirve"))
        .await
        .refused(404, "not_found");
    for (rest, body) in [
        (
            "/discrepancias/dis_01JD0000000000000000000001/corregir".to_owned(),
            just,
        ),
        (format!("/incidencias/{UNKNOWN_INCIDENCE}/resolver"), words),
        (
            format!("/incidencias/{UNKNOWN_INCIDENCE}/aprobar"),
            comment.clone(),
        ),
        (
            format!("/incidencias/{UNKNOWN_INCIDENCE}/rechazar"),
            comment,
        ),
        (
            "/archivos/arc_01JD0000000000000000000001/reprocesar".to_owned(),
            json!({}),
        ),
    ] {
        admin
            .post(&closing.path(&rest), body)
            .await
            .refused(404, "not_found");
    }
    admin
        .delete(&closing.file_path("arc_01JD0000000000000000000001", ""))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_second_request_while_a_job_runs_gets_that_job() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    closing.fill(GOLDEN).await;
    let asked = futures::future::join_all((0..8).map(|_| closing.ask_for("discrepancias"))).await;
    for id in &asked {
        closing.job_end(id).await;
    }
    // As many generations as there were jobs; asked at the same moment, at least two met the same one.
    let mut jobs = asked.clone();
    jobs.sort();
    jobs.dedup();
    assert!(jobs.len() < asked.len(), "{asked:?}");
    assert_eq!(
        closing.events_of("discrepancias_generadas").await.len(),
        jobs.len()
    );
}
