//! Closings.

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::id::{CierreId, ClienteId};
use cierre_kernel::problem::Problem;
use cierre_platform::command::{Planned, run, today};
use cierre_platform::company;
use cierre_platform::db::{self, Condition, Db, Item, Tx};
use cierre_platform::http::{
    Answer, Body, Caller, Cursors, Fields, IfMatch, PageParameters, Query, Routes, Segment, allow,
    boolean, lines, not_found, one_of, parsed,
};
use cierre_platform::listing::{self, AFTER_ALL, Listed, Order, Rows};
use cierre_platform::{Failure, Result, random, route};
use serde::Serialize;
use utoipa::ToSchema;

use super::views::CierreView;
use super::{ANY_LENGTH, Api};
use crate::entity::Change;
use crate::entity::cierre::{Cierre, EstadoCierre, may_close};
use crate::period::Period;
use crate::periodos::Periodo;
use crate::repo::{self, CierreRecord, doc, loaded_doc, put_cierre, read_doc, stamp};
use crate::roles::{READ, WRITE};
use crate::table;

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default()
        .route(
            allow(WRITE)
                .refuses(&[codes::CIERRE_EXISTS, codes::CONCURRENT_CHANGE])
                .invalid(&[codes::PERIOD_INVALID, codes::CLIENTE_UNKNOWN])
                .on(route!(post_cierre)),
        )
        .route(
            allow(READ)
                .invalid(&[codes::PERIOD_INVALID, codes::INVALID_ID])
                .on(route!(get_cierres)),
        )
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_cierre)),
        )
        .route(
            allow(WRITE)
                .refuses(&[
                    codes::NOT_FOUND,
                    codes::CIERRE_FINALIZED,
                    codes::CIERRE_DELETED,
                    codes::CONCURRENT_CHANGE,
                ])
                .invalid(&[codes::REASON_REQUIRED])
                .versioned()
                .on(route!(delete_cierre)),
        )
}

/// A page of closings.
#[derive(Debug, Serialize, ToSchema)]
struct CierrePage {
    items: Vec<CierreView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// A closing to begin.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "cliente_id": "cli_01JD0000000000000000000000", "periodo": "2025-10" }))]
struct NewCierreBody {
    cliente_id: String,
    /// `YYYY-MM`, from 2000-01 to the next month.
    periodo: String,
}

fn read_period(text: &str) -> Option<Period> {
    Period::parse(text).ok()
}

/// Begin a closing
///
/// A client has one live closing of a month; when it is deleted the month is free again.
#[utoipa::path(post, path = "/api/nomina/cierres", tag = "Payroll: closings", request_body = NewCierreBody,
    responses((status = 201, description = "The closing", body = CierreView)))]
async fn post_cierre(State(db): State<Db>, caller: Caller, body: Body) -> Result<Answer> {
    let (cliente_id, periodo) = body.decode(|fields| {
        let unknown = "is no client of the company";
        let cliente = parsed(codes::CLIENTE_UNKNOWN, unknown, |text| {
            text.parse::<ClienteId>().ok()
        });
        let cliente_id = fields.required("cliente_id", cliente);
        let invalid = "must be YYYY-MM, from 2000-01 to the next month";
        let periodo = parsed(codes::PERIOD_INVALID, invalid, read_period);
        let periodo = fields.required("periodo", periodo);
        Some((cliente_id?, periodo?))
    })?;
    let context = &caller.context;
    let company = &context.company;
    let id = CierreId::new(random::ulid(context.now)?);
    let cliente = table::cliente(company, cliente_id);
    let month = table::periodo(company, cliente_id, periodo);
    let keys = [
        company::settings_key(company),
        cliente.clone(),
        month.clone(),
    ];
    let command = caller.command(&body);
    run(&db, context, command.as_ref(), &keys, |loaded| {
        if loaded.item(&cliente).is_none() {
            let detail = "is no client of the company";
            return Err(Problem::field("/cliente_id", codes::CLIENTE_UNKNOWN, detail).into());
        }
        if !may_close(periodo, today(loaded, context)?) {
            let detail = "lies after the next month";
            return Err(Problem::field("/periodo", codes::PERIOD_INVALID, detail).into());
        }
        if let Some(known) = loaded_doc::<Periodo>(loaded, &month)? {
            return Err(Problem::new(codes::CIERRE_EXISTS)
                .detail(format!("The closing of this month is {}.", known.cierre_id))
                .into());
        }
        let Change { state, events } = Cierre::create(id, cliente_id, periodo, &stamp(context));
        let mut tx = Tx::new();
        let record = put_cierre(&mut tx, context, None, CierreRecord::new(state), &events)?;
        let taken = Periodo {
            periodo,
            cierre_id: id,
            sello: None,
        };
        tx.put_item(month.clone(), doc(&taken)?, Condition::absent());
        let location = format!("{}/cierres/{id}", super::PREFIX);
        let answer = Answer::created(location, &CierreView::of(&record.cierre))?;
        Ok(Planned {
            tx,
            answer: answer.versioned(record.cierre.version),
        })
    })
    .await
}

/// Which closings are wanted.
struct Wanted {
    cliente_id: Option<ClienteId>,
    periodo: Option<Period>,
    estado: Option<EstadoCierre>,
    deleted: bool,
}

