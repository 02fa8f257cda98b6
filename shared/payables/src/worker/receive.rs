//! An object arrives: it becomes a factura, or a refusal that says why not. What came before, and what was overwritten, has no effect.

use aws_lambda_events::event::s3::S3Event;
use cierre_kernel::canonical::sha256_hex;
use cierre_kernel::id::{FacturaId, RechazoIngresoId};
use cierre_platform::db::{CommitError, Tx, back_off};
use cierre_platform::queue::{Delivery, Verdict};
use cierre_platform::s3_events::Notice;
use cierre_platform::{Context, Failure, random};

use super::message::Incoming;
use super::{Payables, wait_after};
use crate::buzon::{Buzon, Fin, Sitio};
use crate::comandos::{Documento, Negativa, Registro, Resultado, aplicar};
use crate::entity::Stamp;
use crate::entity::carga::{Evento, Rechazo};
use crate::entity::refusal::FacturaRefusal;
use crate::entity::trabajo::MAX_ATTEMPTS;
use crate::ubl::{Fallo, Lectura, MAX_BYTES, leer};

/// How often an object is landed anew after losing against another event of its key.
const TRIES: u32 = 12;

/// An object that was read, or was too large to be.
struct Contenido {
    /// SHA-256; none where it was not read.
    sha256: Option<String>,
    /// Tells it from other contents of the key.
    huella: String,
    /// What it says.
    leido: Result<Lectura, Fallo>,
}

/// What is to be done with objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trato {
    /// Read them.
    Leer,
    /// Their workers died too often.
    Desistir,
}

impl Payables {
    /// Handles a message of the queue of files.
    ///
    /// # Errors
    /// When the last attempt failed: the queue moves the message to those that were lost.
    pub async fn take(&self, delivery: Delivery<Incoming>) -> Result<Verdict, Failure> {
        let attempt = delivery.receive_count;
        let event = match delivery.body {
            Incoming::Test(test) if test.is_test() => return Ok(Verdict::Done),
            Incoming::Test(_) => return Ok(Verdict::Senseless),
            Incoming::Objects(event) => event,
        };
        match self.take_objects(&event, Trato::Leer).await {
            Ok(verdict) => Ok(verdict),
            Err(failure) if attempt >= MAX_ATTEMPTS => Err(failure),
            Err(failure) => {
                let error = failure.chain();
                tracing::warn!(error, attempt, "an attempt at a dropped object failed");
                let seconds = i32::try_from(wait_after(attempt).as_secs()).unwrap_or(i32::MAX);
                Ok(Verdict::Again { seconds })
            }
        }
    }

    /// Deals with every object of an event. One that has no place does not keep the others from theirs.
    pub(super) async fn take_objects(
        &self,
        event: &S3Event,
        trato: Trato,
    ) -> Result<Verdict, Failure> {
        let mut has_place = true;
        for record in &event.records {
            let found = Notice::of(record).filter(|notice| notice.bucket == self.objects.bucket());
            has_place &= match found {
                Some(notice) => self.receive(&notice, trato).await?,
                None => false,
            };
        }
        Ok(if has_place {
            Verdict::Done
        } else {
            Verdict::Senseless
        })
    }

    /// Deals with an object. False where it has no place: its key is outside the pattern, or names no company.
    async fn receive(&self, notice: &Notice, trato: Trato) -> Result<bool, Failure> {
        let Some(sitio) = Sitio::of(&notice.clave) else {
            return Ok(false);
        };
        let mut contenido = None;
        for attempt in 0..TRIES {
            let huella = contenido
                .as_ref()
                .map(|one: &Contenido| one.huella.as_str());
            let Some(buzon) = sitio.look(&self.db, huella).await? else {
                return Ok(false);
            };
            if buzon.is_past(notice) {
                return Ok(true);
            }
            if trato == Trato::Leer && contenido.is_none() {
                contenido = self.read(notice).await?;
                if contenido.is_none() {
                    tracing::info!("an object is gone before it was read");
                    return Ok(true);
                }
            }
            if self.land(&buzon, notice, contenido.as_ref()).await? {
                return Ok(true);
            }
            back_off(attempt).await;
        }
        Err(Failure::message(
            "what is known of an object's key changed at every try",
        ))
    }

    /// Reads an object; none when that version is gone. The event tells how large it is: one over the limit is not read. Without versions the key
    /// may hold a later one by now, of which no more is read than the limit.
    async fn read(&self, notice: &Notice) -> Result<Option<Contenido>, Failure> {
        let too_large = || Contenido {
            sha256: None,
            huella: format!("etag:{}", notice.etag),
            leido: Err(Fallo::too_large()),
        };
        if notice.tamano > MAX_BYTES {
            return Ok(Some(too_large()));
        }
        let mut bytes = Vec::new();
        let version = notice.version_id.as_deref();
        let fits = |bytes: &[u8]| u64::try_from(bytes.len()).is_ok_and(|size| size <= MAX_BYTES);
        let found = self.objects.stream(&notice.clave, version, |piece| {
            bytes.extend_from_slice(piece);
            Ok(fits(&bytes))
        });
        if found.await?.is_none() {
            return Ok(None);
        }
        if !fits(&bytes) {
            return Ok(Some(too_large()));
        }
        let sha256 = sha256_hex(&bytes);
        Ok(Some(Contenido {
            huella: sha256.clone(),
            sha256: Some(sha256),
            leido: leer(&bytes),
        }))
    }

