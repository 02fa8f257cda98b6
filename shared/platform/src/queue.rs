//! Queues: sending, and the one loop that every queue function runs.
//!
//! A consumer may see a message twice, late or out of order. What the loop adds is the same for all of them: a message that cannot be read
//! goes to the dead-letter queue at once; a panic fails one message, not its neighbours; and a heartbeat keeps a message invisible only as
//! long as its worker lives, so that a dead worker's message comes back within [`INVISIBLE_SECONDS`] and not after the queue's own,
//! much longer, time-out.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Instrument;

use crate::aws::Lazy;
use crate::error::{Doing, Failure};
use crate::{db, telemetry};

/// How long a message stays invisible without a heartbeat.
pub const INVISIBLE_SECONDS: i32 = 20;
/// Time between heartbeats; several fit into [`INVISIBLE_SECONDS`], so one lost request does no harm.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// SQS delays no message longer, in seconds.
const MAX_DELAY: u32 = 900;
/// Messages of one SendMessageBatch request.
const MAX_BATCH: usize = 10;

/// One queue to send to or to consume from. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Lazy<Client>,
    url: String,
}

impl Queue {
    /// The queue whose address stands in the environment variable.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn from_env(
        client: impl Into<Lazy<Client>>,
        variable: &'static str,
    ) -> Result<Self, Failure> {
        let url = std::env::var(variable)
            .doing(&format!("reading the environment variable {variable}"))?;
        Ok(Self::new(client, url))
    }

    /// The queue at this address.
    pub fn new(client: impl Into<Lazy<Client>>, url: String) -> Self {
        Self {
            client: client.into(),
            url,
        }
    }

    /// Sends one message as JSON.
    ///
    /// # Errors
    /// When SQS does not take it.
    pub async fn send(&self, message: &impl Serialize) -> Result<(), Failure> {
        self.send_text(serde_json::to_string(message).doing("writing a message")?)
            .await
    }

    /// Sends one message as JSON that is delivered after so many seconds, 900 at most.
    ///
    /// # Errors
    /// When SQS does not take it.
    pub async fn send_after(&self, message: &impl Serialize, seconds: u32) -> Result<(), Failure> {
        let body = serde_json::to_string(message).doing("writing a message")?;
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .delay_seconds(seconds.min(MAX_DELAY).try_into().unwrap_or_default())
            .send()
            .await
            .doing("sending a message for later")?;
        Ok(())
    }

    async fn send_text(&self, body: String) -> Result<(), Failure> {
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .send()
            .await
            .doing("sending a message")?;
        Ok(())
    }

    /// Sends messages as JSON, ten to a request.
    ///
    /// # Errors
    /// When SQS does not take one of them; those before it were sent, so a repeat may send them twice.
    pub async fn send_all<T: Serialize>(&self, messages: &[T]) -> Result<(), Failure> {
        for chunk in messages.chunks(MAX_BATCH) {
            let mut batch = self.client.send_message_batch().queue_url(&self.url);
            for (index, message) in chunk.iter().enumerate() {
                let body = serde_json::to_string(message).doing("writing a message")?;
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(body);
                batch = batch.entries(entry.build().doing("building a message")?);
            }
            let answer = batch.send().await.doing("sending messages")?;
            if let Some(refused) = answer.failed().first() {
                return Err(Failure::message(format!(
                    "SQS refused a message: {}",
                    refused.code()
                )));
            }
        }
        Ok(())
    }

    async fn hide(&self, receipt: &str, seconds: i32) -> Result<(), Failure> {
        self.client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt)
            .visibility_timeout(seconds)
            .send()
            .await
            .doing("changing a message's visibility")?;
        Ok(())
    }
}

/// What a consumer says of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its work is done, or was done before, or is somebody else's: delete it.
    Done,
    /// Deliver it again after so many seconds.
    Again {
        /// The wait.
        seconds: i32,
    },
    /// It makes no sense and never will: to the dead-letter queue.
    Senseless,
    /// It was tried often enough: to the dead-letter queue, for a person. Why was logged by who decided it.
    GivenUp,
}

/// A delivered message, understood.
#[derive(Clone, Debug)]
pub struct Delivery<T> {
    /// The message.
    pub body: T,
    /// SQS's id of it, for logs.
    pub message_id: String,
    /// How often it was delivered, this time included.
    pub receive_count: u32,
}

/// When a worker has to have stopped.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(tokio::time::Instant);

impl Deadline {
    /// So long from now.
    pub fn after(time: Duration) -> Self {
        Self(tokio::time::Instant::now() + time)
    }

    /// Whether it is time to hand over.
    pub fn is_near(self) -> bool {
        tokio::time::Instant::now() >= self.0
    }
}

