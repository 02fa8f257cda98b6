//! Files made to harm: each is refused by its rule, at once, whatever it asks for.

mod cells;
mod markup;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::books::{Book, FINIQUITO, FINIQUITOS, csv, finiquitos, rows};
use super::*;

/// How long one file may take; a debug build on a busy machine is slower than what runs in production.
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 15 } else { 1 });

/// How much memory reading one file may take, what is shown of it included.
const MEMORY: u64 = 32 * 1024 * 1024;

struct Hostile {
    about: String,
    name: &'static str,
    bytes: Vec<u8>,
    /// One of these is the finding.
    rules: &'static [Rule],
}

#[derive(Default)]
struct Corpus(Vec<Hostile>);

const XML: &[Rule] = &[Rule::XmlNoPermitido];
const ZIP: &[Rule] = &[Rule::ZipSospechoso];
const FORMAT: &[Rule] = &[Rule::FormatoNoSoportado];
const CIPHER: &[Rule] = &[Rule::ArchivoCifrado];
const ENCODING: &[Rule] = &[Rule::CodificacionInvalida];
/// What is corrupt may fail as XML before its checksum does.
const CORRUPT: &[Rule] = &[Rule::FormatoNoSoportado, Rule::XmlNoPermitido];

impl Corpus {
    fn book(&mut self, about: impl Into<String>, book: &Book, rules: &'static [Rule]) {
        self.file(about, "a.xlsx", book.bytes(), rules);
    }

    fn file(
        &mut self,
        about: impl Into<String>,
        name: &'static str,
        bytes: impl Into<Vec<u8>>,
        rules: &'static [Rule],
    ) {
        self.0.push(Hostile {
            about: about.into(),
            name,
            bytes: bytes.into(),
            rules,
        });
    }

    /// A workbook of finiquitos with more rows.
    fn rows(&mut self, about: &str, more: &str, rules: &'static [Rule]) {
        let cells = format!("{}{more}", rows(&[FINIQUITOS, FINIQUITO]));
        self.book(about, &Book::of(&[("Hoja1", &cells)]).stored(), rules);
    }
}

/// A compound file with a stream of this name.
pub(super) fn compound(stream: &str) -> Vec<u8> {
    let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    bytes.resize(512, 0);
    for name in ["Root Entry", stream] {
        let start = bytes.len();
        bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        bytes.resize(start + 128, 0);
    }
    bytes
}

/// Where each of these bytes stands.
fn places(bytes: &[u8], signature: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(signature.len()).enumerate();
    windows
        .filter(|(_, w)| *w == signature)
        .map(|(at, _)| at)
        .collect()
}

