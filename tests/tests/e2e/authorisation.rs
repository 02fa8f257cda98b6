//! Every route, tried by every role, by nobody, and by users who belong nowhere.

use cierre_tests::{Client, Company, PASSWORD, Reply, Stack, User};
use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::json;

use crate::routes::{Access, ROLES, ROUTES};

/// Requests under way at once.
const PARALLEL: usize = 8;

/// A route with an id of the right form in place of each parameter; nothing has these ids.
fn request(route: &str) -> (Method, String) {
    let (method, path) = route.split_once(' ').unwrap();
    let id = match path.split('/').nth(1).unwrap() {
        "services" => "svc_01JD0000000000000000000001",
        "billing-pendings" => "pen_01JD0000000000000000000001",
        "invoices" if path.contains("by-batch") => "bat_01JD0000000000000000000001",
        "invoices" => "inv_01JD0000000000000000000001",
        "api" if path.contains("/clientes") => "cli_01JD0000000000000000000001",
        "api" if path.contains("/trabajos") => "tra_01JD0000000000000000000001",
        "api" => "cie_01JD0000000000000000000001",
        "facturas" if path.contains("/trabajos") => "trb_01JD0000000000000000000001",
        "facturas" if path.contains("/cargas") => "car_01JD0000000000000000000001",
        "facturas" => "fac_01JD0000000000000000000001",
        "delegaciones" => "dlg_01JD0000000000000000000001",
        _ => "bat_01JD0000000000000000000001",
    };
    let path = path
        .replace("{id}", id)
        .replace("{customerId}", "4711")
        .replace("{syncId}", "syn_01JD0000000000000000000001")
        .replace("{aid}", "arc_01JD0000000000000000000001")
        .replace("{did}", "dis_01JD0000000000000000000001")
        .replace("{iid}", "inc_01JD0000000000000000000001")
        .replace("{n}", "1")
        .replace("{book}", "A-0001")
        .replace("{number}", "A-0001-00000001")
        .replace("{nit}", "860069804-2");
    assert!(!path.contains('{'), "{path}");
    (method.parse().unwrap(), path)
}

async fn call(client: &Client, route: &str) -> Reply {
    let (method, path) = request(route);
    let request = client.send(method.clone(), &path);
    // An object without fields: it gets past the guard and no further.
    let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(&method);
    if has_body {
        request.json(&json!({})).now().await
    } else {
        request.now().await
    }
}

/// Ends the sessions that the other routes are tried with, so it comes last.
const LOGOUT: &str = "POST /auth/logout";

/// Tries every route with a client and hands the answers to a check.
async fn try_all(client: &Client, check: impl Fn(&str, Access, Reply)) {
    let (last, others): (Vec<_>, Vec<_>) = ROUTES
        .iter()
        .copied()
        .partition(|(route, _)| *route == LOGOUT);
    let mut answers = Vec::with_capacity(ROUTES.len());
    for routes in [others, last] {
        let calls = stream::iter(routes)
            .map(async |(route, access)| (route, access, call(client, route).await));
        answers.extend(calls.buffer_unordered(PARALLEL).collect::<Vec<_>>().await);
    }
    assert_eq!(answers.len(), ROUTES.len());
    for (route, access, reply) in answers {
        check(route, access, reply);
    }
}

#[tokio::test]
async fn a_role_opens_its_routes_and_no_others() {
    let company = Company::new().await;
    for role in ROLES {
        let client = company.user(role).await;
        try_all(&client, |route, access, reply| {
            if access.roles().contains(&role) {
                let guarded = reply.body["code"] == "wrong_role" || reply.status == 403;
                assert!(!guarded, "{role} must be allowed {route}: {}", reply.text);
                // Signing in with nothing is refused with a 422, so a 401 is never right here.
                assert_ne!(
                    reply.status, 401,
                    "{role} must be allowed {route}: {}",
                    reply.text
                );
                assert!(reply.status < 500, "{role} {route}: {}", reply.text);
            } else {
                assert_eq!(
                    reply.status, 403,
                    "{role} must not be allowed {route}: {}",
                    reply.text
                );
                reply.refused(403, "wrong_role");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn without_a_token_only_public_routes_answer() {
    let stack = Stack::connect().await;
    for client in [stack.anonymous(), stack.with_token("no.token.atall")] {
        try_all(&client, |route, access, reply| match access {
            Access::Public => assert_ne!(reply.status, 401, "{route}: {}", reply.text),
            Access::AnyUser | Access::Roles(_) => {
                assert_eq!(reply.status, 401, "{route}: {}", reply.text)
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_user_without_a_role_opens_what_any_user_opens() {
    let company = Company::bare().await;
    let username = company.username("nobody");
    let user = User {
        username: &username,
        company: Some(&company.id),
        roles: &[],
        permanent: true,
    };
    company.stack.create_user(&user).await;
    let client = Client::login(&company.stack, &username, PASSWORD).await;
    try_all(&client, |route, access, reply| match access {
        Access::Public | Access::AnyUser => {
            assert_ne!(reply.status, 403, "{route}: {}", reply.text)
        }
        Access::Roles(_) => assert_eq!(reply.body["code"], "wrong_role", "{route}: {}", reply.text),
    })
    .await;
}

#[tokio::test]
async fn a_user_without_a_company_opens_nothing() {
    let company = Company::bare().await;
    let username = company.username("stateless");
    let user = User {
        username: &username,
        company: None,
        roles: &["admin"],
        permanent: true,
    };
    company.stack.create_user(&user).await;
    let client = Client::login(&company.stack, &username, PASSWORD).await;
    try_all(&client, |route, access, reply| match access {
        Access::Public => assert_ne!(reply.status, 403, "{route}: {}", reply.text),
        Access::AnyUser | Access::Roles(_) => {
            assert_eq!(
                reply.body["code"], "company_missing",
                "{route}: {}",
                reply.text
            );
            reply.refused(403, "company_missing");
        }
    })
    .await;
}
