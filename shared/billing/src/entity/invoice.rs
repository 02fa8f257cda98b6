//! Invoices.

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::cuit::Cuit;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::{BatchId, InvoiceId, PendingId, ServiceId, SyncId};
use cierre_kernel::money::Money;
use cierre_kernel::time::{Date, Instant};
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::customer::Customer;
use super::service::{DEFAULT_DESCRIPTION, Service};
use super::stored::iva_code;
use crate::ids;
use crate::rules::{
    InvoiceNumber, IssuerCondition, IvaCondition, Letter, QrContent, Split, cae_text, pesos, split,
};

/// A customer as an invoice remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receiver {
    /// Name.
    pub name: String,
    /// CUIT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<Cuit>,
    /// IVA condition.
    #[serde(rename = "iva", with = "iva_code")]
    pub iva_condition: IvaCondition,
}

impl From<&Customer> for Receiver {
    fn from(customer: &Customer) -> Self {
        Self {
            name: customer.name.clone(),
            tax_id: customer.tax_id,
            iva_condition: customer.iva_condition,
        }
    }
}

/// The company as an invoice remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Issuer {
    /// Name.
    pub name: String,
    /// CUIT.
    pub tax_id: Cuit,
    /// IVA condition.
    #[serde(rename = "iva")]
    pub iva_condition: IssuerCondition,
}

/// The tax authority's authorisation of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The authorisation code, 14 digits.
    pub cae: u64,
    /// The last day on which it may be used.
    pub due_date: Date,
}

cierre_kernel::words! {
    /// Whether the authority has answered.
    pub enum CaeStatus {
        /// Not yet.
        Pending = "PENDING",
        /// The code is there.
        Granted = "GRANTED",
    }
}

cierre_kernel::words! {
    /// How much of a document was credited.
    pub enum InvoiceStatus {
        /// Nothing.
        Issued = "ISSUED",
        /// A part.
        PartiallyCredited = "PARTIALLY_CREDITED",
        /// All of it.
        Credited = "CREDITED",
    }
}

/// An invoice. Customer, date and amount are its service's for ever; the issuer's snapshot stands in its batch.
///
/// It is written as the attribute `invoice` of its service's item and read back with the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "super::service_record::InvoiceRecord")]
pub struct Invoice {
    /// Its id, the pending's in another dress.
    pub id: InvoiceId,
    /// Book and number.
    pub number: InvoiceNumber,
    /// The batch that made it.
    pub batch_id: BatchId,
    /// The pending that it was.
    pub pending_id: PendingId,
    /// The service that it bills.
    pub service_id: ServiceId,
    /// The service's date.
    pub service_date: Date,
    /// The batch's issue date.
    pub issue_date: Date,
    /// The service's description.
    pub description: Option<String>,
    /// The service's customer.
    pub customer_id: u32,
    /// The customer as it was.
    pub customer: Receiver,
    /// The service's amount.
    pub amount: Money,
    /// The amount without IVA.
    pub net: Money,
    /// The authorisation; none while the authority has not answered.
    pub grant: Option<Grant>,
    /// Sum of its credit notes.
    pub credited: Money,
    /// Their numbers, in the order in which they were issued.
    pub notes: Vec<u32>,
    /// The latest ERP sync that took it; one that failed has let it go again.
    pub sync: Option<SyncId>,
    /// Its chain of events.
    pub head: ChainHead,
    /// When it was made.
    pub created_at: Instant,
    /// By whom.
    pub created_by: String,
    /// When its item last changed.
    pub updated_at: Instant,
    /// The version of its item, which it shares with the service and the pending.
    pub version: u64,
    /// The correlation id of the batch.
    pub correlation_id: CorrelationId,
}

/// What an invoice is made of.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The service.
    pub service: &'a Service,
    /// Its pending.
    pub pending_id: PendingId,
    /// The batch.
    pub batch: &'a Batch,
    /// Book and number.
    pub number: InvoiceNumber,
    /// The customer as it was when the pending was judged.
    pub customer: &'a Receiver,
    /// The authorisation, once there is one.
    pub grant: Option<Grant>,
}

impl Invoice {
    /// Makes an invoice of a pending of a committed batch. Made again of the same parts at the same time, it is the same invoice.
    pub fn issue(draft: Draft<'_>, at: Instant) -> Self {
        let Draft {
            service,
            pending_id,
            batch,
            number,
            customer,
            grant,
        } = draft;
        Self {
            id: ids::invoice_of(pending_id),
            number,
            batch_id: batch.id,
            pending_id,
            service_id: service.id,
            service_date: service.service_date,
            issue_date: batch.issue_date,
            description: service.description.clone(),
            customer_id: service.customer_id,
            customer: customer.clone(),
            amount: service.amount,
            net: split(number.book().letter(), service.amount).net,
            grant,
            credited: pesos(0),
            notes: Vec::new(),
            sync: None,
            head: ChainHead::default(),
            created_at: at,
            created_by: cierre_kernel::actor::SYSTEM.to_owned(),
            updated_at: at,
            version: service.version + 1,
            correlation_id: batch.correlation_id.clone(),
        }
    }

    /// The invoice type.
    pub const fn letter(&self) -> Letter {
        self.number.book().letter()
    }

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

    /// How much of it was credited, in a word.
    pub fn status(&self) -> InvoiceStatus {
        if self.credited.is_zero() {
            InvoiceStatus::Issued
        } else if self.open_amount().is_zero() {
            InvoiceStatus::Credited
        } else {
            InvoiceStatus::PartiallyCredited
        }
    }

    /// What was not credited.
    pub fn open_amount(&self) -> Money {
        pesos(self.amount.minor() - self.credited.minor())
    }

    /// Whether the authority has answered.
    pub const fn cae_status(&self) -> CaeStatus {
        match self.grant {
            Some(_) => CaeStatus::Granted,
            None => CaeStatus::Pending,
        }
    }

    /// The authorisation code as printed.
    pub fn cae(&self) -> Option<String> {
        self.grant.map(|grant| cae_text(grant.cae))
    }

    /// The address that its QR code leads to, given the issuer's CUIT; none without authorisation.
    pub fn qr_url(&self, issuer: Cuit) -> Option<String> {
        self.grant.map(|grant| {
            QrContent {
                issue_date: self.issue_date,
                issuer,
                number: self.number,
                amount: self.amount,
                receiver: self.customer.tax_id,
                cae: grant.cae,
            }
            .url()
        })
    }
}
