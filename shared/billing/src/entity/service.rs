//! Services, each with its current pending and its invoice.

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::decision::Decision;
use cierre_kernel::event::{ChainHead, EventType, NewEvent};
use cierre_kernel::id::{BatchId, InvoiceId, PendingId, ServiceId};
use cierre_kernel::money::Money;
use cierre_kernel::time::{Date, Instant};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::change::{
    Change, Decided, Differences, Stamp, applied, details, event, replayed, resource,
};
use super::invoice::Invoice;
use super::pending::{Pending, PendingState, Step};
use crate::error::{PendingRefusal, ServiceRefusal};
use crate::ids;
use crate::rules::{ItemFailure, judge_claim};

/// What is printed where a service has no description.
pub const DEFAULT_DESCRIPTION: &str = "Servicio de logística";

cierre_kernel::words! {
    /// The state of a service, as shown.
    pub enum ServiceStatus {
        /// Entered; can change.
        Created = "CREATED",
        /// A pending waits for a batch.
        SentToBill = "SENT_TO_BILL",
        /// An invoice exists.
        Invoiced = "INVOICED",
    }
}

/// The state of a service with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// Entered.
    Created,
    /// Its pending is in state [`PendingState::Pending`].
    SentToBill(Pending),
    /// Its pending is in state [`PendingState::Invoiced`].
    Invoiced(Pending, Box<Invoice>),
    /// Removed; the item stays as a tombstone that keeps the chain of events.
    Deleted,
}

/// A logistics service. Stored as one item with its current pending and its invoice, so that each step of their common life is one write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "super::service_record::ServiceRecord",
    into = "super::service_record::ServiceRecord"
)]
pub struct Service {
    /// Its id; the pending's and the invoice's follow from it.
    pub id: ServiceId,
    /// When the service was rendered.
    pub service_date: Date,
    /// For whom.
    pub customer_id: u32,
    /// For how much, IVA included.
    pub amount: Money,
    /// What is printed on the invoice.
    pub description: Option<String>,
    /// How many pendings it had so far.
    pub sends: u16,
    /// Where it stands.
    pub state: ServiceState,
    /// When it was made.
    pub created_at: Instant,
    /// By whom.
    pub created_by: String,
    /// When it, its pending or its invoice last changed.
    pub updated_at: Instant,
    /// Counts the changes of the whole item, from 1: the lock of every write.
    pub version: u64,
    /// The command that made it.
    pub correlation_id: CorrelationId,
    /// The service's chain of events; the pending has its own.
    pub head: ChainHead,
}

/// A service to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewService {
    /// When it was rendered.
    pub service_date: Date,
    /// For whom.
    pub customer_id: u32,
    /// For how much.
    pub amount: Money,
    /// What is printed.
    pub description: Option<String>,
}

/// The fields of a service that are to change; `Some(None)` clears one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServicePatch {
    /// When it was rendered.
    pub service_date: Option<Date>,
    /// For whom.
    pub customer_id: Option<u32>,
    /// For how much.
    pub amount: Option<Money>,
    /// What is printed.
    pub description: Option<Option<String>>,
}

/// A cancellation: the service is free again, and the pending becomes an item of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    /// The service, in `CREATED`.
    pub service: Service,
    /// The pending, in `CANCELLED`.
    pub pending: Pending,
}

impl Service {
    /// Enters a service. The customer was looked up before ([`super::Customer::accepts_service`]).
    ///
    /// # Errors
    /// [`ServiceRefusal::UnusableId`] when pendings could not be named after the id.
    pub fn create(
        id: ServiceId,
        new: NewService,
        stamp: &Stamp,
    ) -> Result<Change<Self>, ServiceRefusal> {
        if !ids::is_service_id(id) {
            return Err(ServiceRefusal::UnusableId);
        }
        let service = Self {
            id,
            service_date: new.service_date,
            customer_id: new.customer_id,
            amount: new.amount,
            description: new.description,
            sends: 0,
            state: ServiceState::Created,
            created_at: stamp.at,
            created_by: stamp.by.clone(),
            updated_at: stamp.at,
            version: 1,
            correlation_id: stamp.correlation_id.clone(),
            head: ChainHead::default(),
        };
        let created = service.event(EventType::Create, "service_created", service.content());
        Ok(Change::new(service, vec![created]))
    }

