//! Answers the routes of payables.

use cierre_payables::api::{self, Api};
use cierre_platform::aws::Aws;
use cierre_platform::http::{Served, app};
use cierre_platform::telemetry;
use lambda_http::{Error, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("api-payables");
    let api = Api::from_env(&Aws::from_env())?;
    let routes: Served<Api> = api::router();
    run(app(routes.with_state(api))).await
}
