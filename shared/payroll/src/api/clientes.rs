//! Clients.

use std::collections::BTreeMap;

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::ClienteId;
use cierre_kernel::problem::Problem;
use cierre_platform::command::{Planned, run};
use cierre_platform::db::{Condition, Db, Item, Tx};
use cierre_platform::http::{
    Answer, At, Body, Caller, Cursors, Fields, IfMatch, PageParameters, Query, Routes, Rule,
    Segment, allow, list, not_found, object, text,
};
use cierre_platform::pages::{Shelf, page};
use cierre_platform::{Context, Failure, Result, random, route};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Api;
use super::views::ClienteView;
use crate::amount::{Percent, Pesos};
use crate::entity::Change;
use crate::entity::cliente::{Cliente, ClientePatch, ConfiguracionPatch, NewCliente};
use crate::repo::{HEAD, chain, doc, loaded_doc, read_doc, stamp, with};
use crate::roles::{READ, WRITE};
use crate::rut::Rut;
use crate::table;

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default()
        .route(
            allow(WRITE)
                .refuses(&[codes::CLIENTE_EXISTS, codes::CONCURRENT_CHANGE])
                .invalid(&[codes::RUT_INVALID, codes::INVALID_AMOUNT])
                .on(route!(post_cliente)),
        )
        .route(allow(READ).on(route!(get_clientes)))
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_cliente)),
        )
        .route(
            allow(WRITE)
                .refuses(&[codes::NOT_FOUND, codes::CONCURRENT_CHANGE])
                .invalid(&[codes::INVALID_AMOUNT])
                .versioned()
                .on(route!(patch_cliente)),
        )
}

/// A page of clients.
#[derive(Debug, Serialize, ToSchema)]
struct ClientePage {
    items: Vec<ClienteView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// How strictly months are compared; what is not mentioned stays as it is, at first as usual.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
struct ConfiguracionBody {
    /// By how many pesos a total may differ, 0 to 1000.
    #[schema(example = "1")]
    tolerancia_pesos: Option<String>,
    /// From which change in percent on there is an incidence, 1.00 to 1000.00.
    #[schema(example = "30.00")]
    umbral_variacion: Option<String>,
    /// The same for single codes in 2xxx, 3xxx and 4xxx.
    #[schema(value_type = Option<Object>)]
    umbrales: Option<BTreeMap<String, String>>,
    /// Three falling amounts: from which difference on an incidence is `critica`, `alta`, `media`.
    montos_prioridad: Option<Vec<String>>,
}

/// A client to be entered.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "rut": "76.086.428-5", "nombre": "Comercial Andes SpA" }))]
struct NewClienteBody {
    rut: String,
    #[schema(min_length = 1, max_length = 120)]
    nombre: String,
    configuracion: Option<ConfiguracionBody>,
}

/// Fields of a client to be changed.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "configuracion": { "umbral_variacion": "20.00" } }))]
struct ClienteChangesBody {
    #[schema(min_length = 1, max_length = 120)]
    nombre: Option<String>,
    configuracion: Option<ConfiguracionBody>,
}

/// Enter a client
///
/// A company has one client of a RUT.
#[utoipa::path(post, path = "/api/nomina/clientes", tag = "Payroll: clients", request_body = NewClienteBody,
    responses((status = 201, description = "The client", body = ClienteView)))]
async fn post_cliente(State(db): State<Db>, caller: Caller, body: Body) -> Result<Answer> {
    let new = body.decode(|fields| {
        let rut = fields.required("rut", text(0..=200));
        let nombre = fields.required("nombre", text(0..=1000));
        let configuracion = fields.optional("configuracion", object(read_configuracion));
        Some(NewCliente {
            rut: rut?,
            nombre: nombre?,
            configuracion: configuracion?.unwrap_or_default(),
        })
    })?;
    let context = &caller.context;
    let id = ClienteId::new(random::ulid(context.now)?);
    let taken = Rut::parse(&new.rut)
        .ok()
        .map(|rut| table::cliente_rut(&context.company, rut));
    let keys: Vec<_> = taken.clone().into_iter().collect();
    let command = caller.command(&body);
    run(&db, context, command.as_ref(), &keys, |loaded| {
        let change = Cliente::create(id, new.clone(), &stamp(context)).map_err(Problem::from)?;
        if let Some(known) = taken.as_ref().and_then(|key| loaded.item(key)) {
            let known: ClienteId = read_doc(known)?;
            return Err(Problem::new(codes::CLIENTE_EXISTS)
                .detail(format!("The client {known} has this RUT."))
                .into());
        }
        let rut = change.state.rut;
        let (mut tx, cliente) = written(context, change, None)?;
        let key = table::cliente_rut(&context.company, rut);
        tx.put_item(key, doc(&cliente.id)?, Condition::absent());
        let location = format!("{}/clientes/{}", super::PREFIX, cliente.id);
        let answer = Answer::created(location, &ClienteView::of(&cliente))?;
        Ok(Planned {
            tx,
            answer: answer.versioned(cliente.version),
        })
    })
    .await
}

/// List clients
///
/// In the order in which they were entered.
#[utoipa::path(get, path = "/api/nomina/clientes", tag = "Payroll: clients", params(PageParameters),
    responses((status = 200, description = "A page", body = ClientePage)))]
