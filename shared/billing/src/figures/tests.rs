use std::collections::BTreeMap;

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::cuit::Cuit;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::BatchId;
use cierre_kernel::time::{Instant, parse_date};
use cierre_platform::counters::InMemory;
use proptest::prelude::*;
use ulid::Ulid;

use super::*;
use crate::entity::{
    Decided, Draft, Issuer, IssuerCondition, IvaCondition, JobStatus, NewService, OnInvalid, Order,
    ReceiptBook, Receiver, Stamp, Wanted,
};
use crate::ids;
use crate::rules::{InvoiceNumber, pesos};
use crate::service_item::service_item;

/// Everything that has an effect on figures, as it can happen to one of a few services or batches. What is not allowed at the moment has
/// none.
#[derive(Clone, Copy, Debug)]
enum Act {
    Create { customer: u32, amount: i64 },
    Send,
    Cancel,
    Claim,
    Release,
    Invoice,
    Delete,
    Accept,
    Start,
    AttemptFails,
    Fail,
    Commit,
    Materialise,
    Retry,
}

/// A company's table with the stream of its changes.
#[derive(Default)]
struct World {
    services: BTreeMap<u8, Service>,
    batches: BTreeMap<u8, Batch>,
    jobs: BTreeMap<String, (JobStatus, Option<Instant>)>,
    changes: Vec<Change>,
    numbers: u32,
    seconds: i64,
}

fn company() -> CompanyId {
    CompanyId::parse("demo").unwrap()
}

fn batch_id(n: u8) -> BatchId {
    BatchId::new(Ulid(u128::from(n) + 1))
}

fn issuer() -> Issuer {
    Issuer {
        name: "Demo".into(),
        tax_id: Cuit::parse("30-00000000-7").unwrap(),
        iva_condition: IssuerCondition::ResponsableInscripto,
    }
}

fn order() -> Order {
    Order {
        issue_date: parse_date("2024-01-31").unwrap(),
        receipt_book: ReceiptBook::parse("A-0001").unwrap(),
        on_invalid: OnInvalid::Skip,
        wanted: Wanted::Ids(1),
        issuer: issuer(),
    }
}

/// The state that a decision leads to; none when it was refused or changes nothing.
fn state<T, R>(decided: Decided<T, R>) -> Option<T> {
    match decided.ok()? {
        Decision::Applied(change) => Some(change.state),
        Decision::Replayed(_) => None,
    }
}

impl World {
    fn act(&mut self, n: u8, act: Act) {
        self.seconds += 600;
        let stamp = Stamp {
            at: Instant::from_millis(1_706_702_400_000 + self.seconds * 1000),
            by: "ana".into(),
            correlation_id: CorrelationId::from_ulid(Ulid(7)),
        };
        match act {
            Act::Create { .. }
            | Act::Send
            | Act::Cancel
            | Act::Claim
            | Act::Release
            | Act::Invoice
            | Act::Delete => {
                let old = self.services.get(&n).cloned();
                if let Some(new) = self.service(n, old.as_ref(), act, &stamp) {
                    self.wrote_service(n, old, new);
                }
            }
            Act::Accept
            | Act::Start
            | Act::AttemptFails
            | Act::Fail
            | Act::Commit
            | Act::Materialise
            | Act::Retry => {
                let old = self.batches.get(&n).cloned();
                if let Some(new) = Self::batch(n, old.as_ref(), act, &stamp) {
                    self.wrote_batch(n, old, new);
                }
            }
        }
    }

    fn service(
        &mut self,
        n: u8,
        old: Option<&Service>,
        act: Act,
        stamp: &Stamp,
    ) -> Option<Service> {
        let holder = batch_id(0);
        let pending = old.and_then(Service::pending).map(|pending| pending.id);
        match act {
            Act::Create { customer, amount } => {
                let new = NewService {
                    service_date: parse_date("2024-01-05").unwrap(),
                    customer_id: customer,
                    amount: pesos(amount),
                    description: None,
                };
                let id = ids::service_id(Ulid(u128::from(n)));
                old.is_none()
                    .then(|| Service::create(id, new, stamp).unwrap().state)
            }
            Act::Send => state(old?.send_to_billing(None, stamp)),
            Act::Cancel => Some(old?.cancel_pending(pending?, stamp.at).ok()?.state.service),
            Act::Claim => state(old?.claim(pending?, holder, stamp.at)),
            Act::Release => state(Ok::<_, ()>(old?.release(pending?, holder, stamp.at))),
            Act::Invoice => {
                let batch = Batch::accepted(holder, order(), stamp).state;
                self.numbers += 1;
                let book = ReceiptBook::parse("A-0001").unwrap();
                let customer = Receiver {
                    name: "One".into(),
                    tax_id: None,
                    iva_condition: IvaCondition::Exento,
                };
                let invoice = Invoice::issue(
                    Draft {
                        service: old?,
                        pending_id: pending?,
                        batch: &batch,
                        number: InvoiceNumber::invoice(book, self.numbers).unwrap(),
                        customer: &customer,
                        grant: None,
                    },
                    stamp.at,
                );
                state(old?.materialise(invoice, stamp.at))
            }
            Act::Delete => state(old?.delete(stamp.at)),
            Act::Accept
            | Act::Start
            | Act::AttemptFails
            | Act::Fail
            | Act::Commit
            | Act::Materialise
            | Act::Retry => None,
        }
    }

