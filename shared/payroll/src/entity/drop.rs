//! Objects under `payroll/`: what their keys say, and what becomes of those that have no place.

use cierre_kernel::actor::Actor;
use cierre_kernel::canonical::sha256_hex;
use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{ArchivoId, CierreId};
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::dossier::{Arrival, Dossier, Moved};
use super::events::{Entry, PayrollEvent, Scope};
use super::{Change, Stamp};
use crate::kind::Kind;

/// The first segment of every key that is read.
pub const ROOT: &str = "payroll";
/// The first segment of every key in quarantine.
pub const QUARANTINE: &str = "quarantine";
/// Where objects go that belong to no company.
pub const UNKNOWN: &str = "_unknown";

cierre_kernel::words! {
    /// Why an object is in quarantine.
    pub enum Motivo {
        /// The key has not the form.
        ClaveInvalida = "clave_invalida",
        /// The company has no such closing.
        CierreDesconocido = "cierre_desconocido",
        /// The closing is sealed.
        CierreFinalizado = "cierre_finalizado",
        /// The closing is deleted.
        CierreEliminado = "cierre_eliminado",
        /// The file was deleted.
        ArchivoEliminado = "archivo_eliminado",
    }
}

/// The key of an upload through the API.
pub fn upload_key(
    company: &CompanyId,
    cierre: CierreId,
    tipo: Kind,
    archivo: ArchivoId,
    nombre: &str,
) -> String {
    format!("{ROOT}/{company}/{cierre}/{tipo}/{archivo}/{nombre}")
}

/// A place in a closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The closing.
    pub cierre: CierreId,
    /// The kind of file.
    pub tipo: Kind,
    /// The file that was announced; none for a dropped one.
    pub archivo: Option<ArchivoId>,
    /// The file's name.
    pub nombre: String,
}

/// What a key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// No company.
    Nobody,
    /// A company, and no place of a closing.
    Invalid(CompanyId),
    /// A company and a text that is no closing's id; it is as unknown as an id that never existed.
    NoSuchCierre(CompanyId, Kind),
    /// A place.
    Place(CompanyId, Place),
}

/// Reads a decoded key.
pub fn address(key: &str) -> Address {
    let mut segments = key.split('/');
    let company = match (segments.next(), segments.next().map(CompanyId::parse)) {
        (Some(ROOT), Some(Ok(company))) => company,
        (Some(_) | None, _) => return Address::Nobody,
    };
    let rest: Vec<&str> = segments.collect();
    let (cierre, tipo, archivo, nombre) = match rest.as_slice() {
        [cierre, tipo, nombre] => (*cierre, *tipo, None, *nombre),
        [cierre, tipo, archivo, nombre] => (*cierre, *tipo, Some(archivo.parse()), *nombre),
        [] | [_] | [_, _] | [_, _, _, _, _, ..] => return Address::Invalid(company),
    };
    let archivo = archivo.transpose();
    let (Some(tipo), Ok(archivo), false) = (tipo.parse::<Kind>().ok(), archivo, nombre.is_empty())
    else {
        return Address::Invalid(company);
    };
    match cierre.parse() {
        Ok(cierre) => Address::Place(
            company,
            Place {
                cierre,
                tipo,
                archivo,
                nombre: nombre.to_owned(),
            },
        ),
        Err(_) => Address::NoSuchCierre(company, tipo),
    }
}

/// An object as the bucket's event and a look at that version of it tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectEvent {
    /// The bucket.
    pub bucket: String,
    /// The key, decoded.
    pub clave: String,
    /// The version, in a bucket that keeps them.
    pub version_id: Option<String>,
    /// The ETag.
    pub etag: String,
    /// Orders the events of one key.
    pub sequencer: String,
    /// Bytes.
    pub tamano: u64,
    /// The event's time, the same in every delivery of it.
    pub ocurrido_en: Instant,
    /// S3's `LastModified`.
    pub modificado_en: Instant,
}

impl ObjectEvent {
    /// What tells this object from every other and a duplicate from a new one.
    pub fn identity(&self) -> String {
        let version = self.version_id.as_deref().unwrap_or(&self.etag);
        let parts = [&*self.bucket, &*self.clave, version, &*self.sequencer];
        let text: String = parts
            .iter()
            .map(|part| format!("{}:{part}", part.len()))
            .collect();
        sha256_hex(text.as_bytes())
    }

