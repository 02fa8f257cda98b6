//! The company's settings: who it is, in which currency, language and time zone it works, and when it rests.
//!
//! Domains read them as part of what they decide on ([`settings_key`] for a read of several items); only an administrator changes them, here.
//! The first receipt book that commits a number locks the tax number ([`FISCAL_LOCK`]).

mod entity;
pub mod http;
mod repo;
mod service;

pub use entity::{CompanySettings, SettingsDraft};
pub use repo::{FISCAL_LOCK, TABLE, settings_key, zone};
pub use service::{put_settings, settings};

/// The resource type of the settings in activity events; the resource id is the company.
pub const RESOURCE_TYPE: &str = "company_settings";
