//! The digest over the book's rows.
//!
//! A row's form is the canonical JSON of `{"fila", "hoja", "otros", "rut", "valores"}`: `fila` a number; `valores` the cells by code, as texts on
//! the wire; `otros` pairs of header and text, sorted. Empty cells are left out. The digest is SHA-256 over the rows' forms in row order, joined by
//! line feeds. The order of the file's columns has no part in it, and neither has the file's id: the same rows give the same result.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Totales;
use crate::lre::{Code, wire_text};
use crate::registro::Registro;
use crate::rut::Rut;

/// The columns that the differences between two seals are about.
pub fn compared(code: Code) -> bool {
    code.class() >= 2
}

/// Takes the rows of the book in order; keeps the RUTs, 8 bytes each, and no row.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumido {
    /// The digest.
    pub resultado_sha256: String,
    /// The totals.
    pub totales: Totales,
}

impl Resultado {
    /// Adds a row.
    pub fn row(&mut self, row: &Registro) {
        if self.rows > 0 {
            self.digest.update(b"\n");
        }
        self.digest.update(canonical_row(row).as_bytes());
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

/// The canonical JSON of a row, written straight away: a book has 200,000 rows, and building a tree for each takes several times as long. Members
/// stand in their order, the names of fields are ASCII, and `serde_json` escapes texts as RFC 8785 wants it; a test compares the two.
pub(super) fn canonical_row(row: &Registro) -> String {
    let mut values: Vec<_> = row
        .values
        .iter()
        .map(|(field, value)| (field.name(), wire_text(value)))
        .collect();
    values.sort_unstable();
    let values = values
        .iter()
        .map(|(name, value)| format!("{}:{}", json(name), json(value)));
    let mut others: Vec<_> = row
        .others
        .iter()
        .map(|(header, text)| (header.as_ref(), text.as_ref()))
        .collect();
    others.sort_unstable();
    let others = others
        .iter()
        .map(|(header, text)| format!("[{},{}]", json(header), json(text)));
    format!(
        r#"{{"fila":{},"hoja":{},"otros":[{}],"rut":{},"valores":{{{}}}}}"#,
        row.row,
        json(&row.sheet),
        joined(others),
        json(&row.rut.to_string()),
        joined(values)
    )
}

fn json(text: &str) -> String {
    Value::from(text).to_string()
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}
