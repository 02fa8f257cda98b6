//! Values that the tests of entities share.

use std::collections::BTreeMap;

use cierre_kernel::actor::Actor;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::{ArchivoId, CierreId, ClienteId, DiscrepanciaId, IncidenciaId, TrabajoId};
use cierre_kernel::role::{Role, Roles};
use cierre_kernel::time::Instant;
use ulid::Ulid;

use super::archivo::{Archivo, EstadoArchivo, NewUpload, RowsBySheet};
use super::cierre::{Cierre, EstadoCierre, FoundDiscrepancias, FoundIncidencias, settle};
use super::discrepancia::Discrepancia;
use super::dossier::{Dossier, Processing, Reading};
use super::drop::{ObjectEvent, Place, upload_key};
use super::events::Entry;
use super::incidencia::Incidencia;
use super::{Caller, Change, Stamp};
use crate::amount::{Percent, Pesos};
use crate::kind::Kind;
use crate::lre::testing::code;
use crate::period::Period;
use crate::rules::discrepancies::{DiscrepanciaHallada, Regla, Severidad, TipoDiscrepancia};
use crate::rules::incidencias::{IncidenciaHallada, Prioridad, TipoIncidencia};
use crate::rules::merge::{EstadoDiscrepancia, EstadoIncidencia};
use crate::rules::place::Ubicacion;
use crate::rut::Rut;

/// An analyst, a supervisor and an administrator.
pub(super) const JUAN: &str = "juan.perez";
pub(super) const MARIA: &str = "maria.lopez";
pub(super) const ADMIN: &str = "admin";

pub(super) const WHY: &str = "Ascenso desde octubre, anexo 14";

pub(super) fn at(second: i64) -> Instant {
    Instant::from_millis(1_760_000_000_000 + second * 1000)
}

pub(super) fn actor(user: &str) -> Actor {
    Actor {
        user_id: format!("sub-{user}"),
        user: user.to_owned(),
    }
}

pub(super) fn stamp_of(user: &str, second: i64) -> Stamp {
    Stamp {
        at: at(second),
        by: actor(user),
        correlation_id: CorrelationId::from_ulid(Ulid(7)),
    }
}

pub(super) fn worker(second: i64) -> Stamp {
    Stamp {
        by: Actor::system(),
        ..stamp_of("", second)
    }
}

pub(super) fn roles_of(user: &str) -> Roles {
    match user {
        JUAN => Roles::of(&[Role::Payroll]),
        MARIA => Roles::of(&[Role::Supervisor]),
        ADMIN => Roles::of(&[Role::Admin]),
        _ => Roles::of(&[Role::Auditor]),
    }
}

pub(super) fn caller(user: &str) -> Caller {
    Caller {
        stamp: stamp_of(user, 50),
        roles: roles_of(user),
    }
}

pub(super) fn company() -> CompanyId {
    CompanyId::parse("acme").unwrap()
}

pub(super) fn cliente_id() -> ClienteId {
    ClienteId::new(Ulid(1))
}

pub(super) fn cierre_id() -> CierreId {
    CierreId::new(Ulid(2))
}

pub(super) fn trabajo_id(n: u128) -> TrabajoId {
    TrabajoId::new(Ulid(n))
}

pub(super) fn archivo_id(n: u128) -> ArchivoId {
    ArchivoId::new(Ulid(n))
}

pub(super) fn period() -> Period {
    Period::parse("2025-10").unwrap()
}

pub(super) fn rut() -> Rut {
    Rut::parse("12345678-5").unwrap()
}

pub(super) fn begun() -> Cierre {
    Cierre::create(cierre_id(), cliente_id(), period(), &stamp_of(JUAN, 0)).state
}

pub(super) fn upload(tipo: Kind, nombre: &str) -> NewUpload {
    NewUpload::judge(tipo.as_str(), nombre, 734_003, None).unwrap()
}

/// An object at this key, taken by the bucket at this second.
pub(super) fn object(clave: &str, second: i64) -> ObjectEvent {
    ObjectEvent {
        bucket: "intake".into(),
        clave: clave.into(),
        version_id: Some(format!("v{second}")),
        etag: format!("e{second}"),
        sequencer: format!("{second:016}"),
        tamano: 734_003,
        ocurrido_en: at(second),
        modificado_en: at(second),
    }
}

pub(super) fn place(tipo: Kind, archivo: Option<ArchivoId>) -> Place {
    Place {
        cierre: cierre_id(),
        tipo,
        archivo,
        nombre: "datos.xlsx".into(),
    }
}

pub(super) fn drop_key(tipo: Kind) -> String {
    format!("payroll/acme/{}/{tipo}/datos.xlsx", cierre_id())
}

pub(super) fn api_key(tipo: Kind, archivo: ArchivoId) -> String {
    upload_key(&company(), cierre_id(), tipo, archivo, "datos.xlsx")
}

