//! Jobs: discrepancies and incidences are generated from the files in force, merged with what was known, and made visible in one write.

use std::collections::BTreeMap;

use cierre_kernel::codes;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::{ArchivoId, CierreId};
use cierre_platform::db::{CommitError, Query, Tx, back_off};
use cierre_platform::error::Doing;
use cierre_platform::pack;
use cierre_platform::queue::{Delivery, Verdict};
use cierre_platform::{Context, Failure, clock};

use super::comparing::{
    Files, InForce, count_discrepancias, count_incidencias, count_no_exportables,
    find_discrepancies, find_incidences,
};
use super::message::JobMessage;
use super::{Payroll, TRIES, wait_after};
use crate::derived::FileObjects;
use crate::entity::Change;
use crate::entity::cierre::{Cierre, FoundDiscrepancias, FoundIncidencias};
use crate::entity::cliente::{Cliente, Configuracion};
use crate::entity::discrepancia::Discrepancia;
use crate::entity::incidencia::Incidencia;
use crate::entity::refusal::CierreRefusal;
use crate::entity::sello::Sello;
use crate::entity::trabajo::{TipoTrabajo, Trabajo};
use crate::informe::Informe;
use crate::kind::Kind;
use crate::periodos::Periodo;
use crate::repo::{CierreRecord, put_cierre, put_trabajo, read_doc, stamp};
use crate::review::{Merged, Reviewed, merge, packed};
use crate::rules::place::Source;
use crate::rules::sello::{BaseComparacion, Manifiesto};
use crate::table;

/// Discrepancies or incidences of a closing at most. A book with more is wrong as a whole, and nobody justifies them one by one.
pub(super) const MAX_FOUND: usize = 100_000;

