//! The digest over the book's rows.
//!
//! A row's form is the canonical JSON of `{"fila", "hoja", "otros", "rut", "valores"}`: `fila` a number; `valores` the cells by code, as texts on
//! the wire; `otros` pairs of header and text, sorted. Empty cells are left out. The digest is SHA-256 over the rows' forms in row order, joined by
//! line feeds. The order of the file's columns has no part in it, and neither has the file's id: the same rows give the same result.

use std::collections::BTreeSet;

use cierre_kernel::canonical::{NotCanonical, canonical_json};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Totales;
use crate::lre::{Code, wire_text};
use crate::registro::{Field, Registro};
use crate::rut::Rut;

/// The columns that the differences between two seals are about.
pub fn sealed(code: Code) -> bool {
    code.class() >= 2
}

/// Takes the rows of the book in order; keeps the RUTs, 4 to 8 bytes each, and no row.
#[derive(Debug, Default)]
pub struct Resultado {
    digest: Sha256,
    ruts: BTreeSet<Rut>,
    rows: u64,
    haberes: i64,
    descuentos: i64,
    aportes: i64,
    liquido: i64,
}

/// What the rows came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumido {
    /// The digest.
    pub resultado_sha256: String,
    /// The totals.
    pub totales: Totales,
}

impl Resultado {
    /// Adds a row.
    ///
    /// # Errors
    /// [`NotCanonical`], which texts and row numbers never are.
    pub fn row(&mut self, row: &Registro) -> Result<(), NotCanonical> {
        if self.rows > 0 {
            self.digest.update(b"\n");
        }
        self.digest.update(canonical_row(row)?.as_bytes());
        self.rows += 1;
        self.ruts.insert(row.rut);
        for (sum, code) in [
            (&mut self.haberes, Code::TOTAL_HABERES),
            (&mut self.descuentos, Code::TOTAL_DESCUENTOS),
            (&mut self.aportes, Code::TOTAL_APORTES),
            (&mut self.liquido, Code::TOTAL_LIQUIDO),
        ] {
            *sum = sum.saturating_add(row.amount(code));
        }
        Ok(())
    }

    /// The digest and the totals.
    pub fn finish(self) -> Resumido {
        Resumido {
            resultado_sha256: format!("{:x}", self.digest.finalize()),
            totales: Totales {
                empleados: u64::try_from(self.ruts.len()).unwrap_or(u64::MAX),
                registros: self.rows,
                haberes: self.haberes.to_string(),
                descuentos: self.descuentos.to_string(),
                aportes: self.aportes.to_string(),
                liquido: self.liquido.to_string(),
            },
        }
    }
}

fn canonical_row(row: &Registro) -> Result<String, NotCanonical> {
    let values: Map<String, Value> = row
        .values
        .iter()
        .map(|(field, value): &(Field, _)| {
            (field.name().into_owned(), Value::String(wire_text(value)))
        })
        .collect();
    let mut others: Vec<_> = row
        .others
        .iter()
        .map(|(header, text)| (header.as_ref(), text.as_ref()))
        .collect();
    others.sort_unstable();
    canonical_json(&json!({
        "fila": row.row,
        "hoja": row.sheet.as_ref(),
        "otros": others,
        "rut": row.rut.to_string(),
        "valores": values,
    }))
}
