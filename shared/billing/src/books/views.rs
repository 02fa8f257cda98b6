//! Books, audits and figures of jobs as they are shown.

use cierre_kernel::id::BatchId;
use cierre_kernel::money::Money;
use cierre_kernel::time::{Date, Instant};
use serde::Serialize;
use utoipa::ToSchema;

use super::audit::{DateFall, Duplicate, Findings, Gap, SharedCae, SumMismatch};
use super::read::Counters;
use crate::entity::Letter;
use crate::ids::DocumentId;
use crate::rules::{InvoiceNumber, LAST_NUMBER, Sequence, cae_text, pesos};

/// A receipt book.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BookView {
    #[schema(example = "A-0001")]
    receipt_book: String,
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "A")]
    letter: Letter,
    #[schema(example = 1)]
    point_of_sale: u32,
    #[schema(example = 3)]
    last_number: u32,
    #[schema(example = "A-0001-00000003")]
    last_invoice_number: Option<String>,
    #[schema(value_type = Option<String>, format = Date, example = "2024-01-31")]
    last_issue_date: Option<Date>,
    invoice_count: u32,
    #[schema(value_type = String, example = "4650.50")]
    total_amount: Money,
    credit_notes: SequenceView,
}

/// How far a book's credit notes are.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SequenceView {
    last_number: u32,
    #[schema(value_type = Option<String>, format = Date)]
    last_issue_date: Option<Date>,
}

/// The number that comes next; it is not reserved.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NextNumberView {
    #[schema(example = "A-0001")]
    receipt_book: String,
    /// Null when the last number has been given.
    #[schema(example = 4)]
    next_number: Option<u32>,
    #[schema(example = "A-0001-00000004")]
    next_invoice_number: Option<String>,
    #[schema(value_type = Option<String>, format = Date, example = "2024-01-31")]
    last_issue_date: Option<Date>,
}

impl From<&Counters> for BookView {
    fn from((book, notes): &Counters) -> Self {
        Self {
            receipt_book: book.receipt_book.to_string(),
            letter: book.receipt_book.letter(),
            point_of_sale: book.receipt_book.point_of_sale(),
            last_number: book.last_number,
            last_invoice_number: book.last_invoice_number().map(|number| number.to_string()),
            last_issue_date: book.last_issue_date,
            invoice_count: book.invoice_count,
            total_amount: pesos(book.total_amount),
            credit_notes: SequenceView {
                last_number: notes.as_ref().map_or(0, |notes| notes.last_number),
                last_issue_date: notes.as_ref().and_then(|notes| notes.last_issue_date),
            },
        }
    }
}

impl NextNumberView {
    /// After this number of the sequence.
    pub(crate) fn after(
        sequence: Sequence,
        last_number: u32,
        last_issue_date: Option<Date>,
    ) -> Self {
        let next = last_number
            .checked_add(1)
            .and_then(|number| InvoiceNumber::new(sequence, number).ok());
        debug_assert!(next.is_some() || last_number >= LAST_NUMBER);
        Self {
            receipt_book: sequence.to_string(),
            next_number: next.map(InvoiceNumber::number),
            next_invoice_number: next.map(|number| number.to_string()),
            last_issue_date,
        }
    }
}

/// What the audit of a book came to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditView {
    #[schema(example = "A-0001")]
    receipt_book: String,
    /// Whether there is no finding at all.
    valid: bool,
    #[schema(example = 1)]
    first: u32,
    #[schema(example = 3)]
    last: u32,
    #[schema(example = 3)]
    count: u32,
    #[schema(value_type = String, example = "4650.50")]
    total_amount: Money,
    without_cae: u32,
    gaps: Vec<GapView>,
    duplicates: Vec<DuplicateView>,
    date_order_violations: Vec<DateFallView>,
    cae_duplicates: Vec<SharedCaeView>,
    sum_mismatches: Vec<SumMismatchView>,
    /// Findings beyond the first thousand of a kind; only there when there are any.
    #[serde(skip_serializing_if = "is_zero")]
    omitted: usize,
    #[schema(value_type = String, format = DateTime)]
    checked_at: Instant,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde asks for"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Numbers without a document, both ends included.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct GapView {
    from: u32,
    to: u32,
}

/// A number with several documents.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DuplicateView {
    number: u32,
    #[schema(value_type = Vec<String>)]
    ids: Vec<DocumentId>,
}

/// A document dated before its predecessor.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DateFallView {
    number: u32,
    #[schema(value_type = String, format = Date)]
    issue_date: Date,
    #[schema(value_type = String, format = Date)]
    previous_issue_date: Date,
}

/// A CAE with several documents.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SharedCaeView {
    cae: String,
    numbers: Vec<u32>,
}

/// A batch whose documents are not what it says.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SumMismatchView {
    #[schema(value_type = String)]
    batch_id: BatchId,
    expected_count: u32,
    count: u32,
    #[schema(value_type = String)]
    expected_amount: Money,
    #[schema(value_type = String)]
    amount: Money,
}

impl AuditView {
    pub(crate) fn of(
        receipt_book: String,
        first: u32,
        last: u32,
        findings: Findings,
        checked_at: Instant,
    ) -> Self {
        Self {
            receipt_book,
            valid: findings.are_none(),
            first,
            last,
            count: findings.count,
            total_amount: pesos(findings.total),
            without_cae: findings.without_cae,
            gaps: findings
                .gaps
                .into_iter()
                .map(|Gap { from, to }| GapView { from, to })
                .collect(),
            duplicates: findings
                .duplicates
                .into_iter()
                .map(|Duplicate { number, ids }| DuplicateView { number, ids })
                .collect(),
            date_order_violations: findings
                .date_falls
                .into_iter()
                .map(DateFallView::from)
                .collect(),
            cae_duplicates: findings
                .shared_caes
                .into_iter()
                .map(SharedCaeView::from)
                .collect(),
            sum_mismatches: findings
                .sum_mismatches
                .into_iter()
                .map(SumMismatchView::from)
                .collect(),
            omitted: findings.omitted,
            checked_at,
        }
    }

    /// Whether there is no finding at all.
    pub(crate) const fn is_valid(&self) -> bool {
        self.valid
    }
}

impl From<DateFall> for DateFallView {
    fn from(fall: DateFall) -> Self {
        Self {
            number: fall.number,
            issue_date: fall.issue_date,
            previous_issue_date: fall.previous,
        }
    }
}

impl From<SharedCae> for SharedCaeView {
    fn from(shared: SharedCae) -> Self {
        Self {
            cae: cae_text(shared.cae),
            numbers: shared.numbers,
        }
    }
}

impl From<SumMismatch> for SumMismatchView {
    fn from(mismatch: SumMismatch) -> Self {
        Self {
            batch_id: mismatch.promised.batch_id,
            expected_count: mismatch.promised.count,
            count: mismatch.count,
            expected_amount: pesos(mismatch.promised.amount),
            amount: pesos(mismatch.amount),
        }
    }
}

/// Jobs of the company.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueView {
    pub(crate) waiting: i64,
    pub(crate) active: i64,
    /// Since the beginning.
    pub(crate) completed: i64,
    /// Since the beginning.
    pub(crate) failed: i64,
    pub(crate) delayed: i64,
    #[serde(rename = "last24h")]
    pub(crate) last_24h: EndedView,
}

/// Jobs that ended in the current hour and the 23 before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct EndedView {
    pub(crate) completed: i64,
    pub(crate) failed: i64,
}
