//! Lists of documents: materialised ones, newest date and number first.
//!
//! A list walks its source backwards, reads the items behind the candidates strongly, and keeps those that are invoices by now and match.
//! One request looks at a bounded number of candidates; a page that the filter left short says by its cursor where to go on.

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::BatchId;
use cierre_platform::Failure;
use cierre_platform::db::Db;

use super::document::{Document, materialised};
use super::filter::{Filter, Position};
use super::sources::{Candidate, Source};
use crate::entity::{Batch, Service};
use crate::table;

/// Items that one request reads at most, to the end of the group that it is at.
const EXAMINED: usize = 500;
/// Steps of the source that one request takes at most.
const STEPS: usize = 12;
/// Items of one read.
const GROUP: usize = 100;

/// A page of documents.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) documents: Vec<Document>,
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
                documents.extend(document.filter(|document| filter.admits(&document.invoice)));
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
    async fn read(&mut self, group: &[Candidate]) -> Result<Vec<Option<Document>>, Failure> {
        let company = self.company;
        let service_key =
            |candidate: &Candidate| table::service_of_pending(company, candidate.pending);
        let unknown = group
            .iter()
            .map(|candidate| candidate.batch_id)
            .filter(|id| !self.batches.contains_key(id));
        let unknown: BTreeSet<BatchId> = unknown.collect();
        let batch_keys = unknown.iter().map(|id| table::batch(company, *id));
        let loaded = self
            .db
            .load(group.iter().map(service_key).chain(batch_keys))
            .await?;
        for id in unknown {
            self.batches.extend(
                loaded
                    .read::<Batch>(&table::batch(company, id))?
                    .map(|batch| (id, batch)),
            );
        }
        let document = |candidate: &Candidate| {
            let service: Option<Service> = loaded.read(&service_key(candidate))?;
            let Some(invoice) = service
                .and_then(|service| materialised(service, candidate.pending, candidate.batch_id))
            else {
                return Ok(None);
            };
            let batch = self
                .batches
                .get(&candidate.batch_id)
                .ok_or_else(|| Failure::message("the batch of an invoice is missing"))?;
            Ok(Some(Document::of(invoice, batch)))
        };
        group.iter().map(document).collect()
    }
}
