//! Where everything of payables stands: one table.
//!
//! `C` is the company. An item holds its entity as one JSON text beside the attributes that conditions and indexes need.
//!
//! | what | where |
//! | --- | --- |
//! | a factura with its current round | `C#fac#<id>` / `factura` |
//! | its rounds | `C#fac#<id>` / `ronda#00001` |
//! | the live factura of a duplicate key | `C#clave` / `<NIT>#<number>` |
//! | the live facturas of a NIT and concept | `C#grupo#<digest>` / `fac#<day of issue>#<id>`; what approvals by rule collide on: `cabeza` |
//! | assignments | `C#asignacion` / NIT |
//! | delegations | `C#dlg#<sub of de>` / id; what creations collide on: `cabeza`; by id: `C#delegacion` / id |
//! | the policy | `C#politica` / `actual`, and every version `v#000001` |
//! | a job, its outcomes, what a check found | `C#trb#<id>` / `trabajo`, `res#00001`, `informe`, `div#00001` |
//! | the last check, what began each day | `C#consistencia` / `ultima`, `C#jornada` / day and kind |
//! | companies with facturas | `~payables#empresas` / company |
//! | uploads, refused documents, objects that were seen | `C#carga` / id, `C#rechazo` / id, `C#visto` / digest |
//! | the dashboard's figures, what was counted of a factura | `C#tablero` / `total`, `resp#…`, `accion#…`; `C#feed` / partition |
//!
//! | index (keys only) | partition | sort | holds |
//! | --- | --- | --- | --- |
//! | `Listed` | `list_pk` | `list_sort` | facturas of a company; unfinished work of all |
//! | `ByResponsable` | `responsable_pk` | `list_sort` | facturas of a responsable, or of nobody |
//! | `ByAccionPor` | `accion_pk` | `list_sort` | facturas on which somebody acted last, by the stored name |
//! | `ByNit` | `nit_pk` | `list_sort` | facturas of a supplier |
//! | `ByEstado` | `estado_pk` | `list_sort` | facturas of a state |
//! | `Waiting` | `waiting_pk` | `waiting_sort` | undecided facturas of a company, the oldest first |
//! | `Inbox` | `inbox_pk` | `waiting_sort` | undecided facturas of a responsable; delegations to a user |
//!
//! `list_sort` has the newest day of issue first, then the largest id. Deleted facturas stand in no index.

use cierre_kernel::canonical::sha256_hex;
use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{
    CargaId, DelegacionId, FacturaId, Id, Kind, RechazoIngresoId, TrabajoFacturasId,
};
use cierre_kernel::time::{Date, Instant};
use cierre_platform::db::{Key, Table};
use ulid::Ulid;

use crate::entity::trabajo::TipoTrabajo;
use crate::nit::Nit;
use crate::rules::clave::Clave;
use crate::rules::concepto::Grupo;
use crate::rules::sincronizacion::Estado;

/// The table of the domain.
pub const PAYABLES: Table = Table::new("PAYABLES_TABLE");

/// Global index of a company's facturas and of unfinished work.
pub const LISTED_INDEX: &str = "Listed";
/// Partition attribute of [`LISTED_INDEX`].
pub const LIST_PK: &str = "list_pk";
/// Global index of facturas by who answers for them.
pub const RESPONSABLE_INDEX: &str = "ByResponsable";
/// Partition attribute of [`RESPONSABLE_INDEX`].
pub const RESPONSABLE_PK: &str = "responsable_pk";
/// Global index of facturas by who acted on them last.
pub const ACCION_INDEX: &str = "ByAccionPor";
/// Partition attribute of [`ACCION_INDEX`].
pub const ACCION_PK: &str = "accion_pk";
/// Global index of facturas by supplier.
pub const NIT_INDEX: &str = "ByNit";
/// Partition attribute of [`NIT_INDEX`].
pub const NIT_PK: &str = "nit_pk";
/// Global index of facturas by state.
pub const ESTADO_INDEX: &str = "ByEstado";
/// Partition attribute of [`ESTADO_INDEX`].
pub const ESTADO_PK: &str = "estado_pk";
/// Sort attribute of the five indexes above.
pub const LIST_SORT: &str = "list_sort";

