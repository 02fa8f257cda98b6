//! Closings and their files in the table.
//!
//! The closing's item guards all that happens to its files: every decision about them writes it, on condition of the version *and* the head of
//! the chain that were read. Views move the head alone:
//!
//! ```text
//! t0  worker  reads the closing: version 7, head 20      user  reads the timeline
//! t1                                                     commits the view: version 7, head 21
//! t2  worker  commits on condition of head 20: refused, or event 21 would be lost from the chain
//! t3  worker  reads again, decides again, commits
//! ```

use std::collections::BTreeMap;

use cierre_kernel::company::CompanyId;
use cierre_kernel::event::{ChainHead, Scope as EventScope};
use cierre_kernel::id::{CierreId, EventId, TrabajoId};
use cierre_kernel::time::Instant;
use cierre_platform::activity::{self, ChainEntry};
use cierre_platform::db::{CommitError, Condition, Db, Item, Key, Query, Tx, back_off};
pub(crate) use cierre_platform::db::{doc, loaded_doc, read_doc, with};
use cierre_platform::{Context, Failure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::entity::archivo::{Archivo, EstadoArchivo};
use crate::entity::cierre::Cierre;
use crate::entity::dossier::{Dossier, Moved};
use crate::entity::events::{CIERRE, CLIENTE, Chain, Entry};
use crate::entity::resumen::Counters;
use crate::entity::trabajo::Trabajo;
use crate::entity::{Caller, Change, Stamp};
use crate::rules::discrepancies::TipoDiscrepancia;
use crate::rules::incidencias::Prioridad;
use crate::rules::merge::{EstadoDiscrepancia, EstadoIncidencia};
use crate::table;

/// The attribute with the head of a chain.
pub(crate) const HEAD: &str = "head";

/// Who does it and when, as entities remember it.
pub(crate) fn stamp(context: &Context) -> Stamp {
    Stamp {
        at: context.now,
        by: context.actor.clone(),
        correlation_id: context.correlation_id.clone(),
    }
}

/// Who does it and when, with what they may do.
pub(crate) fn caller(context: &Context) -> Caller {
    Caller {
        stamp: stamp(context),
        roles: context.roles,
    }
}

/// What a job generated: where it is, and how much of it is in which state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "K: Ord + Serialize, E: Ord + Serialize",
    deserialize = "K: Ord + DeserializeOwned, E: Ord + DeserializeOwned"
))]
pub struct Generated<K, E> {
    /// The job. What people decided counts for what this job generated only.
    pub trabajo_id: TrabajoId,
    /// Everything by kind and state.
    pub conteo: BTreeMap<K, BTreeMap<E, u64>>,
}

impl<K: Ord + Copy, E: Ord + Copy> Generated<K, E> {
    /// Counts one.
    pub(crate) fn count(&mut self, kind: K, estado: E) {
        *self
            .conteo
            .entry(kind)
            .or_default()
            .entry(estado)
            .or_default() += 1;
    }

    /// One changes its state.
    pub(crate) fn step(&mut self, kind: K, from: E, to: E) {
        let states = self.conteo.entry(kind).or_default();
        if let Some(before) = states.get_mut(&from) {
            *before = before.saturating_sub(1);
        }
        states.retain(|_, count| *count > 0);
        *states.entry(to).or_default() += 1;
    }
}

/// A closing as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CierreRecord {
    /// The closing.
    pub cierre: Cierre,
    /// The counters of its events.
    pub resumen: Counters,
    /// Its discrepancies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discrepancias: Option<Generated<TipoDiscrepancia, EstadoDiscrepancia>>,
    /// How many of them forbid the export, whatever people made of them.
    #[serde(default)]
    pub no_exportables: u64,
    /// Its incidences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incidencias: Option<Generated<Prioridad, EstadoIncidencia>>,
}

impl CierreRecord {
    /// A closing that begins.
    pub(crate) fn new(cierre: Cierre) -> Self {
        Self {
            cierre,
            resumen: Counters::default(),
            discrepancias: None,
            no_exportables: 0,
            incidencias: None,
        }
    }

