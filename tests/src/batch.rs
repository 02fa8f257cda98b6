//! Batches in tests: made, waited for, looked into.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Client;
use crate::company::Company;
use crate::wait::within;

/// Longer than three attempts with their waits and a dead worker's lease each take.
pub const BATCH_ENDS_WITHIN: Duration = Duration::from_secs(150);

/// A batch request over these pendings.
pub fn batch_of(book: &str, pendings: &[String]) -> Value {
    json!({ "issueDate": "2024-01-31", "receiptBook": book, "pendingIds": pendings })
}

impl Client {
    /// Asks for a batch and answers its id.
    pub async fn start_batch(&self, body: Value) -> String {
        let answer = self.post("/billing-batches", body).await.expect(202);
        assert_eq!(answer["batch"]["status"], "PENDING_PROCESSING");
        answer["batch"]["id"].as_str().expect("an id").to_owned()
    }

    /// The batch and its job.
    pub async fn batch_status(&self, id: &str) -> Value {
        self.get(&format!("/billing-batches/{id}/status"))
            .await
            .expect(200)
    }

    /// Waits until the batch is in `ERROR`, or committed and materialised. Its progress must not fall on the way.
    pub async fn batch_end(&self, id: &str) -> Value {
        let reached = std::sync::atomic::AtomicU64::new(0);
        within(BATCH_ENDS_WITHIN, &format!("batch {id} ends"), || async {
            let status = self.batch_status(id).await;
            let progress = status["jobInfo"]["progress"].as_u64().expect("a progress");
            let before = reached.fetch_max(progress, std::sync::atomic::Ordering::Relaxed);
            assert!(progress >= before, "progress fell from {before}: {status}");
            let batch = &status["batch"];
            let processed = batch["status"] == "PROCESSED";
            assert_eq!(progress == 100, processed, "100 says processed: {status}");
            (batch["status"] == "ERROR" || (processed && batch["materialized"] == true))
                .then(|| batch.clone())
        })
        .await
    }

    /// Asks for a batch and waits for its end.
    pub async fn run_batch(&self, body: Value) -> Value {
        let id = self.start_batch(body).await;
        self.batch_end(&id).await
    }
}

impl Company {
    /// The run of a batch as it stands in the table: whose turn it is and how far the work is.
    pub async fn batch_run(&self, id: &str) -> Value {
        let key = |value: String| aws_sdk_dynamodb::types::AttributeValue::S(value);
        let answer = self
            .stack
            .dynamodb()
            .get_item()
            .table_name(self.stack.output("BILLING_TABLE"))
            .key("pk", key(format!("{}#batch#{id}", self.id)))
            .key("sk", key("run".to_owned()))
            .consistent_read(true)
            .send()
            .await
            .expect("the table answers");
        let item = answer.item.expect("a batch has a run");
        let number = |name: &str| {
            item.get(name)
                .and_then(|v| v.as_n().ok())
                .and_then(|n| n.parse::<i64>().ok())
                .unwrap_or(0)
        };
        let phase = item
            .get("phase")
            .and_then(|v| v.as_s().ok())
            .cloned()
            .unwrap_or_default();
        let working = item
            .get("working")
            .and_then(|v| v.as_bool().ok())
            .copied()
            .unwrap_or_default();
        json!({ "phase": phase, "claims": number("claims"), "staged": number("staged"), "epoch": number("epoch"), "working": working })
    }

    /// Sends the job message of a batch once more, as a queue that delivers twice would.
    pub async fn resend_job(&self, id: &str, job_id: &str) {
        let body = json!({ "companyId": self.id, "batchId": id, "jobId": job_id, "correlationId": "twice" });
        self.send_to("BILLING_JOBS_QUEUE_URL", &body.to_string())
            .await;
    }

    /// Sends the message of a part of stage 4 once more.
    pub async fn resend_part(&self, id: &str, part: u32) {
        let body =
            json!({ "companyId": self.id, "batchId": id, "chunk": part, "correlationId": "twice" });
        self.send_to("BILLING_CHUNKS_QUEUE_URL", &body.to_string())
            .await;
    }

