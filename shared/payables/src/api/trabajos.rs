//! Long work: many facturas at once, checks and repairs of all of them, and what became of each item.

mod views;

use axum::extract::State;
use cierre_kernel::codes::{self, Code};
use cierre_kernel::decision::Decision;
use cierre_kernel::id::TrabajoFacturasId;
use cierre_kernel::problem::Problem;
use cierre_kernel::role::Roles;
use cierre_platform::command::{Planned, run, run_with, today};
use cierre_platform::company;
use cierre_platform::db::{Db, Tx};
use cierre_platform::http::{
    Answer, Body, Caller, Cursors, Fields, PageParameters, Query, Routes, Segment, allow,
    allow_any_user, boolean, lines, list, not_found, object, parsed, text,
};
use cierre_platform::pages::{Shelf, of_list, page};
use cierre_platform::{Result, route};

use self::views::{
    ConsistenciaView, DecisionesBody, FacturaLoteBody, HistoricoBody, RepararBody, ResultadoPage,
    TrabajoFacturasView,
};
use super::nueva::{historica_of_many, of_many};
use super::{ANY_LENGTH, Api};
use crate::entity::decisiones::{Orden, judge_count};
use crate::entity::trabajo::{Outcome, ResultadoItem, Trabajo, TrabajoRefusal};
use crate::repo::{loaded_doc, read_doc};
use crate::roles::{ADMINISTER, INTAKE, READ};
use crate::rules::consistencia::Divergencia;
use crate::table::{self, PAYABLES};
use crate::trabajos::{self, Entrada, Informe, Tarea, TrabajoRecord};
use crate::worker::JobMessage;

/// What every request that starts a job may answer.
const STARTS: &[Code] = &[codes::CONCURRENT_CHANGE];

pub(super) fn router<R: Routes<Api>>() -> R {
    let many = &[codes::CANTIDAD_INVALIDA];
    R::default()
        .route(
            allow(INTAKE)
                .refuses(STARTS)
                .invalid(many)
                .on(route!(post_facturas_lote)),
        )
        .route(
            allow(ADMINISTER)
                .refuses(STARTS)
                .invalid(many)
                .on(route!(post_historico)),
        )
        .route(
            allow_any_user()
                .refuses(STARTS)
                .invalid(&[
                    codes::CANTIDAD_INVALIDA,
                    codes::ID_REPETIDO,
                    codes::VALOR_NO_ADMITIDO,
                    codes::MOTIVO_REQUERIDO,
                ])
                .on(route!(post_decisiones)),
        )
        .route(
            allow_any_user()
                .refuses(&[codes::NOT_FOUND, codes::WRONG_ROLE])
                .on(route!(get_facturas_trabajo)),
        )
        .route(
            allow_any_user()
                .refuses(&[codes::NOT_FOUND, codes::WRONG_ROLE])
                .invalid(&[codes::VALOR_NO_ADMITIDO])
                .on(route!(get_resultados)),
        )
        .route(
            allow_any_user()
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::WRONG_ROLE,
                    codes::TRABAJO_NO_REINTENTABLE,
                    codes::CONCURRENT_CHANGE,
                ])
                .on(route!(post_reintentar)),
        )
        .route(allow(READ).on(route!(get_consistencia)))
        .route(
            allow(ADMINISTER)
                .refuses(STARTS)
                .on(route!(post_consistencia)),
        )
        .route(allow(ADMINISTER).refuses(STARTS).on(route!(post_reparar)))
        .route(
            allow(ADMINISTER)
                .refuses(STARTS)
                .on(route!(post_recordatorios)),
        )
}

