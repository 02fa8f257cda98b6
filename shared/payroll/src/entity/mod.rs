//! States and decisions, all pure: a decision takes the state, the command and who gave it when, and answers the next state with the events to
//! be recorded, or a typed refusal.

pub mod archivo;
pub mod cierre;
pub mod cliente;
pub mod discrepancia;
pub mod dossier;
pub mod drop;
pub mod events;
pub mod incidencia;
pub mod life;
pub mod refusal;
pub mod resumen;
pub mod sello;
pub mod trabajo;
pub mod values;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

use cierre_kernel::actor::Actor;
use cierre_kernel::role::Roles;

pub(crate) use cierre_kernel::change::{applied, replayed};

use events::Entry;

/// When a command runs and who gave it. Payroll remembers users by their stable id too: who may decide depends on who did what before.
pub type Stamp = cierre_kernel::change::Stamp<Actor>;
/// The next state and what is to be recorded with it, in one transaction.
pub type Change<T> = cierre_kernel::change::Change<T, Entry>;
/// Applied or replayed with the next state, or refused.
pub type Decided<T, R> = cierre_kernel::change::Decided<T, R, Entry>;

/// Somebody who gives a command, with what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who and when.
    pub stamp: Stamp,
    /// Their roles.
    pub roles: Roles,
}
