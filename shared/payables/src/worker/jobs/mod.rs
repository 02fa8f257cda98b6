//! Jobs: taken up by one worker at a time, done item by item, left before time is up, ended when every item has its outcome.
//!
//! What an item does and its outcome are one transaction, which also moves the job on ([`Turn::recorded`]): see [`crate::trabajos`] for what that
//! is good for.

mod barrido;
mod consistencia;
mod ensayo;
mod lista;
mod pieza;

use cierre_kernel::actor::Actor;
use cierre_kernel::decision::Decision;
use cierre_kernel::time::Instant;
use cierre_platform::db::{CommitError, Condition, Loaded, Tx, back_off, doc};
use cierre_platform::queue::{Deadline, Delivery, Queue, Verdict};
use cierre_platform::{Context, Failure, clock};

use self::pieza::{Pieza, Puesto};
use super::message::JobMessage;
use super::{Payables, wait_after};
use crate::entity::Change;
use crate::entity::trabajo::{EstadoTrabajo, MAX_ATTEMPTS, Outcome, Trabajo, TrabajoRefusal};
use crate::table;
use crate::trabajos::{self, Marcha, Tarea, TrabajoRecord};

/// How often an item, or the end of a job, is decided anew after losing against whoever else moves the same thing.
const TRIES: u32 = 12;
/// Seconds for which a worker is believed to be alive after its last write, as far as other messages of its job are concerned: the sweeper's, or one
/// that was delivered twice. Its own message comes back only when it is gone.
const LEASE_SECONDS: i64 = 15;
/// The sweeper's list is refreshed at most this often: it looks for minutes, not for items.
const SEEN_MILLIS: i64 = 60_000;

/// Why a worker stops before the work is done.
#[derive(Debug)]
enum Stop {
    /// Another worker has the job.
    LostTurn,
    /// Time is nearly up; the next delivery goes on.
    HandOver,
    /// A fault; counts as an attempt.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<TrabajoRefusal> for Stop {
    fn from(refusal: TrabajoRefusal) -> Self {
        Self::Failed(Failure::new("moving a job on", refusal))
    }
}

/// How a delivery begins.
enum Taken {
    /// The job is this worker's.
    Turn(Box<TrabajoRecord>),
    /// It is over, or somebody else is at it: whose message comes back if they die.
    NotOurs,
    /// Its worker died at the last attempt.
    Exhausted,
    /// There is no such job.
    Unknown,
}

impl Payables {
    /// Handles a message of the queue of jobs. What is not done before the deadline is handed over through `jobs`.
    ///
    /// # Errors
    /// When DynamoDB does not answer while the job's own state is read or written, or SQS while it is handed over.
    pub async fn work(
        &self,
        jobs: &Queue,
        delivery: Delivery<JobMessage>,
        deadline: Deadline,
    ) -> Result<Verdict, Failure> {
        let is_first = delivery.receive_count <= 1;
        let message = delivery.body;
        let record = match self.take_up(&message, is_first).await? {
            Taken::Turn(record) => *record,
            Taken::NotOurs => return Ok(Verdict::Done),
            Taken::Exhausted => return self.lose(&message).await,
            Taken::Unknown => return Ok(Verdict::Senseless),
        };
        let mut turn = Turn {
            payables: self,
            context: on_behalf(&message, &record),
            record,
            deadline,
        };
        let stop = match turn.go().await {
            Ok(()) => return Ok(Verdict::Done),
            Err(stop) => stop,
        };
        match stop {
            Stop::LostTurn => {
                tracing::info!("another worker has the job");
                Ok(Verdict::Done)
            }
            Stop::HandOver => turn.hand_over(jobs).await,
            Stop::Failed(failure) => {
                let error = failure.chain();
                tracing::error!(error, "an attempt at a job failed");
                let attempt = turn.record.trabajo.intentos;
                if attempt >= MAX_ATTEMPTS {
                    return self.lose(&message).await;
                }
                let seconds = wait_after(attempt).as_secs();
                Ok(Verdict::Again {
                    seconds: i32::try_from(seconds).unwrap_or(i32::MAX),
                })
            }
        }
    }

