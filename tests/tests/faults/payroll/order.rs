//! What the bucket tells, in every order and more than once.

use cierre_tests::{Closing, Company, GOLDEN, Libro, movimientos, table};
use serde_json::{Value, json};

use super::{FILES, alone};

/// What does not depend on the order in which messages came.
async fn outcome(closing: &Closing, of: &dyn Fn(&Value) -> String) -> Value {
    let files = closing.list("/archivos").await;
    // What was read of a file that is not in force is nobody's concern: one that was replaced before its turn was never read.
    let read = |file: &Value| match file["vigente"] == true {
        true => json!([file["filas"], file["hash"]]),
        false => Value::Null,
    };
    let mut states: Vec<Value> = files
        .iter()
        .map(|file| json!([of(file), file["estado"], file["vigente"], read(file)]))
        .collect();
    states.sort_by_key(ToString::to_string);
    let mut rows = closing.list("/registros").await;
    for row in &mut rows {
        row["archivo_id"] = json!("");
    }
    let cierre = closing.now().await;
    let kinds: Vec<String> = cierre["archivos"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    json!({ "files": states, "rows": rows, "state": cierre["estado"], "counts": cierre["counts"], "kinds": kinds })
}

/// Every order of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let shorter = orders(last);
    let insert = |order: &Vec<usize>| {
        (0..=last)
            .map(|at| {
                let mut longer = order.clone();
                longer.insert(at, last);
                longer
            })
            .collect::<Vec<_>>()
    };
    shorter.iter().flat_map(insert).collect()
}

/// Puts the objects of the scene while nobody consumes, and answers what the bucket said of each, in the order in which they were put.
async fn scene(closing: &Closing) -> Vec<Value> {
    let company = &closing.company;
    let wrong = table(&[&["rut"], &["1"]]);
    let right = table(&[
        &["rut", "fecha_termino", "causal"],
        &["12345678-5", "31/10/2025", "4"],
    ]);
    let mut other = Libro::golden();
    other.remove(4);
    closing
        .drop_file("libro_remuneraciones", "libro.csv", GOLDEN)
        .await;
    // The same key once more, a second one of the kind, and one that fails before the one that does not.
    closing
        .drop_file("libro_remuneraciones", "libro.csv", &other.bytes())
        .await;
    closing
        .drop_file("movimientos_mes", "m.xlsx", &movimientos(&[]))
        .await;
    closing.drop_file("finiquitos", "wrong.csv", &wrong).await;
    closing.drop_file("finiquitos", "right.csv", &right).await;
    let mut notices = Vec::new();
    while notices.len() < 5 {
        notices.extend(company.take_messages("PAYROLL_FILES_QUEUE_URL").await);
    }
    assert_eq!(notices.len(), 5);
    let sequencer = |notice: &Value| {
        notice["Records"][0]["s3"]["object"]["sequencer"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let key = |notice: &Value| {
        notice["Records"][0]["s3"]["object"]["key"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    notices.sort_by_key(|notice| (key(notice), sequencer(notice)));
    notices
}

/// Settings that take two hundred and forty closings would take hours: some orders of all, those that differ most.
fn chosen() -> Vec<Vec<usize>> {
    let all = orders(5);
    let count = all.len();
    all.into_iter()
        .enumerate()
        .filter(|(nth, _)| nth % 11 == 0 || *nth + 1 == count)
        .map(|(_, order)| order)
        .collect()
}

#[tokio::test]
async fn every_order_and_repetition_ends_alike() {
    let company = Company::of_payroll().await;
    let _alone = alone().await;
    let cliente = company.cliente(cierre_tests::GOLDEN_CLIENT).await;
    let of = |file: &Value| file["nombre"].as_str().unwrap().to_owned();
    // What a test before has left.
    let closing = company.closing_of(&cliente, "2000-01").await;
    closing.queues_are_empty().await;
    let in_every_order = async || {
        let mut first: Option<Value> = None;
        for (nth, order) in chosen().into_iter().enumerate() {
            let closing = company
                .closing_of(&cliente, &format!("20{:02}-10", nth + 1))
                .await;
            let notices = scene(&closing).await;
            for at in &order {
                closing.deliver_now(&[notices[*at].clone()]).await;
                // Every other order hears each thing twice.
                if nth % 2 == 1 {
                    closing
                        .deliver_now(&[notices[order[0]].clone(), notices[*at].clone()])
                        .await;
                }
            }
            let found = outcome(&closing, &of).await;
            assert_eq!(found["state"], "archivos_completos", "{order:?}: {found:#}");
            assert_eq!(
                *first.get_or_insert_with(|| found.clone()),
                found,
                "{order:?}"
            );
            let events = closing.events().await.len();
            closing.deliver_now(&notices).await;
            assert_eq!(
                closing.events().await.len(),
                events,
                "a duplicate added an event"
            );
            assert_eq!(outcome(&closing, &of).await, found);
            closing.verify().await;
        }
    };
    company.stack.while_waiting(FILES, in_every_order).await;
    assert!(company.quarantine().await.is_empty());
}
