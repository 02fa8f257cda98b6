//! Objects in the bucket: dropped without the API, looked at, taken away; and what the bucket says of them.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::Client as S3;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::primitives::ByteStream;
use futures::FutureExt as _;
use serde_json::{Value, json};

use super::{Closing, WORK_ENDS_WITHIN, text};
use crate::company::Company;
use crate::stack::Stack;
use crate::wait::{eventually, within};

/// An object that was put into the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its key.
    pub key: String,
    /// Its version.
    pub version: String,
}

impl Stack {
    /// S3 with root rights.
    pub fn s3(&self) -> S3 {
        let config = aws_sdk_s3::config::Builder::from(self.sdk())
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        S3::from_conf(config.build())
    }

    /// The bucket of uploads.
    pub fn bucket(&self) -> String {
        self.output("UPLOADS_BUCKET")
    }

    /// Puts an object under any key.
    pub async fn drop_at(&self, key: &str, bytes: &[u8]) -> Dropped {
        let put = self.s3().put_object().bucket(self.bucket()).key(key);
        let put = put.body(ByteStream::from(bytes.to_vec()));
        let answer = put.send().await.expect("the bucket takes it");
        Dropped {
            key: key.to_owned(),
            version: answer.version_id.expect("the bucket keeps versions"),
        }
    }

    /// The bytes of an object; none when there is no such object.
    pub async fn object(&self, key: &str, version: Option<&str>) -> Option<Vec<u8>> {
        let get = self.s3().get_object().bucket(self.bucket()).key(key);
        let answer = get.set_version_id(version.map(str::to_owned)).send().await;
        match answer {
            Ok(found) => Some(
                found
                    .body
                    .collect()
                    .await
                    .expect("the object is read")
                    .to_vec(),
            ),
            Err(error) => {
                let service = error.as_service_error();
                let missing = service.is_some_and(|error| error.is_no_such_key())
                    || error
                        .raw_response()
                        .is_some_and(|raw| raw.status().as_u16() == 404);
                assert!(missing, "{key}: {error:?}");
                None
            }
        }
    }

    /// The keys of the bucket's objects that begin so.
    pub async fn keys_under(&self, prefix: &str) -> Vec<String> {
        let list = self
            .s3()
            .list_objects_v2()
            .bucket(self.bucket())
            .prefix(prefix);
        let answer = list.send().await.expect("the bucket answers");
        assert_ne!(
            answer.is_truncated(),
            Some(true),
            "more objects than one page holds"
        );
        let objects = answer.contents.unwrap_or_default();
        objects
            .into_iter()
            .filter_map(|object| object.key)
            .collect()
    }

    /// Takes a version of an object away for good.
    pub async fn remove_version(&self, dropped: &Dropped) {
        let delete = self
            .s3()
            .delete_object()
            .bucket(self.bucket())
            .key(&dropped.key);
        delete
            .version_id(&dropped.version)
            .send()
            .await
            .expect("the bucket answers");
    }

    /// Hides an object behind a mark of deletion.
    pub async fn remove_object(&self, key: &str) {
        let delete = self.s3().delete_object().bucket(self.bucket()).key(key);
        delete.send().await.expect("the bucket answers");
    }

    /// Lets a function take messages from its queue, or no longer.
    async fn consume(&self, function: &str, enabled: bool) {
        let lambda = self.lambda();
        let wanted = if enabled { "Enabled" } else { "Disabled" };
        let list = lambda
            .list_event_source_mappings()
            .function_name(self.function(function));
        let listed = list.send().await.expect("Lambda answers");
        let [mapping] = listed.event_source_mappings() else {
            panic!("{function} has not one queue")
        };
        let id = mapping.uuid().expect("a mapping has an id");
        if mapping.state() == Some(wanted) {
            return;
        }
        let update = lambda
            .update_event_source_mapping()
            .uuid(id)
            .enabled(enabled);
        update.send().await.expect("Lambda answers");
        eventually(&format!("{function} is {wanted}"), || async {
            let found = lambda
                .get_event_source_mapping()
                .uuid(id)
                .send()
                .await
                .expect("Lambda answers");
            (found.state() == Some(wanted)).then_some(())
        })
        .await;
    }

