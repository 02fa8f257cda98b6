//! What template.yaml must not lose: alarms, routes that ask for a token, roles without wildcards, protected tables.
//!
//! The template is read as text, by its own layout: a block begins at two blanks and a name, and ends before the next one.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn template() -> String {
    fs::read_to_string(root().join("template.yaml")).unwrap()
}

/// Every resource's name and text.
fn resources() -> Vec<(String, String)> {
    let template = template();
    let (_, resources) = template.split_once("\nResources:\n").unwrap();
    let (resources, _) = resources.split_once("\nOutputs:\n").unwrap();
    let mut found: Vec<(String, String)> = Vec::new();
    for line in resources.lines() {
        let name = line
            .strip_prefix("  ")
            .filter(|rest| !rest.starts_with([' ', '#']))
            .and_then(|rest| rest.strip_suffix(':'));
        match (name, found.last_mut()) {
            (Some(name), _) => found.push((name.to_owned(), String::new())),
            (None, Some((_, text))) if !line.trim_start().starts_with('#') => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    found
}

fn of_type(kind: &str) -> Vec<(String, String)> {
    let line = format!("    Type: {kind}\n");
    resources()
        .into_iter()
        .filter(|(_, text)| text.starts_with(&line))
        .collect()
}

/// `run-billing-batch` is `RunBillingBatch`.
fn camel(function: &str) -> String {
    function
        .split('-')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect()
}

fn functions_in_template() -> BTreeSet<String> {
    let template = template();
    let paths = template
        .lines()
        .filter_map(|line| line.trim().strip_prefix("CodeUri: target/lambda/"));
    paths
        .map(|path| path.trim_end_matches('/').to_owned())
        .collect()
}

#[test]
fn every_function_has_logs_that_end_an_alarm_and_an_event() {
    let resources = resources();
    let text_of = |name: String| {
        let found = resources.iter().find(|(found, _)| *found == name);
        found.map(|(_, text)| text.clone()).unwrap_or_default()
    };
    for function in functions_in_template() {
        let camel = camel(&function);
        let logs = format!("LogGroup: !Ref {camel}Logs ");
        assert!(
            text_of(format!("{camel}Function")).contains(&logs),
            "{function} shares a log group"
        );
        assert!(
            text_of(format!("{camel}Logs")).contains("RetentionInDays"),
            "{function} keeps its logs for ever"
        );
        let watched = format!("!Ref {camel}Function");
        assert!(
            text_of(format!("{camel}Errors")).contains(&watched),
            "{function} has no alarm"
        );
        let events = fs::read_dir(root().join("events").join(&function));
        assert!(
            events.is_ok_and(|mut found| found.next().is_some()),
            "events/{function} is missing"
        );
    }
}

#[test]
fn every_route_asks_for_a_token_but_the_public_ones() {
    let public: BTreeSet<String> = of_type("AWS::ApiGatewayV2::Route")
        .into_iter()
        .filter(|(_, text)| {
            !text.contains("AuthorizationType: JWT, AuthorizerId: !Ref ApiAuthorizer")
        })
        .map(|(_, text)| text.split('"').nth(1).unwrap().to_owned())
        .collect();
    let expected = [
        "GET /api",
        "GET /api/openapi.json",
        "GET /api/{asset+}",
        "GET /health",
        "POST /auth/challenge",
        "POST /auth/login",
        "POST /auth/refresh",
    ];
    assert_eq!(public, expected.map(str::to_owned).into());
}

/// How a line with a wildcard may end: ListStreams is granted on all streams of a table or on none, and objects of the bucket are granted by
/// what they are for.
const WILDCARDS: [&str; 6] = [
    "Table.Arn}/stream/*\"",
    "\"${UploadsBucket.Arn}/payroll/*\"",
    "\"${UploadsBucket.Arn}/quarantine/*\"",
    "\"${UploadsBucket.Arn}/derived/*\"",
    "\"${UploadsBucket.Arn}/facturas/*\"",
    "\"${UploadsBucket.Arn}/trabajos/*\"",
];

#[test]
fn no_role_has_a_wildcard_that_it_does_not_need() {
    let roles = of_type("AWS::IAM::Role");
    assert_eq!(
        roles.len(),
        functions_in_template().len(),
        "one role per function"
    );
    for (name, text) in roles {
        for line in text.lines().filter(|line| line.contains('*')) {
            let line = line.trim();
            assert!(
                WILDCARDS.iter().any(|allowed| line.ends_with(allowed)),
                "{name}: {line}"
            );
        }
        assert!(
            !text.contains("ManagedPolicyArns"),
            "{name} takes more than it spells out"
        );
    }
}

#[test]
fn tables_and_buckets_are_protected() {
    let tables = of_type("AWS::DynamoDB::Table");
    assert!(!tables.is_empty());
    for (name, text) in tables {
        for needed in [
            "DeletionProtectionEnabled",
            "PointInTimeRecoveryEnabled",
            "SSEEnabled: true",
            "PAY_PER_REQUEST",
        ] {
            assert!(text.contains(needed), "{name} lacks {needed}");
        }
    }
    for (name, text) in of_type("AWS::S3::Bucket") {
        for needed in [
            "BucketEncryption",
            "RestrictPublicBuckets: true",
            "Status: Enabled",
            "BucketOwnerEnforced",
        ] {
            assert!(text.contains(needed), "{name} lacks {needed}");
        }
    }
}

#[test]
fn every_event_is_json() {
    for function in functions_in_template() {
        for entry in fs::read_dir(root().join("events").join(function)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            assert!(
                serde_json::from_str::<serde_json::Value>(&text).is_ok(),
                "{}",
                path.display()
            );
        }
    }
}
