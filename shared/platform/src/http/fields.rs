//! Decoding of a JSON object or of query parameters that reports **every** wrong field at once.
//!
//! A reader asks for each field first and only then combines them, so that one request shows all of its errors:
//!
//! ```
//! use cierre_platform::http::{Fields, integer, text};
//!
//! struct NewCustomer {
//!     customer_id: i64,
//!     name: String,
//!     email: Option<String>,
//! }
//!
//! fn read(fields: &mut Fields<'_>) -> Option<NewCustomer> {
//!     let customer_id = fields.required("customerId", integer(1..=2_147_483_647));
//!     let name = fields.required("name", text(1..=200));
//!     let email = fields.optional("email", text(3..=254));
//!     Some(NewCustomer { customer_id: customer_id?, name: name?, email: email? })
//! }
//!
//! let body = serde_json::json!({ "customerId": 0, "nick": "x" });
//! let error = cierre_platform::http::decode(&body, read).err();
//! let Some(cierre_platform::Error::Refused(problem)) = error else { unreachable!() };
//! assert_eq!(problem.errors.len(), 3); // customerId out of range, name missing, nick unknown
//! ```
//!
//! Fields that nobody asked for are refused, so a reader can never forget to close the object.

use std::borrow::Cow;

use cierre_kernel::codes;
use cierre_kernel::page::Limit;
use cierre_kernel::problem::{Code, FieldError, Problem};
use serde_json::{Map, Value};

use super::rules::{Rule, integer, parsed};
use crate::error::{Failure, Result};

/// More errors than this are not listed: a hostile body of a mebibyte must not become an answer of many.
pub(super) const LISTED_ERRORS: usize = 1_000;

/// Where the values come from; query parameters are always text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A JSON document: types count.
    Body,
    /// Query parameters: numbers and booleans are spelled out as text.
    Query,
}

/// Decodes a JSON document that must be an object.
///
/// # Errors
/// 422 with one entry per wrong field.
pub fn decode<T>(value: &Value, read: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Result<T> {
    decode_with(value, Vec::new(), read)
}

/// As [`decode`], with the errors that were found already.
pub(super) fn decode_with<T>(
    value: &Value,
    mut errors: Vec<FieldError>,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Result<T> {
    let mut at = At {
        pointer: String::new(),
        source: Source::Body,
        errors: &mut errors,
    };
    let output = match value {
        Value::Object(object) => read_object(object, &mut at, read),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            at.refuse(codes::INVALID_TYPE, "must be a JSON object")
        }
    };
    settle(output, errors)
}

/// Decodes query parameters, given as an object of strings.
pub(super) fn decode_parameters<T>(
    parameters: &Map<String, Value>,
    mut errors: Vec<FieldError>,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Result<T> {
    let mut at = At {
        pointer: String::new(),
        source: Source::Query,
        errors: &mut errors,
    };
    let output = read_object(parameters, &mut at, read);
    settle(output, errors)
}

fn settle<T>(output: Option<T>, errors: Vec<FieldError>) -> Result<T> {
    match output {
        Some(output) if errors.is_empty() => Ok(output),
        // A reader that gives up without naming a field is a bug of ours, not of the caller.
        None if errors.is_empty() => {
            Err(Failure::message("a reader gave up without naming a field").into())
        }
        Some(_) | None => Err(Problem::validation(errors).into()),
    }
}

/// Runs a reader over an object and refuses every field that it did not ask for.
pub(super) fn read_object<T>(
    object: &Map<String, Value>,
    at: &mut At<'_>,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Option<T> {
    let mut fields = Fields {
        object,
        known: Vec::with_capacity(object.len()),
        at: At {
            pointer: at.pointer.clone(),
            source: at.source,
            errors: &mut *at.errors,
        },
    };
    let output = read(&mut fields);
    fields.refuse_unknown();
    output
}

/// Where a value stands, and where its errors go.
#[derive(Debug)]
pub struct At<'e> {
    pointer: String,
    source: Source,
    errors: &'e mut Vec<FieldError>,
}

impl At<'_> {
    /// Whether the value is JSON or a query parameter.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Records that the value here is wrong; answers `None` so that a rule can end with it.
    pub fn refuse<T>(&mut self, code: Code, detail: impl Into<String>) -> Option<T> {
        if self.errors.len() < LISTED_ERRORS {
            self.errors
                .push(FieldError::new(self.pointer.clone(), code, detail));
        }
        None
    }

    /// The place one step below: a field name or an index of a list.
    pub fn below(&mut self, segment: &str) -> At<'_> {
        let pointer = format!("{}/{}", self.pointer, escape(segment));
        At {
            pointer,
            source: self.source,
            errors: &mut *self.errors,
        }
    }
}

/// RFC 6901: `~` and `/` inside a name are escaped.
pub(super) fn escape(segment: &str) -> Cow<'_, str> {
    if segment.contains(['~', '/']) {
        Cow::Owned(segment.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(segment)
    }
}

/// What a PATCH says about one field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Not mentioned: stays as it is.
    #[default]
    Keep,
    /// Mentioned: becomes this.
    Set(T),
}

