//! What can be done with a single service.

use cierre_kernel::codes;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::ServiceId;
use cierre_kernel::problem::{FieldError, Problem};
use cierre_kernel::time::Date;
use cierre_platform::company;
use cierre_platform::db::{Condition, Db, Key, Loaded, Tx};
use cierre_platform::http::IfMatch;
use cierre_platform::idempotency::{Answer, CommandKey};
use cierre_platform::{Context, Error, Failure, Result};

use super::fields::{Changes, Draft, Readable, joined};
use super::views::view;
use crate::command::{Planned, chain, run, stamp, today};
use crate::entity::{Change, Customer, Service};
use crate::rules::last_service_date;
use crate::service_item::put_service;
use crate::table;

/// Enters a service under an id that the caller made ([`crate::ids::service_id`]). If there is a service of this id already, that one is
/// answered and nothing changes, so loading twice is loading once.
///
/// The customer is read, not locked: one that is deactivated in the same moment counts as deactivated afterwards.
///
/// # Errors
/// 422 with every wrong field: what is wrong by itself, a date too far ahead, `unknown_customer`, `customer_inactive`.
pub async fn create(
    db: &Db,
    context: &Context,
    id: ServiceId,
    draft: impl Into<Draft>,
    command: Option<&CommandKey>,
) -> Result<Answer> {
    let draft = draft.into();
    let key = table::service(&context.company, id);
    let mut keys = judged_by(context, &draft.readable);
    keys.push(key.clone());
    run(db, context, command, &keys, |loaded| {
        if let Some(existing) = loaded.read::<Service>(&key)? {
            return Ok(Planned {
                tx: Tx::new(),
                answer: created(&existing)?,
            });
        }
        let errors = judge(loaded, context, &draft.readable)?;
        let new = joined(&draft.read, errors).map_err(Error::Refused)?;
        let change = Service::create(id, new, &stamp(context)).map_err(Problem::from)?;
        let (tx, service) = written(context, change, None)?;
        Ok(Planned {
            tx,
            answer: created(&service)?,
        })
    })
    .await
}

/// Reads a service.
///
/// # Errors
/// 404, for a deleted one too.
pub async fn find(db: &Db, context: &Context, id: ServiceId) -> Result<Answer> {
    let found: Option<Service> = db.get(&table::service(&context.company, id)).await?;
    let service = found.ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
    shown(&service)
}

/// Changes some fields of a service that was not sent yet.
///
/// # Errors
/// 404; 409 `service_locked`; 412; 422 as [`create`]. A customer that stays the same is not judged again.
pub async fn update(
    db: &Db,
    context: &Context,
    id: ServiceId,
    changes: impl Into<Changes>,
    if_match: &IfMatch,
) -> Result<Answer> {
    let changes = changes.into();
    let mut keys = judged_by(context, &changes.readable);
    keys.push(table::service(&context.company, id));
    run(db, context, None, &keys, |loaded| {
        let service = current(loaded, context, id, if_match)?;
        // A locked service is locked whatever the fields say.
        let patch = changes.read.clone().unwrap_or_default();
        let decided = service.update(patch, context.now).map_err(Problem::from)?;
        let readable = Readable {
            customer_id: changes
                .readable
                .customer_id
                .filter(|id| *id != service.customer_id),
            ..changes.readable
        };
        let errors = judge(loaded, context, &readable)?;
        joined(&changes.read, errors).map_err(Error::Refused)?;
        let (tx, service) = match decided {
            Decision::Applied(change) => written(context, change, Some(service.version))?,
            Decision::Replayed(change) => (Tx::new(), change.state),
        };
        Ok(Planned {
            tx,
            answer: shown(&service)?,
        })
    })
    .await
}

/// Removes a service that was not sent yet. A tombstone keeps its chain of events.
///
/// # Errors
/// 404; 409 `service_locked`; 412.
pub async fn delete(
    db: &Db,
    context: &Context,
    id: ServiceId,
    if_match: &IfMatch,
) -> Result<Answer> {
    let keys = [table::service(&context.company, id)];
    run(db, context, None, &keys, |loaded| {
        let service = current(loaded, context, id, if_match)?;
        let tx = match service.delete(context.now).map_err(Problem::from)? {
            Decision::Applied(change) => written(context, change, Some(service.version))?.0,
            Decision::Replayed(_) => Tx::new(),
        };
        Ok(Planned {
            tx,
            answer: Answer::no_content(),
        })
    })
    .await
}

fn current(
    loaded: &Loaded,
    context: &Context,
    id: ServiceId,
    if_match: &IfMatch,
) -> Result<Service> {
    let found: Option<Service> = loaded.read(&table::service(&context.company, id))?;
    let found = found.filter(|service| service.status().is_some());
    let service = found.ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
    if_match.check(Some(service.version))?;
    Ok(service)
}

fn created(service: &Service) -> Result<Answer> {
    let view = view(service).ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
    Ok(Answer::created(format!("/services/{}", service.id), &view)?.versioned(service.version))
}

fn shown(service: &Service) -> Result<Answer> {
    let view = view(service).ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
    Ok(Answer::ok(&view)?.versioned(service.version))
}

/// What has to be read to judge a service's fields.
pub(super) fn judged_by(context: &Context, readable: &Readable) -> Vec<Key> {
    let customer = readable
        .customer_id
        .map(|id| table::customer(&context.company, id));
    let settings = company::settings_key(&context.company);
    customer.into_iter().chain([settings]).collect()
}

/// What is wrong with the fields that do not speak for themselves.
pub(super) fn judge(
    loaded: &Loaded,
    context: &Context,
    readable: &Readable,
) -> Result<Vec<FieldError>, Failure> {
    let last = last_service_date(today(loaded, context)?);
    let mut errors = Vec::new();
    errors.extend(readable.service_date.and_then(|date| too_late(date, last)));
    if let Some(id) = readable.customer_id {
        let customer: Option<Customer> = loaded.read(&table::customer(&context.company, id))?;
        if let Err(refusal) = Customer::accepts_service(customer.as_ref(), id) {
            let error = FieldError::new("/customerId", refusal.code(), refusal.to_string());
            errors.push(error);
        }
    }
    Ok(errors)
}

fn too_late(date: Date, last: Date) -> Option<FieldError> {
    let detail = || format!("must not lie after {last}");
    (date > last).then(|| FieldError::new("/serviceDate", codes::OUT_OF_RANGE, detail()))
}

/// The transaction that writes a change with its events, on condition of the version that was read.
pub(crate) fn written(
    context: &Context,
    change: Change<Service>,
    read: Option<u64>,
) -> Result<(Tx, Service), Failure> {
    let Change {
        state: mut service,
        events,
    } = change;
    let mut tx = Tx::new();
    for event in events {
        let head = service.head_of(&event);
        chain(&mut tx, context, event, head)?;
    }
    let condition = read.map_or_else(Condition::absent, Condition::version);
    put_service(&mut tx, &context.company, &service, condition)?;
    Ok((tx, service))
}