/// Starts a job with what it works on, and answers it.
async fn begin(
    api: &Api,
    caller: &Caller,
    body: &Body,
    tarea: Tarea,
    dry_run: bool,
    entrada: Option<(usize, Entrada)>,
) -> Result<Answer> {
    let (context, db) = (&caller.context, &api.payables.db);
    let command = caller.command(body);
    let total = entrada.as_ref().map_or(0, |(total, _)| *total);
    let job = TrabajoRecord::queued(context, tarea, total, dry_run)?;
    let answer: Result<Answer> = run_with!(db, context, command.as_ref(), &[], |_loaded| {
        if let Some((_, entrada)) = &entrada {
            trabajos::keep(&api.payables.objects, &context.company, &job, entrada).await?;
        }
        let mut tx = Tx::new();
        trabajos::start(&mut tx, context, &job)?;
        Planned {
            tx,
            answer: accepted(&job.trabajo)?,
        }
    });
    let answer = answer?;
    if !answer.is_replayed() {
        trabajos::announce(&api.jobs, &context.company, &job.trabajo).await;
    }
    Ok(answer)
}

fn accepted(trabajo: &Trabajo) -> Result<Answer> {
    let location = format!("/facturas/trabajos/{}", trabajo.id);
    Ok(Answer::accepted(
        location,
        &TrabajoFacturasView::of(trabajo),
    )?)
}

fn dry_run(fields: &mut Fields<'_>) -> Option<bool> {
    fields.optional_or("dry_run", boolean(), false)
}

/// Register many facturas
///
/// In their order, each on its own: what is wrong with the values of one is its outcome, and the others are registered all the same. What has no
/// right form is refused as a whole.
#[utoipa::path(post, path = "/facturas/lote", tag = "Payables: many at once", request_body = FacturaLoteBody,
    responses((status = 202, description = "The trabajo", body = TrabajoFacturasView)))]
async fn post_facturas_lote(State(api): State<Api>, caller: Caller, body: Body) -> Result<Answer> {
    let (facturas, dry_run) = body.decode(|fields| {
        let facturas = fields.required("facturas", list(object(of_many), ANY_LENGTH));
        let dry_run = dry_run(fields);
        Some((facturas?, dry_run?))
    })?;
    let total = facturas.len();
    judge_count("/facturas", total).map_err(Problem::from)?;
    let entrada = Some((total, Entrada::Lote(facturas)));
    begin(&api, &caller, &body, Tarea::Lote, dry_run, entrada).await
}

/// Take over facturas of before
///
/// With the decisions that were taken then; nothing is approved by rule.
#[utoipa::path(post, path = "/facturas/historico", tag = "Payables: many at once", request_body = HistoricoBody,
    responses((status = 202, description = "The trabajo", body = TrabajoFacturasView)))]
async fn post_historico(State(api): State<Api>, caller: Caller, body: Body) -> Result<Answer> {
    let facturas = list(object(historica_of_many), ANY_LENGTH);
    let facturas = body.decode(|fields| fields.required("facturas", facturas))?;
    let total = facturas.len();
    judge_count("/facturas", total).map_err(Problem::from)?;
    let entrada = Some((total, Entrada::Historico(facturas)));
    begin(&api, &caller, &body, Tarea::Historico, false, entrada).await
}

/// Decide on many facturas
///
/// In the order of the ids, each on its own, with the roles that the caller holds now.
#[utoipa::path(post, path = "/facturas/decisiones", tag = "Payables: many at once", request_body = DecisionesBody,
    responses((status = 202, description = "The trabajo", body = TrabajoFacturasView)))]
async fn post_decisiones(State(api): State<Api>, caller: Caller, body: Body) -> Result<Answer> {
    let (accion, ids, motivo, dry_run) = body.decode(|fields| {
        let accion = fields.required("accion", text(ANY_LENGTH));
        let ids = fields.required("ids", list(text(ANY_LENGTH), ANY_LENGTH));
        // Its line breaks and its length are the decision's matter.
        let motivo = fields.optional("motivo", lines(ANY_LENGTH));
        let dry_run = dry_run(fields);
        Some((accion?, ids?, motivo?, dry_run?))
    })?;
    Orden::judge(&accion, &ids, motivo.as_deref()).map_err(Problem::from)?;
    let total = ids.len();
    let decisiones = Entrada::Decisiones {
        accion,
        ids,
        motivo,
    };
    let entrada = Some((total, decisiones));
    begin(&api, &caller, &body, Tarea::Decisiones, dry_run, entrada).await
}

