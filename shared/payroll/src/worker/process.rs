//! From an object to rows in force. Every step may be repeated: what it writes is the same, and what it decides is decided once.

use std::collections::BTreeSet;

use cierre_kernel::decision::Decision;
use cierre_platform::db::{CommitError, Tx, back_off};
use cierre_platform::error::Doing;
use cierre_platform::telemetry::Unit;
use cierre_platform::{Context, Failure, clock, pack, telemetry};
use tracing::Instrument;

use super::reading::{self, Read, Rows, Source};
use super::receive::Work;
use super::{Payroll, TRIES};
use crate::derived::FileObjects;
use crate::entity::archivo::{Archivo, EstadoArchivo, Objeto};
use crate::entity::dossier::{Moved, Processing};
use crate::entity::refusal::{ArchivoRefusal, CierreRefusal};
use crate::entity::{Change, Decided};
use crate::files::{MAX_BYTES, Survey, Surveyed};
use crate::headcount;
use crate::kind::Kind;
use crate::repo::{self, Folder, put_archivo, put_moved, read_doc, stamp};
use crate::rules::empleados::Empleados;
use crate::rut::Rut;
use crate::table;

/// What a decision about a file came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    /// It was made, now or before.
    Made,
    /// The file or the closing is gone: what was done is to be thrown away.
    Gone,
}

/// The bytes of a file.
struct Bytes {
    surveyed: Surveyed,
    bytes: Vec<u8>,
}

impl Payroll {
    /// Reads a file and puts it into force. At an end it does nothing. What the bucket sends names no command: the log lines get the one that began
    /// the file here.
    pub(super) async fn go_on(&self, work: Work) -> Result<(), Failure> {
        let span = tracing::info_span!(
            "file",
            correlation_id = %work.context.correlation_id,
            company_id = work.context.company.as_str(),
        );
        self.advance(work).instrument(span).await
    }

    async fn advance(&self, work: Work) -> Result<(), Failure> {
        let started = std::time::Instant::now();
        let Some(file) = self.begin(&work).await? else {
            return Ok(());
        };
        let Some(objeto) = file.objeto.clone() else {
            return Err(Failure::message("a file in process has no object"));
        };
        let Some(bytes) = self.bytes_of(&objeto).await? else {
            return self.overwritten(&work).await;
        };
        let read_bytes = bytes.surveyed.size;
        let Some(mut read) = self.read(&work, &file, bytes).await? else {
            return Ok(());
        };
        let rows = read.reading.filas.total();
        self.keep_report(&work, &read).await?;
        if self.validated(&work, &read).await? == Settled::Gone {
            return self.discard(&work).await;
        }
        if let Some(Rows { registros, fichas }) = read.rows.take() {
            self.keep_rows(&work, registros, fichas.clone()).await?;
            if self.switched(&work, &read, &fichas).await? == Settled::Gone {
                return self.discard(&work).await;
            }
        }
        let kind = file.tipo.as_str();
        let errors: u64 = read.reading.errores.values().sum();
        let read_as = if errors == 0 {
            "FilesProcessed"
        } else {
            "FilesWithErrors"
        };
        telemetry::metrics(
            &[("kind", kind)],
            &[(read_as, 1, Unit::Count), ("RowsRead", rows, Unit::Count)],
        );
        tracing::info!(
            rows,
            bytes = read_bytes,
            errors,
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            peak_memory_kib = telemetry::peak_memory_kib(),
            kind,
            "file processed"
        );
        Ok(())
    }

