//! The end of a closing: seal, reopening, what changed between two seals, and the book for the authority.

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::id::CierreId;
use cierre_kernel::problem::Problem;
use cierre_platform::command::{Planned, run, run_with};
use cierre_platform::db::{Condition, Item, Tx};
use cierre_platform::error::Doing;
use cierre_platform::http::{
    Answer, Body, Caller, Cursors, IfMatch, PageParameters, Query, Routes, Segment, Segments,
    allow, lines, not_found, one_of,
};
use cierre_platform::pack::each_row;
use cierre_platform::pages::{Shelf, of_list, page};
use cierre_platform::{Context, Failure, Result, route};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::archivos::exists;
use super::downloads::descarga;
use super::views::{CierreView, DescargaView, SelloView, json};
use super::{ANY_LENGTH, Api};
use crate::derived::FileObjects;
use crate::entity::archivo::Archivo;
use crate::entity::cierre::{Cierre, CloseFacts, SealDraft};
use crate::entity::cliente::Cliente;
use crate::entity::discrepancia::Discrepancia;
use crate::entity::incidencia::Incidencia;
use crate::entity::sello::Sello;
use crate::informe::Informe;
use crate::kind::Kind;
use crate::lre::export::{Exporter, file_name};
use crate::periodos::Periodo;
use crate::registro::Registro;
use crate::repo::{CierreRecord, doc, files, loaded_doc, put_cierre, read_doc, record_view, stamp};
use crate::roles::{READ, SUPERVISE, WRITE};
use crate::rules::discrepancies::Severidad;
use crate::rules::incidencias::Prioridad;
use crate::rules::merge::EstadoDiscrepancia;
use crate::rules::sello::{
    ArchivoSellado, Manifiesto, Sellado, VERSION, changed_codes, changed_employees, changed_files,
    compared, only_in,
};
use crate::rules::sums::Sums;
use crate::table;
use crate::worker::{Payroll, sums};

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default()
        .route(
            allow(WRITE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::CLOSE_BLOCKED,
                    codes::CIERRE_FINALIZED,
                    codes::CIERRE_DELETED,
                    codes::CONCURRENT_CHANGE,
                ])
                .on(route!(post_finalizar)),
        )
        .route(
            allow(SUPERVISE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::NOT_FINALIZED,
                    codes::CIERRE_DELETED,
                    codes::CONCURRENT_CHANGE,
                ])
                .invalid(&[codes::REASON_REQUIRED])
                .on(route!(post_reabrir)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_sellos)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_sello)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_diferencias)),
        )
        .route(
            allow(READ)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::LIBRO_MISSING,
                    codes::LIBRO_NOT_EXPORTABLE,
                ])
                .on(route!(get_libro)),
        )
}

/// Finalise a closing
///
/// Seals it: the manifest names the files, totals, discrepancies and incidences, and its digest vouches for them. `close_blocked` lists what stands
/// in the way.
#[utoipa::path(post, path = "/api/nomina/cierres/{id}/finalizar", tag = "Payroll: closings", params(("id" = String, Path)),
    responses((status = 200, description = "The seal", body = SelloView)))]
async fn post_finalizar(
    State(payroll): State<Payroll>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    body: Body,
) -> Result<Answer> {
    body.expect_empty()?;
    let context = &caller.context;
    let company = &context.company;
    let key = table::cierre(company, id);
    let keys = std::slice::from_ref(&key);
    let command = caller.command(&body);
    run_with!(&payroll.db, context, command.as_ref(), keys, |loaded| {
        let record: CierreRecord = loaded_doc(&loaded, &key)?.ok_or_else(not_found)?;
        let cierre = &record.cierre;
        let files = files(&payroll.db, company, id).await?;
        let (discrepancias, incidencias) = blocking(&payroll, context, &record).await?;
        let facts = CloseFacts {
            files: &files,
            discrepancias: &discrepancias,
            incidencias: &incidencias,
        };
        cierre.closable(&facts).map_err(Problem::from)?;
        let Sellado { sello, manifiesto } = draft(&payroll, context, &record, &files).await?;
        let draft = SealDraft { sello, manifiesto };
        let finalised = cierre.finalise(&facts, draft, &stamp(context));
        let change = finalised.map_err(Problem::from)?;
        let (next, sello) = change.state;
        let mut tx = Tx::new();
        let next = record.with(next);
        put_cierre(&mut tx, context, Some(cierre), next, &change.events)?;
        let place = table::sello(company, id, sello.numero);
        tx.put_item(place, doc(&sello)?, Condition::absent());
        put_month(&mut tx, context, cierre, Some(sello.numero))?;
        let answer = Answer::ok(&SelloView::of(&sello))?;
        Planned { tx, answer }
    })
}