    /// Sends any text to a queue.
    pub async fn send_to(&self, queue: &str, body: &str) {
        let sent = self
            .stack
            .sqs()
            .send_message()
            .queue_url(self.stack.output(queue))
            .message_body(body)
            .send()
            .await;
        sent.expect("the queue takes it");
    }
}

/// An item that a test took out of the table.
#[derive(Debug)]
pub struct Taken(std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>);

impl Company {
    /// Whether no message of billing waits or is being worked on.
    pub async fn queues_are_empty(&self) -> bool {
        for queue in [
            "BILLING_JOBS_QUEUE_URL",
            "BILLING_CHUNKS_QUEUE_URL",
            "BILLING_JOBS_DLQ_URL",
        ] {
            if self.messages(queue).await > 0 {
                return false;
            }
        }
        true
    }

    /// Messages that wait for people.
    pub async fn parked(&self) -> u64 {
        self.messages("BILLING_PARKED_QUEUE_URL").await
    }

    /// Messages that wait in a queue or are being worked on.
    pub async fn messages(&self, queue: &str) -> u64 {
        use aws_sdk_sqs::types::QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible,
        };
        let names = [
            ApproximateNumberOfMessages,
            ApproximateNumberOfMessagesNotVisible,
        ];
        let asked = self
            .stack
            .sqs()
            .get_queue_attributes()
            .queue_url(self.stack.output(queue));
        let answer = asked
            .set_attribute_names(Some(names.to_vec()))
            .send()
            .await
            .expect("the queue answers");
        let attributes = answer.attributes.unwrap_or_default();
        names
            .iter()
            .filter_map(|name| attributes.get(name)?.parse::<u64>().ok())
            .sum()
    }

    /// Runs `ask`, which makes a batch, while another ticket stands before it in its book's queue, and goes on when the batch's first
    /// message was consumed without effect.
    pub async fn block_book<F: Future<Output = String>>(
        &self,
        book: &str,
        ask: impl FnOnce() -> F,
    ) -> String {
        let blocker = std::collections::HashMap::from([
            (
                "pk".to_owned(),
                text_value(format!("{}#bookqueue#{book}", self.id)),
            ),
            (
                "sk".to_owned(),
                text_value("0000000000000#first".to_owned()),
            ),
            (
                "batchId".to_owned(),
                text_value("bat_00000000000000000000000000".to_owned()),
            ),
            ("jobId".to_owned(), text_value("blocker".to_owned())),
            ("correlationId".to_owned(), text_value("blocker".to_owned())),
        ]);
        let table = self.stack.output("BILLING_TABLE");
        let db = self.stack.dynamodb();
        db.put_item()
            .table_name(&table)
            .set_item(Some(blocker.clone()))
            .send()
            .await
            .expect("the table answers");
        let id = ask().await;
        crate::wait::eventually("the first message is consumed", || async {
            self.queues_are_empty().await.then_some(())
        })
        .await;
        let key = blocker
            .into_iter()
            .filter(|(name, _)| name == "pk" || name == "sk")
            .collect();
        db.delete_item()
            .table_name(&table)
            .set_key(Some(key))
            .send()
            .await
            .expect("the table answers");
        id
    }

    /// Takes an item out of the billing table.
    pub async fn take_away(&self, pk: &str, sk: &str) -> Taken {
        use aws_sdk_dynamodb::types::ReturnValue;
        let delete = self
            .stack
            .dynamodb()
            .delete_item()
            .table_name(self.stack.output("BILLING_TABLE"));
        let delete = delete
            .key("pk", text_value(pk.to_owned()))
            .key("sk", text_value(sk.to_owned()));
        let answer = delete
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .expect("the table answers");
        Taken(answer.attributes.expect("the item was there"))
    }

    /// Puts an item back.
    pub async fn put_back(&self, taken: Taken) {
        let put = self
            .stack
            .dynamodb()
            .put_item()
            .table_name(self.stack.output("BILLING_TABLE"));
        put.set_item(Some(taken.0))
            .send()
            .await
            .expect("the table answers");
    }
}

fn text_value(text: String) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(text)
}
