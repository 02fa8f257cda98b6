//! Who may read and who may write billing.

use cierre_kernel::role::{Role, Roles};

/// May look at everything.
pub const READ: Roles = Roles::of(&[Role::Billing, Role::Supervisor, Role::Auditor, Role::Admin]);
/// May settle what was handed over to the ERP: who may change things, and the second pair of eyes.
pub const SETTLE: Roles = Roles::of(&[Role::Billing, Role::Supervisor, Role::Admin]);
/// May change things.
pub const WRITE: Roles = Roles::of(&[Role::Billing, Role::Admin]);