pub(super) fn rows(count: u64) -> RowsBySheet {
    RowsBySheet(BTreeMap::from([("altas_bajas".to_owned(), count)]))
}

pub(super) fn clean() -> Reading {
    Reading {
        hash: "ab".repeat(32),
        codificacion: None,
        filas: rows(3),
        errores: BTreeMap::new(),
        advertencias_total: 1,
    }
}

pub(super) fn faulty() -> Reading {
    Reading {
        errores: BTreeMap::from([("monto_invalido".to_owned(), 2), ("rut_dv".to_owned(), 1)]),
        ..clean()
    }
}

pub(super) fn processing() -> Processing {
    Processing {
        headers_detectados: 9,
        headcount: 3,
        novedades: None,
    }
}

/// A file of juan's in a state, whose object the bucket took at this second.
pub(super) fn file(tipo: Kind, n: u128, estado: EstadoArchivo, second: i64) -> Archivo {
    let id = archivo_id(n);
    let cierre = (cierre_id(), cliente_id());
    let file = Archivo::announced(id, cierre, upload(tipo, "datos.xlsx"), &stamp_of(JUAN, 0));
    let object = object(&api_key(tipo, id), second);
    let objeto = super::archivo::Objeto {
        identidad: object.identity(),
        clave: object.clave,
        version_id: object.version_id,
        etag: object.etag,
        secuencia: object.sequencer,
        tamano: object.tamano,
        modificado_en: object.modificado_en,
    };
    let arrived = match estado {
        EstadoArchivo::Esperando | EstadoArchivo::Expirado => None,
        EstadoArchivo::Recibido
        | EstadoArchivo::Validando
        | EstadoArchivo::Procesando
        | EstadoArchivo::Procesado
        | EstadoArchivo::ConErrores
        | EstadoArchivo::Error
        | EstadoArchivo::Reemplazado
        | EstadoArchivo::Eliminado => Some(objeto),
    };
    Archivo {
        estado,
        objeto: arrived,
        filas: rows(3),
        procesando_desde: Some(at(second)),
        ..file
    }
}

pub(super) fn required() -> Vec<Archivo> {
    vec![
        file(Kind::LibroRemuneraciones, 11, EstadoArchivo::Procesado, 1),
        file(Kind::MovimientosMes, 12, EstadoArchivo::Procesado, 2),
    ]
}

/// The closing as these files leave it.
pub(super) fn settled(files: &[Archivo]) -> Cierre {
    let mut cierre = begun();
    cierre.estado = settle(files);
    let in_force = files.iter().filter(|file| file.vigente());
    cierre.archivos = in_force.map(|file| (file.tipo, file.id)).collect();
    cierre.counts.archivos = files.iter().filter(|file| file.estado.is_live()).count() as u64;
    cierre.counts.registros = 6;
    cierre.counts.empleados = 3;
    cierre
}

/// A closing in each state, as the commands lead there.
pub(super) fn in_state(estado: EstadoCierre) -> Cierre {
    let complete = || settled(&required());
    match estado {
        EstadoCierre::Pendiente => begun(),
        EstadoCierre::CargandoArchivos => settled(&required()[..1]),
        EstadoCierre::ArchivosCompletos => complete(),
        EstadoCierre::ConDiscrepancias => discrepancias(complete(), 2, 1),
        EstadoCierre::VerificadoSinDiscrepancias => discrepancias(complete(), 1, 0),
        EstadoCierre::ConIncidencias => incidencias(discrepancias(complete(), 1, 0), 1, 0),
        EstadoCierre::IncidenciasResueltas => incidencias(discrepancias(complete(), 1, 0), 0, 0),
        EstadoCierre::Finalizado => Cierre {
            estado,
            sellos: 1,
            ..in_state(EstadoCierre::IncidenciasResueltas)
        },
        EstadoCierre::Reabierto => {
            let sealed = in_state(EstadoCierre::Finalizado);
            sealed.reopen(WHY, &stamp_of(MARIA, 20)).unwrap().state
        }
        EstadoCierre::Eliminado => begun().delete(WHY, &stamp_of(JUAN, 20)).unwrap().state,
    }
}

pub(super) fn found_discrepancias(abiertas: u64, bloqueantes: u64) -> FoundDiscrepancias {
    FoundDiscrepancias {
        tipos: BTreeMap::from([(TipoDiscrepancia::IdentidadLre, abiertas)]),
        abiertas,
        bloqueantes,
        ..FoundDiscrepancias::default()
    }
}

pub(super) fn found_incidencias(abiertas: u64, criticas: u64) -> FoundIncidencias {
    FoundIncidencias {
        total: abiertas,
        empleados: abiertas.min(1),
        conceptos: [code("2101")].into(),
        monto_total: Pesos(180_000),
        abiertas,
        criticas,
        base_comparacion: None,
    }
}

