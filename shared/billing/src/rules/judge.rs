//! Why a pending is not invoiced.

use std::fmt;

use cierre_kernel::codes::{self, Code};
use cierre_kernel::cuit::Cuit;
use cierre_kernel::id::{BatchId, PendingId};
use cierre_kernel::money::Money;

use super::{IvaCondition, Letter};
use crate::entity::{Pending, PendingStatus, Service};

/// The failure of one pending in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemFailure {
    /// There is no such pending in the company.
    NotFound,
    /// It is invoiced or cancelled.
    NotPending(PendingStatus),
    /// Another batch holds it.
    Claimed(BatchId),
    /// The customer's condition does not go with the invoice type.
    WrongInvoiceType {
        /// The customer.
        customer_id: u32,
        /// Its condition.
        condition: IvaCondition,
        /// The book's invoice type.
        letter: Letter,
    },
    /// The amount needs a customer with CUIT.
    ConsumerNotIdentified {
        /// The customer.
        customer_id: u32,
        /// From which amount on.
        threshold: Money,
    },
}

impl ItemFailure {
    /// The code.
    pub const fn code(self) -> Code {
        match self {
            Self::NotFound => codes::PENDING_NOT_FOUND,
            Self::NotPending(_) => codes::PENDING_NOT_PENDING,
            Self::Claimed(_) => codes::PENDING_CLAIMED,
            Self::WrongInvoiceType { .. } => codes::WRONG_INVOICE_TYPE,
            Self::ConsumerNotIdentified { .. } => codes::CONSUMER_NOT_IDENTIFIED,
        }
    }

    /// The sentence.
    pub fn reason(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for ItemFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("Pending not found"),
            Self::NotPending(status) => {
                write!(f, "Pending is not in PENDING status (current: {status})")
            }
            Self::Claimed(batch) => write!(f, "Pending is claimed by batch {batch}"),
            Self::WrongInvoiceType {
                customer_id,
                condition,
                letter,
            } => {
                write!(
                    f,
                    "Customer {customer_id} ({condition}) cannot receive invoice type {letter}"
                )
            }
            Self::ConsumerNotIdentified {
                customer_id,
                threshold,
            } => {
                write!(
                    f,
                    "Customer {customer_id} has no tax id, which is required from an amount of {threshold}"
                )
            }
        }
    }
}

impl std::error::Error for ItemFailure {}

/// What the judgement of a pending needs to know of its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buyer {
    /// The customer.
    pub customer_id: u32,
    /// Its condition.
    pub condition: IvaCondition,
    /// Its CUIT, if it has one.
    pub tax_id: Option<Cuit>,
}

/// Whether a batch may hold a pending: it is free, or the batch's already. `found` is the service's item, where there is one; a pending that
/// is no longer the service's current one was cancelled.
///
/// # Errors
/// The reason why not.
pub fn judge_claim(
    id: PendingId,
    found: Option<&Service>,
    batch: BatchId,
) -> Result<&Pending, ItemFailure> {
    let service = found.ok_or(ItemFailure::NotFound)?;
    match service.pending() {
        Some(pending) if pending.id == id => pending.check_claim(batch).map(|()| pending),
        Some(_) | None if service.had_pending(id) => {
            Err(ItemFailure::NotPending(PendingStatus::Cancelled))
        }
        Some(_) | None => Err(ItemFailure::NotFound),
    }
}

/// Whether a customer may receive an invoice of this type and amount. An inactive customer may.
///
/// # Errors
/// The reason why not.
pub fn judge(
    buyer: Buyer,
    letter: Letter,
    amount: Money,
    threshold: Money,
) -> Result<(), ItemFailure> {
    let Buyer {
        customer_id,
        condition,
        tax_id,
    } = buyer;
    if !condition.may_receive(letter) {
        return Err(ItemFailure::WrongInvoiceType {
            customer_id,
            condition,
            letter,
        });
    }
    if tax_id.is_none() && amount.minor() >= threshold.minor() {
        return Err(ItemFailure::ConsumerNotIdentified {
            customer_id,
            threshold,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pesos;
    use rstest::rstest;

    fn buyer(condition: IvaCondition, tax_id: Option<&str>) -> Buyer {
        Buyer {
            customer_id: 5,
            condition,
            tax_id: tax_id.map(|text| Cuit::parse(text).unwrap()),
        }
    }

    #[rstest]
    #[case(ItemFailure::NotFound, "pending_not_found", "Pending not found")]
    #[case(
        ItemFailure::NotPending(PendingStatus::Invoiced),
        "pending_not_pending",
        "Pending is not in PENDING status (current: INVOICED)"
    )]
    #[case(
        ItemFailure::Claimed("bat_01JD0000000000000000000001".parse().unwrap()),
        "pending_claimed",
        "Pending is claimed by batch bat_01JD0000000000000000000001"
    )]
    #[case(
        ItemFailure::WrongInvoiceType { customer_id: 5, condition: IvaCondition::Exento, letter: Letter::A },
        "wrong_invoice_type",
        "Customer 5 (EXENTO) cannot receive invoice type A"
    )]
    #[case(
        ItemFailure::ConsumerNotIdentified { customer_id: 5, threshold: pesos(1_000_000_000) },
        "consumer_not_identified",
        "Customer 5 has no tax id, which is required from an amount of 10000000.00"
    )]
    fn each_failure_has_its_code_and_sentence(
        #[case] failure: ItemFailure,
        #[case] code: &str,
        #[case] reason: &str,
    ) {
        assert_eq!(
            (failure.code().as_str(), failure.reason().as_str()),
            (code, reason)
        );
    }

    #[rstest]
    #[case::below(999_999_999, true)]
    #[case::reached(1_000_000_000, false)]
    fn a_consumer_must_be_identified_from_the_threshold_on(
        #[case] amount: i64,
        #[case] allowed: bool,
    ) {
        let threshold = pesos(1_000_000_000);
        let anonymous = buyer(IvaCondition::ConsumidorFinal, None);
        assert_eq!(
            judge(anonymous, Letter::B, pesos(amount), threshold).is_ok(),
            allowed
        );
        let known = buyer(IvaCondition::ConsumidorFinal, Some("20-11111111-2"));
        assert_eq!(judge(known, Letter::B, pesos(amount), threshold), Ok(()));
    }

    #[test]
    fn the_invoice_type_is_judged_first() {
        let exempt = buyer(IvaCondition::Exento, None);
        let failure = judge(exempt, Letter::A, pesos(1_000), pesos(0)).unwrap_err();
        assert_eq!(failure.code(), codes::WRONG_INVOICE_TYPE);
    }
}