    /// The id of the file that it becomes, unless one was announced for it: the event's time, and bits of its identity. The same for every
    /// delivery, so that a replay meets what it made before.
    pub fn archivo_id(&self) -> ArchivoId {
        let identity = self.identity();
        let bits = identity.get(..20).unwrap_or_default();
        let random = u128::from_str_radix(bits, 16).unwrap_or_default();
        let millis = u64::try_from(self.ocurrido_en.as_millis()).unwrap_or_default();
        ArchivoId::new(Ulid::from_parts(millis, random))
    }
}

/// An object that is put aside: copied, compared, then removed from where it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Quarantine {
    /// Where it goes.
    pub destino: String,
    /// The company; none when the key names none that has clients.
    pub company: Option<CompanyId>,
    /// What is listed; none for what belongs to no company.
    pub record: Option<Cuarentena>,
    /// What is recorded; likewise.
    pub entry: Option<Entry>,
}

/// An object in quarantine, as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cuarentena {
    /// The key that it had.
    pub clave: String,
    /// Why.
    pub motivo: Motivo,
    /// Bytes.
    pub tamano: u64,
    /// When it arrived.
    pub recibido_en: Instant,
    /// The closing on whose timeline it stands; none when there is no such closing.
    pub cierre_id: Option<CierreId>,
}

/// What becomes of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Landing {
    /// It was seen before.
    Seen,
    /// It is a file of a closing.
    Received(ArchivoId, Box<Change<Moved>>),
    /// It is put aside.
    Quarantined(Box<Quarantine>),
}

/// Decides on an object. `owns_clients`: the key's company has a client. `dossier`: the key's closing, if that company has it.
pub fn land(
    object: &ObjectEvent,
    owns_clients: bool,
    dossier: Option<&Dossier<'_>>,
    stamp: &Stamp,
) -> Landing {
    let aside = |company: CompanyId, tipo, motivo, by: &Actor, scope| {
        Landing::Quarantined(Box::new(put_aside(
            object, company, tipo, motivo, by, scope, stamp,
        )))
    };
    let system = Actor::system();
    let nowhere = Scope::default();
    match address(&object.clave) {
        Address::Invalid(_) | Address::NoSuchCierre(..) | Address::Place(..) if !owns_clients => {
            unknown(object)
        }
        Address::Nobody => unknown(object),
        Address::Invalid(company) => aside(company, None, Motivo::ClaveInvalida, &system, nowhere),
        Address::NoSuchCierre(company, tipo) => {
            let motivo = Motivo::CierreDesconocido;
            aside(company, Some(tipo), motivo, &system, nowhere)
        }
        Address::Place(company, place) => {
            let Some(dossier) = dossier.filter(|dossier| dossier.cierre.id == place.cierre) else {
                let motivo = Motivo::CierreDesconocido;
                return aside(company, Some(place.tipo), motivo, &system, nowhere);
            };
            match dossier.arrive(&place, object, stamp) {
                Arrival::Seen => Landing::Seen,
                Arrival::Received(id, change) => Landing::Received(id, change),
                Arrival::Refused(motivo, by) => {
                    let scope = match motivo {
                        Motivo::ClaveInvalida | Motivo::CierreDesconocido => nowhere,
                        Motivo::CierreFinalizado
                        | Motivo::CierreEliminado
                        | Motivo::ArchivoEliminado => Scope::of(dossier.cierre),
                    };
                    aside(company, Some(place.tipo), motivo, &by, scope)
                }
            }
        }
    }
}

fn unknown(object: &ObjectEvent) -> Landing {
    Landing::Quarantined(Box::new(Quarantine {
        destino: format!("{QUARANTINE}/{UNKNOWN}/{}", object.clave),
        company: None,
        record: None,
        entry: None,
    }))
}

fn put_aside(
    object: &ObjectEvent,
    company: CompanyId,
    tipo: Option<Kind>,
    motivo: Motivo,
    by: &Actor,
    scope: Scope,
    stamp: &Stamp,
) -> Quarantine {
    let event = PayrollEvent::Cuarentena {
        tipo,
        clave: object.clave.clone(),
        motivo,
    };
    Quarantine {
        destino: format!("{QUARANTINE}/{company}/{}", object.clave),
        company: Some(company),
        record: Some(Cuarentena {
            clave: object.clave.clone(),
            motivo,
            tamano: object.tamano,
            recibido_en: stamp.at,
            cierre_id: scope.cierre,
        }),
        entry: Some(Entry::new(scope, by, event).once(object.identity())),
    }
}
