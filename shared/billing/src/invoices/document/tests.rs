use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::cuit::Cuit;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::ServiceId;
use cierre_kernel::time::{Date, Instant, parse_date};
use serde_json::{Value, json};
use ulid::Ulid;

use super::*;
use crate::engine::Snapshot;
use crate::entity::{
    Decided, Grant, IssuerCondition, IvaCondition, NewService, OnInvalid, Order, ReceiptBook,
    Receiver, Stamp, Wanted,
};
use crate::invoices::views::DocumentView;
use crate::rules::{pesos, simulated_cae};

const SERVICES: [&str; 2] = [
    "svc_00000000000000000000000001",
    "svc_00000000000000000000000002",
];

fn at(second: i64) -> Instant {
    Instant::parse("2024-02-01T12:00:00.000Z")
        .unwrap()
        .plus_seconds(second)
}

fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

fn stamp() -> Stamp {
    Stamp {
        at: at(0),
        by: "ana".into(),
        correlation_id: CorrelationId::from_ulid(Ulid(7)),
    }
}

fn state<T: std::fmt::Debug, R: std::fmt::Debug>(decided: Decided<T, R>) -> T {
    match decided.unwrap() {
        Decision::Applied(change) | Decision::Replayed(change) => change.state,
    }
}

fn batch_id(n: u128) -> BatchId {
    BatchId::new(Ulid(n))
}

/// A batch of two documents that has the numbers 8 and 9.
fn processed(id: u128) -> Batch {
    let issuer = Issuer {
        name: "Logística Demo S.A.".into(),
        tax_id: Cuit::parse("30-00000000-7").unwrap(),
        iva_condition: IssuerCondition::ResponsableInscripto,
    };
    let order = Order {
        issue_date: day("2024-01-31"),
        receipt_book: ReceiptBook::parse("A-0001").unwrap(),
        on_invalid: OnInvalid::Skip,
        wanted: Wanted::Ids(2),
        issuer,
    };
    let started = state(
        Batch::accepted(batch_id(id), order, &stamp())
            .state
            .started(false, at(1)),
    );
    let staged = state(state(started.frozen(0, Vec::new(), at(2))).staged(380_050, at(3)));
    state(staged.committed(8, 2, at(4)))
}

fn sent(index: usize) -> Service {
    let id: ServiceId = SERVICES[index].parse().unwrap();
    let amount = pesos([150_000, 230_050][index]);
    let new = NewService {
        service_date: day("2024-01-05"),
        customer_id: 1,
        amount,
        description: None,
    };
    let created = Service::create(id, new, &stamp()).unwrap().state;
    state(created.send_to_billing(None, &stamp()))
}

fn pending_of(service: &Service) -> PendingId {
    service.pending().unwrap().id
}

fn held(index: usize, batch: &Batch) -> Service {
    let service = sent(index);
    let pending = pending_of(&service);
    state(service.claim(pending, batch.id, at(1)))
}

fn chunk() -> DocumentChunk {
    let receiver = Receiver {
        name: "Transportes Uno S.R.L.".into(),
        tax_id: Cuit::parse("30-00000001-5").ok(),
        iva_condition: IvaCondition::ResponsableInscripto,
    };
    DocumentChunk {
        first: 0,
        pendings: vec![pending_of(&sent(0)), pending_of(&sent(1))],
        amounts: vec![150_000, 230_050],
        customer_of: vec![0, 0],
        customers: vec![Snapshot { id: 1, receiver }],
        first_date: day("2024-01-05"),
    }
}

/// What stage 4 does.
fn invoiced(index: usize, batch: &Batch) -> Service {
    let service = held(index, batch);
    let chunk = chunk();
    let number = number_at(batch, &chunk, index).unwrap();
    let grant = Grant {
        cae: simulated_cae(&number),
        due_date: day("2024-02-10"),
    };
    let customer = &chunk.customers[0].receiver;
    let draft = Draft {
        service: &service,
        pending_id: pending_of(&service),
        batch,
        number,
        customer,
        grant: Some(grant),
    };
    state(service.materialise(Invoice::issue(draft, at(9)), at(9)))
}

