//! What leaves a closing: a summary in its order, a book that is exported again, and what is logged.

use cierre_tests::{Company, GOLDEN, GOLDEN_CLIENT, eventually, names, rut};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_summary_is_written_in_the_order_of_the_contract() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    closing.fill(GOLDEN).await;
    let auditor = company.auditor().await;
    let text = auditor.get(&closing.path("/timeline")).await.text;
    let analyst = company.username("payroll");
    let resumen = format!(
        r#""resumen":{{"total_eventos":13,"eventos_por_tipo":{{"upload":6,"process":4,"update":2,"create":1}},"usuarios_activos":["{analyst}","sistema"]}},"next":null}}"#
    );
    assert!(text.ends_with(&resumen), "{text}");
    let begin = format!(
        r#"{{"cierre_id":"{}","periodo":"2025-10","eventos":[{{"id":"evt_"#,
        closing.id
    );
    assert!(text.starts_with(&begin), "{text}");
}

#[tokio::test]
async fn an_export_uploaded_again_is_exported_to_the_same_bytes() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    closing.fill(GOLDEN).await;
    closing.generate("discrepancias").await;
    let (nombre, first) = closing.export().await;
    closing.take("libro_remuneraciones", &nombre, &first).await;
    closing.generate("discrepancias").await;
    assert!(
        closing
            .list("/discrepancias?estado=abierta")
            .await
            .is_empty()
    );
    assert_eq!(closing.export().await.1, first);
    let client = company.auditor().await.list("/api/nomina/clientes").await;
    assert_eq!(names(&client, "rut"), [GOLDEN_CLIENT]);
}

#[tokio::test]
async fn logs_tell_of_a_file_and_of_nothing_that_stands_in_it() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let (right, wrong) = (rut(24_681_357), "24681358-1");
    let rows = format!(
        "rut;nombre;fecha_ingreso;sueldo_base\r\n{right};Zacarias;03/10/2025;76543210\r\n{wrong};Zoroastra;03/10/2025;1\r\n"
    );
    let id = format!("logged-{}", company.id);
    let announce = json!({ "tipo": "ingresos", "nombre": "Zulema.csv", "tamano": rows.len() });
    let analyst = company.analyst().await;
    let request = analyst.send(Method::POST, &closing.path("/archivos"));
    let request = request.header("x-correlation-id", &id).json(&announce);
    let announced = request.now().await.expect(201);
    closing.put(&announced["upload"], rows.as_bytes()).await;
    let file = closing
        .file_end(announced["archivo_id"].as_str().unwrap())
        .await;
    assert_eq!(file["estado"], "con_errores");
    let told_by = async |function: &str| {
        eventually(&format!("{function} tells of the command"), async || {
            let lines = company.stack.log_lines_with(&id).await;
            lines
                .iter()
                .any(|line| line.contains(function))
                .then_some(())
        })
        .await;
    };
    told_by("api-payroll").await;
    for kept in [
        &*right,
        wrong,
        "24681357",
        "Zacarias",
        "Zoroastra",
        "76543210",
        "Zulema",
    ] {
        let lines = company.stack.log_lines_with(kept).await;
        assert!(lines.is_empty(), "{kept} stands in a log: {lines:?}");
    }
    // The command's id follows it into the worker.
    told_by("receive-payroll-files").await;
}
