//! Files of a closing.

use std::time::Duration;

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::id::{ArchivoId, CierreId};
use cierre_kernel::problem::Problem;
use cierre_kernel::time::Instant;
use cierre_platform::command::{Planned, run, run_with};
use cierre_platform::db::{Item, Loaded, Tx};
use cierre_platform::http::{
    Answer, Body, Caller, IfMatch, PageParameters, Query, Routes, Segment, Segments, allow,
    integer, lines, not_found, one_of, text,
};
use cierre_platform::pages::{Shelf, page};
use cierre_platform::{Context, Result, random, route};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Api;
use super::views::ArchivoView;
use crate::entity::archivo::{Archivo, EstadoArchivo, MAX_BYTES, NewUpload, UPLOAD_SECONDS};
use crate::entity::drop::upload_key;
use crate::headcount;
use crate::kind::Kind;
use crate::repo::{CierreRecord, Folder, files, loaded_doc, put_moved, read_doc, stamp};
use crate::roles::{READ, WRITE};
use crate::table;
use crate::worker::{FileMessage, Payroll};

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default()
        .route(
            allow(WRITE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::CIERRE_FINALIZED,
                    codes::CIERRE_DELETED,
                    codes::CONCURRENT_CHANGE,
                ])
                .invalid(&[
                    codes::KIND_UNKNOWN,
                    codes::BAD_FILE_NAME,
                    codes::FORMAT_NOT_SUPPORTED,
                    codes::FILE_TOO_LARGE,
                    codes::FILE_EMPTY,
                    codes::INVALID_FORMAT,
                ])
                .on(route!(post_archivo)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_archivos)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_archivo)),
        )
        .route(
            allow(WRITE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::FILE_NOT_LIVE,
                    codes::CIERRE_FINALIZED,
                    codes::CIERRE_DELETED,
                    codes::CONCURRENT_CHANGE,
                ])
                .versioned()
                .on(route!(delete_archivo)),
        )
        .route(
            allow(WRITE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::FILE_NOT_RECEIVED,
                    codes::FILE_IN_PROCESS,
                    codes::FILE_PROCESSED,
                    codes::FILE_HAS_ERRORS,
                    codes::FILE_NOT_LIVE,
                    codes::CIERRE_FINALIZED,
                    codes::CIERRE_DELETED,
                    codes::CONCURRENT_CHANGE,
                ])
                .on(route!(post_reprocesar)),
        )
}

/// A page of files.
#[derive(Debug, Serialize, ToSchema)]
struct ArchivoPage {
    items: Vec<ArchivoView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// A file to be uploaded.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "tipo": "libro_remuneraciones", "nombre": "libro.xlsx", "tamano": 734_003 }))]
struct NewArchivoBody {
    /// `libro_remuneraciones`, `movimientos_mes`, `finiquitos`, `ausentismos`, `incidencias_externas`, `ingresos` or `novedades`.
    tipo: String,
    /// Ends in `.xlsx`, `.csv` or `.txt`; movimientos_mes in `.xlsx` only.
    #[schema(min_length = 1, max_length = 200)]
    nombre: String,
    /// Bytes.
    #[schema(minimum = 1, maximum = 52_428_800)]
    tamano: u64,
    /// SHA-256 of the bytes in hexadecimal digits; they are compared with it.
    sha256: Option<String>,
}

/// The request by which the bytes are sent.
#[derive(Debug, Serialize, ToSchema)]
struct UploadView {
    #[schema(example = "PUT")]
    method: String,
    url: String,
    /// To be sent exactly so.
    #[schema(value_type = Object)]
    headers: Map<String, Value>,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    max_bytes: u64,
}

/// A file that waits for its bytes.
#[derive(Debug, Serialize, ToSchema)]
struct NewArchivoView {
    #[schema(value_type = String, example = "arc_01JD0000000000000000000000")]
    archivo_id: ArchivoId,
    #[schema(example = "esperando")]
    estado: &'static str,
    upload: UploadView,
}

/// Announce a file
///
/// Answers the address to which its bytes are put within 15 minutes. The closing changes when they have arrived.
#[utoipa::path(post, path = "/api/nomina/cierres/{id}/archivos", tag = "Payroll: files", params(("id" = String, Path)),
    request_body = NewArchivoBody, responses((status = 201, description = "The address", body = NewArchivoView)))]
