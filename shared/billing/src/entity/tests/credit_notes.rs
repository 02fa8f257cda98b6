use cierre_kernel::id::InvoiceId;
use cierre_kernel::money::Money;
use cierre_kernel::problem::Problem;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;
use ulid::Ulid;

use super::super::fixtures::*;
use super::super::*;
use crate::error::CreditRefusal;
use crate::ids;
use crate::rules::{CURRENCY, InvoiceNumber, Sequence, pesos};

fn money(text: &str) -> Money {
    Money::parse(text, CURRENCY).unwrap()
}

/// An invoice of this amount under this letter.
fn invoice(letter: &str, amount: Money) -> Service {
    let id = SERVICE.parse().unwrap();
    let new = NewService {
        amount,
        ..new_service()
    };
    let created = Service::create(id, new, &stamp()).unwrap().state;
    let sent = state(created.send_to_billing(None, &stamp()));
    let held = state(sent.claim(sent.pending().unwrap().id, batch_id(X), at(1)));
    let number = InvoiceNumber::parse(&format!("{letter}-0001-00000001")).unwrap();
    let made = Invoice {
        number,
        net: crate::rules::split(number.book().letter(), amount).net,
        ..invoice_for(&held, X)
    };
    state(held.materialise(made, at(2)))
}

fn credit(service: &Service, n: u32, amount: Option<Money>) -> NewCredit {
    let book = service.invoice().unwrap().number.book();
    let number = InvoiceNumber::new(Sequence::credit_notes(book), n).unwrap();
    NewCredit {
        id: ids::credit_note_id(Ulid(u128::from(n)), number),
        number,
        issue_date: day("2024-02-01"),
        amount,
        reason: "Servicio no prestado".into(),
        issuer: issuer(),
        stamp: stamp(),
    }
}

fn credited(service: &Service, n: u32, amount: Option<Money>) -> Result<Credited, CreditRefusal> {
    let id = service.invoice_id().unwrap();
    let change = service.credit(id, credit(service, n, amount))?;
    assert_eq!(
        actions(&change),
        ["credit_note_issued", "credit_note_created"]
    );
    Ok(change.state)
}

fn answer(refusal: CreditRefusal) -> (u16, String) {
    let problem = Problem::from(refusal);
    (problem.status, problem.code.as_str().to_owned())
}

/// The table of states: the invoice before, the credit, and what comes of it.
#[rstest]
#[case::a_part_of_all("0.00", Some("40.00"), Ok(("PARTIALLY_CREDITED", "60.00")))]
#[case::all_by_amount("0.00", Some("100.00"), Ok(("CREDITED", "0.00")))]
#[case::all_without_amount("0.00", None, Ok(("CREDITED", "0.00")))]
#[case::more_than_all("0.00", Some("100.01"), Err((422, "amount_above_open")))]
#[case::a_part_of_the_rest("40.00", Some("59.99"), Ok(("PARTIALLY_CREDITED", "0.01")))]
#[case::the_rest_by_amount("40.00", Some("60.00"), Ok(("CREDITED", "0.00")))]
#[case::the_rest_without_amount("40.00", None, Ok(("CREDITED", "0.00")))]
#[case::more_than_the_rest("40.00", Some("60.01"), Err((422, "amount_above_open")))]
#[case::again_after_all("100.00", Some("0.01"), Err((409, "invoice_credited")))]
#[case::again_after_all_without_amount("100.00", None, Err((409, "invoice_credited")))]
fn a_credit_moves_its_invoice(
    #[case] before: &str,
    #[case] amount: Option<&str>,
    #[case] after: Result<(&str, &str), (u16, &str)>,
) {
    let mut service = invoice("A", money("100.00"));
    if !money(before).is_zero() {
        service = credited(&service, 1, Some(money(before))).unwrap().service;
    }
    match credited(&service, 2, amount.map(money)) {
        Ok(Credited { service, note }) => {
            let invoice = service.invoice().unwrap();
            let shown = (invoice.status().as_str(), invoice.open_amount().to_string());
            let (status, open) = after.unwrap();
            assert_eq!(shown, (status, open.to_owned()));
            assert_eq!(service.status(), Some(ServiceStatus::Invoiced));
            assert_eq!(
                note.amount.minor(),
                amount.map_or_else(
                    || 10_000 - money(before).minor(),
                    |amount| money(amount).minor(),
                )
            );
        }
        Err(refusal) => {
            let (status, code) = after.unwrap_err();
            assert_eq!(answer(refusal), (status, code.to_owned()));
        }
    }
}

#[rstest]
#[case("33.33", "27.55", "5.78")]
#[case("33.33", "27.54", "5.79")]
#[case("33.34", "27.55", "5.79")]
fn credits_of_an_invoice_of_100_split_as_in_the_rule(
    #[case] amount: &str,
    #[case] net: &str,
    #[case] iva: &str,
) {
    let mut service = invoice("A", money("100.00"));
    let mut splits = Vec::new();
    for (n, part) in (1..).zip(["33.33", "33.33", "33.34"]) {
        let next = credited(&service, n, Some(money(part))).unwrap();
        splits.push((next.note.amount, next.note.split()));
        service = next.service;
    }
    assert!(splits.iter().any(|(of, split)| {
        *of == money(amount) && split.net == money(net) && split.iva == money(iva)
    }));
    assert_eq!(service.invoice().unwrap().notes, [1, 2, 3]);
}

