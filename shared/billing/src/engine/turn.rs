//! One worker at a time: the lease, the fencing token, and the writes that demand it.
//!
//! ```text
//! t0  worker A takes the turn: epoch 4, lease until t0 + 15 s; it claims block after block, each write demands epoch 4
//! t1  A is frozen by its machine
//! t2  the lease has ended, the message comes back; worker B takes the turn: epoch 5
//! t3  A wakes up in the middle of a claim: its transaction demands epoch 4 and is refused as a whole; A stops and changes nothing
//! ```

use std::time::Duration;

use cierre_kernel::time::Instant;
use cierre_platform::activity;
use cierre_platform::db::{Changes, CommitError, Condition, Db, Tx};
use cierre_platform::queue::Deadline;
use cierre_platform::{Context, Failure, clock};

use super::items::{BatchKeys, Phase, Run};
use crate::batches::put_batch;
use crate::entity::{Batch, Change, Decided};
use crate::error::BatchRefusal;
use crate::table;

/// How long a worker is trusted to be alive after its last write. Shorter than a message stays invisible without heartbeat, so that a dead
/// worker's message never comes back before its lease has ended.
pub const LEASE: Duration = Duration::from_secs(15);
/// The sweeper's index is refreshed at most this often: it looks for minutes, not for blocks.
const SWEEP_REFRESH_MILLIS: i64 = 60_000;

/// Why a worker stops before the work is done.
#[derive(Debug)]
pub(super) enum Stop {
    /// Another worker has the turn.
    LostTurn,
    /// Time is nearly up; the next delivery goes on.
    HandOver,
    /// The batch is refused for good.
    Refused(BatchRefusal),
    /// A fault; counts as an attempt.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<BatchRefusal> for Stop {
    fn from(refusal: BatchRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A worker's turn at one batch: what it knows of it, and its right to change it.
pub(super) struct Turn<'a> {
    pub(super) db: &'a Db,
    pub(super) keys: BatchKeys,
    pub(super) batch: Batch,
    pub(super) run: Run,
    pub(super) context: Context,
    pub(super) deadline: Deadline,
}

impl Turn<'_> {
    /// A transaction whose first action moves the run on, on condition that the turn is still ours. Position 0 is the fence.
    pub(super) fn fenced(&self, next: &Run) -> Tx {
        let mut tx = Tx::new();
        let (changes, condition) = fence(&self.run, next, clock::now());
        tx.update(self.keys.run(), changes, condition);
        tx
    }

    /// Adds the batch's next state and its events to a transaction; answers the state as it is written.
    pub(super) fn write_batch(
        &self,
        tx: &mut Tx,
        decided: Decided<Batch, BatchRefusal>,
    ) -> Result<Batch, Stop> {
        let context = Context {
            now: clock::now(),
            ..self.context.clone()
        };
        Ok(write_batch(
            tx,
            &context,
            &self.batch,
            decided?.into_inner(),
        )?)
    }

    /// Commits a fenced transaction. A refusal at position 0 means that the turn is lost; every other refusal is the caller's to explain.
    pub(super) async fn commit(
        &mut self,
        tx: &Tx,
        next: Run,
    ) -> Result<Result<(), CommitError>, Stop> {
        match self.db.commit(tx).await {
            Ok(()) => {
                self.run = next;
                Ok(Ok(()))
            }
            Err(CommitError::Failed(failure)) => Err(Stop::Failed(failure)),
            Err(error @ CommitError::Contended) => Err(Stop::Failed(error.into())),
            Err(error @ CommitError::Refused(_)) => match error.refused_at(0) {
                Some(_) => Err(Stop::LostTurn),
                None => Ok(Err(error)),
            },
        }
    }

    /// As [`Self::commit`], where no other refusal is possible while the turn is ours.
    pub(super) async fn commit_step(&mut self, tx: &Tx, next: Run, what: &str) -> Result<(), Stop> {
        match self.commit(tx, next).await? {
            Ok(()) => Ok(()),
            Err(error) => Err(Stop::Failed(Failure::new(what.to_owned(), error))),
        }
    }

    /// Reads batch and run as they stand: a write whose answer was lost has moved them. `false`: another worker has the turn.
    pub(super) async fn read_again(&mut self) -> Result<bool, Failure> {
        let (batch, run) = (self.keys.batch(), self.keys.run());
        let loaded = self.db.load([batch.clone(), run.clone()]).await?;
        let gone = || Failure::message("a batch is gone while it is worked on");
        let run: Run = loaded.read(&run)?.ok_or_else(gone)?;
        if run.epoch != self.run.epoch {
            return Ok(false);
        }
        self.batch = loaded.read(&batch)?.ok_or_else(gone)?;
        self.run = run;
        Ok(true)
    }

    /// Stops when the deadline is near.
    pub(super) fn check_time(&self) -> Result<(), Stop> {
        if self.deadline.is_near() {
            Err(Stop::HandOver)
        } else {
            Ok(())
        }
    }
}

/// The change of a run and the condition that makes it safe.
pub(super) fn fence(from: &Run, next: &Run, now: Instant) -> (Changes, Condition) {
    let lease = if next.working && !next.handed_over {
        now.as_millis() + LEASE.as_millis() as i64
    } else {
        0
    };
    let mut changes = Changes::new()
        .set("epoch", next.epoch)
        .set("leaseUntil", lease)
        .set("working", next.working)
        .set("handedOver", next.handed_over)
        .set("phase", phase_word(next.phase))
        .set("shard", u32::from(next.shard))
        .set("after", next.after.as_str())
        .set("selected", next.selected)
        .set("staged", next.staged)
        .set("claims", next.claims)
        .set("blocks", next.blocks)
        .set("judged", next.judged)
        .set("valid", next.valid);
    changes = match &next.refusal {
        Some((code, message)) => {
            use aws_sdk_dynamodb::types::AttributeValue::{L, S};
            changes.set("refusal", L(vec![S(code.clone()), S(message.clone())]))
        }
        None => changes.remove("refusal"),
    };
    if let Some(ticket) = &next.ticket {
        changes = changes.set("ticket", ticket);
    }
    if next.phase == Phase::Over {
        changes = changes.remove("listPk").remove("listSort");
    } else if now.as_millis() - from.progress_at >= SWEEP_REFRESH_MILLIS {
        changes = changes
            .set("progressAt", now.as_millis())
            .set("listPk", table::JOBS_LIST)
            .set("listSort", table::millis_sort(now));
    }
    (changes, Condition::default().eq("epoch", from.epoch))
}

/// Adds a batch's next state to a transaction, on condition of the version that was read, with its events chained to its head.
pub(super) fn write_batch(
    tx: &mut Tx,
    context: &Context,
    from: &Batch,
    change: Change<Batch>,
) -> Result<Batch, Failure> {
    let mut next = change.state;
    for event in change.events {
        next.head = activity::append(tx, context, event, &next.head)?;
    }
    put_batch(
        tx,
        &context.company,
        &next,
        Condition::version(from.version),
    )?;
    Ok(next)
}

/// The phase as it is stored and logged.
pub(super) fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Resolve => "resolve",
        Phase::Claim => "claim",
        Phase::Stage => "stage",
        Phase::Commit => "commit",
        Phase::Materialise => "materialise",
        Phase::Release => "release",
        Phase::Over => "over",
    }
}
