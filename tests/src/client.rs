//! A client of the API: one user, or nobody.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::stack::{Stack, unique};

/// Speaks to the API as one user. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    stack: Stack,
    token: Option<String>,
}

impl Client {
    pub(crate) fn new(stack: Stack, token: Option<String>) -> Self {
        Self { stack, token }
    }

    /// The access token.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("a client with a token")
    }

    /// Starts a request by hand.
    pub fn send(&self, method: Method, path: &str) -> Sent {
        let mut request = self.stack.http().request(method, self.stack.url(path));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Sent { request }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path).now().await
    }

    /// POST under an idempotency key of its own.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_as(&unique(), path, body).await
    }

    /// POST under this idempotency key.
    pub async fn post_as(&self, key: &str, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path)
            .header("idempotency-key", key)
            .json(&body)
            .now()
            .await
    }

    /// PUT.
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path).json(&body).now().await
    }

    /// PATCH.
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PATCH, path).json(&body).now().await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path).now().await
    }

    /// Every item of a list, page by page. Checks on the way that no page is over the limit.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        self.list_by(path, 100).await
    }

    /// Every item of a list, in pages of this size.
    pub async fn list_by(&self, path: &str, limit: usize) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let go_on = cursor
                .as_ref()
                .map(|cursor| format!("&cursor={cursor}"))
                .unwrap_or_default();
            let page = self
                .get(&format!("{path}{mark}limit={limit}{go_on}"))
                .await
                .ok();
            let found = page["items"].as_array().expect("a list has items");
            assert!(
                found.len() <= limit,
                "{} items on a page of {limit}",
                found.len()
            );
            items.extend(found.iter().cloned());
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                assert!(page["next"].is_null(), "next is {}", page["next"]);
                return items;
            }
        }
    }

    /// Logs in; panics when that does not give a token at once.
    pub async fn login(stack: &Stack, username: &str, password: &str) -> Self {
        let body = json!({ "username": username, "password": password });
        let answer = stack.anonymous().post("/auth/login", body).await.ok();
        let token = answer["accessToken"]
            .as_str()
            .unwrap_or_else(|| panic!("{username} cannot log in: {answer}"));
        stack.with_token(token)
    }
}

/// A request in the making.
#[derive(Debug)]
#[must_use]
pub struct Sent {
    request: reqwest::RequestBuilder,
}

impl Sent {
    /// Adds a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        let value: HeaderValue = value.parse().unwrap();
        Self {
            request: self.request.header(name, value),
        }
    }

    /// Adds a header of any bytes.
    pub fn header_bytes(self, name: &'static str, value: HeaderValue) -> Self {
        Self {
            request: self.request.header(name, value),
        }
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        Self {
            request: self.request.json(body),
        }
    }

    /// With any body.
    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self {
            request: self.request.body(body),
        }
    }

    /// Sends it.
    pub async fn now(self) -> Reply {
        let response = self.request.send().await.expect("the stack answers");
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.expect("the answer is text");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply {
            status,
            headers,
            body,
            text,
        }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; null when it is none.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Reply {
    /// A header as text; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// Expects this status and gives the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "unexpected answer: {}", self.text);
        self.body
    }

    /// Expects any success and gives the body.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "unexpected answer {}: {}",
            self.status,
            self.text
        );
        self.body
    }

    /// Expects a refusal with this status and code, in the one form of all errors, and gives the body.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "unexpected answer: {}",
            self.text
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(
            self.body["correlationId"].as_str(),
            Some(self.header("x-correlation-id"))
        );
        for member in ["type", "title", "detail"] {
            assert!(self.body[member].is_string(), "no {member}: {}", self.text);
        }
        self.body
    }

    /// Expects a 422 with exactly these errors, in any order, and gives the body.
    #[track_caller]
    pub fn invalid(self, expected: &[(&str, &str)]) -> Value {
        assert_eq!(self.status, 422, "unexpected answer: {}", self.text);
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let mut found: Vec<(&str, &str)> = errors
            .iter()
            .map(|error| {
                (
                    error["pointer"].as_str().unwrap(),
                    error["code"].as_str().unwrap(),
                )
            })
            .collect();
        let mut expected = expected.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{}", self.text);
        let code = match expected.as_slice() {
            [(_, first), rest @ ..] if rest.iter().all(|(_, code)| code == first) => first,
            _ => "validation_failed",
        };
        assert_eq!(self.body["code"], code, "{}", self.text);
        self.body
    }
}
