//! Routes of receipt books, and the figures of jobs.

use axum::extract::{FromRef, State};
use cierre_kernel::codes;
use cierre_kernel::problem::Problem;
use cierre_platform::Result;
use cierre_platform::db::Db;
use cierre_platform::http::{
    Answer, Caller, Cursors, Fields, PageParameters, Query, Routes, Rule, Segment, allow, integer,
};
use cierre_platform::route;
use utoipa::ToSchema;

use super::figures::queue;
use super::read::{list, next_number};
use super::verify::{Span, too_large, verify};
use super::views::{AuditView, BookView, NextNumberView, QueueView};
use crate::roles::READ;
use crate::rules::{LAST_NUMBER, Sequence};

/// The routes with their documentation.
pub fn router<S, R>() -> R
where
    R: Routes<S>,
    S: Clone + Send + Sync + 'static,
    Db: FromRef<S>,
    Cursors: FromRef<S>,
{
    let read = allow(READ);
    R::default()
        .route(read.on(route!(get_queue)))
        .route(read.on(route!(get_books)))
        .route(
            read.invalid(&[codes::INVALID_RECEIPT_BOOK])
                .on(route!(get_next_number)),
        )
        .route(
            read.refuses(&[codes::NOT_FOUND])
                .invalid(&[codes::INVALID_RECEIPT_BOOK, codes::RANGE_TOO_LARGE])
                .on(route!(get_verify)),
        )
}

/// A page of books.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only describes what `Answer::page` writes")]
struct BookPage {
    items: Vec<BookView>,
    next: Option<String>,
}

/// Jobs of the company
///
/// How many wait, run, or wait for their next attempt; how many completed and failed, in all and in the last 24 hours (the current hour and
/// the 23 before). The figures follow the batches within seconds.
#[utoipa::path(get, path = "/billing-batches/queue/stats", tag = "Batches",
    responses((status = 200, description = "The figures", body = QueueView)))]
async fn get_queue(State(db): State<Db>, caller: Caller) -> Result<Answer> {
    Ok(Answer::ok(
        &queue(&db, &caller.context.company, caller.context.now).await?,
    )?)
}

/// List receipt books
///
/// By invoice type and point of sale. A book exists from its first commit.
#[utoipa::path(get, path = "/billing-batches/receipt-books", tag = "Receipt books", params(PageParameters),
    responses((status = 200, description = "A page", body = BookPage)))]
async fn get_books(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let start = cursors.decode_key(&scope, paging.cursor.as_deref())?;
    let (books, last) = list(&db, &caller.context.company, start, paging.limit.get()).await?;
    let views: Vec<BookView> = books.iter().map(BookView::from).collect();
    Ok(Answer::page(
        &views,
        cursors.encode_key(&scope, last.as_ref())?,
    )?)
}

/// The number that comes next
///
/// Of a book, or with `-NC` of its credit notes. Looking reserves nothing; an unused book answers 1.
#[utoipa::path(get, path = "/billing-batches/next-invoice-number/{book}", tag = "Receipt books", params(("book" = String, Path, example = "A-0001")),
    responses((status = 200, description = "The number", body = NextNumberView)))]
async fn get_next_number(
    State(db): State<Db>,
    caller: Caller,
    Segment(book): Segment<String>,
) -> Result<Answer> {
    Ok(Answer::ok(
        &next_number(&db, &caller.context.company, sequence(&book)?).await?,
    )?)
}

/// Audit a receipt book
///
/// Reads every document of the numbers asked for and answers whether they are complete, distinct, in the order of their dates, and what
/// their batches say. Covers at most 100000 numbers at once.
#[utoipa::path(get, path = "/receipt-books/{book}/verify", tag = "Receipt books",
    params(("book" = String, Path, example = "A-0001"), ("from" = Option<u32>, Query, minimum = 1), ("to" = Option<u32>, Query, minimum = 1)),
    responses((status = 200, description = "The findings", body = AuditView)))]
async fn get_verify(
    State(db): State<Db>,
    caller: Caller,
    Segment(book): Segment<String>,
    query: Query,
) -> Result<Answer> {
    let sequence = sequence(&book)?;
    let span = query.decode(read_span)?;
    if span.is_too_large() {
        return Err(too_large().into());
    }
    Ok(Answer::ok(
        &verify(&db, &caller.context, sequence, span).await?,
    )?)
}

/// Reads the book in the path. It is no id, so another form is a wrong value, not a missing resource.
fn sequence(book: &str) -> Result<Sequence> {
    let malformed = || {
        let detail = "must be a receipt book such as A-0001 or A-0001-NC";
        Problem::field("/book", codes::INVALID_RECEIPT_BOOK, detail)
    };
    Ok(Sequence::parse(book).map_err(|_| malformed())?)
}

fn read_span(fields: &mut Fields<'_>) -> Option<Span> {
    let number =
        || integer(1..=i64::from(LAST_NUMBER)).try_map(|number| u32::try_from(number).ok());
    let from = fields.optional("from", number());
    let to = fields.optional("to", number());
    fields.in_order("from", &from, "to", &to)?;
    Some(Span {
        from: from?,
        to: to?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_platform::Error;
    use cierre_platform::http::decode;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("A-0001", true)]
    #[case("B-00012", true)]
    #[case("A-0001-NC", true)]
    #[case("a-0001", false)]
    #[case("D-0001", false)]
    #[case("A-001", false)]
    #[case("A-0000", false)]
    #[case("A-0001-nc", false)]
    fn a_book_in_the_path_has_one_form(#[case] text: &str, #[case] allowed: bool) {
        match sequence(text) {
            Ok(sequence) => assert!(allowed, "{sequence}"),
            Err(Error::Refused(problem)) => {
                assert!(
                    !allowed && problem.code == codes::INVALID_RECEIPT_BOOK,
                    "{text}"
                );
            }
            Err(Error::Failed(failure)) => panic!("{failure}"),
        }
    }

    #[test]
    fn a_span_that_ends_before_it_begins_is_refused() {
        let error = decode(&json!({ "from": 3, "to": 2 }), read_span).unwrap_err();
        assert!(matches!(error, Error::Refused(problem) if problem.code == codes::INVALID_RANGE));
        assert_eq!(decode(&json!({}), read_span).unwrap(), Span::default());
    }
}
