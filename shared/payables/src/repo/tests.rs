use super::stamp as stamp_of;
use super::*;
use crate::entity::fixtures::*;
use crate::entity::fixtures::{politica, stamp};
use cierre_kernel::correlation::CorrelationId;

fn context() -> Context {
    let id = CorrelationId::parse("c-1").unwrap();
    Context::system(company(), id, at(0))
}

/// The sort keys of what is written, events aside, and what is written of the factura then.
fn written(before: Option<&Expediente>, change: Change<Expediente>) -> (Vec<String>, Expediente) {
    let events = change.events.len();
    let mut tx = Tx::new();
    let next = put_expediente(&mut tx, &context(), before, change).unwrap();
    let old = before.map_or(0, |before| before.factura.head.length);
    assert_eq!(next.factura.head.length, old + events as u64);
    let (ours, others): (Vec<_>, Vec<_>) = tx.keys().partition(|key| key.table == table::PAYABLES);
    assert!(others.len() == events && others.iter().all(|key| key.table == activity::TABLE));
    (ours.into_iter().map(|key| key.sk.clone()).collect(), next)
}

fn keys(of: &Expediente, ronda: Option<u32>, clave: bool, grupo: bool) -> Vec<String> {
    let factura = &of.factura;
    let mut keys = vec![table::FACTURA.to_owned()];
    keys.extend(ronda.map(|ronda| format!("ronda#{ronda:05}")));
    keys.extend(clave.then(|| factura.datos.clave().unwrap().to_string()));
    let emision = factura.datos.fecha_emision;
    keys.extend(grupo.then(|| format!("fac#{emision}#{}", factura.id)));
    keys
}

#[test]
fn a_transaction_writes_what_changes_and_nothing_else() {
    let born = Change::new(small(), Vec::new());
    let (found, first) = written(None, born);
    assert_eq!(found, keys(&first, Some(1), true, true));

    let approved = first.decidir(&approve(), &caller(JUAN, 1)).unwrap();
    let (found, approved) = written(Some(&first), approved);
    assert_eq!(found, keys(&first, Some(1), false, true));

    let again = approved.reabrir(WHY, &politica(), &stamp(LUIS, 2)).unwrap();
    let (found, again) = written(Some(&approved), again);
    assert_eq!(found, keys(&first, Some(2), false, true));

    let read = again.factura.historial_read(&stamp(LUIS, 3));
    let (found, seen) = written(Some(&again), Change::new(again.clone(), vec![read]));
    assert_eq!(found, keys(&first, None, false, false));
    assert_eq!(seen.factura.version, again.factura.version);

    let gone = seen.factura.eliminar(&stamp(PEDRO, 4)).unwrap();
    let gone = gone.map(|factura| Expediente {
        factura,
        workflow: seen.workflow.clone(),
    });
    let (found, _) = written(Some(&seen), gone);
    assert_eq!(found, keys(&first, None, true, true));
}

#[test]
fn a_factura_stands_in_the_lists_of_its_state() {
    let places = |expediente: &Expediente| {
        let item = listed(Item::new(), &company(), &expediente.factura);
        [
            table::RESPONSABLE_PK,
            table::ACCION_PK,
            table::ESTADO_PK,
            table::WAITING_PK,
            table::INBOX_PK,
        ]
        .map(|name| text(&item, name).map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    let juan = user(JUAN);
    let responsable = Some(format!("demo#resp#{}", juan.usuario));
    let approved = small().decidir(&approve(), &caller(JUAN, 1)).unwrap().state;
    assert_eq!(
        places(&approved),
        [
            responsable.clone(),
            some("demo#accion#Juan Perez"),
            some("demo#estado#aprobada"),
            None,
            None
        ]
    );
    assert_eq!(
        places(&small()),
        [
            responsable,
            None,
            some("demo#estado#pendiente"),
            some("demo#espera"),
            Some(format!("demo#bandeja#{}", juan.id))
        ]
    );
    let free = registered("1.00", None);
    assert_eq!(
        places(&free),
        [
            some("demo#resp#-"),
            None,
            some("demo#estado#pendiente"),
            some("demo#espera"),
            None
        ]
    );
}

#[test]
fn a_caller_is_shown_by_the_name_of_the_token_or_by_the_username() {
    let mut context = context();
    context.actor = user(JUAN).actor();
    assert_eq!(stamp_of(&context).by.nombre, JUAN);
    context.name = Some("Juan Perez".to_owned());
    assert_eq!(stamp_of(&context).by, user(JUAN));
}
