//! Takes billing jobs from the queue and advances their batches: stages 0 to 3, and stage 4 of small ones.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use cierre_billing::engine::{DEAD_LETTERS, Deadline, Engine, JOBS_QUEUE, JobMessage};
use cierre_platform::aws::Aws;
use cierre_platform::queue::{Delivery, Queue, Verdict, consume};
use cierre_platform::{Failure, clock, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

/// Before the function's own time is up: one more transaction and the hand-over fit in.
const MARGIN: Duration = Duration::from_secs(8);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("run-billing-batch");
    let aws = Aws::from_env();
    let engine = Engine::from_env(&aws)?;
    let queue = Queue::from_env(aws.sqs(), JOBS_QUEUE)?;
    let dead_letters = Queue::from_env(aws.sqs(), DEAD_LETTERS)?;
    let (engine, queue, dead_letters) = (&engine, &queue, &dead_letters);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let deadline = Deadline::after(clock::until(event.context.deadline).saturating_sub(MARGIN));
        let response = consume(queue, dead_letters, event.payload, |job| {
            advance(engine, job, deadline)
        })
        .await;
        telemetry::warmed_up();
        response.map_err(Error::from)
    }))
    .await
}

async fn advance(
    engine: &Engine,
    job: Delivery<JobMessage>,
    deadline: Deadline,
) -> Result<Verdict, Failure> {
    Ok(engine.advance(&job.body, deadline).await?.into())
}
