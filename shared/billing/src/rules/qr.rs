//! The QR code that every invoice carries (RG 4892).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cierre_kernel::cuit::Cuit;
use cierre_kernel::money::Money;
use cierre_kernel::time::Date;

use super::{DocumentType, InvoiceNumber, Letter};

const ADDRESS: &str = "https://www.afip.gob.ar/fe/qr/?p=";
/// The authority's number for a receiver identified by CUIT.
const WITH_CUIT: u8 = 80;
/// Its number for an unidentified receiver, and the document number that goes with it.
const UNIDENTIFIED: (u8, u64) = (99, 0);

/// What the code tells of a document.
#[derive(Clone, Copy, Debug)]
pub struct QrContent {
    /// Date of issue.
    pub issue_date: Date,
    /// The issuer.
    pub issuer: Cuit,
    /// Book, type and number.
    pub number: InvoiceNumber,
    /// The total.
    pub amount: Money,
    /// The receiver, where it is identified.
    pub receiver: Option<Cuit>,
    /// The authorisation code.
    pub cae: u64,
}

impl QrContent {
    /// The compact JSON, its keys in the order that the rule lists.
    pub fn payload(&self) -> String {
        let (receiver_type, receiver) = match self.receiver {
            Some(cuit) => (WITH_CUIT, cuit.number()),
            None => UNIDENTIFIED,
        };
        format!(
            concat!(
                r#"{{"ver":1,"fecha":"{}","cuit":{},"ptoVta":{},"tipoCmp":{},"nroCmp":{},"importe":{},"moneda":"PES","ctz":1,"#,
                r#""tipoDocRec":{},"nroDocRec":{},"tipoCodAut":"E","codAut":{}}}"#
            ),
            self.issue_date,
            self.issuer,
            self.number.book().point_of_sale(),
            voucher_type(&self.number),
            self.number.number(),
            self.amount.amount().normalize(),
            receiver_type,
            receiver,
            self.cae,
        )
    }

    /// The address that the code leads to.
    pub fn url(&self) -> String {
        format!("{ADDRESS}{}", STANDARD.encode(self.payload()))
    }
}

/// The authority's number for a kind of document.
pub fn voucher_type(number: &InvoiceNumber) -> u8 {
    match (number.document_type(), number.book().letter()) {
        (DocumentType::Invoice, Letter::A) => 1,
        (DocumentType::CreditNote, Letter::A) => 3,
        (DocumentType::Invoice, Letter::B) => 6,
        (DocumentType::CreditNote, Letter::B) => 8,
        (DocumentType::Invoice, Letter::C) => 11,
        (DocumentType::CreditNote, Letter::C) => 13,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{MAX_AMOUNT, pesos, simulated_cae};
    use cierre_kernel::time::parse_date;
    use proptest::prelude::*;
    use rstest::rstest;

    fn content(number: &str, amount: i64, receiver: Option<&str>) -> QrContent {
        let number = InvoiceNumber::parse(number).unwrap();
        QrContent {
            issue_date: parse_date("2024-01-31").unwrap(),
            issuer: Cuit::parse("30-00000000-7").unwrap(),
            number,
            amount: pesos(amount),
            receiver: receiver.map(|text| Cuit::parse(text).unwrap()),
            cae: simulated_cae(&number),
        }
    }

    #[test]
    fn the_payload_of_the_rule_s_example() {
        let content = content("A-0001-00000002", 230_050, Some("30-00000001-5"));
        assert_eq!(
            content.payload(),
            r#"{"ver":1,"fecha":"2024-01-31","cuit":30000000007,"ptoVta":1,"tipoCmp":1,"nroCmp":2,"importe":2300.5,"moneda":"PES","ctz":1,"tipoDocRec":80,"nroDocRec":30000000015,"tipoCodAut":"E","codAut":10000100000002}"#
        );
        assert_eq!(
            content.url(),
            "https://www.afip.gob.ar/fe/qr/?p=eyJ2ZXIiOjEsImZlY2hhIjoiMjAyNC0wMS0zMSIsImN1aXQiOjMwMDAwMDAwMDA3LCJwdG9WdGEiOjEsInRpcG9DbXAiOjEsIm5yb0NtcCI6MiwiaW1wb3J0ZSI6MjMwMC41LCJtb25lZGEiOiJQRVMiLCJjdHoiOjEsInRpcG9Eb2NSZWMiOjgwLCJucm9Eb2NSZWMiOjMwMDAwMDAwMDE1LCJ0aXBvQ29kQXV0IjoiRSIsImNvZEF1dCI6MTAwMDAxMDAwMDAwMDJ9"
        );
    }

    #[test]
    fn a_receiver_without_cuit_is_unidentified() {
        let payload = content("B-0001-00000001", 100, None).payload();
        assert!(
            payload.contains(r#""tipoDocRec":99,"nroDocRec":0,"#),
            "{payload}"
        );
    }

    #[rstest]
    #[case(85_000, "850")]
    #[case(230_050, "2300.5")]
    #[case(1, "0.01")]
    #[case(1_000_000, "10000")]
    #[case(MAX_AMOUNT, "99999999.99")]
    fn amounts_carry_no_trailing_zeros(#[case] minor: i64, #[case] printed: &str) {
        let payload = content("A-0001-00000001", minor, None).payload();
        assert!(
            payload.contains(&format!("\"importe\":{printed},")),
            "{payload}"
        );
    }

    #[rstest]
    #[case("A-0001-00000001", 1)]
    #[case("A-0001-NC-00000001", 3)]
    #[case("B-0001-00000001", 6)]
    #[case("B-0001-NC-00000001", 8)]
    #[case("C-0001-00000001", 11)]
    #[case("C-0001-NC-00000001", 13)]
    fn kinds_of_documents_have_the_authority_s_numbers(#[case] number: &str, #[case] expected: u8) {
        assert_eq!(
            voucher_type(&InvoiceNumber::parse(number).unwrap()),
            expected
        );
    }

    proptest! {
        #[test]
        fn the_payload_is_always_json_with_the_exact_amount(minor in 1..=MAX_AMOUNT) {
            let payload = content("C-12345-00000009", minor, None).payload();
            let value: serde_json::Value = serde_json::from_str(&payload).unwrap();
            let amount = Money::from_json(&value["importe"], pesos(0).currency());
            prop_assert_eq!(amount, Ok(pesos(minor)));
            prop_assert_eq!(value["ptoVta"].as_u64(), Some(12_345));
        }
    }
}
