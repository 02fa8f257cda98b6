//! Reading of JSON that notices what `serde_json` lets pass: an object that names a member twice.
//!
//! Which of the two counts is up to each reader (RFC 8259, section 4), so two programs that look at one body can see two different requests:
//! one checks the first amount, the other books the last. Here such a body is refused, with the place of every repetition.

use std::fmt;

use cierre_kernel::codes;
use cierre_kernel::problem::FieldError;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::fields::{LISTED_ERRORS, escape};

/// How `serde_json` hands over a number that is no machine's integer (`arbitrary_precision`): as an object with this one member.
const NUMBER: &str = "$serde_json::private::Number";

/// Reads a whole document, and names every member that its object has already.
///
/// # Errors
/// When it is not JSON, is followed by something else, or is nested over 127 deep.
pub(super) fn read(bytes: &[u8]) -> serde_json::Result<(Value, Vec<FieldError>)> {
    let mut place = Vec::new();
    let mut repeated = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let strict = Strict {
        place: &mut place,
        repeated: &mut repeated,
    };
    let value = strict.deserialize(&mut reader)?;
    reader.end()?;
    Ok((value, repeated))
}

/// One step from the document to a value.
enum Step {
    Member(String),
    Item(usize),
}

struct Strict<'r> {
    place: &'r mut Vec<Step>,
    repeated: &'r mut Vec<FieldError>,
}

impl Strict<'_> {
    fn below(&mut self, step: Step) -> Strict<'_> {
        self.place.push(step);
        Strict {
            place: &mut *self.place,
            repeated: &mut *self.repeated,
        }
    }

    fn note(&mut self, name: &str) {
        if self.repeated.len() >= LISTED_ERRORS {
            return;
        }
        let mut pointer = String::new();
        for step in self.place.iter() {
            pointer.push('/');
            match step {
                Step::Member(name) => pointer.push_str(&escape(name)),
                Step::Item(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer.push('/');
        pointer.push_str(&escape(name));
        self.repeated.push(FieldError::new(
            pointer,
            codes::DUPLICATE_ITEMS,
            "is given more than once",
        ));
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below(Step::Item(list.len())))? {
            self.place.pop();
            list.push(item);
        }
        self.place.pop();
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == NUMBER && object.is_empty() {
                let digits: String = members.next_value()?;
                let number: Number = digits.parse().map_err(A::Error::custom)?;
                return Ok(Value::Number(number));
            }
            if object.contains_key(&name) {
                self.note(&name);
            }
            let value = members.next_value_seed(self.below(Step::Member(name)))?;
            // What was put there is what is taken away again.
            if let Some(Step::Member(name)) = self.place.pop() {
                object.insert(name, value);
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn places(text: &str) -> Vec<String> {
        let (_, repeated) = read(text.as_bytes()).unwrap();
        repeated.into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn every_repeated_member_is_named_with_its_place() {
        for (text, expected) in [
            (r#"{"a": 1, "b": 1}"#, vec![]),
            (r#"{"a": 1, "a": 1}"#, vec!["/a"]),
            (r#"{"a": 1, "a": 2, "b": 3, "a": 4}"#, vec!["/a", "/a"]),
            // The same name in another spelling.
            (r#"{"a": 1, "\u0061": 2}"#, vec!["/a"]),
            (
                r#"{"a": {"b": 1}, "c": [0, {"d": 1, "d": 2}]}"#,
                vec!["/c/1/d"],
            ),
            (r#"{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}"#, vec![]),
            (r#"{"a/b": {"~": 1, "~": 2}}"#, vec!["/a~1b/~0"]),
            (r#"{"": 1, "": 2}"#, vec!["/"]),
            (
                r#"{"a": {"x": 1, "x": 2}, "a": {"x": 3, "x": 4}}"#,
                vec!["/a/x", "/a", "/a/x"],
            ),
        ] {
            assert_eq!(places(text), expected, "{text}");
        }
    }

    #[test]
    fn no_more_repetitions_are_listed_than_errors_elsewhere() {
        let text = format!("{{{}\"a\":0}}", "\"a\":0,".repeat(2 * LISTED_ERRORS));
        assert_eq!(places(&text).len(), LISTED_ERRORS);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "{}}",
            "{} {}",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "NaN",
            "Infinity",
            "-Infinity",
            "[NaN]",
            "01",
            "+1",
            ".5",
            "1.",
            "\"\\ud800\"",
            "\"\\udc00\\ud800\"",
            "\"\\x\"",
            "\"\n\"",
            "\"a\0\"",
            "\u{feff}{}",
            "/**/{}",
            "nul",
            "\"open",
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text:?}");
        }
        for bytes in [
            &b"\"\xff\""[..],
            b"\"\xc0\xaf\"",
            b"\"\xed\xa0\x80\"",
            b"{\"\xff\":1}",
            b"\xff\xfe{\0}\0",
        ] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        for depth in [128, 10_000, 500_000] {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let text = format!("{}0{}", open.repeat(depth), close.repeat(depth));
                assert!(read(text.as_bytes()).is_err(), "{depth}");
            }
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        let long = "9".repeat(400);
        for text in [
            "0",
            "-0",
            "1.10",
            "1e400",
            "-1E-400",
            "100000000000000000000.000000000000000000001",
            long.as_str(),
        ] {
            let (value, _) = read(text.as_bytes()).unwrap();
            let usual: Value = serde_json::from_str(text).unwrap();
            assert_eq!((&value, value.to_string()), (&usual, usual.to_string()));
        }
    }

    /// An object that looks like a number to `serde_json` is one here too; it gets no further than a number gets.
    #[test]
    fn an_object_in_the_guise_of_a_number_is_a_number_or_refused() {
        let guise = |inside: &str| {
            read(format!("{{\"{NUMBER}\": {inside}}}").as_bytes()).map(|(value, _)| value)
        };
        assert_eq!(guise("\"12\"").unwrap(), json!(12));
        assert!(guise("\"twelve\"").is_err());
        assert!(guise("12").is_err());
        assert!(guise("\"12\", \"a\": 1").is_err());
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..5)
                    .prop_map(|object| Value::Object(object.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_document_without_repetitions_reads_as_ever(document in documents()) {
            let (value, repeated) = read(document.to_string().as_bytes()).unwrap();
            prop_assert_eq!(value, document);
            prop_assert!(repeated.is_empty());
        }

        #[test]
        fn what_is_read_and_what_is_refused_is_as_ever(bytes in prop::collection::vec(prop::sample::select(b"{}[]:,\"\\u0a1e.-\n tfn".to_vec()), 0..24)) {
            let usual = serde_json::from_slice::<Value>(&bytes);
            let strict = read(&bytes);
            prop_assert_eq!(usual.ok(), strict.ok().map(|(value, _)| value));
        }
    }
}
