//! The worker: holds a sync's documents, sends its parts, and tells the ERP what became of it.
//!
//! ```text
//! t0  worker A takes the turn: epoch 1, lease 19 s; it writes "attempt 1 at part 3 begins" and sends the part
//! t1  A dies; nobody knows whether the ERP has the part
//! t2  the lease ends, the message comes back; worker B takes the turn: epoch 2; attempt 1 is closed as lost, attempt 2 begins
//! t3  B sends the part under the same Idempotency-Key: the ERP takes it once
//! ```

use std::time::Duration;

use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::time::Instant;
use cierre_platform::db::{CommitError, Condition, Tx};
use cierre_platform::{Context, Failure, activity, clock};

use super::connector::{Connector, Part, Reply};
use super::documents::load;
use super::item::{PackedDocuments, SyncMessage, Work, put_sync};
use super::{CompanyErp, HttpClient, Syncs};
use crate::engine::Deadline;
use crate::entity::{AttemptError, Compensation, Decided, ErpSync, SyncFailure, SyncStatus};
use crate::error::SyncRefusal;
use crate::ids::DocumentId;
use crate::rules::{ErpDocument, backoff_seconds};
use crate::settings::BillingSettings;
use crate::table;

/// How long a worker is trusted to be alive after its last write: longer than the ERP may take to answer, shorter than a message stays
/// invisible without heartbeat.
pub const LEASE: Duration = Duration::from_secs(19);
/// The longest wait between two tries to tell the ERP: SQS delays no message longer.
const LONGEST_DELAY: u32 = 900;

/// What became of a delivered message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncAdvance {
    /// Nothing is left to do, or another message will do it.
    Finished,
    /// A worker lives, or lived a moment ago: look again after so many seconds.
    Busy {
        /// The wait.
        seconds: u32,
    },
    /// There is no such sync.
    Unknown,
}

/// How the turn goes on after a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The worker goes on.
    GoOn,
    /// Another delivery goes on.
    LetGo,
    /// Nothing is left to do.
    End,
}

/// Why a worker stops.
pub(super) enum Stop {
    /// Another worker has the turn, or a person moved the sync.
    Overtaken,
    /// Time is nearly up; another delivery goes on.
    HandOver,
    /// A fault.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Syncs {
    /// Does what a sync needs, as far as it goes before the deadline.
    ///
    /// # Errors
    /// When DynamoDB or SQS does not answer; the message then comes back.
    pub async fn advance(
        &self,
        message: &SyncMessage,
        deadline: Deadline,
    ) -> Result<SyncAdvance, Failure> {
        let Some((sync, work)) = self.find(message).await? else {
            return Ok(SyncAdvance::Unknown);
        };
        let Some(work) = work else {
            return Ok(SyncAdvance::Finished);
        };
        let died = work.working;
        let mut turn = match self.take_turn(message, sync, work, deadline).await? {
            Ok(turn) => turn,
            Err(busy) => return Ok(busy),
        };
        let outcome = match turn.sync.status {
            SyncStatus::Pending => turn.send_all(died).await,
            SyncStatus::Failed => turn.take_back().await,
            SyncStatus::Confirmed => turn.tell_final().await,
            SyncStatus::Sent => turn.end().await,
        };
        match outcome {
            Ok(None) | Err(Stop::Overtaken) => Ok(SyncAdvance::Finished),
            Ok(Some(seconds)) => {
                self.queue.send_after(message, seconds).await?;
                Ok(SyncAdvance::Finished)
            }
            Err(Stop::HandOver) => {
                turn.let_go().await?;
                self.queue.send(message).await?;
                Ok(SyncAdvance::Finished)
            }
            Err(Stop::Failed(failure)) => {
                // So that the next delivery, seconds from now, does not find a living worker. If not even this can be written, the lease ends.
                if let Err(also) = turn.let_go().await {
                    tracing::warn!(sync_id = %message.sync_id, error = also.chain(), "a sync's turn could not be given up");
                }
                Err(failure)
            }
        }
    }

    /// Fails a sync whose workers died three times; one that is past sending is queued again.
    ///
    /// # Errors
    /// As [`Self::advance`].
    pub async fn give_up(
        &self,
        message: &SyncMessage,
        deadline: Deadline,
    ) -> Result<SyncAdvance, Failure> {
        let Some((sync, work)) = self.find(message).await? else {
            return Ok(SyncAdvance::Unknown);
        };
        let Some(work) = work else {
            return Ok(SyncAdvance::Finished);
        };
        if sync.status == SyncStatus::Pending {
            let mut turn = match self.take_turn(message, sync, work, deadline).await? {
                Ok(turn) => turn,
                Err(busy) => return Ok(busy),
            };
            match turn.fail(&SyncFailure::WorkerLost).await {
                Ok(None) | Err(Stop::Overtaken) => return Ok(SyncAdvance::Finished),
                Ok(Some(_)) | Err(Stop::HandOver) => {}
                Err(Stop::Failed(failure)) => return Err(failure),
            }
        }
        self.queue.send_after(message, LONGEST_DELAY / 10).await?;
        Ok(SyncAdvance::Finished)
    }

