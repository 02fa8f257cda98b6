//! One factura: it is registered, shown, decided, and what happened to it is told.

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::id::FacturaId;
use cierre_kernel::problem::Problem;
use cierre_platform::activity::{self, ActivityEvent, Source};
use cierre_platform::command::{Planned, run_with};
use cierre_platform::db::{Db, Loaded};
use cierre_platform::http::{
    Answer, Body, Caller, Cursors, Fields, IfMatch, PageParameters, Query, Routes, Segment, allow,
    allow_any_user, lines, not_found, text,
};
use cierre_platform::{Context, Error, Result, random, route};
use futures::future::try_join;
use serde::Serialize;
use utoipa::ToSchema;

use super::nueva::{self, FacturaBody};
use super::views::FacturaView;
use super::{ANY_LENGTH, Api, USUARIO};
use crate::comandos::{self, Acto, Documento, Gestion, Mandato, Planeado, Registro, suplencia};
use crate::entity::events::FACTURA;
use crate::entity::factura::{Expediente, Origen, Voto, WorkflowAnswer, reason};
use crate::entity::refusal::FacturaRefusal;
use crate::repo::{self, decisor, stamp};
use crate::roles::{ASSIGN, INTAKE, REOPEN, sees};
use crate::usuarios::nombrado;

pub(super) fn router<R: Routes<Api>>() -> R {
    let reads = allow_any_user().refuses(&[codes::NOT_FOUND, codes::WRONG_ROLE]);
    let decides = allow_any_user().refuses(&[
        codes::NOT_FOUND,
        codes::NO_AUTORIZADO_PARA_DECIDIR,
        codes::NOMBRE_RESERVADO,
        codes::SOD_VIOLATION,
        codes::SIN_RESPONSABLE,
        codes::YA_DECIDIDA,
        codes::YA_APROBO,
        codes::CONCURRENT_CHANGE,
    ]);
    R::default()
        .route(
            allow(INTAKE)
                .refuses(&[codes::FACTURA_DUPLICADA, codes::CONCURRENT_CHANGE])
                .invalid(&[
                    codes::NIT_FORMATO,
                    codes::NIT_DIGITO_INVALIDO,
                    codes::REQUERIDO,
                    codes::INVALID_FORMAT,
                    codes::INVALID_DATE,
                    codes::FECHA_FUTURA,
                    codes::FECHA_INVALIDA,
                    codes::VALOR_NO_ADMITIDO,
                    codes::INVALID_AMOUNT,
                    codes::TOTAL_NO_POSITIVO,
                    codes::TOO_MANY_ITEMS,
                ])
                .on(route!(post_factura)),
        )
        .route(reads.on(route!(get_factura)))
        .route(reads.on(route!(get_historial)))
        .route(decides.on(route!(post_factura_aprobar)))
        .route(
            decides
                .invalid(&[codes::MOTIVO_REQUERIDO])
                .on(route!(post_factura_rechazar)),
        )
        .route(
            allow(REOPEN)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::NOMBRE_RESERVADO,
                    codes::NO_DECIDIDA,
                    codes::LIMITE_DE_RONDAS,
                    codes::CONCURRENT_CHANGE,
                ])
                .invalid(&[codes::MOTIVO_REQUERIDO])
                .on(route!(post_factura_reabrir)),
        )
        .route(
            allow(ASSIGN)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::RESPONSABLE_YA_ASIGNADO,
                    codes::RATE_LIMITED,
                    codes::CONCURRENT_CHANGE,
                ])
                .invalid(&[codes::USUARIO_NO_VALIDO])
                .on(route!(post_asignar)),
        )
        .route(
            allow(INTAKE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::TIENE_APROBACIONES,
                    codes::YA_DECIDIDA,
                    codes::CONCURRENT_CHANGE,
                ])
                .versioned()
                .on(route!(delete_factura)),
        )
}

/// Register a factura
///
/// It gets whoever answers for the supplier's facturas, and is approved at once where the policy says so; `workflow.comparacion` tells why it is not.
#[utoipa::path(post, path = "/facturas", tag = "Payables: facturas", request_body = FacturaBody,
    responses((status = 201, description = "The factura", body = FacturaView)))]
async fn post_factura(State(db): State<Db>, caller: Caller, body: Body) -> Result<Answer> {
    let context = &caller.context;
    let nueva = nueva::read(&body, context.now)?;
    let registro = Registro {
        id: FacturaId::new(random::ulid(context.now)?),
        stamp: stamp(context),
        documento: Documento::Nueva(nueva, Origen::Json),
    };
    let keys = registro.keys(&context.company);
    let command = caller.command(&body);
    run_with!(&db, context, command.as_ref(), &keys, |loaded| {
        let planned = registro.planear(&db, context, &loaded).await?;
        let Planeado { tx, expediente } = planned.map_err(Problem::from)?;
        let location = format!("/facturas/{}", registro.id);
        let answer = Answer::created(location, &FacturaView::of(&expediente))?;
        Planned {
            tx,
            answer: answer.versioned(expediente.factura.version),
        }
    })
}

