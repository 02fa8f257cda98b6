//! What was found, and what people make of it: discrepancies and incidences.

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::id::{CierreId, DiscrepanciaId, IncidenciaId};
use cierre_kernel::problem::Problem;
use cierre_platform::command::{Planned, run_with};
use cierre_platform::db::{Loaded, Tx};
use cierre_platform::http::{
    Answer, Body, Caller, Fields, PageParameters, Query, Routes, Segment, Segments, allow, lines,
    not_found, one_of, parsed, text,
};
use cierre_platform::{Context, Failure, Result, route};
use serde::Serialize;
use utoipa::ToSchema;

use super::archivos::exists;
use super::rows::rut;
use super::views::{DiscrepanciaView, IncidenciaView, TrabajoAccepted};
use super::{ANY_LENGTH, Api};
use crate::entity::discrepancia::{Correccion, Discrepancia};
use crate::entity::incidencia::{Accion, Incidencia, Veredicto};
use crate::entity::trabajo::TipoTrabajo;
use crate::lre::Code;
use crate::repo::{CierreRecord, Generated, caller as who, files, loaded_doc, put_cierre};
use crate::review::{Current, Reviewed, put_decision};
use crate::roles::{READ, REVIEW, SUPERVISE, WRITE};
use crate::rules::discrepancies::{Severidad, TipoDiscrepancia};
use crate::rules::incidencias::Prioridad;
use crate::rules::merge::{EstadoDiscrepancia, EstadoIncidencia};
use crate::table;

mod bulk;

pub(super) fn router<R: Routes<Api>>() -> R {
    let reads = allow(READ)
        .refuses(&[codes::NOT_FOUND])
        .invalid(&[codes::RUT_INVALID]);
    let decides = &[
        codes::NOT_FOUND,
        codes::FOUR_EYES_REQUIRED,
        codes::INCIDENCE_STATE,
        codes::RESULTS_STALE,
        codes::CIERRE_FINALIZED,
        codes::CIERRE_DELETED,
        codes::CONCURRENT_CHANGE,
    ];
    R::default()
        .route(
            allow(WRITE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::FILES_INCOMPLETE,
                    codes::CIERRE_FINALIZED,
                    codes::CIERRE_DELETED,
                    codes::CONCURRENT_CHANGE,
                ])
                .on(route!(post_discrepancias)),
        )
        .route(reads.on(route!(get_discrepancias)))
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_discrepancia)),
        )
        .route(
            allow(REVIEW)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::FOUR_EYES_REQUIRED,
                    codes::DISCREPANCY_CLOSED,
                    codes::RESULTS_STALE,
                    codes::CIERRE_FINALIZED,
                    codes::CIERRE_DELETED,
                    codes::CONCURRENT_CHANGE,
                ])
                .invalid(&[codes::JUSTIFICATION_REQUIRED])
                .on(route!(post_corregir)),
        )
        .route(
            allow(WRITE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::DISCREPANCIES_PENDING,
                    codes::DISCREPANCIES_OPEN,
                    codes::CIERRE_FINALIZED,
                    codes::CIERRE_DELETED,
                    codes::CONCURRENT_CHANGE,
                ])
                .on(route!(post_incidencias)),
        )
        .route(
            reads
                .invalid(&[codes::RUT_INVALID, codes::INVALID_FORMAT])
                .on(route!(get_incidencias)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_incidencia)),
        )
        .route(
            allow(WRITE)
                .refuses(decides)
                .invalid(&[codes::JUSTIFICATION_REQUIRED, codes::RESOLUTION_INVALID])
                .on(route!(post_resolver)),
        )
        .route(
            allow(SUPERVISE)
                .refuses(decides)
                .invalid(&[codes::COMMENT_REQUIRED])
                .on(route!(post_aprobar)),
        )
        .route(
            allow(SUPERVISE)
                .refuses(decides)
                .invalid(&[codes::COMMENT_REQUIRED])
                .on(route!(post_rechazar)),
        )
        .merge(bulk::router())
}

