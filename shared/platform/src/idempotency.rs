//! One answer per idempotency key, whatever happens in between.
//!
//! A command of one transaction writes its record *inside* that transaction ([`complete`]): no crash can separate effect and answer, and it
//! costs no request of its own. A command of several transactions takes the key first ([`begin`]), works, and completes it ([`finish`]); if
//! it dies in between, a repeat after [`LOCK_SECONDS`] takes over and goes on from what is there.
//!
//! ```text
//! t0  A  reads the record: none            B  reads the record: none
//! t1  A  commits effect + record
//! t2                                       B  commits: its record's condition fails, nothing is written
//! t3                                       B  reads A's record out of the refusal and answers it as a replay
//! ```

use std::io::{Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use cierre_kernel::codes;
use cierre_kernel::problem::Problem;
use cierre_kernel::time::Instant;
use serde_json::Value;

use crate::db::{Changes, CommitError, Condition, Db, Item, Key, Table, Tx, number, text};
use crate::error::{Doing, Error, Failure, Result};

/// The idempotency table.
pub const TABLE: Table = Table::new("IDEMPOTENCY_TABLE");
/// How long an answer is kept. Expiry is checked here; the table's own clean-up is lazy.
pub const LIFE_SECONDS: i64 = 24 * 60 * 60;
/// How long a command of several transactions may run before a repeat may take over: longer than an API function lives.
pub const LOCK_SECONDS: i64 = 35;
/// Bodies over this size are stored compressed.
const PLAIN_BYTES: usize = 2048;

/// The scope of one key: company, user, method, path and key; with a hash of the request's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandKey {
    key: Key,
    request: String,
}

impl CommandKey {
    /// Builds the scope. `request` is a hash of the body in canonical form.
    pub fn new(
        company: &str,
        user_id: &str,
        method: &str,
        path: &str,
        key: &str,
        request: String,
    ) -> Self {
        let scope =
            cierre_kernel::canonical::sha256_hex(format!("{method} {path} {key}").as_bytes());
        Self {
            key: Key::new(TABLE, format!("{company}#{user_id}"), scope),
            request,
        }
    }

    /// Where the record stands, to be read together with what the command decides on.
    pub fn record(&self) -> Key {
        self.key.clone()
    }

    /// A text that is the same for every repeat of this command and for no other command: the seed of ids that a repeat must find again.
    pub fn seed(&self) -> String {
        format!("{}#{}", self.key.pk, self.key.sk)
    }
}

/// What was answered, as it is stored and replayed.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers besides the common ones, such as `Location` and `ETag`.
    pub headers: Vec<(String, String)>,
    /// The JSON body; `Null` for none.
    pub body: Value,
}

/// The first reading of a record decides: go on, or answer what is stored.
///
/// # Errors
/// `idempotency_key_reused` for another body; `request_in_progress` while the first request still runs.
pub fn replay(item: Option<&Item>, command: &CommandKey, now: Instant) -> Result<Option<Answer>> {
    let Some(item) = item.filter(|item| !expired(item, now)) else {
        return Ok(None);
    };
    if text(item, "request") != Some(command.request.as_str()) {
        return Err(Problem::new(codes::IDEMPOTENCY_KEY_REUSED).into());
    }
    if text(item, "state") == Some("done") {
        return Ok(Some(read_answer(item)?));
    }
    let locked_until = number(item, "lockedUntil").unwrap_or_default();
    if locked_until > now.as_millis() {
        let seconds = u32::try_from((locked_until - now.as_millis()) / 1000 + 1).unwrap_or(1);
        return Err(Problem::new(codes::REQUEST_IN_PROGRESS)
            .retry_after(seconds)
            .into());
    }
    Ok(None)
}

/// Adds the completed record to the command's only transaction.
///
/// # Errors
/// When the answer cannot be written.
pub fn complete(
    tx: &mut Tx,
    command: &CommandKey,
    answer: &Answer,
    now: Instant,
) -> Result<usize, Failure> {
    let fresh = Condition::default().any_of([
        Condition::absent(),
        Condition::default().le("expiresAt", seconds(now)),
    ]);
    Ok(tx.put_item(command.key.clone(), done(command, answer, now)?, fresh))
}

