//! Uploads in any order, any number of times, with workers that are slow, fast, and repeat themselves: the same states at the end.

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::decision::Decision;
use cierre_kernel::id::ArchivoId;
use proptest::prelude::*;

use super::super::archivo::{Archivo, EstadoArchivo};
use super::super::cierre::{Cierre, EstadoCierre, settle};
use super::super::dossier::{Moved, Reading};
use super::super::drop::{Landing, ObjectEvent, land};
use super::super::events::Entry;
use super::super::fixtures::*;
use super::super::refusal::ArchivoRefusal;
use super::super::{Change, Decided};
use crate::kind::Kind;

const KINDS: [Kind; 3] = [
    Kind::LibroRemuneraciones,
    Kind::MovimientosMes,
    Kind::Ingresos,
];

/// What becomes of a file when a worker looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Right,
    Wrong,
    Fails,
}

/// An object that somebody puts.
#[derive(Clone, Debug)]
struct Upload {
    event: ObjectEvent,
    fate: Fate,
}

/// Uploads of several kinds: dropped, announced, and announced with a second version at the same key. Some are taken in the same second.
fn uploads() -> impl Strategy<Value = (Vec<Archivo>, Vec<Upload>)> {
    let fate = prop_oneof![3 => Just(Fate::Right), 1 => Just(Fate::Wrong), 1 => Just(Fate::Fails)];
    let one = (0..KINDS.len(), 0..3_u8, 0..6_i64, fate.clone(), fate);
    prop::collection::vec(one, 1..7).prop_map(|all| {
        let mut announced = Vec::new();
        let mut uploads = Vec::new();
        for ((kind, how, second, first, other), n) in all.into_iter().zip(100..) {
            let kind = KINDS[kind];
            let waiting = file(kind, n, EstadoArchivo::Esperando, 0);
            let key = if how == 0 {
                drop_key(kind)
            } else {
                api_key(kind, waiting.id)
            };
            let unique = |event: ObjectEvent, version: u8| ObjectEvent {
                version_id: Some(format!("v{n}.{version}")),
                sequencer: format!("{n}{version}"),
                ..event
            };
            uploads.push(Upload {
                event: unique(object(&key, second), 1),
                fate: first,
            });
            if how > 0 {
                announced.push(waiting);
            }
            if how == 2 {
                // Of one key the bucket takes one version at a time.
                let later = unique(object(&key, second + 10), 2);
                uploads.push(Upload {
                    event: later,
                    fate: other,
                });
            }
        }
        (announced, uploads)
    })
}

/// A closing with what has happened to it.
struct World {
    cierre: Cierre,
    files: BTreeMap<ArchivoId, Archivo>,
    fates: BTreeMap<String, Fate>,
    told: Vec<Entry>,
}

impl World {
    fn new(announced: &[Archivo], uploads: &[Upload]) -> Self {
        Self {
            cierre: begun(),
            files: announced
                .iter()
                .map(|file| (file.id, file.clone()))
                .collect(),
            fates: uploads
                .iter()
                .map(|one| (one.event.identity(), one.fate))
                .collect(),
            told: Vec::new(),
        }
    }

    fn list(&self) -> Vec<Archivo> {
        self.files.values().cloned().collect()
    }

    fn take(&mut self, change: Change<Moved>) {
        self.told.extend(change.events);
        self.cierre = change.state.cierre;
        self.files
            .extend(change.state.files.into_iter().map(|file| (file.id, file)));
        self.check();
    }

    fn arrive(&mut self, event: &ObjectEvent) {
        let files = self.list();
        let seen = files.iter().any(|file| {
            file.objeto
                .as_ref()
                .is_some_and(|known| known.identidad == event.identity())
        });
        let cierre = self.cierre.clone();
        match land(event, true, Some(&dossier(&cierre, &files)), &worker(20)) {
            Landing::Seen => assert!(seen),
            Landing::Received(_, change) => {
                assert!(!seen, "a duplicate is no file");
                self.take(*change);
            }
            Landing::Quarantined(found) => panic!("{found:?}"),
        }
    }

