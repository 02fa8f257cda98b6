//! Which service, pending and invoice belong together, read off their ids.
//!
//! A service, its current pending and its invoice are stored as one item. Their ids share a ULID, so that any of them leads to the item
//! without an index. A service can be sent again after its pending was cancelled; the count of earlier pendings (the *attempt*) then stands
//! in characters 11 and 12 of the pending's ULID, the first two of its random part. Services are made with `00` there.

use std::fmt;
use std::str::FromStr;

use cierre_kernel::id::{CreditNoteId, InvalidId, InvoiceId, PendingId, ServiceId};
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::rules::{InvoiceNumber, Letter, ReceiptBook};

/// The highest attempt that two Crockford characters hold.
pub const MAX_ATTEMPT: u16 = 1023;

/// Bits right of the two characters: fourteen characters of five bits.
const SHIFT: u32 = 70;
const MASK: u128 = (MAX_ATTEMPT as u128) << SHIFT;

/// The id of a service made of a fresh ULID, whose two attempt characters are cleared.
pub const fn service_id(fresh: Ulid) -> ServiceId {
    ServiceId::new(Ulid(fresh.0 & !MASK))
}

/// Whether a service's id can carry pendings: its attempt characters are `00`.
pub const fn is_service_id(service: ServiceId) -> bool {
    service.ulid().0 & MASK == 0
}

/// The id of a service's pending; `attempt` counts the pendings that the service had before.
///
/// # Errors
/// [`InvalidId`] when the service's id has something else than `00` in the attempt characters, or the attempt does not fit into them.
pub const fn pending_id(service: ServiceId, attempt: u16) -> Result<PendingId, InvalidId> {
    if is_service_id(service) && attempt <= MAX_ATTEMPT {
        Ok(PendingId::new(Ulid(
            service.ulid().0 | (attempt as u128) << SHIFT,
        )))
    } else {
        Err(InvalidId)
    }
}

/// The service of a pending, and which of its pendings it is.
pub const fn service_of(pending: PendingId) -> (ServiceId, u16) {
    let bits = pending.ulid().0;
    // The mask leaves ten bits, so nothing is cut off.
    (
        ServiceId::new(Ulid(bits & !MASK)),
        ((bits & MASK) >> SHIFT) as u16,
    )
}

/// The invoice that a pending becomes.
pub const fn invoice_of(pending: PendingId) -> InvoiceId {
    InvoiceId::new(pending.ulid())
}

/// The pending that became an invoice.
pub const fn pending_of(invoice: InvoiceId) -> PendingId {
    PendingId::new(invoice.ulid())
}

/// The id of a document, as paths and bodies name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DocumentId {
    /// An invoice.
    Invoice(InvoiceId),
    /// A credit note.
    CreditNote(CreditNoteId),
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invoice(id) => id.fmt(f),
            Self::CreditNote(id) => id.fmt(f),
        }
    }
}

impl FromStr for DocumentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invoice = text.parse().map(Self::Invoice);
        invoice.or_else(|_| text.parse().map(Self::CreditNote))
    }
}

impl TryFrom<String> for DocumentId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<DocumentId> for String {
    fn from(id: DocumentId) -> Self {
        id.to_string()
    }
}

/// Bits of a number, of a point of sale, and of a letter in a credit note's id; what is left of a ULID's 80 random bits is random.
const NUMBER_BITS: u32 = 27;
const POINT_OF_SALE_BITS: u32 = 17;
const LETTER_BITS: u32 = 2;
const PLACE_BITS: u32 = NUMBER_BITS + POINT_OF_SALE_BITS + LETTER_BITS;
const RANDOM_BITS: u32 = 80;

/// The id of a credit note: a fresh ULID whose random part begins with the note's letter, point of sale and number, so that the id leads to
/// the item without an index.
pub fn credit_note_id(fresh: Ulid, number: InvoiceNumber) -> CreditNoteId {
    let letter = match number.book().letter() {
        Letter::A => 1,
        Letter::B => 2,
        Letter::C => 3,
    };
    let place = (letter << POINT_OF_SALE_BITS | u128::from(number.book().point_of_sale()))
        << NUMBER_BITS
        | u128::from(number.number());
    let free = RANDOM_BITS - PLACE_BITS;
    let time = fresh.0 >> RANDOM_BITS << RANDOM_BITS;
    CreditNoteId::new(Ulid(time | place << free | fresh.0 & ((1 << free) - 1)))
}

/// The key of the book and the number that a credit note's id names; none for an id that was not made by [`credit_note_id`].
pub fn credit_note_place(id: CreditNoteId) -> Option<(String, u32)> {
    let place = id.ulid().0 >> (RANDOM_BITS - PLACE_BITS);
    let part = |shift: u32, bits: u32| u32::try_from(place >> shift & ((1 << bits) - 1)).ok();
    let letter = match part(NUMBER_BITS + POINT_OF_SALE_BITS, LETTER_BITS)? {
        1 => Letter::A,
        2 => Letter::B,
        3 => Letter::C,
        _ => return None,
    };
    let point_of_sale = part(NUMBER_BITS, POINT_OF_SALE_BITS)?;
    let book = ReceiptBook::parse(&format!("{letter}-{point_of_sale:05}")).ok()?;
    Some((book.key(), part(0, NUMBER_BITS)?))
}

