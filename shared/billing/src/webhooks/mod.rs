//! Tells a company's webhook that a batch is finished.
//!
//! ```text
//! the batch's last transaction, with its event   ->  activity table
//! its stream, events with a topic only           ->  announce: one message for an event whose company has a webhook
//! queue webhooks                                 ->  deliver:  one signed POST, again after 2, 4, 8, 16 and 32 s, then a dead letter
//! ```
//!
//! The event is written in the transaction that finishes the batch, and a stream delivers each at least once: whoever finished the batch may
//! die the moment after, and the webhook is told all the same. It may be told twice, under the same `webhook-id`.

mod announce;
mod deliver;

use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_platform::aws::Aws;
use cierre_platform::db::{Db, Key};
use cierre_platform::queue::Queue;
use cierre_platform::{Failure, activity};
use serde::{Deserialize, Serialize};

use crate::erp::Guard;
use crate::table;

/// Environment variable with the address of the queue of webhooks.
pub const WEBHOOKS_QUEUE: &str = "WEBHOOKS_QUEUE_URL";
/// Environment variable with the address of the queue of what no webhook took.
pub const DEAD_LETTERS: &str = "WEBHOOKS_DLQ_URL";

/// "Tell the company's webhook of this event." Where the event stands, never what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookMessage {
    /// The tenant.
    pub company_id: CompanyId,
    /// Kind of the event's resource.
    pub resource_type: String,
    /// The event's resource.
    pub resource_id: String,
    /// The event's place in the resource's chain.
    pub sequence: u64,
    /// The correlation id of the event.
    pub correlation_id: CorrelationId,
}

impl WebhookMessage {
    /// Where the event stands.
    fn event_key(&self) -> Key {
        let company = self.company_id.as_str();
        activity::key(
            company,
            &self.resource_type,
            &self.resource_id,
            self.sequence,
        )
    }
}

/// What telling webhooks works with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// The tables.
    pub db: Db,
    /// "Tell of this event."
    pub queue: Queue,
    /// Which addresses a webhook may have.
    pub guard: Guard,
}

impl Webhooks {
    /// Takes everything from the environment.
    ///
    /// # Errors
    /// When the queue's variable is not set.
    pub fn from_env(aws: &Aws) -> Result<Self, Failure> {
        let tables = [table::BILLING, activity::TABLE];
        Ok(Self {
            db: Db::from_env(aws.dynamodb(), &tables),
            queue: Queue::from_env(aws.sqs(), WEBHOOKS_QUEUE)?,
            guard: Guard::from_env(),
        })
    }
}
