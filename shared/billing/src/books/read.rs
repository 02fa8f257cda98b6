//! Books as they stand.

use cierre_kernel::company::CompanyId;
use cierre_platform::Failure;
use cierre_platform::db::{Db, Item, Query, read_item};

use super::views::NextNumberView;
use crate::entity::{Book, DocumentType};
use crate::rules::{ReceiptBook, Sequence};
use crate::table;

/// A page of the company's books by letter and point of sale, and DynamoDB's own key to go on from.
///
/// # Errors
/// When DynamoDB does not answer.
pub(crate) async fn list(
    db: &Db,
    company: &CompanyId,
    start: Option<Item>,
    limit: u32,
) -> Result<(Vec<Book>, Option<Item>), Failure> {
    let query = Query::partition(table::BILLING, table::books(company)).limit(limit);
    let query = match start {
        Some(start) => query.start_after(start),
        None => query,
    };
    let page = db.query(&query).await?;
    let books = page
        .items
        .into_iter()
        .map(read_item)
        .collect::<Result<_, _>>()?;
    Ok((books, page.last))
}

/// A book in whatever spelling; none before its first commit.
///
/// # Errors
/// When DynamoDB does not answer.
pub(crate) async fn find(
    db: &Db,
    company: &CompanyId,
    book: ReceiptBook,
) -> Result<Option<Book>, Failure> {
    db.get(&table::book(company, &book.key())).await
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
    let book = find(db, company, wanted.book).await?;
    let sequence = Sequence {
        book: book.as_ref().map_or(wanted.book, |book| book.receipt_book),
        ..wanted
    };
    let (last_number, last_issue_date) = match (sequence.document_type, book) {
        (DocumentType::Invoice, Some(book)) => (book.last_number, book.last_issue_date),
        // Credit notes are not issued yet.
        (DocumentType::CreditNote, _) | (DocumentType::Invoice, None) => (0, None),
    };
    Ok(NextNumberView::after(
        sequence,
        last_number,
        last_issue_date,
    ))
}
