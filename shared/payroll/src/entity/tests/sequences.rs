//! Any sequence of commands keeps what a closing promises.

use cierre_kernel::decision::Decision;
use cierre_kernel::id::{ArchivoId, DiscrepanciaId, IncidenciaId};
use proptest::prelude::*;
use serde_json::json;
use ulid::Ulid;

use super::super::archivo::{Archivo, EstadoArchivo};
use super::super::cierre::*;
use super::super::discrepancia::*;
use super::super::dossier::{Moved, REPLACED};
use super::super::drop::{Landing, land};
use super::super::events::PayrollEvent;
use super::super::fixtures::*;
use super::super::incidencia::*;
use super::super::refusal::{CierreRefusal, CloseRefusal};
use super::super::trabajo::{TipoTrabajo, Trabajo};
use super::super::{Caller, Change};
use crate::kind::Kind;
use crate::rules::discrepancies::Severidad;
use crate::rules::incidencias::Prioridad;
use crate::rules::merge::{EstadoDiscrepancia, EstadoIncidencia};

const USERS: [&str; 3] = [JUAN, MARIA, ADMIN];
const KINDS: [Kind; 3] = [
    Kind::LibroRemuneraciones,
    Kind::MovimientosMes,
    Kind::Ingresos,
];

#[derive(Clone, Debug)]
enum Act {
    /// An object of a kind is dropped; late ones are older than what is there.
    Drop(usize, bool),
    /// The worker goes on with a file; with errors or not.
    Work(usize, bool),
    Exhaust(usize),
    Remove(usize),
    Reprocess(usize),
    Ask(TipoTrabajo),
    /// The job ends and has found these, blocking or critical or not.
    End(TipoTrabajo, Vec<bool>),
    Fail(TipoTrabajo),
    Correct(usize, usize),
    Decide(usize, usize, u8),
    Finalise,
    Reopen,
    Delete,
}

fn job() -> impl Strategy<Value = TipoTrabajo> {
    prop_oneof![
        Just(TipoTrabajo::GenerarDiscrepancias),
        Just(TipoTrabajo::GenerarIncidencias)
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..3_usize, prop::bool::weighted(0.2)).prop_map(|(kind, late)| Act::Drop(kind, late)),
        20 => (0..8_usize, prop::bool::weighted(0.1)).prop_map(|(file, wrong)| Act::Work(file, wrong)),
        1 => (0..8_usize).prop_map(Act::Exhaust),
        1 => (0..8_usize).prop_map(Act::Remove),
        1 => (0..8_usize).prop_map(Act::Reprocess),
        8 => job().prop_map(Act::Ask),
        8 => (job(), prop::collection::vec(prop::bool::weighted(0.3), 0..3)).prop_map(|(tipo, found)| Act::End(tipo, found)),
        1 => job().prop_map(Act::Fail),
        6 => (0..3_usize, 0..3_usize).prop_map(|(which, user)| Act::Correct(which, user)),
        12 => (0..3_usize, 0..3_usize, 0..3_u8).prop_map(|(which, user, what)| Act::Decide(which, user, what)),
        5 => Just(Act::Finalise),
        1 => Just(Act::Reopen),
        1 => prop::bool::weighted(0.1).prop_map(|really| if really { Act::Delete } else { Act::Finalise }),
    ]
}

/// A way to the end, so that what lies behind it is tried too.
fn prelude() -> Vec<Act> {
    use TipoTrabajo::{GenerarDiscrepancias, GenerarIncidencias};
    let mut acts = vec![Act::Drop(0, false), Act::Drop(1, false)];
    acts.extend((0..6).map(|n| Act::Work(n % 2, false)));
    acts.extend([
        Act::Ask(GenerarDiscrepancias),
        Act::End(GenerarDiscrepancias, vec![true, false]),
        Act::Correct(0, 1),
        Act::Ask(GenerarIncidencias),
        Act::End(GenerarIncidencias, vec![true, false]),
        Act::Decide(0, 0, 0),
        Act::Decide(0, 1, 1),
    ]);
    acts
}