/// Generate discrepancies
///
/// Compares the files in force with each other and the book with itself. What people justified stays justified as long as the values are the same.
#[utoipa::path(post, path = "/api/nomina/cierres/{id}/discrepancias", tag = "Payroll: discrepancies", params(("id" = String, Path)),
    responses((status = 202, description = "The job", body = TrabajoAccepted)))]
async fn post_discrepancias(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    body: Body,
) -> Result<Answer> {
    super::jobs::request(&api, &caller, &body, id, TipoTrabajo::GenerarDiscrepancias).await
}

/// Generate incidences
///
/// Compares the book with that of the client's last finalised month.
#[utoipa::path(post, path = "/api/nomina/cierres/{id}/incidencias", tag = "Payroll: incidences", params(("id" = String, Path)),
    responses((status = 202, description = "The job", body = TrabajoAccepted)))]
async fn post_incidencias(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    body: Body,
) -> Result<Answer> {
    super::jobs::request(&api, &caller, &body, id, TipoTrabajo::GenerarIncidencias).await
}

/// A page of discrepancies.
#[derive(Debug, Serialize, ToSchema)]
struct DiscrepanciaPage {
    items: Vec<DiscrepanciaView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// List discrepancies
///
/// By RUT, those that are corrected too.
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/discrepancias", tag = "Payroll: discrepancies",
    params(("id" = String, Path), PageParameters, ("tipo" = Option<String>, Query), ("severidad" = Option<String>, Query),
        ("estado" = Option<String>, Query), ("rut" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = DiscrepanciaPage)))]
async fn get_discrepancias(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    query: Query,
) -> Result<Answer> {
    let (tipo, severidad, estado, rut, paging) = query.decode(|fields| {
        let kinds = TipoDiscrepancia::ALL.map(|kind| (kind.as_str(), kind));
        let tipo = fields.optional("tipo", one_of(&kinds));
        let levels = Severidad::ALL.map(|level| (level.as_str(), level));
        let severidad = fields.optional("severidad", one_of(&levels));
        let states = EstadoDiscrepancia::ALL.map(|state| (state.as_str(), state));
        let estado = fields.optional("estado", one_of(&states));
        let rut = rut(fields);
        let paging = fields.paging();
        Some((tipo?, severidad?, estado?, rut?, paging?))
    })?;
    let scope = caller.cursor_scope(&query);
    let start = api.cursors.start(&scope, &paging)?;
    let record = exists(&api.payroll, &caller.context, id).await?;
    let limit = usize::try_from(paging.limit.get()).unwrap_or(usize::MAX);
    let fixed = |one: &Discrepancia| {
        tipo.is_none_or(|tipo| tipo == one.found.tipo)
            && severidad.is_none_or(|severidad| severidad == one.found.severidad)
    };
    let state = |one: &Discrepancia| estado.is_none_or(|estado| estado == one.life.estado);
    let company = &caller.context.company;
    let listed = api
        .payroll
        .list(company, &record, rut, (limit, start), fixed, state);
    let listed = listed.await?;
    let items = listed.items.iter().map(DiscrepanciaView::of).collect();
    let next = api.cursors.next(&scope, listed.next)?;
    Ok(Answer::ok(&DiscrepanciaPage { items, next })?)
}

/// One of them, or 404.
async fn one<T: Reviewed>(
    api: &Api,
    context: &Context,
    record: &CierreRecord,
    id: T::Id,
) -> Result<Current<T>> {
    let ids = [id];
    let found = api.payroll.current::<T>(&context.company, record, &ids);
    found.await?.remove(&id).ok_or_else(not_found)
}

/// One discrepancy
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/discrepancias/{did}", tag = "Payroll: discrepancies",
    params(("id" = String, Path), ("did" = String, Path)),
    responses((status = 200, description = "The discrepancy", body = DiscrepanciaView)))]
