//! What changed between two seals.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::ArchivoSellado;
use crate::kind::Kind;
use crate::lre::Code;
use crate::rules::sums::{Sums, pairs};
use crate::rut::Rut;

/// A file that is not the one of the former seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CambioArchivo {
    /// Its kind.
    pub tipo: Kind,
    /// The file before, if there was one.
    pub antes: Option<ArchivoSellado>,
    /// The file now, if there is one.
    pub ahora: Option<ArchivoSellado>,
}

/// A column whose amount is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CambioCodigo {
    /// The column.
    pub codigo: Code,
    /// The amount before.
    #[serde(serialize_with = "as_text")]
    pub antes: i64,
    /// The amount now.
    #[serde(serialize_with = "as_text")]
    pub ahora: i64,
    /// Now less before, signed.
    #[serde(serialize_with = "as_text")]
    pub diferencia: i64,
}

/// An employee of whom an amount is another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CambioEmpleado {
    /// Who.
    #[serde(serialize_with = "as_text")]
    pub rut: Rut,
    /// Which amounts.
    pub codigos: Vec<CambioCodigo>,
}

fn as_text<T: std::fmt::Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// The kinds whose file has other bytes, came or went. The same bytes uploaded again are no change.
pub fn changed_files(before: &[ArchivoSellado], now: &[ArchivoSellado]) -> Vec<CambioArchivo> {
    let find = |files: &[ArchivoSellado], kind| {
        files
            .iter()
            .find(|file: &&ArchivoSellado| file.tipo == kind)
            .cloned()
    };
    let digest = |file: &Option<ArchivoSellado>| file.as_ref().map(|file| file.sha256.clone());
    Kind::ALL
        .into_iter()
        .map(|tipo| CambioArchivo {
            tipo,
            antes: find(before, tipo),
            ahora: find(now, tipo),
        })
        .filter(|change| digest(&change.antes) != digest(&change.ahora))
        .collect()
}

/// The employees that one book has and the other has not: `only_in(now, before)` were added, `only_in(before, now)` were removed.
pub fn only_in<'a>(one: &'a Sums, other: &'a Sums) -> impl Iterator<Item = Rut> + 'a {
    one.ruts().filter(|rut| !other.has(*rut))
}

/// The employees of whom an amount changed, in the order of their RUTs; one is held at a time. One who was added had 0 before, one who was removed
/// has 0 now: so the differences of the employees add up to those of [`changed_codes`].
pub fn changed_employees<'a>(
    before: &'a Sums,
    now: &'a Sums,
) -> impl Iterator<Item = CambioEmpleado> + 'a {
    let everybody: BTreeSet<_> = before.ruts().chain(now.ruts()).collect();
    everybody.into_iter().filter_map(|rut| {
        let codigos: Vec<_> = pairs(before, now, rut)
            .into_iter()
            .filter_map(|(code, amounts)| change(code, amounts))
            .collect();
        (!codigos.is_empty()).then_some(CambioEmpleado { rut, codigos })
    })
}

/// The columns whose sum over all employees changed, by code.
pub fn changed_codes(before: &Sums, now: &Sums) -> Vec<CambioCodigo> {
    let everybody: BTreeSet<_> = before.ruts().chain(now.ruts()).collect();
    let mut totals: BTreeMap<Code, (i64, i64)> = BTreeMap::new();
    for rut in everybody {
        for (code, amounts) in pairs(before, now, rut) {
            let total = totals.entry(code).or_default();
            total.0 = total.0.saturating_add(amounts.0);
            total.1 = total.1.saturating_add(amounts.1);
        }
    }
    totals
        .into_iter()
        .filter_map(|(code, amounts)| change(code, amounts))
        .collect()
}

fn change(codigo: Code, (antes, ahora): (i64, i64)) -> Option<CambioCodigo> {
    (antes != ahora).then(|| CambioCodigo {
        codigo,
        antes,
        ahora,
        diferencia: ahora.saturating_sub(antes),
    })
}
