//! Every rule of the contract, by a file that breaks it.

use super::books::{Book, FINIQUITO, FINIQUITOS, csv, finiquitos, libro, rows, sheet};
use super::*;

const NOVEDADES: &[&str] = &[
    "rut",
    "nombres",
    "apellido_paterno",
    "fecha_ingreso",
    "Sueldo(2101)",
];
const ALTAS: &[&str] = &["rut", "tipo", "fecha", "causal_termino"];
const AUSENCIAS: &[&str] = &["rut", "tipo", "fecha_inicio", "fecha_fin", "dias"];
const VACACIONES: &[&str] = &["rut", "fecha_inicio", "fecha_fin", "dias_habiles"];

struct File {
    kind: Kind,
    name: &'static str,
    bytes: Vec<u8>,
}

fn file(kind: Kind, name: &'static str, bytes: Vec<u8>) -> File {
    File { kind, name, bytes }
}

fn finiquito(cells: &[&str]) -> File {
    file(Kind::Finiquitos, "a.csv", csv(&[FINIQUITOS, cells]))
}

fn in_book(cells: &[&str]) -> File {
    file(
        Kind::Finiquitos,
        "a.xlsx",
        sheet("Hoja1", &[FINIQUITOS, cells]).bytes(),
    )
}

fn libro_file(rows: &[&[(&str, &str)]]) -> File {
    file(Kind::LibroRemuneraciones, "a.csv", libro(rows))
}

fn libro_without(header: &str) -> File {
    let text = String::from_utf8(libro(&[&[("1101", "12345678-5")]])).unwrap();
    let bytes = text.replace(header, "Otra cosa").into_bytes();
    file(Kind::LibroRemuneraciones, "a.csv", bytes)
}

/// A workbook of movimientos_mes with these rows below the headers.
fn movimientos(altas: &[&[&str]], ausencias: &[&[&str]], vacaciones: &[&[&str]]) -> File {
    let with = |header: &[&str], below: &[&[&str]]| rows(&[&[header], below].concat());
    let book = Book::of(&[
        ("Altas y Bajas", &with(ALTAS, altas)),
        ("AUSENTISMOS", &with(AUSENCIAS, ausencias)),
        ("vacaciones", &with(VACACIONES, vacaciones)),
    ]);
    file(Kind::MovimientosMes, "a.xlsx", book.bytes())
}

