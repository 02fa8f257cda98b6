//! Tells the webhooks of companies that a batch is finished: queues what the activity stream shows, and posts what is queued.

use aws_lambda_events::event::{dynamodb, sqs};
use cierre_billing::webhooks::{DEAD_LETTERS, Webhooks};
use cierre_platform::aws::Aws;
use cierre_platform::error::Doing;
use cierre_platform::queue::{Queue, consume};
use cierre_platform::{Failure, stream, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("send-webhooks");
    let aws = Aws::from_env();
    let webhooks = Webhooks::from_env(&aws)?;
    let dead_letters = Queue::from_env(aws.sqs(), DEAD_LETTERS)?;
    let (webhooks, dead_letters) = (&webhooks, &dead_letters);
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        let answer = Box::pin(follow(webhooks, dead_letters, event.payload)).await;
        telemetry::warmed_up();
        answer.map_err(Error::from)
    }))
    .await
}

/// The function has two sources, and says to each what it expects: a stream nothing, a queue which messages failed.
async fn follow(webhooks: &Webhooks, dead_letters: &Queue, event: Value) -> Result<Value, Failure> {
    if event["Records"][0]["eventSource"] == "aws:dynamodb" {
        let event: dynamodb::Event = serde_json::from_value(event).doing("reading changes")?;
        let told = stream::consume(event, async |changes| webhooks.announce(changes).await);
        Box::pin(told).await?;
        return Ok(Value::Null);
    }
    let event: sqs::SqsEvent = serde_json::from_value(event).doing("reading messages")?;
    let response = consume(&webhooks.queue, dead_letters, event, async |delivery| {
        webhooks.deliver(&delivery).await
    });
    serde_json::to_value(Box::pin(response).await?).doing("writing what failed")
}
