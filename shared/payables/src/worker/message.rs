//! What stands in the queues: ids only, never content; and what the bucket says.

use aws_lambda_events::event::s3::S3Event;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::id::TrabajoFacturasId;
use cierre_platform::s3_events::TestEvent;
use serde::{Deserialize, Serialize};

/// "Do this job."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobMessage {
    /// The tenant.
    pub company_id: CompanyId,
    /// The job.
    pub trabajo_id: TrabajoFacturasId,
    /// The correlation id of the command that asked for it.
    pub correlation_id: CorrelationId,
    /// The version at which a worker whose time was up left it. Whoever finds that version goes on with the same attempt; at any other one somebody
    /// was at it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// Whatever stands in the queue of files.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Incoming {
    /// The bucket took objects.
    Objects(S3Event),
    /// The bucket tries the queue.
    Test(TestEvent),
}

/// Whatever a worker left behind in the dead-letter queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum LostMessage {
    /// A job.
    Job(JobMessage),
    /// Objects.
    Objects(S3Event),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_by_their_fields() {
        let plain = r#"{"companyId":"demo","trabajoId":"trb_01JD0000000000000000000000","correlationId":"c"}"#;
        let Ok(LostMessage::Job(job)) = serde_json::from_str(plain) else {
            panic!("not read")
        };
        assert_eq!(job.version, None);
        assert_eq!(serde_json::to_string(&job).unwrap(), plain);
        let records = r#"{"Records":[]}"#;
        assert!(matches!(
            serde_json::from_str(records),
            Ok(LostMessage::Objects(_))
        ));
        assert!(matches!(
            serde_json::from_str(records),
            Ok(Incoming::Objects(_))
        ));
        assert!(serde_json::from_str::<LostMessage>(r#"{"hello":1}"#).is_err());
    }
}
