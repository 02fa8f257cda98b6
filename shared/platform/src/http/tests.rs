//! The HTTP layer as API Gateway sees it: events in, answers out, no AWS in between.

use axum::body::to_bytes;
use axum::extract::State;
use axum::http::StatusCode;
use cierre_kernel::codes;
use cierre_kernel::id::ServiceId;
use cierre_kernel::problem::Problem;
use cierre_kernel::role::{Role, Roles};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::error::{Failure, Result};
use crate::route;

const WRITE: Roles = Roles::of(&[Role::Admin, Role::Billing]);
const READ: Roles = Roles::of(&[Role::Admin, Role::Billing, Role::Auditor]);

#[utoipa::path(get, path = "/things/{id}", params(("id" = String, Path)))]
async fn get_thing(caller: Caller, Segment(id): Segment<ServiceId>) -> Result<Answer> {
    let context = caller.context;
    Ok(Answer::ok(&json!({
        "id": id,
        "company": context.company,
        "user": context.actor.user,
        "name": context.name,
        "roles": context.roles,
        "ip": context.ip,
        "agent": context.user_agent,
        "now": context.now,
        "correlation": context.correlation_id,
    }))?
    .versioned(3))
}

#[utoipa::path(post, path = "/things", request_body = Value)]
async fn post_thing(State(()): State<()>, caller: Caller, body: Body) -> Result<Answer> {
    let name = body.decode(|fields| fields.required("name", text(1..=5)))?;
    let key = caller.command(&body).map(|key| key.seed());
    Answer::created("/things/1", &json!({ "name": name, "key": key })).map_err(Into::into)
}

#[utoipa::path(get, path = "/things", params(PageParameters))]
async fn list_things(caller: Caller, query: Query) -> Result<Answer> {
    let cursors = Cursors::new(&[1; 32])?;
    let paging = query.decode(|fields| {
        let _ = fields.optional("status", one_of(&[("NEW", ()), ("OLD", ())]));
        fields.paging()
    })?;
    let scope = caller.cursor_scope(&query);
    let from: u32 = match paging.cursor.as_deref() {
        Some(cursor) => cursors.decode(&scope, cursor)?,
        None => 0,
    };
    Ok(Answer::page(
        &[from],
        Some(cursors.encode(&scope, &(from + paging.limit.get()))?),
    )?)
}

#[utoipa::path(delete, path = "/things/{id}", params(("id" = String, Path)))]
async fn delete_thing(if_match: IfMatch) -> Result<Answer> {
    if_match.check(Some(3))?;
    Ok(Answer::no_content())
}

#[utoipa::path(get, path = "/broken")]
async fn broken() -> Result<Answer> {
    Err(Failure::new("reading the secret table", "password hunter2 refused").into())
}

#[utoipa::path(get, path = "/panics")]
async fn panics() -> Result<Answer> {
    panic!("secret")
}

#[utoipa::path(get, path = "/open")]
async fn open() -> Result<Answer> {
    Answer::ok(&json!({ "status": "ok" })).map_err(Into::into)
}

#[utoipa::path(get, path = "/busy")]
async fn busy() -> Result<Answer> {
    Err(Problem::new(codes::RATE_LIMITED).retry_after(7).into())
}

fn routes<R: Routes<()>>() -> R {
    R::default()
        .route(allow(READ).on(route!(get_thing)))
        .route(allow(READ).on(route!(list_things)))
        .route(
            allow(WRITE)
                .refuses(&[codes::SERVICE_LOCKED])
                .versioned()
                .on(route!(delete_thing)),
        )
        .route(
            allow(WRITE)
                .invalid(&[codes::INVALID_TAX_ID])
                .on(route!(post_thing)),
        )
        .route(allow_any_user().on(route!(broken)))
        .route(allow_any_user().on(route!(panics)))
        .route(allow_any_user().on(route!(busy)))
        .route(allow_public().on(route!(open)))
}

