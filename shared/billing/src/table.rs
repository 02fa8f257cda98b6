//! Where everything of billing stands: one table, one function per kind of row.
//!
//! Every partition key begins with the company. A service, its current pending and its invoice are **one** item, spread over eight shards by
//! the last character of the service's id, so that sending, claiming and invoicing each touch a single item.
//!
//! | index | partition | sort | holds |
//! | --- | --- | --- | --- |
//! | `Open` (local, strong) | `pk` | `openSort` | services that are not invoiced |
//! | `List` | `listPk` | `listSort` | services, batches, number ranges, unfinished jobs |
//! | `Customer` | `customerPk` | `listSort` | a customer's services and cancelled pendings |
//! | `Pendings` | `pendingPk` | `pendingSort` | every pending, whatever its state |
//!
//! All of them carry keys only: a list reads the keys it needs from an index and the items themselves from the table.

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{BatchId, PendingId, ServiceId, SyncId};
use cierre_kernel::time::{Date, Instant};
use cierre_platform::db::{Key, Query, Table};
use ulid::Ulid;

use crate::ids;

/// The table of the domain.
pub const BILLING: Table = Table::new("BILLING_TABLE");

/// Local index over services that are not invoiced.
pub const OPEN_INDEX: &str = "Open";
/// Global index of a company's services, batches, number ranges, and of all unfinished jobs.
pub const LIST_INDEX: &str = "List";
/// Global index of a customer's services and cancelled pendings.
pub const CUSTOMER_INDEX: &str = "Customer";
/// Global index of a company's pendings.
pub const PENDINGS_INDEX: &str = "Pendings";

/// Sort attribute of [`OPEN_INDEX`].
pub const OPEN_SORT: &str = "openSort";
/// Partition attribute of [`LIST_INDEX`].
pub const LIST_PK: &str = "listPk";
/// Sort attribute of [`LIST_INDEX`] and of [`CUSTOMER_INDEX`].
pub const LIST_SORT: &str = "listSort";
/// Partition attribute of [`CUSTOMER_INDEX`].
pub const CUSTOMER_PK: &str = "customerPk";
/// Partition attribute of [`PENDINGS_INDEX`].
pub const PENDING_PK: &str = "pendingPk";
/// Sort attribute of [`PENDINGS_INDEX`].
pub const PENDING_SORT: &str = "pendingSort";

/// Over how many partitions a company's services are spread.
pub const SERVICE_SHARDS: u8 = 8;
pub use cierre_platform::listing::AFTER_ALL;

/// The partition of all unfinished jobs in [`LIST_INDEX`]. It belongs to no company, because the sweeper looks at all of them; no company's
/// name can begin so.
pub const JOBS_LIST: &str = "~jobs";

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key::new(BILLING, pk, sk)
}

// --- customers ---

/// The partition of a company's customers, in order of their ids.
pub fn customers(company: &CompanyId) -> String {
    format!("{company}#customer")
}

/// A customer's id at a width at which texts sort as numbers do.
pub fn customer_sort(customer_id: u32) -> String {
    format!("{customer_id:010}")
}

/// A customer.
pub fn customer(company: &CompanyId, customer_id: u32) -> Key {
    key(customers(company), customer_sort(customer_id))
}

// --- services, their pendings and invoices ---

/// The shard that a service is in.
pub fn shard_of(service: ServiceId) -> u8 {
    // The last character of a ULID carries five bits; eight shards take the lowest three.
    service.ulid().0.to_be_bytes()[15] % SERVICE_SHARDS
}

/// One shard of a company's services.
pub fn service_shard(company: &CompanyId, shard: u8) -> String {
    format!("{company}#svc#{shard}")
}

/// A service with its current pending and its invoice.
pub fn service(company: &CompanyId, service: ServiceId) -> Key {
    key(
        service_shard(company, shard_of(service)),
        service.ulid().to_string(),
    )
}

/// The item that holds a pending, as long as it is its service's current one. Its id says which.
pub fn service_of_pending(company: &CompanyId, pending: PendingId) -> Key {
    service(company, ids::service_of(pending).0)
}

