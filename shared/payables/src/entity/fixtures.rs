//! Values that the tests share.

use cierre_kernel::change::Change as KernelChange;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::{DelegacionId, FacturaId, TrabajoFacturasId};
use cierre_kernel::role::{Role, Roles};
use cierre_kernel::time::{Date, Instant, parse_date};
use serde_json::{Value, json};
use ulid::Ulid;

use super::asignacion::{Asignacion, Encargo};
use super::events::Entry;
use super::factura::{Contexto, Decisor, Expediente, FacturaNueva, Origen, Voto};
use super::politica::{Politica, PoliticaNueva};
use super::{Change, Stamp};
use crate::nit::Nit;
use crate::persona::Usuario;

pub(crate) const NIT: &str = "900373923-8";
pub(crate) const WHY: &str = "No corresponde al contrato";

/// Who answers, who registers, and others.
pub(crate) const JUAN: &str = "jperez";
pub(crate) const PEDRO: &str = "pgil";
pub(crate) const MARIA: &str = "mgarcia";
pub(crate) const LUIS: &str = "lrey";
pub(crate) const ADMIN: &str = "ana";
pub(crate) const AUDIT: &str = "audit";

pub(crate) fn user(usuario: &str) -> Usuario {
    let nombre = match usuario {
        JUAN => "Juan Perez",
        PEDRO => "Pedro Gil",
        MARIA => "Maria Garcia",
        LUIS => "Luis Rey",
        other => other,
    };
    Usuario::new(usuario, &format!("sub-{usuario}"), Some(nombre))
}

pub(crate) fn roles_of(usuario: &str) -> Roles {
    match usuario {
        LUIS => Roles::of(&[Role::Supervisor]),
        PEDRO => Roles::of(&[Role::Payables]),
        ADMIN => Roles::of(&[Role::Admin]),
        AUDIT => Roles::of(&[Role::Auditor]),
        _ => Roles::NONE,
    }
}

/// 2026-02-05T14:00:00Z and so many seconds.
pub(crate) fn at(second: i64) -> Instant {
    Instant::from_millis(1_770_300_000_000 + second * 1000)
}

pub(crate) fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

pub(crate) fn hoy() -> Date {
    day("2026-02-05")
}

pub(crate) fn stamp(usuario: &str, second: i64) -> Stamp {
    Stamp {
        at: at(second),
        by: user(usuario),
        correlation_id: CorrelationId::from_ulid(Ulid(7)),
    }
}

pub(crate) fn caller(usuario: &str, second: i64) -> Decisor {
    Decisor {
        stamp: stamp(usuario, second),
        roles: roles_of(usuario),
        delegado: false,
    }
}

/// Maria stands in for Juan.
pub(crate) fn delegate(second: i64) -> Decisor {
    Decisor {
        delegado: true,
        ..caller(MARIA, second)
    }
}

pub(crate) fn company() -> CompanyId {
    CompanyId::parse("demo").unwrap()
}

pub(crate) fn factura_id(n: u128) -> FacturaId {
    FacturaId::new(Ulid(n))
}

pub(crate) fn delegacion_id(n: u128) -> DelegacionId {
    DelegacionId::new(Ulid(n))
}

pub(crate) fn trabajo_id(n: u128) -> TrabajoFacturasId {
    TrabajoFacturasId::new(Ulid(n))
}

pub(crate) fn nit() -> Nit {
    Nit::parse(NIT).unwrap()
}

pub(crate) fn encargo(usuario: &str) -> Encargo {
    Encargo::judge(Ok(user(usuario)), "Aseo Total SAS").unwrap()
}

pub(crate) fn asignacion(usuario: &str) -> Asignacion {
    Asignacion::put(None, nit(), encargo(usuario), &stamp(ADMIN, 0))
        .into_inner()
        .state
}

pub(crate) fn nueva() -> FacturaNueva {
    serde_json::from_value(json!({
        "numero": "FE-1024", "nit": NIT, "fecha_emision": "2026-02-05", "fecha_vencimiento": "2026-03-07",
        "total": "8500000.00", "concepto": "Aseo febrero 2026",
    }))
    .unwrap()
}

