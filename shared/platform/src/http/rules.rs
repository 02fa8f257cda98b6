//! What a single value must look like. A [`Rule`] reads one value or records why it cannot.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;

use cierre_kernel::codes;
use cierre_kernel::id::{Id, Kind};
use cierre_kernel::money::{Currency, Money, MoneyError};
use cierre_kernel::problem::Code;
use cierre_kernel::time::{Date, parse_date};
use serde_json::{Map, Value};

use super::fields::{At, Fields, Source, read_object};

/// How one value is read.
pub trait Rule {
    /// What comes out of it.
    type Output;

    /// Reads the value or records on `at` why it is wrong.
    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Self::Output>;

    /// Reads further; none means `out_of_range`.
    fn try_map<T, F: Fn(Self::Output) -> Option<T>>(self, convert: F) -> TryMap<Self, F>
    where
        Self: Sized,
    {
        TryMap {
            rule: self,
            convert,
            code: codes::OUT_OF_RANGE,
            detail: "is outside of what is allowed",
        }
    }
}

/// A rule followed by a conversion that may refuse; made by [`Rule::try_map`].
#[derive(Clone, Debug)]
pub struct TryMap<R, F> {
    rule: R,
    convert: F,
    code: Code,
    detail: &'static str,
}

impl<R, F> TryMap<R, F> {
    /// The code and the sentence when the conversion refuses.
    pub fn or(mut self, code: Code, detail: &'static str) -> Self {
        self.code = code;
        self.detail = detail;
        self
    }
}

impl<R: Rule, T, F: Fn(R::Output) -> Option<T>> Rule for TryMap<R, F> {
    type Output = T;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<T> {
        let read = self.rule.read(value, at)?;
        (self.convert)(read).or_else(|| at.refuse(self.code, self.detail))
    }
}

fn string<'v>(value: &'v Value, at: &mut At<'_>) -> Option<&'v str> {
    value
        .as_str()
        .or_else(|| at.refuse(codes::INVALID_TYPE, "must be a string"))
}

fn within<T: PartialOrd + Display>(
    value: T,
    allowed: &RangeInclusive<T>,
    at: &mut At<'_>,
) -> Option<T> {
    if allowed.contains(&value) {
        Some(value)
    } else {
        at.refuse(
            codes::OUT_OF_RANGE,
            format!("must lie between {} and {}", allowed.start(), allowed.end()),
        )
    }
}

/// Text of so many characters (Unicode scalar values), without control characters.
pub fn text(characters: RangeInclusive<usize>) -> Text {
    Text {
        characters,
        lines: false,
    }
}

/// As [`text`]; line breaks and tabs are allowed.
pub fn lines(characters: RangeInclusive<usize>) -> Text {
    Text {
        characters,
        lines: true,
    }
}

/// See [`text`].
#[derive(Clone, Debug)]
pub struct Text {
    characters: RangeInclusive<usize>,
    lines: bool,
}

impl Rule for Text {
    type Output = String;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<String> {
        let text = string(value, at)?;
        let count = text.chars().count();
        if !self.characters.contains(&count) {
            let (least, most) = (self.characters.start(), self.characters.end());
            return at.refuse(
                codes::OUT_OF_RANGE,
                format!("must have {least} to {most} characters"),
            );
        }
        let allowed = |c: char| !c.is_control() || (self.lines && matches!(c, '\n' | '\r' | '\t'));
        if !text.chars().all(allowed) {
            return at.refuse(codes::INVALID_FORMAT, "must not contain control characters");
        }
        Some(text.to_owned())
    }
}

/// A whole number; `1.0`, `1e3` and `"1"` are not.
pub fn integer(allowed: RangeInclusive<i64>) -> Integer {
    Integer { allowed }
}

/// See [`integer`].
#[derive(Clone, Debug)]
pub struct Integer {
    allowed: RangeInclusive<i64>,
}

impl Rule for Integer {
    type Output = i64;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<i64> {
        let digits = match (value, at.source()) {
            (Value::Number(number), Source::Body) => number.to_string(),
            (Value::String(text), Source::Query) => text.clone(),
            (_, _) => return at.refuse(codes::INVALID_TYPE, "must be a whole number"),
        };
        let unsigned = digits.strip_prefix('-').unwrap_or(&digits);
        if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
            return at.refuse(codes::INVALID_TYPE, "must be a whole number");
        }
        match digits.parse() {
            Ok(number) => within(number, &self.allowed, at),
            // Only digits, so the one thing left that can be wrong is that there are too many of them.
            Err(_) => {
                let (least, most) = (self.allowed.start(), self.allowed.end());
                at.refuse(
                    codes::OUT_OF_RANGE,
                    format!("must lie between {least} and {most}"),
                )
            }
        }
    }
}

/// `true` or `false`.
pub fn boolean() -> Boolean {
    Boolean
}

/// See [`boolean`].
#[derive(Clone, Copy, Debug)]
pub struct Boolean;

