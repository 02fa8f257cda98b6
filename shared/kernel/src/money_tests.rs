use super::*;
use proptest::prelude::*;
use rstest::rstest;

#[rstest]
#[case("1500.00", 150_000)]
#[case("1500.5", 150_050)]
#[case("1500", 150_000)]
#[case("0.01", 1)]
#[case("-1", -100)]
#[case("-0.00", 0)]
#[case("999999999999.99", 99_999_999_999_999)]
fn reads_decimal_texts(#[case] text: &str, #[case] minor: i64) {
    assert_eq!(
        Money::parse(text, Currency::Ars).map(Money::minor),
        Ok(minor)
    );
}

#[rstest]
#[case::empty("", MoneyError::InvalidAmount)]
#[case::word("free", MoneyError::InvalidAmount)]
#[case::blank(" 1", MoneyError::InvalidAmount)]
#[case::plus("+1", MoneyError::InvalidAmount)]
#[case::comma("1,50", MoneyError::InvalidAmount)]
#[case::thousands("1.500.00", MoneyError::InvalidAmount)]
#[case::no_integer(".50", MoneyError::InvalidAmount)]
#[case::no_decimals("1.", MoneyError::InvalidAmount)]
#[case::leading_zero("01.00", MoneyError::InvalidAmount)]
#[case::exponent("1e2", MoneyError::InvalidAmount)]
#[case::other_digits("١.٠٠", MoneyError::InvalidAmount)]
#[case::three_decimals("1.005", MoneyError::TooPrecise)]
#[case::three_decimals_though_zero("1.000", MoneyError::TooPrecise)]
#[case::thirteen_digits("1000000000000.00", MoneyError::OutOfRange)]
fn refuses_other_texts(#[case] text: &str, #[case] error: MoneyError) {
    assert_eq!(Money::parse(text, Currency::Ars), Err(error));
}

#[rstest]
#[case("1500", Ok(150_000))]
#[case("1500.5", Ok(150_050))]
#[case("1500.500", Ok(150_050))]
#[case("1.5e3", Ok(150_000))]
#[case("15000E-1", Ok(150_000))]
#[case("-0", Ok(0))]
#[case("0e999999999999", Ok(0))]
#[case("1.005", Err(MoneyError::TooPrecise))]
#[case("1e-3", Err(MoneyError::TooPrecise))]
#[case("1e-99999999999", Err(MoneyError::TooPrecise))]
#[case("1e12", Err(MoneyError::OutOfRange))]
#[case("1e400", Err(MoneyError::OutOfRange))]
#[case("1e99999999999", Err(MoneyError::OutOfRange))]
#[case("0.1000000000000000055511151231257827", Err(MoneyError::TooPrecise))]
#[case("\"12.30\"", Ok(1_230))]
#[case("true", Err(MoneyError::InvalidAmount))]
#[case("null", Err(MoneyError::InvalidAmount))]
#[case("[]", Err(MoneyError::InvalidAmount))]
#[case("{}", Err(MoneyError::InvalidAmount))]
fn reads_a_json_number_by_its_own_digits(
    #[case] json: &str,
    #[case] expected: Result<i64, MoneyError>,
) {
    let value: Value = serde_json::from_str(json).unwrap();
    assert_eq!(
        Money::from_json(&value, Currency::Ars).map(Money::minor),
        expected
    );
}

#[test]
fn a_currency_without_cents_takes_none() {
    assert_eq!(
        Money::parse("1500", Currency::Clp).map(|m| m.to_string()),
        Ok("1500".into())
    );
    assert_eq!(
        Money::parse("1500.0", Currency::Clp),
        Err(MoneyError::TooPrecise)
    );
}

#[test]
fn amounts_of_two_currencies_are_never_added() {
    let pesos = Money::from_minor(1, Currency::Ars);
    let dollars = Money::from_minor(1, Currency::Usd);
    assert_eq!(
        pesos.checked_add(dollars),
        Err(MoneyError::CurrencyMismatch)
    );
}

#[test]
fn overflow_is_an_error() {
    let most = Money::from_minor(i64::MAX, Currency::Ars);
    let one = Money::from_minor(1, Currency::Ars);
    assert_eq!(most.checked_add(one), Err(MoneyError::OutOfRange));
    assert_eq!(
        Money::from_minor(i64::MIN, Currency::Ars).checked_sub(one),
        Err(MoneyError::OutOfRange)
    );
}

#[test]
fn currencies_are_read_by_their_exact_code() {
    for currency in Currency::ALL {
        assert_eq!(currency.code().parse(), Ok(currency));
        assert_eq!(
            serde_json::to_string(&currency).unwrap(),
            format!("\"{currency}\"")
        );
    }
    assert_eq!("ars".parse::<Currency>(), Err(UnknownCurrency));
}

fn currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(&Currency::ALL)
}

proptest! {
    #[test]
    fn minor_units_survive(minor: i64, currency in currency()) {
        prop_assert_eq!(Money::from_minor(minor, currency).minor(), minor);
    }

    #[test]
    fn what_is_printed_is_read_back(
        minor in -99_999_999_999_999i64..=99_999_999_999_999, currency in currency(),
    ) {
        prop_assume!(currency.scale() == 2 || minor.abs() < 1_000_000_000_000);
        let money = Money::from_minor(minor, currency);
        prop_assert_eq!(Money::parse(&money.to_string(), currency), Ok(money));
        let json = serde_json::to_value(money).unwrap();
        prop_assert_eq!(Money::from_json(&json, currency), Ok(money));
        let number: Value = serde_json::from_str(&money.to_string()).unwrap();
        prop_assert_eq!(Money::from_json(&number, currency), Ok(money));
    }

    #[test]
    fn a_printed_amount_has_exactly_the_decimals_of_its_currency(
        minor: i64, currency in currency(),
    ) {
        let text = Money::from_minor(minor, currency).to_string();
        let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        prop_assert_eq!(decimals, currency.scale() as usize);
    }

    #[test]
    fn adding_and_taking_away_cancel(a in -1i64 << 60..1 << 60, b in -1i64 << 60..1 << 60) {
        let a = Money::from_minor(a, Currency::Ars);
        let b = Money::from_minor(b, Currency::Ars);
        prop_assert_eq!(a.checked_add(b).unwrap().checked_sub(b), Ok(a));
    }

    #[test]
    fn no_text_makes_the_reader_fall_over(text in "\\PC{0,80}") {
        let _ = Money::parse(&text, Currency::Ars);
        let _ = Money::from_json(&Value::String(text), Currency::Clp);
    }

    #[test]
    fn no_number_makes_the_reader_fall_over(
        mantissa in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?", exponent: i32,
    ) {
        let value: Value = serde_json::from_str(&format!("{mantissa}e{exponent}")).unwrap();
        let _ = Money::from_json(&value, Currency::Ars);
    }
}
