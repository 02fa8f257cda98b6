//! Every quarter of an hour: begins what is due in each company's day, and queues jobs again that made no progress for five minutes.

use std::time::Duration;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use cierre_kernel::time::Instant;
use cierre_payables::table::PAYABLES;
use cierre_payables::worker::{JOBS_QUEUE, schedule};
use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::queue::Queue;
use cierre_platform::{clock, company, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

/// A job is quiet after this long without progress.
const QUIET: Duration = Duration::from_secs(5 * 60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("schedule-payables");
    let aws = Aws::from_env();
    let db = Db::from_env(aws.dynamodb(), &[PAYABLES, company::TABLE]);
    let jobs = Queue::from_env(aws.sqs(), JOBS_QUEUE)?;
    let (db, jobs) = (&db, &jobs);
    run(service_fn(
        move |event: LambdaEvent<EventBridgeEvent<Value>>| async move {
            // The schedule carries its time, so an event made by hand can be any hour's.
            let now = event.payload.time.map_or_else(clock::now, |time| {
                Instant::from_millis(time.timestamp_millis())
            });
            let done = schedule(db, jobs, now, QUIET).await?;
            tracing::info!(
                started = done.started,
                queued = done.queued,
                "payables is on schedule"
            );
            telemetry::warmed_up();
            Ok::<(), Error>(())
        },
    ))
    .await
}
