//! How a company approves: one policy, every change a new version, old ones readable.

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::codes::{self, Code};
use cierre_kernel::money::{Currency, Money};
use cierre_kernel::problem::FieldError;
use cierre_kernel::time::{Date, parse_date};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::events::{Entry, PayablesEvent};
use super::factura::Origen;
use super::refusal::Invalid;
use super::workflow::Instantanea;
use super::{Change, Stamp};
use crate::cifra::Cifra;
use crate::nit::Nit;

/// Approvals that a band may ask for at most.
const MAX_APPROVALS: u32 = 5;
/// Days of its own that a company may have.
const MAX_HOLIDAYS: usize = 100;
/// Origins for which there may be automatic approval.
const AUTOMATIC_ORIGINS: [Origen; 3] = [Origen::Json, Origen::Lote, Origen::Xml];

/// Totals up to a limit, and the approvals that they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Banda {
    /// The highest total of the band; the last band has none.
    pub hasta: Option<Money>,
    /// The approvals.
    pub aprobaciones: u32,
}

/// When a factura is approved by rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Automatica {
    /// Whether any is.
    pub activa: bool,
    /// By how much it may differ from the last one that people approved, in percent: 0 to 100 with two decimals.
    pub tolerancia_pct: Cifra,
    /// How many of its group people have to have approved: 1 to 12.
    pub historial_minimo: u32,
    /// The highest total, by currency; a currency without one is never approved by rule.
    pub total_maximo: BTreeMap<Currency, Money>,
    /// Days that have to lie between two of a group: 0 to 366.
    pub dias_minimos: u32,
    /// How it has to have come.
    pub origenes: BTreeSet<Origen>,
}

/// After how many business days people are told that a round waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recordatorio {
    /// The responsable: 0 to 60.
    pub dias_habiles: u32,
    /// The supervisors: more than that, up to 60.
    pub escalar_dias_habiles: u32,
}

/// A version of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Guardada", into = "Guardada")]
pub struct Politica {
    /// From 0, which is the default that nobody set.
    pub version: u64,
    /// Approvals by amount.
    pub bandas: BTreeMap<Currency, Vec<Banda>>,
    /// Approval by rule.
    pub automatica: Automatica,
    /// Whether the registrar may decide.
    pub permitir_autoaprobacion: bool,
    /// The company's own NIT; an electronic invoice to another one is refused.
    pub nit_empresa: Option<Nit>,
    /// Reminders.
    pub recordatorio: Recordatorio,
    /// Days on which the company does not work beside the holidays.
    pub festivos_extra: BTreeSet<Date>,
}

/// A band as a request writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandaNueva {
    /// See [`Banda::hasta`]: a string, or a number that is exact.
    pub hasta: Option<Value>,
    /// See [`Banda::aprobaciones`].
    pub aprobaciones: u32,
}

/// Approval by rule as a request writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutomaticaNueva {
    /// See [`Automatica::activa`].
    pub activa: bool,
    /// See [`Automatica::tolerancia_pct`].
    pub tolerancia_pct: String,
    /// See [`Automatica::historial_minimo`].
    pub historial_minimo: u32,
    /// See [`Automatica::total_maximo`]: strings, or numbers that are exact.
    pub total_maximo: BTreeMap<String, Value>,
    /// See [`Automatica::dias_minimos`].
    pub dias_minimos: u32,
    /// See [`Automatica::origenes`].
    pub origenes: Vec<String>,
}

/// A whole policy as a request writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoliticaNueva {
    /// See [`Politica::bandas`].
    pub bandas: BTreeMap<String, Vec<BandaNueva>>,
    /// See [`Politica::automatica`].
    pub automatica: AutomaticaNueva,
    /// See [`Politica::permitir_autoaprobacion`].
    pub permitir_autoaprobacion: bool,
    /// See [`Politica::nit_empresa`].
    pub nit_empresa: Option<String>,
    /// See [`Politica::recordatorio`].
    pub recordatorio: Recordatorio,
    /// See [`Politica::festivos_extra`].
    pub festivos_extra: Vec<String>,
}

