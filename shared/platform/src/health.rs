//! Whether the system is alive, and whether everything that it stands on is.

use std::future::Future;
use std::time::{Duration, Instant};

use axum::extract::{FromRef, State};
use cierre_kernel::role::{Role, Roles};
use futures::future::{BoxFuture, FutureExt, join_all};
use serde::Serialize;
use utoipa::ToSchema;

use crate::activity;
use crate::aws::Lazy;
use crate::company;
use crate::db::Table;
use crate::error::{Doing, Failure, Result};
use crate::http::{Answer, Caller, Routes, allow, allow_public};
use crate::idempotency;
use crate::identity::UserPool;
use crate::route;

const ADMIN: Roles = Roles::of(&[Role::Admin]);
/// A part that does not answer within this time is down.
const PATIENCE: Duration = Duration::from_secs(3);

/// The tables, by what they are called here.
const TABLES: [(&str, Table); 6] = [
    ("company", company::TABLE),
    ("billing", Table::new("BILLING_TABLE")),
    ("payroll", Table::new("PAYROLL_TABLE")),
    ("payables", Table::new("PAYABLES_TABLE")),
    ("activity", activity::TABLE),
    ("idempotency", idempotency::TABLE),
];
/// The queues and the environment variables with their addresses.
const QUEUES: [(&str, &str); 12] = [
    ("billing-jobs", "BILLING_JOBS_QUEUE_URL"),
    ("billing-chunks", "BILLING_CHUNKS_QUEUE_URL"),
    ("billing-jobs-dlq", "BILLING_JOBS_DLQ_URL"),
    ("billing-parked", "BILLING_PARKED_QUEUE_URL"),
    ("payroll-files", "PAYROLL_FILES_QUEUE_URL"),
    ("payroll-jobs", "PAYROLL_JOBS_QUEUE_URL"),
    ("payroll-dlq", "PAYROLL_DLQ_URL"),
    ("payroll-parked", "PAYROLL_PARKED_QUEUE_URL"),
    ("payables-files", "PAYABLES_FILES_QUEUE_URL"),
    ("payables-jobs", "PAYABLES_JOBS_QUEUE_URL"),
    ("payables-dlq", "PAYABLES_DLQ_URL"),
    ("payables-parked", "PAYABLES_PARKED_QUEUE_URL"),
];
const BUCKET: &str = "UPLOADS_BUCKET";

/// The clients that look at each part.
#[derive(Clone, Debug)]
pub struct Probes {
    /// Tables.
    pub tables: Lazy<aws_sdk_dynamodb::Client>,
    /// Queues.
    pub queues: Lazy<aws_sdk_sqs::Client>,
    /// The bucket.
    pub buckets: Lazy<aws_sdk_s3::Client>,
    /// Users.
    pub pool: UserPool,
}

/// The routes, for any state that holds the probes.
pub fn router<S, R>() -> R
where
    R: Routes<S>,
    S: Clone + Send + Sync + 'static,
    Probes: FromRef<S>,
{
    R::default()
        .route(allow_public().on(route!(health)))
        .route(allow(ADMIN).on(route!(deep_health)))
}

/// The state of a part or of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Condition {
    Ok,
    Degraded,
    Down,
}

/// The system answers.
#[derive(Serialize, ToSchema)]
struct HealthView {
    #[schema(value_type = String, example = "ok")]
    status: Condition,
    #[schema(example = "0.1.0")]
    version: &'static str,
}

/// One part.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PartView {
    #[schema(example = "table")]
    kind: &'static str,
    #[schema(example = "billing")]
    name: &'static str,
    /// `ok` or `down`.
    #[schema(value_type = String, example = "ok")]
    state: Condition,
    #[schema(example = 12)]
    latency_ms: u64,
}

/// The whole and its parts.
#[derive(Serialize, ToSchema)]
struct DeepHealthView {
    /// `ok`, or `degraded` when a part is down.
    #[schema(value_type = String, example = "ok")]
    status: Condition,
    version: &'static str,
    parts: Vec<PartView>,
}

