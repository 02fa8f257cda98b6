//! What a cell says: every reading of section 6.2, and nothing else.

use jiff::civil::{Date, date};

use super::finding::Rule;
use super::header;
use super::number::Number;
use super::tables::CellType;
use crate::lre::{Code, codes};
use crate::registro::Value;
use crate::rut::{NotARut, Rut};

/// The most digits of an amount.
const AMOUNT_DIGITS: usize = 12;
/// Longer than this is nothing but text. A workbook can name one long text in a million cells: only what copies it may look at all of it.
const LONG: usize = 256;
const FIRST_DAY: Date = date(1950, 1, 1);
const LAST_DAY: Date = date(2100, 12, 31);

/// From when a workbook counts its days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Epoch {
    /// Day 0 is the last but one of 1899, because the first spreadsheets took 1900 for a leap year.
    Y1900,
    /// Day 0 is the first of 1904.
    Y1904,
}

/// A cell's content as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raw<'a> {
    /// A text, trimmed and not empty.
    Text(&'a str),
    /// A workbook's number.
    Number(&'a str),
}

/// Reads a cell that is not empty as its column wants it.
pub(super) fn read(
    raw: Raw<'_>,
    kind: &CellType,
    epoch: Epoch,
    check_digit: bool,
) -> Result<Value, Rule> {
    let (Raw::Text(written) | Raw::Number(written)) = raw;
    if written.len() > LONG
        && let Some(rule) = too_long(kind)
    {
        return Err(rule);
    }
    match kind {
        CellType::Rut => rut(raw, check_digit).map(Value::Rut),
        CellType::Text(limit) => text(raw, *limit),
        CellType::Date => day(raw, epoch).map(Value::Date).ok_or(Rule::FechaInvalida),
        CellType::Amount { signed } => amount(raw)
            .filter(|amount| *signed || *amount >= 0)
            .map(Value::Amount)
            .ok_or(Rule::MontoInvalido),
        CellType::Decimal => decimal(raw)
            .map(Value::Hundredths)
            .ok_or(Rule::NumeroInvalido),
        CellType::Integer => integer(raw)
            .and_then(|number| number.checked_mul(100))
            .map(Value::Hundredths)
            .ok_or(Rule::NumeroInvalido),
        CellType::Code => Ok(Value::Text(plain(raw).into())),
        CellType::Words(words) => word(raw, words),
        CellType::Codes(list) => {
            let code = code(raw);
            if codes::is_known(*list, &code) {
                Ok(Value::Text(code.into()))
            } else {
                Err(Rule::ValorNoPermitido)
            }
        }
        CellType::Concept => {
            let code = code(raw);
            match Code::parse(&code).map(Code::class) {
                Some(2..=4) => Ok(Value::Text(code.into())),
                Some(_) | None => Err(Rule::ValorNoPermitido),
            }
        }
    }
}

/// What a cell breaks that is far too long for its column.
const fn too_long(kind: &CellType) -> Option<Rule> {
    match kind {
        CellType::Rut => Some(Rule::RutFormato),
        CellType::Date => Some(Rule::FechaInvalida),
        CellType::Amount { .. } => Some(Rule::MontoInvalido),
        CellType::Decimal | CellType::Integer => Some(Rule::NumeroInvalido),
        CellType::Words(_) | CellType::Codes(_) | CellType::Concept => Some(Rule::ValorNoPermitido),
        CellType::Text(_) | CellType::Code => None,
    }
}

fn rut(raw: Raw<'_>, check_digit: bool) -> Result<Rut, Rule> {
    let read = match raw {
        Raw::Text(text) => Rut::parse(text),
        // A point in a number is no thousands mark, so the digits beyond it must not be joined to those before.
        Raw::Number(text) => match Number::parse(text).and_then(Number::whole) {
            Some(number) => Rut::parse(&number.to_string()),
            None => Err(NotARut::Form),
        },
    };
    match read {
        Ok(rut) if check_digit && !rut.is_valid() => Err(Rule::RutDv),
        Ok(rut) => Ok(rut),
        Err(NotARut::Empty) => Err(Rule::RutVacio),
        Err(NotARut::Form) => Err(Rule::RutFormato),
    }
}

/// The text of a cell; a number as people write it.
pub(super) fn plain(raw: Raw<'_>) -> String {
    match raw {
        Raw::Text(text) => text.to_owned(),
        Raw::Number(text) => Number::parse(text).map_or_else(|| text.to_owned(), Number::plain),
    }
}

fn text(raw: Raw<'_>, limit: Option<usize>) -> Result<Value, Rule> {
    let text = plain(raw);
    match limit {
        Some(limit) if text.chars().count() > limit => Err(Rule::TextoLargo),
        Some(_) | None => Ok(Value::Text(text.into())),
    }
}

/// A code of a list in its normal form: a whole number without leading zeros, anything else in upper case.
fn code(raw: Raw<'_>) -> String {
    match integer(raw) {
        Some(number) => number.to_string(),
        None => plain(raw).to_uppercase(),
    }
}

/// A word of a list: case and accents are ignored and blanks read as `_`.
fn word(raw: Raw<'_>, words: &[&'static str]) -> Result<Value, Rule> {
    let read = header::normalise(&plain(raw)).replace(' ', "_");
    words
        .iter()
        .find(|word| word.eq_ignore_ascii_case(&read))
        .map(|word| Value::Text((*word).into()))
        .ok_or(Rule::ValorNoPermitido)
}