/// A cancelled pending; it stands behind its service, in the same partition.
pub fn cancelled_pending(company: &CompanyId, service: ServiceId, pending: PendingId) -> Key {
    key(
        service_shard(company, shard_of(service)),
        format!("{}#{}", service.ulid(), pending.ulid()),
    )
}

/// Whether the sort key is a cancelled pending's rather than a service's.
pub fn is_cancelled_pending(sk: &str) -> bool {
    sk.contains('#')
}

/// The partition of a company's services in [`LIST_INDEX`].
pub fn services_list(company: &CompanyId) -> String {
    format!("{company}#svc")
}

/// The partition of one customer's services in [`CUSTOMER_INDEX`].
pub fn customer_list(company: &CompanyId, customer_id: u32) -> String {
    format!("{company}#customer#{}", customer_sort(customer_id))
}

/// The partition of a company's pendings in [`PENDINGS_INDEX`].
pub fn pendings_list(company: &CompanyId) -> String {
    format!("{company}#pending")
}

/// One customer's services and cancelled pendings, in order of [`LIST_SORT`].
pub fn of_customer(company: &CompanyId, customer_id: u32) -> Query {
    let partition = customer_list(company, customer_id);
    Query::index(BILLING, CUSTOMER_INDEX, CUSTOMER_PK, partition, LIST_SORT)
}

/// The services that are not invoiced, shard by shard, each in order of [`OPEN_SORT`].
pub fn open_services(company: &CompanyId) -> Vec<Query> {
    let shards = (0..SERVICE_SHARDS).map(|shard| service_shard(company, shard));
    shards
        .map(|shard| Query::local_index(BILLING, OPEN_INDEX, shard, OPEN_SORT))
        .collect()
}

/// Sorts behind everything that is listed under this day and before the next day.
pub fn end_of_day(date: Date) -> String {
    format!("{date}#{AFTER_ALL}")
}

/// The sort key of everything that is listed by date, then id.
pub fn dated(date: Date, id: Ulid) -> String {
    format!("{date}#{id}")
}

// --- batches ---

/// The partition of a batch and of everything that it works with.
pub fn batch_partition(company: &CompanyId, batch: BatchId) -> String {
    format!("{company}#batch#{batch}")
}

/// Reads a batch's partition key, for what comes out of [`LIST_INDEX`] without its company.
pub fn read_batch_partition(pk: &str) -> Option<(CompanyId, BatchId)> {
    let (company, batch) = pk.split_once("#batch#")?;
    Some((CompanyId::parse(company).ok()?, batch.parse().ok()?))
}

/// A batch.
pub fn batch(company: &CompanyId, batch: BatchId) -> Key {
    key(batch_partition(company, batch), "batch")
}

/// The run of a batch: its lease and how far it is.
pub fn batch_run(company: &CompanyId, batch: BatchId) -> Key {
    key(batch_partition(company, batch), "run")
}

/// A block of the ids that a batch was asked for.
pub fn requested_ids(company: &CompanyId, batch: BatchId, block: u32) -> Key {
    key(batch_partition(company, batch), format!("ids#{block:05}"))
}

/// What the sort keys of a batch's requested ids begin with.
pub const REQUESTED_IDS_PREFIX: &str = "ids#";

/// What a run of a batch writes down, block by block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunBlock {
    /// The pendings that a selection came to.
    Selection,
    /// What the claim of each pending came to.
    Claim,
    /// The documents in the order of their numbers.
    Documents,
}

impl RunBlock {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Selection, Self::Claim, Self::Documents];

    const fn word(self) -> &'static str {
        match self {
            Self::Selection => "sel",
            Self::Claim => "claim",
            Self::Documents => "doc",
        }
    }

    /// What the sort keys of this kind begin with in a run.
    pub fn prefix(self, run: u32) -> String {
        format!("r{run}#{}#", self.word())
    }
}

/// A block of a run of a batch.
pub fn run_block(company: &CompanyId, batch: BatchId, run: u32, kind: RunBlock, block: u32) -> Key {
    key(
        batch_partition(company, batch),
        format!("{}{block:05}", kind.prefix(run)),
    )
}