impl Default for Politica {
    fn default() -> Self {
        Self {
            version: 0,
            bandas: BTreeMap::new(),
            automatica: Automatica {
                activa: false,
                tolerancia_pct: Cifra::hundredths(500).shortest(),
                historial_minimo: 1,
                total_maximo: BTreeMap::new(),
                dias_minimos: 20,
                origenes: BTreeSet::from([Origen::Xml]),
            },
            permitir_autoaprobacion: false,
            nit_empresa: None,
            recordatorio: Recordatorio {
                dias_habiles: 3,
                escalar_dias_habiles: 5,
            },
            festivos_extra: BTreeSet::new(),
        }
    }
}

impl Politica {
    /// Reads a policy.
    ///
    /// # Errors
    /// [`Invalid`] with every wrong field.
    pub fn judge(version: u64, nueva: &PoliticaNueva) -> Result<Self, Invalid> {
        let mut wrong = Wrong::default();
        let bandas = wrong.bands(&nueva.bandas);
        let automatica = wrong.automatic(&nueva.automatica);
        let nit_empresa = nueva.nit_empresa.as_deref().and_then(|text| {
            let nit = Nit::parse(text);
            nit.map_err(|error| wrong.add("/nit_empresa", error.code(), &error.to_string()))
                .ok()
        });
        let Recordatorio {
            dias_habiles,
            escalar_dias_habiles,
        } = nueva.recordatorio;
        if escalar_dias_habiles > 60 || dias_habiles >= escalar_dias_habiles {
            let detail = "must be 0 to 60, the escalation after the reminder";
            wrong.add("/recordatorio", codes::OUT_OF_RANGE, detail);
        }
        let festivos_extra = wrong.holidays(&nueva.festivos_extra);
        if !wrong.0.is_empty() {
            return Err(Invalid(wrong.0));
        }
        Ok(Self {
            version,
            bandas,
            automatica,
            permitir_autoaprobacion: nueva.permitir_autoaprobacion,
            nit_empresa,
            recordatorio: nueva.recordatorio,
            festivos_extra,
        })
    }

    /// Puts another policy in its place, one version on.
    ///
    /// # Errors
    /// [`Invalid`] with every wrong field.
    pub fn replace(&self, nueva: &PoliticaNueva, stamp: &Stamp) -> Result<Change<Self>, Invalid> {
        let next = Self::judge(self.version + 1, nueva)?;
        let event = PayablesEvent::PoliticaModificada {
            version: next.version,
            antes: Box::new(self.clone()),
            despues: Box::new(next.clone()),
        };
        Ok(Change::new(next, vec![Entry::of(stamp, event)]))
    }

    /// Approvals that a total needs: its band's; without bands of the currency the most of any band; without any band one.
    #[must_use]
    pub fn required(&self, total: Money) -> u32 {
        if let Some(bandas) = self.bandas.get(&total.currency()) {
            let fits = |banda: &&Banda| {
                banda
                    .hasta
                    .is_none_or(|hasta| total.minor() <= hasta.minor())
            };
            if let Some(banda) = bandas.iter().find(fits) {
                return banda.aprobaciones;
            }
        }
        let all = self.bandas.values().flatten();
        all.map(|banda| banda.aprobaciones).max().unwrap_or(1)
    }

    /// What a round that begins now keeps of it.
    #[must_use]
    pub fn snapshot(&self, total: Money) -> Instantanea {
        Instantanea {
            version: self.version,
            aprobaciones_requeridas: self.required(total),
            permitir_autoaprobacion: self.permitir_autoaprobacion,
        }
    }
}

/// What is wrong with a policy, collected.
#[derive(Default)]
struct Wrong(Vec<FieldError>);

