//! Books of remunerations made from the contract's, and other files as CSV.

const GOLDEN_TEXT: &str = include_str!("../../../shared/payroll/data/lre_golden.csv");

/// `lre_golden.csv` as it is.
pub const GOLDEN: &[u8] = GOLDEN_TEXT.as_bytes();

/// What the worker's contributions consist of (total 5341).
const CONTRIBUTIONS: [&str; 10] = [
    "3141", "3143", "3144", "3146", "3151", "3154", "3155", "3156", "3157", "3158",
];

/// A valid RUT with this number before its check digit.
pub fn rut(number: u32) -> String {
    let digits = number.to_string();
    let weighted = digits.bytes().rev().zip((2..=7).cycle());
    let sum: u32 = weighted
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    match 11 - sum % 11 {
        11 => format!("{number}-0"),
        10 => format!("{number}-K"),
        digit => format!("{number}-{digit}"),
    }
}

/// A CSV of these rows, separated by semicolons.
pub fn table(rows: &[&[&str]]) -> Vec<u8> {
    let lines: Vec<String> = rows.iter().map(|row| row.join(";")).collect();
    (lines.join("\r\n") + "\r\n").into_bytes()
}

/// A book whose cells can be changed. Rows are counted as in the sheet: the first employee stands in row 2.
#[derive(Clone, Debug)]
pub struct Libro {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Libro {
    /// The contract's: an ordinary month, another one, and a settlement.
    pub fn golden() -> Self {
        let cells = |line: &str| line.split(';').map(str::to_owned).collect();
        let mut lines = GOLDEN_TEXT.lines();
        Self {
            headers: cells(lines.next().unwrap()),
            rows: lines.map(cells).collect(),
        }
    }

    /// One ordinary month for each of these RUTs.
    pub fn of(ruts: &[String]) -> Self {
        let Self { headers, rows } = Self::golden();
        let ordinary = &rows[0];
        let mut book = Self {
            headers,
            rows: vec![ordinary.clone(); ruts.len()],
        };
        for (row, rut) in (2..).zip(ruts) {
            book.set(row, "1101", rut);
        }
        book
    }

    fn column(&self, code: &str) -> usize {
        let marked = format!("({code})");
        let at = self
            .headers
            .iter()
            .position(|header| header.contains(&marked));
        at.unwrap_or_else(|| panic!("the book has no column {code}"))
    }

    /// The letters of a column.
    pub fn letters(&self, code: &str) -> String {
        let (mut rest, mut letters) = (self.column(code) + 1, String::new());
        while rest > 0 {
            letters.insert(0, char::from(b'A' + u8::try_from((rest - 1) % 26).unwrap()));
            rest = (rest - 1) / 26;
        }
        letters
    }

    /// A cell.
    pub fn get(&self, row: usize, code: &str) -> &str {
        &self.rows[row - 2][self.column(code)]
    }

    /// Writes a cell.
    pub fn set(&mut self, row: usize, code: &str, cell: &str) -> &mut Self {
        let column = self.column(code);
        cell.clone_into(&mut self.rows[row - 2][column]);
        self
    }

    /// Takes a row away.
    pub fn remove(&mut self, row: usize) -> &mut Self {
        self.rows.remove(row - 2);
        self
    }

    /// Takes a column away.
    pub fn without(&mut self, code: &str) -> &mut Self {
        let column = self.column(code);
        self.headers.remove(column);
        for row in &mut self.rows {
            row.remove(column);
        }
        self
    }

    /// Appends a copy of a row; answers where it stands.
    pub fn repeat(&mut self, row: usize) -> usize {
        self.rows.push(self.rows[row - 2].clone());
        self.rows.len() + 1
    }

    /// Appends a column that repeats one.
    pub fn twice(&mut self, code: &str) -> &mut Self {
        let column = self.column(code);
        self.headers.push(self.headers[column].clone());
        for row in &mut self.rows {
            row.push(row[column].clone());
        }
        self
    }

    /// With its headers spelled otherwise.
    pub fn spelled(&self, spell: impl Fn(&str) -> String) -> Self {
        Self {
            headers: self.headers.iter().map(|header| spell(header)).collect(),
            rows: self.rows.clone(),
        }
    }

    fn amount(&self, row: usize, code: &str) -> i64 {
        match self.get(row, code) {
            "" => 0,
            cell => cell.parse().unwrap_or_else(|_| panic!("{code} is {cell}")),
        }
    }

    fn sum(&self, row: usize, codes: &[&str]) -> i64 {
        codes.iter().map(|code| self.amount(row, code)).sum()
    }

    fn sum_of_group(&self, row: usize, group: &str) -> i64 {
        let codes = self.headers.iter().filter_map(|header| {
            let (_, code) = header.rsplit_once('(')?;
            code.get(..4).filter(|code| code.starts_with(group))
        });
        codes.map(|code| self.amount(row, code)).sum()
    }

    /// Makes every total of a row what its details come to, as the contract says.
    pub fn balance(&mut self, row: usize) -> &mut Self {
        let group = |name| self.sum_of_group(row, name);
        let earned = group("21") + group("22") + group("23") + group("24");
        let deducted = group("31") - self.amount(row, "3164");
        let taxes = self.sum(row, &["3161", "3165"]);
        let settlement_taxes = self.amount(row, "3162");
        let contributions = self.sum(row, &CONTRIBUTIONS);
        let taxed = self.sum(row, &["2417", "2418"]);
        let untaxed = self.sum(row, &["2313", "2314", "2315", "2316", "2331"]);
        let totals = [
            ("5210", group("21")),
            ("5220", group("22")),
            ("5230", group("23")),
            ("5240", group("24")),
            ("5201", earned),
            ("5301", deducted),
            ("5501", (earned - deducted).max(0)),
            ("5361", taxes),
            ("5362", settlement_taxes),
            ("5341", contributions),
            ("5302", deducted - taxes - settlement_taxes - contributions),
            ("5410", group("41")),
            ("5502", taxed + untaxed),
            ("5564", taxed),
            ("5565", untaxed),
        ];
        for (code, total) in totals {
            self.set(row, code, &total.to_string());
        }
        self
    }

    /// As text.
    pub fn text(&self) -> String {
        let lines: Vec<String> = std::iter::once(&self.headers)
            .chain(&self.rows)
            .map(|row| row.join(";"))
            .collect();
        lines.join("\n") + "\n"
    }

    /// As a file in UTF-8.
    pub fn bytes(&self) -> Vec<u8> {
        self.text().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_golden_book_is_read_and_written_alike() {
        assert_eq!(Libro::golden().bytes(), GOLDEN);
    }

    #[test]
    fn balancing_the_golden_book_changes_nothing() {
        let mut book = Libro::golden();
        book.balance(2).balance(3).balance(4);
        assert_eq!(book.bytes(), GOLDEN);
    }

    #[test]
    fn columns_are_called_as_in_a_sheet() {
        let book = Libro::golden();
        assert_eq!(
            (&*book.letters("1101"), &*book.letters("5201")),
            ("A", "EC")
        );
    }

    #[test]
    fn ruts_have_the_check_digits_of_the_contract() {
        let made = [17_317_684, 11_111_111, 76_086_428, 10_000_013, 10_000_004].map(rut);
        assert_eq!(
            made,
            [
                "17317684-8",
                "11111111-1",
                "76086428-5",
                "10000013-K",
                "10000004-0"
            ]
        );
    }
}
