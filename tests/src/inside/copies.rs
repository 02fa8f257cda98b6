//! Companies by the hundred: one is made through the API, the others are copies of its items under another company.
//!
//! Events are not copied, because their hashes name the company. So the chains of what is copied cannot be verified; those of what a test does
//! afterwards can.

use aws_sdk_dynamodb::types::AttributeValue;
use cierre_billing::table::{self, BILLING};
use cierre_kernel::company::CompanyId;
use cierre_kernel::id::{PendingId, ServiceId};
use cierre_platform::company;
use cierre_platform::db::{Condition, Item, Key, MAX_ACTIONS, Query, Table, Tx, text};
use serde_json::{Value, json};

use super::{Ask, Inside};
use crate::company::Company;
use crate::sample::service;
use crate::stack::unique;

/// Customers of a template.
const CUSTOMERS: u32 = 3;

/// A company to be copied.
#[derive(Clone, Debug)]
pub struct Template {
    company: CompanyId,
    /// Settings and customers.
    common: Vec<(Table, Item)>,
    /// Services whose pendings wait, in the order of their dates.
    sent: Vec<(ServiceId, PendingId, Item)>,
    /// Services that were not sent.
    fresh: Vec<(ServiceId, Item)>,
}

/// A copy of a [`Template`].
#[derive(Clone, Debug)]
pub struct Twin {
    /// The company.
    pub company: CompanyId,
    /// Its pendings, all waiting.
    pub pendings: Vec<PendingId>,
    /// Their services.
    pub sent: Vec<ServiceId>,
    /// Services that were not sent.
    pub fresh: Vec<ServiceId>,
}

impl Template {
    /// Makes a company with so many services that are sent to billing, and so many that are not.
    pub async fn make(inside: &Inside, sent: u32, fresh: u32) -> Self {
        let company = new_company();
        let ask = async |ask: Ask| inside.ask(&company, &ask).await.ok();
        ask(Ask::put(
            "/company/settings",
            Company::settings_of(company.as_str()),
        ))
        .await;
        let issuer = Company::billing_settings("RESPONSABLE_INSCRIPTO");
        ask(Ask::put("/company/settings/billing", issuer)).await;
        for id in 1..=CUSTOMERS {
            ask(Ask::post("/customers", Company::customer(id))).await;
        }
        let bodies: Vec<Value> = (0..sent + fresh)
            .map(|n| service(1 + n % 28, 1 + n % CUSTOMERS, 100 + i64::from(n)).body())
            .collect();
        let entered = ask(Ask::post("/services/bulk", json!({ "services": bodies }))).await;
        let ids: Vec<ServiceId> = entered["created"]
            .as_array()
            .unwrap()
            .iter()
            .map(|created| created["id"].as_str().unwrap().parse().unwrap())
            .collect();
        assert_eq!(ids.len() as u32, sent + fresh, "{entered}");
        let (sent, fresh) = ids.split_at(sent as usize);
        let asked = json!({ "serviceIds": sent });
        let done = ask(Ask::post("/services/send-to-billing", asked)).await;
        assert_eq!(done["failed"], json!([]));
        Self {
            common: common_items(inside, &company).await,
            sent: sent_items(inside, &company, sent).await,
            fresh: items(inside, &company, fresh).await,
            company,
        }
    }

    /// A new company with the settings and customers, and with the first so many of its services.
    pub async fn twin(&self, inside: &Inside, sent: usize, fresh: usize) -> Twin {
        let company = new_company();
        let services = self.sent.iter().take(sent).map(|(_, _, item)| item);
        let services = services.chain(self.fresh.iter().take(fresh).map(|(_, item)| item));
        let all: Vec<(Table, Item)> = self
            .common
            .iter()
            .cloned()
            .chain(services.map(|item| (BILLING, item.clone())))
            .collect();
        for some in all.chunks(MAX_ACTIONS) {
            let mut tx = Tx::new();
            for (table, item) in some {
                let item = self.renamed(item, &company);
                let key = Key::of(*table, &item).unwrap();
                tx.put_item(key, item, Condition::absent());
            }
            inside.db().commit(&tx).await.unwrap();
        }
        Twin {
            company,
            pendings: self.sent.iter().take(sent).map(|found| found.1).collect(),
            sent: self.sent.iter().take(sent).map(|found| found.0).collect(),
            fresh: self.fresh.iter().take(fresh).map(|found| found.0).collect(),
        }
    }

    /// The item as another company's: every key begins with the company.
    fn renamed(&self, item: &Item, company: &CompanyId) -> Item {
        let rename = |value: &AttributeValue| {
            let text = value.as_s().ok()?;
            let rest = text.strip_prefix(self.company.as_str())?;
            let ours = rest.is_empty() || rest.starts_with('#');
            ours.then(|| AttributeValue::S(format!("{company}{rest}")))
        };
        let rename = |(name, value): (&String, &AttributeValue)| {
            let value = rename(value).unwrap_or_else(|| value.clone());
            (name.clone(), value)
        };
        item.iter().map(rename).collect()
    }
}

fn new_company() -> CompanyId {
    CompanyId::parse(&format!("i-{}", unique())).unwrap()
}

async fn partition(inside: &Inside, table: Table, pk: String) -> Vec<(Table, Item)> {
    let found = inside.db().query_all(Query::partition(table, pk)).await;
    let found = found.unwrap().into_iter();
    found.map(|item| (table, item)).collect()
}

async fn common_items(inside: &Inside, company: &CompanyId) -> Vec<(Table, Item)> {
    let settings = company::settings_key(company).pk;
    let billing = table::billing_settings(company).pk;
    let mut items = partition(inside, company::TABLE, settings).await;
    items.extend(partition(inside, BILLING, billing).await);
    items.extend(partition(inside, BILLING, table::customers(company)).await);
    items
}

async fn items(
    inside: &Inside,
    company: &CompanyId,
    services: &[ServiceId],
) -> Vec<(ServiceId, Item)> {
    let keys = services.iter().map(|id| table::service(company, *id));
    let loaded = inside.db().load(keys).await.unwrap();
    let found = services.iter().map(|id| {
        let item = loaded.item(&table::service(company, *id)).unwrap();
        (*id, item.clone())
    });
    found.collect()
}

async fn sent_items(
    inside: &Inside,
    company: &CompanyId,
    services: &[ServiceId],
) -> Vec<(ServiceId, PendingId, Item)> {
    let found = items(inside, company, services).await.into_iter();
    let mut found: Vec<_> = found
        .map(|(id, item)| (id, cierre_billing::ids::pending_id(id, 0).unwrap(), item))
        .collect();
    found.sort_by_key(|(id, _, item)| (text(item, table::OPEN_SORT).map(str::to_owned), *id));
    found
}