/// A job that the caller may look at: their own, or anybody's with one of these roles.
fn visible(record: Option<TrabajoRecord>, caller: &Caller, others: Roles) -> Result<TrabajoRecord> {
    let record = record.ok_or_else(not_found)?;
    if record.trabajo.creado_por.usuario.id != caller.context.actor.user_id {
        caller.require(others)?;
    }
    Ok(record)
}

/// One trabajo
///
/// For whoever asked for it, and for readers.
#[utoipa::path(get, path = "/facturas/trabajos/{id}", tag = "Payables: many at once", params(("id" = String, Path)),
    responses((status = 200, description = "The trabajo", body = TrabajoFacturasView)))]
async fn get_facturas_trabajo(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<TrabajoFacturasId>,
) -> Result<Answer> {
    let known = trabajos::read(&db, &caller.context.company, id).await?;
    let trabajo = visible(known, &caller, READ)?.trabajo;
    Ok(Answer::ok(&TrabajoFacturasView::of(&trabajo))?.versioned(trabajo.version))
}

/// What became of a trabajo's items
///
/// In the order of `indice`. A check of all facturas has its own report, and no list of what it compared.
#[utoipa::path(get, path = "/facturas/trabajos/{id}/resultados", tag = "Payables: many at once",
    params(("id" = String, Path), ("resultado" = Option<String>, Query, description = "`aplicado`, `no_aplicado`, `aplicaria` or `no_aplicaria`"),
        PageParameters),
    responses((status = 200, description = "A page", body = ResultadoPage)))]
async fn get_resultados(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    Segment(id): Segment<TrabajoFacturasId>,
    query: Query,
) -> Result<Answer> {
    let (wanted, paging) = query.decode(|fields| {
        let detail = "is not one of aplicado, no_aplicado, aplicaria, no_aplicaria";
        let word = |text: &str| text.parse::<ResultadoItem>().ok();
        let wanted = fields.optional("resultado", parsed(codes::VALOR_NO_ADMITIDO, detail, word));
        let paging = fields.paging();
        Some((wanted?, paging?))
    })?;
    let company = &caller.context.company;
    visible(trabajos::read(&db, company, id).await?, &caller, READ)?;
    let scope = caller.cursor_scope(&query);
    let start = cursors.start(&scope, &paging)?;
    let partition = table::trabajo_partition(company, id);
    let shelf = Shelf::of(PAYABLES, partition, table::RESULTADOS);
    let (items, next) = page(&db, &shelf, paging.limit, start, |item| {
        let outcome: Outcome = read_doc(item)?;
        let shown = wanted.is_none_or(|wanted| wanted == outcome.resultado);
        Ok(shown.then(|| outcome.into()))
    })
    .await?;
    let next = cursors.next(&scope, next)?;
    Ok(Answer::ok(&ResultadoPage { items, next })?)
}

/// Retry a trabajo that failed
///
/// Items that have their outcome keep it.
#[utoipa::path(post, path = "/facturas/trabajos/{id}/reintentar", tag = "Payables: many at once", params(("id" = String, Path)),
    responses((status = 202, description = "The trabajo", body = TrabajoFacturasView)))]
async fn post_reintentar(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<TrabajoFacturasId>,
    body: Body,
) -> Result<Answer> {
    body.expect_empty()?;
    let (context, db) = (&caller.context, &api.payables.db);
    let key = table::trabajo(&context.company, id);
    let keys = std::slice::from_ref(&key);
    let command = caller.command(&body);
    let answer = run(db, context, command.as_ref(), keys, |loaded| {
        let known = visible(loaded_doc(loaded, &key)?, &caller, ADMINISTER)?;
        let retried = known.trabajo.retried().map_err(Problem::from)?;
        let Decision::Applied(change) = retried else {
            return Err(Problem::from(TrabajoRefusal::NoReintentable).into());
        };
        let change = change.map(|trabajo| known.with(trabajo, context.now));
        let mut tx = Tx::new();
        let next = trabajos::put(&mut tx, context, Some(&known), change)?;
        Ok(Planned {
            tx,
            answer: accepted(&next.trabajo)?,
        })
    })
    .await?;
    if !answer.is_replayed() {
        let message = JobMessage {
            company_id: context.company.clone(),
            trabajo_id: id,
            correlation_id: context.correlation_id.clone(),
            version: None,
        };
        trabajos::send(&api.jobs, &message).await;
    }
    Ok(answer)
}

