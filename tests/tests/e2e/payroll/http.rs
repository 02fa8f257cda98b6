//! What every route of payroll does alike: slashes, keys, versions, pages, and other companies' ids.

use cierre_tests::{
    Client, Closing, Company, GOLDEN, GOLDEN_CLIENT, Libro, NOMINA, WORDS, rut, table,
};
use reqwest::Method;
use serde_json::{Value, json};

/// A closing with a discrepancy, incidences against a month before, and a timeline of some length.
async fn busy(company: &Company) -> Closing {
    let cliente = company.cliente(GOLDEN_CLIENT).await;
    let before = company.closing_of(&cliente, "2025-09").await;
    before.fill(GOLDEN).await;
    before.finish().await;
    let closing = company.closing_of(&cliente, "2025-10").await;
    let mut book = Libro::golden();
    for row in 2..=4 {
        for code in ["2104", "2105", "2107", "2110"] {
            book.set(row, code, "60000");
        }
        book.balance(row).set(row, "5410", "1");
    }
    closing.fill(&book.bytes()).await;
    closing.generate("discrepancias").await;
    closing.generate("incidencias").await;
    closing
}

#[tokio::test]
async fn a_trailing_slash_gives_the_same_answer() {
    let company = Company::of_payroll().await;
    let closing = busy(&company).await;
    let analyst = company.analyst().await;
    let own = [
        "",
        "/archivos",
        "/empleados",
        "/registros",
        "/discrepancias",
        "/incidencias",
        "/sellos",
        "/errores",
    ];
    let mut paths: Vec<String> = own.iter().map(|rest| closing.path(rest)).collect();
    paths.extend(["/clientes", "/cierres", "/cuarentena"].map(|path| format!("{NOMINA}{path}")));
    paths.push(format!("{NOMINA}/clientes/{}", closing.cliente));
    for path in paths {
        let plain = analyst.get(&path).await.expect(200);
        assert_eq!(
            analyst.get(&format!("{path}/")).await.expect(200),
            plain,
            "{path}"
        );
    }
    // The first look at a timeline leaves an event.
    analyst.get(&closing.path("/timeline")).await.expect(200);
    let plain = analyst
        .get(&closing.path("/timeline?limit=100"))
        .await
        .expect(200);
    assert_eq!(
        analyst
            .get(&closing.path("/timeline/?limit=100"))
            .await
            .expect(200),
        plain
    );
    let body = json!({ "cliente_id": closing.cliente, "periodo": "2025-10" });
    analyst
        .post(&format!("{NOMINA}/cierres/"), body)
        .await
        .refused(409, "cierre_exists");
    let made = analyst
        .post(
            &format!("{NOMINA}/clientes/"),
            json!({ "rut": rut(20_000_001), "nombre": "Dos" }),
        )
        .await;
    made.expect(201);
}

/// Reads a list in pages of each size: always the same list.
pub(crate) async fn pages(client: &Client, path: &str, limits: &[usize]) -> Vec<Value> {
    let whole = client.list(path).await;
    for limit in limits {
        assert_eq!(
            client.list_by(path, *limit).await,
            whole,
            "{path} in pages of {limit}"
        );
    }
    whole
}

