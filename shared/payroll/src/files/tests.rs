//! Files made for the rules.

mod golden;

use super::*;

/// What reading gave.
pub(super) struct Read {
    pub(super) report: Report,
    pub(super) rows: Vec<Registro>,
}

impl Read {
    pub(super) fn of(kind: Kind, name: &str, bytes: &[u8]) -> Self {
        Self::knowing(kind, name, bytes, &|_| true)
    }

    pub(super) fn knowing(
        kind: Kind,
        name: &str,
        bytes: &[u8],
        known: &dyn Fn(Rut) -> bool,
    ) -> Self {
        let request = Request {
            kind,
            period: Period::parse("2025-10").unwrap(),
            name,
            declared_size: None,
            declared_sha256: None,
            known,
        };
        let mut rows = Vec::new();
        let report = read_bytes(request, bytes, &mut |row| rows.push(row)).unwrap();
        Self { report, rows }
    }
}
