//! What reading a file came to, as it is kept beside the file's rows.

use cierre_platform::Failure;
use cierre_platform::error::Doing;
use cierre_platform::objects::Objects;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::derived::FileObjects;
use crate::files::{ColumnRead, Finding, Report};
use crate::registro::Field;
use crate::rules::csv_safe::SafeCsv;
use crate::rules::place::Layout;
use crate::rules::sello::Resumido;

/// A finding as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hallazgo {
    /// The sheet; null for what concerns the whole file, empty for CSV.
    pub hoja: Option<String>,
    /// The row of the sheet, from 1; for CSV the record's number.
    pub fila: Option<u32>,
    /// The column's letters.
    pub columna: Option<String>,
    /// The column's header as it is written.
    pub encabezado: Option<String>,
    /// What the column was understood as.
    pub codigo: Option<String>,
    /// What stands there, its first 80 characters.
    pub valor: Option<String>,
    /// The rule.
    #[schema(example = "monto_invalido")]
    pub regla: String,
    /// `error` or `advertencia`.
    #[schema(example = "error")]
    pub nivel: String,
    /// In plain words.
    pub motivo: String,
}

impl From<&Finding> for Hallazgo {
    fn from(finding: &Finding) -> Self {
        Self {
            hoja: finding.sheet.as_deref().map(str::to_owned),
            fila: finding.row,
            columna: finding.column.map(|column| column.to_string()),
            encabezado: finding.header.as_deref().map(str::to_owned),
            codigo: finding.code.map(|code| code.name().into_owned()),
            valor: finding.value.as_deref().map(str::to_owned),
            regla: finding.rule.to_string(),
            nivel: finding.level.as_str().to_owned(),
            motivo: finding.reason.clone().into_owned(),
        }
    }
}

impl Hallazgo {
    /// The header of the CSV.
    const HEADER: [&'static str; 9] = [
        "hoja",
        "fila",
        "columna",
        "encabezado",
        "codigo",
        "valor",
        "regla",
        "nivel",
        "motivo",
    ];

    fn cells(&self) -> [String; 9] {
        let text = |cell: &Option<String>| cell.clone().unwrap_or_default();
        [
            text(&self.hoja),
            self.fila.map(|fila| fila.to_string()).unwrap_or_default(),
            text(&self.columna),
            text(&self.encabezado),
            text(&self.codigo),
            text(&self.valor),
            self.regla.clone(),
            self.nivel.clone(),
            self.motivo.clone(),
        ]
    }
}

/// A column as it was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Columna {
    /// The sheet; empty for CSV.
    pub hoja: String,
    /// The column's letters.
    pub columna: String,
    /// Its header as it is written.
    pub encabezado: String,
    /// What it was understood as; null for what is kept under `otros`.
    pub codigo: Option<String>,
    /// How: `codigo`, `texto`, `creacion`, `nombre` or `sin_clasificar`.
    #[schema(example = "codigo")]
    pub metodo: String,
}

impl From<&ColumnRead> for Columna {
    fn from(read: &ColumnRead) -> Self {
        Self {
            hoja: read.sheet.to_string(),
            columna: read.column.to_string(),
            encabezado: read.header.to_string(),
            codigo: read.code.map(|code| code.name().into_owned()),
            metodo: read.method.as_str().to_owned(),
        }
    }
}

/// What reading a file came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Informe {
    /// The first findings, in their order.
    pub hallazgos: Vec<Hallazgo>,
    /// All errors.
    pub errores_total: u64,
    /// All warnings.
    pub advertencias_total: u64,
    /// Rows of the CSV with the findings.
    pub filas_csv: u64,
    /// The columns, by sheet and position.
    pub columnas: Vec<Columna>,
    /// Of the book alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resultado: Option<Resumido>,
}

impl Informe {
    /// What a report came to.
    pub fn of(report: &Report, resultado: Option<Resumido>) -> Self {
        Self {
            hallazgos: report.listed().iter().map(Into::into).collect(),
            errores_total: report.totals.errors,
            advertencias_total: report.totals.warnings,
            filas_csv: report.findings.len() as u64,
            columnas: report.columns.iter().map(Into::into).collect(),
            resultado,
        }
    }

    /// Reads it; none when the file was not read yet.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub async fn load(objects: &Objects, file: &FileObjects) -> Result<Option<Self>, Failure> {
        let read = objects.get(&file.informe()).await?;
        read.map(|json| serde_json::from_slice(&json).doing("reading what a file came to"))
            .transpose()
    }

    /// Where each field stands.
    pub fn layout(&self) -> Layout {
        self.columnas
            .iter()
            .filter_map(|column| {
                let field = Field::parse(column.codigo.as_deref()?)?;
                let letters = column.columna.as_str().into();
                Some((column.hoja.as_str().into(), field, letters))
            })
            .collect()
    }
}

/// The findings as CSV: UTF-8 with a mark, no cell that a spreadsheet takes for a formula.
///
/// # Errors
/// None in memory.
pub fn findings_csv(report: &Report) -> Result<Vec<u8>, Failure> {
    let mut csv = SafeCsv::new(Vec::new()).doing("writing findings")?;
    csv.row(Hallazgo::HEADER).doing("writing findings")?;
    for finding in &report.findings {
        csv.row(Hallazgo::from(finding).cells())
            .doing("writing findings")?;
    }
    csv.finish().doing("writing findings")
}
