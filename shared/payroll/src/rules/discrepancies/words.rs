//! The words of `payroll_discrepancies.csv`. A test compares them with the table.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::kind::Kind;
use crate::lre::Code;
use crate::lre::identities::identities;

cierre_kernel::words! {
    /// Whether a discrepancy blocks the closing.
    pub enum Severidad {
        /// It does, until it is corrected or a supervisor justifies it.
        Bloqueante = "bloqueante",
        /// It does not.
        Advertencia = "advertencia",
    }
}

cierre_kernel::words! {
    /// What kind of discrepancy it is.
    pub enum TipoDiscrepancia {
        /// A RUT stands in several rows of the book.
        RutDuplicado = "rut_duplicado",
        /// Days were worked and nothing was earned.
        SueldoCero = "sueldo_cero",
        /// A cell of the book breaks its domain.
        FormatoInvalido = "formato_invalido",
        /// A total of the book is not what its details come to.
        IdentidadLre = "identidad_lre",
        /// The client's figures lack an employee of the book.
        EmpleadoSoloLibro = "empleado_solo_libro",
        /// The book lacks an employee of the client's figures.
        EmpleadoSoloNovedades = "empleado_solo_novedades",
        /// Book and client's figures name different amounts.
        DiffConceptoMonto = "diff_concepto_monto",
        /// A hire is reported by one of client and analyst only.
        IngresoNoReportado = "ingreso_no_reportado",
        /// A leaver is reported by one of client and analyst only.
        FiniquitoNoReportado = "finiquito_no_reportado",
        /// An absence is reported by one of client and analyst only.
        AusenciaNoReportada = "ausencia_no_reportada",
    }
}

impl TipoDiscrepancia {
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
    pub const fn tipo(self) -> TipoDiscrepancia {
        match self {
            Self::RutDuplicado => TipoDiscrepancia::RutDuplicado,
            Self::SueldoCero => TipoDiscrepancia::SueldoCero,
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
            | Self::ApvIncoherente => TipoDiscrepancia::FormatoInvalido,
            Self::Total(_) | Self::LiquidoNegativo => TipoDiscrepancia::IdentidadLre,
            Self::EmpleadoSoloLibro => TipoDiscrepancia::EmpleadoSoloLibro,
            Self::EmpleadoSoloNovedades => TipoDiscrepancia::EmpleadoSoloNovedades,
            Self::DiffConceptoMonto => TipoDiscrepancia::DiffConceptoMonto,
            Self::IngresoNoReportado => TipoDiscrepancia::IngresoNoReportado,
            Self::FiniquitoNoReportado => TipoDiscrepancia::FiniquitoNoReportado,
            Self::AusenciaNoReportada => TipoDiscrepancia::AusenciaNoReportada,
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
