//! Holding: every document of a sync names the sync before any of them is sent.

use cierre_kernel::id::SyncId;
use cierre_platform::db::{Changes, CommitError, Condition};

use super::documents::{Holders, KEYS_PER_LOAD, found, item_of};
use super::item::Work;
use super::worker::{Stop, Then, Turn};
use crate::entity::{attribute, judge_document};
use crate::ids::DocumentId;

/// Documents of one holding transaction: DynamoDB's 100 actions less the worker's notes.
const HOLD_BLOCK: usize = 99;

impl Turn<'_> {
    /// Holds the documents of a part. `false`: another sync took one of them, or it is gone.
    pub(super) async fn hold_part(&mut self, part: u32) -> Result<bool, Stop> {
        let ids = self.part_ids(part).await?;
        let blocks: Vec<&[DocumentId]> = ids.chunks(HOLD_BLOCK.min(KEYS_PER_LOAD)).collect();
        for (place, block) in blocks.iter().enumerate() {
            let mut work = self.work.clone();
            if place + 1 == blocks.len() {
                work.held = part + 1;
            }
            if !self.hold_block(block, &mut work).await? {
                return Ok(false);
            }
            self.work = work;
        }
        Ok(true)
    }

    async fn hold_block(&self, ids: &[DocumentId], work: &mut Work) -> Result<bool, Stop> {
        let (db, own) = (&self.syncs.db, self.sync.id);
        // Each round sees what refused the one before; a document that is taken ends it.
        loop {
            let keys = ids.iter().filter_map(|id| item_of(&self.company, *id));
            let loaded = db.load(keys).await?;
            let mut documents = Vec::with_capacity(ids.len());
            for id in ids {
                let Some(document) = found(&self.company, &loaded, *id)? else {
                    return Ok(false);
                };
                documents.push((*id, document));
            }
            let mut holders = Holders::default();
            let held = documents.iter().filter_map(|(_, document)| document.holder);
            holders.learn(db, &self.company, held).await?;
            let mut tx = self.fenced(work, Then::GoOn);
            for (id, document) in &documents {
                let holder = holders.of(document.holder);
                if judge_document(document.document.is_some(), holder, Some(own)).is_err() {
                    return Ok(false);
                }
                if document.holder != Some(own)
                    && let Some(key) = item_of(&self.company, *id)
                {
                    let (changes, condition) = hold(own, document.holder);
                    tx.update(key, changes, condition);
                }
            }
            match db.commit(&tx).await {
                Ok(()) => return Ok(true),
                Err(error @ CommitError::Refused(_)) => {
                    if error.refused_at(0).is_some() {
                        return Err(Stop::Overtaken);
                    }
                }
                Err(error @ (CommitError::Contended | CommitError::Failed(_))) => {
                    return Err(Stop::Failed(error.into()));
                }
            }
        }
    }
}

/// Taking a document that nobody holds but, perhaps, a sync that failed. Its version moves, so a command that read it before decides anew.
fn hold(own: SyncId, seen: Option<SyncId>) -> (Changes, Condition) {
    let changes = Changes::new()
        .set(attribute::SYNC, own.to_string())
        .add(attribute::VERSION, 1_u64);
    let unmoved = match seen {
        None => Condition::present().missing(attribute::SYNC),
        Some(seen) => Condition::present().eq(attribute::SYNC, seen.to_string()),
    };
    (changes, unmoved)
}
