//! Every problem code, once.
//!
//! A code is part of the contract: callers branch on it, so it never changes its meaning. Its
//! status is the one it has as the top-level code of an answer; the same word may also stand
//! inside `errors` or in an item's outcome, where the status plays no part.

use std::fmt;

/// A stable word that says why something was refused.
#[derive(Clone, Copy)]
pub struct Code {
    word: &'static str,
    status: u16,
    title: &'static str,
}

impl Code {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.word
    }

    /// The HTTP status that goes with it unless the caller says otherwise.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.status
    }

    /// A short sentence for people, the same at every occurrence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.title
    }

    /// Every code there is.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        ALL
    }

    /// Finds a code by its word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        ALL.iter().copied().find(|code| code.word == word)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Eq for Code {}

impl std::hash::Hash for Code {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.word.hash(state);
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word)
    }
}

impl<'de> serde::Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::find(&word).ok_or_else(|| serde::de::Error::custom("unknown problem code"))
    }
}

macro_rules! codes {
    ($($name:ident $word:literal $status:literal $title:literal)+) => {
        $(
            #[doc = concat!("`", $word, "`: ", $title, ".")]
            pub const $name: Code = Code { word: $word, status: $status, title: $title };
        )+

        /// Every code, in the order of this file.
        pub const ALL: &[Code] = &[$($name),+];
    };
}

