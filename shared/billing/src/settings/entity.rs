//! The billing settings and the one decision about them. Pure.

use std::fmt;

use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::decision::Decision;
use cierre_kernel::event::{ChainHead, EventType, NewEvent};
use cierre_kernel::money::Money;
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use crate::entity::{Change, IssuerCondition, Stamp};
use crate::rules::pesos;

/// The resource type of all settings in activity events. The company's own settings are another resource of the same type.
pub const RESOURCE_TYPE: &str = "company_settings";

/// The resource id of the billing settings. The slash keeps it apart from every company's name.
pub fn resource_id(company: &CompanyId) -> String {
    format!("{company}/billing")
}

/// From which amount on a consumer must be identified, unless the company says otherwise: ten million pesos.
pub const CONSUMER_ID_THRESHOLD: i64 = 1_000_000_000;
/// Share of chunks that the simulated ERP accepts, in percent, unless the company says otherwise.
pub const ERP_SUCCESS_RATE: u8 = 90;

cierre_kernel::words! {
    /// What carries documents to the ERP.
    #[derive(Default)]
    pub enum Connector {
        /// A simulator.
        #[default]
        Simulated = "simulated",
        /// Signed requests to an address of the company.
        Http = "http",
    }
}

/// How the ERP is reached.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erp {
    /// What carries.
    pub connector: Connector,
    /// Where to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Signs the requests; never shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Without the secret: what is printed for debugging ends up in logs.
impl fmt::Debug for Erp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Erp")
            .field("connector", &self.connector)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Where the company is told of its finished batches.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Where to.
    pub url: String,
    /// Signs the requests; never shown again.
    pub secret: String,
}

/// Without the secret: what is printed for debugging ends up in logs.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// A webhook as an administrator writes it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookDraft {
    /// Where to.
    pub url: String,
    /// Signs the requests. Without one the known one stays.
    pub secret: Option<String>,
}

/// Without the secret: what is printed for debugging ends up in logs.
impl fmt::Debug for WebhookDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookDraft")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// How the simulators behave, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Simulation {
    /// Chunks that the simulated ERP accepts.
    pub erp_success_rate: u8,
    /// First answers of the simulated tax authority that are lost.
    pub cae_lost_answer_rate: u8,
}

impl Default for Simulation {
    fn default() -> Self {
        Self {
            erp_success_rate: ERP_SUCCESS_RATE,
            cae_lost_answer_rate: 0,
        }
    }
}

/// What an administrator decides on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsDraft {
    /// How the company stands towards IVA.
    pub iva_condition: IssuerCondition,
    /// Printed on documents.
    pub address: Option<String>,
    /// From which amount on a consumer must be identified.
    pub consumer_id_threshold: Money,
    /// How the ERP is reached. Without a secret the known one stays.
    pub erp: Erp,
    /// Where the company is told of its finished batches, if anywhere.
    pub webhook: Option<WebhookDraft>,
    /// How the simulators behave.
    pub simulation: Simulation,
}

impl SettingsDraft {
    /// The usual settings of an issuer.
    pub fn usual(iva_condition: IssuerCondition) -> Self {
        Self {
            iva_condition,
            address: None,
            consumer_id_threshold: pesos(CONSUMER_ID_THRESHOLD),
            erp: Erp::default(),
            webhook: None,
            simulation: Simulation::default(),
        }
    }
}

/// A company's billing settings as they stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BillingSettings {
    /// How the company stands towards IVA.
    pub iva_condition: IssuerCondition,
    /// Printed on documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// From which amount on a consumer must be identified.
    #[serde(with = "minor_units")]
    pub consumer_id_threshold: Money,
    /// How the ERP is reached.
    pub erp: Erp,
    /// Where the company is told of its finished batches, if anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// How the simulators behave.
    pub simulation: Simulation,
    /// When they were first set.
    pub created_at: Instant,
    /// By whom.
    pub created_by: String,
    /// When they last changed.
    pub updated_at: Instant,
    /// Counts the changes, from 1.
    pub version: u64,
    /// Of the command that made them.
    pub correlation_id: CorrelationId,
    /// Head of the chain of events about them.
    pub head: ChainHead,
}

/// Why settings are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsRefusal {
    /// The HTTP connector has no secret, neither a new one nor a known one.
    #[error("is required for the connector http")]
    SecretMissing,
    /// The webhook has no secret, neither a new one nor a known one.
    #[error("is required until one is known")]
    WebhookSecretMissing,
}

