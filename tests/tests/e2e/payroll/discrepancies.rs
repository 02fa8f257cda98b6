//! What the files of a month say against each other, who may let it stand, and what becomes of it when files change.

use cierre_tests::{Closing, Company, GOLDEN_CLIENT, Libro, WORDS, movimientos, names};
use rstest::rstest;
use serde_json::{Value, json};

/// A book made of the contract's.
fn book(change: impl Fn(&mut Libro)) -> Vec<u8> {
    let mut book = Libro::golden();
    change(&mut book);
    book.bytes()
}

fn wrong_total() -> Vec<u8> {
    book(|book| {
        book.set(2, "5201", "1055817");
    })
}

/// A closing over this book, with its discrepancies generated.
async fn over(company: &Company, libro: &[u8]) -> Closing {
    let closing = company.closing().await;
    closing.fill(libro).await;
    closing.generate("discrepancias").await;
    closing
}

fn path(closing: &Closing, one: &Value) -> String {
    closing.path(&format!("/discrepancias/{}", one["id"].as_str().unwrap()))
}

fn words() -> Value {
    json!({ "justificacion": WORDS })
}

#[rstest]
#[case::within_the_tolerance(("5201", "1055816"), &[])]
#[case::a_wrong_total(("5201", "1055817"), &["5201"])]
#[case::a_wrong_detail(("2101", "600100"), &["5201", "5210", "5501"])]
#[case::a_wrong_deduction(("3188", "150000"), &["5301", "5302", "5501"])]
#[tokio::test]
async fn totals_are_checked_against_details(
    #[case] (code, cell): (&str, &str),
    #[case] rules: &[&str],
) {
    let company = Company::of_payroll().await;
    let libro = book(|book| {
        book.set(2, code, cell);
    });
    let closing = over(&company, &libro).await;
    let found = closing.list("/discrepancias").await;
    let mut told = names(&found, "regla");
    told.sort_unstable();
    assert_eq!(told, rules, "{found:#?}");
    assert!(
        found
            .iter()
            .all(|one| one["tipo"] == "identidad_lre" && one["rut"] == "12345678-5")
    );
    if code == "3188" {
        let mut expected: Vec<(&str, &str)> = found
            .iter()
            .map(|one| {
                (
                    one["regla"].as_str().unwrap(),
                    one["esperado"].as_str().unwrap(),
                )
            })
            .collect();
        expected.sort_unstable();
        assert_eq!(
            expected,
            [("5301", "382501"), ("5302", "197700"), ("5501", "673314")]
        );
        let doubtful = found.iter().find(|one| one["regla"] == "5302").unwrap();
        assert_eq!(doubtful["severidad"], "advertencia");
    }
    let blocking = !rules.is_empty();
    let state = if blocking {
        "con_discrepancias"
    } else {
        "verificado_sin_discrepancias"
    };
    assert_eq!(closing.estado().await, state);
}

