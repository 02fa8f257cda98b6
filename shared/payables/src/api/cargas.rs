//! Electronic invoices: uploads, what became of them, and what was refused.

use std::time::Duration;

use axum::extract::State;
use cierre_kernel::codes::{self, Code};
use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{CargaId, FacturaId, RechazoIngresoId};
use cierre_kernel::problem::Problem;
use cierre_kernel::time::{Date, Instant};
use cierre_platform::command::{Planned, run};
use cierre_platform::company;
use cierre_platform::db::{Db, Item, Tx};
use cierre_platform::http::{
    Answer, Body, Caller, PageParameters, Query, Routes, Rule, Segment, allow, date, integer,
    not_found, parsed, text,
};
use cierre_platform::pages::{Shelf, page};
use cierre_platform::{Context, Failure, Result, random, route};
use serde::Serialize;
use ulid::Ulid;
use utoipa::ToSchema;

use super::{ANY_LENGTH, Api};
use crate::buzon::put_carga;
use crate::entity::Change;
use crate::entity::carga::{ADDRESS_SECONDS, Carga, Rechazo, upload_key};
use crate::repo::{read_doc, stamp};
use crate::roles::{INTAKE, READ};
use crate::table::{self, PAYABLES};

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default()
        .route(
            allow(INTAKE)
                .refuses(&[codes::CONCURRENT_CHANGE])
                .invalid(&[codes::ARCHIVO_DEMASIADO_GRANDE])
                .on(route!(post_carga)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_carga)),
        )
        .route(
            allow(READ)
                .invalid(&[codes::INVALID_RANGE, codes::VALOR_NO_ADMITIDO])
                .on(route!(get_rechazos)),
        )
}

/// A document to be uploaded.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "nombre_archivo": "FE-1024.xml", "tamano": 8_412 }))]
struct CargaBody {
    /// What the file is called.
    #[schema(min_length = 1, max_length = 200)]
    nombre_archivo: String,
    /// Bytes: exactly so many are taken.
    #[schema(minimum = 1, maximum = 5_242_880)]
    tamano: u64,
}

/// Where a document is put.
#[derive(Debug, Serialize, ToSchema)]
struct CargaNuevaView {
    #[schema(value_type = String, example = "car_01JD0000000000000000000000")]
    id: CargaId,
    /// The key of its object.
    clave: String,
    /// Takes one PUT of exactly the announced number of bytes.
    url: String,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    vence: Instant,
}

/// An upload.
#[derive(Debug, Serialize, ToSchema)]
struct CargaView {
    #[schema(value_type = String, example = "car_01JD0000000000000000000000")]
    id: CargaId,
    nombre_archivo: String,
    clave: String,
    /// `esperando`, `procesada`, `rechazada`, or `vencida` when no object came within an hour; a later one still counts.
    #[schema(example = "procesada")]
    estado: &'static str,
    /// What its object became.
    #[schema(value_type = Option<String>)]
    factura_id: Option<FacturaId>,
    /// Why its object became none.
    #[schema(value_type = Option<String>)]
    rechazo_id: Option<RechazoIngresoId>,
}

impl CargaView {
    fn of(carga: Carga, now: Instant) -> Self {
        Self {
            estado: carga.estado_at(now).as_str(),
            id: carga.id,
            nombre_archivo: carga.nombre_archivo,
            clave: carga.clave,
            factura_id: carga.factura_id,
            rechazo_id: carga.rechazo_id,
        }
    }
}

/// A document that became no factura.
#[derive(Debug, Serialize, ToSchema)]
struct RechazoView {
    #[schema(value_type = String, example = "rin_01JD0000000000000000000000")]
    id: RechazoIngresoId,
    /// The key of its object.
    clave: String,
    /// The upload that it belongs to.
    #[schema(value_type = Option<String>)]
    carga_id: Option<CargaId>,
    /// SHA-256 of its content; null where it was not read.
    sha256: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    fecha: Instant,
    #[schema(value_type = String, example = "xml_mal_formado")]
    code: Code,
    detail: String,
    /// From 1.
    linea: Option<u32>,
    /// Character in the line, from 1.
    columna: Option<u32>,
    /// The element.
    #[schema(example = "Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount")]
    ruta_xml: Option<String>,
    /// What stands there.
    #[schema(max_length = 100)]
    valor: Option<String>,
    /// The factura that is the same.
    #[schema(value_type = Option<String>)]
    factura_id: Option<FacturaId>,
}

impl RechazoView {
    fn of(rechazo: Rechazo) -> Self {
        Self {
            id: rechazo.id,
            clave: rechazo.clave,
            carga_id: rechazo.carga_id,
            sha256: rechazo.sha256,
            fecha: rechazo.fecha,
            code: rechazo.code,
            detail: rechazo.detail,
            linea: rechazo.linea,
            columna: rechazo.columna,
            ruta_xml: rechazo.ruta_xml,
            valor: rechazo.valor,
            factura_id: rechazo.factura_id,
        }
    }
}

/// A page of refused documents.
#[derive(Debug, Serialize, ToSchema)]
struct RechazoPage {
    items: Vec<RechazoView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// Announce an electronic invoice
///
/// Answers the address to which it is put within 15 minutes. Whoever announces it is the registrar of the factura.
#[utoipa::path(post, path = "/facturas/cargas", tag = "Payables: electronic invoices", request_body = CargaBody,
    responses((status = 201, description = "The address", body = CargaNuevaView)))]
