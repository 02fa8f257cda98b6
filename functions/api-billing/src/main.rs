//! Answers the routes of billing.

use cierre_billing::state::Billing;
use cierre_platform::aws::Aws;
use cierre_platform::http::{Served, app};
use cierre_platform::telemetry;
use lambda_http::{Error, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("api-billing");
    let billing = Billing::from_env(&Aws::from_env())?;
    let routes: Served<Billing> = cierre_billing::http::router();
    run(app(routes.with_state(billing))).await
}
