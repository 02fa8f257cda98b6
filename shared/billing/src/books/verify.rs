//! The proof of a book: its numbers from the documents themselves.
//!
//! Everything is read strongly, the book first: whatever it had given at that moment was committed with its range, so a batch that commits
//! while the audit runs is neither half seen nor missed. Two accounts are held against each other: what ranges, batches and chunks say
//! should be there, and what the items carry.

use cierre_kernel::codes;
use cierre_kernel::event::{EventType, NewEvent};
use cierre_kernel::problem::Problem;
use cierre_platform::db::{Changes, CommitError, Condition, Db, Tx};
use cierre_platform::{Context, Failure, Result, activity};
use serde_json::json;

use super::audit::audit;
use super::evidence::{evidence, notes};
use super::read::{find, key_of};
use super::views::AuditView;
use crate::entity::{Book, DocumentType, resource};
use crate::rules::Sequence;

/// Numbers that one audit covers at most.
pub(crate) const MAX_NUMBERS: u32 = 100_000;
/// Tries to record an audit against commits that move the book.
const TRIES: u32 = 10;

/// The numbers that an audit is asked to cover; none means from the first, or to the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Option<u32>,
    pub(crate) to: Option<u32>,
}

impl Span {
    /// The first and the last number to audit of a book that has given `given` numbers. Numbers that were not given are not missing.
    fn within(self, given: u32) -> Result<(u32, u32)> {
        let first = self.from.unwrap_or(1);
        let last = self.to.map_or(given, |to| to.min(given));
        if first > last {
            let detail = format!("lies after the last number given, {given}");
            return Err(Problem::field("/from", codes::OUT_OF_RANGE, detail).into());
        }
        if last - first >= MAX_NUMBERS {
            return Err(too_large().into());
        }
        Ok((first, last))
    }

    /// Whether the caller asks for too many numbers, whatever the book has given.
    pub(crate) fn is_too_large(self) -> bool {
        let first = self.from.unwrap_or(1);
        self.to
            .is_some_and(|to| to.saturating_sub(first) >= MAX_NUMBERS)
    }
}

/// The refusal of an audit over too many numbers.
pub(crate) fn too_large() -> Problem {
    Problem::field(
        "/to",
        codes::RANGE_TOO_LARGE,
        format!("an audit covers at most {MAX_NUMBERS} numbers; audit the book in parts"),
    )
}

/// Audits a book and records that it was done.
///
/// # Errors
/// 404 for a book that has given no number; 422 `range_too_large`; or a fault.
pub(crate) async fn verify(
    db: &Db,
    context: &Context,
    sequence: Sequence,
    span: Span,
) -> Result<AuditView> {
    let not_found = || Problem::new(codes::NOT_FOUND);
    let book = find(db, &context.company, sequence)
        .await?
        .filter(|book| !book.is_unused())
        .ok_or_else(not_found)?;
    let (first, last) = span.within(book.last_number)?;
    let company = &context.company;
    let (found, promises) = match sequence.document_type {
        DocumentType::Invoice => evidence(db, company, &book, first, last).await?,
        DocumentType::CreditNote => (notes(db, company, &book, first, last).await?, Vec::new()),
    };
    let findings = audit(first, last, found, &promises);
    let sequence = Sequence {
        book: book.receipt_book,
        ..sequence
    };
    let view = AuditView::of(sequence.to_string(), first, last, findings, context.now);
    record(db, context, (sequence, book), &view, (first, last)).await?;
    Ok(view)
}

/// Adds the audit to the book's chain of events. The head moves alone: the book's numbers are not touched, and a commit that came in between
/// has moved the book, so it is read again.
async fn record(
    db: &Db,
    context: &Context,
    (sequence, mut book): (Sequence, Book),
    view: &AuditView,
    (first, last): (u32, u32),
) -> Result<(), Failure> {
    let key = key_of(&context.company, sequence);
    for _ in 0..TRIES {
        let details = [
            ("valid", json!(view.is_valid())),
            ("from", json!(first)),
            ("to", json!(last)),
        ];
        let verified = NewEvent {
            event_type: EventType::View,
            action: "book_verified",
            resource_type: resource::BOOK,
            resource_id: sequence.to_string(),
            details: details
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        };
        let mut tx = Tx::new();
        let head = activity::append(&mut tx, context, verified, &book.head)?;
        let unmoved = Condition::default().eq("head", book.head.to_string());
        tx.update(
            key.clone(),
            Changes::new().set("head", head.to_string()),
            unmoved,
        );
        match db.commit(&tx).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Refused(_) | CommitError::Contended) => {}
            Err(CommitError::Failed(failure)) => return Err(failure),
        }
        book = db
            .get(&key)
            .await?
            .ok_or_else(|| Failure::message("an audited book is gone"))?;
    }
    Err(Failure::message("the chain of a book moved at every try"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_platform::Error;
    use rstest::rstest;

    fn span(from: Option<u32>, to: Option<u32>) -> Span {
        Span { from, to }
    }

    #[rstest]
    #[case(None, None, 3, (1, 3))]
    #[case(Some(2), None, 3, (2, 3))]
    #[case(Some(2), Some(2), 3, (2, 2))]
    #[case(None, Some(50), 3, (1, 3))]
    #[case(None, None, MAX_NUMBERS, (1, MAX_NUMBERS))]
    #[case(Some(2), None, MAX_NUMBERS + 1, (2, MAX_NUMBERS + 1))]
    fn an_audit_covers_what_was_given_of_what_is_asked(
        #[case] from: Option<u32>,
        #[case] to: Option<u32>,
        #[case] given: u32,
        #[case] covered: (u32, u32),
    ) {
        assert_eq!(span(from, to).within(given).unwrap(), covered);
    }

    #[rstest]
    #[case(None, None, MAX_NUMBERS + 1, codes::RANGE_TOO_LARGE)]
    #[case(Some(4), None, 3, codes::OUT_OF_RANGE)]
    fn a_span_that_cannot_be_audited_is_refused(
        #[case] from: Option<u32>,
        #[case] to: Option<u32>,
        #[case] given: u32,
        #[case] code: codes::Code,
    ) {
        let error = span(from, to).within(given).unwrap_err();
        assert!(matches!(error, Error::Refused(problem) if problem.code == code));
    }

    #[test]
    fn a_span_is_too_large_by_what_is_asked_not_by_what_was_given() {
        assert!(span(None, Some(MAX_NUMBERS + 1)).is_too_large());
        assert!(span(Some(1), Some(MAX_NUMBERS + 1)).is_too_large());
        assert!(!span(Some(2), Some(MAX_NUMBERS + 1)).is_too_large());
        assert!(!span(None, None).is_too_large());
    }
}
