use cierre_kernel::decision::Decision;
use cierre_kernel::problem::Problem;
use rstest::rstest;
use serde_json::json;

use super::super::fixtures::*;
use super::super::*;
use crate::error::{PendingRefusal, ServiceRefusal};
use crate::ids;
use crate::rules::{InvoiceNumber, pesos};

fn patch() -> ServicePatch {
    ServicePatch {
        amount: Some(pesos(99)),
        ..ServicePatch::default()
    }
}

/// What PATCH and DELETE on a service come to, as status and code.
fn answer(refusal: ServiceRefusal) -> (u16, &'static str) {
    let problem = Problem::from(refusal);
    (problem.status, problem.code.as_str())
}

#[rstest]
#[case::created(created(), None)]
#[case::sent(sent(), Some((409, "service_locked")))]
#[case::held(held_by(X), Some((409, "service_locked")))]
#[case::invoiced(invoiced_by(X), Some((409, "service_locked")))]
#[case::deleted(deleted(), Some((404, "not_found")))]
fn a_service_changes_and_goes_only_before_it_is_sent(
    #[case] service: Service,
    #[case] refused: Option<(u16, &'static str)>,
) {
    assert_eq!(service.update(patch(), at(9)).err().map(answer), refused);
    assert_eq!(service.delete(at(9)).err().map(answer), refused);
}

#[rstest]
#[case::created(created(), None)]
#[case::sent(sent(), Some(("already_sent", "Service is not in CREATED status (current: SENT_TO_BILL)")))]
#[case::held(held_by(X), Some(("already_sent", "Service is not in CREATED status (current: SENT_TO_BILL)")))]
#[case::invoiced(invoiced_by(X), Some(("already_invoiced", "Service is not in CREATED status (current: INVOICED)")))]
#[case::deleted(deleted(), Some(("service_not_found", "Service not found")))]
fn a_service_is_sent_once(#[case] service: Service, #[case] refused: Option<(&str, &str)>) {
    match service.send_to_billing(None, &stamp()) {
        Ok(decision) => {
            assert_eq!(refused, None);
            let next = decision.into_inner().state;
            assert_eq!(next.status(), Some(ServiceStatus::SentToBill));
            assert!(next.available_pending().is_some());
        }
        Err(refusal) => {
            let reason = refusal.reason();
            assert_eq!(Some((refusal.code().as_str(), reason.as_str())), refused);
        }
    }
}

#[rstest]
#[case::waiting(|service: Service| service)]
#[case::invoiced(|service: Service| {
    let held = state(service.claim(service.pending().unwrap().id, batch_id(X), at(1)));
    state(held.materialise(invoice_for(&held, X), at(2)))
})]
fn a_repeated_command_recognises_its_own_pending(#[case] later: fn(Service) -> Service) {
    let sent = state(created().send_to_billing(Some("k1"), &stamp()));
    let service = later(sent);
    let again = service.send_to_billing(Some("k1"), &stamp()).unwrap();
    assert_eq!(again, Decision::Replayed(Change::silent(service.clone())));
    assert!(service.send_to_billing(Some("k2"), &stamp()).is_err());
    assert!(service.send_to_billing(None, &stamp()).is_err());
}

#[rstest]
#[case::free(sent(), None)]
#[case::held(held_by(Y), Some("pending_claimed"))]
#[case::invoiced(invoiced_by(Y), Some("pending_not_pending"))]
fn a_pending_is_cancelled_while_no_batch_holds_it(
    #[case] service: Service,
    #[case] refused: Option<&str>,
) {
    let pending = service.pending().unwrap().id;
    match service.cancel_pending(pending, at(9)) {
        Ok(change) => {
            assert_eq!(refused, None);
            let Cancellation { service, pending } = change.state;
            assert_eq!(service.status(), Some(ServiceStatus::Created));
            assert_eq!(
                (pending.status(), pending.cancelled_at()),
                (PendingStatus::Cancelled, Some(at(9)))
            );
            let again = pending.check_cancel().unwrap_err();
            assert_eq!(
                (Problem::from(again).status, again.code().as_str()),
                (409, "pending_not_pending")
            );
        }
        Err(refusal) => {
            assert_eq!(Some(refusal.code().as_str()), refused);
            assert_eq!(Problem::from(refusal).status, 409);
        }
    }
}

