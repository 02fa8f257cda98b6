//! Sending services to billing: many items, each a transaction of its own.

use cierre_kernel::canonical::sha256_hex;
use cierre_kernel::codes;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::ServiceId;
use cierre_kernel::time::Instant;
use cierre_platform::db::{CommitError, Db, Key, Loaded};
use cierre_platform::idempotency::{self, Answer, Begun, CommandKey};
use cierre_platform::{Context, Failure, Result};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};

use super::AT_ONCE;
use super::service::written;
use super::views::{SendFailed, SendOutcome};
use crate::command::{TRIES, stamp};
use crate::entity::{Pending, Service};
use crate::error::ServiceRefusal;
use crate::pendings::view as pending_view;
use crate::{ids, table};

/// Characters of a command's fingerprint; it stands in every pending, so it is short.
const FINGERPRINT: usize = 16;

/// Makes a pending of each service. What cannot be sent is named with its reason, and the rest is sent all the same.
///
/// Under an idempotency key each pending carries the command's fingerprint. A repeat after a crash finds its own pendings by it, answers them
/// as successes, and sends what the first run did not reach:
///
/// ```text
/// t0  run 1  takes the key, sends 1..400 of 1000, dies
/// t1  run 2  takes the key over, finds 1..400 sent by this very command, sends 401..1000, stores the answer
/// t2  run 3  answers what is stored
/// ```
///
/// # Errors
/// As [`idempotency::begin`]; otherwise only a fault.
pub async fn send_to_billing(
    db: &Db,
    context: &Context,
    services: &[ServiceId],
    command: Option<&CommandKey>,
) -> Result<Answer> {
    let mut sender = Sender {
        db,
        context,
        fingerprint: None,
        repeated: false,
    };
    if let Some(command) = command {
        match idempotency::begin(db, command, context.now).await? {
            Begun::Replayed(answer) => return Ok(answer.replayed()),
            Begun::Run(started) => {
                sender.fingerprint = Some(fingerprint(command, started));
                sender.repeated = started != context.now;
            }
        }
    }
    let loaded = sender.load(services).await?;
    let sends: Vec<_> = services
        .iter()
        .map(|id| sender.send(*id, &loaded))
        .collect();
    let sent: Vec<Sent> = stream::iter(sends).buffered(AT_ONCE).try_collect().await?;
    let mut outcome = SendOutcome::default();
    for sent in sent {
        match sent {
            Ok(pending) => outcome.pendings.push(pending_view(&pending)),
            Err(failed) => outcome.failed.push(failed),
        }
    }
    let answer = Answer::ok(&outcome)?;
    if let Some(command) = command {
        idempotency::finish(db, command, &answer, context.now).await?;
    }
    Ok(answer)
}

/// The same for every repeat of one command. A key that is used again a day later is another command, hence the start.
fn fingerprint(command: &CommandKey, started: Instant) -> String {
    let seed = format!("{}#{}", command.seed(), started.as_millis());
    let mut digest = sha256_hex(seed.as_bytes());
    digest.truncate(FINGERPRINT);
    digest
}

type Sent = std::result::Result<Box<Pending>, SendFailed>;

struct Sender<'a> {
    db: &'a Db,
    context: &'a Context,
    fingerprint: Option<String>,
    /// The key was taken over from a run that died.
    repeated: bool,
}

impl Sender<'_> {
    fn key(&self, id: ServiceId) -> Key {
        table::service(&self.context.company, id)
    }

    async fn load(&self, services: &[ServiceId]) -> Result<Vec<Loaded>, Failure> {
        let keys: Vec<Key> = services.iter().map(|id| self.key(*id)).collect();
        try_join_all(keys.chunks(100).map(|keys| self.db.load(keys.to_vec()))).await
    }

    /// Sends one service, in the state that was read for all of them first and, if that was overtaken, in its present one.
    async fn send(&self, id: ServiceId, loaded: &[Loaded]) -> Result<Sent, Failure> {
        let key = self.key(id);
        let held = loaded.iter().find(|part| part.item(&key).is_some());
        let mut service: Option<Service> = held.map_or(Ok(None), |part| part.read(&key))?;
        for _ in 0..TRIES {
            let Some(current) = service else {
                return Ok(Err(refused(id, ServiceRefusal::NotFound)));
            };
            match self.try_once(&current).await? {
                Tried::Done(sent) => return Ok(sent),
                Tried::Overtaken => service = self.db.get(&key).await?,
            }
        }
        let (code, reason) = (
            codes::CONCURRENT_CHANGE,
            "Service was changed by others at every try",
        );
        Ok(Err(SendFailed {
            id,
            code: code.as_str().to_owned(),
            reason: reason.to_owned(),
        }))
    }

    async fn try_once(&self, service: &Service) -> Result<Tried, Failure> {
        let decided = service.send_to_billing(self.fingerprint.as_deref(), &stamp(self.context));
        let change = match decided {
            Err(refusal) => return Ok(Tried::Done(Err(refused(service.id, refusal)))),
            Ok(Decision::Replayed(change)) => return sent(&change.state),
            Ok(Decision::Applied(change)) => change,
        };
        if let Some(pending) = self.sent_and_cancelled(service).await? {
            return Ok(Tried::Done(Ok(Box::new(pending))));
        }
        let (tx, next) = written(self.context, change, Some(service.version))?;
        match self.db.commit(&tx).await {
            Ok(()) => sent(&next),
            Err(CommitError::Refused(_) | CommitError::Contended) => Ok(Tried::Overtaken),
            Err(CommitError::Failed(failure)) => Err(failure),
        }
    }

    /// The pending that the first run of this command made and that somebody cancelled since: a repeat must not send the service again.
    async fn sent_and_cancelled(&self, service: &Service) -> Result<Option<Pending>, Failure> {
        let last = service.sends.checked_sub(1).filter(|_| self.repeated);
        let last = last.and_then(|attempt| ids::pending_id(service.id, attempt).ok());
        let Some(last) = last else { return Ok(None) };
        let key = table::cancelled_pending(&self.context.company, service.id, last);
        let pending: Option<Pending> = self.db.get(&key).await?;
        Ok(pending.filter(|pending| pending.command == self.fingerprint))
    }
}

enum Tried {
    Done(Sent),
    /// Somebody changed the service in between.
    Overtaken,
}

fn sent(service: &Service) -> Result<Tried, Failure> {
    let pending = service.pending().cloned();
    let pending =
        pending.ok_or_else(|| Failure::message("a service was sent and has no pending"))?;
    Ok(Tried::Done(Ok(Box::new(pending))))
}

fn refused(id: ServiceId, refusal: ServiceRefusal) -> SendFailed {
    SendFailed {
        id,
        code: refusal.code().as_str().to_owned(),
        reason: refusal.reason(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_commands_and_of_this_start_only() {
        let command = |key: &str| {
            CommandKey::new(
                "demo",
                "sub",
                "POST",
                "/services/send-to-billing",
                key,
                "body".into(),
            )
        };
        let (start, later) = (Instant::from_millis(1), Instant::from_millis(2));
        assert_eq!(fingerprint(&command("k"), start).len(), FINGERPRINT);
        assert_eq!(
            fingerprint(&command("k"), start),
            fingerprint(&command("k"), start)
        );
        assert_ne!(
            fingerprint(&command("k"), start),
            fingerprint(&command("k"), later)
        );
        assert_ne!(
            fingerprint(&command("k"), start),
            fingerprint(&command("l"), start)
        );
    }
}
