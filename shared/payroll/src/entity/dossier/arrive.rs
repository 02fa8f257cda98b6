//! What arrives in the bucket.

use cierre_kernel::actor::Actor;
use cierre_kernel::id::ArchivoId;

use super::super::archivo::{
    Archivo, Effect, EstadoArchivo, Formato, Objeto, Origen, RowsBySheet, Step,
};
use super::super::drop::{Motivo, ObjectEvent, Place};
use super::super::events::PayrollEvent;
use super::super::refusal::CierreRefusal;
use super::super::{Change, Stamp};
use super::{Dossier, Moved, Moves};

/// What the arrival of an object comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrival {
    /// It was seen before: nothing is done, not even an event.
    Seen,
    /// It is a file now, of this id.
    Received(ArchivoId, Box<Change<Moved>>),
    /// It has no place here. The second is who uploaded it.
    Refused(Motivo, Actor),
}

impl Dossier<'_> {
    /// An object arrives at a place of this closing. The dossier holds the file that the place names and the one of
    /// [`ObjectEvent::archivo_id`], if there are such, in whatever state they are.
    pub fn arrive(&self, place: &Place, object: &ObjectEvent, stamp: &Stamp) -> Arrival {
        let identity = object.identity();
        // Before anything else: a duplicate is one for ever, also after the closing was sealed.
        let seen = self.files.iter().any(|file| {
            let known = file.objeto.as_ref();
            known.is_some_and(|known| known.identidad == identity)
        });
        if seen {
            return Arrival::Seen;
        }
        let named = place.archivo.map(|id| self.file(id));
        let uploader = named
            .flatten()
            .map_or_else(Actor::system, |file| file.subido_por.clone());
        if let Err(refusal) = self.cierre.takes_files() {
            return Arrival::Refused(motive(refusal), uploader);
        }
        let file = match named {
            None => self.dropped(place, object, stamp),
            Some(Some(file)) if file.tipo == place.tipo => {
                match (file.effect(Step::ObjectArrives, stamp.at), &file.objeto) {
                    (Effect::To(estado), _) => received(file, estado),
                    (Effect::Quarantine, None) => {
                        return Arrival::Refused(Motivo::ArchivoEliminado, uploader);
                    }
                    (Effect::Quarantine, Some(_)) if file.estado == EstadoArchivo::Eliminado => {
                        return Arrival::Refused(Motivo::ArchivoEliminado, uploader);
                    }
                    // Another version of the key is another file. A replaced file makes no difference: which of two versions is seen
                    // first is chance.
                    (
                        Effect::Quarantine
                        | Effect::Same
                        | Effect::Discard
                        | Effect::Refused(_)
                        | Effect::Never,
                        _,
                    ) => another(file, object),
                }
            }
            // Nobody was given this address.
            Some(Some(_) | None) => {
                return Arrival::Refused(Motivo::ClaveInvalida, uploader);
            }
        };
        let file = Archivo {
            tamano: object.tamano,
            objeto: Some(Objeto {
                identidad: identity,
                clave: object.clave.clone(),
                version_id: object.version_id.clone(),
                etag: object.etag.clone(),
                secuencia: object.sequencer.clone(),
                tamano: object.tamano,
                modificado_en: object.modificado_en,
            }),
            ..file
        };
        let id = file.id;
        let uploaded = PayrollEvent::ArchivoSubido {
            file: (&file).into(),
            tamano: file.tamano,
            origen: file.origen,
        };
        let mut moves = Moves::new(*self);
        moves.record_once(&uploader, id.to_string(), uploaded);
        moves.put(file);
        let change = moves.finish(&uploader, "archivo_subido", None);
        Arrival::Received(id, Box::new(change))
    }

    fn dropped(&self, place: &Place, object: &ObjectEvent, stamp: &Stamp) -> Archivo {
        Archivo {
            id: object.archivo_id(),
            clave_id: object.archivo_id(),
            cierre_id: self.cierre.id,
            cliente_id: self.cierre.cliente_id,
            tipo: place.tipo,
            nombre: place.nombre.clone(),
            origen: Origen::S3,
            estado: EstadoArchivo::Recibido,
            tamano: object.tamano,
            hash: None,
            formato: Formato::of(&place.nombre),
            codificacion: None,
            filas: RowsBySheet::default(),
            errores_total: 0,
            advertencias_total: 0,
            mensaje: None,
            subido_por: Actor::system(),
            subido_en: object.modificado_en,
            expira_en: None,
            declarado: None,
            objeto: None,
            ronda: 1,
            procesando_desde: None,
            correlation_id: stamp.correlation_id.clone(),
            version: 1,
        }
    }
}

fn received(file: &Archivo, estado: EstadoArchivo) -> Archivo {
    file.in_state(estado)
}

/// The file that another version of a file's key is.
fn another(file: &Archivo, object: &ObjectEvent) -> Archivo {
    Archivo {
        id: object.archivo_id(),
        estado: EstadoArchivo::Recibido,
        hash: None,
        codificacion: None,
        filas: RowsBySheet::default(),
        errores_total: 0,
        advertencias_total: 0,
        mensaje: None,
        objeto: None,
        ronda: 1,
        procesando_desde: None,
        version: 1,
        ..file.clone()
    }
}

const fn motive(refusal: CierreRefusal) -> Motivo {
    match refusal {
        CierreRefusal::Deleted => Motivo::CierreEliminado,
        CierreRefusal::Finalized
        | CierreRefusal::FilesIncomplete
        | CierreRefusal::ResultsStale
        | CierreRefusal::DiscrepanciesPending
        | CierreRefusal::DiscrepanciesOpen
        | CierreRefusal::IncidenceState
        | CierreRefusal::CloseBlocked
        | CierreRefusal::NotFinalized
        | CierreRefusal::ReasonRequired
        | CierreRefusal::InputsChanged => Motivo::CierreFinalizado,
    }
}
