//! The figures that follow the table's stream: what waits, what was invoiced, how the jobs stand.
//!
//! Every item stands for a share in some rows; a change of the item moves these rows by the difference of its shares. So each row is, at
//! rest, the sum over the items that are there, whatever happened to them on the way. Counting each change once is
//! [`cierre_platform::counters`]'s part.
//!
//! | item | share |
//! | --- | --- |
//! | service with a waiting pending | `summary`: 1 and its amount, in its customer's row and the total |
//! | service with an invoice | `statistics`: 1 and its amounts, in the total and the rows of customer, book and month |
//! | credit note with its CAE | `statistics`: 1 and its amount, in the same rows, under the credit note's own date |
//! | batch | `jobs`: 1 in the column of its job's status; once the job is over, also in the row of the hour in which it ended |
//!
//! The number of customers with pendings is no share of any item. It moves with a customer's row that leaves or returns to zero.

use std::collections::BTreeMap;

use cierre_kernel::company::CompanyId;
use cierre_kernel::time::Date;
use cierre_platform::Failure;
use cierre_platform::counters::{self, Delta, Mark, Recorded, Row};
use cierre_platform::db::{Db, Item, Key, read_item};
use cierre_platform::stream::Change;

use crate::entity::{Batch, CreditNote, Invoice, Pending, Service, ServiceState};
use crate::rules::{InvoiceNumber, StatisticsRow};
use crate::table::{self, BILLING};

/// Columns of the summary.
const CUSTOMERS: &str = "customers";
const COUNT: &str = "count";
const AMOUNT: &str = "amount";

/// Counts what changed.
///
/// # Errors
/// When DynamoDB does not answer; the stream then delivers the changes again.
pub async fn follow(db: &Db, changes: &[Change]) -> Result<(), Failure> {
    counters::apply(db, BILLING, &records(changes), customers_with_pendings).await
}

/// What the changes mean. A change whose item cannot be read is logged and counts nothing: it must not stop those behind it.
pub fn records(changes: &[Change]) -> Vec<Recorded> {
    changes.iter().filter_map(recorded).collect()
}

fn recorded(change: &Change) -> Option<Recorded> {
    match deltas(change) {
        Ok(deltas) => Some(Recorded {
            source: change.pk.clone(),
            mark: Mark::Stream(change.sequence.clone()),
            deltas,
        }),
        Err(failure) => {
            let (pk, sk) = (&change.pk, &change.sk);
            tracing::error!(
                pk,
                sk,
                error = failure.chain(),
                "a change cannot be read and is not counted"
            );
            None
        }
    }
}

