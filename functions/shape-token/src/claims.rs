//! The claims that are added to an access token.

use cierre_kernel::company::CompanyId;
use serde_json::{Value, json};

/// Where the trigger's event carries the company.
const COMPANY: &str = "/request/userAttributes/custom:company_id";
/// Where it carries the name.
const NAME: &str = "/request/userAttributes/name";
/// As much of a name as any domain keeps. A whole attribute, of 2,048 characters, might make a token that no header can hold.
const NAME_CHARACTERS: usize = 255;

/// Answers the event with the claims added. Everything else of it, groups and scopes included, stays as Cognito sent it.
pub(crate) fn shape(mut event: Value) -> Value {
    let name = name(&event);
    let company = event
        .pointer(COMPANY)
        .and_then(Value::as_str)
        .map(CompanyId::parse);
    match (company, event.as_object_mut()) {
        (Some(Ok(company)), Some(event)) => {
            let mut added = json!({ "company_id": company });
            if let Some(name) = name {
                added["name"] = name.into();
            }
            let claims = json!({ "claimsToAddOrOverride": added });
            let details =
                json!({ "claimsAndScopeOverrideDetails": { "accessTokenGeneration": claims } });
            event.insert("response".to_owned(), details);
        }
        (Some(Err(_)), _) => {
            tracing::warn!("the user's company has no valid form, the token goes out without it")
        }
        (Some(Ok(_)) | None, _) => {}
    }
    event
}

/// The name to show, where the user has one.
fn name(event: &Value) -> Option<String> {
    let name = event.pointer(NAME)?.as_str()?.trim();
    (!name.is_empty()).then(|| name.chars().take(NAME_CHARACTERS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Value {
        serde_json::from_str(include_str!("../../../events/shape-token/login.json")).unwrap()
    }

    const ADDED: &str =
        "/response/claimsAndScopeOverrideDetails/accessTokenGeneration/claimsToAddOrOverride";

    #[test]
    fn company_and_name_of_the_user_become_claims_of_the_access_token() {
        let before = event();
        let after = shape(before.clone());
        assert_eq!(
            after.pointer(ADDED),
            Some(&json!({ "company_id": "demo", "name": "Ana" }))
        );
        assert_eq!(after["request"], before["request"]);
        assert_eq!(after["version"], before["version"]);
    }

    #[test]
    fn without_a_company_or_with_a_malformed_one_nothing_is_added() {
        for company in [Value::Null, json!(""), json!("Not A Company"), json!(7)] {
            let mut before = event();
            before["request"]["userAttributes"]["custom:company_id"] = company;
            assert_eq!(shape(before.clone()), before);
        }
        assert_eq!(shape(json!("nonsense")), json!("nonsense"));
    }
    #[test]
    fn a_blank_name_is_none_and_a_long_one_is_cut() {
        for (name, claim) in [
            (Value::Null, None),
            (json!("  "), None),
            (json!(" Ana Ruiz "), Some("Ana Ruiz".to_owned())),
            (json!("ñ".repeat(300)), Some("ñ".repeat(NAME_CHARACTERS))),
        ] {
            let mut before = event();
            before["request"]["userAttributes"]["name"] = name;
            let added = shape(before).pointer(ADDED).cloned().unwrap();
            assert_eq!(added["company_id"], "demo");
            assert_eq!(added.get("name").and_then(Value::as_str), claim.as_deref());
        }
    }
}
