//! Workers that are killed.

use std::time::Duration;

use cierre_tests::{Closing, Company, Libro, eventually, movimientos, names, rut};
use rstest::rstest;
use serde_json::{Value, json};

use super::{FILES, JOBS, alone, kill, told, until};

/// More than the start of a worker takes, and less than the reading of a [`large`] book.
const READING: Duration = Duration::from_millis(300);

/// A book that takes a worker a while.
fn large() -> Vec<u8> {
    let ruts: Vec<String> = (0..6_000).map(|n| rut(10_000_000 + n)).collect();
    Libro::of(&ruts).bytes()
}

async fn reaches(closing: &Closing, archivo: &str, state: &str) {
    let order = [
        "esperando",
        "recibido",
        "validando",
        "procesando",
        "procesado",
    ];
    let rank = |word: &Value| order.iter().position(|known| word == known);
    let goal = order.iter().position(|known| *known == state);
    let what = format!("the file is {state}");
    until(
        &what,
        || closing.stored_file(archivo),
        |file| rank(&file["estado"]) >= goal,
    )
    .await;
}

#[rstest]
#[case::as_soon_as_it_arrived("recibido")]
#[case::while_it_is_read("validando")]
#[case::while_its_rows_are_written("procesando")]
#[case::when_it_is_in_force("procesado")]
#[tokio::test]
async fn a_worker_killed_over_a_file_leaves_no_trace(#[case] state: &str) {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let closing = company.closing().await;
    // A worker that lives already is there at once.
    closing
        .take("movimientos_mes", "movimientos.xlsx", &movimientos(&[]))
        .await;
    let id = closing
        .send("libro_remuneraciones", "libro.csv", &large())
        .await;
    reaches(&closing, &id, state).await;
    kill(&closing, FILES);
    let file = closing.file_end(&id).await;
    assert_eq!(
        json!([file["estado"], file["filas"]]),
        json!(["procesado", 6000])
    );
    closing.queues_are_empty().await;
    for action in [
        "archivo_subido",
        "archivo_validado",
        "procesamiento_iniciado",
        "procesamiento_completado",
    ] {
        assert_eq!(told(&closing, &id, action).await, 1, "{action}");
    }
    let cierre = closing.now().await;
    assert_eq!(
        json!([cierre["estado"], cierre["counts"]["registros"]]),
        json!(["archivos_completos", 6000])
    );
    closing.verify().await;
}

#[tokio::test]
async fn a_file_that_kills_its_worker_three_times_is_in_error_and_can_be_processed_again() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let closing = company.closing().await;
    closing
        .take("movimientos_mes", "movimientos.xlsx", &movimientos(&[]))
        .await;
    let id = closing
        .send("libro_remuneraciones", "libro.csv", &large())
        .await;
    reaches(&closing, &id, "validando").await;
    kill(&closing, FILES);
    for _ in 1..3 {
        // The message is delivered again, and its worker is past its start: it holds the message for seconds, not for minutes.
        let reads = async || json!(company.stack.busy(FILES) > READING);
        until("a worker reads the file", reads, |reads| *reads == true).await;
        kill(&closing, FILES);
    }
    let file = closing.file_end(&id).await;
    assert_eq!(file["estado"], "error", "{file}");
    let message = file["mensaje"].as_str().unwrap();
    assert!(
        message.contains("reprocesar") && message.contains("upload"),
        "{message}"
    );
    assert_eq!(closing.estado().await, "cargando_archivos");
    let events = closing.events_of("procesamiento_error").await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        json!([
            events[0]["event_type"],
            events[0]["user"],
            events[0]["resource_id"],
            events[0]["details"]
        ]),
        json!([
            "error", "sistema", id,
            { "archivo_nombre": "libro.csv", "mensaje": message, "intentos": 3 }
        ])
    );
    let analyst = company.analyst().await;
    let again = analyst
        .post(&closing.file_path(&id, "/reprocesar"), json!({}))
        .await
        .expect(202);
    assert_eq!(again, json!({ "archivo_id": id, "estado": "recibido" }));
    let file = closing.file_end(&id).await;
    assert_eq!(
        json!([file["estado"], file["mensaje"]]),
        json!(["procesado", null])
    );
    let updated = closing.events_of("estado_actualizado").await;
    let of_file: Vec<&Value> = updated
        .iter()
        .filter(|event| event["resource_id"] == id)
        .collect();
    assert_eq!(of_file.len(), 1);
    assert_eq!(of_file[0]["user"], company.username("payroll"));
    assert_eq!(
        json!([
            of_file[0]["details"]["estado_anterior"],
            of_file[0]["details"]["estado_nuevo"]
        ]),
        json!(["error", "recibido"])
    );
    closing.verify().await;
}

