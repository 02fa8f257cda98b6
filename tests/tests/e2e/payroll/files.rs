//! Files that are wrong, and what their uploader is told; files that are deleted, replaced, or never come.

use std::fmt::Write as _;
use std::time::Duration;

use cierre_tests::{Closing, Company, GOLDEN, Libro, keys, names, rut, table};
use serde_json::{Value, json};

#[tokio::test]
async fn a_book_with_a_wrong_header_is_refused() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let mut headless = Libro::golden();
    headless.without("1101");
    let mut twice = Libro::golden();
    twice.twice("2101");
    for (book, rule) in [
        (headless, "cabecera_no_encontrada"),
        (twice, "columna_duplicada"),
    ] {
        let file = closing
            .upload("libro_remuneraciones", "libro.csv", &book.bytes())
            .await;
        assert_eq!(file["estado"], "con_errores");
        let found = closing.findings(file["id"].as_str().unwrap()).await;
        assert!(names(&found, "regla").contains(&rule), "{found:?}");
        let errors: Vec<&Value> = found.iter().filter(|one| one["nivel"] == "error").collect();
        assert_eq!(file["errores_total"], errors.len());
    }
}

#[tokio::test]
async fn a_wrong_cell_is_located() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let mut book = Libro::golden();
    book.set(3, "2103", "=1+1").set(4, "1102", "31/02/2015");
    let file = closing
        .upload("libro_remuneraciones", "libro.csv", &book.bytes())
        .await;
    let id = file["id"].as_str().unwrap();
    assert_eq!(
        json!([file["estado"], file["errores_total"], file["vigente"]]),
        json!(["con_errores", 2, false])
    );
    let found = closing.findings(id).await;
    let told: Vec<Value> = found
        .iter()
        .map(|one| {
            json!(
                [
                    "fila",
                    "columna",
                    "encabezado",
                    "codigo",
                    "valor",
                    "regla",
                    "nivel"
                ]
                .map(|name| one[name].clone())
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            json!([
                3,
                book.letters("2103"),
                "Comisiones(2103)",
                "2103",
                "=1+1",
                "monto_invalido",
                "error"
            ]),
            json!([
                4,
                "B",
                "Fecha inicio contrato(1102)",
                "1102",
                "31/02/2015",
                "fecha_invalida",
                "error"
            ]),
        ]
    );
    for one in &found {
        assert_eq!(
            keys(one),
            [
                "codigo",
                "columna",
                "encabezado",
                "fila",
                "hoja",
                "motivo",
                "nivel",
                "regla",
                "valor"
            ]
        );
        assert!(!one["motivo"].as_str().unwrap().is_empty());
    }
    let told = &closing.events_of("validacion_fallida").await[0];
    assert_eq!(
        json!([
            told["user"],
            told["resource_type"],
            told["resource_id"],
            told["details"]
        ]),
        json!([
            company.username("payroll"), "libro_remuneraciones", id,
            { "archivo_nombre": "libro.csv", "errores_total": 2, "reglas": { "monto_invalido": 1, "fecha_invalida": 1 } }
        ])
    );
    // The same bytes once more give the same findings, byte by byte.
    let path = |id: &str| closing.file_path(id, "/errores?limit=100");
    let analyst = company.analyst().await;
    let first = analyst.get(&path(id)).await.text;
    let again = closing
        .upload("libro_remuneraciones", "libro.csv", &book.bytes())
        .await;
    assert_eq!(
        analyst.get(&path(again["id"].as_str().unwrap())).await.text,
        first
    );
}

