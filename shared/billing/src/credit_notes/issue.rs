//! Issuing a credit note: one transaction gives the number, writes the note and moves its invoice; then the authority is asked.
//!
//! ```text
//! t0  A reads the sequence: last number 6        B reads the sequence: last number 6
//! t1  A commits 6 → 7 with note 7
//! t2                                             B commits on "last number is 6": refused, nothing is written
//! t3                                             B reads 7, commits 7 → 8 with note 8
//! ```

use std::sync::Mutex;

use cierre_kernel::id::InvoiceId;
use cierre_kernel::problem::Problem;
use cierre_platform::company;
use cierre_platform::db::{Changes, Condition, Key, Loaded, Tx};
use cierre_platform::idempotency::{self, Answer, CommandKey};
use cierre_platform::{Context, Failure, Result};
use ulid::Ulid;

use super::fields::Draft;
use super::item::put_new;
use super::settle::settle_note;
use crate::command::{Planned, chain, run, stamp, today};
use crate::engine::Engine;
use crate::entity::{Batch, Book, CreditNote, Invoice, NewCredit, Service};
use crate::error::CreditRefusal;
use crate::invoices::note_answer;
use crate::invoices::read::by_id;
use crate::rules::{InvoiceNumber, Sequence};
use crate::service_item::put_service;
use crate::{ids, table};

/// Issues a credit note of an invoice and has it authorised. When the authority does not answer, the note stands all the same, with
/// `caeStatus` `PENDING`, and the sweeper asks again.
///
/// # Errors
/// 404; 409 `invoice_credited`, `batch_materializing`, `too_many_credit_notes`, `book_exhausted`; 422 `amount_above_open`.
pub(super) async fn issue(
    engine: &Engine,
    context: &Context,
    id: InvoiceId,
    draft: Draft,
    fresh: Ulid,
    command: Option<&CommandKey>,
) -> Result<Answer> {
    let origin = origin(engine, context, id).await?;
    let issuing = Issuing {
        context,
        id,
        draft,
        fresh,
        keys: Keys::of(context, &origin),
    };
    let issued: Mutex<Option<CreditNote>> = Mutex::new(None);
    let answer = run(
        &engine.db,
        context,
        command,
        &issuing.keys.all(),
        |loaded| {
            let (planned, note) = issuing.plan(loaded)?;
            if let Ok(mut issued) = issued.lock() {
                *issued = Some(note);
            }
            Ok(planned)
        },
    )
    .await?;
    let issued = issued.into_inner().ok().flatten();
    // A replay decides nothing, or decided in vain: its answer names the note of the first run.
    match issued.filter(|note| answer.body["id"] == note.id.to_string()) {
        Some(note) => authorised(engine, context, note, answer, command).await,
        None => Ok(answer),
    }
}

/// The invoice, whose book and batch never change.
async fn origin(engine: &Engine, context: &Context, id: InvoiceId) -> Result<Invoice> {
    let company = &context.company;
    let service: Option<Service> = engine
        .db
        .get(&table::service_of_pending(company, ids::pending_of(id)))
        .await?;
    let invoice = service.as_ref().and_then(Service::invoice);
    if let Some(invoice) = invoice.filter(|invoice| invoice.id == id) {
        return Ok(invoice.clone());
    }
    // Between its batch's commit and stage 4 it can be read, but its item does not carry it yet.
    by_id(&engine.db, company, id).await?;
    Err(Problem::from(CreditRefusal::BatchMaterializing).into())
}

/// Asks the authority, and puts the authorised note in the place of the answer that was stored with the commit.
async fn authorised(
    engine: &Engine,
    context: &Context,
    note: CreditNote,
    answer: Answer,
    command: Option<&CommandKey>,
) -> Result<Answer> {
    let number = note.number;
    let settled = async {
        let settings = engine.settings(&context.company).await?;
        let authority = engine.authority(&context.company, &settings);
        settle_note(&engine.db, &context.company, &authority, note, context.now).await
    };
    let note = match settled.await {
        Ok(note) => note,
        Err(failure) => {
            tracing::error!(%number, error = failure.chain(), "a credit note waits for its CAE");
            return Ok(answer);
        }
    };
    let answer = note_answer(&note)?;
    if let Some(command) = command {
        idempotency::finish(&engine.db, command, &answer, context.now).await?;
    }
    Ok(answer)
}