async fn post_archivo(
    State(payroll): State<Payroll>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    body: Body,
) -> Result<Answer> {
    let upload = body.decode(|fields| {
        let tipo = fields.required("tipo", text(0..=200));
        let nombre = fields.required("nombre", Raw);
        let tamano = fields.required("tamano", integer(0..=i64::MAX));
        let sha256 = fields.optional("sha256", text(0..=200));
        let tamano = u64::try_from(tamano?).ok();
        Some((tipo?, nombre?, tamano?, sha256?))
    })?;
    let (tipo, nombre, tamano, sha256) = upload;
    let upload =
        NewUpload::judge(&tipo, &nombre, tamano, sha256.as_deref()).map_err(Problem::from)?;
    let context = &caller.context;
    let archivo = ArchivoId::new(random::ulid(context.now)?);
    let upload_to = upload_key(&context.company, id, upload.tipo, archivo, &upload.nombre);
    let address = address(&payroll, &upload_to, &upload, context.now).await?;
    let key = table::cierre(&context.company, id);
    let command = caller.command(&body);
    let keys = std::slice::from_ref(&key);
    run(&payroll.db, context, command.as_ref(), keys, |loaded| {
        let record: CierreRecord = loaded_doc(loaded, &key)?.ok_or_else(not_found)?;
        let folder = Folder {
            record,
            // A file without an object makes no difference to the others.
            files: Vec::new(),
        };
        let announced = folder
            .dossier()
            .announce(archivo, upload.clone(), &stamp(context));
        let mut tx = Tx::new();
        put_moved(&mut tx, context, &folder, announced.map_err(Problem::from)?)?;
        let location = format!("{}/cierres/{id}/archivos/{archivo}", super::PREFIX);
        let view = NewArchivoView {
            archivo_id: archivo,
            estado: EstadoArchivo::Esperando.as_str(),
            upload: UploadView {
                method: address.method.clone(),
                url: address.url.clone(),
                headers: address.headers.clone(),
                expires_at: address.expires_at,
                max_bytes: MAX_BYTES,
            },
        };
        Ok(Planned {
            tx,
            answer: Answer::created(location, &view)?,
        })
    })
    .await
}

/// A text as it is, control characters and all: whether it is a file's name is the entity's matter.
struct Raw;

impl cierre_platform::http::Rule for Raw {
    type Output = String;

    fn read(&self, value: &Value, at: &mut cierre_platform::http::At<'_>) -> Option<String> {
        match value.as_str() {
            Some(text) => Some(text.to_owned()),
            None => at.refuse(codes::INVALID_TYPE, "must be a string"),
        }
    }
}

struct Address {
    method: String,
    url: String,
    headers: Map<String, Value>,
    expires_at: Instant,
}

async fn address(
    payroll: &Payroll,
    key: &str,
    upload: &NewUpload,
    now: Instant,
) -> Result<Address> {
    let life = Duration::from_secs(u64::try_from(UPLOAD_SECONDS).unwrap_or_default());
    let media_type = upload.formato.media_type();
    let signed = payroll
        .objects
        .sign_put(key, Some(media_type), upload.tamano, life)
        .await?;
    let mut headers: Map<String, Value> = signed
        .headers
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    headers.insert("content-type".to_owned(), media_type.into());
    headers.insert(
        "content-length".to_owned(),
        upload.tamano.to_string().into(),
    );
    Ok(Address {
        method: signed.method,
        url: signed.url,
        headers,
        expires_at: now.plus_seconds(UPLOAD_SECONDS),
    })
}

