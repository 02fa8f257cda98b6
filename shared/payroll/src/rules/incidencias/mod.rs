//! What changed against the last finalised month.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::id::{ArchivoId, CierreId, IncidenciaId};
use serde::{Deserialize, Serialize};

use super::digest::Parts;
use super::movimiento::Movimiento;
use super::sums::{Sums, pairs};
use crate::amount::{Percent, Pesos};
use crate::lre::Code;
use crate::registro::{Field, Registro, Value};
use crate::rut::Rut;

cierre_kernel::words! {
    /// What kind of change it is.
    pub enum TipoIncidencia {
        /// An amount changed by its threshold or more.
        VariacionConcepto = "variacion_concepto",
        /// An amount where there was none.
        ConceptoNuevo = "concepto_nuevo",
        /// An employee whom the former book does not have.
        EmpleadoNuevo = "empleado_nuevo",
        /// An employee whom only the former book has.
        EmpleadoAusente = "empleado_ausente",
    }
}

cierre_kernel::words! {
    /// How urgent a change is; the most urgent first.
    pub enum Prioridad {
        /// The closing cannot be finalised until it is approved.
        Critica = "critica",
        /// Large, or at least doubled.
        Alta = "alta",
        /// Neither large nor small.
        Media = "media",
        /// Small, or explained by another file.
        Baja = "baja",
    }
}

/// From which change on there is an incidence, and how urgent it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Umbrales {
    /// The least change.
    pub umbral_variacion: Percent,
    /// The same for codes that have their own.
    pub umbrales: BTreeMap<Code, Percent>,
    /// The least difference that is `critica`, `alta`, `media`; strictly falling.
    pub montos_prioridad: [Pesos; 3],
}

impl Umbrales {
    /// The least change of a code.
    pub fn of(&self, code: Code) -> Percent {
        let own = self.umbrales.get(&code);
        own.copied().unwrap_or(self.umbral_variacion)
    }
}

/// What a client begins with.
impl Default for Umbrales {
    fn default() -> Self {
        Self {
            umbral_variacion: Percent(3_000),
            umbrales: BTreeMap::new(),
            montos_prioridad: [Pesos(500_000), Pesos(200_000), Pesos(50_000)],
        }
    }
}

/// The row of incidencias_externas by which the client announced a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Respaldo {
    /// The file.
    pub archivo_id: ArchivoId,
    /// Its row.
    pub fila: u32,
    /// The client's reason.
    pub glosa: String,
}

/// A change as it was found. Its state is no part of it: see [`super::merge`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidenciaHallada {
    /// The same whenever the same thing is found again.
    pub id: IncidenciaId,
    /// What kind it is.
    pub tipo: TipoIncidencia,
    /// Whose it is.
    pub rut: Rut,
    /// Which column; none when the whole employee is new or absent.
    pub codigo: Option<Code>,
    /// The amount before; none for a new employee.
    pub anterior: Option<Pesos>,
    /// The amount now; none for an absent employee.
    pub actual: Option<Pesos>,
    /// How far they are apart, without sign.
    pub diferencia: Pesos,
    /// The change in percent, signed; none without an amount before.
    pub variacion: Option<Percent>,
    /// How urgent it is.
    pub prioridad: Prioridad,
    /// Where the client announced it.
    pub respaldo: Option<Respaldo>,
    /// Digest of the compared amounts: a resolution holds for these only.
    pub huella: String,
}

/// The columns that are compared, and the total that stands for a whole employee.
pub fn compared(code: Code) -> bool {
    is_concept(code) || code == Code::TOTAL_HABERES
}

/// The columns of earnings, deductions and contributions of the employer: each may have a threshold of its own.
pub fn is_concept(code: Code) -> bool {
    (2..=4).contains(&code.class())
}

/// What the other files of the month say about a change.
#[derive(Clone, Debug, Default)]
pub struct Explanations {
    hires: BTreeSet<Rut>,
    leavers: BTreeSet<Rut>,
    announced: BTreeMap<(Rut, Code), Respaldo>,
}

