//! The batch engine: from accepted ids to invoices, through any crash.
//!
//! A batch is advanced by one worker at a time ([`turn`]) through the phases of its [`items::Run`]: resolve a selection, claim and judge,
//! stage documents, commit, materialise; or release, when it is refused. Every phase leaves its trace in the table before the next begins,
//! so a delivery that comes again, late, or after a crash goes on where the trace ends. Up to the commit, batches of one book run one at a
//! time in the order in which they were accepted: a ticket per waiting batch, in the book's queue, and only the first has the turn.

mod claim;
mod commit;
mod items;
mod materialise;
mod message;
mod order;
mod parts;
mod release;
mod resolve;
mod stage;
mod turn;
mod wiring;

use cierre_platform::db::{self, Db, Tx};
use cierre_platform::error::Doing;
use cierre_platform::queue::Queue;
use cierre_platform::{Context, Failure, clock};

pub use cierre_platform::queue::Deadline;
pub(crate) use items::{
    BatchKeys, ClaimBlock, DocumentChunk, ID_BLOCK, PackedIds, Posting, Range, Ticket,
};
pub use items::{DOCUMENT_CHUNK, Phase, Run, Snapshot, document_chunks};
pub use materialise::{Materialised, materialised_count};
pub use message::{ChunkMessage, JobMessage, LostMessage};
pub use turn::LEASE;
pub use wiring::{CHUNKS_QUEUE, DEAD_LETTERS, JOBS_QUEUE, PARKED};

use self::turn::{Stop, Turn, fence, phase_word, write_batch};
use crate::entity::{Batch, BatchStatus, MAX_ATTEMPTS};
use crate::error::BatchRefusal;
use crate::rules::backoff_seconds;

/// What became of a delivered job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The job is at its end, now or since long.
    Finished,
    /// Somebody else is at it, or it has to wait for its book: whoever finishes wakes it.
    NotNow,
    /// A fault; the attempt is written down, deliver again after so many seconds.
    Again {
        /// The wait.
        seconds: u32,
    },
    /// There is no such batch.
    Unknown,
}

/// Why a worker takes the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// To go on: an attempt begins, and one that died is closed.
    Advance,
    /// To end it: the attempt that died is the last one.
    GiveUp,
}

/// What a worker needs to advance batches.
#[derive(Clone, Debug)]
pub struct Engine {
    /// The tables.
    pub db: Db,
    /// Jobs, for handing over and waking.
    pub jobs: Queue,
    /// Parts of stage 4.
    pub chunks: Queue,
}

impl Engine {
    /// Advances the batch of a delivered job as far as it goes before the deadline.
    ///
    /// # Errors
    /// When not even the fault could be written down; the message then comes back by itself.
    pub async fn advance(&self, job: &JobMessage, deadline: Deadline) -> Result<Advance, Failure> {
        let context = Context::system(
            job.company_id.clone(),
            job.correlation_id.clone(),
            clock::now(),
        );
        let keys = BatchKeys::new(job.company_id.clone(), job.batch_id, 0);
        let loaded = self.db.load([keys.batch(), keys.run()]).await?;
        let (Some(batch), Some(run)) = (
            loaded.read::<Batch>(&keys.batch())?,
            loaded.read::<Run>(&keys.run())?,
        ) else {
            return Ok(Advance::Unknown);
        };
        if batch.job.id != job.job_id {
            tracing::info!(batch_id = %batch.id, job_id = job.job_id, "a message of an earlier job has no effect");
            return Ok(Advance::Finished);
        }
        match batch.status {
            BatchStatus::Error => {
                self.wake_next(&context.company, &batch).await?;
                Ok(Advance::Finished)
            }
            BatchStatus::Processed => {
                self.wake_next(&context.company, &batch).await?;
                self.materialise_all(&context, &batch, &run).await?;
                Ok(Advance::Finished)
            }
            BatchStatus::PendingProcessing | BatchStatus::InProcess => {
                self.work(context, batch, run, deadline).await
            }
        }
    }

    async fn work(
        &self,
        context: Context,
        batch: Batch,
        mut run: Run,
        deadline: Deadline,
    ) -> Result<Advance, Failure> {
        if run.ticket.is_none() && !self.join_queue(&context, &batch, &mut run).await? {
            return Ok(Advance::NotNow);
        }
        if !self.is_first(&context.company, &batch, &run).await? {
            tracing::info!(batch_id = %batch.id, "the batch waits for an earlier one of its book");
            return Ok(Advance::NotNow);
        }
        self.drive(context, batch, run, deadline).await
    }

    /// Runs a batch that waits for no queue, from its caller's request.
    ///
    /// # Errors
    /// As [`Self::advance`].
    pub async fn advance_inline(
        &self,
        context: &Context,
        batch: Batch,
        run: Run,
        deadline: Deadline,
    ) -> Result<Advance, Failure> {
        let context = Context::system(
            context.company.clone(),
            context.correlation_id.clone(),
            context.now,
        );
        self.drive(context, batch, run, deadline).await
    }

