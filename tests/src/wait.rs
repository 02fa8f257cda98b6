//! Waiting for what follows within some time, never for a fixed time.

use std::time::{Duration, Instant};

/// Time within which counters and lists follow a change; the contract allows ten seconds, a loaded machine gets more.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(800);

/// Asks until there is an answer. Panics with `what` when there is none within the usual time.
pub async fn eventually<T, F>(what: &str, ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    within(FOLLOWS_WITHIN, what, ask).await
}

/// Asks until there is an answer. Panics with `what` when there is none before the deadline.
pub async fn within<T, F>(limit: Duration, what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    // The harness measures real time on purpose: a test that hangs must end.
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
