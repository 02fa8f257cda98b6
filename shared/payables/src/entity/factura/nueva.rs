//! What a request says about a factura, and what is wrong with it.

use std::ops::RangeInclusive;

use cierre_kernel::codes::{self, Code};
use cierre_kernel::money::{Currency, Money};
use cierre_kernel::problem::FieldError;
use cierre_kernel::time::{Date, parse_date};
use jiff::civil::date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::asignacion::Asignacion;
use super::super::refusal::Invalid;
use super::{Datos, Item};
use crate::cifra::Cifra;
use crate::importe::Importe;
use crate::nit::Nit;
use crate::rules::clave::Clave;
use crate::texto::sized;

/// Characters of a number.
pub const NUMERO: RangeInclusive<usize> = 1..=50;
/// Characters of a supplier's name.
pub const PROVEEDOR: RangeInclusive<usize> = 1..=200;
/// Characters of what it is for.
pub const CONCEPTO: RangeInclusive<usize> = 1..=500;
/// Characters of a line's description.
pub const DESCRIPCION: RangeInclusive<usize> = 1..=200;
/// Lines at most.
pub const MAX_ITEMS: usize = 500;
/// The earliest day of issue.
pub const PRIMERA_FECHA: Date = date(2000, 1, 1);

/// A line as a request writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemNuevo {
    /// See [`Item::descripcion`].
    pub descripcion: String,
    /// See [`Item::cantidad`].
    #[serde(default)]
    pub cantidad: Option<String>,
    /// See [`Item::valor_unitario`].
    #[serde(default)]
    pub valor_unitario: Option<String>,
    /// See [`Item::total`].
    #[serde(default)]
    pub total: Option<String>,
}

/// A factura as a request writes it. No other field can be set: whoever answers for it comes from the assignment, and what its round says from
/// the round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FacturaNueva {
    /// See [`Datos::numero`].
    pub numero: String,
    /// See [`Datos::nit`].
    pub nit: String,
    /// See [`Datos::proveedor`]; the assignment's name where absent.
    #[serde(default)]
    pub proveedor: Option<String>,
    /// See [`Datos::fecha_emision`].
    pub fecha_emision: String,
    /// See [`Datos::fecha_vencimiento`].
    #[serde(default)]
    pub fecha_vencimiento: Option<String>,
    /// The currency's code; COP where absent.
    #[serde(default)]
    pub moneda: Option<String>,
    /// A string, or a number that is exact.
    pub total: Value,
    /// See [`Datos::concepto`].
    pub concepto: String,
    /// See [`Datos::items`].
    #[serde(default)]
    pub items: Vec<ItemNuevo>,
}

impl FacturaNueva {
    /// The supplier, by whom the assignment is found.
    #[must_use]
    pub fn nit(&self) -> Option<Nit> {
        Nit::parse(&self.nit).ok()
    }

    /// Reads it on the day `hoy`, with the supplier's assignment.
    ///
    /// # Errors
    /// [`Invalid`] with every wrong field.
    pub fn judge(&self, asignacion: Option<&Asignacion>, hoy: Date) -> Result<Datos, Invalid> {
        let mut wrong = Wrong::default();
        let nit = Nit::parse(&self.nit);
        let nit = wrong.keep(
            "/nit",
            nit.map_err(|error| (error.code(), error.to_string())),
        );
        let numero = wrong.text("/numero", &self.numero, &NUMERO);
        if let (Some(nit), Some(numero)) = (nit, &numero)
            && Clave::of(nit, numero).is_none()
        {
            wrong.add(
                "/numero",
                codes::INVALID_FORMAT,
                "must have a letter or a digit",
            );
        }
        let proveedor = match (&self.proveedor, asignacion) {
            (Some(proveedor), _) => wrong.text("/proveedor", proveedor, &PROVEEDOR),
            (None, Some(asignacion)) => Some(asignacion.nombre_proveedor.clone()),
            (None, None) => {
                // Without a NIT nobody knows whether there is an assignment.
                if nit.is_some() {
                    let detail = "is required where the NIT has no assignment";
                    wrong.add("/proveedor", codes::REQUERIDO, detail);
                }
                None
            }
        };
        let fecha_emision = wrong.issued(&self.fecha_emision, hoy);
        let fecha_vencimiento = wrong.due(self.fecha_vencimiento.as_deref(), fecha_emision);
        let importe = wrong.amount(self.moneda.as_deref(), &self.total);
        let concepto = wrong.text("/concepto", &self.concepto, &CONCEPTO);
        let items = wrong.items(&self.items);
        let (true, Some(nit), Some(numero), Some(proveedor)) =
            (wrong.0.is_empty(), nit, numero, proveedor)
        else {
            return Err(Invalid(wrong.0));
        };
        let (Some(fecha_emision), Some(importe), Some(concepto)) =
            (fecha_emision, importe, concepto)
        else {
            return Err(Invalid(wrong.0));
        };
        Ok(Datos {
            numero,
            nit,
            proveedor,
            fecha_emision,
            fecha_vencimiento,
            importe,
            concepto,
            items,
            items_omitidos: 0,
            cufe: None,
        })
    }
}

