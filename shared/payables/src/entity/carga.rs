//! Electronic invoices that arrive as objects: announced uploads, what became of an object, and why it became no factura.

use cierre_kernel::codes::{self, Code};
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::{CargaId, FacturaId, RechazoIngresoId};
use cierre_kernel::problem::FieldError;
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use super::Stamp;
use super::events::{Entry, PayablesEvent};
use super::refusal::Invalid;
use crate::persona::Usuario;
use crate::texto::{cut, sized};
use crate::ubl::{Fallo, MAX_BYTES};

/// Seconds for which the address of an upload holds.
pub const ADDRESS_SECONDS: i64 = 15 * 60;
/// Seconds after which an upload without its object is `vencida`.
pub const EXPIRY_SECONDS: i64 = 60 * 60;
/// Characters of a file name.
const NOMBRE: std::ops::RangeInclusive<usize> = 1..=200;

cierre_kernel::words! {
    /// Where an upload stands.
    pub enum EstadoCarga {
        /// Its object has not come.
        Esperando = "esperando",
        /// It became a factura.
        Procesada = "procesada",
        /// It became none.
        Rechazada = "rechazada",
        /// Its object did not come in time; a later one still counts.
        Vencida = "vencida",
    }

    /// What happens to an upload.
    pub enum Suceso {
        /// Its object became a factura.
        Aceptar = "aceptar",
        /// Its object became none.
        Rechazar = "rechazar",
        /// Its time is over.
        Vencer = "vencer",
    }
}

/// Where an upload goes; none where nothing changes.
#[must_use]
pub const fn next(estado: EstadoCarga, suceso: Suceso) -> Option<EstadoCarga> {
    use EstadoCarga::{Esperando, Procesada, Rechazada, Vencida};
    match (estado, suceso) {
        // An object that overwrites another one of the key counts for itself.
        (Esperando | Procesada | Rechazada | Vencida, Suceso::Aceptar) => Some(Procesada),
        (Esperando | Procesada | Rechazada | Vencida, Suceso::Rechazar) => Some(Rechazada),
        (Esperando, Suceso::Vencer) => Some(Vencida),
        (Procesada | Rechazada | Vencida, Suceso::Vencer) => None,
    }
}

/// An upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carga {
    /// Its id.
    pub id: CargaId,
    /// What the file is called.
    pub nombre_archivo: String,
    /// The key of its object.
    pub clave: String,
    /// Where it stands.
    pub estado: EstadoCarga,
    /// What its object became.
    pub factura_id: Option<FacturaId>,
    /// Why its object became none.
    pub rechazo_id: Option<RechazoIngresoId>,
    /// Who asked for it, and so registers the factura.
    pub creada_por: Usuario,
    /// When.
    pub creada_en: Instant,
    /// The command that announced it: what becomes of its object follows from that.
    pub correlation_id: CorrelationId,
    /// Counts the changes, from 1.
    pub version: u64,
    /// Its chain of events.
    pub head: ChainHead,
}

/// The key of an upload's object. It holds the id, so that the registrar is found by the key.
#[must_use]
pub fn upload_key(company: &CompanyId, id: CargaId) -> String {
    format!("facturas/{company}/{id}.xml")
}

/// An object's key, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lugar {
    /// The tenant.
    pub company: CompanyId,
    /// The upload that it belongs to, if any.
    pub carga: Option<CargaId>,
}

/// Reads the key of an object, `facturas/{company_id}/{filename}.xml`. None outside the pattern.
#[must_use]
pub fn read_key(key: &str) -> Option<Lugar> {
    let (company, file) = key.strip_prefix("facturas/")?.split_once('/')?;
    let name = file.strip_suffix(".xml")?;
    if name.is_empty() || name.contains('/') {
        return None;
    }
    Some(Lugar {
        company: CompanyId::parse(company).ok()?,
        carga: name.parse().ok(),
    })
}

