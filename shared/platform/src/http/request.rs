//! What a handler takes from the request: the caller, the body, the query, a segment of the path.

use std::fmt;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use cierre_kernel::canonical::{canonical_json, sha256_hex};
use cierre_kernel::codes;
use cierre_kernel::problem::{FieldError, Problem};
use cierre_kernel::role::Roles;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::cursor::CursorScope;
use super::fields::{Fields, decode_parameters, decode_with};
use super::json;
use crate::context::Context;
use crate::error::{Error, Failure, Result};
use crate::idempotency::CommandKey;

/// The largest body that is read.
pub const BODY_LIMIT_BYTES: usize = 1024 * 1024;
/// The header under which a command is applied once.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The verified caller of a guarded route.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Company, actor, roles, correlation id, address, time.
    pub context: Context,
    method: Method,
    path: String,
    key: Option<String>,
}

impl Caller {
    /// Refuses a caller who has none of the roles. The guard of the route has checked the route's own list already; this is for rules that
    /// depend on more than the route.
    ///
    /// # Errors
    /// 403 `wrong_role`.
    pub fn require(&self, roles: Roles) -> Result<()> {
        if self.context.roles.any(roles) {
            Ok(())
        } else {
            Err(Problem::new(codes::WRONG_ROLE).into())
        }
    }

    /// The scope of this command's idempotency key, when the caller sent one.
    pub fn command(&self, body: &Body) -> Option<CommandKey> {
        let key = self.key.as_deref()?;
        let context = &self.context;
        let (company, user) = (context.company.as_str(), context.actor.user_id.as_str());
        Some(CommandKey::new(
            company,
            user,
            self.method.as_str(),
            &self.path,
            key,
            body.digest(),
        ))
    }

    /// What the cursors of this list are bound to: the company, the path and the query without `limit` and `cursor`.
    pub fn cursor_scope(&self, query: &Query) -> CursorScope {
        CursorScope::new(&self.context.company, &self.path, query.filters())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let Some(context) = parts.extensions.get::<Context>().cloned() else {
            return Err(Failure::message("a route without a guard asks for its caller").into());
        };
        let key = idempotency_key(&parts.headers)?;
        Ok(Self {
            context,
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            key,
        })
    }
}

/// Reads the idempotency key: 1 to 255 visible ASCII characters, once.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>> {
    let malformed = || {
        Problem::new(codes::INVALID_HEADER)
            .detail("Idempotency-Key must be 1 to 255 visible ASCII characters")
    };
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = value.to_str().map_err(|_| malformed())?;
    let well_formed = (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if well_formed && values.next().is_none() {
        Ok(Some(key.to_owned()))
    } else {
        Err(malformed().into())
    }
}

/// A JSON body, or none when the request has no content.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    value: Option<Value>,
    /// Members that an object names again; whoever decodes the body refuses them with everything else that is wrong.
    repeated: Vec<FieldError>,
    /// Digest of what was sent, for a body that has no canonical form.
    raw: String,
}

