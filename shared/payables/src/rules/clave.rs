//! What makes two facturas the same one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::nit::Nit;
use crate::texto::composed;

/// The duplicate key of a factura: its NIT, and its number in upper case without anything but letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Clave {
    nit: Nit,
    numero: String,
}

impl Clave {
    /// The key of a number. None when the number has neither letter nor digit.
    #[must_use]
    pub fn of(nit: Nit, numero: &str) -> Option<Self> {
        let numero: String = composed(numero)
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_uppercase)
            .collect();
        (!numero.is_empty()).then_some(Self { nit, numero })
    }
}

impl fmt::Display for Clave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.nit, self.numero)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(numero: &str) -> Option<String> {
        let nit = Nit::parse("860069804-2").unwrap();
        Clave::of(nit, numero).map(|clave| clave.to_string())
    }

    #[test]
    fn spellings_of_one_number_have_one_key() {
        for numero in ["fe-123", "FE 123", "FE123", "f.e/1_2 3"] {
            assert_eq!(
                key(numero).as_deref(),
                Some("860069804-2#FE123"),
                "{numero}"
            );
        }
        assert_ne!(key("FE0123"), key("FE123"));
        assert_eq!(key("É1"), key("e\u{301}1"));
        assert_eq!(key("-/ "), None);
    }
}
