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
use cierre_kernel::time::{Date, parse_date};
use cierre_platform::company::{self, CompanySettings};
use cierre_platform::db::{CommitError, Db, Key, Loaded, Tx};
use cierre_platform::idempotency::{self, Answer, CommandError, CommandKey, Committed};
use cierre_platform::{Context, Failure, Result, activity};

use crate::entity::Stamp;

/// How often a command decides before it gives up against others that change the same thing.
pub(crate) const TRIES: u32 = 4;

/// What a command wants written and what it answers then. An empty transaction stands for a command that had its effect before.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) tx: Tx,
    pub(crate) answer: Answer,
}

/// Runs a command: one read of everything that it decides on, one transaction, its idempotency record included.
pub(crate) async fn run(
    db: &Db,
    context: &Context,
    command: Option<&CommandKey>,
    keys: &[Key],
    decide: impl Fn(&Loaded) -> Result<Planned>,
) -> Result<Answer> {
    for _ in 0..TRIES {
        let record = command.map(CommandKey::record);
        let loaded = db.load(keys.iter().cloned().chain(record)).await?;
        if let Some(command) = command
            && let Some(answer) =
                idempotency::replay(loaded.item(&command.record()), command, context.now)?
        {
            return Ok(answer.replayed());
        }
        let Planned { mut tx, answer } = decide(&loaded)?;
        let record = match command {
            Some(command) => {
                let position = idempotency::complete(&mut tx, command, &answer, context.now)?;
                Some((command, position))
            }
            None if tx.is_empty() => return Ok(answer),
            None => None,
        };
        match idempotency::commit(db, &tx, record, context.now).await {
            Ok(Committed::Applied) => return Ok(answer),
            Ok(Committed::Replayed(answer)) => return Ok(answer.replayed()),
            Err(CommandError::Key(error)) => return Err(error),
            Err(CommandError::Commit(CommitError::Failed(failure))) => return Err(failure.into()),
            Err(CommandError::Commit(CommitError::Refused(_) | CommitError::Contended)) => {}
        }
    }
    Err(Problem::new(codes::CONCURRENT_CHANGE).into())
}

/// Who does it and when, as new entities remember it.
pub(crate) fn stamp(context: &Context) -> Stamp {
    Stamp {
        at: context.now,
        by: context.actor.user.clone(),
        correlation_id: context.correlation_id.clone(),
    }
}

/// Adds an event to the transaction and moves the head of its chain, which the caller writes in the same transaction.
pub(crate) fn chain(
    tx: &mut Tx,
    context: &Context,
    event: NewEvent,
    head: Option<&mut ChainHead>,
) -> Result<(), Failure> {
    let head = head.ok_or_else(|| Failure::message("an event has no chain to stand in"))?;
    *head = activity::append(tx, context, event, head)?;
    Ok(())
}

/// Today in the company's time zone; in UTC for a company that has set none yet.
pub(crate) fn today(loaded: &Loaded, context: &Context) -> Result<Date, Failure> {
    let company: Option<CompanySettings> = loaded.read(&company::settings_key(&context.company))?;
    match company {
        Some(company) => Ok(context.now.date_in(&company.settings.time_zone)),
        None => {
            let day: String = context.now.to_string().chars().take(10).collect();
            parse_date(&day).map_err(|error| Failure::new("reading today's date", error))
        }
    }
}
