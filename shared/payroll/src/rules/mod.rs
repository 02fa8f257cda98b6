//! Comparisons and results: discrepancies, incidences, seal. Pure.

pub mod csv_safe;
mod digest;
pub mod discrepancies;
pub mod empleados;
pub mod incidencias;
pub mod merge;
mod movimiento;
pub mod place;
pub mod sello;
pub mod sums;