/// A file that breaks a rule.
fn breaking(rule: Rule) -> File {
    match rule {
        Rule::ArchivoCifrado => {
            let mut bytes = hostile::compound("EncryptedPackage");
            bytes.resize(4096, 0);
            file(Kind::Finiquitos, "a.xlsx", bytes)
        }
        Rule::ArchivoVacio => file(
            Kind::Finiquitos,
            "a.xlsx",
            sheet("Hoja1", &[&[""], &["-"]]).bytes(),
        ),
        Rule::CabeceraNoEncontrada => libro_without("Rut trabajador(1101)"),
        Rule::CeldaError => in_book(&["12345678-5", "15/10/2025", "4", "#REF!", ""]),
        Rule::CeldaFormula => in_book(&["12345678-5", "15/10/2025", "4", "=1+1|2", ""]),
        Rule::CodificacionInvalida => file(Kind::Finiquitos, "a.txt", b"rut;\x81".to_vec()),
        Rule::ColumnaDuplicada => {
            libro_without("Sobresueldo(2102)").replacing("Otra cosa", "Sueldo (2101)")
        }
        Rule::ColumnaFaltante => libro_without("Sueldo(2101)"),
        Rule::ColumnaOpcionalAusente => libro_without("Sobresueldo(2102)"),
        Rule::ColumnaSinClasificar => libro_without("Tratos(2112)"),
        Rule::ColumnasMaximo => {
            let mut cells = FINIQUITO.to_vec();
            cells.resize(513, "1");
            finiquito(&cells)
        }
        Rule::CreacionIncompleta => file(
            Kind::Novedades,
            "a.csv",
            csv(&[NOVEDADES, &["12345678-5", "Ana", "", "01/10/2025", "5"]]),
        ),
        Rule::DiasNoCuadran => movimientos(
            &[],
            &[&["12345678-5", "otro", "01/10/2025", "03/10/2025", "2"]],
            &[],
        ),
        Rule::FechaFueraDePeriodo => finiquito(&["12345678-5", "01/11/2025", "4", "", ""]),
        Rule::FechaInvalida => finiquito(&["12345678-5", "31/02/2025", "4", "", ""]),
        Rule::FechaOrden => movimientos(
            &[],
            &[],
            &[&["12345678-5", "03/10/2025", "01/10/2025", "1"]],
        ),
        Rule::FilaCorta => finiquito(&["12345678-5", "15/10/2025", "4"]),
        Rule::FilaLarga => finiquito(&["12345678-5", "15/10/2025", "4", "", "", "", "more"]),
        Rule::FilaRepetida => file(
            Kind::Finiquitos,
            "a.csv",
            csv(&[FINIQUITOS, FINIQUITO, FINIQUITO]),
        ),
        Rule::FilaTotalIgnorada => libro_file(&[
            &[("1101", "12345678-5")],
            &[("1102", "TOTAL general"), ("2101", "x")],
        ]),
        Rule::FilasMaximo => {
            let mut text = csv(&[FINIQUITOS]);
            text.extend(b"1\n".repeat(200_001));
            file(Kind::Finiquitos, "a.csv", text)
        }
        Rule::FormatoNoSoportado => file(Kind::Finiquitos, "a.xlsx", b"%PDF-1.7".to_vec()),
        Rule::FormulaSinValor => in_book(&["12345678-5", "15/10/2025", "4", "=1+1|", ""]),
        Rule::HashDistinto | Rule::TamanoDistinto => finiquito(FINIQUITO),
        Rule::HojaFaltante => file(
            Kind::MovimientosMes,
            "a.xlsx",
            sheet("vacaciones", &[VACACIONES]).bytes(),
        ),
        Rule::HojaIgnorada => {
            let cells = rows(&[FINIQUITOS, FINIQUITO]);
            let book = Book::of(&[("Notas", ""), ("Hoja1", &cells), ("Hoja2", &cells)]);
            file(Kind::Finiquitos, "a.xlsx", book.bytes())
        }
        Rule::MontoInvalido => finiquito(&["12345678-5", "15/10/2025", "4", "-5", ""]),
        Rule::NumeroInvalido => libro_file(&[&[("1101", "12345678-5"), ("1117", "2,5")]]),
        Rule::ObligatoriaVacia => {
            movimientos(&[&["12345678-5", "baja", "15/10/2025", ""]], &[], &[])
        }
        Rule::RutDv => finiquito(&["17317684-2", "15/10/2025", "4", "", ""]),
        Rule::RutFormato => libro_file(&[&[("1101", "1234-5")]]),
        Rule::RutVacio => libro_file(&[&[("2101", "5")]]),
        Rule::SinFilas => file(Kind::Novedades, "a.csv", csv(&[NOVEDADES])),
        Rule::TamanoMaximo => file(Kind::Finiquitos, "a.csv", vec![b' ']),
        Rule::TextoLargo => finiquito(&["12345678-5", "15/10/2025", "4", "", &"ñ".repeat(201)]),
        Rule::ValorNoPermitido => finiquito(&["12345678-5", "15/10/2025", "9", "", ""]),
        Rule::XmlNoPermitido => {
            let book = finiquitos().with("xl/theme/theme1.xml", "<!DOCTYPE theme><theme/>");
            file(Kind::Finiquitos, "a.xlsx", book.bytes())
        }
        Rule::ZipSospechoso => {
            let book = finiquitos().with("xl/media/image1.bin", vec![0; 2 * 1024 * 1024]);
            file(Kind::Finiquitos, "a.xlsx", book.bytes())
        }
    }
}

impl File {
    fn replacing(self, from: &str, to: &str) -> Self {
        let text = String::from_utf8(self.bytes).unwrap();
        Self {
            bytes: text.replace(from, to).into_bytes(),
            ..self
        }
    }
}

