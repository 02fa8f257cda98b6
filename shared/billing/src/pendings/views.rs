//! Pendings as they are shown.

use cierre_kernel::id::{BatchId, InvoiceId, PendingId, ServiceId};
use cierre_kernel::money::Money;
use cierre_kernel::time::{Date, Instant};
use serde::Serialize;
use utoipa::ToSchema;

use crate::entity::{Pending, PendingStatus};

/// A pending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingView {
    /// Its id.
    #[schema(value_type = String, example = "pen_00000000000000000000000001")]
    pub id: PendingId,
    /// The service that waits.
    #[schema(value_type = String, example = "svc_00000000000000000000000001")]
    pub service_id: ServiceId,
    /// The service's customer.
    pub customer_id: u32,
    /// The service's date.
    #[schema(value_type = String, format = Date, example = "2024-01-05")]
    pub service_date: Date,
    /// The service's amount.
    #[schema(value_type = String, example = "1500.00")]
    pub amount: Money,
    /// `PENDING`, `INVOICED` or `CANCELLED`.
    #[schema(value_type = String, example = "PENDING")]
    pub status: PendingStatus,
    /// The batch that holds it; available is what is `PENDING` and held by none.
    #[schema(value_type = Option<String>)]
    pub claimed_by: Option<BatchId>,
    /// The batch that invoiced it.
    #[schema(value_type = Option<String>)]
    pub batch_id: Option<BatchId>,
    /// The invoice it became.
    #[schema(value_type = Option<String>)]
    pub invoice_id: Option<InvoiceId>,
    /// When it was cancelled.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cancelled_at: Option<Instant>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
    /// By whom.
    pub created_by: String,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Instant,
    /// Counts the changes, from 1; also the `ETag`.
    pub version: u64,
    /// Of the command that made it.
    pub correlation_id: String,
}

/// Shows a pending.
pub fn view(pending: &Pending) -> PendingView {
    PendingView {
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
        created_at: pending.created_at,
        created_by: pending.created_by.clone(),
        updated_at: pending.updated_at,
        version: pending.version,
        correlation_id: pending.correlation_id.to_string(),
    }
}

/// A page of pendings.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingPage {
    /// By date, then id.
    pub items: Vec<PendingView>,
    /// Cursor of the next page, null at the end.
    pub next: Option<String>,
}
