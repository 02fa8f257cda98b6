//! Documents by id, by number and by batch. These readers see all documents of a batch, complete, from its commit on, and agree with each
//! other at every instant: they read strongly, and what they show follows from the commit alone.

use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{BatchId, InvoiceId, PendingId};
use cierre_kernel::problem::Problem;
use cierre_kernel::time::Date;
use cierre_platform::db::{Db, Query, read_item};
use cierre_platform::{Failure, Result};

use super::document::{Document, committed};
use super::numbers::Numbers;
use crate::engine::{DocumentChunk, Range};
use crate::entity::{Batch, BatchStatus, Invoice, Service};
use crate::rules::InvoiceNumber;
use crate::{ids, table};

/// Looks at an item that changes between two reads. One is enough: an invoice never changes back.
const LOOKS: u32 = 2;

/// The invoice of this id.
///
/// # Errors
/// 404; or a fault.
pub(crate) async fn by_id(db: &Db, company: &CompanyId, id: InvoiceId) -> Result<Document> {
    let pending_id = ids::pending_of(id);
    for _ in 0..LOOKS {
        let service: Option<Service> = db
            .get(&table::service_of_pending(company, pending_id))
            .await?;
        let Some(service) = service else { break };
        if let Some(invoice) = service.invoice().filter(|invoice| invoice.id == id) {
            let batch: Option<Batch> = db.get(&table::batch(company, invoice.batch_id)).await?;
            let batch =
                batch.ok_or_else(|| Failure::message("the batch of an invoice is missing"))?;
            return Ok(Document::of(invoice.clone(), &batch));
        }
        let holder = service
            .pending()
            .filter(|pending| pending.id == pending_id)
            .and_then(|pending| pending.claimed_by());
        let Some(batch_id) = holder else { break };
        let Some(batch) = committed_batch(db, company, batch_id).await? else {
            break;
        };
        if !batch.materialized {
            let invoice = between_commit_and_stage_4(db, company, &batch, pending_id, service)
                .await?
                .ok_or_else(not_found)?;
            return Ok(Document::of(invoice, &batch));
        }
        // Stage 4 finished between the two reads: the item carries its invoice by now.
    }
    Err(not_found().into())
}

/// The invoice of this number.
///
/// # Errors
/// 404; or a fault.
pub(crate) async fn by_number(
    db: &Db,
    company: &CompanyId,
    number: InvoiceNumber,
) -> Result<Document> {
    let numbers = range_of(db, company, number).await?.ok_or_else(not_found)?;
    let chunk = numbers.chunk_of(number.number());
    let (batch_key, chunk_key) = (
        table::batch(company, numbers.batch_id),
        numbers.chunk_key(company, chunk),
    );
    let loaded = db.load([batch_key.clone(), chunk_key]).await?;
    let batch: Batch = loaded
        .read(&batch_key)?
        .ok_or_else(|| Failure::message("a range of numbers names a batch that is missing"))?;
    let documents = numbers.chunk(company, chunk, &loaded)?;
    let position = number.number() - numbers.within_chunk(chunk).0;
    let found = documents_of(db, company, &batch, &documents, position..position + 1).await?;
    let carries_it = |invoice: &Invoice| invoice.number == number;
    let invoice = found
        .into_iter()
        .flatten()
        .find(carries_it)
        .ok_or_else(not_found)?;
    Ok(Document::of(invoice, &batch))
}

/// A page of a batch's documents in the order of their numbers, from an index on, and the index to go on from. Empty before the commit.
///
/// # Errors
/// 404 for an unknown batch; or a fault.
pub(crate) async fn by_batch(
    db: &Db,
    company: &CompanyId,
    id: BatchId,
    from: u32,
    limit: u32,
) -> Result<(Vec<Document>, Option<u32>)> {
    let batch: Batch = db
        .get(&table::batch(company, id))
        .await?
        .ok_or_else(not_found)?;
    let Some(numbers) = Numbers::of_batch(&batch).filter(|_| is_committed(&batch)) else {
        return Ok((Vec::new(), None));
    };
    let count = numbers.last - numbers.first + 1;
    let end = count.min(from.saturating_add(limit));
    if from >= end {
        return Ok((Vec::new(), None));
    }
    let (first, last) = (
        numbers.chunk_of(numbers.first + from),
        numbers.chunk_of(numbers.first + end - 1),
    );
    let mut page = Vec::new();
    for chunk in numbers.chunks(db, company, first, last).await? {
        let wanted = from.saturating_sub(chunk.first)
            ..end
                .saturating_sub(chunk.first)
                .min(chunk.pendings.len() as u32);
        let invoices = documents_of(db, company, &batch, &chunk, wanted).await?;
        page.extend(
            invoices
                .into_iter()
                .flatten()
                .map(|invoice| Document::of(invoice, &batch)),
        );
    }
    Ok((page, Some(end).filter(|end| *end < count)))
}