    /// Changes some fields; only before it is sent. A patch that changes nothing is a replay.
    ///
    /// # Errors
    /// [`ServiceRefusal::Locked`] once it was sent, [`ServiceRefusal::NotFound`] when deleted.
    pub fn update(&self, patch: ServicePatch, now: Instant) -> Decided<Self, ServiceRefusal> {
        self.check_unlocked()?;
        let mut next = self.clone();
        let mut differences = Differences::default();
        differences.set("serviceDate", &mut next.service_date, patch.service_date);
        differences.set("customerId", &mut next.customer_id, patch.customer_id);
        differences.set("amount", &mut next.amount, patch.amount);
        differences.set("description", &mut next.description, patch.description);
        if differences.is_empty() {
            return Ok(replayed(next));
        }
        next.touch(now);
        let updated = next.event(
            EventType::Update,
            "service_updated",
            differences.into_details(),
        );
        Ok(applied(next, vec![updated]))
    }

    /// Removes it; only before it is sent.
    ///
    /// # Errors
    /// As [`Service::update`].
    pub fn delete(&self, now: Instant) -> Decided<Self, ServiceRefusal> {
        self.check_unlocked()?;
        let mut next = Self {
            state: ServiceState::Deleted,
            ..self.clone()
        };
        next.touch(now);
        let deleted = next.event(EventType::Delete, "service_deleted", next.content());
        Ok(applied(next, vec![deleted]))
    }

    /// Makes a pending of it. A command that made the current pending before, known by its fingerprint, is a replay.
    ///
    /// # Errors
    /// [`ServiceRefusal::AlreadySent`], [`ServiceRefusal::AlreadyInvoiced`], [`ServiceRefusal::NotFound`] when deleted, and
    /// [`ServiceRefusal::TooManySends`] after 1024 pendings.
    pub fn send_to_billing(
        &self,
        command: Option<&str>,
        stamp: &Stamp,
    ) -> Decided<Self, ServiceRefusal> {
        let own = |pending: &Pending| command.is_some() && pending.command.as_deref() == command;
        match &self.state {
            ServiceState::Created => {}
            ServiceState::SentToBill(pending) if own(pending) => return Ok(replayed(self.clone())),
            ServiceState::Invoiced(pending, _) if own(pending) => {
                return Ok(replayed(self.clone()));
            }
            ServiceState::SentToBill(_) => return Err(ServiceRefusal::AlreadySent),
            ServiceState::Invoiced(..) => return Err(ServiceRefusal::AlreadyInvoiced),
            ServiceState::Deleted => return Err(ServiceRefusal::NotFound),
        }
        let id = ids::pending_id(self.id, self.sends).map_err(|_| ServiceRefusal::TooManySends)?;
        let pending = Pending {
            id,
            service_id: self.id,
            customer_id: self.customer_id,
            service_date: self.service_date,
            amount: self.amount,
            state: PendingState::Pending { held_by: None },
            command: command.map(str::to_owned),
            created_at: stamp.at,
            created_by: stamp.by.clone(),
            updated_at: stamp.at,
            version: 1,
            correlation_id: stamp.correlation_id.clone(),
            head: ChainHead::default(),
        };
        let events = vec![
            self.event(
                EventType::Process,
                "service_sent_to_billing",
                details([("pendingId", json!(id))]),
            ),
            pending.created(),
        ];
        let mut next = Self {
            sends: self.sends + 1,
            state: ServiceState::SentToBill(pending),
            ..self.clone()
        };
        next.touch(stamp.at);
        Ok(applied(next, events))
    }

