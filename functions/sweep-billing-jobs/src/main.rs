//! Every five minutes: re-queues batches and ERP syncs that made no progress for five minutes, and asks again for the CAE of credit notes. A lost message costs time, never a batch.

use std::time::Duration;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use cierre_billing::engine::Engine;
use cierre_billing::erp::SYNCS_QUEUE;
use cierre_kernel::time::Instant;
use cierre_platform::aws::Aws;
use cierre_platform::queue::Queue;
use cierre_platform::{clock, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

/// A job is quiet after this long without progress.
const QUIET: Duration = Duration::from_secs(5 * 60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("sweep-billing-jobs");
    let aws = Aws::from_env();
    let engine = Engine::from_env(&aws)?;
    let syncs = Queue::from_env(aws.sqs(), SYNCS_QUEUE)?;
    let (engine, syncs) = (&engine, &syncs);
    run(service_fn(
        move |event: LambdaEvent<EventBridgeEvent<Value>>| async move {
            // The schedule carries its time, so an event made by hand can sweep any hour.
            let now = event.payload.time.map_or_else(clock::now, |time| {
                Instant::from_millis(time.timestamp_millis())
            });
            let swept = engine.sweep(syncs, now, QUIET).await?;
            tracing::info!(jobs = swept, "jobs without progress are queued again");
            telemetry::warmed_up();
            Ok::<(), Error>(())
        },
    ))
    .await
}