/// Why a job ends without a result.
#[derive(Debug)]
pub(super) enum Ended {
    /// The closing or its files are no longer those that the job was asked for.
    Refused(CierreRefusal),
    /// There is more than [`MAX_FOUND`].
    TooMany,
    /// A fault; to be tried again.
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Payroll {
    /// Handles a message of the queue of jobs.
    ///
    /// # Errors
    /// When DynamoDB does not answer while the job's own state is read or written.
    pub async fn work(&self, delivery: Delivery<JobMessage>) -> Result<Verdict, Failure> {
        let message = delivery.body;
        let context = Context::system(
            message.company_id.clone(),
            message.correlation_id.clone(),
            clock::now(),
        );
        let Some(job) = self.begin_job(&context, &message).await? else {
            return Ok(Verdict::Senseless);
        };
        if job.estado.is_over() {
            return Ok(Verdict::Done);
        }
        if job.is_out_of_attempts() {
            self.fail_job(&context, job, (codes::WORKER_LOST, LOST))
                .await?;
            return Ok(Verdict::Done);
        }
        let done = match job.tipo {
            TipoTrabajo::GenerarDiscrepancias => self.discrepancias(&context, &job).await,
            TipoTrabajo::GenerarIncidencias => self.incidencias(&context, &job).await,
        };
        match done {
            Ok(()) => Ok(Verdict::Done),
            Err(Ended::Refused(refusal)) => {
                let mensaje = refusal.to_string();
                self.fail_job(&context, job, (refusal.code(), &mensaje))
                    .await?;
                Ok(Verdict::Done)
            }
            Err(Ended::TooMany) => {
                self.fail_job(&context, job, (codes::TOO_MANY_ITEMS, TOO_MANY))
                    .await?;
                Ok(Verdict::Done)
            }
            Err(Ended::Failed(failure)) => {
                let error = failure.chain();
                tracing::error!(error, "an attempt at a job failed");
                let attempt = u32::try_from(job.intentos.len()).unwrap_or(u32::MAX);
                if self.end_attempt(&context, job).await? {
                    return Ok(Verdict::Done);
                }
                let seconds = wait_after(attempt).as_secs();
                Ok(Verdict::Again {
                    seconds: i32::try_from(seconds).unwrap_or(i32::MAX),
                })
            }
        }
    }

    async fn job(
        &self,
        context: &Context,
        message: &JobMessage,
    ) -> Result<Option<Trabajo>, Failure> {
        let key = table::trabajo(&context.company, message.trabajo_id);
        let item = self.db.get_item(&key).await?;
        item.as_ref().map(read_doc).transpose()
    }

    async fn begin_job(
        &self,
        context: &Context,
        message: &JobMessage,
    ) -> Result<Option<Trabajo>, Failure> {
        for _ in 0..TRIES {
            let Some(job) = self.job(context, message).await? else {
                return Ok(None);
            };
            match job.begun(context.now) {
                Decision::Replayed(change) => return Ok(Some(change.state)),
                Decision::Applied(change) => {
                    let mut tx = Tx::new();
                    put_trabajo(&mut tx, context, Some(&job), &change.state)?;
                    if self.committed(&tx).await? {
                        return Ok(Some(change.state));
                    }
                }
            }
        }
        Err(Failure::message("a job moved at every try to take it up"))
    }

    /// Writes down that the attempt failed. Whether the job is over, as it is after the last one.
    async fn end_attempt(&self, context: &Context, job: Trabajo) -> Result<bool, Failure> {
        let Decision::Applied(change) = job.attempt_failed(codes::PROCESSING_FAILED, clock::now())
        else {
            return Ok(true);
        };
        let next = change.state;
        if next.is_out_of_attempts() {
            let failure = (codes::PROCESSING_FAILED, LOST);
            self.fail_job(context, job, failure).await?;
            return Ok(true);
        }
        let mut tx = Tx::new();
        put_trabajo(&mut tx, context, Some(&job), &next)?;
        // Whoever was faster has written what counts.
        self.committed(&tx).await?;
        Ok(false)
    }

    /// Ends a job without a result, and lets the closing have another one.
    pub(super) async fn fail_job(
        &self,
        context: &Context,
        job: Trabajo,
        failure: (codes::Code, &str),
    ) -> Result<(), Failure> {
        let message = JobMessage {
            company_id: context.company.clone(),
            trabajo_id: job.id,
            correlation_id: context.correlation_id.clone(),
        };
        let mut job = Some(job);
        for attempt in 0..TRIES {
            let known = match job.take() {
                Some(job) => Some(job),
                None => self.job(context, &message).await?,
            };
            let Some(known) = known else { return Ok(()) };
            let Some(record) =
                crate::repo::cierre(&self.db, &context.company, known.cierre_id).await?
            else {
                return Ok(());
            };
            let Decision::Applied(change) =
                record.cierre.job_failed(&known, failure, &stamp(context))
            else {
                return Ok(());
            };
            let Change { state, events } = change;
            let (cierre, ended) = state;
            let mut tx = Tx::new();
            let before = &record.cierre;
            put_cierre(&mut tx, context, Some(before), record.with(cierre), &events)?;
            put_trabajo(&mut tx, context, Some(&known), &ended)?;
            if self.committed(&tx).await? {
                tracing::warn!(
                    error_code = failure.0.as_str(),
                    trabajo_id = %ended.id,
                    "payroll job failed"
                );
                return Ok(());
            }
            back_off(attempt).await;
        }
        Err(Failure::message(
            "a closing moved at every try to end a job",
        ))
    }

    async fn committed(&self, tx: &Tx) -> Result<bool, Failure> {
        match self.db.commit(tx).await {
            Ok(()) => Ok(true),
            Err(CommitError::Refused(_) | CommitError::Contended) => Ok(false),
            Err(CommitError::Failed(failure)) => Err(failure),
        }
    }

    /// The closing as the job found it when it was asked for.
    async fn unchanged(&self, context: &Context, job: &Trabajo) -> Result<CierreRecord, Ended> {
        let record = crate::repo::cierre(&self.db, &context.company, job.cierre_id).await?;
        let record = record.ok_or(Ended::Refused(CierreRefusal::Deleted))?;
        if record.cierre.inputs() == job.entradas {
            Ok(record)
        } else {
            Err(Ended::Refused(CierreRefusal::InputsChanged))
        }
    }

    async fn configuracion(
        &self,
        context: &Context,
        cierre: &Cierre,
    ) -> Result<Configuracion, Failure> {
        let key = table::cliente(&context.company, cierre.cliente_id);
        let item = self.db.get_item(&key).await?;
        let cliente: Option<Cliente> = item.as_ref().map(read_doc).transpose()?;
        let cliente = cliente.ok_or_else(|| Failure::message("a closing has no client"))?;
        Ok(cliente.configuracion)
    }

    async fn discrepancias(&self, context: &Context, job: &Trabajo) -> Result<(), Ended> {
        let record = self.unchanged(context, job).await?;
        let files = self.files_in_force(context, &record.cierre).await?;
        let tolerance = self
            .configuracion(context, &record.cierre)
            .await?
            .tolerancia_pesos;
        let tolerance = u32::try_from(tolerance.0).unwrap_or_default();
        let cierre = job.cierre_id;
        let compared =
            tokio::task::spawn_blocking(move || find_discrepancies(cierre, tolerance, files))
                .await
                .doing("comparing files")
                .map_err(Ended::Failed)??;
        let (found, no_evaluadas) = compared;
        for attempt in 0..TRIES {
            let record = self.unchanged(context, job).await?;
            let known = self.all::<Discrepancia>(&context.company, &record).await?;
            let now = clock::now();
            let merged = merge::<Discrepancia>(known, found.clone(), cierre, job.id, now);
            let counted = FoundDiscrepancias {
                no_evaluadas: no_evaluadas.clone(),
                ..count_discrepancias(&merged)
            };
            let decided = record
                .cierre
                .discrepancias_generated(job, counted, &at(context, now));
            let next = |record: &CierreRecord, cierre| CierreRecord {
                discrepancias: Some(merged.generated.clone()),
                no_exportables: count_no_exportables(&merged.all),
                ..record.with(cierre)
            };
            if self
                .publish(context, job, &record, &merged, decided, next)
                .await?
            {
                return Ok(());
            }
            back_off(attempt).await;
        }
        Err(Failure::message("a closing moved at every try to publish discrepancies").into())
    }

    async fn incidencias(&self, context: &Context, job: &Trabajo) -> Result<(), Ended> {
        let record = self.unchanged(context, job).await?;
        let base = self.base(context, &record.cierre).await?;
        let found = match &base {
            None => Vec::new(),
            Some((_, former)) => {
                let files = self.files_in_force(context, &record.cierre).await?;
                let thresholds = self
                    .configuracion(context, &record.cierre)
                    .await?
                    .incidencias;
                let (cierre, former) = (job.cierre_id, former.clone());
                tokio::task::spawn_blocking(move || {
                    find_incidences(cierre, &former, &files, &thresholds)
                })
                .await
                .doing("comparing months")
                .map_err(Ended::Failed)??
            }
        };
        for attempt in 0..TRIES {
            let record = self.unchanged(context, job).await?;
            let known = self.all::<Incidencia>(&context.company, &record).await?;
            let now = clock::now();
            let merged = merge::<Incidencia>(known, found.clone(), job.cierre_id, job.id, now);
            let counted = FoundIncidencias {
                base_comparacion: base.as_ref().map(|(base, _)| *base),
                ..count_incidencias(&found, &merged.all)
            };
            let stamp = at(context, now);
            let decided = record.cierre.incidencias_generated(job, counted, &stamp);
            let next = |record: &CierreRecord, cierre| CierreRecord {
                incidencias: Some(merged.generated.clone()),
                ..record.with(cierre)
            };
            if self
                .publish(context, job, &record, &merged, decided, next)
                .await?
            {
                return Ok(());
            }
            back_off(attempt).await;
        }
        Err(Failure::message("a closing moved at every try to publish incidences").into())
    }

    /// Makes a generation visible with the closing, the job and its events in one write. False when somebody was faster: then what they decided
    /// has to be merged first.
    async fn publish<T: Reviewed>(
        &self,
        context: &Context,
        job: &Trabajo,
        record: &CierreRecord,
        merged: &Merged<T>,
        decided: crate::entity::Decided<(Cierre, Trabajo), CierreRefusal>,
        next: impl Fn(&CierreRecord, Cierre) -> CierreRecord,
    ) -> Result<bool, Ended> {
        let change = match decided {
            Ok(Decision::Applied(change)) => change,
            Ok(Decision::Replayed(_)) => return Ok(true),
            Err(refusal) => return Err(Ended::Refused(refusal)),
        };
        let key = T::pack(&context.company, job.cierre_id, job.id);
        let pack = packed(&merged.all)?;
        self.objects.put(&key, pack, pack::MEDIA_TYPE).await?;
        let Change { state, events } = change;
        let (cierre, done) = state;
        let mut tx = Tx::new();
        let next = next(record, cierre);
        put_cierre(&mut tx, context, Some(&record.cierre), next, &events)?;
        put_trabajo(&mut tx, context, Some(job), &done)?;
        Ok(self.committed(&tx).await?)
    }

    /// The rows and columns of the files in force.
    async fn files_in_force(&self, context: &Context, cierre: &Cierre) -> Result<Files, Failure> {
        let company = &context.company;
        let mut files = BTreeMap::new();
        for (kind, archivo) in &cierre.archivos {
            let objects = FileObjects::of(company, cierre.id, *archivo);
            let informe = Informe::load(&self.objects, &objects).await?;
            let rows = self.objects.get(&objects.registros()).await?;
            let (Some(informe), Some(rows)) = (informe, rows) else {
                return Err(Failure::message("a file in force has no rows"));
            };
            let source = Source {
                archivo_id: *archivo,
                layout: informe.layout(),
            };
            files.insert(*kind, InForce { source, rows });
        }
        Ok(files)
    }

    /// What a month is compared with: the client's latest finalised one before it, and the rows of its book.
    async fn base(
        &self,
        context: &Context,
        cierre: &Cierre,
    ) -> Result<Option<(BaseComparacion, Vec<u8>)>, Failure> {
        let company = &context.company;
        let months = table::periodos(company, cierre.cliente_id);
        let query = Query::partition(table::PAYROLL, months)
            .before(cierre.periodo.to_string())
            .descending();
        for item in self.db.query_all(query).await? {
            let month: Periodo = read_doc(&item)?;
            let Some(numero) = month.sello else { continue };
            let base = BaseComparacion {
                cierre_id: month.cierre_id,
                periodo: month.periodo,
                sello: numero,
            };
            let book = self.sealed_book(context, month.cierre_id, numero).await?;
            return Ok(Some((base, book)));
        }
        Ok(None)
    }

    /// The rows of the book that a seal vouches for.
    pub(crate) async fn sealed_book(
        &self,
        context: &Context,
        cierre: CierreId,
        numero: u32,
    ) -> Result<Vec<u8>, Failure> {
        let company = &context.company;
        let missing = || Failure::message("a seal has no book");
        let item = self
            .db
            .get_item(&table::sello(company, cierre, numero))
            .await?;
        let sello: Sello = read_doc(&item.ok_or_else(missing)?)?;
        let manifest: Manifiesto =
            serde_json::from_value(sello.manifiesto).doing("reading a manifest")?;
        let book = book_of(&manifest).ok_or_else(missing)?;
        let key = FileObjects::of(company, cierre, book).registros();
        self.objects.get(&key).await?.ok_or_else(missing)
    }
}

/// The book that a manifest names.
pub(crate) fn book_of(manifest: &Manifiesto) -> Option<ArchivoId> {
    let mut files = manifest.archivos.iter();
    files
        .find(|file| file.tipo == Kind::LibroRemuneraciones)
        .map(|file| file.archivo_id)
}

/// What people read when a job could not be done.
pub(super) const LOST: &str = "The job could not be done after three attempts. Ask for it again.";
/// What people read when a book is wrong as a whole.
const TOO_MANY: &str = "More than 100,000 were found. The files as a whole do not fit; look at their columns and upload them again.";

fn at(context: &Context, now: cierre_kernel::time::Instant) -> crate::entity::Stamp {
    crate::entity::Stamp {
        at: now,
        ..stamp(context)
    }
}
