//! What a list of documents is narrowed to, and where it goes on.

use cierre_kernel::id::BatchId;
use cierre_kernel::time::Date;
use serde::{Deserialize, Serialize};

use super::numbers::Numbers;
use crate::entity::{CreditNote, Invoice, InvoiceStatus};
use crate::rules::{DocumentType, ReceiptBook};
use crate::table;

/// Which documents a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Documents {
    /// Invoices: what a list shows unless asked otherwise.
    #[default]
    Invoices,
    /// Credit notes.
    CreditNotes,
    /// Both.
    All,
}

impl Documents {
    /// Whether documents of this type are shown.
    pub(crate) const fn include(self, document_type: DocumentType) -> bool {
        match (self, document_type) {
            (Self::Invoices | Self::All, DocumentType::Invoice)
            | (Self::CreditNotes | Self::All, DocumentType::CreditNote) => true,
            (Self::Invoices, DocumentType::CreditNote)
            | (Self::CreditNotes, DocumentType::Invoice) => false,
        }
    }
}

/// What a list is narrowed to; nothing means everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Customer.
    pub(crate) customer_id: Option<u32>,
    /// First issue date.
    pub(crate) issue_date_from: Option<Date>,
    /// Last issue date.
    pub(crate) issue_date_to: Option<Date>,
    /// Smallest amount in minor units.
    pub(crate) amount_min: Option<i64>,
    /// Largest amount in minor units.
    pub(crate) amount_max: Option<i64>,
    /// Batch.
    pub(crate) batch_id: Option<BatchId>,
    /// Book, in any spelling.
    pub(crate) receipt_book: Option<ReceiptBook>,
    /// State.
    pub(crate) status: Option<InvoiceStatus>,
    /// Type.
    pub(crate) documents: Documents,
}

impl Filter {
    /// Whether any of these numbers can be in the list.
    pub(crate) fn admits_numbers(&self, numbers: &Numbers) -> bool {
        self.admits_place(numbers.issue_date, numbers.book)
            && self.batch_id.is_none_or(|id| id == numbers.batch_id)
    }

    /// Whether a document of this date and book can be in the list.
    pub(crate) fn admits_place(&self, issue_date: Date, book: ReceiptBook) -> bool {
        self.issue_date_from.is_none_or(|from| issue_date >= from)
            && self.issue_date_to.is_none_or(|to| issue_date <= to)
            && self
                .receipt_book
                .is_none_or(|wanted| wanted.is_same_point_of_sale(book))
    }

    /// Whether a document of this customer and amount can be in the list.
    pub(crate) fn admits_content(&self, customer_id: u32, amount: i64) -> bool {
        self.customer_id.is_none_or(|wanted| wanted == customer_id)
            && self.amount_min.is_none_or(|least| amount >= least)
            && self.amount_max.is_none_or(|most| amount <= most)
    }

    /// Whether the credit note is in the list.
    pub(crate) fn admits_note(&self, note: &CreditNote) -> bool {
        self.admits_place(note.issue_date, note.number.book())
            && self.admits_content(note.customer_id, note.amount.minor())
            && self.batch_id.is_none_or(|id| id == note.batch_id)
            && self.status.is_none_or(|status| status == note.status())
            && note.grant.is_some()
            && self.documents.include(note.number.document_type())
    }

    /// Whether the invoice is in the list.
    pub(crate) fn admits(&self, invoice: &Invoice) -> bool {
        self.admits_place(invoice.issue_date, invoice.number.book())
            && self.admits_content(invoice.customer_id, invoice.amount.minor())
            && self.batch_id.is_none_or(|id| id == invoice.batch_id)
            && self.status.is_none_or(|status| status == invoice.status())
            && self.documents.include(invoice.number.document_type())
    }

    /// The first place, in the order of all documents, that the dates admit.
    pub(crate) fn lowest_place(&self) -> String {
        // Every date begins with a digit.
        self.issue_date_from
            .map_or_else(|| "0".to_owned(), |date| date.to_string())
    }

    /// The last place that the dates admit.
    pub(crate) fn highest_place(&self) -> String {
        self.issue_date_to.map_or_else(
            || table::AFTER_ALL.to_owned(),
            |date| format!("{date}{}", table::AFTER_ALL),
        )
    }
}

/// Where a list goes on: the entry that the last examined document belongs to, and its number. Numbers below it come next, then the entries
/// before.
///
/// Positions compare as the list is sorted the other way round: what comes earlier in the list is greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The entry's place in the order of all documents.
    pub(crate) place: String,
    /// The number.
    pub(crate) below: u32,
}

impl Position {
    /// The highest number that comes next out of the entry at `place`; none when the whole entry comes next.
    pub(crate) fn bound(position: Option<&Self>, place: &str) -> Option<u32> {
        position
            .filter(|position| position.place == place)
            .map(|position| position.below.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_kernel::time::parse_date;
    use rstest::rstest;

    fn filter(from: Option<&str>, to: Option<&str>) -> Filter {
        Filter {
            issue_date_from: from.map(|date| parse_date(date).unwrap()),
            issue_date_to: to.map(|date| parse_date(date).unwrap()),
            ..Filter::default()
        }
    }

    #[rstest]
    #[case(None, None, true)]
    #[case(Some("2024-01-31"), Some("2024-01-31"), true)]
    #[case(Some("2024-02-01"), None, false)]
    #[case(None, Some("2024-01-30"), false)]
    fn the_places_of_a_range_of_dates_are_those_that_the_filter_admits(
        #[case] from: Option<&str>,
        #[case] to: Option<&str>,
        #[case] inside: bool,
    ) {
        let filter = filter(from, to);
        let (date, book) = (
            parse_date("2024-01-31").unwrap(),
            ReceiptBook::parse("C-99999").unwrap(),
        );
        let place = table::document_sort(date, &book.to_string(), 99_999_999);
        assert_eq!(
            filter.lowest_place() <= place && place <= filter.highest_place(),
            inside
        );
        assert_eq!(filter.admits_place(date, book), inside);
    }

    #[test]
    fn a_book_is_found_under_both_of_its_spellings() {
        let date = parse_date("2024-01-31").unwrap();
        let filter = Filter {
            receipt_book: ReceiptBook::parse("A-00001").ok(),
            ..Filter::default()
        };
        assert!(filter.admits_place(date, ReceiptBook::parse("A-0001").unwrap()));
        assert!(!filter.admits_place(date, ReceiptBook::parse("B-0001").unwrap()));
    }

    #[test]
    fn a_list_goes_on_below_the_last_number_of_the_same_entry_only() {
        let position = Position {
            place: "x".into(),
            below: 7,
        };
        assert_eq!(Position::bound(Some(&position), "x"), Some(6));
        assert_eq!(Position::bound(Some(&position), "w"), None);
        assert_eq!(Position::bound(None, "x"), None);
    }

    #[rstest]
    #[case(Documents::Invoices, true, false)]
    #[case(Documents::CreditNotes, false, true)]
    #[case(Documents::All, true, true)]
    fn a_list_shows_the_types_it_is_asked_for(
        #[case] documents: Documents,
        #[case] invoices: bool,
        #[case] notes: bool,
    ) {
        assert_eq!(documents.include(DocumentType::Invoice), invoices);
        assert_eq!(documents.include(DocumentType::CreditNote), notes);
    }
}