fn shown(service: Service, batch: &Batch, position: usize) -> Value {
    let invoice = committed(Some(service), batch, &chunk(), position)
        .unwrap()
        .unwrap();
    serde_json::to_value(DocumentView::from(&Document::of(invoice, batch))).unwrap()
}

#[test]
fn a_document_is_complete_from_the_commit_on_but_for_its_cae() {
    let batch = processed(9);
    let expected = json!({
        "id": "inv_00000000000000000000000002", "documentType": "INVOICE", "invoiceNumber": "A-0001-00000009",
        "receiptBook": "A-0001", "number": 9, "type": "A", "cae": null, "caeDueDate": null, "qrUrl": null, "caeStatus": "PENDING",
        "issueDate": "2024-01-31", "serviceDate": "2024-01-05", "description": "Servicio de logística",
        "serviceId": SERVICES[1], "pendingId": "pen_00000000000000000000000002", "batchId": batch.id.to_string(), "customerId": 1,
        "customer": { "name": "Transportes Uno S.R.L.", "taxId": "30000000015", "ivaCondition": "RESPONSABLE_INSCRIPTO" },
        "issuer": { "name": "Logística Demo S.A.", "taxId": "30000000007", "ivaCondition": "RESPONSABLE_INSCRIPTO" },
        "amount": "2300.50", "netAmount": "1901.24", "ivaAmount": "399.26",
        "status": "ISSUED", "creditedAmount": "0.00", "openAmount": "2300.50",
        "originInvoiceId": null, "originInvoiceNumber": null, "reason": null, "erpSync": null,
        "createdAt": "2024-02-01T12:00:04.000Z", "createdBy": "sistema", "updatedAt": "2024-02-01T12:00:04.000Z", "version": 3,
        "correlationId": "00000000000000000000000007",
    });
    assert_eq!(shown(held(1, &batch), &batch, 1), expected);
}

#[test]
fn stage_4_changes_nothing_of_a_document_but_cae_time_and_version() {
    let batch = processed(9);
    let (before, after) = (
        shown(held(1, &batch), &batch, 1),
        shown(invoiced(1, &batch), &batch, 1),
    );
    let changed: Vec<&String> = after
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, value)| before[*name] != **value)
        .map(|(name, _)| name)
        .collect();
    let allowed = [
        "cae",
        "caeDueDate",
        "qrUrl",
        "caeStatus",
        "createdAt",
        "updatedAt",
        "version",
    ];
    assert!(
        changed.iter().all(|name| allowed.contains(&name.as_str())),
        "{changed:?}"
    );
    assert_eq!(
        (&after["cae"], &after["caeDueDate"], &after["caeStatus"]),
        (
            &json!("10000100000009"),
            &json!("2024-02-10"),
            &json!("GRANTED")
        )
    );
    assert!(
        after["qrUrl"]
            .as_str()
            .unwrap()
            .starts_with("https://www.afip.gob.ar/fe/qr/?p=")
    );
}

#[test]
fn an_item_that_the_batch_neither_holds_nor_invoiced_is_no_document() {
    let (batch, other) = (processed(9), processed(10));
    let document = |service| committed(service, &batch, &chunk(), 0).unwrap();
    assert_eq!(document(None), None);
    assert_eq!(document(Some(sent(0))), None);
    assert_eq!(document(Some(held(0, &other))), None);
    assert_eq!(document(Some(invoiced(0, &other))), None);
    assert_eq!(
        document(Some(held(1, &batch))),
        None,
        "another pending than the chunk says"
    );
    assert_eq!(
        committed(Some(held(0, &batch)), &batch, &chunk(), 2).unwrap(),
        None,
        "beyond the chunk"
    );
}

#[test]
fn lists_show_a_document_only_after_stage_4() {
    let batch = processed(9);
    let pending = pending_of(&sent(0));
    assert_eq!(materialised(held(0, &batch), pending, batch.id), None);
    assert_eq!(
        materialised(invoiced(0, &batch), pending, batch_id(10)),
        None
    );
    assert_eq!(
        materialised(invoiced(0, &batch), pending, batch.id).map(|invoice| invoice.number.number()),
        Some(8)
    );
}