codes! {
    // The request as such
    NOT_JSON "not_json" 400 "The body is not JSON"
    BAD_CURSOR "bad_cursor" 400 "The cursor does not belong to this list"
    INVALID_HEADER "invalid_header" 400 "A header has a wrong form"
    UNAUTHENTICATED "unauthenticated" 401 "No valid access token"
    INVALID_CREDENTIALS "invalid_credentials" 401 "The credentials are not valid"
    WRONG_ROLE "wrong_role" 403 "The role does not allow this"
    COMPANY_MISSING "company_missing" 403 "The token names no company"
    NOT_FOUND "not_found" 404 "Not found"
    METHOD_NOT_ALLOWED "method_not_allowed" 405 "The resource does not have this method"
    VERSION_MISMATCH "version_mismatch" 412 "The resource has another version by now"
    TOO_LARGE "too_large" 413 "The request is too large"
    UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" 415 "The body must be application/json"
    RATE_LIMITED "rate_limited" 429 "Too many requests"
    INTERNAL "internal" 500 "Something failed on our side"

    // Values
    VALIDATION_FAILED "validation_failed" 422 "Some fields are not valid"
    UNKNOWN_FIELD "unknown_field" 422 "The field is not known"
    REQUIRED "required" 422 "The field is required"
    OUT_OF_RANGE "out_of_range" 422 "The value is out of range"
    INVALID_TYPE "invalid_type" 422 "The value has the wrong type"
    INVALID_FORMAT "invalid_format" 422 "The value has the wrong form"
    INVALID_ID "invalid_id" 422 "The id is not well-formed"
    INVALID_RANGE "invalid_range" 422 "The lower bound lies above the upper bound"
    DUPLICATE_ITEMS "duplicate_items" 422 "An item is repeated"
    TOO_MANY_ITEMS "too_many_items" 422 "The list has too many items"
    INVALID_AMOUNT "invalid_amount" 422 "The value is not an exact amount of money"
    INVALID_DATE "invalid_date" 422 "The value is not a date"

    // Commands
    CONCURRENT_CHANGE "concurrent_change" 409 "Another change came first"
    IDEMPOTENCY_KEY_REUSED "idempotency_key_reused" 422 "The idempotency key was used with another body"
    REQUEST_IN_PROGRESS "request_in_progress" 409 "The same request is still running"

    // Company
    FISCAL_IDENTITY_LOCKED "fiscal_identity_locked" 409 "The tax number can no longer change"

    // Billing: customers and services
    CUSTOMER_EXISTS "customer_exists" 409 "The customer id is in use"
    CUSTOMER_INACTIVE "customer_inactive" 409 "The customer is not active"
    UNKNOWN_CUSTOMER "unknown_customer" 422 "The customer does not exist"
    INVALID_TAX_ID "invalid_tax_id" 422 "The tax number is not valid"
    SERVICE_LOCKED "service_locked" 409 "The service can no longer change"
    SERVICE_NOT_FOUND "service_not_found" 404 "The service does not exist"
    ALREADY_SENT "already_sent" 409 "The service was already sent to billing"
    ALREADY_INVOICED "already_invoiced" 409 "The service was already invoiced"

    // Billing: pendings
    PENDING_NOT_FOUND "pending_not_found" 404 "The pending does not exist"
    PENDING_NOT_PENDING "pending_not_pending" 409 "The pending is no longer pending"
    PENDING_CLAIMED "pending_claimed" 409 "The pending is held by a batch"
    WRONG_INVOICE_TYPE "wrong_invoice_type" 422 "The customer cannot receive this invoice type"
    CONSUMER_NOT_IDENTIFIED "consumer_not_identified" 422 "The amount requires an identified customer"

    // Billing: batches and receipt books
    FISCAL_PROFILE_MISSING "fiscal_profile_missing" 409 "The company's fiscal settings are incomplete"
    FISCAL_IDENTITY_CHANGED "fiscal_identity_changed" 409 "The company's fiscal data changed meanwhile"
    ISSUE_DATE_BEFORE_LAST "issue_date_before_last" 409 "The receipt book already has a later issue date"
    ISSUE_DATE_IN_FUTURE "issue_date_in_future" 422 "The issue date lies in the future"
    BOOK_EXHAUSTED "book_exhausted" 409 "The receipt book has no numbers left"
    RECEIPT_BOOK_ALIAS "receipt_book_alias" 422 "The point of sale is in use under another spelling"
    BOOK_LETTER_NOT_ALLOWED "book_letter_not_allowed" 422 "The issuer cannot use this invoice type"
    INVALID_RECEIPT_BOOK "invalid_receipt_book" 422 "The receipt book is not valid"
    IDS_OR_SELECTION "ids_or_selection" 422 "Exactly one of ids and selection is needed"
    INVOICE_CREDITED "invoice_credited" 409 "The invoice is credited in full"
    NOT_CREDITABLE "not_creditable" 409 "A credit note cannot be credited"
    AMOUNT_ABOVE_OPEN "amount_above_open" 422 "The amount is more than what is open"
    TOO_MANY_CREDIT_NOTES "too_many_credit_notes" 409 "The invoice has as many credit notes as it may have"
    BATCH_MATERIALIZING "batch_materializing" 409 "The batch is being materialised"
    CAE_PENDING "cae_pending" 409 "The document has no CAE yet"
    UNSUPPORTED_FORMAT "unsupported_format" 422 "The format is not offered"
    IDS_OR_BATCH "ids_or_batch" 422 "Exactly one of ids and batch is needed"
    TOO_MANY_FOR_SYNC "too_many_for_sync" 422 "Too many pendings for a synchronous batch"
    ASYNC_ONLY "async_only" 422 "A selection needs the asynchronous route"
    BATCH_NOT_RETRYABLE "batch_not_retryable" 409 "The batch cannot be retried"
    RANGE_TOO_LARGE "range_too_large" 422 "The range is too large"

    // Billing: how a batch fails
    INVALID_PENDINGS "invalid_pendings" 409 "Some pendings cannot be invoiced"
    NOTHING_TO_INVOICE "nothing_to_invoice" 409 "No pending can be invoiced"
    SELECTION_TOO_LARGE "selection_too_large" 409 "The selection matches too many pendings"
    PROCESSING_FAILED "processing_failed" 409 "Processing failed repeatedly"
    WORKER_LOST "worker_lost" 409 "Processing was interrupted repeatedly"

    // Billing: ERP sync
    INVOICE_NOT_FOUND "invoice_not_found" 404 "The document does not exist"
    ALREADY_SYNCED "already_synced" 409 "The document is in a confirmed sync"
    SYNC_IN_PROGRESS "sync_in_progress" 409 "The document is in a sync that is not at its end"
    BATCH_NOT_PROCESSED "batch_not_processed" 409 "The batch has no invoices"
    NOTHING_TO_SYNC "nothing_to_sync" 409 "No document can be sent"
    DIGEST_MISMATCH "digest_mismatch" 409 "The documents have another digest"
    SYNC_NOT_SENT "sync_not_sent" 409 "The sync is not sent yet"
    SYNC_CONFIRMED "sync_confirmed" 409 "The sync is confirmed"
    SYNC_FAILED "sync_failed" 409 "The sync failed"

    // Billing: how a sync fails
    ERP_REFUSED "erp_refused" 409 "The ERP did not accept the documents"
    SET_CHANGED "set_changed" 409 "The documents changed before they were sent"
    CANCELLED "cancelled" 409 "Somebody cancelled it"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_a_distinct_snake_case_word() {
        let words: BTreeSet<_> = ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), ALL.len());
        for word in words {
            assert!(
                word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{word}"
            );
        }
    }

    #[test]
    fn every_code_has_an_error_status_and_a_title() {
        for code in Code::all() {
            assert!((400..600).contains(&code.status()), "{code}");
            assert!(!code.title().is_empty() && !code.title().ends_with('.'));
        }
    }

    #[test]
    fn a_code_is_found_by_its_word() {
        assert_eq!(Code::find("not_json"), Some(NOT_JSON));
        assert_eq!(Code::find("nonsense"), None);
    }
}
