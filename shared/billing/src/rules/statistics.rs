//! Rows of the invoice statistics.

use cierre_kernel::money::{Money, MoneyError};
use serde::{Deserialize, Serialize};

use super::{Split, pesos};

/// Sums over documents. Counts and minor units may be negative in a row that is a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StatisticsRow {
    /// Invoices.
    pub invoices: i64,
    /// Their total in minor units.
    pub amount: i64,
    /// Their net in minor units.
    pub net: i64,
    /// Their tax in minor units.
    pub iva: i64,
    /// Credit notes.
    pub credit_notes: i64,
    /// Their total in minor units.
    pub credited_amount: i64,
}

impl StatisticsRow {
    /// The row of one invoice.
    pub fn of_invoice(amount: Money, split: Split) -> Self {
        Self {
            invoices: 1,
            amount: amount.minor(),
            net: split.net.minor(),
            iva: split.iva.minor(),
            ..Self::default()
        }
    }

    /// The row of one credit note.
    pub fn of_credit_note(amount: Money) -> Self {
        Self {
            credit_notes: 1,
            credited_amount: amount.minor(),
            ..Self::default()
        }
    }

    /// The row of both.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] when a sum no longer fits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        let add = |a: i64, b: i64| a.checked_add(b).ok_or(MoneyError::OutOfRange);
        Ok(Self {
            invoices: add(self.invoices, other.invoices)?,
            amount: add(self.amount, other.amount)?,
            net: add(self.net, other.net)?,
            iva: add(self.iva, other.iva)?,
            credit_notes: add(self.credit_notes, other.credit_notes)?,
            credited_amount: add(self.credited_amount, other.credited_amount)?,
        })
    }

    /// The average amount of an invoice, half up to the cent; none without invoices.
    pub fn average(self) -> Option<Money> {
        average(self.amount, self.invoices)
    }
}

/// `amount / count`, half up to the minor unit; none when there is nothing to divide by.
pub fn average(amount: i64, count: i64) -> Option<Money> {
    if count <= 0 {
        return None;
    }
    let (amount, count) = (i128::from(amount), i128::from(count));
    let half_up = (2 * amount + count).div_euclid(2 * count);
    i64::try_from(half_up).ok().map(pesos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Letter, MAX_AMOUNT, split};
    use proptest::prelude::*;
    use rstest::rstest;

    fn invoice(amount: i64) -> StatisticsRow {
        StatisticsRow::of_invoice(pesos(amount), split(Letter::A, pesos(amount)))
    }

    fn sum(rows: impl IntoIterator<Item = StatisticsRow>) -> StatisticsRow {
        rows.into_iter()
            .try_fold(StatisticsRow::default(), StatisticsRow::plus)
            .unwrap()
    }

    #[test]
    fn the_demonstration_adds_up() {
        let total = sum([150_000, 230_050, 85_000].map(invoice));
        assert_eq!(
            (total.invoices, total.amount, total.net, total.iva),
            (3, 465_050, 384_339, 80_711)
        );
        assert_eq!(total.average().unwrap().to_string(), "1550.17");
    }

    #[test]
    fn credit_notes_are_counted_apart() {
        let row = sum([invoice(10_000), StatisticsRow::of_credit_note(pesos(2_500))]);
        assert_eq!(
            (
                row.invoices,
                row.amount,
                row.credit_notes,
                row.credited_amount
            ),
            (1, 10_000, 1, 2_500)
        );
    }

    #[rstest]
    #[case(0, 0, None)]
    #[case(1, 2, Some(1))]
    #[case(1, 3, Some(0))]
    #[case(5, 2, Some(3))]
    #[case(10, 4, Some(3))]
    fn an_average_is_rounded_half_up(
        #[case] amount: i64,
        #[case] count: i64,
        #[case] expected: Option<i64>,
    ) {
        assert_eq!(average(amount, count), expected.map(pesos));
    }

    #[test]
    fn a_sum_that_does_not_fit_is_an_error() {
        let most = StatisticsRow {
            amount: i64::MAX,
            ..StatisticsRow::default()
        };
        assert_eq!(most.plus(invoice(1)), Err(MoneyError::OutOfRange));
    }

    proptest! {
        #[test]
        fn any_grouping_gives_the_same_sums(amounts in prop::collection::vec(1..=MAX_AMOUNT, 0..20), cut: prop::sample::Index) {
            let rows: Vec<_> = amounts.iter().copied().map(invoice).collect();
            let (left, right) = rows.split_at(cut.index(rows.len() + 1));
            prop_assert_eq!(
                sum(rows.iter().copied()),
                sum(left.iter().copied()).plus(sum(right.iter().copied())).unwrap()
            );
        }

        #[test]
        fn net_and_tax_of_a_row_add_up(amounts in prop::collection::vec(1..=MAX_AMOUNT, 0..20)) {
            let row = sum(amounts.into_iter().map(invoice));
            prop_assert_eq!(row.net + row.iva, row.amount);
        }
    }
}
