//! Tokens that nobody issued, or that were issued for something else.
//!
//! API Gateway's authorizer stands before the functions, and here it is the emulator's. Three things the emulator takes that AWS documents
//! otherwise, and none of them can be made without the pool's own key or a token that is good anyway: a signed token without `exp`; a signed
//! token whose header names another `alg`; characters that are no base64 inside a good signature. And a header that is JSON but no object makes it
//! answer 500 by itself; no function is reached.

use cierre_kernel::codes;
use cierre_tests::{Company, Stack};
use serde_json::{Value, json};

use super::attempts::{Cases, all_are, by_function, by_gateway, case, header};
use super::forge::{Token, encoded, issued, own_key, pool_key, public, tokens_of};

#[tokio::test]
async fn the_token_that_is_forged_below_is_good() {
    let company = Company::bare().await;
    let [access, ..] = tokens_of(&company, "billing").await;
    let token = Token::read(&access);
    // As it was issued, and signed again by the same key: what is refused elsewhere is refused for its change alone.
    for text in [token.text(), token.by(&pool_key(&company.stack))] {
        let client = company.stack.with_token(text);
        client.get("/profile").await.expect(200);
    }
    assert_eq!(
        company
            .stack
            .with_token(access)
            .get("/customers")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn what_the_pool_did_not_sign_is_refused() {
    let company = Company::bare().await;
    let [access, ..] = tokens_of(&company, "billing").await;
    let [other, ..] = tokens_of(&company, "auditor").await;
    let genuine = Token::read(&access);
    let kid = genuine.header["kid"].clone();
    let pool = pool_key(&company.stack);
    let (pool_jwk, pool_der) = public(&pool, &kid);
    let own = own_key();
    let (own_jwk, own_der) = public(&own, &json!("own"));
    let (same_kid_jwk, _) = public(&own, &kid);

    let mut cases = Cases::new();
    for word in ["none", "None", "NONE", "nOnE", ""] {
        let unsigned = genuine.headed(json!({ "alg": word }));
        cases.push(case(
            format!("alg {word:?}, no signature"),
            unsigned.ending_in(""),
        ));
        cases.push(case(
            format!("alg {word:?}, the signature kept"),
            unsigned.text(),
        ));
    }
    cases.push(case(
        "alg none, no key named",
        genuine
            .headed(json!({ "alg": "none", "kid": null }))
            .ending_in(""),
    ));

    let symmetric = genuine.headed(json!({ "alg": "HS256" }));
    let modulus = base64_of(&pool_jwk["n"]);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{pool_der}\n-----END PUBLIC KEY-----\n");
    for (name, secret) in [
        ("the modulus", modulus.as_slice()),
        (
            "the modulus as text",
            pool_jwk["n"].as_str().unwrap().as_bytes(),
        ),
        ("the key as PEM", pem.as_bytes()),
        ("the key as JSON", pool_jwk.to_string().as_bytes()),
        ("nothing", b""),
    ] {
        cases.push(case(
            format!("HS256 under {name}"),
            symmetric.hashed(secret),
        ));
        cases.push(case(
            format!("HMAC under {name}, called RS256"),
            genuine.hashed(secret),
        ));
    }

    cases.push(case("another key under the pool's name", genuine.by(&own)));
    for (name, header) in [
        ("an unknown key", json!({ "kid": "own" })),
        ("no key", json!({ "kid": null })),
        ("a key that is empty", json!({ "kid": "" })),
        ("a key that is a number", json!({ "kid": 0 })),
        ("a key that is a list", json!({ "kid": [kid] })),
        (
            "a key that is a path",
            json!({ "kid": "../../../../dev/null" }),
        ),
        ("a key that is a query", json!({ "kid": "' OR '1'='1" })),
        (
            "a key set elsewhere",
            json!({ "kid": "own", "jku": "https://keys.example.com/jwks.json" }),
        ),
        (
            "a key set on this machine",
            json!({ "kid": kid, "jku": "http://127.0.0.1:9/jwks.json" }),
        ),
        (
            "a key in the header",
            json!({ "kid": "own", "jwk": own_jwk }),
        ),
        (
            "a key in the header under the pool's name",
            json!({ "jwk": same_kid_jwk }),
        ),
        (
            "a key in the header, none named",
            json!({ "kid": null, "jwk": own_jwk }),
        ),
        ("a certificate in the header", json!({ "x5c": [own_der] })),
        (
            "a certificate elsewhere",
            json!({ "x5u": "https://keys.example.com/cert.pem" }),
        ),
        (
            "a rule that must be understood",
            json!({ "crit": ["exp"], "exp": 0 }),
        ),
        (
            "an unencoded payload",
            json!({ "crit": ["b64"], "b64": false }),
        ),
        ("a compressed payload", json!({ "zip": "DEF" })),
    ] {
        cases.push(case(
            format!("names {name}, signed by another key"),
            genuine.headed(header.clone()).by(&own),
        ));
        cases.push(case(
            format!("names {name}, the signature kept"),
            genuine.headed(header).text(),
        ));
    }
    for (name, text) in ["RS512", "PS256"]
        .into_iter()
        .zip(genuine.by_other_ways(&own))
    {
        cases.push(case(format!("{name} by another key"), text));
    }

    for (name, claims) in [
        ("another company", json!({ "company_id": "demo" })),
        ("another role", json!({ "cognito:groups": ["admin"] })),
        (
            "another user",
            json!({ "sub": "00000000-0000-0000-0000-000000000000" }),
        ),
        ("another name", json!({ "username": "ana" })),
        ("a longer life", json!({ "exp": 4_102_444_800_u64 })),
        ("no end", json!({ "exp": null })),
        (
            "another pool",
            json!({ "iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Elsewhere" }),
        ),
    ] {
        cases.push(case(
            format!("claims {name}, the signature kept"),
            genuine.claiming(claims.clone()).text(),
        ));
        cases.push(case(
            format!("claims {name}, signed by another key"),
            genuine.claiming(claims).by(&own),
        ));
    }
    let of_other = Token::read(&other).signature;
    cases.push(case(
        "the signature of another token",
        genuine.ending_in(&of_other),
    ));
    cases.push(case(
        "a signature of zeros",
        genuine.ending_in(&encoded([0; 256])),
    ));
    cases.push(case(
        "a signature that is the modulus",
        genuine.ending_in(&encoded(&modulus)),
    ));
    all_are(&company, cases, by_gateway).await;
}

fn base64_of(text: &Value) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text.as_str().unwrap())
        .unwrap()
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let company = Company::bare().await;
    let [access, ..] = tokens_of(&company, "billing").await;
    let genuine = Token::read(&access);
    let (signed, signature) = access.rsplit_once('.').unwrap();
    let (head, claims) = signed.split_once('.').unwrap();

    let mut cases = vec![
        ("no header".to_owned(), vec![]),
        header("an empty header", ""),
        header("a blank", " "),
        header("the scheme alone", "Bearer"),
        header("the scheme and blanks", "Bearer   "),
        header("another scheme", format!("Basic {access}")),
        header("a password", "Basic YW5hOkNpZXJyZS1kZW1vLTIwMjYh"),
        header("the scheme twice", format!("Bearer Bearer {access}")),
        header("a parameter", format!("Bearer token=\"{access}\"")),
        header("quotes", format!("Bearer \"{access}\"")),
        header("letters beyond ASCII", "Bearer contraseña".as_bytes()),
        header(
            "bytes that are no text",
            [b"Bearer ".as_slice(), &[0xff, 0xfe, 0xf0]].concat(),
        ),
        header(
            "letters that look alike",
            format!("Bearer {}", access.replacen('e', "\u{435}", 1)),
        ),
        case("words", "null"),
        case("an array", "[]"),
        case("dots", ".."),
        case("three empty objects", format!("{0}.{0}.{0}", encoded("{}"))),
        case("no signature", format!("{signed}.")),
        case("two parts", signed),
        case("one part", head),
        case("four parts", format!("{access}.{signature}")),
        case(
            "five parts, as if encrypted",
            format!("{access}.{signature}.{signature}"),
        ),
        case("a part too many in front", format!(".{access}")),
        case("a dot behind", format!("{access}.")),
        case(
            "the parts in another order",
            format!("{claims}.{head}.{signature}"),
        ),
        case(
            "header and claims swapped for one",
            format!("{head}.{head}.{signature}"),
        ),
        case(
            "a header that is no JSON",
            format!("{}.{claims}.{signature}", encoded("{alg")),
        ),
        case(
            "claims that are no JSON",
            format!("{head}.{}.{signature}", encoded("not json")),
        ),
        case(
            "claims that are a list",
            format!("{head}.{}.{signature}", encoded("[]")),
        ),
        case(
            "claims in bytes that are no text",
            format!("{head}.{}.{signature}", encoded([0xff, 0xfe])),
        ),
        case(
            "claims deep in lists",
            format!("{head}.{}.{signature}", encoded("[".repeat(3_000))),
        ),
        case("a claim given twice", twice(&genuine, head, signature)),
        case(
            "the whole as JSON",
            json!({ "protected": head, "payload": claims, "signature": signature }).to_string(),
        ),
        case(
            "a token in a token",
            format!("{head}.{}.{signature}", encoded(&access)),
        ),
        case(
            "padding in the header",
            format!("{head}=.{claims}.{signature}"),
        ),
        case(
            "padding in the claims",
            format!("{head}.{claims}==.{signature}"),
        ),
        case(
            "the token in the claims twice",
            format!("{head}.{claims}{claims}.{signature}"),
        ),
        case("8,000 letters", "x".repeat(8_000)),
        case(
            "a token with a long tail",
            format!("{access}{}", "A".repeat(4_000)),
        ),
        (
            "the token twice".to_owned(),
            vec![
                format!("Bearer {access}").into_bytes(),
                b"Bearer forged".to_vec(),
            ],
        ),
        (
            "twice, the good one last".to_owned(),
            vec![
                b"Bearer forged".to_vec(),
                format!("Bearer {access}").into_bytes(),
            ],
        ),
        header(
            "two tokens in one header",
            format!("Bearer {access}, Bearer {access}"),
        ),
        header("two tokens by a blank", format!("Bearer {access} {access}")),
    ];
    let quarters = [1, 2, 3].map(|quarter| access.len() * quarter / 4);
    for length in quarters
        .into_iter()
        .chain([access.len() - 10, access.len() - 2])
    {
        cases.push(case(
            format!("the first {length} characters"),
            &access[..length],
        ));
    }
    all_are(&company, cases, by_gateway).await;
}

