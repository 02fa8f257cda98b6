//! Formulas of billing, all pure.

mod book;
mod cae;
mod condition;
mod erp;
mod iva;
mod job;
mod judge;
mod limits;
mod number;
mod qr;
mod statistics;

pub use book::*;
pub use cae::*;
pub use condition::*;
pub use erp::*;
pub use iva::*;
pub use job::*;
pub use judge::*;
pub use limits::*;
pub use number::*;
pub use qr::*;
pub use statistics::*;
