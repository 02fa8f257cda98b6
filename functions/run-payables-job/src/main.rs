//! Does jobs of payables: batches, bulk decisions, checks, repairs and reminders.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use cierre_payables::worker::{DEAD_LETTERS, JOBS_QUEUE, Payables};
use cierre_platform::aws::Aws;
use cierre_platform::queue::{Deadline, Queue, consume};
use cierre_platform::{clock, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

/// Before the function's own time is up: one more item and the hand-over fit in.
const MARGIN: Duration = Duration::from_secs(8);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("run-payables-job");
    let aws = Aws::from_env();
    let payables = Payables::from_env(&aws)?;
    let queue = Queue::from_env(aws.sqs(), JOBS_QUEUE)?;
    let dead_letters = Queue::from_env(aws.sqs(), DEAD_LETTERS)?;
    let (payables, queue, dead_letters) = (&payables, &queue, &dead_letters);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let deadline = Deadline::after(clock::until(event.context.deadline).saturating_sub(MARGIN));
        let response = consume(queue, dead_letters, event.payload, |job| {
            payables.work(queue, job, deadline)
        })
        .await;
        telemetry::warmed_up();
        response.map_err(Error::from)
    }))
    .await
}
