//! How a batch moves from state to state.

use cierre_kernel::decision::Decision;
use cierre_kernel::event::{ChainHead, EventType, NewEvent};
use cierre_kernel::id::BatchId;
use cierre_kernel::time::Instant;
use serde_json::{Map, Value, json};

use super::{Batch, BatchStatus, FailedPending, MAX_ATTEMPTS, Order, Wanted};
use crate::entity::change::{Change, Decided, Stamp, applied, details, event, replayed, resource};
use crate::entity::invoice::Issuer;
use crate::entity::job::{Attempt, Job, JobStatus, Outcome};
use crate::error::BatchRefusal;
use crate::rules::{MAX_SHOWN_FAILURES, pesos};

impl Batch {
    /// Accepts a batch. What may be refused was checked before ([`Order::check`]).
    pub fn accepted(id: BatchId, order: Order, stamp: &Stamp) -> Change<Self> {
        let (requested_count, selection) = match order.wanted {
            Wanted::Ids(count) => (Some(count), None),
            Wanted::Selection(selection) => (None, Some(selection)),
        };
        let batch = Self {
            id,
            issue_date: order.issue_date,
            receipt_book: order.receipt_book,
            selection,
            on_invalid: order.on_invalid,
            issuer: order.issuer,
            status: BatchStatus::PendingProcessing,
            requested_count,
            invoice_count: 0,
            failed_count: 0,
            total_amount: 0,
            failed_pendings: Vec::new(),
            first_number: None,
            last_number: None,
            materialized: false,
            error_code: None,
            error_message: None,
            processing_started_at: None,
            processing_completed_at: None,
            run: 0,
            job: Job::waiting(id, 0),
            attempts: Vec::new(),
            created_at: stamp.at,
            created_by: stamp.by.clone(),
            updated_at: stamp.at,
            version: 1,
            correlation_id: stamp.correlation_id.clone(),
            head: ChainHead::default(),
        };
        let asked = match &batch.selection {
            Some(selection) => ("selection", json!(selection)),
            None => ("requestedCount", json!(batch.requested_count)),
        };
        let created = batch.event(
            EventType::Create,
            "batch_created",
            details([
                ("issueDate", json!(batch.issue_date)),
                ("receiptBook", json!(batch.receipt_book)),
                asked,
                ("onInvalid", json!(batch.on_invalid)),
                ("jobId", json!(batch.job.id)),
            ]),
        );
        Change::new(batch, vec![created])
    }

    /// A job is delivered: its next attempt begins. `worker_died` says that the attempt before may still be open because its worker went
    /// without a word; it then counts as failed. When that was the last attempt, none begins and the batch is out of attempts
    /// ([`Batch::is_out_of_attempts`]): it is to be released and refused. A hand-over to another delivery is no attempt and does not come
    /// here.
    ///
    /// # Errors
    /// None; a batch at its end is a replay.
    pub fn started(&self, worker_died: bool, now: Instant) -> Decided<Self, BatchRefusal> {
        match self.status {
            BatchStatus::PendingProcessing | BatchStatus::InProcess => {
                Ok(self.next_attempt(worker_died, now))
            }
            BatchStatus::Processed | BatchStatus::Error => Ok(replayed(self.clone())),
        }
    }

    fn next_attempt(&self, worker_died: bool, now: Instant) -> Decision<Change<Self>> {
        let mut next = self.clone();
        let lost = worker_died && next.end_attempt(Outcome::Lost, None, now);
        if lost {
            next.job.attempts_made += 1;
        }
        if next.is_out_of_attempts() {
            if !lost {
                return replayed(next);
            }
            next.job.status = JobStatus::Delayed;
            next.touch(now);
            return applied(next, Vec::new());
        }
        let attempt = next.job.attempts_made + 1;
        next.status = BatchStatus::InProcess;
        next.processing_started_at = self.processing_started_at.or(Some(now));
        next.job.status = JobStatus::Active;
        next.attempts
            .push(Attempt::begun(next.job.id.clone(), attempt, now));
        next.touch(now);
        let details = next.job_details([("attempt", json!(attempt))]);
        let started = next.event(EventType::Process, "batch_started", details);
        applied(next, vec![started])
    }

    /// A selection was resolved to so many pendings.
    ///
    /// # Errors
    /// [`BatchRefusal::NotInProcess`].
    pub fn resolved(&self, requested: u32, now: Instant) -> Decided<Self, BatchRefusal> {
        self.in_process(|next| next.requested_count = Some(requested), now)
    }

