//! What happened: of one closing, and of all of them.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use cierre_kernel::codes;
use cierre_kernel::event::{Event, EventType};
use cierre_kernel::id::{CierreId, ClienteId};
use cierre_platform::activity::{self, ActivityPage, Order, Source};
use cierre_platform::error::Doing;
use cierre_platform::http::{
    Answer, Caller, Fields, PageParameters, Query, Routes, Segment, allow, id, one_of, parsed, text,
};
use cierre_platform::{Result, route};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Api;
use super::archivos::exists;
use crate::entity::events::{CIERRE, CLIENTE};
use crate::entity::resumen::Resumen;
use crate::repo::{record_view, stamp};
use crate::roles::READ;
use crate::table;

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default()
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .invalid(&[codes::EVENT_TYPE_UNKNOWN])
                .on(route!(get_timeline)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_cierre_errores)),
        )
        .route(
            allow(READ)
                .invalid(&[codes::EVENT_TYPE_UNKNOWN, codes::INVALID_ID])
                .on(route!(get_actividad)),
        )
}

/// An event of a timeline.
#[derive(Debug, Serialize, ToSchema)]
struct Evento {
    id: String,
    timestamp: String,
    /// The username; `sistema` for the system.
    user: String,
    #[schema(example = "create")]
    event_type: &'static str,
    #[schema(example = "cierre_creado")]
    action: String,
    #[schema(example = "cierre_nomina")]
    resource_type: String,
    resource_id: String,
    #[schema(value_type = Object)]
    details: Map<String, Value>,
}

impl From<Event> for Evento {
    fn from(event: Event) -> Self {
        Self {
            id: event.id.to_string(),
            timestamp: event.timestamp.to_string(),
            user: event.user,
            event_type: event.event_type.as_str(),
            action: event.action,
            resource_type: event.resource_type,
            resource_id: event.resource_id,
            details: event.details,
        }
    }
}

/// The counters of a closing's events, whatever is shown of them.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "documents the answer, which is written in its own order"
)]
struct ResumenView {
    total_eventos: u64,
    /// In falling count, then alphabetically.
    #[schema(value_type = Object)]
    eventos_por_tipo: BTreeMap<String, u64>,
    /// In order of their first event.
    usuarios_activos: Vec<String>,
}

/// A page of a timeline. Its members are written in this order.
#[derive(Serialize, ToSchema)]
struct Timeline<'a> {
    #[schema(value_type = String)]
    cierre_id: CierreId,
    #[schema(example = "2025-10")]
    periodo: String,
    eventos: Vec<Evento>,
    #[schema(value_type = ResumenView)]
    resumen: Resumen<'a>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// A kind of event.
fn event_type(fields: &mut Fields<'_>) -> Option<Option<EventType>> {
    let known = parsed(codes::EVENT_TYPE_UNKNOWN, "is no kind of event", |text| {
        text.parse::<EventType>().ok()
    });
    fields.optional("event_type", known)
}

