//! A forger's workshop: takes tokens apart, alters them, and signs them with whatever key is at hand, the pool's own included.

use std::path::Path;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cierre_tests::{Company, PASSWORD, Stack};
use serde_json::{Value, json};

/// Base64 as tokens have it.
pub(super) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token in parts.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) header: Value,
    pub(super) claims: Value,
    pub(super) signature: String,
    /// Header and claims as they were encoded: what is not changed stays as it was, to the letter.
    encoded: [String; 2],
}

impl Token {
    pub(super) fn read(text: &str) -> Self {
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else {
            panic!("a token has three parts")
        };
        let json =
            |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        Self {
            header: json(header),
            claims: json(claims),
            signature: (*signature).to_owned(),
            encoded: [header, claims].map(|part| (*part).to_owned()),
        }
    }

    /// With these members in the header; null takes a member away.
    pub(super) fn headed(&self, changes: Value) -> Self {
        let mut token = self.clone();
        token.header = changed(&self.header, changes);
        token.encoded[0] = encoded(token.header.to_string());
        token
    }

    /// With these claims; null takes a claim away.
    pub(super) fn claiming(&self, changes: Value) -> Self {
        let mut token = self.clone();
        token.claims = changed(&self.claims, changes);
        token.encoded[1] = encoded(token.claims.to_string());
        token
    }

    fn signed_part(&self) -> String {
        self.encoded.join(".")
    }

    /// With the signature that it came with.
    pub(super) fn text(&self) -> String {
        self.ending_in(&self.signature)
    }

    /// With this in place of the signature.
    pub(super) fn ending_in(&self, signature: &str) -> String {
        format!("{}.{signature}", self.signed_part())
    }

    /// Signed by this key, whatever the header says.
    pub(super) fn signed(&self, key: &RsaKeyPair, encoding: &'static dyn RsaEncoding) -> String {
        let mut signature = vec![0; key.public_modulus_len()];
        let part = self.signed_part();
        key.sign(
            encoding,
            &SystemRandom::new(),
            part.as_bytes(),
            &mut signature,
        )
        .unwrap();
        self.ending_in(&encoded(signature))
    }

    /// As [`Token::signed`], the way of RS256.
    pub(super) fn by(&self, key: &RsaKeyPair) -> String {
        self.signed(key, &RSA_PKCS1_SHA256)
    }

    /// As [`Token::signed`], the ways of RS512 and PS256.
    pub(super) fn by_other_ways(&self, key: &RsaKeyPair) -> [String; 2] {
        [
            self.signed(key, &RSA_PKCS1_SHA512),
            self.signed(key, &RSA_PSS_SHA256),
        ]
    }

    /// With an HMAC under this secret.
    pub(super) fn hashed(&self, secret: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        self.ending_in(&encoded(hmac::sign(&key, self.signed_part().as_bytes())))
    }
}

fn changed(object: &Value, changes: Value) -> Value {
    let mut object = object.as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    Value::Object(object)
}

/// A key that nobody knows.
pub(super) fn own_key() -> RsaKeyPair {
    RsaKeyPair::generate(KeySize::Rsa2048).unwrap()
}

/// The public half as a JSON Web Key, and as base64 of its DER.
pub(super) fn public(key: &RsaKeyPair, kid: &Value) -> (Value, String) {
    let der = key.public_key().as_ref();
    // A sequence of two integers; the second is 65537.
    let (rest, exponent) = der.split_at(der.len() - 5);
    assert_eq!(exponent, [2, 3, 1, 0, 1]);
    let modulus = &rest[rest.len() - key.public_modulus_len()..];
    let jwk = json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, "n": encoded(modulus), "e": "AQAB" });
    (jwk, STANDARD.encode(der))
}

/// What the pool signs access tokens with. Nobody has the key of a real pool; the emulator keeps it in its state, which lets a test sign what
/// the pool would never sign.
pub(super) fn pool_key(stack: &Stack) -> RsaKeyPair {
    let name = format!("{}-access.pem", stack.output("USER_POOL_ID"));
    let file = Path::new(&stack.output("STATE"))
        .join("cognito-pool-keys")
        .join(name);
    let pem = std::fs::read_to_string(file).unwrap();
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap()
}

/// What Cognito issues to a user of the company: access token, identity token, refresh token.
pub(super) async fn tokens_of(company: &Company, role: &str) -> [String; 3] {
    company.user(role).await;
    let client = company.stack.output("USER_POOL_CLIENT_ID");
    issued(&company.stack, &client, &company.username(role)).await
}

/// As [`tokens_of`], by any client.
pub(super) async fn issued(stack: &Stack, client: &str, username: &str) -> [String; 3] {
    let answer = stack
        .cognito()
        .initiate_auth()
        .client_id(client)
        .auth_flow(AuthFlowType::UserPasswordAuth)
        .auth_parameters("USERNAME", username)
        .auth_parameters("PASSWORD", PASSWORD)
        .send()
        .await
        .unwrap();
    let tokens = answer.authentication_result().unwrap();
    [
        tokens.access_token(),
        tokens.id_token(),
        tokens.refresh_token(),
    ]
    .map(|token| token.unwrap().to_owned())
}
