//! Credit notes: an invoice taken back, in whole or in part.

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::event::{ChainHead, EventType};
use cierre_kernel::id::{BatchId, CreditNoteId, InvoiceId, PendingId, ServiceId, SyncId};
use cierre_kernel::money::Money;
use cierre_kernel::time::{Date, Instant};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::change::{Change, Stamp, details, event, resource};
use super::invoice::{CaeStatus, Grant, Invoice, InvoiceStatus, Issuer, Receiver};
use super::service::{DEFAULT_DESCRIPTION, Service};
use super::stored::{millis, minor};
use crate::error::CreditRefusal;
use crate::rules::{InvoiceNumber, QrContent, Split, pesos, split_credit};

/// Credit notes of one invoice at most. Their numbers stand in the invoice's item, which every one of them writes.
pub const MAX_CREDIT_NOTES: usize = 200;

/// A credit note. What it takes over from its invoice never changes; after it is issued only its authorisation is added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreditNote {
    /// Its id, which leads to its item ([`crate::ids::credit_note_place`]).
    pub id: CreditNoteId,
    /// Its number in the sequence of its book's credit notes.
    pub number: InvoiceNumber,
    /// The invoice that it credits.
    pub origin_id: InvoiceId,
    /// That invoice's number.
    pub origin_number: InvoiceNumber,
    /// The invoice's batch.
    pub batch_id: BatchId,
    /// The invoice's pending.
    pub pending_id: PendingId,
    /// The invoice's service.
    pub service_id: ServiceId,
    /// The service's date.
    pub service_date: Date,
    /// The service's description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The invoice's customer.
    pub customer_id: u32,
    /// The customer as the invoice remembers it.
    pub customer: Receiver,
    /// The company as the invoice remembers it.
    pub issuer: Issuer,
    /// Its own date.
    pub issue_date: Date,
    /// What it takes back, IVA included.
    #[serde(with = "minor")]
    pub amount: Money,
    /// The same without IVA.
    #[serde(with = "minor")]
    pub net: Money,
    /// Why.
    pub reason: String,
    /// The authorisation; none while the authority has not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// When it was issued.
    #[serde(rename = "created", with = "millis")]
    pub created_at: Instant,
    /// By whom.
    #[serde(rename = "by")]
    pub created_by: String,
    /// When it was issued or authorised.
    #[serde(rename = "updated", with = "millis")]
    pub updated_at: Instant,
    /// 1 when issued, 2 once authorised.
    pub version: u64,
    /// The command that issued it.
    #[serde(rename = "corr")]
    pub correlation_id: CorrelationId,
    /// The latest ERP sync that took it; one that failed has let it go again.
    #[serde(rename = "erpSync", default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncId>,
    /// Its chain of events.
    pub head: ChainHead,
}

impl CreditNote {
    /// Net and IVA, which add up to the amount.
    pub fn split(&self) -> Split {
        Split {
            net: self.net,
            iva: pesos(self.amount.minor() - self.net.minor()),
        }
    }

    /// What is printed as the description.
    pub fn printed_description(&self) -> &str {
        self.description.as_deref().unwrap_or(DEFAULT_DESCRIPTION)
    }

    /// A credit note is never credited itself.
    pub const fn status(&self) -> InvoiceStatus {
        InvoiceStatus::Issued
    }

    /// Whether the authority has answered.
    pub const fn cae_status(&self) -> CaeStatus {
        match self.grant {
            Some(_) => CaeStatus::Granted,
            None => CaeStatus::Pending,
        }
    }

    /// The address that its QR code leads to; none without authorisation.
    pub fn qr_url(&self) -> Option<String> {
        self.grant.map(|grant| {
            QrContent {
                issue_date: self.issue_date,
                issuer: self.issuer.tax_id,
                number: self.number,
                amount: self.amount,
                receiver: self.customer.tax_id,
                cae: grant.cae,
            }
            .url()
        })
    }

