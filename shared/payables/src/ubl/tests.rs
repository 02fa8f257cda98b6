//! Documents made for these tests, no two of one structure, and hostile ones.

use cierre_kernel::codes;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::entity::factura::Datos;
use crate::entity::fixtures::{asignacion, day};
use crate::nit::Nit;

/// An `Invoice` in the usual prefixes, plain.
const PLAIN: &str = include_str!("samples/plain.xml");
/// An `AttachedDocument` that holds one in CDATA.
const ATTACHED: &str = include_str!("samples/attached.xml");
/// An `Invoice` in other prefixes, the basic components without any, written for ISO-8859-1.
const PREFIXES: &str = include_str!("samples/prefixes.xml");

fn today() -> cierre_kernel::time::Date {
    day("2026-03-01")
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

fn facts(bytes: &[u8]) -> Result<Datos, Fallo> {
    leer(bytes)?.datos(None, None, today())
}

fn fails(bytes: &[u8]) -> Fallo {
    facts(bytes).unwrap_err()
}

fn code(text: &str) -> &'static str {
    fails(text.as_bytes()).code.as_str()
}

/// Line, column and path of a failure.
fn place(fallo: &Fallo) -> (Option<u32>, Option<u32>, &str) {
    let lugar = fallo.lugar.as_deref().unwrap();
    (
        lugar.linea,
        lugar.columna,
        lugar.ruta.as_deref().unwrap_or_default(),
    )
}