    /// Takes a pending back.
    ///
    /// # Errors
    /// [`PendingRefusal::NotFound`] when it is not the current pending, else as [`Pending::check_cancel`].
    pub fn cancel_pending(
        &self,
        pending: PendingId,
        now: Instant,
    ) -> Result<Change<Cancellation>, PendingRefusal> {
        let pending = self.current(pending).ok_or(PendingRefusal::NotFound)?;
        pending.check_cancel()?;
        let mut pending = pending.moved(PendingState::Cancelled { at: now });
        let events = vec![
            pending.cancelled(),
            self.event(
                EventType::Update,
                "service_reopened",
                details([("pendingId", json!(pending.id))]),
            ),
        ];
        let mut service = Self {
            state: ServiceState::Created,
            ..self.clone()
        };
        service.touch(now);
        pending.updated_at = now;
        pending.version = service.version;
        Ok(Change::new(Cancellation { service, pending }, events))
    }

    /// Lets a batch hold the pending.
    ///
    /// # Errors
    /// The failure that the batch lists for the pending.
    pub fn claim(
        &self,
        pending: PendingId,
        batch: BatchId,
        now: Instant,
    ) -> Decided<Self, ItemFailure> {
        let current = judge_claim(pending, Some(self), batch)?;
        Ok(self.stepped(current, current.claim_step(batch)?, now))
    }

    /// Lets the pending go again; a replay unless this batch holds it.
    pub fn release(
        &self,
        pending: PendingId,
        batch: BatchId,
        now: Instant,
    ) -> Decision<Change<Self>> {
        match self.current(pending) {
            Some(current) => self.stepped(current, current.release_step(batch), now),
            None => replayed(self.clone()),
        }
    }

    /// Makes an invoice of the pending; a replay when this batch already did.
    ///
    /// # Errors
    /// [`PendingRefusal`] when the invoice's batch does not hold the pending, or the invoice is not this pending's.
    pub fn materialise(&self, invoice: Invoice, now: Instant) -> Decided<Self, PendingRefusal> {
        let current = self
            .current(invoice.pending_id)
            .ok_or(PendingRefusal::NotFound)?;
        match current.materialise_step(invoice.batch_id, invoice.id)? {
            Step::Stay => Ok(replayed(self.clone())),
            Step::To(state) => {
                let pending = current.moved(state);
                let mut next = Self {
                    state: ServiceState::Invoiced(pending, Box::new(invoice)),
                    ..self.clone()
                };
                next.touch(now);
                Ok(applied(next, Vec::new()))
            }
        }
    }

    /// The status; none when deleted.
    pub const fn status(&self) -> Option<ServiceStatus> {
        match self.state {
            ServiceState::Created => Some(ServiceStatus::Created),
            ServiceState::SentToBill(_) => Some(ServiceStatus::SentToBill),
            ServiceState::Invoiced(..) => Some(ServiceStatus::Invoiced),
            ServiceState::Deleted => None,
        }
    }

    /// The current pending: the one that waits or was invoiced.
    pub const fn pending(&self) -> Option<&Pending> {
        match &self.state {
            ServiceState::SentToBill(pending) | ServiceState::Invoiced(pending, _) => Some(pending),
            ServiceState::Created | ServiceState::Deleted => None,
        }
    }

    /// The current pending, for chaining its events.
    pub const fn pending_mut(&mut self) -> Option<&mut Pending> {
        match &mut self.state {
            ServiceState::SentToBill(pending) | ServiceState::Invoiced(pending, _) => Some(pending),
            ServiceState::Created | ServiceState::Deleted => None,
        }
    }

    /// The invoice.
    pub fn invoice(&self) -> Option<&Invoice> {
        match &self.state {
            ServiceState::Invoiced(_, invoice) => Some(invoice),
            ServiceState::Created | ServiceState::SentToBill(_) | ServiceState::Deleted => None,
        }
    }

