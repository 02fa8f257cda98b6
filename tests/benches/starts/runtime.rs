//! The runtime interface of Lambda, as far as a function sees it: it asks for an event and sends an answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use cierre_platform::clock;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// The interface for one process. It ends when it is dropped.
pub(crate) struct Runtime {
    address: String,
    events: mpsc::UnboundedSender<String>,
    polls: mpsc::UnboundedReceiver<Instant>,
    answers: mpsc::UnboundedReceiver<Result<String, String>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    events: Arc<Mutex<mpsc::UnboundedReceiver<String>>>,
    polls: mpsc::UnboundedSender<Instant>,
    answers: mpsc::UnboundedSender<Result<String, String>>,
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Runtime {
    pub(crate) async fn new() -> Self {
        let (events, to_hand_out) = mpsc::unbounded_channel();
        let (polled, polls) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let shared = Shared {
            events: Arc::new(Mutex::new(to_hand_out)),
            polls: polled,
            answers: answered,
        };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(refusal))
            .route("/2018-06-01/runtime/init/error", post(refusal))
            .with_state(shared);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self {
            address,
            events,
            polls,
            answers,
            server,
        }
    }

    /// What stands in `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// When the function asked for its next event. Whoever gives up before, says so.
    pub(crate) async fn polled(&mut self, limit: Duration) -> Result<Instant, String> {
        let asked = async {
            tokio::select! {
                poll = self.polls.recv() => Ok(poll.unwrap()),
                refusal = self.answers.recv() => Err(format!("it gave up: {refusal:?}")),
            }
        };
        tokio::time::timeout(limit, asked)
            .await
            .unwrap_or_else(|_| Err("it never asked for an event".to_owned()))
    }

    /// Hands out an event and waits for the answer.
    pub(crate) async fn invoke(&mut self, event: String) -> Result<String, String> {
        self.events.send(event).unwrap();
        tokio::time::timeout(Duration::from_secs(60), self.answers.recv())
            .await
            .map_err(|_| "it never answered".to_owned())?
            .unwrap()
    }
}

async fn next(State(shared): State<Shared>) -> Response<Body> {
    // Whoever has what it wanted does not wait for the next question.
    let _ = shared.polls.send(Instant::now());
    let event = shared.events.lock().await.recv().await.unwrap_or_default();
    let deadline = clock::now().as_millis() + 60_000;
    Response::builder()
        .header("content-type", "application/json")
        .header(
            "lambda-runtime-aws-request-id",
            "00000000-0000-4000-8000-000000000000",
        )
        .header("lambda-runtime-deadline-ms", deadline.to_string())
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:measured",
        )
        .header(
            "lambda-runtime-trace-id",
            "Root=1-00000000-000000000000000000000000",
        )
        .body(Body::from(event))
        .unwrap()
}

async fn answer(State(shared): State<Shared>, body: String) -> StatusCode {
    let _ = shared.answers.send(Ok(body));
    StatusCode::ACCEPTED
}

async fn refusal(State(shared): State<Shared>, body: String) -> StatusCode {
    let _ = shared.answers.send(Err(body));
    StatusCode::ACCEPTED
}
