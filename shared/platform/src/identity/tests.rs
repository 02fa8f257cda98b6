//! Every route of the identity API with every role, without AWS: the guard answers before any client is used.

use aws_sdk_cognitoidentityprovider::config::BehaviorVersion;
use axum::body::to_bytes;
use cierre_kernel::role::Role;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::db::Db;
use crate::health::Probes;
use crate::http::{Cursors, app};

/// Clients that are never asked, because the requests of these tests end before.
fn api() -> IdentityApi {
    let latest = BehaviorVersion::latest();
    let tables = aws_sdk_dynamodb::Client::from_conf(
        aws_sdk_dynamodb::Config::builder()
            .behavior_version(latest)
            .build(),
    );
    let users = aws_sdk_cognitoidentityprovider::Config::builder()
        .behavior_version(latest)
        .build();
    let pool = UserPool::new(
        aws_sdk_cognitoidentityprovider::Client::from_conf(users),
        "pool",
        "client",
    );
    let queues = aws_sdk_sqs::Client::from_conf(
        aws_sdk_sqs::Config::builder()
            .behavior_version(latest)
            .build(),
    );
    let buckets = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::Config::builder()
            .behavior_version(latest)
            .build(),
    );
    IdentityApi {
        db: Db::new(tables.clone(), std::collections::HashMap::new()),
        pool: pool.clone(),
        cursors: Cursors::new(&[7; 32]).unwrap(),
        probes: Probes {
            tables: tables.into(),
            queues: queues.into(),
            buckets: buckets.into(),
            pool,
        },
    }
}

async fn send(method: &str, path: &str, claims: Option<Value>) -> (u16, Value) {
    let mut event: Value =
        serde_json::from_str(include_str!("../../../../events/api-identity/login.json")).unwrap();
    event["rawPath"] = json!(path);
    event["requestContext"]["http"]["method"] = json!(method);
    event["requestContext"]["http"]["path"] = json!(path);
    event["body"] = json!("[]");
    if let Some(claims) = claims {
        event["requestContext"]["authorizer"] =
            json!({ "jwt": { "claims": claims, "scopes": null } });
    }
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let response = app(router(api())).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn claims(role: Role) -> Value {
    json!({ "token_use": "access", "sub": "s", "username": "u", "company_id": "demo", "cognito:groups": format!("[{role}]") })
}

/// Method, path and the roles that the document names; none for a public route.
fn operations() -> Vec<(String, String, Option<Vec<String>>)> {
    let document = serde_json::to_value(document()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let roles = operation["x-roles"].as_array();
            let roles = roles.map(|roles| {
                roles
                    .iter()
                    .map(|role| role.as_str().unwrap().to_owned())
                    .collect()
            });
            operations.push((method.to_uppercase(), path.clone(), roles));
        }
    }
    operations
}

#[tokio::test]
async fn a_guarded_route_answers_nobody_without_a_token() {
    for (method, path, roles) in operations() {
        let (status, body) = send(&method, &path, None).await;
        match roles {
            Some(_) => assert_eq!(
                (status, &body["code"]),
                (401, &json!("unauthenticated")),
                "{method} {path}"
            ),
            None => assert_ne!(status, 401, "{method} {path}"),
        }
    }
}

#[tokio::test]
async fn a_role_that_the_document_does_not_name_is_refused() {
    let mut refused = 0;
    for (method, path, roles) in operations() {
        let Some(roles) = roles else { continue };
        for role in Role::ALL
            .into_iter()
            .filter(|role| !roles.contains(&role.to_string()))
        {
            let (status, body) = send(&method, &path, Some(claims(role))).await;
            assert_eq!(
                (status, &body["code"]),
                (403, &json!("wrong_role")),
                "{method} {path} as {role}"
            );
            refused += 1;
        }
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn the_routes_are_those_of_the_contract() {
    let mut routes: Vec<String> = operations()
        .into_iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    routes.sort_unstable();
    assert_eq!(
        routes,
        [
            "GET /company/settings",
            "GET /company/users",
            "GET /health",
            "GET /health/deep",
            "GET /profile",
            "POST /auth/challenge",
            "POST /auth/login",
            "POST /auth/logout",
            "POST /auth/refresh",
            "PUT /company/settings",
        ]
    );
}
