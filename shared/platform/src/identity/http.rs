//! `/auth/*`, `/profile` and `/company/users`; with the settings and the health routes they make up the identity API.

use axum::Router;
use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use cierre_kernel::codes;
use cierre_kernel::problem::Problem;
use cierre_kernel::role::{Role, Roles};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;

use super::pool::{Challenge, ChallengeAnswer, Person, SignIn, UserPool};
use crate::company;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::health::{self, Probes};
use crate::http::{
    Answer, Body, Caller, Cursors, Described, Fields, PageParameters, Query, Routes, Served, allow,
    allow_any_user, allow_public, one_of, parsed, text,
};
use crate::route;

const READ_USERS: Roles = Roles::of(&[Role::Admin, Role::Supervisor, Role::Payables]);

/// What the routes work with.
#[derive(Clone, Debug)]
pub struct IdentityApi {
    /// The tables.
    pub db: Db,
    /// The users.
    pub pool: UserPool,
    /// The signer of cursors.
    pub cursors: Cursors,
    /// What `/health/deep` looks at.
    pub probes: Probes,
}

impl FromRef<IdentityApi> for Db {
    fn from_ref(api: &IdentityApi) -> Self {
        api.db.clone()
    }
}

impl FromRef<IdentityApi> for Probes {
    fn from_ref(api: &IdentityApi) -> Self {
        api.probes.clone()
    }
}

/// All routes of the identity API.
pub fn router(api: IdentityApi) -> Router {
    routes::<Served<IdentityApi>>().with_state(api)
}

/// Their documentation.
pub fn document() -> OpenApi {
    routes::<Described>().into_openapi()
}

fn routes<R: Routes<IdentityApi>>() -> R {
    R::default()
        .route(
            allow_public()
                .refuses(&[codes::INVALID_CREDENTIALS, codes::RATE_LIMITED])
                .on(route!(login)),
        )
        .route(
            allow_public()
                .refuses(&[codes::INVALID_CREDENTIALS, codes::RATE_LIMITED])
                .invalid(&[codes::INVALID_FORMAT])
                .on(route!(challenge)),
        )
        .route(
            allow_public()
                .refuses(&[codes::INVALID_CREDENTIALS, codes::RATE_LIMITED])
                .on(route!(refresh)),
        )
        .route(allow_any_user().keyless().on(route!(logout)))
        .route(allow_any_user().on(route!(profile)))
        .route(allow(READ_USERS).on(route!(users)))
        .merge(company::http::router())
        .merge(health::router())
}

/// Who signs in.
#[derive(ToSchema)]
struct Login {
    #[schema(min_length = 1, max_length = 128, example = "ana")]
    username: String,
    #[schema(min_length = 1, max_length = 256, format = Password)]
    password: String,
}

impl Login {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let username = fields.required("username", text(1..=128));
        let password = fields.required("password", text(1..=256));
        Some(Self {
            username: username?,
            password: password?,
        })
    }
}

/// The answer to a challenge.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "shows the fields of `read_challenge` in the API document"
)]
struct ChallengeInput {
    #[schema(
        pattern = "^(NEW_PASSWORD_REQUIRED|SOFTWARE_TOKEN_MFA)$",
        example = "SOFTWARE_TOKEN_MFA"
    )]
    challenge: String,
    /// The `session` of the answer that asked.
    session: String,
    #[schema(example = "ana")]
    username: String,
    /// For `NEW_PASSWORD_REQUIRED`.
    #[schema(rename = "newPassword", format = Password)]
    new_password: Option<String>,
    /// For `SOFTWARE_TOKEN_MFA`: the six digits of the authenticator app.
    #[schema(example = "123456")]
    code: Option<String>,
}

fn six_digits(text: &str) -> Option<String> {
    (text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_owned())
}

/// The username, the session and the answer.
fn read_challenge(fields: &mut Fields<'_>) -> Option<(String, String, ChallengeAnswer)> {
    let challenge = fields.required("challenge", one_of(&Challenge::WORDS));
    let session = fields.required("session", text(1..=4_096));
    let username = fields.required("username", text(1..=128));
    let new_password = fields.optional("newPassword", text(1..=256));
    let code = fields.optional(
        "code",
        parsed(codes::INVALID_FORMAT, "must be six digits", six_digits),
    );
    let answer = match challenge? {
        Challenge::NewPasswordRequired => {
            new_password?.map(ChallengeAnswer::NewPassword).or_else(|| {
                fields.refuse(
                    "newPassword",
                    codes::REQUIRED,
                    "is required for this challenge",
                )
            })
        }
        Challenge::SoftwareTokenMfa => code?
            .map(ChallengeAnswer::Code)
            .or_else(|| fields.refuse("code", codes::REQUIRED, "is required for this challenge")),
    };
    Some((username?, session?, answer?))
}

