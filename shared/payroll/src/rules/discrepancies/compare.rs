//! The files against each other.
//!
//! Kept in memory: per RUT of the book 56 bytes; per movement cell of novedades 56 bytes; per hire, leaver and absence of the smaller files about
//! 100 bytes. A book of 200,000 employees against novedades of ten columns takes about 150 MB; the rows themselves are never kept.

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::id::CierreId;
use cierre_kernel::time::Date;

use super::row::{RowFinding, check};
use super::{Control, DiscrepanciaHallada, Found, Regla, TipoDiscrepancia};
use crate::kind::Kind;
use crate::lre::{BookRow, Code, amount, decimal_text, hundredths};
use crate::registro::{Field, Registro, Value};
use crate::rules::movimiento::Movimiento;
use crate::rules::place::{Mark, Source, Ubicacion};
use crate::rut::Rut;

const RUT: Field = Field::Named("rut");
const TIPO: Field = Field::Named("tipo");
const DESDE: Field = Field::Named("fecha_inicio");
const HASTA: Field = Field::Named("fecha_fin");

/// The columns that count days: compared in hundredths and without tolerance.
const DAYS: [Code; 3] = [
    Code::DIAS_TRABAJADOS,
    Code::DIAS_LICENCIA,
    Code::DIAS_VACACIONES,
];

/// Takes the rows of every kind but the book, in the order of their files; the files may come in any order.
///
/// Rows of a kind that is not in force are not looked at: what needs it is in `no_evaluadas`.
pub struct Comparison {
    cierre: CierreId,
    tolerance: u32,
    files: BTreeMap<Kind, Source>,
    novedades: BTreeMap<Rut, Novedad>,
    hires: Reported,
    leavers: Reported,
    absences: BTreeMap<Kind, Absences>,
}

/// What client and analyst report of one thing: rows by RUT.
type Reported = BTreeMap<Kind, BTreeMap<Rut, Vec<Mark>>>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Absence {
    rut: Rut,
    tipo: Box<str>,
    from: Date,
    to: Date,
}

/// What one of client and analyst reports of absences.
#[derive(Default)]
struct Absences {
    /// With the row and its ordinal among the RUT's.
    rows: BTreeMap<Absence, (Mark, usize)>,
    of_rut: BTreeMap<Rut, usize>,
}

/// An employee's row of novedades.
struct Novedad {
    mark: Mark,
    cells: Vec<Movement>,
}

/// A movement cell and what the book has for it.
struct Movement {
    code: Code,
    client: i64,
    /// The book's cell in the RUT's first row. Nearly every RUT has one row, so only others cost an allocation.
    first: Option<i64>,
    /// Those in its other rows.
    more: Vec<Option<i64>>,
}

/// The rows of a RUT in the book.
struct BookRut {
    first: Mark,
    more: Vec<Mark>,
}

impl Comparison {
    /// Begins with the files in force. Amounts may differ by the tolerance, in pesos.
    pub fn new(cierre: CierreId, tolerance: u32, files: BTreeMap<Kind, Source>) -> Self {
        Self {
            cierre,
            tolerance,
            files,
            novedades: BTreeMap::new(),
            hires: Reported::new(),
            leavers: Reported::new(),
            absences: BTreeMap::new(),
        }
    }

    /// A row of novedades.
    pub fn novedad(&mut self, row: &Registro) {
        let cells = row.values.iter().filter_map(|(field, value)| match field {
            Field::Lre(code) => Some(Movement {
                code: *code,
                client: measure(*code, value)?,
                first: None,
                more: Vec::new(),
            }),
            Field::Named(_) => None,
        });
        let mut cells: Vec<_> = cells.collect();
        cells.shrink_to_fit();
        let novedad = Novedad {
            mark: Mark::of(row),
            cells,
        };
        // A file in force has a RUT once; should it not, the first row is the one that counts.
        self.novedades.entry(row.rut).or_insert(novedad);
    }

    /// A row of movimientos_mes, of any of its sheets.
    pub fn movimiento(&mut self, row: &Registro) {
        match Movimiento::of(row) {
            Movimiento::Alta => report(&mut self.hires, Kind::MovimientosMes, row),
            Movimiento::Baja => report(&mut self.leavers, Kind::MovimientosMes, row),
            Movimiento::Ausencia => self.absence(Kind::MovimientosMes, row),
            Movimiento::Vacacion => {}
        }
    }

