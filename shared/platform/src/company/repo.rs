//! Where the settings live.

use cierre_kernel::company::CompanyId;
use cierre_kernel::time::TimeZone;

use super::entity::CompanySettings;
use crate::db::{Condition, Db, Key, Loaded, Table, Tx};
use crate::error::{Doing, Failure};

/// The company table.
pub const TABLE: Table = Table::new("COMPANY_TABLE");

/// The attribute that the first committed number sets to true in its own transaction. It does not move the version: whoever issues documents
/// must not lose against whoever edits holidays.
pub const FISCAL_LOCK: &str = "fiscalLock";

/// The key of a company's settings.
pub fn settings_key(company: &CompanyId) -> Key {
    Key::new(TABLE, company.as_str(), "settings")
}

/// The company's time zone; UTC for one that has set none yet. Its settings are among what was loaded.
///
/// # Errors
/// When the settings cannot be read.
pub fn zone(loaded: &Loaded, company: &CompanyId) -> Result<TimeZone, Failure> {
    let known: Option<CompanySettings> = loaded.read(&settings_key(company))?;
    match known {
        Some(known) => Ok(known.settings.time_zone),
        None => TimeZone::parse("UTC").doing("reading the zone of a company without one"),
    }
}

/// Reads the settings strongly.
pub(super) async fn load(db: &Db, company: &CompanyId) -> Result<Option<CompanySettings>, Failure> {
    db.get(&settings_key(company)).await
}

/// Writes the settings, on condition that they and their fiscal lock still stand as they were read.
///
/// ```text
/// t0  PUT reads: unlocked, tax number may change
/// t1                                   a receipt book commits its first number and locks
/// t2  PUT commits: the lock it did not see refuses it; it reads again and refuses the new tax number
/// ```
pub(super) fn store(
    tx: &mut Tx,
    company: &CompanyId,
    settings: &CompanySettings,
) -> Result<usize, Failure> {
    let unchanged = match settings.version {
        0 | 1 => Condition::absent(),
        version if settings.fiscal_lock => Condition::version(version - 1).exists(FISCAL_LOCK),
        version => Condition::version(version - 1).missing(FISCAL_LOCK),
    };
    tx.put(settings_key(company), settings, unchanged)
}
