//! Files that people download: by a signed address, without a token, for five minutes.

use std::time::Duration;

use cierre_kernel::time::Instant;
use cierre_platform::{Failure, Result};

use super::views::Descarga;
use crate::worker::Payroll;

/// How long an address is good.
const LIFE: Duration = Duration::from_secs(5 * 60);

/// The address of an object; none when there is no such object.
pub(super) async fn descarga(
    payroll: &Payroll,
    key: &str,
    nombre: String,
    now: Instant,
) -> Result<Option<Descarga>> {
    let Some(meta) = payroll.objects.head(key, None).await? else {
        return Ok(None);
    };
    let no_digest = || Failure::message("an object of ours has no digest");
    let sha256 = meta.sha256.ok_or_else(no_digest)?;
    let signed = payroll.objects.sign_get(key, &nombre, LIFE).await?;
    let seconds = i64::try_from(LIFE.as_secs()).unwrap_or(i64::MAX);
    Ok(Some(Descarga {
        url: signed.url,
        nombre,
        bytes: meta.bytes,
        sha256,
        expires_at: now.plus_seconds(seconds),
    }))
}
