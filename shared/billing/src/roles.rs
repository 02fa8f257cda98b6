//! Who may read and who may write billing.

use cierre_kernel::role::{Role, Roles};

/// May look at everything.
pub const READ: Roles = Roles::of(&[Role::Billing, Role::Supervisor, Role::Auditor, Role::Admin]);
/// May change things.
pub const WRITE: Roles = Roles::of(&[Role::Billing, Role::Admin]);
