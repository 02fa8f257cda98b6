//! What a header means: section 6.3.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::tables::{CellType, Table, book_type};
use crate::kind::Kind;
use crate::lre::Code;
use crate::lre::columns::{ColumnType, column, columns};
use crate::registro::Field;

/// How a column was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// The header holds a code of the book.
    Codigo,
    /// The header is a header of the book without its code.
    Texto,
    /// The header is a column that creates employees.
    Creacion,
    /// The header is a column's name or a synonym.
    Nombre,
    /// The header means nothing.
    SinClasificar,
}

impl Method {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Codigo => "codigo",
            Self::Texto => "texto",
            Self::Creacion => "creacion",
            Self::Nombre => "nombre",
            Self::SinClasificar => "sin_clasificar",
        }
    }
}

/// What a header resolves to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolved {
    /// Whose values stand below.
    pub(super) field: Field,
    /// How its cells read.
    pub(super) cell: &'static CellType,
    /// Whether a cell must be filled; never in the book, where an empty one is a discrepancy.
    pub(super) mandatory: bool,
    /// How it was found.
    pub(super) method: Method,
}

/// Without accents, in lower case, blanks collapsed.
pub(super) fn normalise(text: &str) -> String {
    let plain: Cow<'_, str> = if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfkd().filter(|c| !is_combining_mark(*c)).collect())
    };
    let mut normal = String::with_capacity(plain.len());
    for word in plain.split_whitespace() {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.push_str(&word.to_lowercase());
    }
    normal
}

/// What a header means in a file of this kind. The table is the kind's own, or its sheet's; the book has none.
pub(super) fn resolve(kind: Kind, table: Option<&'static Table>, header: &str) -> Option<Resolved> {
    let title = normalise(header);
    match kind {
        Kind::LibroRemuneraciones => {
            let (code, method) = book_code(&title)?;
            let cell = book_type(column(code)?);
            Some(resolved(Field::Lre(code), cell, method))
        }
        Kind::Novedades => movement(&title).or_else(|| {
            let title = without_code(&title);
            named(table?, title, Method::Creacion)
        }),
        Kind::MovimientosMes
        | Kind::Finiquitos
        | Kind::Ausentismos
        | Kind::IncidenciasExternas
        | Kind::Ingresos => named(table?, &title, Method::Nombre),
    }
}

const fn resolved(field: Field, cell: &'static CellType, method: Method) -> Resolved {
    Resolved {
        field,
        cell,
        mandatory: false,
        method,
    }
}

fn named(table: &'static Table, title: &str, method: Method) -> Option<Resolved> {
    let spec = table.column(&title.replace('_', " "))?;
    Some(Resolved {
        field: Field::Named(spec.name),
        cell: &spec.cell,
        mandatory: spec.mandatory,
        method,
    })
}

/// A column of novedades that moves something: days, earnings, deductions, contributions.
fn movement(title: &str) -> Option<Resolved> {
    let (code, method) = book_code(title)?;
    let cell = match (code.number(), column(code)?.kind) {
        (1115..=1117, _) => &CellType::Decimal,
        (2000..=4999, ColumnType::Amount) => &CellType::Amount { signed: false },
        _ => return None,
    };
    Some(resolved(Field::Lre(code), cell, method))
}

/// The code that a normalised header names.
fn book_code(title: &str) -> Option<(Code, Method)> {
    if let Some((_, code)) = last_group(title) {
        return Some((code, Method::Codigo));
    }
    if let Some(code) = Code::parse(title) {
        return Some((code, Method::Codigo));
    }
    BY_TEXT.get(title).map(|code| (*code, Method::Texto))
}

/// The last parenthesised group that is a code, and where it begins.
fn last_group(title: &str) -> Option<(usize, Code)> {
    title.rmatch_indices('(').find_map(|(at, _)| {
        let group = title.get(at + 1..)?;
        let (inner, _) = group.split_once(')')?;
        Some((at, Code::parse(inner.trim())?))
    })
}

/// `Rut trabajador(1101)` is the same as `Rut trabajador` where the book's codes mean nothing.
fn without_code(title: &str) -> &str {
    last_group(title)
        .and_then(|(at, _)| title.get(..at))
        .map_or(title, str::trim)
}

static BY_TEXT: LazyLock<HashMap<String, Code>> = LazyLock::new(|| {
    columns()
        .iter()
        .map(|column| {
            let title = normalise(column.header);
            (without_code(&title).to_owned(), column.code)
        })
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_headers_mean_what_it_says() {
        let vectors = include_str!("../../data/lre_header_vectors.csv");
        let mut tried = 0;
        for line in vectors.lines().skip(1) {
            let mut cells = line.rsplitn(3, ';');
            let (method, code, header) = (
                cells.next().unwrap(),
                cells.next().unwrap(),
                cells.next().unwrap(),
            );
            let found = resolve(Kind::LibroRemuneraciones, None, header);
            let shown = found.map_or((String::new(), Method::SinClasificar), |found| {
                (found.field.name().into_owned(), found.method)
            });
            assert_eq!(
                (shown.0.as_str(), shown.1.as_str()),
                (code, method),
                "{header}"
            );
            tried += 1;
        }
        assert_eq!(tried, 21);
    }

    #[test]
    fn every_header_of_the_book_is_found_by_code_and_by_text() {
        assert_eq!(BY_TEXT.len(), columns().len());
        for column in columns() {
            let title = normalise(column.header);
            assert_eq!(book_code(&title), Some((column.code, Method::Codigo)));
            let text = without_code(&title);
            assert_eq!(
                book_code(text),
                Some((column.code, Method::Texto)),
                "{text}"
            );
        }
    }

    #[test]
    fn creation_columns_of_novedades_come_before_the_books_attributes() {
        let table = super::super::tables::tables(Kind::Novedades).next();
        let found = |header: &str| {
            resolve(Kind::Novedades, table, header)
                .map(|found| (found.field.name().into_owned(), found.method.as_str()))
        };
        let named = |name: &str, method| Some((name.to_owned(), method));
        assert_eq!(found("AFP"), named("afp", "creacion"));
        assert_eq!(found("AFP(1141)"), named("afp", "creacion"));
        assert_eq!(found("Rut trabajador (1101)"), named("rut", "creacion"));
        assert_eq!(found("Centro_Costo"), named("centro_costo", "creacion"));
        assert_eq!(found("Sueldo"), named("2101", "texto"));
        assert_eq!(
            found("Nro días trabajados en el mes(1115)"),
            named("1115", "codigo")
        );
        assert_eq!(found("Total haberes(5201)"), None);
        assert_eq!(found("1104"), None);
    }
}