#[tokio::test]
async fn a_worker_killed_over_a_job_is_followed_by_another() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let closing = company.closing().await;
    closing.fill(&large()).await;
    closing.generate("discrepancias").await;
    let id = closing.ask_for("discrepancias").await;
    until(
        "the job runs",
        || closing.job(&id),
        |job| job["estado"] != "en_cola",
    )
    .await;
    kill(&closing, JOBS);
    let job = closing.job_end(&id).await;
    assert_eq!(
        json!([job["estado"], job["progreso"]]),
        json!(["completado", 100]),
        "{job}"
    );
    assert!(job["inicio"].is_string() && job["fin"].is_string());
    closing.queues_are_empty().await;
    assert_eq!(closing.events_of("discrepancias_generadas").await.len(), 2);
    closing.verify().await;
}

#[tokio::test]
async fn a_job_whose_worker_dies_three_times_is_in_error_and_another_one_succeeds() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let closing = company.closing().await;
    closing.fill(&large()).await;
    closing.generate("discrepancias").await;
    let before = closing.now().await;
    let id = closing.ask_for("discrepancias").await;
    for death in 1..=3 {
        let begun = |job: &Value| {
            let attempts = job["intentos"].as_array().unwrap();
            attempts.len() >= death || job["estado"] == "completado"
        };
        let job = until("a worker has the job", || closing.job(&id), begun).await;
        assert_ne!(
            job["estado"], "completado",
            "the job was faster than this test: {job}"
        );
        kill(&closing, JOBS);
    }
    let job = closing.job_end(&id).await;
    assert_eq!(job["estado"], "error", "{job}");
    assert!(
        job["mensaje"].as_str().is_some_and(|text| !text.is_empty()),
        "{job}"
    );
    assert_eq!(job["intentos"].as_array().unwrap().len(), 3);
    let after = closing.now().await;
    for kept in ["estado", "resultados", "counts"] {
        assert_eq!(after[kept], before[kept]);
    }
    closing.generate("discrepancias").await;
    closing.verify().await;
}

#[tokio::test]
async fn a_closing_deleted_under_a_worker_keeps_nothing_of_the_file() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let closing = company.closing().await;
    closing
        .take("movimientos_mes", "movimientos.xlsx", &movimientos(&[]))
        .await;
    let id = closing
        .send("libro_remuneraciones", "libro.csv", &large())
        .await;
    reaches(&closing, &id, "recibido").await;
    let gone = closing.path("?motivo=porque%20ya%20no%20sirve");
    company.analyst().await.delete(&gone).await.expect(204);
    closing.queues_are_empty().await;
    let cierre = closing.now().await;
    assert_eq!(cierre["estado"], "eliminado");
    assert!(
        cierre["archivos"]["libro_remuneraciones"].is_null(),
        "{cierre}"
    );
    assert_eq!(told(&closing, &id, "procesamiento_completado").await, 0);
    let packs = format!("derived/{}/{}/{id}/", company.id, closing.id);
    let rows = eventually("its rows are thrown away", || async {
        let kept = company.stack.keys_under(&packs).await;
        (!kept.iter().any(|key| key.contains("registros"))).then_some(kept)
    });
    rows.await;
    // Its object stays where it was, and so do its events.
    let put = closing.key("libro_remuneraciones", &format!("{id}/libro.csv"));
    assert!(company.stack.object(&put, None).await.is_some());
    let last = closing.events().await.pop().unwrap();
    assert_eq!(names(&[last], "action"), ["cierre_eliminado"]);
    closing.verify().await;
}
