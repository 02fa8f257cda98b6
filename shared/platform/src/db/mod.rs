//! DynamoDB as Cierre uses it: strong loads by key, queries over one partition, one transaction per command.
//!
//! Rules that hold everywhere: what decides is read strongly from the base table; lists come from indexes; every query pages to its end;
//! nothing scans. Every number of requests and capacity units is metered ([`consumed`]).

mod entity;
mod expr;
mod key;
mod meter;
mod query;
mod tx;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, PutRequest, ReturnConsumedCapacity, ReturnValue,
    WriteRequest,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use entity::{doc, loaded_doc, read_doc, with};
pub use expr::{Changes, Condition, IntoValue};
pub use key::{Item, Key, Table};
pub(crate) use meter::CountRequests;
pub use meter::{Reading, consumed, item_bytes};
pub use query::{Query, QueryPage};
pub use tx::{CommitError, MAX_ACTIONS, Reason, Tx};

use crate::aws::Lazy;
use crate::error::{Doing, Failure};
use crate::random;

/// Items of one BatchGetItem request.
const MAX_BATCH_GET: usize = 100;
/// Items of one BatchWriteItem request.
const MAX_BATCH_WRITE: usize = 25;
/// Tries of a request that lost against other traffic, first one included. Waits grow from 20 ms to 640 ms with full jitter.
const CONTENTION_TRIES: u32 = 8;

/// A handle on the tables that this function may touch. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    client: Lazy<Client>,
    names: Arc<HashMap<Table, String>>,
}

impl Db {
    /// Takes the physical table names from the environment; a table whose variable is absent cannot be used by this function.
    pub fn from_env(client: impl Into<Lazy<Client>>, tables: &[Table]) -> Self {
        let names = tables
            .iter()
            .filter_map(|table| Some((*table, std::env::var(table.variable()).ok()?)))
            .collect();
        Self::new(client, names)
    }

    /// A handle with explicit table names.
    pub fn new(client: impl Into<Lazy<Client>>, names: HashMap<Table, String>) -> Self {
        Self {
            client: client.into(),
            names: Arc::new(names),
        }
    }

    fn name(&self, table: Table) -> Result<String, Failure> {
        let missing = || {
            Failure::message(format!(
                "the environment variable {} is not set",
                table.variable()
            ))
        };
        self.names.get(&table).cloned().ok_or_else(missing)
    }

