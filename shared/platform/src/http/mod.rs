//! HTTP as every domain speaks it: guarded routes, decoded input, one form of answers and errors.
//!
//! A domain brings handlers and collects them in [`Routes`]; [`allow`] puts the roles before them, [`app()`] puts the envelope around them, and
//! [`combine`] puts their documentation together.

mod answer;
mod app;
mod caller;
mod cursor;
mod document;
mod fields;
mod guard;
mod json;
mod precondition;
mod request;
mod routes;
mod rules;

pub use answer::{PROBLEM_JSON, not_found};
pub use app::{Trimmed, app, without_trailing_slash};
pub use cursor::{CursorScope, Cursors, KEY_VARIABLE as CURSOR_KEY_VARIABLE};
pub use document::{PageParameters, combine};
pub use fields::{At, Change, Fields, Paging, Source, decode};
pub use guard::{Rule as RouteRule, allow, allow_any_user, allow_public};
pub use precondition::{IfMatch, etag};
pub use request::{BODY_LIMIT_BYTES, Body, Caller, IDEMPOTENCY_KEY, Query, Segment, Segments};
pub use routes::{Described, Handled, Route, Routes, Ruled, Served, paste, serve};
pub use rules::{
    Rule, any_amount, any_object, boolean, date, date_within, id, integer, lines, list, map, money,
    object, one_of, parsed, text,
};

pub use crate::idempotency::Answer;

/// The header that carries the correlation id in both directions.
pub const CORRELATION_HEADER: &str = "x-correlation-id";

#[cfg(test)]
mod rules_tests;
#[cfg(test)]
mod tests;
