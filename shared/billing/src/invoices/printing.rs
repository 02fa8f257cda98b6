//! The printable document of an invoice or a credit note, and the event that somebody looked at it.

use cierre_kernel::codes;
use cierre_kernel::event::{ChainHead, EventType, NewEvent};
use cierre_kernel::problem::Problem;
use cierre_platform::db::{Changes, CommitError, Condition, Db, Key, Tx};
use cierre_platform::{Context, Failure, Result, activity};
use serde_json::{Map, json};

use super::document::Document;
use super::print::{Printed, render};
use super::read::by_id;
use crate::credit_notes::read_note;
use crate::entity::{CreditNote, Letter, Service, attribute, resource};
use crate::ids::DocumentId;
use crate::rules::{Split, cae_text};
use crate::settings::BillingSettings;
use crate::table;

/// Tries to record that a document was looked at against others that move its item.
const TRIES: u32 = 10;

/// The page of a document.
///
/// # Errors
/// 404; 409 `cae_pending`; or a fault.
pub(super) async fn page(db: &Db, context: &Context, id: DocumentId) -> Result<String> {
    let settings: Option<BillingSettings> =
        db.get(&table::billing_settings(&context.company)).await?;
    let address = settings.and_then(|settings| settings.address);
    let html = match id {
        DocumentId::Invoice(id) => {
            let document = by_id(db, &context.company, id).await?;
            invoice_page(&document, address.as_deref())?
        }
        DocumentId::CreditNote(id) => {
            let note = read_note(db, &context.company, id).await?;
            let note = note.ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
            note_page(&note, address.as_deref())?
        }
    };
    record(db, context, id).await?;
    Ok(html)
}

fn cae_pending() -> Problem {
    Problem::new(codes::CAE_PENDING)
}

fn invoice_page(document: &Document, address: Option<&str>) -> Result<String> {
    let Document { invoice, issuer } = document;
    let grant = invoice.grant.ok_or_else(cae_pending)?;
    let url = invoice.qr_url(issuer.tax_id).ok_or_else(cae_pending)?;
    Ok(render(&Printed {
        number: invoice.number,
        issuer_name: &issuer.name,
        issuer_tax_id: issuer.tax_id,
        issuer_condition: issuer.iva_condition,
        issuer_address: address,
        customer_id: invoice.customer_id,
        receiver_name: &invoice.customer.name,
        receiver_tax_id: invoice.customer.tax_id,
        receiver_condition: invoice.customer.iva_condition,
        issue_date: invoice.issue_date,
        service_date: invoice.service_date,
        description: invoice.printed_description(),
        net: invoice.net,
        iva: shown_iva(invoice.letter(), invoice.split()),
        amount: invoice.amount,
        cae: &cae_text(grant.cae),
        cae_due_date: grant.due_date,
        qr_url: &url,
        origin: None,
        reason: None,
    })?)
}

fn note_page(note: &CreditNote, address: Option<&str>) -> Result<String> {
    let grant = note.grant.ok_or_else(cae_pending)?;
    let url = note.qr_url().ok_or_else(cae_pending)?;
    Ok(render(&Printed {
        number: note.number,
        issuer_name: &note.issuer.name,
        issuer_tax_id: note.issuer.tax_id,
        issuer_condition: note.issuer.iva_condition,
        issuer_address: address,
        customer_id: note.customer_id,
        receiver_name: &note.customer.name,
        receiver_tax_id: note.customer.tax_id,
        receiver_condition: note.customer.iva_condition,
        issue_date: note.issue_date,
        service_date: note.service_date,
        description: note.printed_description(),
        net: note.net,
        iva: shown_iva(note.number.book().letter(), note.split()),
        amount: note.amount,
        cae: &cae_text(grant.cae),
        cae_due_date: grant.due_date,
        qr_url: &url,
        origin: Some(note.origin_number),
        reason: Some(&note.reason),
    })?)
}

/// Type C carries no IVA, so none is printed.
fn shown_iva(letter: Letter, split: Split) -> Option<cierre_kernel::money::Money> {
    match letter {
        Letter::A | Letter::B => Some(split.iva),
        Letter::C => None,
    }
}

/// Adds to the document's chain that somebody looked at it. The head moves alone, on condition that it stands where it was read.
async fn record(db: &Db, context: &Context, id: DocumentId) -> Result<(), Failure> {
    for _ in 0..TRIES {
        let place = Place::of(db, context, id).await?;
        let viewed = NewEvent {
            event_type: EventType::View,
            action: "document_viewed",
            resource_type: place.resource_type,
            resource_id: id.to_string(),
            details: Map::from_iter([("format".to_owned(), json!("html"))]),
        };
        let mut tx = Tx::new();
        let head = activity::append(&mut tx, context, viewed, &place.head)?;
        let unmoved = if place.stored {
            Condition::default().eq(place.attribute, place.head.to_string())
        } else {
            Condition::present().missing(place.attribute)
        };
        let changes = Changes::new().set(place.attribute, head.to_string());
        tx.update(place.key, changes, unmoved);
        match db.commit(&tx).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Refused(_) | CommitError::Contended) => {}
            Err(CommitError::Failed(failure)) => return Err(failure),
        }
    }
    Err(Failure::message(
        "the chain of a document moved at every try",
    ))
}

/// Where a document's chain has its head.
struct Place {
    resource_type: &'static str,
    key: Key,
    attribute: &'static str,
    head: ChainHead,
    /// Whether the attribute is there; an invoice's is not before its first event.
    stored: bool,
}

impl Place {
    async fn of(db: &Db, context: &Context, id: DocumentId) -> Result<Self, Failure> {
        let gone = || Failure::message("a document that was printed is gone");
        match id {
            DocumentId::Invoice(id) => {
                let pending = crate::ids::pending_of(id);
                let key = table::service_of_pending(&context.company, pending);
                let service: Service = db.get(&key).await?.ok_or_else(gone)?;
                let head = service.invoice().ok_or_else(gone)?.head.clone();
                Ok(Self {
                    resource_type: resource::INVOICE,
                    key,
                    attribute: attribute::INVOICE_HEAD,
                    stored: head != ChainHead::default(),
                    head,
                })
            }
            DocumentId::CreditNote(id) => {
                let note = read_note(db, &context.company, id)
                    .await?
                    .ok_or_else(gone)?;
                let (book, number) = (note.number.book().key(), note.number.number());
                Ok(Self {
                    resource_type: resource::CREDIT_NOTE,
                    key: table::credit_note(&context.company, &book, number),
                    attribute: attribute::HEAD,
                    stored: true,
                    head: note.head,
                })
            }
        }
    }
}
