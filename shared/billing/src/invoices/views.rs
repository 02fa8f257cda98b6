//! Documents as they are shown.

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{BatchId, InvoiceId, PendingId, ServiceId, SyncId};
use cierre_kernel::money::Money;
use cierre_kernel::time::{Date, Instant};
use cierre_platform::Failure;
use cierre_platform::db::Db;
use cierre_platform::idempotency::Answer;
use serde::Serialize;
use utoipa::ToSchema;

use super::document::Document;
use super::list::Shown;
use crate::entity::{
    CaeStatus, CreditNote, DocumentType, ErpSync, InvoiceStatus, Issuer, IssuerCondition,
    IvaCondition, Letter, Receiver, SyncStatus,
};
use crate::ids::DocumentId;
use crate::rules::{cae_text, pesos};
use crate::table;

/// An invoice or a credit note.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DocumentView {
    #[schema(value_type = String, example = "inv_00000000000000000000000001")]
    id: DocumentId,
    #[schema(value_type = String, example = "INVOICE")]
    document_type: DocumentType,
    #[schema(example = "A-0001-00000001")]
    invoice_number: String,
    #[schema(example = "A-0001")]
    receipt_book: String,
    #[schema(example = 1)]
    number: u32,
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "A")]
    letter: Letter,
    /// Null while `caeStatus` is `PENDING`.
    #[schema(example = "10000100000001")]
    cae: Option<String>,
    /// The last day on which the CAE may be used; null while `caeStatus` is `PENDING`.
    #[schema(value_type = Option<String>, format = Date, example = "2024-02-10")]
    cae_due_date: Option<Date>,
    /// Where the QR code leads; null while `caeStatus` is `PENDING`.
    qr_url: Option<String>,
    /// `PENDING` or `GRANTED`.
    #[schema(value_type = String, example = "GRANTED")]
    cae_status: CaeStatus,
    #[schema(value_type = String, format = Date, example = "2024-01-31")]
    issue_date: Date,
    #[schema(value_type = String, format = Date, example = "2024-01-05")]
    service_date: Date,
    /// As printed.
    #[schema(example = "Servicio de logística")]
    description: String,
    #[schema(value_type = String)]
    service_id: ServiceId,
    #[schema(value_type = String)]
    pending_id: PendingId,
    #[schema(value_type = String)]
    batch_id: BatchId,
    customer_id: u32,
    customer: ReceiverView,
    issuer: IssuerView,
    #[schema(value_type = String, example = "1500.00")]
    amount: Money,
    #[schema(value_type = String, example = "1239.67")]
    net_amount: Money,
    #[schema(value_type = String, example = "260.33")]
    iva_amount: Money,
    /// `ISSUED`, `PARTIALLY_CREDITED` or `CREDITED`.
    #[schema(value_type = String, example = "ISSUED")]
    status: InvoiceStatus,
    #[schema(value_type = String, example = "0.00")]
    credited_amount: Money,
    #[schema(value_type = String, example = "1500.00")]
    open_amount: Money,
    /// Only on credit notes.
    #[schema(value_type = Option<String>)]
    origin_invoice_id: Option<InvoiceId>,
    /// Only on credit notes.
    origin_invoice_number: Option<String>,
    /// Only on credit notes.
    reason: Option<String>,
    /// The latest ERP sync that holds the document.
    erp_sync: Option<ErpSyncView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    version: u64,
    correlation_id: String,
}

/// The customer as the document remembers it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceiverView {
    name: String,
    /// CUIT, 11 digits.
    #[schema(example = "30000000015")]
    tax_id: Option<String>,
    #[schema(value_type = String, example = "RESPONSABLE_INSCRIPTO")]
    iva_condition: IvaCondition,
}

/// The company as the document remembers it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssuerView {
    name: String,
    /// CUIT, 11 digits.
    #[schema(example = "30000000007")]
    tax_id: String,
    #[schema(value_type = String, example = "RESPONSABLE_INSCRIPTO")]
    iva_condition: IssuerCondition,
}

/// A document's place in the hand-over to the ERP.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErpSyncView {
    #[schema(value_type = String)]
    sync_id: SyncId,
    /// `PENDING`, `SENT` or `CONFIRMED`.
    #[schema(value_type = String, example = "SENT")]
    status: SyncStatus,
}

impl ErpSyncView {
    /// The sync that a document names; how it stands, the sync itself says ([`with_syncs`]).
    const fn unknown(sync_id: SyncId) -> Self {
        Self {
            sync_id,
            status: SyncStatus::Failed,
        }
    }
}

