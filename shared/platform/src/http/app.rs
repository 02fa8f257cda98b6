//! The service around the routes: correlation id, size limit, panics, unknown routes, one form of errors, one log line a request.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request};
use axum::http::uri::PathAndQuery;
use axum::http::{self, Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use cierre_kernel::codes;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::problem::Problem;
use cierre_kernel::time::Instant;
use futures::FutureExt;
use lambda_http::request::RequestContext;
use tower::util::MapRequest;
use tracing::Instrument;
use tracing::field::Empty;
use ulid::Ulid;

use super::CORRELATION_HEADER;
use super::answer::{Outgoing, render, seal};
use super::caller::received_at;
use super::request::BODY_LIMIT_BYTES;
use crate::error::{Error, Failure};
use crate::{db, random, telemetry};

/// What an answer consumed (W3C Server Timing).
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Makes the service that a function runs out of its routes.
pub fn app(routes: Router) -> Router {
    let no_route = async || Error::from(Problem::new(codes::NOT_FOUND));
    let no_method = async || Error::from(Problem::new(codes::METHOD_NOT_ALLOWED));
    routes
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(from_fn(envelope))
}

/// A service that takes a path with a slash at its end as the path without it.
pub type Trimmed<B> = MapRequest<Router, fn(http::Request<B>) -> http::Request<B>>;

/// Puts that before the routes: a router chooses before its own layers run.
pub fn without_trailing_slash<B>(app: Router) -> Trimmed<B> {
    MapRequest::new(app, trim)
}

fn trim<B>(mut request: http::Request<B>) -> http::Request<B> {
    // A blank or control character at the end is no part of an address to whoever reads it on the way here; it was one to the caller.
    let sent = match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(gateway)) => gateway.http.path.as_deref(),
        Some(_) | None => None,
    };
    if sent.is_some_and(|path| !path.ends_with('/')) {
        return request;
    }
    let uri = request.uri();
    let path = uri.path().trim_end_matches('/');
    if path.is_empty() || path.len() == uri.path().len() {
        return request;
    }
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    if let Ok(trimmed) = Uri::from_parts(parts) {
        *request.uri_mut() = trimmed;
    }
    request
}

/// What is known about a request before anything of it is trusted.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) correlation_id: CorrelationId,
    pub(super) now: Instant,
}

impl Arrival {
    /// The arrival that the envelope noted.
    pub(super) fn of(extensions: &Extensions) -> Self {
        extensions
            .get::<Self>()
            .cloned()
            .unwrap_or_else(|| Self::new(&HeaderMap::new(), extensions))
    }

    fn new(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let now = received_at(extensions.get::<RequestContext>());
        let sent = headers
            .get(CORRELATION_HEADER)
            .and_then(|value| value.to_str().ok());
        let correlation_id = sent
            .and_then(|text| CorrelationId::parse(text).ok())
            .unwrap_or_else(|| made_up(now));
        Self {
            correlation_id,
            now,
        }
    }
}

/// An id of our own, for callers that send none or one of another form.
fn made_up(now: Instant) -> CorrelationId {
    let millis = u64::try_from(now.as_millis()).unwrap_or_default();
    CorrelationId::from_ulid(random::ulid(now).unwrap_or_else(|_| Ulid::from_parts(millis, 0)))
}

/// Goes around every request, those to unknown routes included.
async fn envelope(mut request: Request, next: Next) -> Response {
    let arrival = Arrival::new(request.headers(), request.extensions());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        correlation_id = %arrival.correlation_id,
        company_id = Empty,
        method = %request.method(),
        // The pattern, not the path: ids of people's things stay out of the log.
        route,
    );
    request.extensions_mut().insert(arrival.clone());
    async {
        let started = std::time::Instant::now();
        let before = db::consumed();
        let response = respond(request, next).await;
        let mut response = finish(response, &arrival.correlation_id);
        seal(response.headers_mut(), &arrival.correlation_id);
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let consumed = db::consumed().since(before);
        show_cost(response.headers_mut(), consumed);
        tracing::info!(
            status = response.status().as_u16(),
            duration_ms,
            dynamodb_requests = consumed.requests,
            write_units_tenths = consumed.write_tenths,
            read_units_tenths = consumed.read_tenths,
            "request answered"
        );
        telemetry::warmed_up();
        response
    }
    .instrument(span)
    .await
}

/// Says what the answer cost, where browsers and tools look for such figures.
fn show_cost(headers: &mut HeaderMap, consumed: db::Reading) {
    if let Ok(value) = HeaderValue::from_str(&format!("dynamodb;desc=\"{consumed}\"")) {
        headers.insert(SERVER_TIMING, value);
    }
}

async fn respond(request: Request, next: Next) -> Response {
    if request.body().size_hint().lower() > BODY_LIMIT_BYTES as u64 {
        return Error::from(Problem::new(codes::TOO_LARGE)).into_response();
    }
    // A panic costs its own request an answer 500 and nobody else anything.
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => Error::from(Failure::message("a handler panicked")).into_response(),
    }
}

/// Gives an error its body and logs a fault of ours, once, with the whole chain.
fn finish(response: Response, correlation_id: &CorrelationId) -> Response {
    let Some(Outgoing(error)) = response.extensions().get::<Outgoing>() else {
        return adopt(response, correlation_id);
    };
    match &**error {
        Error::Refused(problem) if problem.status < 500 => {
            tracing::info!(code = problem.code.as_str(), "request refused");
            render(problem, correlation_id)
        }
        Error::Refused(problem) => {
            tracing::error!(
                code = problem.code.as_str(),
                detail = problem.detail,
                "request failed"
            );
            render(problem, correlation_id)
        }
        Error::Failed(failure) => {
            tracing::error!(error = failure.chain(), "request failed");
            render(&Problem::new(codes::INTERNAL), correlation_id)
        }
    }
}

/// Errors that axum answers by itself get our form too.
fn adopt(response: Response, correlation_id: &CorrelationId) -> Response {
    let status = response.status();
    let code = match status {
        _ if status.is_success() || status.is_redirection() || status.is_informational() => {
            return response;
        }
        StatusCode::NOT_FOUND => codes::NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED => codes::METHOD_NOT_ALLOWED,
        StatusCode::PAYLOAD_TOO_LARGE => codes::TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => codes::UNSUPPORTED_MEDIA_TYPE,
        _ if status.is_client_error() => codes::NOT_JSON,
        _ => codes::INTERNAL,
    };
    let mut problem = render(&Problem::new(code), correlation_id);
    // `Allow` and the like stay.
    let rendered = std::mem::replace(problem.headers_mut(), response.headers().clone());
    problem.headers_mut().extend(rendered);
    problem
}
