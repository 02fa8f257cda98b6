//! Comparisons and results: discrepancies, incidences, seal. Pure.

mod digest;
pub mod discrepancies;
pub mod merge;
pub mod place;