    fn batch(n: u8, old: Option<&Batch>, act: Act, stamp: &Stamp) -> Option<Batch> {
        match act {
            Act::Accept => old
                .is_none()
                .then(|| Batch::accepted(batch_id(n), order(), stamp).state),
            Act::Start => state(old?.started(false, stamp.at)),
            Act::AttemptFails => state(old?.attempt_failed(stamp.at)),
            Act::Fail => state(old?.failed("worker_lost", "Retry.", 0, stamp.at)),
            Act::Commit => state(old?.committed(1, 1, stamp.at)),
            Act::Materialise => state(old?.materialised(stamp.at)),
            Act::Retry => state(old?.retried(issuer(), stamp.at)),
            Act::Create { .. }
            | Act::Send
            | Act::Cancel
            | Act::Claim
            | Act::Release
            | Act::Invoice
            | Act::Delete => None,
        }
    }

    fn wrote_service(&mut self, n: u8, old: Option<Service>, new: Service) {
        let image = |service: &Service| {
            let mut item = service_item(&company(), service).unwrap();
            item.extend(table::service(&company(), service.id).attributes());
            item
        };
        self.changed(old.as_ref().map(image), image(&new));
        self.services.insert(n, new);
    }

    fn wrote_batch(&mut self, n: u8, old: Option<Batch>, new: Batch) {
        let image = |batch: &Batch| {
            let mut item: Item = serde_dynamo::to_item(batch).unwrap();
            item.extend(table::batch(&company(), batch.id).attributes());
            item
        };
        self.changed(old.as_ref().map(image), image(&new));
        self.jobs.insert(
            new.job.id.clone(),
            (new.job.status, new.processing_completed_at),
        );
        self.batches.insert(n, new);
    }

    fn changed(&mut self, old: Option<Item>, new: Item) {
        let sequence = (self.changes.len() + 1).to_string();
        self.changes
            .push(Change::of(old, Some(new), sequence).unwrap());
    }

    /// The figures as the documents say, added up without any stream.
    fn expected(&self) -> BTreeMap<Key, Row> {
        let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
        let mut add = |key: Key, column: &str, by: i64| {
            *rows
                .entry(key)
                .or_default()
                .entry(column.to_owned())
                .or_default() += by;
        };
        let mut customers = std::collections::BTreeSet::new();
        for service in self.services.values() {
            let amount = service.amount.minor();
            match &service.state {
                ServiceState::Created | ServiceState::Deleted => {}
                ServiceState::SentToBill(_) => {
                    customers.insert(service.customer_id);
                    for row in ["total".to_owned(), table::customer_row(service.customer_id)] {
                        add(table::summary_row(&company(), row.clone()), "count", 1);
                        add(table::summary_row(&company(), row), "amount", amount);
                    }
                }
                ServiceState::Invoiced(_, invoice) => {
                    let customer = table::customer_row(service.customer_id);
                    for row in ["total", &customer, "book#A-0001", "month#2024-01"] {
                        let row = table::statistics_row(&company(), row);
                        add(row.clone(), "invoices", 1);
                        add(row.clone(), "amount", amount);
                        add(row.clone(), "net", invoice.split().net.minor());
                        add(row, "iva", invoice.split().iva.minor());
                    }
                }
            }
        }
        if !customers.is_empty() {
            add(
                table::summary_row(&company(), "total"),
                "customers",
                i64::try_from(customers.len()).unwrap(),
            );
        }
        for (status, end) in self.jobs.values() {
            add(
                table::job_figures_row(&company(), "total"),
                status.as_str(),
                1,
            );
            if let Some(end) = end.filter(|_| status.is_over()) {
                add(
                    table::job_figures_row(&company(), table::hour_row(end)),
                    status.as_str(),
                    1,
                );
            }
        }
        for row in rows.values_mut() {
            row.retain(|_, value| *value != 0);
        }
        rows.retain(|_, row| !row.is_empty());
        rows
    }
}

