//! AWS behind the words of the domain.
//!
//! A domain crate says *what* it commits, queries or sends; this crate says how that is done on AWS: one transaction builder with
//! item-by-item cancellation reasons ([`db`]), the event chain ([`activity`]), replays of commands ([`idempotency`]), figures that follow a
//! table's stream ([`counters`]), queues with heartbeats and partial answers ([`queue`]), what a bucket says ([`s3_events`]), and the HTTP plumbing ([`http`]).

pub mod activity;
pub mod aws;
pub mod clock;
pub mod command;
pub mod company;
pub mod context;
pub mod counters;
pub mod db;
pub mod error;
pub mod health;
pub mod http;
pub mod idempotency;
pub mod identity;
pub mod listing;
pub mod objects;
pub mod pack;
pub mod pages;
pub mod queue;
pub mod random;
pub mod s3_events;
pub mod stream;
pub mod telemetry;

pub use context::Context;
pub use error::{Error, Failure, Result};
