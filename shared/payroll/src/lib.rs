//! Payroll: one closing per client and month takes seven kinds of files, compares them with each other and with the last finalised month,
//! makes people justify what changed, and seals the result.

pub mod amount;
pub mod entity;
pub mod files;
pub mod kind;
pub mod lre;
pub mod period;
pub mod registro;
pub mod rules;
pub mod rut;