struct Life {
    cierre: Cierre,
    files: Vec<Archivo>,
    discrepancias: Vec<Discrepancia>,
    incidencias: Vec<Incidencia>,
    jobs: [Option<Trabajo>; 2],
    second: i64,
    sealed: Option<Cierre>,
}

impl Life {
    fn new() -> Self {
        Self {
            cierre: begun(),
            files: Vec::new(),
            discrepancias: Vec::new(),
            incidencias: Vec::new(),
            jobs: [None, None],
            second: 100,
            sealed: None,
        }
    }

    fn id(&self, which: usize) -> ArchivoId {
        self.files.get(which).map_or(archivo_id(1), |file| file.id)
    }

    fn slot(tipo: TipoTrabajo) -> usize {
        match tipo {
            TipoTrabajo::GenerarDiscrepancias => 0,
            TipoTrabajo::GenerarIncidencias => 1,
        }
    }

    fn moved(&mut self, change: Change<Moved>) {
        self.cierre = change.state.cierre;
        for file in change.state.files {
            self.files.retain(|known| known.id != file.id);
            self.files.push(file);
        }
        self.files.sort_by_key(|file| file.id);
        for entry in change.events {
            if let PayrollEvent::ArchivoEliminado { file, motivo, .. } = entry.event {
                let known = self.files.iter().find(|known| known.id == file.id).unwrap();
                let expected = if motivo == REPLACED {
                    EstadoArchivo::Reemplazado
                } else {
                    EstadoArchivo::Eliminado
                };
                assert_eq!(known.estado, expected);
            }
        }
    }

    /// Discrepancies as a job would store them: as many as were found, none of the former ones.
    fn found_discrepancias(&mut self, found: &[bool]) -> FoundDiscrepancias {
        let libro = self
            .cierre
            .archivos
            .get(&Kind::LibroRemuneraciones)
            .copied();
        self.discrepancias = found
            .iter()
            .zip(1..)
            .map(|(blocking, n)| {
                let severidad = if *blocking {
                    Severidad::Bloqueante
                } else {
                    Severidad::Advertencia
                };
                let mut one = discrepancia(severidad, EstadoDiscrepancia::Abierta);
                one.found.id = DiscrepanciaId::new(Ulid(n));
                one.found.ubicaciones[0].archivo_id = libro.unwrap_or(archivo_id(1));
                one
            })
            .collect();
        found_discrepancias(
            found.len() as u64,
            found.iter().filter(|blocking| **blocking).count() as u64,
        )
    }

    fn found_incidencias(&mut self, found: &[bool]) -> FoundIncidencias {
        self.incidencias = found
            .iter()
            .zip(1..)
            .map(|(critical, n)| {
                let prioridad = if *critical {
                    Prioridad::Critica
                } else {
                    Prioridad::Alta
                };
                let mut one = incidencia(prioridad, EstadoIncidencia::Pendiente);
                one.found.id = IncidenciaId::new(Ulid(n));
                one
            })
            .collect();
        found_incidencias(
            found.len() as u64,
            found.iter().filter(|critical| **critical).count() as u64,
        )
    }