/// Global index of a company's undecided facturas.
pub const WAITING_INDEX: &str = "Waiting";
/// Partition attribute of [`WAITING_INDEX`].
pub const WAITING_PK: &str = "waiting_pk";
/// Global index of what waits for a user, and of the delegations to a user.
pub const INBOX_INDEX: &str = "Inbox";
/// Partition attribute of [`INBOX_INDEX`].
pub const INBOX_PK: &str = "inbox_pk";
/// Sort attribute of [`WAITING_INDEX`] and [`INBOX_INDEX`].
pub const WAITING_SORT: &str = "waiting_sort";

/// The attribute with the second in which an item ends: [`jornada`].
pub const EXPIRES_AT: &str = "expires_at";

/// The partition of all unfinished work in [`LISTED_INDEX`]. It belongs to no company, because the sweeper looks at all of it; no company's name
/// can begin so.
pub const WORK_LIST: &str = "~payables";

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key::new(PAYABLES, pk, sk)
}

/// The partition of a factura.
pub fn factura_partition(company: &CompanyId, id: FacturaId) -> String {
    format!("{company}#fac#{id}")
}

/// Reads a factura's partition key, for what comes out of an index or a stream.
pub fn read_factura_partition(pk: &str) -> Option<(CompanyId, FacturaId)> {
    let (company, id) = pk.split_once("#fac#")?;
    Some((CompanyId::parse(company).ok()?, id.parse().ok()?))
}

/// The sort key of facturas.
pub const FACTURA: &str = "factura";

/// A factura with its current round.
pub fn factura(company: &CompanyId, id: FacturaId) -> Key {
    key(factura_partition(company, id), FACTURA)
}

/// What the sort keys of rounds begin with.
pub const RONDAS: &str = "ronda#";

/// A round.
pub fn ronda(company: &CompanyId, id: FacturaId, ronda: u32) -> Key {
    key(
        factura_partition(company, id),
        format!("{RONDAS}{ronda:05}"),
    )
}

/// The live factura of a duplicate key.
pub fn clave(company: &CompanyId, clave: &Clave) -> Key {
    key(format!("{company}#clave"), clave.to_string())
}

fn grupo_partition(company: &CompanyId, grupo: &Grupo) -> String {
    // A concept may be longer than a key.
    format!(
        "{company}#grupo#{}",
        sha256_hex(grupo.to_string().as_bytes())
    )
}

/// What approvals by rule in a group collide on.
pub fn grupo_cabeza(company: &CompanyId, grupo: &Grupo) -> Key {
    key(grupo_partition(company, grupo), "cabeza")
}

/// What the sort keys of a group's facturas begin with.
pub const GRUPO_FACTURAS: &str = "fac#";

/// A factura in its group, by its day of issue.
pub fn grupo_factura(company: &CompanyId, grupo: &Grupo, emision: Date, id: FacturaId) -> Key {
    key(
        grupo_partition(company, grupo),
        format!("{GRUPO_FACTURAS}{emision}#{id}"),
    )
}

/// The partition of a company's assignments, in order of their NITs.
pub fn asignaciones(company: &CompanyId) -> String {
    format!("{company}#asignacion")
}

/// The assignment of a NIT.
pub fn asignacion(company: &CompanyId, nit: Nit) -> Key {
    key(asignaciones(company), nit.to_string())
}

/// The partition of the delegations that a user gave.
pub fn delegaciones_de(company: &CompanyId, de: &str) -> String {
    format!("{company}#dlg#{de}")
}

/// What the sort keys of delegations begin with: the prefix of their ids.
pub const DELEGACIONES: &str = "dlg_";

/// A delegation that a user gave.
pub fn delegacion(company: &CompanyId, de: &str, id: DelegacionId) -> Key {
    key(delegaciones_de(company, de), id.to_string())
}

/// What the creations of a user's delegations collide on.
pub fn delegaciones_cabeza(company: &CompanyId, de: &str) -> Key {
    key(delegaciones_de(company, de), "cabeza")
}

