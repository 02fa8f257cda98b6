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
