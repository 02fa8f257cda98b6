//! Follows the activity table's stream and counts events per type.

use aws_lambda_events::event::dynamodb::Event;
use cierre_platform::db::Db;
use cierre_platform::{activity, aws, stream, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("count-activity");
    let config = aws::config().await;
    let db = Db::from_env(aws::dynamodb(&config), &[activity::TABLE]);
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
    if let Err(failure) = activity::count(db, &changes).await {
        tracing::error!(
            error = failure.chain(),
            "counting activity events failed, the batch will come again"
        );
        return Err(failure.into());
    }
    tracing::info!(changes = changes.len(), "activity events counted");
    Ok(())
}
