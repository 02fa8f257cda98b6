//! Any sequence of commands keeps what a factura promises.

use std::collections::BTreeSet;

use cierre_kernel::role::{Role, Roles};
use proptest::prelude::*;

use super::super::Change;
use super::super::events::Entry;
use super::super::factura::*;
use super::super::fixtures::*;
use super::super::politica::Politica;
use super::super::refusal::FacturaRefusal;
use super::super::workflow::{Accion, Decision, EstadoWorkflow, Workflow};
use crate::rules::consistencia::{divergencias, reparar};
use crate::rules::sincronizacion::{Estado, Sincronizado};
use crate::rules::tablero::Tablero;

#[derive(Clone, Debug)]
enum Act {
    /// Somebody decides: which factura, who, as a delegate or not, approving or not.
    Decide(usize, usize, bool, bool),
    Reopen(usize, usize),
    Assign(usize, usize),
    Delete(usize),
    /// The policy changes: bands or none, self-approval or not.
    Policy(bool, bool),
}

const USERS: [&str; 5] = [JUAN, PEDRO, MARIA, LUIS, ADMIN];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => (0..3_usize, 0..5_usize, any::<bool>(), prop::bool::weighted(0.8)).prop_map(|(n, who, delegate, approve)| Act::Decide(n, who, delegate, approve)),
        3 => (0..3_usize, 0..5_usize).prop_map(|(n, who)| Act::Reopen(n, who)),
        2 => (0..3_usize, 0..5_usize).prop_map(|(n, who)| Act::Assign(n, who)),
        1 => (0..3_usize).prop_map(Act::Delete),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(bands, own)| Act::Policy(bands, own)),
    ]
}

struct World {
    facturas: Vec<Expediente>,
    /// Rounds that ended, as they were then.
    closed: Vec<Vec<Workflow>>,
    events: Vec<Entry>,
    tablero: Tablero,
    politica: Politica,
    second: i64,
}

impl World {
    fn new() -> Self {
        let facturas: Vec<_> = [
            ("4000000.00", Some(JUAN)),
            ("8500000.00", Some(JUAN)),
            ("60000000.00", None),
        ]
        .into_iter()
        .zip(1..)
        .map(|((total, responsable), n)| {
            let mut one = registered(total, responsable);
            one.factura.id = factura_id(n);
            one.workflow.factura_id = factura_id(n);
            one
        })
        .collect();
        let mut tablero = Tablero::default();
        for one in &facturas {
            tablero.apply(&Tablero::delta(None, Some(&one.factura)));
        }
        Self {
            closed: vec![Vec::new(); facturas.len()],
            facturas,
            events: Vec::new(),
            tablero,
            politica: politica(),
            second: 0,
        }
    }

    fn take(&mut self, n: usize, change: Change<Expediente>) {
        let before = &self.facturas[n];
        self.tablero.apply(&Tablero::delta(
            Some(&before.factura),
            Some(&change.state.factura),
        ));
        assert_eq!(change.state.factura.version, before.factura.version + 1);
        assert_eq!(change.events.len(), 1, "an applied command tells one thing");
        if change.state.workflow.ronda > before.workflow.ronda {
            self.closed[n].push(before.workflow.clone());
        }
        // Once set, nobody takes the place of the responsable.
        if let Some(responsable) = before.factura.responsable() {
            assert_eq!(change.state.factura.responsable(), Some(responsable));
        }
        self.events.extend(change.events);
        self.facturas[n] = change.state;
    }

    fn run(&mut self, act: &Act) {
        self.second += 60;
        match *act {
            Act::Decide(n, who, delegado, approving) => {
                let roles = if who == 4 {
                    Roles::of(&[Role::Admin])
                } else {
                    roles_of(USERS[who])
                };
                let caller = Decisor {
                    roles,
                    delegado,
                    ..caller(USERS[who], self.second)
                };
                let voto = if approving { approve() } else { reject() };
                match self.facturas[n].decidir(&voto, &caller) {
                    Ok(change) => self.take(n, change),
                    Err(refusal) => {
                        let state = matches!(
                            refusal,
                            FacturaRefusal::SinResponsable
                                | FacturaRefusal::YaAprobo(_)
                                | FacturaRefusal::YaDecidida(_)
                                | FacturaRefusal::NoEncontrada
                        );
                        assert!(state != refusal.is_denial(), "{refusal}");
                    }
                }
            }
            Act::Reopen(n, who) => {
                if let Ok(change) =
                    self.facturas[n].reabrir(WHY, &self.politica, &stamp(USERS[who], self.second))
                {
                    self.take(n, change);
                }
            }
            Act::Assign(n, who) => {
                if let Ok(change) = self.facturas[n]
                    .factura
                    .asignar(&user(USERS[who]), &stamp(LUIS, self.second))
                {
                    let workflow = self.facturas[n].workflow.clone();
                    self.take(n, change.map(|factura| Expediente { factura, workflow }));
                }
            }
            Act::Delete(n) => {
                if let Ok(change) = self.facturas[n]
                    .factura
                    .eliminar(&stamp(PEDRO, self.second))
                {
                    let workflow = self.facturas[n].workflow.clone();
                    self.take(n, change.map(|factura| Expediente { factura, workflow }));
                }
            }
            Act::Policy(bands, own) => {
                let nueva = politica_nueva(|body| {
                    body["permitir_autoaprobacion"] = own.into();
                    if !bands {
                        body["bandas"] = serde_json::json!({});
                    }
                });
                self.politica = self
                    .politica
                    .replace(&nueva, &stamp(ADMIN, self.second))
                    .unwrap()
                    .state;
            }
        }
    }

