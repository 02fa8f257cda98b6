//! The electronic payroll book (Libro de Remuneraciones Electrónico) of the Dirección del Trabajo: its 147 columns, its codes, its
//! identities, its export.

use std::fmt;

/// A column's code, such as 2101. Every value is one of the book's 147.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl Code {
    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
