//! Commands that are sent twice under one key.

use cierre_tests::{
    Client, Closing, Company, GOLDEN, GOLDEN_CLIENT, Libro, NOMINA, WORDS, movimientos, names, rut,
};
use serde_json::{Value, json};

use super::http::pages;

/// Posts twice under one key: the same answer, one effect, and another body is refused.
async fn replayed(client: &Client, path: &str, body: Value, status: u16) -> Value {
    let key = format!("key-of-{path}");
    let first = client.post_as(&key, path, body.clone()).await;
    assert_eq!(
        first.header("idempotency-replayed"),
        "",
        "{path}: {}",
        first.text
    );
    let location = first.header("location").to_owned();
    let first = first.expect(status);
    let again = client.post_as(&key, path, body.clone()).await;
    assert_eq!(
        again.header("idempotency-replayed"),
        "true",
        "{path}: {}",
        again.text
    );
    assert_eq!(again.header("location"), location, "{path}");
    assert_eq!(again.expect(status), first, "{path}");
    let mut other = body;
    other["otro"] = json!(1);
    let reused = client.post_as(&key, path, other).await;
    assert!(reused.status == 422, "{path}: {}", reused.text);
    first
}

#[tokio::test]
async fn a_repeat_under_the_same_key_answers_the_same() {
    let company = Company::of_payroll().await;
    let (analyst, supervisor) = (company.analyst().await, company.supervisor().await);
    let new = json!({ "rut": GOLDEN_CLIENT, "nombre": "Uno" });
    let cliente = replayed(&analyst, &format!("{NOMINA}/clientes"), new, 201).await;
    let cliente = cliente["id"].as_str().unwrap();
    let other_name = json!({ "rut": GOLDEN_CLIENT, "nombre": "Dos" });
    let clients = format!("{NOMINA}/clientes");
    let reused = analyst
        .post_as(&format!("key-of-{clients}"), &clients, other_name)
        .await;
    reused.refused(422, "idempotency_key_reused");
    let before = company.closing_of(cliente, "2025-09").await;
    before.fill(GOLDEN).await;
    before.finish().await;
    let begin = json!({ "cliente_id": cliente, "periodo": "2025-10" });
    let begun = replayed(&analyst, &format!("{NOMINA}/cierres"), begin, 201).await;
    let closing = Closing {
        company: company.clone(),
        cliente: cliente.to_owned(),
        id: begun["id"].as_str().unwrap().to_owned(),
        periodo: "2025-10".to_owned(),
    };
    let mut book = Libro::golden();
    book.set(2, "2103", "900000")
        .set(3, "2103", "900000")
        .balance(2)
        .balance(3)
        .set(4, "5410", "1")
        .set(4, "5501", "1");
    let libro = book.bytes();
    let announce =
        json!({ "tipo": "libro_remuneraciones", "nombre": "libro.csv", "tamano": libro.len() });
    let announced = replayed(&analyst, &closing.path("/archivos"), announce, 201).await;
    assert_eq!(closing.list("/archivos").await.len(), 1);
    closing.put(&announced["upload"], &libro).await;
    closing
        .file_end(announced["archivo_id"].as_str().unwrap())
        .await;
    closing
        .take("movimientos_mes", "movimientos.xlsx", &movimientos(&[]))
        .await;

    let job = replayed(&analyst, &closing.path("/discrepancias"), json!({}), 202).await;
    closing.job_end(job["trabajo_id"].as_str().unwrap()).await;
    // Long over, it is still the same job.
    let path = closing.path("/discrepancias");
    let again = analyst
        .post_as(&format!("key-of-{path}"), &path, json!({}))
        .await
        .expect(202);
    assert_eq!(again, job);
    for one in closing.list("/discrepancias?estado=abierta").await {
        let path = closing.path(&format!(
            "/discrepancias/{}/corregir",
            one["id"].as_str().unwrap()
        ));
        let who = if one["severidad"] == "bloqueante" {
            &supervisor
        } else {
            &analyst
        };
        replayed(who, &path, json!({ "justificacion": WORDS }), 200).await;
    }
    let job = replayed(&analyst, &closing.path("/incidencias"), json!({}), 202).await;
    closing.job_end(job["trabajo_id"].as_str().unwrap()).await;
    let found = closing.list("/incidencias").await;
    assert_eq!(found.len(), 2, "{found:#?}");
    let step = |one: &Value, action: &str| {
        closing.path(&format!(
            "/incidencias/{}/{action}",
            one["id"].as_str().unwrap()
        ))
    };
    let resolve = json!({ "resolucion": "otra", "justificacion": WORDS });
    replayed(&analyst, &step(&found[0], "resolver"), resolve, 200).await;
    replayed(
        &supervisor,
        &step(&found[0], "rechazar"),
        json!({ "comentario": WORDS }),
        200,
    )
    .await;
    let lote = json!({ "accion": "resolver", "ids": names(&found, "id"), "resolucion": "otra", "justificacion": WORDS });
    let decided = replayed(&analyst, &closing.path("/incidencias/lote"), lote, 200).await;
    assert_eq!(decided["items"].as_array().unwrap().len(), 2);
    for one in &found {
        replayed(&supervisor, &step(one, "aprobar"), json!({}), 200).await;
    }
    let resolved = closing.events_of("incidencia_resuelta").await;
    assert_eq!(
        resolved.len(),
        6,
        "one, its rejection, two, and two approvals"
    );
    let seal = replayed(&analyst, &closing.path("/finalizar"), json!({}), 200).await;
    assert_eq!(seal["numero"], 1);
    assert_eq!(closing.events_of("cierre_finalizado").await.len(), 1);
    replayed(
        &supervisor,
        &closing.path("/reabrir"),
        json!({ "motivo": WORDS }),
        200,
    )
    .await;
    closing.verify().await;
}

