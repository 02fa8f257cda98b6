//! Whatever the bytes, reading ends with a report.

use proptest::prelude::*;

use super::Read;
use super::books::{FINIQUITO, FINIQUITOS, csv, finiquitos, libro};
use crate::kind::Kind;

fn kinds() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL.to_vec())
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused(
        kind in kinds(),
        name in prop::sample::select(vec!["a.csv", "a.xlsx", "a.txt", "a.xls", "", "csv"]),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let _ = Read::of(kind, name, &bytes);
    }

    #[test]
    fn text_that_looks_like_a_csv_is_read_or_refused(
        kind in kinds(),
        text in "(rut|fecha|tipo|1101|2101|;|,|\"|\r|\n|\r\n|-|=|ñ|\u{a0}|1\\.000|12345678-5|01/10/2025){0,120}",
    ) {
        let read = Read::of(kind, "a.csv", text.as_bytes());
        prop_assert_eq!(&read.report, &Read::of(kind, "a.csv", text.as_bytes()).report);
    }

    #[test]
    fn a_book_whose_parts_are_mutated_is_read_or_refused(
        part in 0_usize..8,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_usize..4), 1..4),
    ) {
        let mut book = finiquitos().stored();
        let part = &mut book.parts[part].1;
        for (at, byte, kind) in cuts {
            if part.is_empty() {
                break;
            }
            let at = at.index(part.len());
            match kind {
                0 => part[at] = byte,
                1 => part.insert(at, byte),
                2 => { part.remove(at); }
                _ => part.truncate(at.max(1)),
            }
        }
        let _ = Read::of(Kind::Finiquitos, "a.xlsx", &book.bytes());
    }

    #[test]
    fn mutated_containers_are_read_or_refused(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = finiquitos().bytes();
        for (at, byte) in cuts {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = Read::of(Kind::Finiquitos, "a.xlsx", &bytes);
    }

    #[test]
    fn mutated_csvs_are_read_or_refused(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        of_book in any::<bool>(),
    ) {
        let (kind, mut bytes) = if of_book {
            (Kind::LibroRemuneraciones, libro(&[&[("1101", "12345678-5"), ("2101", "$ 1.000")]]))
        } else {
            (Kind::Finiquitos, csv(&[FINIQUITOS, FINIQUITO]))
        };
        for (at, byte) in cuts {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = Read::of(kind, "a.csv", &bytes);
    }

    #[test]
    fn an_amount_is_read_as_it_is_written(amount in 0_i64..1_000_000_000_000, style in 0_usize..5) {
        let plain = amount.to_string();
        let grouped = |mark: &str| {
            let first = plain.len() % 3;
            let mut parts: Vec<&str> = Vec::new();
            if first > 0 {
                parts.push(&plain[..first]);
            }
            parts.extend(plain.as_bytes()[first..].chunks(3).map(|c| std::str::from_utf8(c).unwrap()));
            parts.join(mark)
        };
        let text = match style {
            0 => plain.clone(),
            1 => format!("$ {}", grouped(".")),
            2 => grouped(" "),
            3 => format!("{},00", grouped(".")),
            _ => format!("${plain},0"),
        };
        let cells = ["12345678-5", "15/10/2025", "4", text.as_str(), ""];
        let read = Read::of(Kind::Finiquitos, "a.csv", &csv(&[FINIQUITOS, &cells]));
        let field = crate::registro::Field::Named("total_finiquito");
        prop_assert_eq!(read.rows[0].value(field), Some(&crate::registro::Value::Amount(amount)));
    }
}
