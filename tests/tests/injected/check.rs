//! What must hold of a company in the end, read straight from the emulator: the tables' items, and the API where it shows what no item holds.

use std::collections::BTreeSet;

use cierre_billing::entity::{Batch, BatchStatus, Book, Service};
use cierre_billing::heads::BillingHeads;
use cierre_billing::table::{self, BILLING, JOBS_LIST, LIST_INDEX, LIST_PK, LIST_SORT};
use cierre_kernel::company::CompanyId;
use cierre_platform::activity::{self, ChainHeads};
use cierre_platform::db::{Item, Key, Query, read_item, text};
use cierre_tests::{Ask, Inside};
use serde_json::{Value, json};

/// The book of all batches, by its key and as it is asked for.
const BOOK: (&str, &str) = ("A-00001", "A-0001");

/// Actions that happen once to a resource that is made once, or once for each job of a batch that is never retried.
const ONCE: [&str; 8] = [
    "service_created",
    "service_sent_to_billing",
    "pending_created",
    "batch_created",
    "batch_processed",
    "batch_materialized",
    "credit_note_created",
    "sync_created",
];

/// A company's billing at rest.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) batches: Vec<Batch>,
    pub(crate) services: Vec<Service>,
    book: Option<Book>,
}

impl End {
    /// Reads it.
    pub(crate) async fn read(direct: &Inside, company: &CompanyId) -> Self {
        let db = direct.db();
        let book = db.get(&table::book(company, BOOK.0)).await.unwrap();
        let listed = list(direct, table::services_list(company)).await;
        let services = listed.into_iter().map(|item| read_item(item).unwrap());
        Self {
            batches: batches(direct, company).await,
            services: services.collect(),
            book,
        }
    }

    /// Checks the invariants.
    pub(crate) async fn check(&self, direct: &Inside, company: &CompanyId) {
        self.check_batches();
        self.check_services();
        self.check_book();
        self.check_leftovers(direct, company).await;
        self.check_chains(direct, company).await;
        self.check_api(direct, company).await;
    }

    /// Final; counts add up; in `ERROR` it gave no number.
    fn check_batches(&self) {
        for batch in &self.batches {
            assert!(is_final(batch), "not final: {batch:?}");
            if batch.status == BatchStatus::Error {
                assert!(batch.first_number.is_none(), "{batch:?}");
                assert!(batch.error_message.is_some(), "{batch:?}");
                continue;
            }
            let asked = batch.requested_count.unwrap();
            assert_eq!(asked, batch.invoice_count + batch.failed_count, "{batch:?}");
            let (first, last) = (batch.first_number.unwrap(), batch.last_number.unwrap());
            assert_eq!(last - first + 1, batch.invoice_count, "{batch:?}");
        }
    }

    /// Nothing is held; an invoice is its processed batch's and lies within its numbers.
    fn check_services(&self) {
        for service in &self.services {
            let holder = service.pending().and_then(|pending| pending.claimed_by());
            let Some(invoice) = service.invoice() else {
                assert_eq!(holder, None, "held at rest: {service:?}");
                continue;
            };
            let batch = self.batches.iter().find(|b| b.id == invoice.batch_id);
            let batch = batch.unwrap_or_else(|| panic!("an invoice of no batch: {invoice:?}"));
            assert_eq!(batch.status, BatchStatus::Processed, "{batch:?}");
            let numbers = batch.first_number.unwrap()..=batch.last_number.unwrap();
            assert!(numbers.contains(&invoice.number.number()), "{invoice:?}");
            assert!(invoice.grant.is_some(), "{invoice:?}");
            assert_eq!(invoice.amount, service.amount);
        }
    }

    /// Numbers are 1 to last, each once, and the counter says so.
    fn check_book(&self) {
        let invoices = self.services.iter().filter_map(Service::invoice);
        let numbers: Vec<u32> = invoices.clone().map(|i| i.number.number()).collect();
        let distinct: BTreeSet<u32> = numbers.iter().copied().collect();
        assert_eq!(distinct.len(), numbers.len(), "a number twice: {numbers:?}");
        let Some(book) = &self.book else {
            assert!(numbers.is_empty(), "invoices without a book: {numbers:?}");
            return;
        };
        let all: BTreeSet<u32> = (1..=book.last_number).collect();
        assert_eq!(distinct, all, "{book:?}");
        let total: i64 = invoices.map(|invoice| invoice.amount.minor()).sum();
        let counted = (book.invoice_count as usize, book.total_amount);
        assert_eq!(counted, (numbers.len(), total), "{book:?}");
        let of_batches: i64 = self
            .batches
            .iter()
            .filter(|batch| batch.status == BatchStatus::Processed)
            .map(|batch| batch.total_amount)
            .sum();
        assert_eq!(of_batches, total, "{:?}", self.batches);
    }

