//! Customers: who receives invoices. They are deactivated, never removed, because documents name them for ever.

mod fields;
pub mod http;
mod repo;
mod service;
pub mod views;

pub(crate) use fields::customer_id;
pub use repo::list;
pub use service::{create, deactivate, find, update};
pub use views::{CustomerView, view};

use std::str::FromStr;

/// The largest customer id.
pub const MAX_CUSTOMER_ID: u32 = i32::MAX.unsigned_abs();

/// A customer's id as it stands in a path: plain digits, spelt in the one way in which answers spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustomerNumber(pub u32);

/// A text that is no customer's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a customer id")]
pub struct InvalidCustomerNumber;

impl FromStr for CustomerNumber {
    type Err = InvalidCustomerNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: u32 = text.parse().map_err(|_| InvalidCustomerNumber)?;
        let plain = number.to_string() == text;
        match number {
            1..=MAX_CUSTOMER_ID if plain => Ok(Self(number)),
            _ => Err(InvalidCustomerNumber),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_number_has_one_spelling() {
        assert_eq!("1".parse(), Ok(CustomerNumber(1)));
        assert_eq!("2147483647".parse(), Ok(CustomerNumber(MAX_CUSTOMER_ID)));
        for wrong in ["0", "01", "+1", "-1", "1.0", "2147483648", "", "one"] {
            assert_eq!(
                wrong.parse::<CustomerNumber>(),
                Err(InvalidCustomerNumber),
                "{wrong}"
            );
        }
    }
}
