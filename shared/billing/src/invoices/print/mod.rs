//! The printable document: one HTML page in Spanish that needs nothing but itself.
//!
//! The layout is the one that RG 1415 (annex II) and RG 4291 describe, so that whoever books invoices finds everything where they look for
//! it: issuer and number on top with the letter between them, receiver, detail, totals, and the authorisation with its QR code at the foot.
//! The page is pure: whoever calls says what is shown, and nothing is read from anywhere.
//!
//! Every value passes through the template's escaping. No value of [`Page`] is marked as safe, and none may be.

mod code;
#[cfg(test)]
mod tests;
mod words;

use askama::Template;
use cierre_kernel::cuit::Cuit;
use cierre_kernel::money::Money;
use cierre_kernel::time::Date;
use cierre_platform::Failure;
use cierre_platform::error::Doing;

use crate::rules::{
    DocumentType, InvoiceNumber, IssuerCondition, IvaCondition, Letter, pesos, voucher_type,
};
use code::Code;

/// What RG 5003 has printed on every document of type A for the simplified regime: the tax on it is no ordinary tax credit.
const SIMPLIFIED_REGIME: &str = "El crédito fiscal discriminado en el presente comprobante, sólo podrá ser computado a efectos del \
    Régimen de Sostenimiento e Inclusión Fiscal para Pequeños Contribuyentes de la Ley Nº 27.618";

/// Everything that the page shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printed<'a> {
    /// Book and number, and with them the letter and whether it is an invoice or a credit note.
    pub(crate) number: InvoiceNumber,
    /// The company's name.
    pub(crate) issuer_name: &'a str,
    /// Its CUIT.
    pub(crate) issuer_tax_id: Cuit,
    /// Its IVA condition.
    pub(crate) issuer_condition: IssuerCondition,
    /// Its address, which may have several lines.
    pub(crate) issuer_address: Option<&'a str>,
    /// The customer's number.
    pub(crate) customer_id: u32,
    /// The customer's name.
    pub(crate) receiver_name: &'a str,
    /// The customer's CUIT; none where it is not identified.
    pub(crate) receiver_tax_id: Option<Cuit>,
    /// The customer's IVA condition.
    pub(crate) receiver_condition: IvaCondition,
    /// Date of issue.
    pub(crate) issue_date: Date,
    /// The service's date: the period that is billed.
    pub(crate) service_date: Date,
    /// What is billed.
    pub(crate) description: &'a str,
    /// The amount without IVA.
    pub(crate) net: Money,
    /// The IVA; none on type C.
    pub(crate) iva: Option<Money>,
    /// The total.
    pub(crate) amount: Money,
    /// The authorisation code, fourteen digits.
    pub(crate) cae: &'a str,
    /// The last day on which it may be used.
    pub(crate) cae_due_date: Date,
    /// Where the QR code leads.
    pub(crate) qr_url: &'a str,
    /// The invoice that a credit note is about; none on an invoice.
    pub(crate) origin: Option<InvoiceNumber>,
    /// Why a credit note was made; none on an invoice.
    pub(crate) reason: Option<&'a str>,
}

/// The page.
///
/// # Errors
/// When the parts contradict each other (IVA on type C or none elsewhere, a credit note without origin or reason, an invoice with them): a
/// wrong fiscal document is worse than none. Also when the address is too long for a QR code.
pub(crate) fn render(printed: &Printed<'_>) -> Result<String, Failure> {
    Page::new(printed)?
        .render()
        .doing("rendering the printable document")
}

/// The template's values, each in the form in which it is printed.
#[derive(Template)]
#[template(path = "invoices/print/document.html")]
struct Page {
    title: &'static str,
    heading: &'static str,
    number: InvoiceNumber,
    letter: Letter,
    voucher_code: String,
    point_of_sale: String,
    serial: String,
    issue_date: Day,
    issuer_name: String,
    issuer_tax_id: String,
    issuer_condition: &'static str,
    issuer_address: Option<String>,
    service_date: Day,
    customer_id: u32,
    receiver_name: String,
    receiver_tax_id: Option<String>,
    /// Stands in for the receiver's CUIT when there is none.
    unidentified: &'static str,
    receiver_condition: &'static str,
    credit: Option<Credit>,
    description: String,
    taxes: Taxes,
    price: String,
    total: String,
    legend: Option<&'static str>,
    code: Code,
    cae: String,
    cae_due_date: Day,
}

/// A date for people and for programs.
struct Day {
    printed: String,
    iso: Date,
}