fn discrepancias(cierre: Cierre, abiertas: u64, bloqueantes: u64) -> Cierre {
    use super::cierre::Requested;
    use super::trabajo::TipoTrabajo;
    let asked = cierre.request(
        TipoTrabajo::GenerarDiscrepancias,
        trabajo_id(1),
        &stamp_of(JUAN, 3),
    );
    let Ok(Requested::New(asked)) = asked else {
        panic!("not allowed")
    };
    let (cierre, trabajo) = *asked;
    let found = found_discrepancias(abiertas, bloqueantes);
    let done = cierre.discrepancias_generated(&trabajo, found, &worker(4));
    done.unwrap().into_inner().state.0
}

fn incidencias(cierre: Cierre, abiertas: u64, criticas: u64) -> Cierre {
    use super::cierre::Requested;
    use super::trabajo::TipoTrabajo;
    let asked = cierre.request(
        TipoTrabajo::GenerarIncidencias,
        trabajo_id(2),
        &stamp_of(JUAN, 5),
    );
    let Ok(Requested::New(asked)) = asked else {
        panic!("not allowed")
    };
    let (cierre, trabajo) = *asked;
    let found = found_incidencias(abiertas, criticas);
    let done = cierre.incidencias_generated(&trabajo, found, &worker(6));
    done.unwrap().into_inner().state.0
}

pub(super) fn hallada(severidad: Severidad) -> DiscrepanciaHallada {
    DiscrepanciaHallada {
        id: DiscrepanciaId::new(Ulid(31)),
        tipo: TipoDiscrepancia::IdentidadLre,
        regla: Regla::Total(code("5201")),
        severidad,
        rut: rut(),
        ubicaciones: vec![Ubicacion {
            archivo_id: archivo_id(11),
            hoja: "LRE".into(),
            fila: 2,
            columna: Some("EC".into()),
            valor: "1055817".into(),
        }],
        esperado: Some("1055815".into()),
        encontrado: Some("1055817".into()),
        diferencia: Some("2".into()),
        falta_en: None,
        sugerencia: "5201 must be the sum of 2xxx".into(),
        huella: "h".into(),
    }
}

pub(super) fn discrepancia(severidad: Severidad, estado: EstadoDiscrepancia) -> Discrepancia {
    let mut one = Discrepancia::new(hallada(severidad), cierre_id(), at(4));
    one.life.estado = estado;
    one
}

pub(super) fn cambio(prioridad: Prioridad) -> IncidenciaHallada {
    IncidenciaHallada {
        id: IncidenciaId::new(Ulid(41)),
        tipo: TipoIncidencia::VariacionConcepto,
        rut: rut(),
        codigo: Some(code("2101")),
        anterior: Some(Pesos(600_000)),
        actual: Some(Pesos(780_000)),
        diferencia: Pesos(180_000),
        variacion: Some(Percent(3000)),
        prioridad,
        respaldo: None,
        huella: "h".into(),
    }
}

pub(super) fn incidencia(prioridad: Prioridad, estado: EstadoIncidencia) -> Incidencia {
    let mut one = Incidencia::new(cambio(prioridad), cierre_id(), at(6));
    one.life.estado = estado;
    one.explicacion.analista = match estado {
        EstadoIncidencia::Pendiente => None,
        EstadoIncidencia::ResueltaAnalista
        | EstadoIncidencia::AprobadaSupervisor
        | EstadoIncidencia::RechazadaSupervisor
        | EstadoIncidencia::Obsoleta => Some(actor(JUAN)),
    };
    one
}

pub(super) fn dossier<'a>(cierre: &'a Cierre, files: &'a [Archivo]) -> Dossier<'a> {
    Dossier { cierre, files }
}

/// What was applied.
pub(super) fn done<T: std::fmt::Debug>(decision: Decision<Change<T>>) -> Change<T> {
    match decision {
        Decision::Applied(change) => change,
        Decision::Replayed(change) => panic!("replayed: {change:?}"),
    }
}

/// Who did what.
pub(super) fn told(events: &[Entry]) -> Vec<(&str, &'static str)> {
    events
        .iter()
        .map(|entry| (entry.by.user.as_str(), entry.event.action()))
        .collect()
}

/// Reads a table as the contract writes it: a header line with the columns after the first, then a line per row. Every cell is given, once.
pub(super) fn cells<'a>(
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
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for line in lines {
        let cells = split(line);
        assert_eq!(cells.len(), columns.len() + 1, "a cell is missing: {line}");
        for row in cells[0].split(", ") {
            let row = *rows.iter().find(|known| **known == row).expect(row);
            assert!(!seen.contains(&row), "{row} occurs twice");
            seen.push(row);
            for (column, cell) in columns.iter().zip(&cells[1..]) {
                assert!(!cell.is_empty(), "{row} {column} is empty");
                found.push((row, *column, *cell));
            }
        }
    }
    assert_eq!(seen.len(), rows.len(), "a state is missing: {seen:?}");
    found
}