/// An HTTP API event (payload 2.0) of user `ana`, to be bent.
fn event(method: &str, path: &str) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    json!({
        "version": "2.0",
        "routeKey": format!("{method} {path}"),
        "rawPath": path,
        "rawQueryString": query,
        "headers": { "host": "api.example", "x-correlation-id": "c-1" },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "authorizer": { "jwt": { "claims": {
                "sub": "sub-ana",
                "username": "ana",
                "name": "Ana Suárez",
                "token_use": "access",
                "company_id": "demo",
                "cognito:groups": "[admin]",
            }, "scopes": null } },
            "domainName": "api.example",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7", "userAgent": "curl/8" },
            "requestId": "r",
            "routeKey": "$default",
            "stage": "$default",
            "time": "31/Jan/2026:12:00:00 +0000",
            "timeEpoch": 1_769_860_800_123_i64,
        },
        "isBase64Encoded": false,
    })
}

fn with_claims(mut event: Value, claims: Value) -> Value {
    let known = event["requestContext"]["authorizer"]["jwt"]["claims"]
        .as_object_mut()
        .unwrap();
    for (name, value) in claims.as_object().unwrap() {
        if value.is_null() {
            known.remove(name);
        } else {
            known.insert(name.clone(), value.clone());
        }
    }
    event
}

fn with_body(mut event: Value, content_type: &str, body: &str) -> Value {
    event["headers"]["content-type"] = json!(content_type);
    event["body"] = json!(body);
    event
}

struct Answered {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: Value,
}

impl Answered {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

async fn send(event: Value) -> Answered {
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let response = app(routes::<Served<()>>().with_state(()))
        .oneshot(request)
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).unwrap()
    };
    if parts.status.is_client_error() || parts.status.is_server_error() {
        assert_eq!(parts.headers["content-type"], PROBLEM_JSON);
        assert_eq!(body["status"], parts.status.as_u16());
        assert_eq!(
            body["correlationId"],
            parts.headers[CORRELATION_HEADER].to_str().unwrap()
        );
        for member in ["type", "title", "code", "detail"] {
            assert!(body[member].is_string(), "{member} in {body}");
        }
    }
    Answered {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

const THING: &str = "/things/svc_00000000000000000000000001";

#[tokio::test]
async fn the_caller_is_who_the_verified_claims_say() {
    let answered = send(event("GET", THING)).await;
    assert_eq!(answered.status, 200);
    assert_eq!(
        answered.body,
        json!({
            "id": "svc_00000000000000000000000001",
            "company": "demo",
            "user": "ana",
            "name": "Ana Suárez",
            "roles": ["admin"],
            "ip": "192.0.2.7",
            "agent": "curl/8",
            "now": "2026-01-31T12:00:00.123Z",
            "correlation": "c-1",
        })
    );
    let nameless = with_claims(event("GET", THING), json!({ "name": "" }));
    assert_eq!(send(nameless).await.body["name"], Value::Null);
    assert_eq!(answered.header("etag"), Some("\"3\""));
    assert_eq!(answered.header("cache-control"), Some("no-store"));
    assert_eq!(answered.header(CORRELATION_HEADER), Some("c-1"));
}

#[tokio::test]
async fn a_token_that_is_no_access_token_of_a_company_is_refused() {
    for (claims, status, code) in [
        (json!({ "token_use": "id" }), 401, "unauthenticated"),
        (json!({ "token_use": null }), 401, "unauthenticated"),
        (json!({ "sub": null }), 401, "unauthenticated"),
        (json!({ "username": "" }), 401, "unauthenticated"),
        (json!({ "company_id": null }), 403, "company_missing"),
        (
            json!({ "company_id": "Not A Company" }),
            403,
            "company_missing",
        ),
        (json!({ "cognito:groups": "[payroll]" }), 403, "wrong_role"),
        (json!({ "cognito:groups": "[]" }), 403, "wrong_role"),
        (json!({ "cognito:groups": null }), 403, "wrong_role"),
    ] {
        let answered = send(with_claims(event("GET", THING), claims.clone())).await;
        assert_eq!(
            (answered.status.as_u16(), answered.code()),
            (status, code),
            "{claims}"
        );
    }
    let mut without = event("GET", THING);
    without["requestContext"]
        .as_object_mut()
        .unwrap()
        .remove("authorizer");
    let answered = send(without).await;
    assert_eq!(
        (
            answered.status.as_u16(),
            answered.header("www-authenticate")
        ),
        (401, Some("Bearer"))
    );
}

#[tokio::test]
async fn each_method_of_a_path_has_its_own_roles() {
    let auditor = json!({ "cognito:groups": "[auditor]" });
    assert_eq!(
        send(with_claims(event("GET", THING), auditor.clone()))
            .await
            .status,
        200
    );
    assert_eq!(
        send(with_claims(event("DELETE", THING), auditor))
            .await
            .code(),
        "wrong_role"
    );
    assert_eq!(send(event("DELETE", THING)).await.status, 204);
}

#[tokio::test]
async fn a_public_route_needs_no_token() {
    let mut without = event("GET", "/open");
    without["requestContext"]
        .as_object_mut()
        .unwrap()
        .remove("authorizer");
    assert_eq!(send(without).await.status, 200);
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_cannot_be_done_405() {
    assert_eq!(send(event("GET", "/nowhere")).await.code(), "not_found");
    for id in [
        "svc_1",
        "pen_00000000000000000000000001",
        "%ff",
        "svc_00000000000000000000000001%20",
    ] {
        assert_eq!(
            send(event("GET", &format!("/things/{id}"))).await.code(),
            "not_found",
            "{id}"
        );
    }
    let answered = send(event("PUT", THING)).await;
    assert_eq!(
        (answered.status.as_u16(), answered.code()),
        (405, "method_not_allowed")
    );
}

#[tokio::test]
async fn a_body_must_be_json_of_a_bearable_size() {
    for (content_type, body, status, code) in [
        ("application/json", "{\"name\":\"a\"}", 201, ""),
        (
            "Application/JSON; charset=utf-8",
            "{\"name\":\"a\"}",
            201,
            "",
        ),
        ("application/json", "", 400, "not_json"),
        ("application/json", "{\"name\":", 400, "not_json"),
        ("application/json", "{} {}", 400, "not_json"),
        (
            "application/json",
            &format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)),
            400,
            "not_json",
        ),
        (
            "text/plain",
            "{\"name\":\"a\"}",
            415,
            "unsupported_media_type",
        ),
        ("", "{\"name\":\"a\"}", 415, "unsupported_media_type"),
        (
            "application/json",
            &format!("{{\"name\":\"{}\"}}", "x".repeat(BODY_LIMIT_BYTES)),
            413,
            "too_large",
        ),
        ("application/json", "[]", 422, "invalid_type"),
    ] {
        let answered = send(with_body(event("POST", "/things"), content_type, body)).await;
        let shown: String = body.chars().take(40).collect();
        assert_eq!(
            (answered.status.as_u16(), answered.code()),
            (status, code),
            "{content_type} {shown}"
        );
    }
}

