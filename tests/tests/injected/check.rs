//! What must hold of a company in the end, read straight from the emulator: the tables' items, and the API where it shows what no item holds.

use std::collections::BTreeSet;

use cierre_billing::entity::{
    Batch, BatchStatus, Book, Compensation, CreditNote, ErpSync, Service, SyncStatus,
};
use cierre_billing::heads::BillingHeads;
use cierre_billing::table::{self, BILLING, JOBS_LIST, LIST_INDEX, LIST_PK, LIST_SORT};
use cierre_kernel::company::CompanyId;
use cierre_platform::activity::{self, ChainHeads};
use cierre_platform::db::{Item, Key, Query, read_item};
use cierre_tests::{Ask, Inside};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The key of the book of all batches.
const BOOK: &str = "A-00001";

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
    pub(crate) notes: Vec<CreditNote>,
    pub(crate) syncs: Vec<ErpSync>,
    book: Option<Book>,
    note_book: Option<Book>,
}

impl End {
    /// Reads it.
    pub(crate) async fn read(direct: &Inside, company: &CompanyId) -> Self {
        let db = direct.db();
        let books = [
            table::book(company, BOOK),
            table::credit_note_book(company, BOOK),
        ];
        let loaded = db.load(books.clone()).await.unwrap();
        let [book, note_book] = books.map(|key| loaded.read::<Book>(&key).unwrap());
        let notes = Query::partition(BILLING, table::credit_notes(company, BOOK));
        Self {
            batches: read(list(direct, table::batches_list(company)).await),
            services: read(list(direct, table::services_list(company)).await),
            notes: read(db.query_all(notes).await.unwrap()),
            syncs: read(list(direct, table::syncs_list(company)).await),
            book,
            note_book,
        }
    }

    /// Checks the invariants; those that the API shows, if that is wanted.
    pub(crate) async fn check(&self, direct: &Inside, company: &CompanyId, shown: bool) {
        self.check_batches();
        self.check_services();
        self.check_book();
        self.check_notes();
        self.check_syncs();
        self.check_tickets(direct, company).await;
        self.check_chains(direct, company).await;
        if shown {
            self.check_api(direct, company).await;
        }
    }

