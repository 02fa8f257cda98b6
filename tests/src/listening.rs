//! Somebody on this machine who takes signed requests: an ERP, or the receiver of a webhook.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use cierre_billing::erp::signature::SigningKey;
use serde_json::Value;

/// What requests to a [`Listening`] are signed with.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Answers every message by a function, and remembers what it was sent.
#[derive(Debug)]
pub struct Listening {
    /// Where it listens.
    pub url: String,
    received: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Listening {
    /// Begins to listen; a message and the number of those before it decide the status that is answered.
    pub async fn start(answer: fn(&Value, usize) -> u16) -> Self {
        let received: Arc<Mutex<Vec<(HeaderMap, Bytes)>>> = Arc::default();
        let remembered = received.clone();
        let handler = move |headers: HeaderMap, body: Bytes| async move {
            let message: Value = serde_json::from_slice(&body).unwrap();
            let mut received = remembered.lock().unwrap();
            let status = answer(&message, received.len());
            received.push((headers, body));
            StatusCode::from_u16(status).unwrap()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new().route("/hook", post(handler));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, received }
    }

    /// What came, by its id, after checking each signature.
    pub fn messages(&self) -> Vec<(String, Value)> {
        let received = self.received.lock().unwrap();
        let key = SigningKey::parse(SECRET).unwrap();
        let read = |(headers, body): &(HeaderMap, Bytes)| {
            let header = |name: &str| headers[name].to_str().unwrap().to_owned();
            let id = header("webhook-id");
            assert_eq!(header("idempotency-key"), id);
            let timestamp = header("webhook-timestamp").parse().unwrap();
            assert_eq!(header("webhook-signature"), key.sign(&id, timestamp, body));
            (id, serde_json::from_slice(body).unwrap())
        };
        received.iter().map(read).collect()
    }
}
