//! An object arrives: it becomes a file of a closing, or goes into quarantine. Seen before, it is nothing but a reason to go on with its file.

use aws_lambda_events::event::s3::S3Event;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::id::{ArchivoId, CierreId};
use cierre_platform::db::{CommitError, Query, Tx, back_off};
use cierre_platform::queue::{Delivery, Verdict};
use cierre_platform::s3_events::Notice;
use cierre_platform::{Context, Failure};

use super::message::Incoming;
use super::{MAX_ATTEMPTS, Payroll, TRIES, wait_after};
use crate::entity::drop::{Address, Landing, ObjectEvent, address, land};
use crate::repo::{self, Folder, put_moved, stamp};
use crate::table;

/// A file to go on with.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) context: Context,
    pub(super) cierre: CierreId,
    pub(super) archivo: ArchivoId,
}

impl Payroll {
    /// Handles a message of the queue of files.
    ///
    /// # Errors
    /// Never for what can be tried again: that is a verdict.
    pub async fn take(&self, delivery: Delivery<Incoming>) -> Result<Verdict, Failure> {
        let attempt = delivery.receive_count;
        let done = match delivery.body {
            Incoming::Test(test) if test.is_test() => return Ok(Verdict::Done),
            Incoming::Test(_) => return Ok(Verdict::Senseless),
            Incoming::File(message) => {
                let now = cierre_platform::clock::now();
                let work = Work {
                    context: Context::system(message.company_id, message.correlation_id, now),
                    cierre: message.cierre_id,
                    archivo: message.archivo_id,
                };
                self.go_on(work).await
            }
            Incoming::Objects(event) => self.take_objects(&event).await,
        };
        let Err(failure) = done else {
            return Ok(Verdict::Done);
        };
        // The queue itself counts: after the last attempt the message goes to those that were lost, and there the file ends in error.
        if attempt >= MAX_ATTEMPTS {
            return Err(failure);
        }
        tracing::warn!(
            error = failure.chain(),
            attempt,
            "an attempt at a file failed"
        );
        let seconds = wait_after(attempt).as_secs();
        Ok(Verdict::Again {
            seconds: i32::try_from(seconds).unwrap_or(i32::MAX),
        })
    }

    async fn take_objects(&self, event: &S3Event) -> Result<(), Failure> {
        for record in &event.records {
            let Some(notice) = Notice::of(record) else {
                // Nothing says which object it was; the bucket writes no such record.
                tracing::error!("a record of the bucket tells of no object");
                continue;
            };
            if let Some(work) = self.receive(notice).await? {
                self.go_on(work).await?;
            }
        }
        Ok(())
    }

    /// Receives an object. Answers the file to go on with; none when there is nothing to do.
    pub(super) async fn receive(&self, notice: Notice) -> Result<Option<Work>, Failure> {
        let Some(object) = self.look(notice).await? else {
            tracing::info!("an object is gone before it was received");
            return Ok(None);
        };
        let Some(company) = company_of(&object) else {
            self.put_aside_unknown(&object).await?;
            return Ok(None);
        };
        for attempt in 0..TRIES {
            let folder = self.folder_of(&company, &object).await?;
            let owns_clients = folder.is_some() || self.has_clients(&company).await?;
            let uploaded = folder
                .as_ref()
                .and_then(|folder| correlation(folder, &object));
            let correlation_id =
                uploaded.unwrap_or_else(|| CorrelationId::from_ulid(object.archivo_id().ulid()));
            let context = Context::system(company.clone(), correlation_id, object.ocurrido_en);
            let dossier = folder.as_ref().map(Folder::dossier);
            let landing = land(&object, owns_clients, dossier.as_ref(), &stamp(&context));
            match (landing, &folder) {
                (Landing::Seen, Some(folder)) => {
                    return Ok(known(folder, &object).map(|archivo| Work {
                        context: now(context),
                        cierre: folder.record.cierre.id,
                        archivo,
                    }));
                }
                (Landing::Seen, None) => return Ok(None),
                (Landing::Received(archivo, change), Some(folder)) => {
                    let cierre = folder.record.cierre.id;
                    let mut tx = Tx::new();
                    put_moved(&mut tx, &context, folder, *change)?;
                    match self.db.commit(&tx).await {
                        Ok(()) => {
                            return Ok(Some(Work {
                                context: now(context),
                                cierre,
                                archivo,
                            }));
                        }
                        Err(CommitError::Refused(_) | CommitError::Contended) => {}
                        Err(CommitError::Failed(failure)) => return Err(failure),
                    }
                }
                (Landing::Received(..), None) => {
                    return Err(Failure::message("an object was received without a closing"));
                }
                (Landing::Quarantined(aside), folder) => {
                    let record = folder.as_ref().map(|folder| &folder.record);
                    if self.put_aside(&context, &object, *aside, record).await? {
                        return Ok(None);
                    }
                }
            }
            back_off(attempt).await;
        }
        Err(Failure::message(
            "a closing moved at every try to receive an object",
        ))
    }

    /// The object with what its headers tell; none when that version is gone.
    async fn look(&self, notice: Notice) -> Result<Option<ObjectEvent>, Failure> {
        if notice.bucket != self.objects.bucket() {
            return Err(Failure::message("an event tells of another bucket"));
        }
        let version = notice.version_id.as_deref();
        let Some(meta) = self.objects.head(&notice.clave, version).await? else {
            return Ok(None);
        };
        // Without versions the key may hold a later object by now, which has an event of its own.
        Ok(Some(ObjectEvent {
            bucket: notice.bucket,
            clave: notice.clave,
            version_id: notice.version_id,
            etag: notice.etag,
            sequencer: notice.sequencer,
            tamano: meta.bytes,
            ocurrido_en: notice.ocurrido_en,
            modificado_en: meta.modified,
        }))
    }

    async fn folder_of(
        &self,
        company: &CompanyId,
        object: &ObjectEvent,
    ) -> Result<Option<Folder>, Failure> {
        match address(&object.clave) {
            Address::Place(_, place) => repo::folder(&self.db, company, place.cierre).await,
            Address::Nobody | Address::Invalid(_) | Address::NoSuchCierre(..) => Ok(None),
        }
    }

    async fn has_clients(&self, company: &CompanyId) -> Result<bool, Failure> {
        let query = Query::partition(table::PAYROLL, table::clientes(company)).limit(1);
        Ok(!self.db.query(&query).await?.items.is_empty())
    }
}

/// The company that a key names.
fn company_of(object: &ObjectEvent) -> Option<CompanyId> {
    match address(&object.clave) {
        Address::Nobody => None,
        Address::Invalid(company)
        | Address::NoSuchCierre(company, _)
        | Address::Place(company, _) => Some(company),
    }
}

/// The file that an object is.
fn known(folder: &Folder, object: &ObjectEvent) -> Option<ArchivoId> {
    let identity = object.identity();
    let mut files = folder.files.iter();
    files
        .find(|file| {
            let objeto = file.objeto.as_ref();
            objeto.is_some_and(|objeto| objeto.identidad == identity)
        })
        .map(|file| file.id)
}

/// The correlation id of the command that gave the address.
fn correlation(folder: &Folder, object: &ObjectEvent) -> Option<CorrelationId> {
    let Address::Place(_, place) = address(&object.clave) else {
        return None;
    };
    let file = folder.dossier().file(place.archivo?)?;
    Some(file.correlation_id.clone())
}

/// What follows on the arrival happens when it happens.
fn now(context: Context) -> Context {
    Context {
        now: cierre_platform::clock::now(),
        ..context
    }
}