#[tokio::test]
async fn pages_of_every_list_are_the_list() {
    let company = Company::of_payroll().await;
    let closing = busy(&company).await;
    for number in 0..4 {
        company.cliente(&rut(22_000_000 + number)).await;
    }
    let files = ["finiquitos", "ausentismos", "ingresos"];
    let wrong = table(&[&["rut"], &["1"]]);
    for kind in files {
        closing.upload(kind, "archivo.csv", &wrong).await;
    }
    for nombre in ["a", "b", "c"] {
        company
            .stack
            .drop_at(&format!("payroll/{}/{nombre}.csv", company.id), b"x")
            .await;
    }
    company.quarantined(3).await;
    let auditor = company.auditor().await;
    for (rest, least) in [
        ("/archivos", 5),
        ("/empleados", 3),
        ("/registros", 3),
        ("/discrepancias", 3),
        ("/incidencias", 12),
        ("/errores", 3),
    ] {
        let whole = pages(&auditor, &closing.path(rest), &[1, 2]).await;
        assert!(whole.len() >= least, "{rest}: {}", whole.len());
    }
    for (path, least) in [
        ("/clientes", 5),
        ("/cierres", 2),
        ("/cuarentena", 3),
        ("/actividad", 30),
        ("/actividad?event_type=upload", 8),
    ] {
        let whole = pages(&auditor, &format!("{NOMINA}{path}"), &[1, 4]).await;
        assert!(whole.len() >= least, "{path}: {}", whole.len());
    }
    // Filters show what they say of the same list.
    let all = auditor.list(&format!("{NOMINA}/actividad")).await;
    let analyst = company.username("payroll");
    for (member, value) in [
        ("cliente_id", &closing.cliente),
        ("cierre_id", &closing.id),
        ("user", &analyst),
    ] {
        let of: Vec<Value> = all
            .iter()
            .filter(|event| event[member] == **value)
            .cloned()
            .collect();
        let found = auditor
            .list_by(&format!("{NOMINA}/actividad?{member}={value}"), 7)
            .await;
        assert_eq!(found, of, "{member}");
        assert!(!of.is_empty() && of.len() < all.len(), "{member}");
    }
    let events = closing.events().await;
    closing.timeline_as(&auditor, "").await;
    let (whole, _) = closing.timeline_by(&auditor, "", 100).await;
    assert_eq!(whole.len(), events.len() + 1);
    for limit in [1, 4] {
        let (paged, summaries) = closing.timeline_by(&auditor, "", limit).await;
        assert_eq!(paged, whole);
        // The summary counts the whole closing, whatever the page.
        assert!(
            summaries
                .iter()
                .all(|summary| summary["total_eventos"] == whole.len())
        );
    }
    let (mut backwards, _) = closing.timeline_by(&auditor, "&orden=desc", 3).await;
    backwards.reverse();
    assert_eq!(backwards, whole);
    let by = |member: &str, value: &str| -> Vec<Value> {
        whole
            .iter()
            .filter(|event| event[member] == value)
            .cloned()
            .collect()
    };
    for (query, expected) in [
        ("&event_type=upload".to_owned(), by("event_type", "upload")),
        (
            "&action=archivo_subido".to_owned(),
            by("action", "archivo_subido"),
        ),
        (format!("&user={analyst}"), by("user", &analyst)),
        ("&user=nobody".to_owned(), Vec::new()),
    ] {
        let (found, summaries) = closing.timeline_by(&auditor, &query, 2).await;
        assert_eq!(found, expected, "{query}");
        assert_eq!(summaries[0]["total_eventos"], whole.len(), "{query}");
    }
    // The sum of the types is the total.
    let summary = closing.timeline_as(&auditor, "").await["resumen"].clone();
    let sum: u64 = summary["eventos_por_tipo"]
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(summary["total_eventos"], sum);
    assert_eq!(closing.verify().await, sum);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_company_and_its_query_only() {
    let company = Company::of_payroll().await;
    let closing = busy(&company).await;
    let auditor = company.auditor().await;
    let page = auditor
        .get(&closing.path("/incidencias?limit=1"))
        .await
        .expect(200);
    let cursor = page["next"].as_str().unwrap();
    auditor
        .get(&closing.path(&format!("/incidencias?limit=5&cursor={cursor}")))
        .await
        .expect(200);
    for other in [
        closing.path(&format!("/incidencias?prioridad=media&cursor={cursor}")),
        closing.path(&format!("/discrepancias?cursor={cursor}")),
        closing.path(&format!("/incidencias?cursor={cursor}A")),
        format!("{NOMINA}/clientes?cursor={cursor}"),
    ] {
        auditor.get(&other).await.refused(400, "bad_cursor");
    }
    let page = closing.timeline_as(&auditor, "?limit=1").await;
    let cursor = page["next"].as_str().unwrap();
    for query in [
        format!("orden=desc&cursor={cursor}"),
        format!("event_type=upload&cursor={cursor}"),
    ] {
        auditor
            .get(&closing.path(&format!("/timeline?{query}")))
            .await
            .refused(400, "bad_cursor");
    }
}

#[tokio::test]
async fn another_companys_ids_are_not_there() {
    let company = Company::of_payroll().await;
    let closing = busy(&company).await;
    let other = Company::on(company.stack.clone());
    other.set_up_payroll().await;
    let stranger = other.admin().await;
    let file = closing.now().await["archivos"]["libro_remuneraciones"]
        .as_str()
        .unwrap()
        .to_owned();
    let discrepancy = closing.list("/discrepancias").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let incidence = closing.list("/incidencias").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let job = closing.generate("incidencias").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let version = closing.now().await["version"].clone();
    let rests = [
        String::new(),
        "/archivos".to_owned(),
        format!("/archivos/{file}"),
        format!("/archivos/{file}/errores"),
        format!("/archivos/{file}/columnas"),
        "/empleados".to_owned(),
        "/registros".to_owned(),
        "/discrepancias".to_owned(),
        format!("/discrepancias/{discrepancy}"),
        "/incidencias".to_owned(),
        format!("/incidencias/{incidence}"),
        "/sellos".to_owned(),
        "/sellos/1".to_owned(),
        "/sellos/1/diferencias".to_owned(),
        "/libro?formato=csv".to_owned(),
        "/timeline".to_owned(),
        "/errores".to_owned(),
    ];
    let mut paths: Vec<String> = rests.iter().map(|rest| closing.path(rest)).collect();
    paths.extend([
        format!("{NOMINA}/clientes/{}", closing.cliente),
        format!("{NOMINA}/trabajos/{job}"),
    ]);
    paths.push(format!(
        "/activity/verify?resource_type=cierre_nomina&resource_id={}",
        closing.id
    ));
    for path in paths {
        stranger.get(&path).await.refused(404, "not_found");
    }
    let words = json!({ "justificacion": WORDS });
    let resolve = json!({ "justificacion": WORDS, "resolucion": "otra" });
    let lote = json!({ "accion": "aprobar", "ids": [incidence] });
    for (rest, body) in [
        (
            "/archivos".to_owned(),
            json!({ "tipo": "ingresos", "nombre": "a.csv", "tamano": 1 }),
        ),
        (format!("/archivos/{file}/reprocesar"), json!({})),
        ("/discrepancias".to_owned(), json!({})),
        (format!("/discrepancias/{discrepancy}/corregir"), words),
        ("/incidencias".to_owned(), json!({})),
        (format!("/incidencias/{incidence}/resolver"), resolve),
        (format!("/incidencias/{incidence}/aprobar"), json!({})),
        (
            format!("/incidencias/{incidence}/rechazar"),
            json!({ "comentario": WORDS }),
        ),
        ("/incidencias/lote".to_owned(), lote),
        ("/finalizar".to_owned(), json!({})),
        ("/reabrir".to_owned(), json!({ "motivo": WORDS })),
    ] {
        stranger
            .post(&closing.path(&rest), body)
            .await
            .refused(404, "not_found");
    }
    let motivo = "?motivo=porque%20ya%20no%20sirve";
    stranger
        .delete(&closing.path(motivo))
        .await
        .refused(404, "not_found");
    stranger
        .delete(&closing.file_path(&file, ""))
        .await
        .refused(404, "not_found");
    let path = format!("{NOMINA}/clientes/{}", closing.cliente);
    stranger
        .patch(&path, json!({ "nombre": "Mío" }))
        .await
        .refused(404, "not_found");
    let begin = json!({ "cliente_id": closing.cliente, "periodo": "2025-12" });
    stranger
        .post(&format!("{NOMINA}/cierres"), begin)
        .await
        .invalid(&[("/cliente_id", "cliente_unknown")]);
    for path in ["/clientes", "/cierres", "/cuarentena", "/actividad"] {
        assert!(
            stranger.list(&format!("{NOMINA}{path}")).await.is_empty(),
            "{path}"
        );
    }
    let of_closing = format!("{NOMINA}/actividad?cierre_id={}", closing.id);
    assert!(stranger.list(&of_closing).await.is_empty());
    assert_eq!(closing.now().await["version"], version);
    // The same RUT is another company's client too.
    other.cliente(GOLDEN_CLIENT).await;
}

#[tokio::test]
async fn a_version_that_was_overtaken_changes_nothing() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let analyst = company.analyst().await;
    let path = format!("{NOMINA}/clientes/{}", closing.cliente);
    let tag = analyst.get(&path).await.header("etag").to_owned();
    let patch = |tag: &str, nombre: &str| {
        let request = analyst.send(Method::PATCH, &path).header("if-match", tag);
        request.json(&json!({ "nombre": nombre })).now()
    };
    let changed = patch(&tag, "Dos").await;
    let newer = changed.header("etag").to_owned();
    assert_eq!(changed.expect(200)["version"], 2);
    assert_ne!(newer, tag);
    patch(&tag, "Tres").await.refused(412, "version_mismatch");
    assert_eq!(analyst.get(&path).await.expect(200)["nombre"], "Dos");
    patch("nonsense", "Tres")
        .await
        .refused(400, "invalid_header");
    let same = patch(&newer, "Dos").await.expect(200);
    assert_eq!(same["version"], 2, "what changes nothing is no change");

    let [libro, _] = closing.fill(GOLDEN).await;
    for (path, rest) in [
        (closing.file_path(&libro, ""), ""),
        (closing.path(""), "?motivo=porque%20ya%20no%20sirve"),
    ] {
        let tag = analyst.get(&path).await.header("etag").to_owned();
        assert!(!tag.is_empty(), "{path}");
        let stale = analyst
            .send(Method::DELETE, &format!("{path}{rest}"))
            .header("if-match", "\"1\"")
            .now()
            .await;
        stale.refused(412, "version_mismatch");
        let current = analyst
            .send(Method::DELETE, &format!("{path}{rest}"))
            .header("if-match", &tag)
            .now()
            .await;
        current.expect(204);
    }
}

