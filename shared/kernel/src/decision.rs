//! The outcome of a command that was not refused.

/// What a decision came to. A refusal is the `Err` of the surrounding `Result`, so that applied,
/// replayed and refused are told apart in the type.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<T> {
    /// The command changes something; the value is the new state.
    Applied(T),
    /// The command had been applied before; the value is the state as it stands.
    Replayed(T),
}

impl<T> Decision<T> {
    /// The state, whichever way it came about.
    pub fn into_inner(self) -> T {
        match self {
            Self::Applied(state) | Self::Replayed(state) => state,
        }
    }

    /// The state, by reference.
    pub const fn get(&self) -> &T {
        match self {
            Self::Applied(state) | Self::Replayed(state) => state,
        }
    }

    /// Nothing is to be written.
    #[must_use]
    pub const fn is_replayed(&self) -> bool {
        match self {
            Self::Applied(_) => false,
            Self::Replayed(_) => true,
        }
    }

    /// Turns the state into something else, keeping what the decision came to.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Decision<U> {
        match self {
            Self::Applied(state) => Decision::Applied(change(state)),
            Self::Replayed(state) => Decision::Replayed(change(state)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_survives_a_mapping() {
        assert_eq!(Decision::Applied(1).map(|n| n + 1), Decision::Applied(2));
        assert_eq!(Decision::Replayed(1).map(|n| n + 1), Decision::Replayed(2));
        assert!(!Decision::Applied(1).is_replayed());
        assert!(Decision::Replayed(1).is_replayed());
        assert_eq!(*Decision::Replayed(1).get(), 1);
        assert_eq!(Decision::Applied(1).into_inner(), 1);
    }
}