    async fn find(
        &self,
        message: &SyncMessage,
    ) -> Result<Option<(ErpSync, Option<Work>)>, Failure> {
        let (company, id) = (&message.company_id, message.sync_id);
        let keys = [table::sync(company, id), table::sync_work(company, id)];
        let loaded = self.db.load(keys.clone()).await?;
        let [sync, work] = keys;
        let sync: Option<ErpSync> = loaded.read(&sync)?;
        let work: Option<Work> = loaded.read(&work)?;
        Ok(sync.map(|sync| (sync, work)))
    }

    /// Takes the turn, unless a living worker has it.
    async fn take_turn(
        &self,
        message: &SyncMessage,
        sync: ErpSync,
        work: Work,
        deadline: Deadline,
    ) -> Result<Result<Turn<'_>, SyncAdvance>, Failure> {
        let now = clock::now();
        let left = work.lease_until - now.as_millis();
        if left > 0 {
            let seconds = u32::try_from(left / 1000 + 1).unwrap_or(LONGEST_DELAY);
            return Ok(Err(SyncAdvance::Busy { seconds }));
        }
        let mut turn = Turn {
            syncs: self,
            company: message.company_id.clone(),
            context: Context::system(
                message.company_id.clone(),
                message.correlation_id.clone(),
                now,
            ),
            sync,
            work: Work {
                epoch: work.epoch + 1,
                working: true,
                ..work.clone()
            },
            deadline,
        };
        turn.work.renew(now);
        let mut tx = Tx::new();
        let (changes, condition) = work.moved_to(&turn.work);
        let condition = condition.eq("leaseUntil", work.lease_until);
        tx.update(turn.work_key(), changes, condition);
        match self.db.commit(&tx).await {
            Ok(()) => Ok(Ok(turn)),
            Err(CommitError::Refused(_)) => Ok(Err(SyncAdvance::Finished)),
            Err(error @ (CommitError::Contended | CommitError::Failed(_))) => Err(error.into()),
        }
    }
}

impl Work {
    fn renew(&mut self, now: Instant) {
        self.lease_until = now.as_millis() + LEASE.as_millis() as i64;
        self.list_sort = table::millis_sort(now);
    }
}

/// A worker's turn at one sync.
pub(super) struct Turn<'a> {
    pub(super) syncs: &'a Syncs,
    pub(super) company: CompanyId,
    context: Context,
    pub(super) sync: ErpSync,
    pub(super) work: Work,
    deadline: Deadline,
}