#[tokio::test]
async fn a_thousand_of_many_findings_are_listed_and_all_are_written() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let mut text = "rut;fecha_termino;causal_termino\r\n".to_owned();
    for number in 0..1500 {
        // A formula as a cell must not be one in the spreadsheet that shows the finding.
        writeln!(text, "{};=HOY();4\r", rut(17_000_000 + number)).unwrap();
    }
    let file = closing
        .upload("finiquitos", "finiquitos.csv", text.as_bytes())
        .await;
    let id = file["id"].as_str().unwrap();
    assert_eq!(
        json!([file["estado"], file["errores_total"]]),
        json!(["con_errores", 1500])
    );
    let analyst = company.analyst().await;
    let page = analyst
        .get(&closing.file_path(id, "/errores?nivel=error"))
        .await
        .expect(200);
    assert_eq!(
        json!([page["total"], page["truncado"]]),
        json!([1500, true])
    );
    assert_eq!(page["items"].as_array().unwrap().len(), 25);
    let found = closing.findings(id).await;
    assert_eq!(found.len(), 1000);
    let rows: Vec<u64> = found
        .iter()
        .map(|one| one["fila"].as_u64().unwrap())
        .collect();
    assert_eq!(rows, (2..1002).collect::<Vec<_>>());
    let none = analyst
        .get(&closing.file_path(id, "/errores?nivel=advertencia"))
        .await
        .expect(200);
    assert_eq!(
        json!([none["items"], none["total"], none["truncado"]]),
        json!([[], 0, false])
    );

    let answer = analyst
        .get(&closing.file_path(id, "/errores?formato=csv"))
        .await
        .expect(200);
    assert_eq!(
        keys(&answer["descarga"]),
        ["bytes", "expires_at", "nombre", "sha256", "url"]
    );
    let expires = answer["descarga"]["expires_at"].as_str().unwrap();
    let within = [290, 301].map(|seconds| company.stack.clock_after(Duration::from_secs(seconds)));
    assert!(
        *within[0] < *expires && *expires < *within[1],
        "{expires} is not in five minutes"
    );
    let csv = closing.download(&answer["descarga"]).await;
    assert_eq!(csv[..3], *b"\xef\xbb\xbf", "the mark of UTF-8");
    let csv = String::from_utf8(csv[3..].to_vec()).unwrap();
    assert_eq!(csv.lines().count(), 1501);
    assert!(
        csv.lines().skip(1).all(|line| line.contains("'=HOY()")),
        "{}",
        csv.lines().nth(1).unwrap()
    );
    let seen = &closing.events_of("reporte_visto").await[0];
    assert_eq!(
        json!([
            seen["event_type"],
            seen["user"],
            seen["resource_type"],
            seen["resource_id"],
            seen["details"]
        ]),
        json!(["view", company.username("payroll"), "finiquitos", id, { "reporte": "errores" }])
    );
    closing.verify().await;
}

#[tokio::test]
async fn a_wrong_check_digit_is_an_error_outside_the_book() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let wrong = table(&[
        &["rut", "fecha_termino", "causal"],
        &["17317684-2", "31/10/2025", "4"],
    ]);
    let file = closing.upload("finiquitos", "finiquitos.csv", &wrong).await;
    assert_eq!(file["estado"], "con_errores");
    let found = closing.findings(file["id"].as_str().unwrap()).await;
    assert_eq!(
        json!([found[0]["regla"], found[0]["fila"], found[0]["columna"]]),
        json!(["rut_dv", 2, "A"])
    );
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn columns_are_told_as_they_were_understood() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let analyst = company.analyst().await;
    let announced = closing.announce("novedades", "novedades.csv", b"x").await;
    analyst
        .get(&closing.file_path(&announced.id, "/columnas"))
        .await
        .refused(409, "file_not_validated");
    let rows = table(&[
        &[
            "RUT",
            "Nombre",
            "Apellidos",
            "Fecha contrato",
            "Sueldo(2101)",
            "2111",
            "Comisiones",
            "Bono bodega",
        ],
        &[
            "12345678-5",
            "Ana",
            "Soto",
            "01/10/2025",
            "600000",
            "",
            "5",
            "7",
        ],
    ]);
    let file = closing.upload("novedades", "novedades.csv", &rows).await;
    let id = file["id"].as_str().unwrap();
    assert_eq!(
        file["estado"],
        "procesado",
        "{:?}",
        closing.findings(id).await
    );
    let columns = analyst.list(&closing.file_path(id, "/columnas")).await;
    let told: Vec<Value> = columns
        .iter()
        .map(|one| {
            json!(["columna", "encabezado", "codigo", "metodo"].map(|name| one[name].clone()))
        })
        .collect();
    assert_eq!(told.len(), 8);
    assert_eq!(told[4], json!(["E", "Sueldo(2101)", "2101", "codigo"]));
    assert_eq!(told[5], json!(["F", "2111", "2111", "codigo"]));
    assert_eq!(told[6], json!(["G", "Comisiones", "2103", "texto"]));
    assert_eq!(told[7], json!(["H", "Bono bodega", null, "sin_clasificar"]));
    let row = &closing.list("/registros?tipo=novedades").await[0];
    assert_eq!(row["otros"], json!({ "Bono bodega": "7" }));
    assert_eq!(row["valores"]["2103"], "5");
    assert_eq!(
        analyst
            .list_by(&closing.file_path(id, "/columnas"), 3)
            .await,
        columns
    );
}