/// The first things that people still have to deal with.
async fn blocking(
    payroll: &Payroll,
    context: &Context,
    record: &CierreRecord,
) -> Result<(Vec<Discrepancia>, Vec<Incidencia>)> {
    let (company, counts) = (&context.company, &record.cierre.counts);
    let (mut discrepancias, mut incidencias) = (Vec::new(), Vec::new());
    if counts.discrepancias_bloqueantes > 0 {
        let fixed = |one: &Discrepancia| one.found.severidad == Severidad::Bloqueante;
        let open = |one: &Discrepancia| one.life.estado == EstadoDiscrepancia::Abierta;
        let page = (crate::entity::cierre::MAX_REASONS, None);
        let found = payroll.list(company, record, None, page, fixed, open);
        discrepancias = found.await?.items;
    }
    if counts.incidencias_criticas > 0 {
        let fixed = |one: &Incidencia| one.found.prioridad == Prioridad::Critica;
        let open = |one: &Incidencia| one.life.estado.is_open();
        let page = (crate::entity::cierre::MAX_REASONS, None);
        let found = payroll.list(company, record, None, page, fixed, open);
        incidencias = found.await?.items;
    }
    Ok((discrepancias, incidencias))
}

/// What the seal vouches for.
async fn draft(
    payroll: &Payroll,
    context: &Context,
    record: &CierreRecord,
    files: &[Archivo],
) -> Result<Sellado> {
    let (company, cierre) = (&context.company, &record.cierre);
    let in_force: Vec<&Archivo> = files.iter().filter(|file| file.vigente()).collect();
    let mut books = in_force.iter();
    let book = books.find(|file| file.tipo == Kind::LibroRemuneraciones);
    let missing = || Failure::message("a closing is finalised without a book");
    let objects = FileObjects::of(company, cierre.id, book.ok_or_else(missing)?.id);
    let informe = Informe::load(&payroll.objects, &objects).await?;
    let result = informe.and_then(|informe| informe.resultado);
    let result = result.ok_or_else(missing)?;
    let client = table::cliente(company, cierre.cliente_id);
    let client = payroll.db.get_item(&client).await?.ok_or_else(missing)?;
    let client: Cliente = read_doc(&client)?;
    let manifest = Manifiesto {
        version: VERSION,
        cierre_id: cierre.id,
        cliente_id: cierre.cliente_id,
        periodo: cierre.periodo,
        numero: cierre.next_seal(),
        archivos: in_force.into_iter().map(sealed).collect(),
        totales: result.totales,
        discrepancias: counted(record.discrepancias.as_ref().map(|all| &all.conteo)),
        incidencias: counted(record.incidencias.as_ref().map(|all| &all.conteo)),
        configuracion: json(&client.configuracion),
        base_comparacion: cierre.resultados.incidencias.base_comparacion,
        resultado_sha256: result.resultado_sha256,
        cadena_cabeza: cierre.head.hash.clone(),
    };
    Ok(manifest.seal().doing("sealing a closing")?)
}

fn counted<T: Clone + Default>(counts: Option<&T>) -> T {
    counts.cloned().unwrap_or_default()
}

fn sealed(file: &Archivo) -> ArchivoSellado {
    ArchivoSellado {
        tipo: file.tipo,
        archivo_id: file.id,
        nombre: file.nombre.clone(),
        sha256: file.hash.clone().unwrap_or_default(),
        bytes: file.tamano,
        filas: file.filas.total(),
    }
}

/// The client's month says whether its closing is sealed: later months find what they are compared with by it.
fn put_month(
    tx: &mut Tx,
    context: &Context,
    cierre: &Cierre,
    sello: Option<u32>,
) -> Result<(), Failure> {
    let month = Periodo {
        periodo: cierre.periodo,
        cierre_id: cierre.id,
        sello,
    };
    let key = table::periodo(&context.company, cierre.cliente_id, cierre.periodo);
    tx.put_item(key, doc(&month)?, Condition::present());
    Ok(())
}

/// Why a closing is opened again.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "motivo": "El cliente envió un libro corregido" }))]
struct ReabrirBody {
    #[schema(min_length = 10, max_length = 500)]
    motivo: String,
}

