//! Decisions on many incidences at once, each on its own: what cannot be done is named, the others are done all the same.
//!
//! A transaction holds a hundred actions, and each decision takes two, so a hundred of them take several transactions. Under an idempotency key a
//! repeat goes on where a run was cut off: it decides at the first run's time, and by that it knows what that run did.

use std::collections::BTreeMap;

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::id::{CierreId, IncidenciaId};
use cierre_kernel::problem::Problem;
use cierre_platform::command::TRIES;
use cierre_platform::db::{CommitError, Tx};
use cierre_platform::http::{
    Answer, Body, Caller, Routes, Segment, allow, id as incidence_id, list, not_found, one_of,
};
use cierre_platform::idempotency::{self, Begun};
use cierre_platform::{Context, Result, route};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Api;
use super::{Words, step};
use crate::entity::incidencia::{Accion, Incidencia};
use crate::entity::refusal::ReviewRefusal;
use crate::entity::values::{JUSTIFICATION, sized};
use crate::repo::{self, caller as who, put_cierre};
use crate::review::put_decision;
use crate::roles::{REVIEW, SUPERVISE, WRITE};

/// Incidences of one request.
const MAX_IDS: usize = 100;
/// Decisions of one transaction: each takes an item and an event, and the closing and its own event go with them.
const AT_ONCE: usize = 45;

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default().route(
        allow(REVIEW)
            .refuses(&[
                codes::NOT_FOUND,
                codes::RESULTS_STALE,
                codes::INCIDENCE_STATE,
                codes::CIERRE_FINALIZED,
                codes::CIERRE_DELETED,
                codes::CONCURRENT_CHANGE,
            ])
            .invalid(&[
                codes::INVALID_ID,
                codes::TOO_MANY_ITEMS,
                codes::JUSTIFICATION_REQUIRED,
                codes::RESOLUTION_INVALID,
                codes::COMMENT_REQUIRED,
            ])
            .on(route!(post_lote)),
    )
}

/// What is said about which incidences.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "accion": "aprobar", "ids": ["inc_9A2B0000000000000000000000"], "comentario": null }))]
struct LoteBody {
    /// `resolver`, `aprobar` or `rechazar`.
    accion: String,
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<String>,
    /// To resolve.
    resolucion: Option<String>,
    /// To resolve.
    justificacion: Option<String>,
    /// To reject; allowed to approve.
    comentario: Option<String>,
}

/// What became of one.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Outcome {
    #[schema(value_type = String)]
    id: IncidenciaId,
    /// The status that the single request would have answered.
    #[schema(example = 200)]
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
struct LoteView {
    items: Vec<Outcome>,
}

/// Decide on many incidences
///
/// Each as the single request would.
#[utoipa::path(post, path = "/api/nomina/cierres/{id}/incidencias/lote", tag = "Payroll: incidences", params(("id" = String, Path)),
    request_body = LoteBody, responses((status = 200, description = "What became of each", body = LoteView)))]
async fn post_lote(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    body: Body,
) -> Result<Answer> {
    let (words, ids) = body.decode(|fields| {
        let actions = Accion::ALL.map(|accion| (accion.as_str(), accion));
        let accion = fields.required("accion", one_of(&actions));
        let ids = fields.required("ids", list(incidence_id(), 1..=MAX_IDS).distinct());
        let words = match accion {
            Some(accion) => Words::read(accion, fields),
            None => Words::skip(fields),
        };
        Some((words?, ids?))
    })?;
    caller.require(match words.accion {
        Accion::Resolver => WRITE,
        Accion::Aprobar | Accion::Rechazar => SUPERVISE,
    })?;
    judge(&words)?;
    let db = &api.payroll.db;
    let Some(command) = caller.command(&body) else {
        return run(&api, &caller.context, id, &words, &ids).await;
    };
    let context = match idempotency::begin(db, &command, caller.context.now).await? {
        Begun::Replayed(answer) => return Ok(answer.replayed()),
        Begun::Run(now) => Context {
            now,
            ..caller.context.clone()
        },
    };
    match run(&api, &context, id, &words, &ids).await {
        Ok(answer) => {
            idempotency::finish(db, &command, &answer, caller.context.now).await?;
            Ok(answer)
        }
        Err(error) => {
            if let cierre_platform::Error::Refused(_) = error {
                idempotency::abandon(db, &command).await?;
            }
            Err(error)
        }
    }
}

