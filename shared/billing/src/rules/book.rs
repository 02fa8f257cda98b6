//! Receipt books: an invoice type and a point of sale, numbered without gaps.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Letter;

/// What stands behind a book's name in the name of its credit notes' sequence.
const CREDIT_NOTES: &str = "-NC";

/// A text that names no receipt book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a receipt book of the form A-0001")]
pub struct InvalidBook;

/// A receipt book as it is spelt: `A-0001` and `A-00001` are the same point of sale, but one of the two spellings stays (the one committed
/// first). Equality compares the spelling; [`ReceiptBook::is_same_point_of_sale`] does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReceiptBook {
    letter: Letter,
    point_of_sale: u32,
    /// Spelt with five digits, though four would do or not.
    wide: bool,
}

impl ReceiptBook {
    /// Reads a letter and a point of sale of four or five digits, 1 to 99999.
    ///
    /// # Errors
    /// [`InvalidBook`] for everything else.
    pub fn parse(text: &str) -> Result<Self, InvalidBook> {
        let (letter, digits) = text.split_once('-').ok_or(InvalidBook)?;
        let letter = letter.parse().map_err(|_| InvalidBook)?;
        let wide = match digits.len() {
            4 => false,
            5 => true,
            _ => return Err(InvalidBook),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidBook);
        }
        match digits.parse() {
            Ok(point_of_sale @ 1..=99_999) => Ok(Self {
                letter,
                point_of_sale,
                wide,
            }),
            Ok(0 | 100_000..) | Err(_) => Err(InvalidBook),
        }
    }

    /// The invoice type.
    pub const fn letter(self) -> Letter {
        self.letter
    }

    /// The point of sale.
    pub const fn point_of_sale(self) -> u32 {
        self.point_of_sale
    }

    /// The one name of the point of sale, whatever the spelling: `A-00001`.
    pub fn key(self) -> String {
        format!("{}-{:05}", self.letter, self.point_of_sale)
    }

    /// Whether the other is this book in any spelling.
    pub fn is_same_point_of_sale(self, other: Self) -> bool {
        (self.letter, self.point_of_sale) == (other.letter, other.point_of_sale)
    }
}

impl fmt::Display for ReceiptBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.wide {
            write!(f, "{}-{:05}", self.letter, self.point_of_sale)
        } else {
            write!(f, "{}-{:04}", self.letter, self.point_of_sale)
        }
    }
}

impl FromStr for ReceiptBook {
    type Err = InvalidBook;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ReceiptBook {
    type Error = InvalidBook;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ReceiptBook> for String {
    fn from(book: ReceiptBook) -> Self {
        book.to_string()
    }
}

cierre_kernel::words! {
    /// What a number belongs to.
    pub enum DocumentType {
        /// An invoice.
        Invoice = "INVOICE",
        /// A credit note.
        CreditNote = "CREDIT_NOTE",
    }
}

/// One of the two sequences of numbers that a book has: `A-0001` for invoices, `A-0001-NC` for credit notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sequence {
    /// The book.
    pub book: ReceiptBook,
    /// What is numbered.
    pub document_type: DocumentType,
}

impl Sequence {
    /// The invoices of a book.
    pub const fn invoices(book: ReceiptBook) -> Self {
        Self {
            book,
            document_type: DocumentType::Invoice,
        }
    }

    /// The credit notes of a book.
    pub const fn credit_notes(book: ReceiptBook) -> Self {
        Self {
            book,
            document_type: DocumentType::CreditNote,
        }
    }

    /// Reads a book's name, with or without `-NC`.
    ///
    /// # Errors
    /// [`InvalidBook`] for everything else.
    pub fn parse(text: &str) -> Result<Self, InvalidBook> {
        match text.strip_suffix(CREDIT_NOTES) {
            Some(book) => ReceiptBook::parse(book).map(Self::credit_notes),
            None => ReceiptBook::parse(text).map(Self::invoices),
        }
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.document_type {
            DocumentType::Invoice => write!(f, "{}", self.book),
            DocumentType::CreditNote => write!(f, "{}{CREDIT_NOTES}", self.book),
        }
    }
}

impl FromStr for Sequence {
    type Err = InvalidBook;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Sequence {
    type Error = InvalidBook;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Sequence> for String {
    fn from(sequence: Sequence) -> Self {
        sequence.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::lower_case("a-0001")]
    #[case::unknown_letter("D-0001")]
    #[case::three_digits("A-001")]
    #[case::six_digits("A-000001")]
    #[case::zero("A-0000")]
    #[case::zero_with_five_digits("A-00000")]
    #[case::no_hyphen("A0001")]
    #[case::sign("A-+001")]
    #[case::other_digits("A-\u{661}\u{662}")]
    #[case::credit_notes("A-0001-NC")]
    #[case::blank(" A-0001")]
    #[case::two_letters("AB-0001")]
    #[case::empty("")]
    fn names_no_book(#[case] text: &str) {
        assert_eq!(ReceiptBook::parse(text), Err(InvalidBook));
    }

    #[test]
    fn the_spelling_stays_and_the_point_of_sale_is_the_same() {
        let (narrow, wide) = (
            ReceiptBook::parse("A-0001").unwrap(),
            ReceiptBook::parse("A-00001").unwrap(),
        );
        assert_ne!(narrow, wide);
        assert!(narrow.is_same_point_of_sale(wide));
        assert_eq!(
            (narrow.to_string(), wide.to_string()),
            ("A-0001".into(), "A-00001".into())
        );
        assert_eq!(
            (narrow.key(), wide.key()),
            ("A-00001".into(), "A-00001".into())
        );
        assert!(!narrow.is_same_point_of_sale(ReceiptBook::parse("B-0001").unwrap()));
    }

    #[test]
    fn a_sequence_of_credit_notes_ends_in_nc() {
        let sequence = Sequence::parse("A-0001-NC").unwrap();
        assert_eq!(
            sequence,
            Sequence::credit_notes(ReceiptBook::parse("A-0001").unwrap())
        );
        assert_eq!(sequence.to_string(), "A-0001-NC");
        assert_eq!(
            Sequence::parse("A-0001").unwrap().document_type,
            DocumentType::Invoice
        );
        for text in ["A-0001-nc", "A-0001-NC-NC", "-NC", "A-0001-"] {
            assert_eq!(Sequence::parse(text), Err(InvalidBook), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_name_of_the_right_form_is_read_and_written_back(text in "[ABC]-[0-9]{4,5}(-NC)?") {
            match Sequence::parse(&text) {
                Ok(sequence) => prop_assert_eq!(sequence.to_string(), text),
                Err(InvalidBook) => prop_assert!(text.contains("-0000")),
            }
        }

        #[test]
        fn two_books_share_a_key_exactly_when_they_are_one_point_of_sale(a in "[ABC]-[0-9]{4,5}", b in "[ABC]-[0-9]{4,5}") {
            let (Ok(a), Ok(b)) = (ReceiptBook::parse(&a), ReceiptBook::parse(&b)) else { return Ok(()) };
            prop_assert_eq!(a.key() == b.key(), a.is_same_point_of_sale(b));
        }

        #[test]
        fn no_text_makes_the_reader_fall_over(text in "\\PC{0,12}") {
            let _ = Sequence::parse(&text);
        }
    }
}
