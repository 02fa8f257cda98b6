//! Pendings: services waiting to be invoiced.
//!
//! The current pending of a service is stored in the service's item and changes only together with it ([`super::Service`]); this module
//! decides about it. A cancelled one stays as an item of its own.

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::event::{ChainHead, EventType, NewEvent};
use cierre_kernel::id::{BatchId, InvoiceId, PendingId, ServiceId};
use cierre_kernel::money::Money;
use cierre_kernel::time::{Date, Instant};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::change::{details, event, resource};
use crate::error::PendingRefusal;
use crate::rules::ItemFailure;

cierre_kernel::words! {
    /// The state of a pending, as shown.
    pub enum PendingStatus {
        /// Waiting.
        Pending = "PENDING",
        /// It became an invoice.
        Invoiced = "INVOICED",
        /// Taken back.
        Cancelled = "CANCELLED",
    }
}

/// The state of a pending with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingState {
    /// Waiting; `held_by` is the batch that claimed it.
    Pending {
        /// The batch, none while it is available.
        held_by: Option<BatchId>,
    },
    /// It became an invoice.
    Invoiced {
        /// In this batch.
        batch_id: BatchId,
        /// This one.
        invoice_id: InvoiceId,
    },
    /// Taken back; the service can be sent again under a new pending.
    Cancelled {
        /// When.
        at: Instant,
    },
}

/// A service waiting to be invoiced. What it copies of the service stays as it was when the service was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "super::service_record::CancelledRecord",
    into = "super::service_record::CancelledRecord"
)]
pub struct Pending {
    /// Its id, from which the service's can be read off.
    pub id: PendingId,
    /// The service.
    pub service_id: ServiceId,
    /// The service's customer.
    pub customer_id: u32,
    /// The service's date.
    pub service_date: Date,
    /// The service's amount.
    pub amount: Money,
    /// Where it stands.
    pub state: PendingState,
    /// Fingerprint of the command that made it, by which a repeat of the command recognises its own work.
    pub command: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// By whom.
    pub created_by: String,
    /// When its item last changed.
    pub updated_at: Instant,
    /// The version of its item, which it shares with the service while it is the current one.
    pub version: u64,
    /// The command that made it.
    pub correlation_id: CorrelationId,
    /// Its chain of events.
    pub head: ChainHead,
}

/// What a command to a pending comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The pending moves to this state.
    To(PendingState),
    /// It stays as it is.
    Stay,
}

impl Pending {
    /// The status.
    pub const fn status(&self) -> PendingStatus {
        match self.state {
            PendingState::Pending { .. } => PendingStatus::Pending,
            PendingState::Invoiced { .. } => PendingStatus::Invoiced,
            PendingState::Cancelled { .. } => PendingStatus::Cancelled,
        }
    }

    /// The batch that holds it.
    pub const fn claimed_by(&self) -> Option<BatchId> {
        match self.state {
            PendingState::Pending { held_by } => held_by,
            PendingState::Invoiced { .. } | PendingState::Cancelled { .. } => None,
        }
    }

    /// Whether a batch can claim it: waiting, and held by none.
    pub const fn is_available(&self) -> bool {
        match self.state {
            PendingState::Pending { held_by } => held_by.is_none(),
            PendingState::Invoiced { .. } | PendingState::Cancelled { .. } => false,
        }
    }

    /// The batch whose invoice it became.
    pub const fn batch_id(&self) -> Option<BatchId> {
        match self.state {
            PendingState::Invoiced { batch_id, .. } => Some(batch_id),
            PendingState::Pending { .. } | PendingState::Cancelled { .. } => None,
        }
    }

    /// The invoice it became.
    pub const fn invoice_id(&self) -> Option<InvoiceId> {
        match self.state {
            PendingState::Invoiced { invoice_id, .. } => Some(invoice_id),
            PendingState::Pending { .. } | PendingState::Cancelled { .. } => None,
        }
    }

