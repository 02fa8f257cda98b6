//! Payables: a supplier's invoice gets a person who answers for it, is approved or rejected by people or by rule, and always says who acted last.

pub mod api;
mod buzon;
pub mod calendario;
pub mod cifra;
pub mod comandos;
pub mod contadores;
pub mod entity;
pub mod heads;
pub mod importe;
pub mod nit;
pub mod persona;
pub mod repo;
pub mod roles;
pub mod rules;
pub mod table;
pub mod texto;
pub mod trabajos;
pub mod ubl;
pub mod usuarios;
pub mod worker;
