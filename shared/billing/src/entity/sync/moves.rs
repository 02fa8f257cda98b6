//! How a sync moves from state to state.

use cierre_kernel::codes;
use cierre_kernel::event::{ChainHead, EventType, NewEvent};
use cierre_kernel::time::Instant;
use serde_json::{Map, Value, json};

use super::{
    AttemptError, CANCEL_REASON, Compensation, ERP_SYNC, ErpSync, NewSync, SyncAttempt,
    SyncFailure, SyncSource, SyncStatus,
};
use crate::entity::change::{Change, Decided, Stamp, applied, details, event, replayed};
use crate::entity::job::Outcome;
use crate::error::SyncRefusal;
use crate::rules::{MAX_SHOWN_FAILURES, chunks_of, pesos};

impl ErpSync {
    /// Makes a sync. `expected` is the digest that the caller saw in a preview, where one is given.
    ///
    /// # Errors
    /// [`SyncRefusal::NothingToSync`] without a document, [`SyncRefusal::DigestMismatch`] when the documents are others than those
    /// expected.
    pub fn created(
        new: NewSync,
        expected: Option<&str>,
        stamp: &Stamp,
    ) -> Result<Change<Self>, SyncRefusal> {
        if new.invoice_count == 0 {
            return Err(SyncRefusal::NothingToSync);
        }
        if expected.is_some_and(|digest| digest != new.digest) {
            return Err(SyncRefusal::DigestMismatch);
        }
        let (batch_id, invoice_ids) = match new.source {
            SyncSource::Batch(batch) => (Some(batch), None),
            SyncSource::Documents(ids) => (None, Some(ids)),
        };
        let mut refused = new.refused;
        refused.truncate(MAX_SHOWN_FAILURES);
        let sync = Self {
            id: new.id,
            status: SyncStatus::Pending,
            invoice_count: new.invoice_count,
            total_amount: new.total_amount,
            digest: new.digest,
            batch_id,
            invoice_ids,
            refused_count: new.refused_count,
            refused,
            chunks: chunks_of(new.invoice_count),
            sent_chunks: 0,
            attempts: Vec::new(),
            error_code: None,
            error_message: None,
            compensation: Compensation::NotNeeded,
            created_at: stamp.at,
            created_by: stamp.by.clone(),
            updated_at: stamp.at,
            version: 1,
            correlation_id: stamp.correlation_id.clone(),
            head: ChainHead::default(),
        };
        let created = sync.event(
            EventType::Create,
            "sync_created",
            details([
                ("invoiceCount", json!(sync.invoice_count)),
                ("totalAmount", json!(pesos(sync.total_amount))),
                ("digest", json!(sync.digest)),
            ]),
        );
        Ok(Change::new(sync, vec![created]))
    }

    /// The next part is about to be sent: its next attempt begins. To be written before the part leaves, so that a worker that dies over it
    /// leaves a trace. `worker_died` says that the attempt before may still be open because its worker went without a word; it then counts
    /// as lost, and nobody knows whether the ERP has the part. When that was the last attempt, none begins and the sync is out of attempts
    /// ([`ErpSync::is_out_of_attempts`]).
    ///
    /// # Errors
    /// None; an attempt that is open already, and a sync of which nothing is left to be sent, are replays.
    pub fn attempt_begun(&self, worker_died: bool, now: Instant) -> Decided<Self, SyncRefusal> {
        match self.status {
            SyncStatus::Pending => {}
            SyncStatus::Sent | SyncStatus::Confirmed | SyncStatus::Failed => {
                return Ok(replayed(self.clone()));
            }
        }
        let lost = worker_died && self.open_attempt().is_some();
        let goes_on = !lost && self.open_attempt().is_some();
        if goes_on || (!lost && self.is_out_of_attempts()) {
            return Ok(replayed(self.clone()));
        }
        let mut next = self.clone();
        if lost {
            next.end_attempt(Outcome::Lost, None, now);
        }
        if !next.is_out_of_attempts() {
            let attempt = next.attempts_made() + 1;
            let begun = SyncAttempt::begun(next.sent_chunks, attempt, now);
            next.attempts.push(begun);
        }
        next.touch(now);
        Ok(applied(next, Vec::new()))
    }

