//! Billing.

mod command;
pub mod customers;
pub mod entity;
pub mod error;
pub mod http;
pub mod ids;
mod listing;
pub mod pendings;
pub mod roles;
pub mod rules;
pub mod service_item;
pub mod services;
pub mod settings;
pub mod table;