impl Carga {
    /// Announces an upload of so many bytes.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn create(
        id: CargaId,
        company: &CompanyId,
        nombre_archivo: &str,
        tamano: u64,
        stamp: &Stamp,
    ) -> Result<Self, Invalid> {
        let mut wrong = Vec::new();
        if tamano == 0 {
            let detail = "must be above 0";
            wrong.push(FieldError::new("/tamano", codes::OUT_OF_RANGE, detail));
        }
        if tamano > MAX_BYTES {
            let (code, detail) = (codes::ARCHIVO_DEMASIADO_GRANDE, "must be at most 5 MiB");
            wrong.push(FieldError::new("/tamano", code, detail));
        }
        let Some(nombre_archivo) = sized(nombre_archivo, &NOMBRE) else {
            let (code, detail) = (codes::OUT_OF_RANGE, "must have 1 to 200 characters");
            wrong.push(FieldError::new("/nombre_archivo", code, detail));
            return Err(Invalid(wrong));
        };
        if !wrong.is_empty() {
            return Err(Invalid(wrong));
        }
        Ok(Self {
            id,
            nombre_archivo,
            clave: upload_key(company, id),
            estado: EstadoCarga::Esperando,
            factura_id: None,
            rechazo_id: None,
            creada_por: stamp.by.clone(),
            creada_en: stamp.at,
            correlation_id: stamp.correlation_id.clone(),
            version: 1,
            head: ChainHead::default(),
        })
    }

    /// Where it stands now: one whose object has not come within the hour reads as `vencida`, written or not.
    #[must_use]
    pub fn estado_at(&self, now: Instant) -> EstadoCarga {
        let over = now.millis_since(self.creada_en) >= EXPIRY_SECONDS * 1000;
        let lapsed = over.then(|| next(self.estado, Suceso::Vencer)).flatten();
        lapsed.unwrap_or(self.estado)
    }

    /// Its object became something.
    #[must_use]
    pub fn settled(&self, desenlace: Desenlace) -> Self {
        let (suceso, factura_id, rechazo_id) = match desenlace {
            Desenlace::Factura(id) => (Suceso::Aceptar, Some(id), None),
            Desenlace::Rechazo(id) => (Suceso::Rechazar, None, Some(id)),
        };
        Self {
            estado: next(self.estado, suceso).unwrap_or(self.estado),
            factura_id,
            rechazo_id,
            version: self.version + 1,
            ..self.clone()
        }
    }
}

/// What an object became.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Desenlace {
    /// A factura.
    Factura(FacturaId),
    /// None, and this says why.
    Rechazo(RechazoIngresoId),
}

/// What is remembered of a key: the last object that counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visto {
    /// The bucket's sequencer of its event.
    pub sequencer: String,
    /// SHA-256 of its content; what stands for it where that was not read.
    pub sha256: String,
    /// What it became.
    pub desenlace: Desenlace,
    /// Counts the changes, from 1.
    pub version: u64,
    /// The chain of events of objects that nobody announced.
    pub head: ChainHead,
}

impl Visto {
    /// What is remembered once an object of the key became something.
    #[must_use]
    pub fn after(
        known: Option<&Self>,
        sequencer: &str,
        sha256: &str,
        desenlace: Desenlace,
    ) -> Self {
        Self {
            sequencer: sequencer.to_owned(),
            sha256: sha256.to_owned(),
            desenlace,
            version: known.map_or(1, |known| known.version + 1),
            head: known.map(|known| known.head.clone()).unwrap_or_default(),
        }
    }

    /// What is remembered once a content came again, which has no effect: objects before this one are overwritten.
    #[must_use]
    pub fn again(&self, sequencer: &str) -> Self {
        Self {
            sequencer: sequencer.to_owned(),
            version: self.version + 1,
            ..self.clone()
        }
    }
}

/// How an object's event meets what is remembered of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evento {
    /// It counts.
    Nuevo,
    /// The same content came before: no effect, also after its factura was deleted.
    Repetido,
    /// A newer object of the key came before: no effect.
    Atrasado,
}

/// Judges an object's event. Sequencers are hexadecimal numbers of different lengths and compare within one key.
#[must_use]
pub fn judge_event(known: Option<&Visto>, sequencer: &str, sha256: &str) -> Evento {
    let Some(known) = known else {
        return Evento::Nuevo;
    };
    if known.sha256 == sha256 {
        Evento::Repetido
    } else if is_past(sequencer, &known.sequencer) {
        Evento::Atrasado
    } else {
        Evento::Nuevo
    }
}

