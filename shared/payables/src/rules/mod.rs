//! Formulas and comparisons. Pure.

pub mod clave;
pub mod comparacion;
pub mod concepto;
pub mod consistencia;
pub mod recordatorios;
pub mod sincronizacion;
pub mod tablero;
