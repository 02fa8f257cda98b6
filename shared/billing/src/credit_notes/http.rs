//! Routes of credit notes.

use axum::extract::{FromRef, State};
use cierre_kernel::codes;
use cierre_kernel::problem::Problem;
use cierre_platform::http::{
    Answer, Body, Caller, Cursors, PageParameters, Query, Routes, Segment, allow,
};
use cierre_platform::route;
use cierre_platform::{Result, random};

use super::fields::{Draft, NewCreditNoteBody};
use super::issue::issue;
use super::item::of_invoice;
use crate::error::CreditRefusal;
use crate::ids::DocumentId;
use crate::invoices::read::by_id;
use crate::invoices::{DocumentPage, DocumentView, note_views, with_syncs};
use crate::roles::{READ, WRITE};
use crate::state::Billing;

/// The routes with their documentation.
pub fn router<S, R>() -> R
where
    R: Routes<S>,
    S: Clone + Send + Sync + 'static,
    Cursors: FromRef<S>,
    Billing: FromRef<S>,
{
    R::default()
        .route(
            allow(WRITE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::NOT_CREDITABLE,
                    codes::INVOICE_CREDITED,
                    codes::BATCH_MATERIALIZING,
                    codes::TOO_MANY_CREDIT_NOTES,
                    codes::BOOK_EXHAUSTED,
                    codes::CONCURRENT_CHANGE,
                ])
                .invalid(&[codes::INVALID_AMOUNT, codes::AMOUNT_ABOVE_OPEN])
                .on(route!(post_credit_note)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_credit_notes)),
        )
}

/// Credit an invoice
///
/// In whole or in part. The note has a number of its own, without gaps per receipt book, and the later of today and the last note's date. An
/// invoice has at most 200 credit notes.
#[utoipa::path(post, path = "/invoices/{id}/credit-note", tag = "Invoices", params(("id" = String, Path)), request_body = NewCreditNoteBody,
    responses((status = 201, description = "The credit note", body = DocumentView)))]
async fn post_credit_note(
    State(billing): State<Billing>,
    caller: Caller,
    Segment(id): Segment<DocumentId>,
    body: Body,
) -> Result<Answer> {
    let draft = Draft::of_body(&body)?;
    let command = caller.command(&body);
    let fresh = random::ulid(caller.context.now)?;
    let (engine, context) = (&billing.engine, &caller.context);
    match id {
        DocumentId::Invoice(id) => issue(engine, context, id, draft, fresh, command.as_ref()).await,
        DocumentId::CreditNote(id) => {
            let note = super::read_note(&engine.db, &context.company, id).await?;
            note.ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
            Err(Problem::from(CreditRefusal::NotCreditable).into())
        }
    }
}

/// The credit notes of an invoice
///
/// In the order in which they were issued.
#[utoipa::path(get, path = "/invoices/{id}/credit-notes", tag = "Invoices", params(("id" = String, Path), PageParameters),
    responses((status = 200, description = "A page", body = DocumentPage)))]
async fn get_credit_notes(
    State(billing): State<Billing>,
    State(cursors): State<Cursors>,
    caller: Caller,
    Segment(id): Segment<DocumentId>,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let from = cursors.start::<usize>(&scope, &paging)?.unwrap_or_default();
    let (db, company) = (&billing.engine.db, &caller.context.company);
    let (notes, total) = match id {
        DocumentId::Invoice(id) => {
            let invoice = by_id(db, company, id).await?.invoice;
            let limit = paging.limit.get() as usize;
            let notes = of_invoice(db, company, &invoice, from, limit).await?;
            (notes, invoice.notes.len())
        }
        // A credit note is never credited, so it has none.
        DocumentId::CreditNote(id) => {
            let note = super::read_note(db, company, id).await?;
            note.ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
            (Vec::new(), 0)
        }
    };
    let end = from + notes.len();
    let next = (end < total)
        .then(|| cursors.encode(&scope, &end))
        .transpose()?;
    let views = with_syncs(db, company, note_views(&notes)).await?;
    Ok(Answer::page(&views, next)?)
}
