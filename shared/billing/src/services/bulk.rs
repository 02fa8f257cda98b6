//! Entering services in bulk: many items, each a transaction of its own.

use std::collections::BTreeSet;

use cierre_kernel::canonical::sha256_hex;
use cierre_kernel::codes;
use cierre_kernel::id::ServiceId;
use cierre_kernel::problem::Problem;
use cierre_kernel::time::Instant;
use cierre_platform::db::{CommitError, Db, Key, Loaded};
use cierre_platform::idempotency::{self, Answer, Begun, CommandKey};
use cierre_platform::{Context, Failure, Result, random};
use futures::{StreamExt, TryStreamExt, stream};
use ulid::Ulid;

use super::AT_ONCE;
use super::fields::{Draft, joined};
use super::service::{judge, judged_by, written};
use super::views::{BulkCreated, BulkFailed, BulkOutcome};
use crate::command::{TRIES, stamp};
use crate::entity::Service;
use crate::{ids, table};

/// Enters each service that is well formed. What is not is named with its reason, and the rest is entered all the same.
///
/// The ids follow from the idempotency key, the start of the first run and the place in the request. A repeat after a crash therefore comes to
/// the same ids: a service that stands under one of them is the first run's work.
///
/// # Errors
/// As [`idempotency::begin`]; otherwise only a fault.
pub async fn create_many(
    db: &Db,
    context: &Context,
    drafts: &[Draft],
    command: Option<&CommandKey>,
) -> Result<Answer> {
    let (seed, started) = match command {
        None => (random::ulid(context.now)?.to_string(), context.now),
        Some(command) => match idempotency::begin(db, command, context.now).await? {
            Begun::Replayed(answer) => return Ok(answer.replayed()),
            Begun::Run(started) => (command.seed(), started),
        },
    };
    let ids: Vec<ServiceId> = (0..drafts.len())
        .map(|index| derived(started, &seed, index))
        .collect::<Result<_, _>>()?;
    let mut keys: BTreeSet<Key> = BTreeSet::new();
    for draft in drafts {
        keys.extend(judged_by(context, &draft.readable));
    }
    if started != context.now {
        keys.extend(ids.iter().map(|id| table::service(&context.company, *id)));
    }
    let loaded = db.load(keys).await?;
    let entries: Vec<_> = ids
        .into_iter()
        .zip(drafts)
        .map(|(id, draft)| enter(db, context, id, draft, &loaded))
        .collect();
    let entered: Vec<_> = stream::iter(entries)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let answer = Answer::ok(&outcome(entered))?;
    if let Some(command) = command {
        idempotency::finish(db, command, &answer, context.now).await?;
    }
    Ok(answer)
}

/// The id of the service at a place of a command. The places are a millisecond apart, so services of one day list in the order in which they
/// were entered.
fn derived(started: Instant, seed: &str, index: usize) -> Result<ServiceId, Failure> {
    let digest = sha256_hex(format!("{seed}#{}#{index}", started.as_millis()).as_bytes());
    let random = digest
        .get(..20)
        .and_then(|digits| u128::from_str_radix(digits, 16).ok());
    let random = random.ok_or_else(|| Failure::message("a digest is not hexadecimal"))?;
    let start = u64::try_from(started.as_millis()).unwrap_or_default();
    Ok(ids::service_id(Ulid::from_parts(
        start + index as u64,
        random,
    )))
}

async fn enter(
    db: &Db,
    context: &Context,
    id: ServiceId,
    draft: &Draft,
    loaded: &Loaded,
) -> Result<std::result::Result<ServiceId, Box<Problem>>, Failure> {
    if loaded.item(&table::service(&context.company, id)).is_some() {
        return Ok(Ok(id));
    }
    let errors = judge(loaded, context, &draft.readable)?;
    let new = match joined(&draft.read, errors) {
        Ok(new) => new,
        Err(problem) => return Ok(Err(problem)),
    };
    let change = match Service::create(id, new, &stamp(context)) {
        Ok(change) => change,
        Err(refusal) => return Ok(Err(Box::new(refusal.into()))),
    };
    let (tx, _) = written(context, change, None)?;
    for _ in 0..TRIES {
        match db.commit(&tx).await {
            Ok(()) => return Ok(Ok(id)),
            // Only this command comes to this id, so what stands there is its own work.
            Err(CommitError::Refused(_)) => return Ok(Ok(id)),
            Err(CommitError::Contended) => {}
            Err(CommitError::Failed(failure)) => return Err(failure),
        }
    }
    Ok(Err(Box::new(Problem::new(codes::CONCURRENT_CHANGE))))
}

fn outcome(entered: Vec<std::result::Result<ServiceId, Box<Problem>>>) -> BulkOutcome {
    let mut outcome = BulkOutcome::default();
    for (index, entered) in entered.into_iter().enumerate() {
        match entered {
            Ok(id) => outcome.created.push(BulkCreated { index, id }),
            Err(problem) => outcome.failed.push(BulkFailed {
                index,
                code: problem.code.as_str().to_owned(),
                reason: reason(&problem),
            }),
        }
    }
    outcome
}

/// Every wrong field with its place, in one text.
fn reason(problem: &Problem) -> String {
    let field = |error: &cierre_kernel::problem::FieldError| match error.pointer.as_str() {
        "" => error.detail.clone(),
        pointer => format!("{}: {}", pointer.trim_start_matches('/'), error.detail),
    };
    if problem.errors.is_empty() {
        problem.detail.clone()
    } else {
        problem
            .errors
            .iter()
            .map(field)
            .collect::<Vec<_>>()
            .join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_kernel::problem::FieldError;
    use std::collections::BTreeSet;

    #[test]
    fn a_repeat_comes_to_the_same_ids_and_they_sort_by_place() {
        let started = Instant::from_millis(1_706_700_000_000);
        let ids = |seed: &str| -> Vec<ServiceId> {
            (0..1_000)
                .map(|index| derived(started, seed, index).unwrap())
                .collect()
        };
        assert_eq!(ids("a"), ids("a"));
        assert!(ids("a").is_sorted());
        assert!(ids("a").iter().all(|id| ids::is_service_id(*id)));
        let both: BTreeSet<ServiceId> = ids("a").into_iter().chain(ids("b")).collect();
        assert_eq!(both.len(), 2_000);
        let later = derived(Instant::from_millis(1_706_700_000_001), "a", 0).unwrap();
        assert!(!both.contains(&later));
    }

    #[test]
    fn every_item_has_an_outcome_and_a_failure_names_each_wrong_field() {
        let id: ServiceId = "svc_00000000000000000000000001".parse().unwrap();
        let one = Problem::field(
            "/customerId",
            codes::UNKNOWN_CUSTOMER,
            "customer 9 does not exist",
        );
        let two = Problem::validation(vec![
            FieldError::new("/amount", codes::REQUIRED, "is required"),
            FieldError::new("", codes::INVALID_TYPE, "must be a JSON object"),
        ]);
        let outcome = outcome(vec![Err(Box::new(one)), Ok(id), Err(Box::new(two))]);
        assert_eq!(outcome.created, [BulkCreated { index: 1, id }]);
        let failed = |index, code: &str, reason: &str| BulkFailed {
            index,
            code: code.into(),
            reason: reason.into(),
        };
        assert_eq!(
            outcome.failed,
            [
                failed(
                    0,
                    "unknown_customer",
                    "customerId: customer 9 does not exist"
                ),
                failed(
                    2,
                    "validation_failed",
                    "amount: is required; must be a JSON object"
                ),
            ]
        );
    }
}
