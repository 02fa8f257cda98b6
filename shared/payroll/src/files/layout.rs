//! The header row: which one it is, and what its columns mean.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cell::plain;
use super::finding::{Finding, Letters, Rule};
use super::header::{Method, Resolved, resolve};
use super::report::ColumnRead;
use super::row::{Cell, Content, Origin, Row};
use super::tables::Table;
use super::{MAX_COLUMNS, Reading};
use crate::kind::Kind;
use crate::lre::Code;
use crate::lre::columns::columns;
use crate::registro::Field;

/// How many columns a header row of the book resolves at least.
const BOOK_COLUMNS: usize = 10;

/// What stands under a header.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// There is no header, and no content so far.
    Blank,
    /// Values of no rule.
    Other(Arc<str>),
    /// Values of a column that the kind knows.
    Known(Resolved, Arc<str>),
}

/// A header row that was understood.
#[derive(Debug)]
pub(super) struct Layout {
    /// Its number.
    pub(super) row: u32,
    /// How many columns there are up to the last header.
    pub(super) width: usize,
    /// What stands in each column.
    pub(super) targets: Vec<Target>,
}

/// How good a header row would be.
#[derive(Clone, Debug, Default)]
pub(super) struct Score {
    /// How many columns it resolves.
    pub(super) resolved: usize,
    /// What it lacks to be one, in plain words.
    pub(super) lacking: Vec<String>,
}

/// What a header cell says, if it says anything.
fn title(cell: Cell<'_>) -> Option<String> {
    cell.raw().map(plain)
}

/// Looks at a row as if it were the header row.
pub(super) fn score(kind: Kind, table: Option<&'static Table>, row: &Row) -> Score {
    let fields: BTreeSet<Field> = row
        .cells()
        .filter_map(title)
        .filter_map(|title| resolve(kind, table, &title))
        .map(|resolved| resolved.field)
        .collect();
    let mut lacking = Vec::new();
    match table {
        None => {
            if !fields.contains(&Field::Lre(Code::RUT)) {
                lacking.push(Code::RUT.to_string());
            }
            if fields.len() < BOOK_COLUMNS {
                lacking.push(format!("{} more columns", BOOK_COLUMNS - fields.len()));
            }
        }
        Some(table) => lacking.extend(
            table
                .columns
                .iter()
                .filter(|spec| spec.mandatory && !fields.contains(&Field::Named(spec.name)))
                .map(|spec| spec.name.to_owned()),
        ),
    }
    Score {
        resolved: fields.len(),
        lacking,
    }
}

/// Where a sheet stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Its name; empty for CSV.
    pub(super) sheet: Arc<str>,
    /// Which one of the file it is.
    pub(super) position: u16,
}

impl Layout {
    /// Takes a row as the header row and tells what is wrong with it.
    pub(super) fn of(
        reading: &mut Reading<'_>,
        place: &Place,
        table: Option<&'static Table>,
        row: &Row,
    ) -> Self {
        let kind = reading.request.kind;
        let mut layout = Self {
            row: row.number,
            width: 0,
            targets: Vec::new(),
        };
        let mut fields: BTreeSet<Field> = BTreeSet::new();
        for cell in row.cells() {
            layout.tell_origin(reading, place, cell);
            let Some(text) = title(cell) else { continue };
            let header: Arc<str> = text.as_str().into();
            let resolved = resolve(kind, table, &text);
            let target = match resolved {
                None => {
                    layout.tell(
                        reading,
                        place,
                        cell.column,
                        &header,
                        None,
                        Rule::ColumnaSinClasificar,
                    );
                    Target::Other(Arc::clone(&header))
                }
                Some(found) if !fields.insert(found.field) => {
                    let field = Some(found.field);
                    layout.tell(
                        reading,
                        place,
                        cell.column,
                        &header,
                        field,
                        Rule::ColumnaDuplicada,
                    );
                    Target::Other(Arc::clone(&header))
                }
                Some(found) => Target::Known(found, Arc::clone(&header)),
            };
            layout.set(cell.column, target);
            layout.width = usize::from(cell.column) + 1;
            reading.headers += 1;
            reading.column(place, cell.column, header, resolved);
        }
        if kind == Kind::LibroRemuneraciones {
            layout.tell_absent(reading, place, &fields);
        }
        layout
    }