impl Rule for Boolean {
    type Output = bool;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<bool> {
        match (value, at.source()) {
            (Value::Bool(value), Source::Body) => Some(*value),
            (Value::String(text), Source::Query) if text == "true" => Some(true),
            (Value::String(text), Source::Query) if text == "false" => Some(false),
            (_, _) => at.refuse(codes::INVALID_TYPE, "must be true or false"),
        }
    }
}

/// A calendar day, `YYYY-MM-DD`.
pub fn date() -> Day {
    Day {
        allowed: Date::MIN..=Date::MAX,
    }
}

/// A calendar day within bounds, both included.
pub fn date_within(allowed: RangeInclusive<Date>) -> Day {
    Day { allowed }
}

/// See [`date`].
#[derive(Clone, Debug)]
pub struct Day {
    allowed: RangeInclusive<Date>,
}

impl Rule for Day {
    type Output = Date;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Date> {
        match parse_date(string(value, at)?) {
            Ok(date) => within(date, &self.allowed, at),
            Err(_) => at.refuse(
                codes::INVALID_DATE,
                "must be a calendar day of the form YYYY-MM-DD",
            ),
        }
    }
}

/// An amount that is not negative, as text with at most the currency's decimals or as an exact number.
pub fn money(currency: Currency) -> Amount {
    Amount {
        currency,
        minor_units: 0..=i64::MAX,
    }
}

/// See [`money`].
#[derive(Clone, Debug)]
pub struct Amount {
    currency: Currency,
    minor_units: RangeInclusive<i64>,
}

impl Amount {
    /// Bounds in minor units (cents where the currency has them), both included.
    pub fn within_minor_units(mut self, allowed: RangeInclusive<i64>) -> Self {
        self.minor_units = allowed;
        self
    }
}

impl Rule for Amount {
    type Output = Money;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Money> {
        if !matches!(value, Value::String(_) | Value::Number(_)) {
            return at.refuse(
                codes::INVALID_TYPE,
                "must be an amount, as text or as a number",
            );
        }
        match Money::from_json(value, self.currency) {
            Ok(amount) if self.minor_units.contains(&amount.minor()) => Some(amount),
            Ok(_) | Err(MoneyError::OutOfRange) => {
                at.refuse(codes::OUT_OF_RANGE, "is not an allowed amount")
            }
            Err(MoneyError::TooPrecise) => {
                at.refuse(codes::INVALID_AMOUNT, "has more decimals than the currency")
            }
            Err(MoneyError::InvalidAmount | MoneyError::CurrencyMismatch) => {
                at.refuse(codes::INVALID_AMOUNT, "is not a decimal amount")
            }
        }
    }
}

/// An amount whose currency another field names: text or a number, kept as it is for [`Money::from_json`].
pub fn any_amount() -> AnyAmount {
    AnyAmount
}

/// See [`any_amount`].
#[derive(Clone, Copy, Debug)]
pub struct AnyAmount;

