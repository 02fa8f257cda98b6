//! The user pool.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, AuthFlowType, AuthenticationResultType, ChallengeNameType, GroupType, UserType,
};
use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::problem::Problem;
use cierre_kernel::role::{Role, Roles};
use futures::future::try_join;
use futures::{StreamExt, TryStreamExt, stream};

use crate::aws::Lazy;
use crate::error::{Doing, Error, Failure, Result};

/// Cognito lists at most this many users at once.
const MOST_LISTED: u32 = 60;
/// Pages of the pool that one request looks through for users of one company; what is left waits behind the cursor.
const MOST_LOOKS: u32 = 20;
/// Questions about groups that are under way at once.
const CONCURRENT_LOOKUPS: usize = 5;
/// Seconds after which a throttled caller may try again.
const RETRY_AFTER_SECONDS: u32 = 5;
/// The attribute that names a user's company; only an operator can set it.
const COMPANY_ATTRIBUTE: &str = "custom:company_id";

/// The tokens of a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Goes with every request.
    pub access_token: String,
    /// Gets the next access token; absent when a session is refreshed.
    pub refresh_token: Option<String>,
    /// Seconds that the access token lives.
    pub expires_in: u32,
}

/// Tokens must not end up in a log.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

cierre_kernel::words! {
    /// What the pool may ask before it opens a session.
    pub enum Challenge {
        /// An operator set the password; the user chooses a new one.
        NewPasswordRequired = "NEW_PASSWORD_REQUIRED",
        /// A code of the authenticator app.
        SoftwareTokenMfa = "SOFTWARE_TOKEN_MFA",
    }
}

impl Challenge {
    /// The words on the wire.
    pub const WORDS: [(&'static str, Self); 2] = [
        ("NEW_PASSWORD_REQUIRED", Self::NewPasswordRequired),
        ("SOFTWARE_TOKEN_MFA", Self::SoftwareTokenMfa),
    ];
}

/// The answer to a challenge.
#[derive(Clone)]
pub enum ChallengeAnswer {
    /// The new password.
    NewPassword(String),
    /// The code.
    Code(String),
}

/// How a step of signing in ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// Signed in.
    Open(Session),
    /// Something more is asked; the text continues this attempt.
    Challenged(Challenge, String),
}

/// A user as the company sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name to sign in with.
    pub username: String,
    /// The name to show: the attribute `name`, else the username.
    pub name: String,
    /// For messages; not everybody has one.
    pub email: Option<String>,
    /// What they may do.
    pub roles: Roles,
    /// Whether they can sign in.
    pub enabled: bool,
}

/// A user whom a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUser {
    /// The stable id.
    pub sub: String,
    /// The name to sign in with, as the pool writes it.
    pub username: String,
    /// The name to show: the attribute `name`, else the username.
    pub name: String,
    /// Whether they can sign in.
    pub enabled: bool,
    /// Whose user; none of somebody who belongs to no company yet.
    pub company: Option<CompanyId>,
    /// What they may do.
    pub roles: Roles,
}

/// Some of a company's users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPage {
    /// The users, in the pool's own order.
    pub users: Vec<Person>,
    /// Where the pool goes on.
    pub next: Option<String>,
}

/// The pool and the client through which this API signs users in.
#[derive(Clone, Debug)]
pub struct UserPool {
    client: Lazy<Client>,
    pool_id: String,
    client_id: String,
}

impl UserPool {
    /// A pool by its ids.
    pub fn new(
        client: impl Into<Lazy<Client>>,
        pool_id: impl Into<String>,
        client_id: impl Into<String>,
    ) -> Self {
        Self {
            client: client.into(),
            pool_id: pool_id.into(),
            client_id: client_id.into(),
        }
    }

