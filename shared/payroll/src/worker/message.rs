//! What stands in the queues: ids only, never content; and what the bucket says.

use aws_lambda_events::event::s3::S3Event;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::id::{ArchivoId, CierreId, TrabajoId};
use cierre_platform::s3_events::TestEvent;
use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::*;

    const PUT: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2025-10-17T10:30:00.123Z",
        "eventName":"ObjectCreated:Put","userIdentity":{"principalId":"x"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},
        "responseElements":{"x-amz-request-id":"r","x-amz-id-2":"i"},
        "s3":{"s3SchemaVersion":"1.0","configurationId":"c","bucket":{"name":"b","ownerIdentity":{"principalId":"x"},"arn":"arn:aws:s3:::b"},
        "object":{"key":"payroll/demo/a+b%C3%B1.csv","size":3,"eTag":"e","versionId":"v","sequencer":"0055AED6DCD90281E5"}}}]}"#;

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
