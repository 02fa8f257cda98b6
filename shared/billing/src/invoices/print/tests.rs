//! The page is read as a reader sees it (its text), as a browser does (its markup) and as a telephone does (its QR code).

mod drawing;
mod escaping;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use cierre_kernel::time::parse_date;

const NOTICE: &str = "CAE SIMULADO – SIN VALIDEZ FISCAL";
const TRANSPARENCY: &str = "Régimen de Transparencia Fiscal al Consumidor (Ley 27.743)";

fn number(text: &str) -> InvoiceNumber {
    InvoiceNumber::parse(text).unwrap()
}

fn cuit(text: &str) -> Cuit {
    Cuit::parse(text).unwrap()
}

fn date(text: &str) -> Date {
    parse_date(text).unwrap()
}

/// A document of 1500.00 with everything that its number says it must have.
fn document(text: &str) -> Printed<'static> {
    let number = number(text);
    let (net, iva) = match number.book().letter() {
        Letter::A | Letter::B => (123_967, Some(26_033)),
        Letter::C => (150_000, None),
    };
    let (issuer_condition, receiver_condition) = match number.book().letter() {
        Letter::A => (
            IssuerCondition::ResponsableInscripto,
            IvaCondition::ResponsableInscripto,
        ),
        Letter::B => (
            IssuerCondition::ResponsableInscripto,
            IvaCondition::ConsumidorFinal,
        ),
        Letter::C => (IssuerCondition::Monotributo, IvaCondition::Exento),
    };
    let (origin, reason) = match number.document_type() {
        DocumentType::Invoice => (None, None),
        DocumentType::CreditNote => (
            Some(InvoiceNumber::invoice(number.book(), 917).unwrap()),
            Some("Faltaron dos bultos"),
        ),
    };
    Printed {
        number,
        issuer_name: "Logística del Plata S.A.",
        issuer_tax_id: cuit("30-00000000-7"),
        issuer_condition,
        issuer_address: Some("Av. Paseo Colón 1250\nBuenos Aires"),
        customer_id: 2048,
        receiver_name: "Ferretería Rosario S.R.L.",
        receiver_tax_id: Some(cuit("30-00000001-5")),
        receiver_condition,
        issue_date: date("2024-01-31"),
        service_date: date("2024-01-05"),
        description: "Flete Rosario – Córdoba",
        net: pesos(net),
        iva: iva.map(pesos),
        amount: pesos(150_000),
        cae: "10000100000002",
        cae_due_date: date("2024-02-10"),
        qr_url: "https://www.afip.gob.ar/fe/qr/?p=eyJ2ZXIiOjF9",
        origin,
        reason,
    }
}

/// The text of the body, blanks joined.
fn text_of(page: &str) -> String {
    let (_, body) = page.split_once("<body>").unwrap();
    let mut text = String::new();
    for part in body.split('<') {
        let content = part.split_once('>').map_or(part, |(_, content)| content);
        text.push_str(content);
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shown(printed: &Printed<'_>) -> String {
    text_of(&render(printed).unwrap())
}

fn assert_shows(text: &str, expected: &[&str]) {
    for part in expected {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

fn assert_hides(text: &str, unexpected: &[&str]) {
    for part in unexpected {
        assert!(!text.contains(part), "{part:?} is in {text}");
    }
}

#[rstest]
#[case(
    "A-0001-00000002",
    "A COD. 01 FACTURA Punto de Venta: 00001 Comp. Nro: 00000002"
)]
#[case(
    "B-99999-99999999",
    "B COD. 06 FACTURA Punto de Venta: 99999 Comp. Nro: 99999999"
)]
#[case(
    "C-0012-00000345",
    "C COD. 11 FACTURA Punto de Venta: 00012 Comp. Nro: 00000345"
)]
#[case(
    "A-0001-NC-00000002",
    "A COD. 03 NOTA DE CRÉDITO Punto de Venta: 00001 Comp. Nro: 00000002"
)]
#[case(
    "B-0001-NC-00000002",
    "B COD. 08 NOTA DE CRÉDITO Punto de Venta: 00001 Comp. Nro: 00000002"
)]
#[case(
    "C-0001-NC-00000002",
    "C COD. 13 NOTA DE CRÉDITO Punto de Venta: 00001 Comp. Nro: 00000002"
)]
fn every_document_shows_its_kind_parties_dates_total_and_authorisation(
    #[case] text: &str,
    #[case] head: &str,
) {
    let page = render(&document(text)).unwrap();
    assert_shows(
        &text_of(&page),
        &[
            head,
            "Razón Social: Logística del Plata S.A.",
            "Domicilio Comercial: Av. Paseo Colón 1250 Buenos Aires",
            "CUIT: 30-00000000-7",
            "Fecha de Emisión: 31/01/2024",
            "Período facturado: 05/01/2024",
            "CUIT: 30-00000001-5",
            "Apellido y Nombre / Razón Social: Ferretería Rosario S.R.L.",
            "N° de cliente: 2048",
            "Flete Rosario – Córdoba 1 $ ",
            "Importe Total $ 1.500,00",
            "CAE N°: 10000100000002",
            "Fecha de Vto. de CAE: 10/02/2024",
            NOTICE,
        ],
    );
    assert!(page.contains("<svg"), "{page}");
}

