//! Jobs as they are kept, begun and announced.
//!
//! A job's item moves with every outcome, in the transaction that has the outcome's effect, and on condition of the version that its worker knows:
//!
//! ```text
//! t0  worker A  has job version 7, item 5 is next          (frozen by its machine)
//! t1                                                       worker B  takes the job over: version 8, item 5 is next
//! t2                                                       commits item 5 with its outcome and version 9
//! t3  worker A  wakes up and commits item 5 on condition of version 7: refused as a whole
//! ```
//!
//! So the counts are exact, items are done in order, and each of them once: a worker that takes a job up goes on behind what is counted.

use cierre_kernel::company::CompanyId;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::TrabajoFacturasId;
use cierre_kernel::time::{Date, Instant};
use cierre_platform::db::{Db, Item, Tx};
use cierre_platform::error::Doing;
use cierre_platform::objects::Objects;
use cierre_platform::queue::Queue;
use cierre_platform::{Context, Failure, random};
use serde::{Deserialize, Serialize};

use crate::entity::Change;
use crate::entity::factura::{FacturaHistorica, FacturaNueva};
use crate::entity::trabajo::{TipoTrabajo, Trabajo};
use crate::nit::Nit;
use crate::persona::Usuario;
use crate::repo::{self, Chained, read_doc, stamp, unfinished};
use crate::table;
use crate::worker::JobMessage;

/// What a job does and, as far as it is small, with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "tipo", rename_all = "snake_case")]
pub enum Tarea {
    /// Registers the facturas of its [`Entrada`].
    Lote,
    /// Takes over the facturas of its [`Entrada`].
    Historico,
    /// Takes the decision of its [`Entrada`].
    Decisiones,
    /// Gives the supplier's unassigned facturas their responsable.
    AplicarAsignacion {
        /// The supplier.
        nit: Nit,
        /// Who answers.
        responsable: Usuario,
    },
    /// Compares every factura with its round.
    Consistencia,
    /// Repairs those that differ.
    Reparacion,
    /// Reminds and escalates.
    Recordatorios {
        /// The day in the company's time zone.
        hoy: Date,
    },
}

impl Tarea {
    /// Its kind.
    #[must_use]
    pub const fn tipo(&self) -> TipoTrabajo {
        match self {
            Self::Lote => TipoTrabajo::Lote,
            Self::Historico => TipoTrabajo::Historico,
            Self::Decisiones => TipoTrabajo::Decisiones,
            Self::AplicarAsignacion { .. } => TipoTrabajo::AplicarAsignacion,
            Self::Consistencia => TipoTrabajo::Consistencia,
            Self::Reparacion => TipoTrabajo::Reparacion,
            Self::Recordatorios { .. } => TipoTrabajo::Recordatorios,
        }
    }
}

/// The items of a job that was asked for with a list of them: an object, since a request may be larger than an item of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entrada {
    /// Facturas to be registered.
    Lote(Vec<FacturaNueva>),
    /// Facturas to be taken over.
    Historico(Vec<FacturaHistorica>),
    /// A decision, in the words of the request, which was judged.
    Decisiones {
        /// What is decided.
        accion: String,
        /// On which facturas.
        ids: Vec<String>,
        /// Why, of a rejection.
        motivo: Option<String>,
    },
}

/// How far a job over all facturas has come, and when it last showed that it lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marcha {
    /// The place in its index of the last factura that was looked at.
    pub despues: Option<String>,
    /// Facturas that differ from their rounds.
    pub divergentes: u64,
    /// Pages of the report.
    pub paginas: u32,
    /// Since when the sweeper may wonder about it.
    pub visto_en: Instant,
    /// Until when its worker is believed to be alive.
    pub vivo_hasta: Instant,
}

/// A job as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrabajoRecord {
    /// The job.
    pub trabajo: Trabajo,
    /// What it does.
    pub tarea: Tarea,
    /// How far it is.
    pub marcha: Marcha,
}

impl Chained for TrabajoRecord {
    fn version(&self) -> u64 {
        self.trabajo.version
    }

    fn head(&self) -> &ChainHead {
        &self.trabajo.head
    }

    fn head_mut(&mut self) -> &mut ChainHead {
        &mut self.trabajo.head
    }
}