#[rstest]
#[case::created(created())]
#[case::deleted(deleted())]
fn a_pending_that_never_was_is_not_found(#[case] service: Service) {
    let pending = ids::pending_id(service.id, 0).unwrap();
    let refusal = service.cancel_pending(pending, at(9)).unwrap_err();
    assert_eq!(Problem::from(refusal).status, 404);
    assert_eq!(
        service
            .claim(pending, batch_id(X), at(9))
            .unwrap_err()
            .code()
            .as_str(),
        "pending_not_found"
    );
}

#[rstest]
#[case::free(sent(), Ok(true))]
#[case::already_ours(held_by(X), Ok(false))]
#[case::held_by_another(
    held_by(Y),
    Err("Pending is claimed by batch bat_01JD00000000000000000000YY")
)]
#[case::invoiced(
    invoiced_by(Y),
    Err("Pending is not in PENDING status (current: INVOICED)")
)]
#[case::invoiced_by_us(
    invoiced_by(X),
    Err("Pending is not in PENDING status (current: INVOICED)")
)]
fn a_batch_claims_what_is_free_or_its_own(
    #[case] service: Service,
    #[case] expected: Result<bool, &str>,
) {
    let pending = service.pending().unwrap().id;
    match service.claim(pending, batch_id(X), at(9)) {
        Ok(decision) => {
            assert_eq!(Ok(!decision.is_replayed()), expected);
            let next = decision.into_inner().state;
            assert_eq!(next.pending().unwrap().claimed_by(), Some(batch_id(X)));
        }
        Err(failure) => assert_eq!(Err(failure.reason().as_str()), expected),
    }
}

#[test]
fn a_cancelled_pending_cannot_be_claimed_before_or_after_the_service_is_sent_again() {
    let first = sent();
    let old = first.pending().unwrap().id;
    let reopened = first.cancel_pending(old, at(3)).unwrap().state.service;
    let again = state(reopened.send_to_billing(None, &stamp()));
    for service in [reopened, again.clone()] {
        let failure = service.claim(old, batch_id(X), at(4)).unwrap_err();
        assert_eq!(
            failure.reason(),
            "Pending is not in PENDING status (current: CANCELLED)"
        );
    }
    let new = again.pending().unwrap().id;
    assert_ne!(new, old);
    assert_eq!(ids::service_of(new), (again.id, 1));
}

#[rstest]
#[case::free(sent(), true)]
#[case::ours(held_by(X), false)]
#[case::held_by_another(held_by(Y), true)]
#[case::invoiced(invoiced_by(X), true)]
#[case::created(created(), true)]
fn only_the_holder_s_release_has_an_effect(#[case] service: Service, #[case] stays: bool) {
    let pending = ids::pending_id(service.id, 0).unwrap();
    let decision = service.release(pending, batch_id(X), at(9));
    assert_eq!(decision.is_replayed(), stays);
    let next = decision.into_inner().state;
    if stays {
        assert_eq!(next, service);
    } else {
        assert!(next.available_pending().is_some());
    }
}

#[rstest]
#[case::free(sent(), Err("concurrent_change"))]
#[case::ours(held_by(X), Ok(true))]
#[case::held_by_another(held_by(Y), Err("pending_claimed"))]
#[case::already_done(invoiced_by(X), Ok(false))]
#[case::invoiced_by_another(invoiced_by(Y), Err("pending_not_pending"))]
fn the_holder_makes_one_invoice(#[case] service: Service, #[case] expected: Result<bool, &str>) {
    match service.materialise(invoice_for(&service, X), at(9)) {
        Ok(decision) => {
            assert_eq!(Ok(!decision.is_replayed()), expected);
            let next = decision.into_inner().state;
            assert_eq!(next.status(), Some(ServiceStatus::Invoiced));
            assert!(next.is_invoiced_by(batch_id(X)));
            assert_eq!(next.active_pending_id(), None);
            let pending = next.pending().unwrap();
            assert_eq!(
                (pending.status(), pending.claimed_by(), pending.invoice_id()),
                (PendingStatus::Invoiced, None, next.invoice_id())
            );
        }
        Err(refusal) => assert_eq!(Err(refusal.code().as_str()), expected),
    }
}