    /// The pool of `USER_POOL_ID` and `USER_POOL_CLIENT_ID`.
    ///
    /// # Errors
    /// When one of them is not set.
    pub fn from_env(client: impl Into<Lazy<Client>>) -> Result<Self, Failure> {
        let variable = |name: &str| std::env::var(name).doing("reading the user pool's ids");
        Ok(Self::new(
            client,
            variable("USER_POOL_ID")?,
            variable("USER_POOL_CLIENT_ID")?,
        ))
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// 401 `invalid_credentials`, the same for an unknown user and a wrong password.
    pub async fn sign_in(&self, username: &str, password: &str) -> Result<SignIn> {
        let answer = self
            .client
            .initiate_auth()
            .auth_flow(AuthFlowType::UserPasswordAuth)
            .client_id(&self.client_id)
            .auth_parameters("USERNAME", username)
            .auth_parameters("PASSWORD", password)
            .send()
            .await
            .map_err(|error| refused("signing a user in", codes::INVALID_CREDENTIALS, error))?;
        outcome(
            answer.authentication_result,
            answer.challenge_name,
            answer.session,
        )
    }

    /// Answers a challenge.
    ///
    /// # Errors
    /// 401 `invalid_credentials` for a wrong code or an attempt that has expired; 422 for a new password that is too weak.
    pub async fn answer(
        &self,
        username: &str,
        session: &str,
        answer: ChallengeAnswer,
    ) -> Result<SignIn> {
        let (challenge, name, value) = match answer {
            ChallengeAnswer::NewPassword(password) => (
                ChallengeNameType::NewPasswordRequired,
                "NEW_PASSWORD",
                password,
            ),
            ChallengeAnswer::Code(code) => (
                ChallengeNameType::SoftwareTokenMfa,
                "SOFTWARE_TOKEN_MFA_CODE",
                code,
            ),
        };
        let answer = self
            .client
            .respond_to_auth_challenge()
            .client_id(&self.client_id)
            .challenge_name(challenge)
            .session(session)
            .challenge_responses("USERNAME", username)
            .challenge_responses(name, value)
            .send()
            .await
            .map_err(|error| refused("answering a challenge", codes::INVALID_CREDENTIALS, error))?;
        outcome(
            answer.authentication_result,
            answer.challenge_name,
            answer.session,
        )
    }

    /// Gets a new access token.
    ///
    /// # Errors
    /// 401 `invalid_credentials` for a refresh token that is unknown, expired or revoked.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Session> {
        let answer = self
            .client
            .initiate_auth()
            .auth_flow(AuthFlowType::RefreshTokenAuth)
            .client_id(&self.client_id)
            .auth_parameters("REFRESH_TOKEN", refresh_token)
            .send()
            .await
            .map_err(|error| refused("refreshing a session", codes::INVALID_CREDENTIALS, error))?;
        match outcome(
            answer.authentication_result,
            answer.challenge_name,
            answer.session,
        )? {
            SignIn::Open(session) => Ok(session),
            SignIn::Challenged(..) => Err(Problem::new(codes::INVALID_CREDENTIALS).into()),
        }
    }

    /// Ends every session of a user: no refresh token of theirs works any more.
    ///
    /// # Errors
    /// When Cognito does not answer.
    pub async fn sign_out_everywhere(&self, username: &str) -> Result<()> {
        let sent = self
            .client
            .admin_user_global_sign_out()
            .user_pool_id(&self.pool_id)
            .username(username)
            .send()
            .await;
        sent.map_err(|error| refused("signing a user out", codes::UNAUTHENTICATED, error))?;
        Ok(())
    }

    /// Name and e-mail address of the user whom an access token belongs to.
    ///
    /// # Errors
    /// 401 `unauthenticated` when the token was revoked.
    pub async fn profile(&self, access_token: &str) -> Result<(Option<String>, Option<String>)> {
        let sent = self
            .client
            .get_user()
            .access_token(access_token)
            .send()
            .await;
        let answer =
            sent.map_err(|error| refused("reading a profile", codes::UNAUTHENTICATED, error))?;
        let attributes = answer.user_attributes();
        Ok((
            attribute(attributes, "name"),
            attribute(attributes, "email"),
        ))
    }

