//! Faults at one call in twenty, while many workers run many batches over the same pendings.

use std::time::Duration;

use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use cierre_billing::engine::{Deadline, LostMessage};
use cierre_billing::entity::BatchStatus;
use cierre_billing::state::Billing;
use cierre_kernel::company::CompanyId;
use cierre_kernel::time::Instant;
use cierre_platform::queue::{Delivery, Queue, Verdict, consume};
use cierre_platform::{Failure, clock, random};
use cierre_tests::{
    Ask, Company, Inside, Plan, Proxy, Stack, scramble, service, sqs_event, within,
};
use futures::future::join_all;
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::ALONE;
use crate::check;

/// Repeats a run of the random suite.
const SEED: &str = "CIERRE_FAULT_SEED";
/// Of a thousand calls.
const FAULTS: u64 = 50;
const SERVICES: u32 = 200;
const BATCHES: u64 = 20;
const WORKERS: usize = 6;
/// Requests to the API at the same time.
const CALLERS: usize = 5;
/// How long a message is hidden without heartbeat.
const HIDDEN: Duration = Duration::from_secs(20);
/// Deliveries before a message is a dead letter, and in all before it is parked, as in the template.
const BEFORE_DEAD: u32 = 3;
const BEFORE_PARKED: u32 = 8;
/// Time of one worker.
const WORKER: Duration = Duration::from_secs(60);
/// Everything is at its end within this time.
const LIMIT: Duration = Duration::from_secs(240);
/// Repeats of a command before it counts as lost.
const REPEATS: u32 = 60;

/// The suite's queues: what fails too often goes to the next one.
struct Queues {
    jobs: String,
    dead: String,
    parked: String,
}

#[tokio::test]
async fn random_faults_under_load_lose_nothing() {
    let _alone = ALONE.lock().await;
    let seed = std::env::var(SEED).map_or_else(|_| random::below(u64::MAX), |s| s.parse().unwrap());
    eprintln!("{SEED}={seed}");
    let company = Company::new().await;
    company.customers(5).await;
    let stack = &company.stack;
    let endpoint = stack.output("ENDPOINT_URL");
    let proxy = Proxy::before(&endpoint).await;
    let parked = stack.queue_apart(HIDDEN, None).await;
    let dead = stack.queue_apart(HIDDEN, Some((&parked, BEFORE_PARKED)));
    let dead = dead.await;
    let jobs = stack.queue_apart(HIDDEN, Some((&dead, BEFORE_DEAD))).await;
    let queues = Queues { jobs, dead, parked };
    let inside = Inside::new(&stack.sdk_at(&proxy.url()), &stack.tables(), &queues.jobs);
    let direct = Inside::new(&stack.sdk_at(&endpoint), &stack.tables(), &queues.jobs);
    proxy.arm(Plan::Random {
        seed,
        per_mille: FAULTS,
    });
    let id = CompanyId::parse(&company.id).unwrap();
    let pendings = pendings(&inside, &id).await;
    let all = async {
        let asks = (0..BATCHES).map(|n| insisted(&inside, &id, batch(seed, n, &pendings)));
        let accepted = stream::iter(asks).buffer_unordered(CALLERS);
        accepted.collect::<Vec<Value>>().await;
        until_over(stack, &direct, &id, &queues).await;
        // Nothing fails any more, and what the faults brought down succeeds.
        let calls = proxy.calls();
        let faults = calls.iter().filter(|call| call.fault.is_some()).count();
        proxy.disarm();
        let failed = retry_failed(&direct, &id).await;
        until_over(stack, &direct, &id, &queues).await;
        eprintln!(
            "{faults} faults at {} calls, {failed} batches failed",
            calls.len()
        );
    };
    let workers = join_all((0..WORKERS).map(|_| async {
        serve(stack, &inside, &queues.jobs, &queues.dead, alive).await;
    }));
    let undertaker = serve(stack, &inside, &queues.dead, &queues.parked, lost);
    tokio::select! {
        () = all => {}
        _ = workers => {}
        () = undertaker => {}
    }
    assert_eq!(depth(stack, &queues.parked).await, 0, "messages are parked");
    let audit = company.audit().await;
    assert_eq!(audit.batches.len() as u64, BATCHES, "each batch once");
    assert_eq!(audit.pendings.len() as u32, SERVICES, "each service once");
    assert_eq!(audit.invoices.len() as u32, SERVICES, "all are invoiced");
}

/// Retries the batches that faults put into `ERROR`; answers how many. Those that found everything taken by others have nothing to retry.
async fn retry_failed(direct: &Inside, company: &CompanyId) -> usize {
    let mut failed = 0;
    for batch in check::batches(direct, company).await {
        let code = batch.error_code.unwrap_or_default();
        if batch.status == BatchStatus::Error && code != "nothing_to_invoice" {
            let retry = format!("/billing-batches/{}/retry", batch.id);
            direct
                .ask(company, &Ask::post(retry, Value::Null))
                .await
                .ok();
            failed += 1;
        }
    }
    failed
}