    /// The valid set is final for this run: so many pendings failed, of which the first ones are shown.
    ///
    /// # Errors
    /// [`BatchRefusal::NotInProcess`].
    pub fn frozen(
        &self,
        failed: u32,
        shown: Vec<FailedPending>,
        now: Instant,
    ) -> Decided<Self, BatchRefusal> {
        self.in_process(
            |next| {
                next.failed_count = failed;
                next.failed_pendings = shown;
                next.failed_pendings.truncate(MAX_SHOWN_FAILURES);
            },
            now,
        )
    }

    /// All documents are staged; together they come to `total` minor units.
    ///
    /// # Errors
    /// [`BatchRefusal::NotInProcess`].
    pub fn staged(&self, total: i64, now: Instant) -> Decided<Self, BatchRefusal> {
        self.in_process(|next| next.total_amount = total, now)
    }

    /// An attempt failed and the job waits for the next one. When no attempt is left, the batch is to be put into `ERROR` after its claims
    /// were released ([`Batch::failed`]); see [`Batch::is_out_of_attempts`].
    ///
    /// # Errors
    /// None; a batch at its end, or out of attempts already, is a replay.
    pub fn attempt_failed(&self, now: Instant) -> Decided<Self, BatchRefusal> {
        match self.status {
            BatchStatus::PendingProcessing | BatchStatus::InProcess => {
                let mut next = self.clone();
                let refusal = BatchRefusal::AttemptFailed;
                let error = (refusal.code().as_str(), &*refusal.to_string());
                let ended = next.end_attempt(Outcome::Failed, Some(error), now);
                // A worker that failed before it could begin an attempt has used one up all the same.
                if !ended && self.is_out_of_attempts() {
                    return Ok(replayed(next));
                }
                next.job.attempts_made += 1;
                next.job.status = JobStatus::Delayed;
                next.touch(now);
                Ok(applied(next, Vec::new()))
            }
            BatchStatus::Processed | BatchStatus::Error => Ok(replayed(self.clone())),
        }
    }

    /// Whether the last attempt that the job has was used up.
    pub const fn is_out_of_attempts(&self) -> bool {
        self.job.attempts_made >= MAX_ATTEMPTS
    }

    /// The batch is refused for good. Its claims were released before.
    ///
    /// # Errors
    /// None; a committed batch never becomes an error, and one in error stays as it is: both are replays.
    pub fn failed(
        &self,
        code: &str,
        message: &str,
        failed: u32,
        now: Instant,
    ) -> Decided<Self, BatchRefusal> {
        match self.status {
            BatchStatus::PendingProcessing | BatchStatus::InProcess => {
                let mut next = self.clone();
                if next.end_attempt(Outcome::Failed, Some((code, message)), now) {
                    next.job.attempts_made += 1;
                }
                next.status = BatchStatus::Error;
                next.job.status = JobStatus::Failed;
                next.failed_count = failed;
                next.total_amount = 0;
                next.error_code = Some(code.to_owned());
                next.error_message = Some(message.to_owned());
                next.processing_completed_at = Some(now);
                next.touch(now);
                let failed = next.event(
                    EventType::Error,
                    "batch_failed",
                    next.job_details([
                        ("errorCode", json!(code)),
                        ("errorMessage", json!(message)),
                        ("failedCount", json!(next.failed_count)),
                    ]),
                );
                Ok(applied(next, vec![failed]))
            }
            BatchStatus::Processed | BatchStatus::Error => Ok(replayed(self.clone())),
        }
    }

    /// The book gave `count` numbers from `first` on. A second commit is a replay.
    ///
    /// # Errors
    /// [`BatchRefusal::NotInProcess`] before the start and after an error, and [`BatchRefusal::SetChanged`] when valid and failed pendings do
    /// not add up to the requested ones.
    pub fn committed(&self, first: u32, count: u32, now: Instant) -> Decided<Self, BatchRefusal> {
        match self.status {
            BatchStatus::InProcess => {}
            BatchStatus::Processed => return Ok(replayed(self.clone())),
            BatchStatus::PendingProcessing | BatchStatus::Error => {
                return Err(self.not_in_process());
            }
        }
        let last = first.checked_add(count).and_then(|end| end.checked_sub(1));
        let complete = self.requested_count == count.checked_add(self.failed_count);
        let Some(last) = last.filter(|_| complete && count > 0) else {
            return Err(BatchRefusal::SetChanged);
        };
        let mut next = self.clone();
        next.status = BatchStatus::Processed;
        next.invoice_count = count;
        next.first_number = Some(first);
        next.last_number = Some(last);
        next.processing_completed_at = Some(now);
        next.job.status = JobStatus::Completed;
        next.end_attempt(Outcome::Completed, None, now);
        next.touch(now);
        let processed = next.event(
            EventType::Process,
            "batch_processed",
            next.job_details([
                ("invoiceCount", json!(count)),
                ("failedCount", json!(next.failed_count)),
                ("firstNumber", json!(first)),
                ("lastNumber", json!(last)),
                ("totalAmount", json!(pesos(next.total_amount))),
            ]),
        );
        Ok(applied(next, vec![processed]))
    }

