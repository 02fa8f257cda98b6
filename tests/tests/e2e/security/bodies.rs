//! Bodies, paths and queries made to break a reader. Each is refused with a code, a sentence and a place, and nothing of it is done.

use cierre_tests::{Client, Company, Reply};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

const JSON: &str = "application/json";

async fn send(
    client: &Client,
    method: Method,
    path: &str,
    content_type: &str,
    body: impl Into<Vec<u8>>,
) -> Reply {
    let request = client
        .send(method, path)
        .header("content-type", content_type);
    request.body(body.into()).now().await
}

/// Routes of every function that reads a body, each with a body that it takes.
fn routes() -> [(Method, &'static str, Value); 7] {
    let service = json!({ "serviceDate": "2024-01-05", "customerId": 1, "amount": "1.00" });
    [
        (
            Method::POST,
            "/auth/login",
            json!({ "username": "nobody", "password": "nothing" }),
        ),
        (
            Method::PUT,
            "/company/settings",
            Company::settings_of("attacked"),
        ),
        (
            Method::PUT,
            "/company/settings/billing",
            Company::billing_settings("EXENTO"),
        ),
        (Method::POST, "/customers", Company::customer(1)),
        (Method::POST, "/services", service.clone()),
        (
            Method::POST,
            "/services/bulk",
            json!({ "services": [service] }),
        ),
        (
            Method::POST,
            "/billing-batches",
            json!({ "issueDate": "2024-01-31", "receiptBook": "A-0001", "selection": {} }),
        ),
    ]
}

/// Nothing was made and nothing was changed; a refused batch leaves an event that says that it was refused.
async fn nothing_was_done(company: &Company) {
    let admin = company.admin().await;
    for path in ["/customers", "/services", "/billing-batches"] {
        assert_eq!(admin.list(path).await, Vec::<Value>::new(), "{path}");
    }
    admin
        .get("/company/settings")
        .await
        .refused(404, "not_found");
    let events = admin.list("/activity").await;
    let done: Vec<&Value> = events
        .iter()
        .filter(|event| event["action"] != "validation_failed")
        .collect();
    assert!(done.is_empty(), "{done:?}");
}

/// A refusal in the one form, with a sentence of its own.
fn refused(reply: Reply, status: u16, code: &str, what: &str) -> Value {
    assert_eq!(
        (reply.status, reply.body["code"].as_str()),
        (status, Some(code)),
        "{what}: {}",
        reply.text
    );
    reply.refused(status, code)
}

/// Texts that are no JSON, or that only some readers take for JSON. `%` stands for a body that is good.
#[rstest]
#[case::empty(b"")]
#[case::blank(b"  \n ")]
#[case::cut(b"{\"a\":")]
#[case::garbage_behind(b"% true")]
#[case::another_behind(b"%%")]
#[case::a_comment_behind(b"% // fine")]
#[case::nul_behind(b"%\0")]
#[case::byte_order_mark(b"\xef\xbb\xbf%")]
#[case::utf_16(b"\xff\xfe{\0}\0")]
#[case::utf_16_without_mark(b"\0{\0}")]
#[case::not_a_number(b"{\"a\":NaN}")]
#[case::infinity(b"{\"a\":Infinity}")]
#[case::minus_infinity(b"{\"a\":-Infinity}")]
#[case::octal(b"{\"a\":010}")]
#[case::hexadecimal(b"{\"a\":0x10}")]
#[case::plus(b"{\"a\":+1}")]
#[case::point_first(b"{\"a\":.5}")]
#[case::point_last(b"{\"a\":5.}")]
#[case::two_points(b"{\"a\":1.2.3}")]
#[case::underscore(b"{\"a\":1_000}")]
#[case::single_quotes(b"{'a':1}")]
#[case::no_quotes(b"{a:1}")]
#[case::comma_last(b"{\"a\":1,}")]
#[case::lone_surrogate(b"{\"a\":\"\\ud800\"}")]
#[case::surrogates_in_the_wrong_order(b"{\"a\":\"\\udc00\\ud800\"}")]
#[case::lone_surrogate_as_a_name(b"{\"\\udfff\":1}")]
#[case::raw_nul(b"{\"a\":\"\0\"}")]
#[case::raw_line_break(b"{\"a\":\"\n\"}")]
#[case::unknown_escape(b"{\"a\":\"\\x41\"}")]
#[case::a_form(b"name=value&name=value")]
#[case::xml(
    b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>"
)]
#[case::compressed(b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0")]
#[tokio::test]
async fn what_is_not_json_is_refused_everywhere(#[case] text: &[u8]) {
    let company = Company::bare().await;
    let admin = company.admin().await;
    for (method, path, good) in routes() {
        let good = good.to_string();
        let parts: Vec<&[u8]> = text.split(|byte| *byte == b'%').collect();
        let body = parts.join(good.as_bytes());
        let reply = send(&admin, method, path, JSON, body).await;
        let answer = refused(reply, 400, "not_json", path);
        let detail = answer["detail"].as_str().unwrap();
        assert!(
            text.is_empty() || detail.contains("line 1") || detail.contains("line 2"),
            "{path}: {detail}"
        );
    }
    nothing_was_done(&company).await;
}

