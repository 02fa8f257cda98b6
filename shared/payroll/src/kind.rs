//! The seven kinds of files.

cierre_kernel::words! {
    /// What a file of a closing holds.
    pub enum Kind {
        /// The payroll book (LRE), 147 columns.
        LibroRemuneraciones = "libro_remuneraciones",
        /// Hires and leavers, absences and holidays of the month; a workbook of three sheets.
        MovimientosMes = "movimientos_mes",
        /// Settlements of leavers, from the analyst.
        Finiquitos = "finiquitos",
        /// Absences, from the analyst.
        Ausentismos = "ausentismos",
        /// What a client announced beforehand, with its reason.
        IncidenciasExternas = "incidencias_externas",
        /// Hires, from the analyst.
        Ingresos = "ingresos",
        /// The client's own figures, employee by employee.
        Novedades = "novedades",
    }
}
