//! What happens after a seal: a closing is opened again, changed, and sealed anew; and which seal the next month is measured against.

use cierre_kernel::canonical::{canonical_json, sha256_hex};
use cierre_tests::{Closing, Company, GOLDEN, GOLDEN_CLIENT, Libro, WORDS, keys, names, rut};
use serde_json::{Value, json};

/// The golden book with one amount changed, one employee gone and one hired.
fn corrected() -> Libro {
    let mut book = Libro::golden();
    book.set(2, "2111", "95000").balance(2);
    let hired = book.repeat(2);
    book.set(hired, "1101", &rut(14_000_001)).balance(hired);
    book.remove(3);
    book
}

async fn sealed(company: &Company) -> Closing {
    let closing = company.closing().await;
    closing.fill(GOLDEN).await;
    closing.finish().await;
    closing
}

#[tokio::test]
async fn a_reopened_month_is_sealed_anew_and_the_differences_are_told() {
    let company = Company::of_payroll().await;
    let closing = sealed(&company).await;
    let supervisor = company.supervisor().await;
    let first = supervisor.get(&closing.path("/sellos/1")).await.expect(200);
    let former = closing.now().await["archivos"]["libro_remuneraciones"].clone();

    closing
        .post("/reabrir", json!({ "motivo": WORDS }))
        .await
        .refused(403, "wrong_role");
    for motivo in [
        json!({}),
        json!({ "motivo": "corto" }),
        json!({ "motivo": "x".repeat(501) }),
        json!({ "motivo": "x".repeat(5_000) }),
    ] {
        let refused = supervisor.post(&closing.path("/reabrir"), motivo).await;
        refused.invalid(&[("/motivo", "reason_required")]);
    }
    let opened = closing.reopen().await;
    assert_eq!(opened["estado"], "reabierto");
    for result in ["discrepancias", "incidencias"] {
        assert_eq!(opened["resultados"][result]["vigente"], false);
    }
    let told = closing.events_of("estado_actualizado").await;
    let told = told.last().unwrap();
    assert_eq!(
        (&told["user"], &told["details"]),
        (
            &json!(company.username("supervisor")),
            &json!({ "estado_anterior": "finalizado", "estado_nuevo": "reabierto", "motivo": WORDS })
        )
    );

    let book = corrected();
    let newer = closing
        .take("libro_remuneraciones", "libro_2.csv", &book.bytes())
        .await;
    let replaced = closing.file(former.as_str().unwrap()).await;
    assert_eq!(
        (&replaced["estado"], &replaced["vigente"]),
        (&json!("reemplazado"), &json!(false))
    );
    let gone = &closing.events_of("archivo_eliminado").await[0];
    assert_eq!(
        json!([
            gone["user"],
            gone["resource_type"],
            gone["resource_id"],
            gone["details"]
        ]),
        json!([
            company.username("payroll"), "libro_remuneraciones", former,
            { "archivo_nombre": "libro.csv", "estado_anterior": "procesado", "motivo": "resubida" }
        ])
    );
    let second = closing.finish().await;
    assert_eq!(
        (&second["numero"], &second["manifiesto"]["numero"]),
        (&json!(2), &json!(2))
    );
    let digest = sha256_hex(canonical_json(&second["manifiesto"]).unwrap().as_bytes());
    assert_eq!(second["sello"], digest);
    assert_ne!(second["sello"], first["sello"]);
    assert_ne!(
        second["manifiesto"]["resultado_sha256"],
        first["manifiesto"]["resultado_sha256"]
    );
    // The former one stands as it was.
    let seals = supervisor.list(&closing.path("/sellos")).await;
    assert_eq!(seals, [first.clone(), second.clone()]);
    assert_eq!(supervisor.list_by(&closing.path("/sellos"), 1).await, seals);
    assert_eq!(closing.now().await["sellos"], 2);
    check_differences(&closing, (&former, &newer)).await;
    closing.verify().await;
}

