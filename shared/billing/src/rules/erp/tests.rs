use cierre_kernel::time::parse_date;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::rules::{LAST_NUMBER, MAX_AMOUNT, split, split_credit};

/// The digest of the one document of the example.
const DIGEST: &str = "2172ca84bcf9efcb72399d2919be65df769a040c6c8672578abb6e7f5de4ff24";

fn money(text: &str) -> Money {
    Money::parse(text, CURRENCY).unwrap()
}

fn number(text: &str) -> InvoiceNumber {
    InvoiceNumber::parse(text).unwrap()
}

fn draft(text: &str, amount: &str) -> ErpDraft {
    let number = number(text);
    ErpDraft {
        number,
        origin: None,
        cae: crate::rules::simulated_cae(&number),
        issue_date: parse_date("2024-01-31").unwrap(),
        split: split(number.book().letter(), money(amount)),
        customer_id: 1,
        service_date: parse_date("2024-01-05").unwrap(),
        batch_id: "bat_00000000000000000000000001".parse().unwrap(),
        pending_id: "pen_00000000000000000000000001".parse().unwrap(),
    }
}

fn document(text: &str, amount: &str) -> ErpDocument {
    ErpDocument::new(draft(text, amount))
}

/// Account, debit and credit of each entry.
fn posted(document: &ErpDocument) -> Vec<(&'static str, String, String)> {
    let entries = document.entries().iter();
    entries
        .map(|e| (e.account_code, e.debit.to_string(), e.credit.to_string()))
        .collect()
}

fn line(account: Account, debit: &str, credit: &str) -> (&'static str, String, String) {
    (account.code(), debit.to_owned(), credit.to_owned())
}

#[test]
fn a_document_has_the_members_of_the_contract() {
    let value = serde_json::to_value(document("A-0001-00000001", "1500.00")).unwrap();
    assert_eq!(
        value,
        json!({
            "documentType": "INVOICE", "invoiceNumber": "A-0001-00000001", "originInvoiceNumber": null, "cae": "10000100000001",
            "issueDate": "2024-01-31", "amount": "1500.00", "currency": "ARS", "customerId": 1, "serviceDate": "2024-01-05",
            "receiptBook": "A-0001", "batchId": "bat_00000000000000000000000001", "pendingId": "pen_00000000000000000000000001",
            "accountingEntries": [
                { "accountCode": "1.1.3.01", "accountName": "Cuentas por Cobrar", "debit": "1500.00", "credit": "0.00" },
                { "accountCode": "4.1.1.01", "accountName": "Ventas de Servicios", "debit": "0.00", "credit": "1239.67" },
                { "accountCode": "2.1.5.01", "accountName": "IVA Débito Fiscal", "debit": "0.00", "credit": "260.33" },
            ],
        })
    );
}

