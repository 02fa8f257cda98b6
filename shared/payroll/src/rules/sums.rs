//! Amounts of a book by employee and column.
//!
//! A book is compared with another one over all its employees, so their sums are kept: 16 bytes per amount other than 0 and 32 per employee. A book
//! of 200,000 employees with 30 amounts each takes about 100 MB.

use std::collections::BTreeMap;

use crate::lre::{Code, amount};
use crate::registro::{Field, Registro};
use crate::rut::Rut;

/// The amounts of some columns, the rows of a RUT summed.
#[derive(Clone, Debug)]
pub struct Sums {
    wanted: fn(Code) -> bool,
    /// By code within a RUT.
    by_rut: BTreeMap<Rut, Vec<(Code, i64)>>,
}

impl Sums {
    /// Begins with nothing; only the wanted columns are summed.
    pub const fn new(wanted: fn(Code) -> bool) -> Self {
        Self {
            wanted,
            by_rut: BTreeMap::new(),
        }
    }

    /// Adds a row. Amounts have at most 12 digits and a book 200,000 rows: no sum comes near the end of the range.
    pub fn add(&mut self, row: &Registro) {
        let cells = || {
            row.values.iter().filter_map(|(field, value)| match field {
                Field::Lre(code) => amount(value)
                    .filter(|pesos| *pesos != 0 && (self.wanted)(*code))
                    .map(|pesos| (*code, pesos)),
                Field::Named(_) => None,
            })
        };
        if let Some(known) = self.by_rut.get(&row.rut) {
            let mut known = known.clone();
            for (code, pesos) in cells() {
                match known.binary_search_by_key(&code, |(code, _)| *code) {
                    Ok(at) => {
                        if let Some((_, sum)) = known.get_mut(at) {
                            *sum = sum.saturating_add(pesos);
                        }
                    }
                    Err(at) => known.insert(at, (code, pesos)),
                }
            }
            self.by_rut.insert(row.rut, known);
        } else {
            // Nearly every RUT has one row: its amounts are kept without room for more.
            let mut amounts = Vec::with_capacity(cells().count());
            amounts.extend(cells());
            amounts.sort_unstable_by_key(|(code, _)| *code);
            self.by_rut.insert(row.rut, amounts);
        }
    }

    /// The employees.
    pub fn ruts(&self) -> impl Iterator<Item = Rut> {
        self.by_rut.keys().copied()
    }

    /// Whether an employee is in the book.
    pub fn has(&self, rut: Rut) -> bool {
        self.by_rut.contains_key(&rut)
    }

    /// How many employees there are.
    pub fn len(&self) -> usize {
        self.by_rut.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_rut.is_empty()
    }

    /// An employee's amount; 0 where there is none.
    pub fn of(&self, rut: Rut, code: Code) -> i64 {
        let amounts = self.amounts(rut);
        amounts
            .binary_search_by_key(&code, |(code, _)| *code)
            .ok()
            .and_then(|at| amounts.get(at))
            .map_or(0, |(_, pesos)| *pesos)
    }

    /// A column over all employees.
    pub fn total(&self, code: Code) -> i64 {
        self.ruts()
            .fold(0, |sum: i64, rut| sum.saturating_add(self.of(rut, code)))
    }

    fn amounts(&self, rut: Rut) -> &[(Code, i64)] {
        self.by_rut.get(&rut).map_or(&[], Vec::as_slice)
    }
}

/// An employee's amounts in two books, by code: every code that either has, with the amount in the first and in the second.
pub(super) fn pairs(before: &Sums, now: &Sums, rut: Rut) -> BTreeMap<Code, (i64, i64)> {
    let mut pairs: BTreeMap<Code, (i64, i64)> = BTreeMap::new();
    for (code, pesos) in before.amounts(rut) {
        pairs.entry(*code).or_default().0 = *pesos;
    }
    for (code, pesos) in now.amounts(rut) {
        pairs.entry(*code).or_default().1 = *pesos;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lre::testing::{code, employee, rut, set_amount};

    #[test]
    fn rows_of_a_rut_are_summed_whatever_their_order() {
        let mut second = employee("12345678-5", 9);
        set_amount(&mut second, "2101", 1);
        set_amount(&mut second, "2103", 7);
        let rows = [employee("12345678-5", 2), second, employee("11111111-1", 3)];
        let sums = |rows: &mut dyn Iterator<Item = &Registro>| {
            let mut sums = Sums::new(|code| code.class() == 2);
            rows.for_each(|row| sums.add(row));
            sums
        };
        let sums_of = [sums(&mut rows.iter()), sums(&mut rows.iter().rev())];
        for sums in sums_of {
            let person = rut("12345678-5");
            assert_eq!(sums.of(person, code("2101")), 600_001);
            assert_eq!(sums.of(person, code("2103")), 7);
            assert_eq!(sums.of(person, code("3141")), 0, "not wanted");
            assert_eq!(sums.total(code("2101")), 1_200_001);
            assert_eq!((sums.len(), sums.is_empty()), (2, false));
            assert!(sums.has(person) && !sums.has(rut("10000013-K")));
        }
    }
}
