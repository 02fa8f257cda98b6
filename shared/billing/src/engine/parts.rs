//! Stage 4 as the queues see it: parts of a committed batch, handed out, taken, handed out again.

use cierre_kernel::company::CompanyId;
use cierre_platform::{Context, Failure, clock};

use super::materialise::{self, Materialiser};
use super::{Advance, BatchKeys, ChunkMessage, Engine, Materialised, Run};
use crate::authority::SimulatedAuthority;
use crate::entity::Batch;
use crate::settings::BillingSettings;
use crate::table;

/// An alarm counts the lines with this message: nothing is lost, but somebody should look.
pub(super) const STAGE_4_AGAIN: &str = "stage 4 failed three times and is queued again";

impl Engine {
    /// Materialises one part of a committed batch.
    ///
    /// # Errors
    /// When DynamoDB or the authority does not answer.
    pub async fn materialise(&self, message: &ChunkMessage) -> Result<Materialised, Failure> {
        let Some((batch, run, item)) =
            materialise::load(&self.db, &message.company_id, message.batch_id).await?
        else {
            return Ok(Materialised::NothingThere);
        };
        let done = materialise::finished_parts(&item);
        if batch.materialized
            || (done.contains(&message.chunk) && done.len() < run.parts() as usize)
            || message.chunk >= run.parts()
        {
            return Ok(Materialised::Part);
        }
        let context = Context::system(
            message.company_id.clone(),
            message.correlation_id.clone(),
            clock::now(),
        );
        let settings = self.settings(&message.company_id).await?;
        let authority = self.authority(&message.company_id, &settings);
        let keys = BatchKeys::new(message.company_id.clone(), batch.id, run.run);
        Materialiser {
            db: &self.db,
            authority: &authority,
            context: &context,
            batch: &batch,
            run: &run,
            keys,
        }
        .part(message.chunk)
        .await
    }

    /// Queues a lost part of stage 4 again; after the commit nothing is ever given up.
    ///
    /// # Errors
    /// When DynamoDB or SQS does not answer.
    pub async fn requeue(&self, part: ChunkMessage) -> Result<Advance, Failure> {
        match materialise::load(&self.db, &part.company_id, part.batch_id).await? {
            Some((batch, ..)) if !batch.materialized => {
                tracing::error!(batch_id = %batch.id, part = part.chunk, "{STAGE_4_AGAIN}");
                self.chunks.send(&part).await?;
            }
            Some(_) => {}
            None => return Ok(Advance::Unknown),
        }
        Ok(Advance::Finished)
    }

    /// Small batches are materialised on the spot; larger ones in parts that several workers take.
    pub(super) async fn materialise_all(
        &self,
        context: &Context,
        batch: &Batch,
        run: &Run,
    ) -> Result<(), Failure> {
        if batch.materialized {
            return Ok(());
        }
        let message = |chunk| ChunkMessage {
            company_id: context.company.clone(),
            batch_id: batch.id,
            chunk,
            correlation_id: context.correlation_id.clone(),
        };
        if run.parts() <= 1 {
            self.materialise(&message(0)).await?;
            return Ok(());
        }
        let item = self
            .db
            .get_item(&BatchKeys::new(context.company.clone(), batch.id, run.run).run())
            .await?;
        let done = item
            .as_ref()
            .map(materialise::finished_parts)
            .unwrap_or_default();
        let mut missing: Vec<ChunkMessage> = (0..run.parts())
            .filter(|part| !done.contains(part))
            .map(message)
            .collect();
        if missing.is_empty() {
            // All parts are there and only the closing is missing: any part closes it.
            missing.push(message(0));
        }
        self.chunks.send_all(&missing).await
    }

    pub(crate) async fn settings(&self, company: &CompanyId) -> Result<BillingSettings, Failure> {
        let settings = self
            .db
            .get::<BillingSettings>(&table::billing_settings(company))
            .await?;
        settings.ok_or_else(|| Failure::message("a company with batches has no billing settings"))
    }

    pub(crate) fn authority<'a>(
        &'a self,
        company: &'a CompanyId,
        settings: &BillingSettings,
    ) -> SimulatedAuthority<'a> {
        SimulatedAuthority {
            db: &self.db,
            company,
            lost_answer_rate: settings.simulation.cae_lost_answer_rate,
        }
    }
}
