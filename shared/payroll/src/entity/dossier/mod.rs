//! A closing with its files: what arrives, what workers do, and what people take away. Each decision is one conditional write of the closing
//! and the files that it names.

mod arrive;
mod work;

use std::collections::BTreeMap;

use cierre_kernel::actor::Actor;
use cierre_kernel::id::ArchivoId;

use super::archivo::{Archivo, Effect, EstadoArchivo, NewUpload, Step};
use super::cierre::{Cierre, EstadoCierre, settle};
use super::events::{Entry, PayrollEvent};
use super::refusal::{ArchivoRefusal, CierreRefusal};
use super::{Change, Stamp};

pub use arrive::*;
pub use work::*;

/// The motive of a file that a newer one replaced.
pub const REPLACED: &str = "resubida";
/// The motive of a file that somebody deleted without saying why.
pub const DELETED_BY_USER: &str = "eliminado_por_usuario";

/// A closing and its files, read together and consistently: at least the live ones, and the one that a decision is about.
#[derive(Clone, Copy, Debug)]
pub struct Dossier<'a> {
    /// The closing.
    pub cierre: &'a Cierre,
    /// Its files.
    pub files: &'a [Archivo],
}

/// What a decision writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The closing.
    pub cierre: Cierre,
    /// The files that changed or are new.
    pub files: Vec<Archivo>,
}

impl Moved {
    /// The file of this id, if it changed.
    pub fn file(&self, id: ArchivoId) -> Option<&Archivo> {
        self.files.iter().find(|file| file.id == id)
    }
}

impl<'a> Dossier<'a> {
    /// The file of this id.
    pub fn file(&self, id: ArchivoId) -> Option<&'a Archivo> {
        self.files.iter().find(|file| file.id == id)
    }

    fn known(&self, id: ArchivoId) -> Result<&'a Archivo, ArchivoRefusal> {
        self.file(id).ok_or(ArchivoRefusal::NotFound)
    }

    /// Announces an upload. Until its object arrives it changes nothing of the closing.
    ///
    /// # Errors
    /// [`CierreRefusal::Finalized`] and [`CierreRefusal::Deleted`].
    pub fn announce(
        &self,
        id: ArchivoId,
        upload: NewUpload,
        stamp: &Stamp,
    ) -> Result<Change<Moved>, CierreRefusal> {
        self.cierre.takes_files()?;
        let tamano = upload.tamano;
        let cierre = (self.cierre.id, self.cierre.cliente_id);
        let file = Archivo::announced(id, cierre, upload, stamp);
        let mut moves = Moves::new(*self);
        moves.record(&stamp.by, |_| PayrollEvent::UploadIniciado {
            file: (&file).into(),
            tamano,
        });
        moves.put(file);
        Ok(moves.finish(&stamp.by, "upload_iniciado", None))
    }

    /// Deletes a file. `headcount`: the employees that the files then in force show, where the file was in force.
    ///
    /// # Errors
    /// [`ArchivoRefusal`].
    pub fn remove(
        &self,
        id: ArchivoId,
        motivo: Option<&str>,
        headcount: Option<u64>,
        stamp: &Stamp,
    ) -> Result<Change<Moved>, ArchivoRefusal> {
        self.cierre.takes_files()?;
        let file = self.known(id)?;
        match file.effect(Step::Delete, stamp.at) {
            Effect::To(estado) => {
                let mut moves = Moves::new(*self);
                moves.end_life(file, estado, &stamp.by, motivo.unwrap_or(DELETED_BY_USER));
                Ok(moves.finish(&stamp.by, "archivo_eliminado", headcount))
            }
            Effect::Refused(refusal) => Err(refusal),
            Effect::Same | Effect::Quarantine | Effect::Discard | Effect::Never => {
                Err(ArchivoRefusal::OutOfPlace)
            }
        }
    }

    /// Has a file in `error` processed once more.
    ///
    /// # Errors
    /// [`ArchivoRefusal`].
    pub fn reprocess(&self, id: ArchivoId, stamp: &Stamp) -> Result<Change<Moved>, ArchivoRefusal> {
        self.cierre.takes_files()?;
        let file = self.known(id)?;
        match file.effect(Step::Reprocess, stamp.at) {
            Effect::To(estado) => {
                let next = Archivo {
                    mensaje: None,
                    procesando_desde: None,
                    ronda: file.ronda + 1,
                    ..file.in_state(estado)
                };
                let mut moves = Moves::new(*self);
                moves.record(&stamp.by, |_| PayrollEvent::ArchivoActualizado {
                    file: file.into(),
                    anterior: file.estado,
                    nuevo: estado,
                    motivo: "reprocesar".to_owned(),
                });
                moves.put(next);
                Ok(moves.finish(&stamp.by, "reprocesar", None))
            }
            Effect::Refused(refusal) => Err(refusal),
            Effect::Same | Effect::Quarantine | Effect::Discard | Effect::Never => {
                Err(ArchivoRefusal::OutOfPlace)
            }
        }
    }
}

