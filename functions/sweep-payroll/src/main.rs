//! Every five minutes: queues files and jobs again that made no progress for five minutes, and marks addresses that nobody used.

use std::time::Duration;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use cierre_kernel::time::Instant;
use cierre_payroll::table::PAYROLL;
use cierre_payroll::worker::{FILES_QUEUE, JOBS_QUEUE, Queues, sweep};
use cierre_platform::aws::Aws;
use cierre_platform::db::Db;
use cierre_platform::queue::Queue;
use cierre_platform::{clock, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

/// Work is quiet after this long without progress.
const QUIET: Duration = Duration::from_secs(5 * 60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("sweep-payroll");
    let aws = Aws::from_env();
    let db = Db::from_env(aws.dynamodb(), &[PAYROLL]);
    let queues = Queues {
        files: Queue::from_env(aws.sqs(), FILES_QUEUE)?,
        jobs: Queue::from_env(aws.sqs(), JOBS_QUEUE)?,
    };
    let (db, queues) = (&db, &queues);
    run(service_fn(
        move |event: LambdaEvent<EventBridgeEvent<Value>>| async move {
            // The schedule carries its time, so an event made by hand can sweep any hour.
            let now = event.payload.time.map_or_else(clock::now, |time| {
                Instant::from_millis(time.timestamp_millis())
            });
            let swept = sweep(db, queues, now, QUIET).await?;
            tracing::info!(
                queued = swept.queued,
                expired = swept.expired,
                "payroll is swept"
            );
            telemetry::warmed_up();
            Ok::<(), Error>(())
        },
    ))
    .await
}
