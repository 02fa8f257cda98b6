//! Parts whose XML is the trouble.

use std::fmt::Write as _;

use super::*;

const PARTS: [&str; 8] = [
    "xl/worksheets/sheet1.xml",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "xl/theme/theme1.xml",
    "docProps/core.xml",
    "[Content_Types].xml",
];
const MORE: [&str; 5] = [
    "xl/drawings/drawing1.xml",
    "xl/externalLinks/externalLink1.xml",
    "xl/drawings/vmlDrawing1.vml",
    "customXml/item1.xml",
    "xl/worksheets/_rels/sheet1.xml.rels",
];

pub(super) fn declarations(corpus: &mut Corpus) {
    let laughs: String = (1..10).fold(r#"<!ENTITY l0 "lol">"#.to_owned(), |mut all, at| {
        let _ = write!(
            all,
            r#"<!ENTITY l{at} "{}">"#,
            format!("&l{};", at - 1).repeat(10)
        );
        all
    });
    let types = [
        "<!DOCTYPE a>".to_owned(),
        r#"<!DOCTYPE a SYSTEM "file:///etc/passwd">"#.to_owned(),
        r#"<!DOCTYPE a PUBLIC "-//x" "http://169.254.169.254/latest">"#.to_owned(),
        r#"<!DOCTYPE a [<!ENTITY % p SYSTEM "http://x/"> %p;]>"#.to_owned(),
        format!("<!DOCTYPE a [{laughs}]>"),
    ];
    for part in PARTS {
        for (at, declared) in types.iter().enumerate() {
            let mut book = finiquitos();
            let text = String::from_utf8(book.part(part).clone()).unwrap();
            let start = text.find("?>").map_or(0, |at| at + 2);
            let text = format!("{}{declared}{}", &text[..start], &text[start..]);
            corpus.book(format!("type {at} in {part}"), &book.with(part, text), XML);
        }
    }
    for part in MORE {
        let book = finiquitos().with(part, format!("{}<a/>", types[1]));
        corpus.book(format!("type in {part}"), &book, XML);
    }
}

pub(super) fn broken_xml(corpus: &mut Corpus) {
    let breaks: [(&str, &[u8]); 12] = [
        ("unclosed", b"<a><b>"),
        ("crossed", b"<a><b></a></b>"),
        ("two roots", b"<a/><b/>"),
        ("text beside the root", b"<a/>text"),
        ("nothing", b""),
        ("only blanks", b"  \n"),
        ("no XML", b"hello"),
        ("UTF-16", b"\xff\xfe<\0a\0/\0>\0"),
        (
            "another encoding",
            b"<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>",
        ),
        ("unknown entity", b"<a>&nbsp;</a>"),
        ("character of no number", b"<a>&#x110000;</a>"),
        ("open tag", b"<a b=\""),
    ];
    for part in PARTS {
        for (about, bytes) in breaks {
            let book = finiquitos().with(part, bytes);
            corpus.book(format!("{about} in {part}"), &book, XML);
        }
    }
    corpus.book(
        "bad UTF-8 in a cell",
        &finiquitos().with(
            "xl/sharedStrings.xml",
            b"<sst><si><t>\xff</t></si></sst>".to_vec(),
        ),
        XML,
    );
    corpus.book(
        "bad UTF-8 in a theme",
        &finiquitos().with("xl/theme/theme1.xml", b"<a>\xc3</a>".to_vec()),
        XML,
    );
    for depth in [300, 10_000, 300_000] {
        let deep = format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        corpus.book(
            format!("{depth} deep"),
            &finiquitos()
                .stored()
                .with("xl/theme/theme1.xml", deep.clone()),
            XML,
        );
        corpus.rows(&format!("a sheet {depth} deep"), &deep, XML);
    }
    let long = "x".repeat(2 * 1024 * 1024);
    for (about, xml) in [
        ("attribute", format!("<a b=\"{long}\"/>")),
        ("text", format!("<a>{long}</a>")),
        ("comment", format!("<a><!--{long}--></a>")),
        ("instruction", format!("<a><?{long}?></a>")),
        ("section", format!("<a><![CDATA[{long}]]></a>")),
        ("name", format!("<{long}/>")),
    ] {
        corpus.book(
            format!("a huge {about}"),
            &finiquitos()
                .stored()
                .with("xl/theme/theme1.xml", xml.clone()),
            XML,
        );
        corpus.rows(&format!("a huge {about} in a sheet"), &xml, XML);
    }
    let runs = "<r><t>xxxxxxxxxxxxxxxx</t></r>".repeat(100_000);
    corpus.rows(
        "a cell of many runs",
        &format!(r#"<row><c t="inlineStr"><is>{runs}</is></c></row>"#),
        XML,
    );
}
