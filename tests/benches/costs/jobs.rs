//! Batches of several sizes, whole and phase by phase, and what follows them on the streams.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use cierre_tests::{Company, within};
use futures::{StreamExt, stream};
use serde_json::json;

use crate::cost::Cost;
use crate::log::{Log, Told};
use crate::{CUSTOMERS, some_services};

/// Sizes of the batches, in pendings. The largest is left out unless `CIERRE_BENCH_LARGE` is set: it takes many minutes.
const SIZES: [u32; 3] = [3, 1_000, 10_000];
const LARGE: u32 = 100_000;
/// The size that is shown phase by phase.
const SHOWN: u32 = 10_000;

/// Runs the batches and answers their tables.
pub(crate) async fn measure() -> String {
    let mut report = String::from(
        "From the claim to the materialised invoice, all workers together, list entries included; the request that accepts \
         the batch is in the table above.\n\n| invoices | s to PROCESSED | s to materialized | requests per invoice | write units per invoice \
         | read units per invoice | $ per 1,000 invoices | peak memory of a worker | verify, s |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let mut sizes = SIZES.to_vec();
    if std::env::var_os("CIERRE_BENCH_LARGE").is_some() {
        sizes.push(LARGE);
    }
    let mut phases = String::new();
    for size in sizes {
        // A company of its own: a book's verification then reads this batch and nothing else.
        let company = Company::new().await;
        company.customers(CUSTOMERS).await;
        let shown = job(&company, &mut report, size).await;
        if size == SHOWN {
            phases = shown;
        }
    }
    report.push_str(&phases);
    report
}

/// Measures one batch: a row of the report, and the tables of its phases.
async fn job(company: &Company, report: &mut String, size: u32) -> String {
    let client = company.billing().await;
    if size <= SHOWN {
        company.pendings(&some_services(size)).await;
    } else {
        many_pendings(company, size).await;
    }
    let log = Log::from_now();
    let started = Instant::now();
    let id = client
        .start_batch(json!({ "issueDate": "2024-01-31", "receiptBook": "A-0001", "selection": {} }))
        .await;
    let long = Duration::from_secs(1800);
    let over = async |member: &'static str, value: serde_json::Value| {
        within(long, "the batch gets there", || async {
            (client.batch_status(&id).await["batch"][member] == value).then_some(())
        })
        .await;
        started.elapsed().as_secs_f64()
    };
    let processed = over("status", json!("PROCESSED")).await;
    let materialised = over("materialized", json!(true)).await;
    let all = f64::from(size);
    // The emulator writes a function's lines when the function has answered, and the streams follow.
    let (workers, followers) = within(long, "the functions' lines are in the log", || async {
        let workers = log.told("message handled", "function");
        let followers = log.told("changes followed", "function");
        let written: f64 = workers.values().map(|told| told.cost.writes).sum();
        let followed = followers.get("count-billing")?.changes;
        let settled = company.queues_are_empty().await;
        // Each pending changes twice: claimed, materialised.
        (settled && written > all && followed > 2.0 * all).then_some((workers, followers))
    })
    .await;
    let started = Instant::now();
    let proof = client.get("/receipt-books/A-0001/verify").await.ok();
    let verified = started.elapsed().as_secs_f64();
    assert_eq!(
        (&proof["valid"], &proof["count"]),
        (&json!(true), &json!(size)),
        "{proof}"
    );
    let sum: Cost = workers.values().map(|told| told.cost).sum();
    let each = sum.per(all);
    let peak = workers.values().map(|told| told.peak).fold(0.0, f64::max);
    writeln!(
        report,
        "| {size} | {processed:.1} | {materialised:.1} | {:.3} | {:.2} | {:.2} | {:.4} | {:.0} MiB | {verified:.1} |",
        each.requests,
        each.writes,
        each.reads,
        each.dollars() * 1000.0,
        peak / 1024.0,
    )
    .unwrap();
    let mut tables = format!(
        "\n### Phases of the batch of {size}\n\n| phase | requests | write units | read units | write units per invoice |\n| --- | ---: | ---: | ---: | ---: |\n"
    );
    let phases = log.told("phase advanced", "phase");
    let cost_of = |told: &BTreeMap<String, Told>, name: &str| {
        told.get(name).map(|told| told.cost).unwrap_or_default()
    };
    for phase in ["resolve", "claim", "stage", "commit"] {
        row(&mut tables, phase, cost_of(&phases, phase), all);
    }
    // A small batch is materialised by the worker that committed it.
    let materialised = cost_of(&workers, "materialise-invoices");
    row(&mut tables, "materialise", materialised, all);
    let advanced: Cost = phases.values().map(|told| told.cost).sum();
    let driver = cost_of(&workers, "run-billing-batch");
    let rest = Cost {
        requests: driver.requests - advanced.requests,
        writes: driver.writes - advanced.writes,
        reads: driver.reads - advanced.reads,
    };
    row(&mut tables, "turns, tickets, queueing", rest, all);
    tables.push_str(
        "\n### What follows it on the streams\n\n| function | deliveries | changes | requests | write units | read units | write units per invoice |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (function, told) in followers {
        let cost = told.cost;
        writeln!(
            tables,
            "| {function} | {} | {} | {} | {} | {} | {:.3} |",
            told.lines,
            told.changes,
            cost.requests,
            cost.writes,
            cost.reads,
            cost.writes / all
        )
        .unwrap();
    }
    tables
}

