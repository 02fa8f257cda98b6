//! Answers the routes of payroll.

use cierre_payroll::api::{self, Api};
use cierre_platform::aws::Aws;
use cierre_platform::http::{Served, app, without_trailing_slash};
use cierre_platform::telemetry;
use lambda_http::{Error, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("api-payroll");
    let api = Api::from_env(&Aws::from_env())?;
    let routes: Served<Api> = api::router();
    run(without_trailing_slash(app(routes.with_state(api)))).await
}
