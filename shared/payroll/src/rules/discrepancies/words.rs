//! The words of `payroll_discrepancies.csv`. A test compares them with the table.

use std::fmt;
use std::str::FromStr;

use cierre_kernel::words::UnknownWord;
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

cierre_kernel::words! {
    /// A rule that is not that of a total.
    pub enum Control {
        /// A RUT stands in several rows.
        RutDuplicado = "rut_duplicado",
        /// Days were worked and nothing was earned.
        SueldoCero = "sueldo_cero",
        /// A wrong check digit.
        RutDv = "rut_dv",
        /// A mandatory cell is empty.
        ObligatoriaVacia = "obligatoria_vacia",
        /// An amount below 0.
        MontoNegativo = "monto_negativo",
        /// A text is too long.
        TextoLargo = "texto_largo",
        /// A text cannot stand in the export.
        TextoNoExportable = "texto_no_exportable",
        /// One of end and cause of a contract without the other.
        TerminoCausal = "termino_causal",
        /// Days beyond a month.
        DiasFueraDeRango = "dias_fuera_de_rango",
        /// A value that its list does not have.
        CodigoDesconocido = "codigo_desconocido",
        /// Unemployment insurance and its contributions disagree.
        AfcIncoherente = "afc_incoherente",
        /// The rate of the severance fund is too low.
        TasaIndemnizacion = "tasa_indemnizacion",
        /// A voluntary contribution to public health insurance.
        SaludVoluntaria = "salud_voluntaria",
        /// Voluntary saving and its contributions disagree.
        ApvIncoherente = "apv_incoherente",
        /// Deductions exceed earnings.
        LiquidoNegativo = "liquido_negativo",
        /// The client's figures lack an employee of the book.
        EmpleadoSoloLibro = "empleado_solo_libro",
        /// The book lacks an employee of the client's figures.
        EmpleadoSoloNovedades = "empleado_solo_novedades",
        /// Book and client's figures name different amounts.
        DiffConceptoMonto = "diff_concepto_monto",
        /// A hire is reported by one only.
        IngresoNoReportado = "ingreso_no_reportado",
        /// A leaver is reported by one only.
        FiniquitoNoReportado = "finiquito_no_reportado",
        /// An absence is reported by one only.
        AusenciaNoReportada = "ausencia_no_reportada",
    }
}

impl Control {
    const fn tipo(self) -> TipoDiscrepancia {
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
            Self::LiquidoNegativo => TipoDiscrepancia::IdentidadLre,
            Self::EmpleadoSoloLibro => TipoDiscrepancia::EmpleadoSoloLibro,
            Self::EmpleadoSoloNovedades => TipoDiscrepancia::EmpleadoSoloNovedades,
            Self::DiffConceptoMonto => TipoDiscrepancia::DiffConceptoMonto,
            Self::IngresoNoReportado => TipoDiscrepancia::IngresoNoReportado,
            Self::FiniquitoNoReportado => TipoDiscrepancia::FiniquitoNoReportado,
            Self::AusenciaNoReportada => TipoDiscrepancia::AusenciaNoReportada,
        }
    }

    const fn severidad(self) -> Severidad {
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
        }
    }
}

/// Which rule found a discrepancy. There is one for the total of every identity of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Regla {
    /// A rule that is not that of a total.
    Control(Control),
    /// A total is not what its details come to.
    Total(Code),
}

impl Regla {
    /// The kind of discrepancy that the rule finds.
    pub const fn tipo(self) -> TipoDiscrepancia {
        match self {
            Self::Control(control) => control.tipo(),
            Self::Total(_) => TipoDiscrepancia::IdentidadLre,
        }
    }

    /// Whether what it finds blocks the closing.
    pub fn severidad(self) -> Severidad {
        match self {
            Self::Control(control) => control.severidad(),
            Self::Total(code)
                if identities()
                    .iter()
                    .any(|one| one.code == code && one.blocking) =>
            {
                Severidad::Bloqueante
            }
            Self::Total(_) => Severidad::Advertencia,
        }
    }
}

impl From<Control> for Regla {
    fn from(control: Control) -> Self {
        Self::Control(control)
    }
}

impl fmt::Display for Regla {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control(control) => control.fmt(f),
            Self::Total(code) => code.fmt(f),
        }
    }
}

impl FromStr for Regla {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let total = || {
            let code = Code::parse(word)?;
            let known = identities().iter().any(|one| one.code == code);
            known.then_some(Self::Total(code))
        };
        word.parse()
            .map(Self::Control)
            .or_else(|unknown| total().ok_or(unknown))
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
        word.parse().map_err(de::Error::custom)
    }
}
