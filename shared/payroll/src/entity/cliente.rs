//! Clients whose payrolls are closed, and how strictly.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use cierre_kernel::actor::Actor;
use cierre_kernel::codes::{self, Code};
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::decision::Decision;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::ClienteId;
use cierre_kernel::problem::FieldError;
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use super::events::{Entry, PayrollEvent, Scope};
use super::refusal::Invalid;
use super::values::sized;
use super::{Change, Stamp, applied, replayed};
use crate::amount::{Percent, Pesos};
use crate::lre;
use crate::rules::incidencias::{Umbrales, is_concept};
use crate::rut::Rut;

/// Characters of a client's name.
pub const NAME: RangeInclusive<usize> = 1..=120;
/// Pesos by which a total may differ from what its details make.
pub const TOLERANCE: RangeInclusive<i64> = 0..=1000;
/// Thresholds, in hundredths of a percent.
pub const THRESHOLD: RangeInclusive<i64> = 100..=100_000;

/// How strictly a client's months are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuracion {
    /// By how much a total may differ.
    pub tolerancia_pesos: Pesos,
    /// From which change on there is an incidence, and of which priority.
    #[serde(flatten)]
    pub incidencias: Umbrales,
}

impl Default for Configuracion {
    fn default() -> Self {
        Self {
            tolerancia_pesos: Pesos(1),
            incidencias: Umbrales::default(),
        }
    }
}

/// The members of a configuration that somebody sets; the others stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfiguracionPatch {
    /// See [`Configuracion::tolerancia_pesos`].
    pub tolerancia_pesos: Option<Pesos>,
    /// See [`Umbrales::umbral_variacion`].
    pub umbral_variacion: Option<Percent>,
    /// See [`Umbrales::umbrales`]; all of them at once.
    pub umbrales: Option<BTreeMap<String, Percent>>,
    /// See [`Umbrales::montos_prioridad`].
    pub montos_prioridad: Option<[Pesos; 3]>,
}

/// A client to be entered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewCliente {
    /// Its RUT as written.
    pub rut: String,
    /// Its name.
    pub nombre: String,
    /// How strict to be, where not as usual.
    pub configuracion: ConfiguracionPatch,
}

/// The fields of a client that are to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientePatch {
    /// Its name.
    pub nombre: Option<String>,
    /// How strict to be.
    pub configuracion: ConfiguracionPatch,
}

/// A client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cliente {
    /// Its id.
    pub id: ClienteId,
    /// Its RUT, which never changes.
    pub rut: Rut,
    /// Its name.
    pub nombre: String,
    /// How strictly its months are compared.
    pub configuracion: Configuracion,
    /// Who entered it.
    pub creado_por: Actor,
    /// When.
    pub creado_en: Instant,
    /// The command that entered it.
    pub correlation_id: CorrelationId,
    /// Counts the changes, from 1.
    pub version: u64,
    /// Its chain of events.
    pub head: ChainHead,
}

impl Cliente {
    /// Enters a client. That no other one of the company has its RUT is for the caller, in the same transaction.
    ///
    /// # Errors
    /// [`Invalid`] with every wrong field.
    pub fn create(id: ClienteId, new: NewCliente, stamp: &Stamp) -> Result<Change<Self>, Invalid> {
        let mut errors = Vec::new();
        let rut = Rut::parse(&new.rut).ok().filter(|rut| rut.is_valid());
        if rut.is_none() {
            let detail = "is not a RUT with the right check character";
            errors.push(wrong("/rut", codes::RUT_INVALID, detail));
        }
        let nombre = judge_name(&new.nombre, &mut errors);
        let mut configuracion = Configuracion::default();
        errors.extend(configuracion.set(new.configuracion));
        let (Some(rut), Some(nombre), true) = (rut, nombre, errors.is_empty()) else {
            return Err(Invalid(errors));
        };
        let cliente = Self {
            id,
            rut,
            nombre,
            configuracion,
            creado_por: stamp.by.clone(),
            creado_en: stamp.at,
            correlation_id: stamp.correlation_id.clone(),
            version: 1,
            head: ChainHead::default(),
        };
        let campos = ["rut", "nombre", "configuracion"]
            .map(str::to_owned)
            .to_vec();
        let created = PayrollEvent::ClienteCreado {
            cliente: id,
            campos,
        };
        Ok(Change::new(cliente, vec![entry(id, stamp, created)]))
    }

