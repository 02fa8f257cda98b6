//! Work that fails whenever it is tried, messages that make no sense, and messages that got lost.

use std::time::Duration;

use cierre_tests::{
    Closing, Company, GOLDEN, Libro, WORDS, WORK_ENDS_WITHIN, names, table, within,
};
use serde_json::{Value, json};

use super::{FILES, JOBS, alone};

/// Takes an object of a file's reading away; answers its key and bytes.
async fn broken(closing: &Closing, archivo: &str, object: &str) -> (String, Vec<u8>) {
    let stack = &closing.company.stack;
    let key = format!(
        "derived/{}/{}/{archivo}/{object}",
        closing.company.id, closing.id
    );
    let bytes = stack
        .object(&key, None)
        .await
        .unwrap_or_else(|| panic!("no {key}"));
    stack.remove_object(&key).await;
    (key, bytes)
}

fn novedades() -> Vec<u8> {
    table(&[
        &["rut", "nombres", "apellido_paterno", "fecha_ingreso"],
        &["12345678-5", "Ana", "Soto", "01/03/2015"],
    ])
}

/// A closing with a file in error: what novedades are compared with is not to be read.
async fn in_error(company: &Company) -> (Closing, String, (String, Vec<u8>)) {
    let closing = company.closing().await;
    let [libro, _] = closing.fill(GOLDEN).await;
    let taken = broken(&closing, &libro, "fichas.pack").await;
    let file = closing
        .upload("novedades", "novedades.csv", &novedades())
        .await;
    assert_eq!(file["estado"], "error", "{file}");
    (closing, file["id"].as_str().unwrap().to_owned(), taken)
}

#[tokio::test]
async fn a_file_that_cannot_be_processed_is_in_error_and_succeeds_when_the_reason_is_gone() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let (closing, id, (key, bytes)) = in_error(&company).await;
    let analyst = company.analyst().await;
    let events = closing.events_of("procesamiento_error").await;
    assert_eq!(
        json!([events.len(), events[0]["details"]["intentos"]]),
        json!([1, 3])
    );
    assert_eq!(closing.estado().await, "cargando_archivos");
    let blocked = closing
        .post("/finalizar", json!({}))
        .await
        .refused(409, "close_blocked");
    let reasons = blocked["errors"].as_array().unwrap();
    assert_eq!(names(reasons, "code")[0], "file_with_errors");
    let errors = analyst.list(&closing.path("/errores")).await;
    assert_eq!(names(&errors, "action"), ["procesamiento_error"]);
    // Tried again while it is broken, it fails again, and that is told again.
    let path = closing.file_path(&id, "/reprocesar");
    let again = || analyst.post(&path, json!({}));
    again().await.expect(202);
    let failed_twice = within(WORK_ENDS_WITHIN, "it failed again", || async {
        let events = closing.events_of("procesamiento_error").await;
        (events.len() == 2).then_some(events)
    });
    failed_twice.await;
    closing.company.stack.drop_at(&key, &bytes).await;
    again().await.expect(202);
    let file = closing.file_end(&id).await;
    assert_eq!(
        json!([file["estado"], file["vigente"]]),
        json!(["procesado", true])
    );
    assert_eq!(closing.estado().await, "archivos_completos");
    closing.verify().await;
}

#[tokio::test]
async fn a_file_whose_bytes_are_gone_before_they_are_read_is_replaced() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let (closing, id, _) = in_error(&company).await;
    let notice = closing.notice(&id).await;
    let object = &notice["Records"][0]["s3"]["object"];
    let word = |name: &str| object[name].as_str().unwrap().to_owned();
    company
        .stack
        .remove_version(&cierre_tests::Dropped {
            key: word("key"),
            version: word("versionId"),
        })
        .await;
    let analyst = company.analyst().await;
    analyst
        .post(&closing.file_path(&id, "/reprocesar"), json!({}))
        .await
        .expect(202);
    assert_eq!(closing.file_end(&id).await["estado"], "reemplazado");
    assert_eq!(closing.estado().await, "archivos_completos");
    closing.verify().await;
}