fn day(raw: Raw<'_>, epoch: Epoch) -> Option<Date> {
    let read = match raw {
        Raw::Text(text) => written_day(text)?,
        Raw::Number(text) => {
            let zero = match epoch {
                Epoch::Y1900 => date(1899, 12, 30),
                Epoch::Y1904 => date(1904, 1, 1),
            };
            let days = Number::parse(text)?.whole()?;
            // Far more than the last day allowed, and few enough for the calendar.
            let days = (0..=100_000).contains(&days).then_some(days)?;
            zero.checked_add(jiff::Span::new().try_days(days).ok()?)
                .ok()?
        }
    };
    (FIRST_DAY..=LAST_DAY).contains(&read).then_some(read)
}

fn written_day(text: &str) -> Option<Date> {
    let separator = if text.contains('/') { '/' } else { '-' };
    let mut parts = text.split(separator);
    let (first, month, last) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (year, day) = match (first.len(), last.len()) {
        (4, 2) if separator == '-' && month.len() == 2 => (first, last),
        (1..=2, 4) if matches!(month.len(), 1 | 2) => (last, first),
        _ => return None,
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !(digits(year) && digits(month) && digits(day)) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// An amount in pesos: at most twelve digits.
fn amount(raw: Raw<'_>) -> Option<i64> {
    let amount = match raw {
        Raw::Text(text) => written_amount(text)?,
        Raw::Number(text) => Number::parse(text)?.whole()?,
    };
    (amount.unsigned_abs() < 10_u64.pow(12)).then_some(amount)
}

fn written_amount(text: &str) -> Option<i64> {
    let (mut rest, mut negative, mut currency) = (text, false, false);
    loop {
        if let (Some(after), false) = (rest.strip_prefix('$'), currency) {
            (rest, currency) = (after.trim_start(), true);
        } else if let (Some(after), false) = (rest.strip_prefix('-'), negative) {
            (rest, negative) = (after.trim_start(), true);
        } else {
            break;
        }
    }
    let whole = whole_part(rest)?;
    let digits = whole
        .strip_prefix(|c: char| c.is_ascii_digit())
        .and_then(|_| grouped(whole))?;
    let digits = digits.trim_start_matches('0');
    if digits.len() > AMOUNT_DIGITS {
        return None;
    }
    let amount: i64 = if digits.is_empty() {
        0
    } else {
        digits.parse().ok()?
    };
    Some(if negative { -amount } else { amount })
}

/// What stands before a decimal part of one or two zeros. Three zeros could be thousands, so they are no decimal part.
fn whole_part(text: &str) -> Option<&str> {
    let zeros = |part: &str| matches!(part, "0" | "00");
    if let Some((whole, decimals)) = text.split_once(',') {
        return zeros(decimals).then_some(whole);
    }
    match text.rsplit_once('.') {
        Some((whole, decimals)) if zeros(decimals) => Some(whole),
        Some(_) | None => Some(text),
    }
}

/// The digits of a number that is plain or in exact groups of three, all parted by dots or all by blanks.
fn grouped(text: &str) -> Option<String> {
    let blank = |c: char| c.is_whitespace();
    let separator_is_dot = text.contains('.');
    let mut digits = String::with_capacity(text.len());
    let mut size = 0;
    let mut groups = 0;
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            size += 1;
        } else if (separator_is_dot && c == '.') || (!separator_is_dot && blank(c)) {
            let complete = if groups == 0 {
                (1..=3).contains(&size)
            } else {
                size == 3
            };
            if !complete {
                return None;
            }
            groups += 1;
            size = 0;
        } else {
            return None;
        }
    }
    (groups == 0 || size == 3).then_some(digits)
}

/// A number of at most two decimals, in hundredths.
fn decimal(raw: Raw<'_>) -> Option<i64> {
    let number = match raw {
        Raw::Text(text) => {
            let (negative, text) = signed(text);
            let (whole, decimals) = text.split_once([',', '.']).unwrap_or((text, "0"));
            let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
            if !digits(whole) || !digits(decimals) || !matches!(decimals.len(), 1 | 2) {
                return None;
            }
            let whole = small(whole)?;
            let scale = if decimals.len() == 1 { 10 } else { 1 };
            let number = whole * 100 + decimals.parse::<i64>().ok()? * scale;
            if negative { -number } else { number }
        }
        Raw::Number(text) => Number::parse(text)?.hundredths()?,
    };
    (number.unsigned_abs() < 10_u64.pow(14)).then_some(number)
}

/// A whole number, its decimal part absent or of zeros only.
fn integer(raw: Raw<'_>) -> Option<i64> {
    match raw {
        Raw::Text(text) => {
            let (negative, text) = signed(text);
            let (whole, decimals) = text.split_once([',', '.']).unwrap_or((text, "0"));
            if decimals.is_empty() || decimals.len() > 2 || decimals.bytes().any(|b| b != b'0') {
                return None;
            }
            let whole = small(whole)?;
            Some(if negative { -whole } else { whole })
        }
        Raw::Number(text) => Number::parse(text)?
            .whole()
            .filter(|number| number.unsigned_abs() < 10_u64.pow(12)),
    }
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    }
}

/// A number of one to twelve digits.
fn small(digits: &str) -> Option<i64> {
    let form =
        (1..=AMOUNT_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if form { digits.parse().ok() } else { None }
}
