//! What holds after any sequence of commands.

use std::collections::BTreeSet;

use cierre_kernel::decision::Decision;
use cierre_kernel::id::PendingId;
use proptest::prelude::*;

use super::super::fixtures::*;
use super::super::*;
use crate::ids;
use crate::rules::pesos;

#[derive(Clone, Copy, Debug)]
enum ServiceCommand {
    Update(i64),
    Delete,
    Send,
    Cancel,
    Claim(bool),
    Release(bool),
    Materialise(bool),
}

fn service_command() -> impl Strategy<Value = ServiceCommand> {
    use ServiceCommand::*;
    prop_oneof![
        2 => (1_i64..1000).prop_map(Update),
        1 => Just(Delete),
        8 => Just(Send),
        4 => Just(Cancel),
        8 => any::<bool>().prop_map(Claim),
        4 => any::<bool>().prop_map(Release),
        4 => any::<bool>().prop_map(Materialise),
    ]
}

fn batch(x: bool) -> &'static str {
    if x { X } else { Y }
}

/// The life of a service as a test keeps it: the item and the pendings that were cancelled.
struct Life {
    service: Service,
    cancelled: Vec<Pending>,
}

impl Life {
    fn apply(&mut self, command: ServiceCommand, second: i64) {
        let now = at(second);
        let current = self.service.pending().map(|pending| pending.id);
        let pending = current.unwrap_or_else(|| ids::pending_id(self.service.id, 0).unwrap());
        let change = match command {
            ServiceCommand::Update(amount) => {
                let patch = ServicePatch {
                    amount: Some(pesos(amount)),
                    ..ServicePatch::default()
                };
                self.service.update(patch, now).ok()
            }
            ServiceCommand::Delete => self.service.delete(now).ok(),
            ServiceCommand::Send => self.service.send_to_billing(None, &stamp()).ok(),
            ServiceCommand::Cancel => {
                if let Ok(Change { state, .. }) = self.service.cancel_pending(pending, now) {
                    self.cancelled.push(state.pending);
                    self.service = state.service;
                }
                None
            }
            ServiceCommand::Claim(x) => self.service.claim(pending, batch_id(batch(x)), now).ok(),
            ServiceCommand::Release(x) => {
                Some(self.service.release(pending, batch_id(batch(x)), now))
            }
            ServiceCommand::Materialise(x) => self
                .service
                .materialise(invoice_for(&self.service, batch(x)), now)
                .ok(),
        };
        match change {
            Some(Decision::Applied(change)) => {
                assert_eq!(change.state.version, self.service.version + 1);
                self.service = change.state;
            }
            Some(Decision::Replayed(change)) => {
                assert_eq!(change, Change::silent(self.service.clone()));
            }
            None => {}
        }
    }

    fn check(&self) {
        let service = &self.service;
        let ids: BTreeSet<PendingId> = self
            .cancelled
            .iter()
            .map(|p| p.id)
            .chain(service.pending().map(|p| p.id))
            .collect();
        assert_eq!(
            ids.len(),
            usize::from(service.sends),
            "each send made one pending with an id of its own"
        );
        assert!(ids.iter().all(|id| ids::service_of(*id).0 == service.id));
        assert!(
            self.cancelled
                .iter()
                .all(|p| p.status() == PendingStatus::Cancelled)
        );
        match &service.state {
            ServiceState::Created | ServiceState::Deleted => {}
            ServiceState::SentToBill(pending) => {
                assert_eq!(pending.status(), PendingStatus::Pending)
            }
            ServiceState::Invoiced(pending, invoice) => {
                assert_eq!(pending.invoice_id(), Some(invoice.id));
                assert_eq!(
                    (invoice.customer_id, invoice.service_date, invoice.amount),
                    (service.customer_id, service.service_date, service.amount)
                );
            }
        }
        if let Some(pending) = service.pending() {
            assert_eq!(
                (pending.customer_id, pending.service_date, pending.amount),
                (service.customer_id, service.service_date, service.amount)
            );
            assert_eq!(pending.version, service.version);
        }
        let stored = serde_json::to_string(service).unwrap();
        assert_eq!(&serde_json::from_str::<Service>(&stored).unwrap(), service);
        for pending in &self.cancelled {
            let stored = serde_json::to_string(pending).unwrap();
            assert_eq!(&serde_json::from_str::<Pending>(&stored).unwrap(), pending);
        }
    }
}

