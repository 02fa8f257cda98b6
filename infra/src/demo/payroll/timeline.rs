//! What happened to a closing, for people.

use reqwest::StatusCode;
use serde_json::Value;

use super::{Closing, Stage};
use crate::demo::client::field;
use crate::failure::Result;

/// The detail that is shown of an event: the first of these that it has.
const DETAILS: [&str; 8] = [
    "estado_nuevo",
    "registros_procesados",
    "total_discrepancias",
    "total_incidencias",
    "sello",
    "periodo",
    "origen",
    "archivo_nombre",
];

/// Shows the first hundred events: when, who, what, and one detail.
pub(super) async fn show(stage: &Stage<'_>, closing: &Closing) -> Result<()> {
    let answer = stage
        .carla
        .get(&closing.path("/timeline?limit=100"))
        .await?
        .expect(StatusCode::OK)?;
    for event in answer.list("/eventos")? {
        println!(
            "     {}  {:<8} {:<25} {}",
            time(field(event, "timestamp")),
            field(event, "user"),
            field(event, "action"),
            detail(&event["details"]),
        );
    }
    println!(
        "     {} events in all",
        answer.body["resumen"]["total_eventos"]
    );
    Ok(())
}

/// `2025-10-17T10:30:00.000Z` is 10:30:00.000.
fn time(timestamp: &str) -> &str {
    let (_, time) = timestamp.split_once('T').unwrap_or_default();
    time.trim_end_matches('Z')
}

fn detail(details: &Value) -> String {
    let shown = DETAILS
        .iter()
        .find_map(|name| Some((name, details.get(name)?)));
    shown.map_or_else(String::new, |(name, value)| match value.as_str() {
        Some(text) => format!("{name} {text}"),
        None => format!("{name} {value}"),
    })
}

/// Recomputes the chain of the closing's events and shows whether it holds.
pub(super) async fn verify(stage: &Stage<'_>, closing: &Closing) -> Result<()> {
    let path = format!(
        "/activity/verify?resource_type=cierre_nomina&resource_id={}",
        closing.id
    );
    let verified = stage.carla.get(&path).await?.expect(StatusCode::OK)?;
    println!(
        "     {}  valid {}, {} events",
        closing.periodo, verified.body["valid"], verified.body["events"]
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_shown_by_its_time_and_one_detail() {
        assert_eq!(time("2025-10-17T10:30:00.000Z"), "10:30:00.000");
        let details = json!({ "archivo_nombre": "libro.csv", "registros_procesados": 3 });
        assert_eq!(detail(&details), "registros_procesados 3");
        assert_eq!(detail(&json!({})), "");
    }
}
