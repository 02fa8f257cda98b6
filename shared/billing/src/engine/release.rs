//! A refused batch gives back what it holds, and only then reads `ERROR`.

use cierre_kernel::id::PendingId;
use cierre_platform::Failure;
use cierre_platform::clock;
use cierre_platform::db::{Changes, Condition, Key};

use super::items::{ClaimBlock, Phase, Run};
use super::turn::{Stop, Turn};
use crate::error::BatchRefusal;
use crate::table;

impl Turn<'_> {
    /// Writes down that the batch is refused: from here on every delivery releases, none goes on.
    pub(super) async fn begin_release(&mut self, refusal: &BatchRefusal) -> Result<(), Stop> {
        let next = self.run.refused(refusal);
        let tx = self.fenced(&next);
        self.commit_step(&tx, next, "beginning a release").await
    }

    /// Gives back block after block, then puts the batch into `ERROR`.
    pub(super) async fn release(&mut self) -> Result<(), Stop> {
        while self.run.claims > 0 {
            self.check_time()?;
            self.release_block(self.run.claims - 1).await?;
        }
        let (code, message) = self
            .run
            .refusal
            .clone()
            .ok_or_else(|| Failure::message("a release has no reason"))?;
        let next = Run {
            phase: Phase::Over,
            working: false,
            handed_over: false,
            ..self.run.clone()
        };
        let mut tx = self.fenced(&next);
        if let Some(ticket) = &self.run.ticket {
            let queue = table::book_queue(&self.context.company, &self.batch.receipt_book.key());
            tx.delete(Key::new(table::BILLING, queue, ticket), Condition::always());
        }
        let failures = self.run.judged - self.run.valid;
        let batch = self.write_batch(
            &mut tx,
            self.batch.failed(&code, &message, failures, clock::now()),
        )?;
        self.commit_step(&tx, next, "closing a refused batch")
            .await?;
        self.batch = batch;
        tracing::warn!(batch_id = %self.batch.id, job_id = self.batch.job.id, error_code = code, "batch job failed");
        Ok(())
    }

    async fn release_block(&mut self, number: u32) -> Result<(), Stop> {
        let item = self
            .db
            .get_item(&self.keys.claim(number))
            .await?
            .ok_or_else(|| Failure::message("a claim block is missing"))?;
        let mut held = ClaimBlock::from_item(&item)?.claimed;
        // What the block says is held is held, unless somebody edited the table by hand; such a pending is let be, and the rest is freed.
        loop {
            let next = Run {
                claims: number,
                ..self.run.clone()
            };
            let mut tx = self.fenced(&next);
            let first = tx.len();
            for claimed in &held {
                let (changes, condition) = release_of(claimed.id, &self.batch.id.to_string());
                tx.update(
                    table::service_of_pending(&self.context.company, claimed.id),
                    changes,
                    condition,
                );
            }
            let Err(error) = self.commit(&tx, next).await? else {
                return Ok(());
            };
            let before = held.len();
            held = held
                .into_iter()
                .enumerate()
                .filter(|(i, _)| error.refused_at(first + i).is_none())
                .map(|(_, c)| c)
                .collect();
            if held.len() == before {
                return Err(Failure::new("releasing a block", error).into());
            }
        }
    }
}

/// The opposite of a claim.
fn release_of(id: PendingId, batch: &str) -> (Changes, Condition) {
    let held = Condition::default()
        .eq("claimedBy", batch)
        .eq("sends", crate::ids::service_of(id).1 + 1);
    (
        Changes::new().remove("claimedBy").add("version", 1_u64),
        held,
    )
}
