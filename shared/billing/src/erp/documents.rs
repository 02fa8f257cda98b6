//! The documents that a sync is asked for: read, judged, and added up in the order of their numbers.

use std::collections::BTreeMap;

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{BatchId, SyncId};
use cierre_platform::Failure;
use cierre_platform::db::{Db, Key, Loaded};
use cierre_platform::error::Doing;
use futures::{StreamExt, TryStreamExt, stream};

use crate::credit_notes::read_note;
use crate::entity::{
    CreditNote, DocumentRefusal, ErpSync, Invoice, RefusedDocument, Service, SyncStatus,
    judge_document,
};
use crate::ids::{self, DocumentId};
use crate::invoices::numbers::Numbers;
use crate::rules::{ErpDigest, ErpDocument, ErpTotals, MAX_SHOWN_FAILURES};
use crate::table;

/// Keys of one batch read: DynamoDB's limit.
pub(super) const KEYS_PER_LOAD: usize = 100;
/// Batch reads in flight at once.
const PARALLEL_LOADS: usize = 16;

/// A document as it is found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// What the ERP is told; none while it has no CAE.
    pub(super) document: Option<ErpDocument>,
    /// The latest sync that took it.
    pub(super) holder: Option<SyncId>,
}

impl Found {
    fn of_invoice(invoice: &Invoice) -> Self {
        Self {
            document: ErpDocument::of_invoice(invoice),
            holder: invoice.sync,
        }
    }

    fn of_note(note: &CreditNote) -> Self {
        Self {
            document: ErpDocument::of_note(note),
            holder: note.sync,
        }
    }
}

/// The item that carries a document; none for an id that leads nowhere.
pub(super) fn item_of(company: &CompanyId, id: DocumentId) -> Option<Key> {
    match id {
        DocumentId::Invoice(id) => Some(table::service_of_pending(company, ids::pending_of(id))),
        DocumentId::CreditNote(id) => {
            let (book, number) = ids::credit_note_place(id)?;
            Some(table::credit_note(company, &book, number))
        }
    }
}

/// The document of this id in what was loaded.
pub(super) fn found(
    company: &CompanyId,
    loaded: &Loaded,
    id: DocumentId,
) -> Result<Option<Found>, Failure> {
    let Some(key) = item_of(company, id) else {
        return Ok(None);
    };
    Ok(match id {
        DocumentId::Invoice(id) => {
            let service: Option<Service> = loaded.read(&key)?;
            let invoice = service.as_ref().and_then(Service::invoice);
            let invoice = invoice.filter(|invoice| invoice.id == id);
            invoice.map(Found::of_invoice)
        }
        DocumentId::CreditNote(id) => {
            let note: Option<CreditNote> = loaded.read(&key)?;
            let note = note.filter(|note| note.id == id);
            note.as_ref().map(Found::of_note)
        }
    })
}

/// The documents at these ids, in their order; none where there is none.
///
/// # Errors
/// When DynamoDB does not answer.
pub(super) async fn load(
    db: &Db,
    company: &CompanyId,
    ids: &[DocumentId],
) -> Result<Vec<(DocumentId, Option<Found>)>, Failure> {
    let groups = stream::iter(ids.chunks(KEYS_PER_LOAD).map(<[DocumentId]>::to_vec)).map(
        |group| async move {
            let mut keys: Vec<Key> = group
                .iter()
                .filter_map(|id| item_of(company, *id))
                .collect();
            // An invoice and a note of another id may share no item, but two spellings of one id do.
            keys.sort_by(|one, other| (&one.pk, &one.sk).cmp(&(&other.pk, &other.sk)));
            keys.dedup();
            let loaded = db.load(keys).await?;
            let found = |id: DocumentId| Ok((id, found(company, &loaded, id)?));
            group
                .into_iter()
                .map(found)
                .collect::<Result<Vec<_>, Failure>>()
        },
    );
    let groups: Vec<Vec<_>> = groups.buffered(PARALLEL_LOADS).try_collect().await?;
    Ok(groups.into_iter().flatten().collect())
}

