//! What is wrong with a file, each fault where it stands.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::kind::Kind;
use crate::registro::Field;

/// How many findings a list shows.
pub const LISTED: usize = 1000;
/// How many findings are kept for the CSV.
pub const KEPT: usize = 100_000;
/// How much of a cell's value a finding repeats, in characters.
const VALUE: usize = 80;

macro_rules! rules {
    ($($name:ident $word:literal $doc:literal,)*) => {
        /// A rule of `payroll_rules.csv`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $doc] $name,)*
        }

        impl Rule {
            /// Every rule, in the alphabetical order of the words.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

// In alphabetical order of the words, which is the order of two findings in one cell.
rules! {
    ArchivoCifrado "archivo_cifrado" "A workbook protected by a password.",
    ArchivoVacio "archivo_vacio" "No bytes, or no cell with content.",
    CabeceraNoEncontrada "cabecera_no_encontrada" "No header row.",
    CeldaError "celda_error" "`#REF!` and the like.",
    CeldaFormula "celda_formula" "The cached value of a formula was taken.",
    CodificacionInvalida "codificacion_invalida" "A text in an encoding that is not read.",
    ColumnaDuplicada "columna_duplicada" "Two columns resolve alike.",
    ColumnaFaltante "columna_faltante" "A mandatory column is absent.",
    ColumnaOpcionalAusente "columna_opcional_ausente" "An optional code of the book is absent.",
    ColumnaSinClasificar "columna_sin_clasificar" "A column that no rule uses.",
    ColumnasMaximo "columnas_maximo" "Too many columns.",
    CreacionIncompleta "creacion_incompleta" "A new employee without a name or a first day.",
    DiasNoCuadran "dias_no_cuadran" "The days do not match the dates.",
    FechaFueraDePeriodo "fecha_fuera_de_periodo" "A day outside the month.",
    FechaInvalida "fecha_invalida" "No day, or one out of range.",
    FechaOrden "fecha_orden" "The end lies before the start.",
    FilaCorta "fila_corta" "Fewer cells than headers.",
    FilaLarga "fila_larga" "Content beyond the last header.",
    FilaRepetida "fila_repetida" "The second row of one key.",
    FilaTotalIgnorada "fila_total_ignorada" "A row of totals, skipped.",
    FilasMaximo "filas_maximo" "Too many rows.",
    FormatoNoSoportado "formato_no_soportado" "The bytes are not what the extension says, or a format that is not read.",
    FormulaSinValor "formula_sin_valor" "A formula without a cached value.",
    HashDistinto "hash_distinto" "Not the declared hash.",
    HojaFaltante "hoja_faltante" "A sheet is absent.",
    HojaIgnorada "hoja_ignorada" "A sheet that the kind does not use.",
    MontoInvalido "monto_invalido" "No amount.",
    NumeroInvalido "numero_invalido" "No number.",
    ObligatoriaVacia "obligatoria_vacia" "A mandatory cell is empty.",
    RutDv "rut_dv" "A wrong check character.",
    RutFormato "rut_formato" "No RUT.",
    RutVacio "rut_vacio" "A row with content and without a RUT.",
    SinFilas "sin_filas" "No data row.",
    TamanoDistinto "tamano_distinto" "Not the declared size.",
    TamanoMaximo "tamano_maximo" "Too many bytes.",
    TextoLargo "texto_largo" "A text over the length of its column.",
    ValorNoPermitido "valor_no_permitido" "A value that is not in the list of its column.",
    XmlNoPermitido "xml_no_permitido" "A document type, an entity, or XML that does not parse.",
    ZipSospechoso "zip_sospechoso" "A container that inflates too far.",
}

impl Rule {
    /// How grave it is in a file of this kind.
    pub const fn level(self, kind: Kind) -> Level {
        match self {
            Self::CeldaFormula
            | Self::ColumnaOpcionalAusente
            | Self::ColumnaSinClasificar
            | Self::DiasNoCuadran
            | Self::FechaFueraDePeriodo
            | Self::FilaCorta
            | Self::FilaTotalIgnorada
            | Self::HojaIgnorada => Level::Advertencia,
            Self::SinFilas => match kind {
                Kind::LibroRemuneraciones | Kind::Novedades => Level::Error,
                Kind::MovimientosMes
                | Kind::Finiquitos
                | Kind::Ausentismos
                | Kind::IncidenciasExternas
                | Kind::Ingresos => Level::Advertencia,
            },
            Self::ArchivoCifrado
            | Self::ArchivoVacio
            | Self::CabeceraNoEncontrada
            | Self::CeldaError
            | Self::CodificacionInvalida
            | Self::ColumnaDuplicada
            | Self::ColumnaFaltante
            | Self::ColumnasMaximo
            | Self::CreacionIncompleta
            | Self::FechaInvalida
            | Self::FechaOrden
            | Self::FilaLarga
            | Self::FilaRepetida
            | Self::FilasMaximo
            | Self::FormatoNoSoportado
            | Self::FormulaSinValor
            | Self::HashDistinto
            | Self::HojaFaltante
            | Self::MontoInvalido
            | Self::NumeroInvalido
            | Self::ObligatoriaVacia
            | Self::RutDv
            | Self::RutFormato
            | Self::RutVacio
            | Self::TamanoDistinto
            | Self::TamanoMaximo
            | Self::TextoLargo
            | Self::ValorNoPermitido
            | Self::XmlNoPermitido
            | Self::ZipSospechoso => Level::Error,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing of the file is taken.
    Error,
    /// Told, and the file is taken.
    Advertencia,
}

impl Level {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Advertencia => "advertencia",
        }
    }
}

/// A column by its position, from 0; shown in letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Letters(pub u16);

impl fmt::Display for Letters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = [b'A'; 4];
        let mut start = letters.len();
        let mut rest = u32::from(self.0) + 1;
        while rest > 0 && start > 0 {
            start -= 1;
            let digit = (rest - 1) % 26;
            if let Some(letter) = letters.get_mut(start) {
                *letter = b'A' + u8::try_from(digit).unwrap_or(0);
            }
            rest = (rest - 1) / 26;
        }
        for letter in letters.iter().skip(start) {
            write!(f, "{}", char::from(*letter))?;
        }
        Ok(())
    }
}