    /// Final; counts add up; in `ERROR` it gave no number.
    fn check_batches(&self) {
        for batch in &self.batches {
            assert!(is_at_its_end(batch), "not at its end: {batch:?}");
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

    /// Numbers of credit notes are 1 to last as well; each is authorised, and an invoice's notes add up to what it was credited.
    fn check_notes(&self) {
        let numbers: Vec<u32> = self.notes.iter().map(|note| note.number.number()).collect();
        let last = self.note_book.as_ref().map_or(0, |book| book.last_number);
        assert_eq!(
            numbers,
            (1..=last).collect::<Vec<u32>>(),
            "{:?}",
            self.notes
        );
        assert!(
            self.notes.iter().all(|note| note.grant.is_some()),
            "{:?}",
            self.notes
        );
        for invoice in self.services.iter().filter_map(Service::invoice) {
            let notes = self
                .notes
                .iter()
                .filter(|note| note.origin_id == invoice.id);
            let named: Vec<u32> = notes.clone().map(|note| note.number.number()).collect();
            assert_eq!(invoice.notes, named, "{invoice:?}");
            let credited: i64 = notes.map(|note| note.amount.minor()).sum();
            assert_eq!(invoice.credited.minor(), credited, "{invoice:?}");
            assert!(credited <= invoice.amount.minor(), "{invoice:?}");
        }
    }

    /// Every sync is at its end, and one that did not fail holds just what it counts.
    fn check_syncs(&self) {
        for sync in &self.syncs {
            assert_ne!(sync.status, SyncStatus::Pending, "{sync:?}");
            assert_ne!(sync.compensation, Compensation::Pending, "{sync:?}");
            if sync.status == SyncStatus::Failed {
                assert!(sync.error_message.is_some(), "{sync:?}");
                continue;
            }
            assert_eq!(sync.sent_chunks, sync.chunks, "{sync:?}");
            let held = self.services.iter().filter_map(Service::invoice);
            let held = held.filter(|invoice| invoice.sync == Some(sync.id));
            let amounts: Vec<i64> = held.map(|invoice| invoice.amount.minor()).collect();
            let (count, total) = (amounts.len() as u32, amounts.iter().sum());
            assert_eq!(
                (sync.invoice_count, sync.total_amount),
                (count, total),
                "{sync:?}"
            );
        }
    }

    /// No batch waits for its turn.
    async fn check_tickets(&self, direct: &Inside, company: &CompanyId) {
        let tickets = Query::partition(BILLING, table::book_queue(company, BOOK));
        let tickets = direct.db().query_all(tickets).await.unwrap();
        assert!(tickets.is_empty(), "tickets are left: {tickets:?}");
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

    /// What the API shows of batches and books agrees with the items, and what would go to the ERP balances.
    async fn check_api(&self, direct: &Inside, company: &CompanyId) {
        let ask = async |ask: Ask| direct.ask(company, &ask).await.ok();
        for batch in &self.batches {
            let path = format!("/invoices/by-batch/{}?limit=100", batch.id);
            let shown = ask(Ask::get(path)).await["items"].as_array().unwrap().len();
            assert_eq!(shown, batch.invoice_count.min(100) as usize, "{batch:?}");
        }
        for (book, name) in [(&self.book, "A-0001"), (&self.note_book, "A-0001-NC")] {
            let Some(book) = book else { continue };
            let path = format!("/receipt-books/{name}/verify");
            let proof: Value = ask(Ask::get(path)).await;
            let (valid, count) = (&proof["valid"], &proof["count"]);
            let wanted = (&json!(true), &json!(book.last_number));
            assert_eq!((valid, count), wanted, "{proof}");
            assert_eq!(proof["withoutCae"], 0, "{proof}");
        }
        let notes = self.notes.iter().map(|note| note.id.to_string());
        let invoices = self.services.iter().filter_map(Service::invoice);
        let ids: Vec<String> = invoices.map(|i| i.id.to_string()).chain(notes).collect();
        if !ids.is_empty() {
            let preview = Ask::post("/erp-sync/preview", json!({ "invoiceIds": ids }));
            let preview = ask(preview).await;
            assert_eq!(preview["totalDebit"], preview["totalCredit"], "{preview}");
        }
    }
}

/// Whether nothing is left to do for a batch.
pub(crate) fn is_at_its_end(batch: &Batch) -> bool {
    match batch.status {
        BatchStatus::Error => true,
        BatchStatus::Processed => batch.materialized,
        BatchStatus::PendingProcessing | BatchStatus::InProcess => false,
    }
}

/// What the sweeper knows of a company: everything that is not at its end.
pub(crate) async fn unfinished(direct: &Inside, company: &CompanyId) -> Vec<Key> {
    let jobs = Query::index(BILLING, LIST_INDEX, LIST_PK, JOBS_LIST, LIST_SORT);
    let jobs = direct.db().query_all(jobs).await.unwrap();
    let keys = jobs.iter().filter_map(|item| Key::of(BILLING, item));
    let prefix = format!("{company}#");
    keys.filter(|key| key.pk.starts_with(&prefix)).collect()
}

/// The company's batches, oldest first.
pub(crate) async fn batches(direct: &Inside, company: &CompanyId) -> Vec<Batch> {
    read(list(direct, table::batches_list(company)).await)
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

fn read<T: DeserializeOwned>(items: Vec<Item>) -> Vec<T> {
    let read = |item| read_item(item).unwrap();
    items.into_iter().map(read).collect()
}

async fn check_chain(direct: &Inside, company: &CompanyId, kind: &str, id: &str) {
    let places = BillingHeads.locate(company, kind, id);
    let verified = activity::verify(direct.db(), company, kind, id, &places).await;
    let verified = verified
        .unwrap()
        .unwrap_or_else(|| panic!("no chain of {kind} {id}"));
    assert!(verified.verdict.valid, "{kind} {id}: {verified:?}");
}
