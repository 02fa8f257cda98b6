//! The words of `payroll_discrepancies.csv`. A test compares them with the table.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::kind::Kind;
use crate::lre::Code;
use crate::lre::identities::identities;

/// Whether a discrepancy blocks the closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severidad {
    /// It does, until it is corrected or a supervisor justifies it.
    Bloqueante,
    /// It does not.
    Advertencia,
}

impl Severidad {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Bloqueante, Self::Advertencia];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bloqueante => "bloqueante",
            Self::Advertencia => "advertencia",
        }
    }

    /// The severity of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// What kind of discrepancy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tipo {
    /// A RUT stands in several rows of the book.
    RutDuplicado,
    /// Days were worked and nothing was earned.
    SueldoCero,
    /// A cell of the book breaks its domain.
    FormatoInvalido,
    /// A total of the book is not what its details come to.
    IdentidadLre,
    /// The client's figures lack an employee of the book.
    EmpleadoSoloLibro,
    /// The book lacks an employee of the client's figures.
    EmpleadoSoloNovedades,
    /// Book and client's figures name different amounts.
    DiffConceptoMonto,
    /// A hire is reported by one of client and analyst only.
    IngresoNoReportado,
    /// A leaver is reported by one of client and analyst only.
    FiniquitoNoReportado,
    /// An absence is reported by one of client and analyst only.
    AusenciaNoReportada,
}

impl Tipo {
    /// Every kind, in the table's order.
    pub const ALL: [Self; 10] = [
        Self::RutDuplicado,
        Self::SueldoCero,
        Self::FormatoInvalido,
        Self::IdentidadLre,
        Self::EmpleadoSoloLibro,
        Self::EmpleadoSoloNovedades,
        Self::DiffConceptoMonto,
        Self::IngresoNoReportado,
        Self::FiniquitoNoReportado,
        Self::AusenciaNoReportada,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RutDuplicado => "rut_duplicado",
            Self::SueldoCero => "sueldo_cero",
            Self::FormatoInvalido => "formato_invalido",
            Self::IdentidadLre => "identidad_lre",
            Self::EmpleadoSoloLibro => "empleado_solo_libro",
            Self::EmpleadoSoloNovedades => "empleado_solo_novedades",
            Self::DiffConceptoMonto => "diff_concepto_monto",
            Self::IngresoNoReportado => "ingreso_no_reportado",
            Self::FiniquitoNoReportado => "finiquito_no_reportado",
            Self::AusenciaNoReportada => "ausencia_no_reportada",
        }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// The files without which it cannot be evaluated.
    pub const fn needs(self) -> &'static [Kind] {
        match self {
            Self::RutDuplicado | Self::SueldoCero | Self::FormatoInvalido | Self::IdentidadLre => {
                &[Kind::LibroRemuneraciones]
            }
            Self::EmpleadoSoloLibro | Self::EmpleadoSoloNovedades | Self::DiffConceptoMonto => {
                &[Kind::LibroRemuneraciones, Kind::Novedades]
            }
            Self::IngresoNoReportado => &[Kind::MovimientosMes, Kind::Ingresos],
            Self::FiniquitoNoReportado => &[Kind::MovimientosMes, Kind::Finiquitos],
            Self::AusenciaNoReportada => &[Kind::MovimientosMes, Kind::Ausentismos],
        }
    }
}

impl fmt::Display for Tipo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which rule found a discrepancy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Regla {
    /// A RUT stands in several rows.
    RutDuplicado,
    /// Days were worked and nothing was earned.
    SueldoCero,
    /// A wrong check digit.
    RutDv,
    /// A mandatory cell is empty.
    ObligatoriaVacia,
    /// An amount below 0.
    MontoNegativo,
    /// A text is too long.
    TextoLargo,
    /// A text cannot stand in the export.
    TextoNoExportable,
    /// One of end and cause of a contract without the other.
    TerminoCausal,
    /// Days beyond a month.
    DiasFueraDeRango,
    /// A value that its list does not have.
    CodigoDesconocido,
    /// Unemployment insurance and its contributions disagree.
    AfcIncoherente,
    /// The rate of the severance fund is too low.
    TasaIndemnizacion,
    /// A voluntary contribution to public health insurance.
    SaludVoluntaria,
    /// Voluntary saving and its contributions disagree.
    ApvIncoherente,
    /// A total is not what its details come to.
    Total(Code),
    /// Deductions exceed earnings.
    LiquidoNegativo,
    /// The client's figures lack an employee of the book.
    EmpleadoSoloLibro,
    /// The book lacks an employee of the client's figures.
    EmpleadoSoloNovedades,
    /// Book and client's figures name different amounts.
    DiffConceptoMonto,
    /// A hire is reported by one only.
    IngresoNoReportado,
    /// A leaver is reported by one only.
    FiniquitoNoReportado,
    /// An absence is reported by one only.
    AusenciaNoReportada,
}

