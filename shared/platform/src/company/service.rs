//! Reading and replacing the settings.

use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::decision::Decision;
use cierre_kernel::problem::Problem;

use super::entity::{By, CompanySettings, SettingsDraft, Update, put};
use super::repo;
use crate::activity;
use crate::context::Context;
use crate::db::{CommitError, Db, Tx};
use crate::error::Result;
use crate::http::IfMatch;

/// How often a change is decided anew after losing against another one.
const TRIES: u32 = 4;

/// The settings of a company.
///
/// # Errors
/// 404 `not_found` before they are first set.
pub async fn settings(db: &Db, company: &CompanyId) -> Result<CompanySettings> {
    let missing = || Problem::new(codes::NOT_FOUND).detail("The company has no settings yet");
    Ok(repo::load(db, company).await?.ok_or_else(missing)?)
}

/// Replaces the settings of the caller's company.
///
/// # Errors
/// 412 `version_mismatch`, 409 `fiscal_identity_locked`, 409 `concurrent_change`.
pub async fn put_settings(
    db: &Db,
    context: &Context,
    if_match: &IfMatch,
    draft: &SettingsDraft,
) -> Result<CompanySettings> {
    let company = &context.company;
    let by = By {
        company,
        actor: &context.actor,
        correlation_id: &context.correlation_id,
        now: context.now,
    };
    for _ in 0..TRIES {
        let current = repo::load(db, company).await?;
        if_match.check(current.as_ref().map(|current| current.version))?;
        let Update {
            mut settings,
            event,
        } = match put(current, draft.clone(), by)? {
            Decision::Replayed(update) => return Ok(update.settings),
            Decision::Applied(update) => update,
        };
        let mut tx = Tx::new();
        settings.head = activity::append(&mut tx, context, event, &settings.head)?;
        repo::store(&mut tx, company, &settings)?;
        match db.commit(&tx).await {
            Ok(()) => return Ok(settings),
            Err(CommitError::Refused(_)) => {}
            Err(CommitError::Contended) => break,
            Err(CommitError::Failed(failure)) => return Err(failure.into()),
        }
    }
    Err(Problem::new(codes::CONCURRENT_CHANGE).retry_after(1).into())
}
