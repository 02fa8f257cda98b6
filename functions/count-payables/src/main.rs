//! Follows the payables table's stream and keeps the figures of the dashboard.

use aws_lambda_events::event::dynamodb::Event;
use cierre_payables::{contadores, table};
use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::{stream, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("count-payables");
    let aws = Aws::from_env();
    let db = Db::from_env(aws.dynamodb(), &[table::PAYABLES]);
    let db = &db;
    run(service_fn(move |event: LambdaEvent<Event>| async move {
        let follow = stream::consume(event.payload, async |changes| {
            contadores::follow(db, changes).await
        });
        Box::pin(follow).await.map_err(Error::from)
    }))
    .await
}