#[rstest]
#[case("A-0001-00000002", "<title>Factura A-0001-00000002</title>")]
#[case(
    "B-0001-NC-00000007",
    "<title>Nota de Crédito B-0001-NC-00000007</title>"
)]
fn the_title_names_the_document(#[case] text: &str, #[case] title: &str) {
    assert_shows(&render(&document(text)).unwrap(), &[title]);
}

#[rstest]
#[case("A-0001-00000002")]
#[case("A-0001-NC-00000002")]
fn type_a_shows_the_tax_beside_the_net_amount(#[case] text: &str) {
    let text = shown(&document(text));
    assert_shows(
        &text,
        &[
            "Flete Rosario – Córdoba 1 $ 1.239,67 21 % $ 1.239,67",
            "Importe Neto Gravado $ 1.239,67 IVA 21 % $ 260,33 Importe Total $ 1.500,00",
            "Condición frente al IVA: IVA Responsable Inscripto",
        ],
    );
    assert_hides(&text, &["IVA Contenido", TRANSPARENCY]);
}

#[rstest]
#[case("B-0001-00000002")]
#[case("B-0001-NC-00000002")]
fn type_b_includes_the_tax_and_tells_the_consumer(#[case] text: &str) {
    let text = shown(&document(text));
    let transparency = format!(
        "{TRANSPARENCY} IVA Contenido $ 260,33 Otros Impuestos Nacionales Indirectos $ 0,00"
    );
    assert_shows(
        &text,
        &[
            "Flete Rosario – Córdoba 1 $ 1.500,00 $ 1.500,00",
            &transparency,
            "Condición frente al IVA: Consumidor Final",
        ],
    );
    assert_hides(
        &text,
        &["Importe Neto", "1.239,67", "IVA 21", "Alícuota", "21 %"],
    );
}

#[rstest]
#[case("C-0001-00000002")]
#[case("C-0001-NC-00000002")]
fn type_c_knows_no_tax(#[case] text: &str) {
    let text = shown(&document(text));
    assert_shows(
        &text,
        &[
            "Flete Rosario – Córdoba 1 $ 1.500,00 $ 1.500,00",
            "Condición frente al IVA: Responsable Monotributo",
            "Condición frente al IVA: IVA Sujeto Exento",
        ],
    );
    let rest = text
        .replace("Condición frente al IVA:", "")
        .replace("IVA Sujeto Exento", "");
    assert_hides(
        &rest,
        &["IVA", "Neto", "Alícuota", "%", "27.743", "Impuestos"],
    );
}

#[rstest]
fn a_credit_note_names_its_origin_and_reason(
    #[values("A-0001-NC-00000002", "B-0001-NC-00000002", "C-0001-NC-00000002")] text: &str,
) {
    let letter = &text[..1];
    let expected =
        format!("Comprobante asociado: Factura {letter}-0001-00000917 Motivo: Faltaron dos bultos");
    assert_shows(&shown(&document(text)), &[&expected]);
}

#[rstest]
fn an_invoice_has_neither(
    #[values("A-0001-00000002", "B-0001-00000002", "C-0001-00000002")] text: &str,
) {
    assert_hides(
        &shown(&document(text)),
        &["Comprobante asociado", "Motivo", "NOTA DE CRÉDITO"],
    );
}

#[rstest]
#[case(IvaCondition::ConsumidorFinal, "Documento: Consumidor Final")]
#[case(IvaCondition::ClienteExterior, "Documento: Sin identificar")]
#[case(IvaCondition::ProveedorExterior, "Documento: Sin identificar")]
fn a_receiver_without_cuit_is_named_as_such(
    #[case] receiver_condition: IvaCondition,
    #[case] expected: &str,
) {
    let text = shown(&Printed {
        receiver_tax_id: None,
        receiver_condition,
        ..document("B-0001-00000002")
    });
    assert_shows(&text, &[expected]);
    assert_eq!(text.matches("CUIT:").count(), 1, "{text}");
}

#[test]
fn every_condition_is_told_in_words() {
    for condition in IvaCondition::ALL {
        let text = shown(&Printed {
            receiver_condition: condition,
            ..document("C-0001-00000002")
        });
        assert_hides(&text, &[condition.as_str()]);
        let expected = format!("Condición frente al IVA: {}", words::condition(condition));
        assert_shows(&text, &[&expected]);
    }
}

