//! The lists behind columns of type [`super::columns::ColumnType::List`].

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Code;

const TABLE: &str = include_str!("../../data/lre_codes.csv");

/// What a list admits.
enum Entry {
    One(&'static str),
    /// Whole numbers, both ends included.
    Range(u32, u32),
}

static LISTS: LazyLock<BTreeMap<Code, Vec<Entry>>> = LazyLock::new(|| {
    let mut lists: BTreeMap<Code, Vec<Entry>> = BTreeMap::new();
    for (code, entry) in TABLE.lines().skip(1).filter_map(read) {
        lists.entry(code).or_default().push(entry);
    }
    lists
});

fn read(line: &'static str) -> Option<(Code, Entry)> {
    let (column, rest) = line.split_once(';')?;
    let (text, _) = rest.split_once(';')?;
    let range = text
        .split_once('-')
        .and_then(|(from, to)| Some(Entry::Range(from.parse().ok()?, to.parse().ok()?)));
    Some((Code::parse(column)?, range.unwrap_or(Entry::One(text))))
}

/// Whether a column's list holds a text. A column without a list admits everything.
///
/// The text is compared as it stands: `013` is not `13`, because the authority refuses it and the export writes it as it is.
pub fn is_known(code: Code, text: &str) -> bool {
    let Some(list) = LISTS.get(&code) else {
        return true;
    };
    let number = whole_number(text);
    list.iter().any(|entry| match entry {
        Entry::One(known) => *known == text,
        Entry::Range(from, to) => number.is_some_and(|n| (*from..=*to).contains(&n)),
    })
}

/// A number without sign or leading zeros.
fn whole_number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::lre::columns::{ColumnType, columns};

    #[test]
    fn exactly_the_columns_of_lists_have_one() {
        for column in columns() {
            assert_eq!(
                column.kind == ColumnType::List,
                LISTS.contains_key(&column.code),
                "{}",
                column.code
            );
        }
        let entries: usize = LISTS.values().map(Vec::len).sum();
        assert_eq!(entries, TABLE.lines().count() - 1);
    }

    #[rstest]
    #[case("1141", "31", true)]
    #[case("1141", "32", false)]
    #[case("1143", "37", true)]
    #[case("1143", "42", true)]
    #[case("1143", "36", false)]
    #[case("1106", "13101", true)]
    #[case("1106", "1100", false)]
    #[case("1106", "17000", false)]
    #[case("1142", "0", true)]
    #[case("1142", "00", false)]
    #[case("1142", "+1", false)]
    #[case("1105", "13", true)]
    #[case("1105", "013", false)]
    #[case("1114", "S", true)]
    #[case("1114", "s", false)]
    #[case("2101", "anything", true)]
    fn a_list_admits_its_values(#[case] code: &str, #[case] text: &str, #[case] known: bool) {
        assert_eq!(is_known(Code::parse(code).unwrap(), text), known);
    }
}
