//! Pendings: services that wait for an invoice. Sending a service makes one; a batch or a cancellation ends it.

pub mod http;
mod repo;
mod service;
mod summary;
pub mod views;

pub use repo::{Filter, Wanted, list};
pub use service::{cancel, find};
pub use summary::{SummaryView, summary};
pub use views::{PendingView, view};
