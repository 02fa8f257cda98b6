//! From rows of cells to rows of values, whatever the file is built like.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

use super::cell::{plain, read};
use super::checks::{Checks, Fault};
use super::finding::{Finding, Rule};
use super::header::normalise;
use super::layout::{Layout, Place, Score, Target, origin_fault, score};
use super::row::{Cell, Row};
use super::tables::{CellType, Table};
use super::{MAX_COLUMNS, MAX_ROWS, Reading, Stop};
use crate::kind::Kind;
use crate::lre::Code;
use crate::registro::{Field, Registro, Value};
use crate::rut::Rut;

/// Among how many rows with content the header row is sought.
const SOUGHT: usize = 20;
/// How many bytes of such rows are kept at most.
const SOUGHT_BYTES: usize = 4 * 1024 * 1024;

/// How many characters `total` has.
const TOTAL: usize = 5;

/// How a sheet ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Its rows were read.
    Read,
    /// It has content and no header row; this is the best there was.
    NoHeader(Score),
    /// It has no content.
    Empty,
}

enum Phase {
    Seeking { rows: Vec<Row>, bytes: usize },
    Reading(Box<Layout>),
    NoHeader(Score),
}

/// Takes the rows of a sheet, one after the other.
pub(super) struct Sheet<'r, 'a> {
    reading: &'r mut Reading<'a>,
    place: Place,
    table: Option<&'static Table>,
    phase: Phase,
    checks: Checks,
    rows: u32,
    /// The findings of a row; one buffer for all.
    faults: Vec<Finding>,
    /// Which columns of a row have content; one buffer for all.
    filled: Vec<bool>,
    /// How many values the row before had.
    expected: usize,
}

impl<'r, 'a> Sheet<'r, 'a> {
    /// Begins a sheet.
    pub(super) fn new(
        reading: &'r mut Reading<'a>,
        place: Place,
        table: Option<&'static Table>,
    ) -> Self {
        Self {
            reading,
            place,
            table,
            phase: Phase::Seeking {
                rows: Vec::new(),
                bytes: 0,
            },
            checks: Checks::default(),
            rows: 0,
            faults: Vec::new(),
            filled: Vec::new(),
            expected: 0,
        }
    }

    /// Takes a row.
    pub(super) fn take(&mut self, row: &Row) -> Result<(), Stop> {
        if row.is_empty() {
            return Ok(());
        }
        match &mut self.phase {
            Phase::Seeking { rows, bytes } => {
                too_wide(row)?;
                rows.push(row.clone());
                *bytes += row.weight();
                if rows.len() == SOUGHT || *bytes > SOUGHT_BYTES {
                    self.choose()?;
                }
                Ok(())
            }
            Phase::Reading(_) => self.data(row),
            Phase::NoHeader(_) => Ok(()),
        }
    }

    /// Ends the sheet.
    pub(super) fn finish(mut self) -> Result<Outcome, Stop> {
        if let Phase::Seeking { rows, .. } = &self.phase {
            if rows.is_empty() {
                return Ok(Outcome::Empty);
            }
            self.choose()?;
        }
        match self.phase {
            Phase::NoHeader(best) => Ok(Outcome::NoHeader(best)),
            Phase::Reading(_) | Phase::Seeking { .. } => {
                if self.rows == 0 {
                    let kind = self.reading.request.kind;
                    let finding = Finding::of_file(kind, Rule::SinFilas, "there is no data row")
                        .on(&self.place.sheet);
                    self.reading.findings.frame(self.place.position, finding);
                }
                Ok(Outcome::Read)
            }
        }
    }

    /// Chooses the header row among those kept; the ones after it are data.
    fn choose(&mut self) -> Result<(), Stop> {
        let kind = self.reading.request.kind;
        let empty = Phase::NoHeader(Score::default());
        let rows = match mem::replace(&mut self.phase, empty) {
            Phase::Seeking { rows, .. } => rows,
            other @ (Phase::Reading(_) | Phase::NoHeader(_)) => {
                self.phase = other;
                return Ok(());
            }
        };
        let mut best: Option<(usize, Score)> = None;
        for (at, row) in rows.iter().enumerate() {
            let score = score(kind, self.table, row);
            let better = best.as_ref().is_none_or(|(_, best)| {
                let rank = |score: &Score| (score.lacking.is_empty(), score.resolved);
                rank(&score) > rank(best)
            });
            if better {
                best = Some((at, score));
            }
        }
        let Some((at, score)) = best else {
            return Ok(());
        };
        if !score.lacking.is_empty() {
            self.phase = Phase::NoHeader(score);
            return Ok(());
        }
        let mut rows = rows.into_iter().skip(at);
        if let Some(header) = rows.next() {
            let layout = Layout::of(self.reading, &self.place, self.table, &header);
            self.phase = Phase::Reading(Box::new(layout));
        }
        for row in rows {
            self.data(&row)?;
        }
        Ok(())
    }

