//! IVA conditions, and the invoice types that follow from them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that names no value of an enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown word")]
pub struct UnknownWord;

/// How a customer stands towards IVA (RG 5616).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IvaCondition {
    /// Registered taxpayer.
    ResponsableInscripto,
    /// Exempt.
    Exento,
    /// Final consumer.
    ConsumidorFinal,
    /// Simplified regime.
    Monotributo,
    /// Not categorised.
    NoCategorizado,
    /// Supplier abroad.
    ProveedorExterior,
    /// Customer abroad.
    ClienteExterior,
    /// Released by law 19640.
    #[serde(rename = "LIBERADO_LEY_19640")]
    LiberadoLey19640,
    /// Simplified regime, social.
    MonotributistaSocial,
    /// Not reached by the tax.
    NoAlcanzado,
    /// Simplified regime, promoted.
    MonotributoPromovido,
}

impl IvaCondition {
    /// Every condition.
    pub const ALL: [Self; 11] = [
        Self::ResponsableInscripto,
        Self::Exento,
        Self::ConsumidorFinal,
        Self::Monotributo,
        Self::NoCategorizado,
        Self::ProveedorExterior,
        Self::ClienteExterior,
        Self::LiberadoLey19640,
        Self::MonotributistaSocial,
        Self::NoAlcanzado,
        Self::MonotributoPromovido,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ResponsableInscripto => "RESPONSABLE_INSCRIPTO",
            Self::Exento => "EXENTO",
            Self::ConsumidorFinal => "CONSUMIDOR_FINAL",
            Self::Monotributo => "MONOTRIBUTO",
            Self::NoCategorizado => "NO_CATEGORIZADO",
            Self::ProveedorExterior => "PROVEEDOR_EXTERIOR",
            Self::ClienteExterior => "CLIENTE_EXTERIOR",
            Self::LiberadoLey19640 => "LIBERADO_LEY_19640",
            Self::MonotributistaSocial => "MONOTRIBUTISTA_SOCIAL",
            Self::NoAlcanzado => "NO_ALCANZADO",
            Self::MonotributoPromovido => "MONOTRIBUTO_PROMOVIDO",
        }
    }

    /// The authority's number for it.
    pub const fn code(self) -> u8 {
        match self {
            Self::ResponsableInscripto => 1,
            Self::Exento => 4,
            Self::ConsumidorFinal => 5,
            Self::Monotributo => 6,
            Self::NoCategorizado => 7,
            Self::ProveedorExterior => 8,
            Self::ClienteExterior => 9,
            Self::LiberadoLey19640 => 10,
            Self::MonotributistaSocial => 13,
            Self::NoAlcanzado => 15,
            Self::MonotributoPromovido => 16,
        }
    }

    /// Finds a condition by the authority's number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|condition| condition.code() == code)
    }

    /// Whether a customer of this condition must have a CUIT.
    pub const fn requires_tax_id(self) -> bool {
        match self {
            Self::ConsumidorFinal | Self::ProveedorExterior | Self::ClienteExterior => false,
            Self::ResponsableInscripto
            | Self::Exento
            | Self::Monotributo
            | Self::NoCategorizado
            | Self::LiberadoLey19640
            | Self::MonotributistaSocial
            | Self::NoAlcanzado
            | Self::MonotributoPromovido => true,
        }
    }

    /// Whether a customer of this condition may receive invoices of this type: A goes to registered taxpayers and to the simplified regime,
    /// B to all others, C to everyone.
    pub const fn may_receive(self, letter: Letter) -> bool {
        let takes_a = match self {
            Self::ResponsableInscripto
            | Self::Monotributo
            | Self::MonotributistaSocial
            | Self::MonotributoPromovido => true,
            Self::Exento
            | Self::ConsumidorFinal
            | Self::NoCategorizado
            | Self::ProveedorExterior
            | Self::ClienteExterior
            | Self::LiberadoLey19640
            | Self::NoAlcanzado => false,
        };
        match letter {
            Letter::A => takes_a,
            Letter::B => !takes_a,
            Letter::C => true,
        }
    }
}

impl fmt::Display for IvaCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for IvaCondition {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|condition| condition.as_str() == word)
            .ok_or(UnknownWord)
    }
}

/// How an issuer stands towards IVA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IssuerCondition {
    /// Registered taxpayer.
    ResponsableInscripto,
    /// Simplified regime.
    Monotributo,
    /// Exempt.
    Exento,
}

