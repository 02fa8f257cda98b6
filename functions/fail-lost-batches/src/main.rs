//! Takes what killed its workers three times: batches end in `ERROR`, ERP syncs in `FAILED`; what is past giving up, stage 4 and what the ERP
//! is still to be told, is queued again; what nobody can read is parked for people.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use cierre_billing::engine::{DEAD_LETTERS, Deadline, Engine, LostMessage, PARKED};
use cierre_billing::erp::Syncs;
use cierre_platform::aws::Aws;
use cierre_platform::queue::{Delivery, Queue, Verdict, consume};
use cierre_platform::{Failure, clock, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

/// Before the function's own time is up: one more transaction and the hand-over fit in.
const MARGIN: Duration = Duration::from_secs(8);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("fail-lost-batches");
    let aws = Aws::from_env();
    let engine = Engine::from_env(&aws)?;
    let syncs = Syncs::from_env(&aws)?;
    let queue = Queue::from_env(aws.sqs(), DEAD_LETTERS)?;
    let parked = Queue::from_env(aws.sqs(), PARKED)?;
    let (engine, syncs, queue, parked) = (&engine, &syncs, &queue, &parked);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let deadline = Deadline::after(clock::until(event.context.deadline).saturating_sub(MARGIN));
        let response = consume(queue, parked, event.payload, |lost| {
            settle(engine, syncs, lost, deadline)
        })
        .await;
        telemetry::warmed_up();
        response.map_err(Error::from)
    }))
    .await
}

async fn settle(
    engine: &Engine,
    syncs: &Syncs,
    lost: Delivery<LostMessage>,
    deadline: Deadline,
) -> Result<Verdict, Failure> {
    Ok(match lost.body {
        LostMessage::Job(job) => engine.give_up(&job, deadline).await?.into(),
        LostMessage::Chunk(part) => engine.requeue(part).await?.into(),
        LostMessage::Sync(sync) => syncs.give_up(&sync, deadline).await?.into(),
    })
}