/// The plain invoice with a piece of it replaced.
fn with(piece: &str, other: &str) -> String {
    assert!(PLAIN.contains(piece), "{piece}");
    PLAIN.replacen(piece, other, 1)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A text in CDATA sections; one that holds the end of a section is split there.
fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

/// The attached document around another content.
fn attached(content: &str) -> String {
    let start = ATTACHED.find("<![CDATA[").unwrap();
    let end = ATTACHED.find("]]>").unwrap() + 3;
    format!("{}{content}{}", &ATTACHED[..start], &ATTACHED[end..])
}

#[test]
fn a_plain_invoice_is_read_by_the_contracts_paths() {
    let datos = facts(PLAIN.as_bytes()).unwrap();
    assert_eq!(datos.numero, "SETP990000002");
    assert_eq!(datos.nit, Nit::parse("900373923-8").unwrap());
    assert_eq!(datos.proveedor, "Aseo Total S.A.S. & Cía");
    assert_eq!(
        (datos.fecha_emision, datos.fecha_vencimiento),
        (day("2026-02-05"), Some(day("2026-03-07")))
    );
    assert_eq!(
        (
            datos.importe.0.to_string().as_str(),
            datos.importe.moneda().code()
        ),
        ("8500000.00", "COP")
    );
    assert_eq!(datos.concepto, "Aseo oficinas febrero 2026");
    assert_eq!(
        datos.cufe.as_deref(),
        Some(
            "941cf36af62dbbc06f105d2a80e9bfe683a90e84960eae4d351cc3afbe8f848c26c39bac4fbc80fa254824c6369ea694"
        )
    );
    let items: Vec<_> = datos
        .items
        .iter()
        .map(|item| {
            let show = |cifra: Option<crate::cifra::Cifra>| {
                cifra.map(|one| one.to_string()).unwrap_or_default()
            };
            (
                item.descripcion.as_str(),
                show(item.cantidad),
                show(item.valor_unitario),
                show(item.total),
            )
        })
        .collect();
    assert_eq!(
        items,
        [
            (
                "Aseo oficinas febrero 2026",
                "1.000000".into(),
                "7500000.00".into(),
                "7500000.00".into()
            ),
            (
                "Vidrios <exteriores>",
                "4".into(),
                "250000.123456".into(),
                "1000000.00".into()
            ),
        ]
    );
    assert_eq!(datos.items_omitidos, 0);
}

#[test]
fn an_attached_document_is_read_through_cdata_and_through_escapes() {
    let datos = facts(ATTACHED.as_bytes()).unwrap();
    assert_eq!(
        (datos.numero.as_str(), datos.nit.to_string().as_str()),
        ("FV-77", "860069804-2")
    );
    assert_eq!(datos.importe.0.to_string(), "310.50");
    assert_eq!(datos.importe.moneda().code(), "USD");
    assert_eq!(
        datos.fecha_vencimiento,
        Some(day("2026-02-28")),
        "the invoice's own due date where no payment means has one"
    );
    let expected = facts(PLAIN.as_bytes()).unwrap();
    assert_eq!(
        facts(attached(&escaped(PLAIN)).as_bytes()).unwrap(),
        expected
    );
    assert_eq!(
        facts(attached(&format!("\n  {}\n", cdata(PLAIN))).as_bytes()).unwrap(),
        expected
    );
}

#[test]
fn prefixes_and_encodings_do_not_matter() {
    let bytes = latin1(PREFIXES);
    assert!(std::str::from_utf8(&bytes).is_err());
    let datos = facts(&bytes).unwrap();
    assert_eq!(
        (datos.proveedor.as_str(), datos.concepto.as_str()),
        ("Compañía Eléctrica Ñandú", "Energía marzo")
    );
    assert_eq!(
        datos.nit.to_string(),
        "890321567-0",
        "computed where it is absent"
    );
    let utf8 = PREFIXES.replacen("ISO-8859-1", "utf-8", 1);
    assert_eq!(facts(utf8.as_bytes()).unwrap(), datos);
    assert_eq!(facts(format!("\u{feff}{utf8}").as_bytes()).unwrap(), datos);
}

#[rstest]
#[case::doctype("<!DOCTYPE Invoice>")]
#[case::external(r#"<!DOCTYPE Invoice SYSTEM "http://127.0.0.1/x.dtd">"#)]
#[case::entity(r#"<!DOCTYPE Invoice [<!ENTITY x SYSTEM "file:///etc/passwd">]>"#)]
#[case::bomb(
    r#"<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"#
)]
#[case::parameter(r#"<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1/p"> %p;]>"#)]
#[case::open("<!DOCTYPE Invoice [<!ENTITY a 'x'")]
fn a_document_type_is_refused_where_it_begins(#[case] doctype: &str) {
    let fallo = fails(with("<Invoice ", &format!("{doctype}\n<Invoice ")).as_bytes());
    assert_eq!(fallo.code, codes::XML_INSEGURO);
    assert_eq!(place(&fallo).0, Some(2));
    let inner = with("<Invoice ", &format!("{doctype}\n<Invoice "));
    let fallo = fails(attached(&escaped(&inner)).as_bytes());
    assert_eq!(
        fallo.code,
        codes::XML_INSEGURO,
        "also within another document"
    );
}

#[test]
fn an_element_has_so_many_attributes_at_most() {
    let many = |count: usize| {
        let extra: String = (0..count).map(|n| format!(" a{n}='x'")).collect();
        with("<cbc:UUID", &format!("<cbc:UUID{extra}"))
    };
    assert!(
        facts(many(255).as_bytes()).is_ok(),
        "and the one that it has"
    );
    assert_eq!(code(&many(256)), "xml_inseguro");
}

#[test]
fn elements_lie_sixty_four_deep_at_most() {
    let nest = |depth: usize| {
        let extra = format!(
            "{}{}",
            "<cbc:Note>".repeat(depth),
            "</cbc:Note>".repeat(depth)
        );
        let version = "<cbc:UBLVersionID>";
        with(version, &format!("{extra}{version}"))
    };
    assert!(facts(nest(63).as_bytes()).is_ok());
    assert_eq!(code(&nest(64)), "xml_inseguro");
}