/// What would be wrong with every one of them is wrong with the request.
fn judge(words: &Words) -> Result<()> {
    let wrong = match words.accion {
        Accion::Resolver => {
            let resolucion: std::result::Result<crate::entity::incidencia::Resolucion, _> =
                words.resolucion.parse();
            if resolucion.is_err() {
                Some(ReviewRefusal::ResolutionInvalid)
            } else if sized(&words.justificacion, &JUSTIFICATION).is_none() {
                Some(ReviewRefusal::JustificationRequired)
            } else {
                None
            }
        }
        Accion::Aprobar | Accion::Rechazar => {
            let comment = words.comentario.as_deref().unwrap_or_default();
            let may_lack = words.accion == Accion::Aprobar && comment.trim().is_empty();
            (!may_lack && sized(comment, &JUSTIFICATION).is_none())
                .then_some(ReviewRefusal::CommentRequired)
        }
    };
    match wrong {
        Some(refusal) => Err(Problem::from(refusal).into()),
        None => Ok(()),
    }
}

async fn run(
    api: &Api,
    context: &Context,
    id: CierreId,
    words: &Words,
    ids: &[IncidenciaId],
) -> Result<Answer> {
    let mut items = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(AT_ONCE) {
        items.extend(decide(api, context, id, words, chunk).await?);
    }
    Ok(Answer::ok(&LoteView { items })?)
}

/// Decides on some of them in one transaction.
async fn decide(
    api: &Api,
    context: &Context,
    id: CierreId,
    words: &Words,
    ids: &[IncidenciaId],
) -> Result<Vec<Outcome>> {
    let db = &api.payroll.db;
    for _ in 0..TRIES {
        let record = repo::cierre(db, &context.company, id).await?;
        let record = record.ok_or_else(not_found)?;
        let found = api
            .payroll
            .current::<Incidencia>(&context.company, &record, ids)
            .await?;
        let mut next = record.clone();
        let mut events = Vec::new();
        let mut tx = Tx::new();
        let mut outcomes = BTreeMap::new();
        for one in ids {
            let Some(current) = found.get(one) else {
                outcomes.insert(*one, refused(codes::NOT_FOUND));
                continue;
            };
            if was_done(&current.one, words, context) {
                outcomes.insert(*one, (OK, None));
                continue;
            }
            let decided = next
                .cierre
                .decide(&current.one, &words.verdict(), &who(context));
            match decided {
                Err(ReviewRefusal::Cierre(refusal)) if events.is_empty() => {
                    return Err(Problem::from(refusal).into());
                }
                Err(refusal) => {
                    outcomes.insert(*one, refused(refusal.code()));
                }
                Ok(change) => {
                    let (cierre, after) = change.state;
                    next = next.with(cierre);
                    let trabajo = step(&mut next.incidencias, &current.one, &after)?;
                    events.extend(change.events);
                    let company = &context.company;
                    put_decision(&mut tx, company, id, trabajo, current, &after)?;
                    outcomes.insert(*one, (OK, None));
                }
            }
        }
        if !events.is_empty() {
            put_cierre(&mut tx, context, Some(&record.cierre), next, &events)?;
            match db.commit(&tx).await {
                Ok(()) => {}
                Err(CommitError::Refused(_) | CommitError::Contended) => continue,
                Err(CommitError::Failed(failure)) => return Err(failure.into()),
            }
        }
        let outcome = |one: &IncidenciaId| {
            let (status, code) = outcomes.get(one).copied()?;
            Some(Outcome {
                id: *one,
                status,
                code,
            })
        };
        return Ok(ids.iter().filter_map(outcome).collect());
    }
    Err(Problem::new(codes::CONCURRENT_CHANGE).into())
}

const OK: u16 = 200;

const fn refused(code: codes::Code) -> (u16, Option<&'static str>) {
    (code.status(), Some(code.as_str()))
}

/// Whether the first run of this request decided on it: its last step was taken by the same person at that run's time and led where this leads.
fn was_done(one: &Incidencia, words: &Words, context: &Context) -> bool {
    let goal = match words.accion {
        Accion::Resolver => crate::rules::merge::EstadoIncidencia::ResueltaAnalista,
        Accion::Aprobar => crate::rules::merge::EstadoIncidencia::AprobadaSupervisor,
        Accion::Rechazar => crate::rules::merge::EstadoIncidencia::RechazadaSupervisor,
    };
    one.life.historial.last().is_some_and(|last| {
        last.estado == goal && last.timestamp == context.now && last.user == context.actor.user
    })
}