/// Services that are entered and sent under faults; answers the pendings' ids.
async fn pendings(inside: &Inside, company: &CompanyId) -> Vec<String> {
    let services: Vec<Value> = (0..SERVICES)
        .map(|n| service(1 + n % 28, 1 + n % 5, 100 + i64::from(n)).body())
        .collect();
    let bulk = Ask::post("/services/bulk", json!({ "services": services }));
    let entered = insisted(inside, company, bulk).await;
    assert_eq!(entered["failed"], json!([]));
    let ids: Vec<&Value> = list(&entered["created"]).map(|item| &item["id"]).collect();
    let send = Ask::post("/services/send-to-billing", json!({ "serviceIds": ids }));
    let sent = insisted(inside, company, send).await;
    assert_eq!(sent["failed"], json!([]));
    list(&sent["pendings"])
        .map(|pending| pending["id"].as_str().unwrap().to_owned())
        .collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

/// The n-th batch: its share of the pendings and a drawn stretch of others, so that batches overlap and together ask for all.
fn batch(seed: u64, n: u64, pendings: &[String]) -> Ask {
    let count = pendings.len();
    let (part, width) = (
        count * n as usize / BATCHES as usize,
        count / BATCHES as usize,
    );
    let drawn = scramble(seed ^ n) as usize % count;
    let mut positions: Vec<usize> = (part..part + width).collect();
    positions.extend((drawn..drawn + width).map(|position| position % count));
    positions.sort_unstable();
    positions.dedup();
    let ids: Vec<&String> = positions.iter().map(|at| &pendings[*at]).collect();
    let book = if n.is_multiple_of(2) {
        "A-0001"
    } else {
        "A-0002"
    };
    let body = json!({ "issueDate": "2024-01-31", "receiptBook": book, "pendingIds": ids });
    Ask::post("/billing-batches", body)
}

/// Repeats a command under its key until it succeeds. A repeat arrives later, by its event's time, than a command's lock lasts.
async fn insisted(inside: &Inside, company: &CompanyId, mut ask: Ask) -> Value {
    for _ in 0..REPEATS {
        let told = inside.ask(company, &ask).await;
        let busy = told.body["code"] == "request_in_progress";
        if told.status < 500 && !busy {
            return told.ok();
        }
        ask.later += Duration::from_secs(40);
    }
    panic!("no answer to {ask:?}");
}

/// Waits until every batch is at its end. When nothing is queued and work is left, it sweeps, as the schedule does after five minutes.
async fn until_over(stack: &Stack, direct: &Inside, company: &CompanyId, queues: &Queues) {
    within(LIMIT, "every batch is at its end", || async {
        let batches = check::batches(direct, company).await;
        if batches.iter().all(check::is_at_its_end) {
            return Some(());
        }
        if depth(stack, &queues.jobs).await + depth(stack, &queues.dead).await == 0 {
            let later = Instant::from_millis(clock::now().as_millis() + 3_600_000);
            let (billing, quiet) = (&direct.billing, Duration::from_secs(300));
            let syncs = &billing.syncs.queue;
            billing.engine.sweep(syncs, later, quiet).await.unwrap();
        }
        None
    })
    .await;
}

/// Messages that wait or are in work.
async fn depth(stack: &Stack, queue: &str) -> u64 {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let asked = stack.sqs().get_queue_attributes().queue_url(queue);
    let asked = asked.set_attribute_names(Some(names.to_vec()));
    let attributes = asked.send().await.unwrap().attributes.unwrap_or_default();
    let count = |name| attributes.get(name)?.parse::<u64>().ok();
    names.iter().filter_map(count).sum()
}

/// Takes one message after the other, as Lambda does for a function, for ever.
async fn serve<F>(
    stack: &Stack,
    inside: &Inside,
    queue: &str,
    dead_letters: &str,
    handle: impl Fn(Billing, Delivery<LostMessage>) -> F,
) where
    F: Future<Output = Result<Verdict, Failure>>,
{
    let sqs = stack.sqs();
    let (own, next): (Queue, Queue) = (inside.queue(queue), inside.queue(dead_letters));
    loop {
        let receive = sqs.receive_message().queue_url(queue).wait_time_seconds(1);
        let receive = receive
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let messages = receive.send().await.unwrap().messages.unwrap_or_default();
        for message in messages {
            let billing = &inside.billing;
            let handled = consume(
                &own,
                &next,
                sqs_event(std::slice::from_ref(&message)),
                |delivery| handle(billing.clone(), delivery),
            );
            if handled.await.unwrap().batch_item_failures.is_empty() {
                let delete = sqs.delete_message().queue_url(queue);
                let delete = delete.receipt_handle(message.receipt_handle().unwrap());
                delete.send().await.unwrap();
            }
        }
    }
}

/// What the workers do with a message.
async fn alive(billing: Billing, delivery: Delivery<LostMessage>) -> Result<Verdict, Failure> {
    let engine = &billing.engine;
    Ok(match delivery.body {
        LostMessage::Sync(sync) => {
            let deadline = Deadline::after(WORKER);
            billing.syncs.advance(&sync, deadline).await?.into()
        }
        LostMessage::Job(job) => engine.advance(&job, Deadline::after(WORKER)).await?.into(),
        LostMessage::Chunk(part) => engine.materialise(&part).await?.into(),
    })
}

/// What the consumer of dead letters does with one.
async fn lost(billing: Billing, delivery: Delivery<LostMessage>) -> Result<Verdict, Failure> {
    let engine = &billing.engine;
    Ok(match delivery.body {
        LostMessage::Sync(sync) => {
            let deadline = Deadline::after(WORKER);
            billing.syncs.give_up(&sync, deadline).await?.into()
        }
        LostMessage::Job(job) => engine.give_up(&job, Deadline::after(WORKER)).await?.into(),
        LostMessage::Chunk(part) => engine.requeue(part).await?.into(),
    })
}
