//! Facturas and what belongs to them in the table.
//!
//! The factura's item holds its current round too, and guards both: every command writes it on condition of the version *and* the head of the
//! chain that were read. Views and denials move the head alone:
//!
//! ```text
//! t0  A  reads the factura: version 2, head 3            B  is denied a decision: reads the same
//! t1                                                     commits the denial: version 2, head 4
//! t2  A  commits on condition of head 3: refused, or event 4 would be lost from the chain
//! t3  A  reads again, decides again, commits
//! ```
//!
//! The round's own row is written by the same transaction. Once a later round exists nothing writes it any more; the row is what the consistency
//! check compares the factura with.

use cierre_kernel::company::CompanyId;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::{EventId, FacturaId};
use cierre_kernel::time::Instant;
use cierre_platform::activity::{self, ChainEntry};
use cierre_platform::db::{
    CommitError, Condition, Db, Item, Key, Loaded, Query, Tx, back_off, text,
};
pub(crate) use cierre_platform::db::{doc, loaded_doc, read_doc, with};
use cierre_platform::{Context, Failure};
use serde::Serialize;
use ulid::Ulid;

use crate::entity::asignacion::Asignacion;
use crate::entity::carga::{Carga, Visto};
use crate::entity::delegacion::Delegacion;
use crate::entity::events::Entry;
use crate::entity::factura::{Decisor, Expediente, Factura};
use crate::entity::politica::Politica;
use crate::entity::workflow::Workflow;
use crate::entity::{Change, Stamp};
use crate::nit::Nit;
use crate::persona::Usuario;
use crate::rules::clave::Clave;
use crate::rules::comparacion::Antecedente;
use crate::rules::concepto::Grupo;
use crate::table;

/// The attribute with the head of a chain.
pub(crate) const HEAD: &str = "head";
/// The attribute with the version.
pub(crate) const VERSION: &str = "version";
/// The attribute with the factura to which something else points.
const FACTURA_ID: &str = "factura_id";
/// Facturas of a group that automatic approval looks at: those of the newest days of issue.
const GROUP_READ: usize = 1_000;
/// Tries to record what changes nothing against others that move the same chain.
const NOTE_TRIES: u32 = 16;

/// Who does it and when, as entities remember it.
pub(crate) fn stamp(context: &Context) -> Stamp {
    let actor = &context.actor;
    Stamp {
        at: context.now,
        by: Usuario::new(&actor.user, &actor.user_id, context.name.as_deref()),
        correlation_id: context.correlation_id.clone(),
    }
}

/// Who does it, when, and with which rights.
pub(crate) fn decisor(context: &Context, delegado: bool) -> Decisor {
    Decisor {
        stamp: stamp(context),
        roles: context.roles,
        delegado,
    }
}

/// Reads a factura strongly, also one that is deleted.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn expediente(
    db: &Db,
    company: &CompanyId,
    id: FacturaId,
) -> Result<Option<Expediente>, Failure> {
    let item = db.get_item(&table::factura(company, id)).await?;
    item.as_ref().map(read_doc).transpose()
}

/// The factura among what was loaded, also one that is deleted.
pub(crate) fn loaded_expediente(
    loaded: &Loaded,
    company: &CompanyId,
    id: FacturaId,
) -> Result<Option<Expediente>, Failure> {
    loaded_doc(loaded, &table::factura(company, id))
}

/// Reads a factura with all of its rounds, the first one first; also one that is deleted.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn con_rondas(
    db: &Db,
    company: &CompanyId,
    id: FacturaId,
) -> Result<Option<(Expediente, Vec<Workflow>)>, Failure> {
    let partition = table::factura_partition(company, id);
    let items = db.query_all(Query::partition(table::PAYABLES, partition));
    let (mut expediente, mut rondas) = (None, Vec::new());
    for item in &items.await? {
        let sk = text(item, "sk").unwrap_or_default();
        if sk == table::FACTURA {
            expediente = Some(read_doc(item)?);
        } else if sk.starts_with(table::RONDAS) {
            rondas.push(read_doc(item)?);
        }
    }
    Ok(expediente.map(|expediente| (expediente, rondas)))
}

/// Reads the policy in force; the default where nobody set one.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn politica(db: &Db, company: &CompanyId) -> Result<Politica, Failure> {
    let item = db.get_item(&table::politica(company)).await?;
    Ok(item.as_ref().map(read_doc).transpose()?.unwrap_or_default())
}

