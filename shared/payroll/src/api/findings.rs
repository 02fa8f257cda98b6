//! What is wrong with a file, and how its columns were understood.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cierre_kernel::codes;
use cierre_kernel::id::{ArchivoId, CierreId};
use cierre_kernel::problem::Problem;
use cierre_platform::http::{
    Answer, Caller, Fields, PageParameters, Query, Routes, Segments, allow, one_of,
};
use cierre_platform::pages::of_list;
use cierre_platform::{Result, route};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::archivos::find;
use super::downloads::descarga;
use super::views::DescargaView;
use crate::derived::FileObjects;
use crate::files::Level;
use crate::informe::{Columna, Hallazgo, Informe};
use crate::repo::{record_view, stamp};
use crate::roles::READ;

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default()
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND, codes::FILE_NOT_VALIDATED])
                .on(route!(get_errores)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND, codes::FILE_NOT_VALIDATED])
                .on(route!(get_columnas)),
        )
}

/// A page of findings, or the address of all of them as CSV.
#[derive(Debug, Serialize, ToSchema)]
struct HallazgoPage {
    /// In the order of sheet, row, column and rule.
    items: Vec<Hallazgo>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
    /// All findings of this level.
    total: u64,
    /// There are more than the list holds; the CSV has up to 100,000.
    truncado: bool,
}

/// A page of columns.
#[derive(Debug, Serialize, ToSchema)]
struct ColumnaPage {
    items: Vec<Columna>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// What of it is wanted, and in which form.
struct Wanted {
    nivel: Option<Level>,
    as_csv: bool,
}

impl Wanted {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let levels = [Level::Error, Level::Advertencia].map(|level| (level.as_str(), level));
        let nivel = fields.optional("nivel", one_of(&levels));
        let as_csv =
            fields.optional_or("formato", one_of(&[("json", false), ("csv", true)]), false);
        Some(Self {
            nivel: nivel?,
            as_csv: as_csv?,
        })
    }
}

/// What is wrong with a file
///
/// The list holds the first 1,000 findings; `total` is exact. With `formato=csv` the answer is `{"descarga": …}`, the address of up to 100,000
/// of them.
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/archivos/{aid}/errores", tag = "Payroll: files",
    params(("id" = String, Path), ("aid" = String, Path), PageParameters,
        ("nivel" = Option<String>, Query, description = "`error` or `advertencia`"), ("formato" = Option<String>, Query, description = "`json` or `csv`")),
    responses((status = 200, description = "A page, or the address of the CSV", body = ErroresBody)))]
async fn get_errores(
    State(api): State<Api>,
    caller: Caller,
    Segments(id, archivo): Segments<CierreId, ArchivoId>,
    query: Query,
) -> Result<Response> {
    let (wanted, paging) = query.decode(|fields| {
        let wanted = Wanted::read(fields);
        let paging = fields.paging();
        Some((wanted?, paging?))
    })?;
    let (payroll, context) = (&api.payroll, &caller.context);
    let file = find(payroll, context, (id, archivo)).await?;
    let objects = FileObjects::of(&context.company, id, archivo);
    if wanted.as_csv {
        let nombre = format!("{}-hallazgos.csv", file.nombre);
        let found = descarga(payroll, &objects.hallazgos(), nombre, context.now).await?;
        let descarga = found.ok_or_else(|| Problem::new(codes::FILE_NOT_VALIDATED))?;
        let viewed =
            |cierre: &crate::entity::cierre::Cierre| cierre.errores_read(&file, &stamp(context));
        record_view(&payroll.db, context, id, viewed, None).await?;
        return Ok(Answer::ok(&DescargaView { descarga })?.into_response());
    }
    let scope = caller.cursor_scope(&query);
    let start = api.cursors.start(&scope, &paging)?;
    let informe = Informe::load(&payroll.objects, &objects).await?;
    let (listed, total) = informe.map_or_else(Default::default, |informe| {
        let total = match wanted.nivel {
            None => informe.errores_total + informe.advertencias_total,
            Some(Level::Error) => informe.errores_total,
            Some(Level::Advertencia) => informe.advertencias_total,
        };
        (informe.hallazgos, total)
    });
    let listed: Vec<Hallazgo> = listed
        .into_iter()
        .filter(|one| wanted.nivel.is_none_or(|nivel| nivel.as_str() == one.nivel))
        .collect();
    let truncado = total > listed.len() as u64;
    let (items, next) = of_list(&listed, paging.limit, start);
    let next = api.cursors.next(&scope, next)?;
    let page = HallazgoPage {
        items,
        next,
        total,
        truncado,
    };
    Ok(Answer::ok(&page)?.into_response())
}

/// Either form of the answer.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents the answer")]
enum ErroresBody {
    Page(HallazgoPage),
    Csv(DescargaView),
}

/// How the columns of a file were understood
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/archivos/{aid}/columnas", tag = "Payroll: files",
    params(("id" = String, Path), ("aid" = String, Path), PageParameters),
    responses((status = 200, description = "A page", body = ColumnaPage)))]
async fn get_columnas(
    State(api): State<Api>,
    caller: Caller,
    Segments(id, archivo): Segments<CierreId, ArchivoId>,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let (payroll, context) = (&api.payroll, &caller.context);
    let scope = caller.cursor_scope(&query);
    let start = api.cursors.start(&scope, &paging)?;
    find(payroll, context, (id, archivo)).await?;
    let objects = FileObjects::of(&context.company, id, archivo);
    let informe = Informe::load(&payroll.objects, &objects).await?;
    let informe = informe.ok_or_else(|| Problem::new(codes::FILE_NOT_VALIDATED))?;
    let (items, next) = of_list(&informe.columnas, paging.limit, start);
    let next = api.cursors.next(&scope, next)?;
    Ok(Answer::ok(&ColumnaPage { items, next })?)
}
