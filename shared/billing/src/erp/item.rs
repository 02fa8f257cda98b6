//! What a sync leaves in the table: itself, its documents part by part, what it refused, and its worker's notes.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::id::{CreditNoteId, InvoiceId, SyncId};
use cierre_kernel::time::Instant;
use cierre_platform::Failure;
use cierre_platform::db::{Changes, Condition, Item, Key, Tx};
use cierre_platform::error::Doing;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::entity::{ErpSync, RefusedDocument};
use crate::ids::DocumentId;
use crate::table;

/// Refused documents of one stored block.
pub(super) const REFUSED_BLOCK: usize = 500;
const INVOICE: u8 = 0;
const CREDIT_NOTE: u8 = 1;
/// A kind and a ULID.
const PACKED: usize = 17;

/// "See to this sync."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncMessage {
    /// The tenant.
    pub company_id: CompanyId,
    /// The sync.
    pub sync_id: SyncId,
    /// The correlation id of the command that asked for it.
    pub correlation_id: CorrelationId,
}

/// Ids of documents, 17 bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PackedDocuments(pub(super) Vec<DocumentId>);

impl PackedDocuments {
    pub(super) fn to_item(&self) -> Item {
        let packed = self.0.iter().flat_map(|id| {
            let (kind, ulid) = match id {
                DocumentId::Invoice(id) => (INVOICE, id.ulid()),
                DocumentId::CreditNote(id) => (CREDIT_NOTE, id.ulid()),
            };
            std::iter::once(kind).chain(ulid.to_bytes())
        });
        let bytes: Vec<u8> = packed.collect();
        Item::from([("ids".to_owned(), AttributeValue::B(Blob::new(bytes)))])
    }

    pub(super) fn from_item(item: &Item) -> Result<Self, Failure> {
        let broken = || Failure::message("a part of a sync cannot be read");
        let bytes = item
            .get("ids")
            .and_then(|value| value.as_b().ok())
            .ok_or_else(broken)?
            .as_ref();
        let read = |packed: &[u8]| {
            let (kind, ulid) = packed.split_first()?;
            let ulid = Ulid::from_bytes(ulid.try_into().ok()?);
            match *kind {
                INVOICE => Some(DocumentId::Invoice(InvoiceId::new(ulid))),
                CREDIT_NOTE => Some(DocumentId::CreditNote(CreditNoteId::new(ulid))),
                2.. => None,
            }
        };
        let ids = bytes.chunks(PACKED).map(read).collect::<Option<Vec<_>>>();
        ids.map(Self).ok_or_else(broken)
    }
}

/// A block of refused documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RefusedBlock {
    pub(super) refused: Vec<RefusedDocument>,
}

/// A worker's notes of a sync; the item is there while there is something to do.
///
/// `epoch` is a fencing token, as with batches: taking the turn raises it, and every write of a worker demands the epoch that it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Work {
    /// The fencing token.
    pub epoch: u64,
    /// Until when the present worker may be trusted to be alive, in ms.
    pub lease_until: i64,
    /// A worker is at it, or died at it.
    pub working: bool,
    /// Parts whose documents the sync holds.
    pub held: u32,
    /// How often the ERP was told to take back or that all is final, and did not accept.
    pub told: u32,
    /// The sweeper's index.
    pub list_pk: String,
    /// See `list_pk`: last progress in ms.
    pub list_sort: String,
}

impl Work {
    /// Notes of a sync that nobody has touched yet, or whose next task begins.
    pub(super) fn new(epoch: u64, now: Instant) -> Self {
        Self {
            epoch,
            lease_until: 0,
            working: false,
            held: 0,
            told: 0,
            list_pk: table::JOBS_LIST.to_owned(),
            list_sort: table::millis_sort(now),
        }
    }

    /// The write of the next state, on condition that the turn is still the one of `self`.
    pub(super) fn moved_to(&self, next: &Self) -> (Changes, Condition) {
        let changes = Changes::new()
            .set("epoch", next.epoch)
            .set("leaseUntil", next.lease_until)
            .set("working", next.working)
            .set("held", next.held)
            .set("told", next.told)
            .set(table::LIST_SORT, next.list_sort.as_str());
        (changes, Condition::default().eq("epoch", self.epoch))
    }
}

/// Adds a sync's next state to a transaction.
///
/// # Errors
/// When it cannot be written.
pub(super) fn put_sync(
    tx: &mut Tx,
    company: &CompanyId,
    sync: &ErpSync,
    condition: Condition,
) -> Result<(), Failure> {
    let mut item: Item = serde_dynamo::to_item(sync).doing("writing a sync")?;
    let listed = [
        (table::LIST_PK, table::syncs_list(company)),
        (table::LIST_SORT, sync.id.ulid().to_string()),
    ];
    item.extend(listed.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))));
    tx.put_item(table::sync(company, sync.id), item, condition);
    Ok(())
}

/// The items of a sync's parts.
pub(super) fn parts(company: &CompanyId, sync: SyncId, ids: &[DocumentId]) -> Vec<(Key, Item)> {
    let size = crate::rules::CHUNK_DOCUMENTS as usize;
    (0..)
        .zip(ids.chunks(size))
        .map(|(part, ids)| {
            let item = PackedDocuments(ids.to_vec()).to_item();
            (table::sync_documents(company, sync, part), item)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_part_comes_back_as_it_was_stored(ids in prop::collection::vec((any::<bool>(), any::<u128>()), 0..600)) {
            let ids = ids.into_iter().map(|(note, bits)| {
                let ulid = Ulid(bits >> 1);
                if note {
                    DocumentId::CreditNote(CreditNoteId::new(ulid))
                } else {
                    DocumentId::Invoice(InvoiceId::new(ulid))
                }
            });
            let packed = PackedDocuments(ids.collect());
            prop_assert_eq!(PackedDocuments::from_item(&packed.to_item()).unwrap(), packed);
        }
    }

    #[test]
    fn what_is_no_part_is_not_read_as_one() {
        let item =
            |bytes: Vec<u8>| Item::from([("ids".to_owned(), AttributeValue::B(Blob::new(bytes)))]);
        assert!(PackedDocuments::from_item(&item(vec![2; 17])).is_err());
        assert!(PackedDocuments::from_item(&item(vec![0; 16])).is_err());
        assert!(PackedDocuments::from_item(&Item::new()).is_err());
    }
}