/// What is wrong with a factura, collected.
#[derive(Default)]
struct Wrong(Vec<FieldError>);

impl Wrong {
    fn add(&mut self, pointer: &str, code: Code, detail: &str) {
        self.0.push(FieldError::new(pointer, code, detail));
    }

    fn keep<T>(&mut self, pointer: &str, read: Result<T, (Code, String)>) -> Option<T> {
        read.map_err(|(code, detail)| self.add(pointer, code, &detail))
            .ok()
    }

    fn text(
        &mut self,
        pointer: &str,
        text: &str,
        characters: &RangeInclusive<usize>,
    ) -> Option<String> {
        let read = sized(text, characters).ok_or_else(|| {
            if text.trim().is_empty() {
                (codes::REQUIRED, "is required".to_owned())
            } else {
                let most = characters.end();
                (
                    codes::OUT_OF_RANGE,
                    format!("must have at most {most} characters"),
                )
            }
        });
        self.keep(pointer, read)
    }

    fn date(&mut self, pointer: &str, text: &str) -> Option<Date> {
        let read = parse_date(text).map_err(|error| (codes::INVALID_DATE, error.to_string()));
        self.keep(pointer, read)
    }

    fn issued(&mut self, text: &str, hoy: Date) -> Option<Date> {
        let pointer = "/fecha_emision";
        let date = self.date(pointer, text)?;
        if date > hoy {
            self.add(pointer, codes::FECHA_FUTURA, "must not lie in the future");
        } else if date < PRIMERA_FECHA {
            self.add(pointer, codes::OUT_OF_RANGE, "must be 2000-01-01 or later");
        }
        Some(date)
    }

    fn due(&mut self, text: Option<&str>, issued: Option<Date>) -> Option<Date> {
        let pointer = "/fecha_vencimiento";
        let date = self.date(pointer, text?)?;
        if issued.is_some_and(|issued| date < issued) {
            self.add(
                pointer,
                codes::FECHA_INVALIDA,
                "must not lie before fecha_emision",
            );
        }
        Some(date)
    }

    fn amount(&mut self, moneda: Option<&str>, total: &Value) -> Option<Importe> {
        let read = moneda.map_or(Ok(Currency::Cop), str::parse).map_err(|_| {
            let detail = "is not one of COP, USD, EUR, ARS, CLP".to_owned();
            (codes::VALOR_NO_ADMITIDO, detail)
        });
        let currency = self.keep("/moneda", read)?;
        let read = Money::from_json(total, currency)
            .map_err(|error| (error.code(), error.to_string()))
            .and_then(|money| {
                if money.is_positive() {
                    Ok(Importe(money))
                } else {
                    Err((codes::TOTAL_NO_POSITIVO, "must be above 0".to_owned()))
                }
            });
        self.keep("/total", read)
    }

    fn items(&mut self, items: &[ItemNuevo]) -> Vec<Item> {
        if items.len() > MAX_ITEMS {
            self.add("/items", codes::TOO_MANY_ITEMS, "must be at most 500");
            return Vec::new();
        }
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let pointer = format!("/items/{index}");
            let descripcion = self.text(
                &format!("{pointer}/descripcion"),
                &item.descripcion,
                &DESCRIPCION,
            );
            let mut number = |name: &str, text: &Option<String>| {
                let read = Cifra::parse(text.as_deref()?)
                    .map_err(|error| (codes::INVALID_FORMAT, error.to_string()));
                self.keep(&format!("{pointer}/{name}"), read)
            };
            let cantidad = number("cantidad", &item.cantidad);
            let valor_unitario = number("valor_unitario", &item.valor_unitario);
            let total = number("total", &item.total);
            read.extend(descripcion.map(|descripcion| Item {
                descripcion,
                cantidad,
                valor_unitario,
                total,
            }));
        }
        read
    }
}