    /// One step of the worker that has this file; `twice`: it dies after the step is written and another one repeats it.
    fn work(&mut self, id: ArchivoId, twice: bool) {
        let Some(file) = self.files.get(&id).cloned() else {
            return;
        };
        let Some(fate) = file
            .objeto
            .as_ref()
            .and_then(|known| self.fates.get(&known.identidad))
        else {
            return;
        };
        let fate = *fate;
        if file.estado == EstadoArchivo::Recibido {
            self.files
                .insert(id, done(file.begin(at(20)).unwrap()).state);
            return;
        }
        self.step(id, file.estado, fate);
        if twice {
            let before = (self.cierre.clone(), self.list(), self.told.len());
            self.step(id, file.estado, fate);
            assert_eq!((self.cierre.clone(), self.list(), self.told.len()), before);
        }
    }

    fn step(&mut self, id: ArchivoId, seen: EstadoArchivo, fate: Fate) {
        let (cierre, files) = (self.cierre.clone(), self.list());
        let dossier = dossier(&cierre, &files);
        let stamp = worker(20);
        let reading: Reading = if fate == Fate::Wrong {
            faulty()
        } else {
            clean()
        };
        let decided: Decided<Moved, ArchivoRefusal> = match (seen, fate) {
            (EstadoArchivo::Validando, Fate::Right | Fate::Wrong) => {
                dossier.validated(id, &reading, &stamp)
            }
            (EstadoArchivo::Procesando, Fate::Right | Fate::Wrong) => {
                dossier.switched(id, &processing(), &stamp)
            }
            (_, Fate::Fails) => dossier.exhausted(id, "Reprocess it.", 3, &stamp),
            (_, Fate::Right | Fate::Wrong) => return,
        };
        match decided {
            Ok(Decision::Applied(change)) => self.take(change),
            Ok(Decision::Replayed(change)) => assert_eq!(change.events, []),
            Err(ArchivoRefusal::NotLive) => {}
            Err(other) => panic!("{other}"),
        }
    }

    fn check(&self) {
        let files = self.list();
        let in_force: BTreeMap<Kind, ArchivoId> = files
            .iter()
            .filter(|file| file.vigente())
            .map(|file| (file.tipo, file.id))
            .collect();
        let count = files.iter().filter(|file| file.vigente()).count();
        assert_eq!(
            in_force.len(),
            count,
            "one file in force of each kind at most"
        );
        assert_eq!(in_force, self.cierre.archivos);
        assert_eq!(self.cierre.estado, settle(&files));
        let live = files.iter().filter(|file| file.estado.is_live());
        assert_eq!(self.cierre.counts.archivos, live.count() as u64);
        for older in &files {
            let newer = |file: &&Archivo| file.tipo == older.tipo && file.is_newer_than(older);
            assert!(!older.estado.is_live() || !files.iter().filter(newer).any(Archivo::vigente));
        }
        let ids: Vec<_> = self.told.iter().filter_map(Entry::id).collect();
        let distinct: BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "no event twice");
    }

    /// Everything that was put, by object, and the closing.
    fn outcome(
        &self,
    ) -> (
        BTreeMap<String, EstadoArchivo>,
        EstadoCierre,
        BTreeMap<Kind, String>,
        u64,
    ) {
        let identity = |file: &Archivo| file.objeto.as_ref().map(|known| known.identidad.clone());
        let states = self
            .files
            .values()
            .filter_map(|file| Some((identity(file)?, file.estado)));
        let in_force = self.files.values().filter(|file| file.vigente());
        let in_force = in_force.filter_map(|file| Some((file.tipo, identity(file)?)));
        (
            states.collect(),
            self.cierre.estado,
            in_force.collect(),
            self.cierre.counts.registros,
        )
    }
}