/// The claims with the company named a second time: the first reads as before, the last is another one.
fn twice(genuine: &Token, head: &str, signature: &str) -> String {
    let claims = genuine.claims.to_string();
    let claims = format!(
        "{},\"company_id\":\"demo\"}}",
        claims.strip_suffix('}').unwrap()
    );
    format!("{head}.{}.{signature}", encoded(claims))
}

/// Signed by the pool's own key: what is left to be looked at is what the token says.
#[tokio::test]
async fn what_the_pool_signed_for_something_else_is_refused() {
    let company = Company::bare().await;
    let [access, ..] = tokens_of(&company, "billing").await;
    let genuine = Token::read(&access);
    let pool = pool_key(&company.stack);
    let issued_at = genuine.claims["iat"].as_u64().unwrap();
    let later = issued_at + 3_000;
    let cases = [
        ("expired an hour ago", json!({ "exp": issued_at - 3_600 })),
        ("expired at the first second", json!({ "exp": 1 })),
        ("expired before time began", json!({ "exp": -1 })),
        ("not valid yet", json!({ "nbf": later })),
        ("issued in the future", json!({ "iat": later })),
        ("of another pool", json!({ "iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Elsewhere" })),
        ("of another region", json!({ "iss": genuine.claims["iss"].as_str().unwrap().replace("us-east-1.", "eu-west-1.") })),
        ("of an address that begins alike", json!({ "iss": format!("{}.example.com", genuine.claims["iss"].as_str().unwrap()) })),
        ("of nobody", json!({ "iss": null })),
        ("for another client", json!({ "client_id": "5hkq3o8tlv1example" })),
        ("for no client", json!({ "client_id": null })),
        ("for the client as one of none", json!({ "client_id": [] })),
        ("for another audience", json!({ "aud": "5hkq3o8tlv1example" })),
    ]
    .map(|(name, claims)| case(name, genuine.claiming(claims).by(&pool)));
    all_are(&company, cases.into(), by_gateway).await;
}