    /// No ticket waits, and the sweeper finds nothing.
    async fn check_leftovers(&self, direct: &Inside, company: &CompanyId) {
        let tickets = Query::partition(BILLING, table::book_queue(company, BOOK.0));
        let tickets = direct.db().query_all(tickets).await.unwrap();
        assert!(tickets.is_empty(), "tickets are left: {tickets:?}");
        for batch in &self.batches {
            let run = table::batch_run(company, batch.id);
            let run: Item = direct.db().get_item(&run).await.unwrap().unwrap();
            assert_ne!(text(&run, LIST_PK), Some(JOBS_LIST), "still swept: {run:?}");
        }
    }

    /// The chains of what was made here hold, and nothing is reported twice that happens once.
    async fn check_chains(&self, direct: &Inside, company: &CompanyId) {
        let sort = activity::TIME_SORT;
        let all = Query::index(
            activity::TABLE,
            activity::BY_COMPANY,
            "companyPk",
            company.as_str(),
            sort,
        );
        let events = direct.db().query_all(all).await.unwrap();
        let mut once = BTreeSet::new();
        for item in &events {
            let event = activity::read(item).unwrap();
            let (kind, id) = (event.resource_type.clone(), event.resource_id.clone());
            if ONCE.contains(&event.action.as_str()) {
                let said = (id.clone(), event.action.clone());
                assert!(once.insert(said), "reported twice: {event:?}");
            }
            // What was copied has a head, and its first events stand under the company that it is a copy of.
            if event.sequence == 1 {
                check_chain(direct, company, &kind, &id).await;
            }
        }
    }

    /// What the API shows of batches and book agrees with the items.
    async fn check_api(&self, direct: &Inside, company: &CompanyId) {
        let ask = async |path: String| direct.ask(company, &Ask::get(path)).await.ok();
        for batch in &self.batches {
            let path = format!("/invoices/by-batch/{}?limit=100", batch.id);
            let shown = ask(path).await["items"].as_array().unwrap().len();
            assert_eq!(shown, batch.invoice_count.min(100) as usize, "{batch:?}");
        }
        if let Some(book) = &self.book {
            let proof: Value = ask(format!("/receipt-books/{}/verify", BOOK.1)).await;
            let (valid, count) = (&proof["valid"], &proof["count"]);
            let wanted = (&json!(true), &json!(book.last_number));
            assert_eq!((valid, count), wanted, "{proof}");
            assert_eq!(proof["withoutCae"], 0, "{proof}");
        }
    }
}

/// Whether nothing is left to do for a batch.
pub(crate) fn is_final(batch: &Batch) -> bool {
    match batch.status {
        BatchStatus::Error => true,
        BatchStatus::Processed => batch.materialized,
        BatchStatus::PendingProcessing | BatchStatus::InProcess => false,
    }
}

/// The company's batches, oldest first.
pub(crate) async fn batches(direct: &Inside, company: &CompanyId) -> Vec<Batch> {
    let listed = list(direct, table::batches_list(company)).await;
    listed
        .into_iter()
        .map(|item| read_item(item).unwrap())
        .collect()
}

/// The items of a list, in its order.
async fn list(direct: &Inside, partition: String) -> Vec<Item> {
    let query = Query::index(BILLING, LIST_INDEX, LIST_PK, partition, LIST_SORT);
    let listed = direct.db().query_all(query).await.unwrap();
    let keys = listed.iter().filter_map(|item| Key::of(BILLING, item));
    let keys: Vec<Key> = keys.collect();
    let loaded = direct.db().load(keys.clone()).await.unwrap();
    let found = keys.iter().map(|key| loaded.item(key).unwrap().clone());
    found.collect()
}

async fn check_chain(direct: &Inside, company: &CompanyId, kind: &str, id: &str) {
    let places = BillingHeads.locate(company, kind, id);
    let verified = activity::verify(direct.db(), company, kind, id, &places).await;
    let verified = verified
        .unwrap()
        .unwrap_or_else(|| panic!("no chain of {kind} {id}"));
    assert!(verified.verdict.valid, "{kind} {id}: {verified:?}");
}