/// Amounts by row and column.
type Shares = BTreeMap<(Key, &'static str), i64>;

fn deltas(change: &Change) -> Result<Vec<Delta>, Failure> {
    let Some((company, kind)) = kind_of(change) else {
        return Ok(Vec::new());
    };
    let mut moved = Shares::new();
    match kind {
        Kind::Service => {
            let read = |image: &Option<Item>| image.clone().map(read_item::<Service>).transpose();
            share(&mut moved, &company, read(&change.old)?.as_ref(), -1);
            share(&mut moved, &company, read(&change.new)?.as_ref(), 1);
        }
        Kind::CreditNote => {
            let read =
                |image: &Option<Item>| image.clone().map(read_item::<CreditNote>).transpose();
            share_of_note(&mut moved, &company, read(&change.old)?.as_ref(), -1);
            share_of_note(&mut moved, &company, read(&change.new)?.as_ref(), 1);
        }
        Kind::Batch => {
            let read = |image: &Option<Item>| image.clone().map(read_item::<Batch>).transpose();
            let (old, new) = (read(&change.old)?, read(&change.new)?);
            // A retry puts a new job in the place of one that is over. What was said of the old one stays true.
            let same_job = |old: &&Batch| new.as_ref().is_none_or(|new| new.job.id == old.job.id);
            share_of_job(&mut moved, &company, old.as_ref().filter(same_job), -1);
            share_of_job(&mut moved, &company, new.as_ref(), 1);
        }
    }
    moved.retain(|_, by| *by != 0);
    Ok(moved
        .into_iter()
        .map(|((key, column), by)| Delta { key, column, by })
        .collect())
}

enum Kind {
    Service,
    CreditNote,
    Batch,
}

/// Whose change it is, when it is one of those that count.
fn kind_of(change: &Change) -> Option<(CompanyId, Kind)> {
    if let Some((company, batch)) = table::read_batch_partition(&change.pk) {
        let is_batch = change.sk == table::batch(&company, batch).sk;
        return is_batch.then_some((company, Kind::Batch));
    }
    if let Some(company) = table::read_credit_notes(&change.pk) {
        return Some((company, Kind::CreditNote));
    }
    let (company, _) = change.pk.split_once("#svc#")?;
    let is_service = !table::is_cancelled_pending(&change.sk);
    let company = CompanyId::parse(company).ok()?;
    is_service.then_some((company, Kind::Service))
}

fn share(shares: &mut Shares, company: &CompanyId, service: Option<&Service>, sign: i64) {
    match service.map(|service| &service.state) {
        None | Some(ServiceState::Created | ServiceState::Deleted) => {}
        Some(ServiceState::SentToBill(pending)) => share_of_pending(shares, company, pending, sign),
        Some(ServiceState::Invoiced(_, invoice)) => {
            share_of_invoice(shares, company, invoice, sign)
        }
    }
}

fn add(shares: &mut Shares, row: &Key, column: &'static str, by: i64) {
    let share = shares.entry((row.clone(), column)).or_default();
    *share = share.saturating_add(by);
}

fn share_of_pending(shares: &mut Shares, company: &CompanyId, pending: &Pending, sign: i64) {
    for row in [
        table::TOTAL.to_owned(),
        table::customer_row(pending.customer_id),
    ] {
        let row = table::summary_row(company, row);
        add(shares, &row, COUNT, sign);
        add(shares, &row, AMOUNT, sign * pending.amount.minor());
    }
}

fn share_of_invoice(shares: &mut Shares, company: &CompanyId, invoice: &Invoice, sign: i64) {
    let figures = StatisticsRow::of_invoice(invoice.amount, invoice.split());
    for row in statistics_rows(invoice.customer_id, invoice.number, invoice.issue_date) {
        let row = table::statistics_row(company, row);
        add(shares, &row, "invoices", sign * figures.invoices);
        add(shares, &row, AMOUNT, sign * figures.amount);
        add(shares, &row, "net", sign * figures.net);
        add(shares, &row, "iva", sign * figures.iva);
    }
}

fn share_of_note(shares: &mut Shares, company: &CompanyId, note: Option<&CreditNote>, sign: i64) {
    let Some(note) = note.filter(|note| note.grant.is_some()) else {
        return;
    };
    let figures = StatisticsRow::of_credit_note(note.amount);
    for row in statistics_rows(note.customer_id, note.number, note.issue_date) {
        let row = table::statistics_row(company, row);
        add(shares, &row, "creditNotes", sign * figures.credit_notes);
        add(
            shares,
            &row,
            "creditedAmount",
            sign * figures.credited_amount,
        );
    }
}

/// The rows that a document counts in.
fn statistics_rows(customer_id: u32, number: InvoiceNumber, issue_date: Date) -> [String; 4] {
    [
        table::TOTAL.to_owned(),
        table::customer_row(customer_id),
        format!("{}{}", table::BOOK_ROWS, number.book()),
        month_row(issue_date),
    ]
}

fn month_row(date: Date) -> String {
    format!(
        "{}{:04}-{:02}",
        table::MONTH_ROWS,
        date.year(),
        date.month()
    )
}

fn share_of_job(shares: &mut Shares, company: &CompanyId, batch: Option<&Batch>, sign: i64) {
    let Some(batch) = batch else { return };
    let status = batch.job.status;
    let total = table::job_figures_row(company, table::TOTAL);
    add(shares, &total, status.as_str(), sign);
    if let Some(end) = batch.processing_completed_at.filter(|_| status.is_over()) {
        let hour = table::job_figures_row(company, table::hour_row(end));
        add(shares, &hour, status.as_str(), sign);
    }
}

/// A customer whose pendings begin or end moves the number of customers in the total row, which every pending moves as well.
fn customers_with_pendings(key: &Key, before: &Row, after: &Row) -> Vec<Delta> {
    let company = key.pk.split('#').next().unwrap_or_default();
    let is_summary = CompanyId::parse(company).is_ok_and(|id| table::summary(&id) == key.pk);
    if !is_summary || !key.sk.starts_with(table::CUSTOMER_ROWS) {
        return Vec::new();
    }
    let counts = |row: &Row| i64::from(row.get(COUNT).is_some_and(|count| *count > 0));
    let by = counts(after) - counts(before);
    if by == 0 {
        return Vec::new();
    }
    let total = Key::new(key.table, key.pk.clone(), table::TOTAL);
    vec![Delta {
        key: total,
        column: CUSTOMERS,
        by,
    }]
}

#[cfg(test)]
mod tests;
