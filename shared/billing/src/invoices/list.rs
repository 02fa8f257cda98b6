//! Lists of documents: materialised ones, newest date and number first.
//!
//! A list walks its source backwards, reads the items behind the candidates strongly, and keeps those that are invoices by now and match.
//! One request looks at a bounded number of candidates; a page that the filter left short says by its cursor where to go on.

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::BatchId;
use cierre_platform::Failure;
use cierre_platform::db::{Db, Key};

use super::document::{Document, materialised};
use super::filter::{Filter, Position};
use super::sources::{Candidate, Source, What};
use crate::entity::{Batch, CreditNote, Service};
use crate::table;

/// Items that one request reads at most, to the end of the group that it is at.
const EXAMINED: usize = 500;
/// Steps of the source that one request takes at most.
const STEPS: usize = 12;
/// Items of one read.
const GROUP: usize = 100;

/// A document of a list.
#[derive(Clone, Debug)]
pub(crate) enum Shown {
    Invoice(Box<Document>),
    CreditNote(Box<CreditNote>),
}

impl Shown {
    fn is_admitted(&self, filter: &Filter) -> bool {
        match self {
            Self::Invoice(document) => filter.admits(&document.invoice),
            Self::CreditNote(note) => filter.admits_note(note),
        }
    }
}

/// A page of documents.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) documents: Vec<Shown>,
    /// Where the next page begins; none at the end of the list.
    pub(crate) next: Option<Position>,
}

/// One page.
///
/// # Errors
/// When DynamoDB does not answer.
pub(crate) async fn list(
    db: &Db,
    company: &CompanyId,
    filter: &Filter,
    from: Option<Position>,
    limit: usize,
) -> Result<Listed, Failure> {
    let mut source = Source::of(db, company, filter, from).await?;
    let mut reader = Reader {
        db,
        company,
        batches: BTreeMap::new(),
    };
    let mut documents = Vec::with_capacity(limit);
    let mut examined = 0;
    let mut position = None;
    for _ in 0..STEPS {
        let step = source.step().await?;
        let mut rest = step.candidates.as_slice();
        while !rest.is_empty() {
            // When nothing is left out, the first look is enough; otherwise matches are rare, and looks are large.
            let look = if examined == 0 { limit } else { GROUP };
            let (group, later) = rest.split_at(look.min(rest.len()));
            for (candidate, document) in group.iter().zip(reader.read(group).await?) {
                documents.extend(document.filter(|document| document.is_admitted(filter)));
                let is_last = later.is_empty() && group.last() == Some(candidate);
                if documents.len() >= limit && !is_last {
                    return Ok(Listed {
                        documents,
                        next: Some(candidate.position.clone()),
                    });
                }
            }
            examined += group.len();
            rest = later;
            if let Some(last) = group
                .last()
                .filter(|_| examined >= EXAMINED && !later.is_empty())
            {
                return Ok(Listed {
                    documents,
                    next: Some(last.position.clone()),
                });
            }
        }
        position = step.after;
        if position.is_none() || documents.len() >= limit || examined >= EXAMINED {
            break;
        }
    }
    Ok(Listed {
        documents,
        next: position,
    })
}

/// What reads the items behind candidates. A page is mostly of few batches, so those are remembered.
struct Reader<'a> {
    db: &'a Db,
    company: &'a CompanyId,
    batches: BTreeMap<BatchId, Batch>,
}

impl Reader<'_> {
    /// The documents that the candidates became, in their order; none where stage 4 has not been yet.
    async fn read(&mut self, group: &[Candidate]) -> Result<Vec<Option<Shown>>, Failure> {
        let company = self.company;
        let unknown = group.iter().filter_map(|candidate| match &candidate.what {
            What::Invoice { batch_id, .. } => Some(*batch_id),
            What::CreditNote(_) => None,
        });
        let unknown: BTreeSet<BatchId> = unknown
            .filter(|id| !self.batches.contains_key(id))
            .collect();
        let batch_keys = unknown.iter().map(|id| table::batch(company, *id));
        let items = group.iter().map(|candidate| item_of(company, candidate));
        let loaded = self.db.load(items.chain(batch_keys)).await?;
        for id in unknown {
            self.batches.extend(
                loaded
                    .read::<Batch>(&table::batch(company, id))?
                    .map(|batch| (id, batch)),
            );
        }
        let shown = |candidate: &Candidate| {
            let item = item_of(company, candidate);
            let (pending, batch_id) = match &candidate.what {
                What::Invoice { pending, batch_id } => (*pending, *batch_id),
                What::CreditNote(_) => {
                    let note: Option<CreditNote> = loaded.read(&item)?;
                    return Ok(note.map(|note| Shown::CreditNote(Box::new(note))));
                }
            };
            let service: Option<Service> = loaded.read(&item)?;
            let Some(invoice) =
                service.and_then(|service| materialised(service, pending, batch_id))
            else {
                return Ok(None);
            };
            let batch = self
                .batches
                .get(&batch_id)
                .ok_or_else(|| Failure::message("the batch of an invoice is missing"))?;
            Ok(Some(Shown::Invoice(Box::new(Document::of(invoice, batch)))))
        };
        group.iter().map(shown).collect()
    }
}

/// The item that a candidate is read from.
fn item_of(company: &CompanyId, candidate: &Candidate) -> Key {
    match &candidate.what {
        What::Invoice { pending, .. } => table::service_of_pending(company, *pending),
        What::CreditNote(key) => key.clone(),
    }
}
