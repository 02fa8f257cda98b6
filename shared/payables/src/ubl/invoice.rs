//! What of an invoice is read: the contract's table of paths, and how each field becomes a factura's.

use std::collections::BTreeMap;

use cierre_kernel::codes::{self, Code};
use cierre_kernel::money::Currency;
use cierre_kernel::problem::FieldError;
use cierre_kernel::time::Date;
use serde_json::Value;

use super::walk::{Elemento, Origin, Visitor, walk};
use super::{Fallo, Lugar};
use crate::cifra::Cifra;
use crate::entity::asignacion::Asignacion;
use crate::entity::factura::{
    CONCEPTO, DESCRIPCION, Datos, FacturaNueva, ItemNuevo, MAX_ITEMS, PROVEEDOR,
};
use crate::entity::refusal::Invalid;
use crate::nit::Nit;
use crate::texto::cut;

const ROOT: &str = "Invoice";
const ATTACHED: &str = "AttachedDocument";
/// Where an attached document holds the invoice.
const EMBEDDED: &str = "AttachedDocument/cac:Attachment/cac:ExternalReference/cbc:Description";
const LINE: &str = "Invoice/cac:InvoiceLine";
/// Characters of a cufe at most; it is a digest of 96.
const CUFE: usize = 200;

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident $path:literal,)+) => {
        /// A field of an invoice that is read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        enum Field {
            $($(#[$doc])* $name,)+
        }

        impl Field {
            const ALL: &'static [Self] = &[$(Self::$name),+];

            const fn path(self) -> &'static str {
                match self {
                    $(Self::$name => $path,)+
                }
            }
        }
    };
}

fields! {
    Numero "Invoice/cbc:ID",
    Cufe "Invoice/cbc:UUID",
    Nit "Invoice/cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID",
    Proveedor "Invoice/cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:RegistrationName",
    FechaEmision "Invoice/cbc:IssueDate",
    VencimientoPago "Invoice/cac:PaymentMeans/cbc:PaymentDueDate",
    Vencimiento "Invoice/cbc:DueDate",
    Moneda "Invoice/cbc:DocumentCurrencyCode",
    Total "Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount",
    Destinatario "Invoice/cac:AccountingCustomerParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID",
    LineaDescripcion "Invoice/cac:InvoiceLine/cac:Item/cbc:Description",
    LineaCantidad "Invoice/cac:InvoiceLine/cbc:InvoicedQuantity",
    LineaPrecio "Invoice/cac:InvoiceLine/cac:Price/cbc:PriceAmount",
    LineaTotal "Invoice/cac:InvoiceLine/cbc:LineExtensionAmount",
}

impl Field {
    fn of(path: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.path() == path)
    }
}

/// A field as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Campo {
    text: String,
    scheme: Option<String>,
    currency: Option<String>,
    lugar: Lugar,
}

/// What a document turned out to be.
pub(super) enum Documento {
    /// An invoice.
    Factura(Box<Lectura>),
    /// A document that holds one.
    Adjunto(Adjunto),
}

/// The content of an attached document.
pub(super) struct Adjunto {
    /// The embedded document as text.
    pub(super) content: String,
    lugar: Lugar,
    /// The content is as it stands in the file, so that its columns are the file's.
    verbatim: bool,
}

impl Adjunto {
    /// Where the embedded document begins, its first `inner` characters being blanks left out before.
    pub(super) fn origin(&self, inner: &str) -> Origin {
        let blanks = self.content.len() - inner.len();
        let start = Origin {
            line: self.lugar.linea.unwrap_or(1),
            column: self.lugar.columna.filter(|_| self.verbatim),
            above: format!("{EMBEDDED}/"),
        };
        let lugar = start.place(&self.content, blanks, "");
        Origin {
            line: lugar.linea.unwrap_or(1),
            column: lugar.columna,
            ..start
        }
    }

