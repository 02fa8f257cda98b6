//! One way to reach AWS for every function: same retries, same time-outs.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

use crate::db::CountRequests;

/// Tries of one request, the first included; the SDK waits with jitter in between.
const TRIES: u32 = 4;
/// A connection that is not there after this time will not come.
const CONNECT: Duration = Duration::from_secs(2);
/// One try. Longer than any single answer takes; shorter than a worker's lease, so that no request outlives it.
const TRY: Duration = Duration::from_secs(5);
/// All tries of one request.
const REQUEST: Duration = Duration::from_secs(12);

/// Region, credentials and endpoint from the environment; retries and time-outs as above.
pub async fn config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retries())
        .timeout_config(timeouts())
        .load()
        .await
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

/// DynamoDB, with every request counted ([`crate::db::consumed`]).
pub fn dynamodb(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let builder = aws_sdk_dynamodb::config::Builder::from(config).interceptor(CountRequests);
    aws_sdk_dynamodb::Client::from_conf(builder.build())
}
