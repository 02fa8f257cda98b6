//! Stored forms of values: instants as milliseconds, amounts as minor units, so that items stay small and numbers exact.

/// A stored item that no decision could have left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored item is inconsistent: {0}")]
pub struct Inconsistent(pub &'static str);

/// Instants as milliseconds since 1970.
pub(crate) mod millis {
    use cierre_kernel::time::Instant;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        instant: &Instant,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(instant.as_millis())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Instant, D::Error> {
        i64::deserialize(deserializer).map(Instant::from_millis)
    }
}

/// Instants that may be absent.
pub(crate) mod some_millis {
    use cierre_kernel::time::Instant;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        instant: &Option<Instant>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        instant.map(Instant::as_millis).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Instant>, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map(Instant::from_millis))
    }
}

/// Amounts in minor units of billing's currency.
pub(crate) mod minor {
    use cierre_kernel::money::Money;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::rules::pesos;

    pub(crate) fn serialize<S: Serializer>(
        money: &Money,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(money.minor())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Money, D::Error> {
        i64::deserialize(deserializer).map(pesos)
    }
}

/// IVA conditions by the authority's number.
pub(crate) mod iva_code {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::rules::IvaCondition;

    pub(crate) fn serialize<S: Serializer>(
        condition: &IvaCondition,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(condition.code())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<IvaCondition, D::Error> {
        let code = u8::deserialize(deserializer)?;
        IvaCondition::from_code(code).ok_or_else(|| de::Error::custom("unknown IVA condition"))
    }
}

/// For numbers that are zero most of the time.
pub(super) fn is_zero(number: &u16) -> bool {
    *number == 0
}