/// Deletes a file of this state; it must be gone.
async fn delete(closing: &Closing, id: &str) -> Value {
    let analyst = closing.company.analyst().await;
    analyst.delete(&closing.file_path(id, "")).await.expect(204);
    let file = closing.file(id).await;
    assert_eq!(
        json!([file["estado"], file["vigente"]]),
        json!(["eliminado", false])
    );
    file
}

#[tokio::test]
async fn files_refuse_what_their_state_does_not_allow() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let analyst = company.analyst().await;
    let again = |id: &str| closing.file_path(id, "/reprocesar");

    let waiting = closing
        .announce("libro_remuneraciones", "libro.csv", GOLDEN)
        .await
        .id;
    assert_eq!(
        closing.estado().await,
        "pendiente",
        "a file that is awaited changes nothing"
    );
    analyst
        .post(&again(&waiting), json!({}))
        .await
        .refused(409, "file_not_received");
    delete(&closing, &waiting).await;

    let processed = closing
        .take("libro_remuneraciones", "libro.csv", GOLDEN)
        .await;
    analyst
        .post(&again(&processed), json!({}))
        .await
        .refused(409, "file_processed");
    let wrong = closing
        .upload("finiquitos", "finiquitos.csv", b"rut\r\n1\r\n")
        .await;
    let wrong = wrong["id"].as_str().unwrap();
    analyst
        .post(&again(wrong), json!({}))
        .await
        .refused(409, "file_has_errors");
    // One that failed leaves as soon as a newer one is there.
    let right = table(&[
        &["rut", "fecha_termino", "causal"],
        &["17317684-8", "31/10/2025", "4"],
    ]);
    let finiquitos = closing.take("finiquitos", "finiquitos.csv", &right).await;
    assert_eq!(closing.file(wrong).await["estado"], "reemplazado");
    delete(&closing, &processed).await;
    assert_eq!(
        closing.now().await["archivos"],
        json!({ "finiquitos": finiquitos })
    );
    for gone in [&*waiting, wrong, &processed] {
        analyst
            .post(&again(gone), json!({}))
            .await
            .refused(409, "file_not_live");
        analyst
            .delete(&closing.file_path(gone, ""))
            .await
            .refused(409, "file_not_live");
    }
    let path = closing.file_path(&finiquitos, "?motivo=Archivo%20de%20otro%20cliente");
    analyst.delete(&path).await.expect(204);
    assert_eq!(closing.estado().await, "pendiente");
    let told = closing.events_of("archivo_eliminado").await;
    let details: Vec<&Value> = told.iter().map(|event| &event["details"]).collect();
    let book = |estado: &str| json!({ "archivo_nombre": "libro.csv", "estado_anterior": estado, "motivo": "eliminado_por_usuario" });
    assert_eq!(
        json!(details),
        json!([
            book("esperando"),
            { "archivo_nombre": "finiquitos.csv", "registros_eliminados": 0, "estado_anterior": "con_errores", "motivo": "resubida" },
            book("procesado"),
            { "archivo_nombre": "finiquitos.csv", "registros_eliminados": 1, "estado_anterior": "procesado", "motivo": "Archivo de otro cliente" },
        ])
    );
    assert!(closing.list("/registros").await.is_empty());
    assert!(closing.list("/empleados").await.is_empty());
    for (query, count) in [
        ("?estado=eliminado", 3),
        ("?tipo=finiquitos", 2),
        ("?tipo=finiquitos&estado=reemplazado", 1),
        ("", 4),
    ] {
        assert_eq!(
            closing.list(&format!("/archivos{query}")).await.len(),
            count,
            "{query}"
        );
    }
}

#[tokio::test]
async fn bytes_that_are_not_the_declared_ones_are_refused() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let body = json!({ "tipo": "libro_remuneraciones", "nombre": "libro.csv", "tamano": GOLDEN.len(), "sha256": "0".repeat(64) });
    let announced = closing.post("/archivos", body).await.expect(201);
    closing.put(&announced["upload"], GOLDEN).await;
    let id = announced["archivo_id"].as_str().unwrap();
    assert_eq!(closing.file_end(id).await["estado"], "con_errores");
    assert_eq!(
        names(&closing.findings(id).await, "regla"),
        ["hash_distinto"]
    );
}
