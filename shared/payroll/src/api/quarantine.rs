//! Objects that had no place.

use axum::extract::State;
use cierre_kernel::time::Instant;
use cierre_platform::db::Item;
use cierre_platform::http::{Answer, Caller, PageParameters, Query, Routes, allow};
use cierre_platform::pages::{Shelf, page};
use cierre_platform::{Result, route};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use crate::entity::drop::Cuarentena;
use crate::repo::read_doc;
use crate::roles::READ;
use crate::table;

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default().route(allow(READ).on(route!(get_cuarentena)))
}

/// An object in quarantine.
#[derive(Debug, Serialize, ToSchema)]
struct CuarentenaView {
    /// The key that it had; it is kept under `quarantine/{company}/` and this key for 90 days.
    clave: String,
    /// `clave_invalida`, `cierre_desconocido`, `cierre_finalizado`, `cierre_eliminado` or `archivo_eliminado`.
    #[schema(example = "cierre_desconocido")]
    motivo: &'static str,
    tamano: u64,
    #[schema(value_type = String, format = DateTime)]
    recibido_en: Instant,
    /// The closing whose timeline tells of it.
    cierre_id: Option<String>,
}

/// A page of objects in quarantine.
#[derive(Debug, Serialize, ToSchema)]
struct CuarentenaPage {
    items: Vec<CuarentenaView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// List what is in quarantine
///
/// Newest first.
#[utoipa::path(get, path = "/api/nomina/cuarentena", tag = "Payroll: files", params(PageParameters),
    responses((status = 200, description = "A page", body = CuarentenaPage)))]
async fn get_cuarentena(State(api): State<Api>, caller: Caller, query: Query) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let oldest = caller.context.now.as_millis() - table::CUARENTENA_MILLIS;
    let oldest = Instant::from_millis(oldest);
    let cuarentena = table::cuarentena(&caller.context.company);
    let shelf = Shelf {
        first: Some(table::millis_sort(oldest)),
        descending: true,
        ..Shelf::of(table::PAYROLL, cuarentena, "")
    };
    let start = api.cursors.start(&scope, &paging)?;
    let db = &api.payroll.db;
    let read = |item: &Item| read_doc::<Cuarentena>(item).map(Some);
    let (found, next) = page(db, &shelf, paging.limit, start, read).await?;
    let items = found
        .into_iter()
        .map(|one| CuarentenaView {
            clave: one.clave,
            motivo: one.motivo.as_str(),
            tamano: one.tamano,
            recibido_en: one.recibido_en,
            cierre_id: one.cierre_id.map(|id| id.to_string()),
        })
        .collect();
    let next = api.cursors.next(&scope, next)?;
    Ok(Answer::ok(&CuarentenaPage { items, next })?)
}
