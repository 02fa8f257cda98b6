//! What an audit is judged by: the documents under a book's numbers, and what ranges, batches and chunks promise of them.

use std::collections::BTreeMap;

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::BatchId;
use cierre_platform::Failure;
use cierre_platform::db::{Db, Loaded, Query, read_item};
use futures::stream::{FuturesUnordered, TryStreamExt};

use super::audit::{Found, Promise};
use crate::engine::{DocumentChunk, Range};
use crate::entity::{Batch, Book, CreditNote, Invoice};
use crate::ids::DocumentId;
use crate::invoices::numbers::Numbers;
use crate::invoices::read::{documents_of, is_committed};
use crate::table;

/// Reads in flight at once.
const PARALLEL: usize = 16;
/// Chunk items of one read.
const CHUNKS_PER_READ: usize = 100;

/// A chunk of a range, as far as the audit covers it.
struct Piece<'a> {
    numbers: &'a Numbers,
    /// None when the batch that the range names is not there or not committed: then nothing of it can be shown.
    batch: Option<&'a Batch>,
    /// Whether the audit covers the whole range.
    whole: bool,
    chunk: u32,
    low: u32,
    high: u32,
}

/// What there is between two numbers, and what ranges, batches and chunks promise of it.
pub(super) async fn evidence(
    db: &Db,
    company: &CompanyId,
    book: &Book,
    first: u32,
    last: u32,
) -> Result<(Vec<Found>, Vec<Promise>), Failure> {
    let ranges = ranges(db, company, book, first, last).await?;
    let key = |numbers: &Numbers| table::batch(company, numbers.batch_id);
    let loaded = db.load(ranges.iter().map(key)).await?;
    let committed =
        |numbers: &Numbers| Ok(loaded.read::<Batch>(&key(numbers))?.filter(is_committed));
    let batches: Vec<Option<Batch>> = ranges
        .iter()
        .map(committed)
        .collect::<Result<_, Failure>>()?;

    let mut found = Vec::with_capacity((last - first + 1) as usize);
    let mut promises = Vec::with_capacity(ranges.len());
    let mut pieces = Vec::new();
    for (numbers, batch) in ranges.iter().zip(&batches) {
        let (low, high) = (numbers.first.max(first), numbers.last.min(last));
        let whole = (low, high) == (numbers.first, numbers.last);
        promises.extend(whole.then(|| promise_of_whole(numbers, batch.as_ref())));
        pieces.extend(
            (numbers.chunk_of(low)..=numbers.chunk_of(high)).map(|chunk| {
                let (begin, end) = numbers.within_chunk(chunk);
                Piece {
                    numbers,
                    batch: batch.as_ref(),
                    whole,
                    chunk,
                    low: begin.max(low),
                    high: end.min(high),
                }
            }),
        );
    }
    for group in pieces.chunks(CHUNKS_PER_READ) {
        let loaded = db
            .load(
                group
                    .iter()
                    .map(|piece| piece.numbers.chunk_key(company, piece.chunk)),
            )
            .await?;
        let chunks: Vec<Option<DocumentChunk>> = group
            .iter()
            .map(|piece| piece.read(company, &loaded))
            .collect();
        let mut reads = FuturesUnordered::new();
        for (piece, chunk) in group.iter().zip(&chunks) {
            if reads.len() >= PARALLEL {
                found.extend(reads.try_next().await?.unwrap_or_default());
            }
            reads.push(piece.documents(db, company, chunk.as_ref()));
        }
        while let Some(documents) = reads.try_next().await? {
            found.extend(documents);
        }
        promises.extend(
            group
                .iter()
                .zip(&chunks)
                .filter_map(|(piece, chunk)| piece.promise(chunk.as_ref()?)),
        );
    }
    Ok((found, added_up(promises)))
}

/// The credit notes between two numbers. No batch promises any: they are issued one by one.
pub(super) async fn notes(
    db: &Db,
    company: &CompanyId,
    book: &Book,
    first: u32,
    last: u32,
) -> Result<Vec<Found>, Failure> {
    let partition = table::credit_notes(company, &book.receipt_book.key());
    let query = Query::partition(table::BILLING, partition)
        .between(table::number_sort(first), table::number_sort(last));
    let items = db.query_all(query).await?;
    items
        .into_iter()
        .map(|item| Ok(Found::from(&read_item::<CreditNote>(item)?)))
        .collect()
}

