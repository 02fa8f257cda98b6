//! What each rule accepts, and how it refuses the rest.

use std::fmt::Debug;

use cierre_kernel::codes;
use cierre_kernel::id::{Pending, PendingId};
use cierre_kernel::money::Currency;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::error::Error;

/// Reads `{"f": value}` and answers the value or pointers and codes.
fn read<R: Rule>(value: Value, rule: R) -> Result<R::Output, Vec<(String, &'static str)>> {
    match decode(&json!({ "f": value }), |fields| fields.required("f", rule)) {
        Ok(output) => Ok(output),
        Err(Error::Refused(problem)) => Err(problem
            .errors
            .into_iter()
            .map(|e| (e.pointer, e.code.as_str()))
            .collect()),
        Err(Error::Failed(failure)) => panic!("{failure}"),
    }
}

fn refused<R: Rule<Output: Debug>>(value: Value, rule: R) -> &'static str {
    let errors = read(value, rule).unwrap_err();
    let [(pointer, code)] = errors.as_slice() else {
        panic!("one error expected, not {errors:?}")
    };
    assert_eq!(pointer, "/f");
    code
}

#[rstest]
#[case(json!(0), "out_of_range")]
#[case(json!(101), "out_of_range")]
#[case(json!(-1), "out_of_range")]
#[case(serde_json::from_str("99999999999999999999999").unwrap(), "out_of_range")]
#[case(serde_json::from_str("1.0").unwrap(), "invalid_type")]
#[case(serde_json::from_str("1e1").unwrap(), "invalid_type")]
#[case(json!("1"), "invalid_type")]
#[case(json!(true), "invalid_type")]
#[case(json!([1]), "invalid_type")]
#[case(Value::Null, "required")]
fn what_is_no_whole_number_within_bounds(#[case] value: Value, #[case] code: &str) {
    assert_eq!(refused(value, integer(1..=100)), code);
}

#[rstest]
#[case(json!("0.00"), "out_of_range")]
#[case(json!(-1), "out_of_range")]
#[case(json!("100000000.00"), "out_of_range")]
#[case(json!("1234567890123"), "out_of_range")]
#[case(serde_json::from_str("1.005").unwrap(), "invalid_amount")]
#[case(json!("1,50"), "invalid_amount")]
#[case(json!(""), "invalid_amount")]
#[case(json!(true), "invalid_type")]
fn what_is_no_amount(#[case] value: Value, #[case] code: &str) {
    assert_eq!(
        refused(
            value,
            money(Currency::Ars).within_minor_units(1..=9_999_999_999)
        ),
        code
    );
}

#[test]
fn an_amount_is_text_or_an_exact_number() {
    for value in [
        json!("1500.00"),
        json!("1500"),
        json!(1500),
        serde_json::from_str("1500.0").unwrap(),
    ] {
        assert_eq!(read(value, money(Currency::Ars)).unwrap().minor(), 150_000);
    }
    assert_eq!(
        refused(json!("1.5"), money(Currency::Clp)),
        "invalid_amount"
    );
}

#[rstest]
#[case("2024-02-30", "invalid_date")]
#[case("31/01/2024", "invalid_date")]
#[case("2024-1-31", "invalid_date")]
#[case("1999-12-31", "out_of_range")]
fn what_is_no_day_within_bounds(#[case] text: &str, #[case] code: &str) {
    let rule = date_within(
        cierre_kernel::time::Date::constant(2000, 1, 1)
            ..=cierre_kernel::time::Date::constant(2100, 1, 1),
    );
    assert_eq!(refused(json!(text), rule), code);
}

