//! The numbers that one committed batch took from its book, and where the documents behind them stand.
//!
//! A batch's document chunks are the index of its invoices: number → index → chunk → pending → item. Nothing else is written per invoice.

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::BatchId;
use cierre_kernel::time::Date;
use cierre_platform::db::{Db, Key, Loaded};
use cierre_platform::{Failure, error::Doing};

use crate::engine::{BatchKeys, DOCUMENT_CHUNK, DocumentChunk, Range};
use crate::entity::Batch;
use crate::rules::ReceiptBook;
use crate::table;

/// Documents of one chunk, as numbers count.
const PER_CHUNK: u32 = DOCUMENT_CHUNK as u32;

/// A run of numbers without gaps, all of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) batch_id: BatchId,
    /// The batch's run whose chunks became documents.
    pub(crate) run: u32,
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) issue_date: Date,
    pub(crate) book: ReceiptBook,
    /// Sum in minor units.
    pub(crate) total: i64,
}

impl Numbers {
    /// What a stored range says.
    ///
    /// # Errors
    /// When it names no receipt book.
    pub(crate) fn of_range(range: &Range) -> Result<Self, Failure> {
        Ok(Self {
            batch_id: range.batch_id,
            run: range.run,
            first: range.first,
            last: range.last,
            issue_date: range.issue_date,
            book: ReceiptBook::parse(&range.receipt_book)
                .doing("reading a range's receipt book")?,
            total: range.total,
        })
    }

    /// What a batch says; none before its commit.
    pub(crate) fn of_batch(batch: &Batch) -> Option<Self> {
        let first = batch.first_number?;
        let last = (first + batch.invoice_count).checked_sub(1)?;
        Some(Self {
            batch_id: batch.id,
            run: batch.run,
            first,
            last,
            issue_date: batch.issue_date,
            book: batch.receipt_book,
            total: batch.total_amount,
        })
    }

    /// Where they stand in the order of all documents of the company.
    pub(crate) fn place(&self) -> String {
        table::document_sort(self.issue_date, &self.book.to_string(), self.last)
    }

    /// The chunk that holds a number of these.
    pub(crate) fn chunk_of(&self, number: u32) -> u32 {
        number.saturating_sub(self.first) / PER_CHUNK
    }

    /// The first and the last number of a chunk, as far as they lie within these.
    pub(crate) fn within_chunk(&self, chunk: u32) -> (u32, u32) {
        let first = self.first + chunk * PER_CHUNK;
        (first, self.last.min(first + PER_CHUNK - 1))
    }

    /// The item of a chunk.
    pub(crate) fn chunk_key(&self, company: &CompanyId, chunk: u32) -> Key {
        BatchKeys::new(company.clone(), self.batch_id, self.run).documents(chunk)
    }

    /// Reads a chunk out of what was loaded.
    ///
    /// # Errors
    /// When it is not there, which no committed batch may lack.
    pub(crate) fn chunk(
        &self,
        company: &CompanyId,
        chunk: u32,
        loaded: &Loaded,
    ) -> Result<DocumentChunk, Failure> {
        let missing = || {
            Failure::message(format!(
                "chunk {chunk} of the committed {} is missing",
                self.batch_id
            ))
        };
        DocumentChunk::from_item(
            loaded
                .item(&self.chunk_key(company, chunk))
                .ok_or_else(missing)?,
        )
    }

    /// Reads the chunks from `first` to `last`.
    ///
    /// # Errors
    /// When DynamoDB does not answer or a chunk is missing.
    pub(crate) async fn chunks(
        &self,
        db: &Db,
        company: &CompanyId,
        first: u32,
        last: u32,
    ) -> Result<Vec<DocumentChunk>, Failure> {
        let loaded = db
            .load((first..=last).map(|chunk| self.chunk_key(company, chunk)))
            .await?;
        (first..=last)
            .map(|chunk| self.chunk(company, chunk, &loaded))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_kernel::time::parse_date;
    use proptest::prelude::*;
    use ulid::Ulid;

    fn numbers(first: u32, last: u32) -> Numbers {
        Numbers {
            batch_id: BatchId::new(Ulid(1)),
            run: 0,
            first,
            last,
            issue_date: parse_date("2024-01-31").unwrap(),
            book: ReceiptBook::parse("A-0001").unwrap(),
            total: 0,
        }
    }

    #[test]
    fn later_numbers_stand_behind_earlier_ones_of_the_same_day() {
        assert!(numbers(1, 9).place() < numbers(10, 12).place());
        assert_eq!(numbers(1, 9).place(), "2024-01-31#A-0001#00000009");
    }

    proptest! {
        /// Every number lies in exactly one chunk, the one that is looked up for it.
        #[test]
        fn chunks_divide_the_numbers(first in 1_u32..1_000_000, count in 1_u32..1_000, at in 0_u32..1_000) {
            let numbers = numbers(first, first + count - 1);
            let number = first + at % count;
            let chunk = numbers.chunk_of(number);
            let (low, high) = numbers.within_chunk(chunk);
            prop_assert!((low..=high).contains(&number));
            prop_assert!(high <= numbers.last && high - low < PER_CHUNK);
            if chunk > 0 {
                prop_assert_eq!(numbers.within_chunk(chunk - 1).1 + 1, low);
            }
        }
    }
}
