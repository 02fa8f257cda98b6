//! Discrepancies: what two files say differently, or a book against itself.

use cierre_kernel::id::{ArchivoId, CierreId, DiscrepanciaId};
use cierre_kernel::role::{Role, Roles};
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use super::Caller;
use super::archivo::Archivo;
use super::refusal::ReviewRefusal;
use super::values::{JUSTIFICATION, rut_text, sized, words};
use crate::kind::Kind;
use crate::rut::Rut;

/// Those who write payroll.
pub const WRITERS: Roles = Roles::of(&[Role::Payroll, Role::Admin]);
/// The second pair of eyes.
pub const SUPERVISORS: Roles = Roles::of(&[Role::Supervisor, Role::Admin]);

words! {
    /// The kinds of discrepancies, in the order of `payroll_discrepancies.csv`.
    TipoDiscrepancia {
        /// Two rows of one employee.
        RutDuplicado "rut_duplicado",
        /// Days worked without pay.
        SueldoCero "sueldo_cero",
        /// A cell that breaks its domain.
        FormatoInvalido "formato_invalido",
        /// A total that its details do not make.
        IdentidadLre "identidad_lre",
        /// An employee of the book whom novedades does not know.
        EmpleadoSoloLibro "empleado_solo_libro",
        /// An employee of novedades whom the book does not know.
        EmpleadoSoloNovedades "empleado_solo_novedades",
        /// An amount that differs between book and novedades.
        DiffConceptoMonto "diff_concepto_monto",
        /// A hire in one file only.
        IngresoNoReportado "ingreso_no_reportado",
        /// A leaver in one file only.
        FiniquitoNoReportado "finiquito_no_reportado",
        /// An absence in one file only.
        AusenciaNoReportada "ausencia_no_reportada",
    }
}

words! {
    /// Whether it stops the closing.
    Severidad {
        /// It does.
        Bloqueante "bloqueante",
        /// It does not.
        Advertencia "advertencia",
    }
}

words! {
    /// The state of a discrepancy.
    EstadoDiscrepancia {
        /// Nobody has dealt with it.
        Abierta "abierta",
        /// Somebody justified it.
        Justificada "justificada",
        /// It is no longer found.
        Corregida "corregida",
    }
}

words! {
    /// What a new generation finds of something that was found before.
    Again {
        /// The same values.
        Same "same",
        /// Other values.
        Other "other",
        /// Nothing.
        Gone "gone",
    }
}

impl EstadoDiscrepancia {
    /// The state after a new generation.
    #[must_use]
    pub const fn after(self, again: Again) -> Self {
        match (self, again) {
            (Self::Abierta, Again::Same | Again::Other)
            | (Self::Justificada, Again::Other)
            | (Self::Corregida, Again::Same | Again::Other) => Self::Abierta,
            (Self::Justificada, Again::Same) => Self::Justificada,
            (Self::Abierta | Self::Justificada, Again::Gone) | (Self::Corregida, Again::Gone) => {
                Self::Corregida
            }
        }
    }

    /// The state after a justification.
    ///
    /// # Errors
    /// [`ReviewRefusal::DiscrepancyClosed`] unless it is open.
    pub const fn corrected(self) -> Result<Self, ReviewRefusal> {
        match self {
            Self::Abierta => Ok(Self::Justificada),
            Self::Justificada | Self::Corregida => Err(ReviewRefusal::DiscrepancyClosed),
        }
    }
}

/// A step in the life of a discrepancy or an incidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paso<E> {
    /// The state into which it led.
    pub estado: E,
    /// When.
    pub timestamp: Instant,
    /// By whom.
    pub user: String,
    /// Why, of a justification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justificacion: Option<String>,
    /// What a supervisor said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comentario: Option<String>,
}

impl<E> Paso<E> {
    /// A step without words.
    pub fn new(estado: E, timestamp: Instant, user: impl Into<String>) -> Self {
        Self {
            estado,
            timestamp,
            user: user.into(),
            justificacion: None,
            comentario: None,
        }
    }
}

/// A cell that a discrepancy is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ubicacion {
    /// The file.
    pub archivo_id: ArchivoId,
    /// The sheet; empty for CSV.
    pub hoja: String,
    /// The row, from 1; for CSV the record's number.
    pub fila: u32,
    /// The column's letters; none for a whole row.
    pub columna: Option<String>,
    /// What stands there.
    pub valor: Option<String>,
}

/// A discrepancy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discrepancia {
    /// Its id, the same whenever it is found.
    pub id: DiscrepanciaId,
    /// The closing.
    pub cierre_id: CierreId,
    /// What kind it is.
    pub tipo: TipoDiscrepancia,
    /// The rule that found it.
    pub regla: String,
    /// Whether it stops the closing.
    pub severidad: Severidad,
    /// Whose it is.
    #[serde(with = "rut_text")]
    pub rut: Rut,
    /// Where it stands.
    pub estado: EstadoDiscrepancia,
    /// The cells.
    pub ubicaciones: Vec<Ubicacion>,
    /// What should be there.
    pub esperado: Option<String>,
    /// What is there.
    pub encontrado: Option<String>,
    /// By how much they differ.
    pub diferencia: Option<String>,
    /// The file that lacks the employee.
    pub falta_en: Option<Kind>,
    /// What to do.
    pub sugerencia: Option<String>,
    /// Digest of the compared values.
    pub huella: String,
    /// Its steps.
    pub historial: Vec<Paso<EstadoDiscrepancia>>,
    /// Counts the changes, from 1.
    pub version: u64,
}

/// A justification.
#[derive(Clone, Copy, Debug)]
pub struct Correccion<'a> {
    /// Why it may stay.
    pub justificacion: &'a str,
}

impl Discrepancia {
    /// Justifies it; the reporting of it is [`super::cierre::Cierre::correct`]'s. Answers the justification without blanks around it.
    ///
    /// # Errors
    /// [`ReviewRefusal`]. A blocking one takes a supervisor who uploaded none of the located files; one whose uploader is not known counts
    /// as the caller's.
    pub(super) fn justified(
        &self,
        correccion: &Correccion<'_>,
        files: &[Archivo],
        caller: &Caller,
    ) -> Result<(Self, String), ReviewRefusal> {
        let estado = self.estado.corrected()?;
        let (roles, own) = match self.severidad {
            Severidad::Advertencia => (WRITERS, false),
            Severidad::Bloqueante => (SUPERVISORS, self.uploaded_by(caller, files)),
        };
        if !caller.roles.any(roles) {
            return Err(ReviewRefusal::WrongRole);
        }
        if own {
            return Err(ReviewRefusal::FourEyes);
        }
        let justificacion = sized(correccion.justificacion, &JUSTIFICATION)
            .ok_or(ReviewRefusal::JustificationRequired)?;
        let mut next = self.clone();
        next.estado = estado;
        next.version += 1;
        next.historial.push(Paso {
            justificacion: Some(justificacion.clone()),
            ..Paso::new(estado, caller.stamp.at, &*caller.stamp.by.user)
        });
        Ok((next, justificacion))
    }

    fn uploaded_by(&self, caller: &Caller, files: &[Archivo]) -> bool {
        let uploader = |id| files.iter().find(|file| file.id == id);
        self.ubicaciones.iter().any(|place| {
            uploader(place.archivo_id)
                .is_none_or(|file| file.subido_por.user_id == caller.stamp.by.user_id)
        })
    }
}