/// A refresh token.
#[derive(ToSchema)]
struct Refresh {
    #[schema(rename = "refreshToken")]
    refresh_token: String,
}

impl Refresh {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            refresh_token: fields.required("refreshToken", text(1..=8_192))?,
        })
    }
}

/// Tokens, or a challenge that comes first.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum SignInView {
    /// Signed in.
    #[serde(rename_all = "camelCase")]
    Tokens {
        /// Send it as `Authorization: Bearer …`.
        access_token: String,
        /// Gets the next access token.
        refresh_token: Option<String>,
        #[schema(example = "Bearer")]
        token_type: &'static str,
        /// Seconds.
        #[schema(example = 3600)]
        expires_in: u32,
    },
    /// Answer it with `POST /auth/challenge`.
    Challenge {
        #[schema(example = "SOFTWARE_TOKEN_MFA")]
        challenge: &'static str,
        /// Goes with the answer.
        session: String,
    },
}

impl From<SignIn> for SignInView {
    fn from(outcome: SignIn) -> Self {
        match outcome {
            SignIn::Open(session) => Self::Tokens {
                access_token: session.access_token,
                refresh_token: session.refresh_token,
                token_type: "Bearer",
                expires_in: session.expires_in,
            },
            SignIn::Challenged(challenge, session) => Self::Challenge {
                challenge: challenge.as_str(),
                session,
            },
        }
    }
}

/// A new access token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RefreshView {
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    #[schema(example = 3600)]
    expires_in: u32,
}

/// Sign in
///
/// Answers tokens, or a challenge when the account asks for more than a password. An unknown user and a wrong password are answered alike.
#[utoipa::path(post, path = "/auth/login", tag = "Identity", request_body = Login, responses((status = 200, body = SignInView)))]
async fn login(State(api): State<IdentityApi>, body: Body) -> Result<Answer> {
    let login = body.decode(Login::read)?;
    let outcome = api.pool.sign_in(&login.username, &login.password).await?;
    Ok(Answer::ok(&SignInView::from(outcome))?)
}

/// Answer a challenge of signing in
#[utoipa::path(post, path = "/auth/challenge", tag = "Identity", request_body = ChallengeInput, responses((status = 200, body = SignInView)))]
async fn challenge(State(api): State<IdentityApi>, body: Body) -> Result<Answer> {
    let (username, session, answer) = body.decode(read_challenge)?;
    let outcome = api.pool.answer(&username, &session, answer).await?;
    Ok(Answer::ok(&SignInView::from(outcome))?)
}

/// Get a new access token
#[utoipa::path(post, path = "/auth/refresh", tag = "Identity", request_body = Refresh, responses((status = 200, body = RefreshView)))]
async fn refresh(State(api): State<IdentityApi>, body: Body) -> Result<Answer> {
    let refresh = body.decode(Refresh::read)?;
    let session = api.pool.refresh(&refresh.refresh_token).await?;
    let view = RefreshView {
        access_token: session.access_token,
        token_type: "Bearer",
        expires_in: session.expires_in,
    };
    Ok(Answer::ok(&view)?)
}

/// End every session of the caller
///
/// Refresh tokens stop working at once. Access tokens that were handed out before are accepted until they expire.
#[utoipa::path(post, path = "/auth/logout", tag = "Identity", responses((status = 204)))]
async fn logout(State(api): State<IdentityApi>, caller: Caller, body: Body) -> Result<Answer> {
    body.expect_empty()?;
    api.pool
        .sign_out_everywhere(&caller.context.actor.user)
        .await?;
    Ok(Answer::no_content())
}

/// The caller's own token, for what Cognito tells only to its owner.
struct Bearer(String);

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let header = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        // API Gateway accepts the token with and without the scheme, in any case of letters.
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            Some(_) => "",
            None => header,
        };
        if token.is_empty() {
            Err(Problem::new(codes::UNAUTHENTICATED).into())
        } else {
            Ok(Self(token.to_owned()))
        }
    }
}

/// The signed-in user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProfileView<'a> {
    sub: &'a str,
    #[schema(example = "ana")]
    username: &'a str,
    /// The name to show.
    #[schema(example = "Ana Suárez")]
    name: &'a str,
    #[schema(required = true)]
    email: Option<&'a str>,
    #[schema(example = "demo")]
    company_id: &'a str,
    #[schema(value_type = Vec<String>, example = json!(["admin"]))]
    roles: Roles,
}