impl Wrong {
    fn add(&mut self, pointer: &str, code: Code, detail: &str) {
        self.0.push(FieldError::new(pointer, code, detail));
    }

    fn currency(&mut self, pointer: &str, code: &str) -> Option<Currency> {
        let currency = code.parse().ok();
        if currency.is_none() {
            let detail = "is not one of ARS, COP, USD, EUR, CLP";
            self.add(pointer, codes::VALOR_NO_ADMITIDO, detail);
        }
        currency
    }

    fn positive(&mut self, pointer: &str, amount: &Value, currency: Currency) -> Option<Money> {
        match Money::from_json(amount, currency) {
            Ok(money) if money.is_positive() => Some(money),
            Ok(_) => {
                self.add(pointer, codes::OUT_OF_RANGE, "must be above 0");
                None
            }
            Err(error) => {
                self.add(pointer, error.code(), &error.to_string());
                None
            }
        }
    }

    fn bands(
        &mut self,
        wanted: &BTreeMap<String, Vec<BandaNueva>>,
    ) -> BTreeMap<Currency, Vec<Banda>> {
        let mut all = BTreeMap::new();
        for (code, list) in wanted {
            let pointer = format!("/bandas/{code}");
            let Some(currency) = self.currency(&pointer, code) else {
                continue;
            };
            let mut bandas = Vec::new();
            for (index, banda) in list.iter().enumerate() {
                let hasta = banda.hasta.as_ref().and_then(|amount| {
                    self.positive(&format!("{pointer}/{index}/hasta"), amount, currency)
                });
                if !(1..=MAX_APPROVALS).contains(&banda.aprobaciones) {
                    let place = format!("{pointer}/{index}/aprobaciones");
                    self.add(&place, codes::OUT_OF_RANGE, "must be 1 to 5");
                }
                bandas.push(Banda {
                    hasta,
                    aprobaciones: banda.aprobaciones,
                });
            }
            if !is_ladder(list, &bandas) {
                let detail = "must ascend by hasta, and the last hasta, no other, be null";
                self.add(&pointer, codes::BANDAS_INVALIDAS, detail);
            }
            all.insert(currency, bandas);
        }
        all
    }

    fn automatic(&mut self, wanted: &AutomaticaNueva) -> Automatica {
        let tolerancia_pct = Cifra::parse(&wanted.tolerancia_pct).ok().filter(|cifra| {
            cifra
                .as_hundredths()
                .is_some_and(|hundredths| (0..=10_000).contains(&hundredths))
        });
        if tolerancia_pct.is_none() {
            let detail = "must be 0 to 100 with at most two decimals";
            self.add("/automatica/tolerancia_pct", codes::OUT_OF_RANGE, detail);
        }
        if !(1..=12).contains(&wanted.historial_minimo) {
            self.add(
                "/automatica/historial_minimo",
                codes::OUT_OF_RANGE,
                "must be 1 to 12",
            );
        }
        if wanted.dias_minimos > 366 {
            self.add(
                "/automatica/dias_minimos",
                codes::OUT_OF_RANGE,
                "must be 0 to 366",
            );
        }
        let mut total_maximo = BTreeMap::new();
        for (code, amount) in &wanted.total_maximo {
            let pointer = format!("/automatica/total_maximo/{code}");
            if let Some(currency) = self.currency(&pointer, code)
                && let Some(limit) = self.positive(&pointer, amount, currency)
            {
                total_maximo.insert(currency, limit);
            }
        }
        let mut origenes = BTreeSet::new();
        for (index, word) in wanted.origenes.iter().enumerate() {
            let known = AUTOMATIC_ORIGINS
                .into_iter()
                .find(|one| one.as_str() == word);
            if let Some(origen) = known {
                origenes.insert(origen);
            } else {
                let pointer = format!("/automatica/origenes/{index}");
                self.add(
                    &pointer,
                    codes::VALOR_NO_ADMITIDO,
                    "is not one of json, lote, xml",
                );
            }
        }
        Automatica {
            activa: wanted.activa,
            tolerancia_pct: tolerancia_pct.map_or(Cifra::hundredths(0), Cifra::shortest),
            historial_minimo: wanted.historial_minimo,
            total_maximo,
            dias_minimos: wanted.dias_minimos,
            origenes,
        }
    }

