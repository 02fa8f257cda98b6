use cierre_kernel::role::{Role, Roles};
use cierre_kernel::words::UnknownWord;
use rstest::rstest;

use super::super::Caller;
use super::super::archivo::{Archivo, EstadoArchivo};
use super::super::cierre::{Cierre, EstadoCierre};
use super::super::discrepancia::*;
use super::super::fixtures::*;
use super::super::incidencia::*;
use super::super::refusal::{CierreRefusal, ReviewRefusal};
use crate::kind::Kind;
use crate::rules::discrepancies::Severidad;
use crate::rules::incidencias::Prioridad;
use crate::rules::merge::{EstadoDiscrepancia, EstadoIncidencia, State};

/// Section 3.3.
const DISCREPANCIAS: &str = "
| Discrepancia | corregir | same | other | missing |
| abierta | justificada | abierta | abierta | corregida |
| justificada | discrepancy_closed | justificada | abierta | corregida |
| corregida | discrepancy_closed | abierta | abierta | corregida |
";

const INCIDENCIAS: &str = "
| Incidencia | resolver | aprobar | rechazar | same | other | missing |
| pendiente | resuelta_analista | incidence_state | incidence_state | pendiente | pendiente | obsoleta |
| resuelta_analista | incidence_state | aprobada_supervisor | rechazada_supervisor | resuelta_analista | pendiente | obsoleta |
| rechazada_supervisor | resuelta_analista | incidence_state | incidence_state | rechazada_supervisor | pendiente | obsoleta |
| aprobada_supervisor | incidence_state | incidence_state | incidence_state | aprobada_supervisor | pendiente | obsoleta |
| obsoleta | incidence_state | incidence_state | incidence_state | pendiente | pendiente | obsoleta |
";

fn word(result: Result<&'static str, ReviewRefusal>) -> &'static str {
    result.unwrap_or_else(|refusal| refusal.code().as_str())
}

#[test]
fn every_cell_of_the_table_of_discrepancies_is_as_in_the_contract() {
    let states: Vec<_> = EstadoDiscrepancia::ALL
        .iter()
        .map(|one| one.as_str())
        .collect();
    let columns = ["corregir", "same", "other", "missing"];
    for (estado, column, expected) in cells(DISCREPANCIAS, &states, &columns) {
        let estado_of = estado.parse::<EstadoDiscrepancia>().unwrap();
        let found = match column.parse() {
            Ok(seen) => estado_of.after(seen).as_str(),
            Err(UnknownWord) => {
                let justified = cierre().correct(
                    &discrepancia(Severidad::Advertencia, estado_of),
                    &Correccion { justificacion: WHY },
                    &[],
                    &caller(JUAN),
                );
                word(justified.map(|change| change.state.1.life.estado.as_str()))
            }
        };
        assert_eq!(found, expected, "{estado}, {column}");
    }
}

#[test]
fn every_cell_of_the_table_of_incidences_is_as_in_the_contract() {
    let states: Vec<_> = EstadoIncidencia::ALL
        .iter()
        .map(|one| one.as_str())
        .collect();
    let columns = [
        "resolver", "aprobar", "rechazar", "same", "other", "missing",
    ];
    for (estado, column, expected) in cells(INCIDENCIAS, &states, &columns) {
        let estado_of = estado.parse::<EstadoIncidencia>().unwrap();
        let one = incidencia(Prioridad::Media, estado_of);
        let decided = |veredicto: Veredicto<'_>, user: &str| {
            let cierre = in_state(EstadoCierre::ConIncidencias);
            let decided = cierre.decide(&one, &veredicto, &caller(user));
            word(decided.map(|change| change.state.1.life.estado.as_str()))
        };
        let found = match (column.parse(), column) {
            (Ok(seen), _) => estado_of.after(seen).as_str(),
            (Err(UnknownWord), "resolver") => decided(RESOLVER, JUAN),
            (Err(UnknownWord), "aprobar") => {
                decided(Veredicto::Aprobar { comentario: None }, MARIA)
            }
            (Err(UnknownWord), _) => decided(
                Veredicto::Rechazar {
                    comentario: Some(WHY),
                },
                MARIA,
            ),
        };
        assert_eq!(found, expected, "{estado}, {column}");
    }
}

const RESOLVER: Veredicto<'_> = Veredicto::Resolver {
    resolucion: "correcta",
    justificacion: WHY,
};

fn cierre() -> Cierre {
    in_state(EstadoCierre::ConDiscrepancias)
}

fn both(user: &str, roles: &[Role]) -> Caller {
    Caller {
        roles: Roles::of(roles),
        ..caller(user)
    }
}

fn located(uploader: &str) -> [Archivo; 1] {
    [Archivo {
        subido_por: actor(uploader),
        ..file(Kind::LibroRemuneraciones, 11, EstadoArchivo::Procesado, 1)
    }]
}

