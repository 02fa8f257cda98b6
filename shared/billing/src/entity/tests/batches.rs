use cierre_kernel::decision::Decision;
use cierre_kernel::problem::Problem;
use rstest::rstest;
use serde_json::json;

use super::super::fixtures::*;
use super::super::*;
use crate::error::BatchRefusal;

/// Applied and where it leads, replayed, or refused with its code.
#[derive(Debug, PartialEq, Eq)]
enum Is {
    To(BatchStatus, JobStatus),
    Same,
    Refused(&'static str),
}

fn is(batch: &Batch, decided: Decided<Batch, BatchRefusal>) -> Is {
    match decided {
        Ok(Decision::Applied(change)) => {
            assert_eq!(change.state.version, batch.version + 1);
            Is::To(change.state.status, change.state.job.status)
        }
        Ok(Decision::Replayed(change)) => {
            assert_eq!(change, Change::silent(batch.clone()));
            Is::Same
        }
        Err(refusal) => Is::Refused(refusal.code().as_str()),
    }
}

#[rstest]
#[case::waiting(accepted(), Is::To(BatchStatus::InProcess, JobStatus::Active))]
#[case::in_process(in_process(), Is::To(BatchStatus::InProcess, JobStatus::Active))]
#[case::processed(processed(), Is::Same)]
#[case::in_error(in_error(), Is::Same)]
fn a_delivered_job_starts_or_goes_on(#[case] batch: Batch, #[case] expected: Is) {
    assert_eq!(is(&batch, batch.started(false, at(9))), expected);
}

#[rstest]
#[case::waiting(accepted(), Is::To(BatchStatus::Error, JobStatus::Failed))]
#[case::in_process(in_process(), Is::To(BatchStatus::Error, JobStatus::Failed))]
#[case::processed(processed(), Is::Same)]
#[case::in_error(in_error(), Is::Same)]
fn a_refusal_or_a_lost_worker_ends_what_is_not_committed(
    #[case] batch: Batch,
    #[case] expected: Is,
) {
    let decided = batch.failed("worker_lost", "Retry the batch.", 2, at(9));
    assert_eq!(is(&batch, decided), expected);
}

#[rstest]
#[case::waiting(accepted(), Is::To(BatchStatus::PendingProcessing, JobStatus::Delayed))]
#[case::in_process(in_process(), Is::To(BatchStatus::InProcess, JobStatus::Delayed))]
#[case::processed(processed(), Is::Same)]
#[case::in_error(in_error(), Is::Same)]
fn a_failed_attempt_delays_the_job(#[case] batch: Batch, #[case] expected: Is) {
    assert_eq!(is(&batch, batch.attempt_failed(at(9))), expected);
}

#[rstest]
#[case::waiting(accepted(), Is::Refused("concurrent_change"))]
#[case::staged(staged(), Is::To(BatchStatus::Processed, JobStatus::Completed))]
#[case::processed(processed(), Is::Same)]
#[case::in_error(in_error(), Is::Refused("concurrent_change"))]
fn only_a_batch_in_process_is_committed_and_only_once(#[case] batch: Batch, #[case] expected: Is) {
    assert_eq!(is(&batch, batch.committed(8, 2, at(9))), expected);
}

#[rstest]
#[case::waiting(accepted(), Is::Refused("batch_not_retryable"))]
#[case::in_process(in_process(), Is::Refused("batch_not_retryable"))]
#[case::processed(processed(), Is::Refused("batch_not_retryable"))]
#[case::in_error(in_error(), Is::To(BatchStatus::PendingProcessing, JobStatus::Waiting))]
fn only_a_batch_in_error_is_retried(#[case] batch: Batch, #[case] expected: Is) {
    assert_eq!(is(&batch, batch.retried(issuer(), at(9))), expected);
}

#[rstest]
#[case::waiting(accepted(), Is::Refused("concurrent_change"))]
#[case::in_process(in_process(), Is::Refused("concurrent_change"))]
#[case::processed(processed(), Is::To(BatchStatus::Processed, JobStatus::Completed))]
#[case::materialised(state(processed().materialised(at(5))), Is::Same)]
#[case::in_error(in_error(), Is::Refused("concurrent_change"))]
fn only_a_committed_batch_is_materialised_and_only_once(
    #[case] batch: Batch,
    #[case] expected: Is,
) {
    assert_eq!(is(&batch, batch.materialised(at(9))), expected);
}

#[rstest]
#[case::waiting(accepted(), false)]
#[case::in_process(in_process(), true)]
#[case::processed(processed(), false)]
#[case::in_error(in_error(), false)]
fn only_a_batch_in_process_is_resolved_frozen_and_staged(
    #[case] batch: Batch,
    #[case] allowed: bool,
) {
    assert_eq!(batch.resolved(5, at(9)).is_ok(), allowed);
    assert_eq!(batch.frozen(1, Vec::new(), at(9)).is_ok(), allowed);
    assert_eq!(batch.staged(100, at(9)).is_ok(), allowed);
}

#[test]
fn the_refused_retry_says_which_status_it_met() {
    let refusal = processed().retried(issuer(), at(9)).unwrap_err();
    let problem = Problem::from(refusal);
    assert_eq!(problem.status, 409);
    assert_eq!(problem.detail, "Cannot retry batch in status 'PROCESSED'");
}

#[test]
fn a_commit_must_account_for_every_requested_pending() {
    for (first, count) in [(8, 3), (8, 1), (8, 0), (u32::MAX, 2)] {
        assert_eq!(
            staged().committed(first, count, at(9)),
            Err(BatchRefusal::SetChanged),
            "{first} {count}"
        );
    }
}

#[test]
fn a_committed_batch_shows_its_numbers() {
    let batch = processed();
    assert_eq!((batch.first_number, batch.last_number), (Some(8), Some(9)));
    assert_eq!(
        (
            batch.invoice_count,
            batch.failed_count,
            batch.requested_count
        ),
        (2, 1, Some(3))
    );
    assert_eq!(batch.processing_completed_at, Some(at(4)));
    assert_eq!(batch.attempts[0].outcome, Outcome::Completed);
    assert!(!batch.materialized);
}

#[test]
fn attempts_are_counted_and_kept_until_none_is_left() {
    let mut batch = accepted();
    for attempt in 1..=MAX_ATTEMPTS {
        assert!(!batch.is_out_of_attempts());
        batch = state(batch.started(false, at(i64::from(attempt) * 10)));
        batch = state(batch.attempt_failed(at(i64::from(attempt) * 10 + 1)));
        assert_eq!(batch.job.attempts_made, attempt);
    }
    assert!(batch.is_out_of_attempts());
    let refusal = BatchRefusal::ProcessingFailed;
    let batch = state(batch.failed(refusal.code().as_str(), &refusal.to_string(), 0, at(40)));
    assert_eq!(
        (batch.status, batch.job.attempts_made),
        (BatchStatus::Error, 3)
    );
    assert_eq!(batch.error_code.as_deref(), Some("processing_failed"));
    let kept: Vec<_> = batch
        .attempts
        .iter()
        .map(|a| (a.attempt, a.outcome))
        .collect();
    assert_eq!(
        kept,
        [
            (1, Outcome::Failed),
            (2, Outcome::Failed),
            (3, Outcome::Failed)
        ]
    );
    assert_eq!(batch.processing_started_at, Some(at(10)));
}

#[test]
fn a_worker_that_died_has_used_up_an_attempt() {
    let batch = state(in_process().started(true, at(5)));
    assert_eq!(batch.job.attempts_made, 1);
    let kept: Vec<_> = batch
        .attempts
        .iter()
        .map(|a| (a.attempt, a.outcome, a.ended_at))
        .collect();
    assert_eq!(
        kept,
        [(1, Outcome::Lost, Some(at(5))), (2, Outcome::Active, None)]
    );
}

#[test]
fn after_three_dead_workers_no_fourth_attempt_begins() {
    let mut batch = in_process();
    for second in 5..8 {
        batch = state(batch.started(true, at(second)));
    }
    assert!(batch.is_out_of_attempts());
    assert_eq!((batch.job.attempts_made, batch.attempts.len()), (3, 3));
    assert!(batch.attempts.iter().all(|a| a.outcome == Outcome::Lost));
    assert!(batch.started(true, at(8)).unwrap().is_replayed());
    let ended = state(batch.failed("worker_lost", "Retry.", 0, at(9)));
    assert_eq!((ended.job.attempts_made, ended.attempts.len()), (3, 3));
}

#[test]
fn a_refusal_ends_the_open_attempt_with_its_reason() {
    let refusal = BatchRefusal::InvalidPendings { failed: 2 };
    let batch = state(in_process().failed(refusal.code().as_str(), &refusal.to_string(), 2, at(5)));
    let attempt = &batch.attempts[0];
    assert_eq!(attempt.outcome, Outcome::Failed);
    assert_eq!(attempt.error_code.as_deref(), Some("invalid_pendings"));
    assert_eq!(attempt.error_message, batch.error_message);
    assert_eq!((batch.job.attempts_made, batch.failed_count), (1, 2));
}

#[test]
fn a_retry_has_a_job_of_its_own_and_judges_afresh() {
    let first = state(in_error().retried(issuer(), at(9)));
    assert_eq!(first.run, 1);
    assert_eq!(first.job, Job::waiting(first.id, 1));
    assert_eq!(first.job.id, format!("batch-{X}-retry-1"));
    assert_eq!(
        (first.error_code.as_ref(), first.error_message.as_ref()),
        (None, None)
    );
    assert_eq!(
        (first.processing_started_at, first.processing_completed_at),
        (None, None)
    );
    assert_eq!((first.requested_count, first.failed_count), (Some(3), 0));
    assert_eq!(first.attempts.len(), 1);
    let started = state(first.started(false, at(10)));
    assert_eq!(started.attempts[1].attempt, 1);
    let failed = state(started.failed("worker_lost", "Retry.", 0, at(11)));
    let second = state(failed.retried(issuer(), at(12)));
    assert_eq!(second.job.id, format!("batch-{X}-retry-2"));
    assert_eq!(second.attempts.len(), 2);
}

#[test]
fn a_retried_selection_is_counted_again_but_keeps_its_moment() {
    let wanted = Wanted::Selection(Selection::default());
    let accepted = Batch::accepted(batch_id(X), Order { wanted, ..order() }, &stamp()).state;
    assert_eq!(accepted.requested_count, None);
    let resolved = state(state(accepted.started(false, at(1))).resolved(7, at(2)));
    assert_eq!(resolved.requested_count, Some(7));
    let failed = state(resolved.failed("nothing_to_invoice", "-", 7, at(3)));
    let retried = state(failed.retried(issuer(), at(4)));
    assert_eq!((retried.requested_count, retried.created_at), (None, at(0)));
}

#[test]
fn the_batch_lists_the_first_hundred_failures() {
    let failure = FailedPending::new(
        "pen_00000000000000000000000001".parse().unwrap(),
        crate::rules::ItemFailure::NotFound,
    );
    let frozen = state(in_process().frozen(150, vec![failure; 150], at(2)));
    assert_eq!(
        (frozen.failed_count, frozen.failed_pendings.len()),
        (150, 100)
    );
}

#[rstest]
#[case(None, None, None, true)]
#[case(Some(vec![1, 2]), None, None, true)]
#[case(Some(vec![2]), None, None, false)]
#[case(None, Some("2024-01-05"), Some("2024-01-05"), true)]
#[case(None, Some("2024-01-06"), None, false)]
#[case(None, None, Some("2024-01-04"), false)]
fn a_selection_admits_what_matches_every_given_field(
    #[case] customer_ids: Option<Vec<u32>>,
    #[case] from: Option<&str>,
    #[case] to: Option<&str>,
    #[case] admitted: bool,
) {
    let selection = Selection {
        customer_ids,
        service_date_from: from.map(day),
        service_date_to: to.map(day),
    };
    assert_eq!(selection.admits(1, day("2024-01-05")), admitted);
}

fn refused(order: &Order, book: Option<&Book>) -> Option<Problem> {
    order
        .check(day("2024-01-31"), book)
        .err()
        .map(|refusals| BatchRefusal::problem(&refusals))
}

#[test]
fn an_order_for_today_in_an_own_letter_is_accepted() {
    assert_eq!(refused(&order(), None), None);
}

#[test]
fn every_wrong_field_of_an_order_is_listed() {
    let order = Order {
        issue_date: day("2024-02-01"),
        receipt_book: ReceiptBook::parse("C-0001").unwrap(),
        ..order()
    };
    let problem = refused(&order, None).unwrap();
    assert_eq!(
        (problem.status, problem.code.as_str()),
        (422, "validation_failed")
    );
    let listed: Vec<_> = problem
        .errors
        .iter()
        .map(|e| (e.pointer.as_str(), e.code.as_str()))
        .collect();
    assert_eq!(
        listed,
        [
            ("/issueDate", "issue_date_in_future"),
            ("/receiptBook", "book_letter_not_allowed")
        ]
    );
}

#[rstest]
#[case::alias("A-00001", "2024-01-31", 422, "receipt_book_alias")]
#[case::backdated("A-0001", "2024-01-30", 409, "issue_date_before_last")]
fn an_order_that_the_book_does_not_admit_is_refused(
    #[case] name: &str,
    #[case] date: &str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let book =
        Book::unused(&ReceiptBook::parse("A-0001").unwrap()).advanced(day("2024-01-31"), 1, 100);
    let order = Order {
        issue_date: day(date),
        receipt_book: ReceiptBook::parse(name).unwrap(),
        ..order()
    };
    let problem = refused(&order, Some(&book)).unwrap();
    assert_eq!((problem.status, problem.code.as_str()), (status, code));
}

#[test]
fn events_of_a_batch_carry_the_agreed_details() {
    let job = format!("batch-{X}");
    let created = Batch::accepted(batch_id(X), order(), &stamp());
    assert_eq!(actions(&created), ["batch_created"]);
    assert_eq!(
        json!(created.events[0].details),
        json!({"issueDate": "2024-01-31", "receiptBook": "A-0001", "requestedCount": 3, "onInvalid": "skip", "jobId": job})
    );
    let wanted = Wanted::Selection(Selection {
        customer_ids: Some(vec![1]),
        ..Selection::default()
    });
    let selected = Batch::accepted(batch_id(X), Order { wanted, ..order() }, &stamp());
    assert_eq!(
        selected.events[0].details["selection"],
        json!({"customerIds": [1]})
    );
    assert_eq!(selected.events[0].details.get("requestedCount"), None);

    let started = accepted().started(false, at(1)).unwrap().into_inner();
    assert_eq!(actions(&started), ["batch_started"]);
    assert_eq!(
        json!(started.events[0].details),
        json!({"jobId": job, "attempt": 1})
    );

    let committed = staged().committed(8, 2, at(4)).unwrap().into_inner();
    assert_eq!(actions(&committed), ["batch_processed"]);
    assert_eq!(
        json!(committed.events[0].details),
        json!({"jobId": job, "invoiceCount": 2, "failedCount": 1, "firstNumber": 8, "lastNumber": 9, "totalAmount": "3800.50"})
    );

    let materialised = processed().materialised(at(11)).unwrap().into_inner();
    assert_eq!(actions(&materialised), ["batch_materialized"]);
    assert_eq!(
        json!(materialised.events[0].details),
        json!({"count": 2, "seconds": 7})
    );

    let failed = in_process()
        .failed("worker_lost", "Retry.", 1, at(4))
        .unwrap()
        .into_inner();
    assert_eq!(actions(&failed), ["batch_failed"]);
    assert_eq!(
        json!(failed.events[0].details),
        json!({"jobId": job, "errorCode": "worker_lost", "errorMessage": "Retry.", "failedCount": 1})
    );

    let retried = in_error().retried(issuer(), at(9)).unwrap().into_inner();
    assert_eq!(actions(&retried), ["batch_retried"]);
    assert_eq!(
        json!(retried.events[0].details),
        json!({"jobId": format!("batch-{X}-retry-1")})
    );
}

#[test]
fn every_reason_for_an_error_says_what_to_do_next() {
    let refusals = [
        BatchRefusal::FiscalIdentityChanged,
        BatchRefusal::IssueDateBeforeLast {
            last: day("2024-01-31"),
        },
        BatchRefusal::ReceiptBookAlias {
            in_use: ReceiptBook::parse("A-0001").unwrap(),
        },
        BatchRefusal::BookExhausted,
        BatchRefusal::InvalidPendings { failed: 2 },
        BatchRefusal::NothingToInvoice,
        BatchRefusal::SelectionTooLarge,
        BatchRefusal::ProcessingFailed,
        BatchRefusal::WorkerLost,
    ];
    for refusal in refusals {
        let text = refusal.to_string().to_lowercase();
        assert!(text.contains("retry") || text.contains("issue"), "{text}");
    }
}