#[tokio::test]
async fn every_wrong_field_is_listed() {
    let answered = send(with_body(
        event("POST", "/things"),
        "application/json",
        r#"{"nick":1,"a/b~":2}"#,
    ))
    .await;
    assert_eq!(
        (answered.status.as_u16(), answered.code()),
        (422, "validation_failed")
    );
    let mut errors: Vec<(&str, &str)> = Vec::new();
    for error in answered.body["errors"].as_array().unwrap() {
        errors.push((
            error["pointer"].as_str().unwrap(),
            error["code"].as_str().unwrap(),
        ));
    }
    errors.sort_unstable();
    assert_eq!(
        errors,
        [
            ("/a~1b~0", "unknown_field"),
            ("/name", "required"),
            ("/nick", "unknown_field")
        ]
    );
}

#[tokio::test]
async fn the_idempotency_key_is_scoped_and_checked() {
    let keyed = |key: &str| {
        let mut event = with_body(
            event("POST", "/things"),
            "application/json",
            r#"{"name":"a"}"#,
        );
        event["headers"]["idempotency-key"] = json!(key);
        event
    };
    let first = send(keyed("k1")).await;
    assert_eq!(first.header("location"), Some("/things/1"));
    assert_eq!(send(keyed("k1")).await.body["key"], first.body["key"]);
    assert_ne!(send(keyed("k2")).await.body["key"], first.body["key"]);
    let of_another_user = with_claims(keyed("k1"), json!({ "sub": "sub-beto" }));
    assert_ne!(send(of_another_user).await.body["key"], first.body["key"]);
    for key in ["", "a b", "é", &"x".repeat(256)] {
        assert_eq!(send(keyed(key)).await.code(), "invalid_header", "{key}");
    }
}