impl Explanations {
    /// A row of movimientos_mes.
    pub fn movimiento(&mut self, row: &Registro) {
        match Movimiento::of(row) {
            Movimiento::Alta => {
                self.hires.insert(row.rut);
            }
            Movimiento::Baja => {
                self.leavers.insert(row.rut);
            }
            Movimiento::Ausencia | Movimiento::Vacacion => {}
        }
    }

    /// A row of ingresos.
    pub fn ingreso(&mut self, row: &Registro) {
        self.hires.insert(row.rut);
    }

    /// A row of finiquitos.
    pub fn finiquito(&mut self, row: &Registro) {
        self.leavers.insert(row.rut);
    }

    /// A row of incidencias_externas.
    pub fn externa(&mut self, archivo_id: ArchivoId, row: &Registro) {
        let text = |name| match row.value(Field::Named(name)) {
            Some(Value::Text(text)) => Some(text.as_ref()),
            Some(Value::Amount(_) | Value::Hundredths(_) | Value::Date(_) | Value::Rut(_))
            | None => None,
        };
        if let Some(code) = text("concepto").and_then(Code::parse) {
            let respaldo = Respaldo {
                archivo_id,
                fila: row.row,
                glosa: text("glosa").unwrap_or_default().to_owned(),
            };
            // A file in force has a RUT and code once; should it not, the first row is the one that counts.
            self.announced.entry((row.rut, code)).or_insert(respaldo);
        }
    }
}

/// Compares the book of a closing with that of the last finalised month: the employees of both and those who left in the order of their RUTs, then
/// the new ones. One employee's incidences are held at a time.
///
/// Both sums are of [`compared`] columns. Without a finalised month there is nothing to compare: then this is not called, and the set is empty.
pub fn compare<'a>(
    cierre: CierreId,
    before: &'a Sums,
    now: &'a Sums,
    thresholds: &'a Umbrales,
    explanations: &'a Explanations,
) -> impl Iterator<Item = IncidenciaHallada> + 'a {
    let comparison = Pair {
        cierre,
        before,
        now,
        thresholds,
        explanations,
    };
    let new = now.ruts().filter(|rut| !before.has(*rut));
    before
        .ruts()
        .chain(new)
        .flat_map(move |rut| comparison.employee(rut))
}

/// Two books.
#[derive(Clone, Copy)]
struct Pair<'a> {
    cierre: CierreId,
    before: &'a Sums,
    now: &'a Sums,
    thresholds: &'a Umbrales,
    explanations: &'a Explanations,
}

impl Pair<'_> {
    fn employee(&self, rut: Rut) -> Vec<IncidenciaHallada> {
        let explanations = self.explanations;
        match (self.before.has(rut), self.now.has(rut)) {
            (true, true) => pairs(self.before, self.now, rut)
                .into_iter()
                .filter(|(code, _)| is_concept(*code))
                .filter_map(|(code, (before, now))| self.concept(rut, code, before, now))
                .collect(),
            (true, false) => {
                let total = self.before.of(rut, Code::TOTAL_HABERES);
                let explained = explanations.leavers.contains(&rut);
                vec![self.whole(rut, (Some(total), None), explained)]
            }
            (false, true) => {
                let total = self.now.of(rut, Code::TOTAL_HABERES);
                let explained = explanations.hires.contains(&rut);
                vec![self.whole(rut, (None, Some(total)), explained)]
            }
            (false, false) => Vec::new(),
        }
    }

    fn concept(&self, rut: Rut, code: Code, before: i64, now: i64) -> Option<IncidenciaHallada> {
        let tipo = if before != 0 {
            if !reaches(before, now, self.thresholds.of(code)) {
                return None;
            }
            TipoIncidencia::VariacionConcepto
        } else if now != 0 {
            TipoIncidencia::ConceptoNuevo
        } else {
            return None;
        };
        let found = Found {
            tipo,
            rut,
            codigo: Some(code),
            amounts: (Some(before), Some(now)),
            prioridad: priority(before, now, self.thresholds.montos_prioridad),
            respaldo: self.explanations.announced.get(&(rut, code)).cloned(),
        };
        Some(found.into_incidencia(self.cierre))
    }

    fn whole(
        &self,
        rut: Rut,
        amounts: (Option<i64>, Option<i64>),
        explained: bool,
    ) -> IncidenciaHallada {
        let found = Found {
            tipo: if amounts.0.is_some() {
                TipoIncidencia::EmpleadoAusente
            } else {
                TipoIncidencia::EmpleadoNuevo
            },
            rut,
            codigo: None,
            amounts,
            prioridad: if explained {
                Prioridad::Baja
            } else {
                Prioridad::Critica
            },
            respaldo: None,
        };
        found.into_incidencia(self.cierre)
    }
}