/// The timeline of a closing
///
/// Every event of the closing and of its files, by time. `resumen` counts the whole closing, whatever the filter or page.
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/timeline", tag = "Payroll: activity",
    params(("id" = String, Path), PageParameters, ("event_type" = Option<String>, Query), ("user" = Option<String>, Query),
        ("action" = Option<String>, Query), ("orden" = Option<String>, Query, description = "`asc` (default) or `desc`")),
    responses((status = 200, description = "A page", body = Timeline<'static>)))]
async fn get_timeline(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    query: Query,
) -> Result<Response> {
    let (kind, user, action, order, paging) = query.decode(|fields| {
        let kind = event_type(fields);
        let user = fields.optional("user", text(1..=128));
        let action = fields.optional("action", text(1..=64));
        let orders = [("asc", Order::Ascending), ("desc", Order::Descending)];
        let order = fields.optional_or("orden", one_of(&orders), Order::Ascending);
        let paging = fields.paging();
        Some((kind?, user?, action?, order?, paging?))
    })?;
    let context = &caller.context;
    let (company, db) = (&context.company, &api.payroll.db);
    let scope = caller.cursor_scope(&query);
    let start = api.cursors.decode_key(&scope, paging.cursor.as_deref())?;
    let record = exists(&api.payroll, context, id).await?;
    let source = Source::Chronology(CIERRE, id.to_string(), order);
    let wanted = |event: &Event| {
        kind.is_none_or(|kind| kind == event.event_type)
            && user.as_deref().is_none_or(|user| user == event.user)
            && action
                .as_deref()
                .is_none_or(|action| action == event.action)
    };
    let filtered = kind.is_some() || user.is_some() || action.is_some();
    let wanted: Option<&(dyn Fn(&Event) -> bool + Sync)> =
        if filtered { Some(&wanted) } else { None };
    let page = activity::search(db, company, &source, wanted, paging.limit, start).await?;
    let answer = Timeline {
        cierre_id: id,
        periodo: record.cierre.periodo.to_string(),
        eventos: page.events.into_iter().map(Into::into).collect(),
        resumen: record.resumen.resumen(),
        next: api.cursors.encode_key(&scope, page.next.as_ref())?,
    };
    // Straight to text: the order of its members is part of the answer.
    let answer = serde_json::to_string(&answer).doing("writing a timeline")?;
    let filters = [
        ("event_type", kind.map(|kind| kind.as_str().to_owned())),
        ("user", user),
        ("action", action),
    ];
    let filters: BTreeMap<String, String> = filters
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    note_reading(&api, &caller, id, filters).await?;
    Ok(([(CONTENT_TYPE, "application/json")], answer).into_response())
}

/// Tells once per user and hour that somebody read the timeline.
async fn note_reading(
    api: &Api,
    caller: &Caller,
    id: CierreId,
    filters: BTreeMap<String, String>,
) -> Result<()> {
    let context = &caller.context;
    let db = &api.payroll.db;
    let hour: String = context.now.to_string().chars().take(HOUR).collect();
    let user = &context.actor.user_id;
    let mark = table::timeline_read(&context.company, id, user, &hour);
    if db.get_item(&mark).await?.is_some() {
        return Ok(());
    }
    let viewed = |cierre: &crate::entity::cierre::Cierre| {
        cierre.timeline_read(filters.clone(), &stamp(context))
    };
    record_view(db, context, id, viewed, Some(&mark)).await?;
    Ok(())
}

/// Characters of an instant up to its hour.
const HOUR: usize = "2025-10-17T10".len();

/// What failed in a closing
///
/// Its events of the type `error`, newest first.
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/errores", tag = "Payroll: activity",
    params(("id" = String, Path), PageParameters),
    responses((status = 200, description = "A page", body = ActivityPage)))]
async fn get_cierre_errores(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let start = api.cursors.decode_key(&scope, paging.cursor.as_deref())?;
    exists(&api.payroll, &caller.context, id).await?;
    let source = Source::Chronology(CIERRE, id.to_string(), Order::Descending);
    let (db, company) = (&api.payroll.db, &caller.context.company);
    let wanted = |event: &Event| event.event_type == EventType::Error;
    let page = activity::search(db, company, &source, Some(&wanted), paging.limit, start).await?;
    let next = api.cursors.encode_key(&scope, page.next.as_ref())?;
    Ok(Answer::ok(&ActivityPage::new(page.events, next))?)
}

/// What happened in payroll
///
/// Over all closings and clients, newest first.
#[utoipa::path(get, path = "/api/nomina/actividad", tag = "Payroll: activity",
    params(PageParameters, ("event_type" = Option<String>, Query), ("user" = Option<String>, Query),
        ("cliente_id" = Option<String>, Query), ("cierre_id" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = ActivityPage)))]
async fn get_actividad(State(api): State<Api>, caller: Caller, query: Query) -> Result<Answer> {
    let (kind, user, cliente, cierre, paging) = query.decode(|fields| {
        let kind = event_type(fields);
        let user = fields.optional("user", text(1..=128));
        let cliente = fields.optional("cliente_id", id());
        let cierre = fields.optional("cierre_id", id());
        let paging = fields.paging();
        Some((kind?, user?, cliente?, cierre?, paging?))
    })?;
    let (cliente, cierre): (Option<ClienteId>, Option<CierreId>) = (cliente, cierre);
    let scope = caller.cursor_scope(&query);
    let start = api.cursors.decode_key(&scope, paging.cursor.as_deref())?;
    let source = match (cierre, &user) {
        (Some(cierre), _) => Source::Chronology(CIERRE, cierre.to_string(), Order::Descending),
        (None, Some(user)) => Source::User(user.clone()),
        (None, None) => Source::Company,
    };
    let wanted = |event: &Event| {
        is_payroll(event)
            && kind.is_none_or(|kind| kind == event.event_type)
            && user.as_deref().is_none_or(|user| user == event.user)
            && cliente.is_none_or(|cliente| Some(cliente) == event.cliente_id)
    };
    let (db, company) = (&api.payroll.db, &caller.context.company);
    let page = activity::search(db, company, &source, Some(&wanted), paging.limit, start).await?;
    let next = api.cursors.encode_key(&scope, page.next.as_ref())?;
    Ok(Answer::ok(&ActivityPage::new(page.events, next))?)
}

/// Whether an event is one of payroll's. What is in quarantine and belongs to no closing has no client, but a kind of file.
fn is_payroll(event: &Event) -> bool {
    let kind = event.resource_type.as_str();
    event.cierre_id.is_some()
        || kind == CLIENTE
        || kind == CIERRE
        || kind.parse::<crate::kind::Kind>().is_ok()
}
