//! Receipt books: the counters that give numbers.

use cierre_kernel::event::ChainHead;
use cierre_kernel::time::Date;
use serde::{Deserialize, Serialize};

use crate::error::BatchRefusal;
use crate::rules::{InvoiceNumber, LAST_NUMBER, ReceiptBook};

/// A receipt book's counter. A book exists from its first commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Book {
    /// The spelling that was committed first.
    pub receipt_book: ReceiptBook,
    /// The last number given; 0 before the first.
    pub last_number: u32,
    /// The date of that number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_issue_date: Option<Date>,
    /// Invoices.
    pub invoice_count: u32,
    /// Their total in minor units.
    pub total_amount: i64,
    /// Its chain of events.
    #[serde(default)]
    pub head: ChainHead,
}

impl Book {
    /// A book before its first commit.
    pub fn unused(receipt_book: &ReceiptBook) -> Self {
        Self {
            receipt_book: *receipt_book,
            last_number: 0,
            last_issue_date: None,
            invoice_count: 0,
            total_amount: 0,
            head: ChainHead::default(),
        }
    }

    /// Whether no number was given yet.
    pub const fn is_unused(&self) -> bool {
        self.last_number == 0
    }

    /// Whether so many invoices of this date can be numbered under this spelling.
    ///
    /// # Errors
    /// [`BatchRefusal::ReceiptBookAlias`], [`BatchRefusal::IssueDateBeforeLast`] or [`BatchRefusal::BookExhausted`].
    pub fn admits(
        &self,
        wanted: &ReceiptBook,
        issue_date: Date,
        count: u32,
    ) -> Result<(), BatchRefusal> {
        if *wanted != self.receipt_book {
            return Err(BatchRefusal::ReceiptBookAlias {
                in_use: self.receipt_book,
            });
        }
        match self.last_issue_date {
            Some(last) if issue_date < last => {
                return Err(BatchRefusal::IssueDateBeforeLast { last });
            }
            Some(_) | None => {}
        }
        // Asking for none still needs a number to be left: a selection's size is not known yet.
        if count.max(1) > LAST_NUMBER.saturating_sub(self.last_number) {
            return Err(BatchRefusal::BookExhausted);
        }
        Ok(())
    }

    /// The book after so many invoices more; the first of them has the number after [`Book::last_number`]. To be preceded by
    /// [`Book::admits`].
    #[must_use]
    pub fn advanced(&self, issue_date: Date, count: u32, total: i64) -> Self {
        Self {
            last_number: self.last_number.saturating_add(count),
            last_issue_date: Some(issue_date),
            invoice_count: self.invoice_count.saturating_add(count),
            total_amount: self.total_amount.saturating_add(total),
            ..self.clone()
        }
    }

    /// The next number, none when the book is full. Looking reserves nothing.
    pub fn next_number(&self) -> Option<InvoiceNumber> {
        InvoiceNumber::invoice(self.receipt_book, self.last_number.checked_add(1)?).ok()
    }

    /// The last number given.
    pub fn last_invoice_number(&self) -> Option<InvoiceNumber> {
        InvoiceNumber::invoice(self.receipt_book, self.last_number).ok()
    }
}