    /// A row of ingresos.
    pub fn ingreso(&mut self, row: &Registro) {
        report(&mut self.hires, Kind::Ingresos, row);
    }

    /// A row of finiquitos.
    pub fn finiquito(&mut self, row: &Registro) {
        report(&mut self.leavers, Kind::Finiquitos, row);
    }

    /// A row of ausentismos.
    pub fn ausentismo(&mut self, row: &Registro) {
        self.absence(Kind::Ausentismos, row);
    }

    /// Goes on to the book.
    pub fn into_book(self) -> BookComparison {
        BookComparison {
            files: self,
            book: BTreeMap::new(),
        }
    }

    fn absence(&mut self, kind: Kind, row: &Registro) {
        let (Some(Value::Text(tipo)), Some(Value::Date(from)), Some(Value::Date(to))) =
            (row.value(TIPO), row.value(DESDE), row.value(HASTA))
        else {
            return;
        };
        let key = Absence {
            rut: row.rut,
            tipo: tipo.clone(),
            from: *from,
            to: *to,
        };
        let known = self.absences.entry(kind).or_default();
        let ordinal = known.of_rut.entry(row.rut).or_default();
        known.rows.entry(key).or_insert((Mark::of(row), *ordinal));
        *ordinal += 1;
    }

    fn is_evaluated(&self, tipo: TipoDiscrepancia) -> bool {
        tipo.needs()
            .iter()
            .all(|kind| self.files.contains_key(kind))
    }

    /// Hires or leavers that only one of two kinds reports.
    fn one_sided(
        &self,
        regla: Regla,
        reported: &Reported,
        word: &str,
        found: &mut Vec<DiscrepanciaHallada>,
    ) {
        let &[one, other] = regla.tipo().needs() else {
            return;
        };
        for (has, lacks) in [(one, other), (other, one)] {
            let Some((source, rows)) = self.files.get(&has).zip(reported.get(&has)) else {
                continue;
            };
            for (rut, marks) in rows {
                if reported
                    .get(&lacks)
                    .is_some_and(|known| known.contains_key(rut))
                {
                    continue;
                }
                let cells = marks
                    .iter()
                    .map(|mark| source.cell(mark, RUT, rut.to_string()));
                let missing = Missing {
                    regla,
                    rut: *rut,
                    lacks,
                    slot: String::new(),
                    ordinal: 0,
                    sugerencia: format!("{has} has a {word} of this RUT, {lacks} has not"),
                };
                found.push(self.found(missing.at(cells.collect())));
            }
        }
    }

    fn one_sided_absences(&self, found: &mut Vec<DiscrepanciaHallada>) {
        let (one, other) = (Kind::MovimientosMes, Kind::Ausentismos);
        for (has, lacks) in [(one, other), (other, one)] {
            let Some((source, rows)) = self.files.get(&has).zip(self.absences.get(&has)) else {
                continue;
            };
            for (absence, (mark, ordinal)) in &rows.rows {
                let known = self.absences.get(&lacks);
                if known.is_some_and(|known| known.rows.contains_key(absence)) {
                    continue;
                }
                let cells = vec![
                    source.cell(mark, TIPO, absence.tipo.to_string()),
                    source.cell(mark, DESDE, absence.from.to_string()),
                    source.cell(mark, HASTA, absence.to.to_string()),
                ];
                let missing = Missing {
                    regla: Control::AusenciaNoReportada.into(),
                    rut: absence.rut,
                    lacks,
                    // Both files count their rows from 0: without this, an absence that only one has and one that only the other has
                    // would be the same discrepancy.
                    slot: lacks.to_string(),
                    ordinal: *ordinal,
                    sugerencia: format!("{has} has this absence, {lacks} has not"),
                };
                found.push(self.found(missing.at(cells)));
            }
        }
    }

    fn found(&self, found: Found) -> DiscrepanciaHallada {
        found.into_discrepancia(self.cierre)
    }
}

/// Something that one file lacks.
struct Missing {
    regla: Regla,
    rut: Rut,
    lacks: Kind,
    slot: String,
    ordinal: usize,
    sugerencia: String,
}

impl Missing {
    fn at(self, ubicaciones: Vec<Ubicacion>) -> Found {
        Found {
            regla: self.regla,
            rut: self.rut,
            slot: self.slot,
            ordinal: self.ordinal,
            ubicaciones,
            esperado: None,
            encontrado: None,
            diferencia: None,
            falta_en: Some(self.lacks),
            sugerencia: self.sugerencia,
        }
    }
}

