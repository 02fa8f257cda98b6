//! Customers.

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::cuit::Cuit;
use cierre_kernel::event::{ChainHead, EventType, NewEvent};
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::change::{
    Change, Decided, Differences, Stamp, applied, details, event, replayed, resource,
};
use super::stored::millis;
use crate::error::{CustomerRefusal, ServiceRefusal};
use crate::rules::{Buyer, IvaCondition};

/// Who receives invoices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    /// Given by the caller, never reused.
    pub customer_id: u32,
    /// Name.
    pub name: String,
    /// CUIT; none only where the condition allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<Cuit>,
    /// IVA condition.
    pub iva_condition: IvaCondition,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// An inactive customer gets no new services; the existing ones are still invoiced.
    pub active: bool,
    /// When it was made.
    #[serde(with = "millis")]
    pub created_at: Instant,
    /// By whom.
    pub created_by: String,
    /// When it last changed.
    #[serde(with = "millis")]
    pub updated_at: Instant,
    /// Counts the changes, from 1.
    pub version: u64,
    /// The command that made it.
    pub correlation_id: CorrelationId,
    /// Its chain of events.
    #[serde(default)]
    pub head: ChainHead,
}

/// A customer to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCustomer {
    /// Its id.
    pub customer_id: u32,
    /// Name.
    pub name: String,
    /// CUIT.
    pub tax_id: Option<Cuit>,
    /// IVA condition.
    pub iva_condition: IvaCondition,
    /// E-mail address.
    pub email: Option<String>,
    /// Usually true.
    pub active: bool,
}

/// The fields of a customer that are to change; `Some(None)` clears one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerPatch {
    /// Name.
    pub name: Option<String>,
    /// CUIT.
    pub tax_id: Option<Option<Cuit>>,
    /// IVA condition.
    pub iva_condition: Option<IvaCondition>,
    /// E-mail address.
    pub email: Option<Option<String>>,
    /// `true` reactivates.
    pub active: Option<bool>,
}

impl Customer {
    /// Makes a customer, unless `existing` already has the id.
    ///
    /// # Errors
    /// [`CustomerRefusal::Exists`], or [`CustomerRefusal::InvalidTaxId`] when the condition requires a CUIT and there is none.
    pub fn create(
        existing: Option<&Self>,
        new: NewCustomer,
        stamp: &Stamp,
    ) -> Result<Change<Self>, CustomerRefusal> {
        if existing.is_some() {
            return Err(CustomerRefusal::Exists {
                customer_id: new.customer_id,
            });
        }
        let customer = Self {
            customer_id: new.customer_id,
            name: new.name,
            tax_id: new.tax_id,
            iva_condition: new.iva_condition,
            email: new.email,
            active: new.active,
            created_at: stamp.at,
            created_by: stamp.by.clone(),
            updated_at: stamp.at,
            version: 1,
            correlation_id: stamp.correlation_id.clone(),
            head: ChainHead::default(),
        };
        customer.check_tax_id()?;
        let created = customer.event(
            EventType::Create,
            "customer_created",
            details([
                ("name", json!(customer.name)),
                ("taxId", json!(customer.tax_id)),
                ("ivaCondition", json!(customer.iva_condition)),
            ]),
        );
        Ok(Change::new(customer, vec![created]))
    }

    /// Changes some fields, of an inactive customer too. A patch that changes nothing is a replay.
    ///
    /// # Errors
    /// [`CustomerRefusal::InvalidTaxId`] when the outcome would lack a CUIT that its condition requires.
    pub fn update(&self, patch: CustomerPatch, now: Instant) -> Decided<Self, CustomerRefusal> {
        let mut next = self.clone();
        let mut differences = Differences::default();
        differences.set("name", &mut next.name, patch.name);
        differences.set("taxId", &mut next.tax_id, patch.tax_id);
        differences.set("ivaCondition", &mut next.iva_condition, patch.iva_condition);
        differences.set("email", &mut next.email, patch.email);
        differences.set("active", &mut next.active, patch.active);
        next.check_tax_id()?;
        if differences.is_empty() {
            return Ok(replayed(next));
        }
        next.touch(now);
        let updated = next.event(
            EventType::Update,
            "customer_updated",
            differences.into_details(),
        );
        Ok(applied(next, vec![updated]))
    }

    /// Deactivates; nothing is removed.
    ///
    /// # Errors
    /// [`CustomerRefusal::Inactive`] when it already is.
    pub fn deactivate(&self, now: Instant) -> Decided<Self, CustomerRefusal> {
        match self.active {
            true => {
                let mut next = Self {
                    active: false,
                    ..self.clone()
                };
                next.touch(now);
                let deactivated = next.event(EventType::Delete, "customer_deactivated", Map::new());
                Ok(applied(next, vec![deactivated]))
            }
            false => Err(CustomerRefusal::Inactive {
                customer_id: self.customer_id,
            }),
        }
    }

    /// Whether a service may be entered for this customer.
    ///
    /// # Errors
    /// [`ServiceRefusal::UnknownCustomer`] or [`ServiceRefusal::CustomerInactive`].
    pub fn accepts_service(found: Option<&Self>, customer_id: u32) -> Result<(), ServiceRefusal> {
        match found.map(|customer| customer.active) {
            Some(true) => Ok(()),
            Some(false) => Err(ServiceRefusal::CustomerInactive { customer_id }),
            None => Err(ServiceRefusal::UnknownCustomer { customer_id }),
        }
    }

    /// What the judgement of its pendings needs to know.
    pub const fn buyer(&self) -> Buyer {
        Buyer {
            customer_id: self.customer_id,
            condition: self.iva_condition,
            tax_id: self.tax_id,
        }
    }

    fn check_tax_id(&self) -> Result<(), CustomerRefusal> {
        if self.tax_id.is_none() && self.iva_condition.requires_tax_id() {
            return Err(CustomerRefusal::InvalidTaxId {
                condition: self.iva_condition,
            });
        }
        Ok(())
    }

    fn touch(&mut self, now: Instant) {
        self.updated_at = now;
        self.version += 1;
    }

    fn event(
        &self,
        event_type: EventType,
        action: &'static str,
        details: Map<String, serde_json::Value>,
    ) -> NewEvent {
        event(
            event_type,
            action,
            resource::CUSTOMER,
            self.customer_id,
            details,
        )
    }
}