    /// Takes a job up, also one whose worker was lost; a job that was handed over goes on as it is. `is_first` says that the message was not delivered
    /// before.
    async fn take_up(&self, message: &JobMessage, is_first: bool) -> Result<Taken, Failure> {
        let company = &message.company_id;
        let known = trabajos::read(&self.db, company, message.trabajo_id).await?;
        let Some(known) = known else {
            return Ok(Taken::Unknown);
        };
        let job = &known.trabajo;
        let running = match job.estado {
            EstadoTrabajo::Completado | EstadoTrabajo::Error => return Ok(Taken::NotOurs),
            EstadoTrabajo::EnCola => false,
            EstadoTrabajo::EnProceso => true,
        };
        if running && message.version == Some(job.version) {
            return Ok(Taken::Turn(Box::new(known)));
        }
        let context = on_behalf(message, &known);
        if running && is_first && context.now < known.marcha.vivo_hasta {
            return Ok(Taken::NotOurs);
        }
        if running && job.intentos >= MAX_ATTEMPTS {
            return Ok(Taken::Exhausted);
        }
        let Ok(Decision::Applied(taken)) = job.taken() else {
            return Ok(Taken::NotOurs);
        };
        let mut next = known.with(taken.state, context.now);
        next.marcha.vivo_hasta = context.now.plus_seconds(LEASE_SECONDS);
        let mut tx = Tx::new();
        let next = trabajos::put(&mut tx, &context, Some(&known), Change::silent(next))?;
        match self.db.commit(&tx).await {
            Ok(()) => Ok(Taken::Turn(Box::new(next))),
            Err(CommitError::Refused(_)) => Ok(Taken::NotOurs),
            Err(error @ (CommitError::Contended | CommitError::Failed(_))) => Err(error.into()),
        }
    }

    /// Ends a job that failed, or killed its workers, as often as it may. Items with an outcome keep theirs.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or others move the job at every try.
    pub async fn lose(&self, message: &JobMessage) -> Result<Verdict, Failure> {
        for attempt in 0..TRIES {
            let company = &message.company_id;
            let known = trabajos::read(&self.db, company, message.trabajo_id).await?;
            let Some(known) = known else {
                return Ok(Verdict::Senseless);
            };
            let context = on_behalf(message, &known);
            let Ok(Decision::Applied(failed)) = known.trabajo.failed(context.now) else {
                return Ok(Verdict::Done);
            };
            let change = failed.map(|job| known.with(job, context.now));
            let mut tx = Tx::new();
            trabajos::put(&mut tx, &context, Some(&known), change)?;
            match self.db.commit(&tx).await {
                Ok(()) => {
                    tracing::warn!(trabajo_id = %message.trabajo_id, "a job failed");
                    return Ok(Verdict::Done);
                }
                Err(CommitError::Refused(_) | CommitError::Contended) => back_off(attempt).await,
                Err(CommitError::Failed(failure)) => return Err(failure),
            }
        }
        Err(Failure::message("a job moved at every try to end it"))
    }
}

/// A job is done in the name of whoever asked for it, with the name and the roles that they had then.
fn on_behalf(message: &JobMessage, record: &TrabajoRecord) -> Context {
    let who = &record.trabajo.creado_por;
    let usuario = &who.usuario;
    let correlation_id = message.correlation_id.clone();
    Context {
        actor: Actor {
            user_id: usuario.id.clone(),
            user: usuario.usuario.clone(),
        },
        name: Some(usuario.nombre.clone()),
        roles: who.roles,
        ..Context::system(message.company_id.clone(), correlation_id, clock::now())
    }
}

/// A worker's turn at one job: what it knows of it, and by that its right to move it.
struct Turn<'a> {
    payables: &'a Payables,
    context: Context,
    record: TrabajoRecord,
    deadline: Deadline,
}

