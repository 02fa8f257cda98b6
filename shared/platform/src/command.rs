//! How every command of one transaction runs: read once, decide, commit once.
//!
//! ```text
//! t0  A  reads version 3            B  reads version 3
//! t1  A  commits version 4
//! t2                                B  commits on condition of version 3: refused, nothing is written
//! t3                                B  reads version 4 and decides again: applied, refused, or lost once more
//! ```

use cierre_kernel::codes;
use cierre_kernel::event::{ChainHead, NewEvent};
use cierre_kernel::problem::Problem;
use cierre_kernel::time::Date;

use crate::company;
use crate::db::{CommitError, Db, Key, Loaded, Tx};
use crate::idempotency::{self, Answer, CommandError, CommandKey, Committed};
use crate::{Context, Error, Failure, Result, activity};

/// How often a command decides before it gives up against others that change the same thing.
pub const TRIES: u32 = 4;

/// What a command wants written and what it answers then. An empty transaction stands for a command that had its effect before.
#[derive(Debug)]
pub struct Planned {
    /// What is written.
    pub tx: Tx,
    /// What is answered then.
    pub answer: Answer,
}

/// Runs a command: one read of everything that it decides on, one transaction, its idempotency record included.
///
/// # Errors
/// What `decide` refuses; 409 `concurrent_change` after [`TRIES`] lost races; or when DynamoDB does not answer.
pub async fn run(
    db: &Db,
    context: &Context,
    command: Option<&CommandKey>,
    keys: &[Key],
    decide: impl Fn(&Loaded) -> Result<Planned>,
) -> Result<Answer> {
    run_with!(db, context, command, keys, |loaded| decide(&loaded)?)
}

/// As [`run`], for a command that reads more than can be named beforehand: the last argument is the name of what was read and a block, with `await`
/// and `?`, that makes a [`Planned`] of it. What it reads itself it reads after `keys`: when one of those changes meanwhile, the transaction is
/// refused. The value is the answer, as [`run`]'s.
#[macro_export]
macro_rules! run_with {
    ($db:expr, $context:expr, $command:expr, $keys:expr, |$loaded:ident| $decide:expr) => {
        'decided: {
            for _ in 0..$crate::command::TRIES {
                match $crate::command::load($db, $context, $command, $keys).await? {
                    $crate::command::Begun::Replayed(answer) => break 'decided Ok(answer),
                    $crate::command::Begun::Decide($loaded) => {
                        let planned: $crate::command::Planned = $decide;
                        let answer = $crate::command::commit($db, $context, $command, planned);
                        if let Some(answer) = answer.await? {
                            break 'decided Ok(answer);
                        }
                    }
                }
            }
            Err($crate::command::lost())
        }
    };
}

pub use run_with;

/// How a try of a command begins.
#[derive(Debug)]
pub enum Begun {
    /// It was answered before.
    Replayed(Answer),
    /// It is to be decided on what was read.
    Decide(Loaded),
}

/// Reads what a command decides on, together with its idempotency record.
///
/// # Errors
/// When DynamoDB does not answer, or the idempotency key is in use for something else.
pub async fn load(
    db: &Db,
    context: &Context,
    command: Option<&CommandKey>,
    keys: &[Key],
) -> Result<Begun> {
    let record = command.map(CommandKey::record);
    let loaded = db.load(keys.iter().cloned().chain(record)).await?;
    if let Some(command) = command
        && let Some(answer) =
            idempotency::replay(loaded.item(&command.record()), command, context.now)?
    {
        return Ok(Begun::Replayed(answer.replayed()));
    }
    Ok(Begun::Decide(loaded))
}

/// Commits what was decided; none when somebody was faster, and it has to be decided again.
///
/// # Errors
/// When DynamoDB does not answer, or the idempotency key is in use for something else.
pub async fn commit(
    db: &Db,
    context: &Context,
    command: Option<&CommandKey>,
    planned: Planned,
) -> Result<Option<Answer>> {
    let Planned { mut tx, answer } = planned;
    let record = match command {
        Some(command) => {
            let position = idempotency::complete(&mut tx, command, &answer, context.now)?;
            Some((command, position))
        }
        None if tx.is_empty() => return Ok(Some(answer)),
        None => None,
    };
    match idempotency::commit(db, &tx, record, context.now).await {
        Ok(Committed::Applied) => Ok(Some(answer)),
        Ok(Committed::Replayed(answer)) => Ok(Some(answer.replayed())),
        Err(CommandError::Key(error)) => Err(error),
        Err(CommandError::Commit(CommitError::Failed(failure))) => Err(failure.into()),
        Err(CommandError::Commit(CommitError::Refused(_) | CommitError::Contended)) => Ok(None),
    }
}

/// 409 `concurrent_change`: others were faster at every try.
pub fn lost() -> Error {
    Problem::new(codes::CONCURRENT_CHANGE).into()
}

/// Adds an event to the transaction and moves the head of its chain, which the caller writes in the same transaction.
///
/// # Errors
/// When there is no head, or as [`activity::append`].
pub fn chain(
    tx: &mut Tx,
    context: &Context,
    event: NewEvent,
    head: Option<&mut ChainHead>,
) -> Result<(), Failure> {
    let head = head.ok_or_else(|| Failure::message("an event has no chain to stand in"))?;
    *head = activity::append(tx, context, event, head)?;
    Ok(())
}

/// Today in the company's time zone; in UTC for a company that has set none yet. The company's settings are among what was loaded.
///
/// # Errors
/// When the settings cannot be read.
pub fn today(loaded: &Loaded, context: &Context) -> Result<Date, Failure> {
    let zone = company::zone(loaded, &context.company)?;
    Ok(context.now.date_in(&zone))
}
