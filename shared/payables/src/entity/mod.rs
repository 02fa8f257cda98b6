//! States and decisions, all pure: a decision takes the state, the command and who gave it when, and answers the next state with the events to
//! be recorded, or a typed refusal.

pub mod asignacion;
pub mod carga;
pub mod decisiones;
pub mod delegacion;
pub mod events;
pub mod factura;
pub mod lote;
pub mod politica;
pub mod refusal;
pub mod trabajo;
pub mod workflow;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;

pub(crate) use cierre_kernel::change::{applied, replayed};

use crate::persona::Usuario;
use events::Entry;

/// When a command runs and who gave it. Payables remembers names too, as they were at that moment.
pub type Stamp = cierre_kernel::change::Stamp<Usuario>;
/// The next state and what is to be recorded with it, in one transaction.
pub type Change<T> = cierre_kernel::change::Change<T, Entry>;
/// Applied or replayed with the next state, or refused.
pub type Decided<T, R> = cierre_kernel::change::Decided<T, R, Entry>;
