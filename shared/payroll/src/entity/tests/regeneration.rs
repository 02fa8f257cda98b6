//! What a regeneration makes of what is known.

use std::fmt::Debug;

use cierre_kernel::actor::Actor;
use cierre_kernel::time::Instant;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::super::discrepancia::Discrepancia;
use super::super::fixtures::*;
use super::super::incidencia::{Explicacion, Incidencia, Resolucion};
use super::super::life::{Life, Paso};
use crate::lre::testing::rut as rut_of;
use crate::rules::discrepancies::{DiscrepanciaHallada, Severidad};
use crate::rules::incidencias::{IncidenciaHallada, Prioridad};
use crate::rules::merge::{EstadoDiscrepancia, EstadoIncidencia, State};

fn discrepancias() -> impl Strategy<Value = Discrepancia> {
    let estado = prop::sample::select(&EstadoDiscrepancia::ALL);
    let severidad = prop::sample::select(&Severidad::ALL);
    (severidad, estado, "[a-c]").prop_map(|(severidad, estado, huella)| {
        let mut one = discrepancia(severidad, estado);
        one.found.huella = huella;
        one
    })
}

fn incidencias() -> impl Strategy<Value = Incidencia> {
    let estado = prop::sample::select(&EstadoIncidencia::ALL);
    let prioridad = prop::sample::select(&Prioridad::ALL);
    (prioridad, estado, "[a-c]").prop_map(|(prioridad, estado, huella)| {
        let mut one = incidencia(prioridad, estado);
        one.found.huella = huella;
        if one.explicacion.analista.is_some() {
            one.explicacion.resolucion = Some(Resolucion::Otra);
        }
        one
    })
}

/// One step on in these states, by nobody.
fn moved<E: State + Debug>(
    before: &Life<E>,
    after: &Life<E>,
    estado: E,
    now: Instant,
) -> TestCaseResult {
    let step = (before.estado != estado).then(|| Paso::new(estado, now, &Actor::system()));
    let steps: Vec<_> = before.historial.iter().cloned().chain(step).collect();
    prop_assert_eq!(after.estado, estado);
    prop_assert_eq!(&after.historial, &steps);
    prop_assert_eq!(after.version, before.version + 1);
    Ok(())
}

proptest! {
    #[test]
    fn the_same_finds_change_no_discrepancy(one in discrepancias()) {
        let again = one.found_again(one.found.clone(), at(60));
        match one.life.estado {
            EstadoDiscrepancia::Abierta | EstadoDiscrepancia::Justificada => prop_assert_eq!(again, None),
            EstadoDiscrepancia::Corregida => {
                let again = again.unwrap();
                moved(&one.life, &again.life, EstadoDiscrepancia::Abierta, at(60))?;
                prop_assert_eq!(again.found_again(one.found.clone(), at(61)), None);
            }
        }
    }

    #[test]
    fn the_same_finds_change_no_incidence(one in incidencias()) {
        let again = one.found_again(one.found.clone(), at(60));
        match one.life.estado {
            EstadoIncidencia::Pendiente
            | EstadoIncidencia::ResueltaAnalista
            | EstadoIncidencia::AprobadaSupervisor
            | EstadoIncidencia::RechazadaSupervisor => prop_assert_eq!(again, None),
            EstadoIncidencia::Obsoleta => {
                let again = again.unwrap();
                moved(&one.life, &again.life, EstadoIncidencia::Pendiente, at(60))?;
                prop_assert_eq!(&again.explicacion, &Explicacion::default());
                prop_assert_eq!(again.found_again(one.found.clone(), at(61)), None);
            }
        }
    }

    #[test]
    fn other_values_open_it_again(one in discrepancias(), other in incidencias()) {
        let found = DiscrepanciaHallada { huella: "z".into(), ..one.found.clone() };
        let again = one.found_again(found.clone(), at(60)).unwrap();
        moved(&one.life, &again.life, EstadoDiscrepancia::Abierta, at(60))?;
        prop_assert_eq!(&again.found, &found);

        let found = IncidenciaHallada { huella: "z".into(), ..other.found.clone() };
        let again = other.found_again(found.clone(), at(60)).unwrap();
        moved(&other.life, &again.life, EstadoIncidencia::Pendiente, at(60))?;
        prop_assert_eq!((&again.found, &again.explicacion), (&found, &Explicacion::default()));
    }

    #[test]
    fn what_is_missing_is_corrected_or_obsolete(one in discrepancias(), other in incidencias()) {
        let gone = one.missing(at(60));
        prop_assert_eq!(gone.is_none(), one.life.estado == EstadoDiscrepancia::Corregida);
        if let Some(gone) = gone {
            moved(&one.life, &gone.life, EstadoDiscrepancia::Corregida, at(60))?;
            prop_assert_eq!(&gone.found, &one.found);
            prop_assert_eq!(gone.missing(at(61)), None);
        }

        let gone = other.missing(at(60));
        prop_assert_eq!(gone.is_none(), other.life.estado == EstadoIncidencia::Obsoleta);
        if let Some(gone) = gone {
            moved(&other.life, &gone.life, EstadoIncidencia::Obsoleta, at(60))?;
            prop_assert_eq!((&gone.found, &gone.explicacion), (&other.found, &other.explicacion));
            prop_assert_eq!(gone.missing(at(61)), None);
        }
    }

    #[test]
    fn a_cell_that_moved_is_written_and_is_no_step(row in 3..100_u32) {
        let one = discrepancia(Severidad::Bloqueante, EstadoDiscrepancia::Justificada);
        let mut found = one.found.clone();
        found.ubicaciones[0].fila = row;
        let again = one.found_again(found.clone(), at(60)).unwrap();
        moved(&one.life, &again.life, EstadoDiscrepancia::Justificada, at(60))?;
        prop_assert_eq!(again.found, found);
    }

    #[test]
    fn they_are_stored_as_they_are(one in discrepancias(), other in incidencias()) {
        let stored = serde_json::to_string(&one).unwrap();
        prop_assert_eq!(serde_json::from_str::<Discrepancia>(&stored).unwrap(), one);
        let stored = serde_json::to_string(&other).unwrap();
        prop_assert_eq!(serde_json::from_str::<Incidencia>(&stored).unwrap(), other);
    }
}

#[test]
fn what_is_new_is_open_and_its_first_step_says_so() {
    let found = DiscrepanciaHallada {
        rut: rut_of("11111111-1"),
        ..hallada(Severidad::Advertencia)
    };
    let one = Discrepancia::new(found.clone(), cierre_id(), at(60));
    assert_eq!((&one.found, one.cierre_id), (&found, cierre_id()));
    let first = Paso::new(EstadoDiscrepancia::Abierta, at(60), &Actor::system());
    assert_eq!(
        (one.life.estado, one.life.historial, one.life.version),
        (EstadoDiscrepancia::Abierta, vec![first], 1)
    );
    let one = Incidencia::new(cambio(Prioridad::Alta), cierre_id(), at(60));
    assert_eq!(
        (one.life.estado, one.explicacion),
        (EstadoIncidencia::Pendiente, Explicacion::default())
    );
}
