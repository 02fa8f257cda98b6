//! The company as the tax authority and the ERP see it; what of it billing decides on.

mod entity;
mod fields;
pub mod http;
mod service;
pub mod views;

pub use entity::{
    BillingSettings, CONSUMER_ID_THRESHOLD, Connector, ERP_SUCCESS_RATE, Erp, RESOURCE_TYPE,
    SettingsDraft, Simulation, Webhook, resource_id,
};
pub use service::{find, put};
