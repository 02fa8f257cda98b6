//! Where everything of payroll stands: one table for what changes, objects for what does not.
//!
//! | what | where |
//! | --- | --- |
//! | clients | `C#cliente` / id; their RUTs `C#rut` / RUT |
//! | a closing with its files, seals and what people decided | `C#cierre#<id>` / `cierre`, `arc#…`, `sello#…`, `dis#…`, `inc#…` |
//! | the one live closing of a month | `C#periodo#<client>` / `YYYY-MM` |
//! | a job | `C#trabajo#<id>` / `trabajo` |
//! | quarantine | `C#cuarentena` / time and identity |
//!
//! Rows, findings, employees, discrepancies and incidences as they were found are objects ([`crate::derived`]). An item holds its entity as one
//! JSON text beside the attributes that conditions and indexes need: what is hashed or shown must come back as it was.
//!
//! | index | partition | sort | holds |
//! | --- | --- | --- | --- |
//! | `List` | `listPk` | `listSort` | closings of a company, the latest month first; unfinished work of all |
//! | `Client` | `clientPk` | `listSort` | closings of a client |

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{ArchivoId, CierreId, ClienteId, TrabajoId};
use cierre_kernel::time::Instant;
use cierre_platform::db::{Key, Table};

use crate::period::Period;
use crate::rut::Rut;

/// The table of the domain.
pub const PAYROLL: Table = Table::new("PAYROLL_TABLE");

/// Global index of a company's closings and of unfinished work.
pub const LIST_INDEX: &str = "List";
/// Global index of a client's closings.
pub const CLIENT_INDEX: &str = "Client";
/// Partition attribute of [`LIST_INDEX`].
pub const LIST_PK: &str = "listPk";
/// Partition attribute of [`CLIENT_INDEX`].
pub const CLIENT_PK: &str = "clientPk";
/// Sort attribute of both.
pub const LIST_SORT: &str = "listSort";

/// The partition of all unfinished work in [`LIST_INDEX`]. It belongs to no company, because the sweeper looks at all of it; no company's name
/// can begin so.
pub const WORK_LIST: &str = "~payroll";

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key::new(PAYROLL, pk, sk)
}

/// The partition of a company's clients, in order of their ids.
pub fn clientes(company: &CompanyId) -> String {
    format!("{company}#cliente")
}

/// A client.
pub fn cliente(company: &CompanyId, cliente: ClienteId) -> Key {
    key(clientes(company), cliente.to_string())
}

/// The client of a RUT: a company has one at most.
pub fn cliente_rut(company: &CompanyId, rut: Rut) -> Key {
    key(format!("{company}#rut"), rut.to_string())
}

/// The partition of a closing.
pub fn cierre_partition(company: &CompanyId, cierre: CierreId) -> String {
    format!("{company}#cierre#{cierre}")
}

/// Reads a closing's partition key, for what comes out of an index without its company.
pub fn read_cierre_partition(pk: &str) -> Option<(CompanyId, CierreId)> {
    let (company, cierre) = pk.split_once("#cierre#")?;
    Some((CompanyId::parse(company).ok()?, cierre.parse().ok()?))
}

/// A closing.
pub fn cierre(company: &CompanyId, cierre: CierreId) -> Key {
    key(cierre_partition(company, cierre), "cierre")
}

/// What the sort keys of a closing's files begin with.
pub const ARCHIVOS: &str = "arc#";

/// A file.
pub fn archivo(company: &CompanyId, cierre: CierreId, archivo: ArchivoId) -> Key {
    key(
        cierre_partition(company, cierre),
        format!("{ARCHIVOS}{archivo}"),
    )
}

/// What the sort keys of a closing's seals begin with.
pub const SELLOS: &str = "sello#";

/// A seal.
pub fn sello(company: &CompanyId, cierre: CierreId, numero: u32) -> Key {
    key(
        cierre_partition(company, cierre),
        format!("{SELLOS}{numero:06}"),
    )
}

/// That a user read the timeline in an hour.
pub fn timeline_read(company: &CompanyId, cierre: CierreId, user_id: &str, hour: &str) -> Key {
    key(
        cierre_partition(company, cierre),
        format!("visto#{hour}#{user_id}"),
    )
}

