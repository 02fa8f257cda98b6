//! Services to invoice.

use serde_json::{Value, json};

/// A service to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewService {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// The customer.
    pub customer: u32,
    /// In cents.
    pub cents: i64,
}

impl NewService {
    /// The body of the request.
    pub fn body(&self) -> Value {
        json!({ "serviceDate": self.date, "customerId": self.customer, "amount": amount(self.cents) })
    }
}

/// A service of a customer on a day of January 2024.
pub fn service(day: u32, customer: u32, cents: i64) -> NewService {
    NewService {
        date: format!("2024-01-{day:02}"),
        customer,
        cents,
    }
}

/// Cents as the API writes amounts.
pub fn amount(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