    /// The same with another state of the closing.
    pub(crate) fn with(&self, cierre: Cierre) -> Self {
        Self {
            cierre,
            ..self.clone()
        }
    }
}

/// A closing with its files.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The closing.
    pub record: CierreRecord,
    /// All of its files.
    pub files: Vec<Archivo>,
}

impl Folder {
    /// What decisions are made on.
    pub fn dossier(&self) -> Dossier<'_> {
        Dossier {
            cierre: &self.record.cierre,
            files: &self.files,
        }
    }
}

/// Reads a closing strongly.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn cierre(
    db: &Db,
    company: &CompanyId,
    id: CierreId,
) -> Result<Option<CierreRecord>, Failure> {
    let item = db.get_item(&table::cierre(company, id)).await?;
    item.as_ref().map(read_doc).transpose()
}

/// Reads the files of a closing, strongly. Read after the closing: what changes in between refuses the commit.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn files(db: &Db, company: &CompanyId, id: CierreId) -> Result<Vec<Archivo>, Failure> {
    let query = Query::partition(table::PAYROLL, table::cierre_partition(company, id));
    let items = db.query_all(query.prefix(table::ARCHIVOS)).await?;
    items.iter().map(read_doc).collect()
}

/// Reads a closing with its files.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn folder(db: &Db, company: &CompanyId, id: CierreId) -> Result<Option<Folder>, Failure> {
    let Some(record) = cierre(db, company, id).await? else {
        return Ok(None);
    };
    let files = files(db, company, id).await?;
    Ok(Some(Folder { record, files }))
}

/// Adds events to the transaction and moves the head of the chain in which they stand. Those of one command share a time, so their ids rise: a
/// timeline, which is read by time and id, shows them in the order in which they happened.
pub(crate) fn chain(
    tx: &mut Tx,
    context: &Context,
    entries: &[Entry],
    head: &mut ChainHead,
) -> Result<(), Failure> {
    let first = cierre_platform::random::ulid(context.now)?;
    for (entry, nth) in entries.iter().zip(0..) {
        let chain = match entry.chain() {
            Chain::Cierre(id) => (CIERRE, id.to_string()),
            Chain::Cliente(id) => (CLIENTE, id.to_string()),
            Chain::Company => (table::CUARENTENA, context.company.to_string()),
        };
        let fresh = Ulid(first.0.wrapping_add(nth));
        let id = entry.id().unwrap_or_else(|| EventId::new(fresh));
        let recorded = ChainEntry {
            event: entry.recorded(),
            chain,
            by: entry.by.clone(),
            scope: EventScope {
                cierre_id: entry.scope.cierre,
                cliente_id: entry.scope.cliente,
            },
            id: Some(id),
        };
        *head = activity::append_entry(tx, context, recorded, head)?;
    }
    Ok(())
}

/// Adds a closing with its events to the transaction, on condition that it stands as it was read.
pub(crate) fn put_cierre(
    tx: &mut Tx,
    context: &Context,
    before: Option<&Cierre>,
    mut next: CierreRecord,
    events: &[Entry],
) -> Result<CierreRecord, Failure> {
    chain(tx, context, events, &mut next.cierre.head)?;
    for entry in events {
        next.resumen.count(entry.event.event_type(), &entry.by.user);
    }
    let unmoved = match before {
        None => Condition::absent(),
        Some(before) => Condition::version(before.version).eq(HEAD, before.head.to_string()),
    };
    let company = &context.company;
    let cierre = &next.cierre;
    let item = with(doc(&next)?, "version", cierre.version);
    let item = with(item, HEAD, cierre.head.to_string());
    let item = with(item, table::LIST_PK, table::cierres_list(company));
    let client = table::cierres_of(company, cierre.cliente_id);
    let item = with(item, table::CLIENT_PK, client);
    let place = table::cierre_sort(cierre.periodo, cierre.id);
    let item = with(item, table::LIST_SORT, place);
    tx.put_item(table::cierre(company, cierre.id), item, unmoved);
    Ok(next)
}

