//! Typed ids: a prefix that names the kind, and a ULID.

mod registry;

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ulid::Ulid;

pub use registry::*;

/// A text that is not an id of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed id")]
pub struct InvalidId;

/// A kind of entity. The registry lists them all.
pub trait Kind: Copy + Ord + Hash + Send + std::marker::Sync + 'static {
    /// The three letters before the underscore.
    const PREFIX: &'static str;
}

/// The id of an entity of kind `K`, such as `svc_01JD0000000000000000000001`.
///
/// The text form is the prefix, an underscore and 26 upper-case Crockford characters. Exactly one
/// text stands for an id: lower case and look-alike letters are refused, so an id can be compared
/// and stored as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<K: Kind>(Ulid, PhantomData<K>);

impl<K: Kind> Id<K> {
    /// Makes an id from a ULID.
    #[must_use]
    pub const fn new(ulid: Ulid) -> Self {
        Self(ulid, PhantomData)
    }

    /// The part after the prefix.
    #[must_use]
    pub const fn ulid(self) -> Ulid {
        self.0
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.0)
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let body = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or(InvalidId)?;
        let ulid = Ulid::from_string(body).map_err(|_| InvalidId)?;
        // The reader of the ulid crate is lenient (case, look-alikes, overflow of the first
        // character); only the text that it would print itself is ours.
        let mut buffer = [0; ulid::ULID_LEN];
        if ulid.array_to_str(&mut buffer) == body {
            Ok(Self::new(ulid))
        } else {
            Err(InvalidId)
        }
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::another_kind("pen_00000000000000000000000001")]
    #[case::no_prefix("00000000000000000000000001")]
    #[case::no_underscore("svc00000000000000000000000001")]
    #[case::upper_prefix("SVC_00000000000000000000000001")]
    #[case::lower_case("svc_01jd0000000000000000000001")]
    #[case::look_alike("svc_O0000000000000000000000001")]
    #[case::beyond_128_bits("svc_80000000000000000000000000")]
    #[case::short("svc_0000000000000000000000001")]
    #[case::long("svc_000000000000000000000000001")]
    #[case::not_ascii("svc_0000000000000000000000000é")]
    #[case::empty("")]
    fn refuses_any_other_text(#[case] text: &str) {
        assert_eq!(text.parse::<ServiceId>(), Err(InvalidId));
    }

    #[test]
    fn prints_prefix_and_ulid() {
        assert_eq!(
            ServiceId::new(Ulid(1)).to_string(),
            "svc_00000000000000000000000001"
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(bits: u128) {
            let id = PendingId::new(Ulid(bits));
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<PendingId>(&json).unwrap(), id);
        }

        #[test]
        fn order_of_ids_is_order_of_their_texts(a: u128, b: u128) {
            let (a, b) = (BatchId::new(Ulid(a)), BatchId::new(Ulid(b)));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