impl TrabajoRecord {
    /// A job of the caller that waits for a worker. `total` is how many items it was asked for with; one over all facturas finds them as it goes.
    ///
    /// # Errors
    /// When there is no randomness for its id.
    pub fn queued(
        context: &Context,
        tarea: Tarea,
        total: usize,
        dry_run: bool,
    ) -> Result<Self, Failure> {
        let id = TrabajoFacturasId::new(random::ulid(context.now)?);
        let total = u64::try_from(total).unwrap_or(u64::MAX);
        let (tipo, roles) = (tarea.tipo(), context.roles);
        Ok(Self {
            trabajo: Trabajo::queued(id, tipo, total, dry_run, roles, &stamp(context)),
            tarea,
            marcha: Marcha {
                despues: None,
                divergentes: 0,
                paginas: 0,
                visto_en: context.now,
                vivo_hasta: context.now,
            },
        })
    }

    /// The same with another state of the job, seen now.
    pub(crate) fn with(&self, trabajo: Trabajo, now: Instant) -> Self {
        Self {
            trabajo,
            tarea: self.tarea.clone(),
            marcha: Marcha {
                visto_en: now,
                ..self.marcha.clone()
            },
        }
    }
}

/// Reads a job strongly.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn read(
    db: &Db,
    company: &CompanyId,
    id: TrabajoFacturasId,
) -> Result<Option<TrabajoRecord>, Failure> {
    let item = db.get_item(&table::trabajo(company, id)).await?;
    item.as_ref().map(read_doc).transpose()
}

/// Adds a job with its events to the transaction, on condition that it stands as it was read. Until it is over it stands in the list of unfinished
/// work, by when it was last seen alive.
pub(crate) fn put(
    tx: &mut Tx,
    context: &Context,
    before: Option<&TrabajoRecord>,
    change: Change<TrabajoRecord>,
) -> Result<TrabajoRecord, Failure> {
    let key = table::trabajo(&context.company, change.state.trabajo.id);
    let listed = |item: Item, next: &TrabajoRecord| {
        if next.trabajo.estado.is_over() {
            item
        } else {
            unfinished(item, next.marcha.visto_en, next.trabajo.id)
        }
    };
    repo::put(tx, context, key, before, change, listed)
}

/// Adds a new job to the transaction. What it works on, if it is a list, was kept before ([`keep`]); after the commit it is announced ([`announce`]).
///
/// # Errors
/// When the job cannot be written as JSON.
pub fn start(tx: &mut Tx, context: &Context, job: &TrabajoRecord) -> Result<(), Failure> {
    put(tx, context, None, Change::silent(job.clone()))?;
    Ok(())
}

/// Keeps the list that a job works on. One whose job is never committed stays unread.
///
/// # Errors
/// When S3 does not take it.
pub async fn keep(
    objects: &Objects,
    company: &CompanyId,
    job: &TrabajoRecord,
    entrada: &Entrada,
) -> Result<(), Failure> {
    let content = serde_json::to_vec(entrada).doing("writing what a job works on")?;
    let key = table::trabajo_object(company, job.trabajo.id);
    objects.put(&key, content, "application/json").await?;
    Ok(())
}

/// The list that a job works on.
///
/// # Errors
/// When S3 does not answer, or there is none.
pub(crate) async fn kept(
    objects: &Objects,
    company: &CompanyId,
    id: TrabajoFacturasId,
) -> Result<Entrada, Failure> {
    let content = objects.get(&table::trabajo_object(company, id)).await?;
    let content = content.ok_or_else(|| Failure::message("a job has nothing to work on"))?;
    serde_json::from_slice(&content).doing("reading what a job works on")
}

/// Tells the workers of a job that was committed.
pub async fn announce(jobs: &Queue, company: &CompanyId, trabajo: &Trabajo) {
    send(jobs, &message(company, trabajo)).await;
}

/// Sends what the workers are told. A message that is lost costs time only: the sweeper finds the job in the list of unfinished work.
pub(crate) async fn send(jobs: &Queue, message: &JobMessage) {
    if let Err(failure) = jobs.send(message).await {
        tracing::warn!(
            trabajo_id = %message.trabajo_id,
            error = failure.chain(),
            "a job was not queued; it will be swept"
        );
    }
}

/// What the workers are told.
pub(crate) fn message(company: &CompanyId, trabajo: &Trabajo) -> JobMessage {
    JobMessage {
        company_id: company.clone(),
        trabajo_id: trabajo.id,
        correlation_id: trabajo.correlation_id.clone(),
        version: None,
    }
}

/// What a check of all facturas found, in figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Informe {
    /// The check.
    pub trabajo_id: TrabajoFacturasId,
    /// When it ended.
    pub fecha: Instant,
    /// Facturas that it looked at.
    pub revisadas: u64,
    /// Of these, those that differ from their rounds.
    pub divergentes: u64,
    /// Pages of the fields that differ.
    pub paginas: u32,
}
