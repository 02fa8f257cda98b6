//! Where a list takes its candidates from: number ranges, one batch, one customer's postings, credit notes; newest date and number first.
//!
//! A candidate is a number with the pending behind it. What it became is read from its item afterwards, so a source may name documents that
//! are not materialised yet.

use std::collections::VecDeque;

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{BatchId, PendingId};
use cierre_platform::Failure;
use cierre_platform::db::{Db, Key};

use super::filter::{Filter, Position};
use super::notes::Notes;
use super::numbers::Numbers;
use super::postings::Postings;
use super::ranges::Ranges;
use crate::entity::{Batch, DocumentType};
use crate::table;

/// Ranges or postings of one query.
pub(super) const ENTRIES: u32 = 40;

/// A number, and what is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) what: What,
    /// Its number, as the position from where the list goes on after it.
    pub(super) position: Position,
}

/// What is behind a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The pending that became or becomes an invoice of this batch.
    Invoice {
        pending: PendingId,
        batch_id: BatchId,
    },
    /// The item of a credit note.
    CreditNote(Key),
}

/// What one step gave.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// In the order of the list.
    pub(super) candidates: Vec<Candidate>,
    /// From where the list goes on once all candidates are examined; none at its end.
    pub(super) after: Option<Position>,
}

/// One source, each the cheapest one for some filters.
#[derive(Debug)]
enum Single<'a> {
    Ranges(Ranges<'a>),
    Postings(Postings<'a>),
    Notes(Notes<'a>),
    Nothing,
}

impl<'a> Single<'a> {
    /// The invoices that the filter admits.
    async fn invoices(
        db: &'a Db,
        company: &'a CompanyId,
        filter: &'a Filter,
        from: Option<Position>,
    ) -> Result<Self, Failure> {
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

    async fn step(&mut self) -> Result<Step, Failure> {
        match self {
            Self::Ranges(ranges) => ranges.step().await,
            Self::Postings(postings) => postings.step().await,
            Self::Notes(notes) => notes.step().await,
            Self::Nothing => Ok(Step::default()),
        }
    }
}

/// Where a list takes its candidates from.
#[derive(Debug)]
pub(super) struct Source<'a>(Vec<Read<'a>>);

/// A source, with what was read of it and not yet given out.
#[derive(Debug)]
struct Read<'a> {
    source: Single<'a>,
    waiting: VecDeque<Candidate>,
    /// How far it was read; none before the first step.
    reached: Option<Position>,
    over: bool,
}

impl<'a> Source<'a> {
    /// The sources that read least for this filter.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub(super) async fn of(
        db: &'a Db,
        company: &'a CompanyId,
        filter: &'a Filter,
        from: Option<Position>,
    ) -> Result<Self, Failure> {
        let mut sources = Vec::new();
        if filter.documents.include(DocumentType::Invoice) {
            sources.push(Single::invoices(db, company, filter, from.clone()).await?);
        }
        if filter.documents.include(DocumentType::CreditNote) {
            sources.push(Single::Notes(Notes::of(db, company, filter, from)));
        }
        let read = |source| Read {
            source,
            waiting: VecDeque::new(),
            reached: None,
            over: false,
        };
        Ok(Self(sources.into_iter().map(read).collect()))
    }

    /// The next candidates. Of several sources, those that no source can still have something before.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub(super) async fn step(&mut self) -> Result<Step, Failure> {
        for read in &mut self.0 {
            if !read.over && read.waiting.is_empty() {
                let step = read.source.step().await?;
                read.over = step.after.is_none();
                read.reached = step.after;
                read.waiting = step.candidates.into();
            }
        }
        Ok(merged(&mut self.0))
    }
}

/// Takes out of every source what comes before everything that is not read yet, in the order of the list.
fn merged(reads: &mut [Read<'_>]) -> Step {
    // The source that was read least far says how far the list is known.
    let known = reads
        .iter()
        .filter(|read| !read.over)
        .filter_map(|read| read.reached.clone())
        .max();
    let mut candidates: Vec<Candidate> = Vec::new();
    for read in reads {
        let ready = read.waiting.iter().take_while(|candidate| {
            known
                .as_ref()
                .is_none_or(|known| candidate.position >= *known)
        });
        let count = ready.count();
        candidates.extend(read.waiting.drain(..count));
    }
    candidates.sort_by(|one, other| other.position.cmp(&one.position));
    Step {
        candidates,
        after: known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ulid::Ulid;

    fn position(n: u32) -> Position {
        Position {
            place: format!("{n:04}"),
            below: n,
        }
    }

    fn candidate(n: u32) -> Candidate {
        Candidate {
            what: What::Invoice {
                pending: PendingId::new(Ulid(0)),
                batch_id: BatchId::new(Ulid(0)),
            },
            position: position(n),
        }
    }

    /// A source of these numbers, read page by page.
    fn refill(read: &mut Read<'_>, left: &mut Vec<u32>, page: usize) {
        if read.over || !read.waiting.is_empty() {
            return;
        }
        let taken: Vec<u32> = left.drain(..page.min(left.len())).collect();
        read.waiting = taken.iter().map(|n| candidate(*n)).collect();
        read.over = left.is_empty();
        read.reached = taken.last().filter(|_| !read.over).map(|n| position(*n));
    }

    proptest! {
        #[test]
        fn two_sources_give_one_list_in_order_and_nothing_is_lost(
            numbers in prop::collection::btree_map(1_u32..500, any::<bool>(), 0..40),
            pages in (1_usize..5, 1_usize..5),
        ) {
            let of = |which: bool| -> Vec<u32> {
                numbers.iter().rev().filter(|(_, in_first)| **in_first == which).map(|(n, _)| *n).collect()
            };
            let mut left = [of(true), of(false)];
            let empty = || Read { source: Single::Nothing, waiting: VecDeque::new(), reached: None, over: false };
            let mut reads = [empty(), empty()];
            let mut seen = Vec::new();
            for _ in 0..200 {
                refill(&mut reads[0], &mut left[0], pages.0);
                refill(&mut reads[1], &mut left[1], pages.1);
                let step = merged(&mut reads);
                seen.extend(step.candidates.iter().map(|candidate| candidate.position.below));
                if step.after.is_none() {
                    break;
                }
            }
            let wanted: Vec<u32> = numbers.keys().rev().copied().collect();
            prop_assert_eq!(seen, wanted);
        }
    }
}
