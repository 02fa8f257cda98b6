//! Automatic approval, which explains itself: the first check that fails is the reason, and the figures behind it are kept.

use cierre_kernel::id::FacturaId;
use cierre_kernel::money::Money;
use cierre_kernel::time::Date;
use jiff::Unit;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sincronizacion::Estado;
use crate::cifra::Cifra;
use crate::entity::factura::Origen;
use crate::entity::politica::Politica;
use crate::importe::Importe;

cierre_kernel::words! {
    /// What automatic approval came to.
    pub enum Resultado {
        /// People decide.
        Pendiente = "pendiente",
        /// It was approved by rule.
        AprobadaAuto = "aprobada_auto",
    }

    /// Why a factura was not approved by rule; the checks in their order.
    pub enum MotivoNoAuto {
        /// The policy has it switched off.
        AutoDesactivada = "auto_desactivada",
        /// It came by a way that the policy does not name.
        OrigenNoPermitido = "origen_no_permitido",
        /// Nobody answers for it.
        SinResponsable = "sin_responsable",
        /// It needs more than one approval.
        RequiereVariasAprobaciones = "requiere_varias_aprobaciones",
        /// It is above the limit of its currency, or there is none.
        SuperaTotalMaximo = "supera_total_maximo",
        /// People approved too few of its group.
        SinHistorial = "sin_historial",
        /// Another one of its group is too near in time.
        DemasiadoPronto = "demasiado_pronto",
        /// The last one of its group has another currency.
        MonedaDistinta = "moneda_distinta",
        /// It differs too much from the last one of its group.
        FueraDeTolerancia = "fuera_de_tolerancia",
    }
}

/// What automatic approval came to, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comparacion {
    /// What it came to.
    #[schema(value_type = String, example = "pendiente")]
    pub resultado: Resultado,
    /// The first check that failed.
    #[schema(value_type = Option<String>, example = "fuera_de_tolerancia")]
    pub motivo_no_auto: Option<MotivoNoAuto>,
    /// What it was compared with: the latest one of its group that people approved. None where the checks did not come so far.
    #[schema(value_type = Option<String>)]
    pub factura_anterior_id: Option<FacturaId>,
    /// The total of that one.
    #[schema(value_type = Option<String>)]
    pub total_anterior: Option<Cifra>,
    /// By how much it differs, signed. None in another currency.
    #[schema(value_type = Option<String>)]
    pub diferencia: Option<Cifra>,
    /// The same in percent of the former total, rounded half-up to two decimals, signed. None in another currency.
    #[schema(value_type = Option<String>)]
    pub diferencia_pct: Option<Cifra>,
    /// By how much it may differ, in percent.
    #[schema(value_type = String, example = "5")]
    pub tolerancia_pct: Cifra,
    /// The policy that was asked.
    pub politica_version: u64,
}

/// Another factura of the same NIT and concept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Antecedente {
    /// Its id.
    pub id: FacturaId,
    /// Where it stands.
    pub estado: Estado,
    /// When it was issued.
    pub fecha_emision: Date,
    /// What it amounts to.
    #[serde(flatten)]
    pub importe: Importe,
}

/// A factura that arrives, as far as automatic approval looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Llegada<'a> {
    /// How it came.
    pub origen: Origen,
    /// Whether somebody answers for it.
    pub con_responsable: bool,
    /// When it was issued.
    pub fecha_emision: Date,
    /// What it amounts to.
    pub total: Money,
    /// The others of its NIT and concept, in any order.
    pub grupo: &'a [Antecedente],
}

/// Judges whether a factura is approved by rule.
#[must_use]
pub fn evaluar(llegada: &Llegada<'_>, politica: &Politica) -> Comparacion {
    let reference = if first_checks(llegada, politica).is_ok() {
        reference(llegada.grupo)
    } else {
        None
    };
    let same_currency = reference
        .map(|one| one.importe.0)
        .filter(|anterior| anterior.currency() == llegada.total.currency());
    let motivo_no_auto = judge(llegada, politica, reference).err();
    Comparacion {
        resultado: match motivo_no_auto {
            Some(_) => Resultado::Pendiente,
            None => Resultado::AprobadaAuto,
        },
        motivo_no_auto,
        factura_anterior_id: reference.map(|one| one.id),
        total_anterior: reference.map(|one| one.importe.0.into()),
        diferencia: same_currency
            .and_then(|anterior| llegada.total.checked_sub(anterior).ok())
            .map(Cifra::from),
        diferencia_pct: same_currency.and_then(|anterior| shown_percent(llegada.total, anterior)),
        tolerancia_pct: politica.automatica.tolerancia_pct,
        politica_version: politica.version,
    }
}

