//! One transaction per command: collected action by action, committed once, its refusal explained action by action.

use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use serde::Serialize;

use super::expr::{Changes, Condition, Names};
use super::key::{Item, Key};
use crate::error::{Doing, Failure};

/// DynamoDB's limit on actions in one transaction.
pub const MAX_ACTIONS: usize = 100;

#[derive(Clone, Debug)]
enum Act {
    Put(Item),
    Update(Changes),
    Check,
    Delete,
}

#[derive(Clone, Debug)]
struct Action {
    key: Key,
    act: Act,
    condition: Condition,
}

/// A transaction in the making. The order of the actions is the order of the reasons when it is cancelled.
#[derive(Clone, Debug, Default)]
pub struct Tx {
    actions: Vec<Action>,
}

impl Tx {
    /// An empty transaction.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many actions it holds.
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Writes a whole item. The key attributes are added here. Returns the action's position.
    ///
    /// # Errors
    /// When the body cannot be written as a map.
    pub fn put(
        &mut self,
        key: Key,
        body: &impl Serialize,
        condition: Condition,
    ) -> Result<usize, Failure> {
        Ok(self.put_item(
            key,
            serde_dynamo::to_item(body).doing("writing an item")?,
            condition,
        ))
    }

    /// Writes a whole item given as attributes. The key attributes are added here. Returns the action's position.
    pub fn put_item(&mut self, key: Key, mut item: Item, condition: Condition) -> usize {
        item.extend(key.attributes());
        self.push(Action {
            key,
            act: Act::Put(item),
            condition,
        })
    }

    /// Changes some attributes of an item. Returns the action's position.
    pub fn update(&mut self, key: Key, changes: Changes, condition: Condition) -> usize {
        self.push(Action {
            key,
            act: Act::Update(changes),
            condition,
        })
    }

    /// Demands something of an item that the transaction does not write. Returns the action's position.
    pub fn check(&mut self, key: Key, condition: Condition) -> usize {
        self.push(Action {
            key,
            act: Act::Check,
            condition,
        })
    }

    /// Removes an item. Returns the action's position.
    pub fn delete(&mut self, key: Key, condition: Condition) -> usize {
        self.push(Action {
            key,
            act: Act::Delete,
            condition,
        })
    }

    fn push(&mut self, action: Action) -> usize {
        self.actions.push(action);
        self.actions.len() - 1
    }

    /// The keys that it writes or checks, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.actions.iter().map(|action| &action.key)
    }

    pub(super) fn render(
        &self,
        table_name: impl Fn(&Key) -> Result<String, Failure>,
    ) -> Result<Vec<TransactWriteItem>, Failure> {
        self.actions
            .iter()
            .map(|action| action.render(table_name(&action.key)?))
            .collect()
    }
}

impl Action {
    fn render(&self, table: String) -> Result<TransactWriteItem, Failure> {
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        let what = "building a transaction";
        let mut names = Names::default();
        let item = TransactWriteItem::builder();
        Ok(match &self.act {
            Act::Put(body) => {
                let condition = self.condition.render(&mut names);
                let (names, values) = names.finish();
                let put = Put::builder()
                    .table_name(table)
                    .set_item(Some(body.clone()))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(old);
                item.put(put.build().doing(what)?)
            }
            Act::Update(changes) => {
                let update_expression = changes.render(&mut names);
                let condition = self.condition.render(&mut names);
                let (names, values) = names.finish();
                let update = Update::builder()
                    .table_name(table)
                    .set_key(Some(self.key.attributes()))
                    .update_expression(update_expression)
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(old);
                item.update(update.build().doing(what)?)
            }
            Act::Check => {
                let condition = self.condition.render(&mut names).unwrap_or_default();
                let (names, values) = names.finish();
                let check = ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(self.key.attributes()))
                    .condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(old);
                item.condition_check(check.build().doing(what)?)
            }
            Act::Delete => {
                let condition = self.condition.render(&mut names);
                let (names, values) = names.finish();
                let delete = Delete::builder()
                    .table_name(table)
                    .set_key(Some(self.key.attributes()))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(old);
                item.delete(delete.build().doing(what)?)
            }
        }
        .build())
    }
}

/// Why one action did not go through.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// This action was fine; another one was not.
    Fine,
    /// Its condition did not hold. The item as it stood, `None` when there is none.
    Refused(Option<Item>),
    /// Another transaction held the item at that moment: nothing is decided, try again.
    Conflict,
    /// Too much at once: nothing is decided, try again later.
    Throttled,
    /// A bug of ours: malformed, too large. The code and message as given.
    Broken(String),
}

impl Reason {
    pub(super) fn of(reason: &CancellationReason) -> Self {
        match reason.code().unwrap_or("None") {
            "None" => Self::Fine,
            "ConditionalCheckFailed" => {
                Self::Refused(reason.item().filter(|item| !item.is_empty()).cloned())
            }
            "TransactionConflict" | "DuplicateItem" => Self::Conflict,
            "ThrottlingError" | "ProvisionedThroughputExceeded" => Self::Throttled,
            other => Self::Broken(format!("{other}: {}", reason.message().unwrap_or_default())),
        }
    }
}

/// Why a transaction was not applied.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// At least one condition did not hold; nothing was written. One reason per action, in order.
    #[error("a condition of the transaction does not hold")]
    Refused(Vec<Reason>),
    /// Conflicts or throttling outlasted every try; nothing was written.
    #[error("the transaction lost against others too often")]
    Contended,
    /// A fault, possibly after the effect: read before you write again.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl CommitError {
    /// Whether the action at `position` was refused by its condition, and with which item.
    pub fn refused_at(&self, position: usize) -> Option<Option<&Item>> {
        match self {
            Self::Refused(reasons) => match reasons.get(position) {
                Some(Reason::Refused(item)) => Some(item.as_ref()),
                Some(Reason::Fine | Reason::Conflict | Reason::Throttled | Reason::Broken(_))
                | None => None,
            },
            Self::Contended | Self::Failed(_) => None,
        }
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Failed(failure) => failure,
            CommitError::Refused(_) | CommitError::Contended => {
                Failure::new("committing a transaction", error)
            }
        }
    }
}