    /// When it was cancelled.
    pub const fn cancelled_at(&self) -> Option<Instant> {
        match self.state {
            PendingState::Cancelled { at } => Some(at),
            PendingState::Pending { .. } | PendingState::Invoiced { .. } => None,
        }
    }

    /// Whether it can be cancelled. What a batch holds cannot.
    ///
    /// # Errors
    /// [`PendingRefusal::Claimed`] or [`PendingRefusal::NotPending`].
    pub const fn check_cancel(&self) -> Result<(), PendingRefusal> {
        match self.state {
            PendingState::Pending { held_by: None } => Ok(()),
            PendingState::Pending {
                held_by: Some(batch),
            } => Err(PendingRefusal::Claimed { batch }),
            PendingState::Invoiced { .. } | PendingState::Cancelled { .. } => {
                Err(PendingRefusal::NotPending {
                    status: self.status(),
                })
            }
        }
    }

    /// Whether a batch may hold it: it is free, or the batch's already.
    ///
    /// # Errors
    /// The failure that the batch lists for it.
    pub fn check_claim(&self, batch: BatchId) -> Result<(), ItemFailure> {
        self.claim_step(batch).map(|_| ())
    }

    /// What a claim by a batch comes to.
    pub(super) fn claim_step(&self, batch: BatchId) -> Result<Step, ItemFailure> {
        match self.state {
            PendingState::Pending { held_by: None } => Ok(Step::To(PendingState::Pending {
                held_by: Some(batch),
            })),
            PendingState::Pending {
                held_by: Some(holder),
            } if holder == batch => Ok(Step::Stay),
            PendingState::Pending {
                held_by: Some(holder),
            } => Err(ItemFailure::Claimed(holder)),
            PendingState::Invoiced { .. } | PendingState::Cancelled { .. } => {
                Err(ItemFailure::NotPending(self.status()))
            }
        }
    }

    /// What a release by a batch comes to: only the holder's has an effect.
    pub(super) fn release_step(&self, batch: BatchId) -> Step {
        match self.state {
            PendingState::Pending {
                held_by: Some(holder),
            } if holder == batch => Step::To(PendingState::Pending { held_by: None }),
            PendingState::Pending { .. }
            | PendingState::Invoiced { .. }
            | PendingState::Cancelled { .. } => Step::Stay,
        }
    }

    /// What materialising by a batch comes to: the holder's makes an invoice of it, once.
    pub(super) fn materialise_step(
        &self,
        batch: BatchId,
        invoice_id: InvoiceId,
    ) -> Result<Step, PendingRefusal> {
        match self.state {
            PendingState::Pending {
                held_by: Some(holder),
            } if holder == batch => Ok(Step::To(PendingState::Invoiced {
                batch_id: batch,
                invoice_id,
            })),
            PendingState::Pending {
                held_by: Some(holder),
            } => Err(PendingRefusal::Claimed { batch: holder }),
            PendingState::Pending { held_by: None } => Err(PendingRefusal::NotClaimed { batch }),
            PendingState::Invoiced { batch_id, .. } if batch_id == batch => Ok(Step::Stay),
            PendingState::Invoiced { .. } | PendingState::Cancelled { .. } => {
                Err(PendingRefusal::NotPending {
                    status: self.status(),
                })
            }
        }
    }

    /// The pending in another state.
    pub(super) fn moved(&self, state: PendingState) -> Self {
        Self {
            state,
            ..self.clone()
        }
    }

    pub(super) fn created(&self) -> NewEvent {
        self.event(EventType::Create, "pending_created")
    }

    pub(super) fn cancelled(&self) -> NewEvent {
        self.event(EventType::Delete, "pending_cancelled")
    }

    fn event(&self, event_type: EventType, action: &'static str) -> NewEvent {
        let details = details([
            ("serviceId", json!(self.service_id)),
            ("customerId", json!(self.customer_id)),
            ("amount", json!(self.amount)),
        ]);
        event(event_type, action, resource::PENDING, self.id, details)
    }
}
