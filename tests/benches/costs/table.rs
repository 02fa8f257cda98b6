//! The table of the routes: every request is a row.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cierre_tests::{Client, Company};
use reqwest::Method;
use serde_json::Value;

use crate::cost::Cost;

impl Cost {
    /// Out of `dynamodb;desc="2 requests, 12.0 write units, 3.5 read units"`.
    pub(crate) fn of(header: &str) -> Self {
        let numbers: Vec<f64> = header
            .split(|c: char| !(c.is_ascii_digit() || c == '.'))
            .filter_map(|word| word.parse().ok())
            .collect();
        match numbers.as_slice() {
            [requests, writes, reads] => Self {
                requests: *requests,
                writes: *writes,
                reads: *reads,
            },
            _ => panic!("no costs in {header:?}"),
        }
    }
}

/// The routes measured so far, and their rows.
pub(crate) struct Table {
    /// Who sends what is measured.
    pub(crate) client: Client,
    documented: BTreeSet<String>,
    measured: BTreeSet<String>,
    report: String,
}

/// Every `METHOD /path` of the document.
fn documented(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let routes = paths.iter().flat_map(|(path, operations)| {
        let methods = operations.as_object().unwrap().keys();
        methods
            .filter(|method| ["get", "post", "put", "patch", "delete"].contains(&method.as_str()))
            .map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    routes.collect()
}

impl Table {
    /// Without a row; the company's administrator sends what is measured.
    pub(crate) async fn new(company: &Company) -> Self {
        let report = String::from(
            "Commands run under an idempotency key, with their event and chain head. A list's page has up to 25 items; `lote` decides on \
             ten.\n\n| request | requests | write units | read units | $ per 1,000 |\n| --- | ---: | ---: | ---: | ---: |\n",
        );
        Self {
            client: company.admin().await,
            documented: documented(&company.stack.document().await),
            measured: BTreeSet::new(),
            report,
        }
    }

    /// All rows. Panics when the document names a route that was not called.
    pub(crate) fn finish(self) -> String {
        let missing: Vec<&String> = self.documented.difference(&self.measured).collect();
        assert!(missing.is_empty(), "not measured: {missing:?}");
        self.report
    }

    /// A route that is not measured on purpose.
    pub(crate) fn leave_out(&mut self, route: &str) {
        self.measured.insert(route.to_owned());
    }

    pub(crate) async fn get(&mut self, path: &str) -> Value {
        self.row(Method::GET, path, None).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Value {
        self.row(Method::POST, path, Some(body)).await
    }

    /// Sends a request, a command under a key of its own, and adds what it cost.
    pub(crate) async fn row(&mut self, method: Method, path: &str, body: Option<Value>) -> Value {
        let key = format!("bench-{}", self.report.len());
        let mut request = self.client.send(method.clone(), path);
        if let Some(body) = body {
            request = request.header("idempotency-key", &key).json(&body);
        }
        let reply = request.now().await;
        assert!(
            (200..300).contains(&reply.status),
            "{method} {path}: {}",
            reply.text
        );
        let cost = Cost::of(reply.header("server-timing"));
        let route = self.route(&method, path);
        writeln!(
            self.report,
            "| {route} | {} | {} | {} | {:.5} |",
            cost.requests,
            cost.writes,
            cost.reads,
            cost.dollars() * 1000.0
        )
        .unwrap();
        self.measured.insert(route);
        reply.body
    }

    /// The documented route that a request belongs to: the one with the fewest parameters that fits.
    fn route(&self, method: &Method, path: &str) -> String {
        let path = path.split('?').next().unwrap();
        let asked = format!("{method} {path}");
        let fits = |route: &&String| {
            let (mut a, mut b) = (route.split('/'), asked.split('/'));
            route.split('/').count() == asked.split('/').count()
                && a.by_ref()
                    .zip(b.by_ref())
                    .all(|(wanted, segment)| wanted == segment || wanted.starts_with('{'))
        };
        self.documented
            .iter()
            .filter(fits)
            .min_by_key(|route| route.matches('{').count())
            .unwrap_or_else(|| panic!("{asked} is not in the document"))
            .clone()
    }
}