    fn data(&mut self, row: &Row) -> Result<(), Stop> {
        too_wide(row)?;
        let seeking = Phase::NoHeader(Score::default());
        let mut layout = match mem::replace(&mut self.phase, seeking) {
            Phase::Reading(layout) => layout,
            other @ (Phase::Seeking { .. } | Phase::NoHeader(_)) => {
                self.phase = other;
                return Ok(());
            }
        };
        let taken = self.data_row(&mut layout, row);
        self.phase = Phase::Reading(layout);
        let mut faults = mem::take(&mut self.faults);
        self.reading.findings.row(self.place.position, &mut faults);
        self.faults = faults;
        taken
    }

    fn data_row(&mut self, layout: &mut Layout, row: &Row) -> Result<(), Stop> {
        let kind = self.reading.request.kind;
        if kind == Kind::LibroRemuneraciones && is_total(layout, row) {
            let first = row.cells().find(|cell| !cell.text.is_empty());
            let finding = self.at(
                row,
                None,
                Rule::FilaTotalIgnorada,
                "a row of totals, skipped",
            );
            self.faults.push(match first {
                Some(cell) => finding.showing(cell.text),
                None => finding,
            });
            return Ok(());
        }
        self.rows += 1;
        self.reading.rows += 1;
        if self.reading.rows > MAX_ROWS {
            let reason = format!("there are over {MAX_ROWS} data rows");
            return Err(Stop::refused(Rule::FilasMaximo, reason));
        }
        let (rut, values, others) = self.cells(layout, row);
        self.empty_cells(layout, row);
        if self.reading.encoding.is_some() && row.width < layout.width {
            let reason = format!("has {} cells of {}", row.width, layout.width);
            let finding = self.at(row, None, Rule::FilaCorta, reason);
            self.faults.push(finding);
        }
        if let Some(table) = self.table {
            self.check(layout, row, table, rut, &values);
        }
        let faulty = self
            .faults
            .iter()
            .any(|finding| finding.level == super::Level::Error);
        self.expected = values.len();
        if let (Some(rut), false) = (rut, faulty) {
            (self.reading.sink)(Registro {
                sheet: Arc::clone(&self.place.sheet),
                row: row.number,
                rut,
                values,
                others,
            });
        }
        Ok(())
    }

    /// Reads every cell that has content.
    #[expect(clippy::type_complexity, reason = "the parts of a Registro")]
    fn cells(
        &mut self,
        layout: &mut Layout,
        row: &Row,
    ) -> (Option<Rut>, Vec<(Field, Value)>, Vec<(Arc<str>, Box<str>)>) {
        let libro = self.reading.request.kind == Kind::LibroRemuneraciones;
        let (mut rut, mut others) = (None, Vec::new());
        let mut values = Vec::with_capacity(self.expected);
        let mut beyond = false;
        self.filled.clear();
        self.filled.resize(layout.targets.len(), false);
        for cell in row.cells() {
            if self.reading.encoding.is_some() && usize::from(cell.column) >= layout.width {
                // Once per row, at the first such cell.
                if !mem::replace(&mut beyond, true) {
                    let reason = "there is content beyond the last header";
                    let finding = self.at(row, Some(cell.column), Rule::FilaLarga, reason);
                    self.faults.push(finding.showing(cell.text));
                }
                continue;
            }
            self.tell_origin(layout, row, cell);
            // What is an error or has no value was told, and is not empty.
            let told = cell.raw().is_none()
                && origin_fault(cell).is_some_and(|(rule, _)| rule != Rule::CeldaFormula);
            if let Some(filled) = self.filled.get_mut(usize::from(cell.column)) {
                *filled = told || !cell.text.is_empty();
            }
            let Some(raw) = cell.raw() else { continue };
            match layout.target(cell.column) {
                Target::Blank => {
                    let name = layout.name(self.reading, &self.place, cell.column);
                    others.push((name, plain(raw).into()));
                }
                Target::Other(header) => others.push((Arc::clone(header), plain(raw).into())),
                Target::Known(known, header) => {
                    match read(raw, known.cell, self.reading.epoch, !libro) {
                        Ok(value) => {
                            if let (Value::Rut(read), true) = (&value, is_key(known.field)) {
                                rut = Some(*read);
                            }
                            values.push((known.field, value));
                        }
                        Err(rule) => {
                            let finding = self
                                .at(row, Some(cell.column), rule, reason(rule, known.cell))
                                .titled(header, Some(known.field))
                                .showing(cell.text);
                            self.faults.push(finding);
                        }
                    }
                }
            }
        }
        (rut, values, others)
    }

    /// Tells of an error, of a formula.
    fn tell_origin(&mut self, layout: &Layout, row: &Row, cell: Cell<'_>) {
        let Some((rule, reason)) = origin_fault(cell) else {
            return;
        };
        let finding = self
            .at(row, Some(cell.column), rule, reason)
            .showing(cell.text);
        let finding = match layout.target(cell.column) {
            Target::Known(known, header) => finding.titled(header, Some(known.field)),
            Target::Other(header) => finding.titled(header, None),
            Target::Blank => finding,
        };
        self.faults.push(finding);
    }

