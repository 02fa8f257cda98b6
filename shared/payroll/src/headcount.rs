//! The employees that a set of files shows: put together from what each file's rows say about them, and kept under the digest of the set, so that
//! who reads them never sees a mixture of two sets.

use std::collections::BTreeMap;

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{ArchivoId, CierreId};
use cierre_platform::Failure;
use cierre_platform::objects::Objects;
use cierre_platform::pack::{self, Packer, each_row};

use crate::derived::{self, FileObjects};
use crate::entity::cierre::Cierre;
use crate::kind::Kind;
use crate::registro::Registro;
use crate::rules::empleados::{Consolidado, Empleados};

/// The files in force of a closing, by kind.
pub type InForce = BTreeMap<Kind, ArchivoId>;

/// Reads the employees of these files. Novedades comes last, so that its rows can tell whom they create.
///
/// # Errors
/// When S3 does not answer, or a file has no rows there.
pub async fn of(
    objects: &Objects,
    company: &CompanyId,
    cierre: CierreId,
    files: &InForce,
) -> Result<Empleados, Failure> {
    let mut people = Empleados::default();
    let others = files.iter().filter(|(kind, _)| **kind != Kind::Novedades);
    let last = files.iter().filter(|(kind, _)| **kind == Kind::Novedades);
    for (kind, id) in others.chain(last) {
        let rows = fichas(objects, company, cierre, *id).await?;
        each_row(&rows, |row: Registro| {
            people.row(*kind, &row);
            Ok(())
        })?;
    }
    Ok(people)
}

/// What novedades does to the employees that the other files show: how many it updates and creates.
///
/// # Errors
/// When a row cannot be read.
pub fn consolidate(people: &mut Empleados, novedades: &[u8]) -> Result<(u64, u64), Failure> {
    let (mut updated, mut created) = (0, 0);
    each_row(novedades, |row: Registro| {
        match people.row(Kind::Novedades, &row) {
            Consolidado::Creado => created += 1,
            Consolidado::Actualizado => updated += 1,
            Consolidado::SinCambio => {}
        }
        Ok(())
    })?;
    Ok((updated, created))
}

/// What a file's rows say about employees.
///
/// # Errors
/// When S3 does not answer, or there is nothing.
pub async fn fichas(
    objects: &Objects,
    company: &CompanyId,
    cierre: CierreId,
    archivo: ArchivoId,
) -> Result<Vec<u8>, Failure> {
    let key = FileObjects::of(company, cierre, archivo).fichas();
    let rows = objects.get(&key).await?;
    rows.ok_or_else(|| Failure::message("a file in force has no rows"))
}

/// Keeps the employees of the closing's files in force.
///
/// # Errors
/// When S3 does not answer.
pub async fn keep(
    objects: &Objects,
    company: &CompanyId,
    cierre: &Cierre,
    people: &Empleados,
) -> Result<(), Failure> {
    let mut packer = Packer::new();
    for one in people.iter() {
        packer.push(Some(&one.rut.to_string()), &one)?;
    }
    let key = derived::empleados(company, cierre.id, &cierre.inputs());
    objects
        .put(&key, packer.finish()?, pack::MEDIA_TYPE)
        .await?;
    Ok(())
}