/// The partition of a company's batches in [`LIST_INDEX`]; the sort key is the batch's ULID.
pub fn batches_list(company: &CompanyId) -> String {
    format!("{company}#batch")
}

/// An instant at a width at which texts sort as instants do: milliseconds, 13 digits, as in [`LIST_INDEX`] of unfinished jobs.
pub fn millis_sort(at: Instant) -> String {
    format!("{:013}", at.as_millis())
}

/// The chain of refused batch requests, which have no batch to stand in.
pub fn rejected_batches(company: &CompanyId) -> Key {
    key(format!("{company}#rejected"), "billing_batch")
}

// --- ERP syncs ---

/// The partition of a sync and of everything that it works with.
pub fn sync_partition(company: &CompanyId, sync: SyncId) -> String {
    format!("{company}#sync#{sync}")
}

/// Reads a sync's partition key, for what comes out of [`LIST_INDEX`] without its company.
pub fn read_sync_partition(pk: &str) -> Option<(CompanyId, SyncId)> {
    let (company, sync) = pk.split_once("#sync#")?;
    Some((CompanyId::parse(company).ok()?, sync.parse().ok()?))
}

/// A sync.
pub fn sync(company: &CompanyId, sync: SyncId) -> Key {
    key(sync_partition(company, sync), "sync")
}

/// What a sync's worker has to do and how far it is; there while there is something to do.
pub fn sync_work(company: &CompanyId, sync: SyncId) -> Key {
    key(sync_partition(company, sync), "work")
}

/// The documents of one part of a sync.
pub fn sync_documents(company: &CompanyId, sync: SyncId, part: u32) -> Key {
    key(sync_partition(company, sync), format!("docs#{part:05}"))
}

/// A block of the documents that a sync was asked for and does not take.
pub fn sync_refused(company: &CompanyId, sync: SyncId, block: u32) -> Key {
    key(sync_partition(company, sync), format!("refused#{block:05}"))
}

/// The partition of a company's syncs in [`LIST_INDEX`]; the sort key is the sync's ULID.
pub fn syncs_list(company: &CompanyId) -> String {
    format!("{company}#sync")
}

/// The chain of refused requests for syncs.
pub fn rejected_syncs(company: &CompanyId) -> Key {
    key(format!("{company}#rejected"), "erp_sync")
}

// --- receipt books; `book` is the letter and the point of sale with five digits, `A-00001`, whatever the spelling ---

/// The partition of a company's receipt books.
pub fn books(company: &CompanyId) -> String {
    format!("{company}#book")
}

/// A receipt book.
pub fn book(company: &CompanyId, book: &str) -> Key {
    key(books(company), book)
}

/// The partition of the numbers that a book has given.
pub fn book_ranges(company: &CompanyId, book: &str) -> String {
    format!("{company}#book#{book}")
}

/// A number at the width of its printed form.
pub fn number_sort(number: u32) -> String {
    format!("{number:08}")
}

/// The numbers of one committed batch, found by the last of them: the first range whose sort key is not below a number holds that number.
pub fn book_range(company: &CompanyId, book: &str, last_number: u32) -> Key {
    key(book_ranges(company, book), number_sort(last_number))
}

/// The partition of a company's number ranges in [`LIST_INDEX`], by date, spelling and number.
pub fn documents_list(company: &CompanyId) -> String {
    format!("{company}#document")
}

/// The sort key of documents that are listed by date, book and number.
pub fn document_sort(issue_date: Date, spelling: &str, last_number: u32) -> String {
    format!("{issue_date}#{spelling}#{}", number_sort(last_number))
}

/// The partition of the counters of credit notes, by book.
pub fn credit_note_books(company: &CompanyId) -> String {
    format!("{company}#notebook")
}

/// The counter of a book's credit notes.
pub fn credit_note_book(company: &CompanyId, book: &str) -> Key {
    key(credit_note_books(company), book)
}

/// The partition of a book's credit notes, by number.
pub fn credit_notes(company: &CompanyId, book: &str) -> String {
    format!("{company}#note#{book}")
}

