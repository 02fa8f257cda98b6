//! Bad input, row by row as the contract lists it: what is wrong is named with its code and its place, and nothing happens.

use cierre_tests::{Company, GOLDEN_CLIENT, NOMINA, names, rut};
use rstest::rstest;
use serde_json::{Value, json};

/// A body and what must be said about it: places and codes.
type Row = (Value, &'static [(&'static str, &'static str)]);

#[tokio::test]
async fn clients() {
    let company = Company::of_payroll().await;
    let analyst = company.analyst().await;
    let path = format!("{NOMINA}/clientes");
    let client = |rut: &str, nombre: &str| json!({ "rut": rut, "nombre": nombre });
    let with = |configuracion: Value| json!({ "rut": GOLDEN_CLIENT, "nombre": "Uno", "configuracion": configuracion });
    let long = "x".repeat(121);
    let rows: Vec<Row> = vec![
        (json!({}), &[("/rut", "required"), ("/nombre", "required")]),
        (client("17317684-2", "Uno"), &[("/rut", "rut_invalid")]),
        (client("123456789-2", "Uno"), &[("/rut", "rut_invalid")]),
        (client("1234-3", "Uno"), &[("/rut", "rut_invalid")]),
        (client("", "Uno"), &[("/rut", "rut_invalid")]),
        (client(GOLDEN_CLIENT, ""), &[("/nombre", "required")]),
        (client(GOLDEN_CLIENT, &long), &[("/nombre", "out_of_range")]),
        (
            json!({ "rut": GOLDEN_CLIENT, "nombre": "Uno", "color": 1 }),
            &[("/color", "unknown_field")],
        ),
        (
            json!({ "rut": 1, "nombre": 2 }),
            &[("/rut", "invalid_type"), ("/nombre", "invalid_type")],
        ),
        (
            with(json!({ "tolerancia_pesos": "1001" })),
            &[("/configuracion/tolerancia_pesos", "out_of_range")],
        ),
        (
            with(json!({ "tolerancia_pesos": "-1" })),
            &[("/configuracion/tolerancia_pesos", "out_of_range")],
        ),
        (
            with(json!({ "umbral_variacion": "0.99" })),
            &[("/configuracion/umbral_variacion", "out_of_range")],
        ),
        (
            with(json!({ "umbral_variacion": "1000.01" })),
            &[("/configuracion/umbral_variacion", "out_of_range")],
        ),
        (
            with(json!({ "umbrales": { "2101": "0.5" } })),
            &[("/configuracion/umbrales/2101", "out_of_range")],
        ),
        (
            with(json!({ "montos_prioridad": ["5", "5", "1"] })),
            &[("/configuracion/montos_prioridad", "out_of_range")],
        ),
        (
            with(json!({ "montos_prioridad": ["5", "1"] })),
            &[("/configuracion/montos_prioridad", "out_of_range")],
        ),
    ];
    for (body, expected) in rows {
        let reply = analyst.post(&path, body.clone()).await;
        assert_eq!(reply.status, 422, "{body}: {}", reply.text);
        reply.invalid(expected);
    }
    assert!(analyst.list(&path).await.is_empty());

    // Both ends of each range, and a RUT as people write it.
    let body = json!({
        "rut": " 76.086.428-5 ", "nombre": "x".repeat(120),
        "configuracion": { "tolerancia_pesos": "1000", "umbral_variacion": "1.00", "umbrales": { "2101": "1000.00" }, "montos_prioridad": [3, 2, 1] },
    });
    let made = analyst.post(&path, body).await.expect(201);
    assert_eq!(made["rut"], "76086428-5");
    assert_eq!(
        made["configuracion"],
        json!({ "tolerancia_pesos": "1000", "umbral_variacion": "1.00", "umbrales": { "2101": "1000.00" }, "montos_prioridad": ["3", "2", "1"] })
    );
    let twice = analyst
        .post(&path, json!({ "rut": "076086428-5", "nombre": "Dos" }))
        .await;
    twice.refused(409, "cliente_exists");
    let defaults = analyst
        .post(&path, json!({ "rut": rut(19_000_001), "nombre": "Dos" }))
        .await
        .expect(201);
    assert_eq!(
        defaults["configuracion"],
        json!({ "tolerancia_pesos": "1", "umbral_variacion": "30.00", "umbrales": {}, "montos_prioridad": ["500000", "200000", "50000"] })
    );
}

#[tokio::test]
async fn closings() {
    let company = Company::of_payroll().await;
    let analyst = company.analyst().await;
    let cliente = company.cliente(GOLDEN_CLIENT).await;
    let path = format!("{NOMINA}/cierres");
    // The machine's own month: the one after it is the last that may be begun.
    let today = company.stack.clock_after(std::time::Duration::ZERO);
    let (year, month): (u32, u32) = (today[..4].parse().unwrap(), today[5..7].parse().unwrap());
    let after = |months: u32| {
        let months = year * 12 + month - 1 + months;
        format!("{:04}-{:02}", months / 12, months % 12 + 1)
    };
    for periodo in [
        "2025-13",
        "2025-00",
        "2025-1",
        "202510",
        "1999-12",
        "2025-10-01",
        "",
        &after(3),
    ] {
        let body = json!({ "cliente_id": cliente, "periodo": periodo });
        analyst
            .post(&path, body)
            .await
            .invalid(&[("/periodo", "period_invalid")]);
    }
    for unknown in ["cli_01JD0000000000000000000001", "nonsense", ""] {
        let body = json!({ "cliente_id": unknown, "periodo": "2025-10" });
        analyst
            .post(&path, body)
            .await
            .invalid(&[("/cliente_id", "cliente_unknown")]);
    }
    assert!(analyst.list(&path).await.is_empty());
    for periodo in ["2000-01", &after(1)] {
        company.closing_of(&cliente, periodo).await;
    }
    let first = company.closing_of(&cliente, "2025-10").await;
    let twice = analyst
        .post(
            &path,
            json!({ "cliente_id": cliente, "periodo": "2025-10" }),
        )
        .await;
    let twice = twice.refused(409, "cierre_exists");
    assert!(
        twice["detail"].as_str().unwrap().contains(&first.id),
        "{twice}"
    );
    // Another client's month is another one.
    let other = company.cliente(&rut(19_000_002)).await;
    company.closing_of(&other, "2025-10").await;
    let listed = analyst.list(&format!("{path}?cliente_id={cliente}")).await;
    assert_eq!(
        names(&listed, "periodo"),
        [&*after(1), "2025-10", "2000-01"]
    );
    assert_eq!(
        analyst.list(&format!("{path}?periodo=2025-10")).await.len(),
        2
    );
    assert_eq!(
        analyst
            .list(&format!("{path}?estado=pendiente"))
            .await
            .len(),
        4
    );
    assert_eq!(
        analyst
            .list(&format!("{path}?estado=finalizado"))
            .await
            .len(),
        0
    );
    analyst
        .get(&format!("{path}?estado=cerrado"))
        .await
        .invalid(&[("/estado", "out_of_range")]);
    analyst
        .get(&format!("{path}?periodo=2025"))
        .await
        .invalid(&[("/periodo", "period_invalid")]);
}

#[rstest]
#[case::a_way_out("../x.csv", "libro_remuneraciones", 1, "/nombre", "bad_file_name")]
#[case::a_backslash("a\\b.csv", "libro_remuneraciones", 1, "/nombre", "bad_file_name")]
#[case::a_control_character("a\u{7}b.csv", "libro_remuneraciones", 1, "/nombre", "bad_file_name")]
#[case::no_name("", "libro_remuneraciones", 1, "/nombre", "bad_file_name")]
#[case::an_old_workbook(
    "nomina.xls",
    "libro_remuneraciones",
    1,
    "/nombre",
    "format_not_supported"
)]
#[case::a_workbook_with_macros(
    "nomina.xlsm",
    "libro_remuneraciones",
    1,
    "/nombre",
    "format_not_supported"
)]
#[case::no_ending("nomina", "libro_remuneraciones", 1, "/nombre", "format_not_supported")]
#[case::movements_as_csv("nomina.csv", "movimientos_mes", 1, "/nombre", "format_not_supported")]
#[case::movements_as_text("nomina.txt", "movimientos_mes", 1, "/nombre", "format_not_supported")]
#[case::a_byte_too_many("nomina.csv", "novedades", 52_428_801, "/tamano", "file_too_large")]
#[case::no_bytes("nomina.csv", "novedades", 0, "/tamano", "file_empty")]
#[case::an_unknown_kind("nomina.csv", "libro_rem", 1, "/tipo", "kind_unknown")]
#[tokio::test]
async fn uploads(
    #[case] nombre: &str,
    #[case] tipo: &str,
    #[case] tamano: u64,
    #[case] place: &str,
    #[case] code: &str,
) {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let body = json!({ "tipo": tipo, "nombre": nombre, "tamano": tamano });
    closing
        .post("/archivos", body)
        .await
        .invalid(&[(place, code)]);
    assert!(closing.list("/archivos").await.is_empty());
}

