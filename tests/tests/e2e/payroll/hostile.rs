//! Workbooks that are not what they say, and books in every form that is read.

use cierre_tests::{Company, Libro, movimientos, names, repacked, workbook};
use rstest::rstest;
use serde_json::{Value, json};

/// A workbook with a book of one sheet.
fn book() -> Vec<u8> {
    let text = Libro::golden().text();
    let rows = text.lines().map(|line| line.split(';').collect()).collect();
    workbook(&[("Libro", rows)])
}

fn with_doctype() -> Vec<u8> {
    let declare = |name: &str, part: Vec<u8>| {
        if name != "xl/workbook.xml" {
            return part;
        }
        let xml = String::from_utf8(part).unwrap();
        let declared = xml.replacen(
            "?>",
            "?><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>",
            1,
        );
        assert_ne!(declared, xml);
        declared.into_bytes()
    };
    repacked(&book(), declare, &[])
}

fn zip_bomb() -> Vec<u8> {
    repacked(
        &book(),
        |_, part| part,
        &[("xl/media/image1.bin", vec![0; 8 << 20])],
    )
}

/// The container in which Office keeps an encrypted workbook: a compound file with the stream `EncryptedPackage`.
fn encrypted() -> Vec<u8> {
    const SECTOR: usize = 512;
    let mut file = vec![0_u8; 3 * SECTOR];
    let mut at =
        |offset: usize, bytes: &[u8]| file[offset..offset + bytes.len()].copy_from_slice(bytes);
    at(0, &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
    at(24, &[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    at(44, &[1, 0, 0, 0]); // one sector of the allocation table
    at(48, &[1, 0, 0, 0]); // the directory is sector 1
    at(56, &[0, 0x10, 0, 0]);
    at(60, &[0xfe, 0xff, 0xff, 0xff]);
    at(68, &[0xfe, 0xff, 0xff, 0xff]);
    at(76, &[0, 0, 0, 0]);
    for free in 1..109 {
        at(76 + 4 * free, &[0xff; 4]);
    }
    at(SECTOR, &[0xfd, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff]);
    for free in 2..128 {
        at(SECTOR + 4 * free, &[0xff; 4]);
    }
    let mut entry = |nth: usize, name: &str, kind: u8, child: u8| {
        let start = 2 * SECTOR + 128 * nth;
        let letters: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        at(start, &letters);
        at(
            start + 64,
            &u16::try_from(letters.len() + 2).unwrap().to_le_bytes(),
        );
        at(start + 66, &[kind, 1]);
        at(start + 68, &[0xff; 8]);
        at(
            start + 76,
            if child == 0 {
                &[0xff; 4]
            } else {
                &[1, 0, 0, 0]
            },
        );
    };
    entry(0, "Root Entry", 5, 1);
    entry(1, "EncryptedPackage", 2, 0);
    file
}

#[rstest]
#[case::a_pdf_by_another_name("formato_no_soportado", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n".to_vec())]
#[case::an_encrypted_workbook("archivo_cifrado", encrypted())]
#[case::a_zip_bomb("zip_sospechoso", zip_bomb())]
#[case::a_doctype("xml_no_permitido", with_doctype())]
#[tokio::test]
async fn a_hostile_workbook_is_told_from_a_wrong_one(#[case] rule: &str, #[case] bytes: Vec<u8>) {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let file = closing
        .upload("libro_remuneraciones", "libro.xlsx", &bytes)
        .await;
    assert_eq!(file["estado"], "con_errores", "{file}");
    let found = closing.findings(file["id"].as_str().unwrap()).await;
    assert_eq!(names(&found, "regla"), [rule], "{found:?}");
    assert_eq!(closing.estado().await, "cargando_archivos");
    assert!(closing.list("/registros").await.is_empty());
}

#[tokio::test]
async fn a_book_as_a_workbook_is_processed() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let file = closing
        .upload("libro_remuneraciones", "libro.xlsx", &book())
        .await;
    assert_eq!(
        json!([
            file["estado"],
            file["formato"],
            file["codificacion"],
            file["filas"],
            file["errores_total"]
        ]),
        json!(["procesado", "xlsx", null, 3, 0])
    );
}

#[tokio::test]
async fn the_book_reads_alike_in_every_spelling_and_encoding() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let unaccented = |text: &str| -> String {
        let plain = |letter: char| match letter {
            'á' => 'a',
            'é' => 'e',
            'í' => 'i',
            'ó' => 'o',
            'ú' => 'u',
            'ñ' => 'n',
            other => other,
        };
        text.chars().map(plain).collect::<String>().to_uppercase()
    };
    let golden = Libro::golden();
    let spellings = [
        golden.clone(),
        golden.spelled(|header| header.replace('(', " (")),
        golden.spelled(unaccented),
    ];
    let mut first: Option<Vec<Value>> = None;
    closing
        .take("movimientos_mes", "movimientos.xlsx", &movimientos(&[]))
        .await;
    for (nth, book) in spellings.iter().enumerate() {
        let text = book.text();
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        // Every letter of the book has the same number in both.
        let ansi: Vec<u8> = text
            .chars()
            .map(|letter| u8::try_from(u32::from(letter)).unwrap())
            .collect();
        for (encoding, bytes) in [
            ("utf-8", text.into_bytes()),
            ("utf-8-sig", marked),
            ("windows-1252", ansi),
        ] {
            let file = closing
                .upload("libro_remuneraciones", "libro.csv", &bytes)
                .await;
            assert_eq!(file["estado"], "procesado", "{nth} {encoding}");
            if !bytes.is_ascii() {
                assert_eq!(file["codificacion"], encoding);
            }
            let mut rows = closing.list("/registros?tipo=libro_remuneraciones").await;
            for row in &mut rows {
                assert_eq!(row["archivo_id"], file["id"]);
                row["archivo_id"] = json!("");
            }
            assert_eq!(rows.len(), 3);
            assert_eq!(
                *first.get_or_insert_with(|| rows.clone()),
                rows,
                "{nth} {encoding}"
            );
        }
    }
    closing.generate("discrepancias").await;
    assert!(closing.list("/discrepancias").await.is_empty());
}
