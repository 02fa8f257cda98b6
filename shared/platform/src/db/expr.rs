//! Condition and update expressions, built from values instead of strings.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// Anything that can stand as a value in an expression.
pub trait IntoValue {
    /// The attribute value.
    fn into_value(self) -> AttributeValue;
}

impl IntoValue for AttributeValue {
    fn into_value(self) -> AttributeValue {
        self
    }
}
impl IntoValue for &str {
    fn into_value(self) -> AttributeValue {
        AttributeValue::S(self.to_owned())
    }
}
impl IntoValue for String {
    fn into_value(self) -> AttributeValue {
        AttributeValue::S(self)
    }
}
impl IntoValue for &String {
    fn into_value(self) -> AttributeValue {
        AttributeValue::S(self.clone())
    }
}
impl IntoValue for bool {
    fn into_value(self) -> AttributeValue {
        AttributeValue::Bool(self)
    }
}
macro_rules! number_value {
    ($($t:ty),*) => {$(
        impl IntoValue for $t {
            fn into_value(self) -> AttributeValue {
                AttributeValue::N(self.to_string())
            }
        }
    )*};
}
number_value!(u16, u32, u64, usize, i32, i64);

/// One clause of a condition.
#[derive(Clone, Debug)]
enum Clause {
    Compare(String, &'static str, AttributeValue),
    Exists(String),
    Missing(String),
    AnyOf(Vec<Condition>),
}

/// A condition: all clauses must hold. [`Condition::always`] has none.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    clauses: Vec<Clause>,
}

impl Condition {
    /// No condition at all.
    pub fn always() -> Self {
        Self::default()
    }

    /// The item does not exist yet.
    pub fn absent() -> Self {
        Self::default().missing("pk")
    }

    /// The item exists.
    pub fn present() -> Self {
        Self::default().exists("pk")
    }

    /// The item has this version: the optimistic lock of every entity.
    pub fn version(version: u64) -> Self {
        Self::default().eq("version", version)
    }

    /// The attribute exists.
    #[must_use]
    pub fn exists(mut self, attribute: &str) -> Self {
        self.clauses.push(Clause::Exists(attribute.to_owned()));
        self
    }

    /// The attribute does not exist.
    #[must_use]
    pub fn missing(mut self, attribute: &str) -> Self {
        self.clauses.push(Clause::Missing(attribute.to_owned()));
        self
    }

    /// `attribute = value`.
    #[must_use]
    pub fn eq(self, attribute: &str, value: impl IntoValue) -> Self {
        self.compare(attribute, "=", value)
    }

    /// `attribute <> value`.
    #[must_use]
    pub fn ne(self, attribute: &str, value: impl IntoValue) -> Self {
        self.compare(attribute, "<>", value)
    }

    /// `attribute < value`.
    #[must_use]
    pub fn lt(self, attribute: &str, value: impl IntoValue) -> Self {
        self.compare(attribute, "<", value)
    }

    /// `attribute <= value`.
    #[must_use]
    pub fn le(self, attribute: &str, value: impl IntoValue) -> Self {
        self.compare(attribute, "<=", value)
    }

    /// At least one of the alternatives holds.
    #[must_use]
    pub fn any_of(mut self, alternatives: impl IntoIterator<Item = Condition>) -> Self {
        self.clauses
            .push(Clause::AnyOf(alternatives.into_iter().collect()));
        self
    }

    fn compare(mut self, attribute: &str, operator: &'static str, value: impl IntoValue) -> Self {
        self.clauses.push(Clause::Compare(
            attribute.to_owned(),
            operator,
            value.into_value(),
        ));
        self
    }

    /// Writes the expression, `None` when nothing is asked.
    pub(super) fn render(&self, names: &mut Names) -> Option<String> {
        if self.clauses.is_empty() {
            return None;
        }
        let parts: Vec<String> = self
            .clauses
            .iter()
            .map(|clause| match clause {
                Clause::Compare(attribute, operator, value) => {
                    format!(
                        "{} {operator} {}",
                        names.name(attribute),
                        names.value(value.clone())
                    )
                }
                Clause::Exists(attribute) => format!("attribute_exists({})", names.name(attribute)),
                Clause::Missing(attribute) => {
                    format!("attribute_not_exists({})", names.name(attribute))
                }
                Clause::AnyOf(alternatives) => {
                    let texts: Vec<String> = alternatives
                        .iter()
                        .filter_map(|c| Some((c.clauses.len(), c.render(names)?)))
                        // DynamoDB refuses parentheses that group nothing.
                        .map(|(clauses, text)| {
                            if clauses > 1 {
                                format!("({text})")
                            } else {
                                text
                            }
                        })
                        .collect();
                    match texts.as_slice() {
                        [only] => only.clone(),
                        several => format!("({})", several.join(" OR ")),
                    }
                }
            })
            .collect();
        Some(parts.join(" AND "))
    }
}

