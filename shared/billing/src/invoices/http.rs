//! Routes of documents.

use axum::extract::{FromRef, State};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Html;
use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::id::BatchId;
use cierre_kernel::money::Money;
use cierre_kernel::problem::Problem;
use cierre_platform::Result;
use cierre_platform::db::Db;
use cierre_platform::http::{
    Answer, Caller, CursorScope, Cursors, Fields, PageParameters, Paging, Query, Routes, Rule,
    Segment, allow, date, id, integer, money, one_of, parsed,
};
use cierre_platform::route;
use utoipa::ToSchema;

use super::document::Document;
use super::filter::{Documents, Filter, Position};
use super::list::list;
use super::printing::page as page_of;
use super::read::{by_batch, by_id, by_number};
use super::statistics::{GroupBy, RowsView, StatisticsView, rows, totals};
use super::views::{DocumentView, with_syncs};
use crate::credit_notes::read_note;
use crate::entity::{CreditNote, DocumentType, InvoiceStatus};
use crate::ids::DocumentId;
use crate::roles::READ;
use crate::rules::{CURRENCY, InvoiceNumber, ReceiptBook};
use crate::table;

/// Where the figures are; the pages of their groups are bound to it.
const STATISTICS: &str = "/invoices/statistics";

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
        .route(
            read.invalid(&[codes::INVALID_RECEIPT_BOOK, codes::INVALID_AMOUNT])
                .on(route!(get_invoices)),
        )
        .route(read.on(route!(get_statistics)))
        .route(
            read.refuses(&[codes::NOT_FOUND])
                .on(route!(get_by_customer)),
        )
        .route(read.refuses(&[codes::NOT_FOUND]).on(route!(get_by_batch)))
        .route(read.refuses(&[codes::NOT_FOUND]).on(route!(get_by_number)))
        .route(read.refuses(&[codes::NOT_FOUND]).on(route!(get_invoice)))
        .route(
            read.refuses(&[codes::NOT_FOUND, codes::CAE_PENDING])
                .invalid(&[codes::UNSUPPORTED_FORMAT])
                .on(route!(get_document)),
        )
}

/// A page of documents.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only describes what `Answer::page` writes")]
pub(crate) struct DocumentPage {
    items: Vec<DocumentView>,
    next: Option<String>,
}

/// List documents
///
/// Newest date and number first. A document appears once it has its CAE.
#[utoipa::path(get, path = "/invoices", tag = "Invoices",
    params(PageParameters, ("customerId" = Option<i64>, Query), ("issueDateFrom" = Option<String>, Query), ("issueDateTo" = Option<String>, Query),
        ("amountMin" = Option<String>, Query), ("amountMax" = Option<String>, Query), ("batchId" = Option<String>, Query),
        ("receiptBook" = Option<String>, Query), ("status" = Option<String>, Query, description = "`ISSUED`, `PARTIALLY_CREDITED` or `CREDITED`"),
        ("documentType" = Option<String>, Query, description = "`INVOICE` (default), `CREDIT_NOTE` or `ALL`")),
    responses((status = 200, description = "A page", body = DocumentPage)))]
async fn get_invoices(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let (filter, paging) = query.decode(|fields| {
        let filter = read_filter(fields);
        let paging = fields.paging();
        Some((filter?, paging?))
    })?;
    page(&db, &cursors, &caller, &query, filter, paging).await
}

/// A customer's documents
///
/// Newest date and number first. A document appears once it has its CAE.
#[utoipa::path(get, path = "/invoices/by-customer/{customerId}", tag = "Invoices",
    params(("customerId" = i64, Path), PageParameters, ("documentType" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = DocumentPage)))]
async fn get_by_customer(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    Segment(customer_id): Segment<u32>,
    query: Query,
) -> Result<Answer> {
    let (documents, paging) = query.decode(|fields| {
        let documents = read_documents(fields);
        let paging = fields.paging();
        Some((documents?, paging?))
    })?;
    let customer = db
        .get_item(&table::customer(&caller.context.company, customer_id))
        .await?;
    customer.ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
    let filter = Filter {
        customer_id: Some(customer_id),
        documents,
        ..Filter::default()
    };
    page(&db, &cursors, &caller, &query, filter, paging).await
}

async fn page(
    db: &Db,
    cursors: &Cursors,
    caller: &Caller,
    query: &Query,
    filter: Filter,
    paging: Paging,
) -> Result<Answer> {
    let scope = caller.cursor_scope(query);
    let from = cursors.start::<Position>(&scope, &paging)?;
    let listed = list(
        db,
        &caller.context.company,
        &filter,
        from,
        paging.limit.get() as usize,
    )
    .await?;
    let next = cursors.next(&scope, listed.next)?;
    let views = listed.documents.iter().map(DocumentView::from).collect();
    let views = with_syncs(db, &caller.context.company, views).await?;
    Ok(Answer::page(&views, next)?)
}