#[tokio::test]
async fn looking_at_a_timeline_is_told_once_an_hour_and_changes_no_version() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let (analyst, auditor) = (company.analyst().await, company.auditor().await);
    let version = closing.now().await["version"].clone();
    let mut seen = 0;
    for _ in 0..3 {
        closing.timeline_as(&analyst, "?event_type=create").await;
        closing.timeline_as(&auditor, "").await;
        seen += 2;
    }
    let told = closing.events_of("timeline_consultado").await;
    // An hour may end in between.
    assert!(
        (2..=4).contains(&told.len()) && told.len() < seen,
        "{told:#?}"
    );
    assert_eq!(
        told[0]["details"],
        json!({ "filtros": { "event_type": "create" } })
    );
    assert_eq!(told[0]["user"], company.username("payroll"));
    assert_eq!(closing.now().await["version"], version);
    assert_eq!(closing.verify().await, 1 + told.len() as u64);
}

#[tokio::test]
async fn a_look_at_a_timeline_is_one_query_however_many_closings_there_are() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    // The first look of an hour leaves an event.
    closing.timeline_as(&company.analyst().await, "").await;
    let looks = [
        "",
        "?orden=desc&limit=1",
        "?event_type=create",
        "?action=cierre_creado",
        "?user=nobody",
    ];
    let took = async |query: &str| {
        let path = closing.path(&format!("/timeline{query}"));
        let answer = company.analyst().await.get(&path).await;
        // The closing, its events, and the mark of the hour.
        let told = answer.header("server-timing");
        assert!(told.contains("\"3 requests,"), "{query}: {told}");
    };
    for query in looks {
        took(query).await;
    }
    for month in 1..=6 {
        let other = company
            .closing_of(&closing.cliente, &format!("2024-{month:02}"))
            .await;
        company
            .analyst()
            .await
            .get(&other.path("/timeline"))
            .await
            .expect(200);
    }
    for query in looks {
        took(query).await;
    }
}