/// List the files of a closing
///
/// In the order in which they were announced or arrived.
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/archivos", tag = "Payroll: files",
    params(("id" = String, Path), PageParameters, ("tipo" = Option<String>, Query), ("estado" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = ArchivoPage)))]
async fn get_archivos(
    State(api): State<Api>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    query: Query,
) -> Result<Answer> {
    let (tipo, estado, paging) = query.decode(|fields| {
        let kinds = Kind::ALL.map(|kind| (kind.as_str(), kind));
        let tipo = fields.optional("tipo", one_of(&kinds));
        let states = EstadoArchivo::ALL.map(|estado| (estado.as_str(), estado));
        let estado = fields.optional("estado", one_of(&states));
        let paging = fields.paging();
        Some((tipo?, estado?, paging?))
    })?;
    let Context { company, now, .. } = &caller.context;
    let db = &api.payroll.db;
    exists(&api.payroll, &caller.context, id).await?;
    let scope = caller.cursor_scope(&query);
    let cierre = table::cierre_partition(company, id);
    let shelf = Shelf::of(table::PAYROLL, cierre, table::ARCHIVOS);
    let read = |item: &Item| {
        let file: Archivo = read_doc(item)?;
        let is_wanted = tipo.is_none_or(|tipo| tipo == file.tipo)
            && estado.is_none_or(|estado| estado == file.estado_at(*now));
        Ok(is_wanted.then_some(file))
    };
    let start = api.cursors.start(&scope, &paging)?;
    let (found, next) = page(db, &shelf, paging.limit, start, read).await?;
    let items = found
        .iter()
        .map(|file| ArchivoView::of(file, *now))
        .collect();
    let next = api.cursors.next(&scope, next)?;
    Ok(Answer::ok(&ArchivoPage { items, next })?)
}

/// 404 for a closing that never was.
pub(super) async fn exists(
    payroll: &Payroll,
    context: &Context,
    id: CierreId,
) -> Result<CierreRecord> {
    let found = crate::repo::cierre(&payroll.db, &context.company, id).await?;
    found.ok_or_else(not_found)
}

/// A file of a closing.
pub(super) async fn find(
    payroll: &Payroll,
    context: &Context,
    (cierre, archivo): (CierreId, ArchivoId),
) -> Result<Archivo> {
    let key = table::archivo(&context.company, cierre, archivo);
    let item = payroll.db.get_item(&key).await?.ok_or_else(not_found)?;
    Ok(read_doc(&item)?)
}

/// One file
#[utoipa::path(get, path = "/api/nomina/cierres/{id}/archivos/{aid}", tag = "Payroll: files",
    params(("id" = String, Path), ("aid" = String, Path)),
    responses((status = 200, description = "The file", body = ArchivoView)))]
async fn get_archivo(
    State(payroll): State<Payroll>,
    caller: Caller,
    Segments(id, archivo): Segments<CierreId, ArchivoId>,
) -> Result<Answer> {
    let file = find(&payroll, &caller.context, (id, archivo)).await?;
    let view = ArchivoView::of(&file, caller.context.now);
    Ok(Answer::ok(&view)?.versioned(file.version))
}

/// The closing with its files, the closing first.
async fn folder(
    payroll: &Payroll,
    context: &Context,
    loaded: &Loaded,
    id: CierreId,
) -> Result<Folder> {
    let key = table::cierre(&context.company, id);
    let record: CierreRecord = loaded_doc(loaded, &key)?.ok_or_else(not_found)?;
    let files = files(&payroll.db, &context.company, id).await?;
    Ok(Folder { record, files })
}

/// Delete a file
///
/// One in force leaves the closing without a file of its kind.
#[utoipa::path(delete, path = "/api/nomina/cierres/{id}/archivos/{aid}", tag = "Payroll: files",
    params(("id" = String, Path), ("aid" = String, Path), ("motivo" = Option<String>, Query, max_length = 500)),
    responses((status = 204, description = "Deleted")))]
