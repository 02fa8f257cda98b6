//! Candidates among credit notes: the company's, or one customer's, newest date and number first.

use cierre_kernel::company::CompanyId;
use cierre_kernel::time::parse_date;
use cierre_platform::Failure;
use cierre_platform::db::{Db, Key, Query, text};

use super::filter::{Filter, Position};
use super::sources::{Candidate, ENTRIES, Step, What};
use crate::rules::Sequence;
use crate::table;

/// Credit notes in an index that shows each once it is authorised.
#[derive(Debug)]
pub(super) struct Notes<'a> {
    db: &'a Db,
    company: &'a CompanyId,
    filter: &'a Filter,
    /// What is examined already.
    from: Option<Position>,
}

impl<'a> Notes<'a> {
    pub(super) const fn of(
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
        }
    }

    pub(super) async fn step(&mut self) -> Result<Step, Failure> {
        let highest = self
            .from
            .as_ref()
            .map_or_else(|| self.filter.highest_place(), |from| from.place.clone());
        let (index, attribute, partition) = match self.filter.customer_id {
            Some(customer) => (
                table::CUSTOMER_INDEX,
                table::CUSTOMER_PK,
                table::customer_credit_notes(self.company, customer),
            ),
            None => (
                table::LIST_INDEX,
                table::LIST_PK,
                table::credit_notes_list(self.company),
            ),
        };
        let query = Query::index(
            table::BILLING,
            index,
            attribute,
            partition,
            table::LIST_SORT,
        )
        .between(self.filter.lowest_place(), highest)
        .descending()
        .limit(ENTRIES);
        let page = self.db.query(&query).await?;
        let mut step = Step::default();
        for item in &page.items {
            let (Some(key), Some(place)) = (
                Key::of(table::BILLING, item),
                text(item, table::LIST_SORT).map(str::to_owned),
            ) else {
                continue;
            };
            let Some((position, admitted)) = read_place(self.filter, place) else {
                continue;
            };
            let examined = self.from.as_ref().is_some_and(|from| position >= *from);
            if admitted && !examined {
                step.candidates.push(Candidate {
                    what: What::CreditNote(key),
                    position: position.clone(),
                });
            }
            step.after = Some(position);
        }
        if page.last.is_none() {
            step.after = None;
        } else {
            self.from.clone_from(&step.after);
        }
        Ok(step)
    }
}

/// A note's position, and whether its date and book can be in the list.
fn read_place(filter: &Filter, place: String) -> Option<(Position, bool)> {
    let mut parts = place.split('#');
    let date = parse_date(parts.next()?).ok()?;
    let sequence = Sequence::parse(parts.next()?).ok()?;
    let number = parts.next()?.parse().ok()?;
    let admitted = filter.admits_place(date, sequence.book);
    let position = Position {
        below: number,
        place,
    };
    Some((position, admitted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_kernel::time::parse_date;

    #[test]
    fn a_place_says_number_date_and_book() {
        let place = table::document_sort(parse_date("2024-02-01").unwrap(), "A-0001-NC", 7);
        let filter = Filter {
            receipt_book: crate::rules::ReceiptBook::parse("A-00001").ok(),
            ..Filter::default()
        };
        let (position, admitted) = read_place(&filter, place.clone()).unwrap();
        assert_eq!((position.below, position.place), (7, place.clone()));
        assert!(admitted);
        let other = Filter {
            issue_date_from: parse_date("2024-02-02").ok(),
            ..Filter::default()
        };
        assert!(!read_place(&other, place).unwrap().1);
    }
}