/// The policy in force among what was loaded.
pub(crate) fn loaded_politica(loaded: &Loaded, company: &CompanyId) -> Result<Politica, Failure> {
    Ok(loaded_doc(loaded, &table::politica(company))?.unwrap_or_default())
}

/// Reads the assignment of a NIT, also one that is gone.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn asignacion(
    db: &Db,
    company: &CompanyId,
    nit: Nit,
) -> Result<Option<Asignacion>, Failure> {
    let item = db.get_item(&table::asignacion(company, nit)).await?;
    item.as_ref().map(read_doc).transpose()
}

/// The assignment in force among what was loaded.
pub(crate) fn loaded_asignacion(
    loaded: &Loaded,
    company: &CompanyId,
    nit: Nit,
) -> Result<Option<Asignacion>, Failure> {
    let known: Option<Asignacion> = loaded_doc(loaded, &table::asignacion(company, nit))?;
    Ok(known.filter(|one| one.vigente))
}

/// Reads the delegations that a user gave, strongly.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn delegaciones_de(
    db: &Db,
    company: &CompanyId,
    sub: &str,
) -> Result<Vec<Delegacion>, Failure> {
    let partition = table::delegaciones_de(company, sub);
    let query = Query::partition(table::PAYABLES, partition).prefix(table::DELEGACIONES);
    db.query_all(query).await?.iter().map(read_doc).collect()
}

/// Reads the delegations to a user. A new one is among them after a moment; each of them is as it stands.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn delegaciones_a(
    db: &Db,
    company: &CompanyId,
    sub: &str,
) -> Result<Vec<Delegacion>, Failure> {
    let query = Query::index(
        table::PAYABLES,
        table::INBOX_INDEX,
        table::INBOX_PK,
        table::delegaciones_a(company, sub),
        table::WAITING_SORT,
    );
    let found = db.query_all(query).await?;
    let keys: Vec<Key> = found
        .iter()
        .filter_map(|item| Key::of(table::PAYABLES, item))
        .collect();
    let loaded = db.load(keys.iter().cloned()).await?;
    keys.iter()
        .filter_map(|key| loaded.item(key))
        .map(read_doc)
        .collect()
}

/// The live factura with a duplicate key, among what was loaded.
pub(crate) fn loaded_duplicada(
    loaded: &Loaded,
    company: &CompanyId,
    clave: &Clave,
) -> Option<FacturaId> {
    let item = loaded.item(&table::clave(company, clave))?;
    text(item, FACTURA_ID)?.parse().ok()
}

/// Reads the live facturas of a group, strongly: at most the thousand of the newest days of issue.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn grupo(
    db: &Db,
    company: &CompanyId,
    grupo: &Grupo,
) -> Result<Vec<Antecedente>, Failure> {
    let partition = table::grupo_cabeza(company, grupo).pk;
    let mut query = Query::partition(table::PAYABLES, partition)
        .prefix(table::GRUPO_FACTURAS)
        .descending()
        .limit(u32::try_from(GROUP_READ).unwrap_or(u32::MAX));
    let mut found = Vec::new();
    loop {
        let page = db.query(&query).await?;
        let room = GROUP_READ - found.len();
        for item in page.items.iter().take(room) {
            found.push(read_doc(item)?);
        }
        match page.last {
            Some(last) if found.len() < GROUP_READ => query = query.start_after(last),
            Some(_) | None => return Ok(found),
        }
    }
}

/// Adds events to the transaction and moves the head of the chain in which they stand. Those of one command share a time, so their ids rise: lists
/// by time and id show them in the order in which they happened.
pub(crate) fn chain(
    tx: &mut Tx,
    context: &Context,
    entries: &[Entry],
    head: &mut ChainHead,
) -> Result<(), Failure> {
    let first = cierre_platform::random::ulid(context.now)?;
    for (entry, nth) in entries.iter().zip(0..) {
        let event = entry.recorded();
        let recorded = ChainEntry {
            chain: (event.resource_type, event.resource_id.clone()),
            event,
            by: entry.by.clone(),
            scope: Default::default(),
            id: Some(EventId::new(Ulid(first.0.wrapping_add(nth)))),
        };
        *head = activity::append_entry(tx, context, recorded, head)?;
    }
    Ok(())
}