#[test]
fn another_pending_s_invoice_is_not_taken() {
    let held = held_by(X);
    let invoice = Invoice {
        pending_id: ids::pending_id(held.id, 5).unwrap(),
        ..invoice_for(&held, X)
    };
    assert_eq!(
        held.materialise(invoice, at(9)),
        Err(PendingRefusal::NotFound)
    );
}

#[test]
fn an_id_that_leaves_no_room_for_pendings_is_refused() {
    let id = "svc_01JD0000000100000000000001".parse().unwrap();
    let refusal = Service::create(id, new_service(), &stamp()).unwrap_err();
    assert_eq!(refusal, ServiceRefusal::UnusableId);
}

#[test]
fn after_1024_pendings_a_service_has_to_be_entered_anew() {
    let service = Service {
        sends: 1024,
        ..created()
    };
    assert_eq!(
        service.send_to_billing(None, &stamp()),
        Err(ServiceRefusal::TooManySends)
    );
    let last = Service {
        sends: 1023,
        ..created()
    };
    let sent = state(last.send_to_billing(None, &stamp()));
    assert_eq!(ids::service_of(sent.pending().unwrap().id), (sent.id, 1023));
}

#[test]
fn events_of_a_service_and_its_pending_carry_the_agreed_details() {
    let created = Service::create(SERVICE.parse().unwrap(), new_service(), &stamp()).unwrap();
    let content = json!({"serviceDate": "2024-01-05", "customerId": 1, "amount": "1500.00"});
    assert_eq!(actions(&created), ["service_created"]);
    assert_eq!(json!(created.events[0].details), content);

    let updated = created.state.update(patch(), at(1)).unwrap().into_inner();
    assert_eq!(actions(&updated), ["service_updated"]);
    assert_eq!(
        json!(updated.events[0].details),
        json!({"changes": {"amount": {"old": "1500.00", "new": "0.99"}}})
    );

    let deleted = created.state.delete(at(1)).unwrap().into_inner();
    assert_eq!(actions(&deleted), ["service_deleted"]);
    assert_eq!(json!(deleted.events[0].details), content);

    let sent = created
        .state
        .send_to_billing(None, &stamp())
        .unwrap()
        .into_inner();
    assert_eq!(
        actions(&sent),
        ["service_sent_to_billing", "pending_created"]
    );
    let pending = sent.state.pending().unwrap().id;
    let of_service = json!({"pendingId": pending});
    let of_pending = json!({"serviceId": SERVICE, "customerId": 1, "amount": "1500.00"});
    assert_eq!(json!(sent.events[0].details), of_service);
    assert_eq!(json!(sent.events[1].details), of_pending);
    assert_eq!(sent.events[1].resource_id, pending.to_string());

    let cancelled = sent.state.cancel_pending(pending, at(2)).unwrap();
    assert_eq!(
        actions(&cancelled),
        ["pending_cancelled", "service_reopened"]
    );
    assert_eq!(json!(cancelled.events[0].details), of_pending);
    assert_eq!(json!(cancelled.events[1].details), of_service);
}

#[test]
fn an_event_of_the_item_finds_its_chain() {
    let sent = created()
        .send_to_billing(None, &stamp())
        .unwrap()
        .into_inner();
    let mut service = sent.state;
    for (event, length) in sent.events.iter().zip([11, 22]) {
        service.head_of(event).unwrap().length = length;
    }
    assert_eq!(service.head.length, 11);
    assert_eq!(service.pending().unwrap().head.length, 22);
}

#[test]
fn an_invoice_keeps_what_its_service_said() {
    let invoice = invoiced_by(X).invoice().unwrap().clone();
    assert_eq!(invoice.id.to_string(), "inv_01JD0000000000000000000001");
    assert_eq!(invoice.amount, pesos(150_000));
    assert_eq!(
        (invoice.split().net, invoice.split().iva),
        (pesos(123_967), pesos(26_033))
    );
    assert_eq!(invoice.cae().as_deref(), Some("10000100000001"));
    assert_eq!(invoice.printed_description(), "Servicio de logística");
    assert_eq!(invoice.cae_status(), CaeStatus::Granted);
    let url = invoice.qr_url(issuer().tax_id).unwrap();
    assert!(url.starts_with("https://www.afip.gob.ar/fe/qr/?p="));
    let pending = Invoice {
        grant: None,
        ..invoice
    };
    assert_eq!(
        (
            pending.cae_status(),
            pending.cae(),
            pending.qr_url(issuer().tax_id)
        ),
        (CaeStatus::Pending, None, None)
    );
}