async fn get_clientes(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let clientes = table::clientes(&caller.context.company);
    let shelf = Shelf::of(table::PAYROLL, clientes, "");
    let start = cursors.start(&scope, &paging)?;
    let read = |item: &Item| read_doc::<Cliente>(item).map(Some);
    let (found, next) = page(&db, &shelf, paging.limit, start, read).await?;
    let items = found.iter().map(ClienteView::of).collect();
    let next = cursors.next(&scope, next)?;
    Ok(Answer::ok(&ClientePage { items, next })?)
}

/// One client
#[utoipa::path(get, path = "/api/nomina/clientes/{id}", tag = "Payroll: clients", params(("id" = String, Path)),
    responses((status = 200, description = "The client", body = ClienteView)))]
async fn get_cliente(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<ClienteId>,
) -> Result<Answer> {
    let key = table::cliente(&caller.context.company, id);
    let item = db.get_item(&key).await?.ok_or_else(not_found)?;
    let cliente: Cliente = read_doc(&item)?;
    Ok(Answer::ok(&ClienteView::of(&cliente))?.versioned(cliente.version))
}

/// Change a client
///
/// A new configuration counts from the next generation on.
#[utoipa::path(patch, path = "/api/nomina/clientes/{id}", tag = "Payroll: clients", params(("id" = String, Path)),
    request_body = ClienteChangesBody, responses((status = 200, description = "The client", body = ClienteView)))]
async fn patch_cliente(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<ClienteId>,
    if_match: IfMatch,
    body: Body,
) -> Result<Answer> {
    let patch = body.decode(|fields| {
        let nombre = fields.change("nombre", text(0..=1000));
        let configuracion = fields.change("configuracion", object(read_configuracion));
        Some(ClientePatch {
            nombre: nombre?.into_option(),
            configuracion: configuracion?.into_option().unwrap_or_default(),
        })
    })?;
    let context = &caller.context;
    let key = table::cliente(&context.company, id);
    run(&db, context, None, std::slice::from_ref(&key), |loaded| {
        let cliente: Cliente = loaded_doc(loaded, &key)?.ok_or_else(not_found)?;
        if_match.check(Some(cliente.version))?;
        let decided = cliente.update(patch.clone(), &stamp(context));
        let (tx, cliente) = match decided.map_err(Problem::from)? {
            Decision::Applied(change) => written(context, change, Some(&cliente))?,
            Decision::Replayed(change) => (Tx::new(), change.state),
        };
        let answer = Answer::ok(&ClienteView::of(&cliente))?.versioned(cliente.version);
        Ok(Planned { tx, answer })
    })
    .await
}

/// The transaction that writes a client with its events.
fn written(
    context: &Context,
    change: Change<Cliente>,
    before: Option<&Cliente>,
) -> Result<(Tx, Cliente), Failure> {
    let Change {
        state: mut cliente,
        events,
    } = change;
    let mut tx = Tx::new();
    chain(&mut tx, context, &events, &mut cliente.head)?;
    let unmoved = before.map_or_else(Condition::absent, |before| {
        Condition::version(before.version)
    });
    let item: Item = with(doc(&cliente)?, "version", cliente.version);
    let item = with(item, HEAD, cliente.head.to_string());
    tx.put_item(table::cliente(&context.company, cliente.id), item, unmoved);
    Ok((tx, cliente))
}

fn read_configuracion(fields: &mut Fields<'_>) -> Option<ConfiguracionPatch> {
    let tolerancia = fields.change("tolerancia_pesos", Digits(Pesos::parse));
    let umbral = fields.change("umbral_variacion", Digits(Percent::parse));
    let umbrales = fields.change("umbrales", Umbrales);
    let montos = fields.change("montos_prioridad", list(Digits(Pesos::parse), 3..=3));
    let montos = montos?.into_option().map(<[Pesos; 3]>::try_from);
    let montos = match montos {
        Some(Ok(montos)) => Some(montos),
        Some(Err(_)) => {
            let detail = "must be three amounts";
            return fields.refuse("montos_prioridad", codes::OUT_OF_RANGE, detail);
        }
        None => None,
    };
    Some(ConfiguracionPatch {
        tolerancia_pesos: tolerancia?.into_option(),
        umbral_variacion: umbral?.into_option(),
        umbrales: umbrales?.into_option(),
        montos_prioridad: montos,
    })
}

/// A number as text, or as an exact JSON number.
struct Digits<T, E>(fn(&str) -> Result<T, E>);

impl<T, E> Rule for Digits<T, E> {
    type Output = T;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<T> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return at.refuse(codes::INVALID_TYPE, "must be a number as text");
            }
        };
        match (self.0)(&text) {
            Ok(number) => Some(number),
            Err(_) => at.refuse(codes::INVALID_AMOUNT, "is not such a number"),
        }
    }
}

/// Thresholds by code. Which codes there are is the entity's matter.
struct Umbrales;

/// Codes that may have a threshold of their own.
const MAX_UMBRALES: usize = 147;

impl Rule for Umbrales {
    type Output = BTreeMap<String, Percent>;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Self::Output> {
        let Value::Object(members) = value else {
            return at.refuse(codes::INVALID_TYPE, "must be an object");
        };
        if members.len() > MAX_UMBRALES {
            return at.refuse(codes::TOO_MANY_ITEMS, "has more codes than the book");
        }
        let mut read = BTreeMap::new();
        let mut whole = true;
        for (code, value) in members {
            match Digits(Percent::parse).read(value, &mut at.below(code)) {
                Some(percent) => {
                    read.insert(code.clone(), percent);
                }
                None => whole = false,
            }
        }
        whole.then_some(read)
    }
}