    /// The ERP has accepted a part, the last one of which makes the sync `SENT`. A part that was counted before is a replay, and so is any
    /// part once the sync is no longer `PENDING`.
    ///
    /// # Errors
    /// [`SyncRefusal::OutOfOrder`] for a part after the next one.
    pub fn chunk_accepted(&self, chunk: u32, now: Instant) -> Decided<Self, SyncRefusal> {
        match self.status {
            SyncStatus::Pending if chunk > self.sent_chunks => {
                return Err(SyncRefusal::OutOfOrder { chunk });
            }
            SyncStatus::Pending if chunk == self.sent_chunks => {}
            SyncStatus::Pending | SyncStatus::Sent | SyncStatus::Confirmed | SyncStatus::Failed => {
                return Ok(replayed(self.clone()));
            }
        }
        let mut next = self.clone();
        next.end_attempt(Outcome::Completed, None, now);
        next.sent_chunks += 1;
        next.touch(now);
        if next.sent_chunks < next.chunks {
            return Ok(applied(next, Vec::new()));
        }
        next.status = SyncStatus::Sent;
        let chunks = details([("chunks", json!(next.chunks))]);
        let sent = next.event(EventType::Process, "sync_sent", chunks);
        Ok(applied(next, vec![sent]))
    }

    /// An attempt at the next part failed and the part is to be tried again. When no attempt is left, the sync is to be failed
    /// ([`ErpSync::is_out_of_attempts`], [`ErpSync::failed`]). A fault before an attempt could begin has used one up all the same.
    ///
    /// # Errors
    /// None; a sync that is out of attempts already, or no longer `PENDING`, is a replay.
    pub fn attempt_failed(&self, error: &AttemptError, now: Instant) -> Decided<Self, SyncRefusal> {
        match self.status {
            SyncStatus::Pending if self.is_out_of_attempts() => Ok(replayed(self.clone())),
            SyncStatus::Pending => {
                let mut next = self.clone();
                if next.open_attempt().is_none() {
                    let attempt = next.attempts_made() + 1;
                    let begun = SyncAttempt::begun(next.sent_chunks, attempt, now);
                    next.attempts.push(begun);
                }
                next.end_attempt(Outcome::Failed, Some(error), now);
                next.touch(now);
                Ok(applied(next, Vec::new()))
            }
            SyncStatus::Sent | SyncStatus::Confirmed | SyncStatus::Failed => {
                Ok(replayed(self.clone()))
            }
        }
    }

    /// The sync is given up before everything was sent.
    ///
    /// # Errors
    /// None; what was sent completely never fails any more, and what failed stays as it is: both are replays.
    pub fn failed(&self, failure: &SyncFailure, now: Instant) -> Decided<Self, SyncRefusal> {
        match self.status {
            SyncStatus::Pending => {
                let error = AttemptError {
                    code: failure.code(),
                    message: failure.to_string(),
                    in_doubt: false,
                };
                let mut next = self.clone();
                // Whoever gives the sync up while an attempt is open has the ERP's refusal in hand, unless its worker died over it.
                match failure {
                    SyncFailure::WorkerLost => next.end_attempt(Outcome::Lost, None, now),
                    SyncFailure::ErpRefused { .. }
                    | SyncFailure::Unreachable { .. }
                    | SyncFailure::SetChanged
                    | SyncFailure::ProcessingFailed => {
                        next.end_attempt(Outcome::Failed, Some(&error), now);
                    }
                }
                next.compensation = next.compensation_owed();
                next.fail(&error, now);
                let failed = next.event(
                    EventType::Error,
                    "sync_failed",
                    details([
                        ("errorCode", json!(error.code)),
                        ("compensation", json!(next.compensation)),
                    ]),
                );
                Ok(applied(next, vec![failed]))
            }
            SyncStatus::Sent | SyncStatus::Confirmed | SyncStatus::Failed => {
                Ok(replayed(self.clone()))
            }
        }
    }

    /// A person has compared the ERP's digest with ours.
    ///
    /// # Errors
    /// [`SyncRefusal::DigestMismatch`] for another digest; [`SyncRefusal::NotSent`], [`SyncRefusal::Confirmed`] or [`SyncRefusal::Failed`]
    /// in any state but `SENT`.
    pub fn confirmed(&self, digest: &str, now: Instant) -> Decided<Self, SyncRefusal> {
        self.check_sent()?;
        if digest != self.digest {
            return Err(SyncRefusal::DigestMismatch);
        }
        let mut next = self.clone();
        next.status = SyncStatus::Confirmed;
        next.touch(now);
        let digest = details([("digest", json!(next.digest))]);
        let confirmed = next.event(EventType::Finalize, "sync_confirmed", digest);
        Ok(applied(next, vec![confirmed]))
    }