/// Whether the API answers
#[utoipa::path(get, path = "/health", tag = "Health", responses((status = 200, body = HealthView)))]
async fn health() -> Result<Answer> {
    Ok(Answer::ok(&HealthView {
        status: Condition::Ok,
        version: env!("CARGO_PKG_VERSION"),
    })?)
}

/// Whether tables, queues, bucket and user pool answer
#[utoipa::path(get, path = "/health/deep", tag = "Health", responses((status = 200, body = DeepHealthView)))]
async fn deep_health(State(probes): State<Probes>, _caller: Caller) -> Result<Answer> {
    let parts = join_all(probes.all()).await;
    Ok(Answer::ok(&DeepHealthView {
        status: overall(&parts),
        version: env!("CARGO_PKG_VERSION"),
        parts,
    })?)
}

fn overall(parts: &[PartView]) -> Condition {
    if parts.iter().all(|part| part.state == Condition::Ok) {
        Condition::Ok
    } else {
        Condition::Degraded
    }
}

/// Looks at one part, for a limited time. Why it is down goes to the log only.
async fn look(
    kind: &'static str,
    name: &'static str,
    probe: impl Future<Output = Result<(), Failure>>,
) -> PartView {
    let started = Instant::now();
    let found = tokio::time::timeout(PATIENCE, probe).await;
    let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let state = match found {
        Ok(Ok(())) => Condition::Ok,
        Ok(Err(failure)) => {
            tracing::warn!(
                kind,
                name,
                latency_ms,
                error = failure.chain(),
                "a part of the system is down"
            );
            Condition::Down
        }
        Err(_) => {
            tracing::warn!(
                kind,
                name,
                latency_ms,
                "a part of the system does not answer in time"
            );
            Condition::Down
        }
    };
    PartView {
        kind,
        name,
        state,
        latency_ms,
    }
}

impl Probes {
    fn all(&self) -> Vec<BoxFuture<'_, PartView>> {
        let mut looks: Vec<BoxFuture<'_, PartView>> = Vec::new();
        looks.extend(TABLES.map(|(name, table)| look("table", name, self.table(table)).boxed()));
        looks.extend(
            QUEUES.map(|(name, variable)| look("queue", name, self.queue(variable)).boxed()),
        );
        looks.push(look("bucket", "uploads", self.bucket()).boxed());
        looks.push(look("pool", "users", self.pool.probe()).boxed());
        looks
    }

    async fn table(&self, table: Table) -> Result<(), Failure> {
        let name = variable(table.variable())?;
        self.tables
            .describe_table()
            .table_name(name)
            .send()
            .await
            .doing("describing a table")?;
        Ok(())
    }

    async fn queue(&self, url: &str) -> Result<(), Failure> {
        self.queues
            .get_queue_attributes()
            .queue_url(variable(url)?)
            .send()
            .await
            .doing("asking a queue")?;
        Ok(())
    }

    async fn bucket(&self) -> Result<(), Failure> {
        self.buckets
            .head_bucket()
            .bucket(variable(BUCKET)?)
            .send()
            .await
            .doing("asking the bucket")?;
        Ok(())
    }
}

fn variable(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|error| Failure::new(format!("reading {name}"), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(state: Condition) -> PartView {
        PartView {
            kind: "table",
            name: "company",
            state,
            latency_ms: 1,
        }
    }

    #[test]
    fn one_part_down_degrades_the_whole() {
        assert_eq!(
            overall(&[part(Condition::Ok), part(Condition::Ok)]),
            Condition::Ok
        );
        assert_eq!(
            overall(&[part(Condition::Ok), part(Condition::Down)]),
            Condition::Degraded
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_fails_or_never_answers_is_down() {
        assert_eq!(
            look("table", "a", async { Ok(()) }).await.state,
            Condition::Ok
        );
        assert_eq!(
            look("table", "a", async { Err(Failure::message("gone")) })
                .await
                .state,
            Condition::Down
        );
        assert_eq!(
            look("table", "a", std::future::pending()).await.state,
            Condition::Down
        );
    }
}