/// The partition of a client's months.
pub fn periodos(company: &CompanyId, cliente: ClienteId) -> String {
    format!("{company}#periodo#{cliente}")
}

/// The live closing of a client's month.
pub fn periodo(company: &CompanyId, cliente: ClienteId, periodo: Period) -> Key {
    key(periodos(company, cliente), periodo.to_string())
}

/// The partition of a company's closings in [`LIST_INDEX`].
pub fn cierres_list(company: &CompanyId) -> String {
    format!("{company}#cierre")
}

/// The partition of a client's closings in [`CLIENT_INDEX`].
pub fn cierres_of(company: &CompanyId, cliente: ClienteId) -> String {
    format!("{company}#{cliente}")
}

/// The part of a closing's place in lists that its month makes: the latest month first.
pub fn periodo_sort(periodo: Period) -> String {
    let months = i32::from(periodo.year()) * 12 + i32::from(periodo.month());
    format!("{:06}", 999_999 - months)
}

/// A closing's place in lists.
pub fn cierre_sort(periodo: Period, cierre: CierreId) -> String {
    format!("{}#{}", periodo_sort(periodo), cierre.ulid())
}

/// A job.
pub fn trabajo(company: &CompanyId, trabajo: TrabajoId) -> Key {
    key(format!("{company}#trabajo#{trabajo}"), "trabajo")
}

/// Reads a job's partition key, for what comes out of [`LIST_INDEX`] without its company.
pub fn read_trabajo_partition(pk: &str) -> Option<(CompanyId, TrabajoId)> {
    let (company, trabajo) = pk.split_once("#trabajo#")?;
    Some((CompanyId::parse(company).ok()?, trabajo.parse().ok()?))
}

/// The place of unfinished work in [`WORK_LIST`]: since when, and what.
pub fn work_sort(since: Instant, id: impl std::fmt::Display) -> String {
    format!("{}#{id}", millis_sort(since))
}

/// An instant at a width at which texts sort as instants do.
pub fn millis_sort(at: Instant) -> String {
    format!("{:013}", at.as_millis())
}

/// The partition of a company's quarantine, in order of arrival.
pub fn cuarentena(company: &CompanyId) -> String {
    format!("{company}#cuarentena")
}

/// Milliseconds for which objects in quarantine are kept: 90 days, as the bucket's rule has it.
pub const CUARENTENA_MILLIS: i64 = 90 * 24 * 60 * 60 * 1000;
/// The attribute with the second in which an item ends.
pub const EXPIRES_AT: &str = "expiresAt";

/// An object in quarantine; the same for every delivery of its event.
pub fn en_cuarentena(company: &CompanyId, ocurrido: Instant, identidad: &str) -> Key {
    let identity = identidad.get(..24).unwrap_or(identidad);
    key(
        cuarentena(company),
        format!("{}#{identity}", millis_sort(ocurrido)),
    )
}

/// What the company's chain of quarantined objects is called.
pub const CUARENTENA: &str = "cuarentena";

/// The head of the chain of what is in quarantine and belongs to no closing.
pub fn cuarentena_chain(company: &CompanyId) -> Key {
    key(format!("{company}#cadena"), CUARENTENA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_months_sort_first() {
        let sort = |text| periodo_sort(Period::parse(text).unwrap());
        assert!(sort("2025-10") < sort("2025-09"));
        assert!(sort("2026-01") < sort("2025-12"));
        assert_eq!(sort("2000-01").len(), sort("2099-12").len());
    }

    #[test]
    fn partitions_of_closings_and_jobs_are_read_back() {
        let company = CompanyId::parse("demo").unwrap();
        let cierre: CierreId = "cie_01JD0000000000000000000000".parse().unwrap();
        let pk = cierre_partition(&company, cierre);
        assert_eq!(read_cierre_partition(&pk), Some((company.clone(), cierre)));
        let id: TrabajoId = "tra_01JD0000000000000000000000".parse().unwrap();
        let pk = trabajo(&company, id).pk;
        assert_eq!(read_trabajo_partition(&pk), Some((company, id)));
    }
}
