//! The routes: the document, the page, and the files of the page. Nothing is loaded from anywhere else.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cierre_platform::error::Result;
use cierre_platform::http::{Described, Routes, Served, allow_public, not_found};
use cierre_platform::{Failure, route};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

/// The page's frame: names the files, and the place where the document is drawn.
const INDEX: &str = include_str!("index.html");
/// Starts the drawing. A file of its own, because the page allows no script inside itself.
const START: &str = include_str!("start.js");
/// Only the page's own files; styles may stand in attributes, as the drawing puts them there.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// The files of the viewer that the page uses.
const VIEWER: [&str; 3] = [
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "favicon-32x32.png",
];
/// Long enough to spare requests, short enough to show a new release on the same day.
const CACHE: &str = "public, max-age=3600";

/// Ready to be sent, once somebody has asked for it; an empty one could not be written.
pub(crate) type Document = &'static LazyLock<Vec<u8>>;

/// The routes over a document.
pub(crate) fn router(document: Document) -> Router {
    routes::<Served<Document>>()
        .with_state(document)
        .route("/api/{asset}", get(asset))
}

/// Their documentation.
pub(crate) fn document() -> OpenApi {
    routes::<Described>().into_openapi()
}

fn routes<R: Routes<Document>>() -> R {
    R::default()
        .route(allow_public().on(route!(openapi)))
        .route(allow_public().on(route!(index)))
}

fn file(
    kind: &str,
    content: impl Into<axum::body::Body>,
    more: &[(HeaderName, &'static str)],
) -> Result<Response> {
    let mut response = content.into().into_response();
    let kind = HeaderValue::from_str(kind)
        .map_err(|error| Failure::new("answering with a file", error))?;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static(CACHE));
    for (name, value) in more {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// This document
#[utoipa::path(get, path = "/api/openapi.json", tag = "Documentation", responses((status = 200, content_type = "application/json")))]
async fn openapi(State(document): State<Document>) -> Result<Response> {
    if document.is_empty() {
        return Err(Failure::message("the document cannot be written as JSON").into());
    }
    file("application/json", document.as_slice(), &[])
}

/// A page that shows this document
#[utoipa::path(get, path = "/api", tag = "Documentation", responses((status = 200, content_type = "text/html")))]
async fn index() -> Result<Response> {
    file(
        "text/html; charset=utf-8",
        INDEX,
        &[(CONTENT_SECURITY_POLICY, POLICY)],
    )
}

/// A file of the page.
async fn asset(Path(name): Path<String>) -> Result<Response> {
    if name == "start.js" {
        return file("text/javascript; charset=utf-8", START, &[]);
    }
    if !VIEWER.contains(&name.as_str()) {
        return Err(not_found());
    }
    let found = utoipa_swagger_ui::serve(&name, Arc::new(Config::default()));
    let found =
        found.map_err(|error| Failure::message(format!("reading a file of the page: {error}")))?;
    let found = found.ok_or_else(not_found)?;
    let packed: &[_] = if found.gzpipped {
        &[(CONTENT_ENCODING, "gzip")]
    } else {
        &[]
    };
    file(&found.content_type, found.bytes.into_owned(), packed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use axum::http::Request;
    use cierre_platform::http::app;
    use serde_json::Value;
    use tower::ServiceExt;

    async fn read(path: &str) -> (u16, axum::http::HeaderMap, Vec<u8>) {
        let app = app(router(&crate::DOCUMENT));
        let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
        let (parts, body) = app.oneshot(request).await.unwrap().into_parts();
        (
            parts.status.as_u16(),
            parts.headers,
            to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        )
    }

    async fn openapi() -> Value {
        serde_json::from_slice(&read("/api/openapi.json").await.2).unwrap()
    }

    #[tokio::test]
    async fn every_file_that_the_page_names_is_there() {
        let (status, headers, page) = read("/api").await;
        assert_eq!(
            (status, headers["content-type"].to_str().unwrap()),
            (200, "text/html; charset=utf-8")
        );
        let page = String::from_utf8(page).unwrap();
        for name in VIEWER.iter().chain(&["start.js"]) {
            assert!(page.contains(&format!("api/{name}")), "{name}");
            assert_eq!(read(&format!("/api/{name}")).await.0, 200, "{name}");
        }
        assert!(
            !page.contains("//"),
            "the page loads nothing from elsewhere"
        );
    }

    #[tokio::test]
    async fn no_other_file_is_there() {
        for name in [
            "index.html",
            "oauth2-redirect.html",
            "..%2fCargo.toml",
            "x/y",
        ] {
            assert_eq!(read(&format!("/api/{name}")).await.0, 404, "{name}");
        }
    }

    #[tokio::test]
    async fn the_document_describes_each_route_once_and_says_who_may_call_it() {
        let document = openapi().await;
        let mut ids = std::collections::BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()), "{id} stands for two operations");
                assert!(
                    operation["summary"].is_string(),
                    "{method} {path} says nothing of itself"
                );
                let public = operation["security"] == serde_json::json!([]);
                assert_eq!(public, operation["x-roles"].is_null(), "{method} {path}");
            }
        }
    }

    #[tokio::test]
    async fn every_reference_in_the_document_leads_somewhere() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    found.extend(
                        members
                            .get("$ref")
                            .and_then(Value::as_str)
                            .map(str::to_owned),
                    );
                    members.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let document = openapi().await;
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
}
