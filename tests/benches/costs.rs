//! What every route and every job costs, measured on the running stack and written to `docs/costs.md`.
//!
//! Requests are counted in the functions by an SDK interceptor; write units are those that DynamoDB reports; read units are computed from
//! the bytes read. All three come back with each answer (`Server-Timing`) and stand in the log line of each message.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use cierre_tests::{Client, Company, NewService, batch_of, eventually, service, within};
use reqwest::Method;
use serde_json::{Value, json};

/// Sizes of the batches, in pendings. The largest is left out unless `CIERRE_BENCH_LARGE` is set: it takes some minutes.
const BATCHES: [u32; 3] = [3, 1_000, 10_000];
const LARGE: u32 = 100_000;
const CUSTOMERS: u32 = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let company = Company::new().await;
    company.customers(CUSTOMERS).await;
    let mut report = String::from(HEADER);
    routes(&company, &mut report).await;
    jobs(&company, &mut report).await;
    print!("{report}");
    fs::write(
        concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/costs.md"),
        report,
    )
    .unwrap();
}

const HEADER: &str = "# What it costs\n\nWritten by `cargo local bench`, which measures it on the local stack.\n\n\
    * **Requests** are counted by an SDK interceptor in the functions, the SDK's own retries included.\n\
    * **Write units** are the ones that DynamoDB reports: 1 per KB, doubled in transactions, plus 1 per index entry that changes.\n\
    * **Read units** are computed from the bytes read (4 KB a unit, half for eventual reads): the emulator does not meter them.\n\n\
    On-demand prices in us-east-1, as published in 2026: $0.625 per million write units, $0.125 per million read units. Lambda, API Gateway,\n\
    SQS and the figures that follow the streams come on top.\n";

/// Requests, write units, read units.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    requests: f64,
    writes: f64,
    reads: f64,
}

impl Cost {
    /// Out of `dynamodb;desc="2 requests, 12.0 write units, 3.5 read units"`.
    fn of(header: &str) -> Self {
        let numbers: Vec<f64> = header
            .split(|c: char| !(c.is_ascii_digit() || c == '.'))
            .filter_map(|word| word.parse().ok())
            .collect();
        match numbers.as_slice() {
            [requests, writes, reads] => Self {
                requests: *requests,
                writes: *writes,
                reads: *reads,
            },
            _ => panic!("no costs in {header:?}"),
        }
    }

    #[expect(
        clippy::float_arithmetic,
        reason = "figures of a measurement, not money of anybody"
    )]
    fn dollars_per_thousand(self) -> f64 {
        (self.writes * 0.625 + self.reads * 0.125) / 1000.0
    }
}

