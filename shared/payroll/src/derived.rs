//! Objects that are made of files: they never change, and which of them count is said by items.
//!
//! `derived/{company}/{closing}/…`. Making one again makes the same bytes, so whoever repeats a step writes over what stands there.

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{ArchivoId, CierreId, TrabajoId};

/// The first segment of every such key.
pub const ROOT: &str = "derived";

/// The keys of a file's objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileObjects {
    prefix: String,
}

impl FileObjects {
    /// Those of a file.
    pub fn of(company: &CompanyId, cierre: CierreId, archivo: ArchivoId) -> Self {
        Self {
            prefix: format!("{ROOT}/{company}/{cierre}/{archivo}"),
        }
    }

    /// What reading it came to, as JSON.
    pub fn informe(&self) -> String {
        format!("{}/informe.json", self.prefix)
    }

    /// Its findings, as CSV.
    pub fn hallazgos(&self) -> String {
        format!("{}/hallazgos.csv", self.prefix)
    }

    /// Its rows, a pack by RUT.
    pub fn registros(&self) -> String {
        format!("{}/registros.pack", self.prefix)
    }

    /// What its rows say about employees, a pack.
    pub fn fichas(&self) -> String {
        format!("{}/fichas.pack", self.prefix)
    }

    /// The book as the authority takes it.
    pub fn libro(&self) -> String {
        format!("{}/libro.csv", self.prefix)
    }

    /// What is thrown away when the file does not come into force.
    pub fn rows(&self) -> [String; 2] {
        [self.registros(), self.fichas()]
    }
}

/// The employees that files in force show, a pack by RUT. `inputs` is the digest of those files.
pub fn empleados(company: &CompanyId, cierre: CierreId, inputs: &str) -> String {
    format!("{ROOT}/{company}/{cierre}/empleados/{inputs}.pack")
}

/// The discrepancies that a job came to, a pack by RUT.
pub fn discrepancias(company: &CompanyId, cierre: CierreId, trabajo: TrabajoId) -> String {
    format!("{ROOT}/{company}/{cierre}/discrepancias/{trabajo}.pack")
}

/// The incidences that a job came to, a pack by RUT.
pub fn incidencias(company: &CompanyId, cierre: CierreId, trabajo: TrabajoId) -> String {
    format!("{ROOT}/{company}/{cierre}/incidencias/{trabajo}.pack")
}