#[derive(Clone, Debug)]
enum BatchCommand {
    Start(bool),
    AttemptFailed,
    Freeze(u32),
    Stage,
    Commit(u32),
    Fail,
    Materialise,
    Retry,
}

fn batch_command() -> impl Strategy<Value = BatchCommand> {
    use BatchCommand::*;
    prop_oneof![
        6 => any::<bool>().prop_map(Start),
        2 => Just(AttemptFailed),
        3 => (0_u32..4).prop_map(Freeze),
        2 => Just(Stage),
        4 => (0_u32..4).prop_map(Commit),
        1 => Just(Fail),
        2 => Just(Materialise),
        2 => Just(Retry),
    ]
}

fn step(batch: &Batch, command: BatchCommand, second: i64) -> Option<Decision<Change<Batch>>> {
    let now = at(second);
    match command {
        BatchCommand::Start(died) => batch.started(died, now),
        BatchCommand::AttemptFailed => batch.attempt_failed(now),
        BatchCommand::Freeze(failed) => batch.frozen(failed, Vec::new(), now),
        BatchCommand::Stage => batch.staged(100, now),
        BatchCommand::Commit(count) => batch.committed(5, count, now),
        BatchCommand::Fail => batch.failed("worker_lost", "Retry.", 0, now),
        BatchCommand::Materialise => batch.materialised(now),
        BatchCommand::Retry => batch.retried(issuer(), now),
    }
    .ok()
}

fn check_batch(before: &Batch, after: &Batch) {
    let counts = Some(after.invoice_count + after.failed_count);
    match after.status {
        BatchStatus::Processed => {
            assert_eq!(after.requested_count, counts);
            assert_eq!(
                after.last_number.unwrap() + 1 - after.first_number.unwrap(),
                after.invoice_count
            );
            assert_eq!(after.job.status, JobStatus::Completed);
            assert!(after.processing_completed_at.is_some());
        }
        BatchStatus::PendingProcessing | BatchStatus::InProcess | BatchStatus::Error => {
            assert_eq!(
                (after.first_number, after.last_number, after.invoice_count),
                (None, None, 0)
            );
            assert!(!after.materialized);
        }
    }
    assert_eq!(
        after.status == BatchStatus::Error,
        after.error_code.is_some()
    );
    assert_eq!(
        after.status == BatchStatus::Error,
        after.job.status == JobStatus::Failed
    );
    if before.status == BatchStatus::Processed {
        assert_eq!(after.status, BatchStatus::Processed);
        assert_eq!(
            (after.first_number, after.invoice_count, after.total_amount),
            (
                before.first_number,
                before.invoice_count,
                before.total_amount
            )
        );
    }
    assert!(
        after.attempts.len() >= before.attempts.len(),
        "attempts are kept"
    );
    assert!(after.job.attempts_made <= MAX_ATTEMPTS);
    if after.job.status.is_over() {
        assert!(
            after
                .attempts
                .last()
                .is_none_or(|a| a.job_id != after.job.id || a.ended_at.is_some())
        );
    }
    let stored = serde_json::to_string(after).unwrap();
    assert_eq!(&serde_json::from_str::<Batch>(&stored).unwrap(), after);
}

proptest! {
    #[test]
    fn a_service_has_at_most_one_waiting_pending_and_one_invoice(commands in prop::collection::vec(service_command(), 0..30)) {
        let mut life = Life { service: created(), cancelled: Vec::new() };
        for (second, command) in commands.into_iter().enumerate() {
            let invoice = life.service.invoice().cloned();
            life.apply(command, second as i64);
            life.check();
            if let Some(invoice) = invoice {
                prop_assert_eq!(life.service.invoice(), Some(&invoice), "an invoice stays as it is for ever");
            }
        }
    }

    #[test]
    fn a_committed_batch_never_changes_a_number_and_one_in_error_has_none(commands in prop::collection::vec(batch_command(), 0..40)) {
        let mut batch = accepted();
        for (second, command) in commands.into_iter().enumerate() {
            match step(&batch, command, second as i64) {
                Some(Decision::Applied(change)) => {
                    check_batch(&batch, &change.state);
                    prop_assert_eq!(change.state.version, batch.version + 1);
                    batch = change.state;
                }
                Some(Decision::Replayed(change)) => prop_assert_eq!(change, Change::silent(batch.clone())),
                None => {}
            }
        }
    }
}
