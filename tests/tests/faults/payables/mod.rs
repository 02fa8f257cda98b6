//! Payables whose workers die, whose messages come twice, late or not at all, and what its schedule starts.

mod dying;
mod order;
mod schedule;

use cierre_tests::{ASEO, Company, Factura, PEDRO, Signal, body_of};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

/// One fault at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

const FILES: &str = "receive-payables-files";
const JOBS: &str = "run-payables-job";
/// Items of a job that is to be met at work.
const MANY: usize = 300;

/// Waits for its turn.
async fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().await
}

/// Watches something as closely as the stack answers until it is there: the moment to kill is short, so there is no pause.
async fn until(what: &str, ask: impl AsyncFn() -> Value, there: impl Fn(&Value) -> bool) -> Value {
    let mut seen = Value::Null;
    let watch = async {
        loop {
            seen = ask().await;
            if there(&seen) {
                break;
            }
            // What is asked may never wait, and the deadline has to be looked at.
            tokio::task::yield_now().await;
        }
    };
    let watched = tokio::time::timeout(std::time::Duration::from_secs(90), watch).await;
    assert!(watched.is_ok(), "{what}: {seen}");
    seen
}

/// Kills every worker of a function; at least one must live.
fn kill(company: &Company, function: &str) {
    assert!(
        company.stack.signal(function, Signal::Kill) > 0,
        "no {function} to kill"
    );
}

/// The bodies of so many facturas.
fn bodies(count: usize) -> Vec<Value> {
    (0..count)
        .map(|nth| body_of(ASEO, &format!("K-{nth}"), "1.00"))
        .collect()
}

/// So many pending facturas.
async fn pending(company: &Company, count: usize) -> Vec<Factura> {
    let pedro = company.person(PEDRO).await;
    let body = json!({ "facturas": bodies(count) });
    let items = pedro.outcomes("/facturas/lote", body).await;
    items
        .iter()
        .map(|item| company.factura(item["factura_id"].as_str().expect("a factura")))
        .collect()
}

/// Every item was done, and no event was told twice.
async fn all_applied(company: &Company, items: &[Value], action: &str) {
    for item in items {
        assert_eq!(item["resultado"], "aplicado", "{item}");
    }
    for item in items.iter().step_by(items.len() / 10) {
        let factura = company.factura(item["factura_id"].as_str().expect("a factura"));
        assert_eq!(factura.events_of(action).await.len(), 1, "{item}");
        factura.verify().await;
    }
}