#[rstest]
#[case::a_warning_by_an_analyst(Severidad::Advertencia, caller(JUAN), located(JUAN), None)]
#[case::a_warning_by_an_administrator(Severidad::Advertencia, caller(ADMIN), located(ADMIN), None)]
#[case::a_warning_by_a_supervisor(
    Severidad::Advertencia,
    caller(MARIA),
    located(JUAN),
    Some(ReviewRefusal::WrongRole)
)]
#[case::a_blocking_one_by_an_analyst(
    Severidad::Bloqueante,
    caller(JUAN),
    located(MARIA),
    Some(ReviewRefusal::WrongRole)
)]
#[case::a_blocking_one_by_a_supervisor(Severidad::Bloqueante, caller(MARIA), located(JUAN), None)]
#[case::a_blocking_one_in_an_own_file(
    Severidad::Bloqueante,
    caller(MARIA),
    located(MARIA),
    Some(ReviewRefusal::FourEyes)
)]
#[case::an_administrators_own_file(
    Severidad::Bloqueante,
    caller(ADMIN),
    located(ADMIN),
    Some(ReviewRefusal::FourEyes)
)]
#[case::a_dropped_file(Severidad::Bloqueante, caller(MARIA), located("sistema"), None)]
#[case::both_roles_and_an_own_file(Severidad::Bloqueante, both(JUAN, &[Role::Payroll, Role::Supervisor]), located(JUAN), Some(ReviewRefusal::FourEyes))]
fn who_may_justify_what(
    #[case] severidad: Severidad,
    #[case] caller: Caller,
    #[case] files: [Archivo; 1],
    #[case] expected: Option<ReviewRefusal>,
) {
    let one = discrepancia(severidad, EstadoDiscrepancia::Abierta);
    let justified = cierre().correct(&one, &Correccion { justificacion: WHY }, &files, &caller);
    assert_eq!(justified.err(), expected);
}

#[test]
fn a_located_file_that_is_not_known_counts_as_the_callers() {
    let one = discrepancia(Severidad::Bloqueante, EstadoDiscrepancia::Abierta);
    let refused = cierre().correct(
        &one,
        &Correccion { justificacion: WHY },
        &[],
        &caller(MARIA),
    );
    assert_eq!(refused.err(), Some(ReviewRefusal::FourEyes));
}

#[test]
fn the_last_blocking_discrepancy_takes_the_closing_on() {
    let one = discrepancia(Severidad::Bloqueante, EstadoDiscrepancia::Abierta);
    let why = format!("  {WHY} \n");
    let correccion = Correccion {
        justificacion: &why,
    };
    let change = cierre()
        .correct(&one, &correccion, &located(JUAN), &caller(MARIA))
        .unwrap();
    let (cierre, one) = change.state;
    assert_eq!(cierre.estado, EstadoCierre::VerificadoSinDiscrepancias);
    assert_eq!(
        (
            cierre.counts.discrepancias_abiertas,
            cierre.counts.discrepancias_bloqueantes
        ),
        (1, 0)
    );
    assert_eq!(
        told(&change.events),
        [
            (MARIA, "discrepancia_corregida"),
            (MARIA, "estado_actualizado")
        ]
    );
    let step = one.life.historial.last().unwrap();
    assert_eq!(
        (step.estado, step.user.as_str()),
        (EstadoDiscrepancia::Justificada, MARIA)
    );
    assert_eq!(
        step.justificacion.as_deref(),
        Some(WHY),
        "without the blanks around it"
    );
}

#[rstest]
#[case::short("corta")]
#[case::blank("               ")]
#[case::long(&"x".repeat(1001))]
fn words_have_their_length(#[case] words: &str) {
    let one = discrepancia(Severidad::Advertencia, EstadoDiscrepancia::Abierta);
    let refused = cierre().correct(
        &one,
        &Correccion {
            justificacion: words,
        },
        &[],
        &caller(JUAN),
    );
    assert_eq!(refused.err(), Some(ReviewRefusal::JustificationRequired));
    let open = in_state(EstadoCierre::ConIncidencias);
    let pending = incidencia(Prioridad::Baja, EstadoIncidencia::Pendiente);
    let veredicto = Veredicto::Resolver {
        resolucion: "otra",
        justificacion: words,
    };
    let refused = open.decide(&pending, &veredicto, &caller(JUAN));
    assert_eq!(refused.err(), Some(ReviewRefusal::JustificationRequired));
    let resolved = incidencia(Prioridad::Baja, EstadoIncidencia::ResueltaAnalista);
    let veredicto = Veredicto::Rechazar {
        comentario: Some(words),
    };
    let refused = open.decide(&resolved, &veredicto, &caller(MARIA));
    assert_eq!(refused.err(), Some(ReviewRefusal::CommentRequired));
}

