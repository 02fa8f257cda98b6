//! From the activity stream to the queue.

use std::collections::HashMap;

use cierre_kernel::company::CompanyId;
use cierre_kernel::event::Event;
use cierre_platform::stream::Change;
use cierre_platform::{Failure, activity};

use super::{WebhookMessage, Webhooks};
use crate::settings::BillingSettings;
use crate::table;

impl Webhooks {
    /// Queues a message for each new event that others are told of, when its company has a webhook. A company without one costs one read.
    ///
    /// # Errors
    /// When DynamoDB or SQS does not answer; the stream then delivers the changes again, and some messages are queued twice.
    pub async fn announce(&self, changes: &[Change]) -> Result<(), Failure> {
        let messages = told(changes);
        let mut has_webhook: HashMap<CompanyId, bool> = HashMap::new();
        let mut wanted = Vec::new();
        for message in messages {
            let company = &message.company_id;
            let known = has_webhook.get(company).copied();
            let has = match known {
                Some(known) => known,
                None => self.has_webhook(company).await?,
            };
            has_webhook.insert(company.clone(), has);
            if has {
                wanted.push(message);
            }
        }
        self.queue.send_all(&wanted).await
    }

    async fn has_webhook(&self, company: &CompanyId) -> Result<bool, Failure> {
        let key = table::billing_settings(company);
        let settings: Option<BillingSettings> = self.db.get(&key).await?;
        Ok(settings.is_some_and(|settings| settings.webhook.is_some()))
    }
}

/// The new events among the changes that others are told of. An item that holds no event is left out: it would stop all that follow it, and
/// the check of the chains finds it.
fn told(changes: &[Change]) -> Vec<WebhookMessage> {
    let new = changes.iter().filter(|change| change.old.is_none());
    let events = new.filter_map(|change| activity::read(change.new.as_ref()?).ok());
    events
        .filter(|event| activity::topic(event).is_some())
        .map(message)
        .collect()
}

fn message(event: Event) -> WebhookMessage {
    WebhookMessage {
        company_id: event.company_id,
        resource_type: event.resource_type,
        resource_id: event.resource_id,
        sequence: event.sequence,
        correlation_id: event.correlation_id,
    }
}