    fn run(&mut self, act: Act) {
        self.second += 1;
        let stamp = worker(self.second);
        let (cierre, files) = (self.cierre.clone(), self.files.clone());
        let dossier = dossier(&cierre, &files);
        match act {
            Act::Drop(kind, late) => {
                let taken = if late { 1 } else { self.second };
                let mut event = object(&drop_key(KINDS[kind]), taken);
                event.version_id = Some(self.second.to_string());
                match land(&event, true, Some(&dossier), &stamp) {
                    Landing::Received(_, change) => self.moved(*change),
                    Landing::Quarantined(_) => {
                        let ended = matches!(
                            cierre.estado,
                            EstadoCierre::Finalizado | EstadoCierre::Eliminado
                        );
                        assert!(ended, "only a closing at its end puts an object aside");
                    }
                    Landing::Seen => panic!("a new version was never seen"),
                }
            }
            Act::Work(which, wrong) => {
                let id = self.id(which);
                let estado = files.get(which).map(|file| file.estado);
                let decided = match estado {
                    Some(EstadoArchivo::Recibido) => {
                        self.files[which] =
                            files[which].begin(stamp.at).unwrap().into_inner().state;
                        return;
                    }
                    Some(EstadoArchivo::Validando) => {
                        let reading = if wrong { faulty() } else { clean() };
                        dossier.validated(id, &reading, &stamp)
                    }
                    _ => dossier.switched(id, &processing(), &stamp),
                };
                if let Ok(Decision::Applied(change)) = decided {
                    self.moved(change);
                }
            }
            Act::Exhaust(which) => {
                if let Ok(Decision::Applied(change)) =
                    dossier.exhausted(self.id(which), "Again.", 3, &stamp)
                {
                    self.moved(change);
                }
            }
            Act::Remove(which) => {
                if let Ok(change) =
                    dossier.remove(self.id(which), None, Some(1), &stamp_of(JUAN, self.second))
                {
                    self.moved(change);
                }
            }
            Act::Reprocess(which) => {
                if let Ok(change) = dossier.reprocess(self.id(which), &stamp_of(JUAN, self.second))
                {
                    self.moved(change);
                }
            }
            Act::Ask(tipo) => {
                let id = trabajo_id(self.second as u128);
                if let Ok(Requested::New(asked)) =
                    cierre.request(tipo, id, &stamp_of(JUAN, self.second))
                {
                    let (cierre, job) = *asked;
                    self.cierre = cierre;
                    self.jobs[Self::slot(tipo)] = Some(job);
                }
            }
            Act::End(tipo, found) => self.end(tipo, &found),
            Act::Fail(tipo) => {
                if let Some(job) = self.jobs[Self::slot(tipo)].take() {
                    let failure = (CierreRefusal::InputsChanged.code(), "Again.");
                    self.cierre = done(cierre.job_failed(&job, failure, &stamp)).state.0;
                }
            }
            Act::Correct(which, user) => {
                let Some(one) = self.discrepancias.get(which) else {
                    return;
                };
                let correccion = Correccion { justificacion: WHY };
                if let Ok(change) = cierre.correct(one, &correccion, &files, &by(USERS[user])) {
                    (self.cierre, self.discrepancias[which]) = change.state;
                }
            }
            Act::Decide(which, user, what) => {
                let Some(one) = self.incidencias.get(which) else {
                    return;
                };
                let veredicto = match what {
                    0 => Veredicto::Resolver {
                        resolucion: "correcta",
                        justificacion: WHY,
                    },
                    1 => Veredicto::Aprobar { comentario: None },
                    _ => Veredicto::Rechazar {
                        comentario: Some(WHY),
                    },
                };
                if let Ok(change) = cierre.decide(one, &veredicto, &by(USERS[user])) {
                    (self.cierre, self.incidencias[which]) = change.state;
                }
            }
            Act::Finalise => self.finalise(),
            Act::Reopen => {
                if let Ok(change) = cierre.reopen(WHY, &stamp_of(MARIA, self.second)) {
                    self.cierre = change.state;
                    self.sealed = None;
                }
            }
            Act::Delete => {
                if let Ok(change) = cierre.delete(WHY, &stamp_of(JUAN, self.second)) {
                    self.cierre = change.state;
                }
            }
        }
    }

