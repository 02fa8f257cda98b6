//! Roles: the groups of the user pool.

use std::fmt;

use serde::{Deserialize, Serialize};

crate::words! {
    /// What a user may do.
    pub enum Role {
        /// Everything in the company.
        Admin = "admin",
        /// Invoicing.
        Billing = "billing",
        /// Supplier invoices.
        Payables = "payables",
        /// Payments on credit.
        Credits = "credits",
        /// Payroll closings.
        Payroll = "payroll",
        /// Expense reports.
        Expenses = "expenses",
        /// The second pair of eyes, in any domain.
        Supervisor = "supervisor",
        /// Reads everything, writes nothing.
        Auditor = "auditor",
    }
}

/// A group that is no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role")]
pub struct UnknownRole;

impl Role {
    /// Reads the name of a group.
    ///
    /// # Errors
    /// [`UnknownRole`] for any other group.
    pub fn parse(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of roles; a list of names in JSON.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Role>", into = "Vec<Role>")]
pub struct Roles(u8);

impl Roles {
    /// No role at all.
    pub const NONE: Self = Self(0);

    /// The set of these roles; usable in constants.
    #[must_use]
    pub const fn of(roles: &[Role]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < roles.len() {
            bits |= roles[i].bit();
            i += 1;
        }
        Self(bits)
    }

    /// The same set with one more role.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | role.bit())
    }

    /// Holds this role.
    #[must_use]
    pub const fn contains(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Holds at least one of the other set's roles.
    #[must_use]
    pub const fn any(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    /// Holds nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The roles held, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL
            .into_iter()
            .filter(move |role| self.contains(*role))
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::NONE, Self::with)
    }
}

impl From<Vec<Role>> for Roles {
    fn from(roles: Vec<Role>) -> Self {
        roles.into_iter().collect()
    }
}

impl From<Roles> for Vec<Role> {
    fn from(roles: Roles) -> Self {
        roles.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_role_is_read_by_its_name_and_no_other() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
        }
        for text in ["", "Admin", "root", "admin "] {
            assert_eq!(Role::parse(text), Err(UnknownRole));
        }
    }

    #[test]
    fn no_role_opens_nothing() {
        assert!(!Roles::NONE.any(Roles::of(&Role::ALL)));
    }

    proptest! {
        #[test]
        fn a_set_holds_what_was_put_in(roles in prop::collection::vec(prop::sample::select(&Role::ALL), 0..10)) {
            let set: Roles = roles.iter().copied().collect();
            prop_assert_eq!(set, Roles::of(&roles));
            for role in Role::ALL {
                prop_assert_eq!(set.contains(role), roles.contains(&role));
                prop_assert_eq!(set.any(Roles::of(&[role])), roles.contains(&role));
            }
            let json = serde_json::to_string(&set).unwrap();
            prop_assert_eq!(serde_json::from_str::<Roles>(&json).unwrap(), set);
        }
    }
}