#[test]
fn a_rejection_needs_a_comment_and_an_approval_none() {
    let open = in_state(EstadoCierre::ConIncidencias);
    let resolved = incidencia(Prioridad::Baja, EstadoIncidencia::ResueltaAnalista);
    let refused = open.decide(
        &resolved,
        &Veredicto::Rechazar { comentario: None },
        &caller(MARIA),
    );
    assert_eq!(refused.err(), Some(ReviewRefusal::CommentRequired));
    for comentario in [None, Some(""), Some("  "), Some(WHY)] {
        let approved = open.decide(
            &resolved,
            &Veredicto::Aprobar { comentario },
            &caller(MARIA),
        );
        assert!(approved.is_ok(), "{comentario:?}");
    }
    let refused = open.decide(
        &resolved,
        &Veredicto::Aprobar {
            comentario: Some("ok"),
        },
        &caller(MARIA),
    );
    assert_eq!(refused.err(), Some(ReviewRefusal::CommentRequired));
}

#[test]
fn an_unknown_resolution_is_refused() {
    let open = in_state(EstadoCierre::ConIncidencias);
    let pending = incidencia(Prioridad::Baja, EstadoIncidencia::Pendiente);
    let veredicto = Veredicto::Resolver {
        resolucion: "aprobada",
        justificacion: WHY,
    };
    let refused = open.decide(&pending, &veredicto, &caller(JUAN));
    assert_eq!(refused.err(), Some(ReviewRefusal::ResolutionInvalid));
}

#[test]
fn nobody_decides_on_what_they_resolved() {
    let open = in_state(EstadoCierre::ConIncidencias);
    let pending = incidencia(Prioridad::Baja, EstadoIncidencia::Pendiente);
    let admin = caller(ADMIN);
    let (open, resolved) = open.decide(&pending, &RESOLVER, &admin).unwrap().state;
    for veredicto in [
        Veredicto::Aprobar { comentario: None },
        Veredicto::Rechazar {
            comentario: Some(WHY),
        },
    ] {
        let refused = open.decide(&resolved, &veredicto, &admin);
        assert_eq!(refused.err(), Some(ReviewRefusal::FourEyes));
        assert!(open.decide(&resolved, &veredicto, &caller(MARIA)).is_ok());
        let refused = open.decide(&resolved, &veredicto, &caller(JUAN));
        assert_eq!(refused.err(), Some(ReviewRefusal::WrongRole));
    }
    let supervisor = open.decide(&pending, &RESOLVER, &caller(MARIA));
    assert_eq!(supervisor.err(), Some(ReviewRefusal::WrongRole));
}

#[test]
fn an_incidence_goes_back_and_forth_and_its_last_approval_ends_the_review() {
    let open = in_state(EstadoCierre::ConIncidencias);
    let pending = incidencia(Prioridad::Baja, EstadoIncidencia::Pendiente);
    let (open, one) = open
        .decide(&pending, &RESOLVER, &caller(JUAN))
        .unwrap()
        .state;
    let rejection = Veredicto::Rechazar {
        comentario: Some(WHY),
    };
    let (open, one) = open.decide(&one, &rejection, &caller(MARIA)).unwrap().state;
    assert_eq!(one.explicacion.supervisor, Some(actor(MARIA)));
    let (open, one) = open.decide(&one, &RESOLVER, &caller(ADMIN)).unwrap().state;
    assert_eq!(
        (&one.explicacion.analista, &one.explicacion.supervisor),
        (&Some(actor(ADMIN)), &None)
    );
    let approval = Veredicto::Aprobar { comentario: None };
    let change = open.decide(&one, &approval, &caller(MARIA)).unwrap();
    let (closed, one) = change.state;
    assert_eq!(closed.estado, EstadoCierre::IncidenciasResueltas);
    assert_eq!(closed.counts.incidencias_pendientes, 0);
    assert_eq!(
        told(&change.events),
        [
            (MARIA, "incidencia_resuelta"),
            (MARIA, "estado_actualizado")
        ]
    );
    let steps: Vec<_> = one
        .life
        .historial
        .iter()
        .map(|step| (step.estado.as_str(), step.user.as_str()))
        .collect();
    assert_eq!(
        steps,
        [
            ("pendiente", "sistema"),
            ("resuelta_analista", JUAN),
            ("rechazada_supervisor", MARIA),
            ("resuelta_analista", ADMIN),
            ("aprobada_supervisor", MARIA),
        ]
    );
    let refused = closed.decide(&one, &RESOLVER, &caller(JUAN));
    assert_eq!(refused.err(), Some(CierreRefusal::IncidenceState.into()));
}

#[test]
fn findings_are_stored_as_they_are() {
    let one = incidencia(Prioridad::Critica, EstadoIncidencia::Pendiente);
    let stored = serde_json::to_value(&one).unwrap();
    assert_eq!(stored["variacion"], "30.00");
    assert_eq!(stored["diferencia"], "180000");
    assert_eq!(
        stored["historial"][0],
        serde_json::json!({ "estado": "pendiente", "timestamp": at(6), "user": "sistema" })
    );
    assert_eq!(serde_json::from_value::<Incidencia>(stored).unwrap(), one);
    let one = discrepancia(Severidad::Bloqueante, EstadoDiscrepancia::Abierta);
    let stored = serde_json::to_value(&one).unwrap();
    assert_eq!(stored["rut"], "12345678-5");
    assert_eq!(serde_json::from_value::<Discrepancia>(stored).unwrap(), one);
}
