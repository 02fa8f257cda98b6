//! The books of the story: the specification's own example for October, and what is made of it.

/// A book of three employees in which every total is right.
pub(super) const OCTOBER: &str = include_str!("../../../../shared/payroll/data/lre_golden.csv");
/// Where the same stands in the checkout.
pub(super) const OCTOBER_FILE: &str = "shared/payroll/data/lre_golden.csv";

/// The employee whose row is changed.
pub(super) const CHANGED: &str = "12345678-5";
/// The employee who left in October.
pub(super) const GONE: &str = "30686957-4";

/// The book of October with two pesos too many in one total.
pub(super) fn october_wrong() -> String {
    with(OCTOBER, CHANGED, &[("5201", "1055817")])
}

/// The book of November: one employee is gone, another one earns 30 % more, and the totals say so too.
pub(super) fn november() -> String {
    let raised = [
        ("2101", "780000"),
        ("5210", "1040815"),
        ("5201", "1235815"),
        ("5501", "1003314"),
    ];
    with(&without(OCTOBER, GONE), CHANGED, &raised)
}

/// The book with other cells in one employee's row, by code.
fn with(book: &str, rut: &str, cells: &[(&str, &str)]) -> String {
    let header = book.lines().next().unwrap_or_default();
    let codes: Vec<&str> = header.split(';').map(code).collect();
    let other = |line: &str| -> String {
        let changed = line.split(';').zip(&codes).map(|(cell, code)| {
            let found = cells.iter().find(|(wanted, _)| wanted == code);
            found.map_or(cell, |(_, cell)| cell)
        });
        changed.collect::<Vec<_>>().join(";")
    };
    lines(book.lines().map(|line| {
        if line.starts_with(rut) {
            other(line)
        } else {
            line.to_owned()
        }
    }))
}

/// The book without one employee.
fn without(book: &str, rut: &str) -> String {
    let others = book.lines().filter(|line| !line.starts_with(rut));
    lines(others.map(str::to_owned))
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

/// `Sueldo(2101)` is 2101.
fn code(header: &str) -> &str {
    let code = header.rsplit_once('(').map_or(header, |(_, code)| code);
    code.trim_end_matches(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(book: &str) -> Vec<Vec<&str>> {
        book.lines().map(|line| line.split(';').collect()).collect()
    }

    #[test]
    fn the_wrong_book_differs_in_one_cell() {
        let (right, wrong) = (cells(OCTOBER), october_wrong());
        let wrong = cells(&wrong);
        let mut changed = Vec::new();
        for (row, (right, wrong)) in right.iter().zip(&wrong).enumerate() {
            for (at, (right, wrong)) in right.iter().zip(wrong).enumerate() {
                if right != wrong {
                    changed.push((row, code(cells(OCTOBER)[0][at]), *right, *wrong));
                }
            }
        }
        assert_eq!(changed, [(1, "5201", "1055815", "1055817")]);
        assert_eq!(right.len(), wrong.len());
    }

    #[test]
    fn november_has_two_employees_of_all_columns() {
        let book = november();
        let rows = cells(&book);
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|row| row.len() == 147));
        assert!(!book.contains(GONE));
        let of = |wanted: &str| {
            let at = rows[0].iter().position(|header| code(header) == wanted);
            rows[1][at.unwrap()].parse::<u32>().unwrap()
        };
        assert_eq!(of("2101"), 600_000 * 130 / 100);
        assert_eq!(of("5201"), of("5210") + of("5230"));
        assert_eq!(of("5501"), of("5201") - of("5301"));
    }
}