async fn post_carga(State(api): State<Api>, caller: Caller, body: Body) -> Result<Answer> {
    let (nombre_archivo, tamano) = body.decode(|fields| {
        // How long it may be and how large is the entity's matter.
        let nombre_archivo = fields.required("nombre_archivo", text(ANY_LENGTH));
        let size = integer(0..=i64::MAX).try_map(|size| u64::try_from(size).ok());
        let tamano = fields.required("tamano", size);
        Some((nombre_archivo?, tamano?))
    })?;
    let context = &caller.context;
    let id = CargaId::new(random::ulid(context.now)?);
    let stamp = stamp(context);
    let carga = Carga::create(id, &context.company, &nombre_archivo, tamano, &stamp);
    let carga = carga.map_err(Problem::from)?;
    let life = Duration::from_secs(u64::try_from(ADDRESS_SECONDS).unwrap_or_default());
    let objects = &api.payables.objects;
    let key = upload_key(&context.company, id);
    // Of any type: the document says itself what it is.
    let signed = objects.sign_put(&key, None, tamano, life).await?;
    let view = CargaNuevaView {
        id,
        clave: key,
        url: signed.url,
        vence: context.now.plus_seconds(ADDRESS_SECONDS),
    };
    let command = caller.command(&body);
    run(&api.payables.db, context, command.as_ref(), &[], |_| {
        let mut tx = Tx::new();
        let announced = Change::new(carga.clone(), Vec::new());
        put_carga(&mut tx, context, None, announced)?;
        let answer = Answer::created(format!("/facturas/cargas/{id}"), &view)?;
        Ok(Planned { tx, answer })
    })
    .await
}

/// What became of an upload
#[utoipa::path(get, path = "/facturas/cargas/{id}", tag = "Payables: electronic invoices", params(("id" = String, Path)),
    responses((status = 200, description = "The upload", body = CargaView)))]
async fn get_carga(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<CargaId>,
) -> Result<Answer> {
    let Context { company, now, .. } = &caller.context;
    let item = db.get_item(&table::carga(company, id)).await?;
    let carga: Carga = read_doc(&item.ok_or_else(not_found)?)?;
    let version = carga.version;
    Ok(Answer::ok(&CargaView::of(carga, *now))?.versioned(version))
}

/// List the refused documents
///
/// Newest first. The days are those of the company's time zone, both included.
#[utoipa::path(get, path = "/facturas/rechazos-ingreso", tag = "Payables: electronic invoices",
    params(PageParameters, ("desde" = Option<String>, Query, format = Date), ("hasta" = Option<String>, Query, format = Date),
        ("code" = Option<String>, Query, example = "xml_mal_formado")),
    responses((status = 200, description = "A page", body = RechazoPage)))]
async fn get_rechazos(State(api): State<Api>, caller: Caller, query: Query) -> Result<Answer> {
    let (desde, hasta, code, paging) = query.decode(|fields| {
        let desde = fields.optional("desde", date());
        let hasta = fields.optional("hasta", date());
        let ordered = fields.in_order("desde", &desde, "hasta", &hasta);
        let known = parsed(codes::VALOR_NO_ADMITIDO, "is not a code", Code::find);
        let code = fields.optional("code", known);
        let paging = fields.paging();
        ordered?;
        Some((desde?, hasta?, code?, paging?))
    })?;
    let (db, company) = (&api.payables.db, &caller.context.company);
    let scope = caller.cursor_scope(&query);
    let start = api.cursors.start(&scope, &paging)?;
    let (first, last) = days(db, company, desde, hasta).await?;
    let shelf = Shelf {
        first,
        last,
        descending: true,
        ..Shelf::of(PAYABLES, table::rechazos(company), "")
    };
    let read = |item: &Item| {
        let rechazo: Rechazo = read_doc(item)?;
        let is_wanted = code.is_none_or(|code| code == rechazo.code);
        Ok(is_wanted.then_some(rechazo))
    };
    let (found, next) = page(db, &shelf, paging.limit, start, read).await?;
    let items = found.into_iter().map(RechazoView::of).collect();
    let next = api.cursors.next(&scope, next)?;
    Ok(Answer::ok(&RechazoPage { items, next })?)
}

/// The ids between which those of these days lie: an id begins with its refusal's time.
async fn days(
    db: &Db,
    company: &CompanyId,
    desde: Option<Date>,
    hasta: Option<Date>,
) -> Result<(Option<String>, Option<String>), Failure> {
    if desde.or(hasta).is_none() {
        return Ok((None, None));
    }
    let loaded = db.load([company::settings_key(company)]).await?;
    let zone = company::zone(&loaded, company)?;
    let millis = |day| u64::try_from(zone.instant_at(day, 0).as_millis()).unwrap_or_default();
    let id = |ulid| RechazoIngresoId::new(ulid).to_string();
    let first = desde.map(|day| id(Ulid::from_parts(millis(day), 0)));
    let last = hasta.map(|day| {
        let end = day.tomorrow().map_or(u64::MAX, millis);
        id(Ulid::from_parts(end.saturating_sub(1), u128::MAX))
    });
    Ok((first, last))
}