#[tokio::test]
async fn uploads_at_the_ends_of_what_is_allowed() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let long = format!("{}.csv", "ñ".repeat(196));
    for (nombre, tamano) in [
        (long.as_str(), 1),
        ("a.CSV", 52_428_800),
        ("a.txt", 1),
        ("a.xlsx", 1),
    ] {
        let body = json!({ "tipo": "novedades", "nombre": nombre, "tamano": tamano });
        let made = closing.post("/archivos", body).await.expect(201);
        let upload = &made["upload"];
        assert_eq!(
            (&upload["method"], &upload["max_bytes"]),
            (&json!("PUT"), &json!(52_428_800))
        );
        assert_eq!(upload["headers"]["content-length"], tamano.to_string());
        assert!(
            upload["url"]
                .as_str()
                .unwrap()
                .contains(made["archivo_id"].as_str().unwrap())
        );
    }
    let longer = format!("{}.csv", "ñ".repeat(197));
    let body = json!({ "tipo": "novedades", "nombre": longer, "tamano": 1 });
    closing
        .post("/archivos", body)
        .await
        .invalid(&[("/nombre", "bad_file_name")]);
    // Every wrong field at once.
    let body = json!({ "tipo": "x", "nombre": "a/b", "tamano": 0, "sha256": "x", "color": 1 });
    let reply = closing.post("/archivos", body).await;
    assert_eq!(reply.status, 422, "{}", reply.text);
    assert_eq!(closing.list("/archivos").await.len(), 4);
}

