//! Generates the discrepancies and incidences of a closing.

use aws_lambda_events::event::sqs::SqsEvent;
use cierre_payroll::worker::{DEAD_LETTERS, JOBS_QUEUE, Payroll};
use cierre_platform::aws::Aws;
use cierre_platform::queue::{Queue, consume};
use cierre_platform::telemetry;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("run-payroll-job");
    let aws = Aws::from_env();
    let payroll = Payroll::from_env(&aws)?;
    let queue = Queue::from_env(aws.sqs(), JOBS_QUEUE)?;
    let dead_letters = Queue::from_env(aws.sqs(), DEAD_LETTERS)?;
    let (payroll, queue, dead_letters) = (&payroll, &queue, &dead_letters);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let response = consume(queue, dead_letters, event.payload, |job| payroll.work(job));
        let response = response.await;
        telemetry::warmed_up();
        response.map_err(Error::from)
    }))
    .await
}
