//! The state table, row by row, and what holds after any sequence of moves.

mod sequences;

use cierre_kernel::codes;
use cierre_kernel::decision::Decision;
use cierre_kernel::problem::{FieldError, Problem};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::entity::fixtures::{actions, at, stamp, state};
use crate::entity::{Change, Decided};
use crate::error::SyncRefusal;

const SYNC: &str = "syn_00000000000000000000000005";
const OTHER: &str = "syn_00000000000000000000000006";
const BATCH: &str = "bat_01JD00000000000000000000XX";
const INVOICE: &str = "inv_00000000000000000000000001";
const DIGEST: &str = "2172ca84bcf9efcb72399d2919be65df769a040c6c8672578abb6e7f5de4ff24";

fn new(invoice_count: u32) -> NewSync {
    NewSync {
        id: SYNC.parse().unwrap(),
        source: SyncSource::Batch(BATCH.parse().unwrap()),
        invoice_count,
        total_amount: 465_050,
        digest: DIGEST.into(),
        refused_count: 0,
        refused: Vec::new(),
    }
}

/// Three parts to be sent.
fn pending() -> ErpSync {
    ErpSync::created(new(1_001), None, &stamp()).unwrap().state
}

/// An attempt at part 0 is under way.
fn sending() -> ErpSync {
    state(pending().attempt_begun(false, at(1)))
}

/// Two of three parts are accepted.
fn partly() -> ErpSync {
    let one = state(sending().chunk_accepted(0, at(2)));
    state(state(one.attempt_begun(false, at(3))).chunk_accepted(1, at(4)))
}

fn sent() -> ErpSync {
    state(partly().chunk_accepted(2, at(5)))
}

fn confirmed() -> ErpSync {
    state(sent().confirmed(DIGEST, at(6)))
}

/// Nothing was accepted before.
fn failed() -> ErpSync {
    state(sending().failed(&refused_by_erp(0), at(6)))
}

fn cancelled() -> ErpSync {
    state(sent().cancelled("wrong period", at(6)))
}

fn taken_back() -> ErpSync {
    state(cancelled().compensated(at(7)))
}

fn refused_by_erp(chunk: u32) -> SyncFailure {
    SyncFailure::ErpRefused {
        chunk,
        chunks: 3,
        reason: "it answered with status 422".into(),
    }
}

fn busy() -> AttemptError {
    AttemptError {
        code: codes::ERP_REFUSED,
        message: "it answered with status 429".into(),
        in_doubt: false,
    }
}

fn silent() -> AttemptError {
    AttemptError {
        code: codes::ERP_REFUSED,
        message: "it did not answer in time".into(),
        in_doubt: true,
    }
}

/// Applied and where it leads, replayed, or refused with its code.
#[derive(Debug, PartialEq, Eq)]
enum Is {
    To(SyncStatus, Compensation),
    Same,
    Refused(&'static str),
}

fn is(sync: &ErpSync, decided: Decided<ErpSync, SyncRefusal>) -> Is {
    match decided {
        Ok(Decision::Applied(change)) => {
            assert_eq!(change.state.version, sync.version + 1);
            assert_eq!(change.state.updated_at, at(9));
            Is::To(change.state.status, change.state.compensation)
        }
        Ok(Decision::Replayed(change)) => {
            assert_eq!(change, Change::silent(sync.clone()));
            Is::Same
        }
        Err(refusal) => Is::Refused(refusal.code().as_str()),
    }
}

const SENT: Is = Is::To(SyncStatus::Sent, Compensation::NotNeeded);
const CONFIRMED: Is = Is::To(SyncStatus::Confirmed, Compensation::NotNeeded);
const STILL_PENDING: Is = Is::To(SyncStatus::Pending, Compensation::NotNeeded);
const FAILED: Is = Is::To(SyncStatus::Failed, Compensation::NotNeeded);
const FAILED_AND_OWED: Is = Is::To(SyncStatus::Failed, Compensation::Pending);

#[rstest]
#[case::pending(partly(), SENT)]
#[case::sent(sent(), Is::Same)]
#[case::confirmed(confirmed(), Is::Same)]
#[case::failed(failed(), Is::Same)]
#[case::cancelled(cancelled(), Is::Same)]
#[case::taken_back(taken_back(), Is::Same)]
fn all_chunks_accepted(#[case] sync: ErpSync, #[case] expected: Is) {
    assert_eq!(is(&sync, sync.chunk_accepted(2, at(9))), expected);
}

#[rstest]
#[case::pending(pending(), FAILED)]
#[case::sending(sending(), FAILED)]
#[case::partly(partly(), FAILED_AND_OWED)]
#[case::sent(sent(), Is::Same)]
#[case::confirmed(confirmed(), Is::Same)]
#[case::failed(failed(), Is::Same)]
#[case::cancelled(cancelled(), Is::Same)]
#[case::taken_back(taken_back(), Is::Same)]
fn refused_for_good(#[case] sync: ErpSync, #[case] expected: Is) {
    assert_eq!(is(&sync, sync.failed(&refused_by_erp(0), at(9))), expected);
}

#[rstest]
#[case::pending(pending(), Is::Refused("sync_not_sent"), Is::Refused("sync_not_sent"))]
#[case::partly(partly(), Is::Refused("sync_not_sent"), Is::Refused("sync_not_sent"))]
#[case::sent(sent(), CONFIRMED, Is::Refused("digest_mismatch"))]
#[case::confirmed(
    confirmed(),
    Is::Refused("sync_confirmed"),
    Is::Refused("sync_confirmed")
)]
#[case::failed(failed(), Is::Refused("sync_failed"), Is::Refused("sync_failed"))]
#[case::cancelled(cancelled(), Is::Refused("sync_failed"), Is::Refused("sync_failed"))]
fn confirm(#[case] sync: ErpSync, #[case] same: Is, #[case] other: Is) {
    assert_eq!(is(&sync, sync.confirmed(DIGEST, at(9))), same);
    assert_eq!(is(&sync, sync.confirmed("another", at(9))), other);
}

