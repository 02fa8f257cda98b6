//! From the queue to the webhook.

use cierre_kernel::event::Event;
use cierre_kernel::time::Instant;
use cierre_platform::error::Doing;
use cierre_platform::queue::{Delivery, Verdict};
use cierre_platform::{Failure, activity, clock};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{WebhookMessage, Webhooks};
use crate::erp::{HttpClient, Receiver, Reply};
use crate::settings::{BillingSettings, Webhook};
use crate::table;

/// Attempts in all: one, and five more.
const ATTEMPTS: u32 = 6;

/// The body, as Standard Webhooks shape it.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    timestamp: Instant,
    data: Map<String, Value>,
}

impl Webhooks {
    /// Tells the webhook of one event.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or TLS cannot be set up; the message then comes back.
    pub async fn deliver(&self, delivery: &Delivery<WebhookMessage>) -> Result<Verdict, Failure> {
        let message = &delivery.body;
        let (event_key, settings_key) = (
            message.event_key(),
            table::billing_settings(&message.company_id),
        );
        let keys = [event_key.clone(), settings_key.clone()];
        let loaded = self.db.load(keys).await?;
        let Some(item) = loaded.item(&event_key) else {
            return Ok(Verdict::Senseless);
        };
        let event = activity::read(item)?;
        let settings: Option<BillingSettings> = loaded.read(&settings_key)?;
        // Taken away since: nobody is to be told any more.
        let Some(webhook) = settings.and_then(|settings| settings.webhook) else {
            return Ok(Verdict::Done);
        };
        let reply = self.post(&webhook, &event).await?;
        Ok(verdict(&event, reply, delivery.receive_count))
    }

    async fn post(&self, webhook: &Webhook, event: &Event) -> Result<Reply, Failure> {
        let Some(topic) = activity::topic(event) else {
            return Ok(Reply::RefusedForGood {
                reason: "nobody is told of such an event".to_owned(),
            });
        };
        let body = serde_json::to_vec(&body(topic, event)).doing("writing a webhook's body")?;
        let client = HttpClient::new(self.guard)?;
        match Receiver::new(&client, &webhook.url, &webhook.secret) {
            Ok(receiver) => Ok(receiver
                .post(&event.id.to_string(), body, clock::now())
                .await),
            Err(unusable) => Ok(Reply::RefusedForGood {
                reason: unusable.to_string(),
            }),
        }
    }
}

fn body<'a>(topic: &'a str, event: &Event) -> Body<'a> {
    let mut data = event.details.clone();
    data.insert("resource_type".to_owned(), json!(event.resource_type));
    data.insert("resource_id".to_owned(), json!(event.resource_id));
    data.insert("correlation_id".to_owned(), json!(event.correlation_id));
    data.insert("company_id".to_owned(), json!(event.company_id));
    Body {
        r#type: topic,
        timestamp: event.timestamp,
        data,
    }
}

/// What becomes of the message. A worker that died counts as an attempt: the request may have left.
fn verdict(event: &Event, reply: Reply, attempt: u32) -> Verdict {
    match reply {
        Reply::Accepted => Verdict::Done,
        Reply::TryAgain { reason, .. } if attempt < ATTEMPTS => {
            tracing::warn!(event_id = %event.id, attempt, reason, "a webhook did not take an event");
            Verdict::Again {
                seconds: seconds_after(attempt),
            }
        }
        Reply::TryAgain { reason, .. } | Reply::RefusedForGood { reason } => {
            tracing::error!(event_id = %event.id, attempt, reason, "a webhook was given up");
            Verdict::GivenUp
        }
    }
}

/// The wait after an attempt that failed: 2, 4, 8, 16, 32 s.
const fn seconds_after(attempt: u32) -> i32 {
    let doublings = if attempt < ATTEMPTS {
        attempt
    } else {
        ATTEMPTS - 1
    };
    1 << doublings
}

#[cfg(test)]
mod tests {
    use cierre_kernel::event::EventType;
    use rstest::rstest;

    use super::*;

    fn event() -> Event {
        let event = json!({
            "id": "evt_01JD0000000000000000000002",
            "timestamp": "2026-01-31T12:00:00.000Z",
            "company_id": "demo",
            "user": "sistema",
            "user_id": "sistema",
            "event_type": EventType::Process,
            "action": "batch_processed",
            "resource_type": "billing_batch",
            "resource_id": "bat_1",
            "details": { "invoiceCount": 3 },
            "ip": "",
            "user_agent": "",
            "correlation_id": "c-1",
            "sequence": 4,
            "prev_hash": "",
            "hash": "",
        });
        serde_json::from_value(event).unwrap()
    }

    fn again() -> Reply {
        Reply::TryAgain {
            reason: "it did not answer in time".into(),
            in_doubt: true,
        }
    }

    #[test]
    fn the_body_is_the_events_and_the_same_on_every_attempt() {
        let topic = activity::topic(&event()).unwrap();
        assert_eq!(
            serde_json::to_string(&body(topic, &event())).unwrap(),
            r#"{"type":"billing.batch.processed","timestamp":"2026-01-31T12:00:00.000Z","data":{"company_id":"demo","correlation_id":"c-1","invoiceCount":3,"resource_id":"bat_1","resource_type":"billing_batch"}}"#
        );
    }

    #[rstest]
    #[case(1, Verdict::Again { seconds: 2 })]
    #[case(2, Verdict::Again { seconds: 4 })]
    #[case(3, Verdict::Again { seconds: 8 })]
    #[case(4, Verdict::Again { seconds: 16 })]
    #[case(5, Verdict::Again { seconds: 32 })]
    #[case(6, Verdict::GivenUp)]
    #[case(7, Verdict::GivenUp)]
    fn what_failed_for_now_is_tried_six_times(#[case] attempt: u32, #[case] expected: Verdict) {
        assert_eq!(verdict(&event(), again(), attempt), expected);
    }

    #[test]
    fn what_was_taken_is_done_and_what_was_refused_is_given_up_at_once() {
        assert_eq!(verdict(&event(), Reply::Accepted, 1), Verdict::Done);
        let refused = Reply::RefusedForGood {
            reason: "it answered with status 410".into(),
        };
        assert_eq!(verdict(&event(), refused, 1), Verdict::GivenUp);
    }
}
