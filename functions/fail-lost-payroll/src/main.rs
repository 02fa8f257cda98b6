//! Takes what killed its workers three times: files and jobs end in an error that says what to do; what nobody can read is parked for people.

use aws_lambda_events::event::sqs::SqsEvent;
use cierre_payroll::worker::{DEAD_LETTERS, PARKED, Payroll};
use cierre_platform::aws::Aws;
use cierre_platform::queue::{Queue, consume};
use cierre_platform::telemetry;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("fail-lost-payroll");
    let aws = Aws::from_env();
    let payroll = Payroll::from_env(&aws)?;
    let queue = Queue::from_env(aws.sqs(), DEAD_LETTERS)?;
    let parked = Queue::from_env(aws.sqs(), PARKED)?;
    let (payroll, queue, parked) = (&payroll, &queue, &parked);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let response = consume(queue, parked, event.payload, |lost| payroll.settle(lost));
        let response = response.await;
        telemetry::warmed_up();
        response.map_err(Error::from)
    }))
    .await
}
