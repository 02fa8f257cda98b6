//! What can be done with customers.

use cierre_kernel::codes;
use cierre_kernel::decision::Decision;
use cierre_kernel::problem::Problem;
use cierre_platform::db::{Condition, Db, Loaded, Tx};
use cierre_platform::http::IfMatch;
use cierre_platform::idempotency::{Answer, CommandKey};
use cierre_platform::{Context, Failure, Result};

use super::views::view;
use crate::command::{Planned, chain, run, stamp};
use crate::entity::{Change, Customer, CustomerPatch, NewCustomer};
use crate::table;

/// Makes a customer.
///
/// # Errors
/// 409 `customer_exists`, whether the customer with this id is active or not; 422 `invalid_tax_id`.
pub async fn create(
    db: &Db,
    context: &Context,
    new: NewCustomer,
    command: Option<&CommandKey>,
) -> Result<Answer> {
    let key = table::customer(&context.company, new.customer_id);
    run(db, context, command, std::slice::from_ref(&key), |loaded| {
        let existing: Option<Customer> = loaded.read(&key)?;
        let created = Customer::create(existing.as_ref(), new.clone(), &stamp(context));
        let (tx, customer) = written(context, created.map_err(Problem::from)?, None)?;
        let location = format!("/customers/{}", customer.customer_id);
        let answer = Answer::created(location, &view(&customer))?.versioned(customer.version);
        Ok(Planned { tx, answer })
    })
    .await
}

/// Reads a customer.
///
/// # Errors
/// 404.
pub async fn find(db: &Db, context: &Context, customer_id: u32) -> Result<Customer> {
    let found: Option<Customer> = db
        .get(&table::customer(&context.company, customer_id))
        .await?;
    Ok(found.ok_or_else(|| Problem::new(codes::NOT_FOUND))?)
}

/// Changes some fields of a customer, of an inactive one too.
///
/// # Errors
/// 404; 412; 422 `invalid_tax_id` when the outcome would lack a CUIT that its condition requires.
pub async fn update(
    db: &Db,
    context: &Context,
    customer_id: u32,
    patch: CustomerPatch,
    if_match: &IfMatch,
) -> Result<Answer> {
    let key = table::customer(&context.company, customer_id);
    run(db, context, None, std::slice::from_ref(&key), |loaded| {
        let customer = current(loaded, context, customer_id, if_match)?;
        let decided = customer.update(patch.clone(), context.now);
        let (tx, customer) = match decided.map_err(Problem::from)? {
            Decision::Applied(change) => written(context, change, Some(customer.version))?,
            Decision::Replayed(change) => (Tx::new(), change.state),
        };
        let answer = Answer::ok(&view(&customer))?.versioned(customer.version);
        Ok(Planned { tx, answer })
    })
    .await
}

/// Deactivates a customer.
///
/// # Errors
/// 404; 409 `customer_inactive`; 412.
pub async fn deactivate(
    db: &Db,
    context: &Context,
    customer_id: u32,
    if_match: &IfMatch,
) -> Result<Answer> {
    let key = table::customer(&context.company, customer_id);
    run(db, context, None, std::slice::from_ref(&key), |loaded| {
        let customer = current(loaded, context, customer_id, if_match)?;
        let decided = customer.deactivate(context.now).map_err(Problem::from)?;
        let tx = match decided {
            Decision::Applied(change) => written(context, change, Some(customer.version))?.0,
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
    customer_id: u32,
    if_match: &IfMatch,
) -> Result<Customer> {
    let found: Option<Customer> = loaded.read(&table::customer(&context.company, customer_id))?;
    let customer = found.ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
    if_match.check(Some(customer.version))?;
    Ok(customer)
}

/// The transaction that writes a change with its events, on condition of the version that was read.
fn written(
    context: &Context,
    change: Change<Customer>,
    read: Option<u64>,
) -> Result<(Tx, Customer), Failure> {
    let Change {
        state: mut customer,
        events,
    } = change;
    let mut tx = Tx::new();
    for event in events {
        chain(&mut tx, context, event, Some(&mut customer.head))?;
    }
    let condition = read.map_or_else(Condition::absent, Condition::version);
    tx.put(
        table::customer(&context.company, customer.customer_id),
        &customer,
        condition,
    )?;
    Ok((tx, customer))
}