/// Whether an event's sequencer is the known one, so that it came before, or lies before that, so that its object was overwritten. Asked before
/// the object is read, too: there is no need to.
#[must_use]
pub fn is_past(sequencer: &str, known: &str) -> bool {
    let order = |text: &str| {
        let digits = text.trim_start_matches('0').to_ascii_uppercase();
        (digits.len(), digits)
    };
    // Of two events without one nobody knows which is which.
    order(sequencer) < order(known) || (!known.is_empty() && order(sequencer) == order(known))
}

/// Why an object became no factura.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rechazo {
    /// Its id.
    pub id: RechazoIngresoId,
    /// The object's key.
    pub clave: String,
    /// The upload that it belongs to.
    pub carga_id: Option<CargaId>,
    /// SHA-256 of the content; none where it was not read.
    pub sha256: Option<String>,
    /// When.
    pub fecha: Instant,
    /// Why.
    pub code: Code,
    /// Why, for people.
    pub detail: String,
    /// Line, from 1.
    pub linea: Option<u32>,
    /// Character in the line, from 1.
    pub columna: Option<u32>,
    /// The element.
    pub ruta_xml: Option<String>,
    /// What stands there, its first 100 characters.
    pub valor: Option<String>,
    /// The factura that is the same.
    pub factura_id: Option<FacturaId>,
}

impl Rechazo {
    /// Puts an object aside.
    #[must_use]
    pub fn new(
        id: RechazoIngresoId,
        clave: &str,
        carga_id: Option<CargaId>,
        sha256: Option<&str>,
        fallo: &Fallo,
        fecha: Instant,
    ) -> Self {
        let lugar = fallo.lugar.as_deref();
        Self {
            id,
            clave: clave.to_owned(),
            carga_id,
            sha256: sha256.map(str::to_owned),
            fecha,
            code: fallo.code,
            detail: fallo.detail.clone(),
            linea: lugar.and_then(|lugar| lugar.linea),
            columna: lugar.and_then(|lugar| lugar.columna),
            ruta_xml: lugar.and_then(|lugar| lugar.ruta.clone()),
            valor: fallo
                .valor
                .as_deref()
                .map(|valor| cut(valor, 100).to_owned()),
            factura_id: None,
        }
    }

    /// The same invoice is known already.
    #[must_use]
    pub fn duplicate(
        id: RechazoIngresoId,
        clave: &str,
        carga_id: Option<CargaId>,
        sha256: Option<&str>,
        factura_id: FacturaId,
        fecha: Instant,
    ) -> Self {
        let fallo = Fallo::of(
            codes::FACTURA_DUPLICADA,
            "The factura is registered already",
        );
        Self {
            factura_id: Some(factura_id),
            ..Self::new(id, clave, carga_id, sha256, &fallo, fecha)
        }
    }

    /// Processing its object failed as often as it may.
    #[must_use]
    pub fn lost(
        id: RechazoIngresoId,
        clave: &str,
        carga_id: Option<CargaId>,
        fecha: Instant,
    ) -> Self {
        let detail = "Processing was interrupted repeatedly. Drop the file again";
        let fallo = Fallo::of(codes::PROCESAMIENTO_FALLIDO, detail);
        Self::new(id, clave, carga_id, None, &fallo, fecha)
    }

    /// The event that tells it.
    #[must_use]
    pub fn entry(&self, by: &Usuario) -> Entry {
        let event = PayablesEvent::IngresoRechazado {
            recurso: resource_of(self.carga_id, &self.clave),
            code: self.code,
            linea: self.linea,
            columna: self.columna,
            ruta_xml: self.ruta_xml.clone(),
        };
        Entry::new(&by.actor(), event)
    }
}

/// An object arrived.
#[must_use]
pub fn received(clave: &str, carga_id: Option<CargaId>, tamano: u64, by: &Usuario) -> Entry {
    let event = PayablesEvent::XmlRecibido {
        recurso: resource_of(carga_id, clave),
        clave: clave.to_owned(),
        tamano,
    };
    Entry::new(&by.actor(), event)
}

/// An object that nobody announced stands for itself.
fn resource_of(carga_id: Option<CargaId>, clave: &str) -> String {
    carga_id.map_or_else(|| clave.to_owned(), |id| id.to_string())
}
