//! The authorisation of a credit note, after its number is committed: as with invoices, no number is ever asked for twice.

use cierre_kernel::company::CompanyId;
use cierre_kernel::time::Instant;
use cierre_platform::Failure;
use cierre_platform::db::{Db, read_item};

use super::item::{authorisation, key};
use crate::authority::{Authority, Voucher, settle};
use crate::entity::CreditNote;

/// Asks the authority and writes its answer down. Whoever comes second finds it written.
///
/// # Errors
/// When the authority or DynamoDB does not answer; the sweeper then asks again.
pub(crate) async fn settle_note(
    db: &Db,
    company: &CompanyId,
    authority: &impl Authority,
    note: CreditNote,
    now: Instant,
) -> Result<CreditNote, Failure> {
    if note.grant.is_some() {
        return Ok(note);
    }
    let voucher = Voucher {
        number: note.number,
        issue_date: note.issue_date,
        amount: note.amount.minor(),
        receiver: note.customer.tax_id,
    };
    let grant = settle(authority, &voucher).await?;
    let authorised = note.authorised(grant, now);
    let key = key(company, &note);
    let (changes, condition) = authorisation(company, &authorised, &grant)?;
    if db.change(&key, &changes, &condition).await?.is_some() {
        return Ok(authorised);
    }
    let item = db.get_item(&key).await?;
    read_item(item.ok_or_else(|| Failure::message("a credit note is gone"))?)
}