/// Everything that a credit note is decided on.
struct Keys {
    service: Key,
    batch: Key,
    book: Key,
    company: Key,
}

impl Keys {
    fn of(context: &Context, origin: &Invoice) -> Self {
        let company = &context.company;
        Self {
            service: table::service(company, origin.service_id),
            batch: table::batch(company, origin.batch_id),
            book: table::credit_note_book(company, &origin.number.book().key()),
            company: company::settings_key(company),
        }
    }

    fn all(&self) -> [Key; 4] {
        [&self.service, &self.batch, &self.book, &self.company].map(Clone::clone)
    }
}

struct Issuing<'a> {
    context: &'a Context,
    id: InvoiceId,
    draft: Draft,
    fresh: Ulid,
    keys: Keys,
}

impl Issuing<'_> {
    fn plan(&self, loaded: &Loaded) -> Result<(Planned, CreditNote)> {
        let missing = || Failure::message("the batch of an invoice is missing");
        let batch: Batch = loaded.read(&self.keys.batch)?.ok_or_else(missing)?;
        if !batch.materialized {
            return Err(Problem::from(CreditRefusal::BatchMaterializing).into());
        }
        let gone = || Problem::from(CreditRefusal::NotFound);
        let service: Service = loaded.read(&self.keys.service)?.ok_or_else(gone)?;
        let known: Option<Book> = loaded.read(&self.keys.book)?;
        let book = known
            .clone()
            .unwrap_or_else(|| Book::unused(&batch.receipt_book));
        let sequence = Sequence::credit_notes(batch.receipt_book);
        let number = InvoiceNumber::new(sequence, book.last_number + 1)
            .map_err(|_| Problem::from(CreditRefusal::BookExhausted))?;
        let today = today(loaded, self.context)?;
        let credit = NewCredit {
            id: ids::credit_note_id(self.fresh, number),
            number,
            issue_date: book.last_issue_date.map_or(today, |last| today.max(last)),
            amount: self.draft.amount,
            reason: self.draft.reason.clone(),
            issuer: batch.issuer,
            stamp: stamp(self.context),
        };
        let version = service.version;
        let change = service.credit(self.id, credit).map_err(Problem::from)?;
        let (mut service, mut note) = (change.state.service, change.state.note);
        let mut tx = Tx::new();
        for event in change.events {
            let of_note = event.resource_id == note.id.to_string();
            let head = if of_note {
                Some(&mut note.head)
            } else {
                service.head_of(&event)
            };
            chain(&mut tx, self.context, event, head)?;
        }
        put_service(
            &mut tx,
            &self.context.company,
            &service,
            Condition::version(version),
        )?;
        self.put_book(&mut tx, known.as_ref(), &book, &note)?;
        put_new(&mut tx, &self.context.company, &note)?;
        let answer = note_answer(&note)?;
        Ok((Planned { tx, answer }, note))
    }

    /// Moves the counter on, if it still stands where it was read.
    fn put_book(
        &self,
        tx: &mut Tx,
        known: Option<&Book>,
        book: &Book,
        note: &CreditNote,
    ) -> Result<(), Failure> {
        let key = self.keys.book.clone();
        let moved = book.advanced(note.issue_date, 1, note.amount.minor());
        if known.is_none() {
            tx.put(key, &moved, Condition::absent())?;
            return Ok(());
        }
        // The counter's own attributes alone: the head of the sequence's chain moves when it is verified, at any time.
        let changes = Changes::new()
            .set("lastNumber", moved.last_number)
            .set("lastIssueDate", note.issue_date.to_string())
            .set("invoiceCount", moved.invoice_count)
            .set("totalAmount", moved.total_amount);
        let unmoved = Condition::default().eq("lastNumber", book.last_number);
        tx.update(key, changes, unmoved);
        Ok(())
    }
}
