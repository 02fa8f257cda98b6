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

    // Payroll: clients and closings
    RUT_INVALID "rut_invalid" 422 "The RUT is not valid"
    CLIENTE_EXISTS "cliente_exists" 409 "The client's RUT is in use"
    CLIENTE_UNKNOWN "cliente_unknown" 422 "The client does not exist"
    CIERRE_EXISTS "cierre_exists" 409 "The client has a closing of this month"
    PERIOD_INVALID "period_invalid" 422 "The month is not valid"
    REASON_REQUIRED "reason_required" 422 "A reason of 10 to 500 characters is needed"
    CIERRE_FINALIZED "cierre_finalized" 409 "The closing is finalised"
    CIERRE_DELETED "cierre_deleted" 409 "The closing is deleted"
    NOT_FINALIZED "not_finalized" 409 "The closing is not finalised"
    EVENT_TYPE_UNKNOWN "event_type_unknown" 422 "The event type does not exist"

    // Payroll: files
    KIND_UNKNOWN "kind_unknown" 422 "The kind of file does not exist"
    BAD_FILE_NAME "bad_file_name" 422 "The file name is not valid"
    FORMAT_NOT_SUPPORTED "format_not_supported" 422 "The file format is not supported"
    FILE_TOO_LARGE "file_too_large" 422 "The file is too large"
    FILE_EMPTY "file_empty" 422 "The file is empty"
    FILE_NOT_RECEIVED "file_not_received" 409 "The file has not arrived yet"
    FILE_IN_PROCESS "file_in_process" 409 "The file is in process"
    FILE_PROCESSED "file_processed" 409 "The file is processed"
    FILE_HAS_ERRORS "file_has_errors" 409 "The file has errors and needs a new upload"
    FILE_NOT_LIVE "file_not_live" 409 "The file is expired, replaced or deleted"
    FILE_NOT_VALIDATED "file_not_validated" 409 "The file is not validated yet"

    // Payroll: discrepancies and incidences
    FILES_INCOMPLETE "files_incomplete" 409 "The files are not complete"
    RESULTS_STALE "results_stale" 409 "The results are out of date"
    DISCREPANCIES_PENDING "discrepancies_pending" 409 "The discrepancies are not generated"
    DISCREPANCIES_OPEN "discrepancies_open" 409 "Blocking discrepancies are open"
    DISCREPANCY_CLOSED "discrepancy_closed" 409 "The discrepancy is not open"
    INCIDENCE_STATE "incidence_state" 409 "The incidence's state does not allow this"
    FOUR_EYES_REQUIRED "four_eyes_required" 403 "Somebody else has to do this"
    JUSTIFICATION_REQUIRED "justification_required" 422 "A justification of 10 to 1000 characters is needed"
    RESOLUTION_INVALID "resolution_invalid" 422 "The resolution is not one of those offered"
    COMMENT_REQUIRED "comment_required" 422 "A comment of 10 to 1000 characters is needed"
    INPUTS_CHANGED "inputs_changed" 409 "The files changed meanwhile"

    // Payroll: what blocks a closing
    CLOSE_BLOCKED "close_blocked" 409 "The closing cannot be finalised yet"
    REQUIRED_FILE_MISSING "required_file_missing" 409 "A required file is not processed"
    FILE_WITH_ERRORS "file_with_errors" 409 "A file has errors"
    JOB_RUNNING "job_running" 409 "A job of the closing is running"
    DISCREPANCIES_NOT_GENERATED "discrepancies_not_generated" 409 "The discrepancies are missing or out of date"
    DISCREPANCY_BLOCKING "discrepancy_blocking" 409 "A blocking discrepancy is open"
    INCIDENCES_NOT_GENERATED "incidences_not_generated" 409 "The incidences are missing or out of date"
    INCIDENCE_CRITICAL "incidence_critical" 409 "A critical incidence is not approved"

    // Payroll: exports
    LIBRO_MISSING "libro_missing" 409 "No payroll book is in force"
    LIBRO_NOT_EXPORTABLE "libro_not_exportable" 409 "The payroll book cannot be exported"

    // Payables: what a factura says
    REQUERIDO "requerido" 422 "The value is required"
    VALOR_NO_ADMITIDO "valor_no_admitido" 422 "The value is not one of those admitted"
    NIT_FORMATO "nit_formato" 422 "The NIT has the wrong form"
    NIT_DIGITO_INVALIDO "nit_digito_invalido" 422 "The check digit of the NIT is wrong"
    TOTAL_NO_POSITIVO "total_no_positivo" 422 "The total is not above zero"
    FECHA_FUTURA "fecha_futura" 422 "The date lies in the future"
    FECHA_INVALIDA "fecha_invalida" 422 "The date does not fit the other one"
    USUARIO_NO_VALIDO "usuario_no_valido" 422 "The user cannot take this part"
    HISTORICO_INCOMPLETO "historico_incompleto" 422 "The imported decision is not complete"
    FACTURA_DUPLICADA "factura_duplicada" 409 "The factura is registered already"

    // Payables: decisions
    MOTIVO_REQUERIDO "motivo_requerido" 422 "A reason of 3 to 1000 characters is needed"
    NO_ENCONTRADA "no_encontrada" 404 "There is no such factura"
    NO_AUTORIZADO_PARA_DECIDIR "no_autorizado_para_decidir" 403 "The caller may not decide on this factura"
    NOMBRE_RESERVADO "nombre_reservado" 403 "The name is reserved for automatic approvals"
    SOD_VIOLATION "sod_violation" 403 "Somebody else has to decide"
    SIN_RESPONSABLE "sin_responsable" 409 "The factura has no responsable"
    RESPONSABLE_YA_ASIGNADO "responsable_ya_asignado" 409 "The factura has a responsable"
    YA_APROBO "ya_aprobo" 409 "The person has approved in this round"
    YA_DECIDIDA "ya_decidida" 409 "Already decided"
    NO_DECIDIDA "no_decidida" 409 "Not decided yet"
    TIENE_APROBACIONES "tiene_aprobaciones" 409 "The factura has approvals"
    LIMITE_DE_RONDAS "limite_de_rondas" 409 "The factura has as many rounds as it may have"

    // Payables: delegations, policy, jobs
    DELEGACION_SOLAPADA "delegacion_solapada" 409 "Another delegation overlaps"
    DELEGACION_TERMINADA "delegacion_terminada" 409 "The delegation is over"
    BANDAS_INVALIDAS "bandas_invalidas" 422 "The bands are not valid"
    CANTIDAD_INVALIDA "cantidad_invalida" 422 "Too few or too many items"
    ID_REPETIDO "id_repetido" 422 "An id is repeated"
    TRABAJO_NO_REINTENTABLE "trabajo_no_reintentable" 409 "The trabajo cannot be retried"

    // Payables: electronic invoices
    ARCHIVO_DEMASIADO_GRANDE "archivo_demasiado_grande" 422 "The file is too large"
    XML_INSEGURO "xml_inseguro" 422 "The XML holds what is not safe to read"
    XML_MAL_FORMADO "xml_mal_formado" 422 "The XML is not well-formed"
    CODIFICACION_NO_ADMITIDA "codificacion_no_admitida" 422 "The XML has an encoding that is not read"
    TIPO_DOCUMENTO_NO_ADMITIDO "tipo_documento_no_admitido" 422 "The document is no invoice"
    CAMPO_FALTANTE "campo_faltante" 422 "A field is absent"
    CAMPO_INVALIDO "campo_invalido" 422 "A field is malformed"
    IMPORTE_FUERA_DE_RANGO "importe_fuera_de_rango" 422 "The amount is out of range"
    MONEDA_INCONSISTENTE "moneda_inconsistente" 422 "The amount has another currency than the document"
    DESTINATARIO_AJENO "destinatario_ajeno" 422 "The invoice is addressed to another company"
    PROCESAMIENTO_FALLIDO "procesamiento_fallido" 409 "Processing failed repeatedly"
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
