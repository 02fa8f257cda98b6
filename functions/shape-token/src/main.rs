//! Runs whenever Cognito issues tokens: puts the user's company into the access token as the claim `company_id`, and the name to show as `name`.
//!
//! The company comes from an attribute that users cannot write themselves. A user without a company still signs in; the API then answers
//! `company_missing`. The name is for showing alone, nothing is decided by it: users may change theirs.

mod claims;

use cierre_platform::telemetry;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("shape-token");
    run(service_fn(async |event: LambdaEvent<Value>| {
        let shaped = claims::shape(event.payload);
        telemetry::warmed_up();
        Ok::<Value, Error>(shaped)
    }))
    .await
}
