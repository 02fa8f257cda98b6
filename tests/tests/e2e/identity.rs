//! Signing in, profile, users, settings, health.

use std::collections::BTreeSet;

use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use cierre_tests::{Client, Company, PASSWORD, Stack, User};
use reqwest::Method;
use serde_json::{Value, json};

async fn sign_in(stack: &Stack, username: &str, password: &str) -> cierre_tests::Reply {
    let body = json!({ "username": username, "password": password });
    stack.anonymous().post("/auth/login", body).await
}

#[tokio::test]
async fn a_login_answers_tokens_that_open_the_profile() {
    let company = Company::bare().await;
    company.user("billing").await;
    let username = company.username("billing");
    let answer = sign_in(&company.stack, &username, PASSWORD)
        .await
        .expect(200);
    assert_eq!(answer["tokenType"], "Bearer");
    assert!(answer["expiresIn"].as_u64().unwrap() > 0);
    assert!(answer["refreshToken"].is_string());
    let client = company
        .stack
        .with_token(answer["accessToken"].as_str().unwrap());
    let profile = client.get("/profile").await.expect(200);
    assert!(profile["sub"].is_string());
    assert_eq!(
        (
            &profile["username"],
            &profile["companyId"],
            &profile["roles"]
        ),
        (&json!(username), &json!(company.id), &json!(["billing"]))
    );
    assert_eq!(profile["name"], format!("Test {username}"));
    assert_eq!(profile["email"], format!("{username}@example.com"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_look_the_same() {
    let company = Company::bare().await;
    company.user("billing").await;
    let wrong = sign_in(
        &company.stack,
        &company.username("billing"),
        "Wrong-password-1!",
    )
    .await;
    let unknown = sign_in(&company.stack, &company.username("nobody"), PASSWORD).await;
    let mut wrong = wrong.refused(401, "invalid_credentials");
    let mut unknown = unknown.refused(401, "invalid_credentials");
    for answer in [&mut wrong, &mut unknown] {
        answer.as_object_mut().unwrap().remove("correlationId");
    }
    assert_eq!(wrong, unknown);
}

#[tokio::test]
async fn a_temporary_password_has_to_be_changed_first() {
    let company = Company::bare().await;
    let username = company.username("fresh");
    let user = User {
        username: &username,
        company: Some(&company.id),
        roles: &["auditor"],
        permanent: false,
    };
    company.stack.create_user(&user).await;
    let asked = sign_in(&company.stack, &username, PASSWORD)
        .await
        .expect(200);
    assert_eq!(asked["challenge"], "NEW_PASSWORD_REQUIRED");
    assert!(asked["accessToken"].is_null());
    let answer = |code: &str, value: Option<&str>| {
        let mut body =
            json!({ "challenge": code, "session": asked["session"], "username": username });
        if let Some(value) = value {
            body["newPassword"] = json!(value);
        }
        body
    };
    let anonymous = company.stack.anonymous();
    let missing = anonymous
        .post("/auth/challenge", answer("NEW_PASSWORD_REQUIRED", None))
        .await;
    missing.invalid(&[("/newPassword", "required")]);
    let changed = anonymous
        .post(
            "/auth/challenge",
            answer("NEW_PASSWORD_REQUIRED", Some("Another-2026-one!")),
        )
        .await;
    let client = company
        .stack
        .with_token(changed.expect(200)["accessToken"].as_str().unwrap());
    assert_eq!(
        client.get("/profile").await.expect(200)["roles"],
        json!(["auditor"])
    );
    sign_in(&company.stack, &username, PASSWORD)
        .await
        .refused(401, "invalid_credentials");
    Client::login(&company.stack, &username, "Another-2026-one!").await;
}

#[tokio::test]
async fn a_refresh_token_gets_access_tokens_until_the_logout() {
    let company = Company::bare().await;
    company.user("auditor").await;
    let stack = &company.stack;
    let answer = sign_in(stack, &company.username("auditor"), PASSWORD)
        .await
        .expect(200);
    let refresh = json!({ "refreshToken": answer["refreshToken"] });
    let refreshed = stack
        .anonymous()
        .post("/auth/refresh", refresh.clone())
        .await
        .expect(200);
    let client = stack.with_token(refreshed["accessToken"].as_str().unwrap());
    assert_eq!(
        client.get("/profile").await.expect(200)["companyId"],
        company.id,
        "the claim is in refreshed tokens too"
    );
    client.post("/auth/logout", json!({})).await.expect(204);
    stack
        .anonymous()
        .post("/auth/refresh", refresh)
        .await
        .refused(401, "invalid_credentials");
    let nonsense = json!({ "refreshToken": "nonsense" });
    stack
        .anonymous()
        .post("/auth/refresh", nonsense)
        .await
        .refused(401, "invalid_credentials");
}

#[tokio::test]
async fn an_identity_token_is_no_access_token() {
    let company = Company::bare().await;
    company.admin().await;
    let signed_in = company.stack.cognito().initiate_auth();
    let signed_in = signed_in
        .client_id(company.stack.output("USER_POOL_CLIENT_ID"))
        .auth_flow(AuthFlowType::UserPasswordAuth)
        .auth_parameters("USERNAME", company.username("admin"))
        .auth_parameters("PASSWORD", PASSWORD)
        .send()
        .await
        .unwrap();
    let tokens = signed_in.authentication_result().unwrap();
    let reply = company
        .stack
        .with_token(tokens.id_token().unwrap())
        .get("/profile")
        .await;
    assert_eq!(reply.status, 401, "{}", reply.text);
}

#[tokio::test]
async fn a_tampered_token_is_refused() {
    let company = Company::bare().await;
    let token = company.admin().await.token().to_owned();
    let (head, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = head.split_once('.').unwrap();
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    claims["company_id"] = json!("demo");
    let forged = format!(
        "{header}.{}.{signature}",
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    assert_eq!(
        company
            .stack
            .with_token(forged)
            .get("/profile")
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn users_are_those_of_the_company() {
    let company = Company::bare().await;
    let neighbour = Company::on(company.stack.clone());
    neighbour.admin().await;
    for role in ["admin", "billing", "supervisor"] {
        company.user(role).await;
    }
    let users = company
        .user("supervisor")
        .await
        .list_by("/company/users", 2)
        .await;
    let found: BTreeSet<&str> = users
        .iter()
        .map(|user| user["username"].as_str().unwrap())
        .collect();
    let names = ["admin", "billing", "supervisor"].map(|role| company.username(role));
    assert_eq!(found, names.iter().map(String::as_str).collect());
    for user in &users {
        let role = user["username"]
            .as_str()
            .unwrap()
            .split('-')
            .next()
            .unwrap();
        assert_eq!(
            (&user["roles"], &user["enabled"]),
            (&json!([role]), &json!(true))
        );
        assert_eq!(
            user["name"],
            format!("Test {}", user["username"].as_str().unwrap())
        );
    }
}

#[tokio::test]
async fn settings_are_versioned_and_recorded() {
    let company = Company::bare().await;
    let admin = company.admin().await;
    admin
        .get("/company/settings")
        .await
        .refused(404, "not_found");
    let first = admin.put("/company/settings", company.settings()).await;
    assert_eq!(first.header("etag"), "\"1\"");
    let first = first.expect(200);
    assert_eq!(
        (&first["version"], &first["tax_id"]),
        (&json!(1), &json!("30-00000000-7"))
    );
    assert_eq!(admin.get("/company/settings").await.expect(200), first);

    let same = admin.put("/company/settings", company.settings()).await;
    assert_eq!(
        same.header("etag"),
        "\"1\"",
        "the same settings are no change"
    );

    let mut changed = company.settings();
    changed["holidays"] = json!(["2024-05-01", "2024-12-25"]);
    let put = |version: &str| {
        admin
            .send(Method::PUT, "/company/settings")
            .header("if-match", version)
            .json(&changed)
    };
    put("\"7\"").now().await.refused(412, "version_mismatch");
    let second = put("\"1\"").now().await;
    assert_eq!(second.header("etag"), "\"2\"");
    put("\"1\"").now().await.refused(412, "version_mismatch");

    let path = format!(
        "/activity?resource_type=company_settings&resource_id={}",
        company.id
    );
    let events = admin.list(&path).await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[1]["action"], "settings_updated");
    assert_eq!(events[1]["details"], json!({ "changed": ["holidays"] }));
    assert_eq!(
        company.verify_chain("company_settings", &company.id).await,
        2
    );
}

#[tokio::test]
async fn wrong_settings_are_refused_field_by_field() {
    let company = Company::bare().await;
    let body = json!({
        "name": "",
        "currency": "XYZ",
        "locale": "Spanish",
        "time_zone": "Mars/Olympus",
        "holidays": ["2024-02-30", "2024-01-01", "2024-01-01"],
        "trusted_cidrs": ["10.0.0.0/33"],
        "colour": "blue",
    });
    company
        .admin()
        .await
        .put("/company/settings", body)
        .await
        .invalid(&[
            ("/name", "out_of_range"),
            ("/currency", "out_of_range"),
            ("/locale", "invalid_format"),
            ("/time_zone", "invalid_format"),
            ("/holidays/0", "invalid_date"),
            ("/holidays/2", "duplicate_items"),
            ("/trusted_cidrs/0", "invalid_format"),
            ("/colour", "unknown_field"),
        ]);
}

#[tokio::test]
async fn health_is_public_and_deep_health_names_every_part() {
    let company = Company::bare().await;
    let health = company.stack.anonymous().get("/health").await.expect(200);
    assert_eq!(health["status"], "ok");
    assert!(health["version"].is_string());
    let deep = company.admin().await.get("/health/deep").await.expect(200);
    assert_eq!(deep["status"], "ok", "{deep}");
    let parts = deep["parts"].as_array().unwrap();
    assert!(
        parts.len() >= 10,
        "four tables, four queues, bucket and pool: {deep}"
    );
    for part in parts {
        assert_eq!(part["state"], "ok", "{part}");
        assert!(part["latencyMs"].is_u64(), "{part}");
    }
}