#[tokio::test]
async fn a_discrepancy_says_where_it_is_and_by_how_much() {
    let company = Company::of_payroll().await;
    let closing = over(&company, &wrong_total()).await;
    let [one] = closing.list("/discrepancias").await.try_into().unwrap();
    let libro = closing.now().await["archivos"]["libro_remuneraciones"].clone();
    assert_eq!(
        json!([
            one["tipo"],
            one["regla"],
            one["severidad"],
            one["rut"],
            one["estado"],
            one["esperado"],
            one["encontrado"],
            one["diferencia"],
            one["falta_en"]
        ]),
        json!([
            "identidad_lre",
            "5201",
            "bloqueante",
            "12345678-5",
            "abierta",
            "1055815",
            "1055817",
            "2",
            null
        ])
    );
    let first = &one["ubicaciones"][0];
    assert_eq!(
        json!([
            first["archivo_id"],
            first["fila"],
            first["columna"],
            first["valor"]
        ]),
        json!([libro, 2, "EC", "1055817"])
    );
    assert!(
        one["sugerencia"].as_str().unwrap().contains("5201"),
        "{one}"
    );
    let id = one["id"].as_str().unwrap();
    let (prefix, rest) = id.split_at(4);
    assert_eq!((prefix, rest.len()), ("dis_", 26));
    assert!(
        rest.bytes()
            .all(|b| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&b)),
        "{id}"
    );
    let auditor = company.auditor().await;
    assert_eq!(auditor.get(&path(&closing, &one)).await.expect(200), one);
    for (query, count) in [
        ("tipo=identidad_lre", 1),
        ("tipo=sueldo_cero", 0),
        ("severidad=bloqueante", 1),
        ("severidad=advertencia", 0),
        ("estado=abierta", 1),
        ("estado=corregida", 0),
        ("rut=12.345.678-5", 1),
        ("rut=17317684-8", 0),
    ] {
        assert_eq!(
            closing.list(&format!("/discrepancias?{query}")).await.len(),
            count,
            "{query}"
        );
    }
    let told = &closing.events_of("discrepancias_generadas").await[0]["details"];
    assert_eq!(
        (
            &told["total_discrepancias"],
            &told["tipos"]["identidad_lre"]
        ),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn a_wrong_check_digit_and_a_repeated_rut_of_the_book_are_discrepancies() {
    let company = Company::of_payroll().await;
    let libro = book(|book| {
        book.set(3, "1101", "17317684-2");
        book.repeat(2);
    });
    let closing = over(&company, &libro).await;
    let found = closing.list("/discrepancias?severidad=bloqueante").await;
    let mut told: Vec<(&str, &str, usize)> = found
        .iter()
        .map(|one| {
            (
                one["tipo"].as_str().unwrap(),
                one["regla"].as_str().unwrap(),
                one["ubicaciones"].as_array().unwrap().len(),
            )
        })
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("formato_invalido", "rut_dv", 1),
            ("rut_duplicado", "rut_duplicado", 2)
        ],
        "{found:#?}"
    );
    let repeated = found
        .iter()
        .find(|one| one["tipo"] == "rut_duplicado")
        .unwrap();
    let rows: Vec<u64> = repeated["ubicaciones"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| place["fila"].as_u64().unwrap())
        .collect();
    assert_eq!(rows, [2, 5]);
    company
        .analyst()
        .await
        .get(&closing.path("/libro?formato=csv"))
        .await
        .refused(409, "libro_not_exportable");
}

#[tokio::test]
async fn what_blocks_is_justified_by_a_supervisor_who_uploaded_none_of_it() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let admin = company.admin().await;
    // The administrator uploads the book.
    let libro = book(|book| {
        book.set(2, "5201", "1055817").set(3, "5410", "20900");
    });
    let announce =
        json!({ "tipo": "libro_remuneraciones", "nombre": "libro.csv", "tamano": libro.len() });
    let announced = admin
        .post(&closing.path("/archivos"), announce)
        .await
        .expect(201);
    closing.put(&announced["upload"], &libro).await;
    closing
        .file_end(announced["archivo_id"].as_str().unwrap())
        .await;
    closing
        .take("movimientos_mes", "movimientos.xlsx", &movimientos(&[]))
        .await;
    closing.generate("discrepancias").await;
    let found = closing.list("/discrepancias").await;
    let by = |regla: &str| found.iter().find(|one| one["regla"] == regla).unwrap();
    let (blocking, warning) = (by("5201"), by("5410"));
    let (analyst, supervisor) = (company.analyst().await, company.supervisor().await);
    let correct = |one: &Value| format!("{}/corregir", path(&closing, one));

    analyst
        .post(&correct(blocking), words())
        .await
        .refused(403, "wrong_role");
    supervisor
        .post(&correct(warning), words())
        .await
        .refused(403, "wrong_role");
    admin
        .post(&correct(blocking), words())
        .await
        .refused(403, "four_eyes_required");
    for body in [
        json!({}),
        json!({ "justificacion": " 123456789 " }),
        json!({ "justificacion": "x".repeat(1001) }),
    ] {
        let refused = supervisor.post(&correct(blocking), body).await;
        refused.invalid(&[("/justificacion", "justification_required")]);
    }
    let padded = json!({ "justificacion": format!("  {WORDS}\n") });
    let justified = supervisor
        .post(&correct(blocking), padded)
        .await
        .expect(200);
    assert_eq!(justified["estado"], "justificada");
    assert_eq!(
        names(justified["historial"].as_array().unwrap(), "estado"),
        ["abierta", "justificada"]
    );
    supervisor
        .post(&correct(blocking), words())
        .await
        .refused(409, "discrepancy_closed");
    let cierre = closing.now().await;
    assert_eq!(
        (
            &cierre["estado"],
            &cierre["counts"]["discrepancias_abiertas"],
            &cierre["counts"]["discrepancias_bloqueantes"]
        ),
        (&json!("verificado_sin_discrepancias"), &json!(1), &json!(0))
    );
    let told = &closing.events_of("discrepancia_corregida").await[0];
    assert_eq!(
        json!([told["user"], told["resource_id"], told["details"]]),
        json!([
            company.username("supervisor"), blocking["id"],
            { "tipo": "identidad_lre", "regla": "5201", "modo": "justificada", "justificacion": WORDS }
        ])
    );
    // Four eyes are for what blocks: the uploader justifies a warning.
    admin.post(&correct(warning), words()).await.expect(200);
    assert_eq!(closing.now().await["counts"]["discrepancias_abiertas"], 0);
    // Justified or not, the authority would not take this book.
    analyst
        .get(&closing.path("/libro?formato=csv"))
        .await
        .refused(409, "libro_not_exportable");
    let seal = closing.generate("incidencias").await;
    assert_eq!(seal["total"], 0);
    let seal = closing.finalise().await;
    assert_eq!(
        seal["manifiesto"]["discrepancias"],
        json!({ "identidad_lre": { "justificada": 2 } })
    );
}