    /// What stands in a column.
    pub(super) fn target(&self, column: u16) -> &Target {
        self.targets
            .get(usize::from(column))
            .unwrap_or(&Target::Blank)
    }

    /// The column of a field.
    pub(super) fn column(&self, field: Field) -> Option<(u16, &Arc<str>)> {
        (0..)
            .zip(&self.targets)
            .find_map(|(at, target)| match target {
                Target::Known(known, header) if known.field == field => Some((at, header)),
                Target::Known(..) | Target::Other(_) | Target::Blank => None,
            })
    }

    /// Gives a column a name because it has content and no header.
    pub(super) fn name(
        &mut self,
        reading: &mut Reading<'_>,
        place: &Place,
        column: u16,
    ) -> Arc<str> {
        self.tell(
            reading,
            place,
            column,
            &Arc::from(""),
            None,
            Rule::ColumnaSinClasificar,
        );
        reading.column(place, column, Arc::from(""), None);
        let letters: Arc<str> = Letters(column).to_string().into();
        self.set(column, Target::Other(Arc::clone(&letters)));
        letters
    }

    fn set(&mut self, column: u16, target: Target) {
        let at = usize::from(column);
        if column >= MAX_COLUMNS {
            return;
        }
        if self.targets.len() <= at {
            self.targets.resize(at + 1, Target::Blank);
        }
        if let Some(slot) = self.targets.get_mut(at) {
            *slot = target;
        }
    }

    fn tell(
        &self,
        reading: &mut Reading<'_>,
        place: &Place,
        column: u16,
        header: &Arc<str>,
        field: Option<Field>,
        rule: Rule,
    ) {
        let reason = if rule == Rule::ColumnaDuplicada {
            "another column resolves alike"
        } else if header.is_empty() {
            "has content and no header; no rule uses it"
        } else {
            "no rule uses it"
        };
        let finding = Finding::of_file(reading.request.kind, rule, reason)
            .on(&place.sheet)
            .at(self.row, Some(column))
            .titled(header, field);
        reading.findings.frame(place.position, finding);
    }

    /// A header may be a formula or an error like any other cell.
    fn tell_origin(&self, reading: &mut Reading<'_>, place: &Place, cell: Cell<'_>) {
        let Some((rule, reason)) = origin_fault(cell) else {
            return;
        };
        let finding = Finding::of_file(reading.request.kind, rule, reason)
            .on(&place.sheet)
            .at(self.row, Some(cell.column))
            .showing(cell.text);
        reading.findings.frame(place.position, finding);
    }

    fn tell_absent(&self, reading: &mut Reading<'_>, place: &Place, fields: &BTreeSet<Field>) {
        for column in columns() {
            let field = Field::Lre(column.code);
            if fields.contains(&field) {
                continue;
            }
            let (rule, reason) = if column.mandatory {
                (Rule::ColumnaFaltante, "a mandatory column is absent")
            } else {
                (Rule::ColumnaOpcionalAusente, "absent, reads as empty")
            };
            let finding = Finding::of_file(reading.request.kind, rule, reason)
                .on(&place.sheet)
                .at(self.row, None)
                .titled(&column.header.into(), Some(field));
            reading.findings.frame(place.position, finding);
        }
    }
}

impl Reading<'_> {
    fn column(&mut self, place: &Place, column: u16, header: Arc<str>, found: Option<Resolved>) {
        let read = ColumnRead {
            sheet: Arc::clone(&place.sheet),
            column: Letters(column),
            header,
            code: found.map(|found| found.field),
            method: found.map_or(Method::SinClasificar, |found| found.method),
        };
        self.columns.push((place.position, read));
    }
}

/// What is wrong with a cell whatever its column.
pub(super) fn origin_fault(cell: Cell<'_>) -> Option<(Rule, &'static str)> {
    match (cell.content, cell.origin) {
        (Content::Error, _) => Some((Rule::CeldaError, "the cell holds an error")),
        (_, Origin::Uncached) => Some((Rule::FormulaSinValor, "the formula has no cached value")),
        (_, Origin::Cached) => Some((
            Rule::CeldaFormula,
            "the cached value of a formula was taken",
        )),
        (Content::Text | Content::Number, Origin::Written) => None,
    }
}
