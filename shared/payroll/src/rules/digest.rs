//! Digests over several texts.

use std::fmt::Write as _;

use cierre_kernel::canonical::sha256_hex;
use cierre_kernel::id::{Id, Kind};
use sha2::{Digest as _, Sha256};

/// Texts put one behind another, each with its length before it, so that no two lists of texts give the same bytes.
#[derive(Default)]
pub(super) struct Parts(String);

impl Parts {
    /// Adds a text.
    pub(super) fn and(mut self, part: impl std::fmt::Display) -> Self {
        let text = part.to_string();
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{}:{text},", text.len());
        self
    }

    /// SHA-256 in hexadecimal.
    pub(super) fn hex(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }

    /// The first 128 bits of SHA-256 as an id: 26 Crockford characters, as every id has them.
    pub(super) fn id<K: Kind>(&self) -> Id<K> {
        let digest = Sha256::digest(self.0.as_bytes());
        let bits = digest
            .iter()
            .take(16)
            .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        Id::new(bits.into())
    }
}

#[cfg(test)]
mod tests {
    use cierre_kernel::id::DiscrepanciaId;

    use super::*;

    #[test]
    fn texts_do_not_run_into_each_other() {
        let parts = |texts: &[&str]| {
            let parts = texts.iter().fold(Parts::default(), Parts::and);
            parts.hex()
        };
        assert_ne!(parts(&["ab", "c"]), parts(&["a", "bc"]));
        assert_ne!(parts(&["a"]), parts(&["a", ""]));
        assert_eq!(parts(&["a", "b"]), parts(&["a", "b"]));
    }

    #[test]
    fn an_id_is_the_beginning_of_the_digest() {
        let parts = Parts::default().and("x");
        let id: DiscrepanciaId = parts.id();
        assert!(
            parts
                .hex()
                .starts_with(&format!("{:032x}", u128::from(id.ulid())))
        );
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().len(), 30);
    }
}
