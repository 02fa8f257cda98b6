//! Files of a closing.

mod table;
mod upload;

use std::collections::BTreeMap;

use cierre_kernel::actor::Actor;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::id::{ArchivoId, CierreId, ClienteId};
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use super::refusal::ArchivoRefusal;
use super::{Decided, Stamp, applied, replayed};
use crate::kind::Kind;

pub use table::*;
pub use upload::*;

cierre_kernel::words! {
    /// Where a file came from.
    pub enum Origen {
        /// The API gave an address for it.
        Api = "api",
        /// Somebody dropped it into the bucket.
        S3 = "s3",
    }
}

/// The object that a file is, in one version of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objeto {
    /// Digest of bucket, key, version or ETag, and sequencer: the event that brought it.
    pub identidad: String,
    /// The key, decoded.
    pub clave: String,
    /// The version, in a bucket that keeps them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The ETag.
    pub etag: String,
    /// Orders the versions of one key.
    pub secuencia: String,
    /// Bytes.
    pub tamano: u64,
    /// When the bucket took it: what decides which of two files is newer.
    pub modificado_en: Instant,
}

/// Data rows of a file by sheet; one-sheet kinds have one without a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowsBySheet(pub BTreeMap<String, u64>);

impl RowsBySheet {
    /// The sheets of movimientos_mes.
    pub const SHEETS: [&str; 3] = ["altas_bajas", "ausentismos", "vacaciones"];

    /// All rows.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The rows of the sheets of movimientos_mes, zeros included.
    pub fn movements(&self) -> BTreeMap<&'static str, u64> {
        Self::SHEETS
            .into_iter()
            .map(|sheet| (sheet, self.0.get(sheet).copied().unwrap_or_default()))
            .collect()
    }
}

/// What was declared when an upload began, for the bytes to be compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// Bytes.
    pub tamano: u64,
    /// SHA-256, if it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A file of a closing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archivo {
    /// Its id.
    pub id: ArchivoId,
    /// The id that its key names: its own, unless it is another version of that file.
    pub clave_id: ArchivoId,
    /// Its closing.
    pub cierre_id: CierreId,
    /// The closing's client.
    pub cliente_id: ClienteId,
    /// What it holds.
    pub tipo: Kind,
    /// Its name.
    pub nombre: String,
    /// Where it came from.
    pub origen: Origen,
    /// Where it stands.
    pub estado: EstadoArchivo,
    /// Bytes: of its object, until then as declared.
    pub tamano: u64,
    /// SHA-256 of the bytes that were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// How it is read; none when its name does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formato: Option<Formato>,
    /// How its text is encoded; workbooks have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codificacion: Option<String>,
    /// Data rows by sheet.
    #[serde(default)]
    pub filas: RowsBySheet,
    /// Findings that are errors.
    pub errores_total: u64,
    /// Findings that are warnings.
    pub advertencias_total: u64,
    /// What to do about it, when it is in error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mensaje: Option<String>,
    /// Who began its upload; the system for a dropped one.
    pub subido_por: Actor,
    /// When its upload began; for a dropped one, when it arrived.
    pub subido_en: Instant,
    /// When its address is no longer good; none for a dropped one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expira_en: Option<Instant>,
    /// What was declared about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declarado: Option<Declared>,
    /// Its object, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objeto: Option<Objeto>,
    /// How often it was asked to be processed, from 1.
    pub ronda: u32,
    /// When its rows began to be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procesando_desde: Option<Instant>,
    /// The command that began it; a worker goes on under it.
    pub correlation_id: CorrelationId,
    /// Counts the changes, from 1.
    pub version: u64,
}

impl Archivo {
    /// A file whose object is still to come.
    pub fn announced(
        id: ArchivoId,
        cierre: (CierreId, ClienteId),
        upload: NewUpload,
        stamp: &Stamp,
    ) -> Self {
        let (cierre_id, cliente_id) = cierre;
        Self {
            id,
            clave_id: id,
            cierre_id,
            cliente_id,
            tipo: upload.tipo,
            nombre: upload.nombre,
            origen: Origen::Api,
            estado: EstadoArchivo::Esperando,
            tamano: upload.tamano,
            hash: None,
            formato: Some(upload.formato),
            codificacion: None,
            filas: RowsBySheet::default(),
            errores_total: 0,
            advertencias_total: 0,
            mensaje: None,
            subido_por: stamp.by.clone(),
            subido_en: stamp.at,
            expira_en: Some(stamp.at.plus_seconds(UPLOAD_SECONDS)),
            declarado: Some(Declared {
                tamano: upload.tamano,
                sha256: upload.sha256,
            }),
            objeto: None,
            ronda: 1,
            procesando_desde: None,
            correlation_id: stamp.correlation_id.clone(),
            version: 1,
        }
    }

