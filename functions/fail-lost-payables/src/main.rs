//! Takes what killed its workers three times: jobs end in an error, objects in a refusal, and both say what to do; what nobody can read is parked for
//! people.

use aws_lambda_events::event::sqs::SqsEvent;
use cierre_payables::worker::{DEAD_LETTERS, PARKED, Payables};
use cierre_platform::aws::Aws;
use cierre_platform::queue::{Queue, consume};
use cierre_platform::telemetry;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("fail-lost-payables");
    let aws = Aws::from_env();
    let payables = Payables::from_env(&aws)?;
    let queue = Queue::from_env(aws.sqs(), DEAD_LETTERS)?;
    let parked = Queue::from_env(aws.sqs(), PARKED)?;
    let (payables, queue, parked) = (&payables, &queue, &parked);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let response = consume(queue, parked, event.payload, |lost| payables.settle(lost));
        let response = response.await;
        telemetry::warmed_up();
        response.map_err(Error::from)
    }))
    .await
}