/// How a command's only transaction ended.
#[derive(Debug)]
pub enum Committed {
    /// The effect and the record were written.
    Applied,
    /// Another request with the same key was faster; this is its answer.
    Replayed(Answer),
}

/// Commits a transaction whose action at `record` is the idempotency record, and turns a lost race for the key into the winner's answer.
///
/// # Errors
/// As [`Db::commit`], and as [`replay`] for the winner's record.
pub async fn commit(
    db: &Db,
    tx: &Tx,
    command: Option<(&CommandKey, usize)>,
    now: Instant,
) -> Result<Committed, CommandError> {
    let error = match db.commit(tx).await {
        Ok(()) => return Ok(Committed::Applied),
        Err(error) => error,
    };
    if let Some((command, position)) = command
        && let Some(Some(item)) = error.refused_at(position)
        && let Some(answer) = replay(Some(item), command, now)?
    {
        return Ok(Committed::Replayed(answer));
    }
    Err(CommandError::Commit(error))
}

/// Why a command's transaction did not end in an answer.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Its transaction was not applied.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The key was used for something else, or its first request still runs.
    #[error(transparent)]
    Key(#[from] Error),
}

/// How a command of several transactions starts.
#[derive(Debug)]
pub enum Begun {
    /// First run, or a repeat that takes over after a crash. The instant is the *first* run's, so that a repeat derives the same ids.
    Run(Instant),
    /// Already answered.
    Replayed(Answer),
}

/// Takes the key of a command of several transactions.
///
/// # Errors
/// As [`replay`]; or when DynamoDB does not answer.
pub async fn begin(db: &Db, command: &CommandKey, now: Instant) -> Result<Begun> {
    let known = db.get_item(&command.key).await?;
    if let Some(answer) = replay(known.as_ref(), command, now)? {
        return Ok(Begun::Replayed(answer));
    }
    let previous = known
        .as_ref()
        .filter(|item| !expired(item, now))
        .and_then(|item| number(item, "startedAt"));
    let started_at = previous.unwrap_or_else(|| now.as_millis());
    let changes = Changes::new()
        .set("state", "running")
        .set("request", &command.request)
        .set("startedAt", started_at)
        .set("lockedUntil", now.as_millis() + LOCK_SECONDS * 1000)
        .set("expiresAt", seconds(now) + LIFE_SECONDS);
    // Two repeats may find the same dead run; the lock they both read decides which of them goes on.
    let seen = match known.as_ref().and_then(|item| number(item, "lockedUntil")) {
        Some(lock) => Condition::default()
            .eq("lockedUntil", lock)
            .ne("state", "done"),
        None if known.is_some() => Condition::default().le("expiresAt", seconds(now)),
        None => Condition::absent(),
    };
    match db.change(&command.key, &changes, &seen).await? {
        Some(_) => Ok(Begun::Run(Instant::from_millis(started_at))),
        None => match replay(db.get_item(&command.key).await?.as_ref(), command, now)? {
            Some(answer) => Ok(Begun::Replayed(answer)),
            None => Err(Problem::new(codes::REQUEST_IN_PROGRESS)
                .retry_after(1)
                .into()),
        },
    }
}

/// Stores the answer of a command of several transactions. Repeats of a finished run write the same answer.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn finish(
    db: &Db,
    command: &CommandKey,
    answer: &Answer,
    now: Instant,
) -> Result<(), Failure> {
    let mut tx = Tx::new();
    tx.put_item(
        command.key.clone(),
        done(command, answer, now)?,
        Condition::always(),
    );
    Ok(db.commit(&tx).await?)
}

/// Gives the key back after a refusal before any effect: refusals are not stored.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn abandon(db: &Db, command: &CommandKey) -> Result<(), Failure> {
    let mut tx = Tx::new();
    tx.delete(
        command.key.clone(),
        Condition::default().eq("state", "running"),
    );
    match db.commit(&tx).await {
        Ok(()) | Err(CommitError::Refused(_)) => Ok(()),
        Err(error @ (CommitError::Contended | CommitError::Failed(_))) => Err(error.into()),
    }
}

fn expired(item: &Item, now: Instant) -> bool {
    number(item, "expiresAt").is_some_and(|at| at <= seconds(now))
}