/// Runs a consumer over one Lambda event. Messages are handled one after the other; each gets its own span, heartbeat and panic guard.
///
/// # Errors
/// Never for a single message's sake; only when the answer cannot be told apart (a message without an id).
pub async fn consume<T, F, Fut>(
    queue: &Queue,
    dead_letters: &Queue,
    event: SqsEvent,
    handle: F,
) -> Result<SqsBatchResponse, Failure>
where
    T: DeserializeOwned,
    F: Fn(Delivery<T>) -> Fut,
    Fut: Future<Output = Result<Verdict, Failure>>,
{
    let mut failed = Vec::new();
    for message in event.records {
        let id = message
            .message_id
            .clone()
            .ok_or_else(|| Failure::message("a message arrived without an id"))?;
        if !consume_one(queue, dead_letters, message, &id, &handle).await {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failed.push(failure);
        }
    }
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed;
    Ok(response)
}

/// Whether the message may be deleted.
async fn consume_one<T, F, Fut>(
    queue: &Queue,
    dead_letters: &Queue,
    message: SqsMessage,
    id: &str,
    handle: &F,
) -> bool
where
    T: DeserializeOwned,
    F: Fn(Delivery<T>) -> Fut,
    Fut: Future<Output = Result<Verdict, Failure>>,
{
    let receipt = message.receipt_handle.clone().unwrap_or_default();
    let text = message.body.clone().unwrap_or_default();
    let receive_count = message
        .attributes
        .get("ApproximateReceiveCount")
        .and_then(|count| count.parse().ok())
        .unwrap_or(1);
    let Ok(body) = serde_json::from_str::<T>(&text) else {
        return senseless(dead_letters, text, id).await;
    };
    let span = tracing::info_span!(
        "message",
        message_id = id,
        correlation_id = field(&text, "correlationId"),
        company_id = field(&text, "companyId"),
    );
    let delivery = Delivery {
        body,
        message_id: id.to_owned(),
        receive_count,
    };
    // What is said about the message afterwards is said in its span as well: whoever follows a command by its id must find how it failed.
    async {
        let work = AssertUnwindSafe(async { handle(delivery).await }).catch_unwind();
        let before = db::consumed();
        // Before the work begins: of a worker that dies at once, the message would stay hidden for as long as the queue hides any.
        hold(queue, &receipt).await;
        let verdict = tokio::select! {
            verdict = work => verdict,
            never = beat(queue, &receipt) => match never {},
        };
        let consumed = db::consumed().since(before);
        tracing::info!(
            message_id = id,
            receive_count,
            dynamodb_requests = consumed.requests,
            write_units_tenths = consumed.write_tenths,
            read_units_tenths = consumed.read_tenths,
            peak_memory_kib = telemetry::peak_memory_kib(),
            "message handled"
        );
        match verdict {
            Ok(Ok(Verdict::Done)) => true,
            Ok(Ok(Verdict::Again { seconds })) => {
                hide(queue, &receipt, seconds, id).await;
                false
            }
            Ok(Ok(Verdict::Senseless)) => senseless(dead_letters, text, id).await,
            Ok(Ok(Verdict::GivenUp)) => bury(dead_letters, text, id).await,
            Ok(Err(failure)) => {
                tracing::error!(message_id = id, error = failure.chain(), "a message failed");
                hide(queue, &receipt, 2, id).await;
                false
            }
            Err(_) => {
                tracing::error!(message_id = id, "a message's handler panicked");
                hide(queue, &receipt, 2, id).await;
                false
            }
        }
    }
    .instrument(span)
    .await
}

/// What every message of ours carries beside its own fields, for the log.
fn field(text: &str, name: &str) -> Option<String> {
    let message: serde_json::Value = serde_json::from_str(text).ok()?;
    message.get(name)?.as_str().map(str::to_owned)
}

/// Keeps the message invisible, for as long as it is polled.
async fn beat(queue: &Queue, receipt: &str) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        hold(queue, receipt).await;
    }
}

/// One heartbeat.
async fn hold(queue: &Queue, receipt: &str) {
    if let Err(failure) = queue.hide(receipt, INVISIBLE_SECONDS).await {
        tracing::warn!(error = failure.chain(), "a heartbeat was lost");
    }
}

/// The wait is a courtesy: if it cannot be set, the message comes back when its last heartbeat ends.
async fn hide(queue: &Queue, receipt: &str, seconds: i32, id: &str) {
    if let Err(failure) = queue.hide(receipt, seconds).await {
        tracing::warn!(
            message_id = id,
            error = failure.chain(),
            "the wait before the next delivery could not be set"
        );
    }
}

async fn senseless(dead_letters: &Queue, text: String, id: &str) -> bool {
    tracing::error!(
        message_id = id,
        "a message cannot be understood and goes to the dead-letter queue"
    );
    bury(dead_letters, text, id).await
}

async fn bury(dead_letters: &Queue, text: String, id: &str) -> bool {
    match dead_letters.send_text(text).await {
        Ok(()) => true,
        Err(failure) => {
            tracing::error!(
                message_id = id,
                error = failure.chain(),
                "the dead-letter queue did not take the message"
            );
            false
        }
    }
}
