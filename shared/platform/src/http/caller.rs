//! From the verified claims of a request to its [`Context`].
//!
//! API Gateway has checked the token's signature, issuer, client and life before a function runs; the claims that arrive here are facts. What
//! the gateway does not check is checked here: that it is an *access* token, and that it names a company.

use cierre_kernel::actor::Actor;
use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::problem::Problem;
use cierre_kernel::role::{Role, Roles};
use cierre_kernel::time::Instant;
use lambda_http::request::RequestContext;

use crate::clock;
use crate::context::Context;
use crate::error::Result;

/// A longer user agent is cut: it goes into every event.
const USER_AGENT_CHARACTERS: usize = 256;

/// The moment that API Gateway received the request; the clock's when the event carries none.
pub(super) fn received_at(request: Option<&RequestContext>) -> Instant {
    match request {
        Some(RequestContext::ApiGatewayV2(gateway)) if gateway.time_epoch > 0 => {
            Instant::from_millis(gateway.time_epoch)
        }
        Some(_) | None => clock::now(),
    }
}

/// Builds the caller's context.
///
/// # Errors
/// 401 `unauthenticated` without a verified access token, 403 `company_missing` when it names no company.
pub(super) fn context(
    request: Option<&RequestContext>,
    correlation_id: CorrelationId,
    now: Instant,
) -> Result<Context> {
    let unauthenticated = || Problem::new(codes::UNAUTHENTICATED);
    let Some(RequestContext::ApiGatewayV2(gateway)) = request else {
        return Err(unauthenticated().into());
    };
    let claims = gateway
        .authorizer
        .as_ref()
        .and_then(|authorizer| authorizer.jwt.as_ref())
        .map(|jwt| &jwt.claims);
    let claims = claims.ok_or_else(unauthenticated)?;
    let claim = |name: &str| {
        claims
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    };
    if claim("token_use") != Some("access") {
        return Err(unauthenticated().into());
    }
    let user_id = claim("sub").ok_or_else(unauthenticated)?;
    let user = claim("username").ok_or_else(unauthenticated)?;
    let company = claim("company_id").and_then(|text| CompanyId::parse(text).ok());
    Ok(Context {
        company: company.ok_or_else(|| Problem::new(codes::COMPANY_MISSING))?,
        actor: Actor {
            user_id: user_id.to_owned(),
            user: user.to_owned(),
        },
        name: claim("name").map(str::to_owned),
        roles: roles(claim("cognito:groups").unwrap_or_default()),
        correlation_id,
        ip: gateway.http.source_ip.clone().unwrap_or_default(),
        user_agent: gateway
            .http
            .user_agent
            .as_deref()
            .unwrap_or_default()
            .chars()
            .take(USER_AGENT_CHARACTERS)
            .collect(),
        now,
    })
}

/// API Gateway hands a list claim on as the text `[a b]`; other emulators and versions write JSON or commas. Groups that are no role of ours
/// give no right.
fn roles(groups: &str) -> Roles {
    let words = groups.split(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | ',' | '"'));
    words.filter_map(|word| Role::parse(word).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_in_every_form_that_they_arrive_in() {
        for text in [
            "[admin billing]",
            "[\"admin\",\"billing\"]",
            "admin,billing",
            "admin billing",
            "[billing strangers admin]",
        ] {
            let roles = roles(text);
            assert!(
                roles.contains(Role::Admin) && roles.contains(Role::Billing),
                "{text}"
            );
            assert!(!roles.contains(Role::Auditor), "{text}");
        }
        for text in ["", "[]", "[strangers]", "administrators"] {
            assert!(roles(text).is_empty(), "{text}");
        }
    }
}
