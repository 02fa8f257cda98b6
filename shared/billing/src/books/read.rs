//! Books as they stand.

use cierre_kernel::company::CompanyId;
use cierre_platform::Failure;
use cierre_platform::db::{Db, Item, Key, Query, read_item};

use super::views::NextNumberView;
use crate::entity::{Book, DocumentType};
use crate::rules::Sequence;
use crate::table;

/// A book with the counter of its credit notes, if there are any.
pub(crate) type Counters = (Book, Option<Book>);

/// A page of the company's books by letter and point of sale, and DynamoDB's own key to go on from.
///
/// # Errors
/// When DynamoDB does not answer.
pub(crate) async fn list(
    db: &Db,
    company: &CompanyId,
    start: Option<Item>,
    limit: u32,
) -> Result<(Vec<Counters>, Option<Item>), Failure> {
    let query = Query::partition(table::BILLING, table::books(company)).limit(limit);
    let query = match start {
        Some(start) => query.start_after(start),
        None => query,
    };
    let page = db.query(&query).await?;
    let books: Vec<Book> = page
        .items
        .into_iter()
        .map(read_item)
        .collect::<Result<_, _>>()?;
    let notes_of = |book: &Book| table::credit_note_book(company, &book.receipt_book.key());
    let loaded = db.load(books.iter().map(notes_of)).await?;
    let with_notes = |book: Book| {
        let notes = loaded.read(&notes_of(&book))?;
        Ok((book, notes))
    };
    let books = books.into_iter().map(with_notes);
    Ok((books.collect::<Result<_, Failure>>()?, page.last))
}

/// The counter of a sequence, whatever the spelling of its book; none before its first number.
///
/// # Errors
/// When DynamoDB does not answer.
pub(crate) async fn find(
    db: &Db,
    company: &CompanyId,
    sequence: Sequence,
) -> Result<Option<Book>, Failure> {
    db.get(&key_of(company, sequence)).await
}

/// The item of a sequence's counter.
pub(crate) fn key_of(company: &CompanyId, sequence: Sequence) -> Key {
    let book = sequence.book.key();
    match sequence.document_type {
        DocumentType::Invoice => table::book(company, &book),
        DocumentType::CreditNote => table::credit_note_book(company, &book),
    }
}

/// The number that comes next in a sequence. Under another spelling than the one in use the answer is that of the book, under its own name.
///
/// # Errors
/// When DynamoDB does not answer.
pub(crate) async fn next_number(
    db: &Db,
    company: &CompanyId,
    wanted: Sequence,
) -> Result<NextNumberView, Failure> {
    let (book, counter) = (
        key_of(company, Sequence::invoices(wanted.book)),
        key_of(company, wanted),
    );
    let mut keys = vec![book.clone(), counter.clone()];
    keys.dedup();
    let loaded = db.load(keys).await?;
    // The book's own counter has the spelling, also for credit notes that are still to come.
    let spelt: Option<Book> = loaded.read(&book)?;
    let sequence = Sequence {
        book: spelt.map_or(wanted.book, |book| book.receipt_book),
        ..wanted
    };
    let counter: Option<Book> = loaded.read(&counter)?;
    let (last_number, last_issue_date) = counter.map_or((0, None), |counter| {
        (counter.last_number, counter.last_issue_date)
    });
    Ok(NextNumberView::after(
        sequence,
        last_number,
        last_issue_date,
    ))
}