/// One factura
///
/// Readers see every one of the company, others those for which they answer or stand in today.
#[utoipa::path(get, path = "/facturas/{id}", tag = "Payables: facturas", params(("id" = String, Path)),
    responses((status = 200, description = "The factura", body = FacturaView)))]
async fn get_factura(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<FacturaId>,
) -> Result<Answer> {
    let found = repo::expediente(&db, &caller.context.company, id).await?;
    let expediente = visible(&db, &caller.context, found).await?;
    answer(&expediente)
}

fn answer(expediente: &Expediente) -> Result<Answer> {
    let answer = Answer::ok(&FacturaView::of(expediente))?;
    Ok(answer.versioned(expediente.factura.version))
}

/// What was found, if it is there and the caller sees it. Delegations are looked for only where nothing else shows it.
async fn visible(db: &Db, context: &Context, found: Option<Expediente>) -> Result<Expediente> {
    let live = found.filter(|one| !one.factura.eliminada);
    let expediente = live.ok_or_else(not_found)?;
    let factura = &expediente.factura;
    if sees(&decisor(context, false), factura) {
        return Ok(expediente);
    }
    let used = match factura.responsable() {
        Some(responsable) => suplencia(db, context, responsable).await?,
        None => None,
    };
    if sees(&decisor(context, used.is_some()), factura) {
        return Ok(expediente);
    }
    let detail =
        "Only those who read facturas, its responsable and their delegate see this factura";
    Err(Problem::new(codes::WRONG_ROLE).detail(detail).into())
}

/// What happened to a factura.
#[derive(Debug, Serialize, ToSchema)]
struct HistorialView {
    /// Every round, the first one first, on every page.
    workflow: Vec<WorkflowAnswer>,
    /// The events, the oldest first.
    items: Vec<ActivityEvent>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// The history of a factura
///
/// Its rounds with their decisions, and its events. That it was read is an event too, one for each reading, however many pages it takes.
#[utoipa::path(get, path = "/facturas/{id}/historial", tag = "Payables: facturas", params(("id" = String, Path), PageParameters),
    responses((status = 200, description = "Rounds, and a page of events", body = HistorialView)))]
async fn get_historial(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    Segment(id): Segment<FacturaId>,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let start = cursors.decode_key(&scope, paging.cursor.as_deref())?;
    let begins = start.is_none();
    let context = &caller.context;
    let company = &context.company;
    let source = Source::Chain(FACTURA.to_owned(), id.to_string());
    let events = activity::search(&db, company, &source, None, paging.limit, start);
    let (found, page) = try_join(repo::con_rondas(&db, company, id), events).await?;
    let (expediente, rondas) = found.ok_or_else(not_found)?;
    let expediente = visible(&db, context, Some(expediente)).await?;
    let shown = HistorialView {
        workflow: rondas.iter().map(Into::into).collect(),
        items: page.events.into_iter().map(Into::into).collect(),
        next: cursors.encode_key(&scope, page.next.as_ref())?,
    };
    if begins {
        let stamp = stamp(context);
        let read = repo::note(&db, context, expediente, |factura| {
            factura.historial_read(&stamp)
        });
        read.await?;
    }
    Ok(Answer::ok(&shown)?)
}

/// An approval.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
struct AprobarBody {
    #[schema(max_length = 1000)]
    comentario: Option<String>,
}

/// Approve a factura
///
/// As its responsable, supervisor, admin or delegate, whichever fits first. It is `aprobada` with the last required approval.
#[utoipa::path(post, path = "/facturas/{id}/aprobar", tag = "Payables: facturas", params(("id" = String, Path)),
    request_body = Option<AprobarBody>, responses((status = 200, description = "The factura", body = FacturaView)))]
async fn post_factura_aprobar(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<FacturaId>,
    body: Body,
) -> Result<Answer> {
    let comentario = body.decode_or_empty(comentario)?;
    let voto = Voto::aprobar(comentario.as_deref()).map_err(Problem::from)?;
    carry_out(&db, &caller, &body, (id, Acto::Decidir(voto))).await
}

fn comentario(fields: &mut Fields<'_>) -> Option<Option<String>> {
    fields.optional("comentario", lines(ANY_LENGTH))
}

/// A rejection.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "motivo": "El servicio no se prestó" }))]
struct RechazarBody {
    #[schema(min_length = 3, max_length = 1000)]
    motivo: String,
    #[schema(max_length = 1000)]
    comentario: Option<String>,
}

/// A reason; one that is missing or blank has a word of its own.
fn motivo(fields: &mut Fields<'_>) -> Option<String> {
    fields.optional_or("motivo", lines(ANY_LENGTH), String::new())
}

/// Reject a factura
///
/// By the rights of an approval; one rejection ends the round.
#[utoipa::path(post, path = "/facturas/{id}/rechazar", tag = "Payables: facturas", params(("id" = String, Path)),
    request_body = RechazarBody, responses((status = 200, description = "The factura", body = FacturaView)))]