/// A fault and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The sheet; nothing for what concerns the whole file, empty for CSV.
    pub sheet: Option<Arc<str>>,
    /// The row, from 1.
    pub row: Option<u32>,
    /// The column.
    pub column: Option<Letters>,
    /// The column's header as it is written in the file, or as the book writes an absent one.
    pub header: Option<Arc<str>>,
    /// What the column was understood as.
    pub code: Option<Field>,
    /// The cell's value, its first 80 characters.
    pub value: Option<Box<str>>,
    /// The rule.
    pub rule: Rule,
    /// How grave it is.
    pub level: Level,
    /// In plain words.
    pub reason: Cow<'static, str>,
}

impl Finding {
    /// What concerns the whole file.
    pub(super) fn of_file(kind: Kind, rule: Rule, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            sheet: None,
            row: None,
            column: None,
            header: None,
            code: None,
            value: None,
            rule,
            level: rule.level(kind),
            reason: reason.into(),
        }
    }

    pub(super) fn on(mut self, sheet: &Arc<str>) -> Self {
        self.sheet = Some(Arc::clone(sheet));
        self
    }

    pub(super) fn at(mut self, row: u32, column: Option<u16>) -> Self {
        self.row = Some(row);
        self.column = column.map(Letters);
        self
    }

    pub(super) fn titled(mut self, header: &Arc<str>, code: Option<Field>) -> Self {
        self.header = Some(Arc::clone(header));
        self.code = code;
        self
    }

    pub(super) fn showing(mut self, value: &str) -> Self {
        let end = value
            .char_indices()
            .nth(VALUE)
            .map_or(value.len(), |(at, _)| at);
        self.value = value.get(..end).map(Into::into);
        self
    }

    fn place(&self) -> (Option<u32>, Option<Letters>, Rule) {
        (self.row, self.column, self.rule)
    }
}

