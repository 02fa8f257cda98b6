//! What every route and every job costs, measured on the running stack and written to `docs/costs.md`.
//!
//! Requests are counted in the functions by an SDK interceptor; write units are those that DynamoDB reports; read units are computed from
//! the bytes read. All three come back with each answer (`Server-Timing`) and stand in the log lines of queues, streams and phases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a measurement: it may stop, and its figures are nobody's money"
)]

mod cost;
mod jobs;
mod log;
mod payables;
mod payroll;
mod routes;
mod table;

use cierre_tests::{Company, NewService, put_head, put_section, service};

/// Customers that the measured services are spread over.
const CUSTOMERS: u32 = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let company = Company::new().await;
    company.customers(CUSTOMERS).await;
    put_head(HEADER);
    put_section("Routes", &routes::measure(&company).await);
    put_section("Batches", &jobs::measure().await);
    put_section("Facturas at once", &payables::at_once().await);
}

const HEADER: &str = "# What it costs\n\nWritten by `cargo local bench`, which measures it on the local stack.\n\n\
    * **Requests** to DynamoDB are counted by an SDK interceptor in the functions, the SDK's own retries included.\n\
    * **Write units** are the ones that DynamoDB reports: 1 per KB, doubled in transactions, plus 1 per index entry that changes.\n\
    * **Read units** are computed from the bytes read (4 KB a unit, half for eventual reads): the emulator does not meter them.\n\n\
    On-demand prices in us-east-1, as published in 2026: $0.625 per million write units, $0.125 per million read units. Lambda, API Gateway,\n\
    SQS and Cognito come on top; what follows the streams has a table of its own.\n";

/// Services of January 2024, spread over days, customers and amounts.
fn some_services(count: u32) -> Vec<NewService> {
    (0..count)
        .map(|n| service(1 + n % 28, 1 + n % CUSTOMERS, 100 + i64::from(n % 90_000)))
        .collect()
}
