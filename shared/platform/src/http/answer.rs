//! Answers: the successful ones, and the one form that every error takes.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cierre_kernel::codes;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::problem::Problem;
use serde::Serialize;
use serde_json::{Value, json};

use super::precondition::etag;
use crate::error::{Doing, Error, Failure};
use crate::idempotency::Answer;

/// Content type of errors (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";
/// Says that an answer was stored under the request's idempotency key.
const REPLAYED: &str = "Idempotency-Replayed";

impl Answer {
    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_value(body).doing("writing an answer")?;
        Ok(Self {
            status: status.as_u16(),
            headers: Vec::new(),
            body,
        })
    }

    /// 200 with a body.
    ///
    /// # Errors
    /// When the body cannot be written as JSON.
    pub fn ok(body: &impl Serialize) -> Result<Self, Failure> {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with the new entity and where it is.
    ///
    /// # Errors
    /// When the body cannot be written as JSON.
    pub fn created(location: impl Into<String>, body: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self::json(StatusCode::CREATED, body)?.header("Location", location))
    }

    /// 202 with the resource to poll.
    ///
    /// # Errors
    /// When the body cannot be written as JSON.
    pub fn accepted(location: impl Into<String>, body: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self::json(StatusCode::ACCEPTED, body)?.header("Location", location))
    }

    /// 204.
    pub fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT.as_u16(),
            headers: Vec::new(),
            body: Value::Null,
        }
    }

    /// 200 with one page of a list; `next` is the signed cursor, none at the end.
    ///
    /// # Errors
    /// When an item cannot be written as JSON.
    pub fn page<T: Serialize>(items: &[T], next: Option<String>) -> Result<Self, Failure> {
        Self::ok(
            &json!({ "items": serde_json::to_value(items).doing("writing a list")?, "next": next }),
        )
    }

    /// Adds the entity's version as `ETag`.
    #[must_use]
    pub fn versioned(self, version: u64) -> Self {
        self.header("ETag", etag(version))
    }

    /// Marks an answer that was stored under the request's idempotency key.
    #[must_use]
    pub fn replayed(self) -> Self {
        self.header(REPLAYED, "true")
    }

    /// Whether it was stored under the request's idempotency key.
    pub fn is_replayed(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == REPLAYED)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match response(self) {
            Ok(response) => response,
            Err(failure) => Error::from(failure).into_response(),
        }
    }
}

fn response(answer: Answer) -> Result<Response, Failure> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() =
        StatusCode::from_u16(answer.status).doing("answering with a status")?;
    for (name, value) in answer.headers {
        let name = HeaderName::try_from(name).doing("answering with a header")?;
        response.headers_mut().append(
            name,
            HeaderValue::try_from(value).doing("answering with a header")?,
        );
    }
    if !answer.body.is_null() {
        let body = serde_json::to_vec(&answer.body).doing("writing an answer")?;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = Body::from(body);
    }
    Ok(response)
}

/// 404 `not_found`: there is no such thing, or it belongs to another company; which of the two stays unsaid.
pub fn not_found() -> Error {
    Problem::new(codes::NOT_FOUND).into()
}

/// An error on its way out. The envelope turns it into a body, because only there the correlation id is at hand, and logs it once.
#[derive(Clone, Debug)]
pub(super) struct Outgoing(pub(super) Arc<Error>);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Refused(problem) => {
                StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        response.extensions_mut().insert(Outgoing(Arc::new(self)));
        response
    }
}

/// The error as it leaves: RFC 9457, with a constant text for every fault of ours.
pub(super) fn render(problem: &Problem, correlation_id: &CorrelationId) -> Response {
    let internal;
    let problem = if problem.status >= 500 {
        internal = Problem::new(codes::INTERNAL);
        &internal
    } else {
        problem
    };
    let body = problem.to_json(correlation_id);
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    if let Some(seconds) = problem.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.status == StatusCode::UNAUTHORIZED.as_u16() {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Headers that every answer carries unless its handler says otherwise.
pub(super) fn seal(headers: &mut HeaderMap, correlation_id: &CorrelationId) {
    if let Ok(value) = HeaderValue::from_str(correlation_id.as_str()) {
        headers.insert(super::CORRELATION_HEADER, value);
    }
    // Answers are a company's business: no cache between us and the caller may keep them.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
}
