//! Amounts with their currency, as facturas store them.

use cierre_kernel::money::{Currency, Money, MoneyError};
use serde::{Deserialize, Serialize};

/// An amount that remembers its currency in storage: `{"moneda": "COP", "total": "1500.00"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Importe(pub Money);

impl Importe {
    /// The currency.
    #[must_use]
    pub const fn moneda(self) -> Currency {
        self.0.currency()
    }
}

#[derive(Serialize, Deserialize)]
struct Parts {
    moneda: Currency,
    total: String,
}

impl From<Importe> for Parts {
    fn from(importe: Importe) -> Self {
        Self {
            moneda: importe.moneda(),
            total: importe.0.to_string(),
        }
    }
}

impl TryFrom<Parts> for Importe {
    type Error = MoneyError;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        Money::parse(&parts.total, parts.moneda).map(Self)
    }
}