/// The emulator puts a mark in place of bytes that are no text, so what arrives here is JSON with marks in it, and is refused for its fields. The
/// unit tests of the reader give it the bytes themselves: they are `not_json`.
#[rstest]
#[case::no_utf_8(b"{\"a\":\"\xff\"}")]
#[case::no_utf_8_as_a_name(b"{\"\xfe\":1}")]
#[case::overlong(b"{\"a\":\"\xc0\xaf\"}")]
#[case::encoded_surrogate(b"{\"a\":\"\xed\xa0\x80\"}")]
#[case::beyond_unicode(b"{\"a\":\"\xf4\x90\x80\x80\"}")]
#[case::latin_1(b"{\"a\":\"Espa\xf1a\"}")]
#[tokio::test]
async fn what_is_no_text_is_refused_everywhere(#[case] body: &[u8]) {
    let company = Company::bare().await;
    let admin = company.admin().await;
    for (method, path, _) in routes() {
        let reply = send(&admin, method, path, JSON, body).await;
        let code = reply.body["code"].as_str().unwrap().to_owned();
        match reply.status {
            400 => refused(reply, 400, "not_json", path),
            _ => refused(reply, 422, &code, path),
        };
    }
    nothing_was_done(&company).await;
}

#[tokio::test]
async fn what_is_nested_without_end_is_refused_everywhere() {
    let company = Company::bare().await;
    let admin = company.admin().await;
    for (method, path, _) in routes() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
            for depth in [129, 10_000] {
                let body = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                refused(
                    send(&admin, method.clone(), path, JSON, body).await,
                    400,
                    "not_json",
                    path,
                );
            }
            // Never closed, and as long as a body may be.
            let body = open.repeat(1024 * 1024 / open.len());
            refused(
                send(&admin, method.clone(), path, JSON, body).await,
                400,
                "not_json",
                path,
            );
        }
    }
    nothing_was_done(&company).await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_everywhere() {
    let company = Company::bare().await;
    let admin = company.admin().await;
    for (method, path, good) in routes() {
        let blanks = " ".repeat(1024 * 1024 + 1 - good.to_string().len());
        let reply = send(
            &admin,
            method.clone(),
            path,
            JSON,
            format!("{good}{blanks}"),
        )
        .await;
        refused(reply, 413, "too_large", path);
        // Read or not, it is too large before it is anything else.
        let reply = send(
            &admin,
            method.clone(),
            path,
            "text/plain",
            vec![0xff; 2 * 1024 * 1024],
        )
        .await;
        refused(reply, 413, "too_large", path);
    }
    nothing_was_done(&company).await;
}

