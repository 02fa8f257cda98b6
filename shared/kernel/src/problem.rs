//! Refusals as RFC 9457 problem details.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::codes;
pub use crate::codes::Code;
use crate::correlation::CorrelationId;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// JSON pointer into the body, or the name of a query parameter.
    pub pointer: String,
    /// Why.
    pub code: Code,
    /// Why, for people.
    pub detail: String,
}

impl FieldError {
    /// A field error.
    #[must_use]
    pub fn new(pointer: impl Into<String>, code: Code, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            detail: detail.into(),
        }
    }
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// The stable word callers branch on.
    pub code: Code,
    /// The code's sentence.
    pub title: &'static str,
    /// What it means in this case.
    pub detail: String,
    /// The fields that are wrong.
    pub errors: Vec<FieldError>,
    /// Seconds after which a repeat may succeed.
    pub retry_after: Option<u32>,
    /// Further members of the answer.
    pub extra: Map<String, Value>,
}

impl Problem {
    /// A problem with the status and sentence of its code.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self {
            status: code.status(),
            code,
            title: code.title(),
            detail: code.title().to_owned(),
            errors: Vec::new(),
            retry_after: None,
            extra: Map::new(),
        }
    }

    /// A 422 that lists every wrong field; its code is theirs when they share one.
    #[must_use]
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let shared = errors
            .first()
            .map(|first| first.code)
            .filter(|code| errors.iter().all(|error| error.code == *code))
            .unwrap_or(codes::VALIDATION_FAILED);
        let detail = match errors.as_slice() {
            [only] => only.detail.clone(),
            [] | [_, _, ..] => codes::VALIDATION_FAILED.title().to_owned(),
        };
        Self {
            status: codes::VALIDATION_FAILED.status(),
            errors,
            ..Self::new(shared).detail(detail)
        }
    }

    /// A 422 about a single field.
    #[must_use]
    pub fn field(pointer: impl Into<String>, code: Code, detail: impl Into<String>) -> Self {
        Self::validation(vec![FieldError::new(pointer, code, detail)])
    }

    /// Says what it means in this case.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Answers with another status than the code's own.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Lists the fields or items behind it.
    #[must_use]
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Says when a repeat may succeed.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Adds a member to the answer.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// The body of the answer.
    #[must_use]
    pub fn to_json(&self, correlation_id: &CorrelationId) -> Value {
        // Members of the standard are put last, so that no extra one can take their place.
        let mut body = self.extra.clone();
        body.insert(
            "type".into(),
            json!(format!("urn:cierre:problem:{}", self.code)),
        );
        body.insert("title".into(), json!(self.title));
        body.insert("status".into(), json!(self.status));
        body.insert("code".into(), json!(self.code));
        body.insert("detail".into(), json!(self.detail));
        body.insert("correlationId".into(), json!(correlation_id));
        if !self.errors.is_empty() {
            body.insert("errors".into(), json!(self.errors));
        }
        Value::Object(body)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(pointer: &str, code: Code) -> FieldError {
        FieldError::new(pointer, code, "wrong")
    }

    #[test]
    fn a_code_shared_by_all_fields_is_the_answers_code() {
        let problem = Problem::validation(vec![
            wrong("/a", codes::REQUIRED),
            wrong("/b", codes::REQUIRED),
        ]);
        assert_eq!((problem.status, problem.code), (422, codes::REQUIRED));
    }

    #[test]
    fn fields_with_different_codes_are_a_failed_validation() {
        let problem = Problem::validation(vec![
            wrong("/a", codes::REQUIRED),
            wrong("/b", codes::INVALID_TYPE),
        ]);
        assert_eq!(problem.code, codes::VALIDATION_FAILED);
    }

    #[test]
    fn a_field_code_that_is_a_conflict_elsewhere_is_still_422() {
        let problem = Problem::field("/customerId", codes::CUSTOMER_INACTIVE, "no longer active");
        assert_eq!(
            (problem.status, problem.code),
            (422, codes::CUSTOMER_INACTIVE)
        );
        assert_eq!(problem.detail, "no longer active");
    }

    #[test]
    fn extra_members_stand_beside_the_standard_ones_and_never_replace_them() {
        let body = Problem::new(codes::INVALID_PENDINGS)
            .with("batchId", "bat_1")
            .with("status", 200)
            .to_json(&CorrelationId::parse("c-1").unwrap());
        assert_eq!(
            body,
            json!({
                "type": "urn:cierre:problem:invalid_pendings",
                "title": "Some pendings cannot be invoiced",
                "status": 409,
                "code": "invalid_pendings",
                "detail": "Some pendings cannot be invoiced",
                "correlationId": "c-1",
                "batchId": "bat_1",
            })
        );
    }
}