async fn get_discrepancia(
    State(api): State<Api>,
    caller: Caller,
    Segments(id, discrepancia): Segments<CierreId, DiscrepanciaId>,
) -> Result<Answer> {
    let record = exists(&api.payroll, &caller.context, id).await?;
    let found = one::<Discrepancia>(&api, &caller.context, &record, discrepancia).await?;
    let view = DiscrepanciaView::of(&found.one);
    Ok(Answer::ok(&view)?.versioned(found.one.life.version))
}

/// Why a discrepancy may stay.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "justificacion": "Diferencia por redondeo del proveedor" }))]
struct CorregirBody {
    #[schema(min_length = 10, max_length = 1000)]
    justificacion: String,
}

/// Justify a discrepancy
///
/// An `advertencia` by who writes payroll, a `bloqueante` by a supervisor who uploaded none of its files.
#[utoipa::path(post, path = "/api/nomina/cierres/{id}/discrepancias/{did}/corregir", tag = "Payroll: discrepancies",
    params(("id" = String, Path), ("did" = String, Path)), request_body = CorregirBody,
    responses((status = 200, description = "The discrepancy", body = DiscrepanciaView)))]
async fn post_corregir(
    State(api): State<Api>,
    caller: Caller,
    Segments(id, discrepancia): Segments<CierreId, DiscrepanciaId>,
    body: Body,
) -> Result<Answer> {
    let words = body.decode(|fields| fields.optional("justificacion", lines(ANY_LENGTH)))?;
    let words = words.unwrap_or_default();
    let context = &caller.context;
    let key = table::cierre(&context.company, id);
    let keys = std::slice::from_ref(&key);
    let command = caller.command(&body);
    let db = &api.payroll.db;
    run_with!(db, context, command.as_ref(), keys, |loaded| {
        let record = record(&loaded, context, id)?;
        let found = one::<Discrepancia>(&api, context, &record, discrepancia).await?;
        let files = files(db, &context.company, id).await?;
        let correccion = Correccion {
            justificacion: &words,
        };
        let corrected = record
            .cierre
            .correct(&found.one, &correccion, &files, &who(context));
        let change = corrected.map_err(Problem::from)?;
        let (cierre, after) = change.state;
        let mut next = record.with(cierre);
        let trabajo = step(&mut next.discrepancias, &found.one, &after)?;
        let mut tx = Tx::new();
        put_cierre(&mut tx, context, Some(&record.cierre), next, &change.events)?;
        put_decision(&mut tx, &context.company, id, trabajo, &found, &after)?;
        let answer = Answer::ok(&DiscrepanciaView::of(&after))?.versioned(after.life.version);
        Planned { tx, answer }
    })
}

fn record(loaded: &Loaded, context: &Context, id: CierreId) -> Result<CierreRecord> {
    let key = table::cierre(&context.company, id);
    loaded_doc(loaded, &key)?.ok_or_else(not_found)
}

/// Counts a decision; answers the job that generated what was decided on.
fn step<T: Reviewed>(
    generated: &mut Option<Generated<T::Kind, T::Estado>>,
    before: &T,
    after: &T,
) -> Result<cierre_kernel::id::TrabajoId, Failure> {
    let missing = || Failure::message("a decision on what nobody generated");
    let generated = generated.as_mut().ok_or_else(missing)?;
    generated.step(before.kind(), before.estado(), after.estado());
    Ok(generated.trabajo_id)
}

/// A page of incidences.
#[derive(Debug, Serialize, ToSchema)]
struct IncidenciaPage {
    items: Vec<IncidenciaView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// List incidences
///
/// By RUT, those that are obsolete too.
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/incidencias", tag = "Payroll: incidences",
    params(("id" = String, Path), PageParameters, ("prioridad" = Option<String>, Query), ("estado" = Option<String>, Query),
        ("rut" = Option<String>, Query), ("codigo" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = IncidenciaPage)))]