/// A credit note, under its number.
pub fn credit_note(company: &CompanyId, book: &str, number: u32) -> Key {
    key(credit_notes(company, book), number_sort(number))
}

/// The company of a partition of credit notes, for what comes out of [`LIST_INDEX`] or a stream without it.
pub fn read_credit_notes(pk: &str) -> Option<CompanyId> {
    let (company, _) = pk.split_once("#note#")?;
    CompanyId::parse(company).ok()
}

/// The partition of a company's credit notes in [`LIST_INDEX`], by date, sequence and number.
pub fn credit_notes_list(company: &CompanyId) -> String {
    format!("{company}#note")
}

/// The partition of one customer's credit notes in [`CUSTOMER_INDEX`], in the same order.
pub fn customer_credit_notes(company: &CompanyId, customer_id: u32) -> String {
    format!("{}#note", customer_list(company, customer_id))
}

/// The partition of the batches that wait for a book, first come first.
pub fn book_queue(company: &CompanyId, book: &str) -> String {
    format!("{company}#bookqueue#{book}")
}

/// A batch's place in a book's queue.
pub fn book_ticket(
    company: &CompanyId,
    book: &str,
    accepted: Instant,
    batch: BatchId,
    run: u32,
) -> Key {
    key(
        book_queue(company, book),
        format!("{}#{batch}#{run}", millis_sort(accepted)),
    )
}

/// The partition of a customer's documents.
pub fn customer_documents(company: &CompanyId, customer_id: u32) -> String {
    format!("{company}#custdocs#{}", customer_sort(customer_id))
}

/// One posting of a batch to a customer: which numbers the customer got.
pub fn customer_posting(
    company: &CompanyId,
    customer_id: u32,
    issue_date: Date,
    spelling: &str,
    last_number: u32,
) -> Key {
    key(
        customer_documents(company, customer_id),
        document_sort(issue_date, spelling, last_number),
    )
}

// --- figures; they follow the table's stream ---

/// The sort key of the row over everything.
pub const TOTAL: &str = "total";
/// What the sort keys of rows per customer begin with.
pub const CUSTOMER_ROWS: &str = "customer#";
/// What the sort keys of rows per receipt book begin with.
pub const BOOK_ROWS: &str = "book#";
/// What the sort keys of rows per month begin with.
pub const MONTH_ROWS: &str = "month#";
/// What the sort keys of rows per hour begin with.
pub const HOUR_ROWS: &str = "hour#";

/// The sort key of a customer's row.
pub fn customer_row(customer_id: u32) -> String {
    format!("{CUSTOMER_ROWS}{}", customer_sort(customer_id))
}

/// The partition of the summary of pendings.
pub fn summary(company: &CompanyId) -> String {
    format!("{company}#summary")
}

/// A row of the summary of pendings: [`TOTAL`] or [`customer_row`].
pub fn summary_row(company: &CompanyId, row: impl Into<String>) -> Key {
    key(summary(company), row)
}

/// The partition of the statistics of documents.
pub fn statistics(company: &CompanyId) -> String {
    format!("{company}#statistics")
}

/// A row of the statistics: [`TOTAL`], [`customer_row`], `book#` and the spelling, `month#` and `YYYY-MM`.
pub fn statistics_row(company: &CompanyId, row: impl Into<String>) -> Key {
    key(statistics(company), row)
}

/// The partition of the figures of jobs.
pub fn job_figures(company: &CompanyId) -> String {
    format!("{company}#jobs")
}

/// A row of the figures of jobs: [`TOTAL`] or [`hour_row`].
pub fn job_figures_row(company: &CompanyId, row: impl Into<String>) -> Key {
    key(job_figures(company), row)
}

/// The sort key of the row of the hour (UTC) that the instant lies in: `hour#2024-01-31T12`.
pub fn hour_row(at: Instant) -> String {
    let hour: String = at.to_string().chars().take("2024-01-31T12".len()).collect();
    format!("{HOUR_ROWS}{hour}")
}

// --- settings ---

