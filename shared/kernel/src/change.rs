//! What a decision answers, and what it is given beside the state and the command.

use crate::correlation::CorrelationId;
use crate::decision::Decision;
use crate::event::NewEvent;
use crate::time::Instant;

/// When a command runs, who gave it, and under which correlation id: what every new entity remembers.
///
/// Who gave it is a username, unless a domain remembers more than that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp<By = String> {
    /// The command's time.
    pub at: Instant,
    /// Who gave it.
    pub by: By,
    /// The command's correlation id.
    pub correlation_id: CorrelationId,
}

/// The next state of an entity and what is to be recorded with it, in one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<T, E = NewEvent> {
    /// The state.
    pub state: T,
    /// The events, in the order in which they are chained.
    pub events: Vec<E>,
}

impl<T, E> Change<T, E> {
    /// A change with its events.
    pub const fn new(state: T, events: Vec<E>) -> Self {
        Self { state, events }
    }

    /// A change that no event reports.
    pub const fn silent(state: T) -> Self {
        Self {
            state,
            events: Vec::new(),
        }
    }

    /// The same with another state.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Change<U, E> {
        Change {
            state: change(self.state),
            events: self.events,
        }
    }
}

/// Applied or replayed with the next state, or refused.
pub type Decided<T, R, E = NewEvent> = Result<Decision<Change<T, E>>, R>;

/// A command that changes something.
pub const fn applied<T, E>(state: T, events: Vec<E>) -> Decision<Change<T, E>> {
    Decision::Applied(Change::new(state, events))
}

/// A command that was applied before.
pub const fn replayed<T, E>(state: T) -> Decision<Change<T, E>> {
    Decision::Replayed(Change::silent(state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_state_keeps_the_events() {
        let change = Change::new(1, vec!["one"]).map(|state| state + 1);
        assert_eq!(change, Change::new(2, vec!["one"]));
        assert_eq!(
            replayed::<_, &str>(1),
            Decision::Replayed(Change::silent(1))
        );
        assert_eq!(applied(1, vec!["one"]).get().events, ["one"]);
    }
}