fn bombs(corpus: &mut Corpus) {
    let zeros = vec![b' '; 8 * 1024 * 1024];
    for part in [
        "xl/worksheets/sheet1.xml",
        "xl/sharedStrings.xml",
        "xl/media/image.png",
    ] {
        let book = finiquitos().with(part, zeros.clone());
        corpus.book(format!("declared bomb in {part}"), &book, ZIP);
        // The directory says that it is small.
        let mut bytes = book.bytes();
        for at in places(&bytes, b"PK\x01\x02") {
            let size = u32::from_le_bytes(bytes[at + 24..at + 28].try_into().unwrap());
            if size > 1024 * 1024 {
                bytes[at + 24..at + 28].copy_from_slice(&1000_u32.to_le_bytes());
            }
        }
        if part.ends_with("xml") {
            corpus.file(
                format!("lying bomb in {part}"),
                "a.xlsx",
                bytes,
                &[Rule::ZipSospechoso, Rule::FormatoNoSoportado],
            );
        }
    }
    let empty = "<si/>".repeat(400_000);
    corpus.book(
        "shared texts that are empty",
        &finiquitos().with("xl/sharedStrings.xml", format!("<sst>{empty}</sst>")),
        ZIP,
    );
    let text = "x".repeat(900 * 1024);
    let cells: String = (4..700)
        .map(|at| format!(r#"<row r="{at}"><c t="s"><v>0</v></c></row>"#))
        .collect();
    let cells = format!("{}{cells}", rows(&[FINIQUITOS, FINIQUITO]));
    let book = Book::of(&[("Hoja1", &cells)]).with(
        "xl/sharedStrings.xml",
        format!("<sst><si><t>{text}</t></si></sst>"),
    );
    corpus.book("a text shared by many cells", &book, ZIP);
    for count in [1001, 3000] {
        let mut book = finiquitos();
        book.parts
            .extend((0..count).map(|at| (format!("x/{at}"), Vec::new())));
        corpus.book(format!("{count} entries"), &book, ZIP);
    }
    for (about, size) in [("512 MiB", 513 * 1024 * 1024_u32), ("4 GiB", u32::MAX - 1)] {
        let mut bytes = finiquitos().bytes();
        let at = places(&bytes, b"PK\x01\x02")[3];
        bytes[at + 24..at + 28].copy_from_slice(&size.to_le_bytes());
        corpus.file(format!("declares {about}"), "a.xlsx", bytes, ZIP);
    }
}

fn containers(corpus: &mut Corpus) {
    let whole = finiquitos().bytes();
    for part in 1..40 {
        let end = whole.len() * part / 40;
        corpus.file(
            format!("truncated at {end}"),
            "a.xlsx",
            &whole[..end],
            FORMAT,
        );
    }
    // In the compressed bytes of every part that is XML.
    for (at, start) in places(&whole, b"PK\x03\x04").into_iter().enumerate() {
        let name = usize::from(u16::from_le_bytes([whole[start + 26], whole[start + 27]]));
        let extra = usize::from(u16::from_le_bytes([whole[start + 28], whole[start + 29]]));
        for bit in 0..4 {
            let mut bytes = whole.clone();
            bytes[start + 30 + name + extra + 2 + bit] ^= 1 << (2 * bit);
            corpus.file(format!("bit {bit} of entry {at}"), "a.xlsx", bytes, CORRUPT);
        }
    }
    for size in [1024, 4096, 100_000] {
        let mut bytes = compound("EncryptedPackage");
        bytes.resize(size, 7);
        corpus.file("protected by a password", "a.xlsx", bytes.clone(), CIPHER);
        corpus.file("protected, renamed", "a.csv", bytes, CIPHER);
        let mut old = compound("Workbook");
        old.resize(size, 7);
        corpus.file("an old workbook, renamed", "a.xlsx", old.clone(), FORMAT);
        corpus.file("an old workbook as text", "a.csv", old, FORMAT);
    }
    let mut bytes = whole.clone();
    for (signature, flags) in [(b"PK\x01\x02", 8), (b"PK\x03\x04", 6)] {
        for at in places(&whole, signature) {
            bytes[at + flags] |= 1;
        }
    }
    corpus.file("an encrypted zip", "a.xlsx", bytes, CIPHER);
    let heads: [(&str, &[u8]); 12] = [
        ("PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"),
        ("PNG", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("JPEG", b"\xff\xd8\xff\xe0\0\x10JFIF"),
        ("GIF", b"GIF89a\x01\0\x01\0"),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0"),
        ("7z", b"7z\xbc\xaf\x27\x1c\0\x04"),
        ("RAR", b"Rar!\x1a\x07\x01\0"),
        ("ELF", b"\x7fELF\x02\x01\x01\0\0\0\0"),
        (
            "an empty zip",
            b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        ),
        ("an executable", b"MZ\x90\0\x03\0\0\0"),
        ("half a zip", b"PK\x03\x04\x14\0\0\0"),
        ("zeros", b"\0\0\0\0\0\0\0\0"),
    ];
    for (about, head) in heads {
        corpus.file(format!("{about} as workbook"), "a.xlsx", head, FORMAT);
        corpus.file(format!("{about} as text"), "a.csv", head, FORMAT);
    }
    for (about, text) in [
        ("HTML", "<html><table>"),
        ("JSON", "{\"a\":1}"),
        ("script", "#!/bin/sh\n"),
    ] {
        corpus.file(format!("{about} as workbook"), "a.xlsx", text, FORMAT);
        corpus.file(
            format!("{about} as text"),
            "a.csv",
            text,
            &[Rule::CabeceraNoEncontrada],
        );
    }
    corpus.file("a workbook as text", "a.csv", whole.clone(), FORMAT);
    for name in [
        "a.xls",
        "a.xlsm",
        "a.xlsb",
        "a.ods",
        "a.exe",
        "a",
        "xlsx",
        "a.xlsx.zip",
    ] {
        corpus.file(name, name, whole.clone(), FORMAT);
    }
}

fn workbooks(corpus: &mut Corpus) {
    let types = "spreadsheetml.sheet.main+xml";
    let macros = finiquitos().edit(
        "[Content_Types].xml",
        types,
        "ms-excel.sheet.macroEnabled.main+xml",
    );
    corpus.book("macros by type", &macros, FORMAT);
    corpus.book(
        "macros",
        &finiquitos().with("xl/vbaProject.bin", b"x"),
        FORMAT,
    );
    corpus.book(
        "old macros",
        &finiquitos().with("xl/macrosheets/sheet1.xml", b"<a/>"),
        FORMAT,
    );
    corpus.book(
        "a binary workbook",
        &finiquitos().with("xl/workbook.bin", b"x"),
        FORMAT,
    );
    let ods = Book {
        parts: vec![
            ("mimetype".into(), b"application/vnd.oasis".to_vec()),
            ("content.xml".into(), b"<a/>".to_vec()),
        ],
        method: zip::CompressionMethod::Stored,
    };
    corpus.book("an ODS", &ods, FORMAT);
    for part in [
        "[Content_Types].xml",
        "_rels/.rels",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/worksheets/sheet1.xml",
        "xl/sharedStrings.xml",
    ] {
        corpus.book(
            format!("without {part}"),
            &finiquitos().without(part),
            FORMAT,
        );
    }
    let links = "xl/_rels/workbook.xml.rels";
    let outside = r#"Target="http://x/sheet1.xml" TargetMode="External""#;
    corpus.book(
        "a sheet elsewhere",
        &finiquitos().edit(links, r#"Target="worksheets/sheet1.xml""#, outside),
        FORMAT,
    );
    corpus.book(
        "a sheet above",
        &finiquitos().edit(links, "worksheets/sheet1.xml", "../../../etc/passwd"),
        FORMAT,
    );
    corpus.book(
        "a sheet that is a workbook",
        &finiquitos().edit(links, "worksheets/sheet1.xml", "workbook.xml"),
        &[Rule::ArchivoVacio],
    );
    let twice = finiquitos().edit(
        "xl/workbook.xml",
        "</sheets>",
        r#"<sheet name="b" sheetId="9" r:id="rId1"/></sheets>"#,
    );
    corpus.book("one part as two sheets", &twice, FORMAT);
    let mut many = String::new();
    for at in 0..2000 {
        let _ = write!(many, r#"<sheet name="s{at}" sheetId="{at}" r:id="rIdS"/>"#);
    }
    corpus.book(
        "two thousand sheets",
        &finiquitos().edit("xl/workbook.xml", "<sheets>", &format!("<sheets>{many}")),
        FORMAT,
    );
    corpus.book(
        "names that differ by case",
        &finiquitos().with("XL/WORKBOOK.XML", b"<a/>"),
        FORMAT,
    );
}

#[test]
fn every_hostile_file_is_refused_by_its_rule() {
    let mut corpus = Corpus::default();
    markup::declarations(&mut corpus);
    markup::broken_xml(&mut corpus);
    bombs(&mut corpus);
    containers(&mut corpus);
    workbooks(&mut corpus);
    cells::sheets(&mut corpus);
    cells::texts(&mut corpus);
    assert!(corpus.0.len() >= 200, "{}", corpus.0.len());
    let mut wrong = Vec::new();
    for Hostile {
        about,
        name,
        bytes,
        rules,
    } in &corpus.0
    {
        let started = Instant::now();
        let mut read = None;
        let allocated = allocation_counter::measure(|| {
            read = Some(Read::of(Kind::Finiquitos, name, bytes));
        });
        let took = started.elapsed();
        let read = read.unwrap();
        let peak = allocated.bytes_max;
        let told = rules.iter().any(|rule| read.has(*rule));
        if !told || !read.report.is_refused() || took > LIMIT || peak > MEMORY {
            wrong.push(format!(
                "{about} ({name}): {:?} in {took:?} and {peak} bytes, not {rules:?}",
                read.shown()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        corpus.0.len(),
        wrong.join("\n")
    );
}