#[tokio::test]
async fn a_signed_token_that_is_no_access_token_of_a_user_is_refused() {
    let company = Company::bare().await;
    let [access, identity, refresh] = tokens_of(&company, "billing").await;
    let genuine = Token::read(&access);
    let pool = pool_key(&company.stack);
    let mut cases = [
        ("an identity token", json!({ "token_use": "id" })),
        ("a refresh token", json!({ "token_use": "refresh" })),
        (
            "a token for anything",
            json!({ "token_use": ["access", "id"] }),
        ),
        ("a token for nothing", json!({ "token_use": null })),
        (
            "an access token in capitals",
            json!({ "token_use": "ACCESS" }),
        ),
        ("nobody", json!({ "sub": null })),
        ("an empty user", json!({ "sub": "" })),
        ("no name", json!({ "username": null })),
        ("an empty name", json!({ "username": "" })),
    ]
    .map(|(name, claims)| case(name, genuine.claiming(claims).by(&pool)))
    .to_vec();
    cases.push(case("a genuine identity token", identity));
    // Cognito's is encrypted, and the gateway cannot even read it; the emulator's is signed like the others.
    cases.push(case("a genuine refresh token", refresh));
    all_are(&company, cases, |reply| {
        by_function(reply, codes::UNAUTHENTICATED)
    })
    .await;
}

