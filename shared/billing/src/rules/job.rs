//! Jobs: their ids, their progress, their waits, and the order of what they make.

use cierre_kernel::id::{BatchId, PendingId};
use cierre_kernel::time::Date;

use super::MAX_ATTEMPTS;

/// The share of progress that stage 1, and then stage 2, make up.
const CLAIMING: u64 = 45;
const STAGING: u64 = 50;

/// The id of a batch's job; the first is run 0, each retry is one more.
pub fn job_id(batch: BatchId, run: u32) -> String {
    match run {
        0 => format!("batch-{batch}"),
        retry => format!("batch-{batch}-retry-{retry}"),
    }
}

/// The batch and the run that a job's id names.
pub fn parse_job_id(text: &str) -> Option<(BatchId, u32)> {
    let rest = text.strip_prefix("batch-")?;
    let (batch, run) = match rest.split_once("-retry-") {
        Some((batch, run)) => (batch, run.parse().ok()?),
        None => (rest, 0),
    };
    let batch: BatchId = batch.parse().ok()?;
    // One spelling only: no leading zeros, no `-retry-0`.
    (job_id(batch, run) == text).then_some((batch, run))
}

/// Progress while pendings are claimed: ⌊45 · done / requested⌋.
pub fn claim_progress(done: u32, requested: u32) -> u8 {
    share(CLAIMING, done, requested)
}

/// Progress while documents are staged: 45 + ⌊50 · staged / k⌋.
pub fn stage_progress(staged: u32, valid: u32) -> u8 {
    share(CLAIMING, 1, 1) + share(STAGING, staged, valid)
}

/// ⌊of · done / total⌋, never above `of`; nothing to do is all done.
fn share(of: u64, done: u32, total: u32) -> u8 {
    let share = (of * u64::from(done))
        .checked_div(u64::from(total))
        .map_or(of, |share| share.min(of));
    // At most 50.
    u8::try_from(share).unwrap_or(0)
}

/// Seconds to wait after so many failed attempts: 2, 4, 8.
pub const fn backoff_seconds(failed_attempts: u32) -> u32 {
    match failed_attempts {
        0 | 1 => 2,
        2 => 4,
        MAX_ATTEMPTS.. => 8,
    }
}

/// What documents of one batch are ordered by, and numbered in the order of.
pub const fn document_order(service_date: Date, pending: PendingId) -> (Date, PendingId) {
    (service_date, pending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_kernel::time::parse_date;
    use proptest::prelude::*;
    use rstest::rstest;
    use ulid::Ulid;

    const BATCH: &str = "bat_01JD0000000000000000000001";

    #[rstest]
    #[case(0, "batch-bat_01JD0000000000000000000001")]
    #[case(1, "batch-bat_01JD0000000000000000000001-retry-1")]
    #[case(12, "batch-bat_01JD0000000000000000000001-retry-12")]
    fn a_job_is_named_after_its_batch_and_retry(#[case] run: u32, #[case] id: &str) {
        let batch = BATCH.parse().unwrap();
        assert_eq!(job_id(batch, run), id);
        assert_eq!(parse_job_id(id), Some((batch, run)));
    }

    #[rstest]
    #[case("batch-")]
    #[case("bat_01JD0000000000000000000001")]
    #[case("batch-bat_01JD0000000000000000000001-retry-0")]
    #[case("batch-bat_01JD0000000000000000000001-retry-01")]
    #[case("batch-bat_01JD0000000000000000000001-retry-")]
    #[case("batch-svc_01JD0000000000000000000001")]
    fn other_texts_name_no_job(#[case] text: &str) {
        assert_eq!(parse_job_id(text), None);
    }

    #[rstest]
    #[case(0, 3, 0)]
    #[case(1, 3, 15)]
    #[case(2, 3, 30)]
    #[case(3, 3, 45)]
    #[case(1, 100_000, 0)]
    #[case(99_999, 100_000, 44)]
    #[case(0, 0, 45)]
    fn progress_while_claiming(#[case] done: u32, #[case] requested: u32, #[case] percent: u8) {
        assert_eq!(claim_progress(done, requested), percent);
    }

    #[rstest]
    #[case(0, 3, 45)]
    #[case(1, 3, 61)]
    #[case(2, 3, 78)]
    #[case(3, 3, 95)]
    #[case(99_999, 100_000, 94)]
    fn progress_while_staging(#[case] staged: u32, #[case] valid: u32, #[case] percent: u8) {
        assert_eq!(stage_progress(staged, valid), percent);
    }

    #[rstest]
    #[case(1, 2)]
    #[case(2, 4)]
    #[case(3, 8)]
    #[case(7, 8)]
    fn waits_double(#[case] failed: u32, #[case] seconds: u32) {
        assert_eq!(backoff_seconds(failed), seconds);
    }

    #[test]
    fn documents_are_ordered_by_date_then_pending() {
        let day = |d: &str| parse_date(d).unwrap();
        let pending = |n| PendingId::new(Ulid(n));
        let mut documents = [
            (day("2024-01-10"), pending(1)),
            (day("2024-01-05"), pending(9)),
            (day("2024-01-05"), pending(2)),
        ];
        documents.sort_by_key(|(date, id)| document_order(*date, *id));
        assert_eq!(documents.map(|(_, id)| id.ulid().0), [2, 9, 1]);
    }

    proptest! {
        #[test]
        fn progress_never_falls_and_reaches_100_only_at_the_commit(
            requested in 1_u32..=100_000, a in 0_u32..=100_000, b in 0_u32..=100_000,
        ) {
            let (a, b) = (a.min(b).min(requested), a.max(b).min(requested));
            prop_assert!(claim_progress(a, requested) <= claim_progress(b, requested));
            prop_assert!(claim_progress(b, requested) <= stage_progress(0, requested));
            prop_assert!(stage_progress(a, requested) <= stage_progress(b, requested));
            prop_assert!(stage_progress(b, requested) < 100);
        }

        #[test]
        fn figures_out_of_order_stay_within_the_stage(done: u32, total: u32) {
            prop_assert!(claim_progress(done, total) <= 45);
            prop_assert!((45..=95).contains(&stage_progress(done, total)));
        }
    }
}