#[test]
fn a_note_takes_over_what_its_invoice_says() {
    let service = invoice("B", money("1500.00"));
    let origin = service.invoice().unwrap().clone();
    let note = credited(&service, 7, None).unwrap().note;
    assert_eq!(note.number.to_string(), "B-0001-NC-00000007");
    assert_eq!(
        (note.origin_id, note.origin_number, note.batch_id),
        (origin.id, origin.number, origin.batch_id)
    );
    assert_eq!(
        (note.service_date, note.customer_id, &note.customer),
        (origin.service_date, origin.customer_id, &origin.customer)
    );
    assert_eq!(note.issue_date, day("2024-02-01"));
    assert_eq!(
        (note.net, note.cae_status()),
        (origin.net, CaeStatus::Pending)
    );
}

#[test]
fn events_name_the_note_and_what_is_left() {
    let service = invoice("A", money("100.00"));
    let id = service.invoice_id().unwrap();
    let change = service
        .credit(id, credit(&service, 1, Some(money("40.00"))))
        .unwrap();
    let details = json!(change.events[0].details);
    assert_eq!(details["openAmount"], "60.00");
    assert_eq!(details["amount"], "40.00");
    assert_eq!(details["invoiceNumber"], "A-0001-NC-00000001");
    assert_eq!(change.events[0].resource_id, id.to_string());
    assert_eq!(
        json!(change.events[1].details),
        json!({ "originInvoiceId": id, "amount": "40.00" })
    );
}

#[test]
fn only_the_services_own_invoice_is_credited() {
    let service = invoice("A", money("100.00"));
    let other = InvoiceId::new(Ulid(1));
    let refused = service.credit(other, credit(&service, 1, None));
    assert_eq!(refused.unwrap_err(), CreditRefusal::NotFound);
}

#[test]
fn an_invoice_has_as_many_notes_as_its_item_has_room_for() {
    let mut service = invoice("A", money("1000.00"));
    for n in 1..=MAX_CREDIT_NOTES as u32 {
        service = credited(&service, n, Some(pesos(1))).unwrap().service;
    }
    let one_more = credited(&service, 201, Some(pesos(1)));
    assert_eq!(
        one_more.map(|_| ()).map_err(answer),
        Err((409, "too_many_credit_notes".to_owned()))
    );
    let stored = serde_dynamo::to_item::<_, cierre_platform::db::Item>(&service).unwrap();
    assert!(cierre_platform::db::item_bytes(&stored) < 4096);
}

#[test]
fn a_note_is_authorised_once() {
    let note = credited(&invoice("A", money("100.00")), 1, None)
        .unwrap()
        .note;
    let grant = |cae| Grant {
        cae,
        due_date: day("2024-02-11"),
    };
    let authorised = note.authorised(grant(40_000_100_000_001), at(5));
    assert_eq!(
        (authorised.version, authorised.cae_status()),
        (2, CaeStatus::Granted)
    );
    assert_eq!(authorised.authorised(grant(1), at(6)), authorised);
    assert!(authorised.qr_url().is_some() && note.qr_url().is_none());
}

proptest! {
    #[test]
    fn however_an_invoice_is_credited_its_notes_add_up_to_it(
        letter in "[ABC]",
        amount in 1_i64..9_999_999_999,
        parts in prop::collection::vec(1_i64..5_000_000_000, 0..12),
    ) {
        let mut service = invoice(&letter, pesos(amount));
        let mut notes = Vec::new();
        for (n, part) in (1..).zip(parts) {
            match credited(&service, n, Some(pesos(part))) {
                Ok(next) => {
                    service = next.service;
                    notes.push(next.note);
                }
                Err(CreditRefusal::AboveOpen { open }) => prop_assert!(open.minor() < part),
                Err(refusal) => prop_assert_eq!(refusal, CreditRefusal::Credited),
            }
        }
        if let Ok(rest) = credited(&service, 99, None) {
            service = rest.service;
            notes.push(rest.note);
        }
        let invoice = service.invoice().unwrap();
        let sum = |of: fn(&CreditNote) -> i64| notes.iter().map(of).sum::<i64>();
        prop_assert_eq!(invoice.status(), InvoiceStatus::Credited);
        prop_assert_eq!(sum(|note| note.amount.minor()), amount);
        prop_assert_eq!(sum(|note| note.net.minor()), invoice.net.minor());
        prop_assert!(notes.iter().all(|note| note.split().iva.minor() >= 0));
    }

    #[test]
    fn a_credited_invoice_comes_back_as_it_was_stored(parts in prop::collection::vec(1_i64..3_000, 0..5)) {
        let mut service = invoice("A", pesos(15_000));
        for (n, part) in (1..).zip(parts) {
            let next = credited(&service, n, Some(pesos(part))).unwrap();
            let item: cierre_platform::db::Item = serde_dynamo::to_item(&next.note).unwrap();
            let back: CreditNote = serde_dynamo::from_item(item).unwrap();
            prop_assert_eq!(back, next.note);
            service = next.service;
        }
        let item: cierre_platform::db::Item = serde_dynamo::to_item(&service).unwrap();
        let back: Service = serde_dynamo::from_item(item).unwrap();
        prop_assert_eq!(back, service);
    }
}
