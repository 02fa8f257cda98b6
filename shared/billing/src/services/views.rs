//! Services as they are shown.

use cierre_kernel::id::{InvoiceId, PendingId, ServiceId};
use cierre_kernel::money::Money;
use cierre_kernel::time::{Date, Instant};
use serde::Serialize;
use utoipa::ToSchema;

use crate::entity::{Service, ServiceStatus};
use crate::pendings::PendingView;

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceView {
    /// Its id.
    #[schema(value_type = String, example = "svc_00000000000000000000000001")]
    pub id: ServiceId,
    /// When it was rendered.
    #[schema(value_type = String, format = Date, example = "2024-01-05")]
    pub service_date: Date,
    /// For whom.
    pub customer_id: u32,
    /// For how much, IVA included.
    #[schema(value_type = String, example = "1500.00")]
    pub amount: Money,
    /// What is printed on the invoice; without one, "Servicio de logística".
    pub description: Option<String>,
    /// `CREATED`, `SENT_TO_BILL` or `INVOICED`.
    #[schema(value_type = String, example = "CREATED")]
    pub status: ServiceStatus,
    /// The pending that waits.
    #[schema(value_type = Option<String>)]
    pub active_pending_id: Option<PendingId>,
    /// The invoice.
    #[schema(value_type = Option<String>)]
    pub invoice_id: Option<InvoiceId>,
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

/// Shows a service; a deleted one is not shown.
pub fn view(service: &Service) -> Option<ServiceView> {
    Some(ServiceView {
        id: service.id,
        service_date: service.service_date,
        customer_id: service.customer_id,
        amount: service.amount,
        description: service.description.clone(),
        status: service.status()?,
        active_pending_id: service.active_pending_id(),
        invoice_id: service.invoice_id(),
        created_at: service.created_at,
        created_by: service.created_by.clone(),
        updated_at: service.updated_at,
        version: service.version,
        correlation_id: service.correlation_id.to_string(),
    })
}

/// A page of services.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServicePage {
    /// By date, then id.
    pub items: Vec<ServiceView>,
    /// Cursor of the next page, null at the end.
    pub next: Option<String>,
}

/// A service to be made.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "serviceDate": "2024-01-05", "customerId": 1, "amount": "1500.00", "description": null
}))]
pub struct NewServiceBody {
    /// From 2000-01-01 to a year and a day from today.
    #[schema(format = Date)]
    pub service_date: String,
    /// An active customer.
    pub customer_id: u32,
    /// From 0.01 to 99999999.99.
    pub amount: String,
    /// What is printed on the invoice.
    #[schema(max_length = 200)]
    pub description: Option<String>,
}

/// Fields of a service to be changed; what is not mentioned stays.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({ "amount": "1750.00" }))]
pub struct ServiceChangesBody {
    /// From 2000-01-01 to a year and a day from today.
    #[schema(format = Date)]
    pub service_date: Option<String>,
    /// An active customer.
    pub customer_id: Option<u32>,
    /// From 0.01 to 99999999.99.
    pub amount: Option<String>,
    /// What is printed on the invoice; null for the usual text.
    #[schema(max_length = 200)]
    pub description: Option<String>,
}

/// Services to be made.
#[derive(Debug, ToSchema)]
pub struct BulkBody {
    /// 1 to 1000.
    #[schema(min_items = 1, max_items = 1000)]
    pub services: Vec<NewServiceBody>,
}

/// What became of each service of a bulk request.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BulkOutcome {
    /// The services that were made.
    pub created: Vec<BulkCreated>,
    /// The ones that were not.
    pub failed: Vec<BulkFailed>,
}

/// A service that was made.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BulkCreated {
    /// Its place in the request, from 0.
    pub index: usize,
    /// Its id.
    #[schema(value_type = String)]
    pub id: ServiceId,
}

/// A service that was not made.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BulkFailed {
    /// Its place in the request, from 0.
    pub index: usize,
    /// Why, for programs; `validation_failed` when its fields are wrong in different ways.
    pub code: String,
    /// Why, for people.
    pub reason: String,
}

/// Services to be sent to billing.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "serviceIds": ["svc_00000000000000000000000001", "svc_00000000000000000000000002"]
}))]
pub struct SendBody {
    /// 1 to 1000, each once.
    #[schema(min_items = 1, max_items = 1000)]
    pub service_ids: Vec<String>,
}

/// What became of each service that was to be sent.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct SendOutcome {
    /// The pendings of the services that were sent.
    pub pendings: Vec<PendingView>,
    /// The services that were not.
    pub failed: Vec<SendFailed>,
}

/// A service that was not sent.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "svc_00000000000000000000000001", "code": "already_sent",
    "reason": "Service is not in CREATED status (current: SENT_TO_BILL)"
}))]
pub struct SendFailed {
    /// The service.
    #[schema(value_type = String)]
    pub id: ServiceId,
    /// Why, for programs.
    pub code: String,
    /// Why, for people.
    pub reason: String,
}
