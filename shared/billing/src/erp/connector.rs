//! The interface to the ERP: what it is told, and what it answers.

use std::future::Future;

use cierre_kernel::id::SyncId;
use cierre_kernel::time::Instant;
use serde::Serialize;

use crate::rules::ErpDocument;

/// What came back of a message. Reasons are sentences without a full stop; they name no address and quote nothing that was sent or
/// received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The ERP has it.
    Accepted,
    /// The ERP does not take it, and would not take it another time.
    RefusedForGood {
        /// Why.
        reason: String,
    },
    /// Not now.
    TryAgain {
        /// Why.
        reason: String,
        /// Whether the ERP may have taken it all the same: its answer was lost, or it broke down over it.
        in_doubt: bool,
    },
}

/// A part of a sync's documents, as it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part<'a> {
    /// The sync.
    pub sync_id: SyncId,
    /// Which part, from 0.
    pub chunk: u32,
    /// Parts in all.
    pub chunks: u32,
    /// Over the documents of all parts.
    pub digest: &'a str,
    /// Its documents, at most [`crate::rules::CHUNK_DOCUMENTS`], by number.
    pub invoices: &'a [ErpDocument],
}

/// A message to the ERP, as its body says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum Message<'a> {
    /// Take these documents.
    #[serde(rename = "erp.sync.chunk")]
    Chunk(Part<'a>),
    /// Take back every document of this sync, whether you have all of them, some, or none.
    #[serde(rename = "erp.sync.cancel")]
    Cancel {
        /// The sync.
        sync_id: SyncId,
    },
    /// The documents of this sync are final.
    #[serde(rename = "erp.sync.confirm")]
    Confirm {
        /// The sync.
        sync_id: SyncId,
        /// Over all its documents.
        digest: &'a str,
    },
}

impl Message<'_> {
    /// What the message is known by, the same on every attempt: `{syncId}-{chunk}`, `{syncId}-cancel`, `{syncId}-confirm`. It holds no full
    /// stop, so it cannot run into the parts of what is signed.
    pub fn id(&self) -> String {
        match self {
            Self::Chunk(part) => format!("{}-{}", part.sync_id, part.chunk),
            Self::Cancel { sync_id } => format!("{sync_id}-cancel"),
            Self::Confirm { sync_id, .. } => format!("{sync_id}-confirm"),
        }
    }
}

/// A way to the ERP. Every message may be sent again: the ERP knows it by [`Message::id`].
pub trait Connector: Send + Sync {
    /// Sends a part; `attempt` counts from 1.
    fn send_chunk(
        &self,
        part: Part<'_>,
        attempt: u32,
        now: Instant,
    ) -> impl Future<Output = Reply> + Send;

    /// Says that everything of this sync is to be taken back.
    fn cancel(&self, sync: SyncId, now: Instant) -> impl Future<Output = Reply> + Send;

    /// Says that the documents with this digest are final.
    fn confirm(
        &self,
        sync: SyncId,
        digest: &str,
        now: Instant,
    ) -> impl Future<Output = Reply> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SYNC: &str = "syn_00000000000000000000000005";

    #[test]
    fn messages_are_spelt_as_the_contract_says() {
        let sync_id = SYNC.parse().unwrap();
        let part = Part {
            sync_id,
            chunk: 1,
            chunks: 2,
            digest: "d",
            invoices: &[],
        };
        let written = |message| serde_json::to_string(&message).unwrap();
        assert_eq!(
            written(Message::Chunk(part)),
            format!(
                r#"{{"type":"erp.sync.chunk","syncId":"{SYNC}","chunk":1,"chunks":2,"digest":"d","invoices":[]}}"#
            )
        );
        assert_eq!(
            serde_json::to_value(Message::Cancel { sync_id }).unwrap(),
            json!({ "type": "erp.sync.cancel", "syncId": SYNC })
        );
        assert_eq!(
            serde_json::to_value(Message::Confirm {
                sync_id,
                digest: "d"
            })
            .unwrap(),
            json!({ "type": "erp.sync.confirm", "syncId": SYNC, "digest": "d" })
        );
    }

    #[test]
    fn a_message_is_known_by_its_sync_and_what_it_is() {
        let sync_id = SYNC.parse().unwrap();
        let part = Part {
            sync_id,
            chunk: 12,
            chunks: 20,
            digest: "d",
            invoices: &[],
        };
        let messages = [
            Message::Chunk(part),
            Message::Cancel { sync_id },
            Message::Confirm {
                sync_id,
                digest: "d",
            },
        ];
        assert_eq!(
            messages.map(|message| message.id()),
            ["12", "cancel", "confirm"].map(|end| format!("{SYNC}-{end}"))
        );
    }
}
