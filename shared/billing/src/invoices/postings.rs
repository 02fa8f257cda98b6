//! Candidates of one customer: its postings, backwards.

use cierre_kernel::company::CompanyId;
use cierre_kernel::time::{Date, parse_date};
use cierre_platform::Failure;
use cierre_platform::db::{Db, Query, read_item, text};

use super::filter::{Filter, Position};
use super::sources::{Candidate, ENTRIES, Step, What};
use crate::engine::Posting;
use crate::rules::ReceiptBook;
use crate::table;

/// One customer's numbers, posting by posting, backwards.
#[derive(Debug)]
pub(super) struct Postings<'a> {
    db: &'a Db,
    company: &'a CompanyId,
    filter: &'a Filter,
    customer_id: u32,
    /// What is examined already.
    from: Option<Position>,
}

impl<'a> Postings<'a> {
    pub(super) fn of_customer(
        db: &'a Db,
        company: &'a CompanyId,
        filter: &'a Filter,
        from: Option<Position>,
        customer_id: u32,
    ) -> Self {
        Self {
            db,
            company,
            filter,
            customer_id,
            from,
        }
    }

    pub(super) async fn step(&mut self) -> Result<Step, Failure> {
        let highest = self
            .from
            .as_ref()
            .map_or_else(|| self.filter.highest_place(), |from| from.place.clone());
        let query = Query::partition(
            table::BILLING,
            table::customer_documents(self.company, self.customer_id),
        )
        .between(self.filter.lowest_place(), highest)
        .descending()
        .limit(ENTRIES);
        let page = self.db.query(&query).await?;
        let mut step = Step::default();
        for item in page.items {
            let place = text(&item, "sk").unwrap_or_default().to_owned();
            let posting: Posting = read_item(item)?;
            let end = Position {
                place,
                below: posting.numbers.first().copied().unwrap_or_default(),
            };
            step.candidates
                .extend(pick(self.filter, self.from.as_ref(), &end.place, &posting));
            step.after = Some(end);
        }
        if page.last.is_none() {
            step.after = None;
        } else {
            self.from.clone_from(&step.after);
        }
        Ok(step)
    }
}

/// The candidates of a posting, as far as the posting itself can tell.
fn pick(
    filter: &Filter,
    from: Option<&Position>,
    place: &str,
    posting: &Posting,
) -> Vec<Candidate> {
    if !read_place(place).is_some_and(|(date, book)| filter.admits_place(date, book)) {
        return Vec::new();
    }
    let bound = Position::bound(from, place).unwrap_or(u32::MAX);
    let entries = posting
        .numbers
        .iter()
        .zip(&posting.pendings)
        .rev()
        .filter(|(number, _)| **number <= bound);
    entries
        .map(|(number, pending)| Candidate {
            what: What::Invoice {
                pending: *pending,
                batch_id: posting.batch_id,
            },
            position: Position {
                place: place.to_owned(),
                below: *number,
            },
        })
        .collect()
}

/// Date and book of a place.
fn read_place(place: &str) -> Option<(Date, ReceiptBook)> {
    let mut parts = place.split('#');
    Some((
        parse_date(parts.next()?).ok()?,
        ReceiptBook::parse(parts.next()?).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending_of(what: &What) -> u128 {
        match what {
            What::Invoice { pending, .. } => pending.ulid().0,
            What::CreditNote(key) => panic!("a posting holds no credit notes: {key:?}"),
        }
    }
    use cierre_kernel::id::{BatchId, PendingId};
    use ulid::Ulid;

    const PLACE: &str = "2024-01-31#A-0001#00000009";

    fn posting() -> Posting {
        let numbers = vec![2, 5, 9];
        let pendings = numbers
            .iter()
            .map(|number| PendingId::new(Ulid(u128::from(*number))))
            .collect();
        Posting {
            batch_id: BatchId::new(Ulid(1)),
            numbers,
            pendings,
        }
    }

    fn picked(filter: &Filter, from: Option<&Position>) -> Vec<(u32, u128)> {
        pick(filter, from, PLACE, &posting())
            .iter()
            .map(|candidate| (candidate.position.below, pending_of(&candidate.what)))
            .collect()
    }

    #[test]
    fn a_posting_gives_its_numbers_backwards_each_with_its_pending() {
        assert_eq!(picked(&Filter::default(), None), [(9, 9), (5, 5), (2, 2)]);
    }

    #[test]
    fn a_posting_goes_on_below_the_number_that_was_examined_last() {
        let from = |place: &str, below| Position {
            place: place.to_owned(),
            below,
        };
        assert_eq!(picked(&Filter::default(), Some(&from(PLACE, 5))), [(2, 2)]);
        assert_eq!(picked(&Filter::default(), Some(&from(PLACE, 2))), []);
        assert_eq!(
            picked(
                &Filter::default(),
                Some(&from("2024-02-01#A-0001#00000012", 5))
            )
            .len(),
            3
        );
    }

    #[test]
    fn a_posting_of_another_book_or_day_gives_nothing() {
        let other_book = Filter {
            receipt_book: ReceiptBook::parse("B-0001").ok(),
            ..Filter::default()
        };
        let later = Filter {
            issue_date_from: parse_date("2024-02-01").ok(),
            ..Filter::default()
        };
        assert_eq!(picked(&other_book, None), []);
        assert_eq!(picked(&later, None), []);
    }
}
