//! The only place that reads the clock. Everything else takes the time as an argument.

use cierre_kernel::time::Instant;

/// The present moment, for triggers that carry no time of their own (queue messages, streams).
pub fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one door to the clock"
    )]
    let stamp = jiff::Timestamp::now();
    Instant::from_millis(stamp.as_millisecond())
}

/// How long until a moment given in milliseconds since 1970, such as a function's deadline; zero when it has passed.
pub fn until(millis: u64) -> std::time::Duration {
    let now = u64::try_from(now().as_millis()).unwrap_or_default();
    std::time::Duration::from_millis(millis.saturating_sub(now))
}