/// The partition of all delegations of a company, in order of their ids.
pub fn delegaciones(company: &CompanyId) -> String {
    format!("{company}#delegacion")
}

/// The same delegation by its id alone: whoever takes it back, or verifies its chain, does not know who gave it.
pub fn delegacion_by_id(company: &CompanyId, id: DelegacionId) -> Key {
    key(delegaciones(company), id.to_string())
}

/// The delegations to a user in [`INBOX_INDEX`].
pub fn delegaciones_a(company: &CompanyId, a: &str) -> String {
    format!("{company}#a#{a}")
}

/// The partition of the policy.
pub fn politicas(company: &CompanyId) -> String {
    format!("{company}#politica")
}

/// The policy in force, with the head of its chain.
pub fn politica(company: &CompanyId) -> Key {
    key(politicas(company), "actual")
}

/// A version of the policy.
pub fn politica_version(company: &CompanyId, version: u64) -> Key {
    key(politicas(company), format!("v#{version:06}"))
}

/// The partition of a job.
pub fn trabajo_partition(company: &CompanyId, id: TrabajoFacturasId) -> String {
    format!("{company}#trb#{id}")
}

/// Reads a job's partition key, for what comes out of [`LISTED_INDEX`] without its company.
pub fn read_trabajo_partition(pk: &str) -> Option<(CompanyId, TrabajoFacturasId)> {
    let (company, id) = pk.split_once("#trb#")?;
    Some((CompanyId::parse(company).ok()?, id.parse().ok()?))
}

/// A job.
pub fn trabajo(company: &CompanyId, id: TrabajoFacturasId) -> Key {
    key(trabajo_partition(company, id), "trabajo")
}

/// What the sort keys of a job's outcomes begin with.
pub const RESULTADOS: &str = "res#";

/// The outcome of a job's item: written once, and so the mark that the item is done.
pub fn resultado(company: &CompanyId, id: TrabajoFacturasId, indice: u32) -> Key {
    key(
        trabajo_partition(company, id),
        format!("{RESULTADOS}{indice:05}"),
    )
}

/// What a check of all facturas found, in figures.
pub fn informe(company: &CompanyId, id: TrabajoFacturasId) -> Key {
    key(trabajo_partition(company, id), "informe")
}

/// A page of what a check of all facturas found, from 1.
pub fn informe_pagina(company: &CompanyId, id: TrabajoFacturasId, pagina: u32) -> Key {
    key(trabajo_partition(company, id), format!("div#{pagina:05}"))
}

/// The figures of the last check.
pub fn consistencia(company: &CompanyId) -> Key {
    key(format!("{company}#consistencia"), "ultima")
}

/// That a day's job of a kind was started.
pub fn jornada(company: &CompanyId, dia: Date, tipo: TipoTrabajo) -> Key {
    key(format!("{company}#jornada"), format!("{dia}#{tipo}"))
}

/// The partition of all companies with facturas. It belongs to none of them, because what begins each day begins for all.
pub const EMPRESAS: &str = "~payables#empresas";

/// That a company has facturas.
pub fn empresa(company: &CompanyId) -> Key {
    key(EMPRESAS.to_owned(), company.as_str())
}

/// The object with what a job works on.
pub fn trabajo_object(company: &CompanyId, id: TrabajoFacturasId) -> String {
    format!("trabajos/{company}/{id}.json")
}

/// The partition of a company's uploads.
pub fn cargas(company: &CompanyId) -> String {
    format!("{company}#carga")
}

/// An upload.
pub fn carga(company: &CompanyId, id: CargaId) -> Key {
    key(cargas(company), id.to_string())
}

/// The partition of a company's refused documents, in order of their ids.
pub fn rechazos(company: &CompanyId) -> String {
    format!("{company}#rechazo")
}

/// A refused document.
pub fn rechazo(company: &CompanyId, id: RechazoIngresoId) -> Key {
    key(rechazos(company), id.to_string())
}

/// What was seen of an object's place: `lugar` is its key, or `key#digest of a content`, which no key is: keys end in `.xml`.
pub fn visto(company: &CompanyId, lugar: &str) -> Key {
    key(format!("{company}#visto"), sha256_hex(lugar.as_bytes()))
}

