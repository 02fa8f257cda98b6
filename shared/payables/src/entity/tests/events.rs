use std::collections::BTreeSet;

use cierre_kernel::codes;
use cierre_kernel::event::EventType;
use cierre_kernel::id::CargaId;
use serde_json::{Value, json};
use ulid::Ulid;

use super::super::asignacion::Asignacion;
use super::super::carga::{self, Rechazo};
use super::super::delegacion::{Delegacion, DelegacionNueva};
use super::super::events::*;
use super::super::factura::Voto;
use super::super::fixtures::*;
use super::super::trabajo::{TipoTrabajo, Trabajo};
use crate::rules::sincronizacion::Estado;
use crate::ubl::leer;

/// Section 7: type, actions, resource, details.
const TABLE: &str = "
| create | factura_registrada | factura | numero, nit, moneda, total, responsable, origen |
| resolve | factura_aprobada_parcial, factura_aprobada, factura_aprobada_auto, factura_rechazada | factura | estado_anterior, estado_nuevo, accion_por, responsable, calidad, a_nombre_de, ronda, aprobaciones, politica_version, motivo, comparacion, sod_excepcion |
| update | factura_reabierta | factura | estado_anterior, ronda, motivo |
| update | responsable_asignado | factura | responsable |
| delete | factura_eliminada | factura | numero, nit, total |
| error | decision_denegada | factura | accion, code |
| generate | recordatorio_generado, escalamiento_generado | factura | dias_habiles, ronda, destinatarios |
| update | accion_por_reparada | factura | antes, despues |
| view | historial_consultado | factura | |
| upload | xml_recibido | carga_factura | clave, tamano |
| error | ingreso_rechazado | carga_factura | code, linea, columna, ruta_xml |
| create | asignacion_creada | asignacion | nit, antes, despues |
| update | asignacion_modificada | asignacion | nit, antes, despues |
| delete | asignacion_eliminada | asignacion | nit, antes, despues |
| create | delegacion_creada | delegacion | de, a, desde, hasta, motivo |
| delete | delegacion_revocada | delegacion | de, a, desde, hasta, motivo |
| update | politica_modificada | politica | version, antes, despues |
| process | trabajo_completado | trabajo | tipo, total, aplicados, no_aplicados, dry_run |
| error | trabajo_error | trabajo | tipo, total, aplicados, no_aplicados, dry_run |
";

#[test]
fn the_list_is_the_contracts_table() {
    let mut expected = Vec::new();
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = line
            .trim()
            .trim_matches('|')
            .split('|')
            .map(str::trim)
            .collect();
        for action in cells[1].split(", ") {
            let details: Vec<&str> = cells[3]
                .split(", ")
                .filter(|name| !name.is_empty())
                .collect();
            expected.push((
                cells[0].parse::<EventType>().unwrap(),
                action,
                cells[2],
                details,
            ));
        }
    }
    let found: Vec<_> = ROWS
        .iter()
        .map(|row| {
            (
                row.event_type,
                row.action,
                row.resource,
                row.details.to_vec(),
            )
        })
        .collect();
    assert_eq!(found, expected);
}

