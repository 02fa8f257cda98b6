//! Takes parts of committed batches from the queue and turns their pendings into invoices.

use aws_lambda_events::event::sqs::SqsEvent;
use cierre_billing::engine::{CHUNKS_QUEUE, ChunkMessage, DEAD_LETTERS, Engine};
use cierre_platform::aws::Aws;
use cierre_platform::queue::{Delivery, Queue, Verdict, consume};
use cierre_platform::{Failure, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("materialise-invoices");
    let aws = Aws::from_env();
    let engine = Engine::from_env(&aws)?;
    let queue = Queue::from_env(aws.sqs(), CHUNKS_QUEUE)?;
    let dead_letters = Queue::from_env(aws.sqs(), DEAD_LETTERS)?;
    let (engine, queue, dead_letters) = (&engine, &queue, &dead_letters);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let response = consume(queue, dead_letters, event.payload, |part| {
            materialise(engine, part)
        })
        .await;
        telemetry::warmed_up();
        response.map_err(Error::from)
    }))
    .await
}

async fn materialise(engine: &Engine, part: Delivery<ChunkMessage>) -> Result<Verdict, Failure> {
    Ok(engine.materialise(&part.body).await?.into())
}