    /// Takes the turn and goes through the phases.
    async fn drive(
        &self,
        context: Context,
        batch: Batch,
        run: Run,
        deadline: Deadline,
    ) -> Result<Advance, Failure> {
        // After a hand-over the queue counts deliveries anew, so the third death may be seen here instead of in the dead-letter queue.
        let died = run.working && !run.handed_over;
        let purpose = if died && batch.job.attempts_made + 1 >= MAX_ATTEMPTS {
            Purpose::GiveUp
        } else {
            Purpose::Advance
        };
        let Some(mut turn) = self
            .take_turn(context, batch, run, deadline, purpose)
            .await?
        else {
            tracing::info!("another worker has the turn");
            return Ok(Advance::NotNow);
        };
        if purpose == Purpose::GiveUp {
            return self.refuse(turn, &BatchRefusal::WorkerLost).await;
        }
        tracing::info!(batch_id = %turn.batch.id, job_id = turn.batch.job.id, "batch job active");
        let stop = match turn.go().await {
            Ok(()) => return self.after(&turn).await,
            Err(stop) => stop,
        };
        match stop {
            Stop::LostTurn => Ok(Advance::NotNow),
            Stop::HandOver => self.hand_over(turn).await,
            Stop::Refused(refusal) => Err(Failure::message(format!(
                "a refusal was not settled: {refusal}"
            ))),
            Stop::Failed(failure) => self.attempt_failed(turn, failure).await,
        }
    }

    /// What follows the end of stages 0 to 3.
    async fn after(&self, turn: &Turn<'_>) -> Result<Advance, Failure> {
        self.wake_next(&turn.context.company, &turn.batch).await?;
        if turn.batch.status == BatchStatus::Processed {
            tracing::info!(batch_id = %turn.batch.id, total_invoices = turn.batch.invoice_count, "batch job completed");
            self.materialise_all(&turn.context, &turn.batch, &turn.run)
                .await?;
        }
        Ok(Advance::Finished)
    }

