//! Receipt books as callers see them: what they have given, what comes next, and the proof that nothing is missing.

mod audit;
mod evidence;
mod figures;
pub mod http;
mod read;
mod verify;
mod views;
