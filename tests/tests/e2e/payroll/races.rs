//! What many do at the same moment, and what is told twice.

use std::sync::atomic::{AtomicBool, Ordering};

use cierre_tests::{
    Closing, Company, GOLDEN, GOLDEN_CLIENT, Libro, NOMINA, WORK_ENDS_WITHIN, movimientos, names,
    rut, within,
};
use futures::future::join_all;
use serde_json::{Value, json};

#[tokio::test]
async fn of_twenty_that_begin_a_month_one_does() {
    let company = Company::of_payroll().await;
    let cliente = company.cliente(GOLDEN_CLIENT).await;
    let analyst = company.analyst().await;
    let path = format!("{NOMINA}/cierres");
    let begin = || {
        analyst.post(
            &path,
            json!({ "cliente_id": cliente, "periodo": "2025-10" }),
        )
    };
    for _ in 0..2 {
        let mut replies = join_all((0..20).map(|_| begin())).await;
        replies.sort_by_key(|reply| reply.status);
        let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        let mut expected = vec![409; 19];
        expected.insert(0, 201);
        assert_eq!(statuses, expected);
        let id = replies[0].body["id"].as_str().unwrap().to_owned();
        let listed = analyst.list(&path).await;
        assert_eq!(names(&listed, "id"), [&*id]);
        // Deleted, the month is free again: the second turn finds it so.
        let gone = format!("{path}/{id}?motivo=porque%20ya%20no%20sirve");
        analyst.delete(&gone).await.expect(204);
    }
}

/// A book of which every row holds this mark.
fn marked(nth: usize) -> Vec<u8> {
    let ruts: Vec<String> = (0..60).map(|n| rut(23_000_000 + n)).collect();
    let mut book = Libro::of(&ruts);
    for row in 2..62 {
        book.set(row, "2111", &mark(nth)).balance(row);
    }
    book.bytes()
}

fn mark(nth: usize) -> String {
    (100_000 + nth).to_string()
}

/// Reads rows page by page while files change; answers the marks that it saw.
async fn read_on(closing: &Closing, over: &AtomicBool) -> Vec<String> {
    let auditor = closing.company.auditor().await;
    let path = closing.path("/registros?tipo=libro_remuneraciones&limit=25");
    let mut seen = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let mut go_on = String::new();
        let mut rows: Vec<Value> = Vec::new();
        loop {
            let reply = auditor.get(&format!("{path}{go_on}")).await;
            if reply.status == 400 && !rows.is_empty() {
                // Another file came into force: the rest of the former one is no longer shown.
                reply.refused(400, "bad_cursor");
                break;
            }
            let page = reply.expect(200);
            rows.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(cursor) => go_on = format!("&cursor={cursor}"),
                None => {
                    assert!(rows.is_empty() || rows.len() == 60, "{} rows", rows.len());
                    break;
                }
            }
        }
        let mut marks: Vec<&str> = rows
            .iter()
            .map(|row| row["valores"]["2111"].as_str().unwrap())
            .collect();
        marks.dedup();
        assert!(marks.len() <= 1, "a mixture of {marks:?}");
        let mut files = names(&rows, "archivo_id");
        files.dedup();
        assert!(files.len() <= 1, "a mixture of {files:?}");
        seen.extend(marks.first().map(|mark| (*mark).to_owned()));
    }
    seen
}

#[tokio::test]
async fn readers_see_one_file_or_the_other_and_never_both() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    company.auditor().await;
    let over = AtomicBool::new(false);
    let writing = async {
        for nth in 0..6 {
            closing
                .take("libro_remuneraciones", "libro.csv", &marked(nth))
                .await;
            // What is wrong is never seen.
            let wrong = marked(99)
                .iter()
                .map(|byte| if *byte == b'/' { b'x' } else { *byte })
                .collect::<Vec<_>>();
            let file = closing
                .upload("libro_remuneraciones", "libro.csv", &wrong)
                .await;
            assert_eq!(file["estado"], "con_errores");
        }
        over.store(true, Ordering::Relaxed);
    };
    let (_, first, second) =
        futures::join!(writing, read_on(&closing, &over), read_on(&closing, &over));
    for seen in [first, second] {
        assert!(seen.is_sorted(), "an older file came back: {seen:?}");
        assert!(!seen.contains(&mark(99)));
        assert!(!seen.is_empty());
    }
}

/// What became of a dropped object: the file that it is, or none when it is in quarantine.
async fn fate(closing: &Closing, nombre: &str) -> Option<Value> {
    let key = closing.key("ingresos", nombre);
    let found = within(
        WORK_ENDS_WITHIN,
        &format!("{nombre} has a place"),
        || async {
            let files = closing.list("/archivos?tipo=ingresos").await;
            let file = files.into_iter().find(|file| file["nombre"] == nombre);
            if let Some(file) = file {
                return Some(Some(file));
            }
            let listed = closing.company.quarantine().await;
            listed.iter().any(|one| one["clave"] == key).then_some(None)
        },
    )
    .await;
    match found {
        Some(file) => Some(closing.file_end(file["id"].as_str().unwrap()).await),
        None => None,
    }
}

/// What a finalised closing must be.
fn is_whole(cierre: &Value) {
    assert_eq!(cierre["estado"], "finalizado");
    for kind in ["libro_remuneraciones", "movimientos_mes"] {
        assert!(cierre["archivos"][kind].is_string(), "{cierre}");
    }
    for result in ["discrepancias", "incidencias"] {
        assert_eq!(cierre["resultados"][result]["vigente"], true, "{cierre}");
    }
    for count in ["discrepancias_bloqueantes", "incidencias_criticas"] {
        assert_eq!(cierre["counts"][count], 0, "{cierre}");
    }
}