impl Regla {
    /// Every rule but those of totals, of which there is one for every identity of the book.
    const PLAIN: [Self; 21] = [
        Self::RutDuplicado,
        Self::SueldoCero,
        Self::RutDv,
        Self::ObligatoriaVacia,
        Self::MontoNegativo,
        Self::TextoLargo,
        Self::TextoNoExportable,
        Self::TerminoCausal,
        Self::DiasFueraDeRango,
        Self::CodigoDesconocido,
        Self::AfcIncoherente,
        Self::TasaIndemnizacion,
        Self::SaludVoluntaria,
        Self::ApvIncoherente,
        Self::LiquidoNegativo,
        Self::EmpleadoSoloLibro,
        Self::EmpleadoSoloNovedades,
        Self::DiffConceptoMonto,
        Self::IngresoNoReportado,
        Self::FiniquitoNoReportado,
        Self::AusenciaNoReportada,
    ];

    /// The rule of this word.
    pub fn parse(word: &str) -> Option<Self> {
        let plain = Self::PLAIN.into_iter().find(|rule| rule.word() == word);
        plain.or_else(|| {
            let code = Code::parse(word)?;
            let known = identities().iter().any(|identity| identity.code == code);
            known.then_some(Self::Total(code))
        })
    }

    /// The word on the wire.
    fn word(self) -> Cow<'static, str> {
        let word = match self {
            Self::Total(code) => return Cow::Owned(code.to_string()),
            Self::RutDuplicado => "rut_duplicado",
            Self::SueldoCero => "sueldo_cero",
            Self::RutDv => "rut_dv",
            Self::ObligatoriaVacia => "obligatoria_vacia",
            Self::MontoNegativo => "monto_negativo",
            Self::TextoLargo => "texto_largo",
            Self::TextoNoExportable => "texto_no_exportable",
            Self::TerminoCausal => "termino_causal",
            Self::DiasFueraDeRango => "dias_fuera_de_rango",
            Self::CodigoDesconocido => "codigo_desconocido",
            Self::AfcIncoherente => "afc_incoherente",
            Self::TasaIndemnizacion => "tasa_indemnizacion",
            Self::SaludVoluntaria => "salud_voluntaria",
            Self::ApvIncoherente => "apv_incoherente",
            Self::LiquidoNegativo => "liquido_negativo",
            Self::EmpleadoSoloLibro => "empleado_solo_libro",
            Self::EmpleadoSoloNovedades => "empleado_solo_novedades",
            Self::DiffConceptoMonto => "diff_concepto_monto",
            Self::IngresoNoReportado => "ingreso_no_reportado",
            Self::FiniquitoNoReportado => "finiquito_no_reportado",
            Self::AusenciaNoReportada => "ausencia_no_reportada",
        };
        Cow::Borrowed(word)
    }

    /// The kind of discrepancy that the rule finds.
    pub const fn tipo(self) -> Tipo {
        match self {
            Self::RutDuplicado => Tipo::RutDuplicado,
            Self::SueldoCero => Tipo::SueldoCero,
            Self::RutDv
            | Self::ObligatoriaVacia
            | Self::MontoNegativo
            | Self::TextoLargo
            | Self::TextoNoExportable
            | Self::TerminoCausal
            | Self::DiasFueraDeRango
            | Self::CodigoDesconocido
            | Self::AfcIncoherente
            | Self::TasaIndemnizacion
            | Self::SaludVoluntaria
            | Self::ApvIncoherente => Tipo::FormatoInvalido,
            Self::Total(_) | Self::LiquidoNegativo => Tipo::IdentidadLre,
            Self::EmpleadoSoloLibro => Tipo::EmpleadoSoloLibro,
            Self::EmpleadoSoloNovedades => Tipo::EmpleadoSoloNovedades,
            Self::DiffConceptoMonto => Tipo::DiffConceptoMonto,
            Self::IngresoNoReportado => Tipo::IngresoNoReportado,
            Self::FiniquitoNoReportado => Tipo::FiniquitoNoReportado,
            Self::AusenciaNoReportada => Tipo::AusenciaNoReportada,
        }
    }

    /// Whether what it finds blocks the closing.
    pub fn severidad(self) -> Severidad {
        match self {
            Self::RutDuplicado
            | Self::SueldoCero
            | Self::RutDv
            | Self::ObligatoriaVacia
            | Self::MontoNegativo
            | Self::TextoLargo
            | Self::TextoNoExportable
            | Self::TerminoCausal
            | Self::DiasFueraDeRango
            | Self::EmpleadoSoloNovedades
            | Self::DiffConceptoMonto
            | Self::IngresoNoReportado
            | Self::FiniquitoNoReportado => Severidad::Bloqueante,
            Self::CodigoDesconocido
            | Self::AfcIncoherente
            | Self::TasaIndemnizacion
            | Self::SaludVoluntaria
            | Self::ApvIncoherente
            | Self::LiquidoNegativo
            | Self::EmpleadoSoloLibro
            | Self::AusenciaNoReportada => Severidad::Advertencia,
            Self::Total(code) => {
                let blocks = identities()
                    .iter()
                    .any(|identity| identity.code == code && identity.blocking);
                if blocks {
                    Severidad::Bloqueante
                } else {
                    Severidad::Advertencia
                }
            }
        }
    }
}

impl fmt::Display for Regla {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word())
    }
}

impl Serialize for Regla {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Regla {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::parse(&word).ok_or_else(|| de::Error::custom("no rule of discrepancies"))
    }
}
