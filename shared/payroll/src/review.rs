//! What a job generated and people then decide on: discrepancies and incidences.
//!
//! The job leaves one pack, and the closing's item says which one counts. What somebody decides goes into an item of its own, under the job's id:
//! so a generation of ten thousand incidences costs one request, it becomes visible at once or not at all, and a decision costs one item.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::hash::Hash;
use std::str::FromStr;

use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{CierreId, DiscrepanciaId, IncidenciaId, TrabajoId};
use cierre_kernel::problem::Problem;
use cierre_kernel::time::Instant;
use cierre_platform::Failure;
use cierre_platform::db::{Condition, Key, Query, Tx, text};
use cierre_platform::pack::{Pack, Packer, Position, each_row, find_rows};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::derived;
use crate::entity::discrepancia::Discrepancia;
use crate::entity::incidencia::{Explicacion, Incidencia};
use crate::entity::life::Life;
use crate::repo::{CierreRecord, Generated, doc, read_doc, with};
use crate::rules::discrepancies::{DiscrepanciaHallada, TipoDiscrepancia};
use crate::rules::incidencias::{IncidenciaHallada, Prioridad};
use crate::rules::merge::{EstadoDiscrepancia, EstadoIncidencia};
use crate::rut::Rut;
use crate::table;
use crate::worker::Payroll;

/// Rows of a pack that are looked up together.
const AT_ONCE: usize = 100;
/// Rows that one page of a list looks at.
const LOOKED_AT: usize = 1_000;

/// Something that a job generates and people decide on.
pub trait Reviewed: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its id.
    type Id: Copy + Ord + Hash + Display + FromStr + Send + Sync;
    /// What was found.
    type Found: Send;
    /// What it is counted by.
    type Kind: Copy + Ord;
    /// Its state.
    type Estado: Copy + Ord;
    /// What people change of it. What was found is in the pack, however much of it there is; an item has room for 400 KB.
    type Decision: Serialize + DeserializeOwned;

    /// Its id.
    fn id(&self) -> Self::Id;
    /// Whose it is.
    fn rut(&self) -> Rut;
    /// What it is counted by.
    fn kind(&self) -> Self::Kind;
    /// Its state.
    fn estado(&self) -> Self::Estado;
    /// Counts its changes.
    fn version(&self) -> u64;
    /// What people changed.
    fn decision(&self) -> Self::Decision;
    /// The same, as people changed it.
    #[must_use]
    fn decided(self, decision: Self::Decision) -> Self;
    /// The id of what was found.
    fn id_of(found: &Self::Found) -> Self::Id;
    /// It is found for the first time.
    fn begun(found: Self::Found, cierre: CierreId, now: Instant) -> Self;
    /// It is found again; none when nothing about it changes.
    fn again(&self, found: Self::Found, now: Instant) -> Option<Self>;
    /// It is no longer found; none when nothing about it changes.
    fn gone(&self, now: Instant) -> Option<Self>;
    /// What the closing says of all of them.
    fn generated(record: &CierreRecord) -> Option<&Generated<Self::Kind, Self::Estado>>;
    /// The pack that a job leaves.
    fn pack(company: &CompanyId, cierre: CierreId, trabajo: TrabajoId) -> String;
    /// What the sort keys of decisions begin with.
    const DECISIONS: &'static str;
}

impl Reviewed for Discrepancia {
    type Id = DiscrepanciaId;
    type Found = DiscrepanciaHallada;
    type Kind = TipoDiscrepancia;
    type Estado = EstadoDiscrepancia;
    type Decision = Life<EstadoDiscrepancia>;

    const DECISIONS: &'static str = "dis#";

