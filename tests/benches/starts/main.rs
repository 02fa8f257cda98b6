//! What the start of every function costs, and beside it the same command in other languages. Written to `docs/costs.md`.
//!
//! Each program is started as Lambda starts it: with the environment of its function and the address of a runtime interface, here a server
//! of this program ([`runtime`]). Its start ends when it asks for its first event.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a measurement: it may stop, and its figures are nobody's money"
)]

mod comparison;
mod figures;
mod functions;
mod program;
mod runtime;
mod tools;

use cierre_tests::Company;

/// The folder of the repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let company = Company::new().await;
    company.customers(1).await;
    functions::measure(&company).await;
    comparison::measure(&company).await;
}
