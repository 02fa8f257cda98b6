//! Billing settings as they are shown.

use cierre_kernel::money::Money;
use cierre_kernel::time::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use super::entity::BillingSettings;

/// The billing settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BillingSettingsView {
    /// `RESPONSABLE_INSCRIPTO`, `MONOTRIBUTO` or `EXENTO`.
    pub iva_condition: &'static str,
    /// Printed on documents.
    pub address: Option<String>,
    /// From which amount on a consumer must be identified.
    #[schema(value_type = String, example = "10000000.00")]
    pub consumer_id_threshold: Money,
    /// How the ERP is reached.
    pub erp: ErpView,
    /// Where the company is told of its finished batches, if anywhere.
    pub webhook: Option<WebhookView>,
    /// How the simulators behave.
    pub simulation: SimulationView,
    /// When they were first set.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
    /// By whom.
    pub created_by: String,
    /// When they last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Instant,
    /// Counts the changes, from 1; also the `ETag`.
    pub version: u64,
    /// Of the command that made them.
    pub correlation_id: String,
}

/// How the ERP is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErpView {
    /// `simulated` or `http`.
    pub connector: &'static str,
    /// Where to.
    pub url: Option<String>,
    /// Whether a secret is known; it is never shown.
    pub has_secret: bool,
}

/// Where the company is told of its finished batches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookView {
    /// Where to.
    pub url: String,
    /// Always true; the secret itself is never shown.
    pub has_secret: bool,
}

/// How the simulators behave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SimulationView {
    /// Chunks that the simulated ERP accepts, in percent.
    pub erp_success_rate: u8,
    /// First answers of the simulated tax authority that are lost, in percent.
    pub cae_lost_answer_rate: u8,
}

/// Shows the settings.
pub fn view(settings: &BillingSettings) -> BillingSettingsView {
    BillingSettingsView {
        iva_condition: settings.iva_condition.as_str(),
        address: settings.address.clone(),
        consumer_id_threshold: settings.consumer_id_threshold,
        erp: ErpView {
            connector: settings.erp.connector.as_str(),
            url: settings.erp.url.clone(),
            has_secret: settings.erp.secret.is_some(),
        },
        webhook: settings.webhook.as_ref().map(|webhook| WebhookView {
            url: webhook.url.clone(),
            has_secret: true,
        }),
        simulation: SimulationView {
            erp_success_rate: settings.simulation.erp_success_rate,
            cae_lost_answer_rate: settings.simulation.cae_lost_answer_rate,
        },
        created_at: settings.created_at,
        created_by: settings.created_by.clone(),
        updated_at: settings.updated_at,
        version: settings.version,
        correlation_id: settings.correlation_id.to_string(),
    }
}

/// The whole document; what is left out is as usual.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "ivaCondition": "RESPONSABLE_INSCRIPTO", "address": "Av. Corrientes 1234, Buenos Aires", "consumerIdThreshold": "10000000.00",
    "erp": {"connector": "simulated"}, "webhook": {"url": "https://hooks.example.com/cierre", "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"},
    "simulation": {"erpSuccessRate": 90, "caeLostAnswerRate": 0}
}))]
pub struct BillingSettingsBody {
    /// `RESPONSABLE_INSCRIPTO`, `MONOTRIBUTO` or `EXENTO`.
    pub iva_condition: String,
    /// Printed on documents.
    #[schema(max_length = 300)]
    pub address: Option<String>,
    /// From which amount on a consumer must be identified.
    #[schema(default = "10000000.00")]
    pub consumer_id_threshold: Option<String>,
    /// How the ERP is reached.
    pub erp: Option<ErpBody>,
    /// Where the company is to be told of its finished batches. Left out, nowhere.
    pub webhook: Option<WebhookBody>,
    /// How the simulators behave.
    pub simulation: Option<SimulationBody>,
}

/// How the ERP is to be reached.
#[derive(Debug, ToSchema)]
pub struct ErpBody {
    /// `simulated` or `http`.
    pub connector: String,
    /// An https address on the public network; required for `http`.
    pub url: Option<String>,
    /// Signs the requests. Left out, the known one stays.
    #[schema(min_length = 16, max_length = 200)]
    pub secret: Option<String>,
}

/// Where the company is to be told of its finished batches.
#[derive(Debug, ToSchema)]
pub struct WebhookBody {
    /// An https address on the public network.
    pub url: String,
    /// Signs the requests, as Standard Webhooks say. Left out, the known one stays.
    #[schema(min_length = 16, max_length = 200)]
    pub secret: Option<String>,
}

/// How the simulators are to behave, in percent.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct SimulationBody {
    /// Chunks that the simulated ERP accepts.
    #[schema(minimum = 0, maximum = 100, default = 90)]
    pub erp_success_rate: Option<u8>,
    /// First answers of the simulated tax authority that are lost.
    #[schema(minimum = 0, maximum = 100, default = 0)]
    pub cae_lost_answer_rate: Option<u8>,
}
