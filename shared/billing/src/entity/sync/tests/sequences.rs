//! What holds after any sequence of moves.

use cierre_kernel::decision::Decision;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Move {
    Begin(bool),
    Accept(u32),
    FailAttempt(bool),
    Fail,
    Confirm(bool),
    Cancel,
    Compensate,
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        8 => any::<bool>().prop_map(Move::Begin),
        12 => (0_u32..4).prop_map(Move::Accept),
        4 => any::<bool>().prop_map(Move::FailAttempt),
        1 => Just(Move::Fail),
        2 => any::<bool>().prop_map(Move::Confirm),
        1 => Just(Move::Cancel),
        2 => Just(Move::Compensate),
    ]
}

fn apply(sync: &ErpSync, command: Move, second: i64) -> Decided<ErpSync, SyncRefusal> {
    let now = at(second);
    match command {
        Move::Begin(died) => sync.attempt_begun(died, now),
        Move::Accept(chunk) => sync.chunk_accepted(chunk, now),
        Move::FailAttempt(in_doubt) => {
            sync.attempt_failed(&if in_doubt { silent() } else { busy() }, now)
        }
        Move::Fail => sync.failed(&refused_by_erp(sync.sent_chunks), now),
        Move::Confirm(same) => sync.confirmed(if same { DIGEST } else { "another" }, now),
        Move::Cancel => sync.cancelled("wrong period", now),
        Move::Compensate => sync.compensated(now),
    }
}

/// What must hold whatever happened.
fn check(sync: &ErpSync) {
    assert!(sync.sent_chunks <= sync.chunks);
    let is_complete = sync.sent_chunks == sync.chunks;
    match sync.status {
        SyncStatus::Pending => assert!(!is_complete),
        SyncStatus::Sent | SyncStatus::Confirmed => assert!(is_complete),
        SyncStatus::Failed => assert_eq!(sync.error_code.is_some(), sync.error_message.is_some()),
    }
    assert_eq!(sync.error_code.is_some(), sync.status == SyncStatus::Failed);
    let in_doubt = sync
        .attempts
        .iter()
        .any(|a| a.chunk == sync.sent_chunks && a.in_doubt);
    let is_owed = sync.status == SyncStatus::Failed && (sync.sent_chunks > 0 || in_doubt);
    assert_eq!(sync.compensation != Compensation::NotNeeded, is_owed);
    for chunk in 0..sync.chunks {
        let of_part: Vec<_> = sync.attempts.iter().filter(|a| a.chunk == chunk).collect();
        assert!(of_part.iter().zip(1..).all(|(a, place)| a.attempt == place));
        let used = of_part.iter().filter(|a| a.is_used_up()).count();
        assert!(used <= MAX_ATTEMPTS as usize);
    }
    let open = sync.attempts.iter().filter(|a| a.is_open()).count();
    assert!(open == 0 || (open == 1 && sync.open_attempt().is_some()));
    assert!(open == 0 || sync.status == SyncStatus::Pending);
}

proptest! {
    #[test]
    fn no_sequence_of_moves_breaks_a_sync(moves in prop::collection::vec(any_move(), 0..60)) {
        let mut sync = pending();
        check(&sync);
        for (command, second) in moves.into_iter().zip(1..) {
            let Ok(decision) = apply(&sync, command, second) else { continue };
            let next = match decision {
                Decision::Applied(change) => {
                    prop_assert_eq!(change.state.version, sync.version + 1);
                    change.state
                }
                Decision::Replayed(change) => {
                    prop_assert_eq!(&change, &Change::silent(sync.clone()));
                    change.state
                }
            };
            check(&next);
            prop_assert!(next.sent_chunks >= sync.sent_chunks);
            prop_assert!(next.attempts.len() >= sync.attempts.len());
            prop_assert_eq!((&next.digest, next.invoice_count, next.chunks), (&sync.digest, sync.invoice_count, sync.chunks));
            match sync.status {
                SyncStatus::Confirmed => prop_assert_eq!(&next, &sync),
                SyncStatus::Failed => prop_assert_eq!(next.status, SyncStatus::Failed),
                SyncStatus::Sent => prop_assert!(next.status != SyncStatus::Pending),
                SyncStatus::Pending => prop_assert!(next.status != SyncStatus::Confirmed),
            }
            if sync.compensation == Compensation::Done {
                prop_assert_eq!(next.compensation, Compensation::Done);
            }
            sync = next;
        }
    }

    #[test]
    fn every_move_said_again_changes_no_state(moves in prop::collection::vec(any_move(), 0..30), again in any_move()) {
        let mut sync = pending();
        for (command, second) in moves.into_iter().zip(1..) {
            if let Ok(decision) = apply(&sync, command, second) {
                sync = decision.into_inner().state;
            }
        }
        let Ok(first) = apply(&sync, again, 90) else { return Ok(()) };
        let once = first.into_inner().state;
        if let Ok(second) = apply(&once, again, 91) {
            let twice = second.into_inner().state;
            prop_assert_eq!((twice.status, twice.compensation, twice.sent_chunks), (once.status, once.compensation, once.sent_chunks));
        }
    }
}
