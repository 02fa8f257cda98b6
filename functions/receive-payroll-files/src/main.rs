//! Takes what arrives in the bucket: a file of a closing is read, validated and put into force; what has no place goes into quarantine.

use aws_lambda_events::event::sqs::SqsEvent;
use cierre_payroll::worker::{DEAD_LETTERS, FILES_QUEUE, Payroll};
use cierre_platform::aws::Aws;
use cierre_platform::queue::{Queue, consume};
use cierre_platform::telemetry;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("receive-payroll-files");
    let aws = Aws::from_env();
    let payroll = Payroll::from_env(&aws)?;
    let queue = Queue::from_env(aws.sqs(), FILES_QUEUE)?;
    let dead_letters = Queue::from_env(aws.sqs(), DEAD_LETTERS)?;
    let (payroll, queue, dead_letters) = (&payroll, &queue, &dead_letters);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let response = consume(queue, dead_letters, event.payload, |file| {
            payroll.take(file)
        });
        let response = response.await;
        telemetry::warmed_up();
        response.map_err(Error::from)
    }))
    .await
}