impl IssuerCondition {
    /// Every condition that an issuer may have.
    pub const ALL: [Self; 3] = [Self::ResponsableInscripto, Self::Monotributo, Self::Exento];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        self.condition().as_str()
    }

    /// The same among all conditions.
    pub const fn condition(self) -> IvaCondition {
        match self {
            Self::ResponsableInscripto => IvaCondition::ResponsableInscripto,
            Self::Monotributo => IvaCondition::Monotributo,
            Self::Exento => IvaCondition::Exento,
        }
    }
}

impl fmt::Display for IssuerCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for IssuerCondition {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|condition| condition.as_str() == word)
            .ok_or(UnknownWord)
    }
}

/// The type of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Letter {
    /// Between registered taxpayers: IVA is shown.
    A,
    /// From a registered taxpayer to everybody else.
    B,
    /// From an issuer who charges no IVA.
    C,
}

impl Letter {
    /// Every letter.
    pub const ALL: [Self; 3] = [Self::A, Self::B, Self::C];

    /// The letter as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }

    /// Whether an issuer of this condition may use the type: A and B are a registered taxpayer's, C everybody else's.
    pub const fn may_be_used_by(self, issuer: IssuerCondition) -> bool {
        match (issuer, self) {
            (IssuerCondition::ResponsableInscripto, Self::A | Self::B)
            | (IssuerCondition::Monotributo | IssuerCondition::Exento, Self::C) => true,
            (IssuerCondition::ResponsableInscripto, Self::C)
            | (IssuerCondition::Monotributo | IssuerCondition::Exento, Self::A | Self::B) => false,
        }
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Letter {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|letter| letter.as_str() == word)
            .ok_or(UnknownWord)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("RESPONSABLE_INSCRIPTO", 1, Letter::A, true)]
    #[case("EXENTO", 4, Letter::B, true)]
    #[case("CONSUMIDOR_FINAL", 5, Letter::B, false)]
    #[case("MONOTRIBUTO", 6, Letter::A, true)]
    #[case("NO_CATEGORIZADO", 7, Letter::B, true)]
    #[case("PROVEEDOR_EXTERIOR", 8, Letter::B, false)]
    #[case("CLIENTE_EXTERIOR", 9, Letter::B, false)]
    #[case("LIBERADO_LEY_19640", 10, Letter::B, true)]
    #[case("MONOTRIBUTISTA_SOCIAL", 13, Letter::A, true)]
    #[case("NO_ALCANZADO", 15, Letter::B, true)]
    #[case("MONOTRIBUTO_PROMOVIDO", 16, Letter::A, true)]
    fn each_condition_has_a_number_one_of_a_and_b_and_always_c(
        #[case] word: &str,
        #[case] code: u8,
        #[case] letter: Letter,
        #[case] tax_id: bool,
    ) {
        let condition: IvaCondition = word.parse().unwrap();
        assert_eq!(
            serde_json::to_string(&condition).unwrap(),
            format!("\"{word}\"")
        );
        assert_eq!(
            (condition.code(), IvaCondition::from_code(code)),
            (code, Some(condition))
        );
        assert_eq!(condition.requires_tax_id(), tax_id);
        for other in Letter::ALL {
            assert_eq!(
                condition.may_receive(other),
                other == letter || other == Letter::C,
                "{other}"
            );
        }
    }

    #[rstest]
    #[case(IssuerCondition::ResponsableInscripto, "AB")]
    #[case(IssuerCondition::Monotributo, "C")]
    #[case(IssuerCondition::Exento, "C")]
    fn an_issuer_uses_the_letters_of_its_condition(
        #[case] issuer: IssuerCondition,
        #[case] letters: &str,
    ) {
        for letter in Letter::ALL {
            assert_eq!(
                letter.may_be_used_by(issuer),
                letters.contains(letter.as_str())
            );
        }
        assert_eq!(issuer.as_str().parse(), Ok(issuer));
        assert_eq!(
            serde_json::to_string(&issuer).unwrap(),
            format!("\"{issuer}\"")
        );
    }

    #[test]
    fn words_are_matched_exactly() {
        assert_eq!("exento".parse::<IvaCondition>(), Err(UnknownWord));
        assert_eq!("EXPORTADOR".parse::<IssuerCondition>(), Err(UnknownWord));
        assert_eq!("a".parse::<Letter>(), Err(UnknownWord));
        assert_eq!(IvaCondition::from_code(2), None);
    }
}
