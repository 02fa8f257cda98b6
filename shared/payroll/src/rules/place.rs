//! Where something stands: in which file, sheet, row and column.

use std::collections::BTreeMap;
use std::sync::Arc;

use cierre_kernel::id::ArchivoId;
use serde::{Deserialize, Serialize};

use crate::registro::Field;

/// How many characters of a cell are shown.
pub const SHOWN_CHARACTERS: usize = 80;

/// Which column of which sheet holds which field: what the headers of a file were understood as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout(BTreeMap<Arc<str>, BTreeMap<Field, Box<str>>>);

impl Layout {
    /// The letters of a field's column; none when the sheet does not have it.
    pub fn column(&self, sheet: &str, field: Field) -> Option<&str> {
        self.0.get(sheet)?.get(&field).map(AsRef::as_ref)
    }
}

/// Sheet, field and the letters of its column.
impl FromIterator<(Arc<str>, Field, Box<str>)> for Layout {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Field, Box<str>)>>(columns: I) -> Self {
        let mut layout = Self::default();
        for (sheet, field, letters) in columns {
            layout.0.entry(sheet).or_default().insert(field, letters);
        }
        layout
    }
}

/// A file in force, as comparisons need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub archivo_id: ArchivoId,
    /// Its columns.
    pub layout: Layout,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ubicacion {
    /// The file.
    pub archivo_id: ArchivoId,
    /// The sheet; empty for CSV.
    pub hoja: String,
    /// The row.
    pub fila: u32,
    /// The column's letters; none when the file does not have the column, which then reads as empty.
    pub columna: Option<String>,
    /// What stands there, as on the wire; at most [`SHOWN_CHARACTERS`].
    pub valor: String,
}

impl Source {
    /// A cell of this file.
    pub(super) fn cell(&self, mark: &Mark, field: Field, valor: String) -> Ubicacion {
        Ubicacion {
            archivo_id: self.archivo_id,
            hoja: mark.sheet.to_string(),
            fila: mark.row,
            columna: self.layout.column(&mark.sheet, field).map(str::to_owned),
            valor,
        }
    }
}

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) sheet: Arc<str>,
    pub(super) row: u32,
}

impl Mark {
    pub(super) fn of(row: &crate::registro::Registro) -> Self {
        Self {
            sheet: Arc::clone(&row.sheet),
            row: row.row,
        }
    }
}

/// The beginning of a text.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS).collect()
}