#[tokio::test]
async fn discrepancies_live_on_through_generations() {
    let company = Company::of_payroll().await;
    let closing = over(&company, &wrong_total()).await;
    let [one] = closing.list("/discrepancias").await.try_into().unwrap();
    let supervisor = company.supervisor().await;
    let correct = format!("{}/corregir", path(&closing, &one));
    supervisor.post(&correct, words()).await.expect(200);

    // Nothing changed, so nothing changes: not even a version.
    let before = closing.list("/discrepancias").await;
    closing.generate("discrepancias").await;
    assert_eq!(closing.list("/discrepancias").await, before);
    assert_eq!(before[0]["estado"], "justificada");

    let state = async || {
        closing.list("/discrepancias").await[0]["estado"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    // Another difference is not what was justified.
    let other = book(|book| {
        book.set(2, "5201", "1055818");
    });
    closing
        .take("libro_remuneraciones", "libro.csv", &other)
        .await;
    closing.generate("discrepancias").await;
    assert_eq!(state().await, "abierta");
    closing
        .take(
            "libro_remuneraciones",
            "libro.csv",
            &Libro::golden().bytes(),
        )
        .await;
    supervisor
        .post(&correct, words())
        .await
        .refused(409, "results_stale");
    closing.generate("discrepancias").await;
    assert_eq!(state().await, "corregida");
    assert_eq!(closing.estado().await, "verificado_sin_discrepancias");
    supervisor
        .post(&correct, words())
        .await
        .refused(409, "discrepancy_closed");
    let told = closing.events_of("discrepancia_corregida").await;
    let told = told.last().unwrap();
    assert_eq!(
        json!([told["user"], told["resource_id"], told["details"]]),
        json!(["sistema", "", { "modo": "resubida", "cantidad": 1 }])
    );
    // It comes back under the same id.
    closing
        .take("libro_remuneraciones", "libro.csv", &wrong_total())
        .await;
    closing.generate("discrepancias").await;
    let [again] = closing.list("/discrepancias").await.try_into().unwrap();
    assert_eq!(
        (&again["id"], &again["estado"]),
        (&one["id"], &json!("abierta"))
    );
    assert_eq!(
        names(again["historial"].as_array().unwrap(), "estado"),
        ["abierta", "justificada", "abierta", "corregida", "abierta"]
    );
}

#[tokio::test]
async fn a_tolerance_of_the_client_holds_from_the_next_generation_on() {
    let company = Company::of_payroll().await;
    let closing = over(&company, &wrong_total()).await;
    let path = format!("/api/nomina/clientes/{}", closing.cliente);
    let lenient = json!({ "configuracion": { "tolerancia_pesos": "2" } });
    let cliente = company
        .analyst()
        .await
        .patch(&path, lenient)
        .await
        .expect(200);
    assert_eq!(
        (
            &cliente["rut"],
            &cliente["configuracion"]["umbral_variacion"]
        ),
        (&json!(GOLDEN_CLIENT), &json!("30.00"))
    );
    assert_eq!(closing.list("/discrepancias?estado=abierta").await.len(), 1);
    closing.generate("discrepancias").await;
    assert_eq!(closing.list("/discrepancias?estado=abierta").await.len(), 0);
}
