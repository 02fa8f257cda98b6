//! Stage 1: each pending is judged and claimed, block by block.
//!
//! One transaction claims up to 98 pendings, writes down the block's outcome and moves the run on. So a block is claimed once or not at all,
//! and what the batch holds is exactly what its blocks say, at every instant. A pending that somebody else took in between refuses the
//! transaction; its reason says so, it becomes a failure of the block, and the rest is tried again.

use std::collections::BTreeMap;

use cierre_kernel::id::PendingId;
use cierre_kernel::money::Money;
use cierre_platform::Failure;
use cierre_platform::clock;
use cierre_platform::db::{Changes, CommitError, Condition, Item, Loaded, read_item};

use super::items::{CLAIM_BLOCK, ClaimBlock, Claimed, ID_BLOCK, PackedIds, Phase, Run};
use super::turn::{Stop, Turn};
use crate::entity::{Customer, FailedPending, OnInvalid, PendingStatus, Service};
use crate::error::BatchRefusal;
use crate::ids;
use crate::rules::{ItemFailure, MAX_SHOWN_FAILURES, judge};
use crate::settings::BillingSettings;
use crate::table;

/// What a worker remembers between blocks: the customers seen, and the block of ids in hand.
pub(super) struct ClaimMemory {
    customers: BTreeMap<u32, Option<Customer>>,
    ids: Option<(u32, PackedIds)>,
    /// From which amount on a receiver must be identified.
    threshold: Money,
}