/// Everything arrives in the order in which it was put, and each file is worked to its end before the next one arrives.
fn orderly(announced: &[Archivo], uploads: &[Upload]) -> World {
    let mut world = World::new(announced, uploads);
    let mut uploads = uploads.to_vec();
    uploads.sort_by_key(|one| (one.event.modificado_en, one.event.sequencer.clone()));
    for upload in &uploads {
        world.arrive(&upload.event);
        finish(&mut world, false);
    }
    world
}

fn finish(world: &mut World, twice: bool) {
    let working = |world: &World| {
        world
            .files
            .values()
            .find(|file| file.estado.is_in_process())
            .map(|file| file.id)
    };
    while let Some(id) = working(world) {
        world.work(id, twice);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_order_and_repetition_of_arrivals_ends_in_the_same_states(
        (announced, uploads) in uploads(),
        choices in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<bool>()), 0..60),
    ) {
        let expected = orderly(&announced, &uploads).outcome();
        let mut world = World::new(&announced, &uploads);
        for (which, what, twice) in choices {
            if what == 0 {
                // Any of them, also one that has arrived before.
                world.arrive(&which.get(&uploads).event);
            } else if !world.files.is_empty() {
                let ids: Vec<ArchivoId> = world.files.keys().copied().collect();
                world.work(*which.get(&ids), twice);
            }
        }
        for upload in uploads.iter().rev() {
            world.arrive(&upload.event);
        }
        finish(&mut world, true);
        prop_assert_eq!(world.outcome(), expected);
        let told = world.told.len();
        for upload in &uploads {
            world.arrive(&upload.event);
        }
        prop_assert_eq!(world.told.len(), told, "a duplicate adds no event");
    }
}

#[test]
fn the_newest_that_is_right_is_in_force_and_what_failed_before_it_is_gone() {
    let put = |second: i64, fate: Fate| Upload {
        event: object(&drop_key(Kind::Ingresos), second),
        fate,
    };
    let uploads = [
        put(1, Fate::Right),
        put(2, Fate::Wrong),
        put(3, Fate::Right),
        put(4, Fate::Fails),
        put(5, Fate::Wrong),
    ];
    let world = orderly(&[], &uploads);
    let (states, estado, in_force, _) = world.outcome();
    let seen: Vec<_> = uploads
        .iter()
        .map(|one| states[&one.event.identity()])
        .collect();
    use EstadoArchivo::{ConErrores, Procesado, Reemplazado};
    assert_eq!(
        seen,
        [Reemplazado, Reemplazado, Procesado, Reemplazado, ConErrores]
    );
    assert_eq!(in_force[&Kind::Ingresos], uploads[2].event.identity());
    assert_eq!(estado, EstadoCierre::CargandoArchivos);
}

/// Which of two versions of a key takes the id that the key names is chance; which is newer is not.
#[test]
fn versions_of_a_key_keep_their_order_among_files_of_the_same_second() {
    let (one, other) = (
        file(Kind::Ingresos, 5, EstadoArchivo::Esperando, 0),
        file(Kind::Ingresos, 6, EstadoArchivo::Esperando, 0),
    );
    let put = |archivo: &Archivo, second: i64, sequencer: &str| {
        let event = object(&api_key(Kind::Ingresos, archivo.id), second);
        let event = ObjectEvent {
            version_id: Some(sequencer.to_owned()),
            sequencer: sequencer.to_owned(),
            ..event
        };
        Upload {
            event,
            fate: Fate::Right,
        }
    };
    let early = put(&one, 3, "1");
    let uploads = [early.clone(), put(&one, 3, "2"), put(&other, 3, "0")];
    let announced = [one, other];
    let expected = orderly(&announced, &uploads).outcome();
    assert_eq!(expected.2[&Kind::Ingresos], uploads[2].event.identity());
    for order in [[1, 0, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1], [2, 0, 1]] {
        let mut world = World::new(&announced, &uploads);
        for at in order {
            world.arrive(&uploads[at].event);
        }
        finish(&mut world, false);
        assert_eq!(world.outcome(), expected, "{order:?}");
    }
}