#[test]
fn every_rule_is_told_and_only_where_it_is_broken() {
    let clean = finiquito(FINIQUITO);
    assert_eq!(
        Read::of(clean.kind, clean.name, &clean.bytes).shown(),
        [""; 0]
    );
    for rule in Rule::ALL {
        let file = breaking(*rule);
        let request = Request {
            kind: file.kind,
            period: Period::parse("2025-10").unwrap(),
            name: file.name,
            declared_size: (*rule == Rule::TamanoDistinto).then_some(1),
            declared_sha256: (*rule == Rule::HashDistinto).then_some("00"),
            known: &|_| false,
        };
        let mut surveyed = Survey::of(file.bytes.as_slice()).unwrap();
        if *rule == Rule::TamanoMaximo {
            surveyed.size = MAX_BYTES + 1;
        }
        let read = || {
            let input = Cursor::new(&file.bytes);
            super::super::read(request, &surveyed, input, &mut |_| {}).unwrap()
        };
        let report = read();
        let others: Vec<Rule> = report
            .totals
            .rules
            .keys()
            .copied()
            .filter(|other| other != rule)
            .collect();
        assert_eq!(
            report.totals.rules.get(rule).copied().unwrap_or(0),
            expected(*rule),
            "{rule}: {others:?}"
        );
        assert_eq!(
            report.is_refused(),
            rule.level(file.kind) == Level::Error,
            "{rule}: {others:?}"
        );
        assert_eq!(report, read(), "{rule} is told alike each time");
    }
}

fn expected(rule: Rule) -> u64 {
    if matches!(rule, Rule::HojaFaltante | Rule::HojaIgnorada) {
        2
    } else {
        1
    }
}

#[test]
fn findings_are_in_order_and_counted_beyond_the_list() {
    let bad: Vec<&[&str]> = std::iter::once(FINIQUITOS)
        .chain(std::iter::repeat_n(
            ["x", "15/10/2025", "4", "y", ""].as_slice(),
            750,
        ))
        .collect();
    let read = Read::of(Kind::Finiquitos, "a.csv", &csv(&bad));
    assert_eq!(
        (read.report.totals.errors, read.report.findings.len()),
        (1500, 1500)
    );
    assert_eq!(read.report.listed().len(), 1000);
    assert_eq!(
        read.shown()[..3],
        ["!A2 rut_formato", "!D2 monto_invalido", "!A3 rut_formato"]
    );
    assert!(read.rows.is_empty());
}

#[test]
fn a_finding_says_where_and_what() {
    let cells = ["17317684-8", "15/10/2025", "4", "1,055,815", ""];
    let read = Read::of(Kind::Finiquitos, "a.csv", &csv(&[FINIQUITOS, &[], &cells]));
    let finding = &read.report.findings[0];
    assert_eq!(finding.row, Some(3));
    assert_eq!(finding.column.map(|c| c.to_string()).as_deref(), Some("D"));
    assert_eq!(finding.header.as_deref(), Some("total_finiquito"));
    assert_eq!(
        finding.code,
        Some(crate::registro::Field::Named("total_finiquito"))
    );
    assert_eq!(finding.value.as_deref(), Some("1,055,815"));
    let long = "x".repeat(100);
    let cells = [long.as_str(), "15/10/2025", "4", "", ""];
    let read = Read::of(Kind::Finiquitos, "a.csv", &csv(&[FINIQUITOS, &cells]));
    assert_eq!(read.report.findings[0].value.as_deref(), Some(&long[..80]));
}

#[test]
fn the_header_row_is_the_one_that_resolves_most() {
    let below = [
        &["Finiquitos de octubre, todos, los, de, siempre"][..],
        &[],
        &[
            "Run",
            "Fecha_Finiquito",
            "CAUSAL",
            "Monto finiquito",
            "Notas",
        ],
        FINIQUITO,
    ];
    let read = Read::of(Kind::Finiquitos, "a.csv", &csv(&below));
    assert_eq!(read.shown(), ["!E3 columna_sin_clasificar"]);
    assert_eq!(read.rows[0].row, 4);
    assert_eq!(&*read.rows[0].others[0].0, "Notas");
    let with_commas = String::from_utf8(csv(&[FINIQUITOS, FINIQUITO]))
        .unwrap()
        .replace(';', ",");
    assert_eq!(
        Read::of(Kind::Finiquitos, "a.txt", with_commas.as_bytes()).shown(),
        [""; 0]
    );
    let titles: Vec<&[&str]> = std::iter::repeat_n(["title"].as_slice(), 20)
        .chain([FINIQUITOS, FINIQUITO])
        .collect();
    let late = Read::of(Kind::Finiquitos, "a.csv", &csv(&titles));
    assert_eq!(late.shown(), ["! cabecera_no_encontrada"]);
    let reason = &late.report.findings[0].reason;
    assert!(
        reason.contains("rut, fecha_termino, causal_termino"),
        "{reason}"
    );
}