/// How many findings there are; exact, however few are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Errors.
    pub errors: u64,
    /// Warnings.
    pub warnings: u64,
    /// By rule.
    pub rules: BTreeMap<Rule, u64>,
}

/// Collects findings in their order: by sheet, row, column, rule.
#[derive(Debug, Default)]
pub(super) struct Findings {
    totals: Totals,
    /// Of rows, in the order of reading, which is theirs.
    streamed: Vec<(u16, Finding)>,
    /// Of files, sheets and headers: few, and some known only at the end of a sheet.
    framing: Vec<(u16, Finding)>,
}

impl Findings {
    fn count(&mut self, finding: &Finding) {
        match finding.level {
            Level::Error => self.totals.errors += 1,
            Level::Advertencia => self.totals.warnings += 1,
        }
        *self.totals.rules.entry(finding.rule).or_default() += 1;
    }

    /// Takes the findings of a data row, in the order of the rows.
    pub(super) fn row(&mut self, sheet: u16, findings: &mut Vec<Finding>) {
        findings.sort_by_key(Finding::place);
        for finding in findings.drain(..) {
            self.count(&finding);
            if self.streamed.len() < KEPT {
                self.streamed.push((sheet, finding));
            }
        }
    }

    /// Takes a finding of a file, a sheet or a header.
    pub(super) fn frame(&mut self, sheet: u16, finding: Finding) {
        self.count(&finding);
        self.framing.push((sheet, finding));
    }

    /// The findings in order, at most [`KEPT`], and how many there are.
    pub(super) fn finish(self) -> (Vec<Finding>, Totals) {
        let mut all = self.streamed;
        if !self.framing.is_empty() {
            all.extend(self.framing);
            // Stable: what ties keeps the order of the file or of the book.
            all.sort_by(|(a_sheet, a), (b_sheet, b)| {
                (a.sheet.is_some(), a_sheet, a.place()).cmp(&(
                    b.sheet.is_some(),
                    b_sheet,
                    b.place(),
                ))
            });
        }
        all.truncate(KEPT);
        (
            all.into_iter().map(|(_, finding)| finding).collect(),
            self.totals,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_and_levels_are_those_of_the_contract() {
        let mut words: Vec<&str> = Vec::new();
        for line in include_str!("../../data/payroll_rules.csv").lines().skip(1) {
            let cells: Vec<&str> = line.split(';').collect();
            let rule = *Rule::ALL
                .iter()
                .find(|rule| rule.as_str() == cells[0])
                .expect(cells[0]);
            words.push(cells[0]);
            let kinds: Vec<Kind> = match cells[2] {
                "other kinds" => vec![Kind::Finiquitos, Kind::MovimientosMes, Kind::Ingresos],
                "libro_remuneraciones novedades" => {
                    vec![Kind::LibroRemuneraciones, Kind::Novedades]
                }
                "all but libro_remuneraciones" => vec![Kind::Novedades, Kind::Ausentismos],
                "all" | "csv" | "xlsx" => Kind::ALL.to_vec(),
                words => words
                    .split(' ')
                    .filter_map(|word| word.parse().ok())
                    .collect(),
            };
            assert!(!kinds.is_empty(), "{line}");
            for kind in kinds {
                assert_eq!(rule.level(kind).as_str(), cells[3], "{line}");
            }
        }
        words.sort_unstable();
        words.dedup();
        let ours: Vec<&str> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
        assert_eq!(ours, words);
    }

    #[test]
    fn columns_are_shown_in_letters() {
        let shown: Vec<String> = [0, 25, 26, 51, 701, 702, 16383]
            .map(|at| Letters(at).to_string())
            .to_vec();
        assert_eq!(shown, ["A", "Z", "AA", "AZ", "ZZ", "AAA", "XFD"]);
    }
}
