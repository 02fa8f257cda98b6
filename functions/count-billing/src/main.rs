//! Follows the billing table's stream and keeps summary, statistics and job figures.

use aws_lambda_events::event::dynamodb::Event;
use cierre_billing::{figures, table};
use cierre_platform::db::Db;
use cierre_platform::{aws, stream, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("count-billing");
    let config = aws::config().await;
    let db = Db::from_env(aws::dynamodb(&config), &[table::BILLING]);
    let db = &db;
    run(service_fn(move |event: LambdaEvent<Event>| async move {
        let counted = Box::pin(count(db, event.payload)).await;
        telemetry::warmed_up();
        counted
    }))
    .await
}

/// Counts a batch, or fails as a whole: what was counted by then is skipped when the batch comes again.
async fn count(db: &Db, event: Event) -> Result<(), Error> {
    let changes = stream::changes(event);
    if let Err(failure) = figures::follow(db, &changes).await {
        tracing::error!(
            error = failure.chain(),
            "counting changes failed, the batch will come again"
        );
        return Err(failure.into());
    }
    tracing::info!(changes = changes.len(), "changes counted");
    Ok(())
}
