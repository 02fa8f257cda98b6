//! Payroll: one closing per client and month takes seven kinds of files, compares them with each other and with the last finalised month,
//! makes people justify what changed, and seals the result.

pub mod amount;
pub mod api;
pub mod derived;
pub mod entity;
pub mod files;
pub mod headcount;
pub mod heads;
pub mod informe;
pub mod kind;
pub mod lre;
pub mod period;
pub mod periodos;
pub mod registro;
pub mod repo;
pub mod review;
pub mod roles;
pub mod rules;
pub mod rut;
pub mod table;
pub mod worker;