/// An entity with a version and a chain of events of its own.
pub(crate) trait Chained: Serialize {
    /// Counts its changes, from 1.
    fn version(&self) -> u64;
    /// The head of its chain.
    fn head(&self) -> &ChainHead;
    /// The head of its chain, to be moved.
    fn head_mut(&mut self) -> &mut ChainHead;
}

macro_rules! chained {
    ($($entity:ty),+) => {$(
        impl Chained for $entity {
            fn version(&self) -> u64 {
                self.version
            }

            fn head(&self) -> &ChainHead {
                &self.head
            }

            fn head_mut(&mut self) -> &mut ChainHead {
                &mut self.head
            }
        }
    )+};
}

chained!(Asignacion, Delegacion, Carga, Visto);

/// Adds an entity with its events to the transaction, on condition that it stands as it was read. `dress` adds the attributes of its indexes.
pub(crate) fn put<T: Chained>(
    tx: &mut Tx,
    context: &Context,
    key: Key,
    before: Option<&T>,
    change: Change<T>,
    dress: impl FnOnce(Item, &T) -> Item,
) -> Result<T, Failure> {
    let Change { mut state, events } = change;
    chain(tx, context, &events, state.head_mut())?;
    let item = guarded(doc(&state)?, state.version(), state.head());
    let unmoved = unmoved(before.map(|before| (before.version(), before.head())));
    tx.put_item(key, dress(item, &state), unmoved);
    Ok(state)
}

/// The item with what conditions ask for.
pub(crate) fn guarded(item: Item, version: u64, head: &ChainHead) -> Item {
    with(with(item, VERSION, version), HEAD, head.to_string())
}

/// It stands as it was read.
pub(crate) fn unmoved(before: Option<(u64, &ChainHead)>) -> Condition {
    before.map_or_else(Condition::absent, |(version, head)| {
        Condition::version(version).eq(HEAD, head.to_string())
    })
}

/// Puts an item into the list of unfinished work, where the sweeper finds it.
pub(crate) fn unfinished(item: Item, since: Instant, id: impl std::fmt::Display) -> Item {
    let listed = with(item, table::LIST_PK, table::WORK_LIST);
    with(listed, table::LIST_SORT, table::work_sort(since, id))
}

/// Adds a factura with its round and its events to the transaction, on condition that it stands as it was read; with them go its duplicate key
/// and its place in its group. Answers it as it is written.
pub(crate) fn put_expediente(
    tx: &mut Tx,
    context: &Context,
    before: Option<&Expediente>,
    change: Change<Expediente>,
) -> Result<Expediente, Failure> {
    let Change { mut state, events } = change;
    chain(tx, context, &events, &mut state.factura.head)?;
    let company = &context.company;
    let Expediente { factura, workflow } = &state;
    let item = guarded(doc(&state)?, factura.version, &factura.head);
    let item = if factura.eliminada {
        item
    } else {
        listed(item, company, factura)
    };
    let known = before.map(|before| (before.factura.version, &before.factura.head));
    tx.put_item(table::factura(company, factura.id), item, unmoved(known));
    if before.is_none_or(|before| before.workflow != *workflow) {
        let begins = before.is_none_or(|before| before.workflow.ronda != workflow.ronda);
        let free = if begins {
            Condition::absent()
        } else {
            Condition::always()
        };
        let key = table::ronda(company, factura.id, workflow.ronda);
        tx.put_item(key, doc(workflow)?, free);
    }
    put_clave(tx, company, before, factura);
    put_antecedente(tx, company, before, factura)?;
    Ok(state)
}

/// Where lists find a factura.
fn listed(item: Item, company: &CompanyId, factura: &Factura) -> Item {
    let estado = factura.estado();
    let responsable = factura.responsable();
    let usuario = responsable.map(|one| one.usuario.as_str());
    let acted = factura.sincronizado().accion_por();
    let waits = !estado.is_decided();
    let waiting = |partition| waits.then_some(partition);
    let datos = &factura.datos;
    let places = [
        (table::LIST_PK, Some(table::facturas(company))),
        (
            table::RESPONSABLE_PK,
            Some(table::facturas_of_responsable(company, usuario)),
        ),
        (
            table::ACCION_PK,
            acted.map(|persona| table::facturas_of_accion(company, &persona.nombre)),
        ),
        (
            table::NIT_PK,
            Some(table::facturas_of_nit(company, datos.nit)),
        ),
        (
            table::ESTADO_PK,
            Some(table::facturas_of_estado(company, estado)),
        ),
        (
            table::LIST_SORT,
            Some(table::factura_sort(datos.fecha_emision, factura.id)),
        ),
        (table::WAITING_PK, waiting(table::espera(company))),
        (
            table::INBOX_PK,
            responsable.and_then(|one| waiting(table::bandeja(company, &one.id))),
        ),
        (
            table::WAITING_SORT,
            waiting(table::waiting_sort(factura.fecha_registro, factura.id)),
        ),
    ];
    places
        .into_iter()
        .fold(item, |item, (name, value)| match value {
            Some(value) => with(item, name, value),
            None => item,
        })
}

