//! The routes over a company's history. Every user of the company may read it; another company's is simply not there.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::event::{Broken, Event, EventType, FirstBroken};
use cierre_kernel::problem::Problem;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::OpenApi;
use utoipa::{IntoParams, ToSchema};

use super::verify::ChainHeads;
use super::{Filter, counts, page, verify};
use crate::db::Db;
use crate::error::Result;
use crate::http::{
    Answer, Caller, Cursors, Described, Fields, PageParameters, Paging, Query, Routes, Served,
    allow_any_user, one_of, parsed, text,
};
use crate::route;

/// What the routes work with. Cheap to clone.
#[derive(Clone)]
pub struct Activity {
    db: Db,
    cursors: Cursors,
    heads: Arc<dyn ChainHeads>,
}

impl std::fmt::Debug for Activity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Activity")
    }
}

impl Activity {
    /// Over the tables of `db`, with what the domains know about the heads of their chains.
    pub fn new(db: Db, cursors: Cursors, heads: Arc<dyn ChainHeads>) -> Self {
        Self { db, cursors, heads }
    }
}

/// The routes.
pub fn router(activity: Activity) -> Router {
    routes::<Served<Activity>>().with_state(activity)
}

/// Their documentation.
pub fn document() -> OpenApi {
    routes::<Described>().into_openapi()
}

fn routes<R: Routes<Activity>>() -> R {
    let verifies = allow_any_user()
        .refuses(&[codes::NOT_FOUND])
        .invalid(&[codes::REQUIRED, codes::INVALID_FORMAT]);
    R::default()
        .route(
            allow_any_user()
                .invalid(&[codes::REQUIRED, codes::INVALID_FORMAT])
                .on(route!(list_activity)),
        )
        .route(verifies.on(route!(verify_activity)))
        .route(allow_any_user().on(route!(count_activity)))
}

/// An activity event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "evt_01KQ3V9G5ZJ8W4T2N7X6R1M0AB",
    "timestamp": "2024-01-31T12:00:00.000Z",
    "company_id": "demo",
    "user": "beto",
    "user_id": "0b6f2c1e-3f0e-4f0a-9d55-5e0c7f1c7f10",
    "event_type": "process",
    "action": "service_sent_to_billing",
    "resource_type": "service",
    "resource_id": "svc_00000000000000000000000001",
    "details": { "pendingId": "pen_00000000000000000000000001" },
    "ip": "203.0.113.7",
    "user_agent": "curl/8.5.0",
    "correlation_id": "01KQ3V9G5ZJ8W4T2N7X6R1M0AB",
    "sequence": 2,
    "prev_hash": "5f0c1d6d3f8f8f3c2f2f8d9b0f1f6a3e7c9b5a4d2e1f0c9b8a7d6e5f4c3b2a19",
    "hash": "9a1b6c0d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b"
}))]
pub struct ActivityEvent {
    id: String,
    timestamp: String,
    company_id: String,
    /// The username; `sistema` for the system.
    user: String,
    /// The user's stable id.
    user_id: String,
    #[schema(example = "create")]
    event_type: &'static str,
    action: String,
    resource_type: String,
    resource_id: String,
    /// The payroll closing that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    cierre_id: Option<String>,
    /// The client of that closing.
    #[serde(skip_serializing_if = "Option::is_none")]
    cliente_id: Option<String>,
    details: Map<String, Value>,
    /// Empty when the system acted.
    ip: String,
    /// Empty when the system acted.
    user_agent: String,
    correlation_id: String,
    /// Place in the resource's chain, from 1.
    sequence: u64,
    /// Hash of the event before it in the chain; empty for the first.
    prev_hash: String,
    /// SHA-256, in hex, over the canonical JSON (RFC 8785) of this object without `hash`.
    hash: String,
}

impl From<Event> for ActivityEvent {
    fn from(event: Event) -> Self {
        Self {
            id: event.id.to_string(),
            timestamp: event.timestamp.to_string(),
            company_id: event.company_id.to_string(),
            user: event.user,
            user_id: event.user_id,
            event_type: event.event_type.as_str(),
            action: event.action,
            resource_type: event.resource_type,
            resource_id: event.resource_id,
            cierre_id: event.cierre_id.map(|id| id.to_string()),
            cliente_id: event.cliente_id.map(|id| id.to_string()),
            details: event.details,
            ip: event.ip,
            user_agent: event.user_agent,
            correlation_id: event.correlation_id.to_string(),
            sequence: event.sequence,
            prev_hash: event.prev_hash,
            hash: event.hash,
        }
    }
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActivityPage {
    items: Vec<ActivityEvent>,
    /// The cursor of the next page; only null ends the list.
    next: Option<String>,
}

impl ActivityPage {
    /// These events, and the cursor of the next page.
    pub fn new(events: Vec<Event>, next: Option<String>) -> Self {
        let items = events.into_iter().map(Into::into).collect();
        Self { items, next }
    }
}

/// Which events; what is absent does not restrict.
// Only documents the parameters: they are read by `read_filter`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "documents the parameters; they are read field by field"
)]
struct FilterParameters {
    /// Kind of resource, such as `service`; needs `resource_id`.
    resource_type: Option<String>,
    /// Which resource; needs `resource_type`.
    resource_id: Option<String>,
    /// Username of who did it.
    user: Option<String>,
    /// One command's whole way through all domains.
    correlation_id: Option<String>,
    /// Kind of change.
    #[param(example = "create")]
    event_type: Option<String>,
}