#[test]
fn the_simplified_regime_is_told_what_the_tax_on_type_a_is_good_for() {
    for condition in IvaCondition::ALL {
        for book in ["A-0001", "A-0001-NC", "B-0001", "C-0001"] {
            let text = shown(&Printed {
                receiver_condition: condition,
                ..document(&format!("{book}-00000002"))
            });
            let expected = book.starts_with('A')
                && condition.may_receive(Letter::A)
                && condition != IvaCondition::ResponsableInscripto;
            assert_eq!(text.contains(SIMPLIFIED_REGIME), expected, "{condition}");
        }
    }
}

#[test]
fn an_unknown_address_leaves_no_empty_line() {
    let text = shown(&Printed {
        issuer_address: None,
        ..document("A-0001-00000002")
    });
    assert_hides(&text, &["Domicilio"]);
}

#[rstest]
#[case::a_without_tax(Printed { iva: None, ..document("A-0001-00000002") })]
#[case::b_without_tax(Printed { iva: None, ..document("B-0001-00000002") })]
#[case::c_with_tax(Printed { iva: Some(pesos(0)), ..document("C-0001-00000002") })]
#[case::note_without_origin(Printed { origin: None, ..document("A-0001-NC-00000002") })]
#[case::note_without_reason(Printed { reason: None, ..document("A-0001-NC-00000002") })]
#[case::invoice_with_origin(Printed { origin: Some(number("A-0001-00000001")), ..document("A-0001-00000002") })]
#[case::invoice_with_reason(Printed { reason: Some("Error"), ..document("A-0001-00000002") })]
fn a_contradiction_is_not_printed(#[case] printed: Printed<'_>) {
    assert!(render(&printed).is_err());
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let page = render(&document("B-0001-NC-00000002")).unwrap();
    assert!(page.starts_with("<!doctype html>\n<html lang=\"es-AR\">"));
    // What a browser would load, run or refuse under the policy. The address in the QR code is drawn, not written.
    let page = page.replace(r#"<link rel="icon" href="data:,">"#, "");
    assert_hides(
        &page,
        &[
            "<script",
            "<link",
            "<img",
            "<iframe",
            "<use",
            "src=",
            "href=",
            "http",
            "url(",
            "@import",
            " style=",
            " on",
            "javascript:",
        ],
    );
}

#[test]
fn the_page_prints_on_a4_and_can_be_heard() {
    let page = render(&document("A-0001-NC-00000002")).unwrap();
    assert_shows(
        &page,
        &[
            "@page { size: A4;",
            r#"<svg class="code" role="img" aria-label="Código QR"#,
            "<caption>",
        ],
    );
    let headers = page.matches("<th").count() - page.matches("<thead").count();
    assert_eq!(page.matches("<th scope=").count(), headers, "{page}");
}

#[rstest]
#[case(0, "$ 0,00")]
#[case(1, "$ 0,01")]
#[case(99_999, "$ 999,99")]
#[case(150_000, "$ 1.500,00")]
#[case(9_999_999_999, "$ 99.999.999,99")]
#[case(100_000_000, "$ 1.000.000,00")]
#[case(-150_000, "-$ 1.500,00")]
fn amounts_are_written_as_in_argentina(#[case] minor: i64, #[case] expected: &str) {
    assert_eq!(words::amount(pesos(minor)), expected);
}

#[rstest]
#[case("2024-01-31", "31/01/2024")]
#[case("0987-12-01", "01/12/0987")]
fn dates_start_with_the_day(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(words::day(date(text)), expected);
}

#[rstest]
#[case("20000000001", "20-00000000-1")]
#[case("33693450239", "33-69345023-9")]
fn a_cuit_has_its_hyphens(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(words::hyphenated(cuit(text)), expected);
}

proptest! {
    #[test]
    fn amounts_have_two_decimals_and_dots_between_thousands(minor: i64) {
        let text = words::amount(pesos(minor));
        let figures = text.strip_prefix(if minor < 0 { "-$ " } else { "$ " }).unwrap();
        let (whole, cents) = figures.split_once(',').unwrap();
        prop_assert_eq!(cents.len(), 2);
        let groups: Vec<&str> = whole.split('.').collect();
        prop_assert!((1..=3).contains(&groups[0].len()));
        prop_assert!(groups[1..].iter().all(|group| group.len() == 3));
        let digits = figures.replace(['.', ','], "");
        prop_assert_eq!(digits.parse(), Ok(minor.unsigned_abs()));
    }

    #[test]
    fn every_amount_is_on_the_page(net in 0..=9_999_999_999_i64, iva in 0..=9_999_999_999_i64) {
        let amounts = [pesos(net), pesos(iva), pesos(net + iva)];
        let [net, iva, amount] = amounts;
        let text = shown(&Printed { net, iva: Some(iva), amount, ..document("A-0001-00000002") });
        for expected in amounts.map(words::amount) {
            prop_assert!(text.contains(&format!(" {expected} ")), "{} is not in {}", expected, text);
        }
    }
}