#[rstest]
#[case(0, InvoiceStatus::Issued, 150_000)]
#[case(1, InvoiceStatus::PartiallyCredited, 149_999)]
#[case(150_000, InvoiceStatus::Credited, 0)]
fn an_invoice_s_status_follows_from_its_credits(
    #[case] credited: i64,
    #[case] status: InvoiceStatus,
    #[case] open: i64,
) {
    let invoice = Invoice {
        credited: pesos(credited),
        ..invoiced_by(X).invoice().unwrap().clone()
    };
    assert_eq!(
        (invoice.status(), invoice.open_amount()),
        (status, pesos(open))
    );
}

#[test]
fn the_stored_item_shows_what_conditions_ask_for() {
    let held = json!(held_by(X));
    assert_eq!(held[attribute::STATUS], "SENT_TO_BILL");
    assert_eq!(held[attribute::SENDS], 1);
    assert_eq!(held[attribute::CLAIMED_BY], X);
    assert_eq!(held[attribute::VERSION], 3);
    assert_eq!(held[attribute::HEAD], "0:");
    assert_eq!(held[attribute::PENDING_HEAD], "0:");
    let invoiced = invoiced_by(X);
    let item = json!(invoiced);
    assert_eq!(item[attribute::STATUS], "INVOICED");
    assert_eq!(item.get(attribute::CLAIMED_BY), None);
    assert_eq!(item[attribute::UPDATED], at(2).as_millis());
    // A partial update writes the invoice alone; it is the very attribute of the whole item.
    assert_eq!(item[attribute::INVOICE], json!(invoiced.invoice()));
    assert_eq!(json!(deleted())["deleted"], true);
}

#[test]
fn an_item_that_contradicts_itself_is_not_read() {
    let item = json!(invoiced_by(X));
    for (field, value) in [
        ("status", json!("CREATED")),
        ("status", json!("SENT_TO_BILL")),
        ("invoice", json!(null)),
        ("pending", json!(null)),
        ("sends", json!(0)),
    ] {
        let mut broken = item.clone();
        broken[field] = value;
        assert!(
            serde_json::from_value::<Service>(broken).is_err(),
            "{field}"
        );
    }
}

/// Bytes of a value as DynamoDB counts them.
fn stored_bytes(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(_) => 1,
        // Two digits to a byte, and one more.
        Value::Number(number) => number.to_string().len().div_ceil(2) + 1,
        Value::String(text) => text.len(),
        Value::Array(items) => {
            3 + items
                .iter()
                .map(|item| 1 + stored_bytes(item))
                .sum::<usize>()
        }
        Value::Object(members) => {
            3 + members
                .iter()
                .map(|(name, member)| 1 + name.len() + stored_bytes(member))
                .sum::<usize>()
        }
    }
}

#[test]
fn a_typical_invoiced_service_leaves_room_for_its_keys_in_one_write_unit() {
    let mut service = invoiced_by(X);
    let head = ChainHeads::long();
    service.head = head.clone();
    service.pending_mut().unwrap().head = head;
    service.description = Some("Flete Rosario – Córdoba".into());
    let size = stored_bytes(&json!(service));
    // Keys and index attributes of the row take about 240 bytes.
    assert!(size <= 1024 - 240, "{size}");
}

struct ChainHeads;

impl ChainHeads {
    fn long() -> cierre_kernel::event::ChainHead {
        cierre_kernel::event::ChainHead {
            length: 12,
            hash: "f".repeat(64),
        }
    }
}

#[test]
fn a_number_of_another_book_gives_the_same_item() {
    let held = held_by(X);
    let invoice = Invoice {
        number: InvoiceNumber::parse("B-00012-00000345").unwrap(),
        ..invoice_for(&held, X)
    };
    let stored = json!(state(held.materialise(invoice, at(2))));
    let read: Service = serde_json::from_value(stored).unwrap();
    assert_eq!(
        read.invoice().unwrap().number.to_string(),
        "B-00012-00000345"
    );
}