async fn check_differences(closing: &Closing, (former, newer): (&Value, &str)) {
    let auditor = closing.company.auditor().await;
    auditor
        .get(&closing.path("/sellos/1/diferencias"))
        .await
        .refused(404, "not_found");
    auditor
        .get(&closing.path("/sellos/3/diferencias"))
        .await
        .refused(404, "not_found");
    let told = auditor
        .get(&closing.path("/sellos/2/diferencias"))
        .await
        .expect(200);
    let files = told["archivos"].as_array().unwrap();
    assert_eq!(names(files, "tipo"), ["libro_remuneraciones"]);
    assert_eq!(
        (
            &files[0]["antes"]["archivo_id"],
            &files[0]["ahora"]["archivo_id"]
        ),
        (former, &json!(newer))
    );
    assert_eq!(told["empleados_agregados"], json!([rut(14_000_001)]));
    assert_eq!(told["empleados_eliminados"], json!(["17317684-8"]));

    let (before, now) = (Libro::golden(), corrected());
    let sum = |book: &Libro, code: &str| -> i64 {
        [2, 3, 4]
            .iter()
            .map(|row| book.get(*row, code).parse::<i64>().unwrap_or(0))
            .sum()
    };
    let codes = told["codigos"].as_array().unwrap();
    for change in codes {
        assert_eq!(keys(change), ["ahora", "antes", "codigo", "diferencia"]);
        let code = change["codigo"].as_str().unwrap();
        let (antes, ahora) = (sum(&before, code), sum(&now, code));
        assert_ne!(antes, ahora, "{code} did not change");
        assert_eq!(
            json!([change["antes"], change["ahora"], change["diferencia"]]),
            json!([
                antes.to_string(),
                ahora.to_string(),
                (ahora - antes).to_string()
            ]),
            "{code}"
        );
    }
    let told_codes = names(codes, "codigo");
    for code in ["2101", "2103", "2111", "3141", "4151"] {
        assert_eq!(
            told_codes.contains(&code),
            sum(&before, code) != sum(&now, code),
            "{code}"
        );
    }
    let employees = told["empleados"].as_array().unwrap();
    let mut ruts = names(employees, "rut");
    ruts.sort_unstable();
    assert_eq!(ruts, ["12345678-5", &*rut(14_000_001), "17317684-8"]);
    let changed = employees
        .iter()
        .find(|one| one["rut"] == "12345678-5")
        .unwrap();
    let change = changed["codigos"]
        .as_array()
        .unwrap()
        .iter()
        .find(|change| change["codigo"] == "2111")
        .unwrap();
    assert_eq!(
        *change,
        json!({ "codigo": "2111", "antes": "85000", "ahora": "95000", "diferencia": "10000" })
    );
}

#[tokio::test]
async fn a_month_is_measured_against_the_latest_seal_of_the_nearest_month_before() {
    let company = Company::of_payroll().await;
    let cliente = company.cliente(GOLDEN_CLIENT).await;
    let august = company.closing_of(&cliente, "2025-08").await;
    august.fill(GOLDEN).await;
    august.finish().await;
    let october = company.closing_of(&cliente, "2025-10").await;
    october.fill(GOLDEN).await;
    october.finish().await;
    october.reopen().await;

    let november = company.closing_of(&cliente, "2025-11").await;
    november.fill(&corrected().bytes()).await;
    november.generate("discrepancias").await;
    let base = async || {
        november.generate("incidencias").await;
        november.now().await["resultados"]["incidencias"]["base_comparacion"].clone()
    };
    // An opened month is no base.
    assert_eq!(base().await["cierre_id"], august.id);
    assert_eq!(
        november.list("/incidencias").await.len(),
        2,
        "one hired, one gone"
    );
    october
        .take("libro_remuneraciones", "libro.csv", &corrected().bytes())
        .await;
    october.generate("discrepancias").await;
    october.generate("incidencias").await;
    for one in october.list("/incidencias").await {
        let step = |action: &str| {
            october.path(&format!(
                "/incidencias/{}/{action}",
                one["id"].as_str().unwrap()
            ))
        };
        let resolve = json!({ "resolucion": "otra", "justificacion": WORDS });
        company
            .analyst()
            .await
            .post(&step("resolver"), resolve)
            .await
            .expect(200);
        company
            .supervisor()
            .await
            .post(&step("aprobar"), json!({}))
            .await
            .expect(200);
    }
    october.finalise().await;
    let base = base().await;
    assert_eq!(base["cierre_id"], october.id);
    let open = november.list("/incidencias?estado=pendiente").await;
    assert!(
        open.is_empty(),
        "the latest seal holds the same book: {open:?}"
    );
    // A later month is no base either, and a month of another client even less.
    let other = company.cliente(&rut(15_000_001)).await;
    let other = company.closing_of(&other, "2025-11").await;
    other.fill(GOLDEN).await;
    other.generate("discrepancias").await;
    other.generate("incidencias").await;
    assert_eq!(
        other.now().await["resultados"]["incidencias"]["base_comparacion"],
        Value::Null
    );
}

#[tokio::test]
async fn a_byte_more_of_any_file_is_another_seal_over_the_same_rows() {
    let company = Company::of_payroll().await;
    let closing = sealed(&company).await;
    let auditor = company.auditor().await;
    let first = auditor.get(&closing.path("/sellos/1")).await.expect(200);
    closing.reopen().await;
    let mut longer = GOLDEN.to_vec();
    longer.push(b'\n');
    closing
        .take("libro_remuneraciones", "libro.csv", &longer)
        .await;
    let second = closing.finish().await;
    let (before, now) = (&first["manifiesto"], &second["manifiesto"]);
    assert_eq!(now["resultado_sha256"], before["resultado_sha256"]);
    assert_eq!(now["totales"], before["totales"]);
    assert_eq!(now["archivos"][0]["sha256"], sha256_hex(&longer));
    assert_ne!(second["sello"], first["sello"]);
    let told = auditor
        .get(&closing.path("/sellos/2/diferencias"))
        .await
        .expect(200);
    assert_eq!(
        names(told["archivos"].as_array().unwrap(), "tipo"),
        ["libro_remuneraciones"]
    );
    for same in [
        "codigos",
        "empleados",
        "empleados_agregados",
        "empleados_eliminados",
    ] {
        assert_eq!(told[same], json!([]), "{same}");
    }
}
