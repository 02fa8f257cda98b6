//! A factura as a request writes it.

use cierre_kernel::codes;
use cierre_kernel::problem::{FieldError, Problem};
use cierre_kernel::time::{Instant, parse_date};
use cierre_platform::http::{Body, Fields, Rule, any_amount, lines, list, object, parsed, text};
use cierre_platform::{Error, Result};
use utoipa::ToSchema;

use super::ANY_LENGTH;
use crate::entity::factura::{
    FacturaHistorica, FacturaNueva, ItemNuevo, MAX_ITEMS, WorkflowHistorico,
};
use crate::entity::refusal::Invalid;

/// A factura to be registered.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({
    "numero": "FE-1024", "nit": "900373923-8", "proveedor": "Aseo Total SAS", "fecha_emision": "2026-02-05", "fecha_vencimiento": "2026-03-07",
    "moneda": "COP", "total": "8500000.00", "concepto": "Aseo febrero 2026",
    "items": [{ "descripcion": "Aseo", "cantidad": "1", "valor_unitario": "8500000.00", "total": "8500000.00" }],
}))]
pub(super) struct FacturaBody {
    /// With at least one letter or digit; unique with `nit`, whatever stands between letters and digits.
    #[schema(min_length = 1, max_length = 50)]
    numero: String,
    /// With its check digit; dots are left out.
    nit: String,
    /// The assignment's `nombre_proveedor` unless given; required where the NIT has no assignment.
    #[schema(min_length = 1, max_length = 200)]
    proveedor: Option<String>,
    /// From 2000-01-01 to today.
    #[schema(format = Date)]
    fecha_emision: String,
    /// Not before `fecha_emision`.
    #[schema(format = Date)]
    fecha_vencimiento: Option<String>,
    /// `COP` (default), `USD`, `EUR`, `ARS` or `CLP`.
    moneda: Option<String>,
    /// Above 0, with at most the currency's decimals; an exact number is taken too.
    total: String,
    #[schema(min_length = 1, max_length = 500)]
    concepto: String,
    /// Information only.
    #[schema(max_items = 500)]
    items: Option<Vec<FacturaItemBody>>,
}

/// A line of a factura to be registered.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
pub(super) struct FacturaItemBody {
    #[schema(min_length = 1, max_length = 200)]
    descripcion: String,
    /// A decimal number with at most six decimals.
    cantidad: Option<String>,
    /// As `cantidad`.
    valor_unitario: Option<String>,
    /// As `cantidad`.
    total: Option<String>,
}

/// Reads the factura of a body. What is wrong whatever the tables say is answered at once, with everything that has no right form; what they
/// decide, and what day it is for the company, is for the intake.
///
/// # Errors
/// 422 with every wrong field.
pub(super) fn read(body: &Body, now: Instant) -> Result<FacturaNueva> {
    let mut nueva = FacturaNueva::default();
    let formed = body.decode(|fields| fill(fields, &mut nueva, Falta::DelCuerpo));
    let mut errors = match formed {
        Ok(()) => Vec::new(),
        Err(Error::Refused(problem)) if !problem.errors.is_empty() => problem.errors,
        Err(error @ (Error::Refused(_) | Error::Failed(_))) => return Err(error),
    };
    errors.extend(surely_wrong(&nueva, &errors, now));
    if errors.is_empty() {
        Ok(nueva)
    } else {
        Err(Problem::validation(errors).into())
    }
}

/// Reads a factura of a request with many, as far as its form goes: what is wrong with its values, or absent, is its outcome.
pub(super) fn of_many(fields: &mut Fields<'_>) -> Option<FacturaNueva> {
    let mut nueva = FacturaNueva::default();
    fill(fields, &mut nueva, Falta::DelItem)?;
    Some(nueva)
}

/// As [`of_many`], with the decision of before.
pub(super) fn historica_of_many(fields: &mut Fields<'_>) -> Option<FacturaHistorica> {
    let nueva = of_many(fields);
    let workflow = fields.required("workflow", object(historico));
    let (nueva, workflow) = (nueva?, workflow?);
    Some(FacturaHistorica {
        numero: nueva.numero,
        nit: nueva.nit,
        proveedor: nueva.proveedor,
        fecha_emision: nueva.fecha_emision,
        fecha_vencimiento: nueva.fecha_vencimiento,
        moneda: nueva.moneda,
        total: nueva.total,
        concepto: nueva.concepto,
        items: nueva.items,
        workflow,
    })
}

fn historico(fields: &mut Fields<'_>) -> Option<WorkflowHistorico> {
    let instant = || {
        let detail = "must be an instant such as 2026-02-05T14:00:00.000Z";
        parsed(codes::INVALID_FORMAT, detail, |text| {
            Instant::parse(text).ok()
        })
    };
    let estado = fields.required("estado", text(ANY_LENGTH));
    let aprobada_por = fields.optional("aprobada_por", text(ANY_LENGTH));
    let fecha_aprobacion = fields.optional("fecha_aprobacion", instant());
    let rechazada_por = fields.optional("rechazada_por", text(ANY_LENGTH));
    let fecha_rechazo = fields.optional("fecha_rechazo", instant());
    let detalle_rechazo = fields.optional("detalle_rechazo", lines(ANY_LENGTH));
    Some(WorkflowHistorico {
        estado: estado?,
        aprobada_por: aprobada_por?,
        fecha_aprobacion: fecha_aprobacion?,
        rechazada_por: rechazada_por?,
        fecha_rechazo: fecha_rechazo?,
        detalle_rechazo: detalle_rechazo?,
    })
}

