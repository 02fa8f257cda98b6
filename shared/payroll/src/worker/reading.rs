//! Reading a file's bytes into what is kept of it. Takes a processor for itself, so it runs beside the heartbeat of its message.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use cierre_platform::Failure;
use cierre_platform::error::Doing;
use cierre_platform::pack::Packer;

use crate::entity::archivo::{Archivo, RowsBySheet};
use crate::entity::dossier::{Consolidation, Reading};
use crate::files::{self, Level, Report, Rule, Surveyed, sheet_name};
use crate::informe::{self, Informe};
use crate::kind::Kind;
use crate::period::Period;
use crate::registro::{Field, Registro};
use crate::rules::empleados::describes;
use crate::rules::sello;
use crate::rut::Rut;

/// A file to be read.
pub(super) struct Source {
    pub(super) archivo: Archivo,
    pub(super) periodo: Period,
    pub(super) surveyed: Surveyed,
    pub(super) bytes: Vec<u8>,
    /// Whom the other files in force know.
    pub(super) known: BTreeSet<Rut>,
}

/// What a file came to.
pub(super) struct Read {
    pub(super) informe: Informe,
    pub(super) reading: Reading,
    pub(super) headers: u64,
    /// The findings as CSV; none without any.
    pub(super) hallazgos: Option<Vec<u8>>,
    /// The rows as packs; none when a finding is an error.
    pub(super) rows: Option<Rows>,
    /// The columns of novedades, as its events name them.
    pub(super) columns: Consolidation,
}

/// A file's rows.
pub(super) struct Rows {
    pub(super) registros: Vec<u8>,
    pub(super) fichas: Vec<u8>,
}

/// Reads a file.
pub(super) fn read(source: Source) -> Result<Read, Failure> {
    let kind = source.archivo.tipo;
    let declared = source.archivo.declarado.as_ref();
    let known = |rut| source.known.contains(&rut);
    let request = files::Request {
        kind,
        period: source.periodo,
        name: &source.archivo.nombre,
        declared_size: declared.map(|declared| declared.tamano),
        declared_sha256: declared.and_then(|declared| declared.sha256.as_deref()),
        known: &known,
    };
    let mut sink = Sink::of(kind);
    let input = Cursor::new(source.bytes);
    let report = files::read(request, &source.surveyed, input, &mut |row| sink.take(&row));
    let report = report.doing("reading a file")?;
    let Collected {
        registros,
        fichas,
        filas,
        resultado,
    } = sink.finish()?;
    let resultado = resultado.filter(|_| !report.is_refused());
    let hallazgos = (!report.findings.is_empty())
        .then(|| informe::findings_csv(&report))
        .transpose()?;
    let rows = (!report.is_refused()).then_some(Rows { registros, fichas });
    Ok(Read {
        reading: Reading {
            hash: source.surveyed.sha256.clone(),
            codificacion: report.encoding.map(|encoding| encoding.as_str().to_owned()),
            filas,
            errores: errors(kind, &report),
            advertencias_total: report.totals.warnings,
        },
        headers: u64::from(report.headers),
        informe: Informe::of(&report, resultado),
        hallazgos,
        rows,
        columns: columns(&report),
    })
}

/// How many errors there are of each rule.
fn errors(kind: Kind, report: &Report) -> BTreeMap<String, u64> {
    let is_error = |rule: &Rule| rule.level(kind) == Level::Error;
    let counted = report.totals.rules.iter();
    counted
        .filter(|(rule, _)| is_error(rule))
        .map(|(rule, count)| (rule.to_string(), *count))
        .collect()
}

/// The columns by what they are for. How many employees they brought is known later.
fn columns(report: &Report) -> Consolidation {
    let mut found = Consolidation::default();
    for column in &report.columns {
        match column.code {
            Some(Field::Named(name)) => found.columnas_creacion.push(name.to_owned()),
            Some(Field::Lre(code)) => found.columnas_movimiento.push(code.to_string()),
            None => {}
        }
    }
    let classified = found.columnas_creacion.len() + found.columnas_movimiento.len();
    found.headers_clasificados = u64::try_from(classified).unwrap_or(u64::MAX);
    found
}

/// Packs rows as they come.
struct Sink {
    kind: Kind,
    registros: Packer,
    fichas: Packer,
    filas: RowsBySheet,
    resultado: Option<sello::Resultado>,
    failed: Option<Failure>,
}

struct Collected {
    registros: Vec<u8>,
    fichas: Vec<u8>,
    filas: RowsBySheet,
    resultado: Option<sello::Resumido>,
}

impl Sink {
    fn of(kind: Kind) -> Self {
        let is_book = kind == Kind::LibroRemuneraciones;
        Self {
            kind,
            registros: Packer::new(),
            fichas: Packer::new(),
            filas: RowsBySheet::default(),
            resultado: is_book.then(sello::Resultado::default),
            failed: None,
        }
    }

    fn take(&mut self, row: &Registro) {
        if let Some(resultado) = &mut self.resultado {
            resultado.row(row);
        }
        let sheet = sheet_name(self.kind, &row.sheet);
        *self.filas.0.entry(sheet.to_owned()).or_default() += 1;
        if self.failed.is_none() {
            self.failed = self.pack(row).err();
        }
    }

    fn pack(&mut self, row: &Registro) -> Result<(), Failure> {
        let rut = row.rut.to_string();
        self.registros.push(Some(&rut), row)?;
        let told = row.values.iter();
        let ficha = Registro {
            values: told
                .filter(|(field, _)| describes(self.kind, *field))
                .cloned()
                .collect(),
            others: Vec::new(),
            sheet: row.sheet.clone(),
            ..*row
        };
        self.fichas.push(None, &ficha)
    }

    fn finish(self) -> Result<Collected, Failure> {
        if let Some(failure) = self.failed {
            return Err(failure);
        }
        Ok(Collected {
            registros: self.registros.finish()?,
            fichas: self.fichas.finish()?,
            filas: self.filas,
            resultado: self.resultado.map(sello::Resultado::finish),
        })
    }
}