#[rstest]
#[case::pending(pending(), Is::Refused("sync_not_sent"))]
#[case::partly(partly(), Is::Refused("sync_not_sent"))]
#[case::sent(sent(), FAILED_AND_OWED)]
#[case::confirmed(confirmed(), Is::Refused("sync_confirmed"))]
#[case::failed(failed(), Is::Refused("sync_failed"))]
#[case::cancelled(cancelled(), Is::Refused("sync_failed"))]
fn cancel(#[case] sync: ErpSync, #[case] expected: Is) {
    assert_eq!(is(&sync, sync.cancelled("wrong period", at(9))), expected);
}

#[rstest]
#[case::pending(pending(), STILL_PENDING)]
#[case::sending(sending(), Is::Same)]
#[case::partly(partly(), STILL_PENDING)]
#[case::sent(sent(), Is::Same)]
#[case::confirmed(confirmed(), Is::Same)]
#[case::failed(failed(), Is::Same)]
fn only_what_is_pending_is_attempted(#[case] sync: ErpSync, #[case] expected: Is) {
    assert_eq!(is(&sync, sync.attempt_begun(false, at(9))), expected);
}

#[rstest]
#[case::pending(pending(), STILL_PENDING)]
#[case::sending(sending(), STILL_PENDING)]
#[case::partly(partly(), STILL_PENDING)]
#[case::sent(sent(), Is::Same)]
#[case::confirmed(confirmed(), Is::Same)]
#[case::failed(failed(), Is::Same)]
fn only_what_is_pending_fails_an_attempt(#[case] sync: ErpSync, #[case] expected: Is) {
    assert_eq!(is(&sync, sync.attempt_failed(&busy(), at(9))), expected);
}

#[rstest]
#[case::pending(pending(), Is::Refused("concurrent_change"))]
#[case::sent(sent(), Is::Refused("concurrent_change"))]
#[case::confirmed(confirmed(), Is::Refused("concurrent_change"))]
#[case::failed(failed(), Is::Refused("concurrent_change"))]
#[case::cancelled(cancelled(), Is::To(SyncStatus::Failed, Compensation::Done))]
#[case::taken_back(taken_back(), Is::Same)]
fn only_what_is_owed_is_taken_back_and_only_once(#[case] sync: ErpSync, #[case] expected: Is) {
    assert_eq!(is(&sync, sync.compensated(at(9))), expected);
}

fn applied(decided: Decided<ErpSync, SyncRefusal>) -> Change<ErpSync> {
    let decision = decided.unwrap();
    assert!(!decision.is_replayed());
    decision.into_inner()
}

/// The one event of a change: type, action and details.
fn event_of(change: &Change<ErpSync>) -> (&'static str, &'static str, Value) {
    assert_eq!(change.events.len(), 1);
    let event = &change.events[0];
    assert_eq!(
        (event.resource_type, event.resource_id.as_str()),
        ("erp_sync", SYNC)
    );
    (
        event.event_type.as_str(),
        event.action,
        json!(event.details),
    )
}

