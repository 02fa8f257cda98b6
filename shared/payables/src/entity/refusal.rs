//! Why payables refuses: typed, each with its code, and turned into a problem in one place.

use cierre_kernel::codes::{self, Code};
use cierre_kernel::id::FacturaId;
use cierre_kernel::problem::{FieldError, Problem};
use cierre_kernel::time::Instant;

use crate::persona::Persona;
use crate::rules::sincronizacion::Estado;

/// Everything that is wrong with the fields of a request; a 422 that lists them all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("some fields are not valid")]
pub struct Invalid(pub Vec<FieldError>);

impl Invalid {
    /// A single wrong field.
    #[must_use]
    pub fn field(pointer: &str, code: Code, detail: &str) -> Self {
        Self(vec![FieldError::new(pointer, code, detail)])
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::validation(invalid.0)
    }
}

/// A decision that came first, for whoever came too late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decidida {
    /// Where the factura stands.
    pub estado: Estado,
    /// Who brought it there.
    pub accion_por: Option<Persona>,
    /// When.
    pub fecha_accion: Option<Instant>,
}

impl std::fmt::Display for Decidida {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let done = match self.estado {
            Estado::Pendiente => "Pending again",
            Estado::EnRevision => "Approved in part",
            Estado::Aprobada | Estado::AprobadaAuto => "Approved",
            Estado::Rechazada => "Rejected",
        };
        match &self.accion_por {
            Some(persona) => write!(f, "{done} by {}", persona.nombre),
            None => f.write_str(done),
        }
    }
}

/// Why a command to a factura is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FacturaRefusal {
    /// A field is wrong.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// There is none, or it is deleted.
    #[error("There is no such factura")]
    NoEncontrada,
    /// The caller has no right to decide on it.
    #[error(
        "Only the responsable, their delegate, a supervisor or an admin decides on this factura"
    )]
    NoAutorizado,
    /// The caller is called as the system is.
    #[error("Your name is reserved for automatic approvals. Ask for another one")]
    NombreReservado,
    /// The caller registered it.
    #[error("You registered this factura")]
    Registrador,
    /// The caller stands in for whoever registered it.
    #[error("You would decide for the person who registered this factura")]
    DelegadoDelRegistrador,
    /// Nobody answers for it.
    #[error("The factura has no responsable. Assign one first")]
    SinResponsable,
    /// Somebody answers for it, once and for all.
    #[error("The factura has a responsable, who never changes")]
    ResponsableYaAsignado,
    /// One of the people of the approval has approved in this round.
    #[error("{0} has approved in this round")]
    YaAprobo(String),
    /// The round is at its end.
    #[error("{0}")]
    YaDecidida(Decidida),
    /// The round is not at its end.
    #[error("The factura is not decided yet")]
    NoDecidida,
    /// It has approvals.
    #[error("The factura has approvals. Reject it, reopen it, then delete it")]
    TieneAprobaciones,
    /// It was reopened as often as may be.
    #[error("The factura has had 50 rounds. Delete it and register it again")]
    LimiteDeRondas,
    /// Another live one has its duplicate key.
    #[error("The factura is registered already")]
    Duplicada(FacturaId),
}

