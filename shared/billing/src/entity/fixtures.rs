//! Values that the tests of entities share.

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::cuit::Cuit;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::{BatchId, ServiceId};
use cierre_kernel::time::{Date, Instant, parse_date};
use ulid::Ulid;

use super::*;
use crate::ids;
use crate::rules::{InvoiceNumber, pesos, simulated_cae};

pub(super) const SERVICE: &str = "svc_01JD0000000000000000000001";
pub(super) const X: &str = "bat_01JD00000000000000000000XX";
pub(super) const Y: &str = "bat_01JD00000000000000000000YY";

pub(super) fn at(second: i64) -> Instant {
    Instant::from_millis(1_706_702_400_000 + second * 1000)
}

pub(super) fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

pub(super) fn cuit(text: &str) -> Cuit {
    Cuit::parse(text).unwrap()
}

pub(super) fn stamp() -> Stamp {
    Stamp {
        at: at(0),
        by: "ana".into(),
        correlation_id: CorrelationId::from_ulid(Ulid(7)),
    }
}

pub(super) fn batch_id(text: &str) -> BatchId {
    text.parse().unwrap()
}

pub(super) fn issuer() -> Issuer {
    Issuer {
        name: "Logística Demo S.A.".into(),
        tax_id: cuit("30-00000000-7"),
        iva_condition: IssuerCondition::ResponsableInscripto,
    }
}

pub(super) fn new_customer() -> NewCustomer {
    NewCustomer {
        customer_id: 1,
        name: "Transportes Uno S.R.L.".into(),
        tax_id: Some(cuit("30-00000001-5")),
        iva_condition: IvaCondition::ResponsableInscripto,
        email: None,
        active: true,
    }
}

pub(super) fn customer(active: bool) -> Customer {
    let new = NewCustomer {
        active,
        ..new_customer()
    };
    Customer::create(None, new, &stamp()).unwrap().state
}

pub(super) fn new_service() -> NewService {
    NewService {
        service_date: day("2024-01-05"),
        customer_id: 1,
        amount: pesos(150_000),
        description: None,
    }
}

pub(super) fn created() -> Service {
    let id: ServiceId = SERVICE.parse().unwrap();
    Service::create(id, new_service(), &stamp()).unwrap().state
}

pub(super) fn sent() -> Service {
    state(created().send_to_billing(None, &stamp()))
}

pub(super) fn held_by(batch: &str) -> Service {
    let sent = sent();
    let pending = sent.pending().unwrap().id;
    state(sent.claim(pending, batch_id(batch), at(1)))
}

pub(super) fn invoice_for(service: &Service, batch: &str) -> Invoice {
    let pending_id = ids::pending_id(service.id, service.sends.saturating_sub(1)).unwrap();
    let number = InvoiceNumber::parse("A-0001-00000001").unwrap();
    let customer = Receiver::from(&customer(true));
    let batch = Batch {
        id: batch_id(batch),
        ..processed()
    };
    Invoice::issue(
        Draft {
            service,
            pending_id,
            batch: &batch,
            number,
            customer: &customer,
            grant: Some(Grant {
                cae: simulated_cae(&number),
                due_date: day("2024-02-10"),
            }),
        },
        at(2),
    )
}

pub(super) fn invoiced_by(batch: &str) -> Service {
    let held = held_by(batch);
    let invoice = invoice_for(&held, batch);
    state(held.materialise(invoice, at(2)))
}

pub(super) fn deleted() -> Service {
    state(created().delete(at(1)))
}

pub(super) fn order() -> Order {
    Order {
        issue_date: day("2024-01-31"),
        receipt_book: ReceiptBook::parse("A-0001").unwrap(),
        on_invalid: OnInvalid::Skip,
        wanted: Wanted::Ids(3),
        issuer: issuer(),
    }
}

pub(super) fn accepted() -> Batch {
    Batch::accepted(batch_id(X), order(), &stamp()).state
}

pub(super) fn in_process() -> Batch {
    state(accepted().started(false, at(1)))
}

pub(super) fn staged() -> Batch {
    let frozen = state(in_process().frozen(1, Vec::new(), at(2)));
    state(frozen.staged(380_050, at(3)))
}

pub(super) fn processed() -> Batch {
    state(staged().committed(8, 2, at(4)))
}

pub(super) fn in_error() -> Batch {
    state(in_process().failed("worker_lost", "Retry.", 0, at(4)))
}

/// The state that an applied decision leads to.
pub(super) fn state<T: std::fmt::Debug, R: std::fmt::Debug>(decided: Decided<T, R>) -> T {
    match decided.unwrap() {
        Decision::Applied(change) => change.state,
        Decision::Replayed(change) => panic!("replayed: {change:?}"),
    }
}

/// The actions that a decision records.
pub(super) fn actions<T>(change: &Change<T>) -> Vec<&'static str> {
    change.events.iter().map(|event| event.action).collect()
}
