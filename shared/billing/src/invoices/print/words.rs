//! Words and forms that an Argentine reader expects.

use cierre_kernel::cuit::Cuit;
use cierre_kernel::money::Money;
use cierre_kernel::time::Date;

use crate::rules::{DocumentType, IvaCondition};

/// The name of a kind of document, in a title and as the heading.
pub(super) const fn kind(document_type: DocumentType) -> (&'static str, &'static str) {
    match document_type {
        DocumentType::Invoice => ("Factura", "FACTURA"),
        DocumentType::CreditNote => ("Nota de Crédito", "NOTA DE CRÉDITO"),
    }
}

/// A condition in the tax authority's words.
pub(super) const fn condition(condition: IvaCondition) -> &'static str {
    match condition {
        IvaCondition::ResponsableInscripto => "IVA Responsable Inscripto",
        IvaCondition::Exento => "IVA Sujeto Exento",
        IvaCondition::ConsumidorFinal => "Consumidor Final",
        IvaCondition::Monotributo => "Responsable Monotributo",
        IvaCondition::NoCategorizado => "Sujeto No Categorizado",
        IvaCondition::ProveedorExterior => "Proveedor del Exterior",
        IvaCondition::ClienteExterior => "Cliente del Exterior",
        IvaCondition::LiberadoLey19640 => "IVA Liberado – Ley Nº 19.640",
        IvaCondition::MonotributistaSocial => "Monotributista Social",
        IvaCondition::NoAlcanzado => "IVA No Alcanzado",
        IvaCondition::MonotributoPromovido => "Monotributo Trabajador Independiente Promovido",
    }
}

/// What stands in the place of a CUIT that a receiver does not have.
pub(super) const fn unidentified(condition: IvaCondition) -> &'static str {
    match condition {
        IvaCondition::ConsumidorFinal => "Consumidor Final",
        IvaCondition::ResponsableInscripto
        | IvaCondition::Exento
        | IvaCondition::Monotributo
        | IvaCondition::NoCategorizado
        | IvaCondition::ProveedorExterior
        | IvaCondition::ClienteExterior
        | IvaCondition::LiberadoLey19640
        | IvaCondition::MonotributistaSocial
        | IvaCondition::NoAlcanzado
        | IvaCondition::MonotributoPromovido => "Sin identificar",
    }
}

/// `31/01/2024`
pub(super) fn day(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
}

/// `30-00000000-7`
pub(super) fn hyphenated(cuit: Cuit) -> String {
    let number = cuit.number();
    let (prefix, body, check) = (
        number / 1_000_000_000,
        number / 10 % 100_000_000,
        number % 10,
    );
    format!("{prefix:02}-{body:08}-{check}")
}

/// `$ 1.500,00`
pub(super) fn amount(money: Money) -> String {
    let minor = money.minor();
    let sign = if minor < 0 { "-" } else { "" };
    let (whole, cents) = (minor.unsigned_abs() / 100, minor.unsigned_abs() % 100);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.char_indices() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    format!("{sign}$ {grouped},{cents:02}")
}

/// A text without the invisible characters that change the direction of writing. With them a name could be made to look like another one,
/// or a number to be read backwards; escaping does not touch them.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !turns_writing(*c)).collect()
}

const fn turns_writing(c: char) -> bool {
    matches!(
        c,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}
