//! What the functions said, one line an entry. The emulator copies their output into its own log; the same lines stand in CloudWatch Logs,
//! where `sam logs` finds them, here as on AWS.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::failure::{Failure, OrFail, Result};
use crate::project::Project;
use crate::stack::Stack;

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
    let path = stack.log();
    let next = "start the stack first: cargo local up";
    let what = || format!("Cannot read {}", path.display());
    let mut reader = BufReader::new(File::open(&path).or_fail(what(), next)?);
    let mut line = String::new();
    loop {
        let read = reader.read_line(&mut line).or_fail(what(), next)?;
        if line.ends_with('\n') {
            if let Some(text) = readable(&line, function) {
                println!("{text}");
            }
            line.clear();
        } else if !follow {
            return Ok(());
        }
        // Half a line stays in the buffer until its rest is written.
        if read == 0 {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

/// A function's entry as one line; `None` for everything else in the log.
fn readable(line: &str, function: Option<&str>) -> Option<String> {
    let Value::Object(entry) = serde_json::from_str(line).ok()? else {
        return None;
    };
    let field = |name: &str| entry.get(name).and_then(Value::as_str);
    let speaker = field("function")?;
    if function.is_some_and(|wanted| wanted != speaker) {
        return None;
    }
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
            readable(ENTRY, None).as_deref(),
            Some(
                "2026-01-31T12:00:00.000Z INFO  run-billing-batch    batch job active  job_id=batch-1  total_invoices=3"
            )
        );
    }

    #[test]
    fn other_functions_and_the_emulators_own_lines_are_left_out() {
        assert!(readable(ENTRY, Some("run-billing-batch")).is_some());
        assert!(readable(ENTRY, Some("api-billing")).is_none());
        assert!(readable("2026-11-22 INFO [lambda] ESM: processed 1", None).is_none());
        assert!(readable(r#"{"message":"no function"}"#, None).is_none());
    }
}
