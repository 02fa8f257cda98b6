//! IVA of 21 %, included in every amount.

use cierre_kernel::money::Money;

use super::{Letter, pesos};

/// How an amount divides into net and tax. The two always add up to the amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Without tax.
    pub net: Money,
    /// The tax.
    pub iva: Money,
}

/// N(x) = x / 1.21, half up to the cent.
fn net_minor(amount: i64) -> i64 {
    // x / 1.21 = 100 x / 121; half up is ⌊(200 x + 121) / 242⌋.
    let net = (200 * i128::from(amount) + 121).div_euclid(242);
    // |net| ≤ |amount|, so the way back always fits.
    i64::try_from(net).unwrap_or(amount)
}

/// Divides an invoice's amount. Type C carries no tax.
pub fn split(letter: Letter, amount: Money) -> Split {
    let net = match letter {
        Letter::A | Letter::B => net_minor(amount.minor()),
        Letter::C => amount.minor(),
    };
    of_parts(amount.minor(), net)
}

/// Divides a credit of `credit` after `credited` was already credited: N(c+a) − N(c). So the nets of all credits of an invoice that is
/// credited in full add up to the invoice's net, to the cent, in whatever portions it was credited.
pub fn split_credit(letter: Letter, credited: Money, credit: Money) -> Split {
    let net = match letter {
        Letter::A | Letter::B => {
            let after = credited.minor().saturating_add(credit.minor());
            net_minor(after) - net_minor(credited.minor())
        }
        Letter::C => credit.minor(),
    };
    of_parts(credit.minor(), net)
}

fn of_parts(amount: i64, net: i64) -> Split {
    Split {
        net: pesos(net),
        iva: pesos(amount - net),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{CURRENCY, MAX_AMOUNT};
    use proptest::prelude::*;
    use rstest::rstest;

    fn money(text: &str) -> Money {
        Money::parse(text, CURRENCY).unwrap()
    }

    #[rstest]
    #[case("1500.00", "1239.67", "260.33")]
    #[case("2300.50", "1901.24", "399.26")]
    #[case("850.00", "702.48", "147.52")]
    #[case("0.01", "0.01", "0.00")]
    #[case("0.03", "0.02", "0.01")]
    #[case("99999999.99", "82644628.09", "17355371.90")]
    #[case("100.00", "82.64", "17.36")]
    #[case("3200.75", "2645.25", "555.50")]
    #[case("4500.00", "3719.01", "780.99")]
    #[case("1200.00", "991.74", "208.26")]
    #[case("2800.25", "2314.26", "485.99")]
    #[case("950.00", "785.12", "164.88")]
    #[case("1750.50", "1446.69", "303.81")]
    #[case("5000.00", "4132.23", "867.77")]
    #[case("600.00", "495.87", "104.13")]
    #[case("1100.00", "909.09", "190.91")]
    #[case("2200.00", "1818.18", "381.82")]
    fn an_amount_divides_into_net_and_tax(
        #[case] amount: &str,
        #[case] net: &str,
        #[case] iva: &str,
    ) {
        for letter in [Letter::A, Letter::B] {
            assert_eq!(
                split(letter, money(amount)),
                Split {
                    net: money(net),
                    iva: money(iva)
                }
            );
        }
    }

    #[test]
    fn type_c_carries_no_tax() {
        assert_eq!(
            split(Letter::C, money("1500.00")),
            Split {
                net: money("1500.00"),
                iva: money("0.00")
            }
        );
        assert_eq!(
            split_credit(Letter::C, money("10.00"), money("5.00")).iva,
            money("0.00")
        );
    }

    #[rstest]
    #[case("0.00", "33.33", "27.55", "5.78")]
    #[case("33.33", "33.33", "27.54", "5.79")]
    #[case("66.66", "33.34", "27.55", "5.79")]
    fn credits_of_one_hundred_in_three_portions(
        #[case] credited: &str,
        #[case] credit: &str,
        #[case] net: &str,
        #[case] iva: &str,
    ) {
        assert_eq!(
            split_credit(Letter::A, money(credited), money(credit)),
            Split {
                net: money(net),
                iva: money(iva)
            }
        );
    }

    #[test]
    fn the_demonstration_adds_up() {
        let amounts = ["1500.00", "2300.50", "850.00"].map(money);
        let net: i64 = amounts
            .iter()
            .map(|a| split(Letter::A, *a).net.minor())
            .sum();
        let iva: i64 = amounts
            .iter()
            .map(|a| split(Letter::A, *a).iva.minor())
            .sum();
        assert_eq!(
            (pesos(net).to_string(), pesos(iva).to_string()),
            ("3843.39".into(), "807.11".into())
        );
    }

    fn letter() -> impl Strategy<Value = Letter> {
        prop::sample::select(&Letter::ALL)
    }

    proptest! {
        #[test]
        fn net_and_tax_add_up_and_neither_is_negative(amount in 0..=MAX_AMOUNT, letter in letter()) {
            let Split { net, iva } = split(letter, pesos(amount));
            prop_assert_eq!(net.checked_add(iva), Ok(pesos(amount)));
            prop_assert!(!net.is_negative() && !iva.is_negative());
        }

        #[test]
        fn the_net_is_the_nearest_cent(amount in 0..=MAX_AMOUNT) {
            let net = i128::from(split(Letter::A, pesos(amount)).net.minor());
            // |net − amount / 1.21| ≤ ½ cent, a tie going up
            let twice_error = 2 * (121 * net - 100 * i128::from(amount));
            prop_assert!(-121 < twice_error && twice_error <= 121);
        }

        #[test]
        fn credits_in_any_portions_reverse_the_invoice_to_the_cent(
            portions in prop::collection::vec(1_i64..1_000_000_000, 1..9), letter in letter(),
        ) {
            let amount: i64 = portions.iter().sum();
            let (mut credited, mut net, mut iva) = (0, 0, 0);
            for portion in portions {
                let part = split_credit(letter, pesos(credited), pesos(portion));
                prop_assert_eq!(part.net.minor() + part.iva.minor(), portion);
                prop_assert!(!part.net.is_negative() && !part.iva.is_negative());
                credited += portion;
                net += part.net.minor();
                iva += part.iva.minor();
            }
            prop_assert_eq!(split(letter, pesos(amount)), Split { net: pesos(net), iva: pesos(iva) });
        }
    }
}
