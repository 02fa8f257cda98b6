//! Syncs as they stand.

use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::id::SyncId;
use cierre_kernel::problem::Problem;
use cierre_platform::db::{Db, Key, Query, read_item, text};
use cierre_platform::{Failure, Result};
use serde::{Deserialize, Serialize};

use super::item::RefusedBlock;
use crate::entity::{ErpSync, RefusedDocument, SyncStatus};
use crate::table;

/// Syncs that one request reads at most.
const EXAMINED: u32 = 200;

/// A sync.
///
/// # Errors
/// 404; or a fault.
pub(super) async fn find(db: &Db, company: &CompanyId, id: SyncId) -> Result<ErpSync> {
    let sync: Option<ErpSync> = db.get(&table::sync(company, id)).await?;
    Ok(sync.ok_or_else(|| Problem::new(codes::NOT_FOUND))?)
}

/// A page of syncs, newest first, and the place to go on from.
///
/// # Errors
/// When DynamoDB does not answer.
pub(super) async fn history(
    db: &Db,
    company: &CompanyId,
    status: Option<SyncStatus>,
    from: Option<String>,
    limit: usize,
) -> Result<(Vec<ErpSync>, Option<String>), Failure> {
    let query = Query::index(
        table::BILLING,
        table::LIST_INDEX,
        table::LIST_PK,
        table::syncs_list(company),
        table::LIST_SORT,
    )
    .descending()
    .limit(EXAMINED);
    let query = match from {
        Some(from) => query.before(from),
        None => query,
    };
    let entries = db.query(&query).await?;
    let keys: Vec<(Key, String)> = entries
        .items
        .iter()
        .filter_map(|item| {
            let place = text(item, table::LIST_SORT)?.to_owned();
            Some((Key::of(table::BILLING, item)?, place))
        })
        .collect();
    let mut page = Vec::new();
    // Without a filter the first look is enough.
    let look = if status.is_none() { limit } else { 100 };
    for group in keys.chunks(look.clamp(1, 100)) {
        let loaded = db.load(group.iter().map(|(key, _)| key.clone())).await?;
        for (key, place) in group {
            let sync: Option<ErpSync> = loaded.read(key)?;
            page.extend(sync.filter(|sync| status.is_none_or(|wanted| wanted == sync.status)));
            if page.len() == limit {
                let is_last = keys.last().is_some_and(|(_, last)| last == place);
                let over = is_last && entries.last.is_none();
                return Ok((page, (!over).then(|| place.clone())));
            }
        }
    }
    let next = keys.last().filter(|_| entries.last.is_some());
    Ok((page, next.map(|(_, place)| place.clone())))
}

/// Where a list of refused documents goes on: block and position within it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct RefusedPosition {
    block: u32,
    position: usize,
}

/// A page of the documents that a sync was asked for and does not take.
///
/// # Errors
/// When DynamoDB does not answer.
pub(super) async fn refused(
    db: &Db,
    company: &CompanyId,
    id: SyncId,
    from: RefusedPosition,
    limit: usize,
) -> Result<(Vec<RefusedDocument>, Option<RefusedPosition>), Failure> {
    let mut page = Vec::new();
    let mut at = from;
    loop {
        let item = db
            .get_item(&table::sync_refused(company, id, at.block))
            .await?;
        let Some(item) = item else {
            return Ok((page, None));
        };
        let block: RefusedBlock = read_item(item)?;
        for refused in block.refused.into_iter().skip(at.position) {
            if page.len() == limit {
                return Ok((page, Some(at)));
            }
            page.push(refused);
            at.position += 1;
        }
        at = RefusedPosition {
            block: at.block + 1,
            position: 0,
        };
    }
}
