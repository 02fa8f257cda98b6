//! The stack under test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use serde_json::Value;

use crate::client::Client;

/// The stack that `cargo local test` started. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stack {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    sdk: SdkConfig,
    cognito: aws_sdk_cognitoidentityprovider::Client,
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: `cargo local test` starts a stack and runs these tests against it"
        )
    })
}

/// A client for plain HTTP. The product links its HTTP client without a default cryptography, which a client here asks for all the same.
pub(crate) fn http_client() -> reqwest::Client {
    // Whoever comes second finds it installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::new()
}

impl Stack {
    /// Connects to the stack that the environment names. Every test connects anew, because connections belong to the test's own runtime.
    pub async fn connect() -> Self {
        let root = Credentials::new(
            variable("CIERRE_ACCESS_KEY_ID"),
            variable("CIERRE_SECRET_ACCESS_KEY"),
            None,
            None,
            "root of the stack under test",
        );
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(variable("CIERRE_ENDPOINT_URL"))
            .region(Region::new(variable("CIERRE_REGION")))
            .credentials_provider(root)
            .http_client(cierre_platform::aws::http_client())
            .load()
            .await;
        let cognito = aws_sdk_cognitoidentityprovider::Client::new(&sdk);
        let http = http_client();
        Self {
            inner: Arc::new(Inner { http, sdk, cognito }),
        }
    }

    /// An output of the stack by its variable: `BILLING_TABLE`, `USER_POOL_ID`, `BILLING_JOBS_QUEUE_URL`.
    pub fn output(&self, name: &str) -> String {
        variable(&format!("CIERRE_{name}"))
    }

    /// The address of a path of the API.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", variable("CIERRE_API_URL"))
    }

    /// The physical name of a function.
    pub fn function(&self, name: &str) -> String {
        format!("{}-{name}", variable("CIERRE_STACK"))
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(self.clone(), None)
    }

    /// A client with this text as its token.
    pub fn with_token(&self, token: impl Into<String>) -> Client {
        Client::new(self.clone(), Some(token.into()))
    }

    /// The OpenAPI document that the stack serves.
    pub async fn document(&self) -> Value {
        self.anonymous().get("/api/openapi.json").await.ok()
    }

    /// The way to AWS with root rights, as the SDK comes.
    pub(crate) fn sdk(&self) -> &SdkConfig {
        &self.inner.sdk
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.inner.http
    }

    /// Cognito with root rights.
    pub fn cognito(&self) -> &aws_sdk_cognitoidentityprovider::Client {
        &self.inner.cognito
    }

    /// DynamoDB with root rights.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.inner.sdk)
    }

    /// SQS with root rights.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.inner.sdk)
    }

    /// Lambda with root rights.
    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.inner.sdk)
    }

    /// Invokes a function by hand and waits for its answer; panics when the function fails.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let payload = aws_sdk_lambda::primitives::Blob::new(event.to_string());
        let answer = self
            .lambda()
            .invoke()
            .function_name(self.function(function))
            .payload(payload)
            .send()
            .await
            .unwrap();
        let body = answer
            .payload
            .map(|blob| blob.into_inner())
            .unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        assert!(answer.function_error.is_none(), "{function} failed: {body}");
        body
    }
}

/// A word that no other test and no other run uses: lower-case letters and digits, in order of time.
pub(crate) fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    #[expect(
        clippy::disallowed_methods,
        reason = "a name for a test, not a time that anything depends on"
    )]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    // Tests of one binary share the counter; the process keeps binaries apart.
    let low =
        (u128::from(std::process::id()) << 40) | u128::from(COUNT.fetch_add(1, Ordering::Relaxed));
    let millis = u64::try_from(now.as_millis()).unwrap();
    ulid::Ulid::from_parts(millis, low)
        .to_string()
        .to_lowercase()
}

impl Stack {
    /// A schedule's event at this time, RFC 3339.
    pub fn schedule_event(&self, time: &str) -> Value {
        serde_json::json!({
            "version": "0",
            "id": "00000000-0000-0000-0000-000000000000",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "000000000000",
            "time": time,
            "region": variable("CIERRE_REGION"),
            "resources": [],
            "detail": {},
        })
    }

    /// The time so long from now, RFC 3339 with seconds.
    pub fn clock_after(&self, wait: std::time::Duration) -> String {
        #[expect(
            clippy::disallowed_methods,
            reason = "a schedule's event carries the wall clock"
        )]
        let at = SystemTime::now() + wait;
        let seconds = at.duration_since(UNIX_EPOCH).unwrap().as_secs();
        cierre_kernel::time::Instant::from_millis(i64::try_from(seconds * 1000).unwrap())
            .to_string()
    }
}
