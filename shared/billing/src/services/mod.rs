//! Services: what was delivered, entered one by one or in bulk, and sent to billing.

mod bulk;
mod fields;
pub mod http;
mod repo;
mod send;
mod service;
pub mod views;

pub use bulk::create_many;
pub use fields::{Changes, Draft};
pub use repo::{Filter, list};
pub use send::send_to_billing;
pub use service::{create, delete, find, update};
pub use views::{ServiceView, view};

/// Services of one bulk request, and of one send-to-billing request.
pub const MAX_ITEMS: usize = 1_000;
/// Items of one request that are committed at the same time.
const AT_ONCE: usize = 8;