/// Reopen a closing
///
/// The seal stays; both results have to be generated again.
#[utoipa::path(post, path = "/api/nomina/cierres/{id}/reabrir", tag = "Payroll: closings", params(("id" = String, Path)),
    request_body = ReabrirBody, responses((status = 200, description = "The closing", body = CierreView)))]
async fn post_reabrir(
    State(payroll): State<Payroll>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    if_match: IfMatch,
    body: Body,
) -> Result<Answer> {
    let motivo = body.decode(|fields| fields.optional("motivo", lines(ANY_LENGTH)))?;
    let motivo = motivo.unwrap_or_default();
    let context = &caller.context;
    let key = table::cierre(&context.company, id);
    let keys = std::slice::from_ref(&key);
    let command = caller.command(&body);
    run(&payroll.db, context, command.as_ref(), keys, |loaded| {
        let record: CierreRecord = loaded_doc(loaded, &key)?.ok_or_else(not_found)?;
        let cierre = &record.cierre;
        if_match.check(Some(cierre.version))?;
        let reopened = cierre.reopen(&motivo, &stamp(context));
        let change = reopened.map_err(Problem::from)?;
        let mut tx = Tx::new();
        let next = record.with(change.state);
        let next = put_cierre(&mut tx, context, Some(cierre), next, &change.events)?;
        put_month(&mut tx, context, cierre, None)?;
        let answer = Answer::ok(&CierreView::of(&next.cierre))?;
        Ok(Planned {
            tx,
            answer: answer.versioned(next.cierre.version),
        })
    })
    .await
}

/// A page of seals.
#[derive(Debug, Serialize, ToSchema)]
struct SelloPage {
    items: Vec<SelloView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// List the seals of a closing
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/sellos", tag = "Payroll: closings", params(("id" = String, Path), PageParameters),
    responses((status = 200, description = "A page, the first seal first", body = SelloPage)))]
async fn get_sellos(
    State(payroll): State<Payroll>,
    State(cursors): State<Cursors>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let start = cursors.start(&scope, &paging)?;
    exists(&payroll, &caller.context, id).await?;
    let cierre = table::cierre_partition(&caller.context.company, id);
    let shelf = Shelf::of(table::PAYROLL, cierre, table::SELLOS);
    let read = |item: &Item| read_doc::<Sello>(item).map(Some);
    let (found, next) = page(&payroll.db, &shelf, paging.limit, start, read).await?;
    let items = found.iter().map(SelloView::of).collect();
    let next = cursors.next(&scope, next)?;
    Ok(Answer::ok(&SelloPage { items, next })?)
}

async fn seal(payroll: &Payroll, context: &Context, id: CierreId, numero: u32) -> Result<Sello> {
    let key = table::sello(&context.company, id, numero);
    let item = payroll.db.get_item(&key).await?.ok_or_else(not_found)?;
    Ok(read_doc(&item)?)
}

/// One seal
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/sellos/{n}", tag = "Payroll: closings",
    params(("id" = String, Path), ("n" = u32, Path)), responses((status = 200, description = "The seal", body = SelloView)))]
async fn get_sello(
    State(payroll): State<Payroll>,
    caller: Caller,
    Segments(id, numero): Segments<CierreId, u32>,
) -> Result<Answer> {
    let sello = seal(&payroll, &caller.context, id, numero).await?;
    Ok(Answer::ok(&SelloView::of(&sello))?)
}

/// What changed since the seal before.
#[derive(Debug, Serialize, ToSchema)]
struct DiferenciasView {
    /// This seal.
    numero: u32,
    /// The one before.
    anterior: u32,
    /// Files that are not the same bytes.
    #[schema(value_type = Vec<Object>)]
    archivos: Value,
    /// RUTs that only this seal's book has.
    empleados_agregados: Vec<String>,
    /// RUTs that only the former book has.
    empleados_eliminados: Vec<String>,
    /// Columns whose sum changed: `codigo, antes, ahora, diferencia`.
    #[schema(value_type = Vec<Object>)]
    codigos: Value,
    /// A page of the employees of whom an amount changed, by RUT, each with its `codigos`.
    #[schema(value_type = Vec<Object>)]
    empleados: Vec<Value>,
    /// Cursor of the next page of employees, null at the end.
    next: Option<String>,
}

/// What changed between two seals
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/sellos/{n}/diferencias", tag = "Payroll: closings",
    params(("id" = String, Path), ("n" = u32, Path), PageParameters),
    responses((status = 200, description = "The differences", body = DiferenciasView)))]