/// Content types under which a browser sends another page's form without asking first, and types that mean something else.
#[rstest]
#[case("text/plain")]
#[case("application/x-www-form-urlencoded")]
#[case("multipart/form-data; boundary=x")]
#[case("text/json")]
#[case("application/jsonp")]
#[case("application/json-patch+json")]
#[case("application/merge-patch+json")]
#[case("application/xml")]
#[case("text/plain; application/json")]
#[case("*/*")]
#[case("")]
#[tokio::test]
async fn json_under_another_name_is_refused_everywhere(#[case] content_type: &str) {
    let company = Company::bare().await;
    let admin = company.admin().await;
    for (method, path, good) in routes() {
        let reply = send(&admin, method, path, content_type, good.to_string()).await;
        refused(reply, 415, "unsupported_media_type", path);
    }
    nothing_was_done(&company).await;
}

#[rstest]
#[case::list("[]")]
#[case::list_of_the_body("[%]")]
#[case::text("\"{}\"")]
#[case::number("1")]
#[case::truth("true")]
#[case::null("null")]
#[tokio::test]
async fn what_is_no_object_is_refused_everywhere(#[case] body: &str) {
    let company = Company::bare().await;
    let admin = company.admin().await;
    for (method, path, good) in routes() {
        let body = body.replace('%', &good.to_string());
        let answer = refused(
            send(&admin, method, path, JSON, body).await,
            422,
            "invalid_type",
            path,
        );
        assert_eq!(answer["errors"][0]["pointer"], "", "{path}");
    }
    nothing_was_done(&company).await;
}

/// Two programs that read such a body can see two requests, so neither of them is done.
#[tokio::test]
async fn a_member_that_is_given_twice_is_refused_everywhere() {
    let company = Company::bare().await;
    let admin = company.admin().await;
    for (method, path, good) in routes() {
        let members = good.to_string();
        let inside = members
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap();
        for (name, value) in good.as_object().unwrap() {
            let spelled: String = name
                .chars()
                .map(|letter| format!("\\u{:04x}", u32::from(letter)))
                .collect();
            for (what, body) in [
                ("the same again", format!("{{{inside},\"{name}\":{value}}}")),
                (
                    "something else first",
                    format!("{{\"{name}\":null,{inside}}}"),
                ),
                (
                    "something else last",
                    format!("{{{inside},\"{name}\":null}}"),
                ),
                (
                    "spelled otherwise",
                    format!("{{{inside},\"{spelled}\":{value}}}"),
                ),
            ] {
                let reply = send(&admin, method.clone(), path, JSON, body).await;
                assert_eq!(reply.status, 422, "{path} {name}, {what}: {}", reply.text);
                let errors = reply.body["errors"].as_array().unwrap();
                let named = json!({ "pointer": format!("/{name}"), "code": "duplicate_items", "detail": "is given more than once" });
                assert!(
                    errors.contains(&named),
                    "{path} {name}, {what}: {}",
                    reply.text
                );
            }
        }
    }
    let nested = r#"{"services": [{"serviceDate": "2024-01-05", "customerId": 1, "amount": "1.00", "amount": "9.00"}]}"#;
    let reply = send(&admin, Method::POST, "/services/bulk", JSON, nested).await;
    reply.invalid(&[("/services/0/amount", "duplicate_items")]);
    nothing_was_done(&company).await;
}

#[tokio::test]
async fn a_member_that_is_given_twice_is_not_answered_from_an_idempotency_key() {
    let company = Company::bare().await;
    let billing = company.billing().await;
    billing
        .post_as("key", "/customers", Company::customer(1))
        .await
        .expect(201);
    // What is left of it after the last one has won is what the key was used with.
    let again = Company::customer(1)
        .to_string()
        .replacen('{', "{\"name\":\"Another\",", 1);
    let request = billing
        .send(Method::POST, "/customers")
        .header("idempotency-key", "key");
    let reply = request.header("content-type", JSON).body(again).now().await;
    reply.invalid(&[("/name", "duplicate_items")]);
}

