//! Simulated authorisation codes.

use cierre_kernel::time::Date;
use jiff::Span;
use sha2::{Digest, Sha256};

use super::{DocumentType, InvoiceNumber, Letter, ReceiptBook, Sequence};

/// Days for which an authorisation code may be used.
const VALID_DAYS: i64 = 10;
const NUMBERS: u64 = 100_000_000;
const POINTS_OF_SALE: u64 = 100_000;

/// The simulated code of a document: a digit for its type, five for the point of sale, eight for the number. Built from the number, it is
/// distinct for every document of a company.
pub fn simulated_cae(number: &InvoiceNumber) -> u64 {
    let kind = match (number.document_type(), number.book().letter()) {
        (DocumentType::Invoice, Letter::A) => 1,
        (DocumentType::Invoice, Letter::B) => 2,
        (DocumentType::Invoice, Letter::C) => 3,
        (DocumentType::CreditNote, Letter::A) => 4,
        (DocumentType::CreditNote, Letter::B) => 5,
        (DocumentType::CreditNote, Letter::C) => 6,
    };
    (kind * POINTS_OF_SALE + u64::from(number.book().point_of_sale())) * NUMBERS
        + u64::from(number.number())
}

/// A code as printed: fourteen digits.
pub fn cae_text(cae: u64) -> String {
    format!("{cae:014}")
}

/// The document that a simulated code stands for; the spelling of the book is the shorter one.
pub fn decode_simulated_cae(cae: u64) -> Option<InvoiceNumber> {
    let (document_type, letter) = match cae / NUMBERS / POINTS_OF_SALE {
        1 => (DocumentType::Invoice, Letter::A),
        2 => (DocumentType::Invoice, Letter::B),
        3 => (DocumentType::Invoice, Letter::C),
        4 => (DocumentType::CreditNote, Letter::A),
        5 => (DocumentType::CreditNote, Letter::B),
        6 => (DocumentType::CreditNote, Letter::C),
        _ => return None,
    };
    let point_of_sale = cae / NUMBERS % POINTS_OF_SALE;
    let book = ReceiptBook::parse(&format!("{letter}-{point_of_sale:04}")).ok()?;
    let number = u32::try_from(cae % NUMBERS).ok()?;
    InvoiceNumber::new(
        Sequence {
            book,
            document_type,
        },
        number,
    )
    .ok()
}

/// The last day on which the code may be used.
///
/// # Errors
/// When the calendar ends before.
pub fn cae_due_date(issue_date: Date) -> Result<Date, jiff::Error> {
    issue_date.checked_add(Span::new().days(VALID_DAYS))
}

/// h(s): the first eight bytes of SHA-256(s), read big-endian, mod 100. The same text always falls into the same percentile, so a simulated
/// failure can be repeated.
pub fn percentile(text: &str) -> u8 {
    // Horner's rule keeps every step below 100 · 256.
    let mixed = Sha256::digest(text.as_bytes())
        .iter()
        .take(8)
        .fold(0_u32, |rest, byte| (rest * 256 + u32::from(*byte)) % 100);
    // Below 100 by construction.
    u8::try_from(mixed).unwrap_or(0)
}

/// Whether the simulated authority's first answer for this number is lost, at a loss rate in percent.
pub fn answer_is_lost(number: &InvoiceNumber, rate: u8) -> bool {
    percentile(&format!("cae:{number}")) < rate
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::LAST_NUMBER;
    use cierre_kernel::time::parse_date;
    use proptest::prelude::*;
    use rstest::rstest;

    fn number(text: &str) -> InvoiceNumber {
        InvoiceNumber::parse(text).unwrap()
    }

    #[rstest]
    #[case("A-0001-00000001", "10000100000001")]
    #[case("B-00012-NC-00000345", "50001200000345")]
    #[case("C-99999-99999999", "39999999999999")]
    fn the_code_spells_type_point_of_sale_and_number(#[case] text: &str, #[case] cae: &str) {
        assert_eq!(cae_text(simulated_cae(&number(text))), cae);
    }

    #[rstest]
    #[case("2024-01-31", "2024-02-10")]
    #[case("2023-12-25", "2024-01-04")]
    fn the_code_is_good_for_ten_days(#[case] issued: &str, #[case] due: &str) {
        assert_eq!(
            cae_due_date(parse_date(issued).unwrap())
                .unwrap()
                .to_string(),
            due
        );
    }

    #[test]
    fn a_due_date_beyond_the_calendar_is_an_error() {
        assert!(cae_due_date(parse_date("9999-12-31").unwrap()).is_err());
    }

    #[rstest]
    #[case("cae:A-0001-00000001", 92)]
    #[case("cae:A-0001-00000002", 8)]
    #[case("cae:A-0001-00000003", 40)]
    #[case("syn_00000000000000000000000005:0:1", 99)]
    #[case("syn_00000000000000000000000005:0:2", 66)]
    #[case("syn_00000000000000000000000005:0:3", 41)]
    fn percentile_of_a_text(#[case] text: &str, #[case] expected: u8) {
        assert_eq!(percentile(text), expected);
    }

    #[test]
    fn an_answer_is_lost_when_its_percentile_lies_below_the_rate() {
        let first = number("A-0001-00000001");
        assert!(!answer_is_lost(&first, 92));
        assert!(answer_is_lost(&first, 93));
        assert!(answer_is_lost(&first, 100));
        assert!(!answer_is_lost(&number("A-0001-00000002"), 0));
    }

    fn any_number() -> impl Strategy<Value = InvoiceNumber> {
        ("[ABC]-[1-9][0-9]{3}", any::<bool>(), 1..=LAST_NUMBER).prop_map(
            |(book, credit_note, n)| {
                let book = ReceiptBook::parse(&book).unwrap();
                let sequence = if credit_note {
                    Sequence::credit_notes(book)
                } else {
                    Sequence::invoices(book)
                };
                InvoiceNumber::new(sequence, n).unwrap()
            },
        )
    }

    proptest! {
        #[test]
        fn a_code_has_fourteen_digits_and_decodes_to_its_document(number in any_number()) {
            let cae = simulated_cae(&number);
            prop_assert_eq!(cae_text(cae).len(), 14);
            prop_assert_eq!(decode_simulated_cae(cae), Some(number));
        }

        #[test]
        fn different_documents_have_different_codes(a in any_number(), b in any_number()) {
            prop_assert_eq!(a == b, simulated_cae(&a) == simulated_cae(&b));
        }

        #[test]
        fn a_percentile_is_below_a_hundred_and_agrees_with_the_definition(text in ".{0,40}") {
            let digest = Sha256::digest(text.as_bytes());
            let first: [u8; 8] = digest[..8].try_into().unwrap();
            prop_assert_eq!(u64::from(percentile(&text)), u64::from_be_bytes(first) % 100);
        }

        #[test]
        fn no_number_makes_the_decoder_fall_over(cae: u64) {
            let _ = decode_simulated_cae(cae);
        }
    }
}
