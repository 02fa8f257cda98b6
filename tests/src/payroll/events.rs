//! What a closing's events say.

use serde_json::Value;

use super::{Closing, NOMINA};
use crate::client::Client;

/// The members of an object, sorted.
pub fn keys(object: &Value) -> Vec<&str> {
    let members = object
        .as_object()
        .unwrap_or_else(|| panic!("not an object: {object}"));
    let mut keys: Vec<&str> = members.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// One member of each.
#[track_caller]
pub fn names<'a>(items: &'a [Value], member: &str) -> Vec<&'a str> {
    let name = |item: &'a Value| {
        item[member]
            .as_str()
            .unwrap_or_else(|| panic!("{member} is no text: {item}"))
    };
    items.iter().map(name).collect()
}

impl Closing {
    /// A page of its timeline, read by somebody.
    pub async fn timeline_as(&self, client: &Client, query: &str) -> Value {
        client
            .get(&self.path(&format!("/timeline{query}")))
            .await
            .expect(200)
    }

    /// Its timeline to the end in pages of this size, and the summary of each page.
    pub async fn timeline_by(
        &self,
        client: &Client,
        query: &str,
        limit: usize,
    ) -> (Vec<Value>, Vec<Value>) {
        let (mut events, mut summaries) = (Vec::new(), Vec::new());
        let mut go_on = String::new();
        loop {
            let page = self
                .timeline_as(client, &format!("?limit={limit}{query}{go_on}"))
                .await;
            let found = page["eventos"].as_array().expect("a timeline has events");
            assert!(
                found.len() <= limit,
                "{} events on a page of {limit}",
                found.len()
            );
            events.extend(found.iter().cloned());
            summaries.push(page["resumen"].clone());
            match page["next"].as_str() {
                Some(cursor) => go_on = format!("&cursor={cursor}"),
                None => return (events, summaries),
            }
        }
    }

    /// Every event of it, oldest first, without leaving one.
    pub async fn events(&self) -> Vec<Value> {
        let auditor = self.company.auditor().await;
        let path = format!("{NOMINA}/actividad?cierre_id={}", self.id);
        let mut events = auditor.list(&path).await;
        events.reverse();
        events
    }

    /// Its events with this action, oldest first.
    pub async fn events_of(&self, action: &str) -> Vec<Value> {
        let events = self.events().await.into_iter();
        events.filter(|event| event["action"] == action).collect()
    }

    /// Verifies its chain, which must hold every event of it; answers how many there are.
    pub async fn verify(&self) -> u64 {
        let verified = self.company.verify_chain("cierre_nomina", &self.id).await;
        assert_eq!(
            verified,
            self.events().await.len() as u64,
            "events outside the chain"
        );
        verified
    }
}
