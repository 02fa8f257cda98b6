//! What stands in the queues: ids only, never content. And what the queue is told of a message in the end.

use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::id::BatchId;
use cierre_platform::queue::Verdict;
use serde::{Deserialize, Serialize};

use super::{Advance, Materialised};
use crate::erp::{SyncAdvance, SyncMessage};

/// "Advance this batch." Sent when a batch is accepted, retried, handed over, woken or swept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobMessage {
    /// The tenant.
    pub company_id: CompanyId,
    /// The batch.
    pub batch_id: BatchId,
    /// The job; a message of an earlier job of the same batch has no effect.
    pub job_id: String,
    /// The correlation id of the command that asked for it.
    pub correlation_id: CorrelationId,
}

/// "Materialise this part of a committed batch."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChunkMessage {
    /// The tenant.
    pub company_id: CompanyId,
    /// The batch.
    pub batch_id: BatchId,
    /// Which part, from 0.
    pub chunk: u32,
    /// The correlation id of the command that made the batch.
    pub correlation_id: CorrelationId,
}

/// Whatever a worker left behind in the dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LostMessage {
    /// A part of a committed batch.
    Chunk(ChunkMessage),
    /// A job.
    Job(JobMessage),
    /// An ERP sync.
    Sync(SyncMessage),
}

impl From<Advance> for Verdict {
    fn from(outcome: Advance) -> Self {
        match outcome {
            Advance::Finished | Advance::NotNow => Self::Done,
            Advance::Again { seconds } => Self::Again {
                seconds: seconds.try_into().unwrap_or(i32::MAX),
            },
            Advance::Unknown => Self::Senseless,
        }
    }
}

impl From<SyncAdvance> for Verdict {
    fn from(outcome: SyncAdvance) -> Self {
        match outcome {
            SyncAdvance::Finished => Self::Done,
            SyncAdvance::Busy { seconds } => Self::Again {
                seconds: seconds.try_into().unwrap_or(i32::MAX),
            },
            SyncAdvance::Unknown => Self::Senseless,
        }
    }
}

impl From<Materialised> for Verdict {
    fn from(outcome: Materialised) -> Self {
        match outcome {
            Materialised::Part | Materialised::Batch => Self::Done,
            Materialised::NothingThere => Self::Senseless,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_message_is_told_apart_by_its_fields() {
        let job = r#"{"companyId":"demo","batchId":"bat_01JD0000000000000000000000","jobId":"batch-1","correlationId":"c"}"#;
        let chunk = r#"{"companyId":"demo","batchId":"bat_01JD0000000000000000000000","chunk":3,"correlationId":"c"}"#;
        assert!(matches!(serde_json::from_str(job), Ok(LostMessage::Job(_))));
        assert!(matches!(
            serde_json::from_str(chunk),
            Ok(LostMessage::Chunk(_))
        ));
        let sync =
            r#"{"companyId":"demo","syncId":"syn_01JD0000000000000000000000","correlationId":"c"}"#;
        assert!(matches!(
            serde_json::from_str(sync),
            Ok(LostMessage::Sync(_))
        ));
        assert!(serde_json::from_str::<LostMessage>(r#"{"hello":1}"#).is_err());
    }
}