    fn id(&self) -> DiscrepanciaId {
        self.found.id
    }
    fn rut(&self) -> Rut {
        self.found.rut
    }
    fn kind(&self) -> TipoDiscrepancia {
        self.found.tipo
    }
    fn estado(&self) -> EstadoDiscrepancia {
        self.life.estado
    }
    fn version(&self) -> u64 {
        self.life.version
    }
    fn decision(&self) -> Life<EstadoDiscrepancia> {
        self.life.clone()
    }
    fn decided(self, life: Life<EstadoDiscrepancia>) -> Self {
        Self { life, ..self }
    }
    fn id_of(found: &DiscrepanciaHallada) -> DiscrepanciaId {
        found.id
    }
    fn begun(found: DiscrepanciaHallada, cierre: CierreId, now: Instant) -> Self {
        Self::new(found, cierre, now)
    }
    fn again(&self, found: DiscrepanciaHallada, now: Instant) -> Option<Self> {
        self.found_again(found, now)
    }
    fn gone(&self, now: Instant) -> Option<Self> {
        self.missing(now)
    }
    fn generated(
        record: &CierreRecord,
    ) -> Option<&Generated<TipoDiscrepancia, EstadoDiscrepancia>> {
        record.discrepancias.as_ref()
    }
    fn pack(company: &CompanyId, cierre: CierreId, trabajo: TrabajoId) -> String {
        derived::discrepancias(company, cierre, trabajo)
    }
}

impl Reviewed for Incidencia {
    type Id = IncidenciaId;
    type Found = IncidenciaHallada;
    type Kind = Prioridad;
    type Estado = EstadoIncidencia;
    type Decision = (Life<EstadoIncidencia>, Explicacion);

    const DECISIONS: &'static str = "inc#";

    fn id(&self) -> IncidenciaId {
        self.found.id
    }
    fn rut(&self) -> Rut {
        self.found.rut
    }
    fn kind(&self) -> Prioridad {
        self.found.prioridad
    }
    fn estado(&self) -> EstadoIncidencia {
        self.life.estado
    }
    fn version(&self) -> u64 {
        self.life.version
    }
    fn decision(&self) -> Self::Decision {
        (self.life.clone(), self.explicacion.clone())
    }
    fn decided(self, (life, explicacion): Self::Decision) -> Self {
        Self {
            life,
            explicacion,
            ..self
        }
    }
    fn id_of(found: &IncidenciaHallada) -> IncidenciaId {
        found.id
    }
    fn begun(found: IncidenciaHallada, cierre: CierreId, now: Instant) -> Self {
        Self::new(found, cierre, now)
    }
    fn again(&self, found: IncidenciaHallada, now: Instant) -> Option<Self> {
        self.found_again(found, now)
    }
    fn gone(&self, now: Instant) -> Option<Self> {
        self.missing(now)
    }
    fn generated(record: &CierreRecord) -> Option<&Generated<Prioridad, EstadoIncidencia>> {
        record.incidencias.as_ref()
    }
    fn pack(company: &CompanyId, cierre: CierreId, trabajo: TrabajoId) -> String {
        derived::incidencias(company, cierre, trabajo)
    }
}

/// Where a decision on one of them is kept. Which job's it is belongs to the key: what was decided on an earlier generation is no longer found.
fn place_of<T: Reviewed>(
    company: &CompanyId,
    cierre: CierreId,
    trabajo: TrabajoId,
    id: T::Id,
) -> Key {
    Key::new(
        table::PAYROLL,
        table::cierre_partition(company, cierre),
        format!("{}{}#{id}", T::DECISIONS, trabajo.ulid()),
    )
}

/// One of them, and whether somebody decided on it since it was generated.
#[derive(Clone, Debug)]
pub(crate) struct Current<T> {
    pub(crate) one: T,
    decided: bool,
}

/// Adds a decision to the transaction, on condition that nobody decided in between.
pub(crate) fn put_decision<T: Reviewed>(
    tx: &mut Tx,
    company: &CompanyId,
    cierre: CierreId,
    trabajo: TrabajoId,
    before: &Current<T>,
    next: &T,
) -> Result<usize, Failure> {
    let unmoved = if before.decided {
        Condition::version(before.one.version())
    } else {
        Condition::absent()
    };
    let item = with(doc(&next.decision())?, "version", next.version());
    Ok(tx.put_item(
        place_of::<T>(company, cierre, trabajo, next.id()),
        item,
        unmoved,
    ))
}