    /// Does something while a function takes no messages from its queue; afterwards it takes them again, whatever came out.
    pub async fn while_waiting<T>(&self, function: &str, work: impl AsyncFnOnce() -> T) -> T {
        self.consume(function, false).await;
        let outcome = AssertUnwindSafe(work()).catch_unwind().await;
        self.consume(function, true).await;
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// An item of payroll's table; empty when there is none.
    pub async fn payroll_item(&self, pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(self.output("PAYROLL_TABLE"));
        let get = get.key("pk", AttributeValue::S(pk.to_owned()));
        let get = get
            .key("sk", AttributeValue::S(sk.to_owned()))
            .consistent_read(true);
        get.send()
            .await
            .expect("the table answers")
            .item
            .unwrap_or_default()
    }
}

impl Closing {
    /// The key to which people drop a file of this kind.
    pub fn key(&self, tipo: &str, nombre: &str) -> String {
        format!("payroll/{}/{}/{tipo}/{nombre}", self.company.id, self.id)
    }

    /// Drops a file.
    pub async fn drop_file(&self, tipo: &str, nombre: &str, bytes: &[u8]) -> Dropped {
        self.company
            .stack
            .drop_at(&self.key(tipo, nombre), bytes)
            .await
    }

    /// Drops a file and waits until a worker is done with it.
    pub async fn dropped(&self, tipo: &str, nombre: &str, bytes: &[u8]) -> Value {
        let known = self.named(tipo, nombre).await;
        self.drop_file(tipo, nombre, bytes).await;
        let what = format!("the dropped {nombre} is a file");
        let file = within(WORK_ENDS_WITHIN, &what, || async {
            let files = self.named(tipo, nombre).await;
            files
                .into_iter()
                .find(|file| known.iter().all(|known| known["id"] != file["id"]))
        });
        self.file_end(&text(&file.await["id"])).await
    }

    async fn named(&self, tipo: &str, nombre: &str) -> Vec<Value> {
        let files = self.list(&format!("/archivos?tipo={tipo}")).await;
        files
            .into_iter()
            .filter(|file| file["nombre"] == nombre)
            .collect()
    }

    /// A file as it stands in the table, which answers faster than the API; null when there is none.
    pub async fn stored_file(&self, archivo: &str) -> Value {
        let pk = format!("{}#cierre#{}", self.company.id, self.id);
        let item = self
            .company
            .stack
            .payroll_item(&pk, &format!("arc#{archivo}"))
            .await;
        let texts = item.values().filter_map(|value| value.as_s().ok());
        let mut documents = texts.filter_map(|text| serde_json::from_str::<Value>(text).ok());
        documents
            .find(|value| value["estado"].is_string())
            .unwrap_or(Value::Null)
    }

    /// What the bucket said of a file's object, word for word where it identifies the object.
    pub async fn notice(&self, archivo: &str) -> Value {
        let object = self.stored_file(archivo).await["objeto"].clone();
        let told = Told {
            key: text(&object["clave"]),
            version: text(&object["version_id"]),
            etag: text(&object["etag"]),
            sequencer: text(&object["secuencia"]),
            bytes: object["tamano"].as_u64().unwrap(),
        };
        self.company
            .stack
            .notice_of(&told, &text(&object["modificado_en"]))
    }

    /// Sends to the queue of files what the bucket would.
    pub async fn deliver(&self, notice: &Value) {
        self.company
            .send_to("PAYROLL_FILES_QUEUE_URL", &notice.to_string())
            .await;
    }

    /// Has the worker of files handle these messages at once, in this order.
    pub async fn deliver_now(&self, bodies: &[Value]) {
        let stack = &self.company.stack;
        stack.hand_over("receive-payroll-files", bodies).await;
    }

