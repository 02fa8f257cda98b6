//! Credit notes as they are stored: under their number, found by date and by customer once they are authorised.

use aws_sdk_dynamodb::types::AttributeValue;
use cierre_kernel::company::CompanyId;
use cierre_kernel::id::CreditNoteId;
use cierre_platform::Failure;
use cierre_platform::db::{Changes, Condition, Db, Item, Key, Tx};
use cierre_platform::error::Doing;

use crate::entity::{CreditNote, Grant, Invoice};
use crate::{ids, table};

/// The item of a note.
pub(super) fn key(company: &CompanyId, note: &CreditNote) -> Key {
    table::credit_note(company, &note.number.book().key(), note.number.number())
}

/// Adds a new note to a transaction. Until it is authorised it stands among the unfinished work that the sweeper looks after.
pub(super) fn put_new(tx: &mut Tx, company: &CompanyId, note: &CreditNote) -> Result<(), Failure> {
    let mut item: Item = serde_dynamo::to_item(note).doing("writing a credit note")?;
    let unfinished = [
        (table::LIST_PK, table::JOBS_LIST.to_owned()),
        (table::LIST_SORT, table::millis_sort(note.created_at)),
    ];
    item.extend(unfinished.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))));
    tx.put_item(key(company, note), item, Condition::absent());
    Ok(())
}

/// What authorising a note changes, and the condition that it was not authorised before: from now on lists show it.
pub(super) fn authorisation(
    company: &CompanyId,
    note: &CreditNote,
    grant: &Grant,
) -> Result<(Changes, Condition), Failure> {
    let grant: AttributeValue =
        serde_dynamo::to_attribute_value(grant).doing("writing an authorisation")?;
    let place = table::document_sort(
        note.issue_date,
        &note.number.sequence().to_string(),
        note.number.number(),
    );
    let changes = Changes::new()
        .set("grant", grant)
        .set("updated", note.updated_at.as_millis())
        .set("version", note.version)
        .set(table::LIST_PK, table::credit_notes_list(company))
        .set(table::LIST_SORT, place)
        .set(
            table::CUSTOMER_PK,
            table::customer_credit_notes(company, note.customer_id),
        );
    Ok((changes, Condition::present().missing("grant")))
}

/// The note of this id; none for an id that leads nowhere.
///
/// # Errors
/// When DynamoDB does not answer.
pub(crate) async fn read_note(
    db: &Db,
    company: &CompanyId,
    id: CreditNoteId,
) -> Result<Option<CreditNote>, Failure> {
    let Some((book, number)) = ids::credit_note_place(id) else {
        return Ok(None);
    };
    let note: Option<CreditNote> = db.get(&table::credit_note(company, &book, number)).await?;
    // Another id with the same number in it is another id.
    Ok(note.filter(|note| note.id == id))
}

/// The notes of an invoice from a place on, in the order in which they were issued.
///
/// # Errors
/// When DynamoDB does not answer, or a note that the invoice names is missing.
pub(crate) async fn of_invoice(
    db: &Db,
    company: &CompanyId,
    invoice: &Invoice,
    from: usize,
    limit: usize,
) -> Result<Vec<CreditNote>, Failure> {
    let book = invoice.number.book().key();
    let keys: Vec<Key> = invoice
        .notes
        .iter()
        .skip(from)
        .take(limit)
        .map(|number| table::credit_note(company, &book, *number))
        .collect();
    let loaded = db.load(keys.iter().cloned()).await?;
    keys.iter()
        .map(|key| {
            let note: Option<CreditNote> = loaded.read(key)?;
            note.ok_or_else(|| Failure::message("a credit note of an invoice is missing"))
        })
        .collect()
}
