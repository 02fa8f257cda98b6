//! What the functions said, one line an entry, out of CloudWatch Logs, where it stands on AWS too.

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::failure::{Failure, OrFail, Result};
use crate::project::Project;
use crate::stack::{REGION, ROOT, STACK_NAME, Stack};

/// Fields that every line has, shown in front or not at all.
const SHOWN_ELSEWHERE: [&str; 7] = [
    "timestamp",
    "level",
    "message",
    "function",
    "target",
    "cold_start",
    "_aws",
];
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// Looks at one group before its failure counts: functions write while the emulator reads, which it now and then answers with 500.
const TRIES: u32 = 5;
const NEXT: &str = "start the stack first: cargo local up";

/// The log of one function, as far as it was shown.
struct Group {
    name: String,
    /// When the newest entry that was shown was written, in milliseconds; entries of that time may follow.
    since: i64,
    /// Entries of that time that were shown. They come in the order in which they were written.
    shown: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    events: Vec<Entry>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    timestamp: i64,
    message: String,
}

/// Shows the log of one function, or of all; with `follow`, goes on until interrupted.
pub(crate) async fn show(
    project: &Project,
    stack: &Stack,
    function: Option<&str>,
    follow: bool,
) -> Result<()> {
    let known = project.functions()?;
    if let Some(unknown) = function.filter(|name| !known.iter().any(|one| one == name)) {
        return Err(Failure::new(
            format!("There is no function {unknown}."),
            format!("name one of: {}", known.join(", ")),
        ));
    }
    let wanted = known
        .iter()
        .filter(|name| function.is_none_or(|one| one == *name));
    let mut groups: Vec<Group> = wanted
        .map(|name| Group {
            name: format!("/aws/lambda/{STACK_NAME}-{name}"),
            since: 0,
            shown: 0,
        })
        .collect();
    let client = Client::new();
    loop {
        let mut entries = Vec::new();
        for group in &mut groups {
            entries.extend(group.new_entries(&client, stack).await?);
        }
        entries.sort_by_key(|entry| entry.timestamp);
        let lines = entries.iter().filter_map(|entry| readable(&entry.message));
        lines.for_each(|line| println!("{line}"));
        if !follow {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Group {
    /// What was written since the last look.
    async fn new_entries(&mut self, client: &Client, stack: &Stack) -> Result<Vec<Entry>> {
        let mut new: Vec<Entry> = Vec::new();
        let mut token = None;
        loop {
            let page = self.page(client, stack, token.as_deref()).await?;
            new.extend(page.events);
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        // Entries of the time of the last look come first.
        new.drain(..self.shown.min(new.len()));
        if let Some(newest) = new.iter().map(|entry| entry.timestamp).max() {
            let at_newest = new.iter().filter(|entry| entry.timestamp == newest);
            let at_newest = at_newest.count();
            self.shown = match newest > self.since {
                true => at_newest,
                false => self.shown + at_newest,
            };
            self.since = newest;
        }
        Ok(new)
    }

    async fn page(&self, client: &Client, stack: &Stack, token: Option<&str>) -> Result<Page> {
        let mut asked = json!({ "logGroupName": self.name, "startTime": self.since });
        if let Some(token) = token {
            asked["nextToken"] = json!(token);
        }
        let what = || format!("Cannot read the log {}", self.name);
        for _ in 0..TRIES {
            // The emulator looks at the key only, which spares a signature.
            let (key, service) = (ROOT.0, "logs/aws4_request");
            let signed = format!(
                "AWS4-HMAC-SHA256 Credential={key}/20260101/{REGION}/{service}, SignedHeaders=host, Signature=0"
            );
            let request = client
                .post(stack.endpoint())
                .header("x-amz-target", "Logs_20140328.FilterLogEvents")
                .header("content-type", "application/x-amz-json-1.1")
                .header("authorization", signed)
                .body(asked.to_string());
            let answer = request.send().await.or_fail(what(), NEXT)?;
            if answer.status().is_server_error() {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let answer = answer.error_for_status().or_fail(what(), NEXT)?;
            return answer.json().await.or_fail(what(), NEXT);
        }
        Err(Failure::new(what(), NEXT))
    }
}

/// A function's entry as one line; `None` for what Lambda wrote about it.
fn readable(line: &str) -> Option<String> {
    let Value::Object(entry) = serde_json::from_str(line).ok()? else {
        return None;
    };
    let field = |name: &str| entry.get(name).and_then(Value::as_str);
    let speaker = field("function")?;
    let message = field("message").unwrap_or("metrics");
    let at = field("timestamp").unwrap_or_default();
    let level = field("level").unwrap_or_default();
    Some(format!(
        "{at} {level:<5} {speaker:<20} {message}{}",
        fields(&entry)
    ))
}

fn fields(entry: &Map<String, Value>) -> String {
    let own = entry
        .iter()
        .filter(|(name, _)| !SHOWN_ELSEWHERE.contains(&name.as_str()));
    own.map(|(name, value)| match value {
        Value::String(text) => format!("  {name}={text}"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            format!("  {name}={value}")
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"{"function":"run-billing-batch","level":"INFO","message":"batch job active","target":"x","job_id":"batch-1","total_invoices":3,"timestamp":"2026-01-31T12:00:00.000Z"}"#;

    #[test]
    fn an_entry_is_a_sentence_with_its_fields() {
        assert_eq!(
            readable(ENTRY).as_deref(),
            Some(
                "2026-01-31T12:00:00.000Z INFO  run-billing-batch    batch job active  job_id=batch-1  total_invoices=3"
            )
        );
    }

    #[test]
    fn lambdas_own_lines_are_left_out() {
        assert!(readable("START RequestId: 1 Version: $LATEST").is_none());
        assert!(readable(r#"{"message":"no function"}"#).is_none());
    }
}
