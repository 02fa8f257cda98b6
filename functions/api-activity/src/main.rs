//! Answers the routes over activity events.

use std::sync::Arc;

use cierre_billing::heads::BillingHeads;
use cierre_billing::table::BILLING;
use cierre_payables::heads::PayablesHeads;
use cierre_payables::table::PAYABLES;
use cierre_payroll::heads::PayrollHeads;
use cierre_payroll::table::PAYROLL;
use cierre_platform::activity::{self, Activity, ChainHeads, CompanyHeads};
use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::http::{Cursors, app};
use cierre_platform::{company, telemetry};
use lambda_http::{Error, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("api-activity");
    let aws = Aws::from_env();
    let tables = [activity::TABLE, company::TABLE, BILLING, PAYROLL, PAYABLES];
    let db = Db::from_env(aws.dynamodb(), &tables);
    let heads: Vec<Box<dyn ChainHeads>> = vec![
        Box::new(CompanyHeads),
        Box::new(BillingHeads),
        Box::new(PayrollHeads),
        Box::new(PayablesHeads),
    ];
    let activity = Activity::new(db, Cursors::from_env()?, Arc::new(heads));
    run(app(activity::router(activity))).await
}
