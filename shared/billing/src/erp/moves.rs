//! What people do to a sync: confirm it, or cancel it. The ERP is told afterwards.

use cierre_kernel::codes;
use cierre_kernel::id::SyncId;
use cierre_kernel::problem::Problem;
use cierre_platform::db::{Condition, Tx};
use cierre_platform::idempotency::{Answer, CommandKey};
use cierre_platform::{Context, Result};

use super::Syncs;
use super::item::{SyncMessage, Work, put_sync};
use super::views::sync_view;
use crate::command::{self, Planned, chain};
use crate::entity::{Decided, ErpSync};
use crate::error::SyncRefusal;
use crate::table;

/// Confirms a sync with the digest that a person compared.
///
/// # Errors
/// 404; 409 `digest_mismatch`, `sync_not_sent`, `sync_confirmed`, `sync_failed`.
pub(super) async fn confirm(
    syncs: &Syncs,
    context: &Context,
    id: SyncId,
    digest: &str,
    key: Option<&CommandKey>,
) -> Result<Answer> {
    decide(syncs, context, id, key, |sync| {
        sync.confirmed(digest, context.now)
    })
    .await
}

/// Cancels a sync that was sent.
///
/// # Errors
/// 404; 409 as [`confirm`], without the digest.
pub(super) async fn cancel(
    syncs: &Syncs,
    context: &Context,
    id: SyncId,
    reason: &str,
    key: Option<&CommandKey>,
) -> Result<Answer> {
    decide(syncs, context, id, key, |sync| {
        sync.cancelled(reason, context.now)
    })
    .await
}

async fn decide(
    syncs: &Syncs,
    context: &Context,
    id: SyncId,
    key: Option<&CommandKey>,
    decision: impl Fn(&ErpSync) -> Decided<ErpSync, SyncRefusal>,
) -> Result<Answer> {
    let company = &context.company;
    let (item, work) = (table::sync(company, id), table::sync_work(company, id));
    let answer = command::run(
        &syncs.db,
        context,
        key,
        std::slice::from_ref(&item),
        |loaded| {
            let sync: Option<ErpSync> = loaded.read(&item)?;
            let sync = sync.ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
            let change = decision(&sync).map_err(Problem::from)?.into_inner();
            let mut next = change.state;
            let mut tx = Tx::new();
            for event in change.events {
                chain(&mut tx, context, event, Some(&mut next.head))?;
            }
            put_sync(&mut tx, company, &next, Condition::version(sync.version))?;
            // What was sent has nothing left to do, so its notes are gone; now there is something again.
            tx.put(
                work.clone(),
                &Work::new(next.version, context.now),
                Condition::always(),
            )?;
            let answer = Answer::ok(&sync_view(&next))?.versioned(next.version);
            Ok(Planned { tx, answer })
        },
    )
    .await?;
    if !answer.is_replayed() {
        let message = SyncMessage {
            company_id: company.clone(),
            sync_id: id,
            correlation_id: context.correlation_id.clone(),
        };
        syncs.queue.send(&message).await?;
    }
    Ok(answer)
}