    /// Every invoice is materialised. Said again, it is a replay.
    ///
    /// # Errors
    /// [`BatchRefusal::NotProcessed`] before the commit.
    pub fn materialised(&self, now: Instant) -> Decided<Self, BatchRefusal> {
        match (self.status, self.materialized) {
            (BatchStatus::Processed, false) => {
                let mut next = Self {
                    materialized: true,
                    ..self.clone()
                };
                next.touch(now);
                let millis = self
                    .processing_completed_at
                    .map_or(0, |committed| now.millis_since(committed).max(0));
                let materialised = next.event(
                    EventType::Process,
                    "batch_materialized",
                    details([
                        ("count", json!(next.invoice_count)),
                        ("seconds", json!(millis / 1000)),
                    ]),
                );
                Ok(applied(next, vec![materialised]))
            }
            (BatchStatus::Processed, true) => Ok(replayed(self.clone())),
            (BatchStatus::PendingProcessing | BatchStatus::InProcess | BatchStatus::Error, _) => {
                Err(BatchRefusal::NotProcessed {
                    status: self.status,
                })
            }
        }
    }

    /// Accepts a batch in `ERROR` once more, with a job of its own. Everything is judged afresh and the issuer is taken as it is now; the
    /// attempts are kept, and so is the moment that bounds a selection.
    ///
    /// # Errors
    /// [`BatchRefusal::NotRetryable`] in any other state.
    pub fn retried(&self, issuer: Issuer, now: Instant) -> Decided<Self, BatchRefusal> {
        match self.status {
            BatchStatus::Error => {
                let run = self.run.saturating_add(1);
                let mut next = Self {
                    issuer,
                    status: BatchStatus::PendingProcessing,
                    requested_count: self.requested_count.filter(|_| self.selection.is_none()),
                    failed_count: 0,
                    failed_pendings: Vec::new(),
                    total_amount: 0,
                    error_code: None,
                    error_message: None,
                    processing_started_at: None,
                    processing_completed_at: None,
                    run,
                    job: Job::waiting(self.id, run),
                    ..self.clone()
                };
                next.touch(now);
                let retried = next.event(EventType::Update, "batch_retried", next.job_details([]));
                Ok(applied(next, vec![retried]))
            }
            BatchStatus::PendingProcessing | BatchStatus::InProcess | BatchStatus::Processed => {
                Err(BatchRefusal::NotRetryable {
                    status: self.status,
                })
            }
        }
    }

    /// A change within stages 0 to 2, which no event reports.
    fn in_process(
        &self,
        change: impl FnOnce(&mut Self),
        now: Instant,
    ) -> Decided<Self, BatchRefusal> {
        match self.status {
            BatchStatus::InProcess => {
                let mut next = self.clone();
                change(&mut next);
                next.touch(now);
                Ok(applied(next, Vec::new()))
            }
            BatchStatus::PendingProcessing | BatchStatus::Processed | BatchStatus::Error => {
                Err(self.not_in_process())
            }
        }
    }

    const fn not_in_process(&self) -> BatchRefusal {
        BatchRefusal::NotInProcess {
            status: self.status,
        }
    }

    /// Ends the open attempt of the present job; whether there was one.
    fn end_attempt(&mut self, outcome: Outcome, error: Option<(&str, &str)>, now: Instant) -> bool {
        let job = &self.job.id;
        let open = self
            .attempts
            .last_mut()
            .filter(|attempt| attempt.job_id == *job && attempt.ended_at.is_none());
        match open {
            Some(attempt) => {
                attempt.end(outcome, error, now);
                true
            }
            None => false,
        }
    }

    fn touch(&mut self, now: Instant) {
        self.updated_at = now;
        self.version += 1;
    }

    fn job_details<const N: usize>(&self, more: [(&str, Value); N]) -> Map<String, Value> {
        let mut members = details(more);
        members.insert("jobId".to_owned(), json!(self.job.id));
        members
    }

    fn event(
        &self,
        event_type: EventType,
        action: &'static str,
        details: Map<String, Value>,
    ) -> NewEvent {
        event(event_type, action, resource::BATCH, self.id, details)
    }
}
