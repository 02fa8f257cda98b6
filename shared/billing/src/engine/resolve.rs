//! Stage 0 for a selection: which pendings match, were there before the batch, and are available now.
//!
//! The candidates come from the table's *local* index, which reads strongly, shard by shard; whether each is available is then read from
//! the item itself. The ids are written down block by block, so that every later delivery works on the same set.

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::PendingId;
use cierre_platform::db::{Key, Query, text};
use futures::future::try_join_all;

use super::items::{ID_BLOCK, PackedIds, Phase, Run};
use super::turn::{Stop, Turn};
use crate::entity::{Selection, Service};
use crate::error::BatchRefusal;
use crate::rules::MAX_SELECTED;
use crate::table;

/// Blocks of ids written by one transaction: 32 KB each.
const BLOCKS_PER_COMMIT: usize = 20;
/// Batch reads in flight at once.
const PARALLEL_LOADS: usize = 8;

impl Turn<'_> {
    /// Resolves the selection and moves on to the claims.
    pub(super) async fn resolve(&mut self, selection: &Selection) -> Result<(), Stop> {
        let ids = self.matching(selection).await?;
        let blocks: Vec<PackedIds> = ids
            .chunks(ID_BLOCK)
            .map(|chunk| PackedIds(chunk.to_vec()))
            .collect();
        for (position, group) in blocks.chunks(BLOCKS_PER_COMMIT).enumerate() {
            let next = self.run.clone();
            let mut tx = self.fenced(&next);
            for (offset, block) in group.iter().enumerate() {
                let number = (position * BLOCKS_PER_COMMIT + offset) as u32;
                tx.put_item(
                    self.keys.selection(number),
                    block.to_item(),
                    cierre_platform::db::Condition::always(),
                );
            }
            self.commit_step(&tx, next, "storing a resolved selection")
                .await?;
        }
        let requested = ids.len() as u32;
        let next = Run {
            phase: Phase::Claim,
            blocks: blocks.len() as u32,
            ..self.run.clone()
        };
        let mut tx = self.fenced(&next);
        let batch = self.write_batch(
            &mut tx,
            self.batch
                .resolved(requested, cierre_platform::clock::now()),
        )?;
        self.commit_step(&tx, next, "closing a selection").await?;
        self.batch = batch;
        Ok(())
    }

    async fn matching(&self, selection: &Selection) -> Result<Vec<PendingId>, Stop> {
        let company = &self.context.company;
        // Shard after shard: each is one or a few large pages, and eight of them at once gain little and press hard on one small machine.
        let mut keys: Vec<Key> = Vec::new();
        for shard in 0..table::SERVICE_SHARDS {
            self.check_time()?;
            keys.extend(self.open_keys(company, shard, selection).await?);
        }
        let mut found = Vec::new();
        for group in keys.chunks(100 * PARALLEL_LOADS) {
            // Resolving is one look at the table and is not cut in two: the next delivery looks afresh.
            self.check_time()?;
            let loads = group.chunks(100).map(|keys| self.db.load(keys.to_vec()));
            for (loaded, keys) in try_join_all(loads)
                .await?
                .into_iter()
                .zip(group.chunks(100))
            {
                for key in keys {
                    let Some(service) = loaded.read::<Service>(key)? else {
                        continue;
                    };
                    if let Some(pending) = selected(&service, selection, self.batch.created_at) {
                        found.push(pending);
                    }
                }
            }
            if found.len() > MAX_SELECTED as usize {
                return Err(BatchRefusal::SelectionTooLarge.into());
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    async fn open_keys(
        &self,
        company: &CompanyId,
        shard: u8,
        selection: &Selection,
    ) -> Result<Vec<Key>, Stop> {
        let partition = table::service_shard(company, shard);
        let from = selection
            .service_date_from
            .map_or_else(String::new, |date| date.to_string());
        // '~' sorts after every character of an id, so the whole last day is included.
        let to = selection
            .service_date_to
            .map_or_else(|| "~".to_owned(), |date| format!("{date}#~"));
        let query = Query::local_index(
            table::BILLING,
            table::OPEN_INDEX,
            partition,
            table::OPEN_SORT,
        )
        .between(from_or_first(from), to);
        let items = self.db.query_all(query).await?;
        Ok(items
            .iter()
            .filter_map(|item| {
                Some(Key::new(
                    table::BILLING,
                    text(item, "pk")?,
                    text(item, "sk")?,
                ))
            })
            .collect())
    }
}

/// Key conditions take no empty text; a space sorts before every date.
fn from_or_first(from: String) -> String {
    if from.is_empty() {
        " ".to_owned()
    } else {
        from
    }
}

/// The pending, when it belongs to the selection.
fn selected(
    service: &Service,
    selection: &Selection,
    before: cierre_kernel::time::Instant,
) -> Option<PendingId> {
    let pending = service.pending().filter(|pending| pending.is_available())?;
    let matches = selection.admits(service.customer_id, service.service_date);
    (matches && pending.created_at < before).then_some(pending.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_range_starts_before_every_date() {
        assert!(from_or_first(String::new()).as_str() < "2000-01-01");
    }
}