impl WebhookDraft {
    fn signed(self, known: Option<&Webhook>) -> Result<Webhook, SettingsRefusal> {
        let secret = self.secret;
        let secret = secret.or_else(|| known.map(|known| known.secret.clone()));
        Ok(Webhook {
            url: self.url,
            secret: secret.ok_or(SettingsRefusal::WebhookSecretMissing)?,
        })
    }
}

impl BillingSettings {
    /// Replaces the settings. The same settings again are a replay: no new version, no event.
    ///
    /// # Errors
    /// [`SettingsRefusal`].
    pub fn put(
        current: Option<&Self>,
        draft: SettingsDraft,
        company: &CompanyId,
        stamp: &Stamp,
    ) -> Result<Decision<Change<Self>>, SettingsRefusal> {
        let SettingsDraft {
            iva_condition,
            address,
            consumer_id_threshold,
            mut erp,
            webhook,
            simulation,
        } = draft;
        match erp.connector {
            Connector::Http => {
                let known = current.and_then(|current| current.erp.secret.clone());
                erp.secret = erp.secret.or(known);
                if erp.secret.is_none() {
                    return Err(SettingsRefusal::SecretMissing);
                }
            }
            // A connector that signs nothing keeps no secret.
            Connector::Simulated => erp.secret = None,
        }
        let known = current.and_then(|current| current.webhook.as_ref());
        let webhook = webhook.map(|webhook| webhook.signed(known)).transpose()?;
        let next = Self {
            iva_condition,
            address,
            consumer_id_threshold,
            erp,
            webhook,
            simulation,
            created_at: current.map_or(stamp.at, |current| current.created_at),
            created_by: current
                .map_or_else(|| stamp.by.clone(), |current| current.created_by.clone()),
            updated_at: stamp.at,
            version: current.map_or(1, |current| current.version + 1),
            correlation_id: current.map_or_else(
                || stamp.correlation_id.clone(),
                |current| current.correlation_id.clone(),
            ),
            head: current
                .map(|current| current.head.clone())
                .unwrap_or_default(),
        };
        let changed = next.changed_from(current);
        match current {
            Some(current) if changed.is_empty() => {
                Ok(Decision::Replayed(Change::silent(current.clone())))
            }
            Some(_) | None => {
                let event = NewEvent {
                    event_type: EventType::Update,
                    action: "settings_updated",
                    resource_type: RESOURCE_TYPE,
                    resource_id: resource_id(company),
                    details: Map::from_iter([("changed".to_owned(), json!(changed))]),
                };
                Ok(Decision::Applied(Change::new(next, vec![event])))
            }
        }
    }

    /// Names of the fields that differ; all of them at first. Never their values: one is a secret.
    fn changed_from(&self, before: Option<&Self>) -> Vec<&'static str> {
        let differs =
            |same: fn(&Self, &Self) -> bool| before.is_none_or(|before| !same(self, before));
        let fields = [
            (
                "ivaCondition",
                differs(|a, b| a.iva_condition == b.iva_condition),
            ),
            ("address", differs(|a, b| a.address == b.address)),
            (
                "consumerIdThreshold",
                differs(|a, b| a.consumer_id_threshold == b.consumer_id_threshold),
            ),
            ("erp", differs(|a, b| a.erp == b.erp)),
            ("webhook", differs(|a, b| a.webhook == b.webhook)),
            ("simulation", differs(|a, b| a.simulation == b.simulation)),
        ];
        let changed = fields.into_iter().filter(|(_, changed)| *changed);
        changed.map(|(name, _)| name).collect()
    }
}

/// Amounts as minor units.
mod minor_units {
    use cierre_kernel::money::Money;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::rules::pesos;

