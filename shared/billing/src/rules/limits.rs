//! Bounds of the values that billing takes.

use cierre_kernel::money::{Currency, Money};
use cierre_kernel::time::Date;
use jiff::Span;
use jiff::civil::date;

/// The currency of everything in billing.
pub const CURRENCY: Currency = Currency::Ars;
/// The smallest amount of a service, in minor units.
pub const MIN_AMOUNT: i64 = 1;
/// The largest amount of a service, in minor units.
pub const MAX_AMOUNT: i64 = 9_999_999_999;
/// The first day of any date in billing.
pub const FIRST_DATE: Date = date(2000, 1, 1);
/// Pendings that a batch may name.
pub const MAX_BATCH_IDS: usize = 10_000;
/// Pendings that a selection may come to.
pub const MAX_SELECTED: u32 = 100_000;
/// Pendings of a batch that is processed while the caller waits.
pub const MAX_SYNC_IDS: usize = 100;
/// Failures that the batch itself lists.
pub const MAX_SHOWN_FAILURES: usize = 100;
/// Attempts of a job.
pub const MAX_ATTEMPTS: u32 = 3;

/// So many minor units of billing's currency.
pub fn pesos(minor: i64) -> Money {
    Money::from_minor(minor, CURRENCY)
}

/// The last day for which a service may be entered: a year and a day ahead.
pub fn last_service_date(today: Date) -> Date {
    today.saturating_add(Span::new().days(366))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_may_lie_366_days_ahead() {
        assert_eq!(last_service_date(date(2024, 1, 31)), date(2025, 1, 31));
        assert_eq!(last_service_date(date(2025, 1, 31)), date(2026, 2, 1));
    }

    #[test]
    fn the_largest_amount_is_just_below_a_hundred_million() {
        assert_eq!(pesos(MAX_AMOUNT).to_string(), "99999999.99");
        assert_eq!(pesos(MIN_AMOUNT).to_string(), "0.01");
    }
}
