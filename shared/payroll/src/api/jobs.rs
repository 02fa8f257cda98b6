//! Jobs that generate results.

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::id::{CierreId, TrabajoId};
use cierre_kernel::problem::Problem;
use cierre_platform::command::{Planned, run};
use cierre_platform::db::Tx;
use cierre_platform::http::{Answer, Body, Caller, Routes, Segment, allow, not_found};
use cierre_platform::{Result, random, route};

use super::Api;
use super::views::{TrabajoAccepted, TrabajoView};
use crate::entity::cierre::Requested;
use crate::entity::trabajo::{EstadoTrabajo, TipoTrabajo, Trabajo};
use crate::repo::{CierreRecord, loaded_doc, put_cierre, put_trabajo, read_doc, stamp};
use crate::roles::READ;
use crate::table;
use crate::worker::{JobMessage, Payroll};

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default().route(
        allow(READ)
            .refuses(&[codes::NOT_FOUND])
            .on(route!(get_trabajo)),
    )
}

/// Asks for a job. Asked for again while it runs, that job is the answer.
pub(super) async fn request(
    api: &Api,
    caller: &Caller,
    body: &Body,
    id: CierreId,
    tipo: TipoTrabajo,
) -> Result<Answer> {
    body.expect_empty()?;
    let context = &caller.context;
    let db = &api.payroll.db;
    let trabajo_id = TrabajoId::new(random::ulid(context.now)?);
    let key = table::cierre(&context.company, id);
    let command = caller.command(body);
    let keys = std::slice::from_ref(&key);
    let answer = run(db, context, command.as_ref(), keys, |loaded| {
        let record: CierreRecord = loaded_doc(loaded, &key)?.ok_or_else(not_found)?;
        let requested = record.cierre.request(tipo, trabajo_id, &stamp(context));
        let mut tx = Tx::new();
        let (trabajo_id, estado) = match requested.map_err(Problem::from)? {
            Requested::New(asked) => {
                let (cierre, job) = *asked;
                let next = record.with(cierre);
                put_cierre(&mut tx, context, Some(&record.cierre), next, &[])?;
                put_trabajo(&mut tx, context, None, &job)?;
                (job.id, job.estado)
            }
            // It is not over, or the closing would not name it.
            Requested::Running(running) => (running, EstadoTrabajo::EnProceso),
        };
        let location = format!("{}/trabajos/{trabajo_id}", super::PREFIX);
        let view = TrabajoAccepted {
            trabajo_id,
            estado: estado.as_str(),
        };
        let answer = Answer::accepted(location, &view)?;
        Ok(Planned { tx, answer })
    })
    .await?;
    let message = JobMessage {
        company_id: context.company.clone(),
        trabajo_id,
        correlation_id: context.correlation_id.clone(),
    };
    let asked = answer.body.get("trabajo_id").and_then(|id| id.as_str());
    if asked == Some(trabajo_id.to_string().as_str())
        && let Err(failure) = api.jobs.send(&message).await
    {
        // The job waits in the list of unfinished work: the sweeper finds it there.
        tracing::warn!(
            error = failure.chain(),
            "a job was not queued; it will be swept"
        );
    }
    Ok(answer)
}

/// One job
#[utoipa::path(get, path = "/api/nomina/trabajos/{id}", tag = "Payroll: jobs", params(("id" = String, Path)),
    responses((status = 200, description = "The job", body = TrabajoView)))]
async fn get_trabajo(
    State(payroll): State<Payroll>,
    caller: Caller,
    Segment(id): Segment<TrabajoId>,
) -> Result<Answer> {
    let key = table::trabajo(&caller.context.company, id);
    let item = payroll.db.get_item(&key).await?.ok_or_else(not_found)?;
    let job: Trabajo = read_doc(&item)?;
    Ok(Answer::ok(&TrabajoView::of(&job))?.versioned(job.version))
}