/// A decision in the making: the files as they will be, and the events so far.
struct Moves<'a> {
    dossier: Dossier<'a>,
    changed: BTreeMap<ArchivoId, Archivo>,
    events: Vec<Entry>,
}

impl<'a> Moves<'a> {
    const fn new(dossier: Dossier<'a>) -> Self {
        Self {
            dossier,
            changed: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    fn put(&mut self, file: Archivo) {
        self.changed.insert(file.id, file);
    }

    fn record(&mut self, by: &Actor, event: impl FnOnce(&Cierre) -> PayrollEvent) {
        let cierre = self.dossier.cierre;
        self.events.push(cierre.entry(by, event(cierre)));
    }

    fn record_once(&mut self, by: &Actor, key: String, event: PayrollEvent) {
        let cierre = self.dossier.cierre;
        self.events.push(cierre.entry(by, event).once(key));
    }

    /// The files as they will be.
    fn files(&self) -> Vec<&Archivo> {
        let kept = self.dossier.files.iter();
        let kept = kept.filter(|file| !self.changed.contains_key(&file.id));
        kept.chain(self.changed.values()).collect()
    }

    /// A file leaves for good. Only one in force had rows that anybody saw.
    fn end_life(&mut self, file: &Archivo, estado: EstadoArchivo, by: &Actor, motivo: &str) {
        let seen = file.vigente().then(|| file.filas.clone());
        let event = PayrollEvent::ArchivoEliminado {
            file: file.into(),
            estado_anterior: file.estado,
            motivo: motivo.to_owned(),
            registros: seen.unwrap_or_default(),
        };
        self.record_once(by, file.id.to_string(), event);
        self.put(file.in_state(estado));
    }

    /// Replaces what newer files leave no place for: everything older than the newest processed file, and what failed before a newer file
    /// arrived. Seen from the newest to the oldest, so that the outcome does not depend on which came first.
    fn replace_older(&mut self) {
        let mut live: Vec<Archivo> = self
            .files()
            .into_iter()
            .filter(|file| file.estado.is_live() && file.objeto.is_some())
            .cloned()
            .collect();
        live.sort_by(|one, other| other.age().cmp(&one.age()));
        let mut newest = BTreeMap::new();
        for file in live {
            let newer: &mut Newer = newest.entry(file.tipo).or_default();
            let replaced = newer
                .steps()
                .find_map(|(step, by)| match effect_of(&file, step) {
                    Effect::To(estado) => Some((estado, by.clone())),
                    Effect::Same
                    | Effect::Quarantine
                    | Effect::Discard
                    | Effect::Refused(_)
                    | Effect::Never => None,
                });
            match replaced {
                Some((estado, by)) => self.end_life(&file, estado, &by, REPLACED),
                None => newer.note(&file),
            }
        }
    }

    /// The change as a whole. The closing settles when a file enters or leaves the live ones or comes to an end.
    fn finish(mut self, cause: &Actor, motivo: &str, headcount: Option<u64>) -> Change<Moved> {
        self.replace_older();
        let files = self.files();
        let before = |id: ArchivoId| self.dossier.file(id).map(|file| file.estado);
        let settles = self.changed.values().any(|file| {
            let before = before(file.id);
            let was_live = before.is_some_and(EstadoArchivo::is_live);
            was_live != file.estado.is_live()
                || (file.estado.is_ended() && before != Some(file.estado))
        });
        let mut cierre = self.dossier.cierre.touched();
        if settles {
            let in_force = files.iter().filter(|file| file.vigente());
            cierre.archivos = in_force.clone().map(|file| (file.tipo, file.id)).collect();
            cierre.counts.registros = in_force.map(|file| file.filas.total()).sum();
            cierre.counts.archivos = files
                .iter()
                .map(|file| u64::from(file.estado.is_live()))
                .sum();
            cierre.counts.empleados = headcount.unwrap_or(cierre.counts.empleados);
            let estado: EstadoCierre = settle(files.iter().copied());
            cierre.mark_stale();
            let moved = cierre.enter(estado, cause, motivo);
            self.events.extend(moved);
        }
        let files = self.changed.into_values().collect();
        Change::new(Moved { cierre, files }, self.events)
    }
}

/// What stands before a file of a kind, on the way from the newest to the oldest.
#[derive(Default)]
struct Newer {
    arrived: Option<Actor>,
    processed: Option<Actor>,
}

impl Newer {
    fn note(&mut self, file: &Archivo) {
        self.arrived = Some(file.subido_por.clone());
        if file.vigente() {
            self.processed = Some(file.subido_por.clone());
        }
    }

    /// What a file of the kind meets, with the uploader of the newer one.
    fn steps(&self) -> impl Iterator<Item = (Step, &Actor)> {
        let processed = self.processed.iter().map(|by| (Step::NewerProcessed, by));
        let arrived = self.arrived.iter().map(|by| (Step::NewerArrived, by));
        processed.chain(arrived)
    }
}

/// A newer file does the same to an older one at any time.
const fn effect_of(file: &Archivo, step: Step) -> Effect {
    super::archivo::effect(file.estado, step)
}
