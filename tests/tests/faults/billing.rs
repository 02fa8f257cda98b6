//! Batches whose workers die, freeze and fail.

use std::time::Duration;

use cierre_tests::{Company, NewService, Signal, batch_of, eventually, service};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// One fault at a time.
static ALONE: Mutex<()> = Mutex::const_new(());
const WORKER: &str = "run-billing-batch";
const MATERIALISER: &str = "materialise-invoices";

async fn company() -> Company {
    let company = Company::new().await;
    company.customers(5).await;
    company
}

fn services(count: u32) -> Vec<NewService> {
    (0..count)
        .map(|n| service(1 + n % 28, 1 + n % 5, 100 + i64::from(n)))
        .collect()
}

/// Watches a batch's run until it is there, as closely as the table answers: the moment to kill is short, so there is no pause.
async fn until(company: &Company, batch: &str, there: impl Fn(&Value) -> bool) -> Value {
    let mut run = Value::Null;
    let watch = async {
        loop {
            run = company.batch_run(batch).await;
            if there(&run) {
                break;
            }
        }
    };
    let watched = tokio::time::timeout(Duration::from_secs(90), watch).await;
    assert!(watched.is_ok(), "the run did not get there: {run}");
    run
}

#[rstest]
#[case::before_the_first_claim("claim", 0, 0)]
#[case::while_claiming("claim", 3, 0)]
#[case::between_claiming_and_staging("stage", 0, 0)]
#[case::before_the_commit("commit", 0, 0)]
#[case::after_the_commit("materialise", 0, 0)]
#[tokio::test]
async fn a_worker_killed_in_this_phase_leaves_no_trace(
    #[case] phase: &str,
    #[case] claims: i64,
    #[case] staged: i64,
) {
    let _alone = ALONE.lock().await;
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company.pendings(&services(600)).await;
    let id = billing.start_batch(batch_of("A-0001", &pendings)).await;
    // Phases pass quickly; whichever is caught at or after the wanted one, the worker dies there.
    let order = [
        "resolve",
        "claim",
        "stage",
        "commit",
        "materialise",
        "release",
        "over",
    ];
    let rank = |word: &str| order.iter().position(|known| *known == word).unwrap();
    until(&company, &id, |run| {
        let reached = rank(run["phase"].as_str().unwrap());
        let deep_enough =
            run["claims"].as_i64() >= Some(claims) && run["staged"].as_i64() >= Some(staged);
        run["epoch"] != 0 && (reached > rank(phase) || (reached == rank(phase) && deep_enough))
    })
    .await;
    company.stack.signal(WORKER, Signal::Kill);
    let batch = billing.batch_end(&id).await;
    assert_eq!(
        (&batch["status"], &batch["invoiceCount"]),
        (&json!("PROCESSED"), &json!(600)),
        "{batch}"
    );
    company.audit().await;
}

#[tokio::test]
async fn materialisers_killed_while_they_work_are_followed_by_others() {
    let _alone = ALONE.lock().await;
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company.pendings(&services(1100)).await;
    let id = billing.start_batch(batch_of("A-0001", &pendings)).await;
    until(&company, &id, |run| run["phase"] == "materialise").await;
    eventually("a materialiser lives", || async {
        (company.stack.signal(MATERIALISER, Signal::Kill) > 0).then_some(())
    })
    .await;
    // The commit stands whatever happens to stage 4: every invoice is there by id, number and batch.
    let invoices = billing.list(&format!("/invoices/by-batch/{id}")).await;
    assert_eq!(invoices.len(), 1100);
    let last = billing
        .get("/invoices/number/A-0001-00001100")
        .await
        .expect(200);
    assert_eq!(last["id"], invoices[1099]["id"]);
    let batch = billing.batch_end(&id).await;
    assert_eq!(batch["materialized"], true);
    company.audit().await;
}

