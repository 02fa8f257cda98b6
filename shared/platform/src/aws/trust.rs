//! Whose certificates the functions accept from AWS: those that descend from Amazon's own roots. Reading five certificates takes a thirtieth
//! of what a system's 144 take, and no other authority can vouch for AWS.
//!
//! | file in `roots/` | SHA-256 of the certificate | ends |
//! | --- | --- | --- |
//! | `amazon-root-ca-1.pem` | `8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e` | 2038 |
//! | `amazon-root-ca-2.pem` | `1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4` | 2040 |
//! | `amazon-root-ca-3.pem` | `18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4` | 2040 |
//! | `amazon-root-ca-4.pem` | `e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092` | 2040 |
//! | `starfield-services-root-g2.pem` | `568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5` | 2037 |
//!
//! They are the files of Debian's package `ca-certificates` 20230311+deb12u1, which takes them from Mozilla; Amazon publishes the same ones at
//! <https://www.amazontrust.com/repository/>.

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// The roots, as PEM.
pub(super) const AMAZON: [&str; 5] = [
    include_str!("roots/amazon-root-ca-1.pem"),
    include_str!("roots/amazon-root-ca-2.pem"),
    include_str!("roots/amazon-root-ca-3.pem"),
    include_str!("roots/amazon-root-ca-4.pem"),
    include_str!("roots/starfield-services-root-g2.pem"),
];

/// A client that believes servers whose certificates descend from these roots.
pub(super) fn client<'a>(roots: impl IntoIterator<Item = &'a str>) -> SharedHttpClient {
    let trusted = roots
        .into_iter()
        .fold(TrustStore::empty(), |trusted, root| {
            trusted.with_pem_certificate(root)
        });
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    match TlsContext::builder().with_trust_store(trusted).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        // The library has no case of this. If it gets one, then without our roots and not without verification.
        Err(error) => {
            tracing::error!(%error, "the roots are not used, the system's are");
            builder.build_https()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::sync::Arc;

    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
    use rcgen::CertifiedKey;
    use rustls::RootCertStore;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use sha2::{Digest, Sha256};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// As the head of this file lists them.
    const FINGERPRINTS: [&str; 5] = [
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ];

    #[test]
    fn the_roots_are_certificates_and_the_ones_that_are_documented() {
        let mut usable = RootCertStore::empty();
        for (pem, fingerprint) in AMAZON.iter().zip(FINGERPRINTS) {
            let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
                .map(Result::unwrap)
                .collect();
            let [certificate] = certificates.as_slice() else {
                panic!("one certificate to a file")
            };
            assert_eq!(format!("{:x}", Sha256::digest(certificate)), fingerprint);
            usable.add(certificate.clone()).unwrap();
        }
        assert_eq!(usable.len(), AMAZON.len());
    }

    /// Asks a server whose certificate nobody signed but itself; says what the client and what the server came to.
    async fn ask(
        trusted: impl Fn(&CertifiedKey<rcgen::KeyPair>) -> SharedHttpClient,
    ) -> (String, bool) {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            // Dropped at once: whether the client went on after the certificate is all that is asked.
            TlsAcceptor::from(Arc::new(config))
                .accept(stream)
                .await
                .is_ok()
        };
        let client = Client::from_conf(
            Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("us-east-1"))
                .credentials_provider(Credentials::new("a", "b", None, None, "test"))
                .retry_config(aws_config::retry::RetryConfig::disabled())
                .http_client(trusted(&own))
                .endpoint_url(url)
                .build(),
        );
        let (answer, accepted) = tokio::join!(client.list_tables().send(), server);
        let refused = answer.unwrap_err();
        let mut chain = String::new();
        let mut next: Option<&dyn Error> = Some(&refused);
        while let Some(error) = next {
            chain.push_str(&format!("{error:?}; "));
            next = error.source();
        }
        (chain, accepted)
    }

    #[tokio::test]
    async fn a_server_that_no_amazon_root_vouches_for_is_refused() {
        let (refusal, accepted) = ask(|_| crate::aws::http_client()).await;
        assert!(refusal.contains("UnknownIssuer"), "{refusal}");
        assert!(!accepted, "the client went on after the certificate");
    }

    /// The other side of the test above: it is the certificate that is refused there.
    #[tokio::test]
    async fn a_server_that_a_trusted_root_vouches_for_is_believed() {
        let (refusal, accepted) = ask(|own| client([own.cert.pem().as_str()])).await;
        assert!(!refusal.contains("UnknownIssuer"), "{refusal}");
        assert!(accepted, "{refusal}");
    }
}