    /// Whether it is the one in force of its kind.
    pub const fn vigente(&self) -> bool {
        match self.estado {
            EstadoArchivo::Procesado => true,
            EstadoArchivo::Esperando
            | EstadoArchivo::Recibido
            | EstadoArchivo::Validando
            | EstadoArchivo::Procesando
            | EstadoArchivo::ConErrores
            | EstadoArchivo::Error
            | EstadoArchivo::Expirado
            | EstadoArchivo::Reemplazado
            | EstadoArchivo::Eliminado => false,
        }
    }

    /// Its state at this time: an address that was not used in time has expired, whether or not anybody wrote that down.
    pub fn estado_at(&self, now: Instant) -> EstadoArchivo {
        match self.estado {
            EstadoArchivo::Esperando if self.expira_en.is_some_and(|until| until <= now) => {
                EstadoArchivo::Expirado
            }
            estado @ (EstadoArchivo::Esperando
            | EstadoArchivo::Recibido
            | EstadoArchivo::Validando
            | EstadoArchivo::Procesando
            | EstadoArchivo::Procesado
            | EstadoArchivo::ConErrores
            | EstadoArchivo::Error
            | EstadoArchivo::Expirado
            | EstadoArchivo::Reemplazado
            | EstadoArchivo::Eliminado) => estado,
        }
    }

    /// What a step does to it at this time.
    pub fn effect(&self, step: Step, now: Instant) -> Effect {
        effect(self.estado_at(now), step)
    }

    /// Writes down that its address has expired. No event reports it.
    ///
    /// # Errors
    /// None; a file that has not expired, or was marked before, is a replay.
    pub fn expire(&self, now: Instant) -> Decided<Self, ArchivoRefusal> {
        let estado = self.estado_at(now);
        if estado == self.estado {
            return Ok(replayed(self.clone()));
        }
        Ok(applied(self.in_state(estado), Vec::new()))
    }

    /// A worker takes it up. Taken up again in mid-work it is a replay, and the work starts over; at an end it is one, and there is nothing
    /// to do.
    ///
    /// # Errors
    /// [`ArchivoRefusal::NotLive`] when it is replaced or deleted, [`ArchivoRefusal::OutOfPlace`] when it has no object.
    pub fn begin(&self, now: Instant) -> Decided<Self, ArchivoRefusal> {
        match self.effect(Step::Work, now) {
            Effect::To(EstadoArchivo::Validando) => {
                Ok(applied(self.in_state(EstadoArchivo::Validando), Vec::new()))
            }
            Effect::To(_) | Effect::Same => Ok(replayed(self.clone())),
            Effect::Discard => Err(ArchivoRefusal::NotLive),
            Effect::Refused(refusal) => Err(refusal),
            Effect::Quarantine | Effect::Never => Err(ArchivoRefusal::OutOfPlace),
        }
    }

    /// Whether its object came after the other's: later in the bucket or, in the same moment, under the greater id. A file without an object
    /// is not newer than any.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        match (self.age(), other.age()) {
            (Some(this), Some(other)) => this > other,
            (Some(_) | None, None) | (None, Some(_)) => false,
        }
    }

    /// What files of a kind are ordered by. Which version of a key gets the id that the key names depends on which arrives first; the order
    /// must not, so versions of one key stand together under that id, in the order in which the bucket took them.
    pub(super) fn age(&self) -> Option<(Instant, ArchivoId, &str, ArchivoId)> {
        let object = self.objeto.as_ref()?;
        Some((
            object.modificado_en,
            self.clave_id,
            &object.secuencia,
            self.id,
        ))
    }

    /// What makes an event of this round of the file unique.
    pub(super) fn round(&self) -> String {
        format!("{}/{}", self.id, self.ronda)
    }

    pub(super) fn in_state(&self, estado: EstadoArchivo) -> Self {
        Self {
            estado,
            version: self.version + 1,
            ..self.clone()
        }
    }
}
