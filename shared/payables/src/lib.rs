//! Payables: a supplier's invoice gets a person who answers for it, is approved or rejected by people or by rule, and always says who acted last.

pub mod calendario;
pub mod cifra;
pub mod entity;
pub mod importe;
pub mod nit;
pub mod persona;
pub mod roles;
pub mod rules;
pub mod texto;
pub mod ubl;
