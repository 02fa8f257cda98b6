//! Bad input, row by row: what is wrong is named with its code and its place, and nothing happens.

use cierre_tests::{ASEO, Company, JUAN, LUIS, LUZ, NITS, PEDRO, after, body_of, today};
use serde_json::{Value, json};

/// What is changed in a good body, and what must be said of it: places and codes.
type Row = (Value, &'static [(&'static str, &'static str)]);

/// A good body with some members replaced; null takes a member away.
fn with(changes: &Value) -> Value {
    let mut body = body_of(ASEO, "B-1", "1000.00");
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    body
}

fn rows() -> Vec<Row> {
    let line = |change: Value| {
        let mut item = json!({ "descripcion": "Aseo", "cantidad": "1", "valor_unitario": "1.5", "total": "1.5" });
        for (name, value) in change.as_object().unwrap() {
            item[name] = value.clone();
        }
        json!({ "items": [item] })
    };
    vec![
        (
            json!({ "accion_por": "Juan" }),
            &[("/accion_por", "unknown_field")],
        ),
        (json!({ "nit": "860069804" }), &[("/nit", "nit_formato")]),
        (
            json!({ "nit": "860069804-3" }),
            &[("/nit", "nit_digito_invalido")],
        ),
        (json!({ "nit": "060069804-2" }), &[("/nit", "nit_formato")]),
        (json!({ "nit": "1234-1" }), &[("/nit", "nit_formato")]),
        (json!({ "nit": null }), &[("/nit", "required")]),
        (json!({ "total": "0" }), &[("/total", "total_no_positivo")]),
        (
            json!({ "total": "0.00" }),
            &[("/total", "total_no_positivo")],
        ),
        (
            json!({ "total": "-1.00" }),
            &[("/total", "total_no_positivo")],
        ),
        (json!({ "total": "1.005" }), &[("/total", "invalid_amount")]),
        (json!({ "total": 1.005 }), &[("/total", "invalid_amount")]),
        (json!({ "total": "mucho" }), &[("/total", "invalid_amount")]),
        (
            json!({ "total": "1000000000000.00" }),
            &[("/total", "out_of_range")],
        ),
        (
            json!({ "moneda": "CLP", "total": "1.5" }),
            &[("/total", "invalid_amount")],
        ),
        (
            json!({ "moneda": "GBP" }),
            &[("/moneda", "valor_no_admitido")],
        ),
        (
            json!({ "moneda": "cop" }),
            &[("/moneda", "valor_no_admitido")],
        ),
        (
            json!({ "fecha_emision": "2026-02-30" }),
            &[("/fecha_emision", "invalid_date")],
        ),
        (
            json!({ "fecha_emision": "1999-12-31" }),
            &[("/fecha_emision", "out_of_range")],
        ),
        (
            json!({ "fecha_vencimiento": "2026-02-04" }),
            &[("/fecha_vencimiento", "fecha_invalida")],
        ),
        (json!({ "numero": " " }), &[("/numero", "required")]),
        (json!({ "numero": "-/-" }), &[("/numero", "invalid_format")]),
        (
            json!({ "numero": "x".repeat(51) }),
            &[("/numero", "out_of_range")],
        ),
        (
            json!({ "proveedor": "x".repeat(201) }),
            &[("/proveedor", "out_of_range")],
        ),
        (
            json!({ "concepto": "x".repeat(501) }),
            &[("/concepto", "out_of_range")],
        ),
        (json!({ "concepto": null }), &[("/concepto", "required")]),
        (
            json!({ "nit": LUZ, "proveedor": null }),
            &[("/proveedor", "requerido")],
        ),
        (
            line(json!({ "cantidad": "1.1234567" })),
            &[("/items/0/cantidad", "invalid_format")],
        ),
        (
            line(json!({ "descripcion": "x".repeat(201) })),
            &[("/items/0/descripcion", "out_of_range")],
        ),
        (
            json!({ "numero": " ", "nit": "860069804-3", "total": "0", "fecha_emision": "never" }),
            &[
                ("/fecha_emision", "invalid_date"),
                ("/nit", "nit_digito_invalido"),
                ("/numero", "required"),
                ("/total", "total_no_positivo"),
            ],
        ),
    ]
}

#[tokio::test]
async fn what_is_wrong_with_a_factura_is_named_and_nothing_is_written() {
    let company = Company::of_payables().await;
    let pedro = company.person(PEDRO).await;
    let before = pedro.list("/activity").await;
    for (changes, expected) in rows() {
        pedro
            .post("/facturas", with(&changes))
            .await
            .invalid(expected);
    }
    let tomorrow = with(&json!({ "fecha_emision": after(1), "fecha_vencimiento": null }));
    pedro
        .post("/facturas", tomorrow)
        .await
        .invalid(&[("/fecha_emision", "fecha_futura")]);
    let lines: Vec<Value> = (0..501).map(|_| json!({ "descripcion": "x" })).collect();
    let many = pedro
        .post("/facturas", with(&json!({ "items": lines })))
        .await;
    many.invalid(&[("/items", "too_many_items")]);
    assert!(pedro.list("/facturas").await.is_empty());
    let told = pedro.list("/activity").await;
    assert_eq!(
        told.iter()
            .filter(|event| event["resource_type"] == "factura")
            .count(),
        before
            .iter()
            .filter(|event| event["resource_type"] == "factura")
            .count()
    );
}

#[tokio::test]
async fn the_day_of_issue_is_at_latest_the_companys_today() {
    let company = Company::of_payables().await;
    let pedro = company.person(PEDRO).await;
    let on = |numero: &str, fecha: &str| {
        with(&json!({ "numero": numero, "fecha_emision": fecha, "fecha_vencimiento": null }))
    };
    // 11 p.m. in Bogotá is the next day in UTC.
    let night = "2026-03-11T04:00:00.000Z";
    let tomorrow = company
        .at(night, &pedro, "POST", "/facturas", on("D-1", "2026-03-11"))
        .await;
    assert_eq!(
        tomorrow.body["errors"][0]["code"], "fecha_futura",
        "{}",
        tomorrow.text
    );
    company
        .at(night, &pedro, "POST", "/facturas", on("D-1", "2026-03-10"))
        .await
        .expect(201);
    pedro
        .post("/facturas", on("D-2", &today()))
        .await
        .expect(201);
}

#[tokio::test]
async fn valid_nits_are_taken_with_dots_and_without() {
    let company = Company::of_payables().await;
    for (nth, nit) in NITS.into_iter().enumerate() {
        let (number, check) = nit.split_once('-').unwrap();
        let dotted = format!(
            "{}.{}.{}-{check}",
            &number[..3],
            &number[3..6],
            &number[6..]
        );
        let now = company
            .register(body_of(&dotted, &format!("N-{nth}"), "1.00"))
            .await
            .now()
            .await;
        assert_eq!(now["nit"], nit);
    }
}

#[tokio::test]
async fn a_supplier_numbers_a_factura_once_whatever_its_punctuation() {
    let company = Company::of_payables().await;
    let first = company.register(body_of(ASEO, "fe-123", "1.00")).await;
    let pedro = company.person(PEDRO).await;
    for numero in ["FE 123", "FE123", "fe-123", "F.E.1-2-3"] {
        let reply = pedro.post("/facturas", body_of(ASEO, numero, "2.00")).await;
        let duplicate = reply.refused(409, "factura_duplicada");
        assert_eq!(duplicate["factura_id"], first.id.as_str(), "{numero}");
    }
    company.register(body_of(ASEO, "FE0123", "1.00")).await;
    company.register(body_of(LUZ, "FE123", "1.00")).await;
    // Rejected facturas keep theirs.
    first.rechazar(JUAN).await.expect(200);
    let again = pedro
        .post("/facturas", body_of(ASEO, "FE-123", "1.00"))
        .await;
    again.refused(409, "factura_duplicada");
}

#[tokio::test]
async fn amounts_are_exact_and_numbers_are_taken_where_they_are() {
    let company = Company::of_payables().await;
    for (numero, moneda, total, expected) in [
        ("M-1", "COP", json!("8500000"), "8500000.00"),
        ("M-2", "COP", json!(8_500_000), "8500000.00"),
        ("M-3", "USD", json!("0.01"), "0.01"),
        ("M-4", "CLP", json!("1500"), "1500"),
        ("M-5", "COP", json!("999999999999.99"), "999999999999.99"),
    ] {
        let body = with(&json!({ "numero": numero, "moneda": moneda, "total": total }));
        assert_eq!(
            company.register(body).await.now().await["total"],
            expected,
            "{numero}"
        );
    }
}

#[tokio::test]
async fn a_rejection_and_a_reopening_say_why() {
    let company = Company::of_payables().await;
    let factura = company.pending("W-1").await;
    let why = [("/motivo", "motivo_requerido")];
    for motivo in ["", "   ", "ab", " ab ", &"x".repeat(1001)] {
        let body = json!({ "motivo": motivo });
        factura.command(JUAN, "rechazar", body).await.invalid(&why);
    }
    let long = json!({ "motivo": "abc", "comentario": "x".repeat(1001) });
    factura
        .command(JUAN, "rechazar", long)
        .await
        .invalid(&[("/comentario", "out_of_range")]);
    let long = json!({ "comentario": "x".repeat(1001) });
    factura
        .command(JUAN, "aprobar", long)
        .await
        .invalid(&[("/comentario", "out_of_range")]);
    assert_eq!(factura.estado().await, "pendiente");
    let longest = json!({ "motivo": format!("  {}  ", "x".repeat(1000)) });
    let rejected = factura.command(JUAN, "rechazar", longest).await.expect(200);
    assert_eq!(rejected["motivo_rechazo"], "x".repeat(1000));
    for motivo in ["", "ab"] {
        let body = json!({ "motivo": motivo });
        factura.command(LUIS, "reabrir", body).await.invalid(&why);
    }
    assert_eq!(factura.estado().await, "rechazada");
}
