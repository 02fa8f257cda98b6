//! What billing adds to how commands run.

use cierre_platform::Context;

pub(crate) use cierre_platform::command::{Planned, TRIES, chain, run, today};

use crate::entity::Stamp;

/// Who does it and when, as new entities remember it.
pub(crate) fn stamp(context: &Context) -> Stamp {
    Stamp {
        at: context.now,
        by: context.actor.user.clone(),
        correlation_id: context.correlation_id.clone(),
    }
}
