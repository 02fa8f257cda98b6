//! The settings and the one decision about them. Pure.

use std::collections::BTreeSet;

use cierre_kernel::actor::Actor;
use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::decision::Decision;
use cierre_kernel::event::{ChainHead, EventType, NewEvent};
use cierre_kernel::money::Currency;
use cierre_kernel::problem::Problem;
use cierre_kernel::time::{Date, Instant, TimeZone};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::RESOURCE_TYPE;
use crate::error::{Doing, Failure, Result};

/// What an administrator decides on. Also the stored and the wire form of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsDraft {
    /// The company's name, as printed on documents.
    pub name: String,
    /// CUIT, RUT or NIT, as written; domains that need one of them check it.
    pub tax_id: Option<String>,
    /// The currency of the books.
    pub currency: Currency,
    /// The language and region of texts and formats, such as `es-AR`.
    pub locale: String,
    /// The zone of "today", of weekends and of nights.
    pub time_zone: TimeZone,
    /// Days without work besides weekends.
    pub holidays: BTreeSet<Date>,
    /// Networks that the company calls its own.
    pub trusted_cidrs: BTreeSet<IpNet>,
}

impl SettingsDraft {
    /// Names of the fields that differ.
    fn changed_from(&self, before: Option<&Self>) -> Result<Vec<String>, Failure> {
        let fields = |draft: &Self| match serde_json::to_value(draft).doing("comparing settings")? {
            Value::Object(fields) => Ok(fields),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Err(Failure::message("settings are not an object")),
        };
        let before = before.map_or_else(|| Ok(Map::new()), fields)?;
        let after = fields(self)?;
        Ok(after
            .into_iter()
            .filter(|(name, value)| before.get(name) != Some(value))
            .map(|(name, _)| name)
            .collect())
    }

    /// The tax number without the signs that people write into it.
    fn tax_number(&self) -> Option<String> {
        let significant = |c: &char| c.is_alphanumeric();
        self.tax_id.as_ref().map(|text| {
            text.chars()
                .filter(significant)
                .flat_map(char::to_uppercase)
                .collect()
        })
    }
}

/// A company's settings as they stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompanySettings {
    /// The settings themselves.
    pub settings: SettingsDraft,
    /// Grows by one with every change.
    pub version: u64,
    /// Set for good by the first number that a receipt book commits; see [`super::FISCAL_LOCK`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fiscal_lock: bool,
    /// Head of the chain of events about these settings.
    pub head: ChainHead,
    /// When they were first set.
    pub created_at: Instant,
    /// By whom.
    pub created_by: String,
    /// When they last changed.
    pub updated_at: Instant,
    /// By whom.
    pub updated_by: String,
    /// Of the command that changed them last.
    pub correlation_id: CorrelationId,
}

/// New settings and the event that reports them.
#[derive(Clone, Debug)]
pub(super) struct Update {
    pub(super) settings: CompanySettings,
    pub(super) event: NewEvent,
}

/// Who changes what, when.
#[derive(Clone, Copy, Debug)]
pub(super) struct By<'a> {
    pub(super) company: &'a CompanyId,
    pub(super) actor: &'a Actor,
    pub(super) correlation_id: &'a CorrelationId,
    pub(super) now: Instant,
}