impl Turn<'_> {
    fn work_key(&self) -> cierre_platform::db::Key {
        table::sync_work(&self.company, self.sync.id)
    }

    /// The notes' part of a write: position 0, the fence.
    pub(super) fn fenced(&self, next: &mut Work, then: Then) -> Tx {
        let mut tx = Tx::new();
        let mine = Condition::default().eq("epoch", self.work.epoch);
        match then {
            Then::GoOn => next.renew(clock::now()),
            Then::LetGo => {
                next.lease_until = 0;
                next.working = false;
            }
            Then::End => {
                tx.delete(self.work_key(), mine);
                return tx;
            }
        }
        let (changes, mine) = self.work.moved_to(next);
        tx.update(self.work_key(), changes, mine);
        tx
    }

    /// Writes the sync's next state with its events.
    async fn write(
        &mut self,
        decided: Decided<ErpSync, SyncRefusal>,
        then: Then,
    ) -> Result<(), Stop> {
        let change = decided
            .map_err(|refusal| Failure::new("moving a sync on", refusal))?
            .into_inner();
        let mut next = change.state;
        let mut work = self.work.clone();
        let mut tx = self.fenced(&mut work, then);
        let context = Context {
            now: clock::now(),
            ..self.context.clone()
        };
        for event in change.events {
            next.head = activity::append(&mut tx, &context, event, &next.head)?;
        }
        if next != self.sync {
            let unmoved = Condition::version(self.sync.version);
            put_sync(&mut tx, &self.company, &next, unmoved)?;
        }
        self.commit(&tx).await?;
        (self.sync, self.work) = (next, work);
        Ok(())
    }

    async fn commit(&self, tx: &Tx) -> Result<(), Stop> {
        match self.syncs.db.commit(tx).await {
            Ok(()) => Ok(()),
            Err(CommitError::Refused(_)) => Err(Stop::Overtaken),
            Err(error @ (CommitError::Contended | CommitError::Failed(_))) => {
                Err(Stop::Failed(error.into()))
            }
        }
    }

    /// Gives the turn up; another delivery goes on.
    async fn let_go(&mut self) -> Result<(), Failure> {
        let mut work = self.work.clone();
        let tx = self.fenced(&mut work, Then::LetGo);
        match self.commit(&tx).await {
            Ok(()) | Err(Stop::Overtaken | Stop::HandOver) => Ok(()),
            Err(Stop::Failed(failure)) => Err(failure),
        }
    }

    /// Nothing is left to do.
    async fn end(&mut self) -> Result<Option<u32>, Stop> {
        let mut work = self.work.clone();
        let tx = self.fenced(&mut work, Then::End);
        self.commit(&tx).await?;
        Ok(None)
    }

    fn check_time(&self) -> Result<(), Stop> {
        if self.deadline.is_near() {
            Err(Stop::HandOver)
        } else {
            Ok(())
        }
    }

    /// Holds every document, then sends part after part. Answers after how many seconds another delivery is to go on.
    async fn send_all(&mut self, died: bool) -> Result<Option<u32>, Stop> {
        while self.work.held < self.sync.chunks {
            self.check_time()?;
            if !self.hold_part(self.work.held).await? {
                return self.fail(&SyncFailure::SetChanged).await;
            }
        }
        let erp = match self.connector().await? {
            Ok(erp) => erp,
            Err(unusable) => {
                let reason = unusable.to_string();
                return self.fail(&SyncFailure::Unreachable { reason }).await;
            }
        };
        let mut died = died;
        while self.sync.status == SyncStatus::Pending {
            self.check_time()?;
            let begun = self.sync.attempt_begun(died, clock::now());
            died = false;
            self.write(begun, Then::GoOn).await?;
            if self.sync.is_out_of_attempts() {
                return self.fail(&SyncFailure::WorkerLost).await;
            }
            if let Some(outcome) = self.send_part(&erp).await? {
                return Ok(outcome);
            }
        }
        Ok(None)
    }

    /// Sends the next part. `Some` when this worker has nothing more to do.
    async fn send_part(&mut self, erp: &CompanyErp) -> Result<Option<Option<u32>>, Stop> {
        let (chunk, chunks) = (self.sync.sent_chunks, self.sync.chunks);
        let invoices = self.part(chunk).await?;
        let digest = self.sync.digest.clone();
        let part = Part {
            sync_id: self.sync.id,
            chunk,
            chunks,
            digest: &digest,
            invoices: &invoices,
        };
        let attempt = self.sync.open_attempt().map_or(1, |open| open.attempt);
        let now = clock::now();
        match erp.send_chunk(part, attempt, now).await {
            Reply::Accepted => {
                let accepted = self.sync.chunk_accepted(chunk, clock::now());
                let last = chunk + 1 == chunks;
                let then = if last { Then::End } else { Then::GoOn };
                self.write(accepted, then).await?;
                Ok(last.then_some(None))
            }
            Reply::RefusedForGood { reason } => {
                let refused = SyncFailure::ErpRefused {
                    chunk,
                    chunks,
                    reason,
                };
                Ok(Some(self.fail(&refused).await?))
            }
            Reply::TryAgain { reason, in_doubt } => {
                let error = AttemptError {
                    code: codes::ERP_REFUSED,
                    message: reason.clone(),
                    in_doubt,
                };
                let failed = self.sync.attempt_failed(&error, clock::now());
                let made = self.sync.attempts_made() + 1;
                if made >= crate::rules::MAX_ATTEMPTS {
                    self.write(failed, Then::GoOn).await?;
                    let refused = SyncFailure::ErpRefused {
                        chunk,
                        chunks,
                        reason,
                    };
                    return Ok(Some(self.fail(&refused).await?));
                }
                self.write(failed, Then::LetGo).await?;
                Ok(Some(Some(backoff_seconds(made))))
            }
        }
    }

    /// Ends the sending. What the ERP may have is taken back at once.
    async fn fail(&mut self, failure: &SyncFailure) -> Result<Option<u32>, Stop> {
        let failed = self.sync.failed(failure, clock::now());
        let owed = failed
            .as_ref()
            .is_ok_and(|decision| owes(&decision.clone().into_inner().state));
        if owed {
            self.write(failed, Then::LetGo).await?;
            Ok(Some(0))
        } else {
            self.write(failed, Then::End).await?;
            Ok(None)
        }
    }

    /// Tells the ERP to take back what it received, until it accepts.
    async fn take_back(&mut self) -> Result<Option<u32>, Stop> {
        if !owes(&self.sync) {
            return self.end().await;
        }
        let reply = match self.connector().await? {
            Ok(erp) => erp.cancel(self.sync.id, clock::now()).await,
            Err(unusable) => not_told(unusable.to_string()),
        };
        match reply {
            Reply::Accepted => {
                let done = self.sync.compensated(clock::now());
                self.write(done, Then::End).await?;
                Ok(None)
            }
            Reply::RefusedForGood { reason } | Reply::TryAgain { reason, .. } => {
                self.tell_later(&reason).await
            }
        }
    }

    /// Tells the ERP that the documents are final. The sync is confirmed whatever it answers; it is told until it accepts or refuses for good.
    async fn tell_final(&mut self) -> Result<Option<u32>, Stop> {
        let reply = match self.connector().await? {
            Ok(erp) => {
                let digest = self.sync.digest.clone();
                erp.confirm(self.sync.id, &digest, clock::now()).await
            }
            Err(unusable) => not_told(unusable.to_string()),
        };
        match reply {
            Reply::Accepted => self.end().await,
            Reply::RefusedForGood { reason } => {
                tracing::error!(sync_id = %self.sync.id, reason, "the ERP refuses to hear that a sync is confirmed");
                self.end().await
            }
            Reply::TryAgain { reason, .. } => self.tell_later(&reason).await,
        }
    }

    /// Another delivery tells the ERP, after a wait that doubles up to a quarter of an hour.
    async fn tell_later(&mut self, reason: &str) -> Result<Option<u32>, Stop> {
        tracing::warn!(sync_id = %self.sync.id, told = self.work.told, reason, "the ERP was not told; it will be tried again");
        let mut work = Work {
            told: self.work.told.saturating_add(1),
            ..self.work.clone()
        };
        let tx = self.fenced(&mut work, Then::LetGo);
        self.commit(&tx).await?;
        let seconds = 2_u32.saturating_pow(work.told.min(10)).min(LONGEST_DELAY);
        Ok(Some(seconds))
    }

    /// The connector of the company's settings as they are now.
    async fn connector(&self) -> Result<Result<CompanyErp, super::Unusable>, Stop> {
        let key = table::billing_settings(&self.company);
        let settings: Option<BillingSettings> = self.syncs.db.get(&key).await?;
        let settings = settings
            .ok_or_else(|| Failure::message("a company with syncs has no billing settings"))?;
        let client = HttpClient::new(self.syncs.guard)?;
        Ok(CompanyErp::of(&settings.erp, settings.simulation, &client))
    }

    /// The ids of a part.
    pub(super) async fn part_ids(&self, part: u32) -> Result<Vec<DocumentId>, Stop> {
        let key = table::sync_documents(&self.company, self.sync.id, part);
        let item = self.syncs.db.get_item(&key).await?;
        let item = item.ok_or_else(|| Failure::message("a part of a sync is missing"))?;
        Ok(PackedDocuments::from_item(&item)?.0)
    }

    /// The documents of a part as the ERP is to see them; the sync holds them, so they are what they were when it was made.
    async fn part(&self, part: u32) -> Result<Vec<ErpDocument>, Stop> {
        let ids = self.part_ids(part).await?;
        let loaded = load(&self.syncs.db, &self.company, &ids).await?;
        let documents = loaded.into_iter().map(|(id, found)| {
            found
                .and_then(|found| found.document)
                .ok_or_else(|| Failure::message(format!("{id} of a sync is missing")))
        });
        Ok(documents.collect::<Result<_, _>>()?)
    }
}

fn owes(sync: &ErpSync) -> bool {
    match sync.compensation {
        Compensation::Pending => true,
        Compensation::NotNeeded | Compensation::Done => false,
    }
}

fn not_told(reason: String) -> Reply {
    Reply::TryAgain {
        reason,
        in_doubt: false,
    }
}

/// The message of a sync, for the sweeper and whoever else sends it again.
pub(crate) fn message_of(company: &CompanyId, sync: &ErpSync) -> SyncMessage {
    SyncMessage {
        company_id: company.clone(),
        sync_id: sync.id,
        correlation_id: sync.correlation_id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lease_outlives_an_answer_and_ends_before_the_message_comes_back() {
        assert!(LEASE > super::super::http::TIME_OUT);
        assert!(LEASE.as_secs() < cierre_platform::queue::INVISIBLE_SECONDS as u64);
    }
}