    /// Changes some fields. A patch that changes nothing is a replay.
    ///
    /// # Errors
    /// [`Invalid`] with every wrong field.
    pub fn update(
        &self,
        patch: ClientePatch,
        stamp: &Stamp,
    ) -> Result<Decision<Change<Self>>, Invalid> {
        let mut errors = Vec::new();
        let mut next = self.clone();
        if let Some(nombre) = patch.nombre
            && let Some(nombre) = judge_name(&nombre, &mut errors)
        {
            next.nombre = nombre;
        }
        errors.extend(next.configuracion.set(patch.configuracion));
        if !errors.is_empty() {
            return Err(Invalid(errors));
        }
        let campos = next.changed_from(self);
        if campos.is_empty() {
            return Ok(replayed(next));
        }
        next.version += 1;
        let updated = PayrollEvent::ClienteModificado {
            cliente: self.id,
            campos,
        };
        Ok(applied(next, vec![entry(self.id, stamp, updated)]))
    }

    fn changed_from(&self, before: &Self) -> Vec<String> {
        let (now, then) = (&self.configuracion, &before.configuracion);
        let fields = [
            ("nombre", self.nombre != before.nombre),
            (
                "configuracion.tolerancia_pesos",
                now.tolerancia_pesos != then.tolerancia_pesos,
            ),
            (
                "configuracion.umbral_variacion",
                now.incidencias.umbral_variacion != then.incidencias.umbral_variacion,
            ),
            (
                "configuracion.umbrales",
                now.incidencias.umbrales != then.incidencias.umbrales,
            ),
            (
                "configuracion.montos_prioridad",
                now.incidencias.montos_prioridad != then.incidencias.montos_prioridad,
            ),
        ];
        let changed = fields.into_iter().filter(|(_, changed)| *changed);
        changed.map(|(name, _)| name.to_owned()).collect()
    }
}

impl Configuracion {
    /// Sets what is to be set. Answers everything that is wrong with it then.
    fn set(&mut self, patch: ConfiguracionPatch) -> Vec<FieldError> {
        let mut errors = Vec::new();
        self.tolerancia_pesos = patch.tolerancia_pesos.unwrap_or(self.tolerancia_pesos);
        let incidencias = &mut self.incidencias;
        if let Some(general) = patch.umbral_variacion {
            incidencias.umbral_variacion = general;
        }
        if let Some(umbrales) = patch.umbrales {
            incidencias.umbrales.clear();
            for (codigo, umbral) in umbrales {
                if let Some(code) = lre::Code::parse(&codigo).filter(|code| is_concept(*code)) {
                    incidencias.umbrales.insert(code, umbral);
                } else {
                    let pointer = format!("/configuracion/umbrales/{codigo}");
                    let detail = "is not a code of the book in 2xxx, 3xxx or 4xxx";
                    errors.push(wrong(&pointer, codes::UNKNOWN_FIELD, detail));
                }
            }
        }
        if let Some(montos) = patch.montos_prioridad {
            incidencias.montos_prioridad = montos;
        }
        errors.extend(self.errors());
        errors
    }

    fn errors(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if !TOLERANCE.contains(&self.tolerancia_pesos.0) {
            errors.push(wrong(
                "/configuracion/tolerancia_pesos",
                codes::OUT_OF_RANGE,
                "must be 0 to 1000",
            ));
        }
        let percent = |pointer: &str, value: Percent| {
            (!THRESHOLD.contains(&value.0))
                .then(|| wrong(pointer, codes::OUT_OF_RANGE, "must be 1.00 to 1000.00"))
        };
        let Umbrales {
            umbral_variacion,
            umbrales,
            montos_prioridad: [critical, high, middling],
        } = &self.incidencias;
        errors.extend(percent(
            "/configuracion/umbral_variacion",
            *umbral_variacion,
        ));
        for (code, umbral) in umbrales {
            let pointer = format!("/configuracion/umbrales/{code}");
            errors.extend(percent(&pointer, *umbral));
        }
        let falling = critical > high && high > middling && *middling > Pesos(0);
        if *critical > Pesos::MAX_CELL || !falling {
            errors.push(wrong(
                "/configuracion/montos_prioridad",
                codes::OUT_OF_RANGE,
                "must be three amounts above 0 of at most 12 digits, each below the one before",
            ));
        }
        errors
    }
}

fn judge_name(nombre: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    let judged = sized(nombre, &NAME);
    if judged.is_none() {
        let code = if nombre.trim().is_empty() {
            codes::REQUIRED
        } else {
            codes::OUT_OF_RANGE
        };
        errors.push(wrong("/nombre", code, "must have 1 to 120 characters"));
    }
    judged
}

fn wrong(pointer: &str, code: Code, detail: &str) -> FieldError {
    FieldError::new(pointer, code, detail)
}

fn entry(id: ClienteId, stamp: &Stamp, event: PayrollEvent) -> Entry {
    Entry::new(Scope::client(id), &stamp.by, event)
}