#[tokio::test]
async fn a_worker_frozen_beyond_its_lease_wakes_up_and_changes_nothing() {
    let _alone = ALONE.lock().await;
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company.pendings(&services(700)).await;
    let mut body = batch_of("A-0001", &pendings);
    body["onInvalid"] = json!("fail");
    body["pendingIds"]
        .as_array_mut()
        .unwrap()
        .push(json!("pen_01JD0000000000000000000001"));
    // No idle process is left that would be frozen too and then handed the next delivery.
    company.stack.signal(WORKER, Signal::Kill);
    let id = billing.start_batch(body).await;
    until(&company, &id, |run| {
        run["phase"] == "claim" && run["claims"].as_i64() >= Some(2)
    })
    .await;
    let frozen = company.stack.signal(WORKER, Signal::Stop);
    assert!(frozen > 0, "a worker was there to freeze");
    // The frozen process keeps its place; the next delivery gets a process of its own.
    let batch = billing.batch_end(&id).await;
    assert_eq!(
        (&batch["status"], &batch["errorCode"]),
        (&json!("ERROR"), &json!("invalid_pendings")),
        "{batch}"
    );
    company.stack.signal(WORKER, Signal::Continue);
    eventually("the queues are empty", || async {
        company.queues_are_empty().await.then_some(())
    })
    .await;
    company.audit().await;
}

#[tokio::test]
async fn a_worker_that_dies_three_times_puts_its_batch_into_error() {
    let _alone = ALONE.lock().await;
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company.pendings(&services(400)).await;
    let id = billing.start_batch(batch_of("A-0001", &pendings)).await;
    for death in 1..=3_i64 {
        until(&company, &id, |run| {
            run["epoch"].as_i64() >= Some(death) && run["working"] == true
        })
        .await;
        company.stack.signal(WORKER, Signal::Kill);
    }
    let batch = billing.batch_end(&id).await;
    assert_eq!(
        (&batch["status"], &batch["errorCode"]),
        (&json!("ERROR"), &json!("worker_lost")),
        "{batch}"
    );
    assert_eq!(batch["attempts"].as_array().unwrap().len(), 3, "{batch}");
    company.audit().await;
    billing
        .post(&format!("/billing-batches/{id}/retry"), json!({}))
        .await
        .expect(202);
    let batch = billing.batch_end(&id).await;
    assert_eq!(batch["invoiceCount"], 400, "{batch}");
    company.audit().await;
}

#[tokio::test]
async fn three_failed_attempts_end_in_error_and_a_retry_succeeds() {
    let _alone = ALONE.lock().await;
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company.pendings(&services(10)).await;
    // The worker cannot read its ids: a fault of ours, not of the pendings.
    let id = company
        .block_book("A-00001", || {
            billing.start_batch(batch_of("A-0001", &pendings))
        })
        .await;
    let taken = company
        .take_away(&format!("{}#batch#{id}", company.id), "ids#00000")
        .await;
    company.resend_job(&id, &format!("batch-{id}")).await;
    let batch = billing.batch_end(&id).await;
    assert_eq!(
        (&batch["status"], &batch["errorCode"]),
        (&json!("ERROR"), &json!("processing_failed")),
        "{batch}"
    );
    let outcomes: Vec<&str> = batch["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["failed"; 3]);
    company.put_back(taken).await;
    billing
        .post(&format!("/billing-batches/{id}/retry"), json!({}))
        .await
        .expect(202);
    assert_eq!(billing.batch_end(&id).await["invoiceCount"], 10);
    company.audit().await;
}

#[tokio::test]
async fn a_lost_message_is_swept() {
    let _alone = ALONE.lock().await;
    let company = company().await;
    let billing = company.billing().await;
    let pendings = company.pendings(&services(10)).await;
    // While another ticket stands before it, the batch's message is consumed without effect: to the batch it is lost.
    let id = company
        .block_book("A-00001", || {
            billing.start_batch(batch_of("A-0001", &pendings))
        })
        .await;
    let later = company.stack.clock_after(Duration::from_secs(6 * 60));
    company
        .stack
        .invoke("sweep-billing-jobs", &company.stack.schedule_event(&later))
        .await;
    assert_eq!(billing.batch_end(&id).await["invoiceCount"], 10);
    company.audit().await;
}
