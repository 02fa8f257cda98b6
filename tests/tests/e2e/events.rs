//! The events that stand in `events/` are what each function's trigger delivers: every function takes its own.

use std::fs;
use std::path::Path;

use cierre_tests::Stack;
use serde_json::{Value, json};

/// Hands a stored event to its function.
async fn answer(stack: &Stack, function: &str, event: &str) -> Value {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let text = fs::read(events.join(function).join(event)).unwrap();
    stack
        .invoke(function, &serde_json::from_slice(&text).unwrap())
        .await
}

#[tokio::test]
async fn every_stored_event_is_taken_by_its_function() {
    let stack = Stack::connect().await;
    let mut taken = 0;
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    for folder in fs::read_dir(events).unwrap() {
        let folder = folder.unwrap();
        if !folder.file_type().unwrap().is_dir() {
            continue;
        }
        let function = folder.file_name().into_string().unwrap();
        for event in fs::read_dir(folder.path()).unwrap() {
            let event = event.unwrap().file_name().into_string().unwrap();
            // Panics when the function fails; what it answers is told by the tests below.
            answer(&stack, &function, &event).await;
            taken += 1;
        }
    }
    assert!(taken >= 24, "{taken} events for twenty-four functions");
}

#[tokio::test]
async fn routes_answer_stored_requests() {
    let stack = Stack::connect().await;
    // The profile is read with the caller's own token, and Cognito does not know a made-up one.
    let profile = answer(&stack, "api-identity", "profile.json").await;
    assert_eq!(profile["statusCode"], 401, "{profile}");
    let document = answer(&stack, "api-docs", "openapi.json").await;
    assert_eq!(document["statusCode"], 200, "{document}");
    let activity = answer(&stack, "api-activity", "by-resource.json").await;
    assert_eq!(activity["statusCode"], 200, "{activity}");
    let unknown = answer(&stack, "api-billing", "batch-status.json").await;
    assert_eq!(unknown["statusCode"], 404, "{unknown}");
    let unknown = answer(&stack, "api-payroll", "closing.json").await;
    assert_eq!(unknown["statusCode"], 404, "{unknown}");
    let slash = answer(&stack, "api-payroll", "clients-with-a-slash.json").await;
    assert_eq!(slash["statusCode"], 200, "{slash}");
    let login = answer(&stack, "api-identity", "login.json").await;
    assert_eq!(login["statusCode"], 200, "the demo users are there");
}

#[tokio::test]
async fn a_stored_sign_in_gets_company_and_name_into_the_token() {
    let stack = Stack::connect().await;
    let answer = answer(&stack, "shape-token", "login.json").await;
    let claims = &answer["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"];
    assert_eq!(
        claims["claimsToAddOrOverride"],
        json!({ "company_id": "demo", "name": "Ana" }),
        "{answer}"
    );
}