/// The same documents with the state of the syncs that they name. A sync that failed has let its documents go, so it is not shown.
///
/// # Errors
/// When DynamoDB does not answer.
pub(crate) async fn with_syncs(
    db: &Db,
    company: &CompanyId,
    mut views: Vec<DocumentView>,
) -> Result<Vec<DocumentView>, Failure> {
    let named = views
        .iter()
        .filter_map(|view| Some(view.erp_sync.as_ref()?.sync_id));
    let named: BTreeSet<SyncId> = named.collect();
    let loaded = db
        .load(named.iter().map(|id| table::sync(company, *id)))
        .await?;
    let mut known: BTreeMap<SyncId, SyncStatus> = BTreeMap::new();
    for id in named {
        let sync: Option<ErpSync> = loaded.read(&table::sync(company, id))?;
        known.extend(sync.map(|sync| (id, sync.status)));
    }
    for view in &mut views {
        let holder = view.erp_sync.take().and_then(|named| {
            let status = *known.get(&named.sync_id)?;
            Some(ErpSyncView { status, ..named })
        });
        view.erp_sync = holder.filter(|holder| holder.status != SyncStatus::Failed);
    }
    Ok(views)
}

impl From<&Receiver> for ReceiverView {
    fn from(receiver: &Receiver) -> Self {
        Self {
            name: receiver.name.clone(),
            tax_id: receiver.tax_id.map(|tax_id| tax_id.to_string()),
            iva_condition: receiver.iva_condition,
        }
    }
}

impl From<&Issuer> for IssuerView {
    fn from(issuer: &Issuer) -> Self {
        Self {
            name: issuer.name.clone(),
            tax_id: issuer.tax_id.to_string(),
            iva_condition: issuer.iva_condition,
        }
    }
}

impl From<&CreditNote> for DocumentView {
    fn from(note: &CreditNote) -> Self {
        let split = note.split();
        Self {
            id: DocumentId::CreditNote(note.id),
            document_type: note.number.document_type(),
            invoice_number: note.number.to_string(),
            receipt_book: note.number.book().to_string(),
            number: note.number.number(),
            letter: note.number.book().letter(),
            cae: note.grant.map(|grant| cae_text(grant.cae)),
            cae_due_date: note.grant.map(|grant| grant.due_date),
            qr_url: note.qr_url(),
            cae_status: note.cae_status(),
            issue_date: note.issue_date,
            service_date: note.service_date,
            description: note.printed_description().to_owned(),
            service_id: note.service_id,
            pending_id: note.pending_id,
            batch_id: note.batch_id,
            customer_id: note.customer_id,
            customer: ReceiverView::from(&note.customer),
            issuer: IssuerView::from(&note.issuer),
            amount: note.amount,
            net_amount: split.net,
            iva_amount: split.iva,
            status: note.status(),
            credited_amount: pesos(0),
            open_amount: note.amount,
            origin_invoice_id: Some(note.origin_id),
            origin_invoice_number: Some(note.origin_number.to_string()),
            reason: Some(note.reason.clone()),
            erp_sync: note.sync.map(ErpSyncView::unknown),
            created_at: note.created_at,
            created_by: note.created_by.clone(),
            updated_at: note.updated_at,
            version: note.version,
            correlation_id: note.correlation_id.to_string(),
        }
    }
}

impl From<&Shown> for DocumentView {
    fn from(shown: &Shown) -> Self {
        match shown {
            Shown::Invoice(document) => Self::from(document.as_ref()),
            Shown::CreditNote(note) => Self::from(note.as_ref()),
        }
    }
}

/// The answer to the command that issued a credit note.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn note_answer(note: &CreditNote) -> Result<Answer, Failure> {
    let view = DocumentView::from(note);
    Ok(Answer::created(format!("/invoices/{}", note.id), &view)?.versioned(note.version))
}

/// Credit notes as they are shown.
pub(crate) fn note_views(notes: &[CreditNote]) -> Vec<DocumentView> {
    notes.iter().map(DocumentView::from).collect()
}

impl From<&Document> for DocumentView {
    fn from(Document { invoice, issuer }: &Document) -> Self {
        let split = invoice.split();
        Self {
            id: DocumentId::Invoice(invoice.id),
            document_type: invoice.number.document_type(),
            invoice_number: invoice.number.to_string(),
            receipt_book: invoice.number.book().to_string(),
            number: invoice.number.number(),
            letter: invoice.letter(),
            cae: invoice.grant.map(|grant| cae_text(grant.cae)),
            cae_due_date: invoice.grant.map(|grant| grant.due_date),
            qr_url: invoice.qr_url(issuer.tax_id),
            cae_status: invoice.cae_status(),
            issue_date: invoice.issue_date,
            service_date: invoice.service_date,
            description: invoice.printed_description().to_owned(),
            service_id: invoice.service_id,
            pending_id: invoice.pending_id,
            batch_id: invoice.batch_id,
            customer_id: invoice.customer_id,
            customer: ReceiverView::from(&invoice.customer),
            issuer: IssuerView::from(issuer),
            amount: invoice.amount,
            net_amount: split.net,
            iva_amount: split.iva,
            status: invoice.status(),
            credited_amount: invoice.credited,
            open_amount: invoice.open_amount(),
            origin_invoice_id: None,
            origin_invoice_number: None,
            reason: None,
            erp_sync: invoice.sync.map(ErpSyncView::unknown),
            created_at: invoice.created_at,
            created_by: invoice.created_by.clone(),
            updated_at: invoice.updated_at,
            version: invoice.version,
            correlation_id: invoice.correlation_id.to_string(),
        }
    }
}
