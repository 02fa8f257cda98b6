//! Where the heads of billing's chains of events stand.

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{BatchId, InvoiceId, PendingId, ServiceId, SyncId};
use cierre_platform::activity::{ChainHeads, HeadPlace};
use cierre_platform::db::Key;

use crate::entity::{DocumentType, ERP_SYNC, attribute, resource};
use crate::rejections::REJECTED;
use crate::rules::Sequence;
use crate::{ids, settings, table};

/// The attribute of most items.
const HEAD: &str = "head";

/// Billing's resources.
#[derive(Clone, Copy, Debug)]
pub struct BillingHeads;

impl ChainHeads for BillingHeads {
    fn locate(
        &self,
        company: &CompanyId,
        resource_type: &str,
        resource_id: &str,
    ) -> Vec<HeadPlace> {
        find(company, resource_type, resource_id).unwrap_or_default()
    }
}

fn find(company: &CompanyId, resource_type: &str, id: &str) -> Option<Vec<HeadPlace>> {
    Some(match resource_type {
        resource::CUSTOMER => in_item(table::customer(company, number(id)?)),
        resource::SERVICE => {
            let key = table::service(company, id.parse().ok()?);
            vec![HeadPlace::new(key, attribute::HEAD)]
        }
        resource::PENDING => of_pending(company, id.parse().ok()?),
        resource::INVOICE => of_invoice(company, id.parse().ok()?),
        resource::CREDIT_NOTE => {
            let (book, number) = ids::credit_note_place(id.parse().ok()?)?;
            let place = HeadPlace::new(table::credit_note(company, &book, number), HEAD);
            vec![place.only_if("id", id)]
        }
        resource::BATCH if id == REJECTED => in_item(table::rejected_batches(company)),
        ERP_SYNC if id == REJECTED => in_item(table::rejected_syncs(company)),
        ERP_SYNC => in_item(table::sync(company, id.parse::<SyncId>().ok()?)),
        resource::BATCH => in_item(table::batch(company, id.parse::<BatchId>().ok()?)),
        resource::BOOK => {
            // The chain is named after the spelling that was committed first, whatever the spelling that is asked for.
            let Sequence {
                book,
                document_type,
            } = Sequence::parse(id).ok()?;
            let key = match document_type {
                DocumentType::Invoice => table::book(company, &book.key()),
                DocumentType::CreditNote => table::credit_note_book(company, &book.key()),
            };
            vec![HeadPlace::new(key, HEAD).only_if("receiptBook", book.to_string())]
        }
        settings::RESOURCE_TYPE if id == settings::resource_id(company) => {
            in_item(table::billing_settings(company))
        }
        _ => return None,
    })
}

fn in_item(key: Key) -> Vec<HeadPlace> {
    vec![HeadPlace::new(key, HEAD)]
}

/// A cancelled pending has an item of its own; the current one stands in its service's item, which then has sent exactly so many.
fn of_pending(company: &CompanyId, pending: PendingId) -> Vec<HeadPlace> {
    let (service, attempt): (ServiceId, u16) = ids::service_of(pending);
    let cancelled = HeadPlace::new(table::cancelled_pending(company, service, pending), HEAD);
    let current = HeadPlace::new(table::service(company, service), attribute::PENDING_HEAD);
    vec![cancelled, current.only_if(attribute::SENDS, attempt + 1)]
}

/// An invoice's head stands in the item that it shares with its service; the id says which pending it was.
fn of_invoice(company: &CompanyId, invoice: InvoiceId) -> Vec<HeadPlace> {
    let (service, attempt) = ids::service_of(ids::pending_of(invoice));
    let place = HeadPlace::new(table::service(company, service), attribute::INVOICE_HEAD);
    vec![place.only_if(attribute::SENDS, attempt + 1)]
}

/// A customer's number in its one spelling.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|n: &u32| n.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn company() -> CompanyId {
        CompanyId::parse("demo").unwrap()
    }

    #[rstest]
    #[case("customer", "1", "demo#customer", "0000000001")]
    #[case(
        "service",
        "svc_01JD0000000000000000000001",
        "demo#svc#1",
        "01JD0000000000000000000001"
    )]
    #[case(
        "billing_batch",
        "bat_01JD0000000000000000000001",
        "demo#batch#bat_01JD0000000000000000000001",
        "batch"
    )]
    #[case("billing_batch", "rejected", "demo#rejected", "billing_batch")]
    #[case("receipt_book", "A-0001", "demo#book", "A-00001")]
    #[case("company_settings", "demo/billing", "demo#settings", "billing")]
    fn a_resource_is_found_in_its_own_item(
        #[case] kind: &str,
        #[case] id: &str,
        #[case] pk: &str,
        #[case] sk: &str,
    ) {
        let places = BillingHeads.locate(&company(), kind, id);
        let [place] = places.as_slice() else {
            panic!("one place expected, not {places:?}")
        };
        assert_eq!((place.key.pk.as_str(), place.key.sk.as_str()), (pk, sk));
        assert_eq!(place.attribute, "head");
    }

    #[rstest]
    #[case("customer", "01")]
    #[case("customer", "x")]
    #[case("service", "pen_01JD0000000000000000000001")]
    #[case("company_settings", "demo")]
    #[case("company_settings", "other/billing")]
    #[case("spaceship", "1")]
    fn what_is_no_resource_has_no_place(#[case] kind: &str, #[case] id: &str) {
        assert_eq!(BillingHeads.locate(&company(), kind, id), []);
    }

    #[test]
    fn a_pending_is_looked_for_in_its_history_and_then_in_its_service() {
        let places = BillingHeads.locate(
            &company(),
            "billing_pending",
            "pen_01JD0000000100000000000001",
        );
        let at: Vec<(&str, &str)> = places
            .iter()
            .map(|place| (place.key.sk.as_str(), place.attribute))
            .collect();
        assert_eq!(
            at,
            [
                (
                    "01JD0000000000000000000001#01JD0000000100000000000001",
                    "head"
                ),
                ("01JD0000000000000000000001", "pendingHead"),
            ]
        );
    }
}
