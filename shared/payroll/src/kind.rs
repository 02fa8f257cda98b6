//! The seven kinds of files.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a file of a closing holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The payroll book (LRE), 147 columns.
    LibroRemuneraciones,
    /// Hires and leavers, absences and holidays of the month; a workbook of three sheets.
    MovimientosMes,
    /// Settlements of leavers, from the analyst.
    Finiquitos,
    /// Absences, from the analyst.
    Ausentismos,
    /// What a client announced beforehand, with its reason.
    IncidenciasExternas,
    /// Hires, from the analyst.
    Ingresos,
    /// The client's own figures, employee by employee.
    Novedades,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::LibroRemuneraciones,
        Self::MovimientosMes,
        Self::Finiquitos,
        Self::Ausentismos,
        Self::IncidenciasExternas,
        Self::Ingresos,
        Self::Novedades,
    ];

    /// The word on the wire and in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LibroRemuneraciones => "libro_remuneraciones",
            Self::MovimientosMes => "movimientos_mes",
            Self::Finiquitos => "finiquitos",
            Self::Ausentismos => "ausentismos",
            Self::IncidenciasExternas => "incidencias_externas",
            Self::Ingresos => "ingresos",
            Self::Novedades => "novedades",
        }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