    /// Some of a company's users. Cognito cannot filter by company, so other companies' users are passed over here; a page may therefore
    /// hold fewer users than asked for while there are more.
    ///
    /// # Errors
    /// 400 `bad_cursor` when the pool does not know `from` any more.
    pub async fn users(
        &self,
        company: &CompanyId,
        from: Option<String>,
        limit: u32,
    ) -> Result<UserPage> {
        let mut found: Vec<UserType> = Vec::new();
        let mut next = from;
        for _ in 0..MOST_LOOKS {
            // Never ask for more than still fits: a token of Cognito continues after whole pages only.
            let room = limit
                .saturating_sub(u32::try_from(found.len()).unwrap_or(limit))
                .min(MOST_LISTED);
            if room == 0 {
                break;
            }
            let request = self
                .client
                .list_users()
                .user_pool_id(&self.pool_id)
                .set_pagination_token(next.take());
            let sent = request
                .limit(i32::try_from(room).unwrap_or(i32::MAX))
                .send()
                .await;
            let page = sent.map_err(|error| refused("listing users", codes::BAD_CURSOR, error))?;
            let ours = |user: &UserType| {
                attribute(user.attributes(), COMPANY_ATTRIBUTE).as_deref() == Some(company.as_str())
            };
            next = page.pagination_token;
            found.extend(page.users.unwrap_or_default().into_iter().filter(ours));
            if next.is_none() {
                break;
            }
        }
        let people = stream::iter(found)
            .map(|user| self.person(user))
            .buffered(CONCURRENT_LOOKUPS);
        Ok(UserPage {
            users: people.try_collect().await?,
            next,
        })
    }

    /// The user of a name, of whatever company: whether they may be named is for the caller. None where the pool knows nobody of the name.
    ///
    /// Two requests at once: `AdminGetUser` and `AdminListGroupsForUser`.
    ///
    /// # Errors
    /// 429 `rate_limited`, or when Cognito does not answer.
    pub async fn user(&self, username: &str) -> Result<Option<PoolUser>> {
        let request = self
            .client
            .admin_get_user()
            .user_pool_id(&self.pool_id)
            .username(username);
        let asked = async { known("reading a user", request.send().await) };
        let (user, roles) = try_join(asked, self.roles(username)).await?;
        let (Some(user), Some(roles)) = (user, roles) else {
            return Ok(None);
        };
        let attributes = user.user_attributes();
        let sub = attribute(attributes, "sub")
            .ok_or_else(|| Failure::message("Cognito knows a user without a sub"))?;
        let company = attribute(attributes, COMPANY_ATTRIBUTE);
        Ok(Some(PoolUser {
            sub,
            name: attribute(attributes, "name").unwrap_or_else(|| user.username.clone()),
            enabled: user.enabled,
            company: company.and_then(|text| CompanyId::parse(&text).ok()),
            roles,
            username: user.username,
        }))
    }

    /// The roles of a user. Groups that are no role of ours give no right. None where the pool knows nobody of the name.
    async fn roles(&self, username: &str) -> Result<Option<Roles>> {
        let request = self
            .client
            .admin_list_groups_for_user()
            .user_pool_id(&self.pool_id)
            .username(username);
        let groups: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        let groups = known("listing a user's groups", groups)?;
        let role = |group: &GroupType| Role::parse(group.group_name()?).ok();
        Ok(groups.map(|groups| groups.iter().filter_map(role).collect()))
    }

    async fn person(&self, user: UserType) -> Result<Person> {
        let username = user.username().unwrap_or_default().to_owned();
        // Somebody who was deleted since the pool listed them has no role any more.
        let roles = self.roles(&username).await?.unwrap_or_default();
        let name = attribute(user.attributes(), "name").unwrap_or_else(|| username.clone());
        Ok(Person {
            name,
            email: attribute(user.attributes(), "email"),
            roles,
            enabled: user.enabled(),
            username,
        })
    }

    /// Whether the pool answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn probe(&self) -> Result<(), Failure> {
        self.client
            .describe_user_pool()
            .user_pool_id(&self.pool_id)
            .send()
            .await
            .doing("describing the user pool")?;
        Ok(())
    }
}

fn attribute(attributes: &[AttributeType], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.name() == name);
    found
        .and_then(AttributeType::value)
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
}