#[tokio::test]
async fn a_signed_token_without_a_company_or_a_role_opens_nothing() {
    let company = Company::bare().await;
    let [access, ..] = tokens_of(&company, "billing").await;
    let genuine = Token::read(&access);
    let pool = pool_key(&company.stack);
    let other_key = format!("{}#customer", company.id);
    let of = |name: &str, member: &str, value: Value| {
        case(
            format!("{member} {name}"),
            genuine.claiming(json!({ member: value })).by(&pool),
        )
    };
    let companies = vec![
        of("absent", "company_id", Value::Null),
        of("empty", "company_id", json!("")),
        of("blank", "company_id", json!(" ")),
        of(
            "in capitals",
            "company_id",
            json!(company.id.to_uppercase()),
        ),
        of("with a separator", "company_id", json!(other_key)),
        of("of all", "company_id", json!("*")),
        of("of the jobs of all companies", "company_id", json!("~jobs")),
        of("too long", "company_id", json!("a".repeat(41))),
        of("a list", "company_id", json!([company.id])),
        of("an object", "company_id", json!({ "id": company.id })),
        of(
            "with a NUL",
            "company_id",
            json!(format!("{}\0", company.id)),
        ),
    ];
    all_are(&company, companies, |reply| {
        by_function(reply, codes::COMPANY_MISSING)
    })
    .await;
    let groups = vec![
        of("absent", "cognito:groups", Value::Null),
        of("empty", "cognito:groups", json!([])),
        of("of readers", "cognito:groups", json!(["auditor"])),
        of("in capitals", "cognito:groups", json!(["ADMIN", "Billing"])),
        of(
            "longer words",
            "cognito:groups",
            json!(["administrator", "billing-readers", "xadmin"]),
        ),
        of(
            "letters that look alike",
            "cognito:groups",
            json!(["\u{430}dmin"]),
        ),
        case(
            "groups under another name",
            genuine
                .claiming(
                    json!({ "cognito:groups": null, "groups": ["admin"], "roles": ["admin"] }),
                )
                .by(&pool),
        ),
    ];
    all_are(&company, groups, |reply| {
        by_function(reply, codes::WRONG_ROLE)
    })
    .await;
}

/// A second pool with a user of the same name, who claims the same company.
#[tokio::test]
async fn a_token_of_another_pool_is_refused() {
    let company = Company::bare().await;
    company.billing().await;
    let cognito = company.stack.cognito();
    let name = format!("pool-of-{}", company.id);
    let pool = cognito
        .create_user_pool()
        .pool_name(&name)
        .send()
        .await
        .unwrap();
    let pool = pool.user_pool().unwrap().id().unwrap().to_owned();
    let client = cognito
        .create_user_pool_client()
        .user_pool_id(&pool)
        .client_name(&name);
    let client = client
        .explicit_auth_flows(
            aws_sdk_cognitoidentityprovider::types::ExplicitAuthFlowsType::AllowUserPasswordAuth,
        )
        .explicit_auth_flows(
            aws_sdk_cognitoidentityprovider::types::ExplicitAuthFlowsType::AllowRefreshTokenAuth,
        )
        .send()
        .await
        .unwrap();
    let client = client
        .user_pool_client()
        .unwrap()
        .client_id()
        .unwrap()
        .to_owned();
    let username = company.username("billing");
    cognito
        .admin_create_user()
        .user_pool_id(&pool)
        .username(&username)
        .send()
        .await
        .unwrap();
    let password = cognito
        .admin_set_user_password()
        .user_pool_id(&pool)
        .username(&username);
    password
        .password(cierre_tests::PASSWORD)
        .permanent(true)
        .send()
        .await
        .unwrap();
    let [access, identity, refresh] = issued(&company.stack, &client, &username).await;
    let cases = vec![
        case("access", access),
        case("identity", identity),
        case("refresh", refresh),
    ];
    all_are(&company, cases, by_gateway).await;
    cognito
        .delete_user_pool()
        .user_pool_id(&pool)
        .send()
        .await
        .unwrap();
}

/// More than any header may hold: refused before anybody reads it, by whatever stands in front.
#[tokio::test]
async fn a_token_without_end_is_refused() {
    let stack = Stack::connect().await;
    let token = format!("{0}.{0}.{0}", encoded([b'a'; 100_000]));
    let reply = stack.with_token(token).get("/profile").await;
    assert!(
        (400..500).contains(&reply.status),
        "{} {}",
        reply.status,
        reply.text
    );
}
