//! The product inside the test's own process: its routes and its workers, on tables, a queue and an endpoint of the test's choosing.
//!
//! So a test decides when a request or a message makes it run, behind which [`crate::Proxy`], and drops it in the middle of any call.

mod copies;

use std::collections::HashMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_lambda_events::event::sqs::SqsEvent;
use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_dynamodb::types::{BillingMode, GlobalSecondaryIndex, LocalSecondaryIndex};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use axum::Router;
use axum::body::to_bytes;
use cierre_billing::engine::Engine;
use cierre_billing::erp::{Guard, Syncs};
use cierre_billing::state::Billing;
use cierre_billing::table::BILLING;
use cierre_kernel::company::CompanyId;
use cierre_platform::db::{Db, Table};
use cierre_platform::http::{Cursors, Routes as _, Served, app};
use cierre_platform::queue::Queue;
use cierre_platform::{activity, aws, clock, company, idempotency};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::stack::{Stack, unique};

pub use copies::{Template, Twin};

/// The tables that billing works with.
pub const TABLES: [Table; 4] = [BILLING, activity::TABLE, idempotency::TABLE, company::TABLE];

/// The physical names of [`TABLES`].
pub type Tables = HashMap<Table, String>;

impl Stack {
    /// The stack's own tables: whatever changes there is followed by the functions of its streams.
    pub fn tables(&self) -> Tables {
        TABLES
            .into_iter()
            .map(|table| (table, self.output(table.variable())))
            .collect()
    }

    /// New tables of the same shape, without streams: nobody else uses them and nothing follows their changes, which saves the time of
    /// thousands of invocations.
    pub async fn tables_apart(&self) -> Tables {
        let db = self.dynamodb();
        let suffix = unique();
        let mut tables = Tables::new();
        for (table, name) in self.tables() {
            let described = db.describe_table().table_name(&name).send().await.unwrap();
            let described = described.table.unwrap();
            let apart = format!("{name}-{suffix}");
            let mut create = db
                .create_table()
                .table_name(&apart)
                .billing_mode(BillingMode::PayPerRequest)
                .set_attribute_definitions(described.attribute_definitions)
                .set_key_schema(described.key_schema);
            for index in described.local_secondary_indexes.unwrap_or_default() {
                let copy = LocalSecondaryIndex::builder()
                    .set_index_name(index.index_name)
                    .set_key_schema(index.key_schema)
                    .set_projection(index.projection);
                create = create.local_secondary_indexes(copy.build().unwrap());
            }
            for index in described.global_secondary_indexes.unwrap_or_default() {
                let copy = GlobalSecondaryIndex::builder()
                    .set_index_name(index.index_name)
                    .set_key_schema(index.key_schema)
                    .set_projection(index.projection);
                create = create.global_secondary_indexes(copy.build().unwrap());
            }
            create.send().await.unwrap();
            tables.insert(table, apart);
        }
        tables
    }

    /// A queue that nobody else consumes; its dead letters go to another one after so many deliveries.
    pub async fn queue_apart(
        &self,
        invisible: Duration,
        dead_letters: Option<(&str, u32)>,
    ) -> String {
        let mut create = self
            .sqs()
            .create_queue()
            .queue_name(format!("test-{}", unique()))
            .attributes(
                QueueAttributeName::VisibilityTimeout,
                invisible.as_secs().to_string(),
            );
        if let Some((url, deliveries)) = dead_letters {
            let asked = self.sqs().get_queue_attributes().queue_url(url);
            let asked = asked.attribute_names(QueueAttributeName::QueueArn);
            let attributes = asked.send().await.unwrap().attributes.unwrap_or_default();
            let target = &attributes[&QueueAttributeName::QueueArn];
            let redrive = json!({ "deadLetterTargetArn": target, "maxReceiveCount": deliveries });
            create = create.attributes(QueueAttributeName::RedrivePolicy, redrive.to_string());
        }
        create.send().await.unwrap().queue_url.unwrap()
    }

    /// The way to AWS as the functions have it, their tries and time-outs included, at this endpoint.
    pub fn sdk_at(&self, endpoint: &str) -> SdkConfig {
        self.sdk()
            .to_builder()
            .endpoint_url(endpoint)
            .retry_config(aws::retries())
            .timeout_config(aws::timeouts())
            .build()
    }

    /// As [`Self::sdk_at`], with the same number of tries, but hardly any wait between them: for thousands of faults one after the other.
    pub fn hasty_sdk_at(&self, endpoint: &str) -> SdkConfig {
        let retries: RetryConfig = aws::retries().with_initial_backoff(Duration::from_millis(2));
        self.sdk_at(endpoint)
            .to_builder()
            .retry_config(retries)
            .build()
    }
}