#[tokio::test]
async fn a_hundred_decisions_repeat_under_their_key() {
    let company = Company::of_payroll().await;
    let cliente = company.cliente(GOLDEN_CLIENT).await;
    let ruts: Vec<String> = (0..110).map(|n| rut(21_000_000 + n)).collect();
    let before = company.closing_of(&cliente, "2025-09").await;
    before.fill(&Libro::of(&ruts).bytes()).await;
    before.finish().await;
    let closing = company.closing_of(&cliente, "2025-10").await;
    let mut book = Libro::of(&ruts);
    for row in 2..112 {
        book.set(row, "2103", "60000").balance(row);
    }
    closing.fill(&book.bytes()).await;
    closing.generate("discrepancias").await;
    closing.generate("incidencias").await;
    let found = closing.list("/incidencias").await;
    assert_eq!(found.len(), 110);
    let ids = &names(&found, "id")[..100];
    let lote =
        json!({ "accion": "resolver", "ids": ids, "resolucion": "otra", "justificacion": WORDS });
    let decided = replayed(
        &company.analyst().await,
        &closing.path("/incidencias/lote"),
        lote,
        200,
    )
    .await;
    let outcomes = decided["items"].as_array().unwrap();
    assert_eq!(names(outcomes, "id"), ids);
    assert!(outcomes.iter().all(|one| one["status"] == 200), "{decided}");
    assert_eq!(
        closing
            .list("/incidencias?estado=resuelta_analista")
            .await
            .len(),
        100
    );
    assert_eq!(closing.events_of("incidencia_resuelta").await.len(), 100);
    closing.verify().await;
    pages(
        &company.analyst().await,
        &closing.path("/incidencias?estado=pendiente"),
        &[1, 3, 10],
    )
    .await;
    pages(
        &company.analyst().await,
        &closing.path("/registros?tipo=libro_remuneraciones"),
        &[7, 50],
    )
    .await;
    pages(
        &company.analyst().await,
        &closing.path("/empleados"),
        &[7, 50],
    )
    .await;
}