/// Takes the rows of the book, in the order of the file.
pub struct BookComparison {
    files: Comparison,
    book: BTreeMap<Rut, BookRut>,
}

impl BookComparison {
    /// A row of the book: tells what is wrong with it at once, so that nothing need be kept of it.
    pub fn row(&mut self, row: &Registro, found: &mut Vec<DiscrepanciaHallada>) {
        let Some(source) = self.files.files.get(&Kind::LibroRemuneraciones) else {
            return;
        };
        let cells = BookRow::new(row);
        let mark = Mark::of(row);
        let ordinal = self.book.get(&row.rut).map_or(0, |rut| 1 + rut.more.len());
        for finding in check(&cells, self.files.tolerance) {
            let finding = located(finding, &cells, source, ordinal);
            found.push(self.files.found(finding));
        }
        if let Some(novedad) = self.files.novedades.get_mut(&row.rut) {
            for movement in &mut novedad.cells {
                let here = cells
                    .value(movement.code)
                    .and_then(|value| measure(movement.code, value));
                if ordinal == 0 {
                    movement.first = here;
                } else {
                    movement.more.push(here);
                }
            }
        }
        match self.book.get_mut(&row.rut) {
            Some(known) => known.more.push(mark),
            None => {
                let first = BookRut {
                    first: mark,
                    more: Vec::new(),
                };
                self.book.insert(row.rut, first);
            }
        }
    }

    /// What is wrong between rows and between files, kind by kind in the table's order, and the kinds that could not be evaluated because a
    /// file is not in force: these are not clean, they are not known.
    ///
    /// What is found here is found at once: in the worst case, two files without a RUT in common, one discrepancy for every employee of both.
    pub fn finish(self, found: &mut Vec<DiscrepanciaHallada>) -> BTreeSet<TipoDiscrepancia> {
        if let Some(book) = self.files.files.get(&Kind::LibroRemuneraciones) {
            self.duplicates(book, found);
            if let Some(novedades) = self.files.files.get(&Kind::Novedades) {
                self.only_book(book, found);
                self.only_novedades(novedades, found);
                self.different_amounts(book, novedades, found);
            }
        }
        let hires = &self.files.hires;
        let leavers = &self.files.leavers;
        if self
            .files
            .is_evaluated(TipoDiscrepancia::IngresoNoReportado)
        {
            let regla = Control::IngresoNoReportado.into();
            self.files.one_sided(regla, hires, "hire", found);
        }
        if self
            .files
            .is_evaluated(TipoDiscrepancia::FiniquitoNoReportado)
        {
            let regla = Control::FiniquitoNoReportado.into();
            self.files.one_sided(regla, leavers, "leaver", found);
        }
        if self
            .files
            .is_evaluated(TipoDiscrepancia::AusenciaNoReportada)
        {
            self.files.one_sided_absences(found);
        }
        let missing = |tipo: &TipoDiscrepancia| !self.files.is_evaluated(*tipo);
        TipoDiscrepancia::ALL.into_iter().filter(missing).collect()
    }

    fn duplicates(&self, book: &Source, found: &mut Vec<DiscrepanciaHallada>) {
        for (rut, rows) in &self.book {
            if !rows.more.is_empty() {
                found.push(self.files.found(Found {
                    regla: Control::RutDuplicado.into(),
                    rut: *rut,
                    slot: Code::RUT.to_string(),
                    ordinal: 0,
                    ubicaciones: rows.cells(book, *rut),
                    esperado: None,
                    encontrado: None,
                    diferencia: None,
                    falta_en: None,
                    sugerencia:
                        "a RUT must have one row: join the rows or correct the RUT".to_owned(),
                }));
            }
        }
    }

    fn only_book(&self, book: &Source, found: &mut Vec<DiscrepanciaHallada>) {
        let missing = |rut: &Rut| !self.files.novedades.contains_key(rut);
        for (rut, rows) in self.book.iter().filter(|(rut, _)| missing(rut)) {
            let only = Missing {
                regla: Control::EmpleadoSoloLibro.into(),
                rut: *rut,
                lacks: Kind::Novedades,
                slot: String::new(),
                ordinal: 0,
                sugerencia: "the client reported nothing of this employee: ask for it".to_owned(),
            };
            found.push(self.files.found(only.at(rows.cells(book, *rut))));
        }
    }