    /// The note with its authorisation; itself when it has one.
    #[must_use]
    pub fn authorised(&self, grant: Grant, now: Instant) -> Self {
        if self.grant.is_some() {
            return self.clone();
        }
        Self {
            grant: Some(grant),
            updated_at: now,
            version: self.version + 1,
            ..self.clone()
        }
    }
}

/// A credit note to be issued.
#[derive(Clone, Debug)]
pub struct NewCredit {
    /// Its id.
    pub id: CreditNoteId,
    /// The next number of the sequence of the invoice's book.
    pub number: InvoiceNumber,
    /// Its date.
    pub issue_date: Date,
    /// What it takes back; none means all that is open.
    pub amount: Option<Money>,
    /// Why.
    pub reason: String,
    /// The company, as the invoice's batch remembers it.
    pub issuer: Issuer,
    /// When, by whom.
    pub stamp: Stamp,
}

/// What issuing a credit note leads to, written in one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Credited {
    /// The service, whose invoice has more credited.
    pub service: Service,
    /// The note.
    pub note: CreditNote,
}

impl Service {
    /// Credits the invoice of this id.
    ///
    /// # Errors
    /// [`CreditRefusal`]: no such invoice here, nothing left to credit, more than is left, or too many notes.
    pub fn credit(
        &self,
        invoice: InvoiceId,
        credit: NewCredit,
    ) -> Result<Change<Credited>, CreditRefusal> {
        let origin = self
            .invoice()
            .filter(|found| found.id == invoice)
            .ok_or(CreditRefusal::NotFound)?;
        let amount = admitted(origin, credit.amount)?;
        let note = CreditNote {
            id: credit.id,
            number: credit.number,
            origin_id: origin.id,
            origin_number: origin.number,
            batch_id: origin.batch_id,
            pending_id: origin.pending_id,
            service_id: origin.service_id,
            service_date: origin.service_date,
            description: origin.description.clone(),
            customer_id: origin.customer_id,
            customer: origin.customer.clone(),
            issuer: credit.issuer,
            issue_date: credit.issue_date,
            amount,
            net: split_credit(origin.letter(), origin.credited, amount).net,
            reason: credit.reason,
            grant: None,
            created_at: credit.stamp.at,
            created_by: credit.stamp.by,
            updated_at: credit.stamp.at,
            version: 1,
            correlation_id: credit.stamp.correlation_id,
            sync: None,
            head: ChainHead::default(),
        };
        let mut credited = origin.clone();
        credited.credited = pesos(origin.credited.minor() + amount.minor());
        credited.notes.push(credit.number.number());
        let issued = details([
            ("creditNoteId", json!(note.id)),
            ("invoiceNumber", json!(note.number)),
            ("amount", json!(amount)),
            ("openAmount", json!(credited.open_amount())),
            ("reason", json!(note.reason)),
        ]);
        let created = details([
            ("originInvoiceId", json!(origin.id)),
            ("amount", json!(amount)),
        ]);
        let events = vec![
            event(
                EventType::Generate,
                "credit_note_issued",
                resource::INVOICE,
                origin.id,
                issued,
            ),
            event(
                EventType::Create,
                "credit_note_created",
                resource::CREDIT_NOTE,
                note.id,
                created,
            ),
        ];
        let service = self.with_invoice(credited, credit.stamp.at);
        Ok(Change::new(Credited { service, note }, events))
    }
}

/// What a credit note of this invoice may take back.
fn admitted(invoice: &Invoice, wanted: Option<Money>) -> Result<Money, CreditRefusal> {
    let open = invoice.open_amount();
    if open.is_zero() {
        return Err(CreditRefusal::Credited);
    }
    if invoice.notes.len() >= MAX_CREDIT_NOTES {
        return Err(CreditRefusal::TooMany);
    }
    match wanted {
        None => Ok(open),
        Some(amount) if amount.minor() > open.minor() => Err(CreditRefusal::AboveOpen { open }),
        Some(amount) => Ok(amount),
    }
}