async fn delete_archivo(
    State(payroll): State<Payroll>,
    caller: Caller,
    Segments(id, archivo): Segments<CierreId, ArchivoId>,
    if_match: IfMatch,
    query: Query,
) -> Result<Answer> {
    let motivo = query.decode(|fields| fields.optional("motivo", lines(1..=500)))?;
    let motivo = motivo.as_deref();
    let context = &caller.context;
    let key = table::cierre(&context.company, id);
    let keys = std::slice::from_ref(&key);
    run_with!(&payroll.db, context, None, keys, |loaded| {
        let folder = folder(&payroll, context, &loaded, id).await?;
        let dossier = folder.dossier();
        if_match.check(dossier.file(archivo).map(|file| file.version))?;
        let stamp = stamp(context);
        let removed = dossier.remove(archivo, motivo, None, &stamp);
        let moved = removed.map_err(Problem::from)?.state;
        // Without a file in force the employees are others; which files are left does not depend on how many they are.
        let headcount = if moved.cierre.archivos == folder.record.cierre.archivos {
            None
        } else {
            let (objects, company) = (&payroll.objects, &context.company);
            let people = headcount::of(objects, company, id, &moved.cierre.archivos).await?;
            headcount::keep(objects, company, &moved.cierre, &people).await?;
            Some(people.len() as u64)
        };
        let change = dossier.remove(archivo, motivo, headcount, &stamp);
        let mut tx = Tx::new();
        put_moved(&mut tx, context, &folder, change.map_err(Problem::from)?)?;
        Planned {
            tx,
            answer: Answer::no_content(),
        }
    })
}

/// A file that is processed once more.
#[derive(Debug, Serialize, ToSchema)]
struct ReprocesarView {
    #[schema(value_type = String)]
    archivo_id: ArchivoId,
    #[schema(example = "recibido")]
    estado: &'static str,
}

/// Process a file once more
///
/// Only one in `error`: the same bytes, read again.
#[utoipa::path(post, path = "/api/nomina/cierres/{id}/archivos/{aid}/reprocesar", tag = "Payroll: files",
    params(("id" = String, Path), ("aid" = String, Path)),
    responses((status = 202, description = "It is received again", body = ReprocesarView)))]
async fn post_reprocesar(
    State(api): State<Api>,
    caller: Caller,
    Segments(id, archivo): Segments<CierreId, ArchivoId>,
    body: Body,
) -> Result<Answer> {
    body.expect_empty()?;
    let payroll = &api.payroll;
    let context = &caller.context;
    let key = table::cierre(&context.company, id);
    let keys = std::slice::from_ref(&key);
    let command = caller.command(&body);
    let answer = run_with!(&payroll.db, context, command.as_ref(), keys, |loaded| {
        let folder = folder(payroll, context, &loaded, id).await?;
        let change = folder.dossier().reprocess(archivo, &stamp(context));
        let mut tx = Tx::new();
        put_moved(&mut tx, context, &folder, change.map_err(Problem::from)?)?;
        let location = format!("{}/cierres/{id}/archivos/{archivo}", super::PREFIX);
        let view = ReprocesarView {
            archivo_id: archivo,
            estado: EstadoArchivo::Recibido.as_str(),
        };
        let answer = Answer::accepted(location, &view)?;
        Planned { tx, answer }
    })?;
    let message = FileMessage {
        company_id: context.company.clone(),
        cierre_id: id,
        archivo_id: archivo,
        correlation_id: context.correlation_id.clone(),
    };
    if let Err(failure) = api.files.send(&message).await {
        // The file waits in the list of unfinished work: the sweeper finds it there.
        tracing::warn!(
            error = failure.chain(),
            "a file was not queued; it will be swept"
        );
    }
    Ok(answer)
}