#[rstest]
#[case::truncated("</Invoice>", "", 65)]
#[case::wrong_end("</cbc:UUID>", "</cbc:ID>", 12)]
#[case::unknown_entity("SETP990000002", "SETP&xxe;", 11)]
#[case::bare_ampersand("SETP990000002", "SETP & 2", 11)]
#[case::no_character("SETP990000002", "SETP&#1;", 11)]
#[case::control("SETP990000002", "SETP\u{1}", 11)]
#[case::unknown_prefix("<cbc:ID>SETP990000002</cbc:ID>", "<zzz:ID>1</zzz:ID>", 11)]
#[case::attribute_twice("<cbc:UUID", "<cbc:UUID a='1' a='2'", 12)]
#[case::attribute_entity("<cbc:UUID", "<cbc:UUID a='&xxe;'", 12)]
#[case::second_root("</Invoice>", "</Invoice><Invoice/>", 64)]
#[case::text_after("</Invoice>", "</Invoice>tail", 64)]
fn what_is_not_well_formed_is_told_with_its_line(
    #[case] piece: &str,
    #[case] other: &str,
    #[case] line: u32,
) {
    let fallo = fails(with(piece, other).as_bytes());
    assert_eq!(fallo.code, codes::XML_MAL_FORMADO, "{fallo}");
    let lines = u32::try_from(PLAIN.lines().count()).unwrap();
    let line = match line {
        65 => lines + 1,
        64 => lines,
        line => line,
    };
    assert_eq!(place(&fallo).0, Some(line), "{fallo:?}");
}

#[rstest]
#[case::nothing(b"")]
#[case::blank(b" \n ")]
#[case::text(b"hello")]
#[case::comment(b"<!-- x -->")]
#[case::binary(b"PK\x03\x04")]
fn what_is_no_document_is_refused(#[case] bytes: &[u8]) {
    assert_eq!(fails(bytes).code, codes::XML_MAL_FORMADO);
}

#[test]
fn other_encodings_are_refused() {
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(PLAIN.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert_eq!(fails(&utf16).code, codes::CODIFICACION_NO_ADMITIDA);
    assert_eq!(
        fails(&utf16[2..]).code,
        codes::CODIFICACION_NO_ADMITIDA,
        "without its mark, too"
    );
    assert_eq!(
        code(&with("UTF-8", "windows-1252")),
        "codificacion_no_admitida"
    );
    assert_eq!(code(&with("UTF-8", "UTF-7")), "codificacion_no_admitida");
    let undeclared = fails(&latin1(&with(r#" encoding="UTF-8""#, "")));
    assert_eq!(undeclared.code, codes::CODIFICACION_NO_ADMITIDA);
    assert_eq!(
        place(&undeclared).0,
        Some(20),
        "where the first such letter stands"
    );
    let marked = format!("\u{feff}{}", with("UTF-8", "ISO-8859-1"));
    assert_eq!(code(&marked), "codificacion_no_admitida");
    assert_eq!(
        code(&attached(&escaped(&with("UTF-8", "UTF-16")))),
        "codificacion_no_admitida"
    );
}

#[rstest]
#[case("CreditNote")]
#[case("DebitNote")]
#[case("ApplicationResponse")]
#[case("html")]
fn other_documents_are_not_taken(#[case] root: &str) {
    let ns = format!("urn:oasis:names:specification:ubl:schema:xsd:{root}-2");
    let fallo = fails(format!(r#"<{root} xmlns="{ns}"><x/></{root}>"#).as_bytes());
    assert_eq!(
        (fallo.code, fallo.valor.as_deref()),
        (codes::TIPO_DOCUMENTO_NO_ADMITIDO, Some(root))
    );
    let inner = escaped(&format!(r#"<{root} xmlns="{ns}"/>"#));
    assert_eq!(code(&attached(&inner)), "tipo_documento_no_admitido");
}

#[test]
fn an_invoice_is_known_by_its_namespace_and_opened_one_level_deep() {
    assert_eq!(code("<Invoice/>"), "tipo_documento_no_admitido");
    assert_eq!(
        code(&with("Invoice-2", "Invoice-1")),
        "tipo_documento_no_admitido"
    );
    assert_eq!(
        code(&attached(&escaped(ATTACHED))),
        "tipo_documento_no_admitido"
    );
    let elsewhere = ATTACHED.replace("cac:Attachment>", "cac:ParentDocumentLineReference>");
    let fallo = fails(elsewhere.as_bytes());
    assert_eq!(fallo.code, codes::CAMPO_FALTANTE);
    assert_eq!(
        place(&fallo).2,
        "AttachedDocument/cac:Attachment/cac:ExternalReference/cbc:Description"
    );
}

#[rstest]
#[case("<cbc:ID>SETP990000002</cbc:ID>", "Invoice/cbc:ID")]
#[case("<cbc:IssueDate>2026-02-05</cbc:IssueDate>", "Invoice/cbc:IssueDate")]
#[case(
    "<cbc:DocumentCurrencyCode>COP</cbc:DocumentCurrencyCode>",
    "Invoice/cbc:DocumentCurrencyCode"
)]
#[case(
    r#"<cbc:CompanyID schemeID="8" schemeName="31">900373923</cbc:CompanyID>"#,
    "Invoice/cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID"
)]
#[case(
    "<cbc:RegistrationName>Aseo Total S.A.S. &amp; Cía</cbc:RegistrationName>",
    "Invoice/cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:RegistrationName"
)]
#[case(
    r#"<cbc:PayableAmount currencyID="COP">8500000.0000</cbc:PayableAmount>"#,
    "Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount"
)]
#[case(
    "<cbc:Description>Aseo oficinas febrero 2026</cbc:Description>",
    "Invoice/cac:InvoiceLine/cac:Item/cbc:Description"
)]
fn an_absent_field_is_told_by_its_path(#[case] piece: &str, #[case] path: &str) {
    let fallo = fails(with(piece, "").as_bytes());
    assert_eq!((fallo.code, place(&fallo).2), (codes::CAMPO_FALTANTE, path));
}

