//! Requests that were refused for their fields: an event of their own, in a chain of their own, because nothing else came of them.

use cierre_kernel::company::CompanyId;
use cierre_kernel::event::{ChainHead, EventType, NewEvent};
use cierre_kernel::problem::Problem;
use cierre_platform::db::{CommitError, Condition, Db, Key, Tx};
use cierre_platform::{Context, Failure, activity};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use crate::entity::{ERP_SYNC, resource};
use crate::table;

/// What a refused request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// A batch.
    Batch,
    /// An ERP sync.
    Sync,
}

impl Rejected {
    const fn resource_type(self) -> &'static str {
        match self {
            Self::Batch => resource::BATCH,
            Self::Sync => ERP_SYNC,
        }
    }

    fn chain(self, company: &CompanyId) -> Key {
        match self {
            Self::Batch => table::rejected_batches(company),
            Self::Sync => table::rejected_syncs(company),
        }
    }
}

/// Writes down that a request was refused for its fields: an event of its own, in the company's chain of refused requests of its kind.
///
/// # Errors
/// When DynamoDB does not answer.
pub(crate) async fn record_rejection(
    db: &Db,
    context: &Context,
    rejected: Rejected,
    problem: &Problem,
) -> Result<(), Failure> {
    let key = rejected.chain(&context.company);
    let mut found: Vec<&str> = problem
        .errors
        .iter()
        .map(|error| error.code.as_str())
        .collect();
    found.sort_unstable();
    found.dedup();
    for _ in 0..REJECTION_TRIES {
        let stored: Option<Rejections> = db.get(&key).await?;
        let unmoved = match &stored {
            Some(stored) => Condition::default().eq("head", stored.head.to_string()),
            None => Condition::absent(),
        };
        let event = NewEvent {
            event_type: EventType::Error,
            action: "validation_failed",
            resource_type: rejected.resource_type(),
            resource_id: REJECTED.to_owned(),
            details: Map::from_iter([("codes".to_owned(), json!(found))]),
        };
        let mut tx = Tx::new();
        let head = activity::append(
            &mut tx,
            context,
            event,
            &stored.map(|stored| stored.head).unwrap_or_default(),
        )?;
        tx.put(key.clone(), &Rejections { head }, unmoved)?;
        match db.commit(&tx).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Refused(_) | CommitError::Contended) => {}
            Err(CommitError::Failed(failure)) => return Err(failure),
        }
    }
    Err(Failure::message(
        "the chain of refused requests moved at every try",
    ))
}

/// The id under which refused requests are recorded.
pub(crate) const REJECTED: &str = "rejected";
/// Tries to add to the chain of refused requests against others that do the same.
const REJECTION_TRIES: u32 = 5;

/// The head of a chain of refused requests, which have nothing else to stand in.
#[derive(Serialize, Deserialize)]
struct Rejections {
    head: ChainHead,
}
