//! `cierre-demo <company>`: loads the demo services into the tables that the environment names.

use std::process::ExitCode;

use cierre_kernel::company::CompanyId;
use cierre_platform::db::Db;
use cierre_platform::{Error, activity, aws, company, idempotency};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(Ok(company)) = std::env::args().nth(1).map(|name| CompanyId::parse(&name)) else {
        eprintln!("Name the company: cierre-demo demo");
        return ExitCode::FAILURE;
    };
    let tables = [
        cierre_billing::table::BILLING,
        activity::TABLE,
        idempotency::TABLE,
        company::TABLE,
    ];
    let db = Db::from_env(aws::dynamodb(&aws::config().await), &tables);
    match cierre_demo::load(&db, &company).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Refused(problem)) => {
            eprintln!("{}: {}", problem.code, problem.detail);
            ExitCode::FAILURE
        }
        Err(Error::Failed(failure)) => {
            eprintln!("{}", failure.chain());
            ExitCode::FAILURE
        }
    }
}