/// The partition of the dashboard's figures.
pub fn tablero(company: &CompanyId) -> String {
    format!("{company}#tablero")
}

/// A row of the dashboard's figures.
pub fn tablero_row(company: &CompanyId, row: impl Into<String>) -> Key {
    key(tablero(company), row)
}

/// All facturas of a company, in [`LISTED_INDEX`].
pub fn facturas(company: &CompanyId) -> String {
    format!("{company}#facturas")
}

/// The facturas of a responsable, or of nobody, in [`RESPONSABLE_INDEX`]: by username, which is how a list is asked for them.
pub fn facturas_of_responsable(company: &CompanyId, usuario: Option<&str>) -> String {
    format!("{company}#resp#{}", usuario.unwrap_or("-"))
}

/// The facturas on which somebody of this stored name acted last, in [`ACCION_INDEX`].
pub fn facturas_of_accion(company: &CompanyId, nombre: &str) -> String {
    format!("{company}#accion#{nombre}")
}

/// The facturas of a supplier, in [`NIT_INDEX`].
pub fn facturas_of_nit(company: &CompanyId, nit: Nit) -> String {
    format!("{company}#nit#{nit}")
}

/// The facturas of a state, in [`ESTADO_INDEX`].
pub fn facturas_of_estado(company: &CompanyId, estado: Estado) -> String {
    format!("{company}#estado#{}", estado.as_str())
}

/// The undecided facturas of a company, in [`WAITING_INDEX`].
pub fn espera(company: &CompanyId) -> String {
    format!("{company}#espera")
}

/// What waits for a responsable, in [`INBOX_INDEX`].
pub fn bandeja(company: &CompanyId, sub: &str) -> String {
    format!("{company}#bandeja#{sub}")
}

/// The part of a factura's place in lists that its day of issue makes: the newest day first.
pub fn emision_sort(emision: Date) -> String {
    let (year, month, day) = (emision.year(), emision.month(), emision.day());
    let ordinal = i32::from(year) * 10_000 + i32::from(month) * 100 + i32::from(day);
    format!("{:08}", 99_999_999 - ordinal)
}

/// A factura's place in lists: the newest day of issue first, then the largest id.
pub fn factura_sort(emision: Date, id: FacturaId) -> String {
    format!("{}#{}", emision_sort(emision), Ulid(!id.ulid().0))
}

/// The place of what waits: the oldest first.
pub fn waiting_sort<K: Kind>(since: Instant, id: Id<K>) -> String {
    format!("{}#{}", millis_sort(since), id.ulid())
}

/// The place of unfinished work in [`WORK_LIST`]: since when, and what.
pub fn work_sort(since: Instant, id: impl std::fmt::Display) -> String {
    format!("{}#{id}", millis_sort(since))
}

/// An instant at a width at which texts sort as instants do.
pub fn millis_sort(at: Instant) -> String {
    format!("{:013}", at.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_kernel::time::parse_date;

    #[test]
    fn newer_facturas_sort_first() {
        let sort = |date, n| {
            let id = FacturaId::new(Ulid(n));
            factura_sort(parse_date(date).unwrap(), id)
        };
        assert!(sort("2026-02-01", 1) < sort("2026-01-31", 2));
        assert!(sort("2026-02-01", 2) < sort("2026-02-01", 1));
        assert!(sort("2026-02-01", u128::MAX).is_ascii());
        assert_eq!(
            sort("2000-01-01", 0).len(),
            sort("9999-12-31", u128::MAX).len()
        );
    }

    #[test]
    fn partitions_are_read_back() {
        let company = CompanyId::parse("demo").unwrap();
        let factura = FacturaId::new(Ulid(1));
        let pk = factura_partition(&company, factura);
        assert_eq!(
            read_factura_partition(&pk),
            Some((company.clone(), factura))
        );
        let trabajo = TrabajoFacturasId::new(Ulid(2));
        let pk = trabajo_partition(&company, trabajo);
        assert_eq!(read_trabajo_partition(&pk), Some((company, trabajo)));
    }
}