#[tokio::test]
async fn a_job_that_cannot_be_done_is_in_error_and_says_what_to_do() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let closing = company.closing().await;
    let [libro, _] = closing.fill(GOLDEN).await;
    let (key, bytes) = broken(&closing, &libro, "registros.pack").await;
    let id = closing.ask_for("discrepancias").await;
    let job = closing.job_end(&id).await;
    assert_eq!(
        json!([job["estado"], job["resultado"]]),
        json!(["error", null]),
        "{job}"
    );
    assert!(
        job["mensaje"].as_str().is_some_and(|text| !text.is_empty()),
        "{job}"
    );
    assert_eq!(job["intentos"].as_array().unwrap().len(), 3);
    assert_eq!(closing.estado().await, "archivos_completos");
    assert!(
        closing
            .events_of("discrepancias_generadas")
            .await
            .is_empty()
    );
    company.stack.drop_at(&key, &bytes).await;
    closing.generate("discrepancias").await;
    closing.verify().await;
}

#[tokio::test]
async fn a_poison_message_is_parked_and_blocks_nothing() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let closing = company.closing().await;
    let parked = company.messages("PAYROLL_PARKED_QUEUE_URL").await;
    let poison = [
        ("PAYROLL_FILES_QUEUE_URL", "not even JSON".to_owned()),
        ("PAYROLL_FILES_QUEUE_URL", json!({ "hello": 1 }).to_string()),
        ("PAYROLL_JOBS_QUEUE_URL", "{".to_owned()),
        (
            "PAYROLL_JOBS_QUEUE_URL",
            json!({ "companyId": company.id, "trabajoId": "nonsense" }).to_string(),
        ),
    ];
    for (queue, body) in &poison {
        company.send_to(queue, body).await;
    }
    closing.fill(GOLDEN).await;
    closing.finish().await;
    within(WORK_ENDS_WITHIN, "they are parked", || async {
        let now = company.messages("PAYROLL_PARKED_QUEUE_URL").await;
        (now == parked + poison.len() as u64).then_some(())
    })
    .await;
    closing.queues_are_empty().await;
    // What the bucket says when it is told where to send is no poison.
    let test = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2025-10-17T10:30:00.000Z", "Bucket": company.stack.bucket(), "RequestId": "r", "HostId": "h" });
    closing.deliver(&test).await;
    closing.queues_are_empty().await;
    assert_eq!(
        company.messages("PAYROLL_PARKED_QUEUE_URL").await,
        parked + poison.len() as u64
    );
}

async fn sweep(company: &Company, minutes: u64) {
    let later = company.stack.clock_after(Duration::from_secs(minutes * 60));
    company
        .stack
        .invoke("sweep-payroll", &company.stack.schedule_event(&later))
        .await;
}

#[tokio::test]
async fn a_file_and_a_job_whose_messages_got_lost_are_swept() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let (closing, id, (key, bytes)) = in_error(&company).await;
    company.stack.drop_at(&key, &bytes).await;
    closing.queues_are_empty().await;
    let analyst = company.analyst().await;

    let again = closing.file_path(&id, "/reprocesar");
    let lost = async || {
        analyst.post(&again, json!({})).await.expect(202);
        analyst
            .post(&again, json!({}))
            .await
            .refused(409, "file_in_process");
        let blocked = closing
            .post("/finalizar", json!({}))
            .await
            .refused(409, "close_blocked");
        assert_eq!(
            names(blocked["errors"].as_array().unwrap(), "code")[0],
            "file_in_process"
        );
        assert_eq!(
            company.take_messages("PAYROLL_FILES_QUEUE_URL").await.len(),
            1
        );
    };
    company.stack.while_waiting(FILES, lost).await;
    // It was quiet for four minutes only.
    sweep(&company, 4).await;
    assert_eq!(closing.file(&id).await["estado"], "recibido");
    sweep(&company, 6).await;
    assert_eq!(closing.file_end(&id).await["estado"], "procesado");

    let lost = async || {
        let job = closing.ask_for("discrepancias").await;
        let blocked = closing
            .post("/finalizar", json!({}))
            .await
            .refused(409, "close_blocked");
        assert_eq!(
            names(blocked["errors"].as_array().unwrap(), "code")[0],
            "job_running"
        );
        assert_eq!(
            company.take_messages("PAYROLL_JOBS_QUEUE_URL").await.len(),
            1
        );
        job
    };
    let job = company.stack.while_waiting(JOBS, lost).await;
    sweep(&company, 4).await;
    assert_eq!(closing.job(&job).await["estado"], "en_cola");
    sweep(&company, 6).await;
    assert_eq!(closing.job_end(&job).await["estado"], "completado");
    closing.verify().await;
}

