//! How a document is put together from what is stored: the item that service, pending and invoice share, the batch, and its chunk.
//!
//! From the commit on a document is complete, whether stage 4 has reached it or not: its number is the batch's first number plus its index,
//! its customer stands in the chunk, and the rest stands in the service, which nobody may change while the batch holds its pending.

use cierre_kernel::id::{BatchId, PendingId};
use cierre_platform::Failure;
use cierre_platform::error::Doing;

use crate::engine::DocumentChunk;
use crate::entity::{Batch, Draft, Invoice, Issuer, Service};
use crate::rules::InvoiceNumber;

/// An invoice with the issuer's snapshot, which stands in its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) invoice: Invoice,
    pub(crate) issuer: Issuer,
}

impl Document {
    /// The invoice as its batch issued it.
    pub(crate) fn of(invoice: Invoice, batch: &Batch) -> Self {
        Self {
            invoice,
            issuer: batch.issuer.clone(),
        }
    }
}

/// The invoice that this pending became in this batch; none before stage 4 reached it.
pub(crate) fn materialised(
    service: Service,
    pending: PendingId,
    batch: BatchId,
) -> Option<Invoice> {
    service
        .invoice()
        .filter(|invoice| invoice.pending_id == pending && invoice.batch_id == batch)
        .cloned()
}

/// The document at a position of a chunk of a committed batch. None when the item behind it is not there or belongs to nobody we know: a
/// reader then says that there is no such document, and the audit of the book that there is a gap.
///
/// # Errors
/// When the stored parts contradict each other.
pub(crate) fn committed(
    service: Option<Service>,
    batch: &Batch,
    chunk: &DocumentChunk,
    position: usize,
) -> Result<Option<Invoice>, Failure> {
    let (Some(service), Some(pending_id), Some(customer)) = (
        service,
        chunk.pendings.get(position).copied(),
        chunk.customer(position),
    ) else {
        return Ok(None);
    };
    let held = service
        .pending()
        .is_some_and(|pending| pending.id == pending_id && pending.claimed_by() == Some(batch.id));
    if !held {
        return Ok(materialised(service, pending_id, batch.id));
    }
    let number = number_at(batch, chunk, position)?;
    let made_at = batch.processing_completed_at.unwrap_or(batch.updated_at);
    let draft = Draft {
        service: &service,
        pending_id,
        batch,
        number,
        customer: &customer.receiver,
        grant: None,
    };
    // The item is still the one that the batch holds, so its version is the document's.
    Ok(Some(Invoice {
        version: service.version,
        ..Invoice::issue(draft, made_at)
    }))
}

/// The number of the document at a position of a chunk.
fn number_at(
    batch: &Batch,
    chunk: &DocumentChunk,
    position: usize,
) -> Result<InvoiceNumber, Failure> {
    let first = batch
        .first_number
        .ok_or_else(|| Failure::message("a committed batch has no first number"))?;
    let index = chunk.first + u32::try_from(position).doing("counting the documents of a chunk")?;
    InvoiceNumber::invoice(batch.receipt_book, first + index).doing("numbering a document")
}

#[cfg(test)]
mod tests;