fn not_found() -> Problem {
    Problem::new(codes::NOT_FOUND)
}

/// Whether the batch has numbers.
pub(crate) fn is_committed(batch: &Batch) -> bool {
    match batch.status {
        BatchStatus::Processed => true,
        BatchStatus::PendingProcessing | BatchStatus::InProcess | BatchStatus::Error => false,
    }
}

async fn committed_batch(
    db: &Db,
    company: &CompanyId,
    id: BatchId,
) -> Result<Option<Batch>, Failure> {
    let batch: Option<Batch> = db.get(&table::batch(company, id)).await?;
    Ok(batch.filter(is_committed))
}

/// The numbers among which this one is; none when it was not given, or under another spelling of the book.
async fn range_of(
    db: &Db,
    company: &CompanyId,
    number: InvoiceNumber,
) -> Result<Option<Numbers>, Failure> {
    let ranges = table::book_ranges(company, &number.book().key());
    // Ranges are found by their last number: the first one that does not end before this number.
    let query = Query::partition(table::BILLING, ranges)
        .from(table::number_sort(number.number()))
        .limit(1);
    let Some(item) = db.query(&query).await?.items.into_iter().next() else {
        return Ok(None);
    };
    let numbers = Numbers::of_range(&read_item::<Range>(item)?)?;
    Ok(Some(numbers)
        .filter(|numbers| numbers.first <= number.number() && numbers.book == number.book()))
}

/// The documents at these positions of a chunk, none where there is none.
pub(crate) async fn documents_of(
    db: &Db,
    company: &CompanyId,
    batch: &Batch,
    chunk: &DocumentChunk,
    positions: std::ops::Range<u32>,
) -> Result<Vec<Option<Invoice>>, Failure> {
    let positions = positions.start as usize..positions.end as usize;
    let pendings = chunk.pendings.get(positions.clone()).unwrap_or_default();
    let loaded = db
        .load(
            pendings
                .iter()
                .map(|pending| table::service_of_pending(company, *pending)),
        )
        .await?;
    let document = |(position, pending): (usize, &PendingId)| {
        let service: Option<Service> =
            loaded.read(&table::service_of_pending(company, *pending))?;
        committed(service, batch, chunk, position)
    };
    positions.zip(pendings).map(document).collect()
}

/// A document that has its number and not yet its CAE: its place among the batch's chunks says which number. Documents stand in the order of
/// (service date, pending id), so the chunk is found by halving.
async fn between_commit_and_stage_4(
    db: &Db,
    company: &CompanyId,
    batch: &Batch,
    pending: PendingId,
    service: Service,
) -> Result<Option<Invoice>, Failure> {
    let Some(numbers) = Numbers::of_batch(batch) else {
        return Ok(None);
    };
    let wanted = (service.service_date, pending);
    let (mut low, mut high) = (0, numbers.chunk_of(numbers.last));
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if begins_after(&numbers.chunks(db, company, middle, middle).await?, wanted) {
            high = middle - 1;
        } else {
            low = middle;
        }
    }
    let Some(chunk) = numbers
        .chunks(db, company, low, low)
        .await?
        .into_iter()
        .next()
    else {
        return Ok(None);
    };
    let Some(position) = chunk.pendings.iter().position(|id| *id == pending) else {
        return Ok(None);
    };
    committed(Some(service), batch, &chunk, position)
}

fn begins_after(chunks: &[DocumentChunk], wanted: (Date, PendingId)) -> bool {
    let first = chunks
        .first()
        .and_then(|chunk| Some((chunk.first_date, *chunk.pendings.first()?)));
    first.is_some_and(|first| first > wanted)
}
