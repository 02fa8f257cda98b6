//! What waits, in total and by customer. The figures follow the table's stream; nothing is added up here.

use cierre_kernel::money::Money;
use cierre_kernel::page::Limit;
use cierre_kernel::time::Instant;
use cierre_platform::db::{Db, Item, Query, number, read_item, text};
use cierre_platform::{Context, Failure};
use serde::Serialize;
use utoipa::ToSchema;

use crate::entity::Customer;
use crate::rules::pesos;
use crate::table;

/// What waits for an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SummaryView {
    /// When the figures were read; they trail the commands by a few seconds.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Instant,
    /// Over all customers.
    pub totals: SummaryTotals,
    /// By customer, in order of their ids.
    pub by_customer: SummaryPage,
}

/// Figures over all customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SummaryTotals {
    /// Customers with at least one pending.
    pub customers: i64,
    /// Pendings.
    pub count: i64,
    /// Their sum.
    #[schema(value_type = String, example = "33208.00")]
    pub amount: Money,
}

/// A page of figures by customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SummaryPage {
    /// In order of the customers' ids.
    pub items: Vec<SummaryRow>,
    /// Cursor of the next page, null at the end.
    pub next: Option<String>,
}

/// Figures of one customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SummaryRow {
    /// The customer.
    pub customer_id: u32,
    /// The customer's present name.
    pub name: Option<String>,
    /// Pendings.
    pub count: i64,
    /// Their sum.
    #[schema(value_type = String, example = "7851.25")]
    pub amount: Money,
}

/// The figures, and the customer behind whom the next page begins.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn summary(
    db: &Db,
    context: &Context,
    limit: Limit,
    after: Option<u32>,
) -> Result<(SummaryView, Option<u32>), Failure> {
    let company = &context.company;
    let total = table::summary_row(company, table::TOTAL);
    let (total, (mut items, next)) =
        futures::future::try_join(db.get_item(&total), rows(db, context, limit, after)).await?;
    let customers = items
        .iter()
        .map(|row| table::customer(company, row.customer_id));
    let customers = db.load(customers).await?;
    for row in &mut items {
        let item = customers.item(&table::customer(company, row.customer_id));
        let customer: Option<Customer> = item.cloned().map(read_item).transpose()?;
        row.name = customer.map(|customer| customer.name);
    }
    let total = total.unwrap_or_default();
    let view = SummaryView {
        as_of: context.now,
        totals: SummaryTotals {
            customers: figure(&total, "customers"),
            count: figure(&total, "count"),
            amount: pesos(figure(&total, "amount")),
        },
        by_customer: SummaryPage { items, next: None },
    };
    Ok((view, next))
}

async fn rows(
    db: &Db,
    context: &Context,
    limit: Limit,
    after: Option<u32>,
) -> Result<(Vec<SummaryRow>, Option<u32>), Failure> {
    let limit = limit.get() as usize;
    let low = after.map_or_else(
        || table::CUSTOMER_ROWS.to_owned(),
        |id| table::customer_row(id + 1),
    );
    let high = format!("{}{}", table::CUSTOMER_ROWS, table::AFTER_ALL);
    let mut query = Query::partition(table::BILLING, table::summary(&context.company))
        .between(low, high)
        .limit(u32::try_from(limit + 1).unwrap_or(u32::MAX));
    let mut rows: Vec<SummaryRow> = Vec::with_capacity(limit);
    loop {
        let page = db.query(&query).await?;
        for row in page.items.iter().filter_map(row) {
            if rows.len() == limit {
                let last = rows.last().map(|row| row.customer_id);
                return Ok((rows, last));
            }
            rows.push(row);
        }
        match page.last {
            Some(last) => query = query.start_after(last),
            None => return Ok((rows, None)),
        }
    }
}

/// A customer's figures; none for one whose pendings are all gone.
fn row(item: &Item) -> Option<SummaryRow> {
    let id = text(item, "sk")?.strip_prefix(table::CUSTOMER_ROWS)?;
    let row = SummaryRow {
        customer_id: id.parse().ok()?,
        name: None,
        count: figure(item, "count"),
        amount: pesos(figure(item, "amount")),
    };
    (row.count != 0).then_some(row)
}

fn figure(row: &Item, column: &str) -> i64 {
    number(row, column).unwrap_or_default()
}
