//! Follows the billing table's stream and keeps summary, statistics and job figures.

use aws_lambda_events::event::dynamodb::Event;
use cierre_billing::{figures, table};
use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::{stream, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("count-billing");
    let aws = Aws::from_env();
    let db = Db::from_env(aws.dynamodb(), &[table::BILLING]);
    let db = &db;
    run(service_fn(move |event: LambdaEvent<Event>| async move {
        let follow = stream::consume(event.payload, async |changes| {
            figures::follow(db, changes).await
        });
        Box::pin(follow).await.map_err(Error::from)
    }))
    .await
}
