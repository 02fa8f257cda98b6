//! The state tables, row by row, and what holds after any sequence of commands.

mod batches;
mod books;
mod credit_notes;
mod customers;
mod sequences;
mod services;