#[tokio::test]
async fn a_lost_version_is_412() {
    for (tag, status) in [
        ("\"3\"", 204),
        ("*", 204),
        ("\"2\"", 412),
        ("W/\"3\"", 412),
        ("3", 400),
    ] {
        let mut event = event("DELETE", THING);
        event["headers"]["if-match"] = json!(tag);
        assert_eq!(send(event).await.status.as_u16(), status, "{tag}");
    }
}

#[tokio::test]
async fn a_list_goes_on_with_its_own_cursor_only() {
    let first = send(event("GET", "/things?limit=10&status=NEW")).await;
    let next = first.body["next"].as_str().unwrap().to_owned();
    let second = send(event(
        "GET",
        &format!("/things?status=NEW&cursor={next}&limit=5"),
    ))
    .await;
    assert_eq!(second.body["items"], json!([10]));
    for path in [
        format!("/things?status=OLD&cursor={next}"),
        format!("/things?cursor={next}"),
        "/things?cursor=x".into(),
    ] {
        assert_eq!(
            send(event("GET", &path)).await.code(),
            "bad_cursor",
            "{path}"
        );
    }
    let foreign = with_claims(
        event("GET", &format!("/things?status=NEW&cursor={next}")),
        json!({ "company_id": "other" }),
    );
    assert_eq!(send(foreign).await.code(), "bad_cursor");
}

#[tokio::test]
async fn query_parameters_are_checked_like_fields() {
    for (query, code) in [
        ("limit=0", "out_of_range"),
        ("limit=101", "out_of_range"),
        ("limit=ten", "invalid_type"),
        ("limit=1.0", "invalid_type"),
        ("limit=", "invalid_type"),
        ("offset=3", "unknown_field"),
        ("limit=1&limit=2", "duplicate_items"),
        ("status=WRONG", "out_of_range"),
        ("status=WRONG&limit=x", "validation_failed"),
    ] {
        let answered = send(event("GET", &format!("/things?{query}"))).await;
        assert_eq!(
            (answered.status.as_u16(), answered.code()),
            (422, code),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_fault_of_ours_says_nothing_about_itself() {
    for path in ["/broken", "/panics"] {
        let answered = send(event("GET", path)).await;
        assert_eq!(
            (answered.status.as_u16(), answered.code()),
            (500, "internal"),
            "{path}"
        );
        let text = answered.body.to_string();
        assert!(
            !text.contains("secret") && !text.contains("hunter2"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_limit_says_when_to_come_back() {
    let answered = send(event("GET", "/busy")).await;
    assert_eq!(
        (answered.status.as_u16(), answered.header("retry-after")),
        (429, Some("7"))
    );
}

#[tokio::test]
async fn a_correlation_id_of_another_form_is_replaced() {
    for sent in ["", "a b", &"x".repeat(65), "<script>"] {
        let mut event = event("GET", "/open");
        event["headers"][CORRELATION_HEADER] = json!(sent);
        let answered = send(event).await;
        let made_up = answered.header(CORRELATION_HEADER).unwrap();
        assert!(made_up != sent && made_up.len() == 26, "{made_up}");
    }
}

#[test]
fn the_document_names_roles_refusals_and_every_code() {
    let document = serde_json::to_value(combine([routes::<Described>().into_openapi()])).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let get = &document["paths"]["/things/{id}"]["get"];
    assert_eq!(get["x-roles"], json!(["admin", "billing", "auditor"]));
    assert_eq!(get["security"], json!([{ "bearer": [] }]));
    for status in ["401", "403", "500"] {
        assert!(get["responses"][status].is_object(), "{status}");
    }
    let delete = &document["paths"]["/things/{id}"]["delete"];
    assert_eq!(delete["x-roles"], json!(["admin", "billing"]));
    for status in ["400", "409", "412"] {
        assert!(delete["responses"][status].is_object(), "{status}");
    }
    let post = &document["paths"]["/things"]["post"];
    assert!(
        post["responses"]["422"]["description"]
            .as_str()
            .unwrap()
            .contains("invalid_tax_id")
    );
    assert_eq!(post["parameters"][0]["name"], "Idempotency-Key");
    let open = &document["paths"]["/open"]["get"];
    assert_eq!(
        (&open["security"], &open["x-roles"]),
        (&json!([]), &Value::Null)
    );
    let words = document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
        .as_array()
        .unwrap();
    assert_eq!(words.len(), codes::ALL.len());
}
