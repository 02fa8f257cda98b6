//! What a batch is asked to do, and what can be refused before any work.

use cierre_kernel::time::Date;

use super::{OnInvalid, Selection};
use crate::entity::book::Book;
use crate::entity::invoice::Issuer;
use crate::error::BatchRefusal;
use crate::rules::ReceiptBook;

/// What a batch is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Date of all its invoices.
    pub issue_date: Date,
    /// The book that gives the numbers.
    pub receipt_book: ReceiptBook,
    /// What an invalid pending does.
    pub on_invalid: OnInvalid,
    /// Which pendings.
    pub wanted: Wanted,
    /// The company as the invoices will remember it.
    pub issuer: Issuer,
}

/// Which pendings a batch is to invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// So many, by their ids.
    Ids(u32),
    /// Whatever matches when the job resolves it.
    Selection(Selection),
}

impl Order {
    /// What can be refused before any work; the commit looks again at what may change until then. Every reason is answered, so that a caller
    /// learns of all wrong fields at once.
    ///
    /// # Errors
    /// The refusals, none of them twice.
    pub fn check(&self, today: Date, book: Option<&Book>) -> Result<(), Vec<BatchRefusal>> {
        let mut refusals = Vec::new();
        if self.issue_date > today {
            refusals.push(BatchRefusal::IssueDateInFuture { today });
        }
        let letter = self.receipt_book.letter();
        if !letter.may_be_used_by(self.issuer.iva_condition) {
            refusals.push(BatchRefusal::BookLetterNotAllowed {
                condition: self.issuer.iva_condition,
                letter,
            });
        }
        let count = match &self.wanted {
            Wanted::Ids(count) => *count,
            Wanted::Selection(_) => 0,
        };
        if let Some(Err(refusal)) =
            book.map(|book| book.admits(&self.receipt_book, self.issue_date, count))
        {
            refusals.push(refusal);
        }
        if refusals.is_empty() {
            Ok(())
        } else {
            Err(refusals)
        }
    }
}