    /// Takes the file up; none when there is nothing to do.
    async fn begin(&self, work: &Work) -> Result<Option<Archivo>, Failure> {
        let key = table::archivo(&work.context.company, work.cierre, work.archivo);
        for _ in 0..TRIES {
            let Some(item) = self.db.get_item(&key).await? else {
                return Ok(None);
            };
            let file: Archivo = read_doc(&item)?;
            match file.begin(work.context.now) {
                Ok(Decision::Applied(change)) => {
                    let mut tx = Tx::new();
                    put_archivo(&mut tx, &work.context, Some(&file), &change.state)?;
                    match self.db.commit(&tx).await {
                        Ok(()) => return Ok(Some(change.state)),
                        Err(CommitError::Refused(_) | CommitError::Contended) => {}
                        Err(CommitError::Failed(failure)) => return Err(failure),
                    }
                }
                Ok(Decision::Replayed(change)) => {
                    let file = change.state;
                    return Ok(file.estado.is_in_process().then_some(file));
                }
                Err(ArchivoRefusal::NotLive) => return Ok(None),
                Err(
                    ArchivoRefusal::Cierre(_)
                    | ArchivoRefusal::NotFound
                    | ArchivoRefusal::NotReceived
                    | ArchivoRefusal::InProcess
                    | ArchivoRefusal::Processed
                    | ArchivoRefusal::HasErrors
                    | ArchivoRefusal::OutOfPlace,
                ) => return Ok(None),
            }
        }
        Err(Failure::message("a file moved at every try to take it up"))
    }

    /// The bytes of that very version; none when it was written over.
    async fn bytes_of(&self, objeto: &Objeto) -> Result<Option<Bytes>, Failure> {
        let capacity = usize::try_from(objeto.tamano.min(MAX_BYTES)).unwrap_or_default();
        let mut bytes = Vec::with_capacity(capacity);
        let mut survey = Survey::new();
        let mut taken = 0_u64;
        let version = objeto.version_id.as_deref();
        let etag = self.objects.stream(&objeto.clave, version, |piece| {
            survey.update(piece);
            taken += piece.len() as u64;
            // One byte too many tells enough, and nothing of it is read.
            if taken <= MAX_BYTES {
                bytes.extend_from_slice(piece);
            }
            Ok(taken <= MAX_BYTES)
        });
        let etag = etag.await?;
        if etag.is_none_or(|etag| etag != objeto.etag) {
            return Ok(None);
        }
        let surveyed = survey.finish();
        Ok(Some(Bytes { surveyed, bytes }))
    }

    /// Reads the bytes; none when the closing is gone.
    async fn read(
        &self,
        work: &Work,
        file: &Archivo,
        bytes: Bytes,
    ) -> Result<Option<Read>, Failure> {
        let company = &work.context.company;
        let Some(record) = repo::cierre(&self.db, company, work.cierre).await? else {
            return Ok(None);
        };
        let known = match file.tipo {
            Kind::Novedades => {
                let others = in_force_without(&record.cierre.archivos, Kind::Novedades);
                let people = headcount::of(&self.objects, company, work.cierre, &others).await?;
                people.iter().map(|one| one.rut).collect()
            }
            Kind::LibroRemuneraciones
            | Kind::MovimientosMes
            | Kind::Finiquitos
            | Kind::Ausentismos
            | Kind::IncidenciasExternas
            | Kind::Ingresos => BTreeSet::<Rut>::new(),
        };
        let source = Source {
            archivo: file.clone(),
            periodo: record.cierre.periodo,
            surveyed: bytes.surveyed,
            bytes: bytes.bytes,
            known,
        };
        let read = tokio::task::spawn_blocking(move || reading::read(source));
        Ok(Some(read.await.doing("reading a file")??))
    }

    fn objects_of(work: &Work) -> FileObjects {
        FileObjects::of(&work.context.company, work.cierre, work.archivo)
    }

    /// What the file came to, before anybody is told that it came to something.
    async fn keep_report(&self, work: &Work, read: &Read) -> Result<(), Failure> {
        let objects = Self::objects_of(work);
        let json = serde_json::to_vec(&read.informe).doing("writing what a file came to")?;
        self.objects
            .put(&objects.informe(), json, "application/json")
            .await?;
        if let Some(csv) = read.hallazgos.clone() {
            let media_type = "text/csv; charset=utf-8";
            self.objects
                .put(&objects.hallazgos(), csv, media_type)
                .await?;
        }
        Ok(())
    }

