//! Billing.

pub mod entity;
pub mod error;
pub mod ids;
pub mod rules;
pub mod table;
