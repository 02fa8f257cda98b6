//! What the ERP receives: documents with their accounting entries, the digest over them, and how the simulated ERP answers.

use cierre_kernel::canonical::{NotCanonical, canonical_json};
use cierre_kernel::id::{BatchId, PendingId, SyncId};
use cierre_kernel::money::{Currency, Money};
use cierre_kernel::time::Date;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    CURRENCY, DocumentType, InvoiceNumber, Letter, ReceiptBook, Split, cae_text, percentile, pesos,
};
use crate::entity::{CreditNote, Invoice};

/// Documents that go to the ERP in one message.
pub const CHUNK_DOCUMENTS: u32 = 500;

/// How many messages so many documents take.
pub const fn chunks_of(documents: u32) -> u32 {
    documents.div_ceil(CHUNK_DOCUMENTS)
}

/// Whether the simulated ERP accepts a chunk (from 0) on an attempt (from 1), at a success rate in percent: h(`{sync}:{chunk}:{attempt}`)
/// lies below the rate.
pub fn chunk_is_accepted(sync: SyncId, chunk: u32, attempt: u32, success_rate: u8) -> bool {
    percentile(&format!("{sync}:{chunk}:{attempt}")) < success_rate
}

/// The accounts that billing posts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// What customers owe.
    Receivables,
    /// What was earned.
    Sales,
    /// IVA owed to the tax authority.
    Iva,
}

impl Account {
    /// Every account, in the order of a document's entries.
    pub const ALL: [Self; 3] = [Self::Receivables, Self::Sales, Self::Iva];

    /// Its place in the chart of accounts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Receivables => "1.1.3.01",
            Self::Sales => "4.1.1.01",
            Self::Iva => "2.1.5.01",
        }
    }

    /// Its name, in the language of the books.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Receivables => "Cuentas por Cobrar",
            Self::Sales => "Ventas de Servicios",
            Self::Iva => "IVA Débito Fiscal",
        }
    }
}

/// One accounting entry; exactly one of its sides may be above zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountingEntry {
    /// [`Account::code`].
    pub account_code: &'static str,
    /// [`Account::name`].
    pub account_name: &'static str,
    /// What the account receives.
    pub debit: Money,
    /// What the account gives.
    pub credit: Money,
}

/// The entries of a document. An invoice debits what the customer owes and credits sales and IVA; a credit note swaps the sides. Type C
/// carries no IVA and so has no entry for it. Debits and credits are equal because net and IVA add up to the amount.
pub fn accounting_entries(number: InvoiceNumber, split: Split) -> Vec<AccountingEntry> {
    let amount = amount_of(split);
    let owed = entry(number, Account::Receivables, amount, pesos(0));
    let sales = entry(number, Account::Sales, pesos(0), split.net);
    match number.book().letter() {
        Letter::A | Letter::B => vec![
            owed,
            sales,
            entry(number, Account::Iva, pesos(0), split.iva),
        ],
        Letter::C => vec![owed, sales],
    }
}

/// One entry, given as an invoice has it.
fn entry(number: InvoiceNumber, account: Account, debit: Money, credit: Money) -> AccountingEntry {
    let (debit, credit) = match number.document_type() {
        DocumentType::Invoice => (debit, credit),
        DocumentType::CreditNote => (credit, debit),
    };
    AccountingEntry {
        account_code: account.code(),
        account_name: account.name(),
        debit,
        credit,
    }
}

fn amount_of(split: Split) -> Money {
    pesos(split.net.minor() + split.iva.minor())
}

/// What a document of the ERP is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErpDraft {
    /// Its number, which says the type and the book too.
    pub number: InvoiceNumber,
    /// The invoice that a credit note credits.
    pub origin: Option<InvoiceNumber>,
    /// Its authorisation code.
    pub cae: u64,
    /// Date of issue.
    pub issue_date: Date,
    /// Net and IVA, which add up to the amount.
    pub split: Split,
    /// The customer.
    pub customer_id: u32,
    /// Date of the service.
    pub service_date: Date,
    /// The batch of the invoice.
    pub batch_id: BatchId,
    /// The pending of the invoice.
    pub pending_id: PendingId,
}

/// A document as the ERP receives it. The members and their names are a contract with the ERP, and the digest is taken over them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErpDocument {
    document_type: DocumentType,
    invoice_number: InvoiceNumber,
    origin_invoice_number: Option<InvoiceNumber>,
    cae: String,
    issue_date: Date,
    amount: Money,
    currency: Currency,
    customer_id: u32,
    service_date: Date,
    receipt_book: ReceiptBook,
    batch_id: BatchId,
    pending_id: PendingId,
    accounting_entries: Vec<AccountingEntry>,
}

impl ErpDocument {
    /// A document with its entries.
    pub fn new(draft: ErpDraft) -> Self {
        Self {
            document_type: draft.number.document_type(),
            invoice_number: draft.number,
            origin_invoice_number: draft.origin,
            cae: cae_text(draft.cae),
            issue_date: draft.issue_date,
            amount: amount_of(draft.split),
            currency: CURRENCY,
            customer_id: draft.customer_id,
            service_date: draft.service_date,
            receipt_book: draft.number.book(),
            batch_id: draft.batch_id,
            pending_id: draft.pending_id,
            accounting_entries: accounting_entries(draft.number, draft.split),
        }
    }

