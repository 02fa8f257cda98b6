//! Where an item lives.

use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

/// A table, named by the environment variable that carries its physical name.
///
/// Every table of Cierre has the string keys `pk` and `sk`; every partition key begins with the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Table(&'static str);

impl Table {
    /// Declares a table by its environment variable.
    pub const fn new(variable: &'static str) -> Self {
        Self(variable)
    }

    /// The environment variable's name.
    pub const fn variable(self) -> &'static str {
        self.0
    }
}

/// A stored item, attribute by attribute.
pub type Item = HashMap<String, AttributeValue>;

/// The primary key of one item in one table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The table.
    pub table: Table,
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    /// A key from its parts.
    pub fn new(table: Table, pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            table,
            pk: pk.into(),
            sk: sk.into(),
        }
    }

    /// The two key attributes.
    pub fn attributes(&self) -> Item {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }

    /// Reads the key out of an item of `table`; `None` when an attribute is missing, which no stored item lacks.
    pub fn of(table: Table, item: &Item) -> Option<Self> {
        Some(Self::new(
            table,
            item.get("pk")?.as_s().ok()?,
            item.get("sk")?.as_s().ok()?,
        ))
    }
}
