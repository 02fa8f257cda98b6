//! What the functions wrote, as it stands in CloudWatch Logs.

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::wait::eventually;

/// Calls the service by hand: its SDK would be one more crate to compile, for two requests. The emulator looks at the key of the signature only.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0";

/// The most lines that one answer holds.
const PAGE: usize = 10_000;

impl Stack {
    async fn logs(&self, action: &str, body: Value) -> Value {
        // Functions write while the emulator reads, which it now and then answers with 500; an SDK would ask again too.
        let what = format!("{action} is answered");
        let text = eventually(&what, || async {
            let request = self.http().post(self.output("ENDPOINT_URL"));
            let request = request
                .header("x-amz-target", format!("Logs_20140328.{action}"))
                .header("content-type", "application/x-amz-json-1.1")
                .header("authorization", SIGNED);
            let answer = request.body(body.to_string()).send().await.unwrap();
            assert!(!answer.status().is_client_error(), "{action}: {answer:?}");
            if answer.status().is_server_error() {
                return None;
            }
            Some(answer.text().await.unwrap())
        });
        serde_json::from_str(&text.await).unwrap()
    }

    /// Every line that holds this text, in every log group of the stack: what the functions wrote, and what Lambda and the gateway wrote about
    /// them.
    pub async fn log_lines_with(&self, text: &str) -> Vec<String> {
        assert!(
            !text.contains([' ', '"', '*', '?']),
            "{text} would be read as a pattern"
        );
        let groups = self.logs("DescribeLogGroups", json!({ "limit": 50 })).await;
        assert!(
            groups["nextToken"].is_null(),
            "more groups than one page holds"
        );
        let mut lines = Vec::new();
        for group in groups["logGroups"].as_array().unwrap() {
            let wanted = json!({ "logGroupName": group["logGroupName"], "filterPattern": format!("\"{text}\""), "limit": PAGE });
            let page = self.logs("FilterLogEvents", wanted).await;
            let events = page["events"].as_array().unwrap();
            // The emulator cuts a longer answer off and does not say so.
            assert!(events.len() < PAGE, "more lines than one page holds");
            let found = events
                .iter()
                .map(|event| event["message"].as_str().unwrap());
            lines.extend(found.filter(|line| line.contains(text)).map(str::to_owned));
        }
        lines
    }
}