/// The signed-in user
#[utoipa::path(get, path = "/profile", tag = "Identity", responses((status = 200, body = ProfileView<'static>)))]
async fn profile(
    State(api): State<IdentityApi>,
    caller: Caller,
    Bearer(token): Bearer,
) -> Result<Answer> {
    let (name, email) = api.pool.profile(&token).await?;
    let context = &caller.context;
    let username = context.actor.user.as_str();
    let view = ProfileView {
        sub: &context.actor.user_id,
        username,
        name: name.as_deref().unwrap_or(username),
        email: email.as_deref(),
        company_id: context.company.as_str(),
        roles: context.roles,
    };
    Ok(Answer::ok(&view)?)
}

/// A user of the company.
#[derive(Serialize, ToSchema)]
struct UserView {
    #[schema(example = "ana")]
    username: String,
    /// The name to show.
    #[schema(example = "Ana Suárez")]
    name: String,
    #[schema(value_type = Vec<String>, example = json!(["admin"]))]
    roles: Roles,
    enabled: bool,
}

impl From<Person> for UserView {
    fn from(person: Person) -> Self {
        Self {
            username: person.username,
            name: person.name,
            roles: person.roles,
            enabled: person.enabled,
        }
    }
}

/// Some of the company's users.
#[derive(ToSchema)]
#[expect(dead_code, reason = "shows the form of a page in the API document")]
struct UserPageView {
    items: Vec<UserView>,
    #[schema(required = true)]
    next: Option<String>,
}

/// The company's users
///
/// A page may hold fewer users than `limit`; only `next: null` ends the list.
#[utoipa::path(
    get,
    path = "/company/users",
    tag = "Company",
    params(PageParameters),
    responses((status = 200, body = UserPageView))
)]
async fn users(State(api): State<IdentityApi>, caller: Caller, query: Query) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let from = api.cursors.start(&scope, &paging)?;
    let page = api
        .pool
        .users(&caller.context.company, from, paging.limit.get())
        .await?;
    let next = api.cursors.next(&scope, page.next)?;
    let users: Vec<UserView> = page.users.into_iter().map(UserView::from).collect();
    Ok(Answer::page(&users, next)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn errors<T>(
        body: &Value,
        read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Vec<(String, &'static str)> {
        match crate::http::decode(body, read) {
            Ok(_) => vec![],
            Err(Error::Refused(problem)) => problem
                .errors
                .into_iter()
                .map(|e| (e.pointer, e.code.as_str()))
                .collect(),
            Err(Error::Failed(failure)) => panic!("{failure}"),
        }
    }

    #[test]
    fn each_challenge_needs_its_own_answer() {
        let with = |fields: Value| {
            let mut body = json!({ "session": "s", "username": "ana" });
            body.as_object_mut()
                .unwrap()
                .extend(fields.as_object().unwrap().clone());
            body
        };
        for (fields, wrong) in [
            (
                json!({ "challenge": "NEW_PASSWORD_REQUIRED", "newPassword": "x" }),
                vec![],
            ),
            (
                json!({ "challenge": "SOFTWARE_TOKEN_MFA", "code": "012345" }),
                vec![],
            ),
            (
                json!({ "challenge": "NEW_PASSWORD_REQUIRED", "code": "012345" }),
                vec![("/newPassword".to_owned(), "required")],
            ),
            (
                json!({ "challenge": "SOFTWARE_TOKEN_MFA" }),
                vec![("/code".to_owned(), "required")],
            ),
            (
                json!({ "challenge": "SOFTWARE_TOKEN_MFA", "code": "12345" }),
                vec![("/code".to_owned(), "invalid_format")],
            ),
            (
                json!({ "challenge": "SMS_MFA", "code": "012345" }),
                vec![("/challenge".to_owned(), "out_of_range")],
            ),
        ] {
            assert_eq!(
                errors(&with(fields.clone()), read_challenge),
                wrong,
                "{fields}"
            );
        }
    }

    #[test]
    fn a_login_names_every_missing_field() {
        let wrong = [
            ("/username".to_owned(), "required"),
            ("/password".to_owned(), "required"),
        ];
        assert_eq!(errors(&json!({}), Login::read), wrong);
    }

    #[test]
    fn the_wire_forms_of_signing_in() {
        let session = super::super::Session {
            access_token: "a".into(),
            refresh_token: Some("r".into()),
            expires_in: 3600,
        };
        let tokens = serde_json::to_value(SignInView::from(SignIn::Open(session))).unwrap();
        assert_eq!(
            tokens,
            json!({ "accessToken": "a", "refreshToken": "r", "tokenType": "Bearer", "expiresIn": 3600 })
        );
        let asked = SignIn::Challenged(Challenge::NewPasswordRequired, "s".into());
        let asked = serde_json::to_value(SignInView::from(asked)).unwrap();
        assert_eq!(
            asked,
            json!({ "challenge": "NEW_PASSWORD_REQUIRED", "session": "s" })
        );
    }
}