/// A batch's invoices
///
/// In the order of their numbers; empty before the commit, all of them from the commit on.
#[utoipa::path(get, path = "/invoices/by-batch/{id}", tag = "Invoices", params(("id" = String, Path), PageParameters),
    responses((status = 200, description = "A page", body = DocumentPage)))]
async fn get_by_batch(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    Segment(id): Segment<BatchId>,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let from = cursors.start::<u32>(&scope, &paging)?;
    let (documents, next) = by_batch(
        &db,
        &caller.context.company,
        id,
        from.unwrap_or_default(),
        paging.limit.get(),
    )
    .await?;
    let next = cursors.next(&scope, next)?;
    let views = documents.iter().map(DocumentView::from).collect();
    let views = with_syncs(&db, &caller.context.company, views).await?;
    Ok(Answer::page(&views, next)?)
}

/// One document
#[utoipa::path(get, path = "/invoices/{id}", tag = "Invoices", params(("id" = String, Path)),
    responses((status = 200, description = "The document", body = DocumentView)))]
async fn get_invoice(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<DocumentId>,
) -> Result<Answer> {
    let company = &caller.context.company;
    match id {
        DocumentId::Invoice(id) => one(&db, company, &by_id(&db, company, id).await?).await,
        DocumentId::CreditNote(id) => {
            one_note(&db, company, read_note(&db, company, id).await?).await
        }
    }
}

/// One document by its printed number
#[utoipa::path(get, path = "/invoices/number/{number}", tag = "Invoices", params(("number" = String, Path, example = "A-0001-00000001")),
    responses((status = 200, description = "The document", body = DocumentView)))]
async fn get_by_number(
    State(db): State<Db>,
    caller: Caller,
    Segment(number): Segment<InvoiceNumber>,
) -> Result<Answer> {
    let company = &caller.context.company;
    match number.document_type() {
        DocumentType::Invoice => one(&db, company, &by_number(&db, company, number).await?).await,
        DocumentType::CreditNote => {
            let key = table::credit_note(company, &number.book().key(), number.number());
            let note: Option<CreditNote> = db.get(&key).await?;
            // Under another spelling of the book it is another number.
            one_note(&db, company, note.filter(|note| note.number == number)).await
        }
    }
}

async fn one_note(db: &Db, company: &CompanyId, note: Option<CreditNote>) -> Result<Answer> {
    let note = note.ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
    shown(db, company, DocumentView::from(&note), note.version).await
}

async fn one(db: &Db, company: &CompanyId, document: &Document) -> Result<Answer> {
    let view = DocumentView::from(document);
    shown(db, company, view, document.invoice.version).await
}

async fn shown(db: &Db, company: &CompanyId, view: DocumentView, version: u64) -> Result<Answer> {
    let view = with_syncs(db, company, vec![view]).await?.pop();
    Ok(Answer::ok(&view)?.versioned(version))
}

/// What the page may do: be itself.
const PAGE_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; img-src data:");

