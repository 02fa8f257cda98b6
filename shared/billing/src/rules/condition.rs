//! IVA conditions, and the invoice types that follow from them.

cierre_kernel::words! {
    /// How a customer stands towards IVA (RG 5616).
    pub enum IvaCondition {
        /// Registered taxpayer.
        ResponsableInscripto = "RESPONSABLE_INSCRIPTO",
        /// Exempt.
        Exento = "EXENTO",
        /// Final consumer.
        ConsumidorFinal = "CONSUMIDOR_FINAL",
        /// Simplified regime.
        Monotributo = "MONOTRIBUTO",
        /// Not categorised.
        NoCategorizado = "NO_CATEGORIZADO",
        /// Supplier abroad.
        ProveedorExterior = "PROVEEDOR_EXTERIOR",
        /// Customer abroad.
        ClienteExterior = "CLIENTE_EXTERIOR",
        /// Released by law 19640.
        LiberadoLey19640 = "LIBERADO_LEY_19640",
        /// Simplified regime, social.
        MonotributistaSocial = "MONOTRIBUTISTA_SOCIAL",
        /// Not reached by the tax.
        NoAlcanzado = "NO_ALCANZADO",
        /// Simplified regime, promoted.
        MonotributoPromovido = "MONOTRIBUTO_PROMOVIDO",
    }
}

impl IvaCondition {
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

cierre_kernel::words! {
    /// How an issuer stands towards IVA.
    pub enum IssuerCondition {
        /// Registered taxpayer.
        ResponsableInscripto = "RESPONSABLE_INSCRIPTO",
        /// Simplified regime.
        Monotributo = "MONOTRIBUTO",
        /// Exempt.
        Exento = "EXENTO",
    }
}

impl IssuerCondition {
    /// The same among all conditions.
    pub const fn condition(self) -> IvaCondition {
        match self {
            Self::ResponsableInscripto => IvaCondition::ResponsableInscripto,
            Self::Monotributo => IvaCondition::Monotributo,
            Self::Exento => IvaCondition::Exento,
        }
    }
}

cierre_kernel::words! {
    /// The type of an invoice.
    pub enum Letter {
        /// Between registered taxpayers: IVA is shown.
        A = "A",
        /// From a registered taxpayer to everybody else.
        B = "B",
        /// From an issuer who charges no IVA.
        C = "C",
    }
}

impl Letter {
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

#[cfg(test)]
mod tests {
    use cierre_kernel::words::UnknownWord;

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