    /// Reads one item strongly.
    ///
    /// # Errors
    /// When DynamoDB does not answer or the item does not have the expected shape.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, Failure> {
        self.get_item(key).await?.map(read_item).transpose()
    }

    /// Reads one item strongly, as attributes.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get_item(&self, key: &Key) -> Result<Option<Item>, Failure> {
        let answer = self
            .client
            .get_item()
            .table_name(self.name(key.table)?)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .send()
            .await
            .doing("reading an item")?;
        meter::read_items(1, &answer.item, true);
        Ok(answer.item)
    }

    /// Reads many items strongly, of any tables, in as few requests as possible (100 keys each).
    ///
    /// # Errors
    /// When DynamoDB does not answer or keeps keys back for too long.
    pub async fn load(&self, keys: impl IntoIterator<Item = Key>) -> Result<Loaded, Failure> {
        let mut wanted: Vec<Key> = keys.into_iter().collect();
        wanted.sort();
        wanted.dedup();
        let mut items = HashMap::with_capacity(wanted.len());
        for keys in wanted.chunks(MAX_BATCH_GET) {
            self.load_batch(keys, &mut items).await?;
        }
        Ok(Loaded { items })
    }

    async fn load_batch(
        &self,
        keys: &[Key],
        items: &mut HashMap<Key, Item>,
    ) -> Result<(), Failure> {
        let mut tables: HashMap<String, Table> = HashMap::new();
        let mut request: HashMap<String, KeysAndAttributes> = HashMap::new();
        for key in keys {
            let name = self.name(key.table)?;
            tables.insert(name.clone(), key.table);
            let entry = match request.remove(&name) {
                Some(KeysAndAttributes { mut keys, .. }) => {
                    keys.push(key.attributes());
                    keys
                }
                None => vec![key.attributes()],
            };
            let entry = KeysAndAttributes::builder()
                .set_keys(Some(entry))
                .consistent_read(true)
                .build()
                .doing("building a read")?;
            request.insert(name, entry);
        }
        let mut asked = keys.len();
        for attempt in 0..CONTENTION_TRIES {
            let answer = self
                .client
                .batch_get_item()
                .set_request_items(Some(request))
                .send()
                .await
                .doing("reading several items")?;
            let left = answer.unprocessed_keys.unwrap_or_default();
            let answered = answer.responses.unwrap_or_default();
            let still: usize = left.values().map(|entry| entry.keys().len()).sum();
            meter::read_items(asked - still, answered.values().flatten(), true);
            for (name, found) in answered {
                let Some(table) = tables.get(&name) else {
                    continue;
                };
                items.extend(
                    found
                        .into_iter()
                        .filter_map(|item| Some((Key::of(*table, &item)?, item))),
                );
            }
            if left.is_empty() {
                return Ok(());
            }
            asked = still;
            request = left;
            back_off(attempt).await;
        }
        Err(Failure::message(
            "DynamoDB kept back keys of a batch read after every try",
        ))
    }

    /// One page of a query.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn query(&self, query: &Query) -> Result<QueryPage, Failure> {
        let mut names = expr::Names::default();
        let condition = query.key_condition(&mut names);
        let (names, values) = names.finish();
        let answer = self
            .client
            .query()
            .table_name(self.name(query.table)?)
            .set_index_name(query.index.map(str::to_owned))
            .key_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .scan_index_forward(!query.descending)
            .set_limit(query.limit.and_then(|limit| i32::try_from(limit).ok()))
            .consistent_read(query.strong)
            .set_exclusive_start_key(query.start.clone())
            .send()
            .await
            .doing("querying a partition")?;
        let items = answer.items.unwrap_or_default();
        meter::read_page(&items, query.strong);
        Ok(QueryPage {
            items,
            last: answer.last_evaluated_key.filter(|key| !key.is_empty()),
        })
    }

    /// All items of a query, to its end.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn query_all(&self, query: Query) -> Result<Vec<Item>, Failure> {
        let mut items = Vec::new();
        let mut query = query;
        loop {
            let page = self.query(&query).await?;
            items.extend(page.items);
            match page.last {
                Some(last) => query = query.start_after(last),
                None => return Ok(items),
            }
        }
    }

    /// Commits a transaction. Conflicts and throttling decide nothing, so the same transaction is tried again, a bounded number of times;
    /// a condition that does not hold is final. The SDK gives each call a token, so its own retries cannot apply it twice.
    ///
    /// # Errors
    /// [`CommitError::Refused`] with one reason per action, [`CommitError::Contended`], or a fault.
    pub async fn commit(&self, tx: &Tx) -> Result<(), CommitError> {
        if tx.len() > MAX_ACTIONS {
            return Err(Failure::message(format!(
                "a transaction of {} actions is over the limit of {MAX_ACTIONS}",
                tx.len()
            ))
            .into());
        }
        for attempt in 0..CONTENTION_TRIES {
            match self.commit_once(tx).await? {
                Outcome::Applied => return Ok(()),
                Outcome::Refused(reasons) => return Err(CommitError::Refused(reasons)),
                Outcome::Contended => back_off(attempt).await,
            }
        }
        Err(CommitError::Contended)
    }

    async fn commit_once(&self, tx: &Tx) -> Result<Outcome, CommitError> {
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(tx.render(|key| self.name(key.table))?))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match sent {
            Ok(answer) => {
                meter::wrote(answer.consumed_capacity());
                Ok(Outcome::Applied)
            }
            Err(error) => classify(error),
        }
    }

    /// Writes items without conditions, 25 to a request. For content that is the same whoever writes it.
    ///
    /// # Errors
    /// When DynamoDB does not answer or keeps items back for too long.
    pub async fn put_all<T: Serialize>(
        &self,
        items: impl IntoIterator<Item = (Key, T)>,
    ) -> Result<(), Failure> {
        let mut requests = Vec::new();
        for (key, body) in items {
            let mut item: Item = serde_dynamo::to_item(&body).doing("writing an item")?;
            item.extend(key.attributes());
            let put = PutRequest::builder()
                .set_item(Some(item))
                .build()
                .doing("building a write")?;
            requests.push((
                self.name(key.table)?,
                WriteRequest::builder().put_request(put).build(),
            ));
        }
        for chunk in requests.chunks(MAX_BATCH_WRITE) {
            let mut left: HashMap<String, Vec<WriteRequest>> = HashMap::new();
            for (name, request) in chunk {
                left.entry(name.clone()).or_default().push(request.clone());
            }
            self.put_batch(left).await?;
        }
        Ok(())
    }

    async fn put_batch(&self, mut left: HashMap<String, Vec<WriteRequest>>) -> Result<(), Failure> {
        for attempt in 0..CONTENTION_TRIES {
            let answer = self
                .client
                .batch_write_item()
                .set_request_items(Some(left))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .doing("writing several items")?;
            meter::wrote(answer.consumed_capacity());
            left = answer.unprocessed_items.unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
            back_off(attempt).await;
        }
        Err(Failure::message(
            "DynamoDB kept back items of a batch write after every try",
        ))
    }

    /// Changes one item and answers it as it stands afterwards; `None` when the condition does not hold.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn change(
        &self,
        key: &Key,
        changes: &Changes,
        condition: &Condition,
    ) -> Result<Option<Item>, Failure> {
        let mut names = expr::Names::default();
        let update = changes.render(&mut names);
        let condition = condition.render(&mut names);
        let (names, values) = names.finish();
        let sent = self
            .client
            .update_item()
            .table_name(self.name(key.table)?)
            .set_key(Some(key.attributes()))
            .update_expression(update)
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values(ReturnValue::AllNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match sent {
            Ok(answer) => {
                meter::wrote(answer.consumed_capacity.as_slice());
                Ok(answer.attributes)
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Ok(None)
            }
            Err(error) => Err(Failure::new("changing an item", error)),
        }
    }
}