#[test]
fn text_is_counted_in_characters_and_holds_no_control_characters() {
    assert_eq!(read(json!("ñandú"), text(5..=5)).unwrap(), "ñandú");
    assert_eq!(refused(json!("ab"), text(3..=4)), "out_of_range");
    assert_eq!(refused(json!("a\nb"), text(1..=9)), "invalid_format");
    assert_eq!(refused(json!("a\u{7f}"), text(1..=9)), "invalid_format");
    assert_eq!(read(json!("a\nb"), lines(1..=9)).unwrap(), "a\nb");
    assert_eq!(refused(json!("a\u{0}"), lines(1..=9)), "invalid_format");
}

#[test]
fn booleans_are_not_their_names() {
    assert!(read(json!(true), boolean()).unwrap());
    assert_eq!(refused(json!("true"), boolean()), "invalid_type");
    assert_eq!(refused(json!(1), boolean()), "invalid_type");
}

#[test]
fn a_list_names_each_wrong_item_where_it_stands() {
    let ids = |ids: &[&str]| read(json!(ids), list(id::<Pending>(), 1..=4).distinct());
    let (a, b) = (
        "pen_00000000000000000000000001",
        "pen_00000000000000000000000002",
    );
    assert_eq!(
        ids(&[a, b]).unwrap(),
        [a.parse::<PendingId>().unwrap(), b.parse().unwrap()]
    );
    assert_eq!(ids(&[]).unwrap_err(), [("/f".to_owned(), "required")]);
    assert_eq!(
        ids(&[a, b, a, "x"]).unwrap_err(),
        [
            ("/f/2".to_owned(), "duplicate_items"),
            ("/f/3".to_owned(), "invalid_id")
        ]
    );
    assert_eq!(
        ids(&["x"; 5]).unwrap_err(),
        [("/f".to_owned(), "too_many_items")]
    );
    assert_eq!(
        refused(json!({ "0": a }), list(text(1..=40), 1..=4)),
        "invalid_type"
    );
    assert_eq!(
        read(json!([null]), list(text(0..=40), 1..=4)).unwrap_err(),
        [("/f/0".to_owned(), "required")]
    );
    assert_eq!(
        refused(json!([1]), list(integer(0..=9), 2..=4)),
        "out_of_range"
    );
}

#[test]
fn a_nested_object_is_read_with_the_same_rules() {
    let lines = || {
        list(
            object(|fields| {
                let amount = fields.required("amount", integer(1..=9));
                let note = fields.optional("note", text(1..=3));
                Some((amount?, note?))
            }),
            1..=10,
        )
    };
    let value = json!([{ "amount": 1 }, { "amount": 0, "note": "long", "x": 1 }, 3]);
    assert_eq!(
        read(value, lines()).unwrap_err(),
        [
            ("/f/1/amount".to_owned(), "out_of_range"),
            ("/f/1/note".to_owned(), "out_of_range"),
            ("/f/1/x".to_owned(), "unknown_field"),
            ("/f/2".to_owned(), "invalid_type"),
        ]
    );
    assert_eq!(
        read(json!([{ "amount": 1, "note": null }]), lines()).unwrap(),
        [(1, None)]
    );
}

#[test]
fn a_patch_tells_missing_from_null() {
    let change = |body: Value| decode(&body, |fields| fields.change_nullable("email", text(1..=9)));
    assert_eq!(change(json!({})).unwrap(), Change::Keep);
    assert_eq!(change(json!({ "email": null })).unwrap(), Change::Set(None));
    assert_eq!(
        change(json!({ "email": "a" })).unwrap(),
        Change::Set(Some("a".to_owned()))
    );
    let fixed = decode(&json!({ "name": null }), |fields| {
        fields.change("name", text(1..=9))
    });
    assert!(matches!(fixed, Err(Error::Refused(problem)) if problem.code == codes::REQUIRED));
}

