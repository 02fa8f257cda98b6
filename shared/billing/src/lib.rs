//! Billing.

pub mod authority;
pub mod batches;
pub mod books;
mod command;
pub mod credit_notes;
pub mod customers;
pub mod engine;
pub mod entity;
pub mod erp;
pub mod error;
pub mod figures;
pub mod heads;
pub mod http;
pub mod ids;
pub mod invoices;
pub mod pendings;
mod rejections;
pub mod roles;
pub mod rules;
pub mod service_item;
pub mod services;
pub mod settings;
pub mod state;
pub mod table;
pub mod webhooks;
