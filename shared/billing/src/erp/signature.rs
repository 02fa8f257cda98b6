//! Signatures as [Standard Webhooks](https://www.standardwebhooks.com) define them.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What a secret may begin with, so that people recognise it.
const PREFIX: &str = "whsec_";
/// Secrets are copied by hand, with and without the padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A text that is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what follows {PREFIX} in the secret is not base64")]
pub struct InvalidSecret;

/// The key that requests are signed with.
#[derive(Clone)]
pub struct SigningKey {
    mac: Hmac<Sha256>,
}

/// Without the key: what is printed for debugging ends up in logs.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    /// Reads a secret as Standard Webhooks write it: base64 in the alphabet with `+` and `/`, with or without padding, with or without the
    /// prefix `whsec_`. The key is what it decodes to: receivers' libraries decode it too. Any other text without the prefix is a key as it
    /// stands, for receivers that were written by hand. How long a secret must be is decided where settings are read.
    ///
    /// # Errors
    /// [`InvalidSecret`] for what follows the prefix and is no base64, and for an empty key.
    pub fn parse(secret: &str) -> Result<Self, InvalidSecret> {
        let key = match secret.strip_prefix(PREFIX) {
            Some(text) => LENIENT.decode(text).map_err(|_| InvalidSecret)?,
            None => LENIENT
                .decode(secret)
                .unwrap_or_else(|_| secret.as_bytes().to_vec()),
        };
        if key.is_empty() {
            return Err(InvalidSecret);
        }
        let mac = Hmac::new_from_slice(&key).map_err(|_| InvalidSecret)?;
        Ok(Self { mac })
    }

    /// The value of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. The timestamp is in seconds since
    /// 1970; the id must hold no full stop.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = self.mac.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// The example of the standard's libraries.
    const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[rstest]
    #[case::plain(SECRET.to_owned())]
    #[case::prefixed(format!("{PREFIX}{SECRET}"))]
    fn the_example_of_the_standard(#[case] secret: String) {
        let key = SigningKey::parse(&secret).unwrap();
        assert_eq!(
            key.sign(ID, 1_614_265_330, br#"{"test": 2432232314}"#),
            SIGNATURE
        );
    }

    #[test]
    fn padding_may_be_left_out() {
        let signed = |secret| SigningKey::parse(secret).unwrap().sign("a", 1, b"{}");
        assert_eq!(signed("c2VjcmV0IQ=="), signed("c2VjcmV0IQ"));
    }

    #[test]
    fn id_time_body_and_key_are_signed() {
        let key = SigningKey::parse(SECRET).unwrap();
        let base = key.sign("a", 1, b"{}");
        let other_key = SigningKey::parse("c2VjcmV0IQ==").unwrap();
        let others = [
            key.sign("b", 1, b"{}"),
            key.sign("a", 2, b"{}"),
            key.sign("a", 1, b"[]"),
            other_key.sign("a", 1, b"{}"),
        ];
        assert!(others.iter().all(|other| *other != base));
    }

    #[rstest]
    #[case("")]
    #[case(PREFIX)]
    #[case("whsec_whsec_MfKQ")]
    #[case("whsec_a-secret-of-some-length")]
    fn is_no_secret(#[case] secret: &str) {
        assert_eq!(SigningKey::parse(secret).unwrap_err(), InvalidSecret);
    }

    #[test]
    fn a_text_that_is_no_base64_is_a_key_as_it_stands() {
        let signed = |secret| SigningKey::parse(secret).unwrap().sign("a", 1, b"{}");
        let same = SigningKey::parse(&format!(
            "{PREFIX}{}",
            STANDARD.encode("a-secret-of-some-length")
        ));
        assert_eq!(
            signed("a-secret-of-some-length"),
            same.unwrap().sign("a", 1, b"{}")
        );
    }

    #[test]
    fn the_key_is_not_printed() {
        let key = SigningKey::parse(SECRET).unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey");
    }
}
