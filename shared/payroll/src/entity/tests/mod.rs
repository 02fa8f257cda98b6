//! The contract's tables, cell by cell, and what holds after any sequence of commands.

mod archivos;
mod arrivals;
mod cierres;
mod clientes;
mod closing;
mod drops;
mod events;
mod regeneration;
mod reviews;
mod sequences;
mod trabajos;