/// Values that read well and mean nothing, each in a field of its own kind.
#[rstest]
#[case("customerId", "1e400", "invalid_type")]
#[case("customerId", "1.0", "invalid_type")]
#[case("customerId", "1e0", "invalid_type")]
#[case("customerId", "-0", "out_of_range")]
#[case("customerId", "2147483648", "out_of_range")]
#[case("customerId", "18446744073709551617", "out_of_range")]
#[case("customerId", "\"1\"", "invalid_type")]
#[case("customerId", "true", "invalid_type")]
#[case("customerId", "[1]", "invalid_type")]
#[case("customerId", "{\"$gt\": 0}", "invalid_type")]
#[case("amount", "1e400", "out_of_range")]
#[case("amount", "-1e400", "out_of_range")]
#[case("amount", "1e-400", "invalid_amount")]
#[case("amount", "1e999999999999", "out_of_range")]
#[case("amount", "0.1e-999999999999", "invalid_amount")]
#[case("amount", "\"1e2\"", "invalid_amount")]
#[case("amount", "\"NaN\"", "invalid_amount")]
#[case("amount", "\"Infinity\"", "invalid_amount")]
#[case("amount", "\"1,00\"", "invalid_amount")]
#[case("amount", "\"\u{661}.00\"", "invalid_amount")]
#[case("amount", "\"1.00\\u0000\"", "invalid_amount")]
#[case("amount", "\" 1.00\"", "invalid_amount")]
#[case("amount", "0.1000000000000000055511151231257827", "invalid_amount")]
#[case("serviceDate", "\"2024-01-05\\u0000\"", "invalid_date")]
#[case("serviceDate", "\"2024-01-05T00:00:00Z\"", "invalid_date")]
#[case("serviceDate", "\"99999-01-05\"", "invalid_date")]
#[case("serviceDate", "\"-2024-01-05\"", "invalid_date")]
#[case("serviceDate", "\"\u{662}024-01-05\"", "invalid_date")]
#[case("serviceDate", "20240105", "invalid_type")]
#[case("description", "\"a\\u0000b\"", "invalid_format")]
#[case("description", "\"a\\u001bb\"", "invalid_format")]
#[case("description", "\"a\\u0085b\"", "invalid_format")]
#[case("description", "{\"a\": 1}", "invalid_type")]
#[case("__proto__", "{}", "unknown_field")]
#[case("company_id", "\"demo\"", "unknown_field")]
#[case("version", "7", "unknown_field")]
#[tokio::test]
async fn a_value_out_of_its_kind_is_refused_where_it_stands(
    #[case] field: &str,
    #[case] value: &str,
    #[case] code: &str,
) {
    let company = Company::bare().await;
    let members = [
        ("serviceDate", "\"2024-01-05\""),
        ("customerId", "1"),
        ("amount", "\"1.00\""),
    ];
    let others: String = members
        .iter()
        .filter(|(name, _)| *name != field)
        .map(|(name, value)| format!("\"{name}\":{value},"))
        .collect();
    let body = format!("{{{others}\"{field}\":{value}}}");
    let reply = send(
        &company.billing().await,
        Method::POST,
        "/services",
        JSON,
        body,
    )
    .await;
    let answer = reply.body.clone();
    assert_eq!(reply.status, 422, "{}", reply.text);
    let errors = answer["errors"].as_array().unwrap();
    let at = format!("/{field}");
    assert!(
        errors
            .iter()
            .any(|error| error["pointer"] == at && error["code"] == code),
        "{answer}"
    );
    nothing_was_done(&company).await;
}

