//! Takes electronic invoices that arrive in the bucket: each becomes a factura, or a refusal that says where it is wrong.

use aws_lambda_events::event::sqs::SqsEvent;
use cierre_payables::worker::{DEAD_LETTERS, FILES_QUEUE, Payables};
use cierre_platform::aws::Aws;
use cierre_platform::queue::{Queue, consume};
use cierre_platform::telemetry;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("receive-payables-files");
    let aws = Aws::from_env();
    let payables = Payables::from_env(&aws)?;
    let queue = Queue::from_env(aws.sqs(), FILES_QUEUE)?;
    let dead_letters = Queue::from_env(aws.sqs(), DEAD_LETTERS)?;
    let (payables, queue, dead_letters) = (&payables, &queue, &dead_letters);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let response = consume(queue, dead_letters, event.payload, |file| {
            payables.take(file)
        });
        let response = response.await;
        telemetry::warmed_up();
        response.map_err(Error::from)
    }))
    .await
}