/// A place in the list of one generation: after another one it is no place.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    trabajo: TrabajoId,
    at: Position,
}

/// A page of a list.
pub(crate) struct Found<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<Place>,
}

impl Payroll {
    /// Those of these ids, as they stand now. What is not there is left out.
    pub(crate) async fn current<T: Reviewed>(
        &self,
        company: &CompanyId,
        record: &CierreRecord,
        ids: &[T::Id],
    ) -> Result<BTreeMap<T::Id, Current<T>>, Failure> {
        let Some(generated) = T::generated(record) else {
            return Ok(BTreeMap::new());
        };
        let (cierre, trabajo) = (record.cierre.id, generated.trabajo_id);
        let texts: Vec<String> = ids.iter().map(|id| format!("\"id\":\"{id}\"")).collect();
        let pack = self.objects.get(&T::pack(company, cierre, trabajo)).await?;
        let pack = pack.ok_or_else(|| Failure::message("a generation has no pack"))?;
        let rows = find_rows::<T>(&pack, &texts)?;
        let mut decisions = self.decisions::<T>(company, cierre, trabajo, ids).await?;
        // A row may name another's id in a text of its own.
        let asked = rows.into_iter().filter(|one| ids.contains(&one.id()));
        let current = asked.map(|one| {
            let id = one.id();
            let current = match decisions.remove(&id) {
                None => Current {
                    decided: false,
                    one,
                },
                Some(decision) => Current {
                    decided: true,
                    one: one.decided(decision),
                },
            };
            (id, current)
        });
        Ok(current.collect())
    }

    async fn decisions<T: Reviewed>(
        &self,
        company: &CompanyId,
        cierre: CierreId,
        trabajo: TrabajoId,
        ids: &[T::Id],
    ) -> Result<BTreeMap<T::Id, T::Decision>, Failure> {
        let key = |id: &T::Id| place_of::<T>(company, cierre, trabajo, *id);
        let loaded = self.db.load(ids.iter().map(key)).await?;
        let mut found = BTreeMap::new();
        for id in ids {
            if let Some(item) = loaded.item(&key(id)) {
                found.insert(*id, read_doc(item)?);
            }
        }
        Ok(found)
    }

    /// A page of the list: `fixed` looks at what a decision does not change, `state` at what it does. 400 `bad_cursor` for a place of an earlier
    /// generation.
    pub(crate) async fn list<T: Reviewed>(
        &self,
        company: &CompanyId,
        record: &CierreRecord,
        rut: Option<Rut>,
        (limit, start): (usize, Option<Place>),
        fixed: impl Fn(&T) -> bool,
        state: impl Fn(&T) -> bool,
    ) -> cierre_platform::Result<Found<T>> {
        let mut items = Vec::new();
        let Some(generated) = T::generated(record) else {
            return Ok(Found { items, next: None });
        };
        let (cierre, trabajo) = (record.cierre.id, generated.trabajo_id);
        if start.is_some_and(|start| start.trabajo != trabajo) {
            return Err(Problem::new(codes::BAD_CURSOR).into());
        }
        let key = T::pack(company, cierre, trabajo);
        let Some(pack) = Pack::open(&self.objects, &key).await? else {
            return Err(Failure::message("a generation has no pack").into());
        };
        let key = rut.map(|rut| rut.to_string());
        let fixed = |one: &T| rut.is_none_or(|rut| rut == one.rut()) && fixed(one);
        let mut start = start.map(|start| start.at);
        let place = |at| Some(Place { trabajo, at });
        let mut looked_at = 0;
        loop {
            let page = pack.page(key.as_deref(), start, AT_ONCE, fixed).await?;
            let ids: Vec<T::Id> = page.rows.iter().map(|(_, one)| one.id()).collect();
            let mut decisions = self.decisions::<T>(company, cierre, trabajo, &ids).await?;
            looked_at += ids.len();
            for (at, one) in page.rows {
                let one = match decisions.remove(&one.id()) {
                    Some(decision) => one.decided(decision),
                    None => one,
                };
                if !state(&one) {
                    continue;
                }
                if items.len() == limit {
                    let next = place(at);
                    return Ok(Found { items, next });
                }
                items.push(one);
            }
            match page.next {
                Some(next) if items.len() == limit || looked_at >= LOOKED_AT => {
                    let next = place(next);
                    return Ok(Found { items, next });
                }
                Some(next) => start = Some(next),
                None => return Ok(Found { items, next: None }),
            }
        }
    }