    async fn keep_rows(
        &self,
        work: &Work,
        registros: Vec<u8>,
        fichas: Vec<u8>,
    ) -> Result<(), Failure> {
        let objects = Self::objects_of(work);
        let put = async |key: String, pack| self.objects.put(&key, pack, pack::MEDIA_TYPE).await;
        futures::future::try_join(
            put(objects.registros(), registros),
            put(objects.fichas(), fichas),
        )
        .await?;
        Ok(())
    }

    async fn validated(&self, work: &Work, read: &Read) -> Result<Settled, Failure> {
        self.decide(work, |folder, context| {
            folder
                .dossier()
                .validated(work.archivo, &read.reading, &stamp(context))
        })
        .await
    }

    /// Puts the file into force with the employees that all files then show.
    async fn switched(&self, work: &Work, read: &Read, fichas: &[u8]) -> Result<Settled, Failure> {
        for attempt in 0..TRIES {
            let company = &work.context.company;
            let Some(folder) = repo::folder(&self.db, company, work.cierre).await? else {
                return Ok(Settled::Gone);
            };
            // After what was read happened: a timeline is read by time.
            let context = now(&work.context);
            let mut processing = Processing {
                headers_detectados: read.headers,
                ..Processing::default()
            };
            // Which files are in force then does not depend on how many employees they show.
            let decided = folder
                .dossier()
                .switched(work.archivo, &processing, &stamp(&context));
            let moved = match decided {
                Ok(Decision::Applied(change)) => change.state,
                Ok(Decision::Replayed(_)) => return Ok(Settled::Made),
                Err(refusal) => return settle(refusal),
            };
            let people = self
                .employees(work, &folder, &moved, (read, fichas), &mut processing)
                .await?;
            headcount::keep(&self.objects, &context.company, &moved.cierre, &people).await?;
            let decided = folder
                .dossier()
                .switched(work.archivo, &processing, &stamp(&context));
            match self.commit(&context, &folder, decided).await? {
                Some(settled) => return Ok(settled),
                None => back_off(attempt).await,
            }
        }
        Err(Failure::message(
            "a closing moved at every try to put a file into force",
        ))
    }

    /// The employees that the files show once this one is in force.
    async fn employees(
        &self,
        work: &Work,
        folder: &Folder,
        moved: &Moved,
        (read, fichas): (&Read, &[u8]),
        processing: &mut Processing,
    ) -> Result<Empleados, Failure> {
        let company = &work.context.company;
        let in_force = &moved.cierre.archivos;
        let is_in_force = in_force.values().any(|id| *id == work.archivo);
        let kind = folder.dossier().file(work.archivo).map(|file| file.tipo);
        if kind == Some(Kind::Novedades) {
            let others = in_force_without(&folder.record.cierre.archivos, Kind::Novedades);
            let mut people = headcount::of(&self.objects, company, work.cierre, &others).await?;
            let (actualizados, creados) = headcount::consolidate(&mut people, fichas)?;
            let mut brought = read.columns.clone();
            brought.actualizados = actualizados;
            brought.creados = creados;
            processing.novedades = Some(brought);
            if is_in_force {
                processing.headcount = people.len() as u64;
                return Ok(people);
            }
        }
        let people = headcount::of(&self.objects, company, work.cierre, in_force).await?;
        processing.headcount = people.len() as u64;
        Ok(people)
    }

    async fn overwritten(&self, work: &Work) -> Result<(), Failure> {
        let gone = self.decide(work, |folder, context| {
            folder.dossier().overwritten(work.archivo, &stamp(context))
        });
        gone.await?;
        Ok(())
    }

    /// The last attempt failed.
    pub(super) async fn exhausted(&self, work: &Work, intentos: u32) -> Result<(), Failure> {
        let failed = self.decide(work, |folder, context| {
            let stamp = stamp(context);
            let dossier = folder.dossier();
            dossier.exhausted(work.archivo, EXHAUSTED, intentos, &stamp)
        });
        failed.await?;
        Ok(())
    }

