//! Who may read and who may write payroll.

use cierre_kernel::role::{Role, Roles};

/// May look at everything.
pub const READ: Roles = Roles::of(&[Role::Payroll, Role::Supervisor, Role::Admin, Role::Auditor]);
/// May change things.
pub const WRITE: Roles = crate::entity::discrepancia::WRITERS;
/// The second pair of eyes.
pub const SUPERVISE: Roles = crate::entity::discrepancia::SUPERVISORS;
/// May say something about what was found; who may say what depends on what it is.
pub const REVIEW: Roles = Roles::of(&[Role::Payroll, Role::Supervisor, Role::Admin]);
