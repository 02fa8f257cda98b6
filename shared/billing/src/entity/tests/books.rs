use proptest::prelude::*;
use rstest::rstest;

use super::super::fixtures::*;
use super::super::*;
use crate::error::BatchRefusal;
use crate::rules::LAST_NUMBER;

fn book(last_number: u32) -> Book {
    Book {
        last_number,
        last_issue_date: Some(day("2024-01-31")),
        ..Book::unused(&ReceiptBook::parse("A-0001").unwrap())
    }
}

fn wanted(text: &str) -> ReceiptBook {
    ReceiptBook::parse(text).unwrap()
}

#[rstest]
#[case::same_day("A-0001", "2024-01-31", 5, None)]
#[case::later_day("A-0001", "2024-02-01", 5, None)]
#[case::earlier_day("A-0001", "2024-01-30", 5, Some("issue_date_before_last"))]
#[case::other_spelling("A-00001", "2024-01-31", 5, Some("receipt_book_alias"))]
#[case::all_numbers_left("A-0001", "2024-01-31", LAST_NUMBER - 7, None)]
#[case::one_too_many("A-0001", "2024-01-31", LAST_NUMBER - 6, Some("book_exhausted"))]
fn a_book_admits_what_keeps_its_order(
    #[case] name: &str,
    #[case] date: &str,
    #[case] count: u32,
    #[case] refused: Option<&str>,
) {
    let outcome = book(7).admits(&wanted(name), day(date), count);
    assert_eq!(outcome.err().map(|r| r.code().as_str()), refused);
}

#[test]
fn a_full_book_admits_not_even_a_selection_of_unknown_size() {
    let outcome = book(LAST_NUMBER).admits(&wanted("A-0001"), day("2024-01-31"), 0);
    assert_eq!(outcome, Err(BatchRefusal::BookExhausted));
    assert_eq!(book(LAST_NUMBER).next_number(), None);
}

#[test]
fn the_first_spelling_is_named_to_who_uses_another() {
    let refusal = book(7)
        .admits(&wanted("A-00001"), day("2024-01-31"), 1)
        .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "The point of sale is in use as A-0001. Issue a new batch with that receipt book."
    );
}

#[test]
fn an_unused_book_begins_at_1_with_any_date() {
    let unused = Book::unused(&wanted("B-00012"));
    assert!(unused.is_unused());
    assert_eq!(
        unused.next_number().unwrap().to_string(),
        "B-00012-00000001"
    );
    assert_eq!(unused.last_invoice_number(), None);
    assert_eq!(
        unused.admits(&wanted("B-00012"), day("2000-01-01"), 1),
        Ok(())
    );
}

proptest! {
    #[test]
    fn commits_give_contiguous_numbers_and_dates_never_fall(
        commits in prop::collection::vec((1_u32..1000, 0_i32..40), 1..20),
    ) {
        let name = wanted("A-0001");
        let mut book = Book::unused(&name);
        let mut given = Vec::new();
        for (count, days) in commits {
            let date = day("2024-01-01").checked_add(jiff::Span::new().days(days)).unwrap();
            match book.admits(&name, date, count) {
                Ok(()) => {
                    let first = book.last_number + 1;
                    book = book.advanced(date, count, i64::from(count) * 100);
                    given.push((first, book.last_number, date));
                }
                Err(BatchRefusal::IssueDateBeforeLast { last }) => prop_assert!(date < last),
                Err(other) => prop_assert!(false, "{}", other),
            }
        }
        let mut next = 1;
        for (first, last, _) in &given {
            prop_assert_eq!(*first, next);
            next = last + 1;
        }
        prop_assert!(given.windows(2).all(|pair| pair[0].2 <= pair[1].2));
        prop_assert_eq!(book.invoice_count, book.last_number);
        prop_assert_eq!(book.total_amount, i64::from(book.invoice_count) * 100);
        let stored = serde_json::to_string(&book).unwrap();
        prop_assert_eq!(serde_json::from_str::<Book>(&stored).unwrap(), book);
    }
}