    /// Gives an object its outcome. False when the key moved meanwhile, and has to be looked at again.
    async fn land(
        &self,
        buzon: &Buzon<'_>,
        notice: &Notice,
        contenido: Option<&Contenido>,
    ) -> Result<bool, Failure> {
        let context = buzon.context(notice)?;
        let huella = contenido.map(|one| one.huella.as_str());
        let mut tx = Tx::new();
        match huella.map_or(Evento::Nuevo, |huella| buzon.judge(notice, huella)) {
            Evento::Atrasado => return Ok(true),
            Evento::Repetido => {
                buzon.see_again(&mut tx, &context, notice)?;
                return self.is_committed(&tx).await;
            }
            Evento::Nuevo => {}
        }
        let negativa = match contenido.map(|one| &one.leido) {
            Some(Ok(lectura)) => {
                let registered = self.register(buzon, notice, &context, huella, lectura);
                match registered.await? {
                    Resultado::Aplicado(_) => return Ok(true),
                    // The content came before: the next look tells.
                    Resultado::Hecho => return Ok(false),
                    Resultado::Negado(negativa) => Some(negativa),
                }
            }
            Some(Err(fallo)) => Some(fallo.clone().into()),
            None => None,
        };
        let rechazo = rechazo(buzon, notice, &context, contenido, negativa)?;
        let fin = Fin::Rechazo(&rechazo);
        buzon.settle(&mut tx, &context, notice, huella, fin)?;
        let is_committed = self.is_committed(&tx).await?;
        if is_committed {
            tracing::info!(
                company_id = context.company.as_str(),
                correlation_id = context.correlation_id.as_str(),
                code = rechazo.code.as_str(),
                "a dropped object became no factura"
            );
        }
        Ok(is_committed)
    }

    /// Commits; false where somebody was faster.
    async fn is_committed(&self, tx: &Tx) -> Result<bool, Failure> {
        match self.db.commit(tx).await {
            Ok(()) => Ok(true),
            Err(CommitError::Refused(_) | CommitError::Contended) => Ok(false),
            Err(CommitError::Failed(failure)) => Err(failure),
        }
    }

    /// Registers an electronic invoice, in one transaction with what is remembered of its object.
    async fn register(
        &self,
        buzon: &Buzon<'_>,
        notice: &Notice,
        context: &Context,
        huella: Option<&str>,
        lectura: &Lectura,
    ) -> Result<Resultado<Negativa>, Failure> {
        let registro = Registro {
            id: FacturaId::new(random::ulid(context.now)?),
            stamp: Stamp {
                at: context.now,
                by: buzon.registrador(),
                correlation_id: context.correlation_id.clone(),
            },
            documento: Documento::Electronica(Box::new(lectura.clone())),
        };
        let sitio = buzon.sitio;
        let marca = huella.map(|huella| sitio.marca(huella));
        let known = sitio.keys();
        let registered = aplicar(
            &self.db,
            context,
            &registro,
            marca.as_ref(),
            &known,
            |loaded, tx, expediente| {
                let buzon = sitio.known(loaded)?.filter(|buzon| !buzon.is_past(notice));
                // The next attempt finds out what became of it.
                let overtaken = || Failure::message("another event of an object's key was faster");
                let fin = Fin::Factura(expediente.factura.id);
                buzon
                    .ok_or_else(overtaken)?
                    .settle(tx, context, notice, huella, fin)
            },
        );
        registered.await
    }
}

/// Why an object becomes no factura; without a reason because its workers died too often.
fn rechazo(
    buzon: &Buzon<'_>,
    notice: &Notice,
    context: &Context,
    contenido: Option<&Contenido>,
    negativa: Option<Negativa>,
) -> Result<Rechazo, Failure> {
    let id = RechazoIngresoId::new(random::ulid(context.now)?);
    let (clave, at) = (notice.clave.as_str(), context.now);
    let carga = buzon.carga().map(|carga| carga.id);
    let sha256 = contenido.and_then(|one| one.sha256.as_deref());
    Ok(match negativa {
        None => Rechazo::lost(id, clave, carga, at),
        Some(Negativa::Documento(fallo)) => Rechazo::new(id, clave, carga, sha256, &fallo, at),
        Some(Negativa::Factura(FacturaRefusal::Duplicada(known))) => {
            Rechazo::duplicate(id, clave, carga, sha256, known, at)
        }
        Some(Negativa::Factura(refusal)) => {
            let fallo = Fallo::of(refusal.code(), refusal.to_string());
            Rechazo::new(id, clave, carga, sha256, &fallo, at)
        }
    })
}