/// What an update changes. Nothing else of the item is touched.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    sets: Vec<(String, AttributeValue)>,
    adds: Vec<(String, AttributeValue)>,
    removes: Vec<String>,
}

impl Changes {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an attribute.
    #[must_use]
    pub fn set(mut self, attribute: &str, value: impl IntoValue) -> Self {
        self.sets.push((attribute.to_owned(), value.into_value()));
        self
    }

    /// Adds to a number or to a set; a missing attribute counts as zero or as the empty set.
    #[must_use]
    pub fn add(mut self, attribute: &str, value: impl IntoValue) -> Self {
        self.adds.push((attribute.to_owned(), value.into_value()));
        self
    }

    /// Removes an attribute.
    #[must_use]
    pub fn remove(mut self, attribute: &str) -> Self {
        self.removes.push(attribute.to_owned());
        self
    }

    pub(super) fn render(&self, names: &mut Names) -> String {
        let mut parts = Vec::new();
        if !self.sets.is_empty() {
            let list: Vec<String> = self
                .sets
                .iter()
                .map(|(a, v)| format!("{} = {}", names.name(a), names.value(v.clone())))
                .collect();
            parts.push(format!("SET {}", list.join(", ")));
        }
        if !self.adds.is_empty() {
            let list: Vec<String> = self
                .adds
                .iter()
                .map(|(a, v)| format!("{} {}", names.name(a), names.value(v.clone())))
                .collect();
            parts.push(format!("ADD {}", list.join(", ")));
        }
        if !self.removes.is_empty() {
            let list: Vec<String> = self.removes.iter().map(|a| names.name(a)).collect();
            parts.push(format!("REMOVE {}", list.join(", ")));
        }
        parts.join(" ")
    }
}

/// Placeholder to attribute name.
type NameMap = HashMap<String, String>;
/// Placeholder to value.
type ValueMap = HashMap<String, AttributeValue>;

/// Placeholders of one expression: `#n0` for names, `:v0` for values, because half of the good names are reserved words.
#[derive(Default)]
pub(super) struct Names {
    names: Vec<String>,
    values: Vec<AttributeValue>,
}

impl Names {
    pub(super) fn name(&mut self, attribute: &str) -> String {
        let index = self
            .names
            .iter()
            .position(|known| known == attribute)
            .unwrap_or_else(|| {
                self.names.push(attribute.to_owned());
                self.names.len() - 1
            });
        format!("#n{index}")
    }

    pub(super) fn value(&mut self, value: AttributeValue) -> String {
        self.values.push(value);
        format!(":v{}", self.values.len() - 1)
    }

    pub(super) fn finish(self) -> (Option<NameMap>, Option<ValueMap>) {
        let names: HashMap<_, _> = self
            .names
            .into_iter()
            .enumerate()
            .map(|(i, n)| (format!("#n{i}"), n))
            .collect();
        let values: HashMap<_, _> = self
            .values
            .into_iter()
            .enumerate()
            .map(|(i, v)| (format!(":v{i}"), v))
            .collect();
        (
            (!names.is_empty()).then_some(names),
            (!values.is_empty()).then_some(values),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_joins_its_clauses_and_reuses_names() {
        let mut names = Names::default();
        let text = Condition::default()
            .eq("status", "PENDING")
            .any_of([
                Condition::default().missing("claimedBy"),
                Condition::default().eq("claimedBy", "bat_1"),
            ])
            .render(&mut names);
        assert_eq!(
            text.as_deref(),
            Some("#n0 = :v0 AND (attribute_not_exists(#n1) OR #n1 = :v1)")
        );
    }

    #[test]
    fn no_parentheses_are_redundant() {
        let free = || {
            Condition::default().any_of([
                Condition::default().missing("claimedBy"),
                Condition::default().eq("claimedBy", "bat_1"),
            ])
        };
        let nested = Condition::default()
            .eq("status", "PENDING")
            .any_of([free()]);
        let flat =
            Condition::default().any_of([free().eq("a", "b"), Condition::default().eq("c", "d")]);
        assert_eq!(
            nested.render(&mut Names::default()).as_deref(),
            Some("#n0 = :v0 AND (attribute_not_exists(#n1) OR #n1 = :v1)")
        );
        assert_eq!(
            flat.render(&mut Names::default()).as_deref(),
            Some("(((attribute_not_exists(#n0) OR #n0 = :v0) AND #n1 = :v1) OR #n2 = :v2)")
        );
    }

    #[test]
    fn an_update_lists_sets_adds_and_removes_in_that_order() {
        let mut names = Names::default();
        let text = Changes::new()
            .remove("x")
            .add("n", 1_u64)
            .set("y", true)
            .render(&mut names);
        assert_eq!(text, "SET #n0 = :v0 ADD #n1 :v1 REMOVE #n2");
    }

    #[test]
    fn no_clause_means_no_condition() {
        assert!(Condition::always().render(&mut Names::default()).is_none());
    }
}