enum Outcome {
    Applied,
    Refused(Vec<Reason>),
    Contended,
}

fn classify(error: SdkError<TransactWriteItemsError>) -> Result<Outcome, CommitError> {
    let service = error.as_service_error();
    if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = service {
        let reasons: Vec<Reason> = cancelled
            .cancellation_reasons()
            .iter()
            .map(Reason::of)
            .collect();
        if let Some(Reason::Broken(text)) = reasons
            .iter()
            .find(|reason| matches!(reason, Reason::Broken(_)))
        {
            return Err(Failure::message(format!(
                "DynamoDB rejects an action of the transaction: {text}"
            ))
            .into());
        }
        // A refusal is final even beside a conflict: the conditions are all evaluated, and this one said no.
        if reasons
            .iter()
            .any(|reason| matches!(reason, Reason::Refused(_)))
        {
            return Ok(Outcome::Refused(reasons));
        }
        return Ok(Outcome::Contended);
    }
    let contended = service.is_some_and(|e| {
        e.is_transaction_in_progress_exception()
            || e.is_provisioned_throughput_exceeded_exception()
            || e.is_request_limit_exceeded()
    });
    if contended {
        Ok(Outcome::Contended)
    } else {
        Err(Failure::new("committing a transaction", error).into())
    }
}

/// Sleeps with full jitter, so that the losers of one race do not meet again at the same instant: at most 20 ms after the first try, at most
/// 640 ms after the sixth and later ones.
pub async fn back_off(attempt: u32) {
    let ceiling = 20_u64 << attempt.min(5);
    tokio::time::sleep(Duration::from_millis(1 + random::below(ceiling))).await;
}

/// The items that a [`Db::load`] found.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    items: HashMap<Key, Item>,
}

impl Loaded {
    /// The item of this key in its type, if there is one.
    ///
    /// # Errors
    /// When the item does not have the expected shape.
    pub fn read<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, Failure> {
        self.items.get(key).cloned().map(read_item).transpose()
    }

    /// The item of this key, as attributes.
    pub fn item(&self, key: &Key) -> Option<&Item> {
        self.items.get(key)
    }
}

/// Reads an item into its type.
///
/// # Errors
/// When the item does not have the expected shape.
pub fn read_item<T: DeserializeOwned>(item: Item) -> Result<T, Failure> {
    serde_dynamo::from_item(item).doing("reading a stored item")
}

/// A text attribute of an item.
pub fn text<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    item.get(attribute)
        .and_then(|value| value.as_s().ok())
        .map(String::as_str)
}

/// A whole-number attribute of an item.
pub fn number(item: &Item, attribute: &str) -> Option<i64> {
    item.get(attribute)
        .and_then(|value| value.as_n().ok())
        .and_then(|n| n.parse().ok())
}

/// A set of numbers, for [`Changes::add`].
pub fn number_set(numbers: impl IntoIterator<Item = u32>) -> AttributeValue {
    AttributeValue::Ns(numbers.into_iter().map(|n| n.to_string()).collect())
}
