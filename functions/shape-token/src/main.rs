//! Runs whenever Cognito issues tokens: puts the user's company into the access token as the claim `company_id`.
//!
//! The company comes from an attribute that users cannot write themselves. A user without a company still signs in; the API then answers
//! `company_missing`.

use cierre_kernel::company::CompanyId;
use cierre_platform::telemetry;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

/// Where the trigger's event carries the company.
const COMPANY: &str = "/request/userAttributes/custom:company_id";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("shape-token");
    run(service_fn(async |event: LambdaEvent<Value>| {
        let shaped = shape(event.payload);
        telemetry::warmed_up();
        Ok::<Value, Error>(shaped)
    }))
    .await
}

/// Answers the event with the claim added. Everything else of it, groups and scopes included, stays as Cognito sent it.
fn shape(mut event: Value) -> Value {
    let company = event
        .pointer(COMPANY)
        .and_then(Value::as_str)
        .map(CompanyId::parse);
    match (company, event.as_object_mut()) {
        (Some(Ok(company)), Some(event)) => {
            let claims = json!({ "claimsToAddOrOverride": { "company_id": company } });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Value {
        serde_json::from_str(include_str!("../../../events/shape-token/login.json")).unwrap()
    }

    #[test]
    fn the_company_of_the_user_becomes_a_claim_of_the_access_token() {
        let before = event();
        let after = shape(before.clone());
        let claim = "/response/claimsAndScopeOverrideDetails/accessTokenGeneration/claimsToAddOrOverride/company_id";
        assert_eq!(after.pointer(claim), before.pointer(COMPANY));
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
}