/// Activity events of the company.
///
/// Of one resource or one correlation id oldest first, else newest first. Filters can be combined.
#[utoipa::path(
    get,
    path = "/activity",
    tag = "Activity",
    params(FilterParameters, PageParameters),
    responses((status = 200, description = "A page of events", body = ActivityPage))
)]
async fn list_activity(
    State(activity): State<Activity>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let (filter, paging) = query.decode(|fields| {
        let filter = read_filter(fields);
        let paging = fields.paging();
        Some((filter?, paging?))
    })?;
    let Paging { limit, cursor } = paging;
    let scope = caller.cursor_scope(&query);
    let start = activity.cursors.decode_key(&scope, cursor.as_deref())?;
    let found = page(&activity.db, &caller.context.company, &filter, limit, start).await?;
    let next = activity.cursors.encode_key(&scope, found.next.as_ref())?;
    Ok(Answer::ok(&ActivityPage::new(found.events, next))?)
}

fn read_filter(fields: &mut Fields<'_>) -> Option<Filter> {
    let words = EventType::ALL.map(|kind| (kind.as_str(), kind));
    let resource = if fields.is_given("resource_type") || fields.is_given("resource_id") {
        read_resource(fields).map(Some)
    } else {
        Some(None)
    };
    let user = fields.optional("user", text(1..=128));
    let correlation_id = fields.optional(
        "correlation_id",
        parsed(codes::INVALID_FORMAT, "is not a correlation id", |text| {
            CorrelationId::parse(text).ok()
        }),
    );
    let event_type = fields.optional("event_type", one_of(&words));
    Some(Filter {
        resource: resource?,
        user: user?,
        correlation_id: correlation_id?,
        event_type: event_type?,
    })
}

/// Type and id; the one is nothing without the other.
fn read_resource(fields: &mut Fields<'_>) -> Option<(String, String)> {
    let resource_type = fields.required(
        "resource_type",
        parsed(codes::INVALID_FORMAT, "is not a kind of resource", |text| {
            let is_word = (1..=40).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            is_word.then(|| text.to_owned())
        }),
    );
    let resource_id = fields.required("resource_id", text(1..=100));
    Some((resource_type?, resource_id?))
}

/// Where a chain does not hold.
#[derive(Debug, Serialize, ToSchema)]
struct BrokenAt {
    /// Place in the chain at which the break was noticed.
    sequence: u64,
    /// The event found there; null when the end of the chain is what does not hold.
    id: Option<String>,
    /// `sequence`: missing, moved or repeated. `prev_hash`: does not follow the event before it. `hash`: was altered. `beyond_head`: more
    /// events than the resource knows of. `missing_tail`: fewer. `head_hash`: the last event is another one.
    reason: &'static str,
}

impl From<FirstBroken> for BrokenAt {
    fn from(broken: FirstBroken) -> Self {
        Self {
            sequence: broken.sequence,
            id: broken.id.map(|id| id.to_string()),
            reason: match broken.reason {
                Broken::Sequence => "sequence",
                Broken::PrevHash => "prev_hash",
                Broken::Hash => "hash",
                Broken::BeyondHead => "beyond_head",
                Broken::MissingTail => "missing_tail",
                Broken::HeadHash => "head_hash",
            },
        }
    }
}

/// The end of a chain as the resource itself knows it.
#[derive(Debug, Serialize, ToSchema)]
struct Head {
    /// How many events.
    length: u64,
    /// Hash of the last one; empty without any.
    hash: String,
}

/// The outcome of a verification.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Verification {
    /// Nothing was altered, moved, left out or cut off.
    valid: bool,
    /// Events walked, up to and including the first broken one.
    events: u64,
    head: Head,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_broken: Option<BrokenAt>,
}

/// The resource to verify.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "documents the parameters; they are read field by field"
)]
struct ResourceParameters {
    /// Kind of resource, such as `service`.
    resource_type: String,
    /// Which one.
    resource_id: String,
}