impl Rule for AnyAmount {
    type Output = Value;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Value> {
        match value {
            Value::String(_) | Value::Number(_) => Some(value.clone()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => at.refuse(
                codes::INVALID_TYPE,
                "must be an amount, as text or as a number",
            ),
        }
    }
}

/// One word out of a closed list.
pub fn one_of<T: Clone>(words: &[(&'static str, T)]) -> OneOf<T> {
    OneOf {
        words: words.to_vec(),
    }
}

/// See [`one_of`].
#[derive(Clone, Debug)]
pub struct OneOf<T> {
    words: Vec<(&'static str, T)>,
}

impl<T: Clone> Rule for OneOf<T> {
    type Output = T;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<T> {
        let text = string(value, at)?;
        self.words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, meaning)| meaning.clone())
            .or_else(|| {
                let words: Vec<_> = self.words.iter().map(|(word, _)| *word).collect();
                at.refuse(
                    codes::OUT_OF_RANGE,
                    format!("must be one of {}", words.join(", ")),
                )
            })
    }
}

/// A typed identifier, its prefix included.
pub fn id<K: Kind>() -> impl Rule<Output = Id<K>> {
    parsed(
        codes::INVALID_ID,
        "is not an identifier of the expected kind",
        |text| text.parse().ok(),
    )
}

/// Text that a function understands; otherwise the given code and sentence.
pub fn parsed<T, F: Fn(&str) -> Option<T>>(
    code: Code,
    detail: &'static str,
    parse: F,
) -> Parsed<F> {
    Parsed {
        code,
        detail,
        parse,
    }
}

/// See [`parsed`].
#[derive(Clone, Debug)]
pub struct Parsed<F> {
    code: Code,
    detail: &'static str,
    parse: F,
}

impl<T, F: Fn(&str) -> Option<T>> Rule for Parsed<F> {
    type Output = T;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<T> {
        let text = string(value, at)?;
        (self.parse)(text).or_else(|| at.refuse(self.code, self.detail))
    }
}

/// A list of so many items. An empty list that must not be empty is `required`, a longer one `too_many_items` and is not read further.
pub fn list<R: Rule>(item: R, items: RangeInclusive<usize>) -> List<R> {
    List { item, items }
}

/// See [`list`].
#[derive(Clone, Debug)]
pub struct List<R> {
    item: R,
    items: RangeInclusive<usize>,
}

impl<R: Rule> List<R>
where
    R::Output: Ord + Clone,
{
    /// Refuses an item that was there before, at its own index.
    pub fn distinct(self) -> Distinct<R> {
        Distinct { list: self }
    }
}

impl<R: Rule> List<R> {
    fn elements<'v>(&self, value: &'v Value, at: &mut At<'_>) -> Option<&'v [Value]> {
        let Value::Array(elements) = value else {
            return at.refuse(codes::INVALID_TYPE, "must be a list");
        };
        let (least, most) = (*self.items.start(), *self.items.end());
        if elements.len() > most {
            return at.refuse(
                codes::TOO_MANY_ITEMS,
                format!("must have at most {most} items"),
            );
        }
        if elements.is_empty() && least > 0 {
            return at.refuse(codes::REQUIRED, "must not be empty");
        }
        if elements.len() < least {
            return at.refuse(
                codes::OUT_OF_RANGE,
                format!("must have at least {least} items"),
            );
        }
        Some(elements)
    }

    fn read_each(
        &self,
        value: &Value,
        at: &mut At<'_>,
        mut keep: impl FnMut(R::Output, &mut At<'_>) -> Option<R::Output>,
    ) -> Option<Vec<R::Output>> {
        let elements = self.elements(value, at)?;
        let mut read = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let mut here = at.below(&index.to_string());
            let item = match element {
                Value::Null => here.refuse(codes::REQUIRED, "cannot be null"),
                Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_) => self.item.read(element, &mut here),
            };
            read.extend(item.and_then(|item| keep(item, &mut here)));
        }
        // A shorter list has recorded its errors; it must not pass for the whole.
        (read.len() == elements.len()).then_some(read)
    }
}

impl<R: Rule> Rule for List<R> {
    type Output = Vec<R::Output>;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Vec<R::Output>> {
        self.read_each(value, at, |item, _| Some(item))
    }
}

/// A list without repetitions; made by [`List::distinct`].
#[derive(Clone, Debug)]
pub struct Distinct<R> {
    list: List<R>,
}

impl<R: Rule> Rule for Distinct<R>
where
    R::Output: Ord + Clone,
{
    type Output = Vec<R::Output>;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Vec<R::Output>> {
        let mut seen = BTreeSet::new();
        self.list.read_each(value, at, |item, here| {
            if seen.insert(item.clone()) {
                Some(item)
            } else {
                here.refuse(codes::DUPLICATE_ITEMS, "is in the list already")
            }
        })
    }
}

/// A nested object.
pub fn object<T, F: Fn(&mut Fields<'_>) -> Option<T>>(read: F) -> Nested<F> {
    Nested { read }
}

/// See [`object`].
#[derive(Clone, Debug)]
pub struct Nested<F> {
    read: F,
}

impl<T, F: Fn(&mut Fields<'_>) -> Option<T>> Rule for Nested<F> {
    type Output = T;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<T> {
        match value.as_object() {
            Some(object) => read_object(object, at, &self.read),
            None => at.refuse(codes::INVALID_TYPE, "must be an object"),
        }
    }
}

/// An object of so many members at most, of any names, all of one form. What the names mean is for whoever takes them.
pub fn map<R: Rule>(member: R, most: usize) -> Members<R> {
    Members { member, most }
}

/// See [`map`].
#[derive(Clone, Debug)]
pub struct Members<R> {
    member: R,
    most: usize,
}

impl<R: Rule> Rule for Members<R> {
    type Output = BTreeMap<String, R::Output>;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Self::Output> {
        let Some(object) = value.as_object() else {
            return at.refuse(codes::INVALID_TYPE, "must be an object");
        };
        if object.len() > self.most {
            let detail = format!("must have at most {} members", self.most);
            return at.refuse(codes::TOO_MANY_ITEMS, detail);
        }
        let mut read = BTreeMap::new();
        for (name, value) in object {
            if let Some(member) = self.member.read(value, &mut at.below(name)) {
                read.insert(name.clone(), member);
            }
        }
        // One that is missing has recorded its error; the rest must not pass for the whole.
        (read.len() == object.len()).then_some(read)
    }
}

/// Any JSON object, kept as it is.
pub fn any_object() -> AnyObject {
    AnyObject
}

/// See [`any_object`].
#[derive(Clone, Copy, Debug)]
pub struct AnyObject;

impl Rule for AnyObject {
    type Output = Map<String, Value>;

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Map<String, Value>> {
        value
            .as_object()
            .cloned()
            .or_else(|| at.refuse(codes::INVALID_TYPE, "must be an object"))
    }
}