    fn check(&self) {
        let mut recount = Tablero::default();
        for (one, closed) in self.facturas.iter().zip(&self.closed) {
            let Expediente { factura, workflow } = one;
            recount.apply(&Tablero::of(factura));
            // I1, I15
            assert_eq!(*factura.sincronizado(), Sincronizado::of(workflow));
            assert_eq!(divergencias(factura, Some(workflow)), []);
            assert_eq!(
                reparar(factura, Some(workflow), &stamp(ADMIN, self.second)),
                None
            );
            // I2
            assert!(
                !factura.estado().is_decided() || factura.sincronizado().accion_por().is_some()
            );
            // I11
            assert_eq!(closed.len() + 1, workflow.ronda as usize);
            for (round, n) in closed.iter().chain([workflow]).zip(1..) {
                assert_eq!((round.ronda, round.factura_id), (n, factura.id));
                check_round(round, factura);
            }
        }
        // I12
        assert_eq!(self.tablero, recount);
        // I6
        let decided = self
            .facturas
            .iter()
            .flat_map(|one| &one.workflow.decisiones)
            .count()
            + self
                .closed
                .iter()
                .flatten()
                .flat_map(|round| &round.decisiones)
                .count();
        let told = self
            .events
            .iter()
            .filter(|entry| entry.event.row().details.contains(&"calidad"))
            .count();
        assert_eq!(decided, told);
    }
}

/// I7: a round ends approved after the approvals that it needs, by disjoint people, none of them the registrar unless marked.
fn check_round(round: &Workflow, factura: &Factura) {
    let approvals: Vec<&Decision> = round.approvals().collect();
    let required = round.politica.aprobaciones_requeridas as usize;
    assert!(approvals.len() <= required);
    assert_eq!(
        round.estado == EstadoWorkflow::AprobadaManual,
        approvals.len() == required && round.aprobada
    );
    let mut people = BTreeSet::new();
    for approval in &approvals {
        for person in approval.people() {
            assert!(
                people.insert(person.id.clone()),
                "{} stands behind two approvals",
                person.nombre
            );
            let registrar = person.id == factura.registrada_por.id;
            assert!(!registrar || approval.sod_excepcion);
        }
    }
    let rejections = round
        .decisiones
        .iter()
        .filter(|one| one.accion == Accion::Rechazar)
        .count();
    assert_eq!(rejections, usize::from(round.rechazada));
    assert!(!(round.aprobada && round.rechazada));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_commands_keeps_the_promises(acts in prop::collection::vec(act(), 0..40)) {
        let mut world = World::new();
        for act in &acts {
            world.run(act);
            world.check();
        }
    }

    /// I6: of simultaneous decisions judged one after the other on what the former left, the applied ones are a legal sequence.
    #[test]
    fn of_simultaneous_decisions_no_more_are_applied_than_the_round_takes(order in Just(vec![0_usize, 2, 3, 4]).prop_shuffle(), rejecting in 0..4_usize) {
        let mut one = large();
        let mut applied = 0;
        for (n, who) in order.into_iter().enumerate() {
            let caller = Decisor { delegado: who == 2, ..caller(USERS[who], n as i64 + 1) };
            let voto = if n == rejecting { reject() } else { approve() };
            match one.decidir(&voto, &caller) {
                Ok(change) => {
                    applied += 1;
                    one = change.state;
                }
                Err(refusal) => prop_assert!(matches!(refusal, FacturaRefusal::YaDecidida(_) | FacturaRefusal::YaAprobo(_))),
            }
        }
        prop_assert!((1..=2).contains(&applied));
        prop_assert_eq!(one.workflow.decisiones.len(), applied);
        let estado = one.factura.estado();
        prop_assert!(matches!(estado, Estado::Aprobada | Estado::Rechazada), "{}", estado);
    }
}