/// Whose fault a missing member is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Falta {
    /// The body's, which is refused.
    DelCuerpo,
    /// The item's, which has its own outcome.
    DelItem,
}

impl Falta {
    /// Reads a member that has to be there.
    fn read<R: Rule>(
        self,
        fields: &mut Fields<'_>,
        name: &'static str,
        rule: R,
    ) -> Option<R::Output>
    where
        R::Output: Default,
    {
        match self {
            Self::DelCuerpo => fields.required(name, rule),
            Self::DelItem => fields.optional_or(name, rule, R::Output::default()),
        }
    }
}

/// Reads the members; what was read is kept though others are wrong.
fn fill(fields: &mut Fields<'_>, nueva: &mut FacturaNueva, falta: Falta) -> Option<()> {
    let numero = falta.read(fields, "numero", text(ANY_LENGTH));
    let nit = falta.read(fields, "nit", text(ANY_LENGTH));
    let proveedor = fields.optional("proveedor", text(ANY_LENGTH));
    let fecha_emision = falta.read(fields, "fecha_emision", text(ANY_LENGTH));
    let fecha_vencimiento = fields.optional("fecha_vencimiento", text(ANY_LENGTH));
    let moneda = fields.optional("moneda", text(ANY_LENGTH));
    let total = falta.read(fields, "total", any_amount());
    let concepto = falta.read(fields, "concepto", lines(ANY_LENGTH));
    let items = list(object(item), 0..=MAX_ITEMS);
    let items = fields.optional_or("items", items, Vec::new());
    *nueva = FacturaNueva {
        numero: numero.clone().unwrap_or_default(),
        nit: nit.clone().unwrap_or_default(),
        proveedor: proveedor.clone().flatten(),
        fecha_emision: fecha_emision.clone().unwrap_or_default(),
        fecha_vencimiento: fecha_vencimiento.clone().flatten(),
        moneda: moneda.clone().flatten(),
        total: total.clone().unwrap_or_default(),
        concepto: concepto.clone().unwrap_or_default(),
        items: items.clone().unwrap_or_default(),
    };
    let texts = numero.and(nit).and(proveedor).and(fecha_emision);
    let more = texts.and(fecha_vencimiento).and(moneda).and(total);
    more.and(concepto).and(items).map(|_| ())
}

fn item(fields: &mut Fields<'_>) -> Option<ItemNuevo> {
    let descripcion = fields.required("descripcion", lines(ANY_LENGTH));
    let cantidad = fields.optional("cantidad", text(ANY_LENGTH));
    let valor_unitario = fields.optional("valor_unitario", text(ANY_LENGTH));
    let total = fields.optional("total", text(ANY_LENGTH));
    Some(ItemNuevo {
        descripcion: descripcion?,
        cantidad: cantidad?,
        valor_unitario: valor_unitario?,
        total: total?,
    })
}

/// Seconds by which the first time zone to see a day is ahead of UTC.
const FIRST_ZONE: i64 = 14 * 60 * 60;

/// What is wrong beside `known`, whoever answers for the supplier's facturas and wherever the company is.
fn surely_wrong(nueva: &FacturaNueva, known: &[FieldError], now: Instant) -> Vec<FieldError> {
    let first: String = now.plus_seconds(FIRST_ZONE).to_string();
    let Some(latest) = first.get(..10).and_then(|day| parse_date(day).ok()) else {
        return Vec::new();
    };
    let Err(Invalid(mut errors)) = nueva.judge(None, latest) else {
        return Vec::new();
    };
    errors.retain(|error| {
        let left_out = error.pointer == "/proveedor" && nueva.proveedor.is_none();
        !left_out && known.iter().all(|known| known.pointer != error.pointer)
    });
    errors
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(body: &serde_json::Value) -> Vec<(String, &'static str)> {
        let now = Instant::parse("2026-02-05T20:00:00.000Z").unwrap();
        let mut nueva = FacturaNueva::default();
        let mut errors = match cierre_platform::http::decode(body, |fields| {
            fill(fields, &mut nueva, Falta::DelCuerpo)
        }) {
            Ok(()) => Vec::new(),
            Err(Error::Refused(problem)) => problem.errors,
            Err(Error::Failed(failure)) => panic!("{}", failure.chain()),
        };
        errors.extend(surely_wrong(&nueva, &errors, now));
        let mut errors: Vec<_> = errors
            .into_iter()
            .map(|error| (error.pointer, error.code.as_str()))
            .collect();
        errors.sort();
        errors
    }

    #[test]
    fn every_wrong_field_is_listed_at_once() {
        let errors = wrong(&json!({
            "numero": "--", "nit": "860069804-3", "fecha_emision": "2026-02-07", "total": "0", "concepto": 7, "accion_por": "Ana",
            "items": [{ "descripcion": "a", "cantidad": "x" }],
        }));
        let expected = [
            ("/accion_por", "unknown_field"),
            ("/concepto", "invalid_type"),
            ("/fecha_emision", "fecha_futura"),
            ("/items/0/cantidad", "invalid_format"),
            ("/nit", "nit_digito_invalido"),
            ("/total", "total_no_positivo"),
        ];
        assert_eq!(
            errors,
            expected.map(|(pointer, code)| (pointer.to_owned(), code))
        );
    }

    #[test]
    fn what_the_tables_and_the_company_decide_is_left_to_the_intake() {
        let valid = json!({
            "numero": "FE-1", "nit": "860069804-2", "fecha_emision": "2026-02-06", "total": 1000, "concepto": "Aseo",
        });
        assert_eq!(wrong(&valid), []);
        assert_eq!(
            wrong(&json!({})).len(),
            5,
            "what is required is told once each"
        );
    }
}
