//! Sheets and texts whose cells are the trouble.

use super::*;

pub(super) fn sheets(corpus: &mut Corpus) {
    corpus.rows(
        "the last cell of all",
        r#"<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>"#,
        &[Rule::ColumnasMaximo],
    );
    corpus.rows(
        "column 513",
        r#"<row><c r="SS3"><v>1</v></c></row>"#,
        &[Rule::ColumnasMaximo],
    );
    corpus.rows(
        "the last row",
        r#"<row r="1048576"><c r="D1048576"><v>1</v></c></row>"#,
        &[Rule::RutVacio],
    );
    for (about, cells) in [
        ("a row too far", r#"<row r="1048577"><c><v>1</v></c></row>"#),
        ("row 0", r#"<row r="0"/>"#),
        ("a row without number", r#"<row r="x"/>"#),
        ("a negative row", r#"<row r="-1"/>"#),
        (
            "a row of a huge number",
            r#"<row r="99999999999999999999"/>"#,
        ),
        ("rows that go back", r#"<row r="9"/><row r="8"/>"#),
        ("a row twice", r#"<row r="2"/>"#),
        ("a column too far", r#"<row><c r="XFE3"><v>1</v></c></row>"#),
        (
            "a column of five letters",
            r#"<row><c r="AAAAA3"><v>1</v></c></row>"#,
        ),
        (
            "a cell without column",
            r#"<row><c r="33"><v>1</v></c></row>"#,
        ),
        ("cells that go back", r#"<row><c r="B3"/><c r="A3"/></row>"#),
        ("a cell twice", r#"<row><c r="B3"/><c r="B3"/></row>"#),
        ("an unknown type", r#"<row><c t="z"><v>1</v></c></row>"#),
        (
            "a shared text that is not there",
            r#"<row><c t="s"><v>99</v></c></row>"#,
        ),
        (
            "a shared text of no number",
            r#"<row><c t="s"><v>x</v></c></row>"#,
        ),
        (
            "a shared text below 0",
            r#"<row><c t="s"><v>-1</v></c></row>"#,
        ),
    ] {
        corpus.rows(about, cells, FORMAT);
    }
    corpus.rows("an attribute without value", "<row><c r></c></row>", XML);
    let link = "<row><c><f>[1]x!A1</f></c></row>";
    corpus.rows("a link to another file", link, &[Rule::FormulaSinValor]);
    corpus.rows(
        "a formula to run",
        r#"<row><c><f>WEBSERVICE("http://x")</f><v></v></c></row>"#,
        &[Rule::FormulaSinValor],
    );
    for error in ["#REF!", "#DIV/0!", "#N/A", "#NAME?", "#VALUE!"] {
        corpus.rows(error, &rows(&[&["", "", "", error]]), &[Rule::CeldaError]);
    }
    for number in [
        "1e400",
        "NaN",
        "INF",
        "1e-400x",
        "--1",
        "99999999999999999999999",
    ] {
        let cells = format!(
            "<row><c><v>123456785</v></c><c><v>45945</v></c><c><v>4</v></c><c><v>{number}</v></c></row>"
        );
        corpus.rows(number, &cells, &[Rule::MontoInvalido]);
    }
}

pub(super) fn texts(corpus: &mut Corpus) {
    for byte in [0x81, 0x8d, 0x8f, 0x90, 0x9d] {
        corpus.file(
            "a byte of no character",
            "a.csv",
            vec![b'r', byte],
            ENCODING,
        );
    }
    let text = String::from_utf8(csv(&[FINIQUITOS, FINIQUITO])).unwrap();
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    corpus.file("UTF-16 LE", "a.csv", little.clone(), ENCODING);
    corpus.file("UTF-16 BE", "a.txt", big.clone(), ENCODING);
    corpus.file(
        "UTF-16 LE, marked",
        "a.csv",
        [b"\xff\xfe".to_vec(), little].concat(),
        ENCODING,
    );
    corpus.file(
        "UTF-16 BE, marked",
        "a.csv",
        [b"\xfe\xff".to_vec(), big].concat(),
        ENCODING,
    );
    corpus.file("a zero within", "a.csv", format!("{text}\0"), FORMAT);
    corpus.file(
        "a quote never closed",
        "a.csv",
        format!("{text}\"{text}"),
        FORMAT,
    );
    corpus.file(
        "a quote never closed, long",
        "a.csv",
        format!("{text}\"{}", text.repeat(40_000)),
        FORMAT,
    );
    corpus.file("one long line", "a.csv", "x".repeat(3_000_000), FORMAT);
    corpus.file(
        "millions of separators",
        "a.csv",
        ";".repeat(3_000_000),
        FORMAT,
    );
    corpus.file(
        "a row too wide",
        "a.csv",
        format!("{text}{}1", ";".repeat(600)),
        &[Rule::ColumnasMaximo],
    );
    corpus.file(
        "a header too wide",
        "a.csv",
        "a;".repeat(600),
        &[Rule::ColumnasMaximo],
    );
    corpus.file(
        "rows without end",
        "a.csv",
        format!("{text}{}", "1\n".repeat(200_001)),
        &[Rule::FilasMaximo],
    );
    corpus.file(
        "blank lines",
        "a.csv",
        "\n".repeat(1_000_000),
        &[Rule::ArchivoVacio],
    );
    corpus.file(
        "separators and lines",
        "a.csv",
        ";;;\n".repeat(300_000),
        &[Rule::ArchivoVacio],
    );
    corpus.file("nothing", "a.csv", "", &[Rule::ArchivoVacio]);
    corpus.file("nothing", "a.xlsx", "", &[Rule::ArchivoVacio]);
    corpus.file(
        "a mark alone",
        "a.csv",
        b"\xef\xbb\xbf",
        &[Rule::ArchivoVacio],
    );
    for amount in [
        "=1+1",
        "+1",
        "@SUM(1)",
        "=cmd|'/c calc'!A0",
        "-2+3",
        "=HYPERLINK(\"http://x\")",
        "\t1=",
        "1e5",
        "0x10",
        "١٢",
    ] {
        let row = ["12345678-5", "15/10/2025", "4", amount, ""];
        corpus.file(
            amount,
            "a.csv",
            csv(&[FINIQUITOS, &row]),
            &[Rule::MontoInvalido],
        );
    }
    for rut in [
        "=1",
        "12345678-5;DROP",
        "1e7-5",
        "１２３４５６７８-5",
        "12345678--5",
        "-12345678-5",
    ] {
        let row = [rut, "15/10/2025", "4", "1", ""];
        corpus.file(rut, "a.csv", csv(&[FINIQUITOS, &row]), &[Rule::RutFormato]);
    }
}