/// Adds a file to the transaction. One that somebody still has to deal with stands in the list of unfinished work.
pub(crate) fn put_archivo(
    tx: &mut Tx,
    context: &Context,
    before: Option<&Archivo>,
    next: &Archivo,
) -> Result<usize, Failure> {
    let unmoved = before.map_or_else(Condition::absent, |before| {
        Condition::version(before.version)
    });
    let item = with(doc(next)?, "version", next.version);
    let item = match waits_since(next, context.now) {
        Some(since) => unfinished(item, since, next.id),
        None => item,
    };
    let key = table::archivo(&context.company, next.cierre_id, next.id);
    Ok(tx.put_item(key, item, unmoved))
}

/// Since when a file waits for a worker, or for the end of its address.
fn waits_since(file: &Archivo, now: Instant) -> Option<Instant> {
    match file.estado {
        EstadoArchivo::Esperando => file.expira_en,
        EstadoArchivo::Recibido | EstadoArchivo::Validando | EstadoArchivo::Procesando => Some(now),
        EstadoArchivo::Procesado
        | EstadoArchivo::ConErrores
        | EstadoArchivo::Error
        | EstadoArchivo::Expirado
        | EstadoArchivo::Reemplazado
        | EstadoArchivo::Eliminado => None,
    }
}

/// Puts an item into the list of unfinished work.
fn unfinished(item: Item, since: Instant, id: impl std::fmt::Display) -> Item {
    let listed = with(item, table::LIST_PK, table::WORK_LIST);
    with(listed, table::LIST_SORT, table::work_sort(since, id))
}

/// Adds a job to the transaction.
pub(crate) fn put_trabajo(
    tx: &mut Tx,
    context: &Context,
    before: Option<&Trabajo>,
    next: &Trabajo,
) -> Result<usize, Failure> {
    let unmoved = before.map_or_else(Condition::absent, |before| {
        Condition::version(before.version)
    });
    let item = with(doc(next)?, "version", next.version);
    let item = if next.estado.is_over() {
        item
    } else {
        unfinished(item, context.now, next.id)
    };
    Ok(tx.put_item(table::trabajo(&context.company, next.id), item, unmoved))
}

/// Adds what was decided about a closing and its files to the transaction: one conditional write.
pub(crate) fn put_moved(
    tx: &mut Tx,
    context: &Context,
    folder: &Folder,
    change: Change<Moved>,
) -> Result<CierreRecord, Failure> {
    let Change { state, events } = change;
    let before = &folder.record.cierre;
    let next = folder.record.with(state.cierre);
    let next = put_cierre(tx, context, Some(before), next, &events)?;
    for file in &state.files {
        put_archivo(tx, context, folder.dossier().file(file.id), file)?;
    }
    Ok(next)
}

/// Records events that change nothing of a closing: views.
///
/// # Errors
/// When DynamoDB does not answer, or others move the chain at every try.
pub(crate) async fn record_view(
    db: &Db,
    context: &Context,
    cierre_id: CierreId,
    entry: impl Fn(&Cierre) -> Entry,
    once: Option<&Key>,
) -> Result<(), Failure> {
    for attempt in 0..VIEW_TRIES {
        let Some(record) = cierre(db, &context.company, cierre_id).await? else {
            return Ok(());
        };
        let mut tx = Tx::new();
        let marked = once.map(|key| {
            let seconds = context.now.as_millis() / 1000 + MARK_SECONDS;
            let mark = with(Item::new(), table::EXPIRES_AT, seconds);
            tx.put_item(key.clone(), mark, Condition::absent())
        });
        let viewed = entry(&record.cierre);
        let before = record.cierre.clone();
        put_cierre(&mut tx, context, Some(&before), record, &[viewed])?;
        match db.commit(&tx).await {
            Ok(()) => return Ok(()),
            Err(error) if marked.is_some_and(|at| error.refused_at(at).is_some()) => return Ok(()),
            Err(CommitError::Refused(_) | CommitError::Contended) => back_off(attempt).await,
            Err(CommitError::Failed(failure)) => return Err(failure),
        }
    }
    Err(Failure::message(
        "the chain of a closing moved at every try",
    ))
}

/// A mark of an hour is of no use after two.
const MARK_SECONDS: i64 = 2 * 60 * 60;
/// Tries to record a view against others that move the same chain.
const VIEW_TRIES: u32 = 16;