    fn holidays(&mut self, wanted: &[String]) -> BTreeSet<Date> {
        if wanted.len() > MAX_HOLIDAYS {
            self.add(
                "/festivos_extra",
                codes::TOO_MANY_ITEMS,
                "must be at most 100 dates",
            );
        }
        let mut dates = BTreeSet::new();
        for (index, text) in wanted.iter().enumerate().take(MAX_HOLIDAYS) {
            match parse_date(text) {
                Ok(date) => {
                    dates.insert(date);
                }
                Err(error) => {
                    let pointer = format!("/festivos_extra/{index}");
                    self.add(&pointer, codes::INVALID_DATE, &error.to_string());
                }
            }
        }
        dates
    }
}

/// Whether bands ascend to one without end. A limit that is no amount is told apart and does not break the ladder.
fn is_ladder(wanted: &[BandaNueva], bandas: &[Banda]) -> bool {
    let ends = wanted.last().is_some_and(|last| last.hasta.is_none());
    let open = wanted.iter().filter(|banda| banda.hasta.is_none()).count();
    let limits: Vec<i64> = bandas
        .iter()
        .filter_map(|banda| banda.hasta.map(Money::minor))
        .collect();
    ends && open == 1 && limits.is_sorted_by(|a, b| a < b)
}

/// A policy in storage and in answers.
#[derive(Serialize, Deserialize)]
struct Guardada {
    version: u64,
    bandas: BTreeMap<String, Vec<BandaNueva>>,
    automatica: AutomaticaNueva,
    permitir_autoaprobacion: bool,
    nit_empresa: Option<String>,
    recordatorio: Recordatorio,
    festivos_extra: Vec<String>,
}

impl From<Politica> for Guardada {
    fn from(politica: Politica) -> Self {
        let bandas = politica.bandas.into_iter().map(|(currency, bandas)| {
            let bandas = bandas.into_iter().map(|banda| BandaNueva {
                hasta: banda.hasta.map(|hasta| hasta.to_string().into()),
                aprobaciones: banda.aprobaciones,
            });
            (currency.code().to_owned(), bandas.collect())
        });
        let reglas = politica.automatica;
        let limits = reglas.total_maximo.into_iter();
        Self {
            version: politica.version,
            bandas: bandas.collect(),
            automatica: AutomaticaNueva {
                activa: reglas.activa,
                tolerancia_pct: reglas.tolerancia_pct.to_string(),
                historial_minimo: reglas.historial_minimo,
                total_maximo: limits
                    .map(|(currency, limit)| (currency.code().to_owned(), limit.to_string().into()))
                    .collect(),
                dias_minimos: reglas.dias_minimos,
                origenes: reglas.origenes.iter().map(Origen::to_string).collect(),
            },
            permitir_autoaprobacion: politica.permitir_autoaprobacion,
            nit_empresa: politica.nit_empresa.map(|nit| nit.to_string()),
            recordatorio: politica.recordatorio,
            festivos_extra: politica
                .festivos_extra
                .iter()
                .map(Date::to_string)
                .collect(),
        }
    }
}

impl TryFrom<Guardada> for Politica {
    type Error = Invalid;

    fn try_from(guardada: Guardada) -> Result<Self, Self::Error> {
        let nueva = PoliticaNueva {
            bandas: guardada.bandas,
            automatica: guardada.automatica,
            permitir_autoaprobacion: guardada.permitir_autoaprobacion,
            nit_empresa: guardada.nit_empresa,
            recordatorio: guardada.recordatorio,
            festivos_extra: guardada.festivos_extra,
        };
        Self::judge(guardada.version, &nueva)
    }
}