/// Walks the chain of a resource's events.
///
/// Finds altered, moved and missing events, and a tail that was cut off, by the head that stands in the resource's own record.
#[utoipa::path(
    get,
    path = "/activity/verify",
    tag = "Activity",
    params(ResourceParameters),
    responses((status = 200, description = "Whether the chain holds", body = Verification))
)]
async fn verify_activity(
    State(activity): State<Activity>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let (resource_type, resource_id) = query.decode(read_resource)?;
    let company = &caller.context.company;
    let not_found = || Problem::new(codes::NOT_FOUND);
    let places = activity.heads.locate(company, &resource_type, &resource_id);
    if places.is_empty() {
        return Err(not_found().into());
    }
    let verified = verify(&activity.db, company, &resource_type, &resource_id, &places);
    let verified = verified.await?.ok_or_else(not_found)?;
    Ok(Answer::ok(&Verification {
        valid: verified.verdict.valid,
        events: verified.verdict.events,
        head: Head {
            length: verified.head.length,
            hash: verified.head.hash,
        },
        first_broken: verified.verdict.first_broken.map(Into::into),
    })?)
}

/// Events per type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "asOf": "2024-01-31T12:00:00.000Z",
    "total": 3,
    "counts": {
        "create": 2, "upload": 0, "process": 1, "delete": 0, "update": 0,
        "generate": 0, "resolve": 0, "finalize": 0, "error": 0, "view": 0
    }
}))]
#[serde(rename_all = "camelCase")]
struct Counts {
    /// The moment of the request. Counters follow the events by a few seconds.
    as_of: String,
    /// All types together.
    total: u64,
    /// Every type, also those without events.
    counts: Map<String, Value>,
}

/// How many events of each type the company has.
#[utoipa::path(
    get,
    path = "/activity/counts",
    tag = "Activity",
    responses((status = 200, description = "Events per type", body = Counts))
)]
async fn count_activity(
    State(activity): State<Activity>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    query.decode(|_| Some(()))?;
    let by_type = counts(&activity.db, &caller.context.company).await?;
    Ok(Answer::ok(&Counts {
        as_of: caller.context.now.to_string(),
        total: by_type.values().sum(),
        counts: by_type
            .into_iter()
            .map(|(kind, count)| (kind.as_str().to_owned(), count.into()))
            .collect(),
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use rstest::rstest;
    use serde_json::json;

    fn read(parameters: Value) -> Result<Filter, Box<Problem>> {
        crate::http::decode(&parameters, read_filter).map_err(|error| match error {
            Error::Refused(problem) => problem,
            Error::Failed(failure) => panic!("{}", failure.chain()),
        })
    }

    #[test]
    fn nothing_asked_for_is_everything() {
        assert_eq!(read(json!({})).unwrap(), Filter::default());
    }

    #[test]
    fn every_filter_is_read() {
        let filter = read(json!({
            "resource_type": "billing_batch", "resource_id": "bat_1", "user": "ana", "correlation_id": "c-1", "event_type": "view",
        }));
        let expected = Filter {
            resource: Some(("billing_batch".into(), "bat_1".into())),
            user: Some("ana".into()),
            correlation_id: CorrelationId::parse("c-1").ok(),
            event_type: Some(EventType::View),
        };
        assert_eq!(filter.unwrap(), expected);
    }

    #[rstest]
    #[case::type_alone(json!({ "resource_type": "service" }), "/resource_id", codes::REQUIRED)]
    #[case::id_alone(json!({ "resource_id": "svc_1" }), "/resource_type", codes::REQUIRED)]
    #[case::type_with_separator(json!({ "resource_type": "a#b", "resource_id": "1" }), "/resource_type", codes::INVALID_FORMAT)]
    #[case::empty_id(json!({ "resource_type": "a", "resource_id": "" }), "/resource_id", codes::OUT_OF_RANGE)]
    #[case::unknown_type(json!({ "event_type": "look" }), "/event_type", codes::OUT_OF_RANGE)]
    #[case::correlation(json!({ "correlation_id": "a b" }), "/correlation_id", codes::INVALID_FORMAT)]
    #[case::unknown(json!({ "cierre_id": "x" }), "/cierre_id", codes::UNKNOWN_FIELD)]
    fn a_wrong_filter_is_refused(
        #[case] parameters: Value,
        #[case] pointer: &str,
        #[case] code: cierre_kernel::problem::Code,
    ) {
        let problem = read(parameters).unwrap_err();
        assert_eq!(problem.code, code);
        assert_eq!(problem.errors[0].pointer, pointer);
    }

    #[test]
    fn an_event_is_shown_as_it_was_hashed() {
        let (events, _) = crate::activity::tests::chain(2);
        for event in events {
            let hashed = serde_json::to_value(&event).unwrap();
            assert_eq!(
                serde_json::to_value(ActivityEvent::from(event)).unwrap(),
                hashed
            );
        }
    }

    #[test]
    fn the_document_names_every_route() {
        let paths = document().paths.paths;
        let mut paths: Vec<&str> = paths.keys().map(String::as_str).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["/activity", "/activity/counts", "/activity/verify"]);
    }
}
