//! Candidates by number range, each range chunk by chunk, backwards.

use std::collections::VecDeque;

use cierre_kernel::company::CompanyId;
use cierre_platform::Failure;
use cierre_platform::db::{Db, Key, Query, read_item};

use super::filter::{Filter, Position};
use super::numbers::Numbers;
use super::sources::{Candidate, ENTRIES, Step, What};
use crate::engine::{DocumentChunk, Range};
use crate::rules::ReceiptBook;
use crate::table;

/// Chunks that one step reads at most.
const CHUNKS: usize = 10;
/// Numbers after which a step reads no further chunk.
const ENOUGH: u32 = 200;

/// Numbers by range, each range chunk by chunk, backwards.
#[derive(Debug)]
pub(super) struct Ranges<'a> {
    db: &'a Db,
    company: &'a CompanyId,
    filter: &'a Filter,
    /// What is examined already when the list goes on.
    from: Option<Position>,
    /// Ranges that were read and not yet used up.
    backlog: Backlog,
    /// The last range that was read, wanted or not.
    reached: Option<Numbers>,
    /// Whether there may be ranges beyond.
    more: bool,
}

impl<'a> Ranges<'a> {
    pub(super) fn of_company(
        db: &'a Db,
        company: &'a CompanyId,
        filter: &'a Filter,
        from: Option<Position>,
    ) -> Self {
        Self {
            db,
            company,
            filter,
            from,
            backlog: Backlog::default(),
            reached: None,
            more: true,
        }
    }

    pub(super) fn of_batch(
        db: &'a Db,
        company: &'a CompanyId,
        filter: &'a Filter,
        from: Option<Position>,
        numbers: Numbers,
    ) -> Self {
        let mut ranges = Self {
            more: false,
            ..Self::of_company(db, company, filter, from)
        };
        ranges.backlog.add(numbers, ranges.from.as_ref());
        ranges
    }

    pub(super) async fn step(&mut self) -> Result<Step, Failure> {
        if self.backlog.is_empty() && self.more {
            let ranges = match self.filter.receipt_book {
                Some(book) => self.ranges_of_book(book).await?,
                None => self.ranges_of_all().await?,
            };
            self.reached = ranges.last().cloned().or(self.reached.take());
            let before_all = |range: &Numbers| {
                self.filter
                    .issue_date_from
                    .is_some_and(|from| range.issue_date < from)
            };
            // Newest first: once one lies before the dates that are asked for, all that follow do.
            self.more = self.more && !ranges.iter().any(before_all);
            for range in ranges
                .into_iter()
                .filter(|range| self.filter.admits_numbers(range))
            {
                self.backlog.add(range, self.from.as_ref());
            }
        }
        let pieces = self.backlog.take();
        let loaded = self
            .db
            .load(
                pieces
                    .iter()
                    .map(|piece| piece.range.chunk_key(self.company, piece.chunk)),
            )
            .await?;
        let mut candidates = Vec::new();
        for piece in &pieces {
            let chunk = piece.range.chunk(self.company, piece.chunk, &loaded)?;
            candidates.extend(piece.pick(self.filter, &chunk)?);
        }
        let end_of_piece = pieces.last().map(|piece| Position {
            place: piece.range.place(),
            below: piece.low,
        });
        let end_of_ranges = || {
            self.reached.as_ref().map(|range| Position {
                place: range.place(),
                below: range.first,
            })
        };
        let after = if !self.backlog.is_empty() {
            end_of_piece
        } else if self.more {
            end_of_ranges()
        } else {
            None
        };
        Ok(Step { candidates, after })
    }

    /// The next ranges of all books.
    async fn ranges_of_all(&mut self) -> Result<Vec<Numbers>, Failure> {
        let list = table::documents_list(self.company);
        let query = Query::index(
            table::BILLING,
            table::LIST_INDEX,
            table::LIST_PK,
            list,
            table::LIST_SORT,
        )
        .descending()
        .limit(ENTRIES);
        let query = match (&self.reached, &self.from) {
            (Some(reached), _) => query.before(reached.place()),
            (None, Some(from)) => query.up_to(&from.place),
            (None, None) => query.up_to(self.filter.highest_place()),
        };
        let page = self.db.query(&query).await?;
        self.more = page.last.is_some();
        let keys: Vec<Key> = page
            .items
            .iter()
            .filter_map(|item| Key::of(table::BILLING, item))
            .collect();
        let loaded = self.db.load(keys.iter().cloned()).await?;
        let ranges = keys.iter().map(|key| loaded.read::<Range>(key));
        ranges
            .filter_map(Result::transpose)
            .map(|range| Numbers::of_range(&range?))
            .collect()
    }

    /// The next ranges of one book; dates never fall as numbers rise, so the order by number is the order by date.
    async fn ranges_of_book(&mut self, book: ReceiptBook) -> Result<Vec<Numbers>, Failure> {
        let query = Query::partition(
            table::BILLING,
            table::book_ranges(self.company, &book.key()),
        )
        .descending()
        .limit(ENTRIES);
        let query = match (&self.reached, &self.from) {
            (Some(reached), _) => query.before(table::number_sort(reached.last)),
            (None, Some(from)) => query.up_to(last_number(&from.place)),
            (None, None) => query,
        };
        let page = self.db.query(&query).await?;
        self.more = page.last.is_some();
        page.items
            .into_iter()
            .map(|item| Numbers::of_range(&read_item(item)?))
            .collect()
    }
}