impl Turn<'_> {
    /// Claims block after block, then freezes the outcome.
    pub(super) async fn claim(&mut self) -> Result<(), Stop> {
        let threshold = self.consumer_threshold().await?;
        let mut memory = ClaimMemory {
            customers: BTreeMap::new(),
            ids: None,
            threshold,
        };
        loop {
            self.check_time()?;
            let ids = self.block_ids(&mut memory).await?;
            if ids.is_empty() {
                return self.freeze().await;
            }
            self.claim_block(&ids, &mut memory).await?;
        }
    }

    async fn consumer_threshold(&self) -> Result<Money, Stop> {
        let settings: Option<BillingSettings> = self
            .db
            .get(&table::billing_settings(&self.context.company))
            .await?;
        Ok(settings
            .ok_or(BatchRefusal::FiscalProfileMissing)?
            .consumer_id_threshold)
    }

    /// The ids of the next claim block; none at the end.
    async fn block_ids(&self, memory: &mut ClaimMemory) -> Result<Vec<PendingId>, Stop> {
        let start = self.run.judged as usize;
        let stored = (start / ID_BLOCK) as u32;
        if stored >= self.run.blocks {
            return Ok(Vec::new());
        }
        if memory
            .ids
            .as_ref()
            .is_none_or(|(block, _)| *block != stored)
        {
            let key = if self.batch.selection.is_some() {
                self.keys.selection(stored)
            } else {
                self.keys.ids(stored)
            };
            let item = self
                .db
                .get_item(&key)
                .await?
                .ok_or_else(|| Failure::message("a block of ids is missing"))?;
            memory.ids = Some((stored, PackedIds::from_item(&item)?));
        }
        let offset = start % ID_BLOCK;
        let ids = memory
            .ids
            .as_ref()
            .map_or(&[][..], |(_, ids)| ids.0.get(offset..).unwrap_or_default());
        Ok(ids.iter().take(CLAIM_BLOCK).copied().collect())
    }

    async fn claim_block(
        &mut self,
        ids: &[PendingId],
        memory: &mut ClaimMemory,
    ) -> Result<(), Stop> {
        let company = self.context.company.clone();
        let loaded = self
            .db
            .load(
                ids.iter()
                    .map(|id| table::service_of_pending(&company, *id)),
            )
            .await?;
        self.load_customers(&loaded, ids, memory).await?;
        let mut block = ClaimBlock::default();
        for id in ids {
            match self.judge(
                *id,
                loaded
                    .read(&table::service_of_pending(&company, *id))?
                    .as_ref(),
                memory,
            ) {
                Ok(claimed) => block.claimed.push(claimed),
                Err(failure) => block.failed.push(FailedPending::new(*id, failure)),
            }
        }
        // Each round removes at least one pending that was taken meanwhile, so it ends.
        loop {
            let refused = self.commit_block(&block, ids.len() as u32).await?;
            if refused.is_empty() {
                return Ok(());
            }
            for (id, failure) in refused {
                block.claimed.retain(|claimed| claimed.id != id);
                block.failed.push(FailedPending::new(id, failure));
            }
        }
    }

    async fn load_customers(
        &self,
        loaded: &Loaded,
        ids: &[PendingId],
        memory: &mut ClaimMemory,
    ) -> Result<(), Stop> {
        let company = &self.context.company;
        let mut missing = Vec::new();
        for id in ids {
            if let Some(service) =
                loaded.read::<Service>(&table::service_of_pending(company, *id))?
            {
                let customer = service.customer_id;
                if !memory.customers.contains_key(&customer) {
                    missing.push(customer);
                }
            }
        }
        missing.sort_unstable();
        missing.dedup();
        let found = self
            .db
            .load(missing.iter().map(|id| table::customer(company, *id)))
            .await?;
        for id in missing {
            memory
                .customers
                .insert(id, found.read(&table::customer(company, id))?);
        }
        Ok(())
    }

    /// Whether this batch may invoice this pending, by what is stored now.
    fn judge(
        &self,
        id: PendingId,
        service: Option<&Service>,
        memory: &ClaimMemory,
    ) -> Result<Claimed, ItemFailure> {
        let service = self.claimable(id, service)?;
        // A customer is never removed, so its absence is as good as the pending's.
        let customer = memory
            .customers
            .get(&service.customer_id)
            .and_then(Option::as_ref)
            .ok_or(ItemFailure::NotFound)?;
        judge(
            customer.buyer(),
            self.batch.receipt_book.letter(),
            service.amount,
            memory.threshold,
        )?;
        Ok(Claimed {
            id,
            service_date: service.service_date,
            customer_id: service.customer_id,
            amount: service.amount.minor(),
        })
    }

    /// The service, when its current pending is this one and free, or ours already.
    fn claimable<'s>(
        &self,
        id: PendingId,
        service: Option<&'s Service>,
    ) -> Result<&'s Service, ItemFailure> {
        let service = service.ok_or(ItemFailure::NotFound)?;
        match service.claim(id, self.batch.id, clock::now()) {
            Ok(_) => Ok(service),
            // Not the current pending: if the service was sent that often, this one was cancelled since.
            Err(ItemFailure::NotFound) if ids::service_of(id).1 < service.sends => {
                Err(ItemFailure::NotPending(PendingStatus::Cancelled))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Commits a block; answers the pendings that refused it.
    async fn commit_block(
        &mut self,
        block: &ClaimBlock,
        judged: u32,
    ) -> Result<Vec<(PendingId, ItemFailure)>, Stop> {
        let next = Run {
            claims: self.run.claims + 1,
            judged: self.run.judged + judged,
            valid: self.run.valid + block.claimed.len() as u32,
            ..self.run.clone()
        };
        let mut tx = self.fenced(&next);
        tx.put_item(
            self.keys.claim(self.run.claims),
            block.to_item()?,
            Condition::always(),
        );
        let first = tx.len();
        for claimed in &block.claimed {
            let (changes, condition) = claim_of(claimed.id, &self.batch.id.to_string());
            tx.update(
                table::service_of_pending(&self.context.company, claimed.id),
                changes,
                condition,
            );
        }
        let Err(error) = self.commit(&tx, next).await? else {
            return Ok(Vec::new());
        };
        let refused = block
            .claimed
            .iter()
            .enumerate()
            .filter_map(|(position, claimed)| {
                let item = error.refused_at(first + position)?;
                Some(
                    self.explain(claimed.id, item)
                        .map(|failure| (claimed.id, failure)),
                )
            });
        let refused: Vec<_> = refused.collect::<Result<_, Failure>>()?;
        if refused.is_empty() {
            Err(unexplained(error))
        } else {
            Ok(refused)
        }
    }

    /// Why the claim's condition did not hold, by the item as it stood.
    fn explain(&self, id: PendingId, item: Option<&Item>) -> Result<ItemFailure, Failure> {
        let service: Option<Service> = item.cloned().map(read_item).transpose()?;
        match self.claimable(id, service.as_ref()) {
            Err(failure) => Ok(failure),
            Ok(_) => Err(Failure::message(
                "a claim was refused although the pending is free",
            )),
        }
    }

    /// The end of stage 1: the valid set and the failures are final for this run, whatever is delivered again. Whether they refuse the batch
    /// is written down in the same transaction, so no delivery can ever go on with a set that was refused.
    async fn freeze(&mut self) -> Result<(), Stop> {
        let failures = self.run.judged - self.run.valid;
        let shown = self.first_failures(failures).await?;
        let next = match refusal_of(self.batch.on_invalid, failures, self.run.valid) {
            None => Run {
                phase: Phase::Stage,
                ..self.run.clone()
            },
            Some(refusal) => self.run.refused(&refusal),
        };
        let mut tx = self.fenced(&next);
        let batch = self.write_batch(&mut tx, self.batch.frozen(failures, shown, clock::now()))?;
        self.commit_step(&tx, next, "freezing the valid set")
            .await?;
        self.batch = batch;
        Ok(())
    }

    async fn first_failures(&self, failures: u32) -> Result<Vec<FailedPending>, Stop> {
        let mut shown = Vec::new();
        let mut block = 0;
        while shown.len() < MAX_SHOWN_FAILURES.min(failures as usize) && block < self.run.claims {
            let item = self.db.get_item(&self.keys.claim(block)).await?;
            let item = item.ok_or_else(|| Failure::message("a claim block is missing"))?;
            shown.extend(ClaimBlock::from_item(&item)?.failed);
            block += 1;
        }
        shown.truncate(MAX_SHOWN_FAILURES);
        Ok(shown)
    }
}

/// Why a frozen set cannot be invoiced.
fn refusal_of(on_invalid: OnInvalid, failures: u32, valid: u32) -> Option<BatchRefusal> {
    match on_invalid {
        OnInvalid::Fail if failures > 0 => Some(BatchRefusal::InvalidPendings { failed: failures }),
        OnInvalid::Fail | OnInvalid::Skip => (valid == 0).then_some(BatchRefusal::NothingToInvoice),
    }
}

/// The claim of one pending: the fused item's version moves too, so a cancellation decided on the free pending is refused.
fn claim_of(id: PendingId, batch: &str) -> (Changes, Condition) {
    let free_or_ours = [
        Condition::default().missing("claimedBy"),
        Condition::default().eq("claimedBy", batch),
    ];
    let current = Condition::default()
        .eq("status", "SENT_TO_BILL")
        .eq("sends", ids::service_of(id).1 + 1);
    (
        Changes::new().set("claimedBy", batch).add("version", 1_u64),
        current.any_of(free_or_ours),
    )
}

fn unexplained(error: CommitError) -> Stop {
    Stop::Failed(Failure::new("claiming a block", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_refuse_a_batch_that_tolerates_none_and_an_empty_set_refuses_any() {
        let code = |on_invalid, failures, valid| {
            refusal_of(on_invalid, failures, valid).map(|refusal| refusal.code().as_str())
        };
        assert_eq!(code(OnInvalid::Fail, 1, 9), Some("invalid_pendings"));
        assert_eq!(code(OnInvalid::Fail, 1, 0), Some("invalid_pendings"));
        assert_eq!(code(OnInvalid::Fail, 0, 9), None);
        assert_eq!(code(OnInvalid::Skip, 1, 9), None);
        assert_eq!(code(OnInvalid::Skip, 9, 0), Some("nothing_to_invoice"));
        assert_eq!(code(OnInvalid::Fail, 0, 0), Some("nothing_to_invoice"));
    }
}