impl Body {
    /// Reads the body's fields; see [`super::decode`].
    ///
    /// # Errors
    /// 400 `not_json` without content; 422 with every wrong field.
    pub fn decode<T>(&self, read: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Result<T> {
        match &self.value {
            Some(value) => decode_with(value, self.repeated.clone(), read),
            None => Err(Problem::new(codes::NOT_JSON)
                .detail("The request needs a JSON body")
                .into()),
        }
    }

    /// As [`Body::decode`], for commands whose parameters may all be left out: no content reads as `{}`.
    ///
    /// # Errors
    /// 422 with every wrong field.
    pub fn decode_or_empty<T>(&self, read: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Result<T> {
        let empty = Value::Object(Map::new());
        let value = self.value.as_ref().unwrap_or(&empty);
        decode_with(value, self.repeated.clone(), read)
    }

    /// For commands without parameters: nothing or `{}` is fine, everything else is an unknown field.
    ///
    /// # Errors
    /// 422 with every field that is there.
    pub fn expect_empty(&self) -> Result<()> {
        self.decode_or_empty(|_| Some(()))
    }

    /// A hash that is equal for equal requests: of the canonical form, so that blanks and the order of members do not count.
    pub fn digest(&self) -> String {
        match self.value.as_ref().map(canonical_json) {
            // With a member named twice it says less than the body did.
            Some(Ok(canonical)) if self.repeated.is_empty() => sha256_hex(canonical.as_bytes()),
            Some(Ok(_) | Err(_)) => self.raw.clone(),
            None => sha256_hex(b""),
        }
    }

    fn parse(headers: &HeaderMap, bytes: &[u8]) -> Result<Self> {
        let raw = sha256_hex(bytes);
        if bytes.is_empty() {
            return Ok(Self {
                value: None,
                repeated: Vec::new(),
                raw,
            });
        }
        if !is_json(headers) {
            return Err(Problem::new(codes::UNSUPPORTED_MEDIA_TYPE)
                .detail("The body must be sent as application/json")
                .into());
        }
        match json::read(bytes) {
            Ok((value, repeated)) => Ok(Self {
                value: Some(value),
                repeated,
                raw,
            }),
            Err(error) => {
                // The position helps, the text around it does not belong into answers.
                let (line, column) = (error.line(), error.column());
                Err(Problem::new(codes::NOT_JSON)
                    .detail(format!(
                        "The body is not JSON, or is nested too deeply (line {line}, column {column})"
                    ))
                    .into())
            }
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let headers = request.headers().clone();
        // The size was checked before routing; what is left is a broken encoding of the body.
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| Problem::new(codes::NOT_JSON))?;
        Self::parse(&headers, &bytes)
    }
}

/// Whether the content type is `application/json`, with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// The query parameters.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads the parameters with the same rules as a body's fields; unknown and repeated parameters are refused.
    ///
    /// # Errors
    /// 422 with every wrong parameter; the pointer is `/` and the parameter's name.
    pub fn decode<T>(&self, read: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Result<T> {
        let mut parameters = Map::new();
        let mut errors = Vec::new();
        for (name, value) in &self.pairs {
            if parameters
                .insert(name.clone(), Value::String(value.clone()))
                .is_some()
            {
                errors.push(FieldError::new(
                    format!("/{name}"),
                    codes::DUPLICATE_ITEMS,
                    "is given more than once",
                ));
            }
        }
        decode_parameters(&parameters, errors, read)
    }

    fn filters(&self) -> impl Iterator<Item = (&str, &str)> {
        let filters = self
            .pairs
            .iter()
            .filter(|(name, _)| name != "limit" && name != "cursor");
        filters.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let malformed = || {
            Problem::field(
                "",
                codes::INVALID_FORMAT,
                "The query string cannot be decoded",
            )
        };
        // The reader below puts a mark in place of bytes that are no text, and would look for that mark.
        percent_decode_str(parts.uri.query().unwrap_or_default())
            .decode_utf8()
            .map_err(|_| malformed())?;
        let axum::extract::Query(pairs) =
            axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
                .map_err(|_| malformed())?;
        Ok(Self { pairs })
    }
}

/// The only parameter of the path, in its type. Text that is no such thing names nothing, so it is 404.
#[derive(Clone, Copy, Debug)]
pub struct Segment<T>(pub T);

impl<T, S> FromRequestParts<S> for Segment<T>
where
    T: FromStr + Send,
    T::Err: fmt::Debug,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let not_found = || Problem::new(codes::NOT_FOUND);
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| not_found())?;
        Ok(Self(text.parse().map_err(|_| not_found())?))
    }
}

/// The two parameters of the path, in their types and in order. Text that is no such thing names nothing, so it is 404.
#[derive(Clone, Copy, Debug)]
pub struct Segments<A, B>(pub A, pub B);

impl<A, B, S> FromRequestParts<S> for Segments<A, B>
where
    A: FromStr + Send,
    B: FromStr + Send,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let not_found = || Problem::new(codes::NOT_FOUND);
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| not_found())?;
        let first = first.parse().map_err(|_| not_found())?;
        let second = second.parse().map_err(|_| not_found())?;
        Ok(Self(first, second))
    }
}