impl FacturaRefusal {
    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Invalid(Invalid(errors)) => Problem::validation(errors.clone()).code,
            Self::NoEncontrada => codes::NO_ENCONTRADA,
            Self::NoAutorizado => codes::NO_AUTORIZADO_PARA_DECIDIR,
            Self::NombreReservado => codes::NOMBRE_RESERVADO,
            Self::Registrador | Self::DelegadoDelRegistrador => codes::SOD_VIOLATION,
            Self::SinResponsable => codes::SIN_RESPONSABLE,
            Self::ResponsableYaAsignado => codes::RESPONSABLE_YA_ASIGNADO,
            Self::YaAprobo(_) => codes::YA_APROBO,
            Self::YaDecidida(_) => codes::YA_DECIDIDA,
            Self::NoDecidida => codes::NO_DECIDIDA,
            Self::TieneAprobaciones => codes::TIENE_APROBACIONES,
            Self::LimiteDeRondas => codes::LIMITE_DE_RONDAS,
            Self::Duplicada(_) => codes::FACTURA_DUPLICADA,
        }
    }

    /// Whether it denies a decision to the caller, which is recorded.
    #[must_use]
    pub const fn is_denial(&self) -> bool {
        match self {
            Self::NoAutorizado
            | Self::NombreReservado
            | Self::Registrador
            | Self::DelegadoDelRegistrador => true,
            Self::Invalid(_)
            | Self::NoEncontrada
            | Self::SinResponsable
            | Self::ResponsableYaAsignado
            | Self::YaAprobo(_)
            | Self::YaDecidida(_)
            | Self::NoDecidida
            | Self::TieneAprobaciones
            | Self::LimiteDeRondas
            | Self::Duplicada(_) => false,
        }
    }

    /// The factura that has the duplicate key already.
    #[must_use]
    pub const fn duplicada(&self) -> Option<FacturaId> {
        match self {
            Self::Duplicada(known) => Some(*known),
            Self::Invalid(_)
            | Self::NoEncontrada
            | Self::NoAutorizado
            | Self::NombreReservado
            | Self::Registrador
            | Self::DelegadoDelRegistrador
            | Self::SinResponsable
            | Self::ResponsableYaAsignado
            | Self::YaAprobo(_)
            | Self::YaDecidida(_)
            | Self::NoDecidida
            | Self::TieneAprobaciones
            | Self::LimiteDeRondas => None,
        }
    }
}

impl From<FacturaRefusal> for Problem {
    fn from(refusal: FacturaRefusal) -> Self {
        let (code, detail) = (refusal.code(), refusal.to_string());
        match refusal {
            FacturaRefusal::Invalid(invalid) => invalid.into(),
            // Nothing tells an unknown factura from another company's.
            FacturaRefusal::NoEncontrada => Self::new(codes::NOT_FOUND),
            FacturaRefusal::YaDecidida(decidida) => Self::new(code)
                .detail(detail)
                .with("estado", decidida.estado.as_str())
                .with("accion_por", decidida.accion_por.map(|one| one.nombre))
                .with(
                    "fecha_accion",
                    decidida.fecha_accion.map(|at| at.to_string()),
                ),
            FacturaRefusal::Duplicada(id) => Self::new(code)
                .detail(detail)
                .with("factura_id", id.to_string()),
            FacturaRefusal::NoAutorizado
            | FacturaRefusal::NombreReservado
            | FacturaRefusal::Registrador
            | FacturaRefusal::DelegadoDelRegistrador
            | FacturaRefusal::SinResponsable
            | FacturaRefusal::ResponsableYaAsignado
            | FacturaRefusal::YaAprobo(_)
            | FacturaRefusal::NoDecidida
            | FacturaRefusal::TieneAprobaciones
            | FacturaRefusal::LimiteDeRondas => Self::new(code).detail(detail),
        }
    }
}

/// Why a command to a delegation is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DelegacionRefusal {
    /// A field is wrong.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Only a supervisor or an admin acts for somebody else.
    #[error("Only a supervisor or an admin gives or revokes the delegation of somebody else")]
    DeOtro,
    /// Another one of the same user is in force on one of its days.
    #[error("Another delegation of the same user overlaps")]
    Solapada,
    /// It has ended or is revoked.
    #[error("The delegation is over")]
    Terminada,
}

impl DelegacionRefusal {
    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Invalid(Invalid(errors)) => Problem::validation(errors.clone()).code,
            Self::DeOtro => codes::WRONG_ROLE,
            Self::Solapada => codes::DELEGACION_SOLAPADA,
            Self::Terminada => codes::DELEGACION_TERMINADA,
        }
    }
}

impl From<DelegacionRefusal> for Problem {
    fn from(refusal: DelegacionRefusal) -> Self {
        let (code, detail) = (refusal.code(), refusal.to_string());
        match refusal {
            DelegacionRefusal::Invalid(invalid) => invalid.into(),
            DelegacionRefusal::DeOtro
            | DelegacionRefusal::Solapada
            | DelegacionRefusal::Terminada => Self::new(code).detail(detail),
        }
    }
}
