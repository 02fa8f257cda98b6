//! What is done while calls fail: one command each, and everything that follows from it through the queue.

use cierre_billing::entity::{BatchStatus, SyncStatus};
use cierre_billing::ids::invoice_of;
use cierre_tests::{Ask, Told, Twin};
use serde_json::{Value, json};

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
    /// How much is tried at its calls.
    pub(crate) effort: Effort,
    /// What must be so in the end, beside the invariants.
    pub(crate) outcome: fn(&Twin, &Told, &End),
    /// What a person does about what ended in an error, which only three faults may bring about; afterwards the outcome must be reached.
    pub(crate) mend: fn(&Twin, &End) -> Vec<Ask>,
}

/// How much is tried at the calls of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effort {
    /// One fault at every call; when everything is delivered twice, at those that change something. For what differs from another operation
    /// by the order of its calls alone.
    Single,
    /// Also, at those that change something, faults that come again until the queue gives up.
    Lasting,
    /// Everything at every call.
    Full,
}

/// All of them. To add one is to add an entry here and, where it leaves something new behind, its invariants to [`End::check`].
pub(crate) const OPERATIONS: [Operation; 8] = [
    Operation {
        name: "enter a service",
        command: |_| {
            let service =
                json!({ "serviceDate": "2024-01-05", "customerId": 1, "amount": "10.00" });
            Ask::post("/services", service)
        },
        outcome: |_, told, end| {
            assert_eq!(told.status, 201, "{told:?}");
            let ids: Vec<String> = end.services.iter().map(|s| s.id.to_string()).collect();
            assert_eq!(ids, [told.body["id"].as_str().unwrap()], "not exactly one");
        },
        ..PLAIN
    },
    Operation {
        name: "send services",
        fresh: 3,
        command: |twin| {
            let asked = json!({ "serviceIds": twin.fresh });
            Ask::post("/services/send-to-billing", asked)
        },
        outcome: |twin, told, end| {
            assert_eq!(told.body["failed"], json!([]), "{told:?}");
            let pendings = told.body["pendings"].as_array().unwrap().len();
            assert_eq!(pendings, twin.fresh.len(), "{told:?}");
            // A second sending would show in the count.
            assert!(end.services.iter().all(|service| service.sends == 1));
        },
        ..PLAIN
    },
    Operation {
        name: "batch of 3",
        sent: 3,
        command: |twin| Ask::post("/billing-batches", batch(twin, 0..3)),
        outcome: |_, _, end| all_invoiced(end, 1),
        ..PLAIN
    },
    // Two blocks of claims, two chunks of documents.
    Operation {
        name: "batch of 101",
        sent: 101,
        command: |twin| Ask::post("/billing-batches", batch(twin, 0..101)),
        effort: Effort::Lasting,
        outcome: |_, _, end| all_invoiced(end, 1),
        ..PLAIN
    },
    Operation {
        name: "batch at once",
        sent: 3,
        command: |twin| Ask::post("/billing-batches/sync", batch(twin, 0..3)),
        effort: Effort::Single,
        outcome: |_, _, end| all_invoiced(end, 1),
        ..PLAIN
    },
    Operation {
        name: "batch behind another",
        sent: 4,
        before: |twin| vec![Ask::post("/billing-batches", batch(twin, 0..2))],
        command: |twin| Ask::post("/billing-batches", batch(twin, 2..4)),
        effort: Effort::Single,
        outcome: |_, _, end| all_invoiced(end, 2),
        ..PLAIN
    },
    Operation {
        name: "credit note",
        sent: 1,
        before: |twin| vec![Ask::post("/billing-batches/sync", batch(twin, 0..1))],
        command: |twin| {
            let invoice = invoice_of(twin.pendings[0]);
            let body = json!({ "reason": "Returned", "amount": "0.40" });
            Ask::post(format!("/invoices/{invoice}/credit-note"), body)
        },
        outcome: |_, told, end| {
            assert_eq!(told.status, 201, "{told:?}");
            let ids: Vec<String> = end.notes.iter().map(|note| note.id.to_string()).collect();
            assert_eq!(ids, [told.body["id"].as_str().unwrap()], "not exactly one");
        },
        ..PLAIN
    },
    Operation {
        name: "ERP sync",
        sent: 3,
        before: |twin| vec![Ask::post("/billing-batches/sync", batch(twin, 0..3))],
        command: sync,
        outcome: |_, _, end| {
            let sent = end.syncs.iter().filter(|s| s.status == SyncStatus::Sent);
            assert_eq!(sent.count(), 1, "{:?}", end.syncs);
        },
        mend: |twin, end| {
            let failed = |status| status == SyncStatus::Failed;
            let all = end.syncs.iter().all(|sync| failed(sync.status));
            if all { vec![sync(twin)] } else { Vec::new() }
        },
        ..PLAIN
    },
];

/// What most of them have in common.
const PLAIN: Operation = Operation {
    name: "",
    sent: 0,
    fresh: 0,
    before: |_| Vec::new(),
    command: |_| Ask::get("/services"),
    effort: Effort::Full,
    outcome: |_, _, _| (),
    mend: |_, end| {
        let failed = end.batches.iter();
        let failed = failed.filter(|batch| batch.status == BatchStatus::Error);
        let retry = |id| Ask::post(format!("/billing-batches/{id}/retry"), Value::Null);
        failed.map(|batch| retry(batch.id)).collect()
    },
};

fn batch(twin: &Twin, which: std::ops::Range<usize>) -> Value {
    json!({ "issueDate": "2024-01-31", "receiptBook": "A-0001", "pendingIds": twin.pendings[which] })
}

fn sync(twin: &Twin) -> Ask {
    let ids: Vec<_> = twin.pendings.iter().map(|id| invoice_of(*id)).collect();
    Ask::post("/erp-sync/invoices", json!({ "invoiceIds": ids }))
}

fn all_invoiced(end: &End, batches: usize) {
    let processed = end.batches.iter();
    let processed = processed.filter(|batch| batch.status == BatchStatus::Processed);
    assert_eq!(processed.count(), batches, "{:?}", end.batches);
    assert_eq!(end.batches.len(), batches, "{:?}", end.batches);
    let invoiced = end.services.iter();
    let invoiced = invoiced.filter(|service| service.invoice().is_some());
    assert_eq!(invoiced.count(), end.services.len());
}
