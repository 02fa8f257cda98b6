//! Requests at a time of the test's choosing: the event that API Gateway would make, handed to the function by hand with the claims of a real
//! token.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cierre_kernel::time::{Date, Instant, TimeZone};
use cierre_platform::clock;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::{Map, Value, json};

use crate::client::{Client, Reply};
use crate::company::Company;

/// Where the companies of these tests are.
fn bogota() -> TimeZone {
    TimeZone::parse("America/Bogota").unwrap()
}

/// Today where the companies of these tests are.
pub fn today() -> String {
    after(0)
}

/// The day so many days from today; before it where negative.
pub fn after(days: i64) -> String {
    let day: Date = clock::now()
        .plus_seconds(days * 24 * 3600)
        .date_in(&bogota());
    day.to_string()
}

/// The claims of a token as API Gateway hands them on: every one a text, lists in brackets.
fn claims_of(token: &str) -> Map<String, Value> {
    let payload = token.split('.').nth(1).expect("a token has three parts");
    let bytes = BASE64_URL_SAFE_NO_PAD
        .decode(payload)
        .expect("a token's claims are base64");
    let claims: Map<String, Value> = serde_json::from_slice(&bytes).expect("claims are JSON");
    let flat = |value: Value| match value {
        Value::String(text) => text,
        Value::Array(items) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            format!("[{}]", words.join(" "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    claims
        .into_iter()
        .map(|(name, value)| (name, json!(flat(value))))
        .collect()
}

impl Company {
    /// A request that arrives at this time, RFC 3339.
    pub async fn at(
        &self,
        time: &str,
        client: &Client,
        method: &str,
        path: &str,
        body: Value,
    ) -> Reply {
        let millis = Instant::parse(time).unwrap().as_millis();
        let (raw, query) = path.split_once('?').unwrap_or((path, ""));
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": raw,
            "rawQueryString": query,
            "headers": { "host": "by-hand.example", "content-type": "application/json" },
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "by-hand",
                "authorizer": { "jwt": { "claims": claims_of(client.token()), "scopes": null } },
                "domainName": "by-hand.example",
                "http": { "method": method, "path": raw, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7", "userAgent": "test" },
                "requestId": "by-hand",
                "routeKey": "$default",
                "stage": "$default",
                "time": "01/Jan/2026:00:00:00 +0000",
                "timeEpoch": millis,
            },
            "isBase64Encoded": false,
        });
        if !body.is_null() {
            event["body"] = json!(body.to_string());
        }
        let answer = self.stack.invoke("api-payables", &event).await;
        let mut headers = HeaderMap::new();
        for (name, value) in answer["headers"].as_object().into_iter().flatten() {
            let name: HeaderName = name.parse().unwrap();
            headers.insert(name, value.as_str().unwrap().parse().unwrap());
        }
        let text = answer["body"].as_str().unwrap_or_default().to_owned();
        Reply {
            status: u16::try_from(answer["statusCode"].as_u64().expect("a status")).unwrap(),
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }
}