/// The last number of the entry at a place, as it is sorted.
fn last_number(place: &str) -> &str {
    place.rsplit_once('#').map_or(place, |(_, number)| number)
}

/// Ranges in the order of the list, each with the highest number that is left of it.
#[derive(Debug, Default)]
struct Backlog(VecDeque<(Numbers, u32)>);

/// One chunk that a step reads, and the numbers that it takes out of it.
#[derive(Debug)]
struct Piece {
    range: Numbers,
    chunk: u32,
    low: u32,
    high: u32,
}

impl Backlog {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what is left of a range when everything down to `from` is examined.
    fn add(&mut self, range: Numbers, from: Option<&Position>) {
        let high =
            Position::bound(from, &range.place()).map_or(range.last, |bound| bound.min(range.last));
        if high >= range.first {
            self.0.push_back((range, high));
        }
    }

    /// The chunks of the next step, in the order of the list.
    fn take(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut numbers = 0;
        while pieces.len() < CHUNKS && numbers < ENOUGH {
            let Some((range, high)) = self.0.pop_front() else {
                break;
            };
            let chunk = range.chunk_of(high);
            let (low, _) = range.within_chunk(chunk);
            numbers += high - low + 1;
            if low > range.first {
                self.0.push_front((range.clone(), low - 1));
            }
            pieces.push(Piece {
                range,
                chunk,
                low,
                high,
            });
        }
        pieces
    }
}

impl Piece {
    /// The candidates of the chunk, as far as the chunk itself can tell.
    fn pick(&self, filter: &Filter, chunk: &DocumentChunk) -> Result<Vec<Candidate>, Failure> {
        let (begin, place) = (self.range.within_chunk(self.chunk).0, self.range.place());
        let mut candidates = Vec::new();
        for number in (self.low..=self.high).rev() {
            let position = (number - begin) as usize;
            let (Some(pending), Some(amount), Some(customer)) = (
                chunk.pendings.get(position),
                chunk.amounts.get(position),
                chunk.customer(position),
            ) else {
                return Err(Failure::message(
                    "a document chunk is shorter than its numbers",
                ));
            };
            if filter.admits_content(customer.id, *amount) {
                let position = Position {
                    place: place.clone(),
                    below: number,
                };
                candidates.push(Candidate {
                    what: What::Invoice {
                        pending: *pending,
                        batch_id: self.range.batch_id,
                    },
                    position,
                });
            }
        }
        Ok(candidates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_kernel::id::BatchId;
    use cierre_kernel::time::parse_date;
    use proptest::prelude::*;
    use ulid::Ulid;

    /// Ranges of one book, newest first, of these sizes from the first number on.
    fn ranges(sizes: &[u32]) -> Vec<Numbers> {
        let mut next = 1;
        let mut ranges: Vec<Numbers> = Vec::new();
        for size in sizes {
            ranges.push(Numbers {
                batch_id: BatchId::new(Ulid(u128::from(next))),
                run: 0,
                first: next,
                last: next + size - 1,
                issue_date: parse_date("2024-01-31").unwrap(),
                book: ReceiptBook::parse("A-0001").unwrap(),
                total: 0,
            });
            next += size;
        }
        ranges.reverse();
        ranges
    }

    fn walk(sizes: &[u32], from: Option<&Position>) -> Vec<(Position, u32)> {
        let mut backlog = Backlog::default();
        ranges(sizes)
            .into_iter()
            .for_each(|range| backlog.add(range, from));
        let mut numbers = Vec::new();
        while !backlog.is_empty() {
            let pieces = backlog.take();
            assert!(
                !pieces.is_empty() && pieces.len() <= CHUNKS,
                "every step moves on, by a bounded amount"
            );
            for piece in pieces {
                let place = piece.range.place();
                numbers.extend((piece.low..=piece.high).rev().map(|number| {
                    (
                        Position {
                            place: place.clone(),
                            below: number,
                        },
                        number,
                    )
                }));
            }
        }
        numbers
    }

    #[test]
    fn the_last_place_sorts_the_way_the_book_partition_does() {
        assert_eq!(last_number(&ranges(&[7])[0].place()), "00000007");
    }

    proptest! {
        /// Every number once, from the highest down, whatever the sizes of the batches.
        #[test]
        fn a_walk_meets_every_number_once_and_backwards(sizes in prop::collection::vec(1_u32..350, 1..8)) {
            let met: Vec<u32> = walk(&sizes, None).into_iter().map(|(_, number)| number).collect();
            let all: Vec<u32> = (1..=sizes.iter().sum()).rev().collect();
            prop_assert_eq!(met, all);
        }

        /// Cut anywhere, the rest of a walk is what follows, when the list starts again with the range that the position names.
        #[test]
        fn a_walk_goes_on_exactly_where_it_was_cut(sizes in prop::collection::vec(1_u32..250, 1..5), cut in any::<prop::sample::Index>()) {
            let whole = walk(&sizes, None);
            let cut = cut.index(whole.len());
            let from = whole[cut].0.clone();
            // What the query leaves out: ranges before the position's own.
            let rest: Vec<u32> = walk(&sizes, Some(&from)).into_iter().filter(|(position, _)| position.place <= from.place).map(|(_, number)| number).collect();
            let expected: Vec<u32> = whole[cut + 1..].iter().map(|(_, number)| *number).collect();
            prop_assert_eq!(rest, expected);
        }
    }
}