fn row(table: &mut String, phase: &str, cost: Cost, all: f64) {
    writeln!(
        table,
        "| {phase} | {} | {:.0} | {:.0} | {:.3} |",
        cost.requests,
        cost.writes,
        cost.reads,
        cost.writes / all
    )
    .unwrap();
}

/// Waiting pendings of one customer in great number, as copies of one: through the API they would take half an hour.
async fn many_pendings(company: &Company, count: u32) {
    let pattern = company.pendings(&some_services(1)).await.remove(0);
    let pattern = pattern.trim_start_matches("pen_");
    let shard = |ulid: ulid::Ulid| ulid.0 % 8;
    let original: ulid::Ulid = pattern.parse().unwrap();
    let db = company.stack.dynamodb();
    let table = company.stack.output("BILLING_TABLE");
    let partition = |ulid| format!("{}#svc#{}", company.id, shard(ulid));
    let item = db
        .get_item()
        .table_name(&table)
        .key("pk", AttributeValue::S(partition(original)))
        .key("sk", AttributeValue::S(pattern.to_owned()))
        .send()
        .await
        .unwrap()
        .item
        .unwrap();
    let copy = |n: u32| {
        // One less for each: they were all made before the batch.
        let ulid = ulid::Ulid(original.0 - u128::from(n + 1));
        let mut copy: HashMap<String, AttributeValue> = item
            .iter()
            .map(|(name, value)| {
                let renamed = value
                    .as_s()
                    .map(|text| text.replace(pattern, &ulid.to_string()));
                let value = renamed.map_or_else(|_| value.clone(), AttributeValue::S);
                (name.clone(), value)
            })
            .collect();
        copy.insert("pk".to_owned(), AttributeValue::S(partition(ulid)));
        let put = PutRequest::builder().set_item(Some(copy)).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let numbers: Vec<u32> = (0..count - 1).collect();
    stream::iter(numbers.chunks(25))
        .for_each_concurrent(4, |chunk| {
            let requests: Vec<WriteRequest> = chunk.iter().map(|n| copy(*n)).collect();
            let write = db.batch_write_item().request_items(&table, requests);
            async move {
                let left = write.send().await.unwrap().unprocessed_items;
                assert!(
                    left.is_none_or(|left| left.is_empty()),
                    "the emulator takes all"
                );
            }
        })
        .await;
}
