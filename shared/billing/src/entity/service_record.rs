//! The stored form of a service with its pending and its invoice, and of a cancelled pending.
//!
//! What conditions, partial updates and the verification of chains name stands at the top level ([`attribute`]). Inside `pending` and
//! `invoice` nothing is repeated that follows from the service, so that an invoiced service stays within one write unit of 1 KB.

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::{BatchId, InvoiceId, PendingId, ServiceId, SyncId};
use cierre_kernel::money::Money;
use cierre_kernel::time::{Date, Instant};
use serde::{Deserialize, Serialize};

use super::invoice::{Grant, Invoice, Receiver};
use super::pending::{Pending, PendingState};
use super::service::{Service, ServiceState};
use super::stored::{Inconsistent, is_zero, millis, minor};
use crate::ids;
use crate::rules::{InvoiceNumber, pesos};

/// Attributes of a service's item that partial updates and conditions name.
///
/// The current pending is the `sends`-th one; it waits exactly while `status` is `SENT_TO_BILL`. So "this very pending waits" is
/// `status = SENT_TO_BILL and sends = attempt + 1`, with the attempt that [`crate::ids::service_of`] reads off the pending's id.
pub mod attribute {
    /// The lock of every write; each write adds 1.
    pub const VERSION: &str = "version";
    /// `CREATED`, `SENT_TO_BILL`, `INVOICED` or `DELETED`.
    pub const STATUS: &str = "status";
    /// How many pendings the service had so far.
    pub const SENDS: &str = "sends";
    /// The batch that holds the current pending; absent while none does, and once it is invoiced.
    pub const CLAIMED_BY: &str = "claimedBy";
    /// The invoice, as [`crate::entity::Invoice`] serialises.
    pub const INVOICE: &str = "invoice";
    /// When the item last changed, in milliseconds.
    pub const UPDATED: &str = "updated";
    /// Head of the service's chain of events.
    pub const HEAD: &str = "head";
    /// Head of the current pending's chain of events.
    pub const PENDING_HEAD: &str = "pendingHead";
    /// Head of the invoice's chain of events; absent while nothing happened to the invoice.
    pub const INVOICE_HEAD: &str = "invoiceHead";
    /// The ERP sync that took the invoice; a credit note has it under the same name.
    pub const SYNC: &str = "erpSync";
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    Created,
    SentToBill,
    Invoiced,
    Deleted,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceRecord {
    id: ServiceId,
    service_date: Date,
    customer_id: u32,
    #[serde(with = "minor")]
    amount: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    status: Status,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    sends: u16,
    #[serde(rename = "created", with = "millis")]
    created_at: Instant,
    #[serde(rename = "by")]
    created_by: String,
    #[serde(rename = "updated", with = "millis")]
    updated_at: Instant,
    version: u64,
    #[serde(rename = "corr")]
    correlation_id: CorrelationId,
    head: ChainHead,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claimed_by: Option<BatchId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<PendingRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending_head: Option<ChainHead>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invoice: Option<InvoiceRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invoice_head: Option<ChainHead>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erp_sync: Option<SyncId>,
}

/// What of a pending does not follow from its service.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PendingRecord {
    #[serde(rename = "cmd", default, skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(rename = "created", with = "millis")]
    created_at: Instant,
    #[serde(rename = "by")]
    created_by: String,
    #[serde(rename = "corr")]
    correlation_id: CorrelationId,
}

/// What of an invoice does not follow from its service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct InvoiceRecord {
    #[serde(rename = "no")]
    number: InvoiceNumber,
    #[serde(rename = "batch")]
    batch_id: BatchId,
    #[serde(rename = "date")]
    issue_date: Date,
    #[serde(rename = "to")]
    customer: Receiver,
    #[serde(with = "minor")]
    net: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grant: Option<Grant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credited: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<u32>,
    #[serde(rename = "created", with = "millis")]
    created_at: Instant,
    #[serde(rename = "by", default, skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(rename = "corr")]
    correlation_id: CorrelationId,
}

