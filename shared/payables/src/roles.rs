//! Who may do what, and who sees which facturas.

use cierre_kernel::role::{Role, Roles};

use crate::entity::factura::{Decisor, Factura};

/// Sees every factura of the company.
pub const READ: Roles = Roles::of(&[Role::Payables, Role::Supervisor, Role::Admin, Role::Auditor]);
/// Registers and deletes facturas, announces uploads, takes assignments away.
pub const INTAKE: Roles = Roles::of(&[Role::Payables, Role::Admin]);
/// Says who answers for what.
pub const ASSIGN: Roles = Roles::of(&[Role::Payables, Role::Supervisor, Role::Admin]);
/// Begins another round.
pub const REOPEN: Roles = Roles::of(&[Role::Supervisor, Role::Admin]);
/// Imports, repairs, and sets the policy.
pub const ADMINISTER: Roles = Roles::of(&[Role::Admin]);

/// Whether somebody sees a factura: readers every one, others those for which they answer or stand in today.
#[must_use]
pub fn sees(caller: &Decisor, factura: &Factura) -> bool {
    let responsable = factura.responsable();
    caller.roles.any(READ)
        || responsable.is_some_and(|one| one.id == caller.stamp.by.id || caller.delegado)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::fixtures::*;

    #[test]
    fn others_than_readers_see_what_is_theirs() {
        let factura = small().factura;
        for reader in [PEDRO, LUIS, ADMIN, AUDIT] {
            assert!(sees(&caller(reader, 1), &factura), "{reader}");
        }
        assert!(sees(&caller(JUAN, 1), &factura) && sees(&delegate(1), &factura));
        assert!(!sees(&caller(MARIA, 1), &factura));
        assert!(!sees(&delegate(1), &registered("1.00", None).factura));
    }
}