/// Takes the duplicate key of a new factura, gives back that of a deleted one.
fn put_clave(tx: &mut Tx, company: &CompanyId, before: Option<&Expediente>, factura: &Factura) {
    let Some(clave) = factura.datos.clave() else {
        return;
    };
    let key = table::clave(company, &clave);
    let id = factura.id.to_string();
    if before.is_none() {
        let item = with(Item::new(), FACTURA_ID, id);
        tx.put_item(key, item, Condition::absent());
    } else if factura.eliminada {
        tx.delete(key, Condition::default().eq(FACTURA_ID, id));
    }
}

/// Shows a factura to the others of its group as it stands now.
fn put_antecedente(
    tx: &mut Tx,
    company: &CompanyId,
    before: Option<&Expediente>,
    factura: &Factura,
) -> Result<(), Failure> {
    let (grupo, emision) = (factura.datos.grupo(), factura.datos.fecha_emision);
    let key = table::grupo_factura(company, &grupo, emision, factura.id);
    let antecedente = factura.antecedente();
    if factura.eliminada {
        tx.delete(key, Condition::always());
    } else if before.is_none_or(|before| before.factura.antecedente() != antecedente) {
        tx.put_item(key, doc(&antecedente)?, Condition::always());
    }
    Ok(())
}

/// Makes other approvals by rule in the group, which did not see this one, decide again. `seen` is what was loaded before the group was read.
///
/// ```text
/// t0  A  reads the head of the group: 4      B  reads the head of the group: 4
/// t1  A  finds nothing near, approves        B  finds nothing near, approves
/// t2  A  commits on condition of head 4: 5
/// t3                                         B  commits on condition of head 4: refused, reads again, finds A
/// ```
pub(crate) fn put_grupo_cabeza(
    tx: &mut Tx,
    company: &CompanyId,
    grupo: &Grupo,
    seen: &Loaded,
) -> Result<(), Failure> {
    let key = table::grupo_cabeza(company, grupo);
    let version = seen.item(&key).map(read_version).transpose()?;
    let still = version.map_or_else(Condition::absent, Condition::version);
    let next = with(Item::new(), VERSION, version.unwrap_or_default() + 1);
    tx.put_item(key, next, still);
    Ok(())
}

fn read_version(item: &Item) -> Result<u64, Failure> {
    cierre_platform::db::number(item, VERSION)
        .and_then(|version| u64::try_from(version).ok())
        .ok_or_else(|| Failure::message("an item has no version"))
}

/// Records an event that changes nothing of a factura: a view, a denial. `read` is the factura as it was read. One that is deleted has no more of
/// them.
///
/// # Errors
/// When DynamoDB does not answer, or others move the chain at every try.
pub(crate) async fn note(
    db: &Db,
    context: &Context,
    read: Expediente,
    entry: impl Fn(&Factura) -> Entry,
) -> Result<(), Failure> {
    let id = read.factura.id;
    let mut current = read;
    for attempt in 0..NOTE_TRIES {
        if current.factura.eliminada {
            return Ok(());
        }
        let noted = Change::new(current.clone(), vec![entry(&current.factura)]);
        let mut tx = Tx::new();
        put_expediente(&mut tx, context, Some(&current), noted)?;
        match db.commit(&tx).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Refused(_) | CommitError::Contended) => back_off(attempt).await,
            Err(CommitError::Failed(failure)) => return Err(failure),
        }
        match expediente(db, &context.company, id).await? {
            Some(next) => current = next,
            None => return Ok(()),
        }
    }
    Err(Failure::message(
        "the chain of a factura moved at every try",
    ))
}

#[cfg(test)]
mod tests;