/// The ranges that hold any of these numbers.
async fn ranges(
    db: &Db,
    company: &CompanyId,
    book: &Book,
    first: u32,
    last: u32,
) -> Result<Vec<Numbers>, Failure> {
    let mut query = Query::partition(
        table::BILLING,
        table::book_ranges(company, &book.receipt_book.key()),
    )
    .from(table::number_sort(first));
    let mut ranges = Vec::new();
    loop {
        let page = db.query(&query).await?;
        for item in page.items {
            let numbers = Numbers::of_range(&read_item::<Range>(item)?)?;
            // Ranges are in the order of their last numbers, so the first one beyond the end is the end.
            if numbers.first > last {
                return Ok(ranges);
            }
            ranges.push(numbers);
        }
        match page.last {
            Some(last) => query = query.start_after(last),
            None => return Ok(ranges),
        }
    }
}

impl Piece<'_> {
    /// The chunk, if it can be read. A chunk that cannot leaves its numbers without documents, and that is what an audit is for.
    fn read(&self, company: &CompanyId, loaded: &Loaded) -> Option<DocumentChunk> {
        let chunk = self.numbers.chunk(company, self.chunk, loaded);
        chunk.inspect_err(|failure| tracing::error!(batch_id = %self.numbers.batch_id, error = failure.chain(), "a document chunk cannot be read")).ok()
    }

    fn positions(&self) -> std::ops::Range<u32> {
        let (begin, _) = self.numbers.within_chunk(self.chunk);
        self.low - begin..self.high - begin + 1
    }

    async fn documents(
        &self,
        db: &Db,
        company: &CompanyId,
        chunk: Option<&DocumentChunk>,
    ) -> Result<Vec<Found>, Failure> {
        let Some((batch, chunk)) = self.batch.zip(chunk) else {
            return Ok(Vec::new());
        };
        let documents = documents_of(db, company, batch, chunk, self.positions()).await?;
        Ok(documents
            .iter()
            .flatten()
            .filter(|invoice| invoice.number.book() == self.numbers.book)
            .map(Found::from)
            .collect())
    }

    /// What the chunk says of a part of a range.
    fn promise(&self, chunk: &DocumentChunk) -> Option<Promise> {
        let positions = self.positions();
        let amounts = chunk
            .amounts
            .get(positions.start as usize..positions.end as usize)?;
        let part = Promise {
            batch_id: self.numbers.batch_id,
            count: positions.end - positions.start,
            amount: amounts.iter().sum(),
        };
        (!self.whole).then_some(part)
    }
}

/// What a batch says of all its documents; when it is gone, what its range says.
fn promise_of_whole(numbers: &Numbers, batch: Option<&Batch>) -> Promise {
    let batch_id = numbers.batch_id;
    match batch {
        Some(batch) => Promise {
            batch_id,
            count: batch.invoice_count,
            amount: batch.total_amount,
        },
        None => Promise {
            batch_id,
            count: numbers.last - numbers.first + 1,
            amount: numbers.total,
        },
    }
}

/// One promise per batch.
fn added_up(promises: Vec<Promise>) -> Vec<Promise> {
    let mut sums: BTreeMap<BatchId, Promise> = BTreeMap::new();
    for promise in promises {
        sums.entry(promise.batch_id)
            .and_modify(|sum| {
                *sum = Promise {
                    count: sum.count + promise.count,
                    amount: sum.amount + promise.amount,
                    ..*sum
                }
            })
            .or_insert(promise);
    }
    sums.into_values().collect()
}

impl From<&CreditNote> for Found {
    fn from(note: &CreditNote) -> Self {
        Self {
            number: note.number.number(),
            id: DocumentId::CreditNote(note.id),
            issue_date: note.issue_date,
            amount: note.amount.minor(),
            cae: note.grant.map(|grant| grant.cae),
            batch_id: note.batch_id,
        }
    }
}

impl From<&Invoice> for Found {
    fn from(invoice: &Invoice) -> Self {
        Self {
            number: invoice.number.number(),
            id: DocumentId::Invoice(invoice.id),
            issue_date: invoice.issue_date,
            amount: invoice.amount.minor(),
            cae: invoice.grant.map(|grant| grant.cae),
            batch_id: invoice.batch_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ulid::Ulid;

    #[test]
    fn the_parts_of_a_batch_make_one_promise() {
        let part = |count, amount| Promise {
            batch_id: BatchId::new(Ulid(1)),
            count,
            amount,
        };
        assert_eq!(added_up(vec![part(2, 30), part(1, 5)]), [part(3, 35)]);
    }
}