fn outcome(
    tokens: Option<AuthenticationResultType>,
    challenge: Option<ChallengeNameType>,
    session: Option<String>,
) -> Result<SignIn> {
    if let Some(tokens) = tokens {
        let access_token = tokens
            .access_token()
            .ok_or_else(|| Failure::message("Cognito opened a session without a token"))?;
        return Ok(SignIn::Open(Session {
            access_token: access_token.to_owned(),
            refresh_token: tokens.refresh_token().map(str::to_owned),
            expires_in: u32::try_from(tokens.expires_in()).unwrap_or_default(),
        }));
    }
    let asked = challenge
        .as_ref()
        .map(ChallengeNameType::as_str)
        .unwrap_or_default();
    let known = Challenge::WORDS
        .iter()
        .find(|(word, _)| *word == asked)
        .map(|(_, challenge)| *challenge);
    match (known, session) {
        (Some(challenge), Some(session)) => Ok(SignIn::Challenged(challenge, session)),
        (Some(_), None) | (None, _) => Err(Failure::message(format!(
            "Cognito asks for what this API cannot answer: {asked}"
        ))
        .into()),
    }
}

/// What Cognito says about a user whom it may not know: none where it refuses the name.
fn known<T, E>(doing: &str, sent: Result<T, SdkError<E>>) -> Result<Option<T>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match sent.map_err(|error| refused(doing, codes::NOT_FOUND, error)) {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::Refused(problem)) if problem.code == codes::NOT_FOUND => Ok(None),
        Err(error @ (Error::Refused(_) | Error::Failed(_))) => Err(error),
    }
}

/// Tells a refusal by Cognito from a fault. `code` is what a refusal means for this operation.
fn refused<E>(doing: &str, code: codes::Code, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
    {
        Some(word) => match refusal(code, word) {
            Some(problem) => problem.into(),
            None => Failure::new(doing, error).into(),
        },
        None => Failure::new(doing, error).into(),
    }
}

fn refusal(code: codes::Code, word: &str) -> Option<Problem> {
    match word {
        "NotAuthorizedException"
        | "UserNotFoundException"
        | "UserNotConfirmedException"
        | "PasswordResetRequiredException"
        | "CodeMismatchException"
        | "ExpiredCodeException"
        | "InvalidParameterException" => Some(Problem::new(code)),
        "InvalidPasswordException" | "PasswordHistoryPolicyViolationException" => {
            Some(Problem::field(
                "/newPassword",
                codes::INVALID_FORMAT,
                "does not meet the rules for passwords",
            ))
        }
        "TooManyRequestsException"
        | "LimitExceededException"
        | "TooManyFailedAttemptsException" => {
            Some(Problem::new(codes::RATE_LIMITED).retry_after(RETRY_AFTER_SECONDS))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_user_and_a_wrong_password_are_told_apart_by_nothing() {
        let answers = [
            "NotAuthorizedException",
            "UserNotFoundException",
            "UserNotConfirmedException",
        ];
        let answers: Vec<_> = answers
            .iter()
            .map(|word| refusal(codes::INVALID_CREDENTIALS, word))
            .collect();
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]) && answers[0].is_some());
    }

    #[test]
    fn a_fault_of_cognito_is_no_refusal() {
        assert_eq!(
            refusal(codes::INVALID_CREDENTIALS, "InternalErrorException"),
            None
        );
        assert_eq!(
            refusal(codes::INVALID_CREDENTIALS, "ResourceNotFoundException"),
            None
        );
    }

    #[test]
    fn tokens_open_a_session_and_known_challenges_are_handed_on() {
        let tokens = AuthenticationResultType::builder()
            .access_token("a")
            .refresh_token("r")
            .expires_in(3600)
            .build();
        let SignIn::Open(session) = outcome(Some(tokens), None, None).unwrap() else {
            panic!("no session")
        };
        assert_eq!(
            (
                session.access_token.as_str(),
                session.refresh_token.as_deref(),
                session.expires_in
            ),
            ("a", Some("r"), 3600)
        );
        for (word, challenge) in Challenge::WORDS {
            assert_eq!(challenge.as_str(), word);
            let answer =
                outcome(None, Some(ChallengeNameType::from(word)), Some("s".into())).unwrap();
            assert_eq!(answer, SignIn::Challenged(challenge, "s".into()));
        }
        assert!(outcome(None, Some(ChallengeNameType::SmsMfa), Some("s".into())).is_err());
    }

    #[test]
    fn a_session_shows_no_token_when_it_is_printed() {
        let session = Session {
            access_token: "secret-a".into(),
            refresh_token: Some("secret-r".into()),
            expires_in: 1,
        };
        assert!(!format!("{session:?}").contains("secret"));
    }
}
