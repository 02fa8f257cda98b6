//! A small client of the product's HTTP API.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::failure::{Failure, OrFail, Result};
use crate::users::PASSWORD;

/// What to do when the API misbehaves in the demonstration.
const NEXT: &str = "look into the functions' logs: cargo local logs; `cargo local reset` and `cargo local up` start from nothing";

/// A logged-in user.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client,
    api: String,
    token: String,
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// The JSON body; null when there is none.
    pub(crate) body: Value,
    asked: String,
}

impl Session {
    /// Logs in with the demo password.
    pub(crate) async fn log_in(api: &str, username: &str) -> Result<Self> {
        let client = Client::builder()
            .timeout(Duration::from_secs(60))
            .build()
            .or_fail("Cannot make an HTTP client", NEXT)?;
        let mut session = Self {
            client,
            api: api.to_owned(),
            token: String::new(),
        };
        let login = json!({ "username": username, "password": PASSWORD });
        let answer = session
            .send(Method::POST, "/auth/login", Some(login))
            .await?
            .expect(StatusCode::OK)?;
        session.token = answer.text("/accessToken")?.to_owned();
        Ok(session)
    }

    /// The access token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, None).await
    }

    /// Sends a command.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Answer> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Writes a document.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Result<Answer> {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// Puts bytes to an address that the API gave: `method`, `url` and `headers`. No token goes there.
    pub(crate) async fn upload(&self, address: &Value, content: Vec<u8>) -> Result<()> {
        let mut request = self.client.put(field(address, "url")).body(content);
        let headers = address["headers"].as_object().into_iter().flatten();
        // The client itself tells how long the body is.
        for (name, value) in headers.filter(|(name, _)| *name != "content-length") {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        let answer = request
            .send()
            .await
            .or_fail("The upload got no answer", NEXT)?;
        answer
            .error_for_status()
            .or_fail("The bucket refused the upload", NEXT)?;
        Ok(())
    }

    /// Reads what stands at an address that the API gave. No token goes there.
    pub(crate) async fn download(&self, url: &str) -> Result<Vec<u8>> {
        let failed = "The download failed";
        let answer = self.client.get(url).send().await.or_fail(failed, NEXT)?;
        let answer = answer.error_for_status().or_fail(failed, NEXT)?;
        Ok(answer.bytes().await.or_fail(failed, NEXT)?.to_vec())
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Answer> {
        let asked = format!("{method} {path}");
        let mut request = self.client.request(method, format!("{}{path}", self.api));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request
            .send()
            .await
            .or_fail(format!("{asked} got no answer"), NEXT)?;
        let status = answer.status();
        let text = answer
            .text()
            .await
            .or_fail(format!("{asked} broke off"), NEXT)?;
        Ok(Answer {
            status,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            asked,
        })
    }
}

impl Answer {
    /// The answer, if it has this status.
    pub(crate) fn expect(self, status: StatusCode) -> Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        Err(Failure::new(
            format!(
                "{} answered {} instead of {status}: {}",
                self.asked, self.status, self.body
            ),
            NEXT,
        ))
    }

    /// A text in the body.
    pub(crate) fn text(&self, pointer: &str) -> Result<&str> {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .ok_or_else(|| self.lacks(pointer))
    }

    /// A list in the body.
    pub(crate) fn list(&self, pointer: &str) -> Result<&[Value]> {
        self.body
            .pointer(pointer)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .ok_or_else(|| self.lacks(pointer))
    }

    fn lacks(&self, pointer: &str) -> Failure {
        Failure::new(
            format!(
                "The answer to {} lacks {pointer}: {}",
                self.asked, self.body
            ),
            NEXT,
        )
    }
}

/// A text of an object, or a dash.
pub(crate) fn field<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or("-")
}