    /// Tells of mandatory cells without content.
    fn empty_cells(&mut self, layout: &Layout, row: &Row) {
        for (column, target) in (0..).zip(&layout.targets) {
            let Target::Known(known, header) = target else {
                continue;
            };
            let is_key = is_key(known.field);
            let wanted = is_key || known.mandatory;
            if !wanted
                || self
                    .filled
                    .get(usize::from(column))
                    .copied()
                    .unwrap_or(false)
            {
                continue;
            }
            let (rule, reason) = if is_key {
                (Rule::RutVacio, "the row has content and no RUT")
            } else {
                (Rule::ObligatoriaVacia, "the cell must not be empty")
            };
            let finding = self
                .at(row, Some(column), rule, reason)
                .titled(header, Some(known.field));
            self.faults.push(finding);
        }
    }

    /// Asks the rules that look at more than one cell.
    fn check(
        &mut self,
        layout: &Layout,
        row: &Row,
        table: &'static Table,
        rut: Option<Rut>,
        values: &[(Field, Value)],
    ) {
        let filled = |name: &'static str| {
            layout
                .column(Field::Named(name))
                .and_then(|(at, _)| self.filled.get(usize::from(at)).copied())
                .unwrap_or(false)
        };
        let faults = self.checks.row(
            &self.reading.request,
            table,
            row.number,
            rut,
            values,
            &filled,
        );
        for Fault {
            column,
            rule,
            reason,
        } in faults
        {
            let field = column.map(Field::Named);
            let known = field.and_then(|field| layout.column(field));
            let mut finding = self.at(row, known.map(|(at, _)| at), rule, reason);
            finding.code = field;
            if let Some((at, header)) = known {
                finding.header = Some(Arc::clone(header));
                if let Some(cell) = row.cells().find(|cell| cell.column == at) {
                    finding = finding.showing(cell.text);
                }
            }
            self.faults.push(finding);
        }
    }

    fn at(
        &self,
        row: &Row,
        column: Option<u16>,
        rule: Rule,
        reason: impl Into<Cow<'static, str>>,
    ) -> Finding {
        Finding::of_file(self.reading.request.kind, rule, reason)
            .on(&self.place.sheet)
            .at(row.number, column)
    }
}

/// Whether a column says whose row it is.
fn is_key(field: Field) -> bool {
    match field {
        Field::Lre(code) => code == Code::RUT,
        Field::Named(name) => name == "rut",
    }
}

/// A row of totals has no RUT and begins with that word.
fn is_total(layout: &Layout, row: &Row) -> bool {
    let with_text = || row.cells().filter(|cell| !cell.text.is_empty());
    let has_rut = with_text().any(
        |cell| matches!(layout.target(cell.column), Target::Known(known, _) if is_key(known.field)),
    );
    let first = with_text().next();
    let begins = |cell: Cell<'_>| {
        let word: String = cell.text.chars().take(TOTAL).collect();
        normalise(&word) == "total"
    };
    !has_rut && first.is_some_and(begins)
}

fn too_wide(row: &Row) -> Result<(), Stop> {
    match row.cells().last() {
        Some(cell) if cell.column >= MAX_COLUMNS => {
            let reason = format!("row {} has content beyond column {MAX_COLUMNS}", row.number);
            Err(Stop::refused(Rule::ColumnasMaximo, reason))
        }
        Some(_) | None => Ok(()),
    }
}

fn reason(rule: Rule, cell: &CellType) -> Cow<'static, str> {
    match (rule, cell) {
        (Rule::MontoInvalido, CellType::Amount { signed: false }) => {
            "is not a whole amount of at most 12 digits, from 0 on".into()
        }
        (Rule::MontoInvalido, _) => "is not a whole amount of at most 12 digits".into(),
        (Rule::NumeroInvalido, CellType::Integer) => "is not a whole number".into(),
        (Rule::NumeroInvalido, _) => "is not a number of at most two decimals".into(),
        (Rule::FechaInvalida, _) => "is not a day from 1950-01-01 to 2100-12-31".into(),
        (Rule::RutFormato, _) => "is not seven or eight digits and a check character".into(),
        (Rule::RutDv, _) => "has a wrong check character".into(),
        (Rule::TextoLargo, CellType::Text(Some(limit))) => {
            format!("has over {limit} characters").into()
        }
        (Rule::ValorNoPermitido, CellType::Words(words)) => {
            format!("is none of {}", words.join(", ")).into()
        }
        (Rule::ValorNoPermitido, CellType::Codes(code)) => {
            format!("is not in the list of {code}").into()
        }
        (Rule::ValorNoPermitido, CellType::Concept) => {
            "is not the code of an earning, a deduction or a contribution".into()
        }
        (rule, _) => rule.as_str().into(),
    }
}

impl Reading<'_> {
    /// A sheet that must have a header row has none.
    pub(super) fn no_header(&mut self, place: &Place, best: &Score) {
        let reason = format!(
            "none of the first {SOUGHT} rows with content is a header row; the best one lacks {}",
            best.lacking.join(", ")
        );
        let finding = Finding::of_file(self.request.kind, Rule::CabeceraNoEncontrada, reason)
            .on(&place.sheet);
        self.findings.frame(place.position, finding);
    }
}