#[test]
fn events_say_what_happened() {
    let created = ErpSync::created(new(1_001), None, &stamp()).unwrap();
    assert_eq!(
        event_of(&created),
        (
            "create",
            "sync_created",
            json!({ "invoiceCount": 1001, "totalAmount": "4650.50", "digest": DIGEST })
        )
    );
    let sent_now = applied(partly().chunk_accepted(2, at(9)));
    assert_eq!(
        event_of(&sent_now),
        ("process", "sync_sent", json!({ "chunks": 3 }))
    );
    let confirmed_now = applied(sent().confirmed(DIGEST, at(9)));
    assert_eq!(
        event_of(&confirmed_now),
        ("finalize", "sync_confirmed", json!({ "digest": DIGEST }))
    );
    let cancelled_now = applied(sent().cancelled("wrong period", at(9)));
    assert_eq!(
        event_of(&cancelled_now),
        (
            "update",
            "sync_cancelled",
            json!({ "reason": "wrong period" })
        )
    );
    let failed_now = applied(partly().failed(&refused_by_erp(2), at(9)));
    assert_eq!(
        event_of(&failed_now),
        (
            "error",
            "sync_failed",
            json!({ "errorCode": "erp_refused", "compensation": "PENDING" })
        )
    );
}

#[test]
fn what_moves_no_state_has_no_event() {
    let silent_moves = [
        pending().attempt_begun(false, at(9)),
        sending().attempt_begun(true, at(9)),
        sending().attempt_failed(&busy(), at(9)),
        sending().chunk_accepted(0, at(9)),
        cancelled().compensated(at(9)),
    ];
    for decided in silent_moves {
        assert_eq!(actions(&applied(decided)), [""; 0]);
    }
}

#[test]
fn a_sync_of_a_batch_or_of_ids_says_so() {
    let of_batch = pending();
    assert_eq!(
        (of_batch.batch_id, of_batch.invoice_ids),
        (Some(BATCH.parse().unwrap()), None)
    );
    let ids: Vec<DocumentId> = vec![INVOICE.parse().unwrap()];
    let asked = NewSync {
        source: SyncSource::Documents(ids.clone()),
        ..new(1)
    };
    let of_ids = ErpSync::created(asked, None, &stamp()).unwrap().state;
    assert_eq!((of_ids.batch_id, of_ids.invoice_ids), (None, Some(ids)));
}

#[rstest]
#[case(1, 1)]
#[case(500, 1)]
#[case(501, 2)]
#[case(100_000, 200)]
fn five_hundred_documents_are_a_part(#[case] documents: u32, #[case] chunks: u32) {
    let made = ErpSync::created(new(documents), None, &stamp()).unwrap();
    assert_eq!((made.state.chunks, made.state.sent_chunks), (chunks, 0));
}

#[test]
fn a_sync_of_nothing_or_of_other_documents_is_not_made() {
    assert_eq!(
        ErpSync::created(new(0), None, &stamp()),
        Err(SyncRefusal::NothingToSync)
    );
    assert_eq!(
        ErpSync::created(new(1), Some("another"), &stamp()),
        Err(SyncRefusal::DigestMismatch)
    );
    assert!(ErpSync::created(new(1), Some(DIGEST), &stamp()).is_ok());
}

#[test]
fn the_sync_lists_the_first_hundred_refused_documents() {
    let refused = RefusedDocument::new(INVOICE.parse().unwrap(), DocumentRefusal::CaePending);
    assert_eq!(
        serde_json::to_value(&refused).unwrap(),
        json!({ "id": INVOICE, "code": "cae_pending", "reason": "Invoice has no CAE yet" })
    );
    let asked = NewSync {
        refused_count: 150,
        refused: vec![refused; 150],
        ..new(1)
    };
    let made = ErpSync::created(asked, None, &stamp()).unwrap().state;
    assert_eq!((made.refused_count, made.refused.len()), (150, 100));
}

#[test]
fn parts_are_counted_once_and_in_order() {
    let one = state(sending().chunk_accepted(0, at(2)));
    assert_eq!((one.status, one.sent_chunks), (SyncStatus::Pending, 1));
    assert!(one.chunk_accepted(0, at(3)).unwrap().is_replayed());
    assert_eq!(
        one.chunk_accepted(2, at(3)),
        Err(SyncRefusal::OutOfOrder { chunk: 2 })
    );
    assert_eq!(one.attempts[0].outcome, Outcome::Completed);
    assert_eq!(one.attempts[0].ended_at, Some(at(2)));
}