async fn get_diferencias(
    State(payroll): State<Payroll>,
    State(cursors): State<Cursors>,
    caller: Caller,
    Segments(id, numero): Segments<CierreId, u32>,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let start = cursors.start(&scope, &paging)?;
    let context = &caller.context;
    let anterior = numero.checked_sub(1).filter(|before| *before > 0);
    let anterior = anterior.ok_or_else(not_found)?;
    let manifest = async |numero| -> Result<Manifiesto> {
        let sello = seal(&payroll, context, id, numero).await?;
        let manifest = serde_json::from_value(sello.manifiesto);
        Ok(manifest.doing("reading a manifest")?)
    };
    let (now, before) = (manifest(numero).await?, manifest(anterior).await?);
    let book = async |numero| sums(&payroll.sealed_book(context, id, numero).await?, compared);
    let (after, former) = (book(numero).await?, book(anterior).await?);
    let ruts = |one: &Sums, other: &Sums| -> Vec<String> {
        only_in(one, other).map(|rut| rut.to_string()).collect()
    };
    let changed: Vec<Value> = changed_employees(&former, &after)
        .map(|one| json(&one))
        .collect();
    let (empleados, next) = of_list(&changed, paging.limit, start);
    Ok(Answer::ok(&DiferenciasView {
        numero,
        anterior,
        archivos: json(&changed_files(&before.archivos, &now.archivos)),
        empleados_agregados: ruts(&after, &former),
        empleados_eliminados: ruts(&former, &after),
        codigos: json(&changed_codes(&former, &after)),
        empleados,
        next: cursors.next(&scope, next)?,
    })?)
}

/// The book for the authority
///
/// The address of the payroll book as the Dirección del Trabajo takes it. Refused while something in it would not be accepted there, whoever
/// justified it here.
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/libro", tag = "Payroll: closings",
    params(("id" = String, Path), ("formato" = Option<String>, Query, description = "`csv`")),
    responses((status = 200, description = "The address", body = DescargaView)))]
async fn get_libro(
    State(payroll): State<Payroll>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    query: Query,
) -> Result<Answer> {
    query.decode(|fields| fields.optional("formato", one_of(&[("csv", ())])))?;
    let context = &caller.context;
    let company = &context.company;
    let record = exists(&payroll, context, id).await?;
    let cierre = &record.cierre;
    let book = cierre.archivos.get(&Kind::LibroRemuneraciones);
    let book = book.ok_or_else(|| Problem::new(codes::LIBRO_MISSING))?;
    if !cierre.resultados.discrepancias.vigente || record.no_exportables > 0 {
        return Err(Problem::new(codes::LIBRO_NOT_EXPORTABLE).into());
    }
    let client = table::cliente(company, cierre.cliente_id);
    let client = payroll.db.get_item(&client).await?.ok_or_else(not_found)?;
    let client: Cliente = read_doc(&client)?;
    let nombre = file_name(client.rut, cierre.periodo);
    let objects = FileObjects::of(company, id, *book);
    let key = objects.libro();
    let found = match descarga(&payroll, &key, nombre.clone(), context.now).await? {
        Some(found) => Some(found),
        None => {
            write_book(&payroll, &objects).await?;
            descarga(&payroll, &key, nombre, context.now).await?
        }
    };
    let descarga = found.ok_or_else(|| Failure::message("the exported book is gone"))?;
    let viewed = |cierre: &Cierre| cierre.libro_read(&stamp(context));
    record_view(&payroll.db, context, id, viewed, None).await?;
    Ok(Answer::ok(&DescargaView { descarga })?)
}

/// Writes the book of a file as the authority takes it: the same bytes whoever writes it.
async fn write_book(payroll: &Payroll, objects: &FileObjects) -> Result<()> {
    let rows = payroll.objects.get(&objects.registros()).await?;
    let gone = || Failure::message("a file in force has no rows");
    let mut exporter = Exporter::new(Vec::new()).doing("exporting a book")?;
    let mut refused = false;
    each_row(&rows.ok_or_else(gone)?, |row: Registro| {
        refused |= exporter.row(&row).is_err();
        Ok(())
    })?;
    if refused {
        // A rule finds such cells; should one slip through, nothing wrong leaves the house.
        return Err(Problem::new(codes::LIBRO_NOT_EXPORTABLE).into());
    }
    let csv = exporter.finish().doing("exporting a book")?;
    let media_type = "text/csv; charset=windows-1252";
    payroll
        .objects
        .put(&objects.libro(), csv, media_type)
        .await?;
    Ok(())
}
