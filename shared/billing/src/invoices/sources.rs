//! Where a list takes its candidates from: number ranges, one batch, or one customer's postings; newest date and number first.
//!
//! A candidate is a number with the pending behind it. What it became is read from its item afterwards, so a source may name documents that
//! are not materialised yet.

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{BatchId, PendingId};
use cierre_platform::Failure;
use cierre_platform::db::Db;

use super::filter::{Filter, Position};
use super::numbers::Numbers;
use super::postings::Postings;
use super::ranges::Ranges;
use crate::entity::{Batch, DocumentType};
use crate::table;

/// Ranges or postings of one query.
pub(super) const ENTRIES: u32 = 40;

/// A number, and the pending that became or becomes its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) pending: PendingId,
    pub(super) batch_id: BatchId,
    /// Its number, as the position from where the list goes on after it.
    pub(super) position: Position,
}

/// What one step gave.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// In the order of the list.
    pub(super) candidates: Vec<Candidate>,
    /// From where the list goes on once all candidates are examined; none at its end.
    pub(super) after: Option<Position>,
}

/// The sources, each the cheapest one for some filters.
#[derive(Debug)]
pub(super) enum Source<'a> {
    Ranges(Ranges<'a>),
    Postings(Postings<'a>),
    Nothing,
}

impl<'a> Source<'a> {
    /// The source that reads least for this filter.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub(super) async fn of(
        db: &'a Db,
        company: &'a CompanyId,
        filter: &'a Filter,
        from: Option<Position>,
    ) -> Result<Self, Failure> {
        if !filter.documents.include(DocumentType::Invoice) {
            return Ok(Self::Nothing);
        }
        if let Some(id) = filter.batch_id {
            let batch: Option<Batch> = db.get(&table::batch(company, id)).await?;
            let numbers = batch
                .as_ref()
                .and_then(Numbers::of_batch)
                .filter(|numbers| filter.admits_numbers(numbers));
            return Ok(numbers.map_or(Self::Nothing, |numbers| {
                Self::Ranges(Ranges::of_batch(db, company, filter, from, numbers))
            }));
        }
        Ok(match filter.customer_id {
            Some(customer_id) => Self::Postings(Postings::of_customer(
                db,
                company,
                filter,
                from,
                customer_id,
            )),
            None => Self::Ranges(Ranges::of_company(db, company, filter, from)),
        })
    }

    /// The next candidates.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub(super) async fn step(&mut self) -> Result<Step, Failure> {
        match self {
            Self::Ranges(ranges) => ranges.step().await,
            Self::Postings(postings) => postings.step().await,
            Self::Nothing => Ok(Step::default()),
        }
    }
}
