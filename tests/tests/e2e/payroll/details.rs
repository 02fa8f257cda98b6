//! Every kind of event of payroll, with the details that the contract names and no others.

use std::collections::BTreeSet;

use cierre_tests::{
    Closing, Company, GOLDEN_CLIENT, Libro, NOMINA, WORDS, eventually, keys, movimientos, rut,
    table,
};
use serde_json::{Value, json};

use super::rows::{OTHERS, expected, written};

fn content(kind: &str) -> Vec<u8> {
    match kind {
        "finiquitos" => table(&[
            &["rut", "fecha_termino", "causal"],
            &["12345678-5", "31/10/2025", "4"],
        ]),
        "ausentismos" => table(&[
            &["rut", "tipo", "desde", "hasta"],
            &["12345678-5", "OTRO", "01/10/2025", "02/10/2025"],
        ]),
        "incidencias_externas" => table(&[
            &["rut", "concepto", "glosa"],
            &["12345678-5", "2101", "Ascenso"],
        ]),
        "ingresos" => table(&[
            &["rut", "nombre", "fecha_ingreso"],
            &["12345678-5", "Ana", "01/10/2025"],
        ]),
        "novedades" => table(&[
            &[
                "rut",
                "nombres",
                "apellido_paterno",
                "fecha_ingreso",
                "cargo",
                "2101",
            ],
            &["12345678-5", "", "", "", "Jefa", "600000"],
            &[&rut(18_000_001), "Ana", "Soto", "01/10/2025", "", ""],
        ]),
        other => panic!("no content of {other}"),
    }
}

/// Does everything that leaves an event, in three closings of a client.
async fn live(company: &Company) -> [Closing; 3] {
    let (analyst, supervisor) = (company.analyst().await, company.supervisor().await);
    let cliente = company.cliente(GOLDEN_CLIENT).await;
    let path = format!("{NOMINA}/clientes/{cliente}");
    analyst
        .patch(&path, json!({ "nombre": "Otro nombre" }))
        .await
        .expect(200);

    // Every kind of file, taken and deleted.
    let files = company.closing_of(&cliente, "2025-08").await;
    let [libro, movimientos_mes] = files.fill(&Libro::golden().bytes()).await;
    let mut taken = vec![libro, movimientos_mes];
    for kind in OTHERS {
        taken.push(files.take(kind, "archivo.csv", &content(kind)).await);
    }
    for id in &taken {
        analyst.delete(&files.file_path(id, "")).await.expect(204);
    }
    for _ in 0..2 {
        files
            .dropped(
                "libro_remuneraciones",
                "libro.csv",
                &Libro::golden().bytes(),
            )
            .await;
    }
    let wrong = files
        .upload("finiquitos", "finiquitos.csv", b"rut\r\n1\r\n")
        .await;
    let wrong = wrong["id"].as_str().unwrap();
    analyst
        .get(&files.file_path(wrong, "/errores?formato=csv"))
        .await
        .expect(200);
    analyst
        .delete(&files.path(&format!("?motivo={}", WORDS.replace(' ', "%20"))))
        .await
        .expect(204);
    files
        .drop_file("ingresos", "ingresos.csv", &content("ingresos"))
        .await;
    company.quarantined(1).await;

    // A month with discrepancies of both severities, justified and corrected, and its end.
    let first = company.closing_of(&cliente, "2025-09").await;
    let mut book = Libro::golden();
    book.set(2, "5201", "1055817").set(3, "5410", "20900");
    first.fill(&book.bytes()).await;
    first.generate("discrepancias").await;
    for one in first.list("/discrepancias").await {
        let who = if one["severidad"] == "bloqueante" {
            &supervisor
        } else {
            &analyst
        };
        let path = first.path(&format!(
            "/discrepancias/{}/corregir",
            one["id"].as_str().unwrap()
        ));
        who.post(&path, json!({ "justificacion": WORDS }))
            .await
            .expect(200);
    }
    first
        .take(
            "libro_remuneraciones",
            "libro.csv",
            &Libro::golden().bytes(),
        )
        .await;
    first.generate("discrepancias").await;
    first.export().await;
    first.generate("incidencias").await;
    first.finalise().await;
    first.reopen().await;
    first.finish().await;

    // A month with an incidence.
    let second = company.closing_of(&cliente, "2025-10").await;
    let mut book = Libro::golden();
    book.set(2, "2103", "900000").balance(2);
    second.fill(&book.bytes()).await;
    second.generate("discrepancias").await;
    second.generate("incidencias").await;
    for one in second.list("/incidencias").await {
        let step = |action: &str| {
            second.path(&format!(
                "/incidencias/{}/{action}",
                one["id"].as_str().unwrap()
            ))
        };
        let resolve = json!({ "resolucion": "otra", "justificacion": WORDS });
        analyst.post(&step("resolver"), resolve).await.expect(200);
        supervisor
            .post(&step("aprobar"), json!({}))
            .await
            .expect(200);
    }
    second
        .timeline_as(&analyst, "?event_type=upload&orden=desc")
        .await;
    second.finalise().await;
    [files, first, second]
}