#[test]
fn each_part_has_three_attempts() {
    let mut sync = state(sending().chunk_accepted(0, at(2)));
    for attempt in 1..=MAX_ATTEMPTS {
        assert!(!sync.is_out_of_attempts());
        sync = state(sync.attempt_begun(false, at(3)));
        let open = sync.open_attempt().unwrap();
        assert_eq!((open.chunk, open.attempt), (1, attempt));
        sync = state(sync.attempt_failed(&busy(), at(4)));
        assert_eq!(sync.attempts_made(), attempt);
    }
    assert!(sync.is_out_of_attempts());
    assert!(sync.attempt_begun(false, at(5)).unwrap().is_replayed());
    assert!(sync.attempt_failed(&busy(), at(5)).unwrap().is_replayed());
    let last = sync.attempts.last().unwrap();
    assert_eq!(last.error_code.as_deref(), Some("erp_refused"));
    assert_eq!(
        last.error_message.as_deref(),
        Some("it answered with status 429")
    );
}

#[test]
fn an_accepted_part_gives_the_next_one_its_own_attempts() {
    let mut sync = sending();
    for _ in 0..2 {
        sync = state(sync.attempt_failed(&busy(), at(2)));
        sync = state(sync.attempt_begun(false, at(3)));
    }
    sync = state(sync.chunk_accepted(0, at(4)));
    assert_eq!((sync.attempts_made(), sync.attempts.len()), (0, 3));
}

#[test]
fn a_fault_before_the_attempt_has_used_one_up() {
    let sync = state(pending().attempt_failed(&busy(), at(2)));
    assert_eq!(sync.attempts_made(), 1);
    assert_eq!(
        (sync.attempts[0].started_at, sync.attempts[0].ended_at),
        (at(2), Some(at(2)))
    );
}

#[test]
fn after_three_dead_workers_no_fourth_attempt_begins() {
    let mut sync = sending();
    for second in 5..8 {
        sync = state(sync.attempt_begun(true, at(second)));
    }
    assert!(sync.is_out_of_attempts());
    assert!(sync.attempts.iter().all(|a| a.outcome == Outcome::Lost));
    assert!(sync.attempt_begun(true, at(8)).unwrap().is_replayed());
    let ended = state(sync.failed(&SyncFailure::WorkerLost, at(9)));
    assert_eq!(ended.error_code.as_deref(), Some("worker_lost"));
    assert_eq!(ended.attempts.len(), 3);
}

#[test]
fn the_refusal_ends_the_open_attempt_with_its_reason() {
    let sync = failed();
    let attempt = &sync.attempts[0];
    assert_eq!(attempt.outcome, Outcome::Failed);
    assert_eq!(attempt.error_code.as_deref(), Some("erp_refused"));
    assert_eq!(attempt.error_message, sync.error_message);
    assert_eq!(
        sync.error_message.as_deref(),
        Some(
            "The ERP did not accept part 1 of 3: it answered with status 422. Settle it with the ERP, then send the documents again."
        )
    );
}

#[rstest]
#[case::set_changed(SyncFailure::SetChanged, "set_changed")]
#[case::processing_failed(SyncFailure::ProcessingFailed, "processing_failed")]
#[case::worker_lost(SyncFailure::WorkerLost, "worker_lost")]
#[case::unreachable(SyncFailure::Unreachable { reason: "its address is not https".into() }, "erp_refused")]
fn a_sync_that_sent_nothing_has_nothing_to_take_back(
    #[case] failure: SyncFailure,
    #[case] code: &str,
) {
    let sync = state(pending().failed(&failure, at(9)));
    assert_eq!(sync.error_code.as_deref(), Some(code));
    assert_eq!(sync.compensation, Compensation::NotNeeded);
    assert!(sync.error_message.unwrap().ends_with('.'));
}

/// What the ERP may have counts as what it has.
#[rstest]
#[case::answers(busy(), Compensation::NotNeeded)]
#[case::silence(silent(), Compensation::Pending)]
fn a_lost_answer_is_taken_back(#[case] error: AttemptError, #[case] expected: Compensation) {
    let tried = state(sending().attempt_failed(&error, at(2)));
    let again = state(tried.attempt_begun(false, at(3)));
    let sync = state(again.failed(&refused_by_erp(0), at(4)));
    assert_eq!(sync.compensation, expected);
}

#[test]
fn what_a_dead_worker_may_have_sent_is_taken_back() {
    let sync = state(sending().failed(&SyncFailure::WorkerLost, at(4)));
    assert_eq!(sync.attempts[0].outcome, Outcome::Lost);
    assert_eq!(sync.compensation, Compensation::Pending);
}