    /// An invoice; none while it has no CAE.
    pub fn of_invoice(invoice: &Invoice) -> Option<Self> {
        let grant = invoice.grant?;
        Some(Self::new(ErpDraft {
            number: invoice.number,
            origin: None,
            cae: grant.cae,
            issue_date: invoice.issue_date,
            split: invoice.split(),
            customer_id: invoice.customer_id,
            service_date: invoice.service_date,
            batch_id: invoice.batch_id,
            pending_id: invoice.pending_id,
        }))
    }

    /// A credit note; none while it has no CAE.
    pub fn of_note(note: &CreditNote) -> Option<Self> {
        let grant = note.grant?;
        Some(Self::new(ErpDraft {
            number: note.number,
            origin: Some(note.origin_number),
            cae: grant.cae,
            issue_date: note.issue_date,
            split: note.split(),
            customer_id: note.customer_id,
            service_date: note.service_date,
            batch_id: note.batch_id,
            pending_id: note.pending_id,
        }))
    }

    /// Its number.
    pub const fn number(&self) -> InvoiceNumber {
        self.invoice_number
    }

    /// What documents of one sync are ordered by, in the digest and in the chunks: the printed number, as text.
    pub fn order(&self) -> String {
        self.invoice_number.to_string()
    }

    /// IVA included.
    pub const fn amount(&self) -> Money {
        self.amount
    }

    /// Its accounting entries, receivables first.
    pub fn entries(&self) -> &[AccountingEntry] {
        &self.accounting_entries
    }

    /// The one text that the digest is taken over.
    ///
    /// # Errors
    /// [`DigestError`], which no document that can be made leads to.
    pub fn canonical(&self) -> Result<String, DigestError> {
        let value = serde_json::to_value(self).map_err(DigestError::NotJson)?;
        Ok(canonical_json(&value)?)
    }
}

/// Why documents have no digest.
#[derive(Debug, thiserror::Error)]
pub enum DigestError {
    /// They were not given in ascending order, or one was given twice.
    #[error("the documents are not in ascending order of their numbers")]
    OutOfOrder,
    /// One cannot be written as JSON.
    #[error("a document cannot be written as JSON")]
    NotJson(#[source] serde_json::Error),
    /// One has no canonical form.
    #[error(transparent)]
    NotCanonical(#[from] NotCanonical),
}

/// The digest of documents that are given one by one, so that a sync of any size needs room for one document only: SHA-256 over the
/// canonical texts, a line break between them.
#[derive(Clone, Debug, Default)]
pub struct ErpDigest {
    hash: Sha256,
    last: Option<String>,
}

impl ErpDigest {
    /// A digest of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next document.
    ///
    /// # Errors
    /// [`DigestError::OutOfOrder`] unless its number lies after the last one's ([`ErpDocument::order`]); the others never in practice. The
    /// digest is then as it was before.
    pub fn add(&mut self, document: &ErpDocument) -> Result<(), DigestError> {
        let number = document.order();
        if self.last.as_ref().is_some_and(|last| *last >= number) {
            return Err(DigestError::OutOfOrder);
        }
        let text = document.canonical()?;
        if self.last.is_some() {
            self.hash.update(b"\n");
        }
        self.hash.update(text.as_bytes());
        self.last = Some(number);
        Ok(())
    }

    /// 64 lower-case hexadecimal digits; none when no document was added.
    pub fn finish(self) -> Option<String> {
        self.last.map(|_| format!("{:x}", self.hash.finalize()))
    }
}

/// The digest of documents in any order; none of no documents.
///
/// # Errors
/// [`DigestError::OutOfOrder`] when one is given twice.
pub fn erp_digest(documents: &[ErpDocument]) -> Result<Option<String>, DigestError> {
    let mut sorted: Vec<&ErpDocument> = documents.iter().collect();
    sorted.sort_by_cached_key(|document| document.order());
    let mut digest = ErpDigest::new();
    for document in sorted {
        digest.add(document)?;
    }
    Ok(digest.finish())
}

/// What documents come to. Amounts are in minor units of ARS; a credit note counts with its amount as it is printed, above zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErpTotals {
    /// How many.
    pub count: u32,
    /// Of their amounts.
    pub amount: i64,
    /// Of the debits of their entries.
    pub debit: i64,
    /// Of the credits of their entries.
    pub credit: i64,
}

impl ErpTotals {
    /// Counts one more. A hundred thousand documents of the largest amount stay far below what the sums hold.
    pub fn add(&mut self, document: &ErpDocument) {
        self.count += 1;
        self.amount += document.amount.minor();
        for entry in document.entries() {
            self.debit += entry.debit.minor();
            self.credit += entry.credit.minor();
        }
    }
}

#[cfg(test)]
mod tests;
