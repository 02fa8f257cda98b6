//! The words every domain uses.
//!
//! Nothing here performs I/O, knows AWS, reads a clock or draws a random number: time and
//! randomness come in as arguments, so that every function answers the same for the same input.

pub mod actor;
pub mod canonical;
pub mod change;
pub mod codes;
pub mod company;
pub mod correlation;
pub mod cuit;
pub mod decision;
pub mod event;
pub mod id;
pub mod money;
pub mod page;
pub mod problem;
pub mod role;
pub mod time;
pub mod words;
