//! Stage 2: the frozen set becomes documents, durable, invisible, without numbers, in the order of (service date, pending id).

use std::collections::BTreeMap;

use cierre_platform::Failure;
use cierre_platform::db::{Condition, Query};

use super::items::{ClaimBlock, Claimed, DOCUMENT_CHUNK, DocumentChunk, Phase, Run, Snapshot};
use super::turn::{Stop, Turn};
use crate::entity::{Customer, Receiver};
use crate::table;

/// Chunk items written by one transaction: about 3 KB each.
const CHUNKS_PER_COMMIT: usize = 40;

impl Turn<'_> {
    /// Writes the chunks that are not written yet and makes the run ready for the commit.
    pub(super) async fn stage(&mut self) -> Result<(), Stop> {
        let mut frozen = self.frozen_set().await?;
        frozen.sort_unstable_by_key(|claimed| (claimed.service_date, claimed.id));
        let customers = self.snapshots(&frozen).await?;
        let total: i64 = frozen.iter().map(|claimed| claimed.amount).sum();
        let chunks: Vec<&[Claimed]> = frozen.chunks(DOCUMENT_CHUNK).collect();
        while (self.run.staged as usize) < chunks.len() {
            self.check_time()?;
            let start = self.run.staged as usize;
            let end = chunks.len().min(start + CHUNKS_PER_COMMIT);
            let next = Run {
                staged: end as u32,
                ..self.run.clone()
            };
            let mut tx = self.fenced(&next);
            for (number, claimed) in chunks.iter().enumerate().take(end).skip(start) {
                let chunk = document_chunk((number * DOCUMENT_CHUNK) as u32, claimed, &customers)?;
                tx.put_item(
                    self.keys.documents(number as u32),
                    chunk.to_item()?,
                    Condition::always(),
                );
            }
            self.commit_step(&tx, next, "staging documents").await?;
        }
        let next = Run {
            phase: Phase::Commit,
            ..self.run.clone()
        };
        let mut tx = self.fenced(&next);
        let batch = self.write_batch(
            &mut tx,
            self.batch.staged(total, cierre_platform::clock::now()),
        )?;
        self.commit_step(&tx, next, "closing the stage").await?;
        self.batch = batch;
        Ok(())
    }

    /// Everything that the claim blocks of this run hold.
    async fn frozen_set(&self) -> Result<Vec<Claimed>, Stop> {
        let query = Query::partition(table::BILLING, self.keys.partition())
            .prefix(self.keys.claims_prefix());
        let mut frozen = Vec::with_capacity(self.run.valid as usize);
        for item in self.db.query_all(query).await? {
            frozen.extend(ClaimBlock::from_item(&item)?.claimed);
        }
        if frozen.len() == self.run.valid as usize {
            Ok(frozen)
        } else {
            Err(Failure::message(format!(
                "the claim blocks hold {} pendings, the run says {}",
                frozen.len(),
                self.run.valid
            ))
            .into())
        }
    }

    async fn snapshots(&self, frozen: &[Claimed]) -> Result<BTreeMap<u32, Snapshot>, Stop> {
        let company = &self.context.company;
        let mut ids: Vec<u32> = frozen.iter().map(|claimed| claimed.customer_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let loaded = self
            .db
            .load(ids.iter().map(|id| table::customer(company, *id)))
            .await?;
        let mut snapshots = BTreeMap::new();
        for id in ids {
            let customer: Customer = loaded
                .read(&table::customer(company, id))?
                .ok_or_else(|| Failure::message("a claimed pending's customer is missing"))?;
            snapshots.insert(
                id,
                Snapshot {
                    id,
                    receiver: Receiver::from(&customer),
                },
            );
        }
        Ok(snapshots)
    }
}

fn document_chunk(
    first: u32,
    claimed: &[Claimed],
    customers: &BTreeMap<u32, Snapshot>,
) -> Result<DocumentChunk, Failure> {
    let incomplete = || Failure::message("a document chunk lacks its customers or is empty");
    let mut used: Vec<Snapshot> = Vec::new();
    let mut customer_of = Vec::with_capacity(claimed.len());
    for one in claimed {
        let position = match used
            .iter()
            .position(|snapshot| snapshot.id == one.customer_id)
        {
            Some(position) => position,
            None => {
                used.push(
                    customers
                        .get(&one.customer_id)
                        .ok_or_else(incomplete)?
                        .clone(),
                );
                used.len() - 1
            }
        };
        customer_of.push(position as u32);
    }
    Ok(DocumentChunk {
        first,
        pendings: claimed.iter().map(|one| one.id).collect(),
        amounts: claimed.iter().map(|one| one.amount).collect(),
        customer_of,
        customers: used,
        first_date: claimed.first().ok_or_else(incomplete)?.service_date,
    })
}