    /// A failure of the embedded document as a whole.
    pub(super) fn place(&self, fallo: Fallo) -> Fallo {
        let ruta = Some(EMBEDDED.to_owned());
        fallo.at(Lugar {
            ruta,
            ..self.lugar.clone()
        })
    }
}

/// What was read of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lectura {
    campos: BTreeMap<Field, Campo>,
    items: Vec<ItemNuevo>,
    items_omitidos: u32,
    moneda: Currency,
    total: String,
    nit: Nit,
}

struct Reading<'t> {
    text: &'t str,
    origin: &'t Origin,
    attached: bool,
    embedded: Option<Adjunto>,
    campos: BTreeMap<Field, Campo>,
    lines: usize,
    items: Vec<ItemNuevo>,
}

/// Reads a document.
pub(super) fn read(text: &str, origin: &Origin) -> Result<Documento, Fallo> {
    let mut reading = Reading {
        text,
        origin,
        attached: false,
        embedded: None,
        campos: BTreeMap::new(),
        lines: 0,
        items: Vec::new(),
    };
    walk(text, origin, &mut reading)?;
    if reading.attached {
        return reading
            .embedded
            .map(Documento::Adjunto)
            .ok_or_else(|| absent(EMBEDDED, origin));
    }
    reading
        .finish()
        .map(|lectura| Documento::Factura(Box::new(lectura)))
}

fn absent(path: &str, origin: &Origin) -> Fallo {
    let lugar = Lugar {
        ruta: Some(format!("{}{path}", origin.above)),
        ..Lugar::default()
    };
    Fallo::of(codes::CAMPO_FALTANTE, "The field is absent").at(lugar)
}

impl Visitor for Reading<'_> {
    fn wants(&self, path: &str) -> bool {
        if self.attached {
            path == EMBEDDED && self.embedded.is_none()
        } else {
            Field::of(path).is_some()
        }
    }

    fn begins(&mut self, path: &str, _: &Elemento) -> Result<(), Fallo> {
        if path == LINE {
            self.lines += 1;
            if self.lines <= MAX_ITEMS {
                self.items.push(ItemNuevo::default());
            }
        } else if !path.contains('/') {
            match path {
                ROOT => {}
                ATTACHED => self.attached = true,
                other => {
                    let detail = "Only an Invoice is taken, alone or in an AttachedDocument";
                    let fallo = Fallo::of(codes::TIPO_DOCUMENTO_NO_ADMITIDO, detail);
                    return Err(fallo.showing(other.trim_start_matches("?:")));
                }
            }
        }
        Ok(())
    }

    fn ends(&mut self, path: &str, element: Elemento) -> Result<(), Fallo> {
        if self.attached {
            let begins = element.cdata.unwrap_or(element.offset);
            self.embedded = Some(Adjunto {
                lugar: self.origin.place(self.text, begins, path),
                verbatim: element.cdata.is_some(),
                content: element.text,
            });
            return Ok(());
        }
        let Some(field) = Field::of(path) else {
            return Ok(());
        };
        let text = element.text.trim();
        match field {
            Field::LineaDescripcion
            | Field::LineaCantidad
            | Field::LineaPrecio
            | Field::LineaTotal => return self.line(field, text),
            Field::Numero
            | Field::Cufe
            | Field::Nit
            | Field::Proveedor
            | Field::FechaEmision
            | Field::VencimientoPago
            | Field::Vencimiento
            | Field::Moneda
            | Field::Total
            | Field::Destinatario => {}
        }
        // The first one counts: a party may have several tax schemes.
        if !text.is_empty() && !self.campos.contains_key(&field) {
            let campo = Campo {
                text: text.to_owned(),
                scheme: element.scheme,
                currency: element.currency,
                lugar: self.origin.place(self.text, element.offset, path),
            };
            self.campos.insert(field, campo);
        }
        Ok(())
    }
}