#[tokio::test]
async fn queries() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let analyst = company.analyst().await;
    for (rest, place, code) in [
        (
            "/timeline?event_type=spaceship",
            "/event_type",
            "event_type_unknown",
        ),
        ("/timeline?orden=sideways", "/orden", "out_of_range"),
        ("/timeline?limit=0", "/limit", "out_of_range"),
        ("/timeline?limit=101", "/limit", "out_of_range"),
        ("/archivos?tipo=libro_rem", "/tipo", "out_of_range"),
        ("/archivos?estado=nuevo", "/estado", "out_of_range"),
        ("/archivos?color=1", "/color", "unknown_field"),
        ("/registros?rut=1234-3", "/rut", "rut_invalid"),
        ("/empleados?rut=x", "/rut", "rut_invalid"),
        (
            "/discrepancias?severidad=alta",
            "/severidad",
            "out_of_range",
        ),
        (
            "/incidencias?prioridad=bloqueante",
            "/prioridad",
            "out_of_range",
        ),
        ("/libro?formato=pdf", "/formato", "out_of_range"),
    ] {
        analyst
            .get(&closing.path(rest))
            .await
            .invalid(&[(place, code)]);
    }
    let activity = format!("{NOMINA}/actividad?event_type=spaceship");
    analyst
        .get(&activity)
        .await
        .invalid(&[("/event_type", "event_type_unknown")]);
    for rest in [
        "/archivos",
        "/registros",
        "/empleados",
        "/discrepancias",
        "/incidencias",
        "/sellos",
        "/timeline",
        "/errores",
    ] {
        analyst
            .get(&closing.path(&format!("{rest}?cursor=nonsense")))
            .await
            .refused(400, "bad_cursor");
    }
    for path in ["/clientes", "/cierres", "/actividad", "/cuarentena"] {
        analyst
            .get(&format!("{NOMINA}{path}?cursor=nonsense"))
            .await
            .refused(400, "bad_cursor");
    }
}