    /// Takes the turn, unless a living worker has it. A worker that died at it is closed as an attempt here.
    async fn take_turn(
        &self,
        context: Context,
        batch: Batch,
        run: Run,
        deadline: Deadline,
        purpose: Purpose,
    ) -> Result<Option<Turn<'_>>, Failure> {
        let now = clock::now();
        if run.lease_until > now.as_millis() {
            return Ok(None);
        }
        let keys = BatchKeys::new(context.company.clone(), batch.id, run.run);
        let next = Run {
            epoch: run.epoch + 1,
            working: true,
            handed_over: false,
            ..run.clone()
        };
        let mut tx = Tx::new();
        // The lease is part of the condition: between our read and our write the holder may have shown that it lives.
        let (changes, condition) = fence(&run, &next, now);
        tx.update(
            keys.run(),
            changes,
            condition.eq("leaseUntil", run.lease_until),
        );
        let mut next_batch = batch.clone();
        if purpose == Purpose::Advance && !run.handed_over {
            let change = batch
                .started(run.working, now)
                .doing("starting an attempt")?
                .into_inner();
            let context = Context {
                now,
                ..context.clone()
            };
            next_batch = write_batch(&mut tx, &context, &batch, change)?;
        }
        match self.db.commit(&tx).await {
            Ok(()) => Ok(Some(Turn {
                db: &self.db,
                keys,
                batch: next_batch,
                run: next,
                context,
                deadline,
            })),
            Err(cierre_platform::db::CommitError::Refused(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The next delivery goes on; this is no attempt.
    async fn hand_over(&self, mut turn: Turn<'_>) -> Result<Advance, Failure> {
        let next = Run {
            handed_over: true,
            ..turn.run.clone()
        };
        let tx = turn.fenced(&next);
        match turn.commit_step(&tx, next, "handing over").await {
            // Only now: a message that came before the lease is given up would find the batch busy and be dropped.
            Ok(()) => {
                self.jobs
                    .send(&job_message(&turn.context, &turn.batch))
                    .await?
            }
            Err(Stop::LostTurn | Stop::HandOver | Stop::Refused(_)) => {}
            Err(Stop::Failed(failure)) => return Err(failure),
        }
        Ok(Advance::Finished)
    }

    /// Writes the failed attempt down; the third one refuses the batch.
    async fn attempt_failed(
        &self,
        mut turn: Turn<'_>,
        failure: Failure,
    ) -> Result<Advance, Failure> {
        tracing::error!(batch_id = %turn.batch.id, job_id = turn.batch.job.id, error = failure.chain(), "an attempt at a batch failed");
        // What failed may be an answer alone: from here on counts what is written, not what this worker knows of it.
        if !turn.read_again().await? {
            return Ok(Advance::NotNow);
        }
        match turn.batch.status {
            BatchStatus::Processed | BatchStatus::Error => return self.after(&turn).await,
            BatchStatus::PendingProcessing | BatchStatus::InProcess => {}
        }
        let change = turn
            .batch
            .attempt_failed(clock::now())
            .doing("ending an attempt")?
            .into_inner();
        let over = change.state.is_out_of_attempts();
        let next = Run {
            working: over,
            ..turn.run.clone()
        };
        let mut tx = turn.fenced(&next);
        let batch = write_batch(&mut tx, &turn.context, &turn.batch, change)?;
        match turn
            .commit_step(&tx, next, "writing down a failed attempt")
            .await
        {
            Ok(()) => turn.batch = batch,
            Err(Stop::LostTurn) => return Ok(Advance::NotNow),
            Err(Stop::Failed(failure)) => return Err(failure),
            Err(Stop::HandOver | Stop::Refused(_)) => return Ok(Advance::Finished),
        }
        if !over {
            return Ok(Advance::Again {
                seconds: backoff_seconds(turn.batch.job.attempts_made),
            });
        }
        self.refuse(turn, &BatchRefusal::ProcessingFailed).await
    }

    async fn refuse(&self, mut turn: Turn<'_>, refusal: &BatchRefusal) -> Result<Advance, Failure> {
        let ended = match turn.begin_release(refusal).await {
            Ok(()) => turn.release().await,
            Err(stop) => Err(stop),
        };
        match ended {
            Ok(()) => self.after(&turn).await,
            Err(Stop::LostTurn) => Ok(Advance::NotNow),
            Err(Stop::HandOver) => self.hand_over(turn).await,
            Err(Stop::Failed(failure)) => Err(failure),
            Err(Stop::Refused(refusal)) => Err(Failure::message(format!(
                "a release was refused: {refusal}"
            ))),
        }
    }

    /// Puts a batch whose workers died three times into `ERROR`; after the commit, has its stage 4 queued again.
    ///
    /// # Errors
    /// When DynamoDB or SQS does not answer; the message then comes back.
    pub async fn give_up(&self, job: &JobMessage, deadline: Deadline) -> Result<Advance, Failure> {
        let context = Context::system(
            job.company_id.clone(),
            job.correlation_id.clone(),
            clock::now(),
        );
        let keys = BatchKeys::new(job.company_id.clone(), job.batch_id, 0);
        let loaded = self.db.load([keys.batch(), keys.run()]).await?;
        let (Some(batch), Some(run)) = (
            loaded.read::<Batch>(&keys.batch())?,
            loaded.read::<Run>(&keys.run())?,
        ) else {
            return Ok(Advance::Unknown);
        };
        if batch.job.id != job.job_id {
            return Ok(Advance::Finished);
        }
        match batch.status {
            BatchStatus::Error => Ok(Advance::Finished),
            BatchStatus::Processed => {
                tracing::error!(batch_id = %batch.id, "{}", parts::STAGE_4_AGAIN);
                self.materialise_all(&context, &batch, &run).await?;
                Ok(Advance::Finished)
            }
            BatchStatus::PendingProcessing | BatchStatus::InProcess => {
                let Some(turn) = self
                    .take_turn(context, batch, run, deadline, Purpose::GiveUp)
                    .await?
                else {
                    // Somebody lives after all, or lived a moment ago: look again when that lease has ended.
                    return Ok(Advance::Again {
                        seconds: LEASE.as_secs() as u32,
                    });
                };
                self.refuse(turn, &BatchRefusal::WorkerLost).await
            }
        }
    }
}

impl Turn<'_> {
    /// Goes through the phases until the batch is committed or refused.
    async fn go(&mut self) -> Result<(), Stop> {
        loop {
            let (phase, before) = (self.run.phase, db::consumed());
            let step = self.step().await;
            let consumed = db::consumed().since(before);
            tracing::info!(
                batch_id = %self.batch.id,
                phase = phase_word(phase),
                dynamodb_requests = consumed.requests,
                write_units_tenths = consumed.write_tenths,
                read_units_tenths = consumed.read_tenths,
                "phase advanced"
            );
            match step {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(Stop::Refused(refusal)) => self.begin_release(&refusal).await?,
                Err(stop @ (Stop::LostTurn | Stop::HandOver | Stop::Failed(_))) => {
                    return Err(stop);
                }
            }
        }
    }

    /// One phase. `false`: nothing is left for this worker.
    async fn step(&mut self) -> Result<bool, Stop> {
        self.check_time()?;
        match self.run.phase {
            Phase::Resolve => match self.batch.selection.clone() {
                Some(selection) => self.resolve(&selection).await?,
                None => {
                    return Err(Failure::message("a batch without selection waits for one").into());
                }
            },
            Phase::Claim => self.claim().await?,
            Phase::Stage => self.stage().await?,
            Phase::Commit => self.commit_batch().await?,
            Phase::Release => self.release().await?,
            Phase::Materialise | Phase::Over => return Ok(false),
        }
        Ok(true)
    }
}

/// The message that advances a batch.
pub(crate) fn job_message(context: &Context, batch: &Batch) -> JobMessage {
    JobMessage {
        company_id: context.company.clone(),
        batch_id: batch.id,
        job_id: batch.job.id.clone(),
        correlation_id: context.correlation_id.clone(),
    }
}

/// A batch's entry in its book's queue.
pub(crate) fn ticket_of(context: &Context, batch: &Batch) -> Ticket {
    Ticket {
        batch_id: batch.id,
        job_id: batch.job.id.clone(),
        correlation_id: context.correlation_id.clone(),
    }
}