/// The policy of the contract's example.
pub(crate) fn politica_json() -> Value {
    json!({
        "bandas": { "COP": [{ "hasta": "5000000.00", "aprobaciones": 1 }, { "hasta": "50000000.00", "aprobaciones": 2 }, { "hasta": null, "aprobaciones": 3 }] },
        "automatica": { "activa": true, "tolerancia_pct": "5", "historial_minimo": 1, "total_maximo": { "COP": "3000000.00" }, "dias_minimos": 20, "origenes": ["xml", "json"] },
        "permitir_autoaprobacion": false, "nit_empresa": null,
        "recordatorio": { "dias_habiles": 3, "escalar_dias_habiles": 5 }, "festivos_extra": [],
    })
}

pub(crate) fn politica_nueva(change: impl FnOnce(&mut Value)) -> PoliticaNueva {
    let mut body = politica_json();
    change(&mut body);
    serde_json::from_value(body).unwrap()
}

pub(crate) fn politica() -> Politica {
    Politica::judge(3, &politica_nueva(|_| {})).unwrap()
}

/// Registered by Pedro, of a total under the policy of the example; Juan answers for it, if anybody.
pub(crate) fn registered(total: &str, responsable: Option<&str>) -> Expediente {
    let asignacion = responsable.map(asignacion);
    let mut nueva = nueva();
    nueva.total = json!(total);
    nueva.proveedor = Some("Aseo Total SAS".into());
    let datos = nueva.judge(asignacion.as_ref(), hoy()).unwrap();
    let contexto = Contexto {
        asignacion: asignacion.as_ref(),
        politica: &politica(),
        grupo: &[],
    };
    Expediente::registrar(
        factura_id(1),
        datos,
        Origen::Json,
        &contexto,
        &stamp(PEDRO, 0),
    )
    .state
}

/// It needs one approval.
pub(crate) fn small() -> Expediente {
    registered("4000000.00", Some(JUAN))
}

/// It needs two.
pub(crate) fn large() -> Expediente {
    registered("8500000.00", Some(JUAN))
}

pub(crate) fn approve() -> Voto {
    Voto::aprobar(None).unwrap()
}

pub(crate) fn reject() -> Voto {
    Voto::rechazar(WHY, None).unwrap()
}

pub(crate) fn actions(events: &[Entry]) -> Vec<&'static str> {
    events.iter().map(|entry| entry.event.action()).collect()
}

/// What was applied.
pub(crate) fn done<T>(decision: Decision<Change<T>>) -> KernelChange<T, Entry> {
    match decision {
        Decision::Applied(change) => change,
        Decision::Replayed(_) => panic!("it was a replay"),
    }
}

/// The cells of a table of the contract: row, column, what stands there.
pub(crate) fn cells<'a>(
    table: &'a str,
    rows: &[&'static str],
    columns: &[&'static str],
) -> Vec<(&'static str, &'static str, &'a str)> {
    let split = |line: &'a str| -> Vec<&'a str> {
        line.trim()
            .trim_matches('|')
            .split('|')
            .map(str::trim)
            .collect()
    };
    let mut lines = table.lines().filter(|line| !line.trim().is_empty());
    let header = split(lines.next().unwrap());
    assert_eq!(&header[1..], columns, "the columns are not complete");
    let mut found = Vec::new();
    for line in lines {
        let cells = split(line);
        assert_eq!(cells.len(), columns.len() + 1, "a cell is missing: {line}");
        for row in cells[0].split(", ") {
            let row = *rows.iter().find(|known| **known == row).expect(row);
            for (column, cell) in columns.iter().zip(&cells[1..]) {
                found.push((row, *column, *cell));
            }
        }
    }
    assert_eq!(
        found.len(),
        rows.len() * columns.len(),
        "a row is missing or twice"
    );
    found
}
