//! The contract's tables, cell by cell, and what holds after any sequence of commands.

mod accion_por;
mod decisions;
mod events;
mod intake;
mod others;
mod policies;
mod sequences;
mod tables;