#[test]
fn columns_without_header_are_kept_by_their_letters() {
    let book = sheet(
        "Hoja1",
        &[
            &["rut", "", "fecha_termino", "causal_termino"],
            &["12345678-5", "a", "15/10/2025", "4", "", "b"],
        ],
    );
    let read = Read::of(Kind::Finiquitos, "a.xlsx", &book.bytes());
    assert_eq!(
        read.shown(),
        [
            "Hoja1!B1 columna_sin_clasificar",
            "Hoja1!F1 columna_sin_clasificar"
        ]
    );
    let others: Vec<_> = read.rows[0]
        .others
        .iter()
        .map(|(h, t)| (&**h, &**t))
        .collect();
    assert_eq!(others, [("B", "a"), ("F", "b")]);
}

#[test]
fn cells_of_every_type_are_read() {
    let cells = concat!(
        r#"<row r="2"><c r="A2" t="str"><f>A1</f><v>12345678-5</v></c><c r="B2" t="d"><v>2025-10-15T00:00:00</v></c>"#,
        r#"<c r="C2"><v>4</v></c><c r="D2"><v>1E3</v></c><c r="E2" t="s"><v>1</v></c></row>"#,
        r#"<row r="4"><c r="A4" t="s"><v>0</v></c><c r="E4" t="b"><v>1</v></c></row>"#,
        r#"<row r="5"><c r="E5" t="str"><f>IF(1,"","")</f><v></v></c></row>"#,
    );
    let book = Book::of(&[("Hoja 1", &format!("{}{cells}", rows(&[FINIQUITOS])))]);
    let read = Read::of(Kind::Finiquitos, "A.XLSX", &book.bytes());
    assert_eq!(
        read.shown(),
        [
            "Hoja 1!A2 celda_formula",
            "Hoja 1!A4 rut_formato",
            "Hoja 1!B4 obligatoria_vacia",
            "Hoja 1!C4 obligatoria_vacia",
        ]
    );
    let values: Vec<String> = read.rows[0]
        .values
        .iter()
        .map(|(_, value)| format!("{value:?}"))
        .collect();
    assert_eq!(
        values[1..],
        [
            "Date(2025-10-15)",
            "Text(\"4\")",
            "Amount(1000)",
            "Text(\"rich & m\")"
        ]
    );
}

#[test]
fn words_ignore_case_accents_and_blanks_and_keys_are_of_their_sheet() {
    let ausencia: &[&str] = &[
        "12345678-5",
        "Licencia Médica",
        "01/10/2025",
        "03/10/2025",
        "3",
    ];
    let file = movimientos(
        &[
            &["12345678-5", "Alta", "15/10/2025", ""],
            &["12345678-5", "BAJA", "15/10/2025", "4"],
            &["12345678-5", "alta", "15/10/2025", ""],
        ],
        &[ausencia],
        &[
            &["12345678-5", "01/10/2025", "03/10/2025", "2,5"],
            &["12345678-5", "06/10/2025", "07/10/2025", "3"],
        ],
    );
    let read = Read::of(file.kind, file.name, &file.bytes);
    assert_eq!(
        read.shown(),
        [
            "Altas y Bajas!4 fila_repetida",
            "vacaciones!3 dias_no_cuadran"
        ]
    );
    let tipo = read.rows[2].value(crate::registro::Field::Named("tipo"));
    assert_eq!(
        tipo,
        Some(&crate::registro::Value::Text("LICENCIA_MEDICA".into()))
    );
}

#[test]
fn an_employee_that_is_known_needs_no_name() {
    let bytes = csv(&[NOVEDADES, &["12345678-5", "", "", "", "5"]]);
    assert_eq!(
        Read::knowing(Kind::Novedades, "a.csv", &bytes, true).shown(),
        [""; 0]
    );
    let unknown = Read::knowing(Kind::Novedades, "a.csv", &bytes, false);
    assert_eq!(unknown.shown(), ["!2 creacion_incompleta"]);
}

#[test]
fn the_book_takes_what_is_a_matter_of_discrepancies() {
    let read = {
        let bytes = libro(&[
            &[
                ("1101", "17317684-2"),
                ("2101", "-500"),
                ("1141", "Habitat"),
                ("1171", "17317684-2"),
            ],
            &[("1101", "17317684-2"), ("1115", "40")],
        ]);
        Read::of(Kind::LibroRemuneraciones, "a.csv", &bytes)
    };
    assert_eq!(read.shown(), [""; 0]);
    assert_eq!(read.rows.len(), 2);
}
