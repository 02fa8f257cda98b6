//! What can be done with the billing settings.

use cierre_kernel::codes;
use cierre_kernel::decision::Decision;
use cierre_kernel::problem::Problem;
use cierre_platform::db::{Condition, Db, Tx};
use cierre_platform::http::IfMatch;
use cierre_platform::idempotency::Answer;
use cierre_platform::{Context, Failure, Result};

use super::entity::{BillingSettings, SettingsDraft, SettingsRefusal};
use super::views::view;
use crate::command::{Planned, chain, run, stamp};
use crate::entity::Change;
use crate::table;

/// Reads the settings.
///
/// # Errors
/// 404 before they were set for the first time.
pub async fn find(db: &Db, context: &Context) -> Result<BillingSettings> {
    let found: Option<BillingSettings> = db.get(&table::billing_settings(&context.company)).await?;
    Ok(found.ok_or_else(|| Problem::new(codes::NOT_FOUND))?)
}

/// Replaces the settings.
///
/// # Errors
/// 412; 422 when the HTTP connector or the webhook has no secret.
pub async fn put(
    db: &Db,
    context: &Context,
    draft: SettingsDraft,
    if_match: &IfMatch,
) -> Result<Answer> {
    let key = table::billing_settings(&context.company);
    run(db, context, None, std::slice::from_ref(&key), |loaded| {
        let current: Option<BillingSettings> = loaded.read(&key)?;
        let version = current.as_ref().map(|current| current.version);
        if_match.check(version)?;
        let (company, stamp) = (&context.company, stamp(context));
        let decided = BillingSettings::put(current.as_ref(), draft.clone(), company, &stamp);
        let (tx, settings) = match decided.map_err(refused)? {
            Decision::Applied(change) => written(context, change, version)?,
            Decision::Replayed(change) => (Tx::new(), change.state),
        };
        let answer = Answer::ok(&view(&settings))?.versioned(settings.version);
        Ok(Planned { tx, answer })
    })
    .await
}

fn refused(refusal: SettingsRefusal) -> Problem {
    match refusal {
        SettingsRefusal::SecretMissing => {
            Problem::field("/erp/secret", codes::REQUIRED, refusal.to_string())
        }
        SettingsRefusal::WebhookSecretMissing => {
            Problem::field("/webhook/secret", codes::REQUIRED, refusal.to_string())
        }
    }
}

fn written(
    context: &Context,
    change: Change<BillingSettings>,
    read: Option<u64>,
) -> Result<(Tx, BillingSettings), Failure> {
    let Change {
        state: mut settings,
        events,
    } = change;
    let mut tx = Tx::new();
    for event in events {
        chain(&mut tx, context, event, Some(&mut settings.head))?;
    }
    let condition = read.map_or_else(Condition::absent, Condition::version);
    tx.put(
        table::billing_settings(&context.company),
        &settings,
        condition,
    )?;
    Ok((tx, settings))
}