impl Reading<'_> {
    /// Takes a field of the line under way; those beyond the last one that is kept are only counted.
    fn line(&mut self, field: Field, text: &str) -> Result<(), Fallo> {
        if self.lines > MAX_ITEMS {
            return Ok(());
        }
        let Some(item) = self.items.last_mut() else {
            return Ok(());
        };
        let slot = match field {
            Field::LineaCantidad => &mut item.cantidad,
            Field::LineaPrecio => &mut item.valor_unitario,
            Field::LineaTotal => &mut item.total,
            Field::LineaDescripcion => {
                if item.descripcion.is_empty() {
                    cut(text, *CONCEPTO.end()).clone_into(&mut item.descripcion);
                }
                return Ok(());
            }
            Field::Numero
            | Field::Cufe
            | Field::Nit
            | Field::Proveedor
            | Field::FechaEmision
            | Field::VencimientoPago
            | Field::Vencimiento
            | Field::Moneda
            | Field::Total
            | Field::Destinatario => return Ok(()),
        };
        if slot.is_none() {
            let cifra = Cifra::parse_cut(text).map_err(|error| {
                Fallo::of(codes::CAMPO_INVALIDO, error.to_string()).showing(text)
            })?;
            *slot = Some(cifra.to_string());
        }
        Ok(())
    }

    fn finish(self) -> Result<Lectura, Fallo> {
        let origin = self.origin;
        let need = |field: Field| {
            self.campos
                .get(&field)
                .ok_or_else(|| absent(field.path(), origin))
        };
        need(Field::Numero)?;
        let nit = need(Field::Nit)?.nit()?;
        need(Field::FechaEmision)?;
        let moneda = need(Field::Moneda)?;
        let currency = moneda.text.parse::<Currency>().map_err(|_| {
            moneda.invalid(
                codes::CAMPO_INVALIDO,
                "is not one of COP, USD, EUR, ARS, CLP",
            )
        })?;
        let total = need(Field::Total)?;
        if total.currency.as_deref().map(str::trim) != Some(&moneda.text) {
            let detail = "must have the currency of the document in currencyID";
            return Err(total.invalid(codes::MONEDA_INCONSISTENTE, detail));
        }
        let amount = without_zeros(&total.text).to_owned();
        if self
            .items
            .first()
            .is_none_or(|item| item.descripcion.is_empty())
        {
            return Err(absent(Field::LineaDescripcion.path(), origin));
        }
        Ok(Lectura {
            items_omitidos: u32::try_from(self.lines - self.items.len()).unwrap_or(u32::MAX),
            moneda: currency,
            total: amount,
            nit,
            items: self.items,
            campos: self.campos,
        })
    }
}

/// A decimal number without the zeros at its end, which say nothing.
fn without_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

impl Campo {
    fn invalid(&self, code: Code, detail: &str) -> Fallo {
        Fallo::of(code, detail)
            .at(self.lugar.clone())
            .showing(&self.text)
    }

    /// The NIT of a party: its check digit stands in `schemeID`, or after a hyphen, or nowhere.
    fn nit(&self) -> Result<Nit, Fallo> {
        let scheme = self
            .scheme
            .as_deref()
            .map(str::trim)
            .filter(|scheme| !scheme.is_empty());
        let read = match (self.text.split_once('-'), scheme) {
            (Some(_), None) => Nit::parse(&self.text),
            (Some((number, check)), Some(scheme)) if check.trim() == scheme => {
                Nit::with_check(number, Some(scheme))
            }
            (Some(_) | None, scheme) => Nit::with_check(&self.text, scheme),
        };
        read.map_err(|error| self.invalid(codes::CAMPO_INVALIDO, &error.to_string()))
    }
}

impl Lectura {
    /// The supplier, by whom the assignment is found.
    #[must_use]
    pub const fn nit(&self) -> Nit {
        self.nit
    }

