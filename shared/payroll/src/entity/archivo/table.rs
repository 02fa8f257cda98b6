//! What happens to a file in each of its states: one match over every state and step.

use super::super::refusal::ArchivoRefusal;

cierre_kernel::words! {
    /// The state of a file.
    pub enum EstadoArchivo {
        /// Its upload has an address; its object has not arrived.
        Esperando = "esperando",
        /// Its object arrived.
        Recibido = "recibido",
        /// A worker reads it.
        Validando = "validando",
        /// A worker writes its rows.
        Procesando = "procesando",
        /// In force.
        Procesado = "procesado",
        /// Its content is wrong.
        ConErrores = "con_errores",
        /// It could not be processed.
        Error = "error",
        /// Its address was not used in time.
        Expirado = "expirado",
        /// A newer file took its place.
        Reemplazado = "reemplazado",
        /// Somebody deleted it.
        Eliminado = "eliminado",
    }
}

impl EstadoArchivo {
    /// A worker has it, or will.
    pub const IN_PROCESS: &[Self] = &[Self::Recibido, Self::Validando, Self::Procesando];
    /// It came to no good end.
    pub const FAILED: &[Self] = &[Self::ConErrores, Self::Error];

    /// Whether it counts for the closing.
    pub const fn is_live(self) -> bool {
        match self {
            Self::Recibido
            | Self::Validando
            | Self::Procesando
            | Self::Procesado
            | Self::ConErrores
            | Self::Error => true,
            Self::Esperando | Self::Expirado | Self::Reemplazado | Self::Eliminado => false,
        }
    }

    /// Whether a worker has come to an end with it.
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Procesado | Self::ConErrores | Self::Error => true,
            Self::Esperando
            | Self::Recibido
            | Self::Validando
            | Self::Procesando
            | Self::Expirado
            | Self::Reemplazado
            | Self::Eliminado => false,
        }
    }

    /// Whether a worker has it, or will.
    pub const fn is_in_process(self) -> bool {
        self.is_live() && !self.is_ended()
    }
}

cierre_kernel::words! {
    /// What may happen to a file.
    pub enum Step {
        /// Its object arrives.
        ObjectArrives = "object arrives",
        /// A worker does the next thing.
        Work = "worker",
        /// Its content has errors.
        ErrorFindings = "`error` findings",
        /// The last attempt failed.
        AttemptsExhausted = "attempts exhausted",
        /// Somebody deletes it.
        Delete = "DELETE",
        /// Somebody wants it processed once more.
        Reprocess = "reprocesar",
        /// A newer file of the kind arrived.
        NewerArrived = "newer file arrived",
        /// A newer file of the kind is processed.
        NewerProcessed = "newer file processed",
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The file goes into this state.
    To(EstadoArchivo),
    /// Nothing changes.
    Same,
    /// Nothing changes, and the object goes into quarantine.
    Quarantine,
    /// Nothing changes, and what the worker did is thrown away.
    Discard,
    /// The command is refused.
    Refused(ArchivoRefusal),
    /// The contract has no such case; another worker is ahead.
    Never,
}

/// What a step does in a state.
pub const fn effect(estado: EstadoArchivo, step: Step) -> Effect {
    use EstadoArchivo::{
        ConErrores, Eliminado, Error, Esperando, Expirado, Procesado, Procesando, Recibido,
        Reemplazado, Validando,
    };
    use Step::{
        AttemptsExhausted, Delete, ErrorFindings, NewerArrived, NewerProcessed, ObjectArrives,
        Reprocess, Work,
    };
    match (estado, step) {
        (Esperando | Expirado, ObjectArrives) => Effect::To(Recibido),
        (Recibido | Validando | Procesando | Procesado | ConErrores | Error, ObjectArrives) => {
            Effect::Same
        }
        (Reemplazado | Eliminado, ObjectArrives) => Effect::Quarantine,

        (Esperando | Expirado, Work | ErrorFindings | AttemptsExhausted) => Effect::Never,
        (Recibido, Work) => Effect::To(Validando),
        (Validando, Work) => Effect::To(Procesando),
        (Procesando, Work) => Effect::To(Procesado),
        (Procesado | ConErrores | Error, Work) => Effect::Same,
        (Reemplazado | Eliminado, Work) => Effect::Discard,

        (Validando, ErrorFindings) => Effect::To(ConErrores),
        (
            Recibido | Procesando | Procesado | ConErrores | Error | Reemplazado | Eliminado,
            ErrorFindings,
        ) => Effect::Never,

        (Recibido | Validando | Procesando, AttemptsExhausted) => Effect::To(Error),
        (Procesado | ConErrores | Error | Reemplazado | Eliminado, AttemptsExhausted) => {
            Effect::Same
        }

        (
            Esperando | Recibido | Validando | Procesando | Procesado | ConErrores | Error,
            Delete,
        ) => Effect::To(Eliminado),
        (Expirado | Reemplazado | Eliminado, Delete | Reprocess) => {
            Effect::Refused(ArchivoRefusal::NotLive)
        }

        (Esperando, Reprocess) => Effect::Refused(ArchivoRefusal::NotReceived),
        (Recibido | Validando | Procesando, Reprocess) => {
            Effect::Refused(ArchivoRefusal::InProcess)
        }
        (Procesado, Reprocess) => Effect::Refused(ArchivoRefusal::Processed),
        (ConErrores, Reprocess) => Effect::Refused(ArchivoRefusal::HasErrors),
        (Error, Reprocess) => Effect::To(Recibido),

        (ConErrores | Error, NewerArrived | NewerProcessed)
        | (Recibido | Validando | Procesando | Procesado, NewerProcessed) => {
            Effect::To(Reemplazado)
        }
        (Recibido | Validando | Procesando | Procesado, NewerArrived)
        | (Esperando | Expirado | Reemplazado | Eliminado, NewerArrived | NewerProcessed) => {
            Effect::Same
        }
    }
}
