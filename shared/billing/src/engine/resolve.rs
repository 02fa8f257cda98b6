//! Stage 0 for a selection: which pendings match, were there before the batch, and are available now.
//!
//! The candidates come from the table's *local* index, which reads strongly, shard by shard and page by page; whether each is available is
//! then read from the item itself. What a page came to is written down together with the place in the index, so a worker that dies or runs
//! out of time is followed at that place, and the lease is renewed with every page.

use cierre_kernel::id::PendingId;
use cierre_kernel::time::Instant;
use cierre_platform::clock;
use cierre_platform::db::{Condition, Key, Query, QueryPage, text};
use futures::future::try_join_all;

use super::items::{ID_BLOCK, PackedIds, Phase, Run};
use super::turn::{Stop, Turn};
use crate::entity::{Selection, Service};
use crate::error::BatchRefusal;
use crate::rules::MAX_SELECTED;
use crate::table;

/// Keys of one batch read: DynamoDB's limit.
const KEYS_PER_LOAD: usize = 100;
/// Batch reads in flight at once.
const PARALLEL_LOADS: usize = 8;

impl Turn<'_> {
    /// Resolves the selection and moves on to the claims.
    pub(super) async fn resolve(&mut self, selection: &Selection) -> Result<(), Stop> {
        while self.run.shard < table::SERVICE_SHARDS {
            self.check_time()?;
            self.resolve_page(selection).await?;
            if self.run.selected > MAX_SELECTED {
                return Err(BatchRefusal::SelectionTooLarge.into());
            }
        }
        let next = Run {
            phase: Phase::Claim,
            ..self.run.clone()
        };
        let mut tx = self.fenced(&next);
        let decided = self.batch.resolved(self.run.selected, clock::now());
        let batch = self.write_batch(&mut tx, decided)?;
        self.commit_step(&tx, next, "closing a selection").await?;
        self.batch = batch;
        Ok(())
    }

    /// One page of one shard: its pendings behind those found before, and where the next page begins, in one transaction.
    async fn resolve_page(&mut self, selection: &Selection) -> Result<(), Stop> {
        let page = self.open_page(selection).await?;
        let last_sort = page.last.as_ref().map(|key| text(key, table::OPEN_SORT));
        let (shard, after) = match last_sort.flatten() {
            Some(sort) => (self.run.shard, sort.to_owned()),
            None => (self.run.shard + 1, String::new()),
        };
        let keys: Vec<Key> = page
            .items
            .iter()
            .filter_map(|item| Key::of(table::BILLING, item))
            .collect();
        let found = self.available(&keys, selection).await?;
        let selected = self.run.selected + found.len() as u32;
        let next = Run {
            shard,
            after,
            selected,
            blocks: selected.div_ceil(ID_BLOCK as u32),
            ..self.run.clone()
        };
        let mut tx = self.fenced(&next);
        for (number, block) in self.blocks_with(found).await? {
            let key = self.keys.selection(number);
            tx.put_item(key, block.to_item(), Condition::always());
        }
        self.commit_step(&tx, next, "storing a page of a selection")
            .await
    }

    async fn open_page(&self, selection: &Selection) -> Result<QueryPage, Stop> {
        let partition = table::service_shard(&self.context.company, self.run.shard);
        let (from, to) = range_of(selection, &self.run.after);
        let query = Query::local_index(
            table::BILLING,
            table::OPEN_INDEX,
            partition,
            table::OPEN_SORT,
        );
        Ok(self.db.query(&query.between(from, to)).await?)
    }

    /// Of the services at these keys, the pendings that belong to the selection.
    async fn available(&self, keys: &[Key], selection: &Selection) -> Result<Vec<PendingId>, Stop> {
        let mut found = Vec::new();
        for group in keys.chunks(KEYS_PER_LOAD * PARALLEL_LOADS) {
            let loads = group
                .chunks(KEYS_PER_LOAD)
                .map(|keys| self.db.load(keys.to_vec()));
            let loaded = try_join_all(loads).await?;
            for (loaded, keys) in loaded.iter().zip(group.chunks(KEYS_PER_LOAD)) {
                for key in keys {
                    let service: Option<Service> = loaded.read(key)?;
                    found.extend(
                        service.and_then(|service| {
                            selected(&service, selection, self.batch.created_at)
                        }),
                    );
                }
            }
        }
        Ok(found)
    }

    /// The stored blocks that change when these ids follow the ones before: the last one, if it has room, and new ones.
    async fn blocks_with(&self, found: Vec<PendingId>) -> Result<Vec<(u32, PackedIds)>, Stop> {
        let first = self.run.selected / ID_BLOCK as u32;
        let room_taken = self.run.selected as usize % ID_BLOCK;
        let mut ids = Vec::new();
        if room_taken > 0 && !found.is_empty() {
            let item = self.db.get_item(&self.keys.selection(first)).await?;
            ids = item
                .map(|item| PackedIds::from_item(&item))
                .transpose()?
                .unwrap_or_default()
                .0;
            // A transaction whose answer was lost may have stood here already; what counts is what the run says.
            ids.truncate(room_taken);
        }
        ids.extend(found);
        let blocks = ids.chunks(ID_BLOCK).map(|ids| PackedIds(ids.to_vec()));
        Ok((first..).zip(blocks).collect())
    }
}