    fn only_novedades(&self, novedades: &Source, found: &mut Vec<DiscrepanciaHallada>) {
        let missing = |rut: &Rut| !self.book.contains_key(rut);
        for (rut, row) in self.files.novedades.iter().filter(|(rut, _)| missing(rut)) {
            let only = Missing {
                regla: Control::EmpleadoSoloNovedades.into(),
                rut: *rut,
                lacks: Kind::LibroRemuneraciones,
                slot: String::new(),
                ordinal: 0,
                sugerencia: "the client reported this employee: add it to the book".to_owned(),
            };
            let cell = novedades.cell(&row.mark, RUT, rut.to_string());
            found.push(self.files.found(only.at(vec![cell])));
        }
    }

    fn different_amounts(
        &self,
        book: &Source,
        novedades: &Source,
        found: &mut Vec<DiscrepanciaHallada>,
    ) {
        for (rut, novedad) in &self.files.novedades {
            let Some(rows) = self.book.get(rut) else {
                continue;
            };
            for movement in &novedad.cells {
                let code = movement.code;
                let tolerance = if DAYS.contains(&code) {
                    0
                } else {
                    u64::from(self.files.tolerance)
                };
                let total = movement.book();
                if total.abs_diff(movement.client) <= tolerance {
                    continue;
                }
                let field = Field::Lre(code);
                let mut cells =
                    vec![novedades.cell(&novedad.mark, field, text(code, movement.client))];
                let amounts = std::iter::once(&movement.first).chain(&movement.more);
                cells.extend(rows.marks().zip(amounts).map(|(mark, amount)| {
                    let shown = amount.map(|amount| text(code, amount));
                    book.cell(mark, field, shown.unwrap_or_default())
                }));
                found.push(self.files.found(Found {
                    regla: Control::DiffConceptoMonto.into(),
                    rut: *rut,
                    slot: code.to_string(),
                    ordinal: 0,
                    ubicaciones: cells,
                    esperado: Some(text(code, movement.client)),
                    encontrado: Some(text(code, total)),
                    diferencia: Some(text(code, total.saturating_sub(movement.client))),
                    falta_en: None,
                    sugerencia: format!(
                        "book and novedades must agree on {code}: correct the one that is wrong"
                    ),
                }));
            }
        }
    }
}

impl Movement {
    /// What the book has, over all rows of the RUT.
    fn book(&self) -> i64 {
        let cells = std::iter::once(&self.first).chain(&self.more);
        cells
            .flatten()
            .fold(0, |sum: i64, amount| sum.saturating_add(*amount))
    }
}

impl BookRut {
    fn marks(&self) -> impl Iterator<Item = &Mark> {
        std::iter::once(&self.first).chain(&self.more)
    }

    fn cells(&self, book: &Source, rut: Rut) -> Vec<Ubicacion> {
        self.marks()
            .map(|mark| book.cell(mark, Field::Lre(Code::RUT), rut.to_string()))
            .collect()
    }
}

fn located(finding: RowFinding, row: &BookRow<'_>, source: &Source, ordinal: usize) -> Found {
    let mark = Mark::of(row.row());
    let cells = finding
        .cells
        .iter()
        .map(|code| source.cell(&mark, Field::Lre(*code), row.text(*code)));
    Found {
        regla: finding.regla,
        rut: row.row().rut,
        slot: finding.code.to_string(),
        ordinal,
        ubicaciones: cells.collect(),
        esperado: finding.esperado,
        encontrado: finding.encontrado,
        diferencia: finding.diferencia,
        falta_en: None,
        sugerencia: finding.sugerencia,
    }
}

fn report(reported: &mut Reported, kind: Kind, row: &Registro) {
    let rows = reported.entry(kind).or_default();
    rows.entry(row.rut).or_default().push(Mark::of(row));
}

/// What is compared: pesos, for days hundredths. None for a column that is no movement.
fn measure(code: Code, value: &Value) -> Option<i64> {
    if DAYS.contains(&code) {
        hundredths(value)
    } else if (2..=4).contains(&code.class()) {
        amount(value)
    } else {
        None
    }
}

/// What [`measure`] gave, as text on the wire.
fn text(code: Code, measured: i64) -> String {
    if DAYS.contains(&code) {
        decimal_text(measured, '.')
    } else {
        measured.to_string()
    }
}