/// The billing settings of a company.
pub fn billing_settings(company: &CompanyId) -> Key {
    key(format!("{company}#settings"), "billing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn company() -> CompanyId {
        CompanyId::parse("demo").unwrap()
    }

    #[test]
    fn the_shard_is_the_last_character_modulo_eight() {
        for n in 0..64_u128 {
            let id = ServiceId::new(Ulid((7 << 80) + n));
            let last = id.to_string().chars().last().unwrap();
            let value = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".find(last).unwrap();
            assert_eq!(usize::from(shard_of(id)), value & 7);
        }
    }

    #[test]
    fn a_cancelled_pending_stands_behind_its_service() {
        let (svc, pen) = (ServiceId::new(Ulid(9)), PendingId::new(Ulid(9)));
        let (service, history) = (
            service(&company(), svc),
            cancelled_pending(&company(), svc, pen),
        );
        assert_eq!(service.pk, "demo#svc#1");
        assert_eq!(service.pk, history.pk);
        assert!(service.sk < history.sk);
        assert!(is_cancelled_pending(&history.sk) && !is_cancelled_pending(&service.sk));
    }

    #[test]
    fn a_resent_pending_is_in_the_item_of_its_service() {
        let service_id: ServiceId = "svc_01JD000000000000000000000A".parse().unwrap();
        for pending in [
            "pen_01JD000000000000000000000A",
            "pen_01JD000000010000000000000A",
            "pen_01JD000000ZZ0000000000000A",
        ] {
            let key = service_of_pending(&company(), pending.parse().unwrap());
            assert_eq!(key, service(&company(), service_id));
        }
    }

    #[test]
    fn a_batch_is_read_out_of_its_partition() {
        let id = BatchId::new(Ulid(5));
        assert_eq!(
            read_batch_partition(&batch_partition(&company(), id)),
            Some((company(), id))
        );
        assert_eq!(read_batch_partition("demo#svc#1"), None);
    }

    #[test]
    fn rows_sort_as_what_they_stand_for() {
        assert!(customer_sort(9) < customer_sort(10));
        assert!(customer_sort(i32::MAX.unsigned_abs()).len() == 10);
        let moment = Instant::parse("2024-01-31T12:59:59.999Z").unwrap();
        assert_eq!(hour_row(moment), "hour#2024-01-31T12");
        assert_eq!(millis_sort(moment), "1706705999999");
        let date = cierre_kernel::time::parse_date("2024-01-31").unwrap();
        assert_eq!(
            document_sort(date, "A-0001", 3),
            "2024-01-31#A-0001#00000003"
        );
        assert_eq!(
            dated(date, Ulid(1)),
            "2024-01-31#00000000000000000000000001"
        );
        assert!(dated(date, Ulid(u128::MAX)) < end_of_day(date));
        assert!(end_of_day(date) < dated(date.tomorrow().unwrap(), Ulid(0)));
    }

    #[test]
    fn no_two_kinds_of_rows_share_a_key() {
        let (company, bat) = (company(), BatchId::new(Ulid(1)));
        let (svc, pen) = (ServiceId::new(Ulid(1)), PendingId::new(Ulid(1)));
        let date = cierre_kernel::time::parse_date("2024-01-31").unwrap();
        let at = Instant::from_millis(1);
        let mut keys = vec![
            customer(&company, 1),
            service(&company, svc),
            cancelled_pending(&company, svc, pen),
            batch(&company, bat),
            batch_run(&company, bat),
            requested_ids(&company, bat, 0),
            rejected_batches(&company),
            book(&company, "A-00001"),
            book_range(&company, "A-00001", 1),
            book_ticket(&company, "A-00001", at, bat, 0),
            customer_posting(&company, 1, date, "A-0001", 1),
            summary_row(&company, TOTAL),
            summary_row(&company, customer_row(1)),
            statistics_row(&company, TOTAL),
            job_figures_row(&company, TOTAL),
            job_figures_row(&company, hour_row(at)),
            billing_settings(&company),
        ];
        keys.extend(RunBlock::ALL.map(|kind| run_block(&company, bat, 0, kind, 0)));
        let distinct: BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
