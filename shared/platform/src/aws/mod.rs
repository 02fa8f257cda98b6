//! One way to reach AWS for every function: same retries, same time-outs, one HTTP client, which is made when the first request is sent.
//!
//! Region, credentials and endpoint come from the environment, where Lambda puts them, and from nowhere else: no profiles, no metadata
//! services, no settings of single services. So a start reads no files and asks nobody.

mod lazy;
mod trust;

use std::env;
use std::sync::OnceLock;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

pub use lazy::Lazy;

use crate::db::CountRequests;

/// Tries of one request, the first included; the SDK waits with jitter in between.
const TRIES: u32 = 4;
/// A connection that is not there after this time will not come.
const CONNECT: Duration = Duration::from_secs(2);
/// One try. Longer than any single answer takes; shorter than a worker's lease, so that no request outlives it.
const TRY: Duration = Duration::from_secs(5);
/// All tries of one request.
const REQUEST: Duration = Duration::from_secs(12);

/// A configuration and the clients over it. Each is made when it is used first, and there is one of each. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    dynamodb: Lazy<aws_sdk_dynamodb::Client>,
    sqs: Lazy<aws_sdk_sqs::Client>,
}

impl Aws {
    /// Region, credentials and endpoint from the environment; retries, time-outs and HTTP client as everywhere.
    pub fn from_env() -> Self {
        let config = config();
        let (tables, queues) = (config.clone(), config.clone());
        Self {
            dynamodb: Lazy::new(move || dynamodb(&tables)),
            sqs: Lazy::new(move || aws_sdk_sqs::Client::new(&queues)),
            config,
        }
    }

    /// DynamoDB, with every request counted ([`crate::db::consumed`]).
    pub fn dynamodb(&self) -> Lazy<aws_sdk_dynamodb::Client> {
        self.dynamodb.clone()
    }

    /// SQS.
    pub fn sqs(&self) -> Lazy<aws_sdk_sqs::Client> {
        self.sqs.clone()
    }

    /// Cognito's user pools.
    pub fn cognito(&self) -> Lazy<aws_sdk_cognitoidentityprovider::Client> {
        self.client(aws_sdk_cognitoidentityprovider::Client::new)
    }

    /// Another service, such as `aws.client(aws_sdk_s3::Client::new)`.
    pub fn client<C: 'static>(&self, new: fn(&SdkConfig) -> C) -> Lazy<C> {
        let config = self.config.clone();
        Lazy::new(move || new(&config))
    }
}

fn config() -> SdkConfig {
    let region = env::var("AWS_REGION").or_else(|_| env::var("AWS_DEFAULT_REGION"));
    let credentials = EnvironmentVariableCredentialsProvider::new();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.ok().map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(retries())
        .timeout_config(timeouts())
        .http_client(http_client());
    config.set_endpoint_url(env::var("AWS_ENDPOINT_URL").ok());
    config.build()
}

/// The HTTP client of every client that is made from one configuration. It trusts Amazon's certificate authorities and no others.
pub fn http_client() -> SharedHttpClient {
    SharedHttpClient::new(AtFirstUse::default())
}

/// How often a request is tried.
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(TRIES)
}

/// How long an answer is waited for.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(TRY)
        .operation_timeout(REQUEST)
        .build()
}

fn dynamodb(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let builder = aws_sdk_dynamodb::config::Builder::from(config).interceptor(CountRequests);
    aws_sdk_dynamodb::Client::from_conf(builder.build())
}

/// Makes the client when it is asked for a connection. The SDK's own sets up TLS as soon as a client is configured, once for each client,
/// before a function says that it is ready.
#[derive(Debug, Default)]
struct AtFirstUse(OnceLock<SharedHttpClient>);

impl HttpClient for AtFirstUse {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0
            .get_or_init(|| trust::client(trust::AMAZON))
            .http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some("1.x".into())))
    }
}