    pub(super) fn serialize<S: Serializer>(
        money: &Money,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(money.minor())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Money, D::Error> {
        i64::deserialize(deserializer).map(pesos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(millis: i64) -> Stamp {
        Stamp {
            at: Instant::from_millis(millis),
            by: "ana".into(),
            correlation_id: CorrelationId::parse("c-1").unwrap(),
        }
    }

    fn put(
        current: Option<&BillingSettings>,
        draft: SettingsDraft,
    ) -> Result<Decision<Change<BillingSettings>>, SettingsRefusal> {
        BillingSettings::put(
            current,
            draft,
            &CompanyId::parse("demo").unwrap(),
            &stamp(2),
        )
    }

    fn draft() -> SettingsDraft {
        SettingsDraft::usual(IssuerCondition::ResponsableInscripto)
    }

    fn stored(draft: SettingsDraft) -> BillingSettings {
        put(None, draft).unwrap().into_inner().state
    }

    fn http(secret: Option<&str>) -> SettingsDraft {
        let erp = Erp {
            connector: Connector::Http,
            url: Some("https://erp.example/hook".into()),
            secret: secret.map(str::to_owned),
        };
        SettingsDraft { erp, ..draft() }
    }

    #[test]
    fn the_first_settings_are_version_one_and_name_every_field() {
        let Decision::Applied(change) = put(None, draft()).unwrap() else {
            panic!("not applied")
        };
        assert_eq!(change.state.version, 1);
        let event = &change.events[0];
        assert_eq!(
            (event.action, event.resource_id.as_str()),
            ("settings_updated", "demo/billing")
        );
        assert_eq!(event.details["changed"].as_array().unwrap().len(), 6);
    }

    #[test]
    fn a_change_names_the_changed_fields_and_not_their_values() {
        let before = stored(http(Some("a-secret-of-some-length")));
        let Decision::Applied(change) =
            put(Some(&before), http(Some("another-secret-of-it"))).unwrap()
        else {
            panic!("not applied")
        };
        assert_eq!(change.state.version, 2);
        assert_eq!(
            serde_json::to_string(&change.events[0].details).unwrap(),
            r#"{"changed":["erp"]}"#
        );
    }

    #[test]
    fn the_same_settings_again_are_a_replay() {
        let before = stored(http(Some("a-secret-of-some-length")));
        for again in [http(Some("a-secret-of-some-length")), http(None)] {
            let decision = put(Some(&before), again).unwrap();
            assert!(decision.is_replayed());
            assert_eq!(decision.into_inner().state, before);
        }
    }

    #[test]
    fn the_http_connector_needs_a_secret_and_the_simulator_forgets_it() {
        assert_eq!(
            put(None, http(None)).unwrap_err(),
            SettingsRefusal::SecretMissing
        );
        let before = stored(http(Some("a-secret-of-some-length")));
        let simulated = put(Some(&before), draft()).unwrap().into_inner().state;
        assert_eq!(simulated.erp.secret, None);
        assert_eq!(
            put(Some(&simulated), http(None)).unwrap_err(),
            SettingsRefusal::SecretMissing
        );
    }

    fn told(url: &str, secret: Option<&str>) -> SettingsDraft {
        let webhook = WebhookDraft {
            url: url.into(),
            secret: secret.map(str::to_owned),
        };
        SettingsDraft {
            webhook: Some(webhook),
            ..draft()
        }
    }

    #[test]
    fn a_webhook_needs_a_secret_once_and_forgets_it_with_its_address() {
        let nowhere = put(None, told("https://a.example", None));
        assert_eq!(nowhere.unwrap_err(), SettingsRefusal::WebhookSecretMissing);
        let before = stored(told("https://a.example", Some("a-secret-of-some-length")));
        let Decision::Applied(change) =
            put(Some(&before), told("https://b.example", None)).unwrap()
        else {
            panic!("not applied")
        };
        assert_eq!(
            serde_json::to_string(&change.events[0].details).unwrap(),
            r#"{"changed":["webhook"]}"#
        );
        let webhook = change.state.webhook.as_ref().unwrap();
        assert_eq!(webhook.url, "https://b.example");
        assert_eq!(webhook.secret, "a-secret-of-some-length");
        let without = put(Some(&change.state), draft()).unwrap();
        assert_eq!(without.into_inner().state.webhook, None);
    }

    #[test]
    fn settings_come_back_from_storage_as_they_went_in() {
        let settings = stored(SettingsDraft {
            webhook: told("https://a.example", Some("a-secret-of-some-length")).webhook,
            ..http(Some("a-secret-of-some-length"))
        });
        let item: cierre_platform::db::Item = serde_dynamo::to_item(&settings).unwrap();
        assert_eq!(
            cierre_platform::db::read_item::<BillingSettings>(item).unwrap(),
            settings
        );
    }

    #[test]
    fn the_secret_is_not_printed() {
        let erp = http(Some("a-secret-of-some-length"));
        let webhook = told("https://a.example", Some("a-secret-of-some-length"));
        for draft in [erp, webhook] {
            assert!(!format!("{draft:?}").contains("a-secret"));
            assert!(!format!("{:?}", stored(draft)).contains("a-secret"));
        }
    }
}