impl Wanted {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let cliente_id = fields.optional("cliente_id", cierre_platform::http::id());
        let invalid = "must be YYYY-MM, from 2000-01 on";
        let periodo = parsed(codes::PERIOD_INVALID, invalid, read_period);
        let periodo = fields.optional("periodo", periodo);
        let states = EstadoCierre::ALL.map(|estado| (estado.as_str(), estado));
        let estado = fields.optional("estado", one_of(&states));
        let deleted = fields.optional_or("incluir_eliminados", boolean(), false);
        Some(Self {
            cliente_id: cliente_id?,
            periodo: periodo?,
            estado: estado?,
            deleted: deleted?,
        })
    }

    fn accepts(&self, cierre: &Cierre) -> bool {
        let asked_for = self.estado == Some(EstadoCierre::Eliminado);
        let gone = cierre.estado == EstadoCierre::Eliminado;
        (!gone || self.deleted || asked_for)
            && self.estado.is_none_or(|estado| estado == cierre.estado)
    }

    fn order(&self, company: &cierre_kernel::company::CompanyId) -> Order {
        let (index, attribute, partition) = match self.cliente_id {
            Some(cliente) => (
                table::CLIENT_INDEX,
                table::CLIENT_PK,
                table::cierres_of(company, cliente),
            ),
            None => (
                table::LIST_INDEX,
                table::LIST_PK,
                table::cierres_list(company),
            ),
        };
        let sort = table::LIST_SORT;
        let query = db::Query::index(table::PAYROLL, index, attribute, partition, sort);
        let month = self.periodo.map(table::periodo_sort);
        Order {
            table: table::PAYROLL,
            partitions: vec![query],
            sort,
            group: usize::MAX,
            low: month.clone(),
            high: month.map(|month| format!("{month}#{AFTER_ALL}")),
        }
    }
}

/// List closings
///
/// The latest month first. Deleted ones are shown when they are asked for.
#[utoipa::path(get, path = "/api/nomina/cierres", tag = "Payroll: closings",
    params(PageParameters, ("cliente_id" = Option<String>, Query), ("periodo" = Option<String>, Query, description = "`YYYY-MM`"),
        ("estado" = Option<String>, Query), ("incluir_eliminados" = Option<bool>, Query)),
    responses((status = 200, description = "A page", body = CierrePage)))]
async fn get_cierres(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let (wanted, paging) = query.decode(|fields| {
        let wanted = Wanted::read(fields);
        let paging = fields.paging();
        Some((wanted?, paging?))
    })?;
    let scope = caller.cursor_scope(&query);
    let after: Option<String> = cursors.start(&scope, &paging)?;
    let order = wanted.order(&caller.context.company);
    let read = |listed: &Listed, item: Item| row(&wanted, listed, &item);
    let Rows { rows, next } =
        listing::page(&db, &order, paging.limit, after.as_deref(), read).await?;
    let items = rows.iter().map(CierreView::of).collect();
    let next = cursors.next(&scope, next)?;
    Ok(Answer::ok(&CierrePage { items, next })?)
}

fn row(wanted: &Wanted, listed: &Listed, item: &Item) -> Result<Option<(String, Cierre)>, Failure> {
    let record: CierreRecord = read_doc(item)?;
    let is_wanted = wanted.accepts(&record.cierre);
    Ok(is_wanted.then(|| (listed.sort.clone(), record.cierre)))
}

/// One closing
#[utoipa::path(get, path = "/api/nomina/cierres/{id}", tag = "Payroll: closings", params(("id" = String, Path)),
    responses((status = 200, description = "The closing, also when it is deleted", body = CierreView)))]
async fn get_cierre(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
) -> Result<Answer> {
    let record = repo::cierre(&db, &caller.context.company, id).await?;
    let cierre = record.ok_or_else(not_found)?.cierre;
    Ok(Answer::ok(&CierreView::of(&cierre))?.versioned(cierre.version))
}

/// Delete a closing
///
/// Its files and events stay; the month is free again.
#[utoipa::path(delete, path = "/api/nomina/cierres/{id}", tag = "Payroll: closings",
    params(("id" = String, Path), ("motivo" = String, Query, min_length = 10, max_length = 500)),
    responses((status = 204, description = "Deleted")))]
async fn delete_cierre(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<CierreId>,
    if_match: IfMatch,
    query: Query,
) -> Result<Answer> {
    let motivo = query.decode(|fields| fields.optional("motivo", lines(ANY_LENGTH)))?;
    let motivo = motivo.unwrap_or_default();
    let context = &caller.context;
    let key = table::cierre(&context.company, id);
    run(&db, context, None, std::slice::from_ref(&key), |loaded| {
        let record: CierreRecord = loaded_doc(loaded, &key)?.ok_or_else(not_found)?;
        let cierre = &record.cierre;
        if_match.check(Some(cierre.version))?;
        let change = cierre
            .delete(&motivo, &stamp(context))
            .map_err(Problem::from)?;
        let mut tx = Tx::new();
        let next = record.with(change.state);
        put_cierre(&mut tx, context, Some(cierre), next, &change.events)?;
        let month = table::periodo(&context.company, cierre.cliente_id, cierre.periodo);
        tx.delete(month, Condition::present());
        Ok(Planned {
            tx,
            answer: Answer::no_content(),
        })
    })
    .await
}
