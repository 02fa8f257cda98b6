//! An ERP that answers by a formula, for every stage until a real one is connected.

use cierre_kernel::id::SyncId;
use cierre_kernel::time::Instant;

use super::connector::{Connector, Part, Reply};
use crate::rules::chunk_is_accepted;

/// Accepts a share of the attempts at parts, chosen by a hash of sync, part and attempt, so that every run can be repeated. What it does
/// not accept it has not received, and another attempt may succeed. It always accepts to take back and to confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulatedErp {
    /// Share of accepted attempts, in percent.
    pub success_rate: u8,
}

impl Connector for SimulatedErp {
    async fn send_chunk(&self, part: Part<'_>, attempt: u32, _now: Instant) -> Reply {
        if chunk_is_accepted(part.sync_id, part.chunk, attempt, self.success_rate) {
            Reply::Accepted
        } else {
            Reply::TryAgain {
                reason: "the simulation refused this attempt".to_owned(),
                in_doubt: false,
            }
        }
    }

    async fn cancel(&self, _sync: SyncId, _now: Instant) -> Reply {
        Reply::Accepted
    }

    async fn confirm(&self, _sync: SyncId, _digest: &str, _now: Instant) -> Reply {
        Reply::Accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::MIN;

    async fn replies(success_rate: u8) -> [bool; 3] {
        let erp = SimulatedErp { success_rate };
        let part = Part {
            sync_id: "syn_00000000000000000000000005".parse().unwrap(),
            chunk: 0,
            chunks: 1,
            digest: "d",
            invoices: &[],
        };
        [
            erp.send_chunk(part, 1, NOW).await == Reply::Accepted,
            erp.send_chunk(part, 2, NOW).await == Reply::Accepted,
            erp.send_chunk(part, 3, NOW).await == Reply::Accepted,
        ]
    }

    #[tokio::test]
    async fn the_example_is_accepted_on_its_second_attempt() {
        assert_eq!(replies(90).await, [false, true, true]);
        assert_eq!(replies(0).await, [false, false, false]);
        assert_eq!(replies(100).await, [true, true, true]);
    }

    #[tokio::test]
    async fn what_was_not_accepted_was_not_received() {
        let erp = SimulatedErp { success_rate: 0 };
        let part = Part {
            sync_id: "syn_00000000000000000000000005".parse().unwrap(),
            chunk: 0,
            chunks: 1,
            digest: "d",
            invoices: &[],
        };
        let reply = erp.send_chunk(part, 1, NOW).await;
        assert!(matches!(
            reply,
            Reply::TryAgain {
                in_doubt: false,
                ..
            }
        ));
    }

    #[tokio::test]
    async fn taking_back_and_confirming_are_always_accepted() {
        let erp = SimulatedErp { success_rate: 0 };
        let sync = "syn_00000000000000000000000005".parse().unwrap();
        assert_eq!(erp.cancel(sync, NOW).await, Reply::Accepted);
        assert_eq!(erp.confirm(sync, "d", NOW).await, Reply::Accepted);
    }
}