/// The printable document
///
/// A page in Spanish that needs nothing but itself, with the QR code of RG 4892.
#[utoipa::path(get, path = "/invoices/{id}/document", tag = "Invoices",
    params(("id" = String, Path), ("format" = Option<String>, Query, description = "`html`, the only one so far")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html")))]
async fn get_document(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<DocumentId>,
    query: Query,
) -> Result<([(HeaderName, HeaderValue); 1], Html<String>)> {
    query.decode(|fields| {
        let html = parsed(codes::UNSUPPORTED_FORMAT, "must be html", |format: &str| {
            (format == "html").then_some(())
        });
        fields.optional("format", html)
    })?;
    let html = page_of(&db, &caller.context, id).await?;
    Ok(([(CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(html)))
}

/// Figures over documents
///
/// Totals, and sums by customer, receipt book and month of issue. Each group is a page; with `groupBy` and the `next` of a group the answer
/// is that group's next page alone. The figures follow the documents within seconds.
#[utoipa::path(get, path = "/invoices/statistics", tag = "Invoices",
    params(PageParameters, ("groupBy" = Option<String>, Query, description = "`customer`, `book` or `month`")),
    responses((status = 200, description = "All figures; with `groupBy` a page of rows", body = StatisticsView)))]
async fn get_statistics(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let (group, paging) = query.decode(|fields| {
        let group = fields.optional(
            "groupBy",
            one_of(&GroupBy::ALL.map(|group| (group.as_str(), group))),
        );
        let paging = fields.paging();
        if let (
            Some(None),
            Some(Paging {
                cursor: Some(_), ..
            }),
        ) = (&group, &paging)
        {
            return fields.refuse(
                "groupBy",
                codes::REQUIRED,
                "a cursor goes on with one group; name it",
            );
        }
        Some((group?, paging?))
    })?;
    let company = &caller.context.company;
    let limit = paging.limit.get();
    let Some(group) = group else {
        let (totals, by_customer, by_book, by_month) = futures::try_join!(
            async { Ok(totals(&db, company).await?) },
            rows_page(&db, &cursors, company, GroupBy::Customer, None, limit),
            rows_page(&db, &cursors, company, GroupBy::Book, None, limit),
            rows_page(&db, &cursors, company, GroupBy::Month, None, limit),
        )?;
        return Ok(Answer::ok(&StatisticsView {
            as_of: caller.context.now,
            totals,
            by_customer,
            by_book,
            by_month,
        })?);
    };
    Ok(Answer::ok(
        &rows_page(
            &db,
            &cursors,
            company,
            group,
            paging.cursor.as_deref(),
            limit,
        )
        .await?,
    )?)
}

async fn rows_page(
    db: &Db,
    cursors: &Cursors,
    company: &CompanyId,
    group: GroupBy,
    cursor: Option<&str>,
    limit: u32,
) -> Result<RowsView> {
    // A group's cursor is good for that group, wherever its page was shown.
    let scope = CursorScope::new(company, STATISTICS, [("groupBy", group.as_str())]);
    let start = cursors.decode_key(&scope, cursor)?;
    let (items, last) = rows(db, company, group, start, limit).await?;
    Ok(RowsView {
        items,
        next: cursors.encode_key(&scope, last.as_ref())?,
    })
}

fn read_documents(fields: &mut Fields<'_>) -> Option<Documents> {
    let words = [
        ("INVOICE", Documents::Invoices),
        ("CREDIT_NOTE", Documents::CreditNotes),
        ("ALL", Documents::All),
    ];
    fields.optional_or("documentType", one_of(&words), Documents::default())
}

fn read_filter(fields: &mut Fields<'_>) -> Option<Filter> {
    let customer_id = fields.optional(
        "customerId",
        integer(1..=i64::from(i32::MAX)).try_map(|id| u32::try_from(id).ok()),
    );
    let from = fields.optional("issueDateFrom", date());
    let to = fields.optional("issueDateTo", date());
    let dates = fields.in_order("issueDateFrom", &from, "issueDateTo", &to);
    let least = fields.optional("amountMin", money(CURRENCY).try_map(minor));
    let most = fields.optional("amountMax", money(CURRENCY).try_map(minor));
    let amounts = fields.in_order("amountMin", &least, "amountMax", &most);
    let batch_id = fields.optional("batchId", id::<cierre_kernel::id::Batch>());
    let book = parsed(
        codes::INVALID_RECEIPT_BOOK,
        "must be a receipt book such as A-0001",
        |text: &str| ReceiptBook::parse(text).ok(),
    );
    let receipt_book = fields.optional("receiptBook", book);
    let status = fields.optional(
        "status",
        one_of(&InvoiceStatus::ALL.map(|status| (status.as_str(), status))),
    );
    let documents = read_documents(fields);
    dates.and(amounts)?;
    Some(Filter {
        customer_id: customer_id?,
        issue_date_from: from?,
        issue_date_to: to?,
        amount_min: least?,
        amount_max: most?,
        batch_id: batch_id?,
        receipt_book: receipt_book?,
        status: status?,
        documents: documents?,
    })
}

fn minor(amount: Money) -> Option<i64> {
    Some(amount.minor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_platform::Error;
    use cierre_platform::http::decode;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn codes_of(parameters: Value) -> Vec<(String, &'static str)> {
        let Err(Error::Refused(problem)) = decode(&parameters, read_filter) else {
            return Vec::new();
        };
        problem
            .errors
            .iter()
            .map(|error| (error.pointer.clone(), error.code.as_str()))
            .collect()
    }

    #[rstest]
    #[case(json!({ "issueDateFrom": "2024-02-01", "issueDateTo": "2024-01-31" }), "/issueDateFrom", "invalid_range")]
    #[case(json!({ "amountMin": "2.00", "amountMax": "1.99" }), "/amountMin", "invalid_range")]
    #[case(json!({ "amountMin": "1.005" }), "/amountMin", "invalid_amount")]
    #[case(json!({ "issueDateTo": "2024-02-30" }), "/issueDateTo", "invalid_date")]
    #[case(json!({ "receiptBook": "A-0000" }), "/receiptBook", "invalid_receipt_book")]
    #[case(json!({ "batchId": "bat_1" }), "/batchId", "invalid_id")]
    #[case(json!({ "customerId": 0 }), "/customerId", "out_of_range")]
    #[case(json!({ "status": "OPEN" }), "/status", "out_of_range")]
    #[case(json!({ "documentType": "invoice" }), "/documentType", "out_of_range")]
    fn a_wrong_parameter_is_named(
        #[case] parameters: Value,
        #[case] pointer: &str,
        #[case] code: &'static str,
    ) {
        assert_eq!(codes_of(parameters), [(pointer.to_owned(), code)]);
    }

    #[test]
    fn all_wrong_parameters_are_named_at_once() {
        let wrong = json!({ "issueDateFrom": "2024-02-01", "issueDateTo": "2024-01-31", "amountMin": "2.00", "amountMax": "1.99", "status": "?" });
        assert_eq!(codes_of(wrong).len(), 3);
    }

    #[test]
    fn nothing_asked_for_means_every_invoice() {
        assert_eq!(decode(&json!({}), read_filter).unwrap(), Filter::default());
    }
}
