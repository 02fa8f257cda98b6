//! Who did it.

use serde::{Deserialize, Serialize};

/// The name under which workers act.
pub const SYSTEM: &str = "sistema";

/// The user, or the system, behind a command.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The stable identifier: the `sub` of the user pool.
    pub user_id: String,
    /// The username, as shown in events and in `createdBy`.
    pub user: String,
}

impl Actor {
    /// The actor of everything that no person started.
    #[must_use]
    pub fn system() -> Self {
        Self {
            user_id: SYSTEM.to_owned(),
            user: SYSTEM.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_acts_under_its_own_name() {
        let system = Actor::system();
        assert_eq!(
            (system.user.as_str(), system.user_id.as_str()),
            ("sistema", "sistema")
        );
    }
}
