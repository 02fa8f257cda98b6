//! Billing settings as an administrator writes them.

use std::net::IpAddr;

use cierre_kernel::codes;
use cierre_platform::http::{Fields, Rule, integer, lines, money, object, one_of, text};

use super::entity::{
    CONSUMER_ID_THRESHOLD, Connector, ERP_SUCCESS_RATE, Erp, SettingsDraft, Simulation,
    WebhookDraft,
};
use crate::entity::IssuerCondition;
use crate::erp::Guard;
use crate::erp::signature::SigningKey;
use crate::rules::{CURRENCY, MAX_AMOUNT, pesos};

/// Reads the whole document. The guard says which addresses an ERP and a webhook may have.
pub(super) fn read_settings(fields: &mut Fields<'_>, guard: Guard) -> Option<SettingsDraft> {
    let conditions = IssuerCondition::ALL.map(|condition| (condition.as_str(), condition));
    let iva_condition = fields.required("ivaCondition", one_of(&conditions));
    let address = fields.optional("address", lines(1..=300));
    let threshold = money(CURRENCY).within_minor_units(0..=MAX_AMOUNT);
    let threshold = fields.optional_or(
        "consumerIdThreshold",
        threshold,
        pesos(CONSUMER_ID_THRESHOLD),
    );
    let erp = fields.optional_or(
        "erp",
        object(move |fields: &mut Fields<'_>| read_erp(fields, guard)),
        Erp::default(),
    );
    let webhook = fields.optional(
        "webhook",
        object(move |fields: &mut Fields<'_>| read_webhook(fields, guard)),
    );
    let simulation =
        fields.optional_or("simulation", object(read_simulation), Simulation::default());
    Some(SettingsDraft {
        iva_condition: iva_condition?,
        address: address?,
        consumer_id_threshold: threshold?,
        erp: erp?,
        webhook: webhook?,
        simulation: simulation?,
    })
}

fn read_erp(fields: &mut Fields<'_>, guard: Guard) -> Option<Erp> {
    let connectors = Connector::ALL.map(|connector| (connector.as_str(), connector));
    let connector = fields.required("connector", one_of(&connectors));
    let url = fields.optional("url", url(guard));
    let secret = fields.optional("secret", secret());
    if connector == Some(Connector::Http) && !fields.is_given("url") {
        fields.refuse::<()>("url", codes::REQUIRED, "is required for the connector http");
    }
    Some(Erp {
        connector: connector?,
        url: url?,
        secret: secret?,
    })
}

fn read_webhook(fields: &mut Fields<'_>, guard: Guard) -> Option<WebhookDraft> {
    let url = fields.required("url", url(guard));
    let secret = fields.optional("secret", secret());
    Some(WebhookDraft {
        url: url?,
        secret: secret?,
    })
}

/// A text that requests can be signed with.
fn secret() -> impl Rule<Output = String> {
    text(16..=200).try_map(|secret: String| SigningKey::parse(&secret).is_ok().then_some(secret))
}

fn read_simulation(fields: &mut Fields<'_>) -> Option<Simulation> {
    let erp_success_rate = fields.optional_or("erpSuccessRate", percent(), ERP_SUCCESS_RATE);
    let cae_lost_answer_rate = fields.optional_or("caeLostAnswerRate", percent(), 0);
    Some(Simulation {
        erp_success_rate: erp_success_rate?,
        cae_lost_answer_rate: cae_lost_answer_rate?,
    })
}

fn percent() -> impl Rule<Output = u8> {
    integer(0..=100).try_map(|rate| u8::try_from(rate).ok())
}

fn url(guard: Guard) -> impl Rule<Output = String> {
    text(1..=2_000)
        .try_map(move |text| is_allowed(guard, &text).then_some(text))
        .or(
            codes::INVALID_FORMAT,
            "must be an https address on the public network",
        )
}

/// Whether requests may go to this address: what the guard reads, and no name that only a local network knows. What a name resolves to is
/// looked at before each request.
fn is_allowed(guard: Guard, text: &str) -> bool {
    let Ok(url) = guard.read(text) else {
        return false;
    };
    let public_host = match url.host_str().map(literal) {
        Some(Ok(_)) => true,
        Some(Err(name)) => is_public_name(name),
        None => false,
    };
    public_host && url.port() != Some(0)
}

/// The address that a host is, or the name.
fn literal(host: &str) -> Result<IpAddr, &str> {
    host.trim_matches(['[', ']']).parse().map_err(|_| host)
}

/// A name of at least two labels whose last one is not a number: names of one label, and those that only a local network knows, are private.
fn is_public_name(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let labels: Vec<&str> = host.split('.').collect();
    let last = labels.last().copied().unwrap_or_default();
    let local = ["localhost", "local", "internal", "home", "lan"];
    labels.len() >= 2
        && host.len() <= 253
        && labels.iter().all(|part| label(part))
        && !last.bytes().all(|b| b.is_ascii_digit())
        && !local.iter().any(|name| last.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_platform::Error;
    use cierre_platform::http::decode;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn errors(body: &Value) -> Vec<(String, &'static str)> {
        let Err(Error::Refused(problem)) =
            decode(body, |fields| read_settings(fields, Guard::PUBLIC))
        else {
            return Vec::new();
        };
        let errors = problem.errors.into_iter();
        errors
            .map(|error| (error.pointer, error.code.as_str()))
            .collect()
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        let draft = decode(&json!({ "ivaCondition": "MONOTRIBUTO" }), |fields| {
            read_settings(fields, Guard::PUBLIC)
        })
        .unwrap();
        assert_eq!(draft, SettingsDraft::usual(IssuerCondition::Monotributo));
        assert_eq!(draft.consumer_id_threshold.to_string(), "10000000.00");
        assert_eq!(
            (
                draft.simulation.erp_success_rate,
                draft.simulation.cae_lost_answer_rate
            ),
            (90, 0)
        );
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let body = json!({
            "ivaCondition": "CONSUMIDOR_FINAL",
            "consumerIdThreshold": "-1",
            "erp": { "connector": "http", "hasSecret": true },
            "webhook": { "url": "https://10.0.0.1/hook", "secret": "short" },
            "simulation": { "erpSuccessRate": 101, "caeLostAnswerRate": 1.5 },
        });
        let named = |pointer: &str, code| (pointer.to_owned(), code);
        assert_eq!(
            errors(&body),
            [
                named("/ivaCondition", "out_of_range"),
                named("/consumerIdThreshold", "out_of_range"),
                named("/erp/url", "required"),
                named("/erp/hasSecret", "unknown_field"),
                named("/webhook/url", "invalid_format"),
                named("/webhook/secret", "out_of_range"),
                named("/simulation/erpSuccessRate", "out_of_range"),
                named("/simulation/caeLostAnswerRate", "invalid_type"),
            ]
        );
    }

    #[rstest]
    #[case("https://erp.example.com/hook?x=1", true)]
    #[case("https://erp.example.com:8443", true)]
    #[case("https://8.8.8.8/hook", true)]
    #[case("https://[2606:4700::1111]/hook", true)]
    #[case("http://erp.example.com", false)]
    #[case("https://user:pass@erp.example.com", false)]
    #[case("https://localhost/hook", false)]
    #[case("https://erp.localhost/hook", false)]
    #[case("https://db.internal", false)]
    #[case("https://10.0.0.1", false)]
    #[case("https://127.0.0.1", false)]
    #[case("https://169.254.169.254/latest", false)]
    #[case("https://100.64.0.1", false)]
    #[case("https://0.0.0.0", false)]
    #[case("https://127.1", false)]
    #[case("https://2130706433", false)]
    #[case("https://[::1]", false)]
    #[case("https://[::ffff:10.0.0.1]", false)]
    #[case("https://[fe80::1]", false)]
    #[case("https://[::1", false)]
    #[case("https://erp.example.com:0", false)]
    #[case("https://erp.example.com:99999", false)]
    #[case("https://erp example.com", false)]
    #[case("https:///hook", false)]
    #[case("erp.example.com", false)]
    fn the_erp_is_reached_over_https_on_the_public_network(
        #[case] url: &str,
        #[case] allowed: bool,
    ) {
        assert_eq!(is_allowed(Guard::PUBLIC, url), allowed);
    }
}