    /// Waits until no message of payroll waits or is being worked on. For tests that run alone.
    pub async fn queues_are_empty(&self) {
        within(WORK_ENDS_WITHIN, "payroll's queues are empty", || async {
            let mut waiting = 0;
            for queue in [
                "PAYROLL_FILES_QUEUE_URL",
                "PAYROLL_JOBS_QUEUE_URL",
                "PAYROLL_DLQ_URL",
            ] {
                waiting += self.company.messages(queue).await;
            }
            (waiting == 0).then_some(())
        })
        .await;
    }
}

/// What identifies an object in a notice.
pub(crate) struct Told {
    pub(crate) key: String,
    pub(crate) version: String,
    pub(crate) etag: String,
    pub(crate) sequencer: String,
    pub(crate) bytes: u64,
}

impl Stack {
    /// Has a function handle these messages at once, in this order; none may fail.
    pub async fn hand_over(&self, function: &str, bodies: &[Value]) {
        let record = |(nth, body): (usize, &Value)| {
            json!({
                "messageId": format!("00000000-0000-4000-8000-{nth:012}"),
                "receiptHandle": "of no queue",
                "body": body.to_string(),
                "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1760000000000" },
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:cierre-{function}"),
                "awsRegion": "us-east-1",
            })
        };
        let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
        let answer = self.invoke(function, &json!({ "Records": records })).await;
        assert_eq!(answer["batchItemFailures"], json!([]), "{answer}");
    }

    /// What the bucket says of an object.
    pub(crate) fn notice_of(&self, told: &Told, time: &str) -> Value {
        let bucket = self.bucket();
        json!({ "Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": time,
            "eventName": "ObjectCreated:Put",
            "userIdentity": { "principalId": "AWS:AROAEXAMPLE" },
            "requestParameters": { "sourceIPAddress": "192.0.2.10" },
            "responseElements": { "x-amz-request-id": "again", "x-amz-id-2": "again" },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "again",
                "bucket": { "name": bucket, "ownerIdentity": { "principalId": "EXAMPLE" }, "arn": format!("arn:aws:s3:::{bucket}") },
                "object": { "key": encoded(&told.key), "size": told.bytes, "eTag": told.etag, "versionId": told.version, "sequencer": told.sequencer },
            },
        }] })
    }
}

/// A key as S3 writes it in events.
fn encoded(key: &str) -> String {
    let mut text = String::new();
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'*' => {
                text.push(char::from(byte));
            }
            b' ' => text.push('+'),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

impl Company {
    /// What is in quarantine, newest first.
    pub async fn quarantine(&self) -> Vec<Value> {
        self.analyst().await.list("/api/nomina/cuarentena").await
    }

    /// Waits until so many objects are in quarantine.
    pub async fn quarantined(&self, count: usize) -> Vec<Value> {
        eventually(&format!("{count} objects are in quarantine"), || async {
            let listed = self.quarantine().await;
            (listed.len() >= count).then_some(listed)
        })
        .await
    }

    /// Waits until messages are in a queue that nobody consumes, takes them away, and answers what they say.
    pub async fn take_messages(&self, queue: &str) -> Vec<Value> {
        let (sqs, url) = (self.stack.sqs(), self.stack.output(queue));
        let messages = eventually(&format!("{queue} holds a message"), || async {
            let receive = sqs
                .receive_message()
                .queue_url(&url)
                .max_number_of_messages(10);
            receive.send().await.expect("the queue answers").messages
        })
        .await;
        for message in &messages {
            let delete = sqs.delete_message().queue_url(&url);
            let delete = delete.receipt_handle(message.receipt_handle().expect("a receipt"));
            delete.send().await.expect("the queue answers");
        }
        let bodies = messages
            .iter()
            .map(|message| message.body().expect("a message has a body"));
        bodies
            .map(|body| serde_json::from_str(body).expect("a message is JSON"))
            .collect()
    }
}