/// The part of a shard's index that is still to be read, both ends included.
fn range_of(selection: &Selection, after: &str) -> (String, String) {
    let from = match (after, selection.service_date_from) {
        // Entries have one length, so nothing stands between an entry and the same with a space behind it.
        (after, _) if !after.is_empty() => format!("{after} "),
        (_, Some(date)) => date.to_string(),
        // Key conditions take no empty text; a space sorts before every date.
        (_, None) => " ".to_owned(),
    };
    let to = selection
        .service_date_to
        .map_or_else(|| table::AFTER_ALL.to_owned(), table::end_of_day);
    (from, to)
}

/// The pending, when it belongs to the selection.
fn selected(service: &Service, selection: &Selection, before: Instant) -> Option<PendingId> {
    let pending = service.pending().filter(|pending| pending.is_available())?;
    let matches = selection.admits(service.customer_id, service.service_date);
    (matches && pending.created_at < before).then_some(pending.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_kernel::time::{Date, parse_date};
    use proptest::prelude::*;
    use ulid::Ulid;

    fn day(n: i8) -> Date {
        parse_date(&format!("2024-01-{n:02}")).unwrap()
    }

    proptest! {
        #[test]
        fn pages_cut_anywhere_cover_every_entry_of_the_range_once(
            entries in prop::collection::btree_set((1_i8..29, any::<u128>().prop_map(|n| n >> 1)), 0..60),
            (from, to) in (prop::option::of(1_i8..29), prop::option::of(1_i8..29)),
            size in 1_usize..7,
        ) {
            let sorts: Vec<String> = entries.iter().map(|(d, id)| table::dated(day(*d), Ulid(*id))).collect();
            let selection = Selection {
                customer_ids: None,
                service_date_from: from.map(day),
                service_date_to: to.map(day),
            };
            let mut seen = Vec::new();
            let mut after = String::new();
            loop {
                let (low, high) = range_of(&selection, &after);
                let page: Vec<&String> = sorts.iter().filter(|s| **s >= low && **s <= high).take(size).collect();
                let Some(last) = page.last() else { break };
                after = (*last).clone();
                seen.extend(page.into_iter().cloned());
            }
            let wanted: Vec<String> = entries
                .iter()
                .filter(|(d, _)| from.is_none_or(|from| *d >= from) && to.is_none_or(|to| *d <= to))
                .map(|(d, id)| table::dated(day(*d), Ulid(*id)))
                .collect();
            prop_assert_eq!(seen, wanted);
        }
    }
}