#[tokio::test]
async fn a_job_whose_files_change_meanwhile_writes_nothing() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let closing = company.closing().await;
    let mut wrong = Libro::golden();
    wrong.set(2, "5201", "1055817");
    closing.fill(&wrong.bytes()).await;
    let changed = async || {
        let id = closing.ask_for("discrepancias").await;
        // A second request while the first one waits gets that one.
        assert_eq!(closing.ask_for("discrepancias").await, id);
        assert_eq!(closing.job(&id).await["estado"], "en_cola");
        closing
            .take("libro_remuneraciones", "libro.csv", GOLDEN)
            .await;
        id
    };
    let id = company.stack.while_waiting(JOBS, changed).await;
    let job = closing.job_end(&id).await;
    assert_eq!(
        json!([job["estado"], job["codigo"], job["resultado"]]),
        json!(["error", "inputs_changed", null]),
        "{job}"
    );
    let cierre = closing.now().await;
    assert_eq!(
        json!([
            cierre["estado"],
            cierre["resultados"]["discrepancias"]["vigente"]
        ]),
        json!(["archivos_completos", false])
    );
    assert!(closing.list("/discrepancias").await.is_empty());
    assert!(
        closing
            .events_of("discrepancias_generadas")
            .await
            .is_empty()
    );
    closing.generate("discrepancias").await;

    // And a closing that is deleted meanwhile.
    let deleted = async || {
        let id = closing.ask_for("incidencias").await;
        let gone = closing.path(&format!("?motivo={}", WORDS.replace(' ', "%20")));
        company.analyst().await.delete(&gone).await.expect(204);
        id
    };
    let id = company.stack.while_waiting(JOBS, deleted).await;
    let job: Value = closing.job_end(&id).await;
    assert_eq!(job["estado"], "error", "{job}");
    assert!(closing.events_of("incidencias_generadas").await.is_empty());
}

#[tokio::test]
async fn a_file_deleted_while_it_waits_stays_deleted() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let (closing, id, (key, bytes)) = in_error(&company).await;
    company.stack.drop_at(&key, &bytes).await;
    closing.queues_are_empty().await;
    let analyst = company.analyst().await;
    let path = closing.file_path(&id, "/reprocesar");
    let deleted = async || {
        let first = analyst.post_as("again", &path, json!({})).await.expect(202);
        let again = analyst.post_as("again", &path, json!({})).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(202), first);
        analyst
            .delete(&closing.file_path(&id, ""))
            .await
            .expect(204);
        assert_eq!(closing.estado().await, "archivos_completos");
        closing.events().await
    };
    let events = company.stack.while_waiting(FILES, deleted).await;
    closing.queues_are_empty().await;
    assert_eq!(closing.file(&id).await["estado"], "eliminado");
    assert_eq!(closing.events().await, events);
    closing.verify().await;
}

#[tokio::test]
async fn an_address_that_nobody_used_expires_and_takes_its_bytes_all_the_same() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let closing = company.closing().await;
    let announced = closing
        .announce("libro_remuneraciones", "libro.csv", GOLDEN)
        .await;
    sweep(&company, 14).await;
    assert_eq!(closing.file(&announced.id).await["estado"], "esperando");
    sweep(&company, 16).await;
    assert_eq!(closing.file(&announced.id).await["estado"], "expirado");
    let analyst = company.analyst().await;
    analyst
        .delete(&closing.file_path(&announced.id, ""))
        .await
        .refused(409, "file_not_live");
    analyst
        .post(&closing.file_path(&announced.id, "/reprocesar"), json!({}))
        .await
        .refused(409, "file_not_live");
    assert_eq!(closing.estado().await, "pendiente");
    closing.put(&announced.upload, GOLDEN).await;
    let file = closing.file_end(&announced.id).await;
    assert_eq!(
        json!([file["estado"], file["vigente"]]),
        json!(["procesado", true])
    );
}
