//! States and decisions, all pure: a decision takes the state, the command and the time, and answers the next state with the events to be
//! recorded, or a typed refusal.

mod batch;
mod book;
mod change;
mod credit_note;
mod customer;
mod invoice;
mod job;
mod pending;
mod service;
mod service_record;
pub(crate) mod stored;
mod sync;

pub use batch::*;
pub use book::*;
pub use change::*;
pub use credit_note::*;
pub use customer::*;
pub use invoice::*;
pub use job::*;
pub use pending::*;
pub use service::*;
pub use service_record::attribute;
pub use sync::*;

pub use crate::rules::{DocumentType, IssuerCondition, IvaCondition, Letter, ReceiptBook};

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