    /// A person does not want what was sent; the ERP is to take it back.
    ///
    /// # Errors
    /// [`SyncRefusal::ReasonLength`] for a reason outside [`CANCEL_REASON`]; [`SyncRefusal::NotSent`], [`SyncRefusal::Confirmed`] or
    /// [`SyncRefusal::Failed`] in any state but `SENT`.
    pub fn cancelled(&self, reason: &str, now: Instant) -> Decided<Self, SyncRefusal> {
        if !CANCEL_REASON.contains(&reason.chars().count()) {
            return Err(SyncRefusal::ReasonLength);
        }
        self.check_sent()?;
        let mut next = self.clone();
        next.compensation = Compensation::Pending;
        let error = AttemptError {
            code: codes::CANCELLED,
            message: format!("The sync was cancelled ({reason}). Its documents can be sent again."),
            in_doubt: false,
        };
        next.fail(&error, now);
        let reason = details([("reason", json!(reason))]);
        let cancelled = next.event(EventType::Update, "sync_cancelled", reason);
        Ok(applied(next, vec![cancelled]))
    }

    /// The ERP has taken back what it received. Said again, it is a replay.
    ///
    /// # Errors
    /// [`SyncRefusal::NothingToCompensate`] when there is nothing to take back.
    pub fn compensated(&self, now: Instant) -> Decided<Self, SyncRefusal> {
        match self.compensation {
            Compensation::Pending => {
                let mut next = Self {
                    compensation: Compensation::Done,
                    ..self.clone()
                };
                next.touch(now);
                Ok(applied(next, Vec::new()))
            }
            Compensation::Done => Ok(replayed(self.clone())),
            Compensation::NotNeeded => Err(SyncRefusal::NothingToCompensate),
        }
    }

    const fn check_sent(&self) -> Result<(), SyncRefusal> {
        match self.status {
            SyncStatus::Pending => Err(SyncRefusal::NotSent),
            SyncStatus::Sent => Ok(()),
            SyncStatus::Confirmed => Err(SyncRefusal::Confirmed),
            SyncStatus::Failed => Err(SyncRefusal::Failed),
        }
    }

    /// Whether the ERP has anything to take back. A part whose answer was lost counts as received: its documents become free for another
    /// sync, and what the ERP has of them already would be posted twice.
    ///
    /// ```text
    /// t0  part 0 leaves; the ERP posts it; its answer does not arrive
    /// t1  the next attempts are turned away (429): out of attempts, FAILED
    /// t2  the same documents go into another sync, under another idempotency key
    /// ```
    fn compensation_owed(&self) -> Compensation {
        let in_doubt = self.of_next_part().any(|attempt| attempt.in_doubt);
        match self.sent_chunks > 0 || in_doubt {
            true => Compensation::Pending,
            false => Compensation::NotNeeded,
        }
    }

    /// Ends the open attempt, if there is one.
    fn end_attempt(&mut self, outcome: Outcome, error: Option<&AttemptError>, now: Instant) {
        let open = self.attempts.last_mut().filter(|last| last.is_open());
        if let Some(attempt) = open {
            attempt.ended_at = Some(now);
            attempt.outcome = outcome;
            attempt.error_code = error.map(|error| error.code.as_str().to_owned());
            attempt.error_message = error.map(|error| error.message.clone());
            attempt.in_doubt = match outcome {
                Outcome::Lost => true,
                Outcome::Active | Outcome::Completed | Outcome::Failed => {
                    error.is_some_and(|error| error.in_doubt)
                }
            };
        }
    }

    fn fail(&mut self, error: &AttemptError, now: Instant) {
        self.status = SyncStatus::Failed;
        self.error_code = Some(error.code.as_str().to_owned());
        self.error_message = Some(error.message.clone());
        self.touch(now);
    }

    fn touch(&mut self, now: Instant) {
        self.updated_at = now;
        self.version += 1;
    }

    fn event(
        &self,
        event_type: EventType,
        action: &'static str,
        details: Map<String, Value>,
    ) -> NewEvent {
        event(event_type, action, ERP_SYNC, self.id, details)
    }
}
