//! Queries over one partition of a table or an index, page by page.

use aws_sdk_dynamodb::types::AttributeValue;

use super::expr::{IntoValue, Names};
use super::key::{Item, Table};

#[derive(Clone, Debug)]
enum SortRange {
    All,
    Between(String, String),
    From(String),
    After(String),
    UpTo(String),
    Before(String),
    Prefix(String),
}

/// One partition's items in sort order. Nothing here can scan a table.
#[derive(Clone, Debug)]
pub struct Query {
    pub(super) table: Table,
    pub(super) index: Option<&'static str>,
    partition: (&'static str, String),
    sort: &'static str,
    range: SortRange,
    pub(super) descending: bool,
    pub(super) limit: Option<u32>,
    pub(super) strong: bool,
    pub(super) start: Option<Item>,
}

impl Query {
    /// The base table's partition `pk`, read strongly.
    pub fn partition(table: Table, pk: impl Into<String>) -> Self {
        Self {
            table,
            index: None,
            partition: ("pk", pk.into()),
            sort: "sk",
            range: SortRange::All,
            descending: false,
            limit: None,
            strong: true,
            start: None,
        }
    }

    /// A partition of a global index; such reads follow the table within moments and never decide anything.
    pub fn index(
        table: Table,
        index: &'static str,
        partition: &'static str,
        value: impl Into<String>,
        sort: &'static str,
    ) -> Self {
        Self {
            index: Some(index),
            partition: (partition, value.into()),
            sort,
            strong: false,
            ..Self::partition(table, "")
        }
    }

    /// A partition of a local index, read strongly.
    pub fn local_index(
        table: Table,
        index: &'static str,
        pk: impl Into<String>,
        sort: &'static str,
    ) -> Self {
        Self {
            index: Some(index),
            sort,
            ..Self::partition(table, pk)
        }
    }

    /// Both ends included.
    #[must_use]
    pub fn between(mut self, low: impl Into<String>, high: impl Into<String>) -> Self {
        self.range = SortRange::Between(low.into(), high.into());
        self
    }

    /// `sort >= low`.
    #[must_use]
    pub fn from(mut self, low: impl Into<String>) -> Self {
        self.range = SortRange::From(low.into());
        self
    }

    /// `sort > low`.
    #[must_use]
    pub fn after(mut self, low: impl Into<String>) -> Self {
        self.range = SortRange::After(low.into());
        self
    }

    /// `sort <= high`.
    #[must_use]
    pub fn up_to(mut self, high: impl Into<String>) -> Self {
        self.range = SortRange::UpTo(high.into());
        self
    }

    /// `sort < high`.
    #[must_use]
    pub fn before(mut self, high: impl Into<String>) -> Self {
        self.range = SortRange::Before(high.into());
        self
    }

    /// Sort keys that begin so.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.range = SortRange::Prefix(prefix.into());
        self
    }

    /// Last first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// At most so many items a page.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Half the price where a moment's delay does no harm.
    #[must_use]
    pub fn eventual(mut self) -> Self {
        self.strong = false;
        self
    }

    /// Goes on after the page whose last key this is.
    #[must_use]
    pub fn start_after(mut self, last: Item) -> Self {
        self.start = Some(last);
        self
    }

    pub(super) fn key_condition(&self, names: &mut Names) -> String {
        let partition = format!(
            "{} = {}",
            names.name(self.partition.0),
            names.value(AttributeValue::S(self.partition.1.clone()))
        );
        if matches!(self.range, SortRange::All) {
            return partition;
        }
        let sort = names.name(self.sort);
        let range = match &self.range {
            SortRange::All => return partition,
            SortRange::Between(low, high) => {
                format!(
                    "{sort} BETWEEN {} AND {}",
                    names.value(low.into_value()),
                    names.value(high.into_value())
                )
            }
            SortRange::From(low) => format!("{sort} >= {}", names.value(low.into_value())),
            SortRange::After(low) => format!("{sort} > {}", names.value(low.into_value())),
            SortRange::UpTo(high) => format!("{sort} <= {}", names.value(high.into_value())),
            SortRange::Before(high) => format!("{sort} < {}", names.value(high.into_value())),
            SortRange::Prefix(prefix) => {
                format!("begins_with({sort}, {})", names.value(prefix.into_value()))
            }
        };
        format!("{partition} AND {range}")
    }
}

/// One page of a query.
#[derive(Clone, Debug, Default)]
pub struct QueryPage {
    /// The items, in the order asked for.
    pub items: Vec<Item>,
    /// Where the next page begins; `None` at the end.
    pub last: Option<Item>,
}