/// An event of every row, made by the command that makes it.
fn all() -> Vec<Entry> {
    let half = large().decidir(&approve(), &caller(LUIS, 1)).unwrap();
    let whole = half.state.decidir(&approve(), &caller(JUAN, 2)).unwrap();
    let rejected = large()
        .decidir(
            &Voto::rechazar(WHY, Some("Ver correo")).unwrap(),
            &caller(JUAN, 1),
        )
        .unwrap();
    let again = rejected
        .state
        .reabrir(WHY, &politica(), &stamp(LUIS, 2))
        .unwrap();
    let free = registered("1.00", None).factura;
    let mut auto = large().workflow;
    auto.approve_automatically(
        crate::persona::Persona::sistema(crate::persona::SISTEMA_AUTO),
        at(1),
    );
    let repaired =
        crate::rules::consistencia::reparar(&large().factura, Some(&auto), &stamp(ADMIN, 1))
            .unwrap();
    let resolucion = Resolucion {
        estado_anterior: Estado::Pendiente,
        calidad: super::super::workflow::Calidad::Sistema,
        motivo: None,
        comparacion: large().workflow.comparacion,
        sod_excepcion: false,
    };
    let system = crate::persona::Usuario::sistema();
    let aviso = |escalado| PayablesEvent::Aviso {
        factura: factura_id(1),
        escalado,
        dias_habiles: 3,
        ronda: 1,
        destinatarios: vec![JUAN.into()],
    };
    let carga = CargaId::new(Ulid(3));
    let rechazo = Rechazo::new(
        cierre_kernel::id::RechazoIngresoId::new(Ulid(4)),
        "k",
        Some(carga),
        None,
        &leer(b"<").unwrap_err(),
        at(1),
    );
    let before = asignacion(JUAN);
    let changed = done(Asignacion::put(
        Some(&before),
        nit(),
        encargo(MARIA),
        &stamp(ADMIN, 1),
    ));
    let dlg = DelegacionNueva {
        de: user(JUAN),
        a: user(MARIA),
        desde: "2026-02-05".into(),
        hasta: "2026-02-09".into(),
        motivo: WHY.into(),
    };
    let given = Delegacion::create(
        delegacion_id(1),
        dlg,
        &[],
        roles_of(JUAN),
        hoy(),
        &stamp(JUAN, 1),
    )
    .unwrap();
    let revoked = given
        .state
        .revoke(roles_of(JUAN), hoy(), &stamp(JUAN, 2))
        .unwrap();
    let job = done(
        Trabajo::queued(
            trabajo_id(1),
            TipoTrabajo::Lote,
            0,
            true,
            roles_of(PEDRO),
            &stamp(PEDRO, 1),
        )
        .taken()
        .unwrap(),
    )
    .state;
    let mut all = vec![
        Entry::of(
            &stamp(PEDRO, 0),
            PayablesEvent::FacturaRegistrada {
                factura: factura_id(1),
                numero: "1".into(),
                nit: nit(),
                importe: free.datos.importe,
                responsable: None,
                origen: super::super::factura::Origen::Lote,
            },
        ),
        Entry::new(&system.actor(), resolucion.event(&repaired.state, &auto)),
        free.denegada(
            super::super::workflow::Accion::Rechazar,
            codes::SOD_VIOLATION,
            &stamp(PEDRO, 1),
        ),
        free.historial_read(&stamp(PEDRO, 1)),
        Entry::new(&system.actor(), aviso(false)),
        Entry::new(&system.actor(), aviso(true)),
        carga::received("k", Some(carga), 3, &user(PEDRO)),
        rechazo.entry(&user(PEDRO)),
    ];
    for events in [
        half.events,
        whole.events,
        rejected.events,
        again.events,
        repaired.events,
        changed.events,
        given.events,
        revoked.events,
    ] {
        all.extend(events);
    }
    all.extend(free.asignar(&user(JUAN), &stamp(LUIS, 1)).unwrap().events);
    all.extend(free.eliminar(&stamp(PEDRO, 1)).unwrap().events);
    all.extend(
        done(Asignacion::put(
            None,
            nit(),
            encargo(JUAN),
            &stamp(ADMIN, 1),
        ))
        .events,
    );
    all.extend(changed.state.delete(&stamp(ADMIN, 2)).unwrap().events);
    all.extend(
        politica()
            .replace(&politica_nueva(|_| {}), &stamp(ADMIN, 1))
            .unwrap()
            .events,
    );
    all.extend(done(job.finished(at(3)).unwrap()).events);
    all.extend(done(job.failed(at(3)).unwrap()).events);
    all
}

#[test]
fn every_row_has_an_event_with_exactly_its_details() {
    let mut seen = BTreeSet::new();
    for entry in all() {
        let row = entry.event.row();
        let recorded = entry.recorded();
        let names: BTreeSet<&str> = recorded.details.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            row.details.iter().copied().collect(),
            "{}",
            row.action
        );
        assert_eq!(
            (recorded.action, recorded.resource_type),
            (row.action, row.resource)
        );
        assert!(!recorded.resource_id.is_empty(), "{}", row.action);
        seen.insert(row.action);
    }
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.action).collect();
    assert_eq!(seen, rows);
}

#[test]
fn details_hold_what_the_contract_says() {
    let all = all();
    let details = |action: &str| -> Value {
        let entry = all
            .iter()
            .find(|entry| entry.event.action() == action)
            .unwrap();
        json!(entry.event.details())
    };
    assert_eq!(details("factura_aprobada_parcial")["aprobaciones"], "1/2");
    assert_eq!(details("factura_rechazada")["motivo"], WHY);
    let auto = details("factura_aprobada_auto");
    assert_eq!(
        (&auto["accion_por"], &auto["calidad"]),
        (&json!("SISTEMA DE AUTOMATIZACIÓN"), &json!("sistema"))
    );
    assert_eq!(auto["comparacion"]["resultado"], "pendiente");
    assert_eq!(
        details("responsable_asignado"),
        json!({ "responsable": "Juan Perez" })
    );
    assert_eq!(
        details("factura_eliminada"),
        json!({ "numero": "FE-1024", "nit": NIT, "total": "1.00" })
    );
    assert_eq!(details("ingreso_rechazado")["code"], "xml_mal_formado");
    assert_eq!(
        details("asignacion_modificada")["antes"]["responsable"],
        "Juan Perez"
    );
    assert_eq!(details("asignacion_eliminada")["despues"], Value::Null);
    assert_eq!(
        details("delegacion_creada"),
        json!({ "de": JUAN, "a": MARIA, "desde": "2026-02-05", "hasta": "2026-02-09", "motivo": WHY })
    );
    assert_eq!(
        details("accion_por_reparada")["antes"]["estado"],
        "pendiente"
    );
    assert_eq!(
        details("accion_por_reparada")["despues"]["estado"],
        "aprobada_auto"
    );
    assert_eq!(details("politica_modificada")["despues"]["version"], 4);
    assert_eq!(details("trabajo_error")["tipo"], "lote");
}