/// Whether a document that no item carries is a committed batch's whose stage 4 has not come to it: it exists, and has no CAE yet.
pub(super) async fn is_on_its_way(
    db: &Db,
    company: &CompanyId,
    id: DocumentId,
) -> cierre_platform::Result<bool> {
    match id {
        DocumentId::Invoice(id) => match crate::invoices::read::by_id(db, company, id).await {
            Ok(_) => Ok(true),
            Err(cierre_platform::Error::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        },
        DocumentId::CreditNote(id) => Ok(read_note(db, company, id).await?.is_some()),
    }
}

/// The ids of the invoices of a materialised batch in the order of their numbers.
///
/// # Errors
/// When DynamoDB does not answer.
pub(super) async fn of_batch(
    db: &Db,
    company: &CompanyId,
    numbers: &Numbers,
) -> Result<Vec<DocumentId>, Failure> {
    let last = numbers.chunk_of(numbers.last);
    let mut found = Vec::new();
    let mut first = 0;
    while first <= last {
        let end = last.min(first + KEYS_PER_LOAD as u32 - 1);
        for chunk in numbers.chunks(db, company, first, end).await? {
            let ids = chunk
                .pendings
                .iter()
                .map(|pending| ids::invoice_of(*pending));
            found.extend(ids.map(DocumentId::Invoice));
        }
        first = end + 1;
    }
    Ok(found)
}

/// How the syncs stand that documents are in.
#[derive(Debug, Default)]
pub(super) struct Holders(BTreeMap<SyncId, SyncStatus>);

impl Holders {
    /// Reads those that are not known yet.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub(super) async fn learn(
        &mut self,
        db: &Db,
        company: &CompanyId,
        holders: impl IntoIterator<Item = SyncId>,
    ) -> Result<(), Failure> {
        let mut unknown: Vec<SyncId> = holders
            .into_iter()
            .filter(|sync| !self.0.contains_key(sync))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        let key = |sync: &SyncId| table::sync(company, *sync);
        for group in unknown.chunks(KEYS_PER_LOAD) {
            let loaded = db.load(group.iter().map(key)).await?;
            for id in group {
                let sync: Option<ErpSync> = loaded.read(&key(id))?;
                let sync = sync.ok_or_else(|| Failure::message("a document's sync is missing"))?;
                self.0.insert(*id, sync.status);
            }
        }
        Ok(())
    }

    /// A sync with its status.
    pub(super) fn of(&self, holder: Option<SyncId>) -> Option<(SyncId, SyncStatus)> {
        let holder = holder?;
        Some((holder, *self.0.get(&holder)?))
    }
}

/// What goes into a sync, added up in the order of the numbers, and what does not.
#[derive(Debug)]
pub(super) struct Gathered {
    /// In the order of the numbers.
    pub(super) ids: Vec<DocumentId>,
    /// The first of them, as the ERP will see them.
    pub(super) first: Vec<ErpDocument>,
    pub(super) totals: ErpTotals,
    pub(super) refused: Vec<(DocumentId, DocumentRefusal)>,
    digest: ErpDigest,
}

impl Gathered {
    /// Judges documents and adds up those that may go.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub(super) async fn of(
        db: &Db,
        company: &CompanyId,
        ids: &[DocumentId],
    ) -> cierre_platform::Result<Self> {
        let mut gathered = Self {
            ids: Vec::with_capacity(ids.len()),
            first: Vec::new(),
            totals: ErpTotals::default(),
            refused: Vec::new(),
            digest: ErpDigest::new(),
        };
        let mut holders = Holders::default();
        // Ids of a batch come in the order of the numbers; ids of a caller in any, but they are few.
        for group in ids.chunks(KEYS_PER_LOAD * PARALLEL_LOADS) {
            let loaded = load(db, company, group).await?;
            let held = loaded
                .iter()
                .filter_map(|(_, found)| found.as_ref()?.holder);
            holders.learn(db, company, held).await?;
            let mut admitted = Vec::with_capacity(group.len());
            for (id, found) in loaded {
                match judged(found, &holders) {
                    Ok(document) => admitted.push((id, document)),
                    Err(DocumentRefusal::NotFound) if is_on_its_way(db, company, id).await? => {
                        gathered.refused.push((id, DocumentRefusal::CaePending));
                    }
                    Err(refusal) => gathered.refused.push((id, refusal)),
                }
            }
            admitted.sort_by_cached_key(|(_, document)| document.order());
            for (id, document) in admitted {
                gathered.add(id, document)?;
            }
        }
        Ok(gathered)
    }

    fn add(&mut self, id: DocumentId, document: ErpDocument) -> Result<(), Failure> {
        self.digest
            .add(&document)
            .doing("digesting a document for the ERP")?;
        self.totals.add(&document);
        self.ids.push(id);
        if self.first.len() < MAX_SHOWN_FAILURES {
            self.first.push(document);
        }
        Ok(())
    }

    /// The digest; none without documents.
    pub(super) fn digest(&self) -> Option<String> {
        self.digest.clone().finish()
    }

    /// The refused ones as they are shown.
    pub(super) fn refused_documents(&self) -> impl Iterator<Item = RefusedDocument> {
        let refused = self.refused.iter();
        refused.map(|(id, refusal)| RefusedDocument::new(*id, *refusal))
    }
}

fn judged(found: Option<Found>, holders: &Holders) -> Result<ErpDocument, DocumentRefusal> {
    let found = found.ok_or(DocumentRefusal::NotFound)?;
    judge_document(found.document.is_some(), holders.of(found.holder), None)?;
    found.document.ok_or(DocumentRefusal::CaePending)
}

/// The batch's numbers, when it is materialised.
pub(super) async fn batch_numbers(
    db: &Db,
    company: &CompanyId,
    batch: BatchId,
) -> cierre_platform::Result<Numbers> {
    use cierre_kernel::codes;
    use cierre_kernel::problem::Problem;

    let batch: Option<crate::entity::Batch> = db.get(&table::batch(company, batch)).await?;
    let batch = batch.ok_or_else(|| Problem::new(codes::NOT_FOUND))?;
    let numbers = Numbers::of_batch(&batch)
        .filter(|_| crate::invoices::read::is_committed(&batch))
        .ok_or_else(|| Problem::new(codes::BATCH_NOT_PROCESSED))?;
    if !batch.materialized {
        return Err(Problem::new(codes::BATCH_MATERIALIZING).into());
    }
    Ok(numbers)
}