    fn end(&mut self, tipo: TipoTrabajo, found: &[bool]) {
        let Some(job) = self.jobs[Self::slot(tipo)].take() else {
            return;
        };
        let stamp = worker(self.second);
        let cierre = self.cierre.clone();
        let before = (self.discrepancias.clone(), self.incidencias.clone());
        let ended = match tipo {
            TipoTrabajo::GenerarDiscrepancias => {
                let found = self.found_discrepancias(found);
                cierre.discrepancias_generated(&job, found, &stamp)
            }
            TipoTrabajo::GenerarIncidencias => {
                let found = self.found_incidencias(found);
                cierre.incidencias_generated(&job, found, &stamp)
            }
        };
        match ended {
            Ok(decision) => self.cierre = done(decision).state.0,
            Err(refusal) => {
                (self.discrepancias, self.incidencias) = before;
                let failure = (refusal.code(), "Generate again.");
                self.cierre = done(cierre.job_failed(&job, failure, &stamp)).state.0;
            }
        }
    }

    fn finalise(&mut self) {
        let blocking = |one: &&Discrepancia| {
            one.found.severidad == Severidad::Bloqueante
                && one.life.estado == EstadoDiscrepancia::Abierta
        };
        let critical = |one: &&Incidencia| {
            one.found.prioridad == Prioridad::Critica && one.life.estado.is_open()
        };
        let discrepancias: Vec<_> = self
            .discrepancias
            .iter()
            .filter(blocking)
            .cloned()
            .collect();
        let incidencias: Vec<_> = self.incidencias.iter().filter(critical).cloned().collect();
        let facts = CloseFacts {
            files: &self.files,
            discrepancias: &discrepancias,
            incidencias: &incidencias,
        };
        let draft = SealDraft {
            sello: "cd".into(),
            manifiesto: json!({}),
        };
        match self
            .cierre
            .finalise(&facts, draft, &stamp_of(JUAN, self.second))
        {
            Ok(change) => {
                self.cierre = change.state.0;
                self.sealed = Some(self.cierre.clone());
            }
            Err(CloseRefusal::Blocked(blocked)) => {
                assert!(blocked.total > 0, "a refusal has a reason");
                assert_eq!(blocked.total, blocked.reasons.len() as u64);
            }
            Err(CloseRefusal::State(_)) => {}
        }
    }

    fn check(&self) {
        let cierre = &self.cierre;
        let open_blocking = self.discrepancias.iter().any(|one| {
            one.found.severidad == Severidad::Bloqueante
                && one.life.estado == EstadoDiscrepancia::Abierta
        });
        let open = self
            .incidencias
            .iter()
            .filter(|one| one.life.estado.is_open());
        let results = &cierre.resultados;
        let in_force = |kind: &Kind| {
            self.files
                .iter()
                .any(|file| file.tipo == *kind && file.vigente())
                && cierre.archivos.contains_key(kind)
        };
        match cierre.estado {
            EstadoCierre::Finalizado => {
                assert!(REQUIRED.iter().all(in_force), "required files are in force");
                assert!(results.discrepancias.vigente && results.incidencias.vigente);
                assert!(!open_blocking);
                assert!(
                    !open
                        .clone()
                        .any(|one| one.found.prioridad == Prioridad::Critica)
                );
                assert!(
                    self.files
                        .iter()
                        .all(|file| !file.estado.is_live() || file.vigente())
                );
                assert_eq!(
                    self.sealed.as_ref(),
                    Some(cierre),
                    "a sealed closing never changes"
                );
                assert_eq!(cierre.trabajos, Running::default());
            }
            EstadoCierre::ConIncidencias | EstadoCierre::IncidenciasResueltas => {
                assert!(
                    results.discrepancias.vigente && results.incidencias.vigente && !open_blocking
                );
                let resolved = cierre.estado == EstadoCierre::IncidenciasResueltas;
                assert_eq!(open.clone().count() == 0, resolved);
                assert_eq!(cierre.counts.incidencias_pendientes, open.count() as u64);
            }
            EstadoCierre::ConDiscrepancias => {
                assert!(
                    results.discrepancias.vigente && !results.incidencias.vigente && open_blocking
                );
            }
            EstadoCierre::VerificadoSinDiscrepancias => {
                assert!(results.discrepancias.vigente && !open_blocking);
                assert!(!results.incidencias.vigente);
            }
            EstadoCierre::Pendiente
            | EstadoCierre::CargandoArchivos
            | EstadoCierre::ArchivosCompletos => {
                assert_eq!(cierre.estado, settle(&self.files));
                assert!(!results.discrepancias.vigente && !results.incidencias.vigente);
            }
            EstadoCierre::Reabierto => {
                assert_eq!(settle(&self.files), EstadoCierre::ArchivosCompletos);
                assert!(!results.discrepancias.vigente && !results.incidencias.vigente);
            }
            EstadoCierre::Eliminado => {}
        }
        for one in &self.incidencias {
            for (before, after) in one.life.historial.iter().zip(&one.life.historial[1..]) {
                let decided = matches!(
                    after.estado,
                    EstadoIncidencia::AprobadaSupervisor | EstadoIncidencia::RechazadaSupervisor
                );
                assert!(!decided || before.estado == EstadoIncidencia::ResueltaAnalista);
                assert!(
                    !decided || before.user != after.user,
                    "nobody decides on what they resolved"
                );
            }
        }
        let stored = serde_json::to_string(cierre).unwrap();
        assert_eq!(&serde_json::from_str::<Cierre>(&stored).unwrap(), cierre);
    }
}

