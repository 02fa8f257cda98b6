//! Takes ERP syncs from the queue: holds their documents, sends their parts, and tells the ERP what became of them.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use cierre_billing::engine::{DEAD_LETTERS, Deadline};
use cierre_billing::erp::{SyncMessage, Syncs};
use cierre_platform::aws::Aws;
use cierre_platform::queue::{Delivery, Queue, Verdict, consume};
use cierre_platform::{Failure, clock, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

/// Before the function's own time is up: the ERP's answer to one more part and the hand-over fit in.
const MARGIN: Duration = Duration::from_secs(25);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("run-erp-sync");
    let aws = Aws::from_env();
    let syncs = Syncs::from_env(&aws)?;
    let dead_letters = Queue::from_env(aws.sqs(), DEAD_LETTERS)?;
    let (syncs, dead_letters) = (&syncs, &dead_letters);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let deadline = Deadline::after(clock::until(event.context.deadline).saturating_sub(MARGIN));
        let response = consume(&syncs.queue, dead_letters, event.payload, |sync| {
            advance(syncs, sync, deadline)
        })
        .await;
        telemetry::warmed_up();
        response.map_err(Error::from)
    }))
    .await
}

async fn advance(
    syncs: &Syncs,
    sync: Delivery<SyncMessage>,
    deadline: Deadline,
) -> Result<Verdict, Failure> {
    Ok(syncs.advance(&sync.body, deadline).await?.into())
}
