//! Payroll whose workers die and fail, whose messages come in any order, twice, or not at all.

mod dying;
mod failing;
mod order;

use cierre_tests::{Closing, Signal};
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

/// One fault at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

const FILES: &str = "receive-payroll-files";
const JOBS: &str = "run-payroll-job";

/// Waits for its turn.
async fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().await
}

/// Watches something as closely as the table answers until it is there: the moment to kill is short, so there is no pause.
async fn until(what: &str, ask: impl AsyncFn() -> Value, there: impl Fn(&Value) -> bool) -> Value {
    let mut seen = Value::Null;
    let watch = async {
        loop {
            seen = ask().await;
            if there(&seen) {
                break;
            }
        }
    };
    let watched = tokio::time::timeout(std::time::Duration::from_secs(90), watch).await;
    assert!(watched.is_ok(), "{what}: {seen}");
    seen
}

/// Kills every worker of files or jobs; at least one must live.
fn kill(closing: &Closing, function: &str) {
    assert!(
        closing.company.stack.signal(function, Signal::Kill) > 0,
        "no {function} to kill"
    );
}

/// How many events of a file have this action.
async fn told(closing: &Closing, archivo: &str, action: &str) -> usize {
    let events = closing.events_of(action).await;
    events
        .iter()
        .filter(|event| event["resource_id"] == archivo)
        .count()
}
