//! Reading files: what arrives is bytes, what leaves is rows and findings.
//!
//! Bytes are looked at once on arrival ([`Survey`]) and then read row by row ([`read`]); at no time is a sheet in memory as a whole. A file
//! with one finding of level `error` gives nothing: its rows may have been handed out by then, so whoever takes them holds them back until the
//! report says that they count.

mod cell;
mod checks;
mod container;
mod csv;
mod finding;
mod header;
mod layout;
mod number;
mod report;
mod row;
mod sheet;
mod strings;
mod survey;
mod tables;
#[cfg(test)]
mod tests;
mod workbook;
mod worksheet;
mod xml;

use std::borrow::Cow;
use std::io::{self, Cursor, Read, Seek};
use std::sync::Arc;

pub use finding::{Finding, KEPT, LISTED, Letters, Level, Rule, Totals};
pub use header::Method;
pub use report::{ColumnRead, Encoding, Format, Report};
pub use survey::{Survey, Surveyed};
pub(crate) use tables::{column_name, sheet_name};

use cell::Epoch;
use finding::Findings;

use crate::kind::Kind;
use crate::period::Period;
use crate::registro::Registro;
use crate::rut::Rut;

/// The most bytes of a file.
pub const MAX_BYTES: u64 = 50 * 1024 * 1024;
/// The most data rows of a file, all sheets together.
pub const MAX_ROWS: u32 = 200_000;
/// The most columns of a sheet.
pub const MAX_COLUMNS: u16 = 512;

/// What is asked to be read.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// What the file is to hold.
    pub kind: Kind,
    /// The month of the closing.
    pub period: Period,
    /// The file's name; what counts is its extension.
    pub name: &'a str,
    /// How many bytes were announced.
    pub declared_size: Option<u64>,
    /// Which SHA-256 was announced, in hexadecimal.
    pub declared_sha256: Option<&'a str>,
    /// Whether the closing knows an employee already.
    pub known: &'a dyn Fn(Rut) -> bool,
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("kind", &self.kind)
            .field("period", &self.period)
            .finish_non_exhaustive()
    }
}

/// Why reading ends early.
#[derive(Debug)]
enum Stop {
    /// The file as a whole is refused; this is then its only finding.
    Refused {
        rule: Rule,
        reason: Cow<'static, str>,
        sheet: Option<Arc<str>>,
    },
    /// The bytes cannot be had.
    Io(io::Error),
}

impl Stop {
    fn refused(rule: Rule, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused {
            rule,
            reason: reason.into(),
            sheet: None,
        }
    }

    fn on(self, place: &Arc<str>) -> Self {
        match self {
            Self::Refused { rule, reason, .. } => Self::Refused {
                rule,
                reason,
                sheet: Some(Arc::clone(place)),
            },
            Self::Io(error) => Self::Io(error),
        }
    }
}

/// What goes on while a file is read.
struct Reading<'a> {
    request: Request<'a>,
    epoch: Epoch,
    findings: Findings,
    format: Option<Format>,
    encoding: Option<Encoding>,
    rows: u32,
    headers: u32,
    columns: Vec<(u16, ColumnRead)>,
    sink: &'a mut dyn FnMut(Registro),
}

/// Reads a file whose bytes were surveyed. Every row without an error goes to the sink at once.
///
/// # Errors
/// When the bytes cannot be had. Whatever is wrong with them is a finding.
pub fn read<R: Read + Seek>(
    request: Request<'_>,
    surveyed: &Surveyed,
    input: R,
    sink: &mut dyn FnMut(Registro),
) -> io::Result<Report> {
    let mut reading = Reading {
        request,
        epoch: Epoch::Y1900,
        findings: Findings::default(),
        format: None,
        encoding: None,
        rows: 0,
        headers: 0,
        columns: Vec::new(),
        sink,
    };
    if !is_as_declared(&mut reading, surveyed) {
        return Ok(reading.report());
    }
    match container::read(&mut reading, surveyed, input) {
        Ok(()) => {}
        Err(Stop::Refused {
            rule,
            reason,
            sheet,
        }) => reading.refuse(rule, reason, sheet.as_ref()),
        Err(Stop::Io(error)) => return Err(error),
    }
    Ok(reading.report())
}

/// Reads a file that is in memory.
///
/// # Errors
/// As [`read`]; bytes in memory can always be had.
pub fn read_bytes(
    request: Request<'_>,
    bytes: &[u8],
    sink: &mut dyn FnMut(Registro),
) -> io::Result<Report> {
    let surveyed = Survey::of(bytes)?;
    read(request, &surveyed, Cursor::new(bytes), sink)
}

/// Whether the bytes are those announced, and so many that they are worth a look.
fn is_as_declared(reading: &mut Reading<'_>, surveyed: &Surveyed) -> bool {
    let request = reading.request;
    if surveyed.size > MAX_BYTES {
        let reason = format!("has {} bytes, over {MAX_BYTES}", surveyed.size);
        reading.tell(Rule::TamanoMaximo, reason);
        return false;
    }
    let mut fine = true;
    if let Some(declared) = request.declared_size
        && declared != surveyed.size
    {
        let reason = format!("has {} bytes, not {declared}", surveyed.size);
        reading.tell(Rule::TamanoDistinto, reason);
        fine = false;
    }
    if let Some(declared) = request.declared_sha256
        && !declared.eq_ignore_ascii_case(&surveyed.sha256)
    {
        let reason = format!("has SHA-256 {}", surveyed.sha256);
        reading.tell(Rule::HashDistinto, reason);
        fine = false;
    }
    if surveyed.size == 0 {
        reading.tell(Rule::ArchivoVacio, "has no bytes");
        fine = false;
    }
    fine
}

impl Reading<'_> {
    /// A finding on the whole file.
    fn tell(&mut self, rule: Rule, reason: impl Into<Cow<'static, str>>) {
        let finding = Finding::of_file(self.request.kind, rule, reason);
        self.findings.frame(0, finding);
    }

    /// Drops what was found: of a file that cannot be read to its end, no count would be exact.
    fn refuse(&mut self, rule: Rule, reason: Cow<'static, str>, sheet: Option<&Arc<str>>) {
        self.findings = Findings::default();
        let finding = Finding::of_file(self.request.kind, rule, reason);
        let finding = match sheet {
            Some(sheet) => finding.on(sheet),
            None => finding,
        };
        self.findings.frame(0, finding);
    }

    fn report(mut self) -> Report {
        // A column without header is met when it first has content, out of order.
        self.columns
            .sort_by_key(|(sheet, column)| (*sheet, column.column));
        let (findings, totals) = self.findings.finish();
        Report {
            format: self.format,
            encoding: self.encoding,
            rows: self.rows,
            headers: self.headers,
            columns: self.columns.into_iter().map(|(_, read)| read).collect(),
            findings,
            totals,
        }
    }
}
