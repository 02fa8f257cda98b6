//! What a closing's state allows: one match over every state and command.

use super::super::refusal::CierreRefusal;

cierre_kernel::words! {
    /// The state of a closing.
    pub enum EstadoCierre {
        /// No file.
        Pendiente = "pendiente",
        /// Files are missing, in process or wrong.
        CargandoArchivos = "cargando_archivos",
        /// Every file is processed, the required ones among them.
        ArchivosCompletos = "archivos_completos",
        /// Blocking discrepancies are open.
        ConDiscrepancias = "con_discrepancias",
        /// No blocking discrepancy is open.
        VerificadoSinDiscrepancias = "verificado_sin_discrepancias",
        /// Incidences are open.
        ConIncidencias = "con_incidencias",
        /// No incidence is open.
        IncidenciasResueltas = "incidencias_resueltas",
        /// Sealed.
        Finalizado = "finalizado",
        /// Unsealed, to be looked at again.
        Reabierto = "reabierto",
        /// Gone; its events stay.
        Eliminado = "eliminado",
    }
}

cierre_kernel::words! {
    /// What may happen to a closing.
    pub enum Command {
        /// A file arrives, ends, or goes.
        FileChange = "file_change",
        /// Discrepancies are generated.
        GenerateDiscrepancies = "generar_discrepancias",
        /// A discrepancy is justified.
        CorrectDiscrepancy = "corregir",
        /// Incidences are generated.
        GenerateIncidences = "generar_incidencias",
        /// An incidence is resolved, approved or rejected.
        DecideIncidence = "decidir",
        /// The closing is sealed.
        Finalise = "finalizar",
        /// The closing is unsealed.
        Reopen = "reabrir",
        /// The closing is deleted.
        Delete = "eliminar",
    }
}

/// Where an allowed command leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The state that the files make: [`super::settle`].
    Settle,
    /// The state that the open discrepancies make: [`super::check`].
    Check,
    /// `con_discrepancias` when [`super::check`] says so, else the same state.
    CheckOrSame,
    /// The same state.
    Same,
    /// `con_incidencias`, or `incidencias_resueltas` when none is open.
    Incidences,
    /// The same state until the last approval, then `incidencias_resueltas`.
    IncidencesOrSame,
    /// `finalizado`, unless something stands in the way.
    Seal,
    /// `reabierto`.
    Reopened,
    /// `eliminado`.
    Gone,
}

/// What a command does in a state.
///
/// # Errors
/// The [`CierreRefusal`] of the contract's table.
pub const fn allowed(estado: EstadoCierre, command: Command) -> Result<Next, CierreRefusal> {
    use Command::{
        CorrectDiscrepancy, DecideIncidence, Delete, FileChange, Finalise, GenerateDiscrepancies,
        GenerateIncidences, Reopen,
    };
    use EstadoCierre::{
        ArchivosCompletos, CargandoArchivos, ConDiscrepancias, ConIncidencias, Eliminado,
        Finalizado, IncidenciasResueltas, Pendiente, Reabierto, VerificadoSinDiscrepancias,
    };
    match (estado, command) {
        (
            Finalizado,
            FileChange
            | GenerateDiscrepancies
            | CorrectDiscrepancy
            | GenerateIncidences
            | DecideIncidence
            | Finalise
            | Delete,
        ) => Err(CierreRefusal::Finalized),
        (Finalizado, Reopen) => Ok(Next::Reopened),
        (
            Eliminado,
            FileChange
            | GenerateDiscrepancies
            | CorrectDiscrepancy
            | GenerateIncidences
            | DecideIncidence
            | Finalise
            | Reopen
            | Delete,
        ) => Err(CierreRefusal::Deleted),
        (
            Pendiente
            | CargandoArchivos
            | ArchivosCompletos
            | Reabierto
            | ConDiscrepancias
            | VerificadoSinDiscrepancias
            | ConIncidencias
            | IncidenciasResueltas,
            FileChange,
        ) => Ok(Next::Settle),
        (
            Pendiente
            | CargandoArchivos
            | ArchivosCompletos
            | Reabierto
            | ConDiscrepancias
            | VerificadoSinDiscrepancias
            | ConIncidencias
            | IncidenciasResueltas,
            Reopen,
        ) => Err(CierreRefusal::NotFinalized),
        (
            Pendiente
            | CargandoArchivos
            | ArchivosCompletos
            | Reabierto
            | ConDiscrepancias
            | VerificadoSinDiscrepancias
            | ConIncidencias
            | IncidenciasResueltas,
            Delete,
        ) => Ok(Next::Gone),

        (Pendiente | CargandoArchivos, GenerateDiscrepancies) => {
            Err(CierreRefusal::FilesIncomplete)
        }
        (
            ArchivosCompletos | Reabierto | ConDiscrepancias | VerificadoSinDiscrepancias,
            GenerateDiscrepancies,
        )
        | (ConDiscrepancias, CorrectDiscrepancy) => Ok(Next::Check),
        (ConIncidencias | IncidenciasResueltas, GenerateDiscrepancies) => Ok(Next::CheckOrSame),

        (
            Pendiente | CargandoArchivos | ArchivosCompletos | Reabierto,
            CorrectDiscrepancy | DecideIncidence,
        )
        | (ConDiscrepancias | VerificadoSinDiscrepancias, DecideIncidence) => {
            Err(CierreRefusal::ResultsStale)
        }
        (
            VerificadoSinDiscrepancias | ConIncidencias | IncidenciasResueltas,
            CorrectDiscrepancy,
        ) => Ok(Next::Same),

        (Pendiente | CargandoArchivos | ArchivosCompletos | Reabierto, GenerateIncidences) => {
            Err(CierreRefusal::DiscrepanciesPending)
        }
        (ConDiscrepancias, GenerateIncidences) => Err(CierreRefusal::DiscrepanciesOpen),
        (
            VerificadoSinDiscrepancias | ConIncidencias | IncidenciasResueltas,
            GenerateIncidences,
        ) => Ok(Next::Incidences),

        (ConIncidencias, DecideIncidence) => Ok(Next::IncidencesOrSame),
        (IncidenciasResueltas, DecideIncidence) => Err(CierreRefusal::IncidenceState),

        (
            Pendiente
            | CargandoArchivos
            | ArchivosCompletos
            | Reabierto
            | ConDiscrepancias
            | VerificadoSinDiscrepancias,
            Finalise,
        ) => Err(CierreRefusal::CloseBlocked),
        (ConIncidencias | IncidenciasResueltas, Finalise) => Ok(Next::Seal),
    }
}