fn count(figures: &mut InMemory, changes: &[Change]) {
    figures
        .apply(BILLING, &records(changes), customers_with_pendings)
        .unwrap();
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (1_u32..4, 1_i64..1_000_000).prop_map(|(customer, amount)| Act::Create { customer, amount }),
        6 => Just(Act::Send),
        2 => Just(Act::Cancel),
        4 => Just(Act::Claim),
        1 => Just(Act::Release),
        4 => Just(Act::Invoice),
        1 => Just(Act::Delete),
        3 => Just(Act::Accept),
        4 => Just(Act::Start),
        1 => Just(Act::AttemptFails),
        2 => Just(Act::Fail),
        2 => Just(Act::Commit),
        1 => Just(Act::Materialise),
        2 => Just(Act::Retry),
    ]
}

proptest! {
    /// Invariant: at rest every figure is the sum over the documents, however the stream was cut and however much of it came twice.
    #[test]
    fn figures_are_the_sums_over_the_documents(
        acts in prop::collection::vec((0_u8..6, act()), 0..150),
        deliveries in prop::collection::vec((1_usize..20, 0_usize..20), 1..40),
    ) {
        let mut world = World::default();
        for (n, act) in acts {
            world.act(n, act);
        }
        let mut figures = InMemory::default();
        let mut reached = 0;
        for (forward, back) in deliveries {
            let end = (reached + forward).min(world.changes.len());
            count(&mut figures, &world.changes[reached.saturating_sub(back)..end]);
            reached = end;
        }
        count(&mut figures, &world.changes[reached..]);
        prop_assert_eq!(figures.rows(), &world.expected());
        // All of it once more changes nothing.
        count(&mut figures, &world.changes);
        prop_assert_eq!(figures.rows(), &world.expected());
    }
}

fn world(acts: &[Act]) -> World {
    let mut world = World::default();
    acts.iter().for_each(|act| world.act(0, *act));
    world
}

const CREATE: Act = Act::Create {
    customer: 1,
    amount: 150_000,
};

#[test]
fn a_claim_moves_no_figure() {
    let world = world(&[CREATE, Act::Send, Act::Claim]);
    assert_eq!(records(&world.changes)[2].deltas, []);
}

#[test]
fn an_invoice_leaves_the_summary_and_enters_the_statistics() {
    let world = world(&[CREATE, Act::Send, Act::Claim, Act::Invoice]);
    let mut figures = InMemory::default();
    count(&mut figures, &world.changes);
    let rows: Vec<String> = figures
        .rows()
        .keys()
        .map(|key| format!("{} {}", key.pk, key.sk))
        .collect();
    assert_eq!(
        rows,
        [
            "demo#statistics book#A-0001",
            "demo#statistics customer#0000000001",
            "demo#statistics month#2024-01",
            "demo#statistics total",
        ]
    );
    let total = &figures.rows()[&table::statistics_row(&company(), "total")];
    assert_eq!(
        (
            total["invoices"],
            total["amount"],
            total["net"],
            total["iva"]
        ),
        (1, 150_000, 123_967, 26_033)
    );
}

#[test]
fn a_retried_job_stays_counted_as_failed() {
    let world = world(&[Act::Accept, Act::Start, Act::Fail, Act::Retry]);
    let mut figures = InMemory::default();
    count(&mut figures, &world.changes);
    let total = &figures.rows()[&table::job_figures_row(&company(), "total")];
    assert_eq!(
        total,
        &Row::from([("failed".to_owned(), 1), ("waiting".to_owned(), 1)])
    );
}

#[test]
fn other_items_and_unreadable_ones_stop_nothing() {
    let mut world = world(&[CREATE, Act::Send]);
    let key = Key::new(BILLING, "demo#svc#1", "01");
    let broken = Change::of(None, Some(key.attributes()), "9").unwrap();
    let customer =
        Change::of(None, Some(table::customer(&company(), 1).attributes()), "9").unwrap();
    world.changes.insert(1, broken);
    world.changes.insert(1, customer);
    let mut figures = InMemory::default();
    count(&mut figures, &world.changes);
    assert_eq!(figures.rows(), &world.expected());
}
