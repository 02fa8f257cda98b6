//! What is told of a file that was read.

use std::sync::Arc;

use super::finding::{Finding, LISTED, Letters, Totals};
use super::header::Method;
use crate::registro::Field;

/// How a file is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A workbook.
    Xlsx,
    /// Text in columns.
    Csv,
}

impl Format {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Xlsx => "xlsx",
            Self::Csv => "csv",
        }
    }
}

/// How the characters of a CSV are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8 after a byte order mark.
    Utf8Bom,
    /// windows-1252.
    Windows1252,
}

impl Encoding {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf8Bom => "utf-8-sig",
            Self::Windows1252 => "windows-1252",
        }
    }
}

/// A column as it was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnRead {
    /// The sheet; empty for CSV.
    pub sheet: Arc<str>,
    /// Where it stands.
    pub column: Letters,
    /// Its header as it is written.
    pub header: Arc<str>,
    /// What it was understood as.
    pub code: Option<Field>,
    /// How it was understood.
    pub method: Method,
}

/// What was found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How the file is built, once that is known.
    pub format: Option<Format>,
    /// How a CSV's characters are written.
    pub encoding: Option<Encoding>,
    /// How many data rows were read.
    pub rows: u32,
    /// How many headers were found.
    pub headers: u32,
    /// The columns, by sheet and position.
    pub columns: Vec<ColumnRead>,
    /// What is wrong: by sheet, row, column and rule, at most [`super::KEPT`].
    pub findings: Vec<Finding>,
    /// How many findings there are in all.
    pub totals: Totals,
}

impl Report {
    /// Whether nothing of the file may be taken.
    pub const fn is_refused(&self) -> bool {
        self.totals.errors > 0
    }

    /// The findings that a list shows.
    pub fn listed(&self) -> &[Finding] {
        self.findings.get(..LISTED).unwrap_or(&self.findings)
    }
}
