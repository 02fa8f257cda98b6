//! Billing.

pub mod table;