    /// All of them as they stand now.
    pub(crate) async fn all<T: Reviewed>(
        &self,
        company: &CompanyId,
        record: &CierreRecord,
    ) -> Result<BTreeMap<T::Id, T>, Failure> {
        let mut all = BTreeMap::new();
        let Some(generated) = T::generated(record) else {
            return Ok(all);
        };
        let (cierre, trabajo) = (record.cierre.id, generated.trabajo_id);
        let Some(pack) = self.objects.get(&T::pack(company, cierre, trabajo)).await? else {
            return Err(Failure::message("a generation has no pack"));
        };
        each_row(&pack, |one: T| {
            all.insert(one.id(), one);
            Ok(())
        })?;
        let decisions = format!("{}{}#", T::DECISIONS, trabajo.ulid());
        let query = Query::partition(table::PAYROLL, table::cierre_partition(company, cierre));
        for item in self.db.query_all(query.prefix(&decisions)).await? {
            let id = text(&item, "sk").and_then(|sk| sk.strip_prefix(&decisions)?.parse().ok());
            let id: T::Id = id.ok_or_else(|| Failure::message("a decision has no id"))?;
            if let Some(one) = all.remove(&id) {
                all.insert(id, one.decided(read_doc(&item)?));
            }
        }
        Ok(all)
    }
}

/// What a generation made of what was known.
pub(crate) struct Merged<T: Reviewed> {
    /// Everything, by RUT and id.
    pub(crate) all: Vec<T>,
    /// How many went because they are no longer found.
    pub(crate) gone: u64,
    /// What the closing is to say of all of them.
    pub(crate) generated: Generated<T::Kind, T::Estado>,
}

/// Puts what was found over what was known. What did not change stays as it is, its version too.
pub(crate) fn merge<T: Reviewed>(
    mut known: BTreeMap<T::Id, T>,
    found: Vec<T::Found>,
    cierre: CierreId,
    trabajo: TrabajoId,
    now: Instant,
) -> Merged<T> {
    let mut all: Vec<T> = Vec::with_capacity(found.len());
    for one in found {
        all.push(match known.remove(&T::id_of(&one)) {
            None => T::begun(one, cierre, now),
            Some(before) => before.again(one, now).unwrap_or(before),
        });
    }
    let mut gone = 0;
    for before in known.into_values() {
        all.push(match before.gone(now) {
            Some(after) => {
                gone += 1;
                after
            }
            None => before,
        });
    }
    all.sort_by_key(|one| (one.rut(), one.id()));
    let mut generated = Generated {
        trabajo_id: trabajo,
        conteo: BTreeMap::new(),
    };
    for one in &all {
        generated.count(one.kind(), one.estado());
    }
    Merged {
        all,
        gone,
        generated,
    }
}

/// The pack of a generation.
pub(crate) fn packed<T: Reviewed>(all: &[T]) -> Result<Vec<u8>, Failure> {
    let mut packer = Packer::new();
    for one in all {
        packer.push(Some(&one.rut().to_string()), one)?;
    }
    packer.finish()
}