async fn post_factura_rechazar(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<FacturaId>,
    body: Body,
) -> Result<Answer> {
    let (motivo, comentario) = body.decode_or_empty(|fields| {
        let motivo = motivo(fields);
        let comentario = comentario(fields);
        Some((motivo?, comentario?))
    })?;
    let voto = Voto::rechazar(&motivo, comentario.as_deref()).map_err(Problem::from)?;
    carry_out(&db, &caller, &body, (id, Acto::Decidir(voto))).await
}

/// Why another round begins.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "motivo": "Llegó la nota de entrega" }))]
struct ReabrirFacturaBody {
    #[schema(min_length = 3, max_length = 1000)]
    motivo: String,
}

/// Reopen a factura
///
/// Begins another round of a decided one, under the policy of now. The former rounds stay as they are.
#[utoipa::path(post, path = "/facturas/{id}/reabrir", tag = "Payables: facturas", params(("id" = String, Path)),
    request_body = ReabrirFacturaBody, responses((status = 200, description = "The factura", body = FacturaView)))]
async fn post_factura_reabrir(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<FacturaId>,
    body: Body,
) -> Result<Answer> {
    let motivo = body.decode_or_empty(motivo)?;
    // What is wrong with the body comes before what is wrong with the factura.
    let motivo = reason(&motivo).map_err(Problem::from)?;
    carry_out(&db, &caller, &body, (id, Acto::Reabrir(motivo))).await
}

/// Who is to answer for a factura.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "responsable": "jperez" }))]
struct AsignarBody {
    /// Username.
    #[schema(min_length = 1, max_length = 128)]
    responsable: String,
}

/// Assign a factura
///
/// Says who answers for a factura for which nobody does, once and for all; its state stays.
#[utoipa::path(post, path = "/facturas/{id}/asignar", tag = "Payables: facturas", params(("id" = String, Path)),
    request_body = AsignarBody, responses((status = 200, description = "The factura", body = FacturaView)))]
async fn post_asignar(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<FacturaId>,
    body: Body,
) -> Result<Answer> {
    let username = body.decode(|fields| fields.required("responsable", text(1..=USUARIO)))?;
    let context = &caller.context;
    let (db, company) = (&api.payables.db, &context.company);
    let keys = [crate::table::factura(company, id)];
    let command = caller.command(&body);
    run_with!(db, context, command.as_ref(), &keys, |loaded| {
        // Behind the idempotency record: a repeat asks the pool nothing.
        let responsable = nombrado(&api.pool, company, "/responsable", &username).await?;
        let acto = Acto::Asignar(responsable);
        plan(db, context, &loaded, &Gestion { id, acto }).await?
    })
}

/// Delete a factura
///
/// Only while nobody has approved it. Its number is free again; its events stay.
#[utoipa::path(delete, path = "/facturas/{id}", tag = "Payables: facturas", params(("id" = String, Path)),
    responses((status = 204, description = "Deleted")))]
async fn delete_factura(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<FacturaId>,
    if_match: IfMatch,
) -> Result<Answer> {
    let context = &caller.context;
    let acto = Acto::Eliminar;
    let gestion = Gestion { id, acto };
    let keys = gestion.keys(&context.company);
    run_with!(&db, context, None, &keys, |loaded| {
        let found = repo::loaded_expediente(&loaded, &context.company, id)?;
        let live = found.filter(|one| !one.factura.eliminada);
        if_match.check(Some(live.ok_or_else(not_found)?.factura.version))?;
        Planned {
            answer: Answer::no_content(),
            ..plan(&db, context, &loaded, &gestion).await?
        }
    })
}

/// Runs a command on a factura and answers the factura.
async fn carry_out(
    db: &Db,
    caller: &Caller,
    body: &Body,
    (id, acto): (FacturaId, Acto),
) -> Result<Answer> {
    let context = &caller.context;
    let gestion = Gestion { id, acto };
    let keys = gestion.keys(&context.company);
    let command = caller.command(body);
    run_with!(db, context, command.as_ref(), &keys, |loaded| {
        plan(db, context, &loaded, &gestion).await?
    })
}

async fn plan(db: &Db, context: &Context, loaded: &Loaded, gestion: &Gestion) -> Result<Planned> {
    match gestion.planear(db, context, loaded).await? {
        Ok(Planeado { tx, expediente }) => Ok(Planned {
            answer: answer(&expediente)?,
            tx,
        }),
        Err(refusal) => Err(refused(db, context, loaded, gestion, refusal).await?),
    }
}

/// The answer of a refusal. That a decision was denied is recorded first.
async fn refused(
    db: &Db,
    context: &Context,
    loaded: &Loaded,
    gestion: &Gestion,
    refusal: FacturaRefusal,
) -> Result<Error> {
    if let Acto::Decidir(voto) = &gestion.acto
        && let Some(read) = repo::loaded_expediente(loaded, &context.company, gestion.id)?
    {
        comandos::denegar(db, context, read, voto, &refusal).await?;
    }
    Ok(Problem::from(refusal).into())
}