fn judge(
    llegada: &Llegada<'_>,
    politica: &Politica,
    reference: Option<&Antecedente>,
) -> Result<(), MotivoNoAuto> {
    first_checks(llegada, politica)?;
    let reglas = &politica.automatica;
    let by_people = llegada.grupo.iter().filter(|one| by_people(one)).count();
    let enough = u32::try_from(by_people).map_or(true, |count| count >= reglas.historial_minimo);
    // The least that a policy may ask for is one, so there is a reference where there are enough.
    let Some(anterior) = reference.filter(|_| enough) else {
        return Err(MotivoNoAuto::SinHistorial);
    };
    let near = |one: &Antecedente| {
        one.estado != Estado::Rechazada
            && days_between(one.fecha_emision, llegada.fecha_emision) < reglas.dias_minimos
    };
    if llegada.grupo.iter().any(near) {
        return Err(MotivoNoAuto::DemasiadoPronto);
    }
    let anterior = anterior.importe.0;
    if anterior.currency() != llegada.total.currency() {
        return Err(MotivoNoAuto::MonedaDistinta);
    }
    if !within_tolerance(llegada.total, anterior, reglas.tolerancia_pct) {
        return Err(MotivoNoAuto::FueraDeTolerancia);
    }
    Ok(())
}

/// The checks that need no other factura.
fn first_checks(llegada: &Llegada<'_>, politica: &Politica) -> Result<(), MotivoNoAuto> {
    let reglas = &politica.automatica;
    if !reglas.activa {
        return Err(MotivoNoAuto::AutoDesactivada);
    }
    if !reglas.origenes.contains(&llegada.origen) {
        return Err(MotivoNoAuto::OrigenNoPermitido);
    }
    if !llegada.con_responsable {
        return Err(MotivoNoAuto::SinResponsable);
    }
    if politica.required(llegada.total) > 1 {
        return Err(MotivoNoAuto::RequiereVariasAprobaciones);
    }
    let limit = reglas.total_maximo.get(&llegada.total.currency());
    if limit.is_none_or(|limit| llegada.total.minor() > limit.minor()) {
        return Err(MotivoNoAuto::SuperaTotalMaximo);
    }
    Ok(())
}

/// Whether people approved it. Those approved by rule never serve, so that the tolerance cannot add up from month to month.
fn by_people(one: &Antecedente) -> bool {
    one.estado == Estado::Aprobada
}

fn reference(grupo: &[Antecedente]) -> Option<&Antecedente> {
    grupo
        .iter()
        .filter(|one| by_people(one))
        .max_by_key(|one| (one.fecha_emision, one.id))
}

fn days_between(a: Date, b: Date) -> u32 {
    a.until((Unit::Day, b))
        .map_or(u32::MAX, |span| span.get_days().unsigned_abs())
}

/// |total − anterior| × 100 ≤ anterior × tolerance, without rounding.
fn within_tolerance(total: Money, anterior: Money, tolerancia_pct: Cifra) -> bool {
    let Some(hundredths) = tolerancia_pct.as_hundredths() else {
        return false;
    };
    let (total, anterior) = (i128::from(total.minor()), i128::from(anterior.minor()));
    (total - anterior).abs() * 10_000 <= anterior * i128::from(hundredths)
}

/// The difference in percent of the former total, rounded half-up (away from zero) to two decimals.
fn shown_percent(total: Money, anterior: Money) -> Option<Cifra> {
    let (total, anterior) = (i128::from(total.minor()), i128::from(anterior.minor()));
    if anterior <= 0 {
        return None;
    }
    let difference = total - anterior;
    // Rounding the size keeps a rise and a fall alike.
    let rounded = (difference.abs() * 20_000 + anterior) / (2 * anterior);
    i64::try_from(rounded * difference.signum())
        .ok()
        .map(Cifra::hundredths)
}

#[cfg(test)]
#[path = "comparacion_tests.rs"]
mod tests;