    /// The pending that waits (`activePendingId`).
    pub const fn active_pending_id(&self) -> Option<PendingId> {
        match &self.state {
            ServiceState::SentToBill(pending) => Some(pending.id),
            ServiceState::Created | ServiceState::Invoiced(..) | ServiceState::Deleted => None,
        }
    }

    /// The invoice's id.
    pub fn invoice_id(&self) -> Option<InvoiceId> {
        self.invoice().map(|invoice| invoice.id)
    }

    /// The current pending, if a batch can claim it.
    pub fn available_pending(&self) -> Option<&Pending> {
        self.pending().filter(|pending| pending.is_available())
    }

    /// Whether this batch made the invoice.
    pub fn is_invoiced_by(&self, batch: BatchId) -> bool {
        self.invoice()
            .is_some_and(|invoice| invoice.batch_id == batch)
    }

    /// Whether the pending is, or once was, this service's.
    pub fn had_pending(&self, pending: PendingId) -> bool {
        let (service, attempt) = ids::service_of(pending);
        service == self.id && attempt < self.sends
    }

    /// The head of the chain that an event of this item belongs to: the service's or the current pending's.
    pub fn head_of(&mut self, event: &NewEvent) -> Option<&mut ChainHead> {
        match event.resource_type {
            resource::SERVICE => Some(&mut self.head),
            resource::PENDING => self.pending_mut().map(|pending| &mut pending.head),
            resource::INVOICE => match &mut self.state {
                ServiceState::Invoiced(_, invoice) => Some(&mut invoice.head),
                ServiceState::Created | ServiceState::SentToBill(_) | ServiceState::Deleted => None,
            },
            _ => None,
        }
    }

    /// The service with another state of its invoice.
    pub(super) fn with_invoice(&self, invoice: Invoice, now: Instant) -> Self {
        let mut next = self.clone();
        if let ServiceState::Invoiced(_, present) = &mut next.state {
            **present = invoice;
        }
        next.touch(now);
        next
    }

    fn current(&self, id: PendingId) -> Option<&Pending> {
        self.pending().filter(|pending| pending.id == id)
    }

    fn check_unlocked(&self) -> Result<(), ServiceRefusal> {
        match &self.state {
            ServiceState::Created => Ok(()),
            ServiceState::SentToBill(_) => Err(ServiceRefusal::Locked {
                status: ServiceStatus::SentToBill,
            }),
            ServiceState::Invoiced(..) => Err(ServiceRefusal::Locked {
                status: ServiceStatus::Invoiced,
            }),
            ServiceState::Deleted => Err(ServiceRefusal::NotFound),
        }
    }

    fn stepped(&self, current: &Pending, step: Step, now: Instant) -> Decision<Change<Self>> {
        match step {
            Step::Stay => replayed(self.clone()),
            Step::To(state) => {
                let mut next = Self {
                    state: ServiceState::SentToBill(current.moved(state)),
                    ..self.clone()
                };
                next.touch(now);
                applied(next, Vec::new())
            }
        }
    }

    /// One more version of the item, and of everything in it.
    fn touch(&mut self, now: Instant) {
        self.updated_at = now;
        self.version += 1;
        let version = self.version;
        match &mut self.state {
            ServiceState::SentToBill(pending) => {
                (pending.updated_at, pending.version) = (now, version)
            }
            ServiceState::Invoiced(pending, invoice) => {
                (pending.updated_at, pending.version) = (now, version);
                (invoice.updated_at, invoice.version) = (now, version);
            }
            ServiceState::Created | ServiceState::Deleted => {}
        }
    }

    fn content(&self) -> Map<String, Value> {
        details([
            ("serviceDate", json!(self.service_date)),
            ("customerId", json!(self.customer_id)),
            ("amount", json!(self.amount)),
        ])
    }

    fn event(
        &self,
        event_type: EventType,
        action: &'static str,
        details: Map<String, Value>,
    ) -> NewEvent {
        event(event_type, action, resource::SERVICE, self.id, details)
    }
}
