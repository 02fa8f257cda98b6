//! Who is told that a round waits, and when: once each per round, by business days of the company.

use std::collections::BTreeSet;

use cierre_kernel::time::{Date, TimeZone};

use crate::calendario::dias_habiles;
use crate::entity::Change;
use crate::entity::events::{Entry, PayablesEvent};
use crate::entity::factura::Expediente;
use crate::entity::politica::Recordatorio;
use crate::entity::workflow::Workflow;
use crate::persona::Usuario;

/// Whom the events name where a role is told.
pub const A_PAYABLES: &str = "rol:payables";
/// Whom escalations name.
pub const A_SUPERVISORES: &str = "rol:supervisor";

/// The day of a run, and what counts as a working day.
#[derive(Clone, Copy, Debug)]
pub struct Jornada<'a> {
    /// The day in the company's time zone.
    pub hoy: Date,
    /// The company's time zone.
    pub zona: &'a TimeZone,
    /// After how many business days.
    pub plazos: Recordatorio,
    /// Days on which the company does not work beside the holidays.
    pub festivos_extra: &'a BTreeSet<Date>,
}

/// Business days for which a round has waited.
#[must_use]
pub fn waited(workflow: &Workflow, jornada: &Jornada<'_>) -> u32 {
    let since = workflow.inicio.date_in(jornada.zona);
    dias_habiles(since, jornada.hoy, jornada.festivos_extra)
}

/// What is due for a factura: its round, marked, and the events that tell people. None where nothing is.
///
/// `delegados` stand in for the responsable today. The mark and the events belong to one transaction, so that no run tells anybody twice.
#[must_use]
pub fn due(
    expediente: &Expediente,
    delegados: &[&Usuario],
    jornada: &Jornada<'_>,
) -> Option<Change<Workflow>> {
    let Expediente { factura, workflow } = expediente;
    if factura.eliminada || !workflow.is_open() {
        return None;
    }
    let days = waited(workflow, jornada);
    let mut next = workflow.clone();
    let mut events = Vec::new();
    let mut tell = |escalado, destinatarios| {
        let event = PayablesEvent::Aviso {
            factura: factura.id,
            escalado,
            dias_habiles: days,
            ronda: workflow.ronda,
            destinatarios,
        };
        events.push(Entry::new(&Usuario::sistema().actor(), event));
    };
    if workflow.avisos.recordatorio.is_none() && days >= jornada.plazos.dias_habiles {
        next.avisos.recordatorio = Some(jornada.hoy);
        tell(
            false,
            match factura.responsable() {
                Some(responsable) => std::iter::once(responsable)
                    .chain(delegados.iter().copied())
                    .map(|one| one.usuario.clone())
                    .collect(),
                None => vec![A_PAYABLES.to_owned()],
            },
        );
    }
    if workflow.avisos.escalamiento.is_none() && days >= jornada.plazos.escalar_dias_habiles {
        next.avisos.escalamiento = Some(jornada.hoy);
        tell(true, vec![A_SUPERVISORES.to_owned()]);
    }
    (next != *workflow).then(|| Change::new(next, events))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::fixtures::*;

    /// Action, days, whom.
    type Told = (&'static str, u64, Vec<String>);

    fn run(
        expediente: &Expediente,
        hoy: &str,
        delegados: &[&Usuario],
    ) -> Option<(Workflow, Vec<Told>)> {
        let zona = TimeZone::parse("America/Bogota").unwrap();
        let jornada = Jornada {
            hoy: day(hoy),
            zona: &zona,
            plazos: politica().recordatorio,
            festivos_extra: &BTreeSet::new(),
        };
        let change = due(expediente, delegados, &jornada)?;
        let told = change.events.iter().map(|entry| {
            assert_eq!(entry.by.user, "sistema");
            let details = entry.event.details();
            let people = details["destinatarios"].as_array().unwrap();
            let people = people
                .iter()
                .map(|one| one.as_str().unwrap().to_owned())
                .collect();
            (
                entry.event.action(),
                details["dias_habiles"].as_u64().unwrap(),
                people,
            )
        });
        Some((change.state, told.collect()))
    }

    fn after(mut expediente: Expediente, workflow: Workflow) -> Expediente {
        expediente.workflow = workflow;
        expediente
    }

    #[test]
    fn a_round_is_told_of_once_each_way() {
        // The round began on Thursday 2026-02-05.
        assert_eq!(run(&large(), "2026-02-09", &[]), None);
        let (marked, told) = run(&large(), "2026-02-10", &[&user(MARIA)]).unwrap();
        assert_eq!(
            told,
            [(
                "recordatorio_generado",
                3,
                vec![JUAN.to_owned(), MARIA.to_owned()]
            )]
        );
        let waiting = after(large(), marked);
        assert_eq!(run(&waiting, "2026-02-11", &[]), None);
        let (marked, told) = run(&waiting, "2026-02-12", &[]).unwrap();
        assert_eq!(
            told,
            [("escalamiento_generado", 5, vec![A_SUPERVISORES.to_owned()])]
        );
        let waiting = after(large(), marked);
        assert_eq!(run(&waiting, "2026-03-31", &[]), None);
    }

    #[test]
    fn a_run_that_comes_late_tells_both_and_the_unassigned_go_to_payables() {
        let (_, told) = run(&registered("1.00", None), "2026-02-27", &[]).unwrap();
        let expected = [
            ("recordatorio_generado", 16, vec![A_PAYABLES.to_owned()]),
            ("escalamiento_generado", 16, vec![A_SUPERVISORES.to_owned()]),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn another_round_waits_anew_and_a_decided_one_does_not_wait() {
        let rejected = large().decidir(&reject(), &caller(JUAN, 1)).unwrap().state;
        assert_eq!(run(&rejected, "2026-02-27", &[]), None);
        let again = rejected
            .reabrir(WHY, &politica(), &stamp(LUIS, 86_400 * 20))
            .unwrap()
            .state;
        assert_eq!(run(&again, "2026-02-27", &[]), None);
        assert!(run(&again, "2026-03-02", &[]).is_some());
        let gone = again.factura.eliminar(&stamp(PEDRO, 1)).unwrap().state;
        assert_eq!(
            run(
                &Expediente {
                    factura: gone,
                    ..again
                },
                "2026-03-02",
                &[]
            ),
            None
        );
    }

    #[test]
    fn the_day_is_the_companys() {
        // 2026-02-06 in UTC, still the 5th in Bogotá.
        let mut late = large();
        late.workflow.inicio = cierre_kernel::time::Instant::parse("2026-02-06T04:59:59Z").unwrap();
        assert!(run(&late, "2026-02-10", &[]).is_some());
    }
}