    /// The factura that the invoice says, on the day `hoy`.
    ///
    /// # Errors
    /// [`Fallo`]: it is addressed to another company than `nit_empresa`, or breaks a rule of intake.
    pub fn datos(
        &self,
        asignacion: Option<&Asignacion>,
        nit_empresa: Option<Nit>,
        hoy: Date,
    ) -> Result<Datos, Fallo> {
        if let Some(ours) = nit_empresa {
            let theirs = self.campos.get(&Field::Destinatario);
            let theirs =
                theirs.ok_or_else(|| absent(Field::Destinatario.path(), &Origin::default()))?;
            if theirs.nit()? != ours {
                let detail = "The invoice is addressed to another company";
                return Err(theirs.invalid(codes::DESTINATARIO_AJENO, detail));
            }
        }
        let cufe = self.campos.get(&Field::Cufe);
        if let Some(cufe) = cufe.filter(|cufe| cufe.text.chars().count() > CUFE) {
            return Err(cufe.invalid(codes::CAMPO_INVALIDO, "has more than 200 characters"));
        }
        let nueva = self.nueva();
        let datos = nueva
            .judge(asignacion, hoy)
            .map_err(|Invalid(errors)| self.failure(errors.into_iter().next()))?;
        Ok(Datos {
            items_omitidos: self.items_omitidos,
            cufe: cufe.map(|cufe| cufe.text.clone()),
            ..datos
        })
    }

    /// The invoice as a request would write it.
    pub(crate) fn nueva(&self) -> FacturaNueva {
        let text = |field| {
            self.campos
                .get(&field)
                .map(|campo: &Campo| campo.text.clone())
        };
        let concepto = self.items.first().map(|item| item.descripcion.clone());
        let items = self.items.iter().map(|item| ItemNuevo {
            descripcion: cut(&item.descripcion, *DESCRIPCION.end()).to_owned(),
            ..item.clone()
        });
        FacturaNueva {
            numero: text(Field::Numero).unwrap_or_default(),
            nit: self.nit.to_string(),
            proveedor: text(Field::Proveedor).map(|name| cut(&name, *PROVEEDOR.end()).to_owned()),
            fecha_emision: text(Field::FechaEmision).unwrap_or_default(),
            fecha_vencimiento: text(Field::VencimientoPago).or_else(|| text(Field::Vencimiento)),
            moneda: Some(self.moneda.code().to_owned()),
            total: Value::String(self.total.clone()),
            concepto: concepto.unwrap_or_default(),
            items: items.collect(),
        }
    }

    /// What intake found wrong, at the place where the invoice says it.
    fn failure(&self, error: Option<FieldError>) -> Fallo {
        let Some(error) = error else {
            return Fallo::of(codes::CAMPO_INVALIDO, "A field is malformed");
        };
        let field = match error.pointer.as_str() {
            "/numero" => Some(Field::Numero),
            "/nit" => Some(Field::Nit),
            "/proveedor" => Some(Field::Proveedor),
            "/fecha_emision" => Some(Field::FechaEmision),
            "/fecha_vencimiento" => [Field::VencimientoPago, Field::Vencimiento]
                .into_iter()
                .find(|field| self.campos.contains_key(field)),
            "/moneda" => Some(Field::Moneda),
            "/total" => Some(Field::Total),
            _ => Some(Field::LineaDescripcion),
        };
        let code = code_of(error.code, field);
        let path = field.map_or(ROOT, Field::path);
        match field.and_then(|field| self.campos.get(&field)) {
            Some(campo) => campo.invalid(code, &error.detail),
            None => Fallo {
                code,
                detail: error.detail,
                ..absent(path, &Origin::default())
            },
        }
    }
}

/// The code of a rejected file: its own for what a document can get wrong, intake's for the rules of facturas.
fn code_of(code: Code, field: Option<Field>) -> Code {
    if code == codes::REQUIRED || code == codes::REQUERIDO {
        codes::CAMPO_FALTANTE
    } else if code == codes::OUT_OF_RANGE && field == Some(Field::Total) {
        codes::IMPORTE_FUERA_DE_RANGO
    } else if [
        codes::FECHA_FUTURA,
        codes::FECHA_INVALIDA,
        codes::TOTAL_NO_POSITIVO,
    ]
    .contains(&code)
    {
        code
    } else {
        codes::CAMPO_INVALIDO
    }
}
