//! What the files in force hold: employees and rows.

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::id::{ArchivoId, CierreId};
use cierre_kernel::problem::Problem;
use cierre_platform::http::{
    Answer, Caller, Fields, PageParameters, Paging, Query, Routes, Segment, allow, one_of, parsed,
};
use cierre_platform::pack::{Pack, Position};
use cierre_platform::{Failure, Result, route};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::archivos::exists;
use super::views::RegistroView;
use crate::derived::{self, FileObjects};
use crate::kind::Kind;
use crate::registro::Registro;
use crate::roles::READ;
use crate::rules::empleados::Empleado;
use crate::rut::Rut;

pub(super) fn router<R: Routes<Api>>() -> R {
    let reads = allow(READ)
        .refuses(&[codes::NOT_FOUND])
        .invalid(&[codes::RUT_INVALID]);
    R::default()
        .route(reads.on(route!(get_empleados)))
        .route(reads.on(route!(get_registros)))
}

/// An employee, seen through the files in force.
#[derive(Debug, Serialize, ToSchema)]
struct EmpleadoView {
    #[schema(example = "12345678-5")]
    rut: String,
    nombre: Option<String>,
    cargo: Option<String>,
    #[schema(format = Date)]
    fecha_inicio_contrato: Option<String>,
    #[schema(format = Date)]
    fecha_termino: Option<String>,
    /// A code of column 1104.
    causal: Option<String>,
    /// A code of column 1141.
    afp: Option<String>,
    /// A code of column 1143.
    salud: Option<String>,
    /// The kinds of files that know them.
    #[schema(value_type = Vec<String>)]
    origen: Vec<Kind>,
}

impl From<Empleado> for EmpleadoView {
    fn from(one: Empleado) -> Self {
        Self {
            rut: one.rut.to_string(),
            nombre: one.nombre,
            cargo: one.cargo,
            fecha_inicio_contrato: one.fecha_inicio_contrato.map(|day| day.to_string()),
            fecha_termino: one.fecha_termino.map(|day| day.to_string()),
            causal: one.causal,
            afp: one.afp,
            salud: one.salud,
            origen: one.origen.into_iter().collect(),
        }
    }
}

/// A page of employees.
#[derive(Debug, Serialize, ToSchema)]
struct EmpleadoPage {
    items: Vec<EmpleadoView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// A page of rows.
#[derive(Debug, Serialize, ToSchema)]
struct RegistroPage {
    items: Vec<RegistroView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

struct Wanted {
    rut: Option<Rut>,
    tipo: Option<Kind>,
    paging: Paging,
}

/// A RUT as people write it.
pub(super) fn rut(fields: &mut Fields<'_>) -> Option<Option<Rut>> {
    let is_rut = parsed(codes::RUT_INVALID, "is not a RUT", |text| {
        Rut::parse(text).ok()
    });
    fields.optional("rut", is_rut)
}

impl Wanted {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let rut = rut(fields);
        let kinds = Kind::ALL.map(|kind| (kind.as_str(), kind));
        let tipo = fields.optional("tipo", one_of(&kinds));
        let paging = fields.paging();
        Some(Self {
            rut: rut?,
            tipo: tipo?,
            paging: paging?,
        })
    }

    fn limit(&self) -> usize {
        usize::try_from(self.paging.limit.get()).unwrap_or(usize::MAX)
    }
}

/// A place among the employees of one set of files: with another set in force it is no place.
#[derive(Serialize, Deserialize)]
struct EmpleadoPlace {
    inputs: String,
    at: Position,
}

/// List employees
///
/// One for each RUT that the files in force know, in order of the RUTs. The book's word counts on what has a code, novedades' on the rest.
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/empleados", tag = "Payroll: rows",
    params(("id" = String, Path), PageParameters, ("rut" = Option<String>, Query), ("tipo" = Option<String>, Query, description = "Known to this kind of file")),
    responses((status = 200, description = "A page", body = EmpleadoPage)))]
