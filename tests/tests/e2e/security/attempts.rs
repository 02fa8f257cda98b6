//! Tokens are tried one after the other on a route that would change something, and the company is looked at afterwards.

use cierre_kernel::codes;
use cierre_tests::{Company, Reply, Stack};
use futures::{StreamExt, stream};
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

const PARALLEL: usize = 4;
/// A route that changes something, so that a token that opens it leaves a trace.
const ROUTE: &str = "/customers";

pub(super) type Cases = Vec<(String, Vec<Vec<u8>>)>;

/// What is sent, as the values of `Authorization`.
pub(super) fn case(name: impl Into<String>, token: impl AsRef<str>) -> (String, Vec<Vec<u8>>) {
    header(name, format!("Bearer {}", token.as_ref()))
}

pub(super) fn header(name: impl Into<String>, value: impl Into<Vec<u8>>) -> (String, Vec<Vec<u8>>) {
    (name.into(), vec![value.into()])
}

async fn send(stack: &Stack, number: usize, values: &[Vec<u8>]) -> Reply {
    let body = json!({
        "customerId": number + 1, "name": "Forged", "taxId": "30-00000001-5", "ivaCondition": "RESPONSABLE_INSCRIPTO",
    });
    let mut request = stack.anonymous().send(Method::POST, ROUTE).json(&body);
    for value in values {
        request = request.header_bytes("authorization", HeaderValue::from_bytes(value).unwrap());
    }
    request.now().await
}

/// Sends every case and names those whose answer is another than expected.
pub(super) async fn all_are(company: &Company, cases: Cases, expected: impl Fn(&Reply) -> bool) {
    let stack = &company.stack;
    let answers = stream::iter(cases.iter().enumerate())
        .map(async |(number, (name, values))| (name, send(stack, number, values).await))
        .buffer_unordered(PARALLEL)
        .collect::<Vec<_>>()
        .await;
    assert_eq!(answers.len(), cases.len());
    let wrong: Vec<String> = answers
        .iter()
        .filter(|(_, reply)| !expected(reply))
        .map(|(name, reply)| format!("{name}: {} {}", reply.status, reply.text))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let admin = company.admin().await;
    assert_eq!(
        admin.list("/customers").await,
        Vec::<Value>::new(),
        "a forged token made a customer"
    );
    assert_eq!(
        admin.list("/activity").await,
        Vec::<Value>::new(),
        "a forged token left an event"
    );
}

/// The gateway's own refusal: the function never sees the request, so it has neither our form nor our headers.
pub(super) fn by_gateway(reply: &Reply) -> bool {
    reply.status == 401
        && reply.body == json!({ "message": "Unauthorized" })
        && reply.header("x-correlation-id").is_empty()
}

pub(super) fn by_function(reply: &Reply, code: codes::Code) -> bool {
    reply.status == code.status()
        && reply.body["code"] == code.as_str()
        && reply.header("content-type") == "application/problem+json"
}
