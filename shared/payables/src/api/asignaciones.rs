//! Who answers for a supplier's facturas.

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::TrabajoFacturasId;
use cierre_kernel::problem::Problem;
use cierre_kernel::time::Instant;
use cierre_platform::command::{Planned, run};
use cierre_platform::db::{Db, Tx};
use cierre_platform::http::{
    Answer, Body, Caller, Cursors, Fields, IfMatch, PageParameters, Query, Routes, Segment, allow,
    boolean, not_found, text,
};
use cierre_platform::pages::{Shelf, page};
use cierre_platform::{Failure, Result, route};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ANY_LENGTH, Api, USUARIO};
use crate::entity::asignacion::{Asignacion, Encargo};
use crate::nit::Nit;
use crate::repo::{self, loaded_doc, put, read_doc, stamp};
use crate::roles::{ASSIGN, INTAKE, READ};
use crate::table::{self, PAYABLES};
use crate::trabajos::{self, Tarea, TrabajoRecord};
use crate::usuarios::{judged, nombrado};

/// What is wrong with a NIT of the path.
const NIT_REFUSALS: &[codes::Code] = &[codes::NIT_FORMATO, codes::NIT_DIGITO_INVALIDO];

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default()
        .route(
            allow(ASSIGN)
                .refuses(&[codes::CONCURRENT_CHANGE, codes::RATE_LIMITED])
                .invalid(&[
                    codes::NIT_FORMATO,
                    codes::NIT_DIGITO_INVALIDO,
                    codes::USUARIO_NO_VALIDO,
                    codes::INVALID_FORMAT,
                ])
                .versioned()
                .on(route!(put_asignacion)),
        )
        .route(allow(READ).on(route!(get_asignaciones)))
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .invalid(NIT_REFUSALS)
                .on(route!(get_asignacion)),
        )
        .route(
            allow(INTAKE)
                .refuses(&[codes::NOT_FOUND, codes::CONCURRENT_CHANGE])
                .invalid(NIT_REFUSALS)
                .versioned()
                .on(route!(delete_asignacion)),
        )
}

/// Who answers, and what the supplier is called.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "responsable": "jperez", "nombre_proveedor": "Aseo Total SAS", "aplicar_a_sin_asignar": true }))]
struct AsignacionBody {
    /// A username: an enabled user of the company who does not only audit.
    responsable: String,
    #[schema(min_length = 1, max_length = 200)]
    nombre_proveedor: String,
    /// Gives every unassigned factura of the NIT this responsable, in a trabajo.
    aplicar_a_sin_asignar: Option<bool>,
}

/// The assignment of a NIT.
#[derive(Debug, Serialize, ToSchema)]
struct AsignacionView {
    #[schema(value_type = String, example = "860069804-2")]
    nit: Nit,
    /// The name at the moment of the assignment.
    #[schema(example = "Juan Perez")]
    responsable: String,
    #[schema(example = "jperez")]
    responsable_usuario: String,
    responsable_id: String,
    #[schema(example = "Aseo Total SAS")]
    nombre_proveedor: String,
    #[schema(value_type = String, example = "2026-02-05T14:00:00.000Z")]
    modificada_en: Instant,
    version: u64,
}

impl AsignacionView {
    fn of(asignacion: Asignacion) -> Self {
        let responsable = asignacion.responsable;
        Self {
            nit: asignacion.nit,
            responsable: responsable.nombre,
            responsable_usuario: responsable.usuario,
            responsable_id: responsable.id,
            nombre_proveedor: asignacion.nombre_proveedor,
            modificada_en: asignacion.modificada_en,
            version: asignacion.version,
        }
    }
}

/// The assignment as it was set.
#[derive(Debug, Serialize, ToSchema)]
struct AsignadaView {
    #[serde(flatten)]
    asignacion: AsignacionView,
    /// Of the trabajo that assigns what is unassigned, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    trabajo_id: Option<TrabajoFacturasId>,
}

/// A page of assignments.
#[derive(Debug, Serialize, ToSchema)]
struct AsignacionPage {
    items: Vec<AsignacionView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// What the body says; whoever is named is yet to be looked up.
struct Pedido {
    responsable: String,
    nombre_proveedor: String,
    aplicar: bool,
}

impl Pedido {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let responsable = fields.required("responsable", text(1..=USUARIO));
        // How long it may be is the entity's matter.
        let nombre_proveedor = fields.required("nombre_proveedor", text(ANY_LENGTH));
        let aplicar = fields.optional_or("aplicar_a_sin_asignar", boolean(), false);
        Some(Self {
            responsable: responsable?,
            nombre_proveedor: nombre_proveedor?,
            aplicar: aplicar?,
        })
    }
}

/// Set who answers for a supplier
///
/// For facturas that come from now on; those that have a responsable keep it. With `aplicar_a_sin_asignar` a trabajo runs `asignar`, as the caller, on
/// every unassigned factura of the NIT.
#[utoipa::path(put, path = "/asignaciones/{nit}", tag = "Payables: settings", request_body = AsignacionBody,
    params(("nit" = String, Path, description = "With its check digit; dots are left out")),
    responses((status = 200, description = "Replaced", body = AsignadaView), (status = 201, description = "New", body = AsignadaView)))]