/// Replaces the settings. The same settings again are a replay: no new version, no event.
pub(super) fn put(
    current: Option<CompanySettings>,
    draft: SettingsDraft,
    by: By<'_>,
) -> Result<Decision<Update>> {
    let changed = draft.changed_from(current.as_ref().map(|current| &current.settings))?;
    let details = Map::from_iter([("changed".to_owned(), json!(changed))]);
    let event = NewEvent {
        event_type: EventType::Update,
        action: "settings_updated",
        resource_type: RESOURCE_TYPE,
        resource_id: by.company.to_string(),
        details,
    };
    let Some(current) = current else {
        let settings = CompanySettings {
            settings: draft,
            version: 1,
            fiscal_lock: false,
            head: ChainHead::default(),
            created_at: by.now,
            created_by: by.actor.user.clone(),
            updated_at: by.now,
            updated_by: by.actor.user.clone(),
            correlation_id: by.correlation_id.clone(),
        };
        return Ok(Decision::Applied(Update { settings, event }));
    };
    if changed.is_empty() {
        return Ok(Decision::Replayed(Update {
            settings: current,
            event,
        }));
    }
    if current.fiscal_lock && draft.tax_number() != current.settings.tax_number() {
        let detail = "Documents were issued under this tax number, so it cannot change any more";
        return Err(Problem::new(codes::FISCAL_IDENTITY_LOCKED)
            .detail(detail)
            .into());
    }
    let settings = CompanySettings {
        settings: draft,
        version: current.version + 1,
        updated_at: by.now,
        updated_by: by.actor.user.clone(),
        correlation_id: by.correlation_id.clone(),
        ..current
    };
    Ok(Decision::Applied(Update { settings, event }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn draft() -> SettingsDraft {
        SettingsDraft {
            name: "Demo Logística".into(),
            tax_id: Some("30-71234567-1".into()),
            currency: Currency::Ars,
            locale: "es-AR".into(),
            time_zone: TimeZone::parse("America/Argentina/Buenos_Aires").unwrap(),
            holidays: BTreeSet::new(),
            trusted_cidrs: BTreeSet::new(),
        }
    }

    fn decide(current: Option<CompanySettings>, draft: SettingsDraft) -> Result<Decision<Update>> {
        let company = CompanyId::parse("demo").unwrap();
        let actor = Actor {
            user_id: "sub".into(),
            user: "ana".into(),
        };
        let correlation_id = CorrelationId::parse("c-1").unwrap();
        let now = Instant::from_millis(1_769_860_800_000);
        put(
            current,
            draft,
            By {
                company: &company,
                actor: &actor,
                correlation_id: &correlation_id,
                now,
            },
        )
    }

    fn stored() -> CompanySettings {
        decide(None, draft()).unwrap().into_inner().settings
    }

    #[test]
    fn the_first_settings_are_version_one_and_name_every_field_as_changed() {
        let Decision::Applied(update) = decide(None, draft()).unwrap() else {
            panic!("not applied")
        };
        assert_eq!(update.settings.version, 1);
        assert_eq!(update.event.details["changed"].as_array().unwrap().len(), 7);
        assert_eq!(
            (update.event.action, update.event.resource_id.as_str()),
            ("settings_updated", "demo")
        );
    }

    #[test]
    fn a_change_names_the_changed_fields_and_not_their_values() {
        let next = SettingsDraft {
            name: "Otro".into(),
            locale: "es-CL".into(),
            ..draft()
        };
        let Decision::Applied(update) = decide(Some(stored()), next).unwrap() else {
            panic!("not applied")
        };
        assert_eq!(update.settings.version, 2);
        assert_eq!(
            update.event.details,
            json!({ "changed": ["locale", "name"] })
                .as_object()
                .unwrap()
                .clone()
        );
    }

    #[test]
    fn the_same_settings_again_are_a_replay() {
        let Decision::Replayed(update) = decide(Some(stored()), draft()).unwrap() else {
            panic!("not a replay")
        };
        assert_eq!(update.settings, stored());
    }

    #[test]
    fn a_locked_tax_number_may_be_spelled_anew_but_not_changed() {
        let locked = CompanySettings {
            fiscal_lock: true,
            ..stored()
        };
        let spelled = SettingsDraft {
            tax_id: Some("30712345671".into()),
            ..draft()
        };
        assert!(decide(Some(locked.clone()), spelled).is_ok());
        for tax_id in [None, Some("30-71234567-2".to_owned())] {
            let error =
                decide(Some(locked.clone()), SettingsDraft { tax_id, ..draft() }).unwrap_err();
            assert!(
                matches!(error, Error::Refused(problem) if problem.code == codes::FISCAL_IDENTITY_LOCKED)
            );
        }
        let renamed = SettingsDraft {
            name: "Otro".into(),
            ..draft()
        };
        assert!(
            decide(Some(locked), renamed)
                .unwrap()
                .into_inner()
                .settings
                .fiscal_lock
        );
    }

    #[test]
    fn an_unlocked_tax_number_may_change() {
        assert!(
            decide(
                Some(stored()),
                SettingsDraft {
                    tax_id: None,
                    ..draft()
                }
            )
            .is_ok()
        );
    }

    #[test]
    fn settings_come_back_from_storage_as_they_went_in() {
        let holidays = BTreeSet::from([Date::constant(2026, 5, 25)]);
        let trusted_cidrs = BTreeSet::from([
            "10.0.0.0/8".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ]);
        let settings = CompanySettings {
            settings: SettingsDraft {
                holidays,
                trusted_cidrs,
                ..draft()
            },
            ..stored()
        };
        let item: crate::db::Item = serde_dynamo::to_item(&settings).unwrap();
        assert!(
            !item.contains_key("fiscalLock"),
            "the lock is absent until it is set"
        );
        assert_eq!(
            crate::db::read_item::<CompanySettings>(item).unwrap(),
            settings
        );
    }
}