async fn get_incidencias(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    query: Query,
) -> Result<Answer> {
    let (prioridad, estado, codigo, rut, paging) = query.decode(|fields| {
        let levels = Prioridad::ALL.map(|level| (level.as_str(), level));
        let prioridad = fields.optional("prioridad", one_of(&levels));
        let states = EstadoIncidencia::ALL.map(|state| (state.as_str(), state));
        let estado = fields.optional("estado", one_of(&states));
        let code = parsed(codes::INVALID_FORMAT, "is no code of the book", Code::parse);
        let codigo = fields.optional("codigo", code);
        let rut = rut(fields);
        let paging = fields.paging();
        Some((prioridad?, estado?, codigo?, rut?, paging?))
    })?;
    let scope = caller.cursor_scope(&query);
    let start = api.cursors.start(&scope, &paging)?;
    let record = exists(&api.payroll, &caller.context, id).await?;
    let limit = usize::try_from(paging.limit.get()).unwrap_or(usize::MAX);
    let fixed = |one: &Incidencia| {
        prioridad.is_none_or(|prioridad| prioridad == one.found.prioridad)
            && codigo.is_none_or(|codigo| Some(codigo) == one.found.codigo)
    };
    let state = |one: &Incidencia| estado.is_none_or(|estado| estado == one.life.estado);
    let company = &caller.context.company;
    let listed = api
        .payroll
        .list(company, &record, rut, (limit, start), fixed, state);
    let listed = listed.await?;
    let items = listed.items.iter().map(IncidenciaView::of).collect();
    let next = api.cursors.next(&scope, listed.next)?;
    Ok(Answer::ok(&IncidenciaPage { items, next })?)
}

/// One incidence
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/incidencias/{iid}", tag = "Payroll: incidences",
    params(("id" = String, Path), ("iid" = String, Path)),
    responses((status = 200, description = "The incidence", body = IncidenciaView)))]
async fn get_incidencia(
    State(api): State<Api>,
    caller: Caller,
    Segments(id, incidencia): Segments<CierreId, IncidenciaId>,
) -> Result<Answer> {
    let record = exists(&api.payroll, &caller.context, id).await?;
    let found = one::<Incidencia>(&api, &caller.context, &record, incidencia).await?;
    let view = IncidenciaView::of(&found.one);
    Ok(Answer::ok(&view)?.versioned(found.one.life.version))
}

/// What somebody says about incidences, as it was sent.
struct Words {
    accion: Accion,
    resolucion: String,
    justificacion: String,
    comentario: Option<String>,
}

impl Words {
    fn read(accion: Accion, fields: &mut Fields<'_>) -> Option<Self> {
        let (mut resolucion, mut justificacion, mut comentario) =
            (Some(None), Some(None), Some(None));
        match accion {
            Accion::Resolver => {
                resolucion = fields.optional("resolucion", text(0..=200));
                justificacion = fields.optional("justificacion", lines(ANY_LENGTH));
            }
            Accion::Aprobar | Accion::Rechazar => {
                comentario = fields.optional("comentario", lines(ANY_LENGTH));
            }
        }
        Some(Self {
            accion,
            resolucion: resolucion?.unwrap_or_default(),
            justificacion: justificacion?.unwrap_or_default(),
            comentario: comentario?,
        })
    }

    /// Without an action nobody can say which of them belong there: none is refused for that.
    fn skip(fields: &mut Fields<'_>) -> Option<Self> {
        fields.optional("resolucion", text(0..=200));
        fields.optional("justificacion", lines(ANY_LENGTH));
        fields.optional("comentario", lines(ANY_LENGTH));
        None
    }

    fn verdict(&self) -> Veredicto<'_> {
        let comentario = self.comentario.as_deref();
        match self.accion {
            Accion::Resolver => Veredicto::Resolver {
                resolucion: &self.resolucion,
                justificacion: &self.justificacion,
            },
            Accion::Aprobar => Veredicto::Aprobar { comentario },
            Accion::Rechazar => Veredicto::Rechazar { comentario },
        }
    }
}