#[test]
fn the_doubt_about_a_part_ends_when_it_is_accepted() {
    let tried = state(sending().attempt_failed(&silent(), at(2)));
    let accepted = state(tried.chunk_accepted(0, at(3)));
    assert_eq!(accepted.sent_chunks, 1);
    let sync = state(accepted.failed(&refused_by_erp(1), at(4)));
    assert_eq!(sync.compensation, Compensation::Pending);
}

#[test]
fn a_cancelled_sync_says_why() {
    let sync = cancelled();
    assert_eq!(sync.error_code.as_deref(), Some("cancelled"));
    assert_eq!(
        sync.error_message.as_deref(),
        Some("The sync was cancelled (wrong period). Its documents can be sent again.")
    );
}

#[rstest]
#[case("ab", false)]
#[case("abc", true)]
#[case("áéí", true)]
#[case(&"a".repeat(500), true)]
#[case(&"a".repeat(501), false)]
fn a_reason_has_3_to_500_characters(#[case] reason: &str, #[case] allowed: bool) {
    let decided = sent().cancelled(reason, at(9));
    assert_eq!(decided.is_ok(), allowed);
    if let Err(refusal) = decided {
        let problem = Problem::from(refusal);
        assert_eq!(problem.status, 422);
        assert_eq!(problem.errors[0].pointer, "/reason");
        assert_eq!(problem.errors[0].detail, "must have 3 to 500 characters");
    }
}

#[rstest]
#[case::shared(codes::ALREADY_SYNCED, codes::ALREADY_SYNCED, "already_synced")]
#[case::mixed(codes::INVOICE_NOT_FOUND, codes::CAE_PENDING, "nothing_to_sync")]
#[case::not_found(
    codes::INVOICE_NOT_FOUND,
    codes::INVOICE_NOT_FOUND,
    "invoice_not_found"
)]
fn when_none_is_left_each_says_why(
    #[case] first: codes::Code,
    #[case] second: codes::Code,
    #[case] code: &str,
) {
    let problem = SyncRefusal::nothing_left(vec![
        FieldError::new("/invoiceIds/0", first, "-"),
        FieldError::new("/invoiceIds/1", second, "-"),
    ]);
    assert_eq!((problem.status, problem.code.as_str()), (409, code));
    assert_eq!(problem.errors.len(), 2);
    assert_eq!(
        SyncRefusal::nothing_left(Vec::new()).code,
        codes::NOTHING_TO_SYNC
    );
}

#[rstest]
#[case::free(true, None, Ok(()))]
#[case::no_cae(false, None, Err("cae_pending"))]
#[case::pending(true, Some(SyncStatus::Pending), Err("sync_in_progress"))]
#[case::sent(true, Some(SyncStatus::Sent), Err("sync_in_progress"))]
#[case::confirmed(true, Some(SyncStatus::Confirmed), Err("already_synced"))]
#[case::failed(true, Some(SyncStatus::Failed), Ok(()))]
fn a_document_is_in_one_sync_at_a_time(
    #[case] granted: bool,
    #[case] held: Option<SyncStatus>,
    #[case] expected: Result<(), &'static str>,
) {
    let holder = held.map(|status| (OTHER.parse().unwrap(), status));
    let judged = judge_document(granted, holder, Some(SYNC.parse().unwrap()));
    assert_eq!(judged.map_err(|refusal| refusal.code().as_str()), expected);
}

#[test]
fn what_a_sync_holds_itself_is_free_to_it() {
    let sync: SyncId = SYNC.parse().unwrap();
    for status in SyncStatus::ALL {
        assert_eq!(
            judge_document(true, Some((sync, status)), Some(sync)),
            Ok(())
        );
    }
}

#[test]
fn a_sync_comes_back_from_storage_as_it_went_in() {
    let tried = state(sending().attempt_failed(&silent(), at(2)));
    for sync in [
        pending(),
        tried,
        partly(),
        sent(),
        confirmed(),
        failed(),
        taken_back(),
    ] {
        let item: cierre_platform::db::Item = serde_dynamo::to_item(&sync).unwrap();
        assert_eq!(
            cierre_platform::db::read_item::<ErpSync>(item).unwrap(),
            sync
        );
    }
}

#[test]
fn words_are_read_back() {
    for status in SyncStatus::ALL {
        assert_eq!(status.to_string().parse(), Ok(status));
        assert_eq!(json!(status), status.as_str());
    }
    for compensation in Compensation::ALL {
        assert_eq!(json!(compensation), compensation.to_string());
    }
}