impl Turn<'_> {
    async fn go(&mut self) -> Result<(), Stop> {
        match self.record.tarea.clone() {
            Tarea::Lote | Tarea::Historico | Tarea::Decisiones => self.listed().await?,
            Tarea::AplicarAsignacion { nit, responsable } => {
                self.apply_assignment(nit, &responsable).await?;
            }
            Tarea::Consistencia => return self.check().await,
            Tarea::Reparacion => self.repair().await?,
            Tarea::Recordatorios { hoy } => self.remind(hoy).await?,
        }
        let mut tx = Tx::new();
        let next = self.finished(&mut tx)?;
        self.commit(&tx, next).await
    }

    /// The items that have their outcomes.
    fn done(&self) -> usize {
        usize::try_from(self.record.trabajo.procesados).unwrap_or(usize::MAX)
    }

    /// The place of the next item.
    fn next_index(&self) -> u32 {
        u32::try_from(self.record.trabajo.procesados).unwrap_or(u32::MAX)
    }

    /// The context of what happens now.
    fn now(&self) -> Context {
        Context {
            now: clock::now(),
            ..self.context.clone()
        }
    }

    /// Adds outcomes to the transaction that has their effects, with the job's counts. Answers the job as it is written.
    fn recorded(
        &self,
        tx: &mut Tx,
        outcomes: &[Outcome],
        marcha: &Marcha,
    ) -> Result<TrabajoRecord, Stop> {
        let (company, id) = (&self.context.company, self.record.trabajo.id);
        for outcome in outcomes {
            let key = table::resultado(company, id, outcome.indice);
            tx.put_item(key, doc(outcome)?, Condition::absent());
        }
        self.moved(tx, self.record.trabajo.recorded(outcomes, 0)?, marcha)
    }

    /// Adds the job's next state to the transaction, without an event.
    fn moved(&self, tx: &mut Tx, trabajo: Trabajo, marcha: &Marcha) -> Result<TrabajoRecord, Stop> {
        let next = TrabajoRecord {
            trabajo,
            tarea: self.record.tarea.clone(),
            marcha: Marcha {
                visto_en: self.seen(),
                vivo_hasta: clock::now().plus_seconds(LEASE_SECONDS),
                ..marcha.clone()
            },
        };
        let before = Some(&self.record);
        Ok(trabajos::put(
            tx,
            &self.context,
            before,
            Change::silent(next),
        )?)
    }

    /// When the sweeper is to believe that it was last seen alive.
    fn seen(&self) -> Instant {
        let (now, seen) = (clock::now(), self.record.marcha.visto_en);
        if now.millis_since(seen) >= SEEN_MILLIS {
            now
        } else {
            seen
        }
    }

    /// Adds the job's end to the transaction.
    fn finished(&self, tx: &mut Tx) -> Result<TrabajoRecord, Stop> {
        let context = self.now();
        let finished = match self.record.trabajo.finished(context.now)? {
            Decision::Applied(finished) => finished,
            Decision::Replayed(_) => return Err(Stop::LostTurn),
        };
        let change = finished.map(|job| self.record.with(job, context.now));
        Ok(trabajos::put(tx, &context, Some(&self.record), change)?)
    }

    /// Commits a transaction that nothing but another worker can refuse.
    async fn commit(&mut self, tx: &Tx, next: TrabajoRecord) -> Result<(), Stop> {
        match self.payables.db.commit(tx).await {
            Ok(()) => {
                self.record = next;
                Ok(())
            }
            Err(CommitError::Refused(_)) => Err(Stop::LostTurn),
            Err(error @ (CommitError::Contended | CommitError::Failed(_))) => {
                Err(Stop::Failed(error.into()))
            }
        }
    }

    /// Writes outcomes that have no other effect.
    async fn note(&mut self, outcomes: &[Outcome], marcha: &Marcha) -> Result<(), Stop> {
        let mut tx = Tx::new();
        let next = self.recorded(&mut tx, outcomes, marcha)?;
        self.commit(&tx, next).await
    }

    /// The place of an item.
    fn place(&self, indice: u32) -> Puesto {
        Puesto {
            indice,
            dry_run: self.record.trabajo.dry_run,
        }
    }

    /// Does the next item: what it does, its outcome and the job's counts in one transaction. When somebody changed meanwhile what it was decided on,
    /// it is read and decided again; `ahead` is what was read of it before, if it was.
    async fn item(
        &mut self,
        pieza: &Pieza<'_>,
        ahead: Option<&Loaded>,
        marcha: &Marcha,
    ) -> Result<(), Stop> {
        let db = &self.payables.db;
        let puesto = self.place(self.next_index());
        for attempt in 0..TRIES {
            let context = self.now();
            let fresh;
            let loaded = match ahead.filter(|_| attempt == 0) {
                Some(ahead) => ahead,
                None => {
                    fresh = db.load(pieza.keys(&context.company)).await?;
                    &fresh
                }
            };
            let planned = pieza.plan(db, &context, loaded, puesto).await?;
            let Some((planned, outcome)) = planned else {
                return Ok(());
            };
            let mut tx = if puesto.dry_run { Tx::new() } else { planned };
            let next = self.recorded(&mut tx, std::slice::from_ref(&outcome), marcha)?;
            // The job itself is the last action.
            let job = tx.len() - 1;
            match db.commit(&tx).await {
                Ok(()) => {
                    self.record = next;
                    return Ok(());
                }
                Err(error) if error.refused_at(job).is_some() => return Err(Stop::LostTurn),
                Err(CommitError::Refused(_) | CommitError::Contended) => back_off(attempt).await,
                Err(CommitError::Failed(failure)) => return Err(Stop::Failed(failure)),
            }
        }
        let failure = Failure::message("others changed an item's factura at every try");
        Err(Stop::Failed(failure))
    }

    /// Stops when the deadline is near.
    fn check_time(&self) -> Result<(), Stop> {
        if self.deadline.is_near() {
            Err(Stop::HandOver)
        } else {
            Ok(())
        }
    }

    /// Leaves the job to another worker. The version tells it that nobody died: the attempt goes on.
    async fn hand_over(self, jobs: &Queue) -> Result<Verdict, Failure> {
        let message = JobMessage {
            version: Some(self.record.trabajo.version),
            ..trabajos::message(&self.context.company, &self.record.trabajo)
        };
        jobs.send(&message).await?;
        Ok(Verdict::Done)
    }
}