    /// Makes a decision about a file and its closing, again as long as others are faster.
    async fn decide(
        &self,
        work: &Work,
        decide: impl Fn(&Folder, &Context) -> Decided<Moved, ArchivoRefusal>,
    ) -> Result<Settled, Failure> {
        for attempt in 0..TRIES {
            let company = &work.context.company;
            let Some(folder) = repo::folder(&self.db, company, work.cierre).await? else {
                return Ok(Settled::Gone);
            };
            // After what was read happened: a timeline is read by time.
            let context = now(&work.context);
            let decided = decide(&folder, &context);
            if let Some(settled) = self.commit(&context, &folder, decided).await? {
                return Ok(settled);
            }
            back_off(attempt).await;
        }
        Err(Failure::message(
            "a closing moved at every try to decide about a file",
        ))
    }

    /// Commits a decision; none when somebody was faster.
    async fn commit(
        &self,
        context: &Context,
        folder: &Folder,
        decided: Decided<Moved, ArchivoRefusal>,
    ) -> Result<Option<Settled>, Failure> {
        let change: Change<Moved> = match decided {
            Ok(Decision::Applied(change)) => change,
            Ok(Decision::Replayed(_)) => return Ok(Some(Settled::Made)),
            Err(refusal) => return settle(refusal).map(Some),
        };
        let mut tx = Tx::new();
        put_moved(&mut tx, context, folder, change)?;
        match self.db.commit(&tx).await {
            Ok(()) => Ok(Some(Settled::Made)),
            Err(CommitError::Refused(_) | CommitError::Contended) => Ok(None),
            Err(CommitError::Failed(failure)) => Err(failure),
        }
    }

    /// Throws the rows away that nobody will see.
    async fn discard(&self, work: &Work) -> Result<(), Failure> {
        if self.may_be_needed(work).await? {
            return Ok(());
        }
        for key in Self::objects_of(work).rows() {
            self.objects.remove(&key, None).await?;
        }
        tracing::info!("the rows of a file that is gone are thrown away");
        Ok(())
    }

    /// Whether another worker put the file into force meanwhile. Once a closing was sealed its rows stay, whatever became of them: a seal may
    /// stand on them.
    async fn may_be_needed(&self, work: &Work) -> Result<bool, Failure> {
        let company = &work.context.company;
        let folder = repo::folder(&self.db, company, work.cierre).await?;
        Ok(folder.is_some_and(|folder| {
            let file = folder.dossier().file(work.archivo);
            let in_force = file.is_some_and(|file| file.estado == EstadoArchivo::Procesado);
            in_force || folder.record.cierre.sellos > 0
        }))
    }
}

/// What people read when a file could not be processed.
const EXHAUSTED: &str = "The file could not be processed after three attempts. Have it processed again (reprocesar), or upload it again.";

/// A refusal that says that the work is for nothing is an end; the others are faults of ours.
fn settle(refusal: ArchivoRefusal) -> Result<Settled, Failure> {
    match refusal {
        ArchivoRefusal::NotLive
        | ArchivoRefusal::NotFound
        | ArchivoRefusal::Cierre(CierreRefusal::Finalized | CierreRefusal::Deleted) => {
            Ok(Settled::Gone)
        }
        // Another worker has this file and is further on; its message is another one.
        ArchivoRefusal::OutOfPlace => Err(Failure::message("another worker is ahead with a file")),
        ArchivoRefusal::Cierre(_)
        | ArchivoRefusal::NotReceived
        | ArchivoRefusal::InProcess
        | ArchivoRefusal::Processed
        | ArchivoRefusal::HasErrors => Err(Failure::new("deciding about a file", refusal)),
    }
}

fn in_force_without(files: &headcount::InForce, kind: Kind) -> headcount::InForce {
    let others = files.iter().filter(|(known, _)| **known != kind);
    others.map(|(known, id)| (*known, *id)).collect()
}

fn now(context: &Context) -> Context {
    Context {
        now: clock::now(),
        ..context.clone()
    }
}
