//! End-to-end tests against the stack that `cargo local test` starts. One program, so that it is linked once.

// A helper that fails fails the test that called it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod activity;
mod authorisation;
mod bad_input;
mod credit_notes;
mod erp;
mod errors;
mod event_details;
mod events;
mod figures;
mod identity;
mod isolation;
mod payables;
mod payroll;
mod queue;
mod routes;
mod security;
mod webhooks;
