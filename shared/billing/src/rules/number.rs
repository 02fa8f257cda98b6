//! Printed document numbers: `A-0001-00000001`, credit notes `A-0001-NC-00000001`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{DocumentType, ReceiptBook, Sequence};

/// The last number of a sequence.
pub const LAST_NUMBER: u32 = 99_999_999;
const DIGITS: usize = 8;

/// A text that is no document number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a document number")]
pub struct InvalidNumber;

/// A number within a sequence of a receipt book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InvoiceNumber {
    sequence: Sequence,
    number: u32,
}

impl InvoiceNumber {
    /// A number of a sequence.
    ///
    /// # Errors
    /// [`InvalidNumber`] outside 1 to 99999999.
    pub const fn new(sequence: Sequence, number: u32) -> Result<Self, InvalidNumber> {
        match number {
            1..=LAST_NUMBER => Ok(Self { sequence, number }),
            0 | 100_000_000.. => Err(InvalidNumber),
        }
    }

    /// An invoice's number.
    ///
    /// # Errors
    /// [`InvalidNumber`] outside 1 to 99999999.
    pub const fn invoice(book: ReceiptBook, number: u32) -> Result<Self, InvalidNumber> {
        Self::new(Sequence::invoices(book), number)
    }

    /// Reads a printed number.
    ///
    /// # Errors
    /// [`InvalidNumber`] when it has another form.
    pub fn parse(text: &str) -> Result<Self, InvalidNumber> {
        let (sequence, digits) = text.rsplit_once('-').ok_or(InvalidNumber)?;
        if digits.len() != DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidNumber);
        }
        let sequence = Sequence::parse(sequence).map_err(|_| InvalidNumber)?;
        Self::new(sequence, digits.parse().map_err(|_| InvalidNumber)?)
    }

    /// The sequence.
    pub const fn sequence(self) -> Sequence {
        self.sequence
    }

    /// The receipt book.
    pub const fn book(self) -> ReceiptBook {
        self.sequence.book
    }

    /// What is numbered.
    pub const fn document_type(self) -> DocumentType {
        self.sequence.document_type
    }

    /// The number alone.
    pub const fn number(self) -> u32 {
        self.number
    }
}

impl fmt::Display for InvoiceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:08}", self.sequence, self.number)
    }
}

impl FromStr for InvoiceNumber {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for InvoiceNumber {
    type Error = InvalidNumber;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<InvoiceNumber> for String {
    fn from(number: InvoiceNumber) -> Self {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::zero("A-0001-00000000")]
    #[case::seven_digits("A-0001-0000001")]
    #[case::nine_digits("A-0001-000000001")]
    #[case::no_book("00000001")]
    #[case::bad_book("A-001-00000001")]
    #[case::book_only("A-0001")]
    #[case::sign("A-0001-+0000001")]
    #[case::lower_case("A-0001-nc-00000001")]
    #[case::empty("")]
    fn is_no_number(#[case] text: &str) {
        assert_eq!(InvoiceNumber::parse(text), Err(InvalidNumber));
    }

    #[test]
    fn a_sequence_ends_at_99999999() {
        let book = ReceiptBook::parse("A-0001").unwrap();
        assert_eq!(
            InvoiceNumber::invoice(book, LAST_NUMBER)
                .unwrap()
                .to_string(),
            "A-0001-99999999"
        );
        assert_eq!(
            InvoiceNumber::invoice(book, LAST_NUMBER + 1),
            Err(InvalidNumber)
        );
        assert_eq!(InvoiceNumber::invoice(book, 0), Err(InvalidNumber));
    }

    #[test]
    fn a_credit_note_is_read_with_its_parts() {
        let number = InvoiceNumber::parse("B-00012-NC-00000345").unwrap();
        assert_eq!(number.document_type(), DocumentType::CreditNote);
        assert_eq!(
            (number.book().to_string(), number.number()),
            ("B-00012".into(), 345)
        );
        assert_eq!(number.to_string(), "B-00012-NC-00000345");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(book in "[ABC]-[1-9][0-9]{3,4}", credit_note: bool, number in 1..=LAST_NUMBER) {
            let book = ReceiptBook::parse(&book).unwrap();
            let sequence = if credit_note { Sequence::credit_notes(book) } else { Sequence::invoices(book) };
            let number = InvoiceNumber::new(sequence, number).unwrap();
            prop_assert_eq!(InvoiceNumber::parse(&number.to_string()), Ok(number));
        }

        #[test]
        fn printed_numbers_of_a_book_sort_as_numbers_do(a in 1..=LAST_NUMBER, b in 1..=LAST_NUMBER) {
            let book = ReceiptBook::parse("A-0001").unwrap();
            let text = |n| InvoiceNumber::invoice(book, n).unwrap().to_string();
            prop_assert_eq!(a.cmp(&b), text(a).cmp(&text(b)));
        }

        #[test]
        fn no_text_makes_the_reader_fall_over(text in "\\PC{0,24}") {
            let _ = InvoiceNumber::parse(&text);
        }
    }
}