#[test]
fn a_range_that_ends_before_it_starts_is_refused_at_its_start() {
    let range = |body: Value| {
        decode(&body, |fields| {
            let from = fields.optional("from", date());
            let to = fields.optional("to", date());
            fields.in_order("from", &from, "to", &to)
        })
    };
    assert!(range(json!({ "from": "2024-01-31", "to": "2024-01-31" })).is_ok());
    assert!(range(json!({ "from": "2024-01-31" })).is_ok());
    let wrong = range(json!({ "from": "2024-02-01", "to": "2024-01-31" }));
    let Err(Error::Refused(problem)) = wrong else {
        panic!("not refused")
    };
    assert_eq!(
        (problem.code, problem.errors[0].pointer.as_str()),
        (codes::INVALID_RANGE, "/from")
    );
}

#[test]
fn a_flood_of_errors_is_cut() {
    let body: serde_json::Map<String, Value> =
        (0..5_000).map(|n| (format!("x{n}"), Value::Null)).collect();
    let Err(Error::Refused(problem)) = decode(&Value::Object(body), |_| Some(())) else {
        panic!("not refused")
    };
    assert_eq!(problem.errors.len(), 1_000);
}

#[test]
fn a_reader_that_names_no_field_is_a_fault_of_ours() {
    assert!(matches!(
        decode(&json!({}), |_| None::<()>),
        Err(Error::Failed(_))
    ));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}".prop_map(Value::from),
        "-?[0-9]{1,14}(\\.[0-9]{0,3})?".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-f]", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_whole_number_within_bounds_is_read(number in -1_000_i64..=1_000) {
        prop_assert_eq!(read(json!(number), integer(-1_000..=1_000)).unwrap(), number);
    }

    #[test]
    fn every_amount_is_read_back_as_it_is_written(minor in 0_i64..=9_999_999_999) {
        let amount = cierre_kernel::money::Money::from_minor(minor, Currency::Ars);
        let read = read(serde_json::to_value(amount).unwrap(), money(Currency::Ars)).unwrap();
        prop_assert_eq!(read.minor(), minor);
    }

    /// Whatever is sent, the answer is a value or a list of located errors; nothing panics and nothing is half read.
    #[test]
    fn any_document_is_read_or_refused_with_pointers_into_it(body in any_json()) {
        let read = decode(&body, |fields| {
            let a = fields.required("a", integer(0..=10));
            let b = fields.optional("b", list(object(|inner| inner.required("c", money(Currency::Ars))), 0..=3));
            let d = fields.change_nullable("d", date());
            Some((a?, b?, d?))
        });
        match read {
            Ok((a, _, _)) => prop_assert!((0..=10).contains(&a)),
            Err(Error::Refused(problem)) => {
                prop_assert!(!problem.errors.is_empty());
                for error in &problem.errors {
                    // A missing field has no value, so its pointer leads to the object that lacks it.
                    let place = if error.code == codes::REQUIRED {
                        error.pointer.rsplit_once('/').map_or("", |(parent, _)| parent)
                    } else {
                        &error.pointer
                    };
                    prop_assert!(body.pointer(place).is_some(), "{} in {}", error.pointer, body);
                }
            }
            Err(Error::Failed(failure)) => prop_assert!(false, "{failure}"),
        }
    }
}

#[test]
fn members_of_a_map_are_all_read_or_each_refused() {
    let limits = || map(any_amount(), 2);
    let exact: Value = serde_json::from_str("1500.10").unwrap();
    let body = json!({ "COP": "1.00", "USD": exact });
    let limit = read(body.clone(), limits()).unwrap();
    assert_eq!(limit["COP"], json!("1.00"));
    assert_eq!(limit["USD"], body["USD"], "with the digits that were sent");
    assert_eq!(
        read(json!({ "COP": null, "U/D": [] }), limits()).unwrap_err(),
        [
            ("/f/COP".to_owned(), "invalid_type"),
            ("/f/U~1D".to_owned(), "invalid_type")
        ]
    );
    assert_eq!(
        refused(json!({ "a": 1, "b": 2, "c": 3 }), limits()),
        "too_many_items"
    );
    assert_eq!(refused(json!([]), limits()), "invalid_type");
}
