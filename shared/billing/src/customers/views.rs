//! Customers as they are shown.

use cierre_kernel::cuit::Cuit;
use cierre_kernel::time::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use crate::entity::{Customer, IvaCondition};

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerView {
    /// Given by the caller, never reused.
    pub customer_id: u32,
    /// Name.
    pub name: String,
    /// CUIT, eleven digits; null only for consumers and for parties abroad.
    #[schema(value_type = Option<String>, example = "30000000015")]
    pub tax_id: Option<Cuit>,
    /// How it stands towards IVA (RG 5616).
    #[schema(value_type = String, example = "RESPONSABLE_INSCRIPTO")]
    pub iva_condition: IvaCondition,
    /// E-mail address.
    pub email: Option<String>,
    /// An inactive customer gets no new services; the existing ones are still invoiced.
    pub active: bool,
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

/// Shows a customer.
pub fn view(customer: &Customer) -> CustomerView {
    CustomerView {
        customer_id: customer.customer_id,
        name: customer.name.clone(),
        tax_id: customer.tax_id,
        iva_condition: customer.iva_condition,
        email: customer.email.clone(),
        active: customer.active,
        created_at: customer.created_at,
        created_by: customer.created_by.clone(),
        updated_at: customer.updated_at,
        version: customer.version,
        correlation_id: customer.correlation_id.to_string(),
    }
}

/// A page of customers.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerPage {
    /// In order of their ids.
    pub items: Vec<CustomerView>,
    /// Cursor of the next page, null at the end.
    pub next: Option<String>,
}

/// A customer to be made.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "customerId": 1, "name": "Cliente Uno S.A.", "taxId": "30-00000001-5", "ivaCondition": "RESPONSABLE_INSCRIPTO", "email": null
}))]
pub struct NewCustomerBody {
    /// Free to choose, once.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pub customer_id: u32,
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// CUIT, with or without hyphens.
    pub tax_id: Option<String>,
    /// How it stands towards IVA (RG 5616).
    pub iva_condition: String,
    /// E-mail address.
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// Usually left out.
    #[schema(default = true)]
    pub active: Option<bool>,
}

/// Fields of a customer to be changed; what is not mentioned stays.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({ "email": "facturas@cliente.example" }))]
pub struct CustomerChangesBody {
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// CUIT, with or without hyphens.
    pub tax_id: Option<String>,
    /// How it stands towards IVA (RG 5616).
    pub iva_condition: Option<String>,
    /// E-mail address; null removes it.
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// `true` reactivates.
    pub active: Option<bool>,
}