const ROUNDS: usize = 20;

#[tokio::test]
async fn a_file_that_arrives_while_a_month_is_closed_is_in_or_put_aside() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    closing
        .take("libro_remuneraciones", "libro.csv", GOLDEN)
        .await;
    let hire = movimientos(&[["12345678-5", "ALTA", "01/10/2025", ""]]);
    closing
        .take("movimientos_mes", "movimientos.xlsx", &hire)
        .await;
    let (mut taken, mut aside) = (0, 0);
    for round in 0..ROUNDS {
        closing.generate("discrepancias").await;
        closing.generate("incidencias").await;
        let nombre = format!("ingresos-{round:02}.csv");
        let bytes = format!("rut;nombre;fecha_ingreso\r\n12345678-5;Ana {round};01/10/2025\r\n");
        // From "closed before it arrives" to "processed before it is closed"; in between they meet.
        let finalised = match round {
            0 => {
                let reply = closing.post("/finalizar", json!({})).await;
                closing
                    .drop_file("ingresos", &nombre, bytes.as_bytes())
                    .await;
                reply
            }
            last if last == ROUNDS - 1 => {
                closing.dropped("ingresos", &nombre, bytes.as_bytes()).await;
                closing.post("/finalizar", json!({})).await
            }
            _ => {
                closing
                    .drop_file("ingresos", &nombre, bytes.as_bytes())
                    .await;
                // Each look takes a moment, another number of them in each round.
                for _ in 0..round % 7 {
                    closing.now().await;
                }
                closing.post("/finalizar", json!({})).await
            }
        };
        match (finalised.status, fate(&closing, &nombre).await) {
            (200, None) => {
                aside += 1;
                is_whole(&closing.now().await);
                closing.reopen().await;
            }
            (409, Some(file)) => {
                taken += 1;
                assert_eq!(file["estado"], "procesado");
                finalised.refused(409, "close_blocked");
            }
            (status, file) => panic!("round {round}: {status} and {file:?}: {}", finalised.text),
        }
    }
    assert!(taken > 0 && aside > 0, "{taken} taken, {aside} put aside");
    // Every object that was ever put there is a file or in quarantine.
    let put = company
        .stack
        .keys_under(&format!("payroll/{}/", company.id))
        .await;
    let kept = company
        .stack
        .keys_under(&format!("quarantine/{}/", company.id))
        .await;
    assert_eq!((put.len(), kept.len()), (2 + taken, aside));
    assert_eq!(company.quarantine().await.len(), aside);
    assert_eq!(closing.list("/archivos").await.len(), 2 + taken);
    closing.verify().await;
}

#[tokio::test]
async fn what_the_bucket_tells_again_changes_nothing() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let uploaded = closing
        .take("libro_remuneraciones", "libro.csv", GOLDEN)
        .await;
    let dropped = closing
        .dropped(
            "movimientos_mes",
            "movimientos ñ (1).xlsx",
            &movimientos(&[]),
        )
        .await;
    let wrong = closing
        .upload("finiquitos", "finiquitos.csv", b"rut\r\n1\r\n")
        .await;
    let mut longer = GOLDEN.to_vec();
    longer.push(b'\n');
    let newer = closing
        .take("libro_remuneraciones", "libro.csv", &longer)
        .await;
    assert_eq!(closing.file(&uploaded).await["estado"], "reemplazado");
    let ids = [
        &*uploaded,
        dropped["id"].as_str().unwrap(),
        wrong["id"].as_str().unwrap(),
        &newer,
    ];
    let mut notices = Vec::new();
    for id in ids {
        notices.push(closing.notice(id).await);
    }
    let whole = async || {
        let files = closing.list("/archivos").await;
        (
            closing.now().await,
            files,
            closing.list("/registros").await,
            closing.events().await,
        )
    };
    let before = whole().await;
    for notice in &notices {
        closing.deliver_now(&[notice.clone(), notice.clone()]).await;
        closing.deliver(notice).await;
    }
    notices.reverse();
    closing.deliver_now(&notices).await;
    assert_eq!(whole().await, before);
    assert!(company.quarantine().await.is_empty());
    closing.verify().await;
    // Also after the end: a duplicate is not a file that came too late.
    company
        .analyst()
        .await
        .delete(&closing.file_path(ids[2], ""))
        .await
        .expect(204);
    closing.finish().await;
    let before = whole().await;
    closing.deliver_now(&notices).await;
    assert_eq!(whole().await, before);
    assert!(company.quarantine().await.is_empty());
}

#[tokio::test]
async fn decisions_at_the_same_moment_are_made_once() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let mut book = Libro::golden();
    book.set(2, "5201", "1055817");
    closing.fill(&book.bytes()).await;
    closing.generate("discrepancias").await;
    let [one] = closing.list("/discrepancias").await.try_into().unwrap();
    let supervisor = company.supervisor().await;
    let path = closing.path(&format!(
        "/discrepancias/{}/corregir",
        one["id"].as_str().unwrap()
    ));
    let correct = || supervisor.post(&path, json!({ "justificacion": cierre_tests::WORDS }));
    let mut statuses: Vec<u16> = join_all((0..8).map(|_| correct()))
        .await
        .iter()
        .map(|reply| reply.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(closing.events_of("discrepancia_corregida").await.len(), 1);
    closing.generate("incidencias").await;
    let finalised = join_all((0..8).map(|_| closing.post("/finalizar", json!({})))).await;
    let mut statuses: Vec<u16> = finalised.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(closing.list("/sellos").await.len(), 1);
    is_whole(&closing.now().await);
    closing.verify().await;
}