fn seconds(now: Instant) -> i64 {
    now.as_millis().div_euclid(1000)
}

fn done(command: &CommandKey, answer: &Answer, now: Instant) -> Result<Item, Failure> {
    let body = serde_json::to_string(&answer.body).doing("writing an answer")?;
    let headers = serde_json::to_string(&answer.headers).doing("writing an answer's headers")?;
    let mut item = Item::from([
        ("state".to_owned(), AttributeValue::S("done".to_owned())),
        (
            "request".to_owned(),
            AttributeValue::S(command.request.clone()),
        ),
        (
            "status".to_owned(),
            AttributeValue::N(answer.status.to_string()),
        ),
        ("headers".to_owned(), AttributeValue::S(headers)),
        (
            "expiresAt".to_owned(),
            AttributeValue::N((seconds(now) + LIFE_SECONDS).to_string()),
        ),
    ]);
    if body.len() <= PLAIN_BYTES {
        item.insert("body".to_owned(), AttributeValue::S(body));
    } else {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer
            .write_all(body.as_bytes())
            .doing("compressing an answer")?;
        item.insert(
            "packed".to_owned(),
            AttributeValue::B(Blob::new(packer.finish().doing("compressing an answer")?)),
        );
    }
    Ok(item)
}

fn read_answer(item: &Item) -> Result<Answer, Failure> {
    let broken = || Failure::message("an idempotency record is incomplete");
    let status = number(item, "status")
        .and_then(|n| u16::try_from(n).ok())
        .ok_or_else(broken)?;
    let headers = serde_json::from_str(text(item, "headers").unwrap_or("[]"))
        .doing("reading an answer's headers")?;
    let body = match (text(item, "body"), item.get("packed")) {
        (Some(body), _) => body.to_owned(),
        (None, Some(AttributeValue::B(packed))) => {
            let mut body = String::new();
            flate2::read::GzDecoder::new(packed.as_ref())
                .read_to_string(&mut body)
                .doing("unpacking an answer")?;
            body
        }
        (None, _) => return Err(broken()),
    };
    Ok(Answer {
        status,
        headers,
        body: serde_json::from_str(&body).doing("reading an answer")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(request: &str) -> CommandKey {
        CommandKey::new("demo", "sub", "POST", "/services", "k1", request.to_owned())
    }

    fn answer(size: usize) -> Answer {
        Answer {
            status: 201,
            headers: vec![("ETag".into(), "\"1\"".into())],
            body: Value::String("x".repeat(size)),
        }
    }

    fn at(seconds: i64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn a_stored_answer_comes_back_whole_whatever_its_size() {
        for size in [0, PLAIN_BYTES, 400_000] {
            let item = done(&command("h"), &answer(size), at(10)).unwrap();
            assert_eq!(
                replay(Some(&item), &command("h"), at(11)).unwrap(),
                Some(answer(size))
            );
        }
    }

    #[test]
    fn the_same_key_with_another_body_is_refused() {
        let item = done(&command("h"), &answer(1), at(10)).unwrap();
        let Err(Error::Refused(problem)) = replay(Some(&item), &command("other"), at(11)) else {
            panic!("not refused")
        };
        assert_eq!(problem.code, codes::IDEMPOTENCY_KEY_REUSED);
    }

    #[test]
    fn an_answer_older_than_a_day_counts_as_none_even_before_it_is_cleaned_up() {
        let item = done(&command("h"), &answer(1), at(10)).unwrap();
        assert_eq!(
            replay(Some(&item), &command("h"), at(10 + LIFE_SECONDS)).unwrap(),
            None
        );
    }

    #[test]
    fn a_running_command_is_in_progress_until_its_lock_ends() {
        let running = Item::from([
            ("state".to_owned(), AttributeValue::S("running".into())),
            ("request".to_owned(), AttributeValue::S("h".into())),
            ("lockedUntil".to_owned(), AttributeValue::N("35000".into())),
            ("expiresAt".to_owned(), AttributeValue::N("99999".into())),
        ]);
        assert!(replay(Some(&running), &command("h"), at(34)).is_err());
        assert_eq!(replay(Some(&running), &command("h"), at(35)).unwrap(), None);
    }
}