#[test]
fn the_members_stand_in_the_order_of_the_contract() {
    let text = serde_json::to_string(&document("A-0001-00000001", "1500.00")).unwrap();
    let places = [
        "documentType",
        "invoiceNumber",
        "originInvoiceNumber",
        "cae",
        "issueDate",
        "amount",
        "currency",
        "customerId",
        "serviceDate",
        "receiptBook",
        "batchId",
        "pendingId",
        "accountingEntries",
        "accountCode",
        "accountName",
        "debit",
        "credit",
    ]
    .map(|member| text.find(&format!("\"{member}\":")).unwrap());
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn the_digest_of_the_example() {
    let documents = [document("A-0001-00000001", "1500.00")];
    assert_eq!(erp_digest(&documents).unwrap().as_deref(), Some(DIGEST));
}

#[test]
fn several_documents_are_joined_by_line_breaks_in_order_of_their_numbers() {
    let documents = [
        document("A-0001-NC-00000001", "850.00"),
        document("B-0001-00000001", "3.00"),
        document("A-0001-00000002", "2300.50"),
        document("A-0001-00000001", "1500.00"),
    ];
    let texts = [3, 2, 0, 1].map(|i: usize| documents[i].canonical().unwrap());
    let expected = cierre_kernel::canonical::sha256_hex(texts.join("\n").as_bytes());
    assert_eq!(erp_digest(&documents).unwrap(), Some(expected));
}

#[test]
fn nothing_has_no_digest() {
    assert_eq!(erp_digest(&[]).unwrap(), None);
    assert_eq!(ErpDigest::new().finish(), None);
}

#[rstest]
#[case::twice("A-0001-00000002")]
#[case::backwards("A-0001-00000001")]
fn documents_out_of_order_are_refused_and_leave_the_digest_as_it_was(#[case] second: &str) {
    let mut digest = ErpDigest::new();
    digest.add(&document("A-0001-00000002", "1.00")).unwrap();
    let before = digest.clone().finish();
    let refused = digest.add(&document(second, "1.00"));
    assert!(matches!(refused, Err(DigestError::OutOfOrder)));
    assert_eq!(digest.finish(), before);
}

#[test]
fn an_invoice_debits_the_customer_and_credits_sales_and_iva() {
    for (text, amount, net, iva) in [
        ("A-0001-00000001", "1500.00", "1239.67", "260.33"),
        ("B-0001-00000001", "2300.50", "1901.24", "399.26"),
        ("A-0001-00000001", "850.00", "702.48", "147.52"),
        ("A-0001-00000001", "0.03", "0.02", "0.01"),
        ("A-0001-00000001", "0.01", "0.01", "0.00"),
        (
            "A-0001-00000001",
            "99999999.99",
            "82644628.09",
            "17355371.90",
        ),
    ] {
        assert_eq!(
            posted(&document(text, amount)),
            [
                line(Account::Receivables, amount, "0.00"),
                line(Account::Sales, "0.00", net),
                line(Account::Iva, "0.00", iva),
            ]
        );
    }
}

#[test]
fn type_c_has_two_entries_of_the_whole_amount() {
    assert_eq!(
        posted(&document("C-0001-00000001", "1500.00")),
        [
            line(Account::Receivables, "1500.00", "0.00"),
            line(Account::Sales, "0.00", "1500.00"),
        ]
    );
    assert_eq!(
        posted(&document("C-0001-NC-00000001", "1500.00")),
        [
            line(Account::Receivables, "0.00", "1500.00"),
            line(Account::Sales, "1500.00", "0.00"),
        ]
    );
}

#[rstest]
#[case("0.00", "33.33", "27.55", "5.78")]
#[case("33.33", "33.33", "27.54", "5.79")]
#[case("66.66", "33.34", "27.55", "5.79")]
fn a_credit_note_swaps_debit_and_credit(
    #[case] credited: &str,
    #[case] credit: &str,
    #[case] net: &str,
    #[case] iva: &str,
) {
    let note = ErpDocument::new(ErpDraft {
        origin: Some(number("A-0001-00000001")),
        split: split_credit(Letter::A, money(credited), money(credit)),
        ..draft("A-0001-NC-00000002", credit)
    });
    assert_eq!(
        posted(&note),
        [
            line(Account::Receivables, "0.00", credit),
            line(Account::Sales, net, "0.00"),
            line(Account::Iva, iva, "0.00"),
        ]
    );
    let value = serde_json::to_value(&note).unwrap();
    assert_eq!(
        [
            &value["documentType"],
            &value["invoiceNumber"],
            &value["originInvoiceNumber"],
            &value["receiptBook"],
            &value["cae"]
        ],
        [
            "CREDIT_NOTE",
            "A-0001-NC-00000002",
            "A-0001-00000001",
            "A-0001",
            "40000100000002"
        ]
    );
}

#[rstest]
#[case(0, 0)]
#[case(1, 1)]
#[case(500, 1)]
#[case(501, 2)]
#[case(100_000, 200)]
fn a_message_carries_five_hundred_documents(#[case] documents: u32, #[case] chunks: u32) {
    assert_eq!(chunks_of(documents), chunks);
}

#[test]
fn the_simulated_erp_accepts_the_example_on_its_second_attempt() {
    let sync: SyncId = "syn_00000000000000000000000005".parse().unwrap();
    // h = 99, 66, 41
    let accepted = |rate| [1, 2, 3].map(|attempt| chunk_is_accepted(sync, 0, attempt, rate));
    assert_eq!(accepted(90), [false, true, true]);
    assert_eq!(accepted(66), [false, false, true]);
    assert_eq!(accepted(41), [false, false, false]);
    assert_eq!(accepted(100), [true, true, true]);
    assert_eq!(accepted(0), [false, false, false]);
}

fn any_draft() -> impl Strategy<Value = (ErpDraft, i64)> {
    let amounts = (1..=MAX_AMOUNT, 0..=MAX_AMOUNT);
    ("[ABC]-[1-9][0-9]{3,4}(-NC)?", 1..=LAST_NUMBER, amounts).prop_map(
        |(sequence, n, (amount, credited))| {
            let number = number(&format!("{sequence}-{n:08}"));
            let letter = number.book().letter();
            let split = match number.document_type() {
                DocumentType::Invoice => split(letter, pesos(amount)),
                DocumentType::CreditNote => split_credit(letter, pesos(credited), pesos(amount)),
            };
            let draft = ErpDraft {
                number,
                split,
                ..draft("A-0001-00000001", "1.00")
            };
            (draft, amount)
        },
    )
}

proptest! {
    #[test]
    fn debits_equal_credits_and_the_amount((draft, amount) in any_draft()) {
        let document = ErpDocument::new(draft);
        let mut totals = ErpTotals::default();
        totals.add(&document);
        prop_assert_eq!(totals, ErpTotals { count: 1, amount, debit: amount, credit: amount });
        for entry in document.entries() {
            prop_assert!(!entry.debit.is_negative() && !entry.credit.is_negative());
            prop_assert!(entry.debit.is_zero() || entry.credit.is_zero());
        }
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order_given(
        numbers in prop::collection::btree_set(1..=LAST_NUMBER, 1..8), shift: usize,
    ) {
        let mut documents: Vec<_> = numbers.iter().map(|n| document(&format!("A-0001-{n:08}"), "10.00")).collect();
        let mut one_by_one = ErpDigest::new();
        for document in &documents {
            one_by_one.add(document).unwrap();
        }
        let expected = one_by_one.finish();
        let count = documents.len();
        documents.rotate_left(shift % count);
        prop_assert_eq!(erp_digest(&documents).unwrap(), expected);
    }

    #[test]
    fn another_amount_or_customer_has_another_digest(amount in 1..=MAX_AMOUNT, customer in 1_u32..) {
        let base = draft("A-0001-00000001", "1500.00");
        let other = ErpDraft { split: split(Letter::A, pesos(amount)), customer_id: customer, ..base };
        let digest = |draft| erp_digest(&[ErpDocument::new(draft)]).unwrap();
        prop_assert_eq!(base == other, digest(base) == digest(other));
    }
}