impl<T> Change<T> {
    /// The value after the change.
    pub fn apply_to(self, current: T) -> T {
        match self {
            Self::Keep => current,
            Self::Set(new) => new,
        }
    }

    /// The new value, when the field was mentioned.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Keep => None,
            Self::Set(new) => Some(new),
        }
    }
}

/// The limit and the cursor of a list request.
#[derive(Clone, Debug)]
pub struct Paging {
    /// How many items at most.
    pub limit: Limit,
    /// The opaque continuation, not yet verified.
    pub cursor: Option<String>,
}

/// One object that is being read.
#[derive(Debug)]
pub struct Fields<'e> {
    object: &'e Map<String, Value>,
    known: Vec<&'static str>,
    at: At<'e>,
}

impl<'e> Fields<'e> {
    fn lookup(&mut self, name: &'static str) -> Option<&'e Value> {
        self.known.push(name);
        self.object.get(name)
    }

    fn read<R: Rule>(&mut self, name: &'static str, value: &Value, rule: &R) -> Option<R::Output> {
        rule.read(value, &mut self.at.below(name))
    }

    /// A field that must be there and not be null.
    pub fn required<R: Rule>(&mut self, name: &'static str, rule: R) -> Option<R::Output> {
        match self.lookup(name) {
            None | Some(Value::Null) => self.refuse(name, codes::REQUIRED, "is required"),
            Some(value) => self.read(name, value, &rule),
        }
    }

    /// A field that may be missing or null; both read as none.
    pub fn optional<R: Rule>(&mut self, name: &'static str, rule: R) -> Option<Option<R::Output>> {
        match self.lookup(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => self.read(name, value, &rule).map(Some),
        }
    }

    /// A field with a default for when it is missing or null.
    pub fn optional_or<R: Rule>(
        &mut self,
        name: &'static str,
        rule: R,
        default: R::Output,
    ) -> Option<R::Output> {
        self.optional(name, rule)
            .map(|value| value.unwrap_or(default))
    }

    /// A field of a PATCH that can be changed but not emptied.
    pub fn change<R: Rule>(&mut self, name: &'static str, rule: R) -> Option<Change<R::Output>> {
        match self.lookup(name) {
            None => Some(Change::Keep),
            Some(Value::Null) => self.refuse(name, codes::REQUIRED, "cannot be null"),
            Some(value) => self.read(name, value, &rule).map(Change::Set),
        }
    }

    /// A field of a PATCH that null empties.
    pub fn change_nullable<R: Rule>(
        &mut self,
        name: &'static str,
        rule: R,
    ) -> Option<Change<Option<R::Output>>> {
        match self.lookup(name) {
            None => Some(Change::Keep),
            Some(Value::Null) => Some(Change::Set(None)),
            Some(value) => self
                .read(name, value, &rule)
                .map(|read| Change::Set(Some(read))),
        }
    }

    /// `limit` (1..100, default 25) and `cursor` of a list.
    pub fn paging(&mut self) -> Option<Paging> {
        let limit = self.optional_or(
            "limit",
            integer(1..=100).try_map(|n| u32::try_from(n).ok().and_then(|n| Limit::new(n).ok())),
            Limit::default(),
        );
        // Any text at all: what is no cursor of this list is `bad_cursor`, whatever is wrong with it.
        let cursor = self.optional(
            "cursor",
            parsed(codes::BAD_CURSOR, "is no text", |text| {
                Some(text.to_owned())
            }),
        );
        Some(Paging {
            limit: limit?,
            cursor: cursor?,
        })
    }

    /// Whether the field is there with a value other than null.
    pub fn is_given(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(|value| !value.is_null())
    }

    /// Records an error on a field of this object; for rules over several fields.
    pub fn refuse<T>(&mut self, name: &str, code: Code, detail: impl Into<String>) -> Option<T> {
        self.at.below(name).refuse(code, detail)
    }

    /// Records an error on the object itself.
    pub fn refuse_whole<T>(&mut self, code: Code, detail: impl Into<String>) -> Option<T> {
        self.at.refuse(code, detail)
    }

    /// Refuses a range of two optional fields whose start lies after its end; open ends pass, unreadable values have their own errors.
    pub fn in_order<T: PartialOrd>(
        &mut self,
        from_name: &'static str,
        from: &Option<Option<T>>,
        to_name: &'static str,
        to: &Option<Option<T>>,
    ) -> Option<()> {
        match (from, to) {
            (Some(Some(start)), Some(Some(end))) if start > end => self.refuse(
                from_name,
                codes::INVALID_RANGE,
                format!("must not lie after {to_name}"),
            ),
            (_, _) => Some(()),
        }
    }

    fn refuse_unknown(&mut self) {
        let what = match self.at.source {
            Source::Body => "is not a field of this object",
            Source::Query => "is not a parameter of this route",
        };
        let object = self.object;
        for name in object
            .keys()
            .filter(|name| !self.known.contains(&name.as_str()))
            .collect::<Vec<_>>()
        {
            self.refuse::<()>(name, codes::UNKNOWN_FIELD, what);
        }
    }
}