impl From<Service> for ServiceRecord {
    fn from(service: Service) -> Self {
        let (status, pending, invoice) = match service.state {
            ServiceState::Created => (Status::Created, None, None),
            ServiceState::SentToBill(pending) => (Status::SentToBill, Some(pending), None),
            ServiceState::Invoiced(pending, invoice) => {
                (Status::Invoiced, Some(pending), Some(*invoice))
            }
            ServiceState::Deleted => (Status::Deleted, None, None),
        };
        Self {
            id: service.id,
            service_date: service.service_date,
            customer_id: service.customer_id,
            amount: service.amount,
            description: service.description,
            status,
            deleted: status == Status::Deleted,
            sends: service.sends,
            created_at: service.created_at,
            created_by: service.created_by,
            updated_at: service.updated_at,
            version: service.version,
            correlation_id: service.correlation_id,
            head: service.head,
            claimed_by: pending.as_ref().and_then(Pending::claimed_by),
            pending_head: pending.as_ref().map(|pending| pending.head.clone()),
            pending: pending.map(PendingRecord::from),
            invoice_head: invoice
                .as_ref()
                .map(|invoice| invoice.head.clone())
                .filter(|head| *head != ChainHead::default()),
            erp_sync: invoice.as_ref().and_then(|invoice| invoice.sync),
            invoice: invoice.map(InvoiceRecord::from),
        }
    }
}

impl From<Pending> for PendingRecord {
    fn from(pending: Pending) -> Self {
        Self {
            command: pending.command,
            created_at: pending.created_at,
            created_by: pending.created_by,
            correlation_id: pending.correlation_id,
        }
    }
}

impl From<Invoice> for InvoiceRecord {
    fn from(invoice: Invoice) -> Self {
        Self {
            number: invoice.number,
            batch_id: invoice.batch_id,
            issue_date: invoice.issue_date,
            customer: invoice.customer,
            net: invoice.net,
            grant: invoice.grant,
            credited: Some(invoice.credited.minor()).filter(|minor| *minor != 0),
            notes: invoice.notes,
            created_at: invoice.created_at,
            created_by: Some(invoice.created_by)
                .filter(|name| name != cierre_kernel::actor::SYSTEM),
            correlation_id: invoice.correlation_id,
        }
    }
}

impl TryFrom<ServiceRecord> for Service {
    type Error = Inconsistent;

    fn try_from(mut record: ServiceRecord) -> Result<Self, Self::Error> {
        let pending = record.pending.take();
        let invoice = record.invoice.take();
        let state = match (record.status, pending, invoice) {
            (Status::Created, None, None) => ServiceState::Created,
            (Status::Deleted, None, None) => ServiceState::Deleted,
            (Status::SentToBill, Some(pending), None) => {
                let state = PendingState::Pending {
                    held_by: record.claimed_by,
                };
                ServiceState::SentToBill(record.pending(pending, state)?)
            }
            (Status::Invoiced, Some(pending), Some(invoice)) => {
                let id = record.pending_id()?;
                let state = PendingState::Invoiced {
                    batch_id: invoice.batch_id,
                    invoice_id: ids::invoice_of(id),
                };
                let invoice = record.invoice(id, invoice);
                ServiceState::Invoiced(record.pending(pending, state)?, Box::new(invoice))
            }
            (Status::Created | Status::Deleted, Some(_), _) => {
                return Err(Inconsistent("a pending that the status excludes"));
            }
            (Status::Created | Status::Deleted | Status::SentToBill, _, Some(_)) => {
                return Err(Inconsistent("an invoice that the status excludes"));
            }
            (Status::SentToBill | Status::Invoiced, None, _) => {
                return Err(Inconsistent("no pending"));
            }
            (Status::Invoiced, Some(_), None) => return Err(Inconsistent("no invoice")),
        };
        Ok(Self {
            id: record.id,
            service_date: record.service_date,
            customer_id: record.customer_id,
            amount: record.amount,
            description: record.description,
            sends: record.sends,
            state,
            created_at: record.created_at,
            created_by: record.created_by,
            updated_at: record.updated_at,
            version: record.version,
            correlation_id: record.correlation_id,
            head: record.head,
        })
    }
}

impl ServiceRecord {
    /// The current pending is the last one sent.
    fn pending_id(&self) -> Result<PendingId, Inconsistent> {
        let attempt = self
            .sends
            .checked_sub(1)
            .ok_or(Inconsistent("a pending that was never sent"))?;
        ids::pending_id(self.id, attempt)
            .map_err(|_| Inconsistent("an id that carries no pendings"))
    }

