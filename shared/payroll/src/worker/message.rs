//! What stands in the queues: ids only, never content; and what the bucket says.

use aws_lambda_events::event::s3::{S3Event, S3EventRecord};
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::id::{ArchivoId, CierreId, TrabajoId};
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use crate::entity::drop::decode_key;

/// "Go on with this file." Sent when a file is to be processed once more, and when it was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileMessage {
    /// The tenant.
    pub company_id: CompanyId,
    /// The closing.
    pub cierre_id: CierreId,
    /// The file.
    pub archivo_id: ArchivoId,
    /// The correlation id of the command that began it.
    pub correlation_id: CorrelationId,
}

/// "Do this job."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobMessage {
    /// The tenant.
    pub company_id: CompanyId,
    /// The job.
    pub trabajo_id: TrabajoId,
    /// The correlation id of the command that asked for it.
    pub correlation_id: CorrelationId,
}

/// What the bucket sends once, when it is told where to send.
#[derive(Clone, Debug, Deserialize)]
pub struct TestEvent {
    #[serde(rename = "Event")]
    event: String,
}

impl TestEvent {
    /// Whether it is that one.
    pub fn is_test(&self) -> bool {
        self.event == "s3:TestEvent"
    }
}

/// Whatever stands in the queue of files.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Incoming {
    /// One of ours.
    File(FileMessage),
    /// The bucket took objects.
    Objects(S3Event),
    /// The bucket tries the queue.
    Test(TestEvent),
}

/// Whatever a worker left behind in the dead-letter queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum LostMessage {
    /// A file.
    File(FileMessage),
    /// A job.
    Job(JobMessage),
    /// Objects.
    Objects(S3Event),
}

/// An object as the bucket's event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// The bucket.
    pub(super) bucket: String,
    /// The key, decoded.
    pub(super) clave: String,
    /// The version, in a bucket that keeps them.
    pub(super) version_id: Option<String>,
    /// The ETag.
    pub(super) etag: String,
    /// Orders the events of one key.
    pub(super) sequencer: String,
    /// The event's time.
    pub(super) ocurrido_en: Instant,
}

impl Notice {
    /// Reads a record; none when it does not tell of an object under a decodable key.
    pub(super) fn of(record: &S3EventRecord) -> Option<Self> {
        let object = &record.s3.object;
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Some(Self {
            bucket: filled(&record.s3.bucket.name)?,
            clave: decode_key(object.key.as_deref()?).ok()?,
            version_id: filled(&object.version_id),
            etag: filled(&object.e_tag).unwrap_or_default(),
            sequencer: filled(&object.sequencer).unwrap_or_default(),
            ocurrido_en: Instant::from_millis(record.event_time.timestamp_millis()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUT: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2025-10-17T10:30:00.123Z",
        "eventName":"ObjectCreated:Put","userIdentity":{"principalId":"x"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},
        "responseElements":{"x-amz-request-id":"r","x-amz-id-2":"i"},
        "s3":{"s3SchemaVersion":"1.0","configurationId":"c","bucket":{"name":"b","ownerIdentity":{"principalId":"x"},"arn":"arn:aws:s3:::b"},
        "object":{"key":"payroll/demo/a+b%C3%B1.csv","size":3,"eTag":"e","versionId":"v","sequencer":"0055AED6DCD90281E5"}}}]}"#;

    #[test]
    fn what_the_bucket_says_is_read() {
        let Ok(Incoming::Objects(event)) = serde_json::from_str(PUT) else {
            panic!("not read")
        };
        let notice = Notice::of(&event.records[0]).unwrap();
        assert_eq!(notice.clave, "payroll/demo/a bñ.csv");
        assert_eq!(notice.version_id.as_deref(), Some("v"));
        assert_eq!(notice.ocurrido_en.to_string(), "2025-10-17T10:30:00.123Z");
    }

    #[test]
    fn the_first_message_of_a_bucket_is_no_object() {
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2025-10-17T10:30:00.000Z","Bucket":"b","RequestId":"r","HostId":"h"}"#;
        assert!(matches!(serde_json::from_str(test), Ok(Incoming::Test(test)) if test.is_test()));
    }

    #[test]
    fn messages_are_told_apart_by_their_fields() {
        let file = r#"{"companyId":"demo","cierreId":"cie_01JD0000000000000000000000","archivoId":"arc_01JD0000000000000000000000","correlationId":"c"}"#;
        assert!(matches!(serde_json::from_str(file), Ok(Incoming::File(_))));
        let job = r#"{"companyId":"demo","trabajoId":"tra_01JD0000000000000000000000","correlationId":"c"}"#;
        assert!(matches!(serde_json::from_str(job), Ok(LostMessage::Job(_))));
        assert!(matches!(
            serde_json::from_str(PUT),
            Ok(LostMessage::Objects(_))
        ));
        assert!(serde_json::from_str::<Incoming>(r#"{"hello":1}"#).is_err());
    }
}