/// An incidence before it has its id.
struct Found {
    tipo: TipoIncidencia,
    rut: Rut,
    codigo: Option<Code>,
    amounts: (Option<i64>, Option<i64>),
    prioridad: Prioridad,
    respaldo: Option<Respaldo>,
}

impl Found {
    fn into_incidencia(self, cierre: CierreId) -> IncidenciaHallada {
        let (anterior, actual) = self.amounts;
        let code = self.codigo.map(|code| code.to_string()).unwrap_or_default();
        // An incidence has no rule but its kind, and one row per RUT, the sum of them all.
        let id = Parts::default()
            .and(cierre)
            .and(self.tipo.as_str())
            .and("")
            .and(self.rut)
            .and(code)
            .and(0)
            .id();
        let text = |amount: Option<i64>| amount.map(|pesos| pesos.to_string()).unwrap_or_default();
        let huella = Parts::default().and(text(anterior)).and(text(actual)).hex();
        IncidenciaHallada {
            id,
            tipo: self.tipo,
            rut: self.rut,
            codigo: self.codigo,
            anterior: anterior.map(Pesos),
            actual: actual.map(Pesos),
            diferencia: Pesos::saturating(actual.unwrap_or(0).abs_diff(anterior.unwrap_or(0))),
            variacion: anterior
                .zip(actual)
                .and_then(|(before, now)| variation(before, now)),
            prioridad: self.prioridad,
            respaldo: self.respaldo,
            huella,
        }
    }
}

/// Whether a change is at least such a share of the amount before: exact, nothing is divided.
fn reaches(before: i64, now: i64, threshold: Percent) -> bool {
    u128::from(now.abs_diff(before)) * 10_000
        >= u128::from(threshold.0.unsigned_abs()) * u128::from(before.unsigned_abs())
}

/// The first priority that fits. Shares count only where there was an amount: of nothing, no change is a percentage.
fn priority(before: i64, now: i64, montos: [Pesos; 3]) -> Prioridad {
    let difference = Pesos::saturating(now.abs_diff(before));
    let share = |percent| before != 0 && reaches(before, now, percent);
    let [critica, alta, media] = montos;
    if difference >= critica {
        Prioridad::Critica
    } else if difference >= alta || share(Percent(10_000)) {
        Prioridad::Alta
    } else if difference >= media || share(Percent(5_000)) {
        Prioridad::Media
    } else {
        Prioridad::Baja
    }
}

/// The change in percent, half away from zero to two decimals; none without an amount before. It is shown only: what is decided is decided by
/// [`reaches`].
fn variation(before: i64, now: i64) -> Option<Percent> {
    if before == 0 {
        return None;
    }
    let scaled = u128::from(now.abs_diff(before)) * 10_000;
    let base = u128::from(before.unsigned_abs());
    let hundredths = (2 * scaled + base) / (2 * base);
    let Percent(hundredths) = Percent::saturating(hundredths);
    Some(Percent(if now < before {
        -hundredths
    } else {
        hundredths
    }))
}

/// What the activity event of a generation reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resumen {
    /// How many incidences there are.
    pub total: u64,
    /// How many employees have one.
    pub empleados: BTreeSet<Rut>,
    /// Which columns have one.
    pub conceptos: BTreeSet<Code>,
    /// The sum of the differences.
    pub monto: u128,
}

impl Resumen {
    /// Counts an incidence.
    pub fn add(&mut self, incidencia: &IncidenciaHallada) {
        self.total += 1;
        self.empleados.insert(incidencia.rut);
        self.conceptos.extend(incidencia.codigo);
        self.monto += u128::from(incidencia.diferencia.0.unsigned_abs());
    }
}