#[tokio::test]
async fn numbers_of_hundreds_of_digits_are_refused_where_they_stand() {
    let company = Company::bare().await;
    let billing = company.billing().await;
    let digits = "9".repeat(400);
    for (amount, code) in [
        (digits.clone(), "out_of_range"),
        (format!("-{digits}"), "out_of_range"),
        (format!("\"{digits}\""), "out_of_range"),
        (format!("0.{digits}"), "out_of_range"),
        (format!("1e{digits}"), "out_of_range"),
        ("1".repeat(500_000), "out_of_range"),
    ] {
        let body = format!(
            "{{\"serviceDate\":\"2024-01-05\",\"customerId\":{digits},\"amount\":{amount}}}"
        );
        let reply = send(&billing, Method::POST, "/services", JSON, body).await;
        reply.invalid(&[("/customerId", "out_of_range"), ("/amount", code)]);
    }
    nothing_was_done(&company).await;
}

/// Paths that another server may have read as something else.
#[rstest]
#[case("/services/%00")]
#[case("/services/%ff")]
#[case("/services/%c0%ae%c0%ae")]
#[case("/services/..%2fcustomers")]
#[case("/services/..%5c..%5cwindows")]
#[case("/services/%252e%252e%252fcustomers")]
#[case("/services/svc_01JD0000000000000000000001%00")]
#[case("/services/svc_01JD0000000000000000000001%0d%0aset-cookie:a=b")]
#[case("/services/svc_01JD0000000000000000000001;a=b")]
#[case("/services/svc_01JD0000000000000000000001#")]
#[case("/services/svc_0\u{661}JD0000000000000000000001")]
#[case("/services/%ED%A0%80")]
#[case("/customers/1%20OR%201=1")]
#[case("/customers/1%23")]
#[case("/customers/+1")]
#[case("/customers/-1")]
#[case("/customers/1e0")]
#[case("/customers/99999999999999999999")]
#[case("/invoices/number/A-0001-00000001%00")]
#[case("/receipt-books/A-0001%2f..%2fA-0002/verify")]
#[case("/erp-sync/%7e")]
#[tokio::test]
async fn a_path_that_names_nothing_is_not_found(#[case] path: &str) {
    let company = Company::bare().await;
    let reply = company.billing().await.get(path).await;
    // Where a path does not fit a route the gateway answers by itself, in a form of its own.
    assert_eq!(reply.status, 404, "{}", reply.text);
    assert!(
        reply.body["code"] == "not_found" || reply.body == json!({ "message": "Not Found" }),
        "{}",
        reply.text
    );
    assert_eq!(reply.header("set-cookie"), "");
}

#[rstest]
#[case("/services?status=%ff", "", "invalid_format")]
#[case("/services?%ff=1", "", "invalid_format")]
#[case("/services?status=%c0%ae", "", "invalid_format")]
#[case("/services?status=%ed%a0%80", "", "invalid_format")]
#[case("/activity?user=%ff", "", "invalid_format")]
#[case("/activity?user=a%00b", "/user", "invalid_format")]
#[case(
    "/activity?resource_type=customer&resource_id=%00",
    "/resource_id",
    "invalid_format"
)]
#[case("/services?limit=%00", "/limit", "invalid_type")]
#[case("/services?limit=1e1", "/limit", "invalid_type")]
#[case("/services?limit=99999999999999999999", "/limit", "out_of_range")]
#[case("/services?limit=%31%30%31", "/limit", "out_of_range")]
#[case("/services?limit=1&limit=1", "/limit", "duplicate_items")]
#[case("/services?limit=1&%6cimit=2", "/limit", "duplicate_items")]
#[case("/services?status[]=CREATED", "/status[]", "unknown_field")]
#[case("/services?status[$ne]=CREATED", "/status[$ne]", "unknown_field")]
#[case("/services?company_id=demo", "/company_id", "unknown_field")]
#[case("/services?status=%252e", "/status", "out_of_range")]
#[case("/services?customerId=1%00", "/customerId", "invalid_type")]
#[case(
    "/services?serviceDateFrom=2024-01-01%0a",
    "/serviceDateFrom",
    "invalid_date"
)]
#[tokio::test]
async fn a_query_out_of_its_kind_is_refused_where_it_stands(
    #[case] path: &str,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let company = Company::bare().await;
    company
        .billing()
        .await
        .get(path)
        .await
        .invalid(&[(pointer, code)]);
}