/// What only a credit note has.
struct Credit {
    origin: InvoiceNumber,
    reason: String,
}

/// How the tax is shown.
enum Taxes {
    /// Type A: beside the net amount, for the receiver may deduct it.
    Beside { net: String, iva: String },
    /// Type B: inside the price, and told to the consumer (law 27.743).
    Inside { iva: String, others: String },
    /// Type C: there is none.
    Without,
}

impl Page {
    fn new(printed: &Printed<'_>) -> Result<Self, Failure> {
        let number = printed.number;
        let letter = number.book().letter();
        let (title, heading) = words::kind(number.document_type());
        Ok(Self {
            title,
            heading,
            number,
            letter,
            voucher_code: format!("{:02}", voucher_type(&number)),
            point_of_sale: format!("{:05}", number.book().point_of_sale()),
            serial: format!("{:08}", number.number()),
            issue_date: Day::new(printed.issue_date),
            issuer_name: words::plain(printed.issuer_name),
            issuer_tax_id: words::hyphenated(printed.issuer_tax_id),
            issuer_condition: words::condition(printed.issuer_condition.condition()),
            issuer_address: printed.issuer_address.map(words::plain),
            service_date: Day::new(printed.service_date),
            customer_id: printed.customer_id,
            receiver_name: words::plain(printed.receiver_name),
            receiver_tax_id: printed.receiver_tax_id.map(words::hyphenated),
            unidentified: words::unidentified(printed.receiver_condition),
            receiver_condition: words::condition(printed.receiver_condition),
            credit: Credit::new(printed)?,
            description: words::plain(printed.description),
            taxes: Taxes::new(printed)?,
            price: words::amount(match letter {
                Letter::A => printed.net,
                Letter::B | Letter::C => printed.amount,
            }),
            total: words::amount(printed.amount),
            legend: legend(letter, printed.receiver_condition),
            code: Code::new(printed.qr_url)?,
            cae: words::plain(printed.cae),
            cae_due_date: Day::new(printed.cae_due_date),
        })
    }
}

impl Day {
    fn new(date: Date) -> Self {
        Self {
            printed: words::day(date),
            iso: date,
        }
    }
}

impl Credit {
    fn new(printed: &Printed<'_>) -> Result<Option<Self>, Failure> {
        let kind = printed.number.document_type();
        match (kind, printed.origin, printed.reason) {
            (DocumentType::Invoice, None, None) => Ok(None),
            (DocumentType::CreditNote, Some(origin), Some(reason)) => Ok(Some(Self {
                origin,
                reason: words::plain(reason),
            })),
            (DocumentType::Invoice, Some(_), _) | (DocumentType::Invoice, None, Some(_)) => Err(
                Failure::message("an invoice has the parts of a credit note"),
            ),
            (DocumentType::CreditNote, None, _) | (DocumentType::CreditNote, Some(_), None) => {
                Err(Failure::message("a credit note has no origin or no reason"))
            }
        }
    }
}

impl Taxes {
    fn new(printed: &Printed<'_>) -> Result<Self, Failure> {
        match (printed.number.book().letter(), printed.iva) {
            (Letter::A, Some(iva)) => Ok(Self::Beside {
                net: words::amount(printed.net),
                iva: words::amount(iva),
            }),
            (Letter::B, Some(iva)) => Ok(Self::Inside {
                iva: words::amount(iva),
                // Amounts consist of net and IVA, so no other tax hides in them. The rule wants the line all the same.
                others: words::amount(pesos(0)),
            }),
            (Letter::C, None) => Ok(Self::Without),
            (Letter::A | Letter::B, None) => {
                Err(Failure::message("a document of type A or B has no IVA"))
            }
            (Letter::C, Some(_)) => Err(Failure::message("a document of type C has IVA")),
        }
    }
}

/// What must be said about the tax on a document for this receiver.
fn legend(letter: Letter, receiver: IvaCondition) -> Option<&'static str> {
    let simplified = match receiver {
        IvaCondition::Monotributo
        | IvaCondition::MonotributistaSocial
        | IvaCondition::MonotributoPromovido => true,
        IvaCondition::ResponsableInscripto
        | IvaCondition::Exento
        | IvaCondition::ConsumidorFinal
        | IvaCondition::NoCategorizado
        | IvaCondition::ProveedorExterior
        | IvaCondition::ClienteExterior
        | IvaCondition::LiberadoLey19640
        | IvaCondition::NoAlcanzado => false,
    };
    match letter {
        Letter::A => simplified.then_some(SIMPLIFIED_REGIME),
        Letter::B | Letter::C => None,
    }
}