async fn put_asignacion(
    State(api): State<Api>,
    caller: Caller,
    Segment(nit): Segment<String>,
    if_match: IfMatch,
    body: Body,
) -> Result<Answer> {
    let nit = read_nit(&nit)?;
    let pedido = body.decode(Pedido::read)?;
    let context = &caller.context;
    let found = nombrado(
        &api.pool,
        &context.company,
        "/responsable",
        &pedido.responsable,
    );
    let encargo = Encargo::judge(judged(found.await)?, &pedido.nombre_proveedor);
    let encargo = encargo.map_err(Problem::from)?;
    let job = if pedido.aplicar {
        let tarea = Tarea::AplicarAsignacion {
            nit,
            responsable: encargo.responsable.clone(),
        };
        Some(TrabajoRecord::queued(context, tarea, 0, false)?)
    } else {
        None
    };
    let key = table::asignacion(&context.company, nit);
    let keys = std::slice::from_ref(&key);
    let answer = run(&api.payables.db, context, None, keys, |loaded| {
        let before: Option<Asignacion> = loaded_doc(loaded, &key)?;
        let known = before.as_ref().filter(|before| before.vigente);
        if_match.check(known.map(|known| known.version))?;
        let mut tx = Tx::new();
        let decided = Asignacion::put(before.as_ref(), nit, encargo.clone(), &stamp(context));
        let asignacion = match decided {
            Decision::Applied(change) => {
                let key = key.clone();
                put(&mut tx, context, key, before.as_ref(), change, |item, _| {
                    item
                })?
            }
            Decision::Replayed(change) => change.state,
        };
        if let Some(job) = &job {
            trabajos::start(&mut tx, context, job)?;
        }
        let version = asignacion.version;
        let view = AsignadaView {
            asignacion: AsignacionView::of(asignacion),
            trabajo_id: job.as_ref().map(|job| job.trabajo.id),
        };
        let answer = if known.is_some() {
            Answer::ok(&view)?
        } else {
            Answer::created(format!("/asignaciones/{nit}"), &view)?
        };
        Ok(Planned {
            tx,
            answer: answer.versioned(version),
        })
    })
    .await?;
    if let Some(job) = &job {
        trabajos::announce(&api.jobs, &context.company, &job.trabajo).await;
    }
    Ok(answer)
}

/// List assignments
///
/// In order of their NITs.
#[utoipa::path(get, path = "/asignaciones", tag = "Payables: settings", params(PageParameters),
    responses((status = 200, description = "A page", body = AsignacionPage)))]
async fn get_asignaciones(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let start = cursors.start(&scope, &paging)?;
    let shelf = Shelf::of(PAYABLES, table::asignaciones(&caller.context.company), "");
    let (items, next) = page(&db, &shelf, paging.limit, start, |item| {
        let asignacion: Asignacion = read_doc(item)?;
        Ok::<_, Failure>(asignacion.vigente.then(|| AsignacionView::of(asignacion)))
    })
    .await?;
    let next = cursors.next(&scope, next)?;
    Ok(Answer::ok(&AsignacionPage { items, next })?)
}

/// The assignment of a NIT
#[utoipa::path(get, path = "/asignaciones/{nit}", tag = "Payables: settings",
    params(("nit" = String, Path, description = "With its check digit; dots are left out")),
    responses((status = 200, description = "The assignment", body = AsignacionView)))]
async fn get_asignacion(
    State(db): State<Db>,
    caller: Caller,
    Segment(nit): Segment<String>,
) -> Result<Answer> {
    let nit = read_nit(&nit)?;
    let known = repo::asignacion(&db, &caller.context.company, nit).await?;
    let asignacion = known.filter(|one| one.vigente).ok_or_else(not_found)?;
    let version = asignacion.version;
    Ok(Answer::ok(&AsignacionView::of(asignacion))?.versioned(version))
}

/// Take an assignment away
///
/// Facturas of the NIT that come from now on have no responsable; those that have one keep it.
#[utoipa::path(delete, path = "/asignaciones/{nit}", tag = "Payables: settings",
    params(("nit" = String, Path, description = "With its check digit; dots are left out")),
    responses((status = 204, description = "Taken away")))]
async fn delete_asignacion(
    State(db): State<Db>,
    caller: Caller,
    Segment(nit): Segment<String>,
    if_match: IfMatch,
) -> Result<Answer> {
    let nit = read_nit(&nit)?;
    let context = &caller.context;
    let key = table::asignacion(&context.company, nit);
    run(&db, context, None, std::slice::from_ref(&key), |loaded| {
        let before: Asignacion = loaded_doc(loaded, &key)?.ok_or_else(not_found)?;
        let change = before.delete(&stamp(context)).ok_or_else(not_found)?;
        if_match.check(Some(before.version))?;
        let mut tx = Tx::new();
        let key = key.clone();
        put(&mut tx, context, key, Some(&before), change, |item, _| item)?;
        let answer = Answer::no_content();
        Ok(Planned { tx, answer })
    })
    .await
}

/// The NIT of the path.
fn read_nit(text: &str) -> Result<Nit> {
    let wrong =
        |error: crate::nit::NotANit| Problem::field("/nit", error.code(), error.to_string());
    Ok(Nit::parse(text).map_err(wrong)?)
}