/// A ULID that every run of one command finds again: of the first run's time and a hash of the command's seed and the item's position.
pub fn derived(at: Instant, seed: &str, position: u32) -> Ulid {
    let hash = Sha256::digest(format!("{seed}#{position}").as_bytes());
    let random = hash
        .iter()
        .take(10)
        .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    Ulid::from_parts(u64::try_from(at.as_millis()).unwrap_or_default(), random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn service_first_pending_and_invoice_share_the_ulid() {
        let service: ServiceId = "svc_01JD0000000000000000000001".parse().unwrap();
        let pending = pending_id(service, 0).unwrap();
        assert_eq!(pending.to_string(), "pen_01JD0000000000000000000001");
        assert_eq!(
            invoice_of(pending).to_string(),
            "inv_01JD0000000000000000000001"
        );
    }

    #[test]
    fn a_later_pending_shows_its_attempt_in_characters_eleven_and_twelve() {
        let service: ServiceId = "svc_01JD4444440055555555555555".parse().unwrap();
        assert_eq!(
            pending_id(service, 33).unwrap().to_string(),
            "pen_01JD4444441155555555555555"
        );
        assert_eq!(
            pending_id(service, MAX_ATTEMPT).unwrap().to_string(),
            "pen_01JD444444ZZ55555555555555"
        );
        assert_eq!(pending_id(service, MAX_ATTEMPT + 1), Err(InvalidId));
    }

    #[test]
    fn a_service_whose_id_has_other_attempt_characters_is_refused() {
        let service: ServiceId = "svc_01JD4444440100000000000000".parse().unwrap();
        assert!(!is_service_id(service));
        assert_eq!(pending_id(service, 0), Err(InvalidId));
    }

    #[test]
    fn a_derived_id_depends_on_time_seed_and_position_only() {
        let at = |ms| Instant::from_millis(ms);
        assert_eq!(derived(at(7), "k", 1), derived(at(7), "k", 1));
        let others = [
            derived(at(8), "k", 1),
            derived(at(7), "l", 1),
            derived(at(7), "k", 2),
        ];
        assert!(others.iter().all(|other| *other != derived(at(7), "k", 1)));
        assert_eq!(derived(at(7), "k", 1).timestamp_ms(), 7);
    }

    #[test]
    fn a_repeat_of_a_command_finds_the_ids_of_its_first_run() {
        let at = Instant::from_millis(1_706_702_400_000);
        assert_eq!(derived(at, "seed", 3), derived(at, "seed", 3));
        assert_ne!(derived(at, "seed", 3), derived(at, "seed", 4));
        assert_ne!(derived(at, "seed", 3), derived(at, "other", 3));
        assert_eq!(derived(at, "seed", 3).timestamp_ms(), 1_706_702_400_000);
    }

    proptest! {
        #[test]
        fn a_pending_leads_back_to_its_service(bits: u128, attempt in 0..=MAX_ATTEMPT) {
            let service = service_id(Ulid(bits));
            let pending = pending_id(service, attempt).unwrap();
            prop_assert_eq!(service_of(pending), (service, attempt));
            prop_assert_eq!(pending_of(invoice_of(pending)), pending);
        }

        #[test]
        fn every_pending_id_belongs_to_exactly_one_service_and_attempt(bits: u128) {
            let pending = PendingId::new(Ulid(bits));
            let (service, attempt) = service_of(pending);
            prop_assert_eq!(pending_id(service, attempt), Ok(pending));
        }

        #[test]
        fn a_credit_notes_id_leads_to_its_number(bits: u128, letter in "[ABC]", point_of_sale in 1_u32..=99_999, number in 1_u32..=99_999_999) {
            let book = ReceiptBook::parse(&format!("{letter}-{point_of_sale:05}")).unwrap();
            let number = InvoiceNumber::new(crate::rules::Sequence::credit_notes(book), number).unwrap();
            let id = credit_note_id(Ulid(bits), number);
            prop_assert_eq!(credit_note_place(id), Some((book.key(), number.number())));
            prop_assert_eq!(id.ulid().timestamp_ms(), Ulid(bits).timestamp_ms());
            prop_assert_eq!(id.to_string().parse(), Ok(DocumentId::CreditNote(id)));
        }

        #[test]
        fn no_id_makes_the_reader_fall_over(bits: u128) {
            let _ = credit_note_place(CreditNoteId::new(Ulid(bits)));
        }

        #[test]
        fn clearing_the_attempt_keeps_the_time(bits: u128) {
            prop_assert_eq!(service_id(Ulid(bits)).ulid().timestamp_ms(), Ulid(bits).timestamp_ms());
        }
    }
}