/// Where a report goes on: the check, the page, the place in it.
type Position = (TrabajoFacturasId, u32, usize);

/// What the last check of all facturas found
///
/// A cursor goes on in the check that made it, whatever ran since.
#[utoipa::path(get, path = "/facturas/consistencia", tag = "Payables: consistency", params(PageParameters),
    responses((status = 200, description = "A page of the report", body = ConsistenciaView)))]
async fn get_consistencia(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let company = &caller.context.company;
    let scope = caller.cursor_scope(&query);
    let start: Option<Position> = cursors.start(&scope, &paging)?;
    let figures = match start {
        Some((trabajo, _, _)) => table::informe(company, trabajo),
        None => table::consistencia(company),
    };
    let item = db.get_item(&figures).await?;
    let informe: Option<Informe> = item.as_ref().map(read_doc).transpose()?;
    let Some(informe) = informe else {
        return Ok(Answer::ok(&ConsistenciaView::default())?);
    };
    let id = informe.trabajo_id;
    let (_, pagina, from) = start.unwrap_or((id, 1, 0));
    let key = table::informe_pagina(company, id, pagina);
    let item = db.get_item(&key).await?;
    let all: Vec<Divergencia> = item.as_ref().map(read_doc).transpose()?.unwrap_or_default();
    let (found, rest) = of_list(&all, paging.limit, Some(from));
    let next: Option<Position> = match rest {
        Some(rest) => Some((id, pagina, rest)),
        None => (pagina < informe.paginas).then_some((id, pagina + 1, 0)),
    };
    let view = ConsistenciaView {
        fecha: Some(informe.fecha),
        revisadas: informe.revisadas,
        total_divergentes: informe.divergentes,
        divergentes: found.into_iter().map(Into::into).collect(),
        next: cursors.next(&scope, next)?,
    };
    Ok(Answer::ok(&view)?)
}

/// Compare every factura with its round, now
#[utoipa::path(post, path = "/facturas/consistencia", tag = "Payables: consistency",
    responses((status = 202, description = "The trabajo", body = TrabajoFacturasView)))]
async fn post_consistencia(State(api): State<Api>, caller: Caller, body: Body) -> Result<Answer> {
    body.expect_empty()?;
    begin(&api, &caller, &body, Tarea::Consistencia, false, None).await
}

/// Make every factura say what its round says
///
/// Each is checked again before it is written. A factura without its round is left alone.
#[utoipa::path(post, path = "/facturas/consistencia/reparar", tag = "Payables: consistency", request_body = Option<RepararBody>,
    responses((status = 202, description = "The trabajo", body = TrabajoFacturasView)))]
async fn post_reparar(State(api): State<Api>, caller: Caller, body: Body) -> Result<Answer> {
    let dry_run = body.decode_or_empty(|fields| fields.optional_or("dry_run", boolean(), false))?;
    begin(&api, &caller, &body, Tarea::Reparacion, dry_run, None).await
}

/// Remind of what waits, now
///
/// Once each per round, whoever starts it.
#[utoipa::path(post, path = "/facturas/recordatorios", tag = "Payables: consistency",
    responses((status = 202, description = "The trabajo", body = TrabajoFacturasView)))]
async fn post_recordatorios(State(api): State<Api>, caller: Caller, body: Body) -> Result<Answer> {
    body.expect_empty()?;
    let context = &caller.context;
    let settings = company::settings_key(&context.company);
    let hoy = today(&api.payables.db.load([settings]).await?, context)?;
    let tarea = Tarea::Recordatorios { hoy };
    begin(&api, &caller, &body, tarea, false, None).await
}