/// Runs a decision on one incidence.
async fn decide(
    api: &Api,
    caller: &Caller,
    (id, incidencia): (CierreId, IncidenciaId),
    body: &Body,
    accion: Accion,
) -> Result<Answer> {
    let words = body.decode(|fields| Words::read(accion, fields))?;
    let context = &caller.context;
    let key = table::cierre(&context.company, id);
    let keys = std::slice::from_ref(&key);
    let command = caller.command(body);
    let db = &api.payroll.db;
    run_with!(db, context, command.as_ref(), keys, |loaded| {
        let record = record(&loaded, context, id)?;
        let found = one::<Incidencia>(api, context, &record, incidencia).await?;
        let decided = record
            .cierre
            .decide(&found.one, &words.verdict(), &who(context));
        let change = decided.map_err(Problem::from)?;
        let (cierre, after) = change.state;
        let mut next = record.with(cierre);
        let trabajo = step(&mut next.incidencias, &found.one, &after)?;
        let mut tx = Tx::new();
        put_cierre(&mut tx, context, Some(&record.cierre), next, &change.events)?;
        put_decision(&mut tx, &context.company, id, trabajo, &found, &after)?;
        let answer = Answer::ok(&IncidenciaView::of(&after))?.versioned(after.life.version);
        Planned { tx, answer }
    })
}

/// How an incidence is explained.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "resolucion": "correcta", "justificacion": "Ascenso desde octubre, anexo 14" }))]
struct ResolverBody {
    /// `correcta`, `regulariza_proximo_mes` or `otra`.
    resolucion: String,
    #[schema(min_length = 10, max_length = 1000)]
    justificacion: String,
}

/// What a supervisor says.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "comentario": "Falta el anexo firmado" }))]
struct ComentarioBody {
    /// Needed to reject.
    #[schema(min_length = 10, max_length = 1000)]
    comentario: Option<String>,
}

/// Explain an incidence
#[utoipa::path(post, path = "/api/nomina/cierres/{id}/incidencias/{iid}/resolver", tag = "Payroll: incidences",
    params(("id" = String, Path), ("iid" = String, Path)), request_body = ResolverBody,
    responses((status = 200, description = "The incidence", body = IncidenciaView)))]
async fn post_resolver(
    State(api): State<Api>,
    caller: Caller,
    Segments(id, incidencia): Segments<CierreId, IncidenciaId>,
    body: Body,
) -> Result<Answer> {
    decide(&api, &caller, (id, incidencia), &body, Accion::Resolver).await
}

/// Approve an explanation
///
/// By somebody who did not give it.
#[utoipa::path(post, path = "/api/nomina/cierres/{id}/incidencias/{iid}/aprobar", tag = "Payroll: incidences",
    params(("id" = String, Path), ("iid" = String, Path)), request_body = ComentarioBody,
    responses((status = 200, description = "The incidence", body = IncidenciaView)))]
async fn post_aprobar(
    State(api): State<Api>,
    caller: Caller,
    Segments(id, incidencia): Segments<CierreId, IncidenciaId>,
    body: Body,
) -> Result<Answer> {
    decide(&api, &caller, (id, incidencia), &body, Accion::Aprobar).await
}

/// Reject an explanation
///
/// By somebody who did not give it; the analyst explains it again.
#[utoipa::path(post, path = "/api/nomina/cierres/{id}/incidencias/{iid}/rechazar", tag = "Payroll: incidences",
    params(("id" = String, Path), ("iid" = String, Path)), request_body = ComentarioBody,
    responses((status = 200, description = "The incidence", body = IncidenciaView)))]
async fn post_rechazar(
    State(api): State<Api>,
    caller: Caller,
    Segments(id, incidencia): Segments<CierreId, IncidenciaId>,
    body: Body,
) -> Result<Answer> {
    decide(&api, &caller, (id, incidencia), &body, Accion::Rechazar).await
}
