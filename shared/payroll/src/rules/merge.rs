//! What was known against what was found: the tables of section 3.3.

use std::collections::BTreeMap;

cierre_kernel::words! {
    /// How something known was met again.
    pub enum Seen {
        /// Found, and the compared values are the same.
        Same = "same",
        /// Found, with other values.
        Other = "other",
        /// Not found.
        Missing = "missing",
    }
}

impl Seen {
    /// How something was met that is found again, by the digests of its values then and now.
    pub fn again(then: &str, now: &str) -> Self {
        if then == now { Self::Same } else { Self::Other }
    }
}

/// A state that a regeneration may change.
pub trait State: Copy + Eq {
    /// The state of what is found for the first time.
    const NEW: Self;

    /// The state after a regeneration.
    #[must_use]
    fn after(self, seen: Seen) -> Self;
}

cierre_kernel::words! {
    /// The state of a discrepancy.
    pub enum EstadoDiscrepancia {
        /// Nobody dealt with it.
        Abierta = "abierta",
        /// Somebody said why it is so.
        Justificada = "justificada",
        /// It is no longer found.
        Corregida = "corregida",
    }
}

impl State for EstadoDiscrepancia {
    const NEW: Self = Self::Abierta;

    fn after(self, seen: Seen) -> Self {
        match (self, seen) {
            (Self::Justificada, Seen::Same) => Self::Justificada,
            (Self::Abierta | Self::Corregida, Seen::Same)
            | (Self::Abierta | Self::Justificada | Self::Corregida, Seen::Other) => Self::Abierta,
            (Self::Abierta | Self::Justificada | Self::Corregida, Seen::Missing) => Self::Corregida,
        }
    }
}

cierre_kernel::words! {
    /// The state of an incidence.
    pub enum EstadoIncidencia {
        /// Nobody dealt with it.
        Pendiente = "pendiente",
        /// The analyst said what it is.
        ResueltaAnalista = "resuelta_analista",
        /// The supervisor agreed.
        AprobadaSupervisor = "aprobada_supervisor",
        /// The supervisor did not.
        RechazadaSupervisor = "rechazada_supervisor",
        /// It is no longer found.
        Obsoleta = "obsoleta",
    }
}

impl State for EstadoIncidencia {
    const NEW: Self = Self::Pendiente;

    fn after(self, seen: Seen) -> Self {
        match (self, seen) {
            (
                Self::Pendiente
                | Self::ResueltaAnalista
                | Self::AprobadaSupervisor
                | Self::RechazadaSupervisor,
                Seen::Same,
            ) => self,
            (Self::Obsoleta, Seen::Same)
            | (
                Self::Pendiente
                | Self::ResueltaAnalista
                | Self::AprobadaSupervisor
                | Self::RechazadaSupervisor
                | Self::Obsoleta,
                Seen::Other,
            ) => Self::Pendiente,
            (
                Self::Pendiente
                | Self::ResueltaAnalista
                | Self::AprobadaSupervisor
                | Self::RechazadaSupervisor
                | Self::Obsoleta,
                Seen::Missing,
            ) => Self::Obsoleta,
        }
    }
}

/// What is known of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<S> {
    /// Its state.
    pub estado: S,
    /// The digest of the values that it was found with.
    pub huella: String,
}

/// What a regeneration makes of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<S> {
    /// The state before; none for a new entity.
    pub before: Option<S>,
    /// The state after.
    pub after: S,
    /// How it was met; none for a new entity.
    pub seen: Option<Seen>,
}

impl<S: State> Step<S> {
    /// Whether the state is another one, so that `historial` gets an entry.
    pub fn is_move(&self) -> bool {
        self.before != Some(self.after)
    }

    /// Whether the values are the ones that were known: then a justification still holds, and there is nothing to write unless a cell moved.
    pub fn is_same(&self) -> bool {
        !self.is_move() && self.seen != Some(Seen::Other)
    }
}

/// Goes through what was found and then through what was not. Holds an id, a state and a digest per known entity.
#[derive(Debug)]
pub struct Merge<I, S> {
    known: BTreeMap<I, Known<S>>,
}

impl<I: Ord, S: State> Merge<I, S> {
    /// Begins with everything known of a closing.
    pub fn new(known: impl IntoIterator<Item = (I, Known<S>)>) -> Self {
        Self {
            known: known.into_iter().collect(),
        }
    }

    /// Something was found.
    pub fn found(&mut self, id: &I, huella: &str) -> Step<S> {
        match self.known.remove(id) {
            None => Step {
                before: None,
                after: S::NEW,
                seen: None,
            },
            Some(known) => step(known.estado, Seen::again(&known.huella, huella)),
        }
    }

    /// What was known and not found, in the order of the ids.
    pub fn missing(self) -> impl Iterator<Item = (I, Step<S>)> {
        self.known
            .into_iter()
            .map(|(id, known)| (id, step(known.estado, Seen::Missing)))
    }
}

fn step<S: State>(before: S, seen: Seen) -> Step<S> {
    Step {
        before: Some(before),
        after: before.after(seen),
        seen: Some(seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_new_changed_and_missing_are_told_apart() {
        let known = |estado, huella: &str| Known {
            estado,
            huella: huella.to_owned(),
        };
        let mut merge = Merge::new([
            (1, known(EstadoDiscrepancia::Justificada, "a")),
            (2, known(EstadoDiscrepancia::Abierta, "b")),
            (3, known(EstadoDiscrepancia::Abierta, "c")),
            (4, known(EstadoDiscrepancia::Corregida, "d")),
        ]);
        let same = merge.found(&1, "a");
        assert!(same.is_same() && !same.is_move());
        let other = merge.found(&2, "x");
        assert!(!other.is_same() && !other.is_move());
        let new = merge.found(&9, "z");
        assert_eq!((new.before, new.after), (None, EstadoDiscrepancia::Abierta));
        assert!(new.is_move() && !new.is_same());
        let missing: Vec<_> = merge.missing().collect();
        assert_eq!(missing.len(), 2);
        assert_eq!(missing[0].1.after, EstadoDiscrepancia::Corregida);
        assert!(missing[0].1.is_move());
        assert!(
            missing[1].1.is_same(),
            "corrected it was and corrected it stays"
        );
    }
}