/// The event that Lambda makes of messages.
pub fn sqs_event(messages: &[Message]) -> SqsEvent {
    let count = MessageSystemAttributeName::ApproximateReceiveCount;
    let record = |message: &Message| {
        let count = message.attributes().and_then(|all| all.get(&count));
        json!({
            "messageId": message.message_id(),
            "receiptHandle": message.receipt_handle(),
            "body": message.body(),
            "attributes": { "ApproximateReceiveCount": count },
            "messageAttributes": {},
        })
    };
    let records: Vec<Value> = messages.iter().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

/// A request to the API.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// `GET`, `POST` and so on.
    pub method: &'static str,
    /// With its query.
    pub path: String,
    /// None when it is null.
    pub body: Value,
    /// The idempotency key.
    pub key: Option<String>,
    /// How much later than now it arrives.
    pub later: Duration,
}

impl Ask {
    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            body: Value::Null,
            key: None,
            later: Duration::ZERO,
        }
    }

    /// A POST under a new idempotency key.
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: "POST",
            body,
            key: Some(unique()),
            ..Self::get(path)
        }
    }

    /// A PUT.
    pub fn put(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: "PUT",
            body,
            ..Self::get(path)
        }
    }

    /// The event that API Gateway makes of it.
    fn event(&self, company: &CompanyId) -> Value {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let mut headers = json!({ "host": "inside.example" });
        if let Some(key) = &self.key {
            headers["idempotency-key"] = json!(key);
            headers["x-correlation-id"] = json!(key);
        }
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": headers,
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "inside",
                "authorizer": { "jwt": { "claims": {
                    "sub": "sub-inside",
                    "username": "inside",
                    "token_use": "access",
                    "company_id": company,
                    "cognito:groups": "[admin]",
                }, "scopes": null } },
                "domainName": "inside.example",
                "http": { "method": self.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7", "userAgent": "test" },
                "requestId": "inside",
                "routeKey": "$default",
                "stage": "$default",
                "time": "01/Jan/2026:00:00:00 +0000",
                "timeEpoch": clock::now().as_millis() + self.later.as_millis() as i64,
            },
            "isBase64Encoded": false,
        });
        if !self.body.is_null() {
            event["headers"]["content-type"] = json!("application/json");
            event["body"] = json!(self.body.to_string());
        }
        event
    }
}

/// What the API answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The status.
    pub status: u16,
    /// The body; null when there is none.
    pub body: Value,
}

impl Told {
    /// Expects any success and gives the body.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "unexpected answer {}: {}",
            self.status,
            self.body
        );
        self.body
    }
}

/// The product inside this process.
#[derive(Clone, Debug)]
pub struct Inside {
    /// What its handlers and workers work with.
    pub billing: Billing,
    app: Router,
    sqs: aws_sdk_sqs::Client,
}

impl Inside {
    /// With these tables. Both kinds of messages go to one queue.
    pub fn new(config: &SdkConfig, tables: &Tables, queue: &str) -> Self {
        // On AWS every worker is a process with a quota of retries of its own; here many share a process.
        let quota = RetryPartition::custom("inside").token_bucket(TokenBucket::unlimited());
        let quota = quota.build();
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(config);
        let dynamodb = dynamodb.retry_partition(quota.clone()).build();
        let sqs = aws_sdk_sqs::config::Builder::from(config);
        let sqs = aws_sdk_sqs::Client::from_conf(sqs.retry_partition(quota).build());
        let queue = Queue::new(sqs.clone(), queue.to_owned());
        let db = Db::new(
            aws_sdk_dynamodb::Client::from_conf(dynamodb),
            tables.clone(),
        );
        let billing = Billing {
            syncs: Syncs {
                db: db.clone(),
                queue: queue.clone(),
                guard: Guard::PUBLIC,
            },
            engine: Engine {
                db,
                jobs: queue.clone(),
                chunks: queue,
            },
            cursors: Cursors::new(&[7; 32]).unwrap(),
        };
        let routes: Served<Billing> = cierre_billing::http::router();
        let routes = routes.merge(company::http::router());
        let app = app(routes.with_state(billing.clone()));
        Self { billing, app, sqs }
    }

    /// Lets the API answer a request of the company's administrator.
    pub async fn ask(&self, company: &CompanyId, ask: &Ask) -> Told {
        let event = ask.event(company).to_string();
        let request = lambda_http::request::from_str(&event).unwrap();
        let answer = self.app.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Told { status, body }
    }

    /// Another queue, reached as its own.
    pub fn queue(&self, url: &str) -> Queue {
        Queue::new(self.sqs.clone(), url.to_owned())
    }

    /// Reads and writes its tables.
    pub fn db(&self) -> &Db {
        &self.billing.engine.db
    }
}
