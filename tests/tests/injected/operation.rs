//! What is done while calls fail: one command each, and everything that follows from it through the queue.

use cierre_billing::entity::BatchStatus;
use cierre_tests::{Ask, Told, Twin};
use serde_json::json;

use crate::check::End;

/// An operation. Calls are counted from its command's first to the last one of the messages that follow.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    /// Names it in reports.
    pub(crate) name: &'static str,
    /// Services of the company whose pendings wait.
    pub(crate) sent: usize,
    /// Services of the company that were not sent.
    pub(crate) fresh: usize,
    /// Requests that are through before the first fault. The messages that they queue wait and are delivered with the operation's own.
    pub(crate) before: fn(&Twin) -> Vec<Ask>,
    /// The command. It is repeated under its key until it is answered.
    pub(crate) command: fn(&Twin) -> Ask,
    /// Whether everything is tried at its calls, or only that they fail, lose their answers and kill.
    pub(crate) thorough: bool,
    /// What must be so in the end, beside the invariants, when no fault came three times.
    pub(crate) outcome: fn(&Twin, &Told, &End),
}

/// All of them. To add one is to add an entry here and, where it leaves something new behind, its invariants to [`End::check`].
pub(crate) const OPERATIONS: [Operation; 6] = [
    Operation {
        name: "enter a service",
        sent: 0,
        fresh: 0,
        before: nothing,
        command: |_| Ask::post("/services", service()),
        thorough: true,
        outcome: |_, told, end| {
            assert_eq!(told.status, 201, "{told:?}");
            let ids: Vec<String> = end.services.iter().map(|s| s.id.to_string()).collect();
            assert_eq!(ids, [told.body["id"].as_str().unwrap()], "not exactly one");
        },
    },
    Operation {
        name: "send services",
        sent: 0,
        fresh: 3,
        before: nothing,
        command: |twin| {
            let asked = json!({ "serviceIds": twin.fresh });
            Ask::post("/services/send-to-billing", asked)
        },
        thorough: true,
        outcome: |twin, told, end| {
            assert_eq!(told.body["failed"], json!([]), "{told:?}");
            assert_eq!(
                told.body["pendings"].as_array().unwrap().len(),
                twin.fresh.len()
            );
            // A second sending would show in the count.
            assert!(end.services.iter().all(|service| service.sends == 1));
        },
    },
    Operation {
        name: "batch of 3",
        sent: 3,
        fresh: 0,
        before: nothing,
        command: |twin| Ask::post("/billing-batches", batch(twin, 0..3)),
        thorough: true,
        outcome: |_, _, end| all_invoiced(end, 1),
    },
    Operation {
        name: "batch of 120",
        sent: 120,
        fresh: 0,
        before: nothing,
        command: |twin| Ask::post("/billing-batches", batch(twin, 0..120)),
        thorough: true,
        outcome: |_, _, end| all_invoiced(end, 1),
    },
    Operation {
        name: "batch at once",
        sent: 3,
        fresh: 0,
        before: nothing,
        command: |twin| Ask::post("/billing-batches/sync", batch(twin, 0..3)),
        thorough: false,
        outcome: |_, _, end| all_invoiced(end, 1),
    },
    Operation {
        name: "batch behind another",
        sent: 4,
        fresh: 0,
        before: |twin| vec![Ask::post("/billing-batches", batch(twin, 0..2))],
        command: |twin| Ask::post("/billing-batches", batch(twin, 2..4)),
        thorough: false,
        outcome: |_, _, end| all_invoiced(end, 2),
    },
];

fn nothing(_: &Twin) -> Vec<Ask> {
    Vec::new()
}

fn service() -> serde_json::Value {
    json!({ "serviceDate": "2024-01-05", "customerId": 1, "amount": "10.00" })
}

fn batch(twin: &Twin, which: std::ops::Range<usize>) -> serde_json::Value {
    json!({ "issueDate": "2024-01-31", "receiptBook": "A-0001", "pendingIds": twin.pendings[which] })
}

fn all_invoiced(end: &End, batches: usize) {
    let processed = end.batches.iter();
    let processed = processed.filter(|batch| batch.status == BatchStatus::Processed);
    assert_eq!(processed.count(), batches, "{:?}", end.batches);
    assert_eq!(end.batches.len(), batches, "{:?}", end.batches);
    assert!(
        end.services
            .iter()
            .all(|service| service.invoice().is_some())
    );
}
