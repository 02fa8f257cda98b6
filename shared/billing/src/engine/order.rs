//! Whose turn it is at a book: tickets in the order accepted, wake-up calls, and the sweep for calls that got lost.

use std::time::Duration;

use cierre_kernel::company::CompanyId;
use cierre_kernel::time::Instant;
use cierre_platform::db::{Changes, CommitError, Condition, Item, Key, Query, Tx, read_item, text};
use cierre_platform::queue::Queue;
use cierre_platform::{Context, Failure};

use super::{BatchKeys, Engine, JobMessage, Run, Ticket, job_message, ticket_of};
use crate::credit_notes::settle_note;
use crate::entity::{Batch, CreditNote, ErpSync};
use crate::erp::message_of;
use crate::table;

impl Engine {
    /// An inline batch that was handed over queues up like any other. `false`: somebody else did it.
    pub(super) async fn join_queue(
        &self,
        context: &Context,
        batch: &Batch,
        run: &mut Run,
    ) -> Result<bool, Failure> {
        let ticket = table::book_ticket(
            &context.company,
            &batch.receipt_book.key(),
            batch.created_at,
            batch.id,
            run.run,
        );
        let mut tx = Tx::new();
        let holder = Condition::default()
            .eq("epoch", run.epoch)
            .missing("ticket");
        tx.update(
            BatchKeys::new(context.company.clone(), batch.id, run.run).run(),
            Changes::new().set("ticket", &ticket.sk),
            holder,
        );
        run.ticket = Some(ticket.sk.clone());
        tx.put(ticket, &ticket_of(context, batch), Condition::always())?;
        match self.db.commit(&tx).await {
            Ok(()) => Ok(true),
            Err(CommitError::Refused(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn is_first(
        &self,
        company: &CompanyId,
        batch: &Batch,
        run: &Run,
    ) -> Result<bool, Failure> {
        let first = self.first_ticket(company, batch).await?;
        Ok(first.is_none_or(|(sk, _)| run.ticket.as_ref().is_some_and(|own| *own <= sk)))
    }

    async fn first_ticket(
        &self,
        company: &CompanyId,
        batch: &Batch,
    ) -> Result<Option<(String, Ticket)>, Failure> {
        let queue = table::book_queue(company, &batch.receipt_book.key());
        let page = self
            .db
            .query(&Query::partition(table::BILLING, queue).limit(1))
            .await?;
        let Some(item) = page.items.into_iter().next() else {
            return Ok(None);
        };
        let sk = text(&item, "sk").unwrap_or_default().to_owned();
        Ok(Some((sk, read_item(item)?)))
    }

    /// Sends the job of the batch that is now first in its book's queue.
    pub(super) async fn wake_next(
        &self,
        company: &CompanyId,
        batch: &Batch,
    ) -> Result<(), Failure> {
        let Some((_, ticket)) = self.first_ticket(company, batch).await? else {
            return Ok(());
        };
        if ticket.batch_id == batch.id {
            return Ok(());
        }
        let message = JobMessage {
            company_id: company.clone(),
            batch_id: ticket.batch_id,
            job_id: ticket.job_id,
            correlation_id: ticket.correlation_id,
        };
        self.jobs.send(&message).await
    }

    /// Queues every job, and in `syncs` every ERP sync, again that made no progress for `quiet`, whatever company it belongs to, and asks again for the CAE of credit notes
    /// that wait for theirs as long. Answers how many there were.
    ///
    /// # Errors
    /// When DynamoDB or SQS does not answer.
    pub async fn sweep(
        &self,
        syncs: &Queue,
        now: Instant,
        quiet: Duration,
    ) -> Result<usize, Failure> {
        let before = Instant::from_millis(now.as_millis() - quiet.as_millis() as i64);
        let query = Query::index(
            table::BILLING,
            table::LIST_INDEX,
            table::LIST_PK,
            table::JOBS_LIST,
            table::LIST_SORT,
        )
        .before(table::millis_sort(before));
        let mut messages = Vec::new();
        let mut unfinished = Vec::new();
        let mut notes = 0;
        for item in self.db.query_all(query).await? {
            let Some(pk) = text(&item, "pk") else {
                continue;
            };
            if let Some(company) = table::read_credit_notes(pk) {
                notes += 1;
                self.sweep_note(&company, &item, now).await?;
                continue;
            }
            if let Some((company, id)) = table::read_sync_partition(pk) {
                let sync: Option<ErpSync> = self.db.get(&table::sync(&company, id)).await?;
                unfinished.extend(sync.map(|sync| message_of(&company, &sync)));
                continue;
            }
            let Some((company, batch_id)) = table::read_batch_partition(pk) else {
                continue;
            };
            let Some(batch) = self
                .db
                .get::<Batch>(&table::batch(&company, batch_id))
                .await?
            else {
                continue;
            };
            let context = Context::system(company, batch.correlation_id.clone(), now);
            messages.push(job_message(&context, &batch));
        }
        self.jobs.send_all(&messages).await?;
        syncs.send_all(&unfinished).await?;
        Ok(messages.len() + unfinished.len() + notes)
    }

    /// Asks again for the CAE of a credit note. One that cannot have it yet does not keep the others waiting.
    async fn sweep_note(
        &self,
        company: &CompanyId,
        entry: &Item,
        now: Instant,
    ) -> Result<(), Failure> {
        let Some(key) = Key::of(table::BILLING, entry) else {
            return Ok(());
        };
        let Some(note) = self.db.get::<CreditNote>(&key).await? else {
            return Ok(());
        };
        let number = note.number;
        let settled = async {
            let settings = self.settings(company).await?;
            let authority = self.authority(company, &settings);
            settle_note(&self.db, company, &authority, note, now).await
        };
        if let Err(failure) = settled.await {
            tracing::error!(%company, %number, error = failure.chain(), "a credit note still waits for its CAE");
        }
        Ok(())
    }
}
