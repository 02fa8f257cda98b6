//! What `cargo local` does to a stack through the AWS SDK. A program of its own, built with the functions in one cargo call: it is made of
//! the same crates, and `cargo local` itself does not have to wait for them.
//!
//! ```text
//! cierre-local-aws user <pool> <username> <name> <company> <password> [<role>]
//! cierre-local-aws services <company>
//! cierre-local-aws object <key> <file> <media type>
//! cierre-local-aws queue <url>
//! ```
//! Region, credentials and endpoint come from the environment, for `services` also the names of the tables, for `object` that of the bucket.

mod queue;
mod services;
mod users;

use std::error::Error;
use std::process::ExitCode;

use cierre_kernel::company::CompanyId;
use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::objects::{Objects, UPLOADS_BUCKET};
use cierre_platform::{activity, company, idempotency};

/// Whatever went wrong; the whole chain is printed.
type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Err(error) = run(&words).await else {
        return ExitCode::SUCCESS;
    };
    let mut cause: Option<&dyn Error> = Some(error.as_ref());
    while let Some(error) = cause {
        eprintln!("{error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}

async fn run(words: &[&str]) -> Outcome {
    let aws = Aws::from_env();
    match words {
        ["user", pool, username, name, company, password, roles @ ..] => {
            let client = aws.client(aws_sdk_cognitoidentityprovider::Client::new);
            let user = users::User {
                username,
                name,
                company,
                password,
                roles,
            };
            users::create(&client, pool, &user).await
        }
        ["services", company] => {
            let tables = [
                cierre_billing::table::BILLING,
                activity::TABLE,
                idempotency::TABLE,
                company::TABLE,
            ];
            let db = Db::from_env(aws.dynamodb(), &tables);
            Ok(services::load(&db, &CompanyId::parse(company)?).await?)
        }
        ["object", key, file, media_type] => {
            let bucket = Objects::from_env(&aws, UPLOADS_BUCKET)?;
            bucket.put(key, std::fs::read(file)?, media_type).await?;
            Ok(())
        }
        ["queue", url] => queue::print_counts(&aws.sqs(), url).await,
        _ => Err("not a command; `cargo local` knows them".into()),
    }
}
