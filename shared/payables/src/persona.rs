//! People, as facturas remember them.

use cierre_kernel::actor::{Actor, SYSTEM};
use cierre_kernel::role::{Role, Roles};
use serde::{Deserialize, Serialize};

use crate::texto::{cut, folded};

/// Characters of a name at most.
pub const NOMBRE: usize = 255;
/// Who approves automatically, in `aprobada_por` and `aprobado_por`.
pub const SISTEMA_AUTO: &str = "SISTEMA_AUTO";
/// Who approved automatically, in `accion_por`.
pub const AUTOMATIZACION: &str = "SISTEMA DE AUTOMATIZACIÓN";

/// A person's name at the moment of an act. A later renaming rewrites nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Persona {
    /// The name.
    pub nombre: String,
    /// The stable id: the `sub` of the user pool, or `sistema`. None if imported.
    pub id: Option<String>,
}

impl Persona {
    /// Somebody of whom only the name is known.
    #[must_use]
    pub fn imported(nombre: &str) -> Self {
        Self {
            nombre: cut(nombre.trim(), NOMBRE).to_owned(),
            id: None,
        }
    }

    /// The system under one of its names.
    #[must_use]
    pub fn sistema(nombre: &str) -> Self {
        Self {
            nombre: nombre.to_owned(),
            id: Some(SYSTEM.to_owned()),
        }
    }
}

/// A user of the company.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Usuario {
    /// The username, by which requests name people.
    pub usuario: String,
    /// The `sub`.
    pub id: String,
    /// The shown name, at most [`NOMBRE`] characters.
    pub nombre: String,
}

impl Usuario {
    /// A user with the attribute `name`, or the username where there is none.
    #[must_use]
    pub fn new(usuario: &str, id: &str, nombre: Option<&str>) -> Self {
        let shown = nombre.map(str::trim).filter(|nombre| !nombre.is_empty());
        Self {
            usuario: usuario.to_owned(),
            id: id.to_owned(),
            nombre: cut(shown.unwrap_or(usuario), NOMBRE).to_owned(),
        }
    }

    /// Whoever acts where nobody does.
    #[must_use]
    pub fn sistema() -> Self {
        Self::new(SYSTEM, SYSTEM, None)
    }

    /// As facturas remember it.
    #[must_use]
    pub fn persona(&self) -> Persona {
        Persona {
            nombre: self.nombre.clone(),
            id: Some(self.id.clone()),
        }
    }

    /// As events show it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor {
            user_id: self.id.clone(),
            user: self.usuario.clone(),
        }
    }
}

/// Whether requests may name a user with these roles: anybody but those who only look on.
#[must_use]
pub fn is_eligible(enabled: bool, roles: Roles) -> bool {
    enabled && !only_looks_on(roles)
}

/// Whether the only role is `auditor`.
#[must_use]
pub fn only_looks_on(roles: Roles) -> bool {
    roles == Roles::of(&[Role::Auditor])
}

/// Whether a name, case and accents ignored, is one under which the system approves.
#[must_use]
pub fn is_reserved(nombre: &str) -> bool {
    let folded_name = folded(nombre.trim());
    [SISTEMA_AUTO, AUTOMATIZACION]
        .iter()
        .any(|reserved| folded(reserved) == folded_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_attribute_or_the_username() {
        assert_eq!(
            Usuario::new("ana", "1", Some("Ana Ruiz")).nombre,
            "Ana Ruiz"
        );
        assert_eq!(Usuario::new("ana", "1", Some("  ")).nombre, "ana");
        assert_eq!(Usuario::new("ana", "1", None).nombre, "ana");
        let long = "ñ".repeat(300);
        assert_eq!(
            Usuario::new("ana", "1", Some(&long)).nombre.chars().count(),
            NOMBRE
        );
        assert_eq!(Usuario::sistema().actor(), Actor::system());
    }

    #[test]
    fn names_of_the_system_are_reserved_however_they_are_written() {
        for name in [
            "sistema_auto",
            "SISTEMA_AUTO",
            "Sistema de Automatizacion",
            " sistema de automatización ",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["sistema", "SISTEMA AUTO", "Ana"] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    #[test]
    fn only_auditors_and_disabled_users_take_no_part() {
        let auditor = Roles::of(&[Role::Auditor]);
        assert!(!is_eligible(true, auditor));
        assert!(!is_eligible(false, Roles::NONE));
        assert!(is_eligible(true, Roles::NONE));
        assert!(is_eligible(true, auditor.with(Role::Payables)));
    }
}
