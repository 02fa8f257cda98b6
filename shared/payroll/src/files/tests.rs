//! Files made for the rules.

mod books;
mod golden;
mod hostile;
mod properties;
mod rules;
mod vectors;

use super::*;

/// What reading gave.
pub(super) struct Read {
    pub(super) report: Report,
    pub(super) rows: Vec<Registro>,
}

impl Read {
    /// Reads a file in a closing that knows everybody.
    pub(super) fn of(kind: Kind, name: &str, bytes: &[u8]) -> Self {
        Self::knowing(kind, name, bytes, true)
    }

    /// Reads a file in a closing that knows everybody or nobody.
    pub(super) fn knowing(kind: Kind, name: &str, bytes: &[u8], everybody: bool) -> Self {
        let request = Request {
            kind,
            period: Period::parse("2025-10").unwrap(),
            name,
            declared_size: None,
            declared_sha256: None,
            known: &|_| everybody,
        };
        let mut rows = Vec::new();
        let report = read_bytes(request, bytes, &mut |row| rows.push(row)).unwrap();
        Self { report, rows }
    }

    /// Every finding as `sheet!column row rule`, in order.
    pub(super) fn shown(&self) -> Vec<String> {
        self.report
            .findings
            .iter()
            .map(|finding| {
                let sheet = finding.sheet.as_deref().unwrap_or("*");
                let column = finding.column.map(|c| c.to_string()).unwrap_or_default();
                let row = finding.row.map(|r| r.to_string()).unwrap_or_default();
                format!("{sheet}!{column}{row} {}", finding.rule)
            })
            .collect()
    }

    pub(super) fn has(&self, rule: Rule) -> bool {
        self.report.totals.rules.contains_key(&rule)
    }
}