#[rstest]
#[case("900373923<", "90037392X<", "campo_invalido", 19)]
#[case(r#"schemeID="8""#, r#"schemeID="7""#, "campo_invalido", 19)]
#[case("2026-02-05<", "05/02/2026<", "campo_invalido", 13)]
#[case("2026-02-05<", "2026-03-02<", "fecha_futura", 13)]
#[case("2026-03-07<", "2026-02-04<", "fecha_invalida", 37)]
#[case(">COP<", ">MXN<", "campo_invalido", 14)]
#[case(
    r#"currencyID="COP">8500000.0000"#,
    r#"currencyID="USD">8500000.0000"#,
    "moneda_inconsistente",
    41
)]
#[case(
    r#"<cbc:PayableAmount currencyID="COP""#,
    "<cbc:PayableAmount",
    "moneda_inconsistente",
    41
)]
#[case("8500000.0000", "8500000.0010", "campo_invalido", 41)]
#[case("8500000.0000", "1000000000000.00", "importe_fuera_de_rango", 41)]
#[case("8500000.0000", "0.00", "total_no_positivo", 41)]
#[case("8500000.0000", "8.500.000", "campo_invalido", 41)]
#[case(">4<", ">four<", "campo_invalido", 53)]
#[case("SETP990000002", "----", "campo_invalido", 11)]
fn a_malformed_field_is_told_with_line_path_and_value(
    #[case] piece: &str,
    #[case] other: &str,
    #[case] code: &str,
    #[case] line: u32,
) {
    let fallo = fails(with(piece, other).as_bytes());
    assert_eq!(fallo.code.as_str(), code, "{fallo}");
    let (found, column, path) = place(&fallo);
    assert_eq!(found, Some(line), "{fallo:?}");
    assert!(column.is_some() && path.starts_with("Invoice/"));
    assert!(fallo.valor.is_some());
}

