//! What can be done with a single pending.

use cierre_kernel::codes;
use cierre_kernel::id::PendingId;
use cierre_kernel::problem::Problem;
use cierre_platform::db::{Condition, Db, Tx};
use cierre_platform::http::IfMatch;
use cierre_platform::idempotency::Answer;
use cierre_platform::{Context, Failure, Result};

use super::repo::{cancelled_item, keys, read};
use super::views::view;
use crate::command::{Planned, chain, run};
use crate::entity::{Cancellation, Change, Pending, Service, resource};
use crate::service_item::put_service;
use crate::table;

/// Reads a pending, a cancelled one too.
///
/// # Errors
/// 404.
pub async fn find(db: &Db, context: &Context, id: PendingId) -> Result<Pending> {
    let loaded = db.load(keys(context, id)).await?;
    let (service, cancelled) = read(&loaded, context, id)?;
    let found = cancelled.or_else(|| current(service.as_ref(), id).cloned());
    Ok(found.ok_or_else(|| Problem::new(codes::NOT_FOUND))?)
}

/// Takes a pending back: its service is free again, and the pending becomes an item of its own.
///
/// # Errors
/// 404; 409 `pending_claimed`, `pending_not_pending`; 412.
pub async fn cancel(
    db: &Db,
    context: &Context,
    id: PendingId,
    if_match: &IfMatch,
) -> Result<Answer> {
    run(db, context, None, &keys(context, id), |loaded| {
        let (service, cancelled) = read(loaded, context, id)?;
        if let Some(pending) = cancelled {
            if_match.check(Some(pending.version))?;
            pending.check_cancel().map_err(Problem::from)?;
            return Err(Failure::message(
                "a pending in the place of cancelled ones is not cancelled",
            )
            .into());
        }
        let (Some(service), Some(pending)) = (&service, current(service.as_ref(), id)) else {
            return Err(Problem::new(codes::NOT_FOUND).into());
        };
        if_match.check(Some(pending.version))?;
        let change = service
            .cancel_pending(id, context.now)
            .map_err(Problem::from)?;
        let (tx, pending) = written(context, change, service.version)?;
        let answer = Answer::ok(&view(&pending))?.versioned(pending.version);
        Ok(Planned { tx, answer })
    })
    .await
}

fn current(service: Option<&Service>, id: PendingId) -> Option<&Pending> {
    service?.pending().filter(|pending| pending.id == id)
}

fn written(
    context: &Context,
    change: Change<Cancellation>,
    read: u64,
) -> Result<(Tx, Pending), Failure> {
    let Change {
        state: Cancellation {
            mut service,
            mut pending,
        },
        events,
    } = change;
    let mut tx = Tx::new();
    for event in events {
        // The service has let go of the pending, so the pending's chain goes on in its own item.
        let head = if event.resource_type == resource::PENDING {
            Some(&mut pending.head)
        } else {
            service.head_of(&event)
        };
        chain(&mut tx, context, event, head)?;
    }
    put_service(
        &mut tx,
        &context.company,
        &service,
        Condition::version(read),
    )?;
    let key = table::cancelled_pending(&context.company, service.id, pending.id);
    tx.put_item(key, cancelled_item(context, &pending)?, Condition::absent());
    Ok((tx, pending))
}