async fn routes(company: &Company, report: &mut String) {
    report.push_str("\n## Routes\n\n| request | requests | write units | read units | $ per 1,000 |\n| --- | ---: | ---: | ---: | ---: |\n");
    let client = company.admin().await;
    let new = json!({ "serviceDate": "2024-01-05", "customerId": 1, "amount": "1500.00" });
    row(report, &client, Method::POST, "/services", Some(&new)).await;
    let ids = company.services(&some_services(40)).await;
    row(
        report,
        &client,
        Method::GET,
        &format!("/services/{}", ids[0]),
        None,
    )
    .await;
    row(
        report,
        &client,
        Method::PATCH,
        &format!("/services/{}", ids[0]),
        Some(&json!({ "amount": "1600.00" })),
    )
    .await;
    row(
        report,
        &client,
        Method::POST,
        "/services/send-to-billing",
        Some(&json!({ "serviceIds": [ids[0]] })),
    )
    .await;
    let pendings = company.send(&ids[1..]).await;
    row(
        report,
        &client,
        Method::GET,
        &format!("/billing-pendings/{}", pendings[0]),
        None,
    )
    .await;
    row(
        report,
        &client,
        Method::DELETE,
        &format!("/billing-pendings/{}", pendings[0]),
        None,
    )
    .await;
    row(
        report,
        &client,
        Method::DELETE,
        &format!("/services/{}", ids[1]),
        None,
    )
    .await;
    for path in [
        "/customers",
        "/services",
        "/billing-pendings",
        "/billing-pendings/available",
        "/billing-pendings/summary",
    ] {
        row(report, &client, Method::GET, path, None).await;
    }
    let customer =
        json!({ "customerId": 5000, "name": "Customer 5000", "ivaCondition": "CONSUMIDOR_FINAL" });
    row(report, &client, Method::POST, "/customers", Some(&customer)).await;
    let batch = batch_of("A-0009", &pendings[1..11]);
    let id = row(
        report,
        &client,
        Method::POST,
        "/billing-batches",
        Some(&batch),
    )
    .await["batch"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    client.batch_end(&id).await;
    let sync = batch_of("A-0009", &pendings[11..21]);
    row(
        report,
        &client,
        Method::POST,
        "/billing-batches/sync",
        Some(&sync),
    )
    .await;
    let invoices = client.list(&format!("/invoices/by-batch/{id}")).await;
    let invoice = invoices[0]["id"].as_str().unwrap();
    let paths = [
        format!("/billing-batches/{id}/status"),
        format!("/billing-batches/{id}"),
        "/billing-batches".to_owned(),
        "/billing-batches/receipt-books".to_owned(),
        "/billing-batches/next-invoice-number/A-0009".to_owned(),
        "/billing-batches/queue/stats".to_owned(),
        format!("/invoices/{invoice}"),
        "/invoices/number/A-0009-00000001".to_owned(),
        format!("/invoices/by-batch/{id}"),
        "/invoices/by-customer/1".to_owned(),
        "/invoices".to_owned(),
        "/invoices/statistics".to_owned(),
        "/receipt-books/A-0009/verify".to_owned(),
        "/activity".to_owned(),
        format!("/activity/verify?resource_type=billing_batch&resource_id={id}"),
        "/company/settings".to_owned(),
    ];
    for path in &paths {
        row(report, &client, Method::GET, path, None).await;
    }
}

/// Sends a request under a key of its own and adds what it cost.
async fn row(
    report: &mut String,
    client: &Client,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Value {
    let key = format!("bench-{}", report.len());
    let mut request = client.send(method.clone(), path);
    if let Some(body) = body {
        request = request.header("idempotency-key", &key).json(body);
    }
    let reply = request.now().await;
    assert!(
        (200..300).contains(&reply.status),
        "{method} {path}: {}",
        reply.text
    );
    let cost = Cost::of(reply.header("server-timing"));
    let shown: Vec<String> = path
        .split('?')
        .next()
        .unwrap()
        .split('/')
        .map(pattern)
        .collect();
    let dollars = cost.dollars_per_thousand();
    writeln!(
        report,
        "| {method} {} | {} | {} | {} | {dollars:.5} |",
        shown.join("/"),
        cost.requests,
        cost.writes,
        cost.reads
    )
    .unwrap();
    reply.body
}

/// Ids of one run do not belong into a table.
fn pattern(segment: &str) -> String {
    let prefixed = ["svc_", "pen_", "bat_", "inv_"]
        .iter()
        .any(|prefix| segment.starts_with(prefix));
    if prefixed {
        "{id}".to_owned()
    } else {
        segment.to_owned()
    }
}

async fn jobs(company: &Company, report: &mut String) {
    report.push_str(
        "\n## Batches\n\nFrom the claim to the materialised invoice, all workers together, list entries included; the request that accepts \
         the batch is in the table above.\n\n| invoices | s to PROCESSED | s to materialized | requests per invoice | write units per invoice \
         | read units per invoice | $ per 1,000 invoices | peak memory of a worker |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let mut sizes = BATCHES.to_vec();
    if std::env::var_os("CIERRE_BENCH_LARGE").is_some() {
        sizes.push(LARGE);
    }
    for (book, size) in sizes.into_iter().enumerate() {
        job(company, report, &format!("A-{:04}", 100 + book), size).await;
    }
}

#[expect(
    clippy::float_arithmetic,
    reason = "figures of a measurement, not money of anybody"
)]
async fn job(company: &Company, report: &mut String, book: &str, size: u32) {
    let client = company.billing().await;
    company.pendings(&some_services(size)).await;
    let log = std::env::var("CIERRE_LOG").expect("`cargo local bench` names the stack's log");
    let before = fs::metadata(&log).unwrap().len();
    let started = Instant::now();
    let id = client
        .start_batch(json!({ "issueDate": "2024-01-31", "receiptBook": book, "selection": {} }))
        .await;
    let long = Duration::from_secs(1800);
    within(long, "the batch is committed", || async {
        (client.batch_status(&id).await["batch"]["status"] == "PROCESSED").then_some(())
    })
    .await;
    let processed = started.elapsed();
    within(long, "it is materialised", || async {
        (client.batch_status(&id).await["batch"]["materialized"] == true).then_some(())
    })
    .await;
    let materialised = started.elapsed();
    eventually("the workers are done", || async {
        company.queues_are_empty().await.then_some(())
    })
    .await;
    // The emulator writes a function's lines when the function has answered.
    let (cost, peak) = eventually("the workers' lines are in the log", || async {
        let (cost, peak) = consumed(&log, before);
        (cost.writes > f64::from(size)).then_some((cost, peak))
    })
    .await;
    let each = f64::from(size);
    writeln!(
        report,
        "| {size} | {:.1} | {:.1} | {:.3} | {:.2} | {:.2} | {:.4} | {:.0} MiB |",
        processed.as_secs_f64(),
        materialised.as_secs_f64(),
        cost.requests / each,
        cost.writes / each,
        cost.reads / each,
        cost.dollars_per_thousand() / each,
        peak / 1024.0,
    )
    .unwrap();
}

/// The sum over the lines of handled messages behind this place of the log, and the highest peak memory in KiB.
#[expect(
    clippy::float_arithmetic,
    reason = "figures of a measurement, not money of anybody"
)]
fn consumed(log: &str, from: u64) -> (Cost, f64) {
    let text = fs::read(log).unwrap();
    let text = String::from_utf8_lossy(
        text.get(usize::try_from(from).unwrap()..)
            .unwrap_or_default(),
    )
    .into_owned();
    let mut sum = Cost::default();
    let mut peak = 0.0_f64;
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        if line["message"] != "message handled" {
            continue;
        }
        sum.requests += line["dynamodb_requests"].as_f64().unwrap_or_default();
        sum.writes += line["write_units_tenths"].as_f64().unwrap_or_default() / 10.0;
        sum.reads += line["read_units_tenths"].as_f64().unwrap_or_default() / 10.0;
        peak = peak.max(line["peak_memory_kib"].as_f64().unwrap_or_default());
    }
    (sum, peak)
}

fn some_services(count: u32) -> Vec<NewService> {
    (0..count)
        .map(|n| service(1 + n % 28, 1 + n % CUSTOMERS, 100 + i64::from(n % 90_000)))
        .collect()
}