#[test]
fn a_failure_within_another_document_is_placed_in_the_file() {
    let bad = with("2026-02-05<", "05/02/2026<");
    let whole = attached(&cdata(&bad));
    let fallo = fails(whole.as_bytes());
    let (line, column, path) = place(&fallo);
    let expected = whole
        .lines()
        .position(|line| line.contains("05/02/2026"))
        .unwrap()
        + 1;
    assert_eq!(line, Some(u32::try_from(expected).unwrap()));
    let text = whole.lines().nth(expected - 1).unwrap();
    assert_eq!(
        column,
        Some(u32::try_from(text.find("<cbc:IssueDate").unwrap()).unwrap() + 1)
    );
    assert_eq!(
        path,
        "AttachedDocument/cac:Attachment/cac:ExternalReference/cbc:Description/Invoice/cbc:IssueDate"
    );
    let fallo = fails(attached(&escaped(&bad)).as_bytes());
    assert_eq!(place(&fallo).0, Some(u32::try_from(expected).unwrap()));
}

#[test]
fn the_addressee_is_checked_where_the_policy_says_so() {
    let lectura = leer(PLAIN.as_bytes()).unwrap();
    let ours = Some(Nit::parse("900123456-8").unwrap());
    assert!(lectura.datos(None, ours, today()).is_ok());
    let fallo = lectura
        .datos(None, Some(Nit::parse("800197268-4").unwrap()), today())
        .unwrap_err();
    assert_eq!(
        (fallo.code, fallo.valor.as_deref()),
        (codes::DESTINATARIO_AJENO, Some("900123456"))
    );
    let nobody = with("900123456<", "<");
    let fallo = leer(nobody.as_bytes())
        .unwrap()
        .datos(None, ours, today())
        .unwrap_err();
    assert_eq!(fallo.code, codes::CAMPO_FALTANTE);
}

#[test]
fn the_assignment_names_a_supplier_whom_the_invoice_does_not() {
    let nameless = with(
        "<cbc:RegistrationName>Aseo Total S.A.S. &amp; Cía</cbc:RegistrationName>",
        "",
    );
    let lectura = leer(nameless.as_bytes()).unwrap();
    let datos = lectura
        .datos(Some(&asignacion("jperez")), None, today())
        .unwrap();
    assert_eq!(datos.proveedor, "Aseo Total SAS");
}

#[test]
fn texts_are_cut_and_lines_beyond_the_limit_are_counted() {
    let long = "ñ".repeat(600);
    let datos = facts(with("Aseo oficinas febrero 2026", &long).as_bytes()).unwrap();
    let lengths = (
        datos.concepto.chars().count(),
        datos.items[0].descripcion.chars().count(),
    );
    assert_eq!(lengths, (500, 200));
    let line = "<cac:InvoiceLine><cac:Item><cbc:Description>x</cbc:Description></cac:Item></cac:InvoiceLine>";
    let many = with("</Invoice>", &format!("{}</Invoice>", line.repeat(501)));
    let datos = facts(many.as_bytes()).unwrap();
    assert_eq!((datos.items.len(), datos.items_omitidos), (500, 3));
}

#[test]
fn a_file_over_five_mebibytes_is_not_read() {
    let most = usize::try_from(MAX_BYTES).unwrap();
    assert_eq!(
        fails(&vec![b' '; most + 1]).code,
        codes::ARCHIVO_DEMASIADO_GRANDE
    );
    assert_eq!(fails(&vec![b' '; most]).code, codes::XML_MAL_FORMADO);
    let mut padded = PLAIN.to_owned();
    padded.push_str(&" ".repeat(most - PLAIN.len()));
    assert!(facts(padded.as_bytes()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever is cut off or changed, the answer is a factura or one failure; nothing panics.
    #[test]
    fn a_damaged_document_is_read_or_refused(which in 0..3_usize, cut_at in 0..8000_usize, at in 0..8000_usize, byte: u8) {
        let mut bytes = latin1(&[PLAIN, ATTACHED, PREFIXES][which].replace('\u{2019}', "'"));
        bytes.truncate(cut_at.max(1));
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Err(fallo) = facts(&bytes) {
            prop_assert!(fallo.valor.as_ref().is_none_or(|valor| valor.chars().count() <= 100));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(leer(&bytes).is_err());
    }
}