    fn pending(
        &self,
        pending: PendingRecord,
        state: PendingState,
    ) -> Result<Pending, Inconsistent> {
        Ok(Pending {
            id: self.pending_id()?,
            service_id: self.id,
            customer_id: self.customer_id,
            service_date: self.service_date,
            amount: self.amount,
            state,
            command: pending.command,
            created_at: pending.created_at,
            created_by: pending.created_by,
            updated_at: self.updated_at,
            version: self.version,
            correlation_id: pending.correlation_id,
            head: self.pending_head.clone().unwrap_or_default(),
        })
    }

    fn invoice(&self, pending_id: PendingId, invoice: InvoiceRecord) -> Invoice {
        Invoice {
            id: ids::invoice_of(pending_id),
            number: invoice.number,
            batch_id: invoice.batch_id,
            pending_id,
            service_id: self.id,
            service_date: self.service_date,
            issue_date: invoice.issue_date,
            description: self.description.clone(),
            customer_id: self.customer_id,
            customer: invoice.customer,
            amount: self.amount,
            net: invoice.net,
            grant: invoice.grant,
            credited: pesos(invoice.credited.unwrap_or(0)),
            notes: invoice.notes,
            sync: self.erp_sync,
            head: self.invoice_head.clone().unwrap_or_default(),
            created_at: invoice.created_at,
            created_by: invoice
                .created_by
                .unwrap_or_else(|| cierre_kernel::actor::SYSTEM.to_owned()),
            updated_at: self.updated_at,
            version: self.version,
            correlation_id: invoice.correlation_id,
        }
    }
}

/// The stored form of a pending on its own: in practice of a cancelled one, though any state can be written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CancelledRecord {
    id: PendingId,
    service_id: ServiceId,
    customer_id: u32,
    service_date: Date,
    #[serde(with = "minor")]
    amount: Money,
    status: super::pending::PendingStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claimed_by: Option<BatchId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch_id: Option<BatchId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invoice_id: Option<InvoiceId>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "super::stored::some_millis"
    )]
    cancelled_at: Option<Instant>,
    #[serde(rename = "cmd", default, skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(rename = "created", with = "millis")]
    created_at: Instant,
    #[serde(rename = "by")]
    created_by: String,
    #[serde(rename = "updated", with = "millis")]
    updated_at: Instant,
    version: u64,
    #[serde(rename = "corr")]
    correlation_id: CorrelationId,
    head: ChainHead,
}

impl From<Pending> for CancelledRecord {
    fn from(pending: Pending) -> Self {
        Self {
            id: pending.id,
            service_id: pending.service_id,
            customer_id: pending.customer_id,
            service_date: pending.service_date,
            amount: pending.amount,
            status: pending.status(),
            claimed_by: pending.claimed_by(),
            batch_id: pending.batch_id(),
            invoice_id: pending.invoice_id(),
            cancelled_at: pending.cancelled_at(),
            command: pending.command,
            created_at: pending.created_at,
            created_by: pending.created_by,
            updated_at: pending.updated_at,
            version: pending.version,
            correlation_id: pending.correlation_id,
            head: pending.head,
        }
    }
}

impl TryFrom<CancelledRecord> for Pending {
    type Error = Inconsistent;

    fn try_from(record: CancelledRecord) -> Result<Self, Self::Error> {
        use super::pending::PendingStatus as Is;

        let state = match (
            record.status,
            record.batch_id,
            record.invoice_id,
            record.cancelled_at,
        ) {
            (Is::Pending, None, None, None) => PendingState::Pending {
                held_by: record.claimed_by,
            },
            (Is::Invoiced, Some(batch_id), Some(invoice_id), None) => PendingState::Invoiced {
                batch_id,
                invoice_id,
            },
            (Is::Cancelled, None, None, Some(at)) => PendingState::Cancelled { at },
            (Is::Pending | Is::Invoiced | Is::Cancelled, _, _, _) => {
                return Err(Inconsistent("a pending whose status and fields disagree"));
            }
        };
        Ok(Self {
            id: record.id,
            service_id: record.service_id,
            customer_id: record.customer_id,
            service_date: record.service_date,
            amount: record.amount,
            state,
            command: record.command,
            created_at: record.created_at,
            created_by: record.created_by,
            updated_at: record.updated_at,
            version: record.version,
            correlation_id: record.correlation_id,
            head: record.head,
        })
    }
}
