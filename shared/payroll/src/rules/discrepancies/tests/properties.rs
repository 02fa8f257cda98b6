use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{DiscrepanciaHallada, Files, cierre, run, run_in};
use crate::kind::Kind;
use crate::lre::columns::columns;
use crate::lre::testing::{employee, named, set};
use crate::registro::{Field, Value};
use crate::rules::merge::{EstadoDiscrepancia, Known, Merge};

const RUTS: [&str; 6] = [
    "17317684-8",
    "11111111-1",
    "12345678-5",
    "76086428-5",
    "10000013-K",
    "17317684-2",
];

/// Files of few employees with anything in their cells.
fn anything() -> impl Strategy<Value = Files> {
    let cell = (0_usize..147, -3_i64..2_000_000, any::<bool>());
    let row = (
        prop::sample::select(&RUTS),
        prop::collection::vec(cell, 0..6),
    );
    let book = prop::collection::vec(row.clone(), 0..5);
    let novedades = prop::collection::vec(row, 0..5);
    let absence = (prop::sample::select(&RUTS), 0_usize..3, 1_u8..4, 4_u8..7);
    let absences = prop::collection::vec(absence, 0..8);
    let people = prop::collection::vec((prop::sample::select(&RUTS), 0_usize..4), 0..8);
    (book, novedades, absences, people).prop_map(|(book, novedades, absences, people)| {
        let mut files = Files::default();
        for (row, (text, cells)) in (2_u32..).zip(book) {
            let mut copy = employee(text, row);
            for (at, amount, empty) in cells {
                let column = columns()[at];
                let amount = (!empty && at >= 40).then_some(Value::Amount(amount));
                if at > 0 {
                    set(&mut copy, Field::Lre(column.code), amount);
                }
            }
            files
                .0
                .entry(Kind::LibroRemuneraciones)
                .or_default()
                .push(copy);
        }
        let mut seen = BTreeSet::new();
        for (row, (text, cells)) in (2_u32..).zip(novedades) {
            let mut line = named(text, row, &[]);
            for (at, amount, _) in cells.into_iter().filter(|(at, ..)| *at >= 40) {
                let field = Field::Lre(columns()[at].code);
                set(&mut line, field, Some(Value::Amount(amount)));
            }
            if seen.insert(text) {
                files.0.entry(Kind::Novedades).or_default().push(line);
            }
        }
        for (row, (text, side, from, to)) in (2_u32..).zip(absences) {
            let (from, to) = (format!("2025-10-0{from}"), format!("2025-10-0{to}"));
            let cells = [
                ("tipo", "OTRO"),
                ("fecha_inicio", from.as_str()),
                ("fecha_fin", to.as_str()),
            ];
            for (bit, kind) in [(0, Kind::MovimientosMes), (1, Kind::Ausentismos)] {
                if side == bit || side == 2 {
                    let line = named(text, row, &cells);
                    files.0.entry(kind).or_default().push(line);
                }
            }
        }
        for (row, (text, kind)) in (2_u32..).zip(people) {
            let movement = |word| named(text, row, &[("tipo", word), ("fecha", "2025-10-01")]);
            let (kind, line) = match kind {
                0 => (Kind::MovimientosMes, movement("ALTA")),
                1 => (Kind::MovimientosMes, movement("BAJA")),
                2 => (Kind::Ingresos, named(text, row, &[])),
                _ => (Kind::Finiquitos, named(text, row, &[])),
            };
            files.0.entry(kind).or_default().push(line);
        }
        files
    })
}

fn by_id(found: Vec<DiscrepanciaHallada>) -> BTreeMap<String, DiscrepanciaHallada> {
    let count = found.len();
    let map: BTreeMap<_, _> = found
        .into_iter()
        .map(|one| (one.id.to_string(), one))
        .collect();
    assert_eq!(map.len(), count, "every id is given once");
    map
}

proptest! {
    #[test]
    fn ids_are_unique_and_the_order_of_files_is_no_matter(
        files in anything(),
        order in Just(Kind::ALL).prop_shuffle(),
    ) {
        let straight = by_id(run(&files));
        let (shuffled, _) = run_in(cierre(1), &order, &files);
        prop_assert_eq!(straight, by_id(shuffled));
    }

    #[test]
    fn the_order_of_rows_is_no_matter_while_every_rut_has_one(
        files in anything(),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut files = files;
        for rows in files.0.values_mut() {
            let mut seen = BTreeSet::new();
            rows.retain(|row| seen.insert(row.rut));
        }
        let mut turned = files.clone();
        for rows in turned.0.values_mut().filter(|rows| !rows.is_empty()) {
            let by = seed.index(rows.len());
            rows.rotate_left(by);
        }
        prop_assert_eq!(by_id(run(&files)), by_id(run(&turned)));
    }

    #[test]
    fn regenerating_unchanged_files_changes_nothing(files in anything()) {
        let first = run(&files);
        let known = first.iter().map(|one| {
            let known = Known { estado: EstadoDiscrepancia::Justificada, huella: one.huella.clone() };
            (one.id, known)
        });
        let mut merge = Merge::new(known);
        let second = run(&files);
        prop_assert_eq!(&first, &second);
        for one in &second {
            prop_assert!(merge.found(&one.id, &one.huella).is_same());
        }
        prop_assert_eq!(merge.missing().count(), 0);
    }
}
