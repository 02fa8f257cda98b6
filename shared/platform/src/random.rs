//! The only place that draws randomness. Everything else takes it as an argument.

use cierre_kernel::time::Instant;
use ulid::Ulid;

use crate::error::{Doing, Failure};

/// A ULID of the given moment with 80 random bits.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn ulid(at: Instant) -> Result<Ulid, Failure> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).doing("drawing random bytes")?;
    Ok(Ulid::from_parts(
        u64::try_from(at.as_millis()).unwrap_or_default(),
        u128::from_be_bytes(bytes),
    ))
}

/// A number below `bound`, for jitter in retries; zero when there is no randomness, which only makes retries less spread.
pub fn below(bound: u64) -> u64 {
    let mut bytes = [0_u8; 8];
    if getrandom::fill(&mut bytes).is_err() || bound == 0 {
        return 0;
    }
    u64::from_be_bytes(bytes) % bound
}