async fn get_empleados(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    query: Query,
) -> Result<Answer> {
    let wanted = query.decode(Wanted::read)?;
    let payroll = &api.payroll;
    let scope = caller.cursor_scope(&query);
    let start: Option<EmpleadoPlace> = api.cursors.start(&scope, &wanted.paging)?;
    let cierre = exists(payroll, &caller.context, id).await?.cierre;
    let inputs = cierre.inputs();
    if start.as_ref().is_some_and(|start| start.inputs != inputs) {
        return Err(Problem::new(codes::BAD_CURSOR).into());
    }
    let key = derived::empleados(&caller.context.company, id, &inputs);
    let Some(pack) = Pack::open(&payroll.objects, &key).await? else {
        let none = EmpleadoPage {
            items: Vec::new(),
            next: None,
        };
        return Ok(Answer::ok(&none)?);
    };
    let rut = wanted.rut.map(|rut| rut.to_string());
    let known = |one: &Empleado| {
        wanted.rut.is_none_or(|rut| rut == one.rut)
            && wanted.tipo.is_none_or(|tipo| one.origen.contains(&tipo))
    };
    let at = start.map(|start| start.at);
    let page = pack.page(rut.as_deref(), at, wanted.limit(), known).await?;
    let next = page.next.map(|at| EmpleadoPlace { inputs, at });
    let items = page.rows.into_iter().map(|(_, one)| one.into()).collect();
    let next = api.cursors.next(&scope, next)?;
    Ok(Answer::ok(&EmpleadoPage { items, next })?)
}

/// A place among the rows of one file: when another one is in force it is no place.
#[derive(Serialize, Deserialize)]
struct RegistroPlace {
    archivo: ArchivoId,
    at: Option<Position>,
}

/// List rows
///
/// Of the files in force, kind by kind, in the order of the file.
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/registros", tag = "Payroll: rows",
    params(("id" = String, Path), PageParameters, ("rut" = Option<String>, Query), ("tipo" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = RegistroPage)))]
async fn get_registros(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    query: Query,
) -> Result<Answer> {
    let wanted = query.decode(Wanted::read)?;
    let payroll = &api.payroll;
    let scope = caller.cursor_scope(&query);
    let start: Option<RegistroPlace> = api.cursors.start(&scope, &wanted.paging)?;
    let cierre = exists(payroll, &caller.context, id).await?.cierre;
    let files: Vec<(Kind, ArchivoId)> = cierre
        .archivos
        .into_iter()
        .filter(|(kind, _)| wanted.tipo.is_none_or(|tipo| tipo == *kind))
        .collect();
    let (first, mut at) = match start {
        None => (0, None),
        Some(place) => {
            let found = files.iter().position(|(_, id)| *id == place.archivo);
            // The rows of a file that is no longer in force are not shown, not even the rest of them.
            let found = found.ok_or_else(|| Problem::new(codes::BAD_CURSOR))?;
            (found, place.at)
        }
    };
    let rut = wanted.rut.map(|rut| rut.to_string());
    let of_rut = |row: &Registro| wanted.rut.is_none_or(|rut| rut == row.rut);
    let mut items = Vec::new();
    for (kind, archivo) in files.into_iter().skip(first) {
        if items.len() == wanted.limit() {
            let next = RegistroPlace { archivo, at: None };
            let next = api.cursors.next(&scope, Some(next))?;
            return Ok(Answer::ok(&RegistroPage { items, next })?);
        }
        let key = FileObjects::of(&caller.context.company, id, archivo).registros();
        let pack = Pack::open(&payroll.objects, &key).await?;
        let gone = || Failure::message("a file in force has no rows");
        let left = wanted.limit() - items.len();
        let page = pack
            .ok_or_else(gone)?
            .page(rut.as_deref(), at.take(), left, of_rut)
            .await?;
        let rows = page.rows.iter();
        items.extend(rows.map(|(_, row)| RegistroView::of(kind, archivo, row)));
        if page.next.is_some() {
            let next = RegistroPlace {
                archivo,
                at: page.next,
            };
            let next = api.cursors.next(&scope, Some(next))?;
            return Ok(Answer::ok(&RegistroPage { items, next })?);
        }
    }
    Ok(Answer::ok(&RegistroPage { items, next: None })?)
}
