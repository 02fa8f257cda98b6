//! Stage 3: one small transaction makes the batch real, whatever its size. This is the only place where numbers are given.
//!
//! ```text
//! t0  batch X reads the book: last number 7        batch Y (inline) reads the book: last number 7
//! t1  X commits: 7 → 10, X has 8..10
//! t2                                               Y commits on condition "last number is 7": refused, nothing is written
//! t3                                               Y reads the book again: 10; commits 10 → 12, Y has 11..12
//! ```
//!
//! No number can be burnt: it does not exist before the transaction, and after it the documents exist too. If the answer is lost, the next
//! delivery reads the batch: it is `PROCESSED` or it is not, and a second commit is impossible because the batch's version moved.

use cierre_kernel::cuit::Cuit;
use cierre_platform::company::CompanySettings;
use cierre_platform::db::{Changes, Condition, Key, Tx};
use cierre_platform::{Failure, clock, company};

use super::items::{Phase, Range, Run};
use super::turn::{Stop, Turn};
use crate::entity::{Book, Issuer};
use crate::error::BatchRefusal;
use crate::table;

/// Lost races for a book's counter within one attempt.
const RACES: u32 = 10;

impl Turn<'_> {
    /// Commits the batch.
    pub(super) async fn commit_batch(&mut self) -> Result<(), Stop> {
        for _ in 0..RACES {
            let book_key = table::book(&self.context.company, &self.batch.receipt_book.key());
            let loaded = self
                .db
                .load([
                    book_key.clone(),
                    company::settings_key(&self.context.company),
                ])
                .await?;
            let book = self.admissible(loaded.read(&book_key)?)?;
            let settings: Option<CompanySettings> =
                loaded.read(&company::settings_key(&self.context.company))?;
            let settings = settings.ok_or(BatchRefusal::FiscalIdentityChanged)?;
            if self.try_commit(book_key, book, &settings).await? {
                return Ok(());
            }
        }
        Err(Failure::message("the race for the book's numbers was lost ten times").into())
    }

    /// From the first number on, the issuer's CUIT is fixed. A change of the settings that did not see the lock is refused by its own
    /// condition; once it is locked, nothing is left to guard.
    fn lock_fiscal_identity(&self, tx: &mut Tx, settings: &CompanySettings) -> Result<(), Stop> {
        if !is_still(&self.batch.issuer, settings) {
            return Err(BatchRefusal::FiscalIdentityChanged.into());
        }
        if !settings.fiscal_lock {
            let lock = Changes::new().set(company::FISCAL_LOCK, true);
            tx.update(
                company::settings_key(&self.context.company),
                lock,
                Condition::version(settings.version),
            );
        }
        Ok(())
    }

    /// Whether the book takes this batch, by what it reads now.
    fn admissible(&self, book: Option<Book>) -> Result<Book, Stop> {
        let wanted = &self.batch.receipt_book;
        let Some(book) = book else {
            return Ok(Book::unused(wanted));
        };
        book.admits(wanted, self.batch.issue_date, self.run.valid)?;
        Ok(book)
    }

    /// One try. `false`: somebody moved the book in between.
    async fn try_commit(
        &mut self,
        book_key: Key,
        book: Book,
        settings: &CompanySettings,
    ) -> Result<bool, Stop> {
        let now = clock::now();
        let count = self.run.valid;
        let first = book.last_number + 1;
        let last = book.last_number + count;
        let next = Run {
            phase: Phase::Materialise,
            working: false,
            ..self.run.clone()
        };
        let mut tx = self.fenced(&next);
        let moved = book.advanced(self.batch.issue_date, count, self.batch.total_amount);
        if book.is_unused() {
            tx.put(book_key, &moved, Condition::absent())?;
        } else {
            // Only the counter's own attributes: the head of the book's chain is moved by whoever verifies it, at any time.
            let changes = Changes::new()
                .set("lastNumber", moved.last_number)
                .set("lastIssueDate", self.batch.issue_date.to_string())
                .set("invoiceCount", moved.invoice_count)
                .set("totalAmount", moved.total_amount);
            tx.update(
                book_key,
                changes,
                Condition::default().eq("lastNumber", book.last_number),
            );
        }
        let spelling = self.batch.receipt_book.to_string();
        let normalised = self.batch.receipt_book.key();
        let company = &self.context.company;
        let range = Range {
            batch_id: self.batch.id,
            run: self.run.run,
            first,
            last,
            issue_date: self.batch.issue_date,
            receipt_book: spelling.clone(),
            total: self.batch.total_amount,
            list_pk: table::documents_list(company),
            list_sort: table::document_sort(self.batch.issue_date, &spelling, last),
        };
        tx.put(
            table::book_range(company, &normalised, last),
            &range,
            Condition::absent(),
        )?;
        if let Some(ticket) = &self.run.ticket {
            tx.delete(
                Key::new(
                    table::BILLING,
                    table::book_queue(company, &normalised),
                    ticket,
                ),
                Condition::always(),
            );
        }
        self.lock_fiscal_identity(&mut tx, settings)?;
        let batch = self.write_batch(&mut tx, self.batch.committed(first, count, now))?;
        match self.commit(&tx, next).await? {
            Ok(()) => {
                self.batch = batch;
                Ok(true)
            }
            // The book or the settings moved since they were read; the batch and its run are ours alone.
            Err(_) => Ok(false),
        }
    }
}

/// Whether the company's CUIT is the one that the batch was accepted with.
fn is_still(issuer: &Issuer, settings: &CompanySettings) -> bool {
    settings
        .settings
        .tax_id
        .as_deref()
        .and_then(|text| Cuit::parse(text).ok())
        == Some(issuer.tax_id)
}