fn by(user: &str) -> Caller {
    // An administrator has both pairs of eyes, and only one at a time.
    caller(user)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_sequence_of_commands_keeps_what_a_closing_promises(
        from in 0..=prelude().len(),
        acts in prop::collection::vec(act(), 0..60),
    ) {
        let mut life = Life::new();
        for act in prelude().into_iter().take(from).chain(acts) {
            let before = life.cierre.version;
            life.run(act);
            life.check();
            prop_assert!(life.cierre.version >= before);
        }
    }
}

#[test]
fn the_way_to_the_end_ends() {
    let mut life = Life::new();
    for act in prelude() {
        life.run(act);
        life.check();
    }
    assert_eq!(life.cierre.estado, EstadoCierre::ConIncidencias);
    life.run(Act::Finalise);
    life.check();
    assert_eq!(life.cierre.estado, EstadoCierre::Finalizado);
}

/// Closing races with an arriving file: whichever commits first, the other one sees it.
#[test]
fn closing_and_an_arrival_never_miss_each_other() {
    let files = required();
    let cierre = in_state(EstadoCierre::IncidenciasResueltas);
    let event = object(&drop_key(Kind::Ingresos), 50);
    let facts = |files| CloseFacts {
        files,
        discrepancias: &[],
        incidencias: &[],
    };
    let draft = || SealDraft {
        sello: "cd".into(),
        manifiesto: json!({}),
    };

    let landing = land(&event, true, Some(&dossier(&cierre, &files)), &worker(51));
    let Landing::Received(_, change) = landing else {
        panic!("{landing:?}")
    };
    let all: Vec<Archivo> = files.iter().cloned().chain(change.state.files).collect();
    let refused = change
        .state
        .cierre
        .finalise(&facts(&all), draft(), &stamp_of(JUAN, 52));
    assert!(
        matches!(refused, Err(CloseRefusal::Blocked(_))),
        "the file is in and closing is refused"
    );

    let sealed = cierre
        .finalise(&facts(&files), draft(), &stamp_of(JUAN, 51))
        .unwrap();
    let landing = land(
        &event,
        true,
        Some(&dossier(&sealed.state.0, &files)),
        &worker(52),
    );
    assert!(
        matches!(landing, Landing::Quarantined(_)),
        "closing won and the object is put aside"
    );
    assert!(
        sealed.state.0.version > cierre.version && change.state.cierre.version > cierre.version
    );
}
