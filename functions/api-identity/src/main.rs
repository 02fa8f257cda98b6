//! Answers the routes of signing in, the company, its users, and health.

use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::health::Probes;
use cierre_platform::http::{Cursors, app};
use cierre_platform::identity::{self, IdentityApi, UserPool};
use cierre_platform::{activity, company, telemetry};
use lambda_http::{Error, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("api-identity");
    let aws = Aws::from_env();
    let tables = aws.dynamodb();
    let pool = UserPool::from_env(aws.client(aws_sdk_cognitoidentityprovider::Client::new))?;
    let api = IdentityApi {
        db: Db::from_env(tables.clone(), &[company::TABLE, activity::TABLE]),
        pool: pool.clone(),
        cursors: Cursors::from_env()?,
        probes: Probes {
            tables,
            queues: aws.sqs(),
            buckets: aws.client(aws_sdk_s3::Client::new),
            pool,
        },
    };
    run(app(identity::router(api))).await
}
