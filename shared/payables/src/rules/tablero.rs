//! The figures of the dashboard: what one factura adds to them, and so what a change does.

use std::collections::BTreeMap;

use cierre_kernel::money::Currency;
use rust_decimal::{Decimal, RoundingStrategy};

use super::sincronizacion::Estado;
use crate::entity::factura::{Factura, Tiempos};
use crate::persona::{Persona, Usuario};

/// One figure of the dashboard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Casilla {
    /// All facturas of a state.
    Estado(Estado),
    /// Those for which nobody answers, in any state.
    SinAsignar,
    /// Those of a responsable in a state.
    Responsable(Usuario, Estado),
    /// Those on which somebody acted last, in a state; by the name as stored.
    AccionPor(Persona, Estado),
}

/// How many, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cuenta {
    /// Facturas.
    pub cantidad: i64,
    /// Their totals in minor units.
    pub minor: i64,
}

/// Figures, or what a change adds to them: the same form, so that both are summed alike. Figures that come to nothing are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tablero {
    casillas: BTreeMap<(Casilla, Currency), Cuenta>,
    rondas: i64,
    milisegundos: i64,
}

impl Tablero {
    /// What one factura adds. A deleted one adds nothing.
    #[must_use]
    pub fn of(factura: &Factura) -> Self {
        let mut figures = Self::default();
        if factura.eliminada {
            return figures;
        }
        let estado = factura.estado();
        let (moneda, minor) = {
            let importe = factura.datos.importe;
            (importe.moneda(), importe.0.minor())
        };
        let who = match factura.responsable() {
            Some(responsable) => Casilla::Responsable(responsable.clone(), estado),
            None => Casilla::SinAsignar,
        };
        let acted = factura.sincronizado().accion_por();
        let acted = acted.map(|persona| Casilla::AccionPor(persona.clone(), estado));
        for casilla in [Casilla::Estado(estado), who].into_iter().chain(acted) {
            let cuenta = Cuenta { cantidad: 1, minor };
            figures.casillas.insert((casilla, moneda), cuenta);
        }
        let Tiempos {
            rondas,
            milisegundos,
        } = factura.tiempos;
        figures.rondas = i64::from(rondas);
        figures.milisegundos = milisegundos;
        figures
    }

    /// What a change does to the figures.
    #[must_use]
    pub fn delta(before: Option<&Factura>, after: Option<&Factura>) -> Self {
        let mut delta = after.map(Self::of).unwrap_or_default();
        if let Some(before) = before {
            delta.add(&Self::of(before), -1);
        }
        delta
    }

    /// Takes what a change adds.
    pub fn apply(&mut self, delta: &Self) {
        self.add(delta, 1);
    }

    fn add(&mut self, other: &Self, sign: i64) {
        for (key, cuenta) in &other.casillas {
            let known = self.casillas.entry(key.clone()).or_default();
            known.cantidad += sign * cuenta.cantidad;
            known.minor += sign * cuenta.minor;
            if *known == Cuenta::default() {
                self.casillas.remove(key);
            }
        }
        self.rondas += sign * other.rondas;
        self.milisegundos += sign * other.milisegundos;
    }

    /// The figures, each by its currency.
    pub fn casillas(&self) -> impl Iterator<Item = (&Casilla, Currency, Cuenta)> {
        let all = self.casillas.iter();
        all.map(|((casilla, moneda), cuenta)| (casilla, *moneda, *cuenta))
    }

    /// One figure over all currencies: how many, and the sums in minor units.
    #[must_use]
    pub fn casilla(&self, wanted: &Casilla) -> (i64, BTreeMap<Currency, i64>) {
        let mut totals = BTreeMap::new();
        let mut cantidad = 0;
        for (_, moneda, cuenta) in self.casillas().filter(|(one, _, _)| *one == wanted) {
            cantidad += cuenta.cantidad;
            totals.insert(moneda, cuenta.minor);
        }
        (cantidad, totals)
    }

    /// Rounds that people ended, and the milliseconds that these took.
    #[must_use]
    pub const fn tiempos(&self) -> (i64, i64) {
        (self.rondas, self.milisegundos)
    }

    /// See [`horas_promedio_decision`].
    #[must_use]
    pub fn horas_promedio_decision(&self) -> Option<String> {
        horas_promedio_decision(self.rondas, self.milisegundos)
    }
}

/// Mean hours from a round's beginning to the decision of a person that ended it, rounded half-up to two decimals. None without decision.
#[must_use]
pub fn horas_promedio_decision(rondas: i64, milisegundos: i64) -> Option<String> {
    let hours = Decimal::from(milisegundos) / Decimal::from(3_600_000);
    let mean = hours.checked_div(Decimal::from(rondas))?;
    let rounded = mean.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    Some(format!("{rounded:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::fixtures::*;

    fn with_times(tiempos: &[(u32, i64)]) -> Tablero {
        let mut all = Tablero::default();
        for (rondas, milisegundos) in tiempos {
            let mut factura = small().factura;
            factura.tiempos = Tiempos {
                rondas: *rondas,
                milisegundos: *milisegundos,
            };
            all.apply(&Tablero::of(&factura));
        }
        all
    }

    #[test]
    fn the_mean_is_the_contracts() {
        let minute = 60_000;
        let board = with_times(&[(1, 120 * minute), (1, 240 * minute), (1, 440 * minute)]);
        assert_eq!(board.horas_promedio_decision().as_deref(), Some("4.44"));
        assert_eq!(with_times(&[(0, 0)]).horas_promedio_decision(), None);
        // 0.005 hours are half of a hundredth, and go up.
        assert_eq!(
            with_times(&[(1, 18_000)])
                .horas_promedio_decision()
                .as_deref(),
            Some("0.01")
        );
        assert_eq!(
            with_times(&[(1, 2 * 60 * minute)])
                .horas_promedio_decision()
                .as_deref(),
            Some("2.00")
        );
    }

    #[test]
    fn a_factura_is_counted_where_it_stands() {
        let pending = small().factura;
        let board = Tablero::of(&pending);
        let (count, totals) = board.casilla(&Casilla::Estado(Estado::Pendiente));
        assert_eq!((count, totals), (1, [(Currency::Cop, 400_000_000)].into()));
        assert_eq!(
            board
                .casilla(&Casilla::Responsable(user(JUAN), Estado::Pendiente))
                .0,
            1
        );
        assert_eq!(board.casilla(&Casilla::SinAsignar).0, 0);
        let free = Tablero::of(&registered("1.00", None).factura);
        assert_eq!(free.casilla(&Casilla::SinAsignar).0, 1);
        let approved = small()
            .decidir(&approve(), &caller(JUAN, 7200))
            .unwrap()
            .state
            .factura;
        let delta = Tablero::delta(Some(&pending), Some(&approved));
        assert_eq!(delta.casilla(&Casilla::Estado(Estado::Pendiente)).0, -1);
        assert_eq!(
            delta
                .casilla(&Casilla::AccionPor(user(JUAN).persona(), Estado::Aprobada))
                .0,
            1
        );
        assert_eq!(delta.tiempos(), (1, 7_200_000));
        assert_eq!(
            Tablero::delta(Some(&approved), Some(&approved)),
            Tablero::default()
        );
    }
}