async fn all(company: &Company) -> Vec<Value> {
    company
        .auditor()
        .await
        .list(&format!("{NOMINA}/actividad"))
        .await
}

#[tokio::test]
async fn events_say_exactly_what_the_contract_names() {
    let company = Company::of_payroll().await;
    let closings = live(&company).await;
    let role = |user: &str| {
        user.strip_suffix(&format!("-{}", company.id))
            .unwrap_or(user)
            .to_owned()
    };
    let row = |event: &Value| {
        let word = |member: &str| event[member].as_str().unwrap();
        let details = keys(&event["details"]);
        written(
            word("event_type"),
            word("action"),
            word("resource_type"),
            &role(word("user")),
            &details,
        )
    };
    let expected = expected();
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let events = eventually("the events are listed", || async {
        let events = all(&company).await;
        let rows: BTreeSet<String> = events.iter().map(row).collect();
        (rows.len() >= expected.len() || std::time::Instant::now() > patience).then_some(events)
    })
    .await;
    let found: BTreeSet<String> = events.iter().map(row).collect();
    let unexpected: Vec<&String> = found.difference(&expected).collect();
    let missing: Vec<&String> = expected.difference(&found).collect();
    assert!(
        unexpected.is_empty() && missing.is_empty(),
        "unexpected: {unexpected:#?}\nmissing: {missing:#?}"
    );
    check_values(&company, &closings, &events).await;
}

/// What some of them say, word for word.
async fn check_values(company: &Company, [files, first, second]: &[Closing; 3], events: &[Value]) {
    let of = |closing: &Closing, action: &str, resource: &str| -> Vec<Value> {
        let mut found: Vec<Value> = events
            .iter()
            .filter(|event| {
                event["cierre_id"] == closing.id
                    && event["action"] == action
                    && event["resource_type"] == resource
            })
            .map(|event| event["details"].clone())
            .collect();
        found.reverse();
        found
    };
    let deleted = |kind: &str| of(files, "archivo_eliminado", kind)[0].clone();
    assert_eq!(
        deleted("movimientos_mes")["movimientos_eliminados"],
        json!({ "altas_bajas": 0, "ausentismos": 0, "vacaciones": 0 })
    );
    assert_eq!(deleted("novedades")["registros_eliminados"], 2);
    assert_eq!(deleted("ausentismos")["tipo_documento"], "ausentismos");
    assert_eq!(deleted("ingresos")["registros_procesados"], 1);
    assert_eq!(deleted("ingresos")["motivo"], "eliminado_por_usuario");
    let created = &of(files, "empleado_creado", "novedades")[0];
    assert_eq!(created["cantidad"], 1);
    assert_eq!(
        of(files, "consolidacion_completada", "novedades"),
        [json!({ "empleados_actualizados": 1, "empleados_creados": 1 })]
    );
    let classified = &of(files, "clasificacion_completada", "novedades")[0];
    assert_eq!(classified["headers_clasificados"], 6);
    assert_eq!(classified["columnas_movimiento"], json!(["2101"]));
    assert_eq!(
        of(first, "archivo_validado", "movimientos_mes")[0]["accion_db"],
        "creado"
    );
    let modes: Vec<Value> = of(first, "discrepancia_corregida", "discrepancias")
        .iter()
        .map(|one| one["modo"].clone())
        .collect();
    assert_eq!(modes, ["justificada", "justificada", "resubida"]);
    assert_eq!(
        of(second, "timeline_consultado", "cierre_nomina")[0]["filtros"]["event_type"],
        "upload"
    );
    assert_eq!(
        of(second, "cierre_finalizado", "cierre_nomina")[0]["estado_final"],
        "finalizado"
    );
    for event in events {
        assert_eq!(event["company_id"], company.id);
        let of_closing = event["cierre_id"].is_string();
        assert!(event["cliente_id"].is_string(), "no client: {event}");
        assert_eq!(of_closing, event["resource_type"] != "cliente", "{event}");
    }
    for closing in [files, first, second] {
        closing.verify().await;
    }
    // Taken again while one was in force, it says so.
    let again = company.closing_of(&files.cliente, "2025-08").await;
    again
        .take("movimientos_mes", "movimientos.xlsx", &movimientos(&[]))
        .await;
    again
        .take(
            "movimientos_mes",
            "movimientos.xlsx",
            &movimientos(&[["12345678-5", "ALTA", "01/08/2025", ""]]),
        )
        .await;
    let told = again.events_of("archivo_validado").await;
    let actions: Vec<&Value> = told
        .iter()
        .map(|event| &event["details"]["accion_db"])
        .collect();
    assert_eq!(actions, ["creado", "actualizado"]);
    assert_eq!(
        again.events_of("archivo_eliminado").await[0]["details"]["movimientos_eliminados"],
        json!({ "altas_bajas": 0, "ausentismos": 0, "vacaciones": 0 })
    );
}
